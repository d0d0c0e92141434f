/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See swarm.h. A service that publishes a port has its containers on Docker's network ingress as
 * well. If then none of their networks has a gateway, Docker connects them to docker_gwbridge, by
 * which everything leaves; nobody asked for that, and a driver is not told of it. */
#include "swarm.h"

#include <errno.h>
#include <string.h>

#include "decode.h"

/* A network of one host has 64 hexadecimal digits. */
bool swarm_has(const char *network_id)
{
	return strlen(network_id) == 25 &&
	       strspn(network_id, "0123456789abcdefghijklmnopqrstuvwxyz") == 25;
}

int swarm_check(const struct network_request *request, struct err *err)
{
	const struct network *network = &request->network;

	if (!swarm_has(network->id))
		return 0;
	/* Of `network create --scope swarm -o policy=isolated` this is all that a node hears. */
	if (request->options.n == 0)
		return err_set(
			err, -EINVAL,
			"this network of a swarm has no options here, since Docker hands on none of "
			"`network create --scope swarm`; on every node say at least -o policy=... to "
			"`network create --config-only NAME`, then create this one with "
			"--config-from NAME");
	if (network->internal)
		return err_set(
			err, -EINVAL,
			"a network of a swarm cannot be --internal: as soon as a service on it "
			"publishes a port, Docker gives its containers a way out by "
			"docker_gwbridge; use -o policy=isolated instead");
	return 0;
}

void swarm_keep_gateway(const struct network *network, const struct endpoint *endpoint,
			struct attachment *attachment)
{
	if (!attachment->no_default_route || !swarm_has(network->id))
		return;
	for (enum family family = V4; family < FAMILIES; family++) {
		if (!prefix_is_set(&endpoint->addr[family]) ||
		    !addr_is_set(&network->gateway[family]))
			continue;
		attachment->gateway[family] = network->gateway[family];
		attachment->no_default_route = false;
	}
}
