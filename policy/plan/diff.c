/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See diff.h. */
#include "diff.h"

#include "../base/mem.h"
#include "names.h"

static void add_op(struct ops *ops, const struct item *before, const struct item *after)
{
	ops->ops[ops->n++] = (struct op){ .before = before, .after = after };
}

/* Walks both sorted lists side by side. */
static void collect(const struct plan *before, const struct plan *after, struct ops *ops)
{
	size_t b = 0, a = 0;

	while (b < before->n || a < after->n) {
		int order = b == before->n  ? 1
			    : a == after->n ? -1
					    : item_compare(&before->items[b], &after->items[a]);

		if (order < 0) {
			add_op(ops, &before->items[b++], NULL);
		} else if (order > 0) {
			add_op(ops, NULL, &after->items[a++]);
		} else {
			if (!item_equal(&before->items[b], &after->items[a]))
				add_op(ops, &before->items[b], &after->items[a]);
			b++;
			a++;
		}
	}
}

enum phase { REMOVE_ROADS, FIREWALL, MAKE_ROADS, REMOVE_ANSWERS, PHASES };

/* What is asked by one rule for two networks was asked by two: see fences.c. */
static bool is_answer(const struct item *item)
{
	return item->kind == ITEM_RULE && item->rule.pref == PREF_NOWHERE;
}

static enum phase phase_of(const struct op *op)
{
	if (!op->after && is_answer(op->before))
		return REMOVE_ANSWERS;
	if (op_is_firewall(op))
		return FIREWALL;
	return op->after ? MAKE_ROADS : REMOVE_ROADS;
}

void diff_compute(const struct plan *before, const struct plan *after, struct ops *ret_ops)
{
	AUTO(ops) struct ops all = { .ops = xcalloc(before->n + after->n + 1, sizeof(struct op)) };
	struct ops sorted = { .ops = xcalloc(before->n + after->n + 1, sizeof(struct op)) };

	collect(before, after, &all);
	for (size_t i = all.n; i > 0; i--)
		if (phase_of(&all.ops[i - 1]) == REMOVE_ROADS)
			sorted.ops[sorted.n++] = all.ops[i - 1];
	for (enum phase phase = FIREWALL; phase < PHASES; phase++)
		for (size_t i = 0; i < all.n; i++)
			if (phase_of(&all.ops[i]) == phase)
				sorted.ops[sorted.n++] = all.ops[i];
	*ret_ops = sorted;
}

void ops_done(struct ops *ops)
{
	free(ops->ops);
	*ops = (struct ops){ 0 };
}
