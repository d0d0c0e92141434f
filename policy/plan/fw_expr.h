/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The words in which rules are written: each makes one expression, by value. */
#pragma once

#include <stdio.h>

#include "fw.h"
#include "names.h"

static inline struct fw_expr fw_named(enum fw_kind kind, const char *name)
{
	struct fw_expr e = { .kind = kind };

	snprintf(e.name, sizeof(e.name), "%s", name);
	return e;
}

static inline struct fw_expr not(struct fw_expr e)
{
	e.negated = !e.negated;
	return e;
}

static inline struct fw_expr iifname(const char *name)
{
	return fw_named(FW_IIFNAME, name);
}

static inline struct fw_expr oifname(const char *name)
{
	return fw_named(FW_OIFNAME, name);
}

static inline struct fw_expr family(enum family family)
{
	return (struct fw_expr){ .kind = FW_FAMILY, .prefix.addr.family = family_to_af(family) };
}

static inline struct fw_expr saddr(struct prefix prefix)
{
	return (struct fw_expr){ .kind = FW_SADDR, .prefix = prefix };
}

static inline struct fw_expr daddr(struct prefix prefix)
{
	return (struct fw_expr){ .kind = FW_DADDR, .prefix = prefix };
}

static inline struct fw_expr protocol(uint16_t ethertype)
{
	return (struct fw_expr){ .kind = FW_PROTOCOL, .value = ethertype };
}

static inline struct fw_expr arp_saddr(struct addr addr)
{
	return (struct fw_expr){ .kind = FW_ARP_SADDR, .prefix.addr = addr };
}

static inline struct fw_expr l4proto(uint8_t proto)
{
	return (struct fw_expr){ .kind = FW_L4PROTO, .value = proto };
}

static inline struct fw_expr ct_state(uint32_t states)
{
	return (struct fw_expr){ .kind = FW_CT_STATE, .value = states };
}

static inline struct fw_expr ct_dnat(void)
{
	return (struct fw_expr){ .kind = FW_CT_DNAT };
}

static inline struct fw_expr ct_reply(void)
{
	return (struct fw_expr){ .kind = FW_CT_REPLY };
}

static inline struct fw_expr ct_mark(uint32_t mark)
{
	return (struct fw_expr){ .kind = FW_CT_MARK, .value = mark, .mask = MARK_MASK };
}

static inline struct fw_expr dport(uint16_t port)
{
	return (struct fw_expr){ .kind = FW_DPORT, .value = port };
}

static inline struct fw_expr iifkind(const char *kind)
{
	return fw_named(FW_IIFKIND, kind);
}

static inline struct fw_expr oifkind(const char *kind)
{
	return fw_named(FW_OIFKIND, kind);
}

static inline struct fw_expr tcp_rst(void)
{
	return (struct fw_expr){ .kind = FW_TCP_RST };
}

static inline struct fw_expr icmp_type(enum family family, uint8_t type)
{
	return (struct fw_expr){
		.kind = FW_ICMP_TYPE,
		.value = type,
		.prefix.addr.family = family_to_af(family),
	};
}

static inline struct fw_expr nd_target(struct addr addr)
{
	return (struct fw_expr){ .kind = FW_ND_TARGET, .prefix.addr = addr };
}

static inline struct fw_expr to_host(void)
{
	return (struct fw_expr){ .kind = FW_TO_HOST };
}

/* What is looked up follows from the set's declaration in fw_sets.c. */
static inline struct fw_expr in_set(const char *set)
{
	return fw_named(FW_IN, set);
}

static inline struct fw_expr vmap(const char *map)
{
	return fw_named(FW_VMAP, map);
}

static inline struct fw_expr dnat_map(const char *map)
{
	return fw_named(FW_DNAT_MAP, map);
}

static inline struct fw_expr counter(const char *name)
{
	return fw_named(FW_COUNTER, name);
}

static inline struct fw_expr goto_chain(const char *chain)
{
	return fw_named(FW_GOTO, chain);
}

static inline struct fw_expr jump_chain(const char *chain)
{
	return fw_named(FW_JUMP, chain);
}

static inline struct fw_expr reset_it(void)
{
	return (struct fw_expr){ .kind = FW_RESET };
}

static inline struct fw_expr unreachable(void)
{
	return (struct fw_expr){ .kind = FW_REJECT };
}

/* Tells the sender in the way that he believes at once: see compile.c. */
static inline struct fw_expr reject(void)
{
	return goto_chain(REJECT_CHAIN);
}

static inline struct fw_expr set_mark(uint32_t mark)
{
	return (struct fw_expr){ .kind = FW_SET_MARK, .value = mark, .mask = MARK_MASK };
}

static inline struct fw_expr set_mark_bits(uint32_t mark, uint32_t mask)
{
	return (struct fw_expr){ .kind = FW_SET_MARK, .value = mark, .mask = mask };
}

static inline struct fw_expr set_ct_mark(uint32_t mark)
{
	return (struct fw_expr){ .kind = FW_SET_CT_MARK, .value = mark, .mask = MARK_MASK };
}

static inline struct fw_expr clamp_mss(void)
{
	return (struct fw_expr){ .kind = FW_CLAMP_MSS };
}

static inline struct fw_expr dnat(struct addr addr)
{
	return (struct fw_expr){ .kind = FW_DNAT, .prefix.addr = addr };
}

static inline struct fw_expr accept_it(void)
{
	return (struct fw_expr){ .kind = FW_ACCEPT };
}

static inline struct fw_expr drop(void)
{
	return (struct fw_expr){ .kind = FW_DROP };
}

static inline struct fw_expr return_(void)
{
	return (struct fw_expr){ .kind = FW_RETURN };
}

static inline struct fw_expr masquerade(void)
{
	return (struct fw_expr){ .kind = FW_MASQUERADE };
}

static inline struct fw_expr snat(struct addr addr)
{
	return (struct fw_expr){ .kind = FW_SNAT, .prefix.addr = addr };
}
