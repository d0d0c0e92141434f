#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What the README promises. The words are those of tests/install/example.sh.
# Seen to fail: vpn with policy open; proxy with policy open; front with policy isolated.
. "$(dirname "$0")/../../tests/install/example.sh"

check() {
	seen_as isp traefik
	seen_as nobody whoami
	page 80
	reaches traefik qbittorrent
	reaches traefik whoami
	label qbittorrent traefik.enable true
	label qbittorrent traefik.http.routers.qbittorrent.rule "Host(\`qbittorrent.home.arpa\`)"
}

tunnel up
seen_as exit qbittorrent
check

tunnel down
seen_as nobody qbittorrent
check
