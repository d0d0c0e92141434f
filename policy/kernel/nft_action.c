/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a rule does with a packet: one small function per kind of action. */
#include "nft_expr.h"

#include <netinet/in.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_nat.h>

#include "../base/mem.h"

/* register = register & ~mask | value, in the one expression that can do both */
static void merge_bits(struct nftnl_rule *rule, uint32_t value, uint32_t mask)
{
	struct nftnl_expr *expr = add_expr(rule, "bitwise");
	uint32_t keep = ~mask;

	nftnl_expr_set_u32(expr, NFTNL_EXPR_BITWISE_SREG, NFT_REG_1);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_BITWISE_DREG, NFT_REG_1);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_BITWISE_LEN, sizeof(keep));
	nftnl_expr_set(expr, NFTNL_EXPR_BITWISE_MASK, &keep, sizeof(keep));
	nftnl_expr_set(expr, NFTNL_EXPR_BITWISE_XOR, &value, sizeof(value));
}

static void lower_set_mark(struct nftnl_rule *rule, const struct fw_expr *e)
{
	struct nftnl_expr *expr;

	load_meta(rule, NFT_META_MARK, NFT_REG_1);
	merge_bits(rule, e->value, e->mask);
	expr = add_expr(rule, "meta");
	nftnl_expr_set_u32(expr, NFTNL_EXPR_META_KEY, NFT_META_MARK);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_META_SREG, NFT_REG_1);
}

static void lower_set_ct_mark(struct nftnl_rule *rule, const struct fw_expr *e)
{
	struct nftnl_expr *expr;

	load_ct_mark(rule);
	merge_bits(rule, e->value, e->mask);
	expr = add_expr(rule, "ct");
	nftnl_expr_set_u32(expr, NFTNL_EXPR_CT_KEY, NFT_CT_MARK);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_CT_SREG, NFT_REG_1);
}

#define TCPOPT_MAXSEG 2

static void lower_clamp_mss(struct nftnl_rule *rule, const struct fw_expr *e)
{
	uint8_t tcp = IPPROTO_TCP, syn = TCP_SYN, both = TCP_SYN | TCP_RST;
	struct nftnl_expr *expr;

	(void)e;
	load_meta(rule, NFT_META_L4PROTO, NFT_REG_1);
	compare(rule, false, &tcp, sizeof(tcp));
	load_payload(rule, NFT_PAYLOAD_TRANSPORT_HEADER, TCP_FLAGS_OFFSET, 1, NFT_REG_1);
	mask_register(rule, &both, sizeof(both));
	compare(rule, false, &syn, sizeof(syn));
	expr = add_expr(rule, "rt");
	nftnl_expr_set_u32(expr, NFTNL_EXPR_RT_KEY, NFT_RT_TCPMSS);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_RT_DREG, NFT_REG_1);
	expr = add_expr(rule, "byteorder");
	nftnl_expr_set_u32(expr, NFTNL_EXPR_BYTEORDER_SREG, NFT_REG_1);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_BYTEORDER_DREG, NFT_REG_1);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_BYTEORDER_OP, NFT_BYTEORDER_HTON);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_BYTEORDER_LEN, 2);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_BYTEORDER_SIZE, 2);
	expr = add_expr(rule, "exthdr");
	nftnl_expr_set_u32(expr, NFTNL_EXPR_EXTHDR_SREG, NFT_REG_1);
	nftnl_expr_set_u8(expr, NFTNL_EXPR_EXTHDR_TYPE, TCPOPT_MAXSEG);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_EXTHDR_OFFSET, 2);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_EXTHDR_LEN, 2);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_EXTHDR_OP, NFT_EXTHDR_OP_TCPOPT);
}

static void lower_reject(struct nftnl_rule *rule, const struct fw_expr *e)
{
	struct nftnl_expr *expr = add_expr(rule, "reject");

	(void)e;
	nftnl_expr_set_u32(expr, NFTNL_EXPR_REJECT_TYPE, NFT_REJECT_ICMPX_UNREACH);
	nftnl_expr_set_u8(expr, NFTNL_EXPR_REJECT_CODE, NFT_REJECT_ICMPX_ADMIN_PROHIBITED);
}

static void lower_reset(struct nftnl_rule *rule, const struct fw_expr *e)
{
	struct nftnl_expr *expr = add_expr(rule, "reject");

	(void)e;
	nftnl_expr_set_u32(expr, NFTNL_EXPR_REJECT_TYPE, NFT_REJECT_TCP_RST);
}

