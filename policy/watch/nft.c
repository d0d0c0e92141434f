/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See nft.h. */
#include "nft.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "../base/mem.h"
#include "../kernel/nl.h"
#include "../plan/names.h"

#define QUEUE_SIZE (8 << 20)
/* A flood of changes must not keep driver calls waiting. The rest is read next turn. */
#define READS_PER_WAKEUP 64

struct nft_watch {
	struct loop *loop;
	struct mnl_socket *socket;
	uint32_t own_port;
	nft_watch_fn *fn;
	void *arg;
	struct nft_news news;
	char by[64];
	char buffer[64 * 1024];
};

/* The end of a transaction, which says who did it. */
static void take_author(struct nft_watch *watch, const struct nlmsghdr *msg)
{
	const struct nlattr *attrs[NFTA_GEN_MAX + 1];

	nl_parse(msg, sizeof(struct nfgenmsg), attrs, NFTA_GEN_MAX);
	if (attrs[NFTA_GEN_PROC_NAME] && attrs[NFTA_GEN_PROC_PID])
		snprintf(watch->by, sizeof(watch->by), "%s (process %u)",
			 mnl_attr_get_str(attrs[NFTA_GEN_PROC_NAME]),
			 ntohl(mnl_attr_get_u32(attrs[NFTA_GEN_PROC_PID])));
}

/* The name of the table is attribute 1 of everything there is: see nf_tables.h. */
static bool in_our_table(const struct nlmsghdr *msg)
{
	const struct nfgenmsg *header = mnl_nlmsg_get_payload(msg);
	const struct nlattr *attrs[NFTA_TABLE_NAME + 1];

	nl_parse(msg, sizeof(*header), attrs, NFTA_TABLE_NAME);
	return header->nfgen_family == NFPROTO_INET && attrs[NFTA_TABLE_NAME] &&
	       streq(mnl_attr_get_str(attrs[NFTA_TABLE_NAME]), NFT_TABLE);
}

static void take_events(struct nft_watch *watch, size_t got)
{
	const struct nlmsghdr *msg = (const void *)watch->buffer;
	int len = (int)got;

	for (; mnl_nlmsg_ok(msg, len); msg = mnl_nlmsg_next(msg, &len)) {
		if (msg->nlmsg_pid == watch->own_port ||
		    NFNL_SUBSYS_ID(msg->nlmsg_type) != NFNL_SUBSYS_NFTABLES)
			continue;
		if (NFNL_MSG_TYPE(msg->nlmsg_type) == NFT_MSG_NEWGEN)
			take_author(watch, msg);
		else if (in_our_table(msg))
			watch->news.ours = true;
		else
			watch->news.others = true;
	}
}

static void on_readable(void *arg, uint32_t events)
{
	struct nft_watch *watch = arg;

	(void)events;
	watch->news = (struct nft_news){ .by = watch->by };
	watch->by[0] = '\0';
	for (int i = 0; i < READS_PER_WAKEUP; i++) {
		ssize_t got =
			mnl_socket_recvfrom(watch->socket, watch->buffer, sizeof(watch->buffer));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			break;
		if (got < 0) /* something was lost, or did not fit: look */
			watch->news.ours = watch->news.others = true;
		else
			take_events(watch, (size_t)got);
	}
	if (watch->news.ours || watch->news.others)
		watch->fn(watch->arg, &watch->news);
}

static int subscribe(struct nft_watch *watch)
{
	int group = NFNLGRP_NFTABLES, size = QUEUE_SIZE;
	int fd;

	watch->socket = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (!watch->socket || mnl_socket_bind(watch->socket, 0, MNL_SOCKET_AUTOPID) < 0)
		return -errno;
	fd = mnl_socket_get_fd(watch->socket);
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (mnl_socket_setsockopt(watch->socket, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) < 0)
		return -errno;
	return loop_fd_add(watch->loop, fd, EPOLLIN, on_readable, watch);
}

struct nft_watch *nft_watch_new(struct loop *loop, uint32_t own_port, nft_watch_fn *fn, void *arg,
				struct err *err)
{
	struct nft_watch *watch = xcalloc(1, sizeof(*watch));
	int r;

	watch->loop = loop;
	watch->own_port = own_port;
	watch->fn = fn;
	watch->arg = arg;
	r = subscribe(watch);
	if (r < 0) {
		err_errno(err, r, "watch nftables");
		nft_watch_free(watch);
		return NULL;
	}
	return watch;
}

void nft_watch_free(struct nft_watch *watch)
{
	if (!watch)
		return;
	if (watch->socket) {
		loop_fd_del(watch->loop, mnl_socket_get_fd(watch->socket));
		mnl_socket_close(watch->socket);
	}
	free(watch);
}
