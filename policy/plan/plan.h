/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kernel should contain, as plain data: a sorted list of items. Also what the kernel was
 * seen to contain: the same type, so that the difference of two plans is all that is ever applied.
 */
#pragma once

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/addr.h"
#include "../base/strbuf.h"
#include "fw.h"

/* In the order in which items are created; removal goes backwards. Rules before roads. */
enum item_kind {
	ITEM_FW_TABLE, /* no content: everything of the firewall is inside of one */
	ITEM_FW_SET,
	ITEM_FW_COUNTER,
	ITEM_FW_CHAIN,
	ITEM_FW_ELEMENT,
	ITEM_FORWARDING, /* the kernel forwards packets of this family */
	ITEM_RULE,       /* policy routing rule */
	ITEM_BACKSTOP,   /* route to nowhere: needs no link */
	ITEM_BRIDGE,
	ITEM_ADDRESS,
	ITEM_ROUTE,
	ITEM_VETH,
};

struct item_forwarding {
	enum family family;
};

enum rule_action { RULE_LOOKUP, RULE_GOTO, RULE_UNREACHABLE, RULE_NOP };

/* A policy routing rule: all of it is its key. */
struct item_rule {
	enum family family;
	uint32_t pref;
	uint32_t mark, mask; /* mask 0: any packet */
	char iif[IFNAMSIZ];  /* "": from anywhere */
	struct prefix from;  /* unset: any source */
	enum rule_action action;
	uint32_t table;  /* RULE_LOOKUP */
	uint32_t target; /* RULE_GOTO: a priority */
	bool no_default; /* RULE_LOOKUP: ignore default routes */
};

struct item_route {
	struct prefix dst;
	uint32_t table;
	uint32_t metric;
	char oif[IFNAMSIZ]; /* "": to nowhere */
	bool silent;        /* to nowhere, and the sender is not told */
};

struct item_bridge {
	char name[IFNAMSIZ];
	char alias[96];
	uint8_t mac[6];
	uint32_t mtu;
};

struct item_address {
	char link[IFNAMSIZ];
	struct prefix addr;
};

/* host_if is created as an up port of the bridge; the other end exists until somebody moves it. An
 * observed veth whose other end lives in another namespace has no container_if. */
struct item_veth {
	char host_if[IFNAMSIZ];
	char container_if[IFNAMSIZ];
	char bridge[IFNAMSIZ];
	char alias[96];
	uint8_t container_mac[6];
	uint32_t mtu;
	uint32_t container_mtu; /* of the end that is moved; 0: the same */
	bool isolated;          /* bridge port isolation: no traffic between isolated ports */
};

struct item {
	enum item_kind kind;
	union {
		enum fw_table table;
		struct fw_set set;
		struct fw_counter counter;
		struct fw_chain chain;
		struct fw_element element;
		struct item_forwarding forwarding;
		struct item_rule rule;
		struct item_route route; /* ITEM_ROUTE and ITEM_BACKSTOP */
		struct item_bridge bridge;
		struct item_address address;
		struct item_veth veth;
	};
};

struct plan {
	struct item *items; /* owned, with what they own */
	size_t n;
	size_t size;
};

/* A new zeroed item of this kind; fill it before the next call. */
struct item *plan_add(struct plan *plan, enum item_kind kind);
void plan_truncate(struct plan *plan, size_t n); /* forgets all but the first n */
void plan_sort(struct plan *plan);
void plan_done(struct plan *plan);

/* The item that compares as equal to key; the plan must be sorted. NULL: there is none. */
const struct item *plan_find(const struct plan *plan, const struct item *key);

/* In which table is this item of the firewall? */
enum fw_table item_table(const struct item *item);

/* Same thing (key), regardless of its state? <0, 0, >0 in creation order. */
int item_compare(const struct item *a, const struct item *b);
/* Same thing in the same state? Only for items that compare as 0. */
bool item_equal(const struct item *a, const struct item *b);
/* One line for people: "route 10.0.0.0/24 dev te-1 table 1". */
void item_print(const struct item *item, struct strbuf *text);

/* The whole plan for people: the table in nft syntax, then links and routing, one item a line. */
void plan_print(const struct plan *plan, struct strbuf *text);
