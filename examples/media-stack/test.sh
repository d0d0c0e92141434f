#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What the README promises. The words are those of tests/install/example.sh.
# Seen to fail: vpn with policy open; library with policy open; direct with policy killswitch.
. "$(dirname "$0")/../../tests/install/example.sh"

check() {
	seen_as isp sonarr radarr jellyfin plex
	seen_as nobody unpackerr
	page 8080 9696 8989 7878 8096 32400
	reaches sonarr prowlarr
	reaches sonarr qbittorrent
	reaches unpackerr radarr
	reaches_not jellyfin qbittorrent
}

tunnel up
seen_as exit qbittorrent prowlarr
resolver_of qbittorrent 9.9.9.9
check

tunnel down
seen_as nobody qbittorrent prowlarr
check
