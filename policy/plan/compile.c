/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What all networks share, and the order of the parts. */
#include "compile.h"

#include <stdio.h>

#include "../base/mem.h"
#include "fw_expr.h"
#include "names.h"

static struct fw_chain *add_chain(struct plan *plan, const char *name, enum fw_hook hook, bool nat,
				  int priority)
{
	struct fw_chain *chain = &plan_add(plan, ITEM_FW_CHAIN)->chain;

	snprintf(chain->name, sizeof(chain->name), "%s", name);
	chain->hook = hook;
	chain->nat = nat;
	chain->priority = priority;
	return chain;
}

static struct prefix prefix_of(const char *text)
{
	struct prefix prefix = { 0 };

	(void)prefix_parse(&prefix, text); /* only constants come here */
	return prefix;
}

/* One lookup per family and kind of binding, however many ports are published. */
static void translate_published(struct fw_chain *chain)
{
	rule(chain, "published on one address", family(V4), to_host(), dnat_map("dnat4"));
	rule(chain, "published on every address", family(V4), to_host(), dnat_map("dnat4_any"));
	rule(chain, "published on one address", family(V6), to_host(), dnat_map("dnat6"));
	rule(chain, "published on every address", family(V6), to_host(), dnat_map("dnat6_any"));
}

static void compile_base_chains(struct plan *plan)
{
	struct fw_chain *chain;

	chain = add_chain(plan, "forward", FW_FORWARD, false, FORWARD_PRIORITY);
	rule(chain, "what leaves a network", vmap("net_from"));
	rule(chain, "what enters a network", vmap("net_to"));

	/* What returns here reaches a listening socket on the host and is relayed. */
	chain = add_chain(plan, "nat-prerouting", FW_PREROUTING, true, DNAT_PRIORITY);
	rule(chain, "own published ports are relayed", family(V4), in_set("own4"), return_());
	rule(chain, "own published ports are relayed", family(V4), in_set("own4_any"), return_());
	rule(chain, "own published ports are relayed", family(V6), in_set("own6"), return_());
	rule(chain, "own published ports are relayed", family(V6), in_set("own6_any"), return_());
	rule(chain, "link-local clients are relayed", saddr(prefix_of("fe80::/10")), return_());
	translate_published(chain);

	chain = add_chain(plan, "nat-output", FW_OUTPUT, true, DNAT_PRIORITY);
	rule(chain, "loopback is relayed", daddr(prefix_of("127.0.0.0/8")), return_());
	rule(chain, "loopback is relayed", daddr(prefix_of("::1/128")), return_());
	translate_published(chain);

	chain = add_chain(plan, "nat-postrouting", FW_POSTROUTING, true, SNAT_PRIORITY);
	rule(chain, "source address by network", vmap("net_post"));
}

void compile_common(const struct facts *facts, struct plan *plan)
{
	plan_add(plan, ITEM_FW_TABLE);
	for (size_t i = 0; i < fw_sets_n; i++)
		plan_add(plan, ITEM_FW_SET)->set = fw_sets[i];
	compile_base_chains(plan);
	for (size_t i = 0; i < facts->n_neighbours; i++) {
		struct fw_element *e = &plan_add(plan, ITEM_FW_ELEMENT)->element;

		snprintf(e->set, sizeof(e->set), "neighbours");
		snprintf(e->ifname, sizeof(e->ifname), "%s", facts->neighbours[i]);
	}
	for (enum family f = V4; f < FAMILIES; f++) {
		plan_add(plan, ITEM_FORWARDING)->forwarding.family = f;
		plan_add(plan, ITEM_RULE)->rule = (struct item_rule){
			.family = f,
			.pref = PREF_LOCAL,
			.table = TABLE_LOCAL,
		};
	}
}

void compile_network(const struct network *network, struct plan *plan)
{
	compile_filter(network, plan);
	compile_links(network, plan);
}

void compile_endpoint(const struct network *network, const struct endpoint *endpoint,
		      struct plan *plan)
{
	compile_veth(network, endpoint, plan);
	compile_ports(network, endpoint, plan);
}

void compile_world(const struct world *world, struct plan *plan)
{
	if (world->n == 0)
		return;
	compile_common(&world->facts, plan);
	for (size_t i = 0; i < world->n; i++) {
		const struct member *member = world->members[i];

		compile_network(&member->network, plan);
		for (size_t e = 0; e < member->n; e++)
			compile_endpoint(&member->network, member->endpoints[e], plan);
	}
	plan_sort(plan);
}
