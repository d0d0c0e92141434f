#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# run.sh - everything: what `sudo make test` does. Installs what is missing, builds with and without
# sanitizers, runs unit, golden, fuzz corpus, network namespace, lab, leak and installation tests, and ends
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

build() { make -s -j"$(nproc)" WERROR=1 all faults && make -s -j"$(nproc)" WERROR=1 SAN=address,undefined all; }

# Runs pytest and adds its own closing line to the counts.
pytest() {
	local log status
	log=$(mktemp)
	/usr/bin/python3 -m pytest -q -rfEs --durations=5 "$@" ${PYTEST_ARGS:-} > "$log" 2>&1
	status=$?
	count() { tail -n 1 "$log" | grep -oE "[0-9]+ $1" | awk '{ n += $1 } END { print n + 0 }'; }
	echo "$(count passed) $(count '(failed|error)') $(count skipped)" >> "$TEST_COUNTS"
	cat "$log"
	rm -f "$log"
	# 5: no test was collected
	[ "$status" = 0 ] || [ "$status" = 5 ]
}

# Three engines on two cores: a test may have waited too briefly. A few that failed are run once more,
# with nothing beside them, and said to have been. No packet that was seen where none may be is forgiven.
alone() {
	local engine=$1 log="$logs/$1" n
	n=$(grep -cE '^(FAILED|ERROR) ' "$log")
	[ "$n" -gt 0 ] && [ "$n" -le 3 ] || return 1
	! grep -E '^(FAILED|ERROR) ' "$log" | grep -qE ' - .*(<[a-z0-9-]+ (in|out): |packets)' || return 1
	echo "-- $engine: once more, alone"
	grep -E '^(FAILED|ERROR) ' "$log"
	/usr/bin/python3 -m pytest -q -rfE --lf -o cache_dir="$logs/cache-$engine" tests/e2e || return 1
	echo "$n -$n 0" >> "$TEST_COUNTS"
}

# The engines side by side, and what needs none of them: so that no processor waits. The daemon they run is
# the one with sanitizers.
lab() {
	local engines engine none pids=() bad=() ok=0
	export TAILEXIT="$PWD/build/san/tailexit"
	engines=$(cd tests && /usr/bin/python3 -c \
		'from lab import roots; print(*(f"{s}-{v}" for s, v in roots.ENGINES.items()))')
	for engine in $engines; do
		none="${none:+$none and }not $engine"
		pytest tests/e2e -k "$engine" -o cache_dir="$logs/cache-$engine" > "$logs/$engine" &
		pids+=("$engine:$!")
	done
	# Over long before the others.
	pytest tests/e2e -k "$none" -o cache_dir="$logs/cache-none" > "$logs/none" || bad+=(none)
	# The same random pairs every time: CI is no place for new ones.
	counted leaktest LEAK="--seed 1" > "$logs/leaks" || ok=1
	for pid in "${pids[@]}"; do wait "${pid#*:}" || bad+=("${pid%:*}"); done
	for engine in $engines none leaks; do
		echo "-- $engine"
		cat "$logs/$engine"
	done
	for engine in "${bad[@]}"; do alone "$engine" || ok=1; done
	return $ok
}

# A target of the Makefile whose last line is one of counts, too.
counted() {
	local log status
	log=$(mktemp)
	make -s "$@" > "$log" 2>&1
	status=$?
	cat "$log"
	awk '/ passed, / { counts = $1 " " $3 " " $5 } END { print counts ? counts : "0 1 0" }' "$log" >> "$TEST_COUNTS"
	rm -f "$log"
	return $status
}

# Mostly waits for packages: begun before the lab, and over before it.
begin_installation() {
	pytest tests/install -p no:cacheprovider > "$logs/installation" &
	installation=$!
}

end_installation() {
	local status=0
	wait "$installation" || status=1
	cat "$logs/installation"
	return $status
}

step "packages" install_packages
step "build" build
if [ "$failed" = 0 ]; then
	begin_installation
	step "unit, golden, fuzz corpus under ASan and UBSan" \
		make -s -j"$(nproc)" WERROR=1 SAN=address,undefined check
	step "network namespaces under ASan and UBSan" make -s SAN=address,undefined check-netns
	step "lab" lab
	step "installation" end_installation
	step "instructions" counted check-instructions
fi

echo "== $(($(date +%s) - started)) s"
awk -v failed="$failed" '{ p += $1; f += $2; s += $3 }
	END { if (failed && !f) f = 1; printf "%d passed, %d failed, %d skipped\n", p, f, s }' "$TEST_COUNTS"
exit "$failed"
