#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# up.sh - `sudo make up`: from a fresh Debian to a Docker that can use the driver. Run again, it
# upgrades: networks and containers stay as they are.
set -eu
cd "$(dirname "$0")/.."
. contrib/daemon.sh

PREFIX=${PREFIX:-/usr/local}
PROBE=tailexit-probe

note() {
	grep -qxF "$*" "$RECORD" 2> /dev/null || echo "$*" >> "$RECORD"
}

# Asks for what a package brings, not for the package: it may be there by another name.
missing_tools() {
	command -v cc > /dev/null || echo gcc
	[ -e /usr/include/stdio.h ] || echo libc6-dev
	command -v pkg-config > /dev/null || echo pkgconf
}

missing_libraries() {
	while read -r module package; do
		pkg-config --exists "$module" || echo "$package"
	done <<- END
		libmicrohttpd libmicrohttpd-dev
		jansson libjansson-dev
		libnftnl libnftnl-dev
		libmnl libmnl-dev
	END
}

# 9>&-: what a package starts must not hold our lock.
install_missing() {
	contrib/packages.sh "$RECORD" "$@" 9>&-
}

install_packages() {
	# shellcheck disable=SC2046 # lists
	install_missing $(missing_tools)
	# shellcheck disable=SC2046
	install_missing $(missing_libraries)
}

# Docker CE and others stay: only a host without any gets Debian's.
install_engine() {
	! command -v docker > /dev/null && ! command -v dockerd > /dev/null || return 0
	for path in /etc/docker /etc/cni /var/lib/docker /var/lib/containerd /opt/containerd; do
		[ -e "$path" ] || note "engine-path $path"
	done
	getent group docker > /dev/null || note "group docker"
	# shellcheck disable=SC2046,SC2086 # lists; before Debian 13 the command is part of docker.io
	install_missing $(printf '%s ' $ENGINE_PACKAGES | sed 's/docker-cli/&?/')
}

build() {
	[ -e build ] || note "path $PWD/build"
	"${MAKE:-make}" -s --no-print-directory -j"$(nproc)" all ||
		die "the build failed, see above; what it needs is in CONTRIBUTING.md"
	# Built as root, but whoever owns the sources goes on working here.
	chown -R --reference=. build
}

install_files() {
	note "prefix $PREFIX"
	"${MAKE:-make}" -s --no-print-directory install "PREFIX=$PREFIX"
}

probe() {
	timeout 20 docker network create -d tailexit -o policy=open "$PROBE"
}

remove_probe() {
	! docker network inspect "$PROBE" > /dev/null 2>&1 || docker network rm "$PROBE" > /dev/null
}

wait_until_usable() {
	remove_probe # of an earlier, interrupted run
	if ! wait_for 30 probe; then
		reason=$(probe 2>&1) || {
			daemon_log >&2 || true
			die "Docker cannot use the driver: $reason"
		}
	fi
	remove_probe
}

# Is the person behind sudo allowed to use Docker without it?
sudo_word() {
	[ -z "${SUDO_USER:-}" ] || id -nG "$SUDO_USER" | grep -qw docker || echo "sudo "
}

print_next() {
	sudo=$(sudo_word)
	cat <<- END

		$("$PREFIX/bin/tailexit" --version) is running. Try:

		  ${sudo}docker network create -d tailexit -o policy=open home
		  ${sudo}docker run -d --name web --network home -p 8080:80 nginx
		  ${sudo}tailexit ports

		"sudo make down" takes all of it back.
	END
}

begin up
install -d -m 0700 "$STATE"
install_packages
build
install_files
install_engine
start_docker
start_daemon
wait_until_usable
print_next
