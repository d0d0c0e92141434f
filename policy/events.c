/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kernel and time tell us, passed on to who knows what it means: containers that ended
 * unheard, exits and other people's bridges that come and go, rules that others changed. */
#include "base/log.h"
#include "base/mem.h"
#include "engine.h"
#include "kernel/link.h"
#include "plan/compile.h"

/* What an earlier client left half-made has had its chance by then. */
#define SWEEP_DELAY_MS 10000

static struct endpoint *find_by_link(const struct policy *policy, const char *host_if,
				     struct member **ret_member)
{
	for (size_t m = 0; m < policy->world.n; m++) {
		struct member *member = policy->world.members[m];

		for (size_t e = 0; e < member->n; e++) {
			if (!streq(member->endpoints[e]->host_if, host_if))
				continue;
			*ret_member = member;
			return member->endpoints[e];
		}
	}
	return NULL;
}

static void discard(struct policy *policy, struct member *member, const struct endpoint *endpoint,
		    const char *why)
{
	struct err err = { 0 };

	log_info("network %.12s: endpoint %.12s removed: %s", member->network.id, endpoint->id,
		 why);
	if (endpoint_discard(policy, member, endpoint->id, &err) < 0)
		log_warn("network %.12s: %s", member->network.id, err.text);
}

/* Notifications were lost: look at what they would have told. */
static void look_again(struct policy *policy)
{
	neighbours_read(policy);
	exits_changed_all(policy);
	for (size_t m = 0; m < policy->world.n; m++) {
		struct member *member = policy->world.members[m];

		for (size_t e = member->n; e > 0; e--)
			if (!link_exists(&policy->nl, member->endpoints[e - 1]->host_if))
				discard(policy, member, member->endpoints[e - 1],
					"its link is gone");
	}
}

static void on_link(void *arg, enum link_event event, const char *name, const char *kind)
{
	struct policy *policy = arg;
	struct endpoint *endpoint;
	struct member *member;

	switch (event) {
	case LINK_CHANGED:
		exits_changed(policy, name);
		if (kind && streq(kind, "bridge"))
			neighbours_bridge_seen(policy, name);
		break;
	case LINK_GONE:
		exits_changed(policy, name);
		neighbours_bridge_gone(policy, name);
		endpoint = find_by_link(policy, name, &member);
		/* The news may be older than a link made since under the same name. */
		if (endpoint && !link_exists(&policy->nl, name))
			discard(policy, member, endpoint, "its container is gone");
		break;
	case LINK_LOST_TRACK:
		look_again(policy);
		break;
	}
}

static void on_nft_change(void *arg)
{
	hostpath_update(arg);
}

/* An endpoint made for an earlier client process, whose other end nobody took or somebody gave
 * back, is nobody's. */
static void on_sweep(void *arg)
{
	struct policy *policy = arg;

	for (size_t m = 0; m < policy->world.n; m++) {
		struct member *member = policy->world.members[m];

		for (size_t e = member->n; e > 0; e--) {
			const struct endpoint *endpoint = member->endpoints[e - 1];

			if (endpoint->era < policy->era &&
			    link_exists(&policy->nl, endpoint->container_if))
				discard(policy, member, endpoint, "no container took it");
		}
	}
}

void events_begin_era(struct policy *policy)
{
	policy->era++;
	loop_timer_arm(policy->sweep, SWEEP_DELAY_MS);
}

void policy_client_started(struct policy *policy)
{
	events_begin_era(policy);
	hostpath_update(policy);
}

int events_start(struct policy *policy, struct err *err)
{
	uint32_t own_port = mnl_socket_get_portid(nl_netfilter(&policy->nl));

	neighbours_remember(policy);
	forgotten_remember(policy);
	policy->sweep = loop_timer_new(policy->loop, on_sweep, policy);
	policy->link_watch = link_watch_new(policy->loop, on_link, policy, err);
	if (!policy->link_watch)
		return err->code;
	policy->nft_watch = nft_watch_new(policy->loop, own_port, on_nft_change, policy, err);
	if (!policy->nft_watch)
		return err->code;
	neighbours_read(policy);
	return 0;
}

void events_stop(struct policy *policy)
{
	nft_watch_free(policy->nft_watch);
	link_watch_free(policy->link_watch);
	loop_timer_free(policy->sweep);
	neighbours_forget(policy);
}
