/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The firewall as data: small enough to compare, sort, print and test without a kernel. A rule is a
 * list of expressions read left to right, like nft. An accept ends only *our* chain: other base
 * chains on the same hook still have their say; a drop is final. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/addr.h"
#include "../base/strbuf.h"

#define FW_NAME_SIZE 32
#define FW_KEY_FIELDS 4

/* Ours are called the same in both families. */
enum fw_table {
	FW_INET,   /* what is routed, or asked of the host */
	FW_BRIDGE, /* what enters a bridge by one of its ports */
	FW_TABLES,
};

enum fw_kind {
	FW_END,
	/* matches */
	FW_IIFNAME, /* name; a trailing * matches any ending */
	FW_OIFNAME,
	FW_FAMILY, /* the packet is of the family of prefix.addr */
	FW_SADDR,  /* in prefix; implies its family */
	FW_DADDR,
	FW_PROTOCOL,  /* value: ETH_P_IP ...; for bridges, where FW_FAMILY says nothing */
	FW_ARP_SADDR, /* the sender of an ARP message is prefix.addr */
	FW_L4PROTO,   /* value */
	FW_CT_STATE,  /* any bit of value */
	FW_CT_DNAT,   /* the connection's destination was translated */
	FW_CT_REPLY,  /* the packet answers who opened the connection */
	FW_CT_MARK,   /* value, under mask */
	FW_DPORT,     /* value; implies nothing about the protocol */
	FW_IIFKIND,   /* name: "wireguard", "tun" ... */
	FW_OIFKIND,
	FW_TCP_RST,   /* implies nothing about the protocol; nor does the next */
	FW_ICMP_TYPE, /* value, in the numbers of the family of prefix.addr */
	FW_ND_TARGET, /* a neighbour advertisement is about prefix.addr; implies nothing either */
	FW_TO_HOST,   /* the destination is an address of this host */
	FW_IN,        /* the set called name has an element for this packet */
	/* actions */
	FW_COUNTER, /* of the packets that come this far; named where there is a name */
	FW_ACCEPT,
	FW_DROP,
	FW_REJECT,   /* and tell the sender with an error, which TCP believes late */
	FW_RESET,    /* and end the sender's TCP connection */
	FW_GOTO,     /* the chain called name instead of the rest of this one */
	FW_JUMP,     /* the chain called name, and then the rest of this one */
	FW_SET_MARK, /* the bits of mask become value */
	FW_SET_CT_MARK,
	FW_CLAMP_MSS, /* of TCP's first packets, to what the route carries */
	FW_DNAT,      /* to prefix.addr, the port stays */
	FW_RETURN,
	FW_VMAP,     /* the verdict that the map called name has for this packet */
	FW_DNAT_MAP, /* to the address . port that the map called name has for it */
	FW_MASQUERADE,
	FW_SNAT, /* to prefix.addr */
};

/* What of a packet is looked up in a set. */
enum fw_field {
	FW_NO_FIELD,
	FW_FIELD_IIFNAME,
	FW_FIELD_OIFNAME,
	FW_FIELD_L4PROTO,
	FW_FIELD_SADDR4,
	FW_FIELD_SADDR6,
	FW_FIELD_ARP_SADDR,
	FW_FIELD_DADDR4,
	FW_FIELD_DADDR6,
	FW_FIELD_DPORT,
	FW_FIELD_CT_MARK, /* our bits of it; never with others, nor the next */
	FW_FIELD_MARK,
};

enum fw_ct_state {
	FW_CT_INVALID = 1 << 0,
	FW_CT_ESTABLISHED = 1 << 1,
	FW_CT_RELATED = 1 << 2,
	FW_CT_NEW = 1 << 3,
	FW_CT_UNTRACKED = 1 << 6,
};

struct fw_expr {
	uint8_t kind; /* enum fw_kind */
	bool negated; /* of a match */
	uint32_t value, mask;
	struct prefix prefix;
	char name[FW_NAME_SIZE];
};

struct fw_rule {
	char why[48];          /* the comment that `nft list` shows */
	uint64_t hash;         /* of everything below: all that is known of an observed rule */
	struct fw_expr *exprs; /* owned; NULL in an observed rule */
	size_t n;
};

enum fw_hook { FW_NO_HOOK, FW_PREROUTING, FW_INPUT, FW_FORWARD, FW_OUTPUT, FW_POSTROUTING };

struct fw_chain {
	enum fw_table table;
	char name[FW_NAME_SIZE];
	enum fw_hook hook; /* FW_NO_HOOK: reached by jumps only */
	bool nat;          /* a base chain of type nat instead of filter */
	int priority;
	struct fw_rule *rules; /* owned */
	size_t n;
};

/* What a set's elements are made of. */
enum fw_type {
	FW_NO_TYPE,
	FW_TYPE_IFNAME,
	FW_TYPE_PROTO,
	FW_TYPE_ADDR4,
	FW_TYPE_ADDR6,
	FW_TYPE_PORT,
	FW_TYPE_MARK,
	FW_TYPE_JUMP, /* a verdict: come back from that chain */
	FW_TYPE_GOTO, /* a verdict: that chain instead of the rest of this one */
};

struct fw_set {
	char name[FW_NAME_SIZE];
	uint8_t key[FW_KEY_FIELDS];    /* enum fw_type, ended by FW_NO_TYPE or full */
	uint8_t data[2];               /* of a map */
	uint8_t lookup[FW_KEY_FIELDS]; /* enum fw_field: what is compared with the key */
	enum fw_table table;
};

/* Declared apart from the rules that use it, so that it outlives their replacement. */
struct fw_counter {
	enum fw_table table;
	char name[FW_NAME_SIZE];
};

/* One member per type that may occur; the set's declaration says which ones do. */
struct fw_element {
	char set[FW_NAME_SIZE];
	char ifname[16];
	uint8_t proto;
	struct addr addr;
	uint16_t port;
	uint32_t mark;
	/* data of a map */
	char jump[FW_NAME_SIZE];
	struct addr to_addr;
	uint16_t to_port;
};

/* Declarations of all sets and maps: how elements and keys are laid out is read from here. */
const struct fw_set *fw_set_find(const char *name); /* must exist */
extern const struct fw_set fw_sets[];
extern const size_t fw_sets_n;

/* rule(chain, "why", iifname("x"), accept()); the expressions are values made by fw_expr.h. */
void fw_rule_add(struct fw_chain *chain, const char *why, const struct fw_expr *exprs);
#define rule(chain, why, ...) \
	fw_rule_add(chain, why, (const struct fw_expr[]){ __VA_ARGS__, { .kind = FW_END } })

static inline bool fw_is_verdict(uint8_t type)
{
	return type == FW_TYPE_JUMP || type == FW_TYPE_GOTO;
}

bool fw_chain_equal(const struct fw_chain *a, const struct fw_chain *b);
void fw_chain_done(struct fw_chain *chain);

/* In nft syntax. */
extern const char *const fw_table_names[FW_TABLES]; /* "inet tailexit" ... */
void fw_rule_print(const struct fw_rule *rule, struct strbuf *text);
void fw_set_print_head(const struct fw_set *set, struct strbuf *text); /* "map x { type ...;" */
void fw_chain_print_head(const struct fw_chain *chain, struct strbuf *text);
void fw_element_print(const struct fw_element *element, struct strbuf *text);
