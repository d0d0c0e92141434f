/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fences without a daemon: of the plan that which closes, and nothing that a packet could pass, so
 * that a host that boots is closed before it has a network. What is there stays as it is and is
 * completed: the networks of a daemon that was killed go on, by the exits that there are. */
#include <errno.h>

#include "base/log.h"
#include "base/mem.h"
#include "engine.h"
#include "kernel/apply.h"

struct guard {
	struct policy policy; /* first: engine_read_state() hands it to the two below */
	struct err unread;
};

/* The first one is what the caller is told. */
static void note_unread(struct guard *guard, const struct err *reason)
{
	if (guard->unread.code)
		log_error("%s", reason->text);
	else
		guard->unread = *reason;
}

static void bad_network_file(void *arg, const char *file, const struct err *reason)
{
	struct err err;

	err_set(&err, -EBADMSG,
		"state file networks/%s: %s; its network has no fence, unless it has one already; "
		"repair the file, or remove it if the network is gone",
		file, reason->text);
	note_unread(arg, &err);
}

static void bad_endpoint_file(void *arg, const char *file, const struct err *reason)
{
	struct err err;

	err_set(&err, -EBADMSG, "state file endpoints/%s: %s; restart the container", file,
		reason->text);
	note_unread(arg, &err);
}

/* A container may be confined more than its network. Of one that no file tells of that is not
 * known, so nothing may be written over its chains. */
static int find_unknown_port(const struct plan *seen, const struct plan *wanted, struct err *err)
{
	for (size_t i = 0; i < seen->n; i++) {
		const struct item *item = &seen->items[i];

		if (item->kind == ITEM_VETH && !plan_find(wanted, item))
			return err_set(err, -ENOENT,
				       "interface '%s' is of a container that no file in the run "
				       "directory tells of: the packet filter stays as it is; give "
				       "the daemon's --run-dir, or start the daemon",
				       item->veth.host_if);
	}
	return 0;
}

static bool is_routing(const struct op *op)
{
	return op->after->kind == ITEM_RULE || op->after->kind == ITEM_BACKSTOP;
}

/* Of what is missing or different. Routing first: should the kernel have no packet filter, that
 * closes by itself. */
static void keep_fences(struct ops *ops, bool firewall)
{
	struct ops fences = { .ops = xcalloc(ops->n + 1, sizeof(struct op)) };

	for (size_t i = 0; i < ops->n; i++)
		if (ops->ops[i].after && is_routing(&ops->ops[i]))
			fences.ops[fences.n++] = ops->ops[i];
	for (size_t i = 0; firewall && i < ops->n; i++)
		if (ops->ops[i].after && op_is_firewall(&ops->ops[i]))
			fences.ops[fences.n++] = ops->ops[i];
	ops_done(ops);
	*ops = fences;
}

static int close_networks(struct policy *policy, struct err *err)
{
	AUTO(plan) struct plan wanted = { 0 };
	AUTO(plan) struct plan seen = { 0 };
	AUTO(ops) struct ops ops = { 0 };
	struct err unknown = { 0 };
	int r = engine_compare(policy, &seen, &wanted, &ops, err);

	if (r < 0)
		return r;
	find_unknown_port(&seen, &wanted, &unknown);
	keep_fences(&ops, unknown.code == 0);
	r = apply_what_can(&policy->nl, &ops, err);
	if (r < 0)
		return r;
	log_info("%zu %s; %zu parts were missing", policy->world.n,
		 policy->world.n == 1 ? "network has its fences" : "networks have their fences",
		 ops.n);
	if (unknown.code)
		*err = unknown;
	return unknown.code;
}

int policy_guard(const struct policy_config *config, struct err *err)
{
	struct guard guard = { .policy = { .store = { -1, -1, -1 } } };
	struct policy *policy = &guard.policy;
	int r = store_open_read_only(&policy->store, config->state_dir, config->run_dir, err);

	if (r == 0)
		r = nl_open(&policy->nl, err);
	if (r == 0) {
		neighbours_remember(policy);
		r = engine_read_state(policy, bad_network_file, bad_endpoint_file, err);
	}
	if (r == 0 && policy->world.n)
		r = close_networks(policy, err);
	if (guard.unread.code && r < 0)
		log_error("%s", guard.unread.text);
	else if (guard.unread.code)
		r = err_set(err, guard.unread.code, "%s", guard.unread.text);
	neighbours_forget(policy);
	store_close(&policy->store);
	nl_close(&policy->nl);
	world_done(&policy->world);
	return r;
}
