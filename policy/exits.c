/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Exits: interfaces that networks leave by. They come and go; what is known of them are facts, and
 * a change of facts changes the paths of all networks that name them. */
#include <errno.h>
#include <stdio.h>
#include <time.h>

#include "base/log.h"
#include "base/mem.h"
#include "engine.h"
#include "kernel/address.h"
#include "kernel/link.h"
#include "plan/compile.h"
#include "plan/names.h"

static bool names(const struct egress *egress, const char *exit)
{
	for (size_t i = 0; i < egress->via.n; i++)
		if (streq(egress->via.names[i], exit))
			return true;
	return false;
}

static bool names_exit(const struct egress *egress, void *exit)
{
	return names(egress, exit);
}

static int read_addresses(struct policy *policy, int link, struct exit_fact *exit, struct err *err)
{
	AUTO(addr_list) struct addr_list list = { 0 };
	int r = addr_list_read_link(&policy->nl, link, &list, err);

	for (size_t i = 0; r == 0 && i < list.n; i++) {
		exit->usable[addr_family(&list.addrs[i])] = true;
		if (exit->n_addrs < EXIT_ADDRS_MAX)
			exit->addrs[exit->n_addrs++] = list.addrs[i];
	}
	return r;
}

static int read_exit(struct policy *policy, const char *name, struct exit_fact *ret_exit,
		     struct err *err)
{
	struct exit_fact exit = { .since = time(NULL) };
	struct link_info link;
	int r = link_info(&policy->nl, name, &link, err);

	snprintf(exit.name, sizeof(exit.name), "%s", name);
	if (r == 0 && link.up) {
		exit.mtu = link.mtu;
		r = read_addresses(policy, link.index, &exit, err);
	}
	if (r < 0 && r != -ENODEV)
		return r;
	*ret_exit = exit;
	return 0;
}

static bool any_names(const struct member *member, const char *exit)
{
	bool found = names(&member->network.egress, exit);

	for (size_t e = 0; !found && member->n_exceptions && e < member->n; e++)
		found = names(endpoint_egress(member, member->endpoints[e]), exit);
	return found;
}

/* The pieces that depend on an exit. */
struct dependents {
	const struct facts *facts;
	const char *exit;
	struct plan *plan;
	bool done[PATH_MAX_NUMBER + 1];
};

static bool compile_path_once(const struct egress *egress, void *arg)
{
	struct dependents *dependents = arg;

	if (!names(egress, dependents->exit) || dependents->done[egress->path])
		return false;
	compile_path(egress, dependents->facts, dependents->plan);
	dependents->done[egress->path] = true;
	return false;
}

/* Its paths, and the links whose MTU follows it. */
static void compile_dependents(const struct policy *policy, const char *exit, struct plan *plan)
{
	const struct facts *facts = &policy->world.facts;
	struct dependents dependents = { facts, exit, plan };

	world_any_egress(&policy->world, compile_path_once, &dependents);
	compile_exits(facts, plan);
	for (size_t m = 0; m < policy->world.n; m++) {
		const struct member *member = policy->world.members[m];

		if (!any_names(member, exit))
			continue;
		compile_links(member, facts, plan);
		for (size_t e = 0; e < member->n; e++)
			compile_veth(member, facts, member->endpoints[e], plan);
	}
}

static bool leaves_by(const struct egress *egress, const void *exit)
{
	return names(egress, exit);
}

/* The kernel takes routes along when a link goes, even if it is back before we hear of it: what is
 * thought to be there is put there again, which is nothing if it is. */
static int assert_routes(struct policy *policy, const struct plan *wanted, struct err *err)
{
	AUTO(plan) struct plan nothing = { 0 };
	AUTO(plan) struct plan routes = { 0 };

	for (size_t i = 0; i < wanted->n; i++)
		if (wanted->items[i].kind == ITEM_ROUTE)
			plan_add(&routes, ITEM_ROUTE)->route = wanted->items[i].route;
	return engine_transition(policy, &nothing, &routes, err);
}

static void log_state(const char *name, const struct exit_fact *exit)
{
	log_info("exit %s: %s", name,
		 exit->usable[V4] && exit->usable[V6] ? "usable"
		 : exit->usable[V4]                   ? "usable for IPv4 only"
		 : exit->usable[V6]                   ? "usable for IPv6 only"
				    : "not usable; networks that have no other are "
				      "closed");
}

