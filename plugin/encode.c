/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See encode.h. The only file that makes JSON. */
#include "encode.h"

#include <jansson.h>
#include <netinet/in.h>

#include "../policy/base/mem.h"

/* Takes over the value. */
static void write_json(struct strbuf *reply, json_t *value)
{
	AUTO_FREE char *text = mem_check(json_dumps(mem_check(value), JSON_COMPACT));

	json_decref(value);
	strbuf_addf(reply, "%s", text);
}

/* A sentence is cut at a fixed length, maybe within a character: JSON must be UTF-8 all the same.
 */
static json_t *any_text(const char *text)
{
	json_t *value = json_string(text);
	char *copy;

	if (value)
		return value;
	copy = xstrdup(text);
	for (char *c = copy; *c; c++) {
		if ((unsigned char)*c >= 0x80)
			*c = '?';
	}
	value = mem_check(json_string(copy));
	free(copy);
	return value;
}

void encode_empty(struct strbuf *reply)
{
	write_json(reply, json_object());
}

void encode_error(struct strbuf *reply, const char *text)
{
	/* To dockerd an empty text is success. */
	write_json(reply, json_pack("{s:o}", "Err", any_text(*text ? text : "unknown error")));
}

void encode_activate(struct strbuf *reply)
{
	write_json(reply, json_pack("{s:[s]}", "Implements", "NetworkDriver"));
}

void encode_capabilities(struct strbuf *reply)
{
	write_json(reply, json_pack("{s:s, s:s, s:b}", "Scope", "local", "ConnectivityScope",
				    "local", "GwAllocChecker", 1));
}

void encode_gateway_check(struct strbuf *reply, bool skip_v4, bool skip_v6)
{
	write_json(reply, json_pack("{s:b, s:b}", "SkipIPv4", skip_v4, "SkipIPv6", skip_v6));
}

void encode_endpoint(struct strbuf *reply, const uint8_t mac[6])
{
	char text[18];

	if (!mac) {
		write_json(reply, json_pack("{s:{}}", "Interface"));
		return;
	}
	snprintf(text, sizeof(text), "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
		 mac[3], mac[4], mac[5]);
	write_json(reply, json_pack("{s:{s:s}}", "Interface", "MacAddress", text));
}

void encode_endpoint_info(struct strbuf *reply)
{
	/* dockerd shows nothing of what a driver of another process says here. */
	write_json(reply, json_pack("{s:{}}", "Value"));
}

static void set_text(json_t *object, const char *name, const char *text)
{
	json_object_set_new(object, name, any_text(text));
}

void encode_join(struct strbuf *reply, const struct attachment *attachment)
{
	static const char *const gateway_names[FAMILIES] = {
		[V4] = "Gateway", [V6] = "GatewayIPv6"
	};
	json_t *object = mem_check(json_pack("{s:{s:s, s:s}}", "InterfaceName", "SrcName",
					     attachment->container_if, "DstPrefix",
					     attachment->container_prefix));
	bool has_gateway = false;
	struct addr_text text;

	for (enum family family = V4; family < FAMILIES && !attachment->no_default_route;
	     family++) {
		const struct addr *gateway = &attachment->gateway[family];

		if (!addr_is_set(gateway))
			continue;
		set_text(object, gateway_names[family], addr_print(gateway, &text));
		has_gateway = true;
	}
	/* Without a gateway dockerd would attach the container to docker_gwbridge, a way out that
	 * nobody asked for. With one this must not be set: the gateway would no longer count when
	 * dockerd decides about the container's other networks. */
	if (!has_gateway)
		json_object_set_new(object, "DisableGatewayService", json_true());
	write_json(reply, object);
}

static const char *proto_name(uint8_t proto)
{
	switch (proto) {
	case IPPROTO_TCP:
		return "tcp";
	case IPPROTO_UDP:
		return "udp";
	case IPPROTO_SCTP:
		return "sctp";
	default:
		return "unknown";
	}
}

/* The address that a port of this host address leads to. A v6 host address may lead to v4. */
static const struct addr *inner_addr(const struct endpoint *endpoint, const struct port *port)
{
	enum family family = addr_family(&port->host);

	return prefix_is_set(&endpoint->addr[family]) ? &endpoint->addr[family].addr
						      : &endpoint->addr[V4].addr;
}

static void add_ports(void *list, const struct network *network, const struct endpoint *endpoint)
{
	struct addr_text host, inner;

	for (size_t i = 0; i < endpoint->n_ports; i++) {
		const struct port *port = &endpoint->ports[i];
		json_t *object = mem_check(json_object());

		set_text(object, "network", network->id);
		set_text(object, "endpoint", endpoint->id);
		set_text(object, "proto", proto_name(port->proto));
		json_object_set_new(object, "container_port", json_integer(port->port));
		set_text(object, "host_ip", addr_print(&port->host, &host));
		json_object_set_new(object, "host_port", json_integer(port->host_port));
		set_text(object, "address", addr_print(inner_addr(endpoint, port), &inner));
		json_array_append_new(list, object);
	}
}

void encode_ports(struct strbuf *reply, const struct policy *policy)
{
	json_t *list = mem_check(json_array());

	policy_each_endpoint(policy, add_ports, list);
	write_json(reply, list);
}
