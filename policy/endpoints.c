/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Endpoints: how they come, what they are told, how they go. */
#include <errno.h>
#include <stdio.h>

#include "base/log.h"
#include "base/mem.h"
#include "engine.h"
#include "plan/compile.h"
#include "plan/names.h"

static int find_member(const struct policy *policy, const char *network_id,
		       struct member **ret_member, struct err *err)
{
	*ret_member = world_find(&policy->world, network_id);
	if (*ret_member)
		return 0;
	return err_set(err, -ENOENT,
		       "network %.12s is not known here%s; remove it and create it again",
		       network_id,
		       policy->incomplete ? " (a state file could not be read, see the log)" : "");
}

int endpoint_find(const struct policy *policy, const char *network_id, const char *endpoint_id,
		  struct member **ret_member, struct endpoint **ret_endpoint, struct err *err)
{
	int r = find_member(policy, network_id, ret_member, err);

	if (r < 0)
		return r;
	*ret_endpoint = member_find(*ret_member, endpoint_id);
	if (*ret_endpoint)
		return 0;
	return err_set(err, -ENOENT,
		       "endpoint %.12s is not known in network %.12s; restart the container",
		       endpoint_id, network_id);
}

static int check_addresses(const struct network *net, const struct endpoint *endpoint,
			   struct err *err)
{
	struct addr_text text;

	if (!*endpoint->id || *endpoint->id == '.' ||
	    strspn(endpoint->id, ID_CHARACTERS) != strlen(endpoint->id))
		return err_set(err, -EINVAL,
			       "endpoint id \"%s\" is not one: letters, digits, . _ - only",
			       endpoint->id);
	for (enum family f = V4; f < FAMILIES; f++) {
		const struct addr *addr = &endpoint->addr[f].addr;

		if (addr_is_set(addr) &&
		    (!prefix_is_set(&net->subnet[f]) || !prefix_contains(&net->subnet[f], addr)))
			return err_set(err, -EINVAL,
				       "address %s is not in a subnet of network %.12s",
				       addr_print(addr, &text), net->id);
	}
	return 0;
}

/* Follows from the address, so that a container that takes over an address is reached at once; from
 * the id where there is no IPv4. */
static void choose_mac(struct endpoint *endpoint)
{
	static const uint8_t none[6];

	if (memcmp(endpoint->mac, none, sizeof(none)) != 0)
		return;
	endpoint->mac[0] = 0x02;
	endpoint->mac[1] = 0x42;
	if (addr_is_set(&endpoint->addr[V4].addr)) {
		memcpy(endpoint->mac + 2, endpoint->addr[V4].addr.bytes, 4);
	} else {
		uint32_t hash = 0x811c9dc5u;

		for (const char *c = endpoint->id; *c; c++)
			hash = (hash ^ (uint8_t)*c) * 0x01000193u;
		endpoint->mac[0] = 0x06; /* cannot be the one of an IPv4 address */
		memcpy(endpoint->mac + 2, &hash, 4);
	}
}

static bool same_addresses(const struct endpoint *a, const struct endpoint *b)
{
	return prefix_compare(&a->addr[V4], &b->addr[V4]) == 0 &&
	       prefix_compare(&a->addr[V6], &b->addr[V6]) == 0;
}

static bool shares_address(const struct endpoint *a, const struct endpoint *b)
{
	for (enum family f = V4; f < FAMILIES; f++)
		if (addr_is_set(&a->addr[f].addr) && addr_equal(&a->addr[f].addr, &b->addr[f].addr))
			return true;
	return false;
}

/* Who hands out addresses has given this one to somebody else: the old holder ended unheard. */
static void evict_holders(struct policy *policy, struct member *member,
			  const struct endpoint *newcomer)
{
	struct err ignored;

	for (size_t i = member->n; i > 0; i--) {
		struct endpoint *old = member->endpoints[i - 1];

		if (!shares_address(old, newcomer))
			continue;
		log_info("network %.12s: endpoint %.12s ended unheard, its address is given again",
			 member->network.id, old->id);
		(void)endpoint_discard(policy, member, old->id, &ignored);
	}
}

/* A network without this one of its endpoints, to be looked at only. */
static void compile_others(const struct member *member, const struct endpoint *endpoint,
			   const struct facts *facts, struct plan *plan)
{
	AUTO_FREE struct endpoint **others = xcalloc(member->n, sizeof(struct endpoint *));
	struct member rest = { .network = member->network, .endpoints = others };

	for (size_t i = 0; i < member->n; i++)
		if (member->endpoints[i] != endpoint)
			others[rest.n++] = member->endpoints[i];
	compile_member(&rest, facts, plan);
}

