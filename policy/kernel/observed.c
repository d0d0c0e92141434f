/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See observed.h. Only for items that own nothing: no firewall. */
#include "observed.h"

#include <stdlib.h>

static int compare_items(const void *a, const void *b)
{
	return item_compare(a, b);
}

void observed_once(struct plan *plan, size_t start)
{
	size_t last = start;

	if (plan->n - start < 2)
		return;
	qsort(plan->items + start, plan->n - start, sizeof(*plan->items), compare_items);
	for (size_t i = start + 1; i < plan->n; i++)
		if (item_compare(&plan->items[last], &plan->items[i]) != 0)
			plan->items[++last] = plan->items[i];
	plan->n = last + 1;
}
