/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Adding and removing networks: what is refused, what is filled in, and in which order state and
 * kernel change. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>

#include "base/log.h"
#include "base/mem.h"
#include "engine.h"
#include "kernel/clash.h"
#include "kernel/link.h"
#include "model/codec.h"
#include "plan/chain.h"
#include "plan/compile.h"
#include "plan/names.h"

/* An id becomes a file name and part of interface names. */
static int check_id(const char *id, struct err *err)
{
	if (!*id || *id == '.' || strspn(id, ID_CHARACTERS) != strlen(id))
		return err_set(err, -EINVAL,
			       "network id \"%s\" is not one: letters, digits, . _ - only", id);
	return 0;
}

static void name_bridge(struct network *net)
{
	if (!*net->bridge)
		snprintf(net->bridge, sizeof(net->bridge), BRIDGE_PREFIX "%.12s", net->id);
}

static int check_bridge(struct policy *policy, const struct network *net, struct err *err)
{
	struct link_info link;
	int r;

	if (streq(net->bridge, FENCE_BRIDGE))
		return err_set(err, -EEXIST,
			       "bridge name \"%s\" is that of one which all networks share; choose "
			       "another",
			       net->bridge);
	for (size_t i = 0; i < policy->world.n; i++) {
		struct member *member = policy->world.members[i];

		if (!streq(member->network.bridge, net->bridge))
			continue;
		forgotten_suspect(policy, member);
		return err_set(err, -EEXIST,
			       "bridge name \"%s\" is taken by network %.12s; choose another, or "
			       "try again in a few seconds if that network is gone",
			       net->bridge, member->network.id);
	}
	r = link_info(&policy->nl, net->bridge, &link, err);
	if (r == -ENODEV)
		return 0;
	if (r < 0)
		return r;
	if (!link_is_ours(&link))
		return err_set(
			err, -EEXIST,
			"bridge name \"%s\": there is an interface of that name which is not "
			"ours; choose another name, or remove that interface",
			net->bridge);
	return 0;
}

static int check_gateway(const struct network *net, enum family f, struct err *err)
{
	struct addr_text addr, subnet;

	if (addr_is_set(&net->gateway[f]) && !prefix_contains(&net->subnet[f], &net->gateway[f]))
		return err_set(err, -EINVAL, "gateway %s is outside of the subnet %s",
			       addr_print(&net->gateway[f], &addr),
			       prefix_print(&net->subnet[f], &subnet));
	return 0;
}

static int check_subnet(struct policy *policy, const struct network *net, enum family f,
			struct err *err)
{
	struct addr_text ours, theirs;
	struct clash clash;
	int r;

	if (!prefix_is_set(&net->subnet[f]))
		return 0;
	for (size_t i = 0; i < policy->world.n; i++) {
		struct member *member = policy->world.members[i];
		const struct network *other = &member->network;

		if (!prefix_is_set(&other->subnet[f]) ||
		    !prefix_overlap(&other->subnet[f], &net->subnet[f]))
			continue;
		forgotten_suspect(policy, member);
		return err_set(err, -EADDRINUSE,
			       "subnet %s overlaps %s of network %.12s; choose another with "
			       "--subnet, or try again in a few seconds if that network is gone",
			       prefix_print(&net->subnet[f], &ours),
			       prefix_print(&other->subnet[f], &theirs), other->id);
	}
	r = clash_find(&policy->nl, &net->subnet[f], &clash, err);
	if (r < 0)
		return r;
	if (clash.found)
		return err_set(err, -EADDRINUSE,
			       "subnet %s overlaps the host's route %s dev %s; choose another with "
			       "--subnet",
			       prefix_print(&net->subnet[f], &ours),
			       prefix_print(&clash.route, &theirs), clash.dev);
	return check_gateway(net, f, err);
}

/* Its packets would be taken for, and dropped with, the tailnet's. */
static int check_tailnet(const struct network *net, enum family f, struct err *err)
{
	struct addr_text ours, theirs;

	if (prefix_is_set(&net->subnet[f]) && prefix_overlap(&tailnet[f], &net->subnet[f]))
		return err_set(
			err, -EADDRINUSE,
			"subnet %s overlaps %s, which belongs to Tailscale; choose another with "
			"--subnet",
			prefix_print(&net->subnet[f], &ours), prefix_print(&tailnet[f], &theirs));
	return 0;
}

static int check_network(struct policy *policy, const struct network *net, struct err *err)
{
	int r = check_id(net->id, err);

	if (r == 0 && !prefix_is_set(&net->subnet[V4]) && !prefix_is_set(&net->subnet[V6]))
		r = err_set(err, -EINVAL, "the network has no subnet; give one with --subnet");
	if (r == 0)
		r = check_bridge(policy, net, err);
	if (r == 0)
		r = exits_check(policy, &net->egress, net->bridge, err);
	for (enum family f = V4; r == 0 && f < FAMILIES; f++) {
		r = check_tailnet(net, f, err);
		if (r == 0)
			r = check_subnet(policy, net, f, err);
	}
	return r;
}