static void lower_chain(struct nftnl_rule *rule, const struct fw_expr *e)
{
	struct nftnl_expr *expr = add_expr(rule, "immediate");
	uint32_t verdict = e->kind == FW_JUMP ? (uint32_t)NFT_JUMP : (uint32_t)NFT_GOTO;

	nftnl_expr_set_u32(expr, NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_IMM_VERDICT, verdict);
	nftnl_expr_set_str(expr, NFTNL_EXPR_IMM_CHAIN, e->name);
}

static void lower_vmap(struct nftnl_rule *rule, const struct fw_expr *e)
{
	nftnl_expr_set_u32(look_up(rule, e), NFTNL_EXPR_LOOKUP_DREG, NFT_REG_VERDICT);
}

static struct nftnl_expr *add_nat(struct nftnl_rule *rule, uint32_t type, uint8_t af)
{
	struct nftnl_expr *expr = add_expr(rule, "nat");

	nftnl_expr_set_u32(expr, NFTNL_EXPR_NAT_TYPE, type);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_NAT_FAMILY,
			   af == AF_INET ? NFPROTO_IPV4 : NFPROTO_IPV6);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_NAT_REG_ADDR_MIN, NFT_REG32_00);
	return expr;
}

/* The map's data is address . port: the port sits in the register after the address. */
static void lower_dnat_map(struct nftnl_rule *rule, const struct fw_expr *e)
{
	bool v4 = fw_set_find(e->name)->data[0] == FW_TYPE_ADDR4;
	struct nftnl_expr *expr;

	nftnl_expr_set_u32(look_up(rule, e), NFTNL_EXPR_LOOKUP_DREG, NFT_REG32_00);
	expr = add_nat(rule, NFT_NAT_DNAT, v4 ? AF_INET : AF_INET6);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_NAT_REG_PROTO_MIN, v4 ? NFT_REG32_01 : NFT_REG32_04);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_NAT_FLAGS, NF_NAT_RANGE_PROTO_SPECIFIED);
}

static void lower_nat_to(struct nftnl_rule *rule, const struct fw_expr *e)
{
	struct nftnl_expr *expr = add_expr(rule, "immediate");

	nftnl_expr_set_u32(expr, NFTNL_EXPR_IMM_DREG, NFT_REG32_00);
	nftnl_expr_set(expr, NFTNL_EXPR_IMM_DATA, e->prefix.addr.bytes, addr_len(&e->prefix.addr));
	add_nat(rule, e->kind == FW_SNAT ? NFT_NAT_SNAT : NFT_NAT_DNAT, e->prefix.addr.family);
}

static void lower_masquerade(struct nftnl_rule *rule, const struct fw_expr *e)
{
	(void)e;
	add_expr(rule, "masq");
}

static void lower_counter(struct nftnl_rule *rule, const struct fw_expr *e)
{
	struct nftnl_expr *expr = add_expr(rule, "objref");

	nftnl_expr_set_u32(expr, NFTNL_EXPR_OBJREF_IMM_TYPE, NFT_OBJECT_COUNTER);
	nftnl_expr_set_str(expr, NFTNL_EXPR_OBJREF_IMM_NAME, e->name);
}

static void lower_verdict(struct nftnl_rule *rule, const struct fw_expr *e)
{
	struct nftnl_expr *expr = add_expr(rule, "immediate");
	uint32_t verdict = e->kind == FW_ACCEPT ? (uint32_t)NF_ACCEPT
			   : e->kind == FW_DROP ? (uint32_t)NF_DROP
						: (uint32_t)NFT_RETURN;

	nftnl_expr_set_u32(expr, NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_IMM_VERDICT, verdict);
}

/* clang-format off */
static nft_lower_fn *const actions[] = {
	[FW_COUNTER] = lower_counter,
	[FW_ACCEPT] = lower_verdict,
	[FW_DROP] = lower_verdict,
	[FW_REJECT] = lower_reject,
	[FW_RESET] = lower_reset,
	[FW_GOTO] = lower_chain,
	[FW_JUMP] = lower_chain,
	[FW_RETURN] = lower_verdict,
	[FW_SET_MARK] = lower_set_mark,
	[FW_SET_CT_MARK] = lower_set_ct_mark,
	[FW_CLAMP_MSS] = lower_clamp_mss,
	[FW_DNAT] = lower_nat_to,
	[FW_VMAP] = lower_vmap,
	[FW_DNAT_MAP] = lower_dnat_map,
	[FW_MASQUERADE] = lower_masquerade,
	[FW_SNAT] = lower_nat_to,
};
/* clang-format on */

nft_lower_fn *nft_action(enum fw_kind kind)
{
	return kind < ARRAY_SIZE(actions) ? actions[kind] : NULL;
}
