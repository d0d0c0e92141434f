/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The firewall in nft syntax: what people read, golden files fix, and nft itself accepts. */
#include <linux/if_ether.h>
#include <netinet/in.h>

#include "../base/mem.h"
#include "fw.h"
#include "names.h"

const char *const fw_table_names[FW_TABLES] = {
	[FW_INET] = "inet " NFT_TABLE,
	[FW_BRIDGE] = "bridge " NFT_TABLE,
};

/* clang-format off */
static const char *const type_names[] = {
	[FW_TYPE_IFNAME] = "ifname",       [FW_TYPE_PROTO] = "inet_proto",
	[FW_TYPE_ADDR4] = "ipv4_addr",     [FW_TYPE_ADDR6] = "ipv6_addr",
	[FW_TYPE_PORT] = "inet_service",   [FW_TYPE_MARK] = "mark",
	[FW_TYPE_JUMP] = "verdict",        [FW_TYPE_GOTO] = "verdict",
};
/* clang-format on */

/* clang-format off */
static const char *const field_names[] = {
	[FW_FIELD_IIFNAME] = "iifname",   [FW_FIELD_OIFNAME] = "oifname",
	[FW_FIELD_L4PROTO] = "meta l4proto", [FW_FIELD_DADDR4] = "ip daddr",
	[FW_FIELD_DADDR6] = "ip6 daddr",  [FW_FIELD_DPORT] = "th dport",
	[FW_FIELD_SADDR4] = "ip saddr",   [FW_FIELD_SADDR6] = "ip6 saddr",
	[FW_FIELD_ARP_SADDR] = "arp saddr ip",
	[FW_FIELD_CT_MARK] = "ct mark & 0xff000000", [FW_FIELD_MARK] = "meta mark & 0xff000000",
};
/* clang-format on */

/* clang-format off */
static const char *const hook_names[] = {
	[FW_PREROUTING] = "prerouting",
	[FW_INPUT] = "input",
	[FW_FORWARD] = "forward",
	[FW_OUTPUT] = "output",
	[FW_POSTROUTING] = "postrouting",
};
/* clang-format on */

static void print_list(const uint8_t *list, size_t max, const char *const *names,
		       struct strbuf *text)
{
	for (size_t i = 0; i < max && list[i]; i++)
		strbuf_addf(text, "%s%s", i ? " . " : "", names[list[i]]);
}

static void print_proto(uint8_t proto, struct strbuf *text)
{
	switch (proto) {
	case IPPROTO_TCP:
		strbuf_addf(text, "tcp");
		break;
	case IPPROTO_UDP:
		strbuf_addf(text, "udp");
		break;
	case IPPROTO_SCTP:
		strbuf_addf(text, "sctp");
		break;
	case IPPROTO_ICMP:
		strbuf_addf(text, "icmp");
		break;
	case IPPROTO_ICMPV6:
		strbuf_addf(text, "ipv6-icmp");
		break;
	default:
		strbuf_addf(text, "%u", proto);
	}
}

static const char *protocol_name(uint32_t protocol)
{
	return protocol == ETH_P_IP ? "ip" : protocol == ETH_P_IPV6 ? "ip6" : "arp";
}

static void print_states(uint32_t states, struct strbuf *text)
{
	static const struct {
		uint32_t bit;
		const char *name;
	} names[] = {
		{ FW_CT_INVALID, "invalid" },     { FW_CT_ESTABLISHED, "established" },
		{ FW_CT_RELATED, "related" },     { FW_CT_NEW, "new" },
		{ FW_CT_UNTRACKED, "untracked" },
	};
	const char *comma = "";

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (states & names[i].bit) {
			strbuf_addf(text, "%s%s", comma, names[i].name);
			comma = ",";
		}
	}
}

static void print_addr_match(const char *word, const struct fw_expr *e, struct strbuf *text)
{
	const struct prefix *prefix = &e->prefix;
	struct addr_text buffer;

	strbuf_addf(text, "%s %s %s", prefix->addr.family == AF_INET ? "ip" : "ip6", word,
		    e->negated ? "!= " : "");
	if (prefix->len == addr_len(&prefix->addr) * 8)
		strbuf_addf(text, "%s", addr_print(&prefix->addr, &buffer));
	else
		strbuf_addf(text, "%s", prefix_print(prefix, &buffer));
}