/* The plan with this endpoint, which is in the world, and without it, as far as these differ. The
 * first one that is an exception changes something for all others. */
static void compile_both(const struct policy *policy, const struct member *member,
			 const struct endpoint *endpoint, struct plan *with, struct plan *without)
{
	const struct facts *facts = &policy->world.facts;

	if (endpoint->exception && member->n_exceptions == 1) {
		compile_member(member, facts, with);
		compile_others(member, endpoint, facts, without);
	} else {
		compile_endpoint(member, facts, endpoint, with);
	}
	if (endpoint->exception)
		paths_compile(policy, &endpoint->exception->egress, true, with);
}

/* A mark that leaves our bits no room takes a policy rule of its own, which is made for a network.
 */
static int check_mark(const struct egress *own, const struct egress *net, struct err *err)
{
	if (own->policy != POLICY_BYPASS || !(own->mark_mask & MARK_MASK) ||
	    (net->policy == POLICY_BYPASS && own->mark == net->mark &&
	     own->mark_mask == net->mark_mask))
		return 0;
	return err_set(
		err, -EINVAL,
		"option mark for one container: 0x%x/0x%x takes the upper 8 bits of the mark, "
		"which only a whole network can have; create one with policy=bypass and this "
		"mark",
		own->mark, own->mark_mask);
}

int endpoint_check_exception(const struct policy *policy, const struct network *net,
			     struct exception *exception, struct err *err)
{
	int r = check_mark(&exception->egress, &net->egress, err);

	if (r == 0)
		r = exits_check(policy, &exception->egress, net->bridge, err);
	if (r == 0)
		r = paths_assign(policy, &exception->egress, err);
	return r;
}

static int copy_exception(const struct policy *policy, const struct network *net,
			  const struct exception *exception, struct endpoint *copy, struct err *err)
{
	if (!exception)
		return 0;
	copy->exception = xcalloc(1, sizeof(*exception));
	*copy->exception = *exception;
	return endpoint_check_exception(policy, net, copy->exception, err);
}

/* Takes over what the endpoint owns, unless it fails. */
static int attach(struct policy *policy, struct member *member, struct endpoint *endpoint,
		  struct err *err)
{
	struct endpoint *added;
	AUTO(plan) struct plan with = { 0 };
	AUTO(plan) struct plan without = { 0 };
	struct err ignored;
	int r;

	if (endpoint->exception) {
		compile_shared(&policy->world, &without);
		r = exits_learn(policy, &endpoint->exception->egress, err);
		if (r < 0)
			return r;
	}
	added = member_add(member, endpoint);
	if (added->exception)
		compile_shared(&policy->world, &with);
	compile_both(policy, member, added, &with, &without);
	r = engine_transition(policy, &without, &with, err);
	if (r == 0) {
		r = store_save_endpoint(&policy->store, added, err);
		if (r < 0)
			(void)engine_transition(policy, &with, &without, &ignored);
	}
	if (r < 0) {
		member_take(member, endpoint->id, endpoint);
		return err_advise(err, "nothing was changed, so it can be tried again");
	}
	if (added->exception)
		exits_settle(policy);
	*endpoint = (struct endpoint){ 0 };
	return 0;
}

int policy_endpoint_add(struct policy *policy, const struct endpoint *endpoint, struct err *err)
{
	AUTO(endpoint) struct endpoint copy = { 0 };
	struct endpoint *added;
	struct member *member;
	int r;

	r = find_member(policy, endpoint->network, &member, err);
	if (r == 0)
		r = check_addresses(&member->network, endpoint, err);
	if (r < 0)
		return r;
	added = member_find(member, endpoint->id);
	if (added && same_addresses(added, endpoint))
		return 0;
	if (added)
		return err_set(err, -EEXIST, "endpoint %.12s exists with other addresses",
			       endpoint->id);
	copy = *endpoint;
	copy.exception = NULL;
	copy.ports = NULL;
	copy.n_ports = 0;
	copy.wanted = NULL;
	copy.n_wanted = 0;
	copy.remark = NULL;
	copy.since_ms = loop_now_ms();
	r = copy_exception(policy, &member->network, endpoint->exception, &copy, err);
	if (r < 0)
		return r;
	evict_holders(policy, member, endpoint);

	choose_mac(&copy);
	snprintf(copy.host_if, IFNAMSIZ, HOST_IF_PREFIX "%.12s", copy.id);
	snprintf(copy.container_if, IFNAMSIZ, CONTAINER_IF_PREFIX "%.12s", copy.id);
	copy.era = policy->era;
	r = attach(policy, member, &copy, err);
	if (r < 0 && copy.exception)
		exits_forget(policy, &copy.exception->egress);
	if (r == 0)
		engine_listen(policy);
	return r;
}

