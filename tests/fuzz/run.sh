#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# run.sh SECONDS TARGET... - builds each tests/fuzz/fuzz_TARGET.c with clang's libFuzzer, ASan and UBSan
# and runs it for that long, starting from the committed corpus. What it finds is written to
# build/fuzz/TARGET/; a crash belongs into the corpus once it is mended.
set -eu
cd "$(dirname "$0")/../.."
seconds=$1
shift
command -v clang > /dev/null || { echo "fuzzing needs clang: apt-get install clang" >&2; exit 1; }

sanitize=address,undefined
make -s OUT=build/fuzz/objects CC=clang SAN=$sanitize,fuzzer-no-link LDFLAGS=-fsanitize=$sanitize \
	build/fuzz/objects/san/libplugin.a build/fuzz/objects/san/libpolicy.a
objects=build/fuzz/objects/san

for target in "$@"; do
	out=build/fuzz/$target
	mkdir -p "$out/corpus"
	extra=()
	# This target exercises plugin/ alone, on the stand-in for policy/.
	[ "$target" != request ] || extra=(tests/unit/stub_policy.c)
	clang -std=gnu17 -D_GNU_SOURCE -g -O1 -fsanitize=fuzzer,$sanitize \
		"tests/fuzz/fuzz_$target.c" "${extra[@]}" "$objects/libplugin.a" "$objects/libpolicy.a" \
		$(pkg-config --cflags --libs libmicrohttpd jansson libnftnl libmnl cmocka) -o "$out/fuzz"
	echo "== $target, $seconds s"
	"$out/fuzz" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
		-verbosity=0 -artifact_prefix="$out/" "$out/corpus" "tests/fuzz/corpus/$target" 2>&1 |
		tail -n 8
	[ "${PIPESTATUS[0]}" = 0 ]
done
