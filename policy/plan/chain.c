/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See chain.h. */
#include "chain.h"

#include <stdio.h>

#include "../base/mem.h"
#include "fw_expr.h"

const struct prefix tailnet[FAMILIES] = {
	[V4] = { { AF_INET, { 100, 64 } }, 10 },
	[V6] = { { AF_INET6, { 0xfd, 0x7a, 0x11, 0x5c, 0xa1, 0xe0 } }, 48 },
};

static const struct prefix private_prefixes[] = {
	{ { AF_INET, { 10 } }, 8 },
	{ { AF_INET, { 172, 16 } }, 12 },
	{ { AF_INET, { 192, 168 } }, 16 },
	{ { AF_INET6, { 0xfc } }, 7 },
};

const struct prefix_list private_ranges = { private_prefixes, ARRAY_SIZE(private_prefixes) };

const char *const tunnel_kinds[TUNNEL_KINDS] = { "tun", "wireguard" };

struct scope scope_of_network(const struct member *member)
{
	const struct network *net = &member->network;

	return (struct scope){
		.net = net,
		.egress = &net->egress,
		.v6_off = net->v6_off,
		.icc = net->icc,
		.mtu = net->mtu,
		.differences = member->n_exceptions > 0,
	};
}

struct scope scope_of_endpoint(const struct member *member, const struct endpoint *endpoint)
{
	const struct exception *exception = endpoint->exception;
	struct scope scope = scope_of_network(member);

	if (!exception)
		return scope;
	scope.endpoint = endpoint;
	scope.egress = &exception->egress;
	scope.v6_off = exception->v6_off;
	scope.icc = exception->icc;
	scope.mtu = exception->mtu;
	return scope;
}

void scope_name(const struct scope *scope, char name[IFNAMSIZ])
{
	if (scope->endpoint)
		snprintf(name, IFNAMSIZ, "%.12s", scope->endpoint->id);
	else
		snprintf(name, IFNAMSIZ, "%s", scope->net->bridge);
}

static struct fw_chain *add_chain(struct plan *plan, const char *direction,
				  const struct scope *scope)
{
	struct fw_chain *chain = &plan_add(plan, ITEM_FW_CHAIN)->chain;
	char name[IFNAMSIZ];

	scope_name(scope, name);
	snprintf(chain->name, sizeof(chain->name), "%s-%s", direction, name);
	return chain;
}

static struct fw_element *add_element(struct plan *plan, const char *map, const char *direction,
				      const struct scope *scope)
{
	struct fw_element *e = &plan_add(plan, ITEM_FW_ELEMENT)->element;
	char name[IFNAMSIZ];

	scope_name(scope, name);
	snprintf(e->set, sizeof(e->set), "%s", map);
	snprintf(e->ifname, sizeof(e->ifname), "%s", scope->net->bridge);
	snprintf(e->jump, sizeof(e->jump), "%s-%s", direction, name);
	return e;
}

/* An endpoint is known by its address, which guard.c keeps others from using. */
static void reach_endpoint(struct plan *plan, const char *direction, const struct scope *scope)
{
	for (enum family f = V4; f < FAMILIES; f++) {
		const struct addr *addr = &scope->endpoint->addr[f].addr;
		char map[FW_NAME_SIZE];

		if (!addr_is_set(addr))
			continue;
		snprintf(map, sizeof(map), "one_%s%c", direction, f == V4 ? '4' : '6');
		add_element(plan, map, direction, scope)->addr = *addr;
	}
}

static void hand_over(struct fw_chain *chain, const char *direction)
{
	for (enum family f = V4; f < FAMILIES; f++) {
		char map[FW_NAME_SIZE];

		snprintf(map, sizeof(map), "one_%s%c", direction, f == V4 ? '4' : '6');
		rule(chain, "containers that differ", family(f), vmap(map));
	}
}

struct fw_chain *chain_of(struct plan *plan, const char *direction, const struct scope *scope)
{
	struct fw_chain *chain;
	char map[FW_NAME_SIZE];

	if (scope->endpoint) {
		reach_endpoint(plan, direction, scope);
		return add_chain(plan, direction, scope);
	}
	snprintf(map, sizeof(map), "net_%s", direction);
	add_element(plan, map, direction, scope);
	chain = add_chain(plan, direction, scope);
	if (scope->differences)
		hand_over(chain, direction);
	return chain;
}

struct fw_expr lost(const struct scope *scope, const char *reason)
{
	char whose[IFNAMSIZ], name[FW_NAME_SIZE];

	scope_name(scope, whose);
	snprintf(name, sizeof(name), "%s-%s", whose, reason);
	return counter(name);
}

static bool declared(const struct plan *plan, size_t from, const struct fw_counter *counter)
{
	for (size_t i = from; i < plan->n; i++)
		if (plan->items[i].kind == ITEM_FW_COUNTER &&
		    plan->items[i].counter.table == counter->table &&
		    streq(plan->items[i].counter.name, counter->name))
			return true;
	return false;
}

static void declare(struct plan *plan, size_t from, enum fw_table table, const char *name)
{
	/* A copy: adding an item may move the one that the name is in. */
	struct fw_counter counter = { .table = table };

	snprintf(counter.name, sizeof(counter.name), "%s", name);
	if (!declared(plan, from, &counter))
		plan_add(plan, ITEM_FW_COUNTER)->counter = counter;
}

void declare_counters(struct plan *plan, size_t from)
{
	size_t n = plan->n;

	for (size_t i = from; i < n; i++) {
		enum fw_table table = plan->items[i].chain.table;

		if (plan->items[i].kind != ITEM_FW_CHAIN)
			continue;
		for (size_t r = 0; r < plan->items[i].chain.n; r++) {
			/* owned by the chain: stays where it is when the items move */
			const struct fw_rule *rule = &plan->items[i].chain.rules[r];

			for (size_t e = 0; e < rule->n; e++)
				if (rule->exprs[e].kind == FW_COUNTER)
					declare(plan, from, table, rule->exprs[e].name);
		}
	}
}
