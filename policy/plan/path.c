/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Paths: for each distinct list of exits one mark, one policy rule and one table, shared by all
 * networks that take it. The table leads into the first exit that is usable, or nowhere. */
#include "compile.h"

#include <stdio.h>

#include "../base/mem.h"
#include "names.h"

static struct prefix everything(enum family f)
{
	return (struct prefix){ .addr.family = family_to_af(f) };
}

/* So that senders are told at once, and counted: see closed.c. Without it they would be stopped all
 * the same, by the backstop. */
static void add_closed(uint8_t path, enum family f, struct plan *plan)
{
	struct fw_element *e = &plan_add(plan, ITEM_FW_ELEMENT)->element;

	snprintf(e->set, sizeof(e->set), f == V4 ? "closed4" : "closed6");
	e->mark = MARK_PATH(path);
}

static void compile_family(uint8_t path, const struct exit_fact *exit, enum family f,
			   struct plan *plan)
{
	struct item_route *route;

	plan_add(plan, ITEM_RULE)->rule = (struct item_rule){
		.family = f,
		.pref = PREF_PATH,
		.mark = MARK_PATH(path),
		.mask = MARK_MASK,
		.action = RULE_LOOKUP,
		.table = TABLE_PATH(path),
	};
	/* Stays when the exit's link goes and takes its routes along. */
	route = &plan_add(plan, ITEM_BACKSTOP)->route;
	route->dst = everything(f);
	route->table = TABLE_PATH(path);
	route->metric = METRIC_BACKSTOP;
	if (!exit || !exit->usable[f]) {
		add_closed(path, f, plan);
		return;
	}
	route = &plan_add(plan, ITEM_ROUTE)->route;
	route->dst = everything(f);
	route->table = TABLE_PATH(path);
	route->metric = METRIC_BRIDGE;
	memcpy(route->oif, exit->name, sizeof(route->oif));
}

const struct exit_fact *path_choose(const struct egress *egress, const struct facts *facts)
{
	const struct exit_fact *resting = NULL;

	for (size_t i = 0; i < egress->via.n; i++) {
		const struct exit_fact *exit = facts_exit(facts, egress->via.names[i]);

		if (!exit || (!exit->usable[V4] && !exit->usable[V6]))
			continue;
		/* In use: what is preferred to it rests. */
		if (!exit->resting || streq(exit->name, facts->in_use[egress->path]))
			return exit;
		if (!resting)
			resting = exit;
	}
	return resting;
}

void compile_path(const struct egress *egress, const struct facts *facts, struct plan *plan)
{
	const struct exit_fact *exit = path_choose(egress, facts);

	for (enum family f = V4; f < FAMILIES; f++)
		compile_family(egress->path, exit, f, plan);
	compile_path_refusals(egress, plan);
	compile_path_answers(egress, plan);
}
