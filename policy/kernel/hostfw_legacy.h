/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The same as hostfw.h for hosts whose iptables still uses the legacy tables, which no netlink
 * message reaches: the only program we ever run is iptables-legacy, with fixed arguments, in a
 * child process, one job after the other, so that nobody waits for its lock. */
#pragma once

#include <stddef.h>

#include "../base/loop.h"

struct hostfw_legacy;

/* failed() is called, later, with a sentence. */
struct hostfw_legacy *hostfw_legacy_new(struct loop *loop, void (*failed)(const char *sentence));
/* Waits, two seconds at most, for the jobs under way: removing rules is one of them. Accepts NULL.
 */
void hostfw_legacy_free(struct hostfw_legacy *legacy);

void hostfw_legacy_allow(struct hostfw_legacy *legacy, const char *const *patterns, size_t n);
void hostfw_legacy_withdraw(struct hostfw_legacy *legacy, const char *const *patterns, size_t n);
