/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See hostfw.h. The rules have exactly the form that iptables-nft writes for `-i te-+ -j ACCEPT`,
 * so that iptables reads them back as its own. */
#include "hostfw.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <libnftnl/chain.h>
#include <libnftnl/common.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <net/if.h>

#include "../base/mem.h"
#include "nft_batch.h"
#include "nl.h"

#define TABLE "filter"

/* Where rules like ours belong, and where they go when dockerd has not made that chain, as before
 * version 27 for IPv6: straight into the chain whose policy drops. */
static const char *const chains[] = { "DOCKER-USER", "FORWARD" };

static const uint8_t families[] = { NFPROTO_IPV4, NFPROTO_IPV6 };
static const uint32_t directions[] = { NFT_META_IIFNAME, NFT_META_OIFNAME };

/* One rule that should be there. */
struct slot {
	const char *pattern;
	uint32_t direction;
	uint64_t handle; /* 0: it is not there */
};

struct slots {
	struct slot *slots; /* owned */
	size_t n;
};

static void slots_done(struct slots *slots)
{
	free(slots->slots);
}

static void slots_init(struct slots *slots, const char *const *patterns, size_t n)
{
	slots->slots = xcalloc(n * ARRAY_SIZE(directions) + 1, sizeof(*slots->slots));
	slots->n = 0;
	for (size_t i = 0; i < n; i++)
		for (size_t d = 0; d < ARRAY_SIZE(directions); d++)
			slots->slots[slots->n++] = (struct slot){ patterns[i], directions[d], 0 };
}

/* The bytes that are compared: up to the star, or the whole name with the byte that ends it. */
static uint32_t pattern_len(const char *pattern)
{
	size_t len = strlen(pattern);

	return len && pattern[len - 1] == '*' ? len - 1 : len + 1;
}

static struct nftnl_rule *make_rule(const struct slot *slot, uint8_t family, const char *chain)
{
	struct nftnl_rule *rule = mem_check(nftnl_rule_alloc());
	struct nftnl_expr *expr;

	nftnl_rule_set_u32(rule, NFTNL_RULE_FAMILY, family);
	nftnl_rule_set_str(rule, NFTNL_RULE_TABLE, TABLE);
	nftnl_rule_set_str(rule, NFTNL_RULE_CHAIN, chain);

	expr = mem_check(nftnl_expr_alloc("meta"));
	nftnl_expr_set_u32(expr, NFTNL_EXPR_META_KEY, slot->direction);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_META_DREG, NFT_REG_1);
	nftnl_rule_add_expr(rule, expr);

	expr = mem_check(nftnl_expr_alloc("cmp"));
	nftnl_expr_set_u32(expr, NFTNL_EXPR_CMP_SREG, NFT_REG_1);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_CMP_OP, NFT_CMP_EQ);
	nftnl_expr_set(expr, NFTNL_EXPR_CMP_DATA, slot->pattern, pattern_len(slot->pattern));
	nftnl_rule_add_expr(rule, expr);

	nftnl_rule_add_expr(rule, mem_check(nftnl_expr_alloc("counter")));

	expr = mem_check(nftnl_expr_alloc("immediate"));
	nftnl_expr_set_u32(expr, NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_IMM_VERDICT, NF_ACCEPT);
	nftnl_rule_add_expr(rule, expr);
	return rule;
}

/* What matters of an expression list that might be one of ours. */
struct shape {
	uint32_t direction;
	const void *data;
	uint32_t len;
	bool accepts;
	bool foreign; /* something else is in there */
};

static int on_expr(struct nftnl_expr *expr, void *arg)
{
	const char *name = nftnl_expr_get_str(expr, NFTNL_EXPR_NAME);
	struct shape *shape = arg;

	if (streq(name, "meta"))
		shape->direction = nftnl_expr_get_u32(expr, NFTNL_EXPR_META_KEY);
	else if (streq(name, "cmp") && !shape->data)
		shape->data = nftnl_expr_get(expr, NFTNL_EXPR_CMP_DATA, &shape->len);
	else if (streq(name, "immediate"))
		shape->accepts = nftnl_expr_get_u32(expr, NFTNL_EXPR_IMM_VERDICT) == NF_ACCEPT;
	else if (!streq(name, "counter"))
		shape->foreign = true;
	return 0;
}

static void on_rule(void *arg, const struct nlmsghdr *message)
{
	struct slots *slots = arg;
	struct nftnl_rule *rule;
	struct shape shape = { 0 };

	for (size_t i = 0; !message && i < slots->n; i++)
		slots->slots[i].handle = 0;
	if (!message)
		return;
	rule = mem_check(nftnl_rule_alloc());
	if (nftnl_rule_nlmsg_parse(message, rule) == 0)
		nftnl_expr_foreach(rule, on_expr, &shape);
	for (size_t i = 0; shape.accepts && shape.data && !shape.foreign && i < slots->n; i++) {
		struct slot *slot = &slots->slots[i];

		if (slot->direction == shape.direction && pattern_len(slot->pattern) == shape.len &&
		    memcmp(slot->pattern, shape.data, shape.len) == 0)
			slot->handle = nftnl_rule_get_u64(rule, NFTNL_RULE_HANDLE);
	}
	nftnl_rule_free(rule);
}

