#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What the README promises. The words are those of tests/install/example.sh.
# Seen to fail: vpn with policy open; the browser with another name server.
. "$(dirname "$0")/../../tests/install/example.sh"

check() {
	resolver_of browser 172.30.53.2
	resolver_of pihole 9.9.9.9
	reaches browser pihole
	page 8053 3001
}

tunnel up
seen_as exit pihole browser
check

tunnel down
seen_as nobody pihole browser
check
