#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What the README promises. The words are those of tests/install/example.sh.
# Seen to fail: vpn with policy open; library with policy open, which let qbittorrent out.
. "$(dirname "$0")/../../tests/install/example.sh"

check() {
	seen_as isp sonarr
	page 8080 9696 8989
	reaches sonarr qbittorrent
	reaches prowlarr sonarr
}

tunnel up wg0
seen_as other qbittorrent prowlarr
page_through wg0 8080
check

tunnel down wg0
seen_as nobody qbittorrent prowlarr
check

# Nobody has to be restarted.
tunnel up wg0
seen_as other qbittorrent prowlarr
