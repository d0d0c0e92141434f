/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The difference of two plans as operations, in the order in which they are safe. */
#pragma once

#include "plan.h"

/* before NULL: create after. after NULL: remove before. Both: change. Items are borrowed. */
struct op {
	const struct item *before;
	const struct item *after;
	bool done; /* set by whoever applied it */
};

struct ops {
	struct op *ops; /* owned */
	size_t n;
};

/* Both plans must be sorted and outlive the result. Roads are removed before the firewall is
 * touched and made after it: removals of links, routes ... in reverse order of kind, then
 * everything of the firewall (one transaction), then changes and additions of the rest in order of
 * kind, and last of all those rules go that another one has taken the place of: see fences.c. */
void diff_compute(const struct plan *before, const struct plan *after, struct ops *ret_ops);
void ops_done(struct ops *ops);

static inline bool op_is_firewall(const struct op *op)
{
	return (op->before ? op->before : op->after)->kind <= ITEM_FW_ELEMENT;
}
