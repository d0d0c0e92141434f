/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Network interfaces as the kernel shows them, and their end. bridge.h and veth.h make them. */
#pragma once

#include <stdbool.h>

#include "../plan/plan.h"
#include "nl.h"

struct link_info {
	char name[IFNAMSIZ];
	char kind[16]; /* "bridge", "veth" ...; "" for hardware and the loopback */
	char alias[96];
	uint8_t mac[6];
	uint32_t mtu;
	int index;
	int master; /* index, 0: none */
	int peer;   /* of a veth whose other end is in this namespace: its index, else 0 */
	bool up;    /* administratively */
	bool isolated;
};

/* -ENODEV, without a sentence, when there is no link of this name. */
int link_info(struct nl *nl, const char *name, struct link_info *ret_link, struct err *err);
bool link_exists(struct nl *nl, const char *name);
int link_remove(struct nl *nl, const char *name, struct err *err); /* none of that name: success */

/* By alias, or by kind and name when something ended between the making and the naming of it. */
bool link_is_ours(const struct link_info *link);

struct link_list {
	struct link_info *links; /* owned; sorted by index */
	size_t n;
	size_t size;
};
/* All links, or those of one kind. */
int link_list_read(struct nl *nl, const char *kind, struct link_list *ret_list, struct err *err);
const struct link_info *link_list_find(const struct link_list *list, int index); /* or NULL */
void link_list_done(struct link_list *list);

/* Adds our bridges and veth pairs. A link that is down is reported with mtu 0, because nothing
 * passes it: it differs from every plan, and changing it brings it up. */
int links_observe(struct nl *nl, struct plan *plan, struct err *err);
/* The same of one link; nothing when it is not there or not ours. */
int link_observe(struct nl *nl, const char *name, struct plan *plan, struct err *err);

/* What a message about a link says. */
void link_parse(const struct nlmsghdr *msg, struct link_info *ret_link);

/* What bridge.c and veth.c share. A request about a link of this name; attributes may follow. */
struct nlmsghdr *link_request(union nl_request *request, uint16_t type, uint16_t flags,
			      const char *name, bool up);
/* -EEXIST with a sentence: another link has the name that we want. */
int link_conflict(const struct link_info *link, const char *name, struct err *err);
