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

/* Paths that lead elsewhere now, or into an exit that is another one now. */
struct moved {
	bool paths[PATH_MAX_NUMBER + 1];
	bool any;
};

static bool has_moved(const struct egress *egress, const void *moved)
{
	return ((const struct moved *)moved)->paths[egress->path];
}

/* Notes which exit every path leads into. changed: an exit about which something is different. */
struct settling {
	struct facts *facts;
	const char *changed;
	struct moved moved;
};

static bool settle_path(const struct egress *egress, void *arg)
{
	struct settling *settling = arg;
	const struct exit_fact *exit = path_choose(egress, settling->facts);
	const char *now = exit ? exit->name : "";
	char *in_use = settling->facts->in_use[egress->path];
	bool other = !streq(now, in_use);

	if (egress->path == 0 || (!other && !streq(now, settling->changed)))
		return false;
	if (other && *now && *in_use)
		log_info("exit %s takes over from %s", now, in_use);
	settling->moved.paths[egress->path] = settling->moved.any = true;
	snprintf(in_use, IFNAMSIZ, "%s", now);
	return false;
}

static struct moved settle(struct policy *policy, const char *changed)
{
	struct settling settling = { .facts = &policy->world.facts, .changed = changed };

	world_any_egress(&policy->world, settle_path, &settling);
	return settling.moved;
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
	moved = settle(policy, news ? exit->name : "");
	compile_dependents(policy, exit->name, &after);
	r = engine_transition(policy, &before, &after, err);
	if (r == 0)
		r = assert_routes(policy, &after, err);
	if (moved.any)
		connections_forget(policy, has_moved, &moved);
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

void exits_miss(struct policy *policy)
{
	for (size_t i = policy->world.facts.n_exits; i > 0; i--) {
		const struct exit_fact *exit = &policy->world.facts.exits[i - 1];

		if (is_usable(exit) && !link_exists(&policy->nl, exit->name))
			exits_changed(policy, exit->name);
	}
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

void exits_settle(struct policy *policy)
{
	(void)settle(policy, "");
}

/* An address that the packet filter or the routing keeps answers for: see add_address() in
 * refusals.c. Either may have been flushed meanwhile. */
static const struct addr *kept_address(const struct item *item)
{
	if (item->kind == ITEM_FW_ELEMENT &&
	    (streq(item->element.set, "exit4_strays") || streq(item->element.set, "exit6_strays")))
		return &item->element.addr;
	if (item->kind == ITEM_BACKSTOP && item->route.silent && item->route.table == TABLE_LOCAL)
		return &item->route.dst.addr;
	return NULL;
}

/* An exit may have lost an address before the daemon that knew it was killed, or meanwhile: answers
 * are under way to it all the same. Whose it was the kernel does not say; one that was lost is
 * taken for having been lost just now, so that it is forgotten in the end. */
void exits_recall(struct policy *policy, const struct plan *seen)
{
	for (size_t i = 0; i < seen->n; i++) {
		const struct addr *addr = kept_address(&seen->items[i]);
		const char *exit = addr ? facts_recall(&policy->world.facts, addr) : NULL;

		/* guard.c has no time to wait for anything. */
		if (exit && policy->rests && !is_usable(facts_exit(&policy->world.facts, exit)))
			rests_lost(policy->rests, exit);
	}
}

void exits_forget(struct policy *policy, const struct egress *egress)
{
	for (size_t i = 0; i < egress->via.n; i++) {
		char name[IFNAMSIZ];

		memcpy(name, egress->via.names[i], sizeof(name));
		if (world_any_egress(&policy->world, names_exit, name))
			continue;
		facts_forget_exit(&policy->world.facts, name);
		rests_forget(policy->rests, name);
	}
	if (paths_users(policy, egress->path) == 0)
		policy->world.facts.in_use[egress->path][0] = '\0';
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
