/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which way a packet of a network goes: the mark it gets before the routing decision. One of the
 * two keys; the other is egress.c. A packet without a mark meets the fence among the policy rules.
 */
#include "compile.h"

#include "chain.h"
#include "fw_expr.h"
#include "names.h"

static const struct prefix link_local = { { AF_INET6, { 0xfe, 0x80 } }, 10 };
/* What asks whether an address is taken has none yet. */
static const struct prefix unspecified = { { AF_INET6, { 0 } }, 128 };

/* Docker lets containers send what they like by default. */
static void drop_forged(const struct scope *scope, struct fw_chain *mark)
{
	const struct network *net = scope->net;

	if (prefix_is_set(&net->subnet[V4]))
		rule(mark, "forged source", not(saddr(prefix_network(&net->subnet[V4]))),
		     lost(scope, "forged"), drop());
	else
		rule(mark, "forged source", family(V4), lost(scope, "forged"), drop());
	rule(mark, "neighbour discovery", saddr(link_local), return_());
	rule(mark, "neighbour discovery", saddr(unspecified), return_());
	if (prefix_is_set(&net->subnet[V6]) && !scope->v6_off)
		rule(mark, "forged source", not(saddr(prefix_network(&net->subnet[V6]))),
		     lost(scope, "forged"), drop());
	else
		rule(mark, "no IPv6 here", family(V6), lost(scope, "ipv6"), drop());
}

static void mark_tailnet(struct fw_chain *mark)
{
	for (enum family f = V4; f < FAMILIES; f++)
		rule(mark, "the tailnet stays in its tunnel", daddr(tailnet[f]),
		     set_mark(MARK_HOST), return_());
}

/* By the main table, but never by a default route of it. */
static void mark_lan(const struct egress *egress, struct fw_chain *mark)
{
	if (egress->lan == LAN_ON)
		for (size_t i = 0; i < private_ranges.n; i++)
			rule(mark, "private ranges", daddr(private_ranges.prefixes[i]),
			     set_mark(MARK_LAN), return_());
	for (size_t i = 0; egress->lan == LAN_LIST && i < egress->n_lan_rules; i++)
		rule(mark, "chosen ranges", daddr(egress->lan_rules[i].prefix), set_mark(MARK_LAN),
		     return_());
}

/* An escape mark that is compared as a whole word leaves no room for bits of ours: then the mark
 * itself is what our rule for this bridge asks for, see links.c. */
static void mark_bypass(const struct egress *egress, struct fw_chain *mark)
{
	struct fw_expr escape = set_mark_bits(egress->mark, egress->mark_mask);

	if (egress->mark_mask & MARK_MASK)
		rule(mark, "around every tunnel", escape);
	else
		rule(mark, "around every tunnel", escape, set_mark(MARK_BYPASS));
}

void compile_mark(const struct scope *scope, struct plan *plan)
{
	const struct egress *egress = scope->egress;
	struct fw_chain *mark = chain_of(plan, "mark", scope);

	if (egress->policy != POLICY_OPEN)
		drop_forged(scope, mark);
	mark_answers(egress, mark);
	switch (egress->policy) {
	case POLICY_OPEN:
		rule(mark, "as the host's own rules say", set_mark(MARK_HOST));
		break;
	case POLICY_BYPASS:
		if (egress->tailnet)
			mark_tailnet(mark);
		mark_bypass(egress, mark);
		break;
	case POLICY_KILLSWITCH:
		if (egress->tailnet)
			mark_tailnet(mark);
		mark_lan(egress, mark);
		rule(mark, "to the exit", set_mark(MARK_PATH(egress->path)));
		break;
	case POLICY_ISOLATED:
		break; /* no mark: the fence */
	}
	compile_closed(scope, mark, plan);
}
