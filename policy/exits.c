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

static bool names(const struct network *net, const char *exit)
{
	for (size_t i = 0; i < net->egress.via.n; i++)
		if (streq(net->egress.via.names[i], exit))
			return true;
	return false;
}

static bool named_by_any(const struct policy *policy, const char *exit)
{
	for (size_t i = 0; i < policy->world.n; i++)
		if (names(&policy->world.members[i]->network, exit))
			return true;
	return false;
}

static bool is_usable(const struct exit_fact *exit)
{
	return exit->usable[V4] || exit->usable[V6];
}

/* What was learned of it earlier stays. */
static int read_exit(struct policy *policy, const char *name, struct exit_fact *ret_exit,
		     struct err *err)
{
	const struct exit_fact *known = facts_exit(&policy->world.facts, name);
	struct exit_fact exit = { .since = time(NULL), .resting = known && known->resting };
	struct link_info link;
	int r = link_info(&policy->nl, name, &link, err);

	snprintf(exit.name, sizeof(exit.name), "%s", name);
	if (r == 0 && link.up) {
		exit.mtu = link.mtu;
		r = address_families(&policy->nl, link.index, exit.usable, err);
	}
	if (r < 0 && r != -ENODEV)
		return r;
	*ret_exit = exit;
	return 0;
}

/* The pieces that depend on an exit: its paths, and the links whose MTU follows it. */
static void compile_dependents(const struct policy *policy, const char *exit, struct plan *plan)
{
	const struct facts *facts = &policy->world.facts;
	bool done[PATH_MAX_NUMBER + 1] = { false };

	for (size_t m = 0; m < policy->world.n; m++) {
		const struct member *member = policy->world.members[m];
		const struct egress *egress = &member->network.egress;

		if (!names(&member->network, exit))
			continue;
		if (!done[egress->path])
			compile_path(egress, facts, plan);
		done[egress->path] = true;
		compile_links(&member->network, facts, plan);
		for (size_t e = 0; e < member->n; e++)
			compile_veth(&member->network, facts, member->endpoints[e], plan);
	}
}

/* Paths that lead elsewhere now, or into an exit that is another one now. */
struct moved {
	bool paths[PATH_MAX_NUMBER + 1];
	bool any;
};

static bool has_moved(const struct network *net, const void *moved)
{
	return ((const struct moved *)moved)->paths[net->egress.path];
}

