#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What the README promises. The words are those of tests/install/example.sh.
# Seen to fail: search with policy open; with policy bypass; store with policy open.
. "$(dirname "$0")/../../tests/install/example.sh"

tunnel up
seen_as exit searxng
seen_as nobody valkey
resolver_of searxng 9.9.9.9
reaches searxng valkey
page 8888

tunnel down
seen_as nobody searxng valkey
reaches searxng valkey
page 8888
