/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Answers of containers to who reached a published port: they go back the way he came, as ingress.c
 * noted on the connection. A container cannot make its own packet an answer. In a confined network,
 * who came through a tunnel is answered through it or not at all.
 *
 * The chains are the same for all networks of a kind, and shared: what is no answer, as nearly
 * everything, passes one rule instead of all of these. */
#include "compile.h"

#include <stdio.h>

#include "chain.h"
#include "fw_expr.h"
#include "names.h"

/* direction: mark or from */
static void name_of(const char *direction, const struct egress *egress, char name[FW_NAME_SIZE])
{
	if (!egress_is_confined(egress))
		snprintf(name, FW_NAME_SIZE, "%s-answers", direction);
	else if (egress->path == 0)
		snprintf(name, FW_NAME_SIZE, "%s-answers-confined", direction);
	else
		snprintf(name, FW_NAME_SIZE, "%s-answers-path-%u", direction, egress->path);
}

static struct fw_chain *add_chain(struct plan *plan, const char *direction,
				  const struct egress *egress)
{
	struct fw_chain *chain = &plan_add(plan, ITEM_FW_CHAIN)->chain;

	name_of(direction, egress, chain->name);
	return chain;
}

/* Accepted is what the base chain has no more to say about. */
static void compile_ways(const struct egress *egress, struct plan *plan)
{
	struct fw_chain *mark = add_chain(plan, "mark", egress);

	rule(mark, "by the main table", ct_mark(MARK_RETURN), set_mark(MARK_RETURN), accept_it());
	rule(mark, "to the tailnet", ct_mark(MARK_HOST), set_mark(MARK_HOST), accept_it());
	if (egress_is_confined(egress))
		rule(mark, "to a tunnel", ct_mark(MARK_TUNNEL), set_mark(MARK_RETURN), accept_it());
	if (egress->path)
		rule(mark, "through the exit", ct_mark(MARK_PATH(egress->path)),
		     set_mark(MARK_PATH(egress->path)), accept_it());
}

static void compile_permits(const struct egress *egress, struct plan *plan)
{
	struct fw_chain *from = add_chain(plan, "from", egress);

	rule(from, "by the main table", ct_mark(MARK_RETURN), accept_it());
	rule(from, "to the tailnet", ct_mark(MARK_HOST), oifname("tailscale*"), accept_it());
	for (size_t i = 0; i < TUNNEL_KINDS; i++)
		rule(from, "to a tunnel", ct_mark(MARK_TUNNEL), oifkind(tunnel_kinds[i]),
		     accept_it());
	for (size_t i = 0; i < egress->via.n; i++)
		rule(from, "through the exit", ct_mark(MARK_PATH(egress->path)),
		     oifname(egress->via.names[i]), accept_it());
}

void compile_answers(struct plan *plan)
{
	static const struct egress open = { .policy = POLICY_OPEN };
	static const struct egress isolated = { .policy = POLICY_ISOLATED };

	compile_ways(&open, plan);
	compile_ways(&isolated, plan);
	compile_permits(&isolated, plan);
}

void compile_path_answers(const struct egress *egress, struct plan *plan)
{
	compile_ways(egress, plan);
	compile_permits(egress, plan);
}

void mark_answers(const struct egress *egress, struct fw_chain *mark)
{
	char name[FW_NAME_SIZE];

	name_of("mark", egress, name);
	rule(mark, "answers", ct_reply(), jump_chain(name));
}

void permit_answers(const struct egress *egress, struct fw_chain *from)
{
	struct fw_expr known = ct_state(FW_CT_ESTABLISHED | FW_CT_RELATED);
	char name[FW_NAME_SIZE];

	name_of("from", egress, name);
	rule(from, "answers", ct_reply(), known,
	     egress_is_confined(egress) ? jump_chain(name) : accept_it());
}
