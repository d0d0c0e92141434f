/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a rule asks of a packet: one small function per kind of match. */
#include "nft_expr.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tuple_common.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include "../base/mem.h"

static void lower_ifname(struct nftnl_rule *rule, const struct fw_expr *e)
{
	char name[IFNAMSIZ] = "";
	size_t len = strnlen(e->name, IFNAMSIZ - 1);

	load_meta(rule, e->kind == FW_IIFNAME ? NFT_META_IIFNAME : NFT_META_OIFNAME, NFT_REG_1);
	memcpy(name, e->name, len);
	/* A wildcard compares the bytes before the star, a name all sixteen. */
	if (len && name[len - 1] == '*')
		compare(rule, e->negated, name, len - 1);
	else
		compare(rule, e->negated, name, sizeof(name));
}

static void match_family(struct nftnl_rule *rule, bool negated, uint8_t af)
{
	uint8_t nfproto = af == AF_INET ? NFPROTO_IPV4 : NFPROTO_IPV6;

	load_meta(rule, NFT_META_NFPROTO, NFT_REG_1);
	compare(rule, negated, &nfproto, sizeof(nfproto));
}

static void match_protocol(struct nftnl_rule *rule, bool negated, uint16_t ethertype)
{
	uint16_t net_type = htons(ethertype);

	load_meta(rule, NFT_META_PROTOCOL, NFT_REG_1);
	compare(rule, negated, &net_type, sizeof(net_type));
}

static void lower_protocol(struct nftnl_rule *rule, const struct fw_expr *e)
{
	match_protocol(rule, e->negated, e->value);
}

static void lower_arp_saddr(struct nftnl_rule *rule, const struct fw_expr *e)
{
	load_payload(rule, NFT_PAYLOAD_NETWORK_HEADER, ARP_SADDR, 4, NFT_REG_1);
	compare(rule, e->negated, e->prefix.addr.bytes, 4);
}

static void lower_family(struct nftnl_rule *rule, const struct fw_expr *e)
{
	match_family(rule, e->negated, e->prefix.addr.family);
}

static void lower_addr(struct nftnl_rule *rule, const struct fw_expr *e)
{
	const struct addr *addr = &e->prefix.addr;
	uint32_t len = addr_len(addr);
	uint8_t mask[16] = { 0 };
	uint32_t offset;

	if (nftnl_rule_get_u32(rule, NFTNL_RULE_FAMILY) == NFPROTO_BRIDGE)
		match_protocol(rule, false, addr->family == AF_INET ? ETH_P_IP : ETH_P_IPV6);
	else
		match_family(rule, false, addr->family);
	if (addr->family == AF_INET)
		offset = e->kind == FW_SADDR ? 12 : 16;
	else
		offset = e->kind == FW_SADDR ? 8 : 24;
	load_payload(rule, NFT_PAYLOAD_NETWORK_HEADER, offset, len, NFT_REG_1);
	if (e->prefix.len < len * 8) {
		for (unsigned bit = 0; bit < e->prefix.len; bit++)
			mask[bit / 8] |= 0x80 >> bit % 8;
		mask_register(rule, mask, len);
	}
	compare(rule, e->negated, addr->bytes, len);
}

static void lower_l4proto(struct nftnl_rule *rule, const struct fw_expr *e)
{
	uint8_t proto = e->value;

	load_meta(rule, NFT_META_L4PROTO, NFT_REG_1);
	compare(rule, e->negated, &proto, sizeof(proto));
}

/* Any of the bits: (ct key & bits) != 0. */
static void match_ct_bits(struct nftnl_rule *rule, uint32_t key, uint32_t bits, bool negated)
{
	struct nftnl_expr *expr = add_expr(rule, "ct");
	uint32_t zero = 0;

	nftnl_expr_set_u32(expr, NFTNL_EXPR_CT_KEY, key);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_CT_DREG, NFT_REG_1);
	mask_register(rule, &bits, sizeof(bits));
	compare(rule, !negated, &zero, sizeof(zero));
}

static void lower_ct_state(struct nftnl_rule *rule, const struct fw_expr *e)
{
	match_ct_bits(rule, NFT_CT_STATE, e->value, e->negated);
}

static void lower_ct_dnat(struct nftnl_rule *rule, const struct fw_expr *e)
{
	match_ct_bits(rule, NFT_CT_STATUS, IPS_DST_NAT, e->negated);
}

