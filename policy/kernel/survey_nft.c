/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See survey_nft.h. */
#include "survey_nft.h"

#include <errno.h>
#include <libnftnl/chain.h>
#include <libnftnl/common.h>
#include <libnftnl/expr.h>
#include <libnftnl/flowtable.h>
#include <libnftnl/rule.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include "../base/mem.h"
#include "../plan/names.h"

/* NULL: not on the way of routed packets. */
static const char *family_name(uint32_t family)
{
	return family == NFPROTO_INET   ? "inet"
	       : family == NFPROTO_IPV4 ? "ip"
	       : family == NFPROTO_IPV6 ? "ip6"
					: NULL;
}

static uint8_t family_number(const char *name)
{
	return streq(name, "inet") ? NFPROTO_INET : streq(name, "ip") ? NFPROTO_IPV4 : NFPROTO_IPV6;
}

/* There hostfw.c makes room for our bridges. */
static bool is_iptables(const struct foreign_chain *chain)
{
	return !streq(chain->family, "inet") && streq(chain->table, "filter") &&
	       streq(chain->chain, "FORWARD");
}

static bool parse_chain(const struct nftnl_chain *nftnl, struct foreign_chain *ret_chain)
{
	const char *family = family_name(nftnl_chain_get_u32(nftnl, NFTNL_CHAIN_FAMILY));

	if (!family || !nftnl_chain_is_set(nftnl, NFTNL_CHAIN_HOOKNUM) ||
	    nftnl_chain_get_u32(nftnl, NFTNL_CHAIN_HOOKNUM) != NF_INET_FORWARD ||
	    nftnl_chain_get_u32(nftnl, NFTNL_CHAIN_POLICY) != NF_DROP)
		return false;
	*ret_chain = (struct foreign_chain){ .family = family };
	snprintf(ret_chain->table, sizeof(ret_chain->table), "%s",
		 nftnl_chain_get_str(nftnl, NFTNL_CHAIN_TABLE));
	snprintf(ret_chain->chain, sizeof(ret_chain->chain), "%s",
		 nftnl_chain_get_str(nftnl, NFTNL_CHAIN_NAME));
	return !is_iptables(ret_chain);
}

static void take_chain(void *arg, const struct nlmsghdr *msg)
{
	struct survey *survey = arg;
	struct foreign_chain chain;
	struct nftnl_chain *nftnl;

	if (!msg) {
		survey->n_chains = 0;
		return;
	}
	nftnl = mem_check(nftnl_chain_alloc());
	if (nftnl_chain_nlmsg_parse(msg, nftnl) == 0 && parse_chain(nftnl, &chain)) {
		survey->chains = xreallocarray(survey->chains, survey->n_chains + 1, sizeof(chain));
		survey->chains[survey->n_chains++] = chain;
	}
	nftnl_chain_free(nftnl);
}

static int look_for_bridges(struct nftnl_expr *expr, void *arg)
{
	bool *names_us = arg;
	uint32_t len = 0;
	const void *data;

	if (!streq(nftnl_expr_get_str(expr, NFTNL_EXPR_NAME), "cmp"))
		return 0;
	data = nftnl_expr_get(expr, NFTNL_EXPR_CMP_DATA, &len);
	if (data && len >= strlen(BRIDGE_PREFIX) &&
	    memcmp(data, BRIDGE_PREFIX, strlen(BRIDGE_PREFIX)) == 0)
		*names_us = true;
	return 0;
}

static void take_rule(void *arg, const struct nlmsghdr *msg)
{
	struct nftnl_rule *rule;

	if (!msg)
		return;
	rule = mem_check(nftnl_rule_alloc());
	if (nftnl_rule_nlmsg_parse(msg, rule) == 0)
		nftnl_expr_foreach(rule, look_for_bridges, arg);
	nftnl_rule_free(rule);
}

static int read_rules(struct nl *nl, struct foreign_chain *chain, struct err *err)
{
	char buffer[512];
	struct nlmsghdr *msg = nftnl_nlmsg_build_hdr(buffer, NFT_MSG_GETRULE,
						     family_number(chain->family), NLM_F_DUMP, 0);
	int r;

	mnl_attr_put_strz(msg, NFTA_RULE_TABLE, chain->table);
	mnl_attr_put_strz(msg, NFTA_RULE_CHAIN, chain->chain);
	r = nl_dump(nl, msg, take_rule, &chain->names_us, err);
	return r == -ENOENT ? 0 : r;
}

static void take_flowtable(void *arg, const struct nlmsghdr *msg)
{
	struct survey *survey = arg;
	struct foreign_flowtable flowtable = { 0 };
	struct nftnl_flowtable *nftnl;

	if (!msg) {
		survey->n_flowtables = 0;
		return;
	}
	nftnl = mem_check(nftnl_flowtable_alloc());
	if (nftnl_flowtable_nlmsg_parse(msg, nftnl) == 0)
		flowtable.family =
			family_name(nftnl_flowtable_get_u32(nftnl, NFTNL_FLOWTABLE_FAMILY));
	if (flowtable.family) {
		snprintf(flowtable.table, sizeof(flowtable.table), "%s",
			 nftnl_flowtable_get_str(nftnl, NFTNL_FLOWTABLE_TABLE));
		snprintf(flowtable.name, sizeof(flowtable.name), "%s",
			 nftnl_flowtable_get_str(nftnl, NFTNL_FLOWTABLE_NAME));
		survey->flowtables = xreallocarray(survey->flowtables, survey->n_flowtables + 1,
						   sizeof(flowtable));
		survey->flowtables[survey->n_flowtables++] = flowtable;
	}
	nftnl_flowtable_free(nftnl);
}

static int dump(struct nl *nl, uint16_t type, nl_answer_fn *fn, struct survey *survey,
		struct err *err)
{
	char buffer[256];
	struct nlmsghdr *msg = nftnl_nlmsg_build_hdr(buffer, type, NFPROTO_UNSPEC, NLM_F_DUMP, 0);

	return nl_dump(nl, msg, fn, survey, err);
}

int survey_read_nft(struct nl *nl, struct survey *survey, struct err *err)
{
	int r = dump(nl, NFT_MSG_GETCHAIN, take_chain, survey, err);

	for (size_t i = 0; r == 0 && i < survey->n_chains; i++)
		r = read_rules(nl, &survey->chains[i], err);
	if (r == 0)
		r = dump(nl, NFT_MSG_GETFLOWTABLE, take_flowtable, survey, err);
	return r < 0 ? err_wrap(err, "cannot look for others' nftables chains") : 0;
}
