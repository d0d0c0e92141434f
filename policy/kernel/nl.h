/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Conversations with the kernel over netlink: one request, its answers, its acknowledgement. Waits
 * for nobody but the kernel. Must not know what the messages mean. */
#pragma once

#include <libmnl/libmnl.h>
#include <stdint.h>

#include "../base/err.h"

struct nl {
	struct mnl_socket *route;
	struct mnl_socket *netfilter;
	uint32_t seq;        /* of the last request; ++ for the next */
	const char *sysctls; /* where the host's /proc/sys is mounted; borrowed */
	char *buffer;        /* for answers; owned */
};

int nl_open(struct nl *ret_nl, struct err *err);
void nl_close(struct nl *nl); /* accepts one that is zeroed or closed */
static inline void nl_done(struct nl *nl)
{
	nl_close(nl);
}

static inline struct mnl_socket *nl_netfilter(struct nl *nl)
{
	return nl->netfilter;
}

/* Room for every single request there is: a nested handful of names, numbers and addresses. */
union nl_request {
	struct nlmsghdr header;
	char bytes[1024];
};
struct nlmsghdr *nl_request(union nl_request *request, uint16_t type, uint16_t flags);

/* Called for every message of an answer, and with NULL before the first one: forget what you have
 * collected, because a table that changed while it was read is read again. Must not talk to nl. */
typedef void nl_answer_fn(void *arg, const struct nlmsghdr *msg);

/* Each sends to the socket that msg's type belongs to. The error's sentence is the kernel's own
 * (extended ack) where there is one; callers put what they wanted in front of it. */
int nl_talk(struct nl *nl, struct nlmsghdr *msg, struct err *err);
int nl_get(struct nl *nl, struct nlmsghdr *msg, nl_answer_fn *fn, void *arg, struct err *err);
int nl_dump(struct nl *nl, struct nlmsghdr *msg, nl_answer_fn *fn, void *arg, struct err *err);

/* attrs[type] = attribute for every type up to max, NULL where there is none. */
void nl_parse(const struct nlmsghdr *msg, size_t header, const struct nlattr **attrs, int max);
void nl_parse_nested(const struct nlattr *nest, const struct nlattr **attrs, int max);

/* No request and no rtnl lock behind these two, hence cheap. In the namespace that nl belongs to.
 */
int nl_link_index(struct nl *nl, const char *name);                   /* or -ENODEV */
int nl_link_name(struct nl *nl, int index, char ret_name[static 16]); /* or -ENODEV */
