# shellcheck shell=sh disable=SC2034
# SPDX-License-Identifier: GPL-2.0-or-later
# example.sh - the words in which the test.sh of an example says what its README promises. The lab runs it
# after `docker compose up`, with its own image in place of the real ones, and is at the other end of
# standard input and output: it answers each sentence that holds, and ends the script at the first that
# does not. SERVICE is one of compose.yaml, or "host".
#
#	tunnel up|down [LINK]           the tunnel comes, or is gone as after kill -9 of its daemon
#	exit_node on|off                the host itself uses the tunnel, or no longer
#	seen_as WHOM SERVICE...         WHOM: exit (of the tunnel tailscale0), other (exit, of wg0), isp, or
#	                                nobody: the world gets no packet, by whatever way, and none is on
#	                                the provider's wire
#	page PORT...                    this port of the host answers who is in the LAN
#	page_from_world PORT...         and who is not
#	page_through LINK PORT...       and who comes in by the other end of a tunnel
#	reaches SERVICE OTHER           SERVICE knows OTHER by its name, and gets an answer from it
#	reaches_not SERVICE OTHER
#	resolver_of SERVICE ADDRESS     who is asked for the names of the world
#	label SERVICE KEY VALUE         the container has this label

lab() {
	printf '%s\n' "$*"
	read -r answer || exit 1
}

for word in tunnel exit_node seen_as page page_from_world page_through reaches reaches_not \
	resolver_of label; do
	eval "$word() { lab $word \"\$@\"; }"
done
