/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Forgetting connections: after a path has changed, no packet of an old flow keeps the old path. */
#pragma once

#include <stdbool.h>

#include "../base/addr.h"
#include "nl.h"

struct ct_match {
	/* Of proto 0: every connection from or to these addresses, before or after translation.
	 * Of a proto: those that were opened to port of these addresses; unset or 0.0.0.0 or :: are
	 * all that this host has now (of both families, or of one). What merely passes stays. */
	struct prefix addr;
	uint8_t proto;
	uint16_t port;
	bool untranslated; /* of these only those whose addresses nobody translated */
};

/* Forgets what matches any of these. Reading the table costs the same for one as for a hundred,
 * some milliseconds on a host with much memory: collect, then call once. */
int ct_flush(struct nl *nl, const struct ct_match *matches, size_t n, struct err *err);

int ct_flush_address(struct nl *nl, const struct addr *addr, struct err *err);
int ct_flush_port(struct nl *nl, uint8_t proto, uint16_t port, const struct addr *host,
		  struct err *err);
