/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Chains and rules: one small function per kind of expression, picked from a table. */
#include "nft.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libnftnl/expr.h>
#include <libnftnl/udata.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tuple_common.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>

#include "../base/mem.h"
#include "../plan/names.h"

/* nft itself uses types below this for comments and the like, and skips those it does not know. */
#define UDATA_COMMENT 0
#define UDATA_HASH 200

static struct nftnl_expr *add_expr(struct nftnl_rule *rule, const char *name)
{
	struct nftnl_expr *expr = mem_check(nftnl_expr_alloc(name));

	nftnl_rule_add_expr(rule, expr);
	return expr;
}

static void load_meta(struct nftnl_rule *rule, uint32_t key, uint32_t reg)
{
	struct nftnl_expr *expr = add_expr(rule, "meta");

	nftnl_expr_set_u32(expr, NFTNL_EXPR_META_KEY, key);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_META_DREG, reg);
}

static void load_payload(struct nftnl_rule *rule, uint32_t base, uint32_t offset, uint32_t len,
			 uint32_t reg)
{
	struct nftnl_expr *expr = add_expr(rule, "payload");

	nftnl_expr_set_u32(expr, NFTNL_EXPR_PAYLOAD_BASE, base);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_PAYLOAD_OFFSET, offset);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_PAYLOAD_LEN, len);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_PAYLOAD_DREG, reg);
}

static void compare(struct nftnl_rule *rule, bool not, const void *data, uint32_t len)
{
	struct nftnl_expr *expr = add_expr(rule, "cmp");

	nftnl_expr_set_u32(expr, NFTNL_EXPR_CMP_SREG, NFT_REG_1);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_CMP_OP, not? NFT_CMP_NEQ : NFT_CMP_EQ);
	nftnl_expr_set(expr, NFTNL_EXPR_CMP_DATA, data, len);
}

static void mask_register(struct nftnl_rule *rule, const void *mask, uint32_t len)
{
	static const uint8_t zero[16];
	struct nftnl_expr *expr = add_expr(rule, "bitwise");

	nftnl_expr_set_u32(expr, NFTNL_EXPR_BITWISE_SREG, NFT_REG_1);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_BITWISE_DREG, NFT_REG_1);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_BITWISE_LEN, len);
	nftnl_expr_set(expr, NFTNL_EXPR_BITWISE_MASK, mask, len);
	nftnl_expr_set(expr, NFTNL_EXPR_BITWISE_XOR, zero, len);
}

static void lower_ifname(struct nftnl_rule *rule, const struct fw_expr *e)
{
	char name[IFNAMSIZ] = "";
	size_t len = strnlen(e->name, IFNAMSIZ - 1);

	load_meta(rule, e->kind == FW_IIFNAME ? NFT_META_IIFNAME : NFT_META_OIFNAME, NFT_REG_1);
	memcpy(name, e->name, len);
	/* A wildcard compares the bytes before the star, a name all sixteen. */
	if (len && name[len - 1] == '*')
		compare(rule, e->not, name, len - 1);
	else
		compare(rule, e->not, name, sizeof(name));
}

static void match_family(struct nftnl_rule *rule, bool not, uint8_t af)
{
	uint8_t nfproto = af == AF_INET ? NFPROTO_IPV4 : NFPROTO_IPV6;

	load_meta(rule, NFT_META_NFPROTO, NFT_REG_1);
	compare(rule, not, &nfproto, sizeof(nfproto));
}

static void lower_family(struct nftnl_rule *rule, const struct fw_expr *e)
{
	match_family(rule, e->not, e->prefix.addr.family);
}

static void lower_addr(struct nftnl_rule *rule, const struct fw_expr *e)
{
	const struct addr *addr = &e->prefix.addr;
	uint32_t len = addr_len(addr);
	uint8_t mask[16] = { 0 };
	uint32_t offset;

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
	compare(rule, e->not, addr->bytes, len);
}

static void lower_l4proto(struct nftnl_rule *rule, const struct fw_expr *e)
{
	uint8_t proto = e->value;

	load_meta(rule, NFT_META_L4PROTO, NFT_REG_1);
	compare(rule, e->not, &proto, sizeof(proto));
}

