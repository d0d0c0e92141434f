#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# check.sh BUILD [PROGRAM...] - runs test programs (all of `make check` when none are given) and prints
# what failed and one line of counts. Appends the counts to $TEST_COUNTS where that is set.
set -u
build=$1
shift
[ $# -gt 0 ] || set -- "$build"/tests/unit/test_* "$build"/tests/fuzz/replay_*

passed=0 failed=0 skipped=0
output=$(mktemp)
trap 'rm -f "$output"' EXIT

# The counts a cmocka program printed; a fuzz target that replays its corpus counts as one test.
count() { sed -nE "s/^\[ *$1 *\] ([0-9]+) test.*/\1/p" "$output" | tail -n 1; }

for program in "$@"; do
	case $program in *.o | *.d) continue ;; esac
	name=$(basename "$program")
	case $name in
	replay_*) "$program" "tests/fuzz/corpus/${name#replay_}" > "$output" 2>&1 ;;
	*) "$program" > "$output" 2>&1 ;;
	esac
	status=$?
	p=$(count PASSED) f=$(count FAILED) s=$(count SKIPPED)
	if [ "$status" = 77 ]; then
		p=0 f=0 s=1
	elif [ -z "$p" ]; then
		[ "$status" = 0 ] && p=1 || p=0
	fi
	# A program that died, or leaked at its end, has failed whatever it counted.
	[ "$status" != 0 ] && [ "$status" != 77 ] && [ "${f:-0}" = 0 ] && f=1
	passed=$((passed + p)) failed=$((failed + ${f:-0})) skipped=$((skipped + ${s:-0}))
	if [ "${f:-0}" != 0 ]; then
		echo "FAILED $name (status $status)"
		tail -n 60 "$output"
	elif [ "$status" = 77 ]; then
		echo "SKIPPED $name: $(tail -n 1 "$output")"
	fi
done
echo "check: $passed passed, $failed failed, $skipped skipped"
[ -z "${TEST_COUNTS:-}" ] || echo "$passed $failed $skipped" >> "$TEST_COUNTS"
[ "$failed" = 0 ]
