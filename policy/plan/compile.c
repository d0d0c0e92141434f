/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What all networks share, and the order of the parts. */
#include "compile.h"

#include <netinet/in.h>
#include <stdio.h>

#include "../base/mem.h"
#include "chain.h"
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

/* Not for the host to forward: see refusals.c. While it has the address, nothing for it is. */
static void drop_strays(struct fw_chain *chain)
{
	struct fw_expr not_known = ct_state(FW_CT_NEW | FW_CT_INVALID | FW_CT_UNTRACKED);

	rule(chain, "once an exit's address", not_known, family(V4), in_set("exit4_strays"),
	     counter("strays"), drop());
	rule(chain, "once an exit's address", not_known, family(V6), in_set("exit6_strays"),
	     counter("strays"), drop());
}

/* A bridge that is up may be given another name, by which the maps do not know it, nor does the
 * fence of IPv6. What comes by the right one is with us no longer: the chain of its network has had
 * the last word. */
static void drop_renamed(struct fw_chain *chain)
{
	rule(chain, "by a bridge with another name", family(V4), in_set("confined4"),
	     counter("renamed"), drop());
	rule(chain, "by a bridge with another name", family(V6), in_set("confined6"),
	     counter("renamed"), drop());
}

/* By the kind of link, for a tunnel may be given another name: see refusals.c. */
static void note_tunnels(struct fw_chain *chain)
{
	for (size_t i = 0; i < TUNNEL_KINDS; i++)
		rule(chain, "begun through a tunnel", ct_state(FW_CT_NEW), iifkind(tunnel_kinds[i]),
		     set_ct_mark(MARK_TUNNEL));
}

static void compile_base_chains(struct plan *plan)
{
	struct fw_chain *chain;

	chain = add_chain(plan, "ways", FW_PREROUTING, false, MARK_PRIORITY);
	rule(chain, "the way of a network", vmap("net_mark"));

	/* The receiver only returns or drops; the sender's chain has the last word. */
	chain = add_chain(plan, "forward", FW_FORWARD, false, FILTER_PRIORITY);
	rule(chain, "what enters a network", vmap("net_to"));
	rule(chain, "what leaves a network", vmap("net_from"));
	drop_renamed(chain);
	drop_strays(chain);

	/* To an error TCP listens when it sends once more, a second later. */
	chain = add_chain(plan, REJECT_CHAIN, FW_NO_HOOK, false, 0);
	rule(chain, "ends a connection", l4proto(IPPROTO_TCP), reset_it());
	rule(chain, "tells the sender", unreachable());

	chain = add_chain(plan, "input", FW_INPUT, false, FILTER_PRIORITY);
	note_tunnels(chain);
	rule(chain, "what a network asks of the host", vmap("net_input"));

	/* What returns here reaches a listening socket on the host and is relayed. */
	chain = add_chain(plan, "nat-prerouting", FW_PREROUTING, true, DNAT_PRIORITY);
	rule(chain, "names", vmap("net_dns"));
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
	rule(chain, "source address by receiver", vmap("net_into"));
	rule(chain, "source address by network", vmap("net_post"));
}

static void add_rule(struct plan *plan, enum family f, struct item_rule rule)
{
	rule.family = f;
	rule.mask = rule.mark ? MARK_MASK : 0;
	plan_add(plan, ITEM_RULE)->rule = rule;
}

/* The order of the priorities is the argument: see names.h. */
static void compile_rules(enum family f, struct plan *plan)
{
	/* clang-format off */
	add_rule(plan, f, (struct item_rule){ .pref = PREF_LOCAL, .table = TABLE_LOCAL });
	add_rule(plan, f, (struct item_rule){ .pref = PREF_RETURN, .mark = MARK_RETURN,
					      .table = TABLE_MAIN });
	add_rule(plan, f, (struct item_rule){ .pref = PREF_LAN, .mark = MARK_LAN,
					      .table = TABLE_MAIN, .no_default = true });
	add_rule(plan, f, (struct item_rule){ .pref = PREF_BYPASS, .mark = MARK_BYPASS,
					      .table = TABLE_MAIN });
	add_rule(plan, f, (struct item_rule){ .pref = PREF_BYPASS_FENCE, .mark = MARK_BYPASS,
					      .action = RULE_UNREACHABLE });
	add_rule(plan, f, (struct item_rule){ .pref = PREF_HOST, .mark = MARK_HOST,
					      .action = RULE_GOTO, .target = PREF_END });
	add_rule(plan, f, (struct item_rule){ .pref = PREF_HOST_OWN, .iif = "lo",
					      .action = RULE_GOTO, .target = PREF_END });
	add_rule(plan, f, (struct item_rule){ .pref = PREF_END, .action = RULE_NOP });
	/* clang-format on */
}

