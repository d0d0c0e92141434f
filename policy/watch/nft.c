/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See nft.h. */
#include "nft.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "../base/mem.h"

#define BURST_MS 20

struct nft_watch {
	struct loop *loop;
	struct loop_timer *timer;
	struct mnl_socket *socket;
	uint32_t own_port;
	bool pending;
	void (*fn)(void *arg);
	void *arg;
};

static bool foreign(const struct nft_watch *watch, const char *buffer, ssize_t len)
{
	const struct nlmsghdr *message = (const struct nlmsghdr *)buffer;
	int rest = len;

	for (; mnl_nlmsg_ok(message, rest); message = mnl_nlmsg_next(message, &rest))
		if (message->nlmsg_pid != watch->own_port)
			return true;
	return false;
}

static void on_readable(void *arg, uint32_t events)
{
	struct nft_watch *watch = arg;
	bool news = false;
	char buffer[16384];

	(void)events;
	/* Bounded: a flood of changes must not keep driver calls waiting. The rest is read next
	 * turn. */
	for (int i = 0; i < 64; i++) {
		ssize_t len = recv(mnl_socket_get_fd(watch->socket), buffer, sizeof(buffer),
				   MSG_DONTWAIT);

		if (len < 0 && errno == ENOBUFS)
			news = true; /* something was lost: look */
		else if (len <= 0)
			break;
		else
			news |= foreign(watch, buffer, len);
	}
	if (news && !watch->pending) {
		watch->pending = true;
		loop_timer_arm(watch->timer, BURST_MS);
	}
}

static void on_timer(void *arg)
{
	struct nft_watch *watch = arg;

	watch->pending = false;
	watch->fn(watch->arg);
}

struct nft_watch *nft_watch_new(struct loop *loop, uint32_t own_port, void (*fn)(void *arg),
				void *arg, struct err *err)
{
	struct nft_watch *watch = xcalloc(1, sizeof(*watch));
	int group = NFNLGRP_NFTABLES;

	*watch = (struct nft_watch){ .loop = loop, .own_port = own_port, .fn = fn, .arg = arg };
	watch->timer = loop_timer_new(loop, on_timer, watch);
	watch->socket = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (!watch->socket || mnl_socket_bind(watch->socket, 0, MNL_SOCKET_AUTOPID) < 0 ||
	    mnl_socket_setsockopt(watch->socket, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) <
		    0 ||
	    loop_fd_add(loop, mnl_socket_get_fd(watch->socket), EPOLLIN, on_readable, watch) < 0) {
		err_errno(err, -errno, "watch nftables");
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
	loop_timer_free(watch->timer);
	free(watch);
}
