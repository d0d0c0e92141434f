/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lowers firewall data to libnftnl objects. No I/O. Byte order is decided here and nowhere else:
 * marks and states host order, addresses and ports network order. */
#pragma once

#include <libnftnl/chain.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>

#include "../plan/fw.h"

struct nlattr;

uint8_t nft_family(enum fw_table table);
struct nftnl_chain *nft_chain(const struct fw_chain *chain);
struct nftnl_rule *nft_rule(const struct fw_chain *chain, const struct fw_rule *rule);
/* id ties elements to a set that is made in the same transaction. */
struct nftnl_set *nft_set(const struct fw_set *set, uint32_t id);
struct nftnl_set_elem *nft_element(const struct fw_element *element);

/* And back, as far as a comparison needs it: see fw.h on observed rules. The table is the one that
 * was asked about. */
void nft_read_chain(const struct nftnl_chain *chain, struct fw_chain *ret_chain);
/* Of a rule only what was attached to it is read; NULL: nothing was. */
void nft_read_rule(const struct nlattr *udata, struct fw_rule *ret_rule);
/* -EINVAL when the set is none of fw_sets. */
int nft_read_element(const char *set, struct nftnl_set_elem *elem, struct fw_element *ret_element);
