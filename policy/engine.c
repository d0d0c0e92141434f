/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Plan, diff, apply: see engine.h. And the beginning and the end of an engine. */
#include "engine.h"

#include <errno.h>

#include "base/log.h"
#include "base/mem.h"
#include "kernel/apply.h"
#include "kernel/link.h"
#include "kernel/nft_commit.h"
#include "plan/compile.h"

void engine_ask(const struct policy *policy)
{
	if (policy->config.ask)
		policy->config.ask(policy->config.arg);
}

void engine_listen(const struct policy *policy)
{
	if (policy->config.listen)
		policy->config.listen(policy->config.arg);
}

static bool touches_firewall(const struct ops *ops)
{
	for (size_t i = 0; i < ops->n; i++)
		if (op_is_firewall(&ops->ops[i]))
			return true;
	return false;
}

/* What we rely on is not what we left there: somebody flushed, edited or deleted it. */
static bool was_changed(int code)
{
	return code == -ENOENT || code == -EEXIST || code == -ENODEV;
}

int engine_transition(struct policy *policy, struct plan *before, struct plan *after,
		      struct err *err)
{
	AUTO(ops) struct ops ops = { 0 };
	struct findings findings;
	int r;

	plan_sort(before);
	plan_sort(after);
	diff_compute(before, after, &ops);
	r = apply_ops(&policy->nl, &ops, err);
	if (r == 0)
		return 0;
	apply_undo(&policy->nl, &ops);
	if (was_changed(r)) {
		struct err first = *err;

		log_warn("%s; the kernel does not have what was left there: rebuilding it",
			 first.text);
		if (engine_reconcile(policy, after, &findings, err) == 0) {
			repair_note(policy->repair, &findings);
			return 0;
		}
		*err = first;
	}
	/* Undoing may have failed like the change itself; and what is no more in the world by now
	 * is asked to go by nobody again. */
	repair_unfinished(policy->repair);
	return r;
}

/* Operations that remove something the world does not know. */
static void keep_unknown(struct ops *ops)
{
	size_t n = 0;

	for (size_t i = 0; i < ops->n; i++)
		if (ops->ops[i].after)
			ops->ops[n++] = ops->ops[i];
	ops->n = n;
}

/* The firewall's operations have been dealt with. */
static void skip_firewall(struct ops *ops)
{
	size_t n = 0;

	for (size_t i = 0; i < ops->n; i++)
		if (!op_is_firewall(&ops->ops[i]))
			ops->ops[n++] = ops->ops[i];
	ops->n = n;
}

/* All that would make a pair, but for those of this plan. */
static void skip_pairs(struct ops *ops, const struct plan *making)
{
	size_t n = 0;

	for (size_t i = 0; i < ops->n; i++) {
		const struct op *op = &ops->ops[i];
		bool makes = !op->before && op->after->kind == ITEM_VETH;

		if (!makes || (making && plan_find(making, op->after)))
			ops->ops[n++] = *op;
	}
	ops->n = n;
}

static void print_op(const struct op *op, struct strbuf *text)
{
	strbuf_addf(text, "%c ", !op->before ? '+' : !op->after ? '-' : '~');
	item_print(op->after ? op->after : op->before, text);
}

static void log_difference(const struct ops *ops)
{
	for (size_t i = 0; i < ops->n; i++) {
		AUTO(strbuf) struct strbuf text = { 0 };

		print_op(&ops->ops[i], &text);
		log_debug("%s", strbuf_text(&text));
	}
}

int engine_compare(struct policy *policy, struct plan *seen, struct plan *wanted,
		   struct ops *ret_ops, struct err *err)
{
	int r = observe_all(&policy->nl, seen, err);

	if (r == 0 && !policy->recalled) {
		exits_recall(policy, seen);
		policy->recalled = true;
	}
	compile_world(&policy->world, wanted);
	if (r == 0)
		diff_compute(seen, wanted, ret_ops);
	return r;
}

int engine_reconcile(struct policy *policy, const struct plan *making,
		     struct findings *ret_findings, struct err *err)
{
	AUTO(plan) struct plan wanted = { 0 };
	AUTO(plan) struct plan seen = { 0 };
	AUTO(ops) struct ops ops = { 0 };
	int r = engine_compare(policy, &seen, &wanted, &ops, err);

	*ret_findings = (struct findings){ 0 };
	if (r < 0)
		return r;
	skip_pairs(&ops, making);
	if (policy->incomplete)
		keep_unknown(&ops);
	log_difference(&ops);
	findings_collect(&ops, making, ret_findings);
	if (!policy->incomplete && wanted.n && touches_firewall(&ops)) {
		/* Rather than mending it: whatever it is now, one transaction makes it right. */
		r = nft_replace(&policy->nl, &wanted, err);
		if (r < 0)
			return r;
		skip_firewall(&ops);
	}
	return apply_what_can(&policy->nl, &ops, err);
}

int policy_print_difference(struct policy *policy, struct strbuf *text, struct err *err)
{
	AUTO(plan) struct plan wanted = { 0 };
	AUTO(plan) struct plan seen = { 0 };
	AUTO(ops) struct ops ops = { 0 };
	int r = engine_compare(policy, &seen, &wanted, &ops, err);

	for (size_t i = 0; r == 0 && i < ops.n; i++) {
		/* Forwarding stays on when nobody needs it any more: others may. */
		if (!ops.ops[i].after && ops.ops[i].before->kind == ITEM_FORWARDING)
			continue;
		print_op(&ops.ops[i], text);
		strbuf_addf(text, "\n");
	}
	return r;
}

