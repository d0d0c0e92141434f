/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An address and a port in the form the socket calls take. */
#pragma once

#include <netinet/in.h>
#include <stdint.h>
#include <sys/socket.h>

#include "../base/addr.h"

union socket_addr {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

/* Returns the length to give along. addr must not be "none". */
socklen_t socket_addr_set(union socket_addr *ret, const struct addr *addr, uint16_t port);

/* "none" and 0 for a family that is neither IPv4 nor IPv6. */
void socket_addr_get(const union socket_addr *from, struct addr *ret_addr, uint16_t *ret_port);
