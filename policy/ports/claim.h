/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which host addresses and which number a request gets: defaults, ranges, the same number in both
 * families. Knows neither relays nor sentences about other programs. */
#pragma once

#include "publisher.h"

struct claim {
	struct publisher *publishers; /* every one; for numbers that no socket can hold */
	struct publisher *publisher;  /* who publishes */
	const struct network *network;
	const struct port_request *request;

	struct addr hosts[FAMILIES]; /* need a socket */
	size_t n_hosts;
	bool v6_optional; /* nobody asked for it: the host may have no IPv6 */

	struct port given[2 * FAMILIES];
	size_t n_given;
	struct port refused; /* the port that was in the way */
};

/* Fills given, or nothing stays claimed: refused and the code then tell why; err too, for what has
 * nothing to do with sockets (err->code is set). */
int claim_request(struct claim *claim, struct err *err);

/* Who of ours has that port, leaving out what a change under way may take over. NULL: nobody. */
const struct publisher *claim_overlap(const struct claim *claim, const struct port *port);
