/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What people want to know of each network: is it open or closed, why, and what did it lose? */
#include <errno.h>
#include <stdio.h>

#include "base/mem.h"
#include "engine.h"
#include "kernel/nft_counters.h"
#include "plan/compile.h"
#include "plan/names.h"

struct counter {
	char name[64];
	uint64_t packets;
};

struct counters {
	struct counter *items; /* owned */
	size_t n;
};

static void counters_done(struct counters *counters)
{
	free(counters->items);
}

static void take_counter(void *arg, const char *name, uint64_t packets)
{
	struct counters *counters = arg;
	struct counter *counter;

	if (!name) {
		counters->n = 0;
		return;
	}
	counters->items = xreallocarray(counters->items, counters->n + 1, sizeof(*counter));
	counter = &counters->items[counters->n++];
	snprintf(counter->name, sizeof(counter->name), "%s", name);
	counter->packets = packets;
}

/* A network's counters are called BRIDGE-REASON. */
static size_t find_losses(const struct counters *counters, const char *bridge,
			  struct policy_loss *losses, size_t max)
{
	size_t len = strlen(bridge), n = 0;

	for (size_t i = 0; n < max && i < counters->n; i++) {
		const struct counter *counter = &counters->items[i];

		if (strncmp(counter->name, bridge, len) != 0 || counter->name[len] != '-')
			continue;
		/* Another bridge's name may begin with this one's. */
		if (strchr(counter->name + len + 1, '-'))
			continue;
		losses[n++] = (struct policy_loss){ counter->name + len + 1, counter->packets };
	}
	return n;
}

static void explain(const struct policy *policy, const struct network *net,
		    struct policy_status *status)
{
	const struct exit_fact *exit;

	status->open = true;
	switch (net->egress.policy) {
	case POLICY_OPEN:
		status->why = "goes where the host's own routes lead";
		break;
	case POLICY_BYPASS:
		status->why = "goes by the uplink, never through a tunnel";
		break;
	case POLICY_ISOLATED:
		status->open = false;
		status->why = "isolated: nothing leaves";
		break;
	case POLICY_KILLSWITCH:
		exit = path_choose(&net->egress, &policy->world.facts);
		status->open = exit != NULL;
		status->exit = exit ? exit->name : NULL;
		if (!exit)
			exit = facts_exit(&policy->world.facts, net->egress.via.names[0]);
		status->since = exit ? exit->since : 0;
		status->why = !status->open ? "no exit is up and has an address"
			      : exit->usable[V4] && exit->usable[V6] ? "goes through the exit"
			      : exit->usable[V4]
				      ? "goes through the exit, which has no IPv6: that is closed"
				      : "goes through the exit, which has no IPv4: that is closed";
		break;
	}
	if (net->internal) {
		status->open = false;
		status->why = "internal: nothing leaves or enters";
	}
	if (net->egress.dns == DNS_DOCKER && egress_is_confined(&net->egress))
		status->warning =
			"dns=docker: names may be resolved from the host, around the exit";
}

int policy_each_status(struct policy *policy, policy_status_fn *fn, void *arg, struct err *err)
{
	AUTO(counters) struct counters counters = { 0 };
	int r = nft_counters_read(&policy->nl, take_counter, &counters, err);

	for (size_t i = 0; r == 0 && i < policy->world.n; i++) {
		const struct member *member = policy->world.members[i];
		struct policy_loss losses[16];
		struct policy_status status = {
			.network = &member->network,
			.endpoints = member->n,
			.losses = losses,
		};

		explain(policy, &member->network, &status);
		status.n_losses =
			find_losses(&counters, member->network.bridge, losses, ARRAY_SIZE(losses));
		fn(arg, &status);
	}
	return r;
}

void policy_host_status(struct policy *policy, policy_host_status_fn *fn, void *arg)
{
	static const char *const parts[PARTS] = {
		[PART_FIREWALL] = "firewall",
		[PART_RULES] = "rules",
		[PART_ROUTES] = "routes",
		[PART_LINKS] = "links",
	};
	AUTO(sentences) struct sentences warnings = { 0 };
	struct policy_repairs repairs[PARTS];
	struct policy_host_status status = { .repairs = repairs, .n_repairs = PARTS };

	for (enum part part = 0; part < PARTS; part++) {
		const char *warning = repair_warning(policy->repair, part);

		repairs[part] =
			(struct policy_repairs){ parts[part], repair_count(policy->repair, part) };
		if (warning)
			sentences_add(&warnings, "%s", warning);
	}
	survey_host(policy, &warnings);
	status.warnings = (const char *const *)warnings.texts;
	status.n_warnings = warnings.n;
	fn(arg, &status);
}

/* As the first and only network of a host whose exits all work. */
int policy_preview(const struct network *network, struct strbuf *text, struct err *err)
{
	AUTO(world) struct world world = { 0 };
	AUTO(plan) struct plan plan = { 0 };
	struct network net = *network;

	if (!prefix_is_set(&net.subnet[V4]) && !prefix_is_set(&net.subnet[V6]))
		return err_set(err, -EINVAL, "the network has no subnet");
	if (net.egress.policy == POLICY_KILLSWITCH)
		net.egress.path = 1;
	if (!*net.bridge)
		snprintf(net.bridge, sizeof(net.bridge), BRIDGE_PREFIX "%.12s", net.id);
	for (size_t i = 0; i < net.egress.via.n; i++) {
		struct exit_fact exit = { .usable = { true, true }, .mtu = 1280 };

		snprintf(exit.name, sizeof(exit.name), "%s", net.egress.via.names[i]);
		facts_set_exit(&world.facts, &exit);
	}
	world_add(&world, &net);
	compile_world(&world, &plan);
	plan_print(&plan, text);
	return 0;
}
