#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# run.sh - everything: what `sudo make test` does. Installs what is missing, builds with and without
# sanitizers, runs unit, golden, fuzz corpus, network namespace, lab and installation tests, and ends
# with one line of counts. PYTEST_ARGS are added to the lab's.
set -u
cd "$(dirname "$0")/.." || exit 1
export TEST_COUNTS
TEST_COUNTS=$(mktemp)
logs=$(mktemp -d)
trap 'rm -rf "$TEST_COUNTS" "$logs"' EXIT
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

# Runs pytest and adds its own closing line to the counts.
pytest() {
	local log status
	log=$(mktemp)
	/usr/bin/python3 -m pytest -q -rfEs --durations=5 -p no:cacheprovider "$@" ${PYTEST_ARGS:-} \
		> "$log" 2>&1
	status=$?
	count() { tail -n 1 "$log" | grep -oE "[0-9]+ $1" | awk '{ n += $1 } END { print n + 0 }'; }
	echo "$(count passed) $(count '(failed|error)') $(count skipped)" >> "$TEST_COUNTS"
	cat "$log"
	rm -f "$log"
	# 5: no test was collected
	[ "$status" = 0 ] || [ "$status" = 5 ]
}

# The engines side by side: most of the time a test waits for dockerd and for the kernel. The daemon they
# run is the one with sanitizers.
lab() {
	local engines engine none pids=() ok=0
	export TAILEXIT="$PWD/build/san/tailexit"
	engines=$(cd tests && /usr/bin/python3 -c \
		'from lab import roots; print(*(f"{s}-{v}" for s, v in roots.ENGINES.items()))')
	for engine in $engines; do
		none="${none:+$none and }not $engine"
		pytest tests/e2e -k "$engine" > "$logs/$engine" &
		pids+=($!)
	done
	pytest tests/e2e -k "$none" > "$logs/none" &
	pids+=($!)
	for pid in "${pids[@]}"; do wait "$pid" || ok=1; done
	for engine in $engines none; do
		echo "-- $engine"
		cat "$logs/$engine"
	done
	return $ok
}

step "packages" install_packages
step "build" build
if [ "$failed" = 0 ]; then
	step "unit, golden, fuzz corpus" make -s -j"$(nproc)" WERROR=1 check
	step "the same under ASan and UBSan" make -s -j"$(nproc)" SAN=address,undefined check
	step "network namespaces under ASan and UBSan" make -s SAN=address,undefined check-netns
	step "lab" lab
	step "installation" pytest tests/install
fi

echo "== $(($(date +%s) - started)) s"
awk -v failed="$failed" '{ p += $1; f += $2; s += $3 }
	END { if (failed && !f) f = 1; printf "%d passed, %d failed, %d skipped\n", p, f, s }' "$TEST_COUNTS"
exit "$failed"
