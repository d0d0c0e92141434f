/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See routes.h. The kernel puts the port of whoever asked into what it says of routes and rules;
 * into what follows from a link that went down, 0. */
#include "routes.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/fib_rules.h>
#include <linux/filter.h>
#include <linux/netconf.h>
#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/epoll.h>

#include "../base/mem.h"
#include "../kernel/nl.h"
#include "../plan/names.h"

#define QUEUE_SIZE (8 << 20)
/* Then others get their turn. */
#define READS_PER_WAKEUP 64

struct route_watch {
	struct loop *loop;
	uint32_t own_port;
	route_watch_fn *fn;
	void *arg;
	struct mnl_socket *sock;
	char buffer[32 * 1024];
};

static bool is_our_table(uint32_t table)
{
	return table >= TABLE_LOCAL && table <= TABLE_LAST;
}

static void take_route(struct route_watch *watch, const struct nlmsghdr *msg)
{
	const struct rtmsg *header = mnl_nlmsg_get_payload(msg);
	const struct nlattr *attrs[RTA_MAX + 1];

	nl_parse(msg, sizeof(*header), attrs, RTA_MAX);
	if (header->rtm_protocol == ROUTE_PROTOCOL ||
	    (attrs[RTA_TABLE] && is_our_table(mnl_attr_get_u32(attrs[RTA_TABLE]))))
		watch->fn(watch->arg, ROUTE_CHANGED);
}

static void take_rule(struct route_watch *watch, const struct nlmsghdr *msg)
{
	const struct nlattr *attrs[FRA_MAX + 1];
	uint32_t pref;

	nl_parse(msg, sizeof(struct fib_rule_hdr), attrs, FRA_MAX);
	pref = attrs[FRA_PRIORITY] ? mnl_attr_get_u32(attrs[FRA_PRIORITY]) : 0;
	if (attrs[FRA_PROTOCOL] && mnl_attr_get_u8(attrs[FRA_PROTOCOL]) == ROUTE_PROTOCOL)
		watch->fn(watch->arg, RULE_CHANGED);
	else if (pref <= PREF_END)
		watch->fn(watch->arg, RULE_FOREIGN);
}

static void take_netconf(struct route_watch *watch, const struct nlmsghdr *msg)
{
	const struct nlattr *attrs[NETCONFA_MAX + 1];

	nl_parse(msg, sizeof(struct netconfmsg), attrs, NETCONFA_MAX);
	/* Nobody can turn it on against us; and who does so is mostly ourselves. */
	if (attrs[NETCONFA_FORWARDING] && attrs[NETCONFA_IFINDEX] &&
	    (int32_t)mnl_attr_get_u32(attrs[NETCONFA_IFINDEX]) == NETCONFA_IFINDEX_ALL &&
	    mnl_attr_get_u32(attrs[NETCONFA_FORWARDING]) == 0)
		watch->fn(watch->arg, FORWARDING_LOST);
}

static void take_events(struct route_watch *watch, size_t got)
{
	const struct nlmsghdr *msg = (const void *)watch->buffer;
	int len = (int)got;

	for (; mnl_nlmsg_ok(msg, len); msg = mnl_nlmsg_next(msg, &len)) {
		if (msg->nlmsg_pid == watch->own_port)
			continue;
		if (msg->nlmsg_type == RTM_NEWROUTE || msg->nlmsg_type == RTM_DELROUTE)
			take_route(watch, msg);
		else if (msg->nlmsg_type == RTM_NEWRULE || msg->nlmsg_type == RTM_DELRULE)
			take_rule(watch, msg);
		else if (msg->nlmsg_type == RTM_NEWNETCONF)
			take_netconf(watch, msg);
	}
}

static void on_readable(void *arg, uint32_t events)
{
	struct route_watch *watch = arg;

	(void)events;
	for (int i = 0; i < READS_PER_WAKEUP; i++) {
		ssize_t got =
			mnl_socket_recvfrom(watch->sock, watch->buffer, sizeof(watch->buffer));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return;
		/* ENOBUFS: the queue ran over. ENOSPC: a message did not fit the buffer. */
		if (got < 0)
			watch->fn(watch->arg, ROUTE_LOST_TRACK);
		else
			take_events(watch, (size_t)got);
	}
}

/* Of routes only those that can be ours: with our protocol, or in a table whose number does not fit
 * the header. */
static int attach_filter(int fd)
{
	enum { TYPE = offsetof(struct nlmsghdr, nlmsg_type), BODY = sizeof(struct nlmsghdr) };
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, TYPE),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htons(RTM_NEWROUTE), 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htons(RTM_DELROUTE), 0, 4),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, BODY + offsetof(struct rtmsg, rtm_protocol)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ROUTE_PROTOCOL, 2, 0),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, BODY + offsetof(struct rtmsg, rtm_table)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, RT_TABLE_COMPAT, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	const struct sock_fprog program = { ARRAY_SIZE(code), code };

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
}

static int subscribe(struct route_watch *watch, struct err *err)
{
	static const int groups[] = {
		RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE,   RTNLGRP_IPV4_RULE,
		RTNLGRP_IPV6_RULE,  RTNLGRP_IPV4_NETCONF, RTNLGRP_IPV6_NETCONF
	};
	int size = QUEUE_SIZE;
	int fd, r;

	watch->sock = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (!watch->sock || mnl_socket_bind(watch->sock, 0, MNL_SOCKET_AUTOPID) < 0)
		return err_errno(err, -errno, "cannot open a netlink socket");
	fd = mnl_socket_get_fd(watch->sock);
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (attach_filter(fd) < 0)
		return err_errno(err, -errno, "cannot filter route events");
	for (size_t i = 0; i < ARRAY_SIZE(groups); i++)
		if (mnl_socket_setsockopt(watch->sock, NETLINK_ADD_MEMBERSHIP, (void *)&groups[i],
					  sizeof(groups[i])) < 0)
			return err_errno(err, -errno, "cannot subscribe to route events");
	r = loop_fd_add(watch->loop, fd, EPOLLIN, on_readable, watch);
	return r < 0 ? err_errno(err, r, "cannot wait for route events") : 0;
}

struct route_watch *route_watch_new(struct loop *loop, uint32_t own_port, route_watch_fn *fn,
				    void *arg, struct err *err)
{
	struct route_watch *watch = xcalloc(1, sizeof(*watch));

	watch->loop = loop;
	watch->own_port = own_port;
	watch->fn = fn;
	watch->arg = arg;
	if (subscribe(watch, err) < 0) {
		route_watch_free(watch);
		return NULL;
	}
	return watch;
}

void route_watch_free(struct route_watch *watch)
{
	if (!watch)
		return;
	if (watch->sock) {
		loop_fd_del(watch->loop, mnl_socket_get_fd(watch->sock));
		mnl_socket_close(watch->sock);
	}
	free(watch);
}
