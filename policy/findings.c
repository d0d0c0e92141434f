/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A difference between kernel and plan, in short: see repair.h. */
#include <stdio.h>

#include "base/mem.h"
#include "repair.h"

static enum part part_of(const struct item *item)
{
	switch (item->kind) {
	case ITEM_FW_TABLE:
	case ITEM_FW_SET:
	case ITEM_FW_COUNTER:
	case ITEM_FW_CHAIN:
	case ITEM_FW_ELEMENT:
		return PART_FIREWALL;
	case ITEM_RULE:
		return PART_RULES;
	case ITEM_FORWARDING:
	case ITEM_BACKSTOP:
	case ITEM_ROUTE:
		return PART_ROUTES;
	case ITEM_BRIDGE:
	case ITEM_ADDRESS:
	case ITEM_VETH:
		break;
	}
	return PART_LINKS;
}

static bool is_news(const struct op *op, const struct plan *expected)
{
	/* Forwarding stays on when nobody needs it any more: others may. */
	if (!op->after && op->before->kind == ITEM_FORWARDING)
		return false;
	/* In the course of a change, what is to go is not told from what is too much. */
	return !expected || (op->after && !plan_find(expected, op->after));
}

static void describe(const struct op *op, struct strbuf *text)
{
	item_print(op->after ? op->after : op->before, text);
	strbuf_addf(text, "%s",
		    !op->before  ? " was missing"
		    : !op->after ? " was too much"
				 : " was different");
}

void findings_collect(const struct ops *ops, const struct plan *expected,
		      struct findings *ret_findings)
{
	const struct op *first = NULL;
	size_t total = 0;

	*ret_findings = (struct findings){ 0 };
	for (size_t i = 0; i < ops->n; i++) {
		const struct op *op = &ops->ops[i];

		if (!is_news(op, expected))
			continue;
		ret_findings->n[part_of(op->after ? op->after : op->before)]++;
		first = first ? first : op;
		total++;
	}
	if (first) {
		AUTO(strbuf) struct strbuf text = { 0 };

		describe(first, &text);
		if (total > 1)
			strbuf_addf(&text, ", and %zu more", total - 1);
		snprintf(ret_findings->first, sizeof(ret_findings->first), "%s",
			 strbuf_text(&text));
	}
}
