/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See links.h. A socket of its own, because one that belongs to a multicast group cannot be waited
 * on for answers. */
#include "links.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdbool.h>
#include <sys/epoll.h>

#include "../base/mem.h"
#include "../kernel/nl.h"

/* A few thousand links that all change at once. */
#define QUEUE_SIZE (8 << 20)
/* Then others get their turn. */
#define READS_PER_WAKEUP 64

struct link_watch {
	struct loop *loop;
	link_watch_fn *fn;
	void *arg;
	struct mnl_socket *sock;
	bool *freed; /* where to tell a running callback that the watch is no more */
	char buffer[32 * 1024];
};

/* False when the watch is gone. */
static bool report(struct link_watch *watch, enum link_event event, const struct link_info *link)
{
	bool freed = false;

	watch->freed = &freed;
	watch->fn(watch->arg, event, link);
	if (!freed)
		watch->freed = NULL;
	return !freed;
}

/* An address came or went: news about its link. */
static bool take_address(struct link_watch *watch, const struct nlmsghdr *msg)
{
	const struct ifaddrmsg *header = mnl_nlmsg_get_payload(msg);
	struct link_info link = { .index = (int)header->ifa_index };

	if (!if_indextoname(header->ifa_index, link.name))
		return true; /* the link is gone as well, which is said elsewhere */
	return report(watch, LINK_CHANGED, &link);
}

/* Everything changes at once about a link that is new. */
static bool went_down(const struct ifinfomsg *header)
{
	return (header->ifi_change & IFF_UP) && header->ifi_change != UINT32_MAX &&
	       !(header->ifi_flags & IFF_UP);
}

static bool take_event(struct link_watch *watch, const struct nlmsghdr *msg)
{
	const struct ifinfomsg *header = mnl_nlmsg_get_payload(msg);
	enum link_event event = LINK_CHANGED;
	struct link_info link;

	if (msg->nlmsg_type == RTM_NEWADDR || msg->nlmsg_type == RTM_DELADDR)
		return take_address(watch, msg);
	if (msg->nlmsg_type != RTM_NEWLINK && msg->nlmsg_type != RTM_DELLINK)
		return true;
	link_parse(msg, &link);
	if (!*link.name)
		return true;
	/* Bridges also announce their ports here, "deleted" when they left the bridge. */
	if (msg->nlmsg_type == RTM_DELLINK && header->ifi_family != AF_BRIDGE)
		event = LINK_GONE;
	else if (went_down(header))
		event = LINK_WENT_DOWN;
	return report(watch, event, &link);
}

static bool take_events(struct link_watch *watch, size_t got)
{
	const struct nlmsghdr *msg = (const void *)watch->buffer;
	int len = (int)got;

	for (; mnl_nlmsg_ok(msg, len); msg = mnl_nlmsg_next(msg, &len))
		if (!take_event(watch, msg))
			return false;
	return true;
}

static void on_readable(void *arg, uint32_t events)
{
	struct link_watch *watch = arg;

	(void)events;
	for (int i = 0; i < READS_PER_WAKEUP; i++) {
		ssize_t got =
			mnl_socket_recvfrom(watch->sock, watch->buffer, sizeof(watch->buffer));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return;
		/* ENOBUFS: the queue ran over. ENOSPC: a message did not fit the buffer. */
		if (got < 0 ? !report(watch, LINK_LOST_TRACK, &(struct link_info){ 0 })
			    : !take_events(watch, (size_t)got))
			return;
	}
}

static int subscribe(struct link_watch *watch, struct err *err)
{
	static const int groups[] = { RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR };
	int size = QUEUE_SIZE;
	int fd, r;

	watch->sock = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (!watch->sock || mnl_socket_bind(watch->sock, 0, MNL_SOCKET_AUTOPID) < 0)
		return err_errno(err, -errno, "cannot open a netlink socket");
	fd = mnl_socket_get_fd(watch->sock);
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	for (size_t i = 0; i < ARRAY_SIZE(groups); i++)
		if (mnl_socket_setsockopt(watch->sock, NETLINK_ADD_MEMBERSHIP, (void *)&groups[i],
					  sizeof(groups[i])) < 0)
			return err_errno(err, -errno, "cannot subscribe to link events");
	r = loop_fd_add(watch->loop, fd, EPOLLIN, on_readable, watch);
	return r < 0 ? err_errno(err, r, "cannot wait for link events") : 0;
}

struct link_watch *link_watch_new(struct loop *loop, link_watch_fn *fn, void *arg, struct err *err)
{
	struct link_watch *watch = xcalloc(1, sizeof(*watch));

	watch->loop = loop;
	watch->fn = fn;
	watch->arg = arg;
	if (subscribe(watch, err) < 0) {
		link_watch_free(watch);
		return NULL;
	}
	return watch;
}

void link_watch_free(struct link_watch *watch)
{
	if (!watch)
		return;
	if (watch->freed)
		*watch->freed = true;
	if (watch->sock) {
		loop_fd_del(watch->loop, mnl_socket_get_fd(watch->sock));
		mnl_socket_close(watch->sock);
	}
	free(watch);
}
