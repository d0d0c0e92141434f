#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# plugin.sh BINARY DIR - makes DIR what `docker plugin create` takes: config.json, and in rootfs/ the
# program, the libraries it needs, and what accepts our bridges in legacy iptables. And DIR.tar.gz, the
# same in one file. CC says for which machine; the same input has the same bytes as its output.
set -eu

CC=${CC:-cc}
LEGACY=${LEGACY:-/usr/sbin/xtables-legacy-multi}
binary=$1
dir=$2
rootfs=$dir/rootfs
multiarch=$($CC -print-multiarch)
readelf=$($CC -print-prog-name=readelf)
libdir=/usr/lib/${multiarch:-../lib64}

die() {
	echo "plugin.sh: $*" >&2
	exit 1
}

machine() {
	"$readelf" -h "$1" | sed -n 's/^ *Machine: *//p'
}

# put FILE TARGET MODE - with the libraries that it needs
put() {
	[ "$(machine "$1")" = "$(machine "$binary")" ] ||
		die "$1 is for $(machine "$1"), and the plugin for $(machine "$binary")"
	install -D -m "$3" "$1" "$rootfs$2"
	for name in $("$readelf" -d "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'); do
		put_library "$name"
	done
}

put_library() {
	case $1 in ld-linux*) return ;; esac # the interpreter of all programs
	[ ! -e "$rootfs$libdir/$1" ] || return 0
	library=$($CC -print-file-name="$1")
	[ -e "$library" ] || die "$binary needs $1, which $CC does not find"
	put "$library" "$libdir/$1" 0644
}

put_interpreter() {
	interpreter=$("$readelf" -l "$binary" | sed -n 's/.*interpreter: \(.*\)\]/\1/p')
	put "$($CC -print-file-name="${interpreter##*/}")" "$interpreter" 0755
}

# The target ACCEPT is in a module, the only one that is needed.
put_legacy() {
	[ -e "$LEGACY" ] || die "there is no $LEGACY; install iptables, and run this again"
	put "$LEGACY" /usr/sbin/xtables-legacy-multi 0755
	for name in iptables-legacy ip6tables-legacy; do
		ln -s xtables-legacy-multi "$rootfs/usr/sbin/$name"
	done
	put "$libdir/xtables/libxt_standard.so" "$libdir/xtables/libxt_standard.so" 0644
}

# What is mounted there, config.json says; the others are Docker's.
make_mount_points() {
	for name in dev etc proc run sys tmp var/lib/tailexit host/proc/sys/net host/run/docker/plugins; do
		install -d -m 0755 "$rootfs/$name"
	done
}

umask 022
rm -rf "$dir"
install -d -m 0755 "$dir" "$rootfs"
install -m 0644 config.json "$dir/config.json"
make_mount_points
put "$binary" /usr/bin/tailexit 0755
"$($CC -print-prog-name=strip)" "$rootfs/usr/bin/tailexit"
put_interpreter
put_legacy
find "$dir" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
tar --sort=name --owner=0 --group=0 --numeric-owner --format=gnu -C "$dir" -cf "$dir.tar" .
gzip -9nc "$dir.tar" > "$dir.tar.gz.new"
rm "$dir.tar"
mv "$dir.tar.gz.new" "$dir.tar.gz"
