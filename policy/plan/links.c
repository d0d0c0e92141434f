/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bridges, addresses, routes and veth pairs wanted. */
#include "compile.h"

#include <stdio.h>
#include <string.h>

#include "chain.h"
#include "names.h"

#define DEFAULT_MTU 1500
/* Below this, IPv6 would vanish from the bridge. */
#define MTU_MIN 1280

/* As large as the exit carries, so that nothing has to be cut or refused on the way. */
static uint32_t mtu_of(const struct scope *scope, const struct facts *facts)
{
	const struct exit_fact *exit = path_choose(scope->egress, facts);

	if (scope->mtu)
		return scope->mtu;
	if (exit && exit->mtu >= MTU_MIN && exit->mtu < DEFAULT_MTU)
		return exit->mtu;
	return DEFAULT_MTU;
}

/* Follows from the network's id, so that the containers' neighbour entries outlive a reboot. */
static void bridge_mac(const struct network *net, uint8_t mac[6])
{
	uint64_t hash = 0xcbf29ce484222325u;

	for (const char *c = net->id; *c; c++)
		hash = (hash ^ (uint8_t)*c) * 0x100000001b3u;
	memcpy(mac, &hash, 6);
	mac[0] = (mac[0] & 0xfc) | 0x02; /* unicast, locally administered */
}

static void compile_bridge(const struct scope *scope, const struct facts *facts, struct plan *plan)
{
	const struct network *net = scope->net;
	struct item_bridge *bridge = &plan_add(plan, ITEM_BRIDGE)->bridge;

	snprintf(bridge->name, sizeof(bridge->name), "%s", net->bridge);
	snprintf(bridge->alias, sizeof(bridge->alias), LINK_ALIAS "network %s", net->id);
	bridge->mtu = mtu_of(scope, facts);
	bridge_mac(net, bridge->mac);
}

static bool has_bridge_address(const struct network *net, enum family f)
{
	return addr_is_set(&net->gateway[f]) && net->mode[f] != GATEWAY_ISOLATED &&
	       !(f == V4 && net->inhibit_v4);
}

/* T_local leads to every subnet of ours before anybody else's rules are asked: a VPN client that
 * claims all private ranges does not swallow the answers. When the bridge is down or gone the
 * backstop stays, so that nothing for a container is sent out by the uplink instead. */
static void compile_subnet(const struct network *net, enum family f, struct plan *plan)
{
	struct item_route *route;

	if (has_bridge_address(net, f)) {
		struct item_address *address = &plan_add(plan, ITEM_ADDRESS)->address;

		snprintf(address->link, sizeof(address->link), "%s", net->bridge);
		address->addr = net->subnet[f];
		address->addr.addr = net->gateway[f];
	}
	route = &plan_add(plan, ITEM_BACKSTOP)->route;
	route->dst = prefix_network(&net->subnet[f]);
	route->table = TABLE_LOCAL;
	route->metric = METRIC_BACKSTOP;
	if (!has_bridge_address(net, f))
		return;
	route = &plan_add(plan, ITEM_ROUTE)->route;
	route->dst = prefix_network(&net->subnet[f]);
	route->table = TABLE_LOCAL;
	route->metric = METRIC_BRIDGE;
	snprintf(route->oif, sizeof(route->oif), "%s", net->bridge);
}

/* The second key: what of a network that is not open carries no mark goes nowhere. */
static void compile_fence(const struct network *net, enum family f, struct plan *plan)
{
	struct item_rule *rule = &plan_add(plan, ITEM_RULE)->rule;

	rule->family = f;
	rule->pref = PREF_FENCE;
	rule->action = RULE_UNREACHABLE;
	memcpy(rule->iif, net->bridge, sizeof(rule->iif));
}

/* For an escape mark that takes the place of ours. */
static void compile_escape(const struct network *net, enum family f, struct plan *plan)
{
	struct item_rule *rule;

	if (net->egress.policy != POLICY_BYPASS || !(net->egress.mark_mask & MARK_MASK))
		return;
	rule = &plan_add(plan, ITEM_RULE)->rule;
	rule->family = f;
	rule->pref = PREF_BYPASS;
	rule->mark = net->egress.mark;
	rule->mask = net->egress.mark_mask;
	rule->table = TABLE_MAIN;
	memcpy(rule->iif, net->bridge, sizeof(rule->iif));
}

void compile_links(const struct member *member, const struct facts *facts, struct plan *plan)
{
	struct scope scope = scope_of_network(member);

	compile_bridge(&scope, facts, plan);
	for (enum family f = V4; f < FAMILIES; f++) {
		/* Whether or not the network has this family. */
		if (scope_is_fenced(&scope))
			compile_fence(scope.net, f, plan);
		compile_escape(scope.net, f, plan);
		if (prefix_is_set(&scope.net->subnet[f]))
			compile_subnet(scope.net, f, plan);
	}
}

void compile_veth(const struct member *member, const struct facts *facts,
		  const struct endpoint *endpoint, struct plan *plan)
{
	struct scope scope = scope_of_network(member);
	struct item_veth *veth = &plan_add(plan, ITEM_VETH)->veth;
	uint32_t mtu = mtu_of(&scope, facts);

	memcpy(veth->host_if, endpoint->host_if, sizeof(veth->host_if));
	memcpy(veth->container_if, endpoint->container_if, sizeof(veth->container_if));
	memcpy(veth->bridge, member->network.bridge, sizeof(veth->bridge));
	snprintf(veth->alias, sizeof(veth->alias), LINK_ALIAS "endpoint %s", endpoint->id);
	memcpy(veth->container_mac, endpoint->mac, sizeof(veth->container_mac));
	/* The container keeps what it started with, and the exit may become narrower: a port that
	 * is narrower than what it gets loses that without a word, where the host would say "too
	 * big". And a port that is narrower than its bridge would make the kernel narrow that, for
	 * all. */
	veth->mtu = mtu > DEFAULT_MTU ? mtu : DEFAULT_MTU;
	if (endpoint->exception && endpoint->exception->mtu && endpoint->exception->mtu < mtu)
		mtu = endpoint->exception->mtu;
	if (mtu < veth->mtu)
		veth->container_mtu = mtu;
	veth->isolated = !member->network.icc;
}
