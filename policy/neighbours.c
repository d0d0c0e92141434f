/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bridges of container networks that are not ours, from which ours are kept apart: recognised by
 * their names, or told of by policy_set_neighbours(). */
#include "base/log.h"
#include "base/mem.h"
#include "engine.h"
#include "kernel/link.h"
#include "plan/compile.h"
#include "plan/diff.h"

/* Edits the facts and everything that follows from them. */
static void change_neighbour(struct policy *policy, const char *bridge,
			     bool (*edit)(struct facts *facts, const char *bridge))
{
	AUTO(plan) struct plan before = { 0 };
	AUTO(plan) struct plan after = { 0 };
	struct err err = { 0 };

	compile_common(&policy->world.facts, &before);
	if (!edit(&policy->world.facts, bridge) || policy->world.n == 0)
		return;
	compile_common(&policy->world.facts, &after);
	if (engine_transition(policy, &before, &after, &err) < 0)
		log_warn("keep bridge %s apart: %s", bridge, err.text);
}

static bool is_own(const struct policy *policy, const char *bridge)
{
	for (size_t i = 0; i < policy->world.n; i++)
		if (streq(policy->world.members[i]->network.bridge, bridge))
			return true;
	return false;
}

static bool is_named(const struct policy *policy, const char *bridge)
{
	for (size_t i = 0; i < policy->named.n_neighbours; i++)
		if (streq(policy->named.neighbours[i], bridge))
			return true;
	return false;
}

static bool is_recognised(const struct policy *policy, const char *bridge)
{
	return policy->config.is_neighbour && policy->config.is_neighbour(bridge);
}

void neighbours_bridge_seen(struct policy *policy, const char *bridge)
{
	if (is_own(policy, bridge))
		change_neighbour(policy, bridge, facts_remove_neighbour);
	else if (is_named(policy, bridge) || is_recognised(policy, bridge))
		change_neighbour(policy, bridge, facts_add_neighbour);
	else
		engine_ask(policy);
}

/* One whose network is still known keeps its place: it may come back any time. */
void neighbours_bridge_gone(struct policy *policy, const char *bridge)
{
	if (is_named(policy, bridge))
		engine_ask(policy);
	else
		change_neighbour(policy, bridge, facts_remove_neighbour);
}

void neighbours_read(struct policy *policy)
{
	AUTO(link_list) struct link_list bridges = { 0 };
	struct err err = { 0 };

	if (link_list_read(&policy->nl, "bridge", &bridges, &err) < 0) {
		log_warn("read the host's bridges: %s", err.text);
		return;
	}
	for (size_t i = 0; i < bridges.n; i++)
		neighbours_bridge_seen(policy, bridges.links[i].name);
}

static bool same_names(const struct facts *a, const struct facts *b)
{
	return a->n_neighbours == b->n_neighbours &&
	       (a->n_neighbours == 0 ||
		memcmp(a->neighbours, b->neighbours, a->n_neighbours * IFNAMSIZ) == 0);
}

/* From the names before to those now. */
static void edit_facts(struct policy *policy, const struct facts *before)
{
	struct facts *facts = &policy->world.facts;
	const struct facts *now = &policy->named;

	for (size_t i = 0; i < now->n_neighbours; i++)
		if (!is_own(policy, now->neighbours[i]))
			facts_add_neighbour(facts, now->neighbours[i]);
	for (size_t i = 0; i < before->n_neighbours; i++) {
		const char *bridge = before->neighbours[i];

		if (!is_named(policy, bridge) &&
		    !(is_recognised(policy, bridge) && link_exists(&policy->nl, bridge)))
			facts_remove_neighbour(facts, bridge);
	}
}

/* Without a network there is nothing to keep apart, and nothing of ours is to be left. */
void neighbours_save(struct policy *policy)
{
	struct err err = { 0 };
	size_t n = policy->world.n ? policy->named.n_neighbours : 0;

	if (store_save_neighbours(&policy->store, policy->named.neighbours, n, &err) < 0)
		log_warn("%s", err.text);
}

static void change_names(struct policy *policy, const struct facts *before_names)
{
	AUTO(plan) struct plan before = { 0 };
	AUTO(plan) struct plan after = { 0 };
	struct err err = { 0 };

	compile_common(&policy->world.facts, &before);
	edit_facts(policy, before_names);
	compile_common(&policy->world.facts, &after);
	if (policy->world.n && engine_transition(policy, &before, &after, &err) < 0)
		log_warn("keep other bridges apart: %s", err.text);
	neighbours_save(policy);
}

void policy_set_neighbours(struct policy *policy, const char *const *bridges, size_t n)
{
	struct facts before = policy->named;

	policy->named = (struct facts){ 0 };
	for (size_t i = 0; i < n; i++)
		facts_add_neighbour(&policy->named, bridges[i]);
	if (!same_names(&before, &policy->named))
		change_names(policy, &before);
	free(before.neighbours);
}

static void remember(void *arg, const char *bridge)
{
	struct policy *policy = arg;

	facts_add_neighbour(&policy->named, bridge);
	facts_add_neighbour(&policy->world.facts, bridge);
}

void neighbours_remember(struct policy *policy)
{
	store_load_neighbours(&policy->store, remember, policy);
}

void neighbours_forget(struct policy *policy)
{
	free(policy->named.neighbours);
}
