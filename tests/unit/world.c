/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See world.h. */
#include "world.h"

#include <assert.h>
#include <stdio.h>

#include "../../policy/base/mem.h"

struct addr test_addr(const char *text)
{
	struct addr addr;

	assert(addr_parse(&addr, text) == 0);
	return addr;
}

struct prefix test_prefix(const char *text)
{
	struct prefix prefix;

	assert(prefix_parse(&prefix, text) == 0);
	return prefix;
}

struct network test_network(bool v6)
{
	struct network net = {
		.id = "aaaa",
		.bridge = "te-aaaa",
		.egress = egress_default(POLICY_OPEN),
		.masquerade = true,
		.icc = true,
		.container_prefix = "eth",
	};

	net.subnet[V4] = test_prefix("10.77.0.0/24");
	net.gateway[V4] = test_addr("10.77.0.1");
	if (v6) {
		net.subnet[V6] = test_prefix("fd77::/64");
		net.gateway[V6] = test_addr("fd77::1");
	}
	return net;
}

struct endpoint test_endpoint(const struct network *network)
{
	struct endpoint endpoint = {
		.id = "eeee",
		.host_if = "teveeee",
		.container_if = "teceeee",
		.mac = { 2, 0x42, 10, 77, 0, 2 },
	};

	snprintf(endpoint.network, sizeof(endpoint.network), "%s", network->id);
	if (prefix_is_set(&network->subnet[V4]))
		endpoint.addr[V4] = test_prefix("10.77.0.2/24");
	if (prefix_is_set(&network->subnet[V6]))
		endpoint.addr[V6] = test_prefix("fd77::2/64");
	return endpoint;
}

struct port *test_port(uint8_t proto, const char *host, uint16_t host_port, uint16_t port)
{
	struct port *ret = xcalloc(1, sizeof(*ret));

	*ret = (struct port){
		.proto = proto, .port = port, .host = test_addr(host), .host_port = host_port
	};
	return ret;
}
