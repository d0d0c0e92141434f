/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Chains of one network, and the address ranges they talk about. */
#pragma once

#include "../model/network.h"
#include "plan.h"

/* The chain DIRECTION-BRIDGE, reached through map. Fill it before anything else is added to plan.
 */
struct fw_chain *chain_of_network(struct plan *plan, const char *direction, const char *map,
				  const struct network *network);

/* The counter for packets this network loses for this reason. */
struct fw_expr lost(const struct network *network, const char *reason);
/* Declares the counters that the chains since item number `from` use. */
void declare_counters(struct plan *plan, size_t from);

/* Tailscale's addresses, and those of local networks; by family. */
extern const struct prefix tailnet[FAMILIES];
struct prefix_list {
	const struct prefix *prefixes;
	size_t n;
};
extern const struct prefix_list private_ranges;

/* Kinds of links that tunnels are, whoever makes them. */
#define TUNNEL_KINDS 2
extern const char *const tunnel_kinds[TUNNEL_KINDS];
