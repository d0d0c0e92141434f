#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What the README promises. The words are those of tests/install/example.sh.
# Seen to fail: vpn with policy open; with policy isolated; direct with policy killswitch.
. "$(dirname "$0")/../../tests/install/example.sh"

tunnel up
seen_as exit confined web
seen_as isp free
page 8080

tunnel down
seen_as nobody confined web
seen_as isp free
page 8080

tunnel up
seen_as exit confined web
