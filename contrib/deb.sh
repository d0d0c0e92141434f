#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# deb.sh BUILD - makes BUILD/tailexit_VERSION_ARCH.deb of the program that is there. The same input has the
# same bytes as its output.
set -eu

build=$1
stage=$build/deb
doc=$stage/usr/share/doc/tailexit

die() {
	echo "deb.sh: $*" >&2
	exit 1
}

command -v dpkg-shlibdeps > /dev/null || die "there is no dpkg-shlibdeps; install dpkg-dev, and run this again"

# The packages of the libraries, as dpkg-shlibdeps finds them for a source package.
depends() {
	mkdir "$build/deb.source" "$build/deb.source/debian"
	echo "Source: tailexit" > "$build/deb.source/debian/control"
	(cd "$build/deb.source" && dpkg-shlibdeps -O ../deb/usr/bin/tailexit) |
		sed -n 's/^shlibs:Depends=//p'
	rm -r "$build/deb.source"
}

umask 022
rm -rf "$stage" "$build/deb.source"
"$MAKE" -s --no-print-directory install "DESTDIR=$stage" PREFIX=/usr
strip "$stage/usr/bin/tailexit"
gzip -9n "$stage/usr/share/man/man8/tailexit.8"
install -D -m 0644 contrib/debian/default "$stage/etc/default/tailexit"
install -D -m 0644 contrib/debian/copyright "$doc/copyright"
gzip -9nc CHANGELOG.md > "$doc/changelog.gz"

install -d "$stage/DEBIAN"
install -m 0755 contrib/debian/preinst contrib/debian/postinst contrib/debian/prerm contrib/debian/postrm \
	"$stage/DEBIAN/"
echo /etc/default/tailexit > "$stage/DEBIAN/conffiles"
architecture=$(dpkg --print-architecture)
libraries=$(depends)
[ -n "$libraries" ] || die "dpkg-shlibdeps does not know the packages of the libraries, see above"
size=$(du -k --apparent-size -s "$stage" | cut -f 1)
sed "s/@VERSION@/$VERSION/; s/@ARCHITECTURE@/$architecture/; s/@DEPENDS@/$libraries/; s/@SIZE@/$size/" \
	contrib/debian/control > "$stage/DEBIAN/control"
(cd "$stage" && find etc usr -type f -exec md5sum {} + | LC_ALL=C sort -k 2) > "$stage/DEBIAN/md5sums"
dpkg-deb --root-owner-group -Zxz --build "$stage" "$build/tailexit_${VERSION}_$architecture.deb" > /dev/null
echo "$build/tailexit_${VERSION}_$architecture.deb"