int endpoint_discard(struct policy *policy, struct member *member, const char *endpoint_id,
		     struct err *err)
{
	AUTO(plan) struct plan with = { 0 };
	AUTO(plan) struct plan without = { 0 };
	AUTO(endpoint) struct endpoint endpoint = { 0 };
	int r;

	store_remove_endpoint(&policy->store, endpoint_id);
	ports_withdraw(policy->ports, member->network.id, endpoint_id);
	compile_both(policy, member, member_find(member, endpoint_id), &with, &without);
	if (member_find(member, endpoint_id)->exception)
		compile_shared(&policy->world, &with);
	member_take(member, endpoint_id, &endpoint);
	if (endpoint.exception) {
		exits_forget(policy, &endpoint.exception->egress);
		compile_shared(&policy->world, &without);
	}
	r = engine_transition(policy, &with, &without, err);
	if (r < 0)
		err_advise(err, "it is tried again until it is gone");
	/* Whoever gets the address next must not inherit the connections. */
	connections_forget_endpoint(policy, &endpoint);
	return r;
}

static bool is_anywhere(const struct policy *policy, const char *endpoint_id)
{
	for (size_t m = 0; m < policy->world.n; m++)
		if (member_find(policy->world.members[m], endpoint_id))
			return true;
	return false;
}

int policy_endpoint_remove(struct policy *policy, const char *network_id, const char *endpoint_id,
			   struct err *err)
{
	struct member *member = world_find(&policy->world, network_id);
	struct endpoint *endpoint = member ? member_find(member, endpoint_id) : NULL;

	if (endpoint)
		return endpoint_discard(policy, member, endpoint_id, err);
	/* Its file may be there all the same, and not readable. */
	if (!is_anywhere(policy, endpoint_id))
		store_remove_endpoint(&policy->store, endpoint_id);
	return 0;
}

const struct endpoint *policy_endpoint(const struct policy *policy, const char *network_id,
				       const char *endpoint_id)
{
	const struct member *member = world_find(&policy->world, network_id);

	return member ? member_find(member, endpoint_id) : NULL;
}

void policy_each_endpoint(const struct policy *policy,
			  void (*fn)(void *arg, const struct network *network,
				     const struct endpoint *endpoint),
			  void *arg)
{
	for (size_t m = 0; m < policy->world.n; m++) {
		const struct member *member = policy->world.members[m];

		for (size_t e = 0; e < member->n; e++)
			fn(arg, &member->network, member->endpoints[e]);
	}
}

static bool leads_out(const struct member *member, const struct endpoint *endpoint)
{
	return !member->network.internal &&
	       endpoint_egress(member, endpoint)->policy != POLICY_ISOLATED;
}

/* A gateway, or no second way either: never neither of the two. */
int policy_attachment(const struct policy *policy, const char *network_id, const char *endpoint_id,
		      struct attachment *ret_attachment, struct err *err)
{
	struct attachment attachment = { 0 };
	struct endpoint *endpoint;
	struct member *member;
	int r;

	r = endpoint_find(policy, network_id, endpoint_id, &member, &endpoint, err);
	if (r < 0)
		return r;
	attachment.container_if = endpoint->container_if;
	attachment.container_prefix = member->network.container_prefix;
	for (enum family f = V4; leads_out(member, endpoint) && f < FAMILIES; f++) {
		const struct network *net = &member->network;

		if (!addr_is_set(&endpoint->addr[f].addr))
			continue;
		if (addr_is_set(&net->next_hop[f]))
			attachment.gateway[f] = net->next_hop[f];
		else if (net->mode[f] != GATEWAY_ISOLATED)
			attachment.gateway[f] = net->gateway[f];
	}
	attachment.no_default_route = !addr_is_set(&attachment.gateway[V4]) &&
				      !addr_is_set(&attachment.gateway[V6]);
	*ret_attachment = attachment;
	return 0;
}
