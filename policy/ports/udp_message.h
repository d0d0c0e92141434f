/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One datagram of an unconnected socket, with both of its ends: who sent it, and to which of our
 * addresses. Knows nothing of sessions. */
#pragma once

#include <sys/types.h>

#include "../base/addr.h"

/* Compared with memcmp(): no padding. */
struct udp_path {
	struct addr client;
	struct addr local;
	uint16_t client_port;
	uint32_t ifindex; /* of link-local addresses, which mean nothing without; else 0 */
};
_Static_assert(sizeof(struct udp_path) == 40, "struct udp_path has padding");

/* Bytes received, or negative errno; -EBADMSG for one that cannot be answered. */
ssize_t udp_receive(int fd, void *data, size_t size, struct udp_path *ret_path);
/* From path->local to path->client. */
int udp_reply(int fd, const void *data, size_t len, const struct udp_path *path);
