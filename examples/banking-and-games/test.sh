#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What the README promises. The words are those of tests/install/example.sh.
# Seen to fail: direct with policy open; with policy killswitch.
. "$(dirname "$0")/../../tests/install/example.sh"

check() {
	seen_as isp browser minecraft
	resolver_of browser 9.9.9.9
	page 3001 25565
	page_from_world 25565
}

# The host itself uses an exit node.
tunnel up
exit_node on
seen_as exit host
check

tunnel down
check

tunnel up
exit_node off
seen_as isp host
check
