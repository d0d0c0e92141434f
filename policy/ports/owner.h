/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which program holds a port that we were refused. Only for the sentence people read: it looks
 * through /proc, for a bounded time, and may not find out. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "../model/network.h"

struct owner {
	pid_t pid;
	char name[32];
};

/* false: somebody, but who cannot be seen from here (no rights, another pid namespace, no time). */
bool owner_find(const struct port *port, struct owner *ret_owner);
