#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# packages.sh RECORD PACKAGE... - installs those Debian packages that are missing. Writes a line
# "package NAME" to the file RECORD for each one that is new afterwards; "-" keeps no record.
# "NAME?" is a package that not every release has.
set -eu

die() {
	echo "packages.sh: $*" >&2
	exit 1
}

installed() {
	dpkg-query -W -f '${db:Status-Status} ${binary:Package}\n' | sed -n 's/^installed //p' | sort
}

is_installed() {
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2> /dev/null)" = installed ]
}

record=$1
shift
missing=
for name in "$@"; do
	is_installed "${name%\?}" || missing="$missing $name"
done
[ -n "$missing" ] || exit 0

[ "$(id -u)" = 0 ] || die "missing:$missing; run this as root to install them"
command -v apt-get > /dev/null ||
	die "this system has no apt-get; install what corresponds to Debian's$missing, and run this again"

# noninteractive: nobody is there to answer. A lock may be held by unattended-upgrades.
apt() {
	DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 "$@"
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Of somebody's ten archives one may be down; if it matters, the installation fails and says so.
apt update > "$work/log" 2>&1 || true
wanted=
for name in $missing; do
	case $name in
	*\?) [ -n "$(apt-cache madison "${name%\?}")" ] || continue ;;
	esac
	wanted="$wanted ${name%\?}"
done
[ -n "$wanted" ] || exit 0

echo "installing$wanted"
installed > "$work/before"
status=0
# --no-remove: whatever is in the way belongs to somebody.
# shellcheck disable=SC2086 # a list
apt install --no-install-recommends --no-remove $wanted >> "$work/log" 2>&1 || status=$?
if [ "$record" != - ]; then
	installed > "$work/after"
	comm -13 "$work/before" "$work/after" | sed 's/^/package /' >> "$record"
fi
[ "$status" = 0 ] || {
	cat "$work/log" >&2
	die "apt-get could not install$wanted, see above; repair it and run this again"
}
