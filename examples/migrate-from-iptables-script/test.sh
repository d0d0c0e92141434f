#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What the README promises. The words are those of tests/install/example.sh.
# Seen to fail: vpn with policy open; vpn with lan off; direct with policy open.
. "$(dirname "$0")/../../tests/install/example.sh"

# The host itself uses an exit node, which is what the script's mark was for.
tunnel up
exit_node on
seen_as exit qbittorrent host
seen_as isp jellyfin
# With the script, nobody in the LAN got an answer.
page 8080 8096

tunnel down
seen_as nobody qbittorrent
seen_as isp jellyfin
page 8080 8096
exit_node off
