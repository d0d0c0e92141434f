/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whose packets a chain is about, what the chain is called and how it is reached, and the address
 * ranges that chains talk about. */
#pragma once

#include "../model/world.h"
#include "plan.h"

/* The containers of a network, or one of them that differs from the others: it has chains of its
 * own, each in the place of the network's. */
struct scope {
	const struct network *net;
	const struct endpoint *endpoint; /* NULL: all that do not differ */
	const struct egress *egress;
	bool v6_off;
	bool icc;
	uint32_t mtu;
	bool differences; /* of a network: some endpoints differ */
};

struct scope scope_of_network(const struct member *member);
/* Of an endpoint that does not differ, the network's words: for what every endpoint has. */
struct scope scope_of_endpoint(const struct member *member, const struct endpoint *endpoint);

/* The chain of this scope for a direction: mark, from, to, input, dns or post. Fill it before
 * anything else is added to plan. A network's hands over to those of its endpoints that differ. */
struct fw_chain *chain_of(struct plan *plan, const char *direction, const struct scope *scope);
/* Must the scope have a chain, even if there is nothing to say? */
static inline bool scope_needs_chain(const struct scope *scope)
{
	return scope->endpoint || scope->differences;
}

/* A network that is open is a plain bridge, until a container in it is confined: the others carry a
 * mark that leads past the fence then. */
static inline bool scope_is_fenced(const struct scope *scope)
{
	return scope->egress->policy != POLICY_OPEN || scope->differences;
}

/* Whose chain: the end of its name, and the beginning of its counters'. */
void scope_name(const struct scope *scope, char name[IFNAMSIZ]);
/* The counter for packets this scope loses for this reason. */
struct fw_expr lost(const struct scope *scope, const char *reason);
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