static bool same_network(const struct network *a, const struct network *b)
{
	json_t *left = network_encode(a), *right = network_encode(b);
	bool same = json_equal(left, right);

	json_decref(left);
	json_decref(right);
	return same;
}

/* The first network brings what all share, the first one on a path brings the path; exits are known
 * by now, and not yet forgotten. Without endpoints: they come later and go before. */
static void compile_with(const struct policy *policy, const struct member *member,
			 struct plan *plan)
{
	const struct facts *facts = &policy->world.facts;
	const struct network *net = &member->network;
	bool in_world = world_find(&policy->world, net->id) != NULL;

	if (policy->world.n == (in_world ? 1 : 0))
		compile_common(facts, plan);
	paths_compile(policy, &net->egress, in_world, plan);
	compile_network(member, facts, plan);
}

/* What was said of it later is not asked for again. */
static void copy_told(const struct network *known, struct network *net)
{
	const struct exception words = exception_of(known);

	exception_put(&words, net);
	net->told = true;
	memcpy(net->remark, known->remark, sizeof(net->remark));
}

int policy_network_add(struct policy *policy, const struct network *network, struct err *err)
{
	struct member *member = world_find(&policy->world, network->id);
	struct network net = *network;
	AUTO(plan) struct plan without = { 0 };
	AUTO(plan) struct plan with = { 0 };
	struct err ignored;
	int r;

	name_bridge(&net);
	r = paths_assign(policy, &net.egress, err);
	if (r < 0)
		return r;
	if (member && member->network.told)
		copy_told(&member->network, &net);
	if (member && same_network(&member->network, &net))
		return 0;
	if (member)
		return err_set(err, -EEXIST,
			       "network %.12s exists with other options; remove it first", net.id);
	r = check_network(policy, &net, err);
	if (r < 0)
		return r;
	compile_shared(&policy->world, &without);
	r = exits_learn(policy, &net.egress, err);
	if (r < 0) {
		exits_forget(policy, &net.egress);
		return r;
	}
	net.since_ms = loop_now_ms();
	member = world_add(&policy->world, &net);
	compile_shared(&policy->world, &with);
	compile_with(policy, member, &with);
	r = engine_transition(policy, &without, &with, err);
	if (r == 0) {
		/* After the kernel: of a crash in between nothing is left but an orphan, which the
		 * next start sweeps. The other way round a network nobody asked for would stay. */
		r = store_save_network(&policy->store, &net, err);
		if (r < 0)
			(void)engine_transition(policy, &with, &without, &ignored);
	}
	if (r < 0) {
		world_remove(&policy->world, net.id);
		exits_forget(policy, &net.egress);
		return err_advise(err, "nothing was changed, so it can be tried again");
	}
	exits_settle(policy);
	if (policy->world.n == 1)
		neighbours_save(policy);
	hostpath_update(policy);
	forgotten_network_added(policy);
	surveyor_look_soon(policy->surveyor);
	engine_listen(policy);
	log_info("network %.12s: added, bridge %s", net.id, net.bridge);
	return 0;
}

/* What the kernel has of it nobody knows. */
static int check_unread(const struct policy *policy, const char *network_id, struct err *err)
{
	if (!policy->incomplete || !store_has_network(&policy->store, network_id))
		return 0;
	return err_set(err, -EUCLEAN,
		       "network %.12s cannot be removed, since its state file could not be read, "
		       "see the log; it stays as it is until networks/%s.json is removed from the "
		       "state directory and the daemon started again",
		       network_id, network_id);
}

int policy_network_remove(struct policy *policy, const char *network_id, struct err *err)
{
	struct member *member = world_find(&policy->world, network_id);
	AUTO(plan) struct plan without = { 0 };
	AUTO(plan) struct plan with = { 0 };
	struct member gone = { 0 };
	int r;

	if (!member)
		return check_unread(policy, network_id, err);
	/* The client has forgotten it in any case: so does the state, first, and a start after a
	 * crash sweeps what the kernel still has. */
	r = store_remove_network(&policy->store, network_id, err);
	if (r < 0)
		return r;
	while (member->n)
		(void)endpoint_discard(policy, member, member->endpoints[member->n - 1]->id, err);
	gone.network = member->network;
	compile_shared(&policy->world, &with);
	world_remove(&policy->world, network_id);
	compile_with(policy, &gone, &with);
	exits_forget(policy, &gone.network.egress);
	compile_shared(&policy->world, &without);
	r = engine_transition(policy, &with, &without, err);
	if (r < 0)
		err_advise(err, "it is tried again until it is gone");
	hostpath_forget(policy, gone.network.bridge);
	if (policy->world.n == 0) {
		neighbours_save(policy);
		forgotten_last_network_gone(policy);
	}
	hostpath_update(policy);
	log_info("network %.12s: removed", gone.network.id);
	return r;
}

const struct network *policy_network(const struct policy *policy, const char *network_id)
{
	const struct member *member = world_find(&policy->world, network_id);

	return member ? &member->network : NULL;
}
