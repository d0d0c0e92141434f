/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See socket_addr.h. */
#include "socket_addr.h"

#include <string.h>

socklen_t socket_addr_set(union socket_addr *ret, const struct addr *addr, uint16_t port)
{
	memset(ret, 0, sizeof(*ret));
	ret->any.sa_family = addr->family;
	if (addr->family == AF_INET) {
		ret->v4.sin_port = htons(port);
		memcpy(&ret->v4.sin_addr, addr->bytes, sizeof(ret->v4.sin_addr));
		return sizeof(ret->v4);
	}
	ret->v6.sin6_port = htons(port);
	memcpy(&ret->v6.sin6_addr, addr->bytes, sizeof(ret->v6.sin6_addr));
	return sizeof(ret->v6);
}

void socket_addr_get(const union socket_addr *from, struct addr *ret_addr, uint16_t *ret_port)
{
	*ret_addr = (struct addr){ 0 };
	*ret_port = 0;
	if (from->any.sa_family == AF_INET) {
		ret_addr->family = AF_INET;
		memcpy(ret_addr->bytes, &from->v4.sin_addr, sizeof(from->v4.sin_addr));
		*ret_port = ntohs(from->v4.sin_port);
	} else if (from->any.sa_family == AF_INET6) {
		ret_addr->family = AF_INET6;
		memcpy(ret_addr->bytes, &from->v6.sin6_addr, sizeof(from->v6.sin6_addr));
		*ret_port = ntohs(from->v6.sin6_port);
	}
}