static void load_network(void *arg, const struct network *network)
{
	struct policy *policy = arg;

	world_add(&policy->world, network)->network.since_ms = loop_now_ms();
	/* Whatever others call theirs. */
	facts_remove_neighbour(&policy->world.facts, network->bridge);
}

static void load_endpoint(void *arg, struct endpoint *endpoint)
{
	struct policy *policy = arg;
	struct member *member = world_find(&policy->world, endpoint->network);

	endpoint->since_ms = loop_now_ms();
	if (member && !member_find(member, endpoint->id)) {
		member_add(member, endpoint);
		return;
	}
	/* Its network may be one that cannot be read for now. */
	if (member || !policy->incomplete)
		store_remove_endpoint(&policy->store, endpoint->id);
	endpoint_done(endpoint);
}

static void bad_network_file(void *arg, const char *file, const struct err *reason)
{
	struct policy *policy = arg;

	log_error(
		"state file networks/%s: %s; its network stays as the kernel has it and cannot be "
		"used until the file is repaired or removed",
		file, reason->text);
	policy->incomplete = true;
}

static void bad_endpoint_file(void *arg, const char *file, const struct err *reason)
{
	(void)arg;
	log_error("state file endpoints/%s: %s; the container has to be restarted", file,
		  reason->text);
}

/* An endpoint whose link is gone ended while nobody was looking. */
static int drop_ended(struct policy *policy, struct err *err)
{
	AUTO(plan) struct plan seen = { 0 };
	int r = links_observe(&policy->nl, &seen, err);

	plan_sort(&seen);
	for (size_t m = 0; r == 0 && m < policy->world.n; m++) {
		struct member *member = policy->world.members[m];

		for (size_t e = member->n; e > 0; e--) {
			struct endpoint *endpoint = member->endpoints[e - 1];
			struct item key = { .kind = ITEM_VETH };

			memcpy(key.veth.host_if, endpoint->host_if, IFNAMSIZ);
			if (plan_find(&seen, &key))
				continue;
			store_remove_endpoint(&policy->store, endpoint->id);
			member_remove(member, endpoint->id);
		}
	}
	return r;
}

static void port_lost(void *arg, const struct port *port, const struct err *reason)
{
	(void)arg;
	(void)port;
	log_warn("%s; the port still works from other hosts, but not from this host's loopback",
		 reason->text);
}

static void reopen_ports(struct policy *policy)
{
	for (size_t m = 0; m < policy->world.n; m++) {
		const struct member *member = policy->world.members[m];

		for (size_t e = 0; e < member->n; e++)
			ports_reopen(policy->ports, &member->network, member->endpoints[e],
				     port_lost, NULL);
	}
}

struct learning {
	struct policy *policy;
	struct err *err;
	int r;
};

static bool learn(const struct egress *egress, void *arg)
{
	struct learning *learning = arg;

	learning->r = exits_learn(learning->policy, egress, learning->err);
	return learning->r < 0;
}

static int learn_exits(struct policy *policy, struct err *err)
{
	struct learning learning = { .policy = policy, .err = err };

	world_any_egress(&policy->world, learn, &learning);
	return learning.r;
}

int engine_read_state(struct policy *policy, store_bad_fn *bad_network, store_bad_fn *bad_endpoint,
		      struct err *err)
{
	int r = store_load_networks(&policy->store, load_network, bad_network, policy, err);

	if (r == 0)
		r = store_load_endpoints(&policy->store, load_endpoint, bad_endpoint, policy, err);
	if (r == 0)
		r = learn_exits(policy, err);
	exits_settle(policy);
	return r;
}

static int load(struct policy *policy, struct err *err)
{
	struct findings ignored;
	int r = engine_read_state(policy, bad_network_file, bad_endpoint_file, err);

	if (r == 0)
		r = drop_ended(policy, err);
	if (r == 0)
		r = engine_reconcile(policy, NULL, &ignored, err);
	if (r == 0)
		reopen_ports(policy);
	mem_give_back();
	return r;
}

static void legacy_failed(const char *sentence)
{
	log_warn("%s", sentence);
}

struct policy *policy_open(const struct policy_config *config, struct loop *loop, struct err *err)
{
	struct policy *policy = xcalloc(1, sizeof(*policy));
	int r;

	policy->loop = loop;
	policy->config = *config;
	policy->store = (struct store){ -1, -1, -1 };
	r = nl_open(&policy->nl, err);
	if (r == 0 && config->sysctl_dir)
		policy->nl.sysctls = config->sysctl_dir;
	if (r == 0)
		r = store_open(&policy->store, config->state_dir, config->run_dir, err);
	if (r == 0 && !(policy->ports = ports_new(loop, &(struct ports_limits){ 0 }, err)))
		r = err->code;
	policy->legacy = hostfw_legacy_new(loop, legacy_failed);
	if (r == 0)
		r = events_start(policy, err);
	if (r == 0)
		r = load(policy, err);
	if (r < 0) {
		policy_close(policy);
		return NULL;
	}
	/* Calls that came while nobody was there are lost: of endpoints never announced to a
	 * container, and of endpoints that left theirs. */
	events_begin_era(policy);
	hostpath_update(policy);
	surveyor_look_soon(policy->surveyor);
	log_info("%zu networks", policy->world.n);
	return policy;
}

void policy_close(struct policy *policy)
{
	if (!policy)
		return;
	events_stop(policy);
	hostfw_legacy_free(policy->legacy);
	ports_free(policy->ports);
	store_close(&policy->store);
	nl_close(&policy->nl);
	world_done(&policy->world);
	free(policy);
}
