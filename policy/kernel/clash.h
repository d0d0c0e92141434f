/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Does a subnet somebody wants for containers belong to something else already? */
#pragma once

#include <net/if.h>
#include <stdbool.h>

#include "../base/addr.h"
#include "../base/err.h"
#include "nl.h"

struct clash {
	bool found;
	struct prefix route;
	char dev[IFNAMSIZ];
};

/* Routes of the main table that share addresses with subnet: those inside it, and those of directly
 * connected networks. A wider route through a gateway may have an exception: that is no clash. */
int clash_find(struct nl *nl, const struct prefix *subnet, struct clash *ret_clash,
	       struct err *err);
