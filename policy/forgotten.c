/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Networks that the client has forgotten: its request to remove one never arrived, or the answer to
 * its request to make one. Nothing else would ever remove them, and their subnets would stay taken.
 *
 * The client's lists of networks tell. What they must not be taken to mean:
 * - A network is being made: the client lists it only when it has our answer and has stored it.
 *   Hence not one list without it, but several, and time between the first and the last.
 * - Another client answers (another data directory, another program at the same socket), which has
 *   never heard of ours. Hence only the one that has listed one of ours before, and one of ours
 *   that has listed none is removed only when it is in the way: somebody gives its subnet to a new
 *   network, which a client does not do with the subnet of one that it has; and whoever answers
 *   does not know it either. Two clients at one engine of ours are not supported.
 * - A network with endpoints is used, whatever anybody says.
 * Lists that are incomplete do not get here. */
#include <stdio.h>

#include "base/log.h"
#include "base/mem.h"
#include "engine.h"

/* Marks those that are listed; returns whether any is. */
static bool mark_listed(struct policy *policy, const char *const *ids, size_t n)
{
	bool any = false;

	for (size_t m = 0; m < policy->world.n; m++)
		policy->world.members[m]->listed = false;
	for (size_t i = 0; i < n; i++) {
		struct member *member = world_find(&policy->world, ids[i]);

		if (!member)
			continue;
		member->listed = any = true;
		member->in_the_way = false;
	}
	return any;
}

/* On disk, because the only network may be removed while nobody listens here. */
static void learn_client(struct policy *policy, const char *client)
{
	struct err err = { 0 };

	snprintf(policy->client, sizeof(policy->client), "%s", client);
	if (store_save_client(&policy->store, policy->client, &err) < 0)
		log_warn("%s", err.text);
}

static void remove_forgotten(struct policy *policy, const struct member *member)
{
	struct err err = { 0 };
	char id[ID_SIZE];

	memcpy(id, member->network.id, sizeof(id));
	log_info("network %.12s: whom it was made for does not have it any more%s; removing it", id,
		 member->in_the_way ? ", and its place is asked for" : "");
	if (policy_network_remove(policy, id, &err) < 0)
		log_warn("network %.12s: %s", id, err.text);
}

/* Removes it, or returns when that may be due; 0: there is no reason to. */
static unsigned int judge(struct policy *policy, struct member *member, bool same_client)
{
	unsigned int patience_ms;
	uint64_t missing_ms;

	if (member->listed || member->n || (!member->in_the_way && !same_client)) {
		member->missing_since_ms = 0;
		return 0;
	}
	if (!member->missing_since_ms)
		member->missing_since_ms = loop_now_ms();
	patience_ms = member->in_the_way ? policy->config.in_the_way_ms
					 : policy->config.forgotten_ms;
	missing_ms = loop_now_ms() - member->missing_since_ms;
	if (missing_ms < patience_ms || missing_ms == 0)
		return patience_ms > missing_ms ? patience_ms - (unsigned int)missing_ms : 1;
	remove_forgotten(policy, member);
	return 0;
}

unsigned int policy_set_client_networks(struct policy *policy, const char *client,
					const char *const *ids, size_t n)
{
	unsigned int next_ms = 0;

	if (mark_listed(policy, ids, n) && !*policy->client)
		learn_client(policy, client);
	for (size_t m = policy->world.n; m > 0; m--) {
		unsigned int due_ms =
			judge(policy, policy->world.members[m - 1], streq(policy->client, client));

		if (due_ms && (!next_ms || due_ms < next_ms))
			next_ms = due_ms;
	}
	return next_ms;
}

void forgotten_suspect(struct policy *policy, struct member *member)
{
	if (member->n)
		return;
	member->in_the_way = true;
	engine_ask(policy);
}

/* Once it is known whose it is, nothing has to be asked before something is amiss. */
void forgotten_network_added(struct policy *policy)
{
	if (!*policy->client)
		engine_ask(policy);
}

void forgotten_remember(struct policy *policy)
{
	store_load_client(&policy->store, policy->client);
}

/* Nothing of ours is to be left; and the next one may be another client's. */
void forgotten_last_network_gone(struct policy *policy)
{
	struct err ignored;

	policy->client[0] = '\0';
	(void)store_save_client(&policy->store, NULL, &ignored);
}
