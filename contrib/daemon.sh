# shellcheck shell=sh disable=SC2034
# SPDX-License-Identifier: GPL-2.0-or-later
# Sourced by up.sh and down.sh: starting and stopping the daemon, and the Docker engine where
# systemd does not do it. Knows nothing about packages and files.

STATE=/var/lib/tailexit
RUN=/run/tailexit
LOG=/var/log/tailexit.log
PID_FILE=$RUN/tailexit.pid
PLUGIN_SOCKET=/run/docker/plugins/tailexit.sock
# What `make down` has to take back, a line each: package NAME, path PATH, engine-path PATH,
# prefix PREFIX, dockerd, group docker.
RECORD=$STATE/made-by-up
ENGINE_PACKAGES='docker.io docker-cli iptables apparmor ca-certificates'
DOCKER_PID_FILE=/run/docker.pid
DOCKER_LOG=/var/log/dockerd.log

# It is about the engine of this host, whatever the caller's shell is set to.
unset DOCKER_HOST DOCKER_CONTEXT

die() {
	echo "tailexit: $*" >&2
	exit 1
}

begin() {
	[ "$(id -u)" = 0 ] || die "this needs root; run: sudo make $1"
	exec 9> /run/tailexit-make.lock
	flock -n 9 || die "another make up or make down is running; wait until it is done"
}

# wait_for SECONDS COMMAND...
wait_for() {
	tries=$(($1 * 5))
	shift
	while ! "$@" > /dev/null 2>&1; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || return 1
		sleep 0.2
	done
}

has_systemd() {
	[ -d /run/systemd/system ]
}

# ---- processes in the background, where there is no systemd ----

# process_of PID_FILE NAME - the pid, if that process still exists and is of that name.
process_of() {
	pid=$(cat "$1" 2> /dev/null) && [ -n "$pid" ] || return 1
	[ "$(cat "/proc/$pid/comm" 2> /dev/null)" = "$2" ] || return 1
	echo "$pid"
}

# spawn LOG COMMAND... - the pid is $!
spawn() {
	log=$1
	shift
	setsid "$@" < /dev/null >> "$log" 2>&1 9>&- &
}

# end_process PID_FILE NAME
end_process() {
	pid=$(process_of "$1" "$2") || return 0
	kill "$pid"
	wait_for 60 sh -c "! [ -e /proc/$pid/exe ]" ||
		die "$2 (pid $pid) does not end; end it and run this again"
}

# ---- the daemon ----

start_plain() {
	end_process "$PID_FILE" tailexit
	mkdir -p "$RUN"
	if [ -r /etc/default/tailexit ]; then
		set -a
		# shellcheck disable=SC1091 # the administrator's
		. /etc/default/tailexit
		set +a
	fi
	spawn "$LOG" "$PREFIX/bin/tailexit" serve
	echo $! > "$PID_FILE"
}

start_daemon() {
	if has_systemd; then
		systemctl daemon-reload
		systemctl enable -q tailexit.socket tailexit.service
		systemctl start tailexit.socket
		systemctl restart tailexit.service
	else
		start_plain
	fi
}

stop_daemon() {
	if has_systemd && systemctl cat tailexit.socket > /dev/null 2>&1; then
		systemctl disable -q --now tailexit.socket tailexit.service
		# Enabled by somebody, if at all; an earlier version did not have it.
		! systemctl cat tailexit-guard.service > /dev/null 2>&1 ||
			systemctl disable -q --now tailexit-guard.service
	fi
	end_process "$PID_FILE" tailexit
	rm -f "$PID_FILE" "$PLUGIN_SOCKET"
}

daemon_log() {
	if has_systemd; then
		journalctl -q --no-pager -o cat -n 5 -u tailexit.service
	else
		tail -n 5 "$LOG"
	fi
}

# ---- the engine ----

docker_answers() {
	timeout 10 docker version > /dev/null 2>&1
}

start_docker() {
	! docker_answers || return 0
	if has_systemd; then
		systemctl start docker.service ||
			die "Docker does not start; see journalctl -u docker, repair it and run this again"
	elif ! process_of "$DOCKER_PID_FILE" dockerd > /dev/null; then
		command -v dockerd > /dev/null ||
			die "there is a docker command but no engine on this host; install dockerd, too"
		[ -e "$DOCKER_LOG" ] || echo "path $DOCKER_LOG" >> "$RECORD"
		echo dockerd >> "$RECORD"
		spawn "$DOCKER_LOG" dockerd
	fi
	wait_for 60 docker_answers ||
		die "Docker does not answer; see $DOCKER_LOG or journalctl -u docker, and run this again"
}
