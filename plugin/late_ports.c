/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See late_ports.h. */
#include "late_ports.h"

#include <stdlib.h>

#include "../policy/base/mem.h"
#include "docker_containers.h"

/* A container that is not running yet; the looks after a change come sooner. */
#define STARTING_MS 10000

struct candidate {
	char network[ID_SIZE], endpoint[ID_SIZE];
	bool publishes;
};

struct candidates {
	struct candidate *items; /* owned */
	size_t n;
};

static void candidates_done(struct candidates *candidates)
{
	free(candidates->items);
}

static void add(void *arg, const struct network *network, const struct endpoint *endpoint)
{
	struct candidates *candidates = arg;
	struct candidate *candidate;

	if (endpoint->n_wanted == 0)
		return;
	candidates->items = xreallocarray(candidates->items, candidates->n + 1, sizeof(*candidate));
	candidate = &candidates->items[candidates->n++];
	memcpy(candidate->network, network->id, ID_SIZE);
	memcpy(candidate->endpoint, endpoint->id, ID_SIZE);
	candidate->publishes = endpoint->n_ports > 0 || endpoint->here;
}

bool late_ports_wanted(const struct policy *policy)
{
	AUTO(candidates) struct candidates candidates = { 0 };

	policy_each_endpoint(policy, add, &candidates);
	return candidates.n > 0;
}

/* Of several networks of a container the one that has the ports keeps them, or had them last. */
static int holders_first(const void *a, const void *b)
{
	const struct candidate *left = a, *right = b;

	return right->publishes - left->publishes;
}

unsigned int late_ports_settle(struct policy *policy, struct docker_containers *containers)
{
	AUTO(candidates) struct candidates candidates = { 0 };
	unsigned int next_ms = 0;

	policy_each_endpoint(policy, add, &candidates);
	if (candidates.n > 1)
		qsort(candidates.items, candidates.n, sizeof(*candidates.items), holders_first);
	for (size_t i = 0; i < candidates.n; i++) {
		const struct candidate *candidate = &candidates.items[i];
		struct docker_container *container =
			docker_containers_find(containers, candidate->endpoint);
		unsigned int due_ms = STARTING_MS;

		if (container) {
			bool here = !container->leads_out && !container->publishes;

			container->publishes |= here;
			due_ms = policy_settle(policy, candidate->network, candidate->endpoint,
					       here);
		}
		if (due_ms && (!next_ms || due_ms < next_ms))
			next_ms = due_ms;
	}
	return next_ms;
}