static int read_rules(struct nl *nl, uint8_t family, const char *chain, struct slots *slots,
		      struct err *err)
{
	char buffer[256];
	struct nlmsghdr *message =
		nftnl_nlmsg_build_hdr(buffer, NFT_MSG_GETRULE, family, NLM_F_DUMP, 0);
	int r;

	mnl_attr_put_strz(message, NFTA_RULE_TABLE, TABLE);
	mnl_attr_put_strz(message, NFTA_RULE_CHAIN, chain);
	r = nl_dump(nl, message, on_rule, slots, err);
	return r == -ENOENT ? 0 : r;
}

static int send_rules(struct nl *nl, uint8_t family, const char *chain, const struct slots *slots,
		      bool add, struct err *err)
{
	AUTO(nft_batch) struct nft_batch batch;
	int n = 0, r;

	nft_batch_init(&batch, nl);
	for (size_t i = 0; i < slots->n; i++) {
		const struct slot *slot = &slots->slots[i];
		struct nlmsghdr *message;
		struct nftnl_rule *rule;

		if (add == (slot->handle != 0))
			continue;
		/* Without NLM_F_APPEND a rule goes to the top. */
		message = nft_batch_message(&batch, add ? NFT_MSG_NEWRULE : NFT_MSG_DELRULE, family,
					    add ? NLM_F_CREATE : 0, NULL);
		rule = make_rule(slot, family, chain);
		if (!add)
			nftnl_rule_set_u64(rule, NFTNL_RULE_HANDLE, slot->handle);
		nftnl_rule_nlmsg_build_payload(message, rule);
		nftnl_rule_free(rule);
		nft_batch_end_message(&batch, message);
		n++;
	}
	r = nft_batch_send(&batch, nl, err);
	if (r == -ENOENT)
		return 0; /* no such chain (any more) */
	return r < 0 ? r : n;
}

static int edit_chain(struct nl *nl, uint8_t family, const char *chain, struct slots *slots,
		      bool add, struct err *err)
{
	int r = read_rules(nl, family, chain, slots, err);

	if (r == 0)
		r = send_rules(nl, family, chain, slots, add, err);
	return r < 0 ? err_wrap(err, "chain %s of iptables", chain) : r;
}

/* Of a chain that exists: does it drop what no rule of it accepts? */
struct chain_state {
	bool exists;
	bool drops;
};

static void on_chain(void *arg, const struct nlmsghdr *message)
{
	struct chain_state *state = arg;
	struct nftnl_chain *chain;

	*state = (struct chain_state){ .exists = message != NULL };
	if (!message)
		return;
	chain = mem_check(nftnl_chain_alloc());
	if (nftnl_chain_nlmsg_parse(message, chain) == 0 &&
	    nftnl_chain_is_set(chain, NFTNL_CHAIN_POLICY))
		state->drops = nftnl_chain_get_u32(chain, NFTNL_CHAIN_POLICY) == NF_DROP;
	nftnl_chain_free(chain);
}

static int read_chain(struct nl *nl, uint8_t family, const char *name,
		      struct chain_state *ret_state, struct err *err)
{
	char buffer[256];
	struct nlmsghdr *message = nftnl_nlmsg_build_hdr(buffer, NFT_MSG_GETCHAIN, family, 0, 0);
	int r;

	*ret_state = (struct chain_state){ 0 };
	mnl_attr_put_strz(message, NFTA_CHAIN_TABLE, TABLE);
	mnl_attr_put_strz(message, NFTA_CHAIN_NAME, name);
	r = nl_get(nl, message, on_chain, ret_state, err);
	if (r == -ENOENT)
		r = 0;
	return r < 0 ? err_wrap(err, "chain %s of iptables", name) : r;
}

static int allow(struct nl *nl, uint8_t family, struct slots *slots, struct err *err)
{
	struct chain_state state;
	int r = read_chain(nl, family, chains[0], &state, err);

	if (r == 0 && state.exists) {
		int added = edit_chain(nl, family, chains[0], slots, true, err);

		/* A starting dockerd closes FORWARD before it makes its chains: what went there in
		 * between would let packets pass by the users' own rules. */
		r = added < 0 ? added : edit_chain(nl, family, chains[1], slots, false, err);
		return r < 0 ? r : added + r;
	}
	if (r == 0)
		r = read_chain(nl, family, chains[1], &state, err);
	if (r < 0 || !state.drops)
		return r;
	return edit_chain(nl, family, chains[1], slots, true, err);
}

static int withdraw(struct nl *nl, uint8_t family, struct slots *slots, struct err *err)
{
	int total = 0;

	for (size_t i = 0; i < ARRAY_SIZE(chains); i++) {
		int r = edit_chain(nl, family, chains[i], slots, false, err);

		if (r < 0)
			return r;
		total += r;
	}
	return total;
}

static int edit(struct nl *nl, const char *const *patterns, size_t n, bool add, struct err *err)
{
	AUTO(slots) struct slots slots;
	int total = 0;

	slots_init(&slots, patterns, n);
	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		int r = add ? allow(nl, families[i], &slots, err)
			    : withdraw(nl, families[i], &slots, err);

		if (r < 0)
			return r;
		total += r;
	}
	return total;
}

int hostfw_allow(struct nl *nl, const char *const *patterns, size_t n, struct err *err)
{
	return edit(nl, patterns, n, true, err);
}

int hostfw_withdraw(struct nl *nl, const char *const *patterns, size_t n, struct err *err)
{
	return edit(nl, patterns, n, false, err);
}
