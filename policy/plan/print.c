/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Items and whole plans as text for people. */
#include "../base/mem.h"
#include "names.h"
#include "plan.h"

static void print_table(uint32_t table, struct strbuf *text)
{
	if (table == TABLE_LOCAL)
		strbuf_addf(text, "local-containers");
	else if (table == TABLE_MAIN)
		strbuf_addf(text, "main");
	else if (table > TABLE_LOCAL && table <= TABLE_PATH(PATH_MAX_NUMBER))
		strbuf_addf(text, "path-%u", table - TABLE_LOCAL);
	else if (table == TABLE_FENCE)
		strbuf_addf(text, "fence");
	else
		strbuf_addf(text, "%u", table);
}

static const char *route_kind(const struct item_route *route)
{
	if (*route->oif)
		return "";
	return route->silent ? "blackhole " : "unreachable ";
}

static void print_route(const struct item_route *route, struct strbuf *text)
{
	struct addr_text buffer;

	strbuf_addf(text, "route %s%s", route_kind(route), prefix_print(&route->dst, &buffer));
	if (*route->oif)
		strbuf_addf(text, " dev %s", route->oif);
	strbuf_addf(text, " table ");
	print_table(route->table, text);
	strbuf_addf(text, " metric %u", route->metric);
}

static void print_rule(const struct item_rule *rule, struct strbuf *text)
{
	struct addr_text buffer;

	strbuf_addf(text, "rule %s priority %u", rule->family == V4 ? "v4" : "v6", rule->pref);
	if (rule->mask)
		strbuf_addf(text, " fwmark 0x%x/0x%x", rule->mark, rule->mask);
	if (*rule->iif)
		strbuf_addf(text, " iif %s", rule->iif);
	if (prefix_is_set(&rule->from))
		strbuf_addf(text, " from %s", prefix_print(&rule->from, &buffer));
	switch (rule->action) {
	case RULE_LOOKUP:
		strbuf_addf(text, " lookup ");
		print_table(rule->table, text);
		if (rule->no_default)
			strbuf_addf(text, " suppress_prefixlength 0");
		break;
	case RULE_GOTO:
		strbuf_addf(text, " goto %u", rule->target);
		break;
	case RULE_UNREACHABLE:
		strbuf_addf(text, " unreachable");
		break;
	case RULE_NOP:
		strbuf_addf(text, " nop");
		break;
	}
}

void item_print(const struct item *item, struct strbuf *text)
{
	struct addr_text buffer;

	switch (item->kind) {
	case ITEM_FW_TABLE:
		strbuf_addf(text, "table %s", fw_table_names[item->table]);
		break;
	case ITEM_FW_SET:
		fw_set_print_head(&item->set, text);
		strbuf_addf(text, " }");
		break;
	case ITEM_FW_COUNTER:
		strbuf_addf(text, "counter %s", item->counter.name);
		break;
	case ITEM_FW_CHAIN:
		strbuf_addf(text, "chain %s", item->chain.name);
		break;
	case ITEM_FW_ELEMENT:
		strbuf_addf(text, "element of %s: ", item->element.set);
		fw_element_print(&item->element, text);
		break;
	case ITEM_FORWARDING:
		strbuf_addf(text, "%s forwarding", item->forwarding.family == V4 ? "IPv4" : "IPv6");
		break;
	case ITEM_RULE:
		print_rule(&item->rule, text);
		break;
	case ITEM_BACKSTOP:
	case ITEM_ROUTE:
		print_route(&item->route, text);
		break;
	case ITEM_BRIDGE:
		strbuf_addf(text, "bridge %s mtu %u", item->bridge.name, item->bridge.mtu);
		break;
	case ITEM_ADDRESS:
		strbuf_addf(text, "address %s dev %s", prefix_print(&item->address.addr, &buffer),
			    item->address.link);
		break;
	case ITEM_VETH:
		strbuf_addf(text, "veth %s in bridge %s mtu %u%s", item->veth.host_if,
			    item->veth.bridge, item->veth.mtu,
			    item->veth.isolated ? " isolated" : "");
		if (item->veth.container_mtu)
			strbuf_addf(text, ", %u inside", item->veth.container_mtu);
		break;
	}
}

static void print_set(const struct plan *plan, const struct fw_set *set, struct strbuf *text)
{
	const char *separator = " elements = { ";

	strbuf_addf(text, "\t");
	fw_set_print_head(set, text);
	for (size_t i = 0; i < plan->n; i++) {
		const struct item *item = &plan->items[i];

		if (item->kind != ITEM_FW_ELEMENT || !streq(item->element.set, set->name))
			continue;
		strbuf_addf(text, "%s", separator);
		fw_element_print(&item->element, text);
		separator = ", ";
	}
	strbuf_addf(text, "%s }\n", *separator == ',' ? " };" : "");
}

static void print_chain(const struct fw_chain *chain, struct strbuf *text)
{
	strbuf_addf(text, "\t");
	fw_chain_print_head(chain, text);
	strbuf_addf(text, "\n");
	for (size_t i = 0; i < chain->n; i++) {
		strbuf_addf(text, "\t\t");
		fw_rule_print(&chain->rules[i], text);
		strbuf_addf(text, "\n");
	}
	strbuf_addf(text, "\t}\n");
}

/* nft wants a chain to stand before the element that jumps to it and a set before the rule that
 * looks into it: chains that are only jumped to use no sets that jump. */
static void print_firewall(const struct plan *plan, enum fw_table table, struct strbuf *text)
{
	strbuf_addf(text, "table %s {\n", fw_table_names[table]);
	for (size_t i = 0; i < plan->n; i++)
		if (plan->items[i].kind == ITEM_FW_SET && plan->items[i].set.table == table)
			print_set(plan, &plan->items[i].set, text);
	for (size_t i = 0; i < plan->n; i++)
		if (plan->items[i].kind == ITEM_FW_COUNTER && plan->items[i].counter.table == table)
			strbuf_addf(text, "\tcounter %s { }\n", plan->items[i].counter.name);
	for (size_t i = 0; i < plan->n; i++)
		if (plan->items[i].kind == ITEM_FW_CHAIN && plan->items[i].chain.table == table)
			print_chain(&plan->items[i].chain, text);
	strbuf_addf(text, "}\n");
}

void plan_print(const struct plan *plan, struct strbuf *text)
{
	for (size_t i = 0; i < plan->n && plan->items[i].kind == ITEM_FW_TABLE; i++)
		print_firewall(plan, plan->items[i].table, text);
	for (size_t i = 0; i < plan->n; i++) {
		if (plan->items[i].kind <= ITEM_FW_ELEMENT)
			continue;
		item_print(&plan->items[i], text);
		strbuf_addf(text, "\n");
	}
}