void exits_changed(struct policy *policy, const char *name)
{
	AUTO(plan) struct plan before = { 0 };
	AUTO(plan) struct plan after = { 0 };
	struct exit_fact exit;
	struct err err = { 0 };
	bool news;
	int r;

	if (!facts_exit(&policy->world.facts, name))
		return;
	r = read_exit(policy, name, &exit, &err);
	if (r == 0) {
		compile_dependents(policy, name, &before);
		news = facts_set_exit(&policy->world.facts, &exit);
		compile_dependents(policy, name, &after);
		if (news) {
			connections_forget(policy, leaves_by, name);
			log_state(name, &exit);
		}
		r = engine_transition(policy, &before, &after, &err);
	}
	if (r == 0)
		r = assert_routes(policy, &after, &err);
	if (r < 0)
		log_warn("exit %s: %s; its networks stay closed", name, err.text);
}

void exits_changed_all(struct policy *policy)
{
	for (size_t i = policy->world.facts.n_exits; i > 0; i--)
		exits_changed(policy, policy->world.facts.exits[i - 1].name);
}

int exits_learn(struct policy *policy, const struct egress *egress, struct err *err)
{
	for (size_t i = 0; i < egress->via.n; i++) {
		struct exit_fact exit;
		int r;

		if (facts_exit(&policy->world.facts, egress->via.names[i]))
			continue;
		r = read_exit(policy, egress->via.names[i], &exit, err);
		if (r < 0)
			return r;
		facts_set_exit(&policy->world.facts, &exit);
		log_state(exit.name, &exit);
	}
	return 0;
}

void exits_forget(struct policy *policy, const struct egress *egress)
{
	for (size_t i = 0; i < egress->via.n; i++) {
		char name[IFNAMSIZ];

		memcpy(name, egress->via.names[i], sizeof(name));
		if (!world_any_egress(&policy->world, names_exit, name))
			facts_forget_exit(&policy->world.facts, name);
	}
}

struct search {
	const struct egress *egress;
	uint8_t path;
	bool taken[PATH_MAX_NUMBER + 1];
};

static bool same_exits(const struct egress *other, void *arg)
{
	struct search *search = arg;

	search->taken[other->path] = true;
	if (!other->path || !exits_equal(&other->via, &search->egress->via))
		return false;
	search->path = other->path;
	return true;
}

/* The path of those with the same exits, or a free one. */
int exits_assign_path(const struct policy *policy, struct egress *egress, struct err *err)
{
	struct search search = { .egress = egress };

	egress->path = 0;
	if (egress->policy != POLICY_KILLSWITCH)
		return 0;
	if (world_any_egress(&policy->world, same_exits, &search)) {
		egress->path = search.path;
		return 0;
	}
	for (unsigned path = 1; path <= PATH_MAX_NUMBER; path++) {
		if (search.taken[path])
			continue;
		egress->path = (uint8_t)path;
		return 0;
	}
	return err_set(err, -ENOSPC, "more than %d different lists of exits in use",
		       PATH_MAX_NUMBER);
}

struct users {
	uint8_t path;
	size_t n;
};

static bool count_user(const struct egress *egress, void *arg)
{
	struct users *users = arg;

	users->n += egress->path == users->path;
	return false;
}

void exits_compile_path(const struct policy *policy, const struct egress *egress, bool in_world,
			struct plan *plan)
{
	struct users users = { .path = egress->path };

	if (!egress->path)
		return;
	world_any_egress(&policy->world, count_user, &users);
	if (users.n == (in_world ? 1 : 0))
		compile_path(egress, &policy->world.facts, plan);
}

/* An interface of our own leads nowhere. */
int exits_check(const struct policy *policy, const struct egress *egress, const char *bridge,
		struct err *err)
{
	for (size_t i = 0; i < egress->via.n; i++) {
		const char *exit = egress->via.names[i];

		if (strncmp(exit, BRIDGE_PREFIX, strlen(BRIDGE_PREFIX)) == 0 || streq(exit, "lo") ||
		    streq(exit, bridge))
			return err_set(err, -EINVAL,
				       "option via: \"%s\" is no exit but an interface of this "
				       "host's own; name a tunnel",
				       exit);
		for (size_t m = 0; m < policy->world.n; m++)
			if (streq(policy->world.members[m]->network.bridge, exit))
				return err_set(err, -EINVAL,
					       "option via: \"%s\" is the bridge of network %.12s; "
					       "name a tunnel",
					       exit, policy->world.members[m]->network.id);
	}
	return 0;
}