void compile_common(const struct facts *facts, struct plan *plan)
{
	size_t from = plan->n;

	for (enum fw_table table = FW_INET; table < FW_TABLES; table++)
		plan_add(plan, ITEM_FW_TABLE)->table = table;
	for (size_t i = 0; i < fw_sets_n; i++)
		plan_add(plan, ITEM_FW_SET)->set = fw_sets[i];
	compile_base_chains(plan);
	compile_answers(plan);
	compile_guard_base(plan);
	for (size_t i = 0; i < facts->n_neighbours; i++) {
		struct fw_element *e = &plan_add(plan, ITEM_FW_ELEMENT)->element;

		snprintf(e->set, sizeof(e->set), "neighbours");
		snprintf(e->ifname, sizeof(e->ifname), "%s", facts->neighbours[i]);
	}
	declare_counters(plan, from);
	for (enum family f = V4; f < FAMILIES; f++)
		compile_rules(f, plan);
}

static void compile_chains(const struct scope *scope, struct plan *plan)
{
	size_t from = plan->n;

	compile_mark(scope, plan);
	compile_egress(scope, plan);
	compile_ingress(scope, plan);
	compile_hostside(scope, plan);
	compile_translation(scope, plan);
	compile_guard(scope, plan);
	declare_counters(plan, from);
}

void compile_network(const struct member *member, const struct facts *facts, struct plan *plan)
{
	struct scope scope = scope_of_network(member);

	compile_chains(&scope, plan);
	compile_links(member, facts, plan);
}

void compile_endpoint(const struct member *member, const struct facts *facts,
		      const struct endpoint *endpoint, struct plan *plan)
{
	struct scope scope = scope_of_endpoint(member, endpoint);

	/* Not before there is somebody to forward for: dockerd closes FORWARD only if it finds
	 * forwarding off. And no family that nobody has: a host that forwards IPv6 no longer takes
	 * a default route from router advertisements. */
	for (enum family f = V4; f < FAMILIES; f++)
		if (addr_is_set(&endpoint->addr[f].addr))
			plan_add(plan, ITEM_FORWARDING)->forwarding.family = f;
	if (endpoint->exception)
		compile_chains(&scope, plan);
	compile_source(&scope, endpoint, plan);
	compile_port_guard(&scope, endpoint, plan);
	compile_veth(member, facts, endpoint, plan);
	compile_ports(&member->network, endpoint, plan);
}

void compile_member(const struct member *member, const struct facts *facts, struct plan *plan)
{
	compile_network(member, facts, plan);
	for (size_t e = 0; e < member->n; e++)
		compile_endpoint(member, facts, member->endpoints[e], plan);
}

struct paths {
	const struct facts *facts;
	struct plan *plan;
	bool done[PATH_MAX_NUMBER + 1];
};

static bool add_path(const struct egress *egress, void *arg)
{
	struct paths *paths = arg;

	if (egress->path && !paths->done[egress->path])
		compile_path(egress, paths->facts, paths->plan);
	paths->done[egress->path] = true;
	return false;
}

void compile_paths(const struct world *world, struct plan *plan)
{
	struct paths paths = { .facts = &world->facts, .plan = plan };

	world_any_egress(world, add_path, &paths);
}

/* Every endpoint asks for it; the plan says it once. */
static void merge_forwarding(struct plan *plan)
{
	size_t n = 0;

	for (size_t i = 0; i < plan->n; i++) {
		const struct item *item = &plan->items[i];

		if (n && item->kind == ITEM_FORWARDING &&
		    item_compare(&plan->items[n - 1], item) == 0)
			continue;
		plan->items[n++] = *item;
	}
	plan->n = n;
}

void compile_shared(const struct world *world, struct plan *plan)
{
	compile_exits(&world->facts, plan);
	compile_fences(world, plan);
}

void compile_world(const struct world *world, struct plan *plan)
{
	if (world->n == 0)
		return;
	compile_common(&world->facts, plan);
	compile_shared(world, plan);
	compile_paths(world, plan);
	for (size_t i = 0; i < world->n; i++)
		compile_member(world->members[i], &world->facts, plan);
	plan_sort(plan);
	merge_forwarding(plan);
}
