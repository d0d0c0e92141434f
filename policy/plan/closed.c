/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What goes nowhere is refused before routing would drop it: counted for the network, and in a way
 * that the sender believes at once. This closes nothing, the routing does. */
#include "compile.h"

#include <stdio.h>

#include "../base/mem.h"
#include "chain.h"
#include "fw_expr.h"
#include "names.h"

/* Not to be forwarded in any case, or by nobody's routes. */
static const struct prefix near_by[] = {
	{ { AF_INET, { 224 } }, 4 },
	{ { AF_INET, { 255, 255, 255, 255 } }, 32 },
	{ { AF_INET6, { 0xff } }, 8 },
	{ { AF_INET6, { 0xfe, 0x80 } }, 10 },
};

static void refuse_all(const struct scope *scope, const char *reason, struct fw_chain *closed)
{
	for (enum family f = V4; f < FAMILIES; f++)
		if (prefix_is_set(&scope->net->subnet[f]))
			rule(closed, "inside the network",
			     daddr(prefix_network(&scope->net->subnet[f])), return_());
	for (size_t i = 0; i < ARRAY_SIZE(near_by); i++)
		rule(closed, "on this link only", daddr(near_by[i]), return_());
	rule(closed, "to the host", to_host(), return_());
	rule(closed, "nowhere to go", lost(scope, reason), reject());
}

void compile_closed(const struct scope *scope, struct fw_chain *mark, struct plan *plan)
{
	bool isolated = scope->egress->policy == POLICY_ISOLATED;
	char whose[IFNAMSIZ], name[FW_NAME_SIZE];
	struct fw_chain *closed;

	if (scope->net->internal || !egress_is_confined(scope->egress))
		return;
	scope_name(scope, whose);
	snprintf(name, sizeof(name), "closed-%s", whose);
	if (isolated) {
		rule(mark, "isolated", goto_chain(name));
	} else {
		rule(mark, "the exit is closed", family(V4), in_set("closed4"), goto_chain(name));
		rule(mark, "the exit is closed", family(V6), in_set("closed6"), goto_chain(name));
	}
	/* From here on mark may have moved. */
	closed = &plan_add(plan, ITEM_FW_CHAIN)->chain;
	memcpy(closed->name, name, sizeof(closed->name));
	refuse_all(scope, isolated ? "isolated" : "exit", closed);
}
