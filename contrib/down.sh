#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# down.sh - `sudo make down`: takes back what `make up` did, and nothing else. Stops before anything
# is changed if networks, containers or volumes would be lost; FORCE=1 goes on, KEEP_DOCKER=1 keeps
# the engine.
set -eu
cd "$(dirname "$0")/.."
. contrib/daemon.sh

FORCE=${FORCE:-}
KEEP_DOCKER=${KEEP_DOCKER:-}

recorded() {
	sed -n "s/^$1 //p" "$RECORD" 2> /dev/null || true
}

engine_is_ours() {
	[ -z "$KEEP_DOCKER" ] && recorded package | grep -qE '^docker\.io(:|$)'
}

networks() {
	docker network ls --filter driver=tailexit --format '{{.Name}}'
}

# ---- what would be lost? ----

check_networks() {
	names=$(networks | paste -sd ' ')
	[ -z "$names" ] || die "there are networks of this driver: $names; remove them with" \
		"docker network rm $names, or run: sudo make down FORCE=1, which disconnects their containers"
}

check_containers() {
	containers=$(docker ps -a --format '{{.Names}}' | paste -sd ' ')
	volumes=$(docker volume ls -q | paste -sd ' ')
	[ -z "$containers$volumes" ] || die "the Docker engine came with make up and would go with its" \
		"data, containers: ${containers:-none}, volumes: ${volumes:-none}; keep it with:" \
		"sudo make down KEEP_DOCKER=1, or give them up with FORCE=1"
}

check_losses() {
	if docker_answers; then
		check_networks
		! engine_is_ours || check_containers
	elif engine_is_ours || ls "$STATE"/networks/*.json > /dev/null 2>&1; then
		die "Docker does not answer, so nobody can say which networks and containers there are;" \
			"start it, or run: sudo make down FORCE=1"
	fi
}

# ---- what is taken back, in the reverse order of up.sh ----

remove_networks() {
	docker_answers || return 0
	for name in $(networks); do
		# shellcheck disable=SC2016 # Docker's variables
		connected='{{range $id, $_ := .Containers}}{{$id}} {{end}}'
		for container in $(docker network inspect -f "$connected" "$name"); do
			docker network disconnect -f "$name" "$container"
		done
		docker network rm "$name" > /dev/null
	done
}

# A daemon that knows of no network removes what is left of any from the kernel.
sweep_kernel() {
	[ -n "$FORCE" ] && [ -x "$PREFIX/bin/tailexit" ] || return 0
	empty=$(mktemp -d)
	timeout 2 "$PREFIX/bin/tailexit" serve --socket "$empty/socket" --state-dir "$empty" \
		--run-dir "$empty" --log-level error || true
	rm -rf "$empty"
}

stop_our_dockerd() {
	[ -z "$KEEP_DOCKER" ] && grep -qx dockerd "$RECORD" 2> /dev/null || return 0
	end_process "$DOCKER_PID_FILE" dockerd
	rm -f "$DOCKER_PID_FILE"
}

# Of the packages that came with make up, those that nothing else has come to need since.
removable_packages() {
	# shellcheck disable=SC2086 # a list
	[ -z "$KEEP_DOCKER" ] || printf '%s\n' $ENGINE_PACKAGES > "$work/kept"
	recorded package | sort -u | grep -vxF -f "$work/kept" > "$work/ours" || true
	# shellcheck disable=SC2046 # a list
	apt-mark auto $(cat "$work/ours") > /dev/null 2>&1 || true
	apt-get -s -o APT::AutoRemove::RecommendsImportant=false \
		-o APT::AutoRemove::SuggestsImportant=false autoremove |
		sed -n 's/^Remv \([^ ]*\).*/\1/p' | sort > "$work/unneeded"
	# apt names the architecture of foreign packages only, dpkg of some others as well.
	sed "s/:$(dpkg --print-architecture)\$//" "$work/ours" | sort | comm -12 - "$work/unneeded"
}

remove_packages() {
	[ -n "$(recorded package)" ] || return 0
	work=$(mktemp -d)
	: > "$work/kept"
	names=$(removable_packages | paste -sd ' ')
	[ -z "$names" ] || echo "removing $(echo "$names" | wc -w) packages that came with make up"
	# shellcheck disable=SC2086 # a list
	[ -z "$names" ] || DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 \
		purge $names > "$work/log" 2>&1 9>&- || {
		cat "$work/log" >&2
		die "apt-get could not remove packages, see above; repair it and run this again"
	}
	rm -rf "$work"
}

remove_paths() {
	{
		recorded path
		[ -n "$KEEP_DOCKER" ] || recorded engine-path
	} | while read -r path; do
		rm -rf --one-file-system "$path"
	done
}

remove_group() {
	[ -z "$KEEP_DOCKER" ] && grep -qx "group docker" "$RECORD" 2> /dev/null || return 0
	! getent group docker > /dev/null || groupdel docker
}

begin down
PREFIX=$(recorded prefix | tail -n 1)
PREFIX=${PREFIX:-/usr/local}
[ -n "$FORCE" ] || check_losses
had_engine=
! engine_is_ours || had_engine=yes

remove_networks
stop_daemon
sweep_kernel
"${MAKE:-make}" -s --no-print-directory uninstall "PREFIX=$PREFIX"
! has_systemd || systemctl daemon-reload
stop_our_dockerd
remove_packages
remove_paths
remove_group
rm -rf "$STATE" "$RUN" "$LOG" /run/tailexit-make.lock
echo "tailexit is gone."
[ -z "$had_engine" ] ||
	echo "Docker is gone, too; its bridge docker0 and its firewall rules stay until the next boot."