/* Notes which exit every path leads into. changed: an exit about which something is different. */
static void settle(struct policy *policy, const char *changed, struct moved *ret_moved)
{
	struct facts *facts = &policy->world.facts;

	*ret_moved = (struct moved){ 0 };
	for (size_t m = 0; m < policy->world.n; m++) {
		const struct egress *egress = &policy->world.members[m]->network.egress;
		const struct exit_fact *exit = path_choose(egress, facts);
		const char *now = exit ? exit->name : "";
		char *in_use = facts->in_use[egress->path];
		bool other = !streq(now, in_use);

		if (egress->path == 0 || (!other && !streq(now, changed)))
			continue;
		if (other && *now && *in_use)
			log_info("exit %s takes over from %s", now, in_use);
		ret_moved->paths[egress->path] = ret_moved->any = true;
		snprintf(in_use, IFNAMSIZ, "%s", now);
	}
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

/* From one set of facts to another, with all that follows. Old connections are forgotten when their
 * next packet meets the new path: before, it would keep the old one alive. */
static int change(struct policy *policy, const struct exit_fact *exit, struct err *err)
{
	AUTO(plan) struct plan before = { 0 };
	AUTO(plan) struct plan after = { 0 };
	struct moved moved;
	bool news;
	int r;

	compile_dependents(policy, exit->name, &before);
	news = facts_set_exit(&policy->world.facts, exit);
	settle(policy, news ? exit->name : "", &moved);
	compile_dependents(policy, exit->name, &after);
	r = engine_transition(policy, &before, &after, err);
	if (r == 0)
		r = assert_routes(policy, &after, err);
	if (moved.any)
		connections_forget_networks(policy, has_moved, &moved);
	return r;
}

void exits_changed(struct policy *policy, const char *name)
{
	const struct exit_fact *known = facts_exit(&policy->world.facts, name);
	struct exit_fact exit;
	struct err err = { 0 };
	bool was_usable, news;
	int r;

	if (!known)
		return;
	was_usable = is_usable(known);
	r = read_exit(policy, name, &exit, &err);
	if (r == 0) {
		if (was_usable && !is_usable(&exit))
			rests_lost(policy->rests, name);
		else if (!was_usable && is_usable(&exit))
			exit.resting = rests_back(policy->rests, name);
		news = known->usable[V4] != exit.usable[V4] || known->usable[V6] != exit.usable[V6];
		r = change(policy, &exit, &err);
		if (news)
			log_state(name, &exit);
	}
	if (r < 0)
		log_warn("exit %s: %s; its networks stay closed", name, err.text);
}

void exits_rested(struct policy *policy, const char *name)
{
	const struct exit_fact *known = facts_exit(&policy->world.facts, name);
	struct exit_fact exit;
	struct err err = { 0 };

	if (!known)
		return;
	exit = *known;
	exit.resting = false;
	if (change(policy, &exit, &err) < 0)
		log_warn("exit %s: %s", name, err.text);
}

void exits_changed_all(struct policy *policy)
{
	for (size_t i = policy->world.facts.n_exits; i > 0; i--)
		exits_changed(policy, policy->world.facts.exits[i - 1].name);
}

int exits_learn(struct policy *policy, const struct network *net, struct err *err)
{
	for (size_t i = 0; i < net->egress.via.n; i++) {
		struct exit_fact exit;
		int r;

		if (facts_exit(&policy->world.facts, net->egress.via.names[i]))
			continue;
		r = read_exit(policy, net->egress.via.names[i], &exit, err);
		if (r < 0)
			return r;
		facts_set_exit(&policy->world.facts, &exit);
		log_state(exit.name, &exit);
	}
	return 0;
}

void exits_settle(struct policy *policy)
{
	struct moved ignored;

	settle(policy, "", &ignored);
}

void exits_forget(struct policy *policy, const struct network *net)
{
	for (size_t i = 0; i < net->egress.via.n; i++)
		if (!named_by_any(policy, net->egress.via.names[i])) {
			facts_forget_exit(&policy->world.facts, net->egress.via.names[i]);
			rests_forget(policy->rests, net->egress.via.names[i]);
		}
	if (!exits_path_used(policy, net->egress.path))
		policy->world.facts.in_use[net->egress.path][0] = '\0';
}

/* The path of the networks with the same exits, or a free one. */
int exits_assign_path(const struct policy *policy, struct egress *egress, struct err *err)
{
	bool taken[PATH_MAX_NUMBER + 1] = { false };

	egress->path = 0;
	if (egress->policy != POLICY_KILLSWITCH)
		return 0;
	for (size_t i = 0; i < policy->world.n; i++) {
		const struct egress *other = &policy->world.members[i]->network.egress;

		if (other->path && exits_equal(&other->via, &egress->via)) {
			egress->path = other->path;
			return 0;
		}
		taken[other->path] = true;
	}
	for (unsigned path = 1; path <= PATH_MAX_NUMBER; path++) {
		if (taken[path])
			continue;
		egress->path = (uint8_t)path;
		return 0;
	}
	return err_set(err, -ENOSPC, "more than %d different lists of exits in use",
		       PATH_MAX_NUMBER);
}

bool exits_path_used(const struct policy *policy, uint8_t path)
{
	for (size_t i = 0; i < policy->world.n; i++)
		if (policy->world.members[i]->network.egress.path == path)
			return true;
	return false;
}
