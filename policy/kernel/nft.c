/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Chains and rules. */
#include "nft.h"

#include <libmnl/libmnl.h>
#include <libnftnl/udata.h>
#include <netinet/in.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include "../base/mem.h"
#include "../plan/names.h"
#include "nft_expr.h"

/* nft itself uses types below this for comments and the like, and skips those it does not know. */
#define UDATA_COMMENT 0
#define UDATA_HASH 200

/* clang-format off */
static const uint8_t families[FW_TABLES] = {
	[FW_INET] = NFPROTO_INET,
	[FW_BRIDGE] = NFPROTO_BRIDGE,
};
/* clang-format on */

uint8_t nft_family(enum fw_table table)
{
	return families[table];
}

struct nftnl_rule *nft_rule(const struct fw_chain *chain, const struct fw_rule *rule)
{
	struct nftnl_rule *nftnl = mem_check(nftnl_rule_alloc());
	struct nftnl_udata_buf *udata = mem_check(nftnl_udata_buf_alloc(128));

	nftnl_rule_set_u32(nftnl, NFTNL_RULE_FAMILY, nft_family(chain->table));
	nftnl_rule_set_str(nftnl, NFTNL_RULE_TABLE, NFT_TABLE);
	nftnl_rule_set_str(nftnl, NFTNL_RULE_CHAIN, chain->name);
	nftnl_udata_put_strz(udata, UDATA_COMMENT, rule->why);
	nftnl_udata_put(udata, UDATA_HASH, sizeof(rule->hash), &rule->hash);
	nftnl_rule_set_data(nftnl, NFTNL_RULE_USERDATA, nftnl_udata_buf_data(udata),
			    nftnl_udata_buf_len(udata));
	nftnl_udata_buf_free(udata);
	for (size_t i = 0; i < rule->n; i++) {
		const struct fw_expr *e = &rule->exprs[i];
		nft_lower_fn *lower = nft_match(e->kind);

		if (!lower)
			lower = nft_action(e->kind);
		lower(nftnl, e);
	}
	return nftnl;
}

/* clang-format off */
static const uint32_t hook_numbers[] = {
	[FW_PREROUTING] = NF_INET_PRE_ROUTING,
	[FW_INPUT] = NF_INET_LOCAL_IN,
	[FW_FORWARD] = NF_INET_FORWARD,
	[FW_OUTPUT] = NF_INET_LOCAL_OUT,
	[FW_POSTROUTING] = NF_INET_POST_ROUTING,
};
/* clang-format on */

struct nftnl_chain *nft_chain(const struct fw_chain *chain)
{
	struct nftnl_chain *nftnl = mem_check(nftnl_chain_alloc());

	nftnl_chain_set_u32(nftnl, NFTNL_CHAIN_FAMILY, nft_family(chain->table));
	nftnl_chain_set_str(nftnl, NFTNL_CHAIN_TABLE, NFT_TABLE);
	nftnl_chain_set_str(nftnl, NFTNL_CHAIN_NAME, chain->name);
	if (chain->hook == FW_NO_HOOK)
		return nftnl;
	nftnl_chain_set_str(nftnl, NFTNL_CHAIN_TYPE, chain->nat ? "nat" : "filter");
	nftnl_chain_set_u32(nftnl, NFTNL_CHAIN_HOOKNUM, hook_numbers[chain->hook]);
	nftnl_chain_set_s32(nftnl, NFTNL_CHAIN_PRIO, chain->priority);
	nftnl_chain_set_u32(nftnl, NFTNL_CHAIN_POLICY, NF_ACCEPT);
	return nftnl;
}

void nft_read_chain(const struct nftnl_chain *chain, struct fw_chain *ret_chain)
{
	snprintf(ret_chain->name, sizeof(ret_chain->name), "%s",
		 nftnl_chain_get_str(chain, NFTNL_CHAIN_NAME));
	if (!nftnl_chain_is_set(chain, NFTNL_CHAIN_HOOKNUM))
		return;
	for (enum fw_hook hook = FW_PREROUTING; hook <= FW_POSTROUTING; hook++)
		if (hook_numbers[hook] == nftnl_chain_get_u32(chain, NFTNL_CHAIN_HOOKNUM))
			ret_chain->hook = hook;
	ret_chain->nat = streq(nftnl_chain_get_str(chain, NFTNL_CHAIN_TYPE), "nat");
	ret_chain->priority = nftnl_chain_get_s32(chain, NFTNL_CHAIN_PRIO);
}

static int read_udata(const struct nftnl_udata *attr, void *arg)
{
	struct fw_rule *rule = arg;
	const uint8_t *value = nftnl_udata_get(attr);
	uint8_t len = nftnl_udata_len(attr);

	if (nftnl_udata_type(attr) == UDATA_COMMENT && len && value[len - 1] == '\0')
		snprintf(rule->why, sizeof(rule->why), "%s", (const char *)value);
	if (nftnl_udata_type(attr) == UDATA_HASH && len == sizeof(rule->hash))
		memcpy(&rule->hash, value, len);
	return 0;
}

void nft_read_rule(const struct nlattr *udata, struct fw_rule *ret_rule)
{
	*ret_rule = (struct fw_rule){ 0 };
	if (udata)
		nftnl_udata_parse(mnl_attr_get_payload(udata), mnl_attr_get_payload_len(udata),
				  read_udata, ret_rule);
}
