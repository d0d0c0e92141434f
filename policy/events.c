/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kernel and time tell us, passed on to who knows what it means: containers that ended
 * unheard, exits and other people's bridges that come and go, rules that others changed. */
#include "base/log.h"
#include "base/mem.h"
#include "engine.h"
#include "inspect.h"
#include "kernel/link.h"
#include "plan/compile.h"

/* What an earlier client left half-made has had its chance by then. */
#define SWEEP_DELAY_MS 10000
/* Whoever writes rules writes many. */
#define HOSTPATH_DELAY_MS 20

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
	repair_suspect_all(policy->repair);
	for (size_t m = 0; m < policy->world.n; m++) {
		struct member *member = policy->world.members[m];

		for (size_t e = member->n; e > 0; e--)
			if (!link_exists(&policy->nl, member->endpoints[e - 1]->host_if))
				discard(policy, member, member->endpoints[e - 1],
					"its link is gone");
	}
}

/* About a link of ours, or one that looks like it. */
static void note_own(struct policy *policy, enum link_event event, const struct link_info *link)
{
	bool bridge = is_own_bridge(policy, link->name);

	/* It took routes and addresses along, even if it is up again. */
	if (bridge && (event == LINK_WENT_DOWN || event == LINK_GONE))
		repair_suspect(policy->repair, PART_LINKS, "");
	else if (bridge || link_is_ours(link) || is_own_link(policy, link->name))
		repair_suspect_link(policy->repair, link->name);
}

static void on_link(void *arg, enum link_event event, const struct link_info *link)
{
	struct policy *policy = arg;
	const char *name = link->name;
	struct endpoint *endpoint;
	struct member *member;

	switch (event) {
	case LINK_CHANGED:
	case LINK_WENT_DOWN:
		exits_changed(policy, name);
		exits_miss(policy);
		if (streq(link->kind, "bridge"))
			neighbours_bridge_seen(policy, name);
		note_own(policy, event, link);
		break;
	case LINK_GONE:
		exits_changed(policy, name);
		note_own(policy, event, link);
		neighbours_bridge_gone(policy, name);
		told_link_taken(policy, name);
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

static void on_nft_change(void *arg, const struct nft_news *news)
{
	struct policy *policy = arg;

	if (policy->world.n == 0)
		return;
	if (news->ours)
		repair_suspect(policy->repair, PART_FIREWALL, news->by);
	if (!news->others || policy->hostpath_pending)
		return;
	policy->hostpath_pending = true;
	loop_timer_arm(policy->hostpath, HOSTPATH_DELAY_MS);
	surveyor_look_soon(policy->surveyor);
}

static void on_hostpath(void *arg)
{
	struct policy *policy = arg;

	policy->hostpath_pending = false;
	hostpath_repair(policy);
}

static void on_route(void *arg, enum route_event event)
{
	struct policy *policy = arg;

	if (policy->world.n == 0)
		return;
	switch (event) {
	case ROUTE_CHANGED:
	case FORWARDING_LOST:
		repair_suspect(policy->repair, PART_ROUTES, "");
		break;
	case RULE_CHANGED:
		repair_suspect(policy->repair, PART_RULES, "");
		break;
	case RULE_FOREIGN:
		break;
	case ROUTE_LOST_TRACK:
		repair_suspect_all(policy->repair);
		break;
	}
	surveyor_look_soon(policy->surveyor);
}

static void on_rested(void *arg, const char *exit)
{
	exits_rested(arg, exit);
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

	policy->repair = repair_new(policy);
	policy->rests = rests_new(policy->loop, on_rested, policy);
	policy->surveyor = surveyor_new(policy);
	policy->hostpath = loop_timer_new(policy->loop, on_hostpath, policy);
	neighbours_remember(policy);
	forgotten_remember(policy);
	policy->sweep = loop_timer_new(policy->loop, on_sweep, policy);
	policy->link_watch = link_watch_new(policy->loop, on_link, policy, err);
	if (!policy->link_watch)
		return err->code;
	policy->nft_watch = nft_watch_new(policy->loop, own_port, on_nft_change, policy, err);
	if (!policy->nft_watch)
		return err->code;
	own_port = mnl_socket_get_portid(policy->nl.route);
	policy->route_watch = route_watch_new(policy->loop, own_port, on_route, policy, err);
	if (!policy->route_watch)
		return err->code;
	neighbours_read(policy);
	return 0;
}

void events_stop(struct policy *policy)
{
	route_watch_free(policy->route_watch);
	nft_watch_free(policy->nft_watch);
	link_watch_free(policy->link_watch);
	surveyor_free(policy->surveyor);
	rests_free(policy->rests);
	repair_free(policy->repair);
	loop_timer_free(policy->hostpath);
	loop_timer_free(policy->sweep);
	neighbours_forget(policy);
}
