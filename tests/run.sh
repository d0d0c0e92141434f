#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# run.sh - everything: what `sudo make test` does. Installs what is missing, builds with and without
# sanitizers, runs unit, golden, fuzz corpus, network namespace, lab and installation tests, and ends
# with one line of counts. PYTEST_ARGS are added to the lab's.
set -u
cd "$(dirname "$0")/.." || exit 1
export TEST_COUNTS
TEST_COUNTS=$(mktemp)
trap 'rm -f "$TEST_COUNTS"' EXIT
failed=0
started=$(date +%s)

step() {
	local title=$1 t0
	shift
	t0=$(date +%s)
	echo "== $title"
	"$@" || { echo "== $title: FAILED"; failed=1; }
	echo "== $title: $(($(date +%s) - t0)) s"
}

install_packages() {
	local missing=()
	for package in $(sed 's/#.*//' tests/packages.txt tests/*/packages.txt); do
		dpkg-query -W -f '${Status}' "$package" 2> /dev/null | grep -q 'install ok installed' ||
			missing+=("$package")
	done
	[ ${#missing[@]} = 0 ] && return
	apt-get update -qq &&
		DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
			"${missing[@]}" > /dev/null
}

build() { make -s -j"$(nproc)" WERROR=1 all && make -s -j"$(nproc)" WERROR=1 SAN=address,undefined all; }

# pytest's own closing line, added to the counts.
lab() {
	local log status
	log=$(mktemp)
	/usr/bin/python3 -m pytest -q -rfEs --durations=10 -p no:cacheprovider "$@" ${PYTEST_ARGS:-} \
		2>&1 | tee "$log"
	status=${PIPESTATUS[0]}
	count() { tail -n 1 "$log" | grep -oE "[0-9]+ $1" | awk '{ n += $1 } END { print n + 0 }'; }
	echo "$(count passed) $(count '(failed|error)') $(count skipped)" >> "$TEST_COUNTS"
	rm -f "$log"
	# 5: no test was collected
	[ "$status" = 0 ]
}

step "packages" install_packages
step "build" build
if [ "$failed" = 0 ]; then
	step "unit, golden, fuzz corpus" make -s -j"$(nproc)" WERROR=1 check
	step "the same under ASan and UBSan" make -s -j"$(nproc)" SAN=address,undefined check
	step "network namespaces under ASan and UBSan" make -s SAN=address,undefined check-netns
	step "lab" lab tests/e2e
	[ -d tests/install ] && step "installation" lab tests/install
fi

echo "== $(($(date +%s) - started)) s"
awk -v failed="$failed" '{ p += $1; f += $2; s += $3 }
	END { if (failed && !f) f = 1; printf "%d passed, %d failed, %d skipped\n", p, f, s }' "$TEST_COUNTS"
exit "$failed"
