/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See apply.h. */
#include "apply.h"

#include "../base/mem.h"
#include "address.h"
#include "bridge.h"
#include "forwarding.h"
#include "link.h"
#include "nft_commit.h"
#include "nl.h"
#include "route.h"
#include "rule.h"
#include "veth.h"

static int create(struct nl *nl, const struct item *item, struct err *err)
{
	switch (item->kind) {
	case ITEM_FORWARDING:
		return forwarding_enable(nl, item->forwarding.family, err);
	case ITEM_RULE:
		return rule_add(nl, &item->rule, err);
	case ITEM_BACKSTOP:
	case ITEM_ROUTE:
		return route_add(nl, &item->route, err);
	case ITEM_BRIDGE:
		return bridge_add(nl, &item->bridge, err);
	case ITEM_ADDRESS:
		return address_add(nl, &item->address, err);
	case ITEM_VETH:
		return veth_add(nl, &item->veth, err);
	case ITEM_FW_TABLE:
	case ITEM_FW_SET:
	case ITEM_FW_COUNTER:
	case ITEM_FW_CHAIN:
	case ITEM_FW_ELEMENT:
		break; /* nft_commit() */
	}
	return 0;
}

static int change(struct nl *nl, const struct item *item, struct err *err)
{
	if (item->kind == ITEM_BRIDGE)
		return bridge_change(nl, &item->bridge, err);
	if (item->kind == ITEM_VETH)
		return veth_change(nl, &item->veth, err);
	return 0; /* the others have no state besides their key */
}

static int destroy(struct nl *nl, const struct item *item, struct err *err)
{
	switch (item->kind) {
	case ITEM_RULE:
		return rule_remove(nl, &item->rule, err);
	case ITEM_BACKSTOP:
	case ITEM_ROUTE:
		return route_remove(nl, &item->route, err);
	case ITEM_BRIDGE:
		return link_remove(nl, item->bridge.name, err);
	case ITEM_ADDRESS:
		return address_remove(nl, &item->address, err);
	case ITEM_VETH:
		return link_remove(nl, item->veth.host_if, err);
	case ITEM_FORWARDING: /* others rely on it by now */
	case ITEM_FW_TABLE:
	case ITEM_FW_SET:
	case ITEM_FW_COUNTER:
	case ITEM_FW_CHAIN:
	case ITEM_FW_ELEMENT:
		break;
	}
	return 0;
}

static int apply_op(struct nl *nl, const struct op *op, struct err *err)
{
	if (!op->before)
		return create(nl, op->after, err);
	if (!op->after)
		return destroy(nl, op->before, err);
	return change(nl, op->after, err);
}

int apply_ops(struct nl *nl, struct ops *ops, struct err *err)
{
	bool committed = false;
	int r = 0;

	for (size_t i = 0; r == 0 && i < ops->n; i++) {
		struct op *op = &ops->ops[i];

		if (!op_is_firewall(op)) {
			r = apply_op(nl, op, err);
		} else if (!committed) {
			r = nft_commit(nl, ops, err);
			committed = true;
		}
		op->done = r == 0;
	}
	return r;
}

int apply_what_can(struct nl *nl, struct ops *ops, struct err *err)
{
	bool committed = false;
	int first = 0;

	for (size_t i = 0; i < ops->n; i++) {
		struct op *op = &ops->ops[i];
		struct err reason = { 0 };
		int r = 0;

		if (!op_is_firewall(op))
			r = apply_op(nl, op, &reason);
		else if (!committed)
			r = nft_commit(nl, ops, &reason);
		op->done = r == 0;
		if (r < 0 && first == 0) {
			first = r;
			*err = reason;
		}
		if (r < 0 && op_is_firewall(op))
			break;
		committed |= op_is_firewall(op);
	}
	return first;
}

void apply_undo(struct nl *nl, struct ops *ops)
{
	struct ops firewall = { .ops = xcalloc(ops->n + 1, sizeof(struct op)) };
	struct err ignored;

	for (size_t i = ops->n; i > 0; i--) {
		const struct op *op = &ops->ops[i - 1];
		struct op inverse = { .before = op->after, .after = op->before };

		if (!op->done)
			continue;
		if (op_is_firewall(op))
			firewall.ops[firewall.n++] = inverse;
		else
			(void)apply_op(nl, &inverse, &ignored);
	}
	/* The transaction was refused or done as a whole; what it takes to undo it goes last, as
	 * roads were made after it. */
	if (firewall.n)
		(void)nft_commit(nl, &firewall, &ignored);
	ops_done(&firewall);
}

int observe_all(struct nl *nl, struct plan *plan, struct err *err)
{
	int r = nft_observe(nl, plan, err);

	if (r == 0)
		r = forwarding_observe(nl, plan, err);
	if (r == 0)
		r = rules_observe(nl, plan, err);
	if (r == 0)
		r = routes_observe(nl, plan, err);
	if (r == 0)
		r = links_observe(nl, plan, err);
	if (r == 0)
		r = addresses_observe(nl, plan, err);
	plan_sort(plan);
	return r;
}
