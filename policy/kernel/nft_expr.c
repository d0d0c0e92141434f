/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See nft_expr.h. */
#include "nft_expr.h"

#include "../base/mem.h"
#include "../plan/names.h"

struct nftnl_expr *add_expr(struct nftnl_rule *rule, const char *name)
{
	struct nftnl_expr *expr = mem_check(nftnl_expr_alloc(name));

	nftnl_rule_add_expr(rule, expr);
	return expr;
}

void load_meta(struct nftnl_rule *rule, uint32_t key, uint32_t reg)
{
	struct nftnl_expr *expr = add_expr(rule, "meta");

	nftnl_expr_set_u32(expr, NFTNL_EXPR_META_KEY, key);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_META_DREG, reg);
}

void load_payload(struct nftnl_rule *rule, uint32_t base, uint32_t offset, uint32_t len,
		  uint32_t reg)
{
	struct nftnl_expr *expr = add_expr(rule, "payload");

	nftnl_expr_set_u32(expr, NFTNL_EXPR_PAYLOAD_BASE, base);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_PAYLOAD_OFFSET, offset);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_PAYLOAD_LEN, len);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_PAYLOAD_DREG, reg);
}

void compare(struct nftnl_rule *rule, bool negated, const void *data, uint32_t len)
{
	struct nftnl_expr *expr = add_expr(rule, "cmp");

	nftnl_expr_set_u32(expr, NFTNL_EXPR_CMP_SREG, NFT_REG_1);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_CMP_OP, negated ? NFT_CMP_NEQ : NFT_CMP_EQ);
	nftnl_expr_set(expr, NFTNL_EXPR_CMP_DATA, data, len);
}

void mask_register(struct nftnl_rule *rule, const void *mask, uint32_t len)
{
	static const uint8_t zero[16];
	struct nftnl_expr *expr = add_expr(rule, "bitwise");

	nftnl_expr_set_u32(expr, NFTNL_EXPR_BITWISE_SREG, NFT_REG_1);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_BITWISE_DREG, NFT_REG_1);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_BITWISE_LEN, len);
	nftnl_expr_set(expr, NFTNL_EXPR_BITWISE_MASK, mask, len);
	nftnl_expr_set(expr, NFTNL_EXPR_BITWISE_XOR, zero, len);
}

void load_ct_mark(struct nftnl_rule *rule)
{
	struct nftnl_expr *expr = add_expr(rule, "ct");

	nftnl_expr_set_u32(expr, NFTNL_EXPR_CT_KEY, NFT_CT_MARK);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_CT_DREG, NFT_REG_1);
}

/* Loads what the set is looked up by into consecutive registers; four bytes each, as the kernel
 * lays out the parts of a concatenation. */
static void load_key(struct nftnl_rule *rule, const struct fw_set *set)
{
	uint32_t reg = NFT_REG32_00, mark_bits = MARK_MASK;

	for (int i = 0; i < FW_KEY_FIELDS && set->lookup[i]; i++) {
		switch ((enum fw_field)set->lookup[i]) {
		case FW_NO_FIELD:
			break;
		case FW_FIELD_IIFNAME:
			load_meta(rule, NFT_META_IIFNAME, reg);
			reg += 4;
			break;
		case FW_FIELD_OIFNAME:
			load_meta(rule, NFT_META_OIFNAME, reg);
			reg += 4;
			break;
		case FW_FIELD_L4PROTO:
			load_meta(rule, NFT_META_L4PROTO, reg);
			reg += 1;
			break;
		case FW_FIELD_SADDR4:
			load_payload(rule, NFT_PAYLOAD_NETWORK_HEADER, 12, 4, reg);
			reg += 1;
			break;
		case FW_FIELD_SADDR6:
			load_payload(rule, NFT_PAYLOAD_NETWORK_HEADER, 8, 16, reg);
			reg += 4;
			break;
		case FW_FIELD_ARP_SADDR:
			load_payload(rule, NFT_PAYLOAD_NETWORK_HEADER, ARP_SADDR, 4, reg);
			reg += 1;
			break;
		case FW_FIELD_DADDR4:
			load_payload(rule, NFT_PAYLOAD_NETWORK_HEADER, 16, 4, reg);
			reg += 1;
			break;
		case FW_FIELD_DADDR6:
			load_payload(rule, NFT_PAYLOAD_NETWORK_HEADER, 24, 16, reg);
			reg += 4;
			break;
		case FW_FIELD_DPORT:
			load_payload(rule, NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2, reg);
			reg += 1;
			break;
		case FW_FIELD_MARK:
			load_meta(rule, NFT_META_MARK, NFT_REG_1);
			mask_register(rule, &mark_bits, sizeof(mark_bits));
			break;
		case FW_FIELD_CT_MARK:
			load_ct_mark(rule);
			mask_register(rule, &mark_bits, sizeof(mark_bits));
			break;
		}
	}
}

struct nftnl_expr *look_up(struct nftnl_rule *rule, const struct fw_expr *e)
{
	struct nftnl_expr *expr;

	load_key(rule, fw_set_find(e->name));
	expr = add_expr(rule, "lookup");
	nftnl_expr_set_u32(expr, NFTNL_EXPR_LOOKUP_SREG, NFT_REG32_00);
	nftnl_expr_set_str(expr, NFTNL_EXPR_LOOKUP_SET, e->name);
	return expr;
}
