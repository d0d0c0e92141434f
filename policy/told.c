/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Words that come later: what they make of a network or an endpoint that may be in use, in one
 * transition and with all that follows. Until they come, what is known holds; and that it has been
 * changed by them outlives the process, so that nothing is looser while nobody can be asked. */
#include <errno.h>
#include <stdio.h>

#include "base/log.h"
#include "base/mem.h"
#include "engine.h"
#include "model/codec.h"
#include "plan/compile.h"

/* What of a member words can change, to be exchanged with what it has. */
struct version {
	struct network network;
	struct exception **exceptions; /* one per endpoint, owned; NULL: none */
	size_t n;
};

static struct version copy_version(const struct member *member)
{
	struct version version = { .network = member->network, .n = member->n };

	version.exceptions = xcalloc(member->n + 1, sizeof(struct exception *));
	for (size_t e = 0; e < member->n; e++) {
		if (!member->endpoints[e]->exception)
			continue;
		version.exceptions[e] = xcalloc(1, sizeof(struct exception));
		*version.exceptions[e] = *member->endpoints[e]->exception;
	}
	return version;
}

static void version_done(struct version *version)
{
	for (size_t e = 0; e < version->n; e++)
		free(version->exceptions[e]);
	free(version->exceptions);
}

static void exchange(struct member *member, struct version *version)
{
	const struct network network = member->network;

	member->network = version->network;
	version->network = network;
	member->n_exceptions = 0;
	for (size_t e = 0; e < member->n; e++) {
		struct exception *exception = member->endpoints[e]->exception;

		member->endpoints[e]->exception = version->exceptions[e];
		version->exceptions[e] = exception;
		member->n_exceptions += member->endpoints[e]->exception != NULL;
	}
}

static int learn_exits(struct policy *policy, const struct member *member, struct err *err)
{
	int r = exits_learn(policy, &member->network.egress, err);

	for (size_t e = 0; r == 0 && e < member->n; e++)
		r = exits_learn(policy, endpoint_egress(member, member->endpoints[e]), err);
	return r;
}

static void forget_exits(struct policy *policy, const struct version *version)
{
	exits_forget(policy, &version->network.egress);
	for (size_t e = 0; e < version->n; e++)
		if (version->exceptions[e])
			exits_forget(policy, &version->exceptions[e]->egress);
}

/* With what others share with it. */
static void compile_around(const struct policy *policy, const struct member *member,
			   struct plan *plan)
{
	compile_shared(&policy->world, plan);
	compile_paths(&policy->world, plan);
	compile_member(member, &policy->world.facts, plan);
}

/* On success next is what there was before. */
static int become(struct policy *policy, struct member *member, struct version *next,
		  struct err *err)
{
	AUTO(plan) struct plan before = { 0 };
	AUTO(plan) struct plan after = { 0 };
	struct err ignored;
	int r;

	compile_around(policy, member, &before);
	exchange(member, next);
	r = learn_exits(policy, member, err);
	forget_exits(policy, next);
	compile_around(policy, member, &after);
	if (r == 0)
		r = engine_transition(policy, &before, &after, err);
	if (r < 0) {
		exchange(member, next);
		(void)learn_exits(policy, member, &ignored);
		forget_exits(policy, next);
	}
	exits_settle(policy);
	return r;
}

/* The kernel has it in any case; and who starts again asks again. */
static void warn_unsaved(const char *network_id, const struct err *err)
{
	log_warn("network %.12s: %s; a restart forgets what its labels say until they are read "
		 "again",
		 network_id, err->text);
}

static void save_network(struct policy *policy, const struct network *net)
{
	struct err err;

	if (store_save_network(&policy->store, net, &err) < 0)
		warn_unsaved(net->id, &err);
}

static void save_endpoint(struct policy *policy, const struct endpoint *endpoint)
{
	struct err err;

	if (store_save_endpoint(&policy->store, endpoint, &err) < 0)
		warn_unsaved(endpoint->network, &err);
}

