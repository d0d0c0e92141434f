/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When the host's own forward path needs room for our bridges, and when that is taken back. */
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "engine.h"
#include "kernel/hostfw.h"
#include "kernel/hostfw_legacy.h"
#include "plan/names.h"
#include "repair.h"

#define TELL_EVERY_MS 10000

static bool has_own_name(const char *bridge)
{
	return strncmp(bridge, BRIDGE_PREFIX, strlen(BRIDGE_PREFIX)) != 0;
}

/* One wildcard for all, and the names users chose themselves. */
static size_t list_patterns(const struct world *world, const char **patterns)
{
	size_t n = 0;

	patterns[n++] = BRIDGE_PREFIX "*";
	for (size_t i = 0; i < world->n; i++)
		if (has_own_name(world->members[i]->network.bridge))
			patterns[n++] = world->members[i]->network.bridge;
	return n;
}

int hostpath_update(struct policy *policy)
{
	AUTO_FREE const char **patterns = xcalloc(policy->world.n + 1, sizeof(*patterns));
	size_t n = list_patterns(&policy->world, patterns);
	struct err err = { 0 };
	int r;

	if (policy->world.n == 0) {
		r = hostfw_withdraw(&policy->nl, patterns, n, &err);
		hostfw_legacy_withdraw(policy->legacy, patterns, n);
	} else {
		r = hostfw_allow(&policy->nl, patterns, n, &err);
		hostfw_legacy_allow(policy->legacy, patterns, n);
	}
	if (r < 0)
		log_warn("%s; containers may have no connection until this is resolved", err.text);
	return r;
}

void hostpath_repair(struct policy *policy)
{
	uint64_t now = loop_now_ms();
	int n = hostpath_update(policy);

	if (n <= 0)
		return;
	repair_count_more(policy->repair, PART_FIREWALL, (size_t)n);
	/* Somebody may do it all the time. */
	if (policy->hostpath_told_ms && now < policy->hostpath_told_ms + TELL_EVERY_MS)
		return;
	policy->hostpath_told_ms = now;
	log_warn("put back room for our bridges in DOCKER-USER: %d rules were missing", n);
}

void hostpath_forget(struct policy *policy, const char *bridge)
{
	struct err err = { 0 };

	if (!has_own_name(bridge))
		return;
	if (hostfw_withdraw(&policy->nl, &bridge, 1, &err) < 0)
		log_warn("%s", err.text);
	hostfw_legacy_withdraw(policy->legacy, &bridge, 1);
}