static void print_lookup(const struct fw_expr *e, const char *verb, struct strbuf *text)
{
	print_list(fw_set_find(e->name)->lookup, FW_KEY_FIELDS, field_names, text);
	strbuf_addf(text, "%s@%s", verb, e->name);
}

static void print_expr(const struct fw_expr *e, struct strbuf *text)
{
	const char *is = e->negated ? "!= " : "";
	struct addr_text buffer;

	switch ((enum fw_kind)e->kind) {
	case FW_END:
		break;
	case FW_IIFNAME:
		strbuf_addf(text, "iifname %s\"%s\"", is, e->name);
		break;
	case FW_OIFNAME:
		strbuf_addf(text, "oifname %s\"%s\"", is, e->name);
		break;
	case FW_FAMILY:
		strbuf_addf(text, "meta nfproto %s%s", is,
			    e->prefix.addr.family == AF_INET ? "ipv4" : "ipv6");
		break;
	case FW_SADDR:
		print_addr_match("saddr", e, text);
		break;
	case FW_DADDR:
		print_addr_match("daddr", e, text);
		break;
	case FW_PROTOCOL:
		strbuf_addf(text, "meta protocol %s%s", is, protocol_name(e->value));
		break;
	case FW_ARP_SADDR:
		strbuf_addf(text, "arp saddr ip %s%s", is, addr_print(&e->prefix.addr, &buffer));
		break;
	case FW_L4PROTO:
		strbuf_addf(text, "meta l4proto %s", is);
		print_proto(e->value, text);
		break;
	case FW_CT_STATE:
		strbuf_addf(text, "ct state %s", is);
		print_states(e->value, text);
		break;
	case FW_CT_DNAT:
		strbuf_addf(text, e->negated ? "ct status & dnat == 0" : "ct status dnat");
		break;
	case FW_CT_REPLY:
		strbuf_addf(text, "ct direction %sreply", is);
		break;
	case FW_CT_MARK:
		strbuf_addf(text, "ct mark & 0x%x %s 0x%x", e->mask,
			    e->negated ? "!=" : "==", e->value);
		break;
	case FW_DPORT:
		strbuf_addf(text, "th dport %s%u", is, e->value);
		break;
	case FW_IIFKIND:
		strbuf_addf(text, "meta iifkind %s\"%s\"", is, e->name);
		break;
	case FW_OIFKIND:
		strbuf_addf(text, "meta oifkind %s\"%s\"", is, e->name);
		break;
	case FW_TCP_RST:
		strbuf_addf(text, "tcp flags & rst %s 0", e->negated ? "==" : "!=");
		break;
	case FW_ICMP_TYPE:
		strbuf_addf(text, "%s type %s%u",
			    e->prefix.addr.family == AF_INET ? "icmp" : "icmpv6", is, e->value);
		break;
	case FW_ND_TARGET: /* older versions of nft have no word for it */
		strbuf_addf(text, "@th,64,128 %s0x", is);
		for (size_t i = 0; i < 16; i++)
			strbuf_addf(text, "%02x", e->prefix.addr.bytes[i]);
		break;
	case FW_TO_HOST:
		strbuf_addf(text, "fib daddr type %slocal", is);
		break;
	case FW_IN:
		print_lookup(e, e->negated ? " != " : " ", text);
		break;
	case FW_COUNTER:
		strbuf_addf(text, "counter name \"%s\"", e->name);
		break;
	case FW_REJECT:
		strbuf_addf(text, "reject with icmpx admin-prohibited");
		break;
	case FW_RESET:
		strbuf_addf(text, "reject with tcp reset");
		break;
	case FW_GOTO:
		strbuf_addf(text, "goto %s", e->name);
		break;
	case FW_JUMP:
		strbuf_addf(text, "jump %s", e->name);
		break;
	case FW_SET_MARK:
		strbuf_addf(text, "meta mark set mark & 0x%x | 0x%x", ~e->mask, e->value);
		break;
	case FW_SET_CT_MARK:
		strbuf_addf(text, "ct mark set ct mark & 0x%x | 0x%x", ~e->mask, e->value);
		break;
	case FW_CLAMP_MSS:
		strbuf_addf(text,
			    "tcp flags & (syn | rst) == syn tcp option maxseg size set rt mtu");
		break;
	case FW_DNAT:
		strbuf_addf(text, "dnat %s to %s", e->prefix.addr.family == AF_INET ? "ip" : "ip6",
			    addr_print(&e->prefix.addr, &buffer));
		break;
	case FW_ACCEPT:
		strbuf_addf(text, "accept");
		break;
	case FW_DROP:
		strbuf_addf(text, "drop");
		break;
	case FW_RETURN:
		strbuf_addf(text, "return");
		break;
	case FW_VMAP:
		print_lookup(e, " vmap ", text);
		break;
	case FW_DNAT_MAP:
		strbuf_addf(text, "dnat %s to ",
			    fw_set_find(e->name)->data[0] == FW_TYPE_ADDR4 ? "ip" : "ip6");
		print_lookup(e, " map ", text);
		break;
	case FW_MASQUERADE:
		strbuf_addf(text, "masquerade");
		break;
	case FW_SNAT:
		strbuf_addf(text, "snat %s to %s", e->prefix.addr.family == AF_INET ? "ip" : "ip6",
			    addr_print(&e->prefix.addr, &buffer));
		break;
	}
}