static json_t *encode_words(const struct network *net)
{
	struct network copy = *net;

	copy.told = false;
	copy.egress.path = 0;
	return network_encode(&copy);
}

static bool same_words(const struct network *a, const struct network *b)
{
	json_t *left = encode_words(a), *right = encode_words(b);
	bool same = json_equal(left, right);

	json_decref(left);
	json_decref(right);
	return same;
}

bool endpoint_leaks_names(const struct member *member, const struct endpoint *endpoint)
{
	const struct egress *egress = endpoint_egress(member, endpoint);

	return endpoint->names_by_host && egress_is_confined(egress) && egress->dns != DNS_DOCKER &&
	       !member->network.internal;
}

static void warn_of_names(const struct member *member, const struct endpoint *endpoint)
{
	if (endpoint_leaks_names(member, endpoint))
		log_warn("network %.12s: names of the container with endpoint %.12s are resolved "
			 "from the host, around the exit, since it was created without --dns; "
			 "create it again with --dns ADDRESS",
			 member->network.id, endpoint->id);
}

/* With an exception that it may not have yet. */
static void save_exception(struct policy *policy, const struct endpoint *endpoint,
			   struct exception *exception)
{
	struct endpoint copy = *endpoint;

	copy.exception = exception;
	save_endpoint(policy, &copy);
}

/* A network, and its endpoints that differ. */
static void save_version(struct policy *policy, const struct member *member,
			 const struct version *version)
{
	save_network(policy, &version->network);
	for (size_t e = 0; e < member->n; e++)
		if (version->exceptions[e])
			save_exception(policy, member->endpoints[e], version->exceptions[e]);
}

/* Endpoints that differ were made when their network was another. */
static int change_network(struct policy *policy, struct member *member, const struct network *own,
			  struct err *err)
{
	AUTO(version) struct version next = copy_version(member);
	int r;

	next.network = *own;
	r = exits_check(policy, &own->egress, own->bridge, err);
	if (r == 0)
		r = paths_assign(policy, &next.network.egress, err);
	for (size_t e = 0; r == 0 && e < next.n; e++) {
		if (!next.exceptions[e])
			continue;
		exception_fit(next.exceptions[e], own);
		r = paths_assign(policy, &next.exceptions[e]->egress, err);
	}
	if (r < 0)
		return r;
	/* First: killed in between, the next start must not take back what the kernel had. */
	save_version(policy, member, &next);
	r = become(policy, member, &next, err);
	if (r < 0) {
		AUTO(version) struct version kept = copy_version(member);

		save_version(policy, member, &kept);
		return r;
	}
	connections_forget_network(policy, &member->network);
	for (size_t e = 0; e < member->n; e++)
		warn_of_names(member, member->endpoints[e]);
	return 0;
}

int policy_network_tell(struct policy *policy, const char *network_id, const struct words *words,
			struct err *err)
{
	struct member *member = world_find(&policy->world, network_id);
	AUTO(strbuf) struct strbuf remark = { 0 };
	struct network own;
	bool same;
	int r = 0;

	if (!member || member->network.heard)
		return 0;
	own = member->network;
	later_tell(&own, words, false, &remark);
	same = same_words(&own, &member->network);
	if (!same)
		r = change_network(policy, member, &own, err);
	if (r < 0) {
		later_close(&own, err->text, &remark);
		r = change_network(policy, member, &own, err);
	}
	if (r < 0)
		return r;
	member->network.heard = true;
	if (same && strncmp(strbuf_text(&remark), member->network.remark, REMARK_SIZE - 1) == 0)
		return 0;
	member->network.told = true;
	snprintf(member->network.remark, REMARK_SIZE, "%s", strbuf_text(&remark));
	save_network(policy, &member->network);
	return 1;
}