/* Any of the bits: (ct key & bits) != 0. */
static void match_ct_bits(struct nftnl_rule *rule, uint32_t key, uint32_t bits, bool not)
{
	struct nftnl_expr *expr = add_expr(rule, "ct");
	uint32_t zero = 0;

	nftnl_expr_set_u32(expr, NFTNL_EXPR_CT_KEY, key);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_CT_DREG, NFT_REG_1);
	mask_register(rule, &bits, sizeof(bits));
	compare(rule, !not, &zero, sizeof(zero));
}

static void lower_ct_state(struct nftnl_rule *rule, const struct fw_expr *e)
{
	match_ct_bits(rule, NFT_CT_STATE, e->value, e->not);
}

static void lower_ct_dnat(struct nftnl_rule *rule, const struct fw_expr *e)
{
	match_ct_bits(rule, NFT_CT_STATUS, IPS_DST_NAT, e->not);
}

static void lower_ct_reply(struct nftnl_rule *rule, const struct fw_expr *e)
{
	struct nftnl_expr *expr = add_expr(rule, "ct");
	uint8_t reply = IP_CT_DIR_REPLY;

	nftnl_expr_set_u32(expr, NFTNL_EXPR_CT_KEY, NFT_CT_DIRECTION);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_CT_DREG, NFT_REG_1);
	compare(rule, e->not, &reply, sizeof(reply));
}

static void load_ct_mark(struct nftnl_rule *rule)
{
	struct nftnl_expr *expr = add_expr(rule, "ct");

	nftnl_expr_set_u32(expr, NFTNL_EXPR_CT_KEY, NFT_CT_MARK);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_CT_DREG, NFT_REG_1);
}

static void lower_ct_mark(struct nftnl_rule *rule, const struct fw_expr *e)
{
	load_ct_mark(rule);
	mask_register(rule, &e->mask, sizeof(e->mask));
	compare(rule, e->not, &e->value, sizeof(e->value));
}

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

static void lower_dport(struct nftnl_rule *rule, const struct fw_expr *e)
{
	uint16_t port = htons(e->value);

	load_payload(rule, NFT_PAYLOAD_TRANSPORT_HEADER, 2, sizeof(port), NFT_REG_1);
	compare(rule, e->not, &port, sizeof(port));
}

static void lower_oifkind(struct nftnl_rule *rule, const struct fw_expr *e)
{
	char kind[IFNAMSIZ] = "";

	load_meta(rule, NFT_META_OIFKIND, NFT_REG_1);
	memcpy(kind, e->name, strnlen(e->name, IFNAMSIZ - 1));
	compare(rule, e->not, kind, sizeof(kind));
}

#define TCP_FLAGS_OFFSET 13
#define TCP_SYN 0x02
#define TCP_RST 0x04
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

static void lower_to_host(struct nftnl_rule *rule, const struct fw_expr *e)
{
	struct nftnl_expr *expr = add_expr(rule, "fib");
	uint32_t local = RTN_LOCAL;

	nftnl_expr_set_u32(expr, NFTNL_EXPR_FIB_RESULT, NFT_FIB_RESULT_ADDRTYPE);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_FIB_FLAGS, NFTA_FIB_F_DADDR);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_FIB_DREG, NFT_REG_1);
	compare(rule, e->not, &local, sizeof(local));
}

/* Loads what the set is looked up by into consecutive registers; four bytes each, as the kernel lays
 * out the parts of a concatenation. */
static void load_key(struct nftnl_rule *rule, const struct fw_set *set)
{
	uint32_t reg = NFT_REG32_00;

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
		}
	}
}

static struct nftnl_expr *look_up(struct nftnl_rule *rule, const struct fw_expr *e)
{
	struct nftnl_expr *expr;

	load_key(rule, fw_set_find(e->name));
	expr = add_expr(rule, "lookup");
	nftnl_expr_set_u32(expr, NFTNL_EXPR_LOOKUP_SREG, NFT_REG32_00);
	nftnl_expr_set_str(expr, NFTNL_EXPR_LOOKUP_SET, e->name);
	return expr;
}