static void lower_ct_reply(struct nftnl_rule *rule, const struct fw_expr *e)
{
	struct nftnl_expr *expr = add_expr(rule, "ct");
	uint8_t reply = IP_CT_DIR_REPLY;

	nftnl_expr_set_u32(expr, NFTNL_EXPR_CT_KEY, NFT_CT_DIRECTION);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_CT_DREG, NFT_REG_1);
	compare(rule, e->negated, &reply, sizeof(reply));
}

static void lower_ct_mark(struct nftnl_rule *rule, const struct fw_expr *e)
{
	load_ct_mark(rule);
	mask_register(rule, &e->mask, sizeof(e->mask));
	compare(rule, e->negated, &e->value, sizeof(e->value));
}

static void lower_dport(struct nftnl_rule *rule, const struct fw_expr *e)
{
	uint16_t port = htons(e->value);

	load_payload(rule, NFT_PAYLOAD_TRANSPORT_HEADER, 2, sizeof(port), NFT_REG_1);
	compare(rule, e->negated, &port, sizeof(port));
}

static void lower_ifkind(struct nftnl_rule *rule, const struct fw_expr *e)
{
	char kind[IFNAMSIZ] = "";

	load_meta(rule, e->kind == FW_IIFKIND ? NFT_META_IIFKIND : NFT_META_OIFKIND, NFT_REG_1);
	memcpy(kind, e->name, strnlen(e->name, IFNAMSIZ - 1));
	compare(rule, e->negated, kind, sizeof(kind));
}

static void lower_tcp_rst(struct nftnl_rule *rule, const struct fw_expr *e)
{
	uint8_t rst = TCP_RST, zero = 0;

	load_payload(rule, NFT_PAYLOAD_TRANSPORT_HEADER, TCP_FLAGS_OFFSET, 1, NFT_REG_1);
	mask_register(rule, &rst, sizeof(rst));
	compare(rule, !e->negated, &zero, sizeof(zero));
}

static void lower_icmp_type(struct nftnl_rule *rule, const struct fw_expr *e)
{
	uint8_t type = e->value;

	load_payload(rule, NFT_PAYLOAD_TRANSPORT_HEADER, 0, sizeof(type), NFT_REG_1);
	compare(rule, e->negated, &type, sizeof(type));
}

static void lower_nd_target(struct nftnl_rule *rule, const struct fw_expr *e)
{
	load_payload(rule, NFT_PAYLOAD_TRANSPORT_HEADER, ND_TARGET, 16, NFT_REG_1);
	compare(rule, e->negated, e->prefix.addr.bytes, 16);
}

static void lower_to_host(struct nftnl_rule *rule, const struct fw_expr *e)
{
	struct nftnl_expr *expr = add_expr(rule, "fib");
	uint32_t local = RTN_LOCAL;

	nftnl_expr_set_u32(expr, NFTNL_EXPR_FIB_RESULT, NFT_FIB_RESULT_ADDRTYPE);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_FIB_FLAGS, NFTA_FIB_F_DADDR);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_FIB_DREG, NFT_REG_1);
	compare(rule, e->negated, &local, sizeof(local));
}

static void lower_in(struct nftnl_rule *rule, const struct fw_expr *e)
{
	struct nftnl_expr *expr = look_up(rule, e);

	if (e->negated)
		nftnl_expr_set_u32(expr, NFTNL_EXPR_LOOKUP_FLAGS, NFT_LOOKUP_F_INV);
}

/* clang-format off */
static nft_lower_fn *const matches[] = {
	[FW_IIFNAME] = lower_ifname,
	[FW_OIFNAME] = lower_ifname,
	[FW_FAMILY] = lower_family,
	[FW_SADDR] = lower_addr,
	[FW_DADDR] = lower_addr,
	[FW_PROTOCOL] = lower_protocol,
	[FW_ARP_SADDR] = lower_arp_saddr,
	[FW_L4PROTO] = lower_l4proto,
	[FW_CT_STATE] = lower_ct_state,
	[FW_CT_DNAT] = lower_ct_dnat,
	[FW_CT_REPLY] = lower_ct_reply,
	[FW_CT_MARK] = lower_ct_mark,
	[FW_DPORT] = lower_dport,
	[FW_IIFKIND] = lower_ifkind,
	[FW_OIFKIND] = lower_ifkind,
	[FW_TCP_RST] = lower_tcp_rst,
	[FW_ICMP_TYPE] = lower_icmp_type,
	[FW_ND_TARGET] = lower_nd_target,
	[FW_TO_HOST] = lower_to_host,
	[FW_IN] = lower_in,
};
/* clang-format on */

nft_lower_fn *nft_match(enum fw_kind kind)
{
	return kind < ARRAY_SIZE(matches) ? matches[kind] : NULL;
}