static int change_endpoint(struct policy *policy, struct member *member, struct endpoint *endpoint,
			   const struct network *own, struct err *err)
{
	AUTO(version) struct version next = copy_version(member);
	struct exception *exception = xcalloc(1, sizeof(*exception));
	int r;

	*exception = exception_of(own);
	for (size_t e = 0; e < member->n; e++) {
		if (member->endpoints[e] != endpoint)
			continue;
		free(next.exceptions[e]);
		next.exceptions[e] = exception;
	}
	r = endpoint_check_exception(policy, &member->network, exception, err);
	if (r < 0)
		return r;
	save_exception(policy, endpoint, exception);
	r = become(policy, member, &next, err);
	if (r < 0) {
		save_endpoint(policy, endpoint);
		return r;
	}
	connections_forget_endpoint(policy, endpoint);
	warn_of_names(member, endpoint);
	return 0;
}

int policy_endpoint_tell(struct policy *policy, const char *network_id, const char *endpoint_id,
			 const struct words *words, struct err *err)
{
	struct member *member = world_find(&policy->world, network_id);
	struct endpoint *endpoint = member ? member_find(member, endpoint_id) : NULL;
	AUTO(strbuf) struct strbuf remark = { 0 };
	struct network before, own;
	bool same;
	int r = 0;

	if (!endpoint || endpoint->heard)
		return 0;
	if (!member->network.heard)
		return -EAGAIN;
	before = member->network;
	if (endpoint->exception)
		exception_put(endpoint->exception, &before);
	own = before;
	later_tell(&own, words, true, &remark);
	same = same_words(&own, &before);
	if (!same)
		r = change_endpoint(policy, member, endpoint, &own, err);
	if (r < 0) {
		own = before;
		later_close(&own, err->text, &remark);
		r = change_endpoint(policy, member, endpoint, &own, err);
	}
	if (r < 0)
		return r;
	endpoint->heard = true;
	if (same && streq(strbuf_text(&remark), endpoint->remark ? endpoint->remark : ""))
		return 0;
	free(endpoint->remark);
	endpoint->remark = remark.len ? strbuf_take(&remark) : NULL;
	save_endpoint(policy, endpoint);
	return 1;
}

/* The other end has been taken: the container runs in a moment, and can be asked about. */
void told_link_taken(struct policy *policy, const char *container_if)
{
	for (size_t m = 0; m < policy->world.n; m++) {
		const struct member *member = policy->world.members[m];

		for (size_t e = 0; e < member->n; e++) {
			struct endpoint *endpoint = member->endpoints[e];

			if (endpoint->heard || !streq(endpoint->container_if, container_if))
				continue;
			endpoint->since_ms = loop_now_ms();
			engine_listen(policy);
		}
	}
}

/* What is said of something new is known within a moment, or when its container runs. But a long
 * list takes its time, on both sides. */
#define UNTOLD_MIN_MS 50
#define UNTOLD_MAX_MS 60000
#define UNTOLD_ENDPOINTS_PER_MS 4

unsigned int policy_untold(const struct policy *policy)
{
	uint64_t since_ms = 0, due_ms; /* of the youngest */
	size_t endpoints = 0;

	for (size_t m = 0; m < policy->world.n; m++) {
		const struct member *member = policy->world.members[m];

		endpoints += member->n;
		if (!member->network.heard && member->network.since_ms > since_ms)
			since_ms = member->network.since_ms;
		for (size_t e = 0; e < member->n; e++)
			if (!member->endpoints[e]->heard &&
			    member->endpoints[e]->since_ms > since_ms)
				since_ms = member->endpoints[e]->since_ms;
	}
	if (!since_ms)
		return 0;
	due_ms = (loop_now_ms() - since_ms) / 4;
	if (due_ms < UNTOLD_MIN_MS)
		due_ms = UNTOLD_MIN_MS;
	due_ms += endpoints / UNTOLD_ENDPOINTS_PER_MS;
	return due_ms < UNTOLD_MAX_MS ? (unsigned int)due_ms : UNTOLD_MAX_MS;
}
