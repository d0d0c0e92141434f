/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The host's own addresses on our bridges. */
#pragma once

#include "../plan/plan.h"
#include "nl.h"

/* One that is there already is success; so is removing what is not. IPv6 that is disabled on the
 * link, as a host's defaults may have it, is enabled there. */
int address_add(struct nl *nl, const struct item_address *address, struct err *err);
int address_remove(struct nl *nl, const struct item_address *address, struct err *err);
/* Of our bridges only, and none that the kernel made itself (fe80::/10). */
int addresses_observe(struct nl *nl, struct plan *plan, struct err *err);
/* The same of one bridge; nothing when it is not there. */
int address_observe(struct nl *nl, const char *link, struct plan *plan, struct err *err);

/* Every address of this host, for who asks whether a packet was meant for it. */
struct addr_list {
	struct addr *addrs; /* owned */
	size_t n;
	size_t size;
};
int addr_list_read(struct nl *nl, struct addr_list *ret_list, struct err *err);
/* Of this link those that packets to anywhere can be sent from. */
int addr_list_read_link(struct nl *nl, int link, struct addr_list *ret_list, struct err *err);
void addr_list_done(struct addr_list *list);
