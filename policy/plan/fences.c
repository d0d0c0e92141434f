/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What of all fences together is asked by address. The fence of a network is a rule of its own, by
 * the name of its bridge: see links.c. What meets it is meant to end there. But for a packet that
 * is to enter the network, IPv4's reverse-path filter asks which way an answer without a mark would
 * take, and drops the packet if there is none; a question that would walk through the rules of all
 * other networks, for every packet. So before them there is an answer, by few rules however many
 * networks there are: a way that is as good as none, into a bridge without ports. */
#include "compile.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#include "../base/mem.h"
#include "chain.h"
#include "names.h"

#define FENCE_MTU 1500

/* An IPv4 prefix as a number: by address, then by length. */
typedef uint64_t block;

static block block_of(const struct prefix *prefix)
{
	const struct prefix network = prefix_network(prefix);
	uint32_t start;

	memcpy(&start, network.addr.bytes, sizeof(start));
	return (block)ntohl(start) << 8 | network.len;
}

static struct prefix prefix_of(block b)
{
	struct prefix prefix = { .addr.family = AF_INET, .len = b & 0xff };
	uint32_t start = htonl((uint32_t)(b >> 8));

	memcpy(prefix.addr.bytes, &start, sizeof(start));
	return prefix;
}

static int compare_blocks(const void *a, const void *b)
{
	const block *left = a, *right = b;

	return (*left > *right) - (*left < *right);
}

static size_t collect(const struct world *world, block *blocks)
{
	size_t n = 0;

	for (size_t i = 0; i < world->n; i++) {
		struct scope scope = scope_of_network(world->members[i]);

		if (scope_is_fenced(&scope) && prefix_is_set(&scope.net->subnet[V4]))
			blocks[n++] = block_of(&scope.net->subnet[V4]);
	}
	return n;
}

/* The upper one of two halves differs in the last bit of the prefix. The halves of all there is
 * stay two, for a rule without a source would be another one. */
static bool are_halves(block lower, block upper)
{
	unsigned len = lower & 0xff;

	return len > 1 && upper == lower + ((block)1 << (8 + 32 - len)) &&
	       !(lower >> (8 + 32 - len) & 1);
}

/* Sorted subnets, of which none overlap, as the fewest that hold exactly the same addresses. */
static size_t join(block *blocks, size_t n)
{
	size_t top = 0;

	for (size_t i = 0; i < n; i++) {
		blocks[top++] = blocks[i];
		while (top > 1 && are_halves(blocks[top - 2], blocks[top - 1]))
			blocks[--top - 1]--;
	}
	return top;
}

static void compile_nowhere(struct plan *plan)
{
	static const uint8_t mac[] = { 0x02, 'f', 'e', 'n', 'c', 'e' };
	struct item_bridge *bridge = &plan_add(plan, ITEM_BRIDGE)->bridge;
	struct item_route *route;

	snprintf(bridge->name, sizeof(bridge->name), FENCE_BRIDGE);
	snprintf(bridge->alias, sizeof(bridge->alias), LINK_ALIAS "fence");
	memcpy(bridge->mac, mac, sizeof(mac));
	bridge->mtu = FENCE_MTU;
	route = &plan_add(plan, ITEM_ROUTE)->route;
	route->dst.addr.family = AF_INET;
	route->table = TABLE_FENCE;
	route->metric = METRIC_BRIDGE;
	snprintf(route->oif, sizeof(route->oif), FENCE_BRIDGE);
	/* Not being the way the packet came, it is asked once more whether that is a way as well:
	 * no, at once. */
	route = &plan_add(plan, ITEM_BACKSTOP)->route;
	route->dst.addr.family = AF_INET;
	route->table = TABLE_FENCE;
	route->metric = METRIC_BACKSTOP;
}

void compile_fences(const struct world *world, struct plan *plan)
{
	AUTO_FREE block *blocks = xcalloc(world->n + 1, sizeof(*blocks));
	size_t n = collect(world, blocks);

	if (n == 0)
		return;
	qsort(blocks, n, sizeof(*blocks), compare_blocks);
	n = join(blocks, n);
	for (size_t i = 0; i < n; i++) {
		struct item_rule *rule = &plan_add(plan, ITEM_RULE)->rule;

		rule->family = V4;
		rule->pref = PREF_NOWHERE;
		rule->from = prefix_of(blocks[i]);
		rule->table = TABLE_FENCE;
	}
	compile_nowhere(plan);
}
