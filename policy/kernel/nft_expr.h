/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the files that lower rules: nft.c puts a rule together, nft_match.c and nft_action.c know
 * one kind of expression each function, nft_expr.c is what they are made of. */
#pragma once

#include <netinet/in.h> /* before the kernel has its own idea of it */
#include <stdio.h>

#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <linux/netfilter/nf_tables.h>

#include "../plan/fw.h"

#define TCP_FLAGS_OFFSET 13
#define TCP_SYN 0x02
#define TCP_RST 0x04

typedef void nft_lower_fn(struct nftnl_rule *rule, const struct fw_expr *e);

/* nft_match.c, nft_action.c: NULL when the kind is not one of theirs. */
nft_lower_fn *nft_match(enum fw_kind kind);
nft_lower_fn *nft_action(enum fw_kind kind);

/* nft_expr.c. All work on NFT_REG_1, which is the same as NFT_REG32_00. */
struct nftnl_expr *add_expr(struct nftnl_rule *rule, const char *name);
void load_meta(struct nftnl_rule *rule, uint32_t key, uint32_t reg);
void load_payload(struct nftnl_rule *rule, uint32_t base, uint32_t offset, uint32_t len,
		  uint32_t reg);
void load_ct_mark(struct nftnl_rule *rule);
/* Where in an ARP message for IPv4 the sender's address is. */
#define ARP_SADDR 14
#define ND_TARGET 8

void compare(struct nftnl_rule *rule, bool negated, const void *data, uint32_t len);
void mask_register(struct nftnl_rule *rule, const void *mask, uint32_t len);
/* Looks up the packet in the set or map that e names. */
struct nftnl_expr *look_up(struct nftnl_rule *rule, const struct fw_expr *e);
