/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The only file that touches rules we do not own. dockerd may have set the FORWARD policy of
 * iptables to DROP, and an accept in our own table cannot undo a drop in another: two accept rules
 * per pattern at the top of DOCKER-USER, where users are meant to put theirs (of FORWARD itself
 * where dockerd made no such chain), make room for our bridges. What must not pass has been dropped
 * in our own, earlier chain. */
#pragma once

#include <stddef.h>

#include "../base/err.h"

struct nl;

/* Interface patterns: "te-*", or a bridge's own name. Puts back what is missing; a chain that does
 * not exist needs nothing. Returns how many rules it added, or a negative errno. */
int hostfw_allow(struct nl *nl, const char *const *patterns, size_t n, struct err *err);
/* Removes the rules for these patterns. */
int hostfw_withdraw(struct nl *nl, const char *const *patterns, size_t n, struct err *err);
