/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See inspect.h. */
#include "inspect.h"

#include "base/mem.h"
#include "engine.h"
#include "kernel/address.h"
#include "kernel/link.h"
#include "plan/compile.h"
#include "plan/names.h"

static const struct member *find_bridge(const struct policy *policy, const char *link)
{
	for (size_t m = 0; m < policy->world.n; m++)
		if (streq(policy->world.members[m]->network.bridge, link))
			return policy->world.members[m];
	return NULL;
}

static const struct member *find_port(const struct policy *policy, const char *link,
				      const struct endpoint **ret_endpoint)
{
	for (size_t m = 0; m < policy->world.n; m++) {
		const struct member *member = policy->world.members[m];

		for (size_t e = 0; e < member->n; e++) {
			if (!streq(member->endpoints[e]->host_if, link))
				continue;
			*ret_endpoint = member->endpoints[e];
			return member;
		}
	}
	return NULL;
}

bool is_own_bridge(const struct policy *policy, const char *link)
{
	return find_bridge(policy, link) != NULL || streq(link, FENCE_BRIDGE);
}

bool is_own_link(const struct policy *policy, const char *link)
{
	const struct endpoint *ignored;

	return is_own_bridge(policy, link) || find_port(policy, link, &ignored);
}

static bool is_of_link(const struct item *item)
{
	return item->kind == ITEM_BRIDGE || item->kind == ITEM_ADDRESS || item->kind == ITEM_VETH;
}

static void compile_link(const struct policy *policy, const char *link, struct plan *plan)
{
	const struct facts *facts = &policy->world.facts;
	const struct member *member = find_bridge(policy, link);
	const struct endpoint *endpoint;
	size_t n = 0;

	if (member)
		compile_links(member, facts, plan);
	else if ((member = find_port(policy, link, &endpoint)))
		compile_veth(member, facts, endpoint, plan);
	else if (streq(link, FENCE_BRIDGE))
		compile_fences(&policy->world, plan);
	for (size_t i = 0; i < plan->n; i++)
		if (is_of_link(&plan->items[i]))
			plan->items[n++] = plan->items[i];
	plan->n = n;
	plan_sort(plan);
}

bool link_is_as_planned(struct policy *policy, const char *link)
{
	AUTO(plan) struct plan wanted = { 0 };
	AUTO(plan) struct plan seen = { 0 };
	AUTO(ops) struct ops ops = { 0 };
	struct err ignored = { 0 };

	compile_link(policy, link, &wanted);
	if (link_observe(&policy->nl, link, &seen, &ignored) < 0 ||
	    address_observe(&policy->nl, link, &seen, &ignored) < 0)
		return false;
	plan_sort(&seen);
	diff_compute(&seen, &wanted, &ops);
	return ops.n == 0;
}
