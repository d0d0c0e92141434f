/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See udp_message.h. */
#include "udp_message.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "socket_addr.h"

union control {
	struct cmsghdr header;
	char v4[CMSG_SPACE(sizeof(struct in_pktinfo))];
	char v6[CMSG_SPACE(sizeof(struct in6_pktinfo))];
};

static bool is_link_local(const struct addr *addr)
{
	return addr->family == AF_INET6 && addr->bytes[0] == 0xfe &&
	       (addr->bytes[1] & 0xc0) == 0x80;
}

static void read_local(struct msghdr *message, struct udp_path *path)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo info;

			memcpy(&info, CMSG_DATA(c), sizeof(info));
			/* Not ipi_addr, which may be a broadcast address. */
			path->local.family = AF_INET;
			memcpy(path->local.bytes, &info.ipi_spec_dst, sizeof(info.ipi_spec_dst));
		} else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
			struct in6_pktinfo info;

			memcpy(&info, CMSG_DATA(c), sizeof(info));
			if (IN6_IS_ADDR_MULTICAST(&info.ipi6_addr))
				continue;
			path->local.family = AF_INET6;
			memcpy(path->local.bytes, &info.ipi6_addr, sizeof(info.ipi6_addr));
			if (is_link_local(&path->local) || is_link_local(&path->client))
				path->ifindex = info.ipi6_ifindex;
		}
	}
}

ssize_t udp_receive(int fd, void *data, size_t size, struct udp_path *ret_path)
{
	union socket_addr from;
	union control control;
	struct iovec vec = { .iov_base = data, .iov_len = size };
	struct msghdr message = {
		.msg_name = &from,
		.msg_namelen = sizeof(from),
		.msg_iov = &vec,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	ssize_t n = recvmsg(fd, &message, 0);

	if (n < 0)
		return -errno;
	*ret_path = (struct udp_path){ 0 };
	socket_addr_get(&from, &ret_path->client, &ret_path->client_port);
	read_local(&message, ret_path);
	/* Nothing can be sent to port 0. */
	if (!addr_is_set(&ret_path->local) || ret_path->client_port == 0)
		return -EBADMSG;
	return n;
}

static void write_local(struct msghdr *message, union control *control, const struct udp_path *path)
{
	struct cmsghdr *c = &control->header;

	if (path->local.family == AF_INET) {
		struct in_pktinfo info = { 0 };

		memcpy(&info.ipi_spec_dst, path->local.bytes, sizeof(info.ipi_spec_dst));
		c->cmsg_level = IPPROTO_IP;
		c->cmsg_type = IP_PKTINFO;
		c->cmsg_len = CMSG_LEN(sizeof(info));
		memcpy(CMSG_DATA(c), &info, sizeof(info));
		message->msg_controllen = CMSG_SPACE(sizeof(info));
	} else {
		struct in6_pktinfo info = { .ipi6_ifindex = path->ifindex };

		memcpy(&info.ipi6_addr, path->local.bytes, sizeof(info.ipi6_addr));
		c->cmsg_level = IPPROTO_IPV6;
		c->cmsg_type = IPV6_PKTINFO;
		c->cmsg_len = CMSG_LEN(sizeof(info));
		memcpy(CMSG_DATA(c), &info, sizeof(info));
		message->msg_controllen = CMSG_SPACE(sizeof(info));
	}
}

int udp_reply(int fd, const void *data, size_t len, const struct udp_path *path)
{
	union socket_addr to;
	union control control = { 0 };
	struct iovec vec = { .iov_base = (void *)data, .iov_len = len };
	struct msghdr message = {
		.msg_name = &to,
		.msg_namelen = socket_addr_set(&to, &path->client, path->client_port),
		.msg_iov = &vec,
		.msg_iovlen = 1,
		.msg_control = &control,
	};

	if (path->ifindex != 0)
		to.v6.sin6_scope_id = path->ifindex;
	write_local(&message, &control, path);
	return sendmsg(fd, &message, MSG_NOSIGNAL) < 0 ? -errno : 0;
}
