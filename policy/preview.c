/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a network would become, on a host that has no other. */
#include <errno.h>
#include <stdio.h>

#include "base/mem.h"
#include "model/world.h"
#include "plan/compile.h"
#include "plan/names.h"
#include "policy.h"

static void assume_exits(struct facts *facts, struct egress *egress)
{
	for (size_t i = 0; i < egress->via.n; i++) {
		struct exit_fact exit = { .usable = { true, true }, .mtu = 1280 };

		snprintf(exit.name, sizeof(exit.name), "%s", egress->via.names[i]);
		facts_set_exit(facts, &exit);
	}
}

/* The container with the address after the network's own. */
static void add_example(struct member *member, const struct exception *exception,
			struct facts *facts)
{
	struct endpoint endpoint = { .id = "container", .host_if = HOST_IF_PREFIX "container" };

	for (enum family f = V4; f < FAMILIES; f++) {
		struct prefix *addr = &endpoint.addr[f];

		*addr = member->network.subnet[f];
		if (prefix_is_set(addr))
			addr->addr.bytes[addr_len(&addr->addr) - 1] |= 2;
	}
	endpoint.exception = xcalloc(1, sizeof(*exception));
	*endpoint.exception = *exception;
	if (exception->egress.policy == POLICY_KILLSWITCH)
		endpoint.exception->egress.path =
			exits_equal(&exception->egress.via, &member->network.egress.via) ? 1 : 2;
	assume_exits(facts, &endpoint.exception->egress);
	member_add(member, &endpoint);
}

/* As the first and only network of a host whose exits all work. */
int policy_preview(const struct network *network, const struct exception *exception,
		   struct strbuf *text, struct err *err)
{
	AUTO(world) struct world world = { 0 };
	AUTO(plan) struct plan plan = { 0 };
	struct network net = *network;
	struct member *member;

	if (!prefix_is_set(&net.subnet[V4]) && !prefix_is_set(&net.subnet[V6]))
		return err_set(err, -EINVAL, "the network has no subnet");
	if (net.egress.policy == POLICY_KILLSWITCH)
		net.egress.path = 1;
	if (!*net.bridge)
		snprintf(net.bridge, sizeof(net.bridge), BRIDGE_PREFIX "%.12s", net.id);
	assume_exits(&world.facts, &net.egress);
	member = world_add(&world, &net);
	if (exception)
		add_example(member, exception, &world.facts);
	compile_world(&world, &plan);
	plan_print(&plan, text);
	return 0;
}
