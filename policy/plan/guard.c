/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who is who: what enters a bridge by the port of a container carries that container's addresses.
 * The policies of a network do not depend on it, those of a container that differs from its network
 * do, and so does the peace among neighbours. */
#include "compile.h"

#include <linux/if_ether.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <stdio.h>

#include "chain.h"
#include "fw_expr.h"
#include "names.h"

static const struct prefix link_local = { { AF_INET6, { 0xfe, 0x80 } }, 10 };
/* What asks whether an address is taken has none yet. */
static const struct prefix unspecified6 = { { AF_INET6, { 0 } }, 128 };
static const struct addr unspecified4 = { AF_INET, { 0 } };

static struct fw_chain *add_chain(struct plan *plan, const char *name, enum fw_hook hook)
{
	struct fw_chain *chain = &plan_add(plan, ITEM_FW_CHAIN)->chain;

	snprintf(chain->name, sizeof(chain->name), "%s", name);
	chain->table = FW_BRIDGE;
	chain->hook = hook;
	chain->priority = hook ? GUARD_PRIORITY : 0;
	return chain;
}

static struct fw_element *add_port(struct plan *plan, const char *set,
				   const struct endpoint *endpoint)
{
	struct fw_element *e = &plan_add(plan, ITEM_FW_ELEMENT)->element;

	snprintf(e->set, sizeof(e->set), "%s", set);
	snprintf(e->ifname, sizeof(e->ifname), "%s", endpoint->host_if);
	return e;
}

static struct fw_chain *add_chain_of(struct plan *plan, const char *what, const struct scope *scope)
{
	char whose[IFNAMSIZ], name[FW_NAME_SIZE];

	scope_name(scope, whose);
	snprintf(name, sizeof(name), "%s-%s", what, whose);
	return add_chain(plan, name, FW_NO_HOOK);
}

static void add_jump(struct plan *plan, const char *set, const struct endpoint *endpoint,
		     const char *what, const struct scope *scope)
{
	struct fw_element *e = add_port(plan, set, endpoint);
	char whose[IFNAMSIZ];

	scope_name(scope, whose);
	snprintf(e->jump, sizeof(e->jump), "%s-%s", what, whose);
}

void compile_guard_base(struct plan *plan)
{
	struct fw_chain *chain;

	chain = add_chain(plan, "enter", FW_PREROUTING);
	rule(chain, "from its own addresses", vmap("guard"));
	chain = add_chain(plan, "pass", FW_FORWARD);
	rule(chain, "from who talks to nobody", vmap("alone_from"));
	rule(chain, "to who talks to nobody", vmap("alone_to"));
}

static void refuse_nd(const struct scope *scope, uint8_t type, struct fw_chain *guard)
{
	rule(guard, "no router", l4proto(IPPROTO_ICMPV6), icmp_type(V6, type),
	     lost(scope, "forged"), drop());
}

/* Neighbours believe who says that he is the way out, and he may be on another network as well. */
static void refuse_routers(const struct scope *scope, struct fw_chain *guard)
{
	const struct network *net = scope->net;
	const struct addr *gateway = addr_is_set(&net->next_hop[V6]) ? &net->next_hop[V6]
								     : &net->gateway[V6];

	refuse_nd(scope, ND_ROUTER_ADVERT, guard);
	refuse_nd(scope, ND_REDIRECT, guard);
	if (addr_is_set(gateway))
		rule(guard, "not the gateway", l4proto(IPPROTO_ICMPV6),
		     icmp_type(V6, ND_NEIGHBOR_ADVERT), nd_target(*gateway), lost(scope, "forged"),
		     drop());
}

static void compile_addresses(const struct scope *scope, struct plan *plan)
{
	struct fw_chain *guard = add_chain_of(plan, "guard", scope);

	rule(guard, "its address", protocol(ETH_P_IP), in_set("port4"), return_());
	rule(guard, "its address", protocol(ETH_P_ARP), in_set("port_arp"), return_());
	rule(guard, "is it taken?", protocol(ETH_P_ARP), arp_saddr(unspecified4), return_());
	refuse_routers(scope, guard);
	rule(guard, "its address", protocol(ETH_P_IPV6), in_set("port6"), return_());
	rule(guard, "is it taken?", saddr(unspecified6), l4proto(IPPROTO_ICMPV6), return_());
	/* Nothing in the host tells whose such an address is: of a container that differs it is
	 * good for finding neighbours only. */
	if (scope->endpoint)
		rule(guard, "finds neighbours", saddr(link_local), l4proto(IPPROTO_ICMPV6),
		     return_());
	else
		rule(guard, "on this link only", saddr(link_local), return_());
	rule(guard, "forged source", lost(scope, "forged"), drop());
}

void compile_guard(const struct scope *scope, struct plan *plan)
{
	struct fw_chain *alone;

	if (scope_is_fenced(scope))
		compile_addresses(scope, plan);
	/* Of a whole network, the ports are isolated from each other: see links.c. */
	if (!scope->endpoint || scope->icc)
		return;
	alone = add_chain_of(plan, "alone", scope);
	rule(alone, "not between containers", lost(scope, "icc"), drop());
}

/* The router of the others sends for all the world. */
static bool is_router(const struct network *net, const struct endpoint *endpoint)
{
	for (enum family f = V4; f < FAMILIES; f++)
		if (addr_is_set(&net->next_hop[f]) &&
		    addr_equal(&net->next_hop[f], &endpoint->addr[f].addr))
			return true;
	return false;
}

void compile_port_guard(const struct scope *scope, const struct endpoint *endpoint,
			struct plan *plan)
{
	const struct addr *addr = &endpoint->addr[V4].addr;

	if (scope->endpoint && !scope->icc) {
		add_jump(plan, "alone_from", endpoint, "alone", scope);
		add_jump(plan, "alone_to", endpoint, "alone", scope);
	}
	if (!scope_is_fenced(scope) || is_router(scope->net, endpoint))
		return;
	add_jump(plan, "guard", endpoint, "guard", scope);
	if (addr_is_set(addr)) {
		add_port(plan, "port4", endpoint)->addr = *addr;
		add_port(plan, "port_arp", endpoint)->addr = *addr;
	}
	addr = &endpoint->addr[V6].addr;
	if (addr_is_set(addr))
		add_port(plan, "port6", endpoint)->addr = *addr;
}