void fw_rule_print(const struct fw_rule *rule, struct strbuf *text)
{
	for (size_t i = 0; i < rule->n; i++) {
		print_expr(&rule->exprs[i], text);
		strbuf_addf(text, " ");
	}
	strbuf_addf(text, "comment \"%s\"", rule->why);
}

void fw_set_print_head(const struct fw_set *set, struct strbuf *text)
{
	strbuf_addf(text, "%s %s { type ", set->data[0] ? "map" : "set", set->name);
	print_list(set->key, FW_KEY_FIELDS, type_names, text);
	if (set->data[0]) {
		strbuf_addf(text, " : ");
		print_list(set->data, ARRAY_SIZE(set->data), type_names, text);
	}
	strbuf_addf(text, ";");
}

void fw_chain_print_head(const struct fw_chain *chain, struct strbuf *text)
{
	strbuf_addf(text, "chain %s {", chain->name);
	if (chain->hook != FW_NO_HOOK)
		strbuf_addf(text, " type %s hook %s priority %d; policy accept;",
			    chain->nat ? "nat" : "filter", hook_names[chain->hook],
			    chain->priority);
}

static void print_values(const uint8_t *list, size_t max, const struct fw_element *e, bool data,
			 struct strbuf *text)
{
	const struct addr *addr = data ? &e->to_addr : &e->addr;
	struct addr_text buffer;

	for (size_t i = 0; i < max && list[i]; i++) {
		strbuf_addf(text, "%s", i ? " . " : "");
		switch ((enum fw_type)list[i]) {
		case FW_TYPE_IFNAME:
			strbuf_addf(text, "\"%s\"", e->ifname);
			break;
		case FW_TYPE_PROTO:
			print_proto(e->proto, text);
			break;
		case FW_TYPE_ADDR4:
		case FW_TYPE_ADDR6:
			strbuf_addf(text, "%s", addr_print(addr, &buffer));
			break;
		case FW_TYPE_PORT:
			strbuf_addf(text, "%u", data ? e->to_port : e->port);
			break;
		case FW_TYPE_MARK:
			strbuf_addf(text, "0x%x", e->mark);
			break;
		case FW_TYPE_JUMP:
			strbuf_addf(text, "jump %s", e->jump);
			break;
		case FW_TYPE_GOTO:
			strbuf_addf(text, "goto %s", e->jump);
			break;
		case FW_NO_TYPE:
			break;
		}
	}
}

void fw_element_print(const struct fw_element *element, struct strbuf *text)
{
	const struct fw_set *set = fw_set_find(element->set);

	print_values(set->key, FW_KEY_FIELDS, element, false, text);
	if (set->data[0]) {
		strbuf_addf(text, " : ");
		print_values(set->data, ARRAY_SIZE(set->data), element, true, text);
	}
}
