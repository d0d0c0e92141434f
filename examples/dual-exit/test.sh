#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What the README promises. The words are those of tests/install/example.sh.
# Seen to fail: second with policy open; either via the first exit alone; first via both.
. "$(dirname "$0")/../../tests/install/example.sh"

tunnel up
tunnel up wg0
seen_as exit changedetection freshrss
seen_as other metube
page 5000 8081 8082

# The first exit is gone: who has no other is closed.
tunnel down
seen_as other metube freshrss
seen_as nobody changedetection

tunnel down wg0
seen_as nobody changedetection metube freshrss
page 5000 8081 8082

tunnel up
seen_as exit changedetection freshrss
seen_as nobody metube
