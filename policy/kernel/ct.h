/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Forgetting connections: after a path has changed, no packet of an old flow keeps the old path. */
#pragma once

#include "../base/addr.h"
#include "nl.h"

/* Every connection from or to this address, before or after translation. */
int ct_flush_address(struct nl *nl, const struct addr *addr, struct err *err);
/* Every connection that was opened to this port of the host. host may be 0.0.0.0 or :: (every address
 * that this host has now, but no connection that merely passes it) or unset (of both families). */
int ct_flush_port(struct nl *nl, uint8_t proto, uint16_t port, const struct addr *host,
		  struct err *err);