static void lower_in(struct nftnl_rule *rule, const struct fw_expr *e)
{
	struct nftnl_expr *expr = look_up(rule, e);

	if (e->not)
		nftnl_expr_set_u32(expr, NFTNL_EXPR_LOOKUP_FLAGS, NFT_LOOKUP_F_INV);
}

static void lower_vmap(struct nftnl_rule *rule, const struct fw_expr *e)
{
	nftnl_expr_set_u32(look_up(rule, e), NFTNL_EXPR_LOOKUP_DREG, NFT_REG_VERDICT);
}

static struct nftnl_expr *add_nat(struct nftnl_rule *rule, uint32_t type, uint8_t af)
{
	struct nftnl_expr *expr = add_expr(rule, "nat");

	nftnl_expr_set_u32(expr, NFTNL_EXPR_NAT_TYPE, type);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_NAT_FAMILY, af == AF_INET ? NFPROTO_IPV4 : NFPROTO_IPV6);
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

static void (*const lower[])(struct nftnl_rule *rule, const struct fw_expr *e) = {
	[FW_IIFNAME] = lower_ifname,
	[FW_OIFNAME] = lower_ifname,
	[FW_FAMILY] = lower_family,
	[FW_SADDR] = lower_addr,
	[FW_DADDR] = lower_addr,
	[FW_L4PROTO] = lower_l4proto,
	[FW_CT_STATE] = lower_ct_state,
	[FW_CT_DNAT] = lower_ct_dnat,
	[FW_CT_REPLY] = lower_ct_reply,
	[FW_CT_MARK] = lower_ct_mark,
	[FW_DPORT] = lower_dport,
	[FW_OIFKIND] = lower_oifkind,
	[FW_TO_HOST] = lower_to_host,
	[FW_IN] = lower_in,
	[FW_COUNTER] = lower_counter,
	[FW_ACCEPT] = lower_verdict,
	[FW_DROP] = lower_verdict,
	[FW_REJECT] = lower_reject,
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

struct nftnl_rule *nft_rule(const char *chain, const struct fw_rule *rule)
{
	struct nftnl_rule *nftnl = mem_check(nftnl_rule_alloc());
	struct nftnl_udata_buf *udata = mem_check(nftnl_udata_buf_alloc(128));

	nftnl_rule_set_u32(nftnl, NFTNL_RULE_FAMILY, NFPROTO_INET);
	nftnl_rule_set_str(nftnl, NFTNL_RULE_TABLE, NFT_TABLE);
	nftnl_rule_set_str(nftnl, NFTNL_RULE_CHAIN, chain);
	nftnl_udata_put_strz(udata, UDATA_COMMENT, rule->why);
	nftnl_udata_put(udata, UDATA_HASH, sizeof(rule->hash), &rule->hash);
	nftnl_rule_set_data(nftnl, NFTNL_RULE_USERDATA, nftnl_udata_buf_data(udata),
			    nftnl_udata_buf_len(udata));
	nftnl_udata_buf_free(udata);
	for (size_t i = 0; i < rule->n; i++)
		lower[rule->exprs[i].kind](nftnl, &rule->exprs[i]);
	return nftnl;
}

static const uint32_t hook_numbers[] = {
	[FW_PREROUTING] = NF_INET_PRE_ROUTING,
	[FW_INPUT] = NF_INET_LOCAL_IN,
	[FW_FORWARD] = NF_INET_FORWARD,
	[FW_OUTPUT] = NF_INET_LOCAL_OUT,
	[FW_POSTROUTING] = NF_INET_POST_ROUTING,
};

struct nftnl_chain *nft_chain(const struct fw_chain *chain)
{
	struct nftnl_chain *nftnl = mem_check(nftnl_chain_alloc());

	nftnl_chain_set_u32(nftnl, NFTNL_CHAIN_FAMILY, NFPROTO_INET);
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

void nft_read_rule(const struct nftnl_rule *rule, struct fw_rule *ret_rule)
{
	uint32_t len = 0;
	const void *data;

	*ret_rule = (struct fw_rule){ 0 };
	data = nftnl_rule_get_data(rule, NFTNL_RULE_USERDATA, &len);
	if (data)
		nftnl_udata_parse(data, len, read_udata, ret_rule);
}
