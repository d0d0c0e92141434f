/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kernel and time tell us, turned into edits of the world: containers that ended unheard,
 * other people's bridges that come and go, rules that others changed. */
#include "base/log.h"
#include "base/mem.h"
#include "engine.h"
#include "kernel/link.h"
#include "plan/compile.h"

/* What an earlier client left half-made has had its chance by then. */
#define SWEEP_DELAY_MS 10000

static struct endpoint *find_by_link(const struct policy *policy, const char *host_if,
				     struct member **ret_member)
{
	for (size_t m = 0; m < policy->world.n; m++) {
		struct member *member = policy->world.members[m];

		for (size_t e = 0; e < member->n; e++) {
			if (!streq(member->endpoints[e]->host_if, host_if))
				continue;
			*ret_member = member;
			return member->endpoints[e];
		}
	}
	return NULL;
}

static void discard(struct policy *policy, struct member *member, const struct endpoint *endpoint,
		    const char *why)
{
	struct err err = { 0 };

	log_info("network %.12s: endpoint %.12s removed: %s", member->network.id, endpoint->id, why);
	if (endpoint_discard(policy, member, endpoint->id, &err) < 0)
		log_warn("network %.12s: %s", member->network.id, err.text);
}

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

static void ask_for_names(const struct policy *policy)
{
	if (policy->config.bridge_unknown)
		policy->config.bridge_unknown(policy->config.arg);
}

static void on_bridge(struct policy *policy, const char *bridge)
{
	if (is_own(policy, bridge))
		change_neighbour(policy, bridge, facts_remove_neighbour);
	else if (is_named(policy, bridge) || is_recognised(policy, bridge))
		change_neighbour(policy, bridge, facts_add_neighbour);
	else
		ask_for_names(policy);
}

/* One whose network is still known keeps its place: it may come back any time. */
static void on_bridge_gone(struct policy *policy, const char *bridge)
{
	if (is_named(policy, bridge))
		ask_for_names(policy);
	else
		change_neighbour(policy, bridge, facts_remove_neighbour);
}

static void read_neighbours(struct policy *policy)
{
	AUTO(link_list) struct link_list bridges = { 0 };
	struct err err = { 0 };

	if (link_list_read(&policy->nl, "bridge", &bridges, &err) < 0) {
		log_warn("read the host's bridges: %s", err.text);
		return;
	}
	for (size_t i = 0; i < bridges.n; i++)
		on_bridge(policy, bridges.links[i].name);
}

/* Notifications were lost: look at what they would have told. */
static void look_again(struct policy *policy)
{
	read_neighbours(policy);
	exits_changed_all(policy);
	for (size_t m = 0; m < policy->world.n; m++) {
		struct member *member = policy->world.members[m];

		for (size_t e = member->n; e > 0; e--)
			if (!link_exists(&policy->nl, member->endpoints[e - 1]->host_if))
				discard(policy, member, member->endpoints[e - 1],
					"its link is gone");
	}
}

static void on_link(void *arg, enum link_event event, const char *name, const char *kind)
{
	struct policy *policy = arg;
	struct endpoint *endpoint;
	struct member *member;

	switch (event) {
	case LINK_CHANGED:
		exits_changed(policy, name);
		if (kind && streq(kind, "bridge"))
			on_bridge(policy, name);
		break;
	case LINK_GONE:
		exits_changed(policy, name);
		on_bridge_gone(policy, name);
		endpoint = find_by_link(policy, name, &member);
		/* The news may be older than a link made since under the same name. */
		if (endpoint && !link_exists(&policy->nl, name))
			discard(policy, member, endpoint, "its container is gone");
		break;
	case LINK_LOST_TRACK:
		look_again(policy);
		break;
	}
}

static void on_nft_change(void *arg)
{
	hostpath_update(arg);
}

/* An endpoint made for an earlier client process, whose other end nobody took or somebody gave back,
 * is nobody's. */
static void on_sweep(void *arg)
{
	struct policy *policy = arg;

	for (size_t m = 0; m < policy->world.n; m++) {
		struct member *member = policy->world.members[m];

		for (size_t e = member->n; e > 0; e--) {
			const struct endpoint *endpoint = member->endpoints[e - 1];

			if (endpoint->era < policy->era &&
			    link_exists(&policy->nl, endpoint->container_if))
				discard(policy, member, endpoint, "no container took it");
		}
	}
}

void events_begin_era(struct policy *policy)
{
	policy->era++;
	loop_timer_arm(policy->sweep, SWEEP_DELAY_MS);
}

void policy_client_started(struct policy *policy)
{
	events_begin_era(policy);
	hostpath_update(policy);
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
	if (store_save_neighbours(&policy->store, policy->named.neighbours,
				  policy->named.n_neighbours, &err) < 0)
		log_warn("%s", err.text);
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

static void remember_named(void *arg, const char *bridge)
{
	struct policy *policy = arg;

	facts_add_neighbour(&policy->named, bridge);
	facts_add_neighbour(&policy->world.facts, bridge);
}

int events_start(struct policy *policy, struct err *err)
{
	uint32_t own_port = mnl_socket_get_portid(nl_netfilter(&policy->nl));

	store_load_neighbours(&policy->store, remember_named, policy);
	policy->sweep = loop_timer_new(policy->loop, on_sweep, policy);
	policy->link_watch = link_watch_new(policy->loop, on_link, policy, err);
	if (!policy->link_watch)
		return err->code;
	policy->nft_watch = nft_watch_new(policy->loop, own_port, on_nft_change, policy, err);
	if (!policy->nft_watch)
		return err->code;
	read_neighbours(policy);
	return 0;
}

void events_stop(struct policy *policy)
{
	nft_watch_free(policy->nft_watch);
	link_watch_free(policy->link_watch);
	loop_timer_free(policy->sweep);
	free(policy->named.neighbours);
}
