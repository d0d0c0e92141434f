/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Plans as sorted lists, and what makes two items the same thing or the same state. */
#include "plan.h"

#include "../base/mem.h"

struct item *plan_add(struct plan *plan, enum item_kind kind)
{
	struct item *item;

	if (plan->n == plan->size) {
		plan->size = plan->size ? plan->size * 2 : 16;
		plan->items = xreallocarray(plan->items, plan->size, sizeof(*plan->items));
	}
	item = &plan->items[plan->n++];
	/* memset, because padding takes part in comparisons with memcmp() */
	memset(item, 0, sizeof(*item));
	item->kind = kind;
	return item;
}

void plan_truncate(struct plan *plan, size_t n)
{
	while (plan->n > n) {
		struct item *item = &plan->items[--plan->n];

		if (item->kind == ITEM_FW_CHAIN)
			fw_chain_done(&item->chain);
	}
}

void plan_done(struct plan *plan)
{
	plan_truncate(plan, 0);
	free(plan->items);
	*plan = (struct plan){ 0 };
}

static int compare_u32(uint32_t a, uint32_t b)
{
	return (a > b) - (a < b);
}

enum fw_table item_table(const struct item *item)
{
	switch (item->kind) {
	case ITEM_FW_TABLE:
		return item->table;
	case ITEM_FW_SET:
		return item->set.table;
	case ITEM_FW_COUNTER:
		return item->counter.table;
	case ITEM_FW_CHAIN:
		return item->chain.table;
	case ITEM_FW_ELEMENT:
		return fw_set_find(item->element.set)->table;
	case ITEM_FORWARDING:
	case ITEM_RULE:
	case ITEM_BACKSTOP:
	case ITEM_BRIDGE:
	case ITEM_ADDRESS:
	case ITEM_ROUTE:
	case ITEM_VETH:
		break;
	}
	return FW_INET;
}

/* Sets, counters and chains: names are unique within a table. */
static int compare_named(enum fw_table a_table, const char *a, enum fw_table b_table, const char *b)
{
	return a_table == b_table ? strcmp(a, b) : compare_u32(a_table, b_table);
}

static int compare_element(const struct fw_element *a, const struct fw_element *b)
{
	int r = strcmp(a->set, b->set);

	if (r == 0)
		r = strcmp(a->ifname, b->ifname);
	if (r == 0)
		r = compare_u32(a->proto, b->proto);
	if (r == 0)
		r = addr_compare(&a->addr, &b->addr);
	if (r == 0)
		r = compare_u32(a->port, b->port);
	return r ? r : compare_u32(a->mark, b->mark);
}

static int compare_route(const struct item_route *a, const struct item_route *b)
{
	int r = compare_u32(a->table, b->table);

	if (r == 0)
		r = prefix_compare(&a->dst, &b->dst);
	if (r == 0)
		r = compare_u32(a->metric, b->metric);
	if (r == 0)
		r = strcmp(a->oif, b->oif);
	return r ? r : compare_u32(a->silent, b->silent);
}

static int compare_rule(const struct item_rule *a, const struct item_rule *b)
{
	int r = compare_u32(a->family, b->family);

	if (r == 0)
		r = compare_u32(a->pref, b->pref);
	if (r == 0)
		r = compare_u32(a->mark, b->mark);
	if (r == 0)
		r = compare_u32(a->mask, b->mask);
	if (r == 0)
		r = strcmp(a->iif, b->iif);
	if (r == 0)
		r = prefix_compare(&a->from, &b->from);
	if (r == 0)
		r = compare_u32(a->action, b->action);
	if (r == 0)
		r = compare_u32(a->table, b->table);
	if (r == 0)
		r = compare_u32(a->target, b->target);
	return r ? r : compare_u32(a->no_default, b->no_default);
}

static int compare_address(const struct item_address *a, const struct item_address *b)
{
	int r = strcmp(a->link, b->link);

	return r ? r : prefix_compare(&a->addr, &b->addr);
}

int item_compare(const struct item *a, const struct item *b)
{
	if (a->kind != b->kind)
		return compare_u32(a->kind, b->kind);
	switch (a->kind) {
	case ITEM_FW_TABLE:
		return compare_u32(a->table, b->table);
	case ITEM_FW_SET:
		return compare_named(a->set.table, a->set.name, b->set.table, b->set.name);
	case ITEM_FW_COUNTER:
		return compare_named(a->counter.table, a->counter.name, b->counter.table,
				     b->counter.name);
	case ITEM_FW_CHAIN:
		return compare_named(a->chain.table, a->chain.name, b->chain.table, b->chain.name);
	case ITEM_FW_ELEMENT:
		return compare_element(&a->element, &b->element);
	case ITEM_FORWARDING:
		return compare_u32(a->forwarding.family, b->forwarding.family);
	case ITEM_RULE:
		return compare_rule(&a->rule, &b->rule);
	case ITEM_BACKSTOP:
	case ITEM_ROUTE:
		return compare_route(&a->route, &b->route);
	case ITEM_BRIDGE:
		return strcmp(a->bridge.name, b->bridge.name);
	case ITEM_ADDRESS:
		return compare_address(&a->address, &b->address);
	case ITEM_VETH:
		return strcmp(a->veth.host_if, b->veth.host_if);
	}
	return 0;
}

static bool equal_element(const struct fw_element *a, const struct fw_element *b)
{
	return streq(a->jump, b->jump) && addr_equal(&a->to_addr, &b->to_addr) &&
	       a->to_port == b->to_port;
}

static bool equal_bridge(const struct item_bridge *a, const struct item_bridge *b)
{
	return streq(a->alias, b->alias) && a->mtu == b->mtu &&
	       memcmp(a->mac, b->mac, sizeof(a->mac)) == 0;
}

/* The end inside a container belongs to the container: what was done to it there is no difference.
 */
static bool equal_veth(const struct item_veth *a, const struct item_veth *b)
{
	return streq(a->bridge, b->bridge) && streq(a->alias, b->alias) &&
	       a->isolated == b->isolated && a->mtu == b->mtu;
}

bool item_equal(const struct item *a, const struct item *b)
{
	switch (a->kind) {
	case ITEM_FW_SET:
		return memcmp(a->set.key, b->set.key, sizeof(a->set.key)) == 0 &&
		       memcmp(a->set.data, b->set.data, sizeof(a->set.data)) == 0;
	case ITEM_FW_CHAIN:
		return fw_chain_equal(&a->chain, &b->chain);
	case ITEM_FW_ELEMENT:
		return equal_element(&a->element, &b->element);
	case ITEM_BRIDGE:
		return equal_bridge(&a->bridge, &b->bridge);
	case ITEM_VETH:
		return equal_veth(&a->veth, &b->veth);
	case ITEM_FW_TABLE:
	case ITEM_FW_COUNTER:
	case ITEM_FORWARDING:
	case ITEM_RULE:
	case ITEM_BACKSTOP:
	case ITEM_ROUTE:
	case ITEM_ADDRESS:
		return true; /* the key is all there is */
	}
	return false;
}

static int compare_items(const void *a, const void *b)
{
	return item_compare(a, b);
}

void plan_sort(struct plan *plan)
{
	if (plan->n > 1)
		qsort(plan->items, plan->n, sizeof(*plan->items), compare_items);
}

const struct item *plan_find(const struct plan *plan, const struct item *key)
{
	if (plan->n == 0)
		return NULL;
	return bsearch(key, plan->items, plan->n, sizeof(*plan->items), compare_items);
}
