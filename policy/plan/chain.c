/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See chain.h. */
#include "chain.h"

#include <stdio.h>

#include "../base/mem.h"
#include "fw_expr.h"

const struct prefix tailnet[FAMILIES] = {
	[V4] = { { AF_INET, { 100, 64 } }, 10 },
	[V6] = { { AF_INET6, { 0xfd, 0x7a, 0x11, 0x5c, 0xa1, 0xe0 } }, 48 },
};

static const struct prefix private_prefixes[] = {
	{ { AF_INET, { 10 } }, 8 },
	{ { AF_INET, { 172, 16 } }, 12 },
	{ { AF_INET, { 192, 168 } }, 16 },
	{ { AF_INET6, { 0xfc } }, 7 },
};

const struct prefix_list private_ranges = { private_prefixes, ARRAY_SIZE(private_prefixes) };

const char *const tunnel_kinds[TUNNEL_KINDS] = { "tun", "wireguard" };

struct fw_chain *chain_of_network(struct plan *plan, const char *direction, const char *map,
				  const struct network *network)
{
	struct fw_element *e = &plan_add(plan, ITEM_FW_ELEMENT)->element;
	struct fw_chain *chain;

	snprintf(e->set, sizeof(e->set), "%s", map);
	snprintf(e->ifname, sizeof(e->ifname), "%s", network->bridge);
	snprintf(e->jump, sizeof(e->jump), "%s-%s", direction, network->bridge);
	chain = &plan_add(plan, ITEM_FW_CHAIN)->chain;
	snprintf(chain->name, sizeof(chain->name), "%s-%s", direction, network->bridge);
	return chain;
}

struct fw_expr lost(const struct network *network, const char *reason)
{
	char name[FW_NAME_SIZE];

	snprintf(name, sizeof(name), "%s-%s", network->bridge, reason);
	return counter(name);
}

static bool declared(const struct plan *plan, size_t from, const char *name)
{
	for (size_t i = from; i < plan->n; i++)
		if (plan->items[i].kind == ITEM_FW_COUNTER &&
		    streq(plan->items[i].counter.name, name))
			return true;
	return false;
}

static void declare(struct plan *plan, size_t from, const char *name)
{
	struct fw_counter counter = { 0 };

	if (declared(plan, from, name))
		return;
	/* A copy: adding an item may move the one that the name is in. */
	snprintf(counter.name, sizeof(counter.name), "%s", name);
	plan_add(plan, ITEM_FW_COUNTER)->counter = counter;
}

void declare_counters(struct plan *plan, size_t from)
{
	size_t n = plan->n;

	for (size_t i = from; i < n; i++) {
		if (plan->items[i].kind != ITEM_FW_CHAIN)
			continue;
		for (size_t r = 0; r < plan->items[i].chain.n; r++) {
			/* owned by the chain: stays where it is when the items move */
			const struct fw_rule *rule = &plan->items[i].chain.rules[r];

			for (size_t e = 0; e < rule->n; e++)
				if (rule->exprs[e].kind == FW_COUNTER)
					declare(plan, from, rule->exprs[e].name);
		}
	}
}
