/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Other people's routing rules: see survey.h. Pure. */
#include <stdio.h>

#include "base/mem.h"
#include "plan/chain.h"
#include "plan/names.h"
#include "survey.h"

static bool is_of_ours(const struct world *world, const char *link)
{
	for (size_t m = 0; m < world->n; m++)
		if (streq(world->members[m]->network.bridge, link))
			return true;
	/* What comes in there may be an answer to a container. */
	return facts_exit(&world->facts, link) != NULL;
}

static bool touches_subnets(const struct world *world, const struct prefix *prefix)
{
	enum family f = addr_family(&prefix->addr);

	for (size_t m = 0; m < world->n; m++) {
		const struct prefix *subnet = &world->members[m]->network.subnet[f];

		if (prefix_is_set(subnet) && prefix_overlap(subnet, prefix))
			return true;
	}
	return false;
}

/* May packets of this network have a mark that the rule asks for? Of bits that are not ours and not
 * the escape mark's, others set what they want; we take them for unset. */
static bool mark_matches(const struct foreign_rule *rule, const struct egress *egress)
{
	uint32_t marks[] = { 0,
			     MARK_HOST,
			     MARK_RETURN,
			     MARK_LAN,
			     MARK_BYPASS | egress->mark,
			     egress->mark,
			     MARK_PATH(egress->path) };

	for (size_t i = 0; i < ARRAY_SIZE(marks); i++)
		if ((marks[i] & rule->mask) == rule->mark)
			return true;
	return false;
}

static bool marks_match(const struct foreign_rule *rule, const struct world *world)
{
	for (size_t m = 0; m < world->n; m++)
		if (mark_matches(rule, &world->members[m]->network.egress))
			return true;
	return false;
}

static bool is_nearby(const struct prefix *prefix)
{
	enum family f = addr_family(&prefix->addr);

	for (size_t i = 0; i < private_ranges.n; i++)
		if (private_ranges.prefixes[i].addr.family == prefix->addr.family &&
		    private_ranges.prefixes[i].len <= prefix->len &&
		    prefix_contains(&private_ranges.prefixes[i], &prefix->addr))
			return true;
	return tailnet[f].len <= prefix->len && prefix_contains(&tailnet[f], &prefix->addr);
}

/* By the main table to what is near, or to all that is: where our own rules lead, too. */
static bool is_harmless(const struct foreign_rule *rule)
{
	return !rule->acts ||
	       (rule->table == TABLE_MAIN && !rule->inverted &&
		(rule->no_default || (prefix_is_set(&rule->to) && is_nearby(&rule->to))));
}

bool rule_is_in_our_way(const struct foreign_rule *rule, const struct world *world)
{
	/* Forwarded packets have no output interface yet, and belong to root. */
	if (world->n == 0 || is_harmless(rule) || rule->of_users)
		return false;
	if (rule->inverted)
		return true;
	if (*rule->oif || (*rule->iif && !is_of_ours(world, rule->iif)))
		return false;
	if (prefix_is_set(&rule->from) && rule->from.len && !touches_subnets(world, &rule->from) &&
	    !(prefix_is_set(&rule->to) && touches_subnets(world, &rule->to)))
		return false;
	return rule->mask == 0 || marks_match(rule, world);
}

void foreign_rule_print(const struct foreign_rule *rule, struct strbuf *text)
{
	struct addr_text buffer;

	strbuf_addf(text, "%sfrom %s", rule->inverted ? "not " : "",
		    prefix_is_set(&rule->from) ? prefix_print(&rule->from, &buffer) : "all");
	if (prefix_is_set(&rule->to))
		strbuf_addf(text, " to %s", prefix_print(&rule->to, &buffer));
	if (rule->mask == UINT32_MAX)
		strbuf_addf(text, " fwmark 0x%x", rule->mark);
	else if (rule->mask)
		strbuf_addf(text, " fwmark 0x%x/0x%x", rule->mark, rule->mask);
	if (*rule->iif)
		strbuf_addf(text, " iif %s", rule->iif);
	if (rule->table == TABLE_MAIN)
		strbuf_addf(text, " lookup main");
	else if (rule->table)
		strbuf_addf(text, " lookup %u", rule->table);
	else
		strbuf_addf(text, " ...");
}
