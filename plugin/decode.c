/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See decode.h. The only file that knows the names of dockerd's fields; must not know what becomes
 * of the values. */
#include "decode.h"

#include <ctype.h>
#include <netinet/in.h>
#include <string.h>

#include "../policy/base/mem.h"
#include "reader.h"

#define KEY_GENERIC "com.docker.network.generic"
#define KEY_INTERNAL "com.docker.network.internal"
#define KEY_ENABLE_IPV4 "com.docker.network.enable_ipv4"
#define KEY_ENABLE_IPV6 "com.docker.network.enable_ipv6"
#define KEY_PORTMAP "com.docker.network.portmap"
#define KEY_RESOLVERS "com.docker.network.endpoint.dnsservers"
#define DOCKER_PREFIX "com.docker."

static const char *const family_names[FAMILIES] = { [V4] = "IPv4", [V6] = "IPv6" };

/* Ids become file names and parts of link names. */
static void read_id(struct reader *reader, const char *name, char ret_id[ID_SIZE])
{
	const char *id = read_string(reader, reader->root, name);

	if (*id == '\0')
		reader_fail(reader, "field \"%s\" of the request is missing", name);
	else if (strlen(id) > 64 || *id == '.' ||
		 id[strspn(id, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			       "abcdefghijklmnopqrstuvwxyz_.-")])
		reader_fail(reader,
			    "field \"%s\" of the request is not an id: up to 64 of A-Z, a-z, 0-9, "
			    "_, . and -",
			    name);
	else
		snprintf(ret_id, ID_SIZE, "%s", id);
}

/* An address with its prefix length; "" leaves it unset. */
static struct prefix read_prefix(struct reader *reader, const json_t *object, const char *name,
				 enum family family)
{
	const char *text = read_string(reader, object, name);
	struct prefix prefix = { 0 };

	if (*text == '\0')
		return prefix;
	if (prefix_parse(&prefix, text) < 0 || addr_family(&prefix.addr) != family) {
		reader_fail(reader, "field \"%s\": \"%.64s\" is not an %s address with its length",
			    name, text, family_names[family]);
		return (struct prefix){ 0 };
	}
	return prefix;
}

void request_options_done(struct request_options *options)
{
	for (size_t i = 0; i < options->n; i++) {
		free(options->items[i].key);
		free(options->items[i].value);
	}
	free(options->items);
	*options = (struct request_options){ 0 };
}

/* Takes over the key. */
static void options_add(struct request_options *options, char *key, const char *value)
{
	options->items = xreallocarray(options->items, options->n + 1, sizeof(options->items[0]));
	options->items[options->n++] = (struct request_option){ key, xstrdup(value) };
}

static void read_network_options(struct reader *reader, json_t *options,
				 struct request_options *ret_options)
{
	json_t *generic = read_object(reader, options, KEY_GENERIC);
	const char *key;
	json_t *value;

	json_object_foreach (generic, key, value) {
		if (json_is_string(value))
			options_add(ret_options, xstrdup(key), json_string_value(value));
		else
			reader_fail(reader, "option \"%.64s\": its value is not a string", key);
	}
}

static char *lower_case(const char *text)
{
	char *copy = xstrdup(text);

	for (char *c = copy; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return copy;
}

/* What the user said about this one container. `docker run` sends keys in lower case, everybody
 * else as they were written. What is not a string is dockerd's own. */
static void read_endpoint_options(json_t *options, struct request_options *ret_options)
{
	const char *key;
	json_t *value;

	json_object_foreach (options, key, value) {
		AUTO_FREE char *lower = lower_case(key);

		if (json_is_string(value) &&
		    strncmp(lower, DOCKER_PREFIX, strlen(DOCKER_PREFIX)) != 0)
			options_add(ret_options, steal_ptr(lower), json_string_value(value));
	}
}

static void read_port(struct reader *reader, const json_t *binding, struct port_request *ret_port)
{
	struct port_request port = { 0 };
	const char *host;

	if (!json_is_object(binding)) {
		reader_fail(reader, "published ports: an entry is not an object");
		return;
	}
	port.proto = (uint8_t)read_number(reader, binding, "Proto", 1, 255);
	port.port = (uint16_t)read_number(reader, binding, "Port", 1, 65535);
	port.host_port = (uint16_t)read_number(reader, binding, "HostPort", 0, 65535);
	port.host_port_end = (uint16_t)read_number(reader, binding, "HostPortEnd", 0, 65535);
	host = read_string(reader, binding, "HostIP");

	if (port.proto != IPPROTO_TCP && port.proto != IPPROTO_UDP && port.proto != IPPROTO_SCTP)
		reader_fail(reader, "published port %u: protocol %u is none of tcp, udp, sctp",
			    port.port, port.proto);
	if (port.host_port_end == 0)
		port.host_port_end = port.host_port;
	if (port.host_port_end < port.host_port || (port.host_port == 0 && port.host_port_end != 0))
		reader_fail(reader, "published port %u: %u-%u is not a range of host ports",
			    port.port, port.host_port, port.host_port_end);
	if (*host && addr_parse(&port.host, host) < 0)
		reader_fail(reader, "published port %u: host address \"%.64s\" is not an address",
			    port.port, host);
	*ret_port = port;
}

static void read_ports(struct reader *reader, json_t *options, struct port_requests *ret_ports)
{
	json_t *list = read_array(reader, options, KEY_PORTMAP);
	const json_t *binding;
	size_t i;

	if (!list)
		return;
	ret_ports->given = true;
	ret_ports->n = json_array_size(list);
	ret_ports->items = xcalloc(ret_ports->n + 1, sizeof(ret_ports->items[0]));
	json_array_foreach (list, i, binding)
		read_port(reader, binding, &ret_ports->items[i]);
}

static void ports_done(struct port_requests *ports)
{
	free(ports->items);
	*ports = (struct port_requests){ 0 };
}

/* Must lie in the subnet. */
static struct addr read_gateway(struct reader *reader, const json_t *object, const char *name,
				const struct prefix *subnet)
{
	struct prefix gateway = read_prefix(reader, object, name, addr_family(&subnet->addr));
	struct addr_text inner, outer;

	if (prefix_is_set(&gateway) && !prefix_contains(subnet, &gateway.addr))
		reader_fail(reader, "gateway %s is not in subnet %s; give one that is",
			    addr_print(&gateway.addr, &inner), prefix_print(subnet, &outer));
	return gateway.addr;
}

static void read_pool(struct reader *reader, const json_t *pool, enum family family,
		      struct network *network)
{
	static const char *const next_hop_names[FAMILIES] = {
		[V4] = "DefaultGatewayIPv4", [V6] = "DefaultGatewayIPv6"
	};
	struct prefix subnet = read_prefix(reader, pool, "Pool", family);

	if (streq(read_string(reader, pool, "AddressSpace"), "GlobalDefault")) {
		reader_fail(reader,
			    "--scope global is for drivers that span several hosts, which this "
			    "one does not; leave --scope out, or in a swarm use --scope swarm "
			    "with --config-from");
		return;
	}
	if (!prefix_is_set(&subnet) || subnet.len == 0) {
		reader_fail(reader,
			    "the network has no %s subnet, as with the IPAM driver \"null\"; use "
			    "another IPAM driver, or --subnet",
			    family_names[family]);
		return;
	}
	subnet = prefix_network(&subnet);
	network->subnet[family] = subnet;
	network->gateway[family] = read_gateway(reader, pool, "Gateway", &subnet);
	network->next_hop[family] = read_gateway(reader, read_object(reader, pool, "AuxAddresses"),
						 next_hop_names[family], &subnet);
}

static void read_pools(struct reader *reader, const char *name, enum family family, bool enabled,
		       struct network *network)
{
	json_t *pools = read_array(reader, reader->root, name);
	size_t n = json_array_size(pools);

	if (!enabled)
		return;
	if (n == 0)
		reader_fail(reader, "%s is enabled, but the network has no %s subnet; use --subnet",
			    family_names[family], family_names[family]);
	else if (n > 1)
		reader_fail(reader,
			    "the network has %zu %s subnets, and one is supported; create a "
			    "network for each",
			    n, family_names[family]);
	else if (!json_is_object(json_array_get(pools, 0)))
		reader_fail(reader, "field \"%s\" of the request is not an array of objects", name);
	else
		read_pool(reader, json_array_get(pools, 0), family, network);
}

int decode_network(const char *body, size_t len, struct network_request *ret_request,
		   struct err *err)
{
	AUTO(reader) struct reader reader = reader_new(body, len, err);
	AUTO(network_request) struct network_request request = { 0 };
	json_t *options = read_object(&reader, reader.root, "Options");
	/* Engines before 28 know no network without IPv4 and do not send this key. */
	bool ipv4 = read_bool(&reader, options, KEY_ENABLE_IPV4, true);
	bool ipv6 = read_bool(&reader, options, KEY_ENABLE_IPV6, false);

	read_id(&reader, "NetworkID", request.network.id);
	read_pools(&reader, "IPv4Data", V4, ipv4, &request.network);
	read_pools(&reader, "IPv6Data", V6, ipv6, &request.network);
	if (!ipv4 && !ipv6)
		reader_fail(&reader, "the network has neither IPv4 nor IPv6; enable one of them");
	request.network.internal = read_bool(&reader, options, KEY_INTERNAL, false);
	read_network_options(&reader, options, &request.options);
	if (reader.code)
		return reader.code;
	*ret_request = request;
	request = (struct network_request){ 0 };
	return 0;
}

int decode_gateway_check(const char *body, size_t len, struct network_request *ret_request,
			 struct err *err)
{
	AUTO(reader) struct reader reader = reader_new(body, len, err);
	AUTO(network_request) struct network_request request = { 0 };
	json_t *options = read_object(&reader, reader.root, "Options");

	request.network.internal = read_bool(&reader, options, KEY_INTERNAL, false);
	read_network_options(&reader, options, &request.options);
	if (reader.code)
		return reader.code;
	*ret_request = request;
	request = (struct network_request){ 0 };
	return 0;
}

void network_request_done(struct network_request *request)
{
	request_options_done(&request->options);
}

int decode_network_id(const char *body, size_t len, struct network_id *ret_id, struct err *err)
{
	AUTO(reader) struct reader reader = reader_new(body, len, err);
	struct network_id id = { 0 };

	read_id(&reader, "NetworkID", id.text);
	if (reader.code)
		return reader.code;
	*ret_id = id;
	return 0;
}

/* "02:42:0a:4d:00:99" */
static void read_mac(struct reader *reader, const json_t *object, struct endpoint_request *request)
{
	static const uint8_t zero[sizeof(request->endpoint.mac)];
	const char *text = read_string(reader, object, "MacAddress");
	uint8_t *mac = request->endpoint.mac;
	bool valid = strlen(text) == 17;

	if (*text == '\0')
		return;
	for (size_t i = 0; valid && i < 6; i++) {
		const char *pair = text + 3 * i;
		char digits[3] = { pair[0], pair[1], '\0' };

		valid = isxdigit((unsigned char)pair[0]) && isxdigit((unsigned char)pair[1]) &&
			pair[2] == (i < 5 ? ':' : '\0');
		mac[i] = (uint8_t)strtoul(digits, NULL, 16);
	}
	if (!valid || (mac[0] & 1) || memcmp(mac, zero, sizeof(zero)) == 0)
		reader_fail(reader, "\"%.64s\" is not the MAC address of an interface", text);
	request->mac_given = true;
}

int decode_endpoint(const char *body, size_t len, struct endpoint_request *ret_request,
		    struct err *err)
{
	AUTO(reader) struct reader reader = reader_new(body, len, err);
	AUTO(endpoint_request) struct endpoint_request request = { 0 };
	json_t *interface = read_object(&reader, reader.root, "Interface");
	json_t *options = read_object(&reader, reader.root, "Options");
	struct endpoint *endpoint = &request.endpoint;

	read_id(&reader, "NetworkID", endpoint->network);
	read_id(&reader, "EndpointID", endpoint->id);
	endpoint->addr[V4] = read_prefix(&reader, interface, "Address", V4);
	endpoint->addr[V6] = read_prefix(&reader, interface, "AddressIPv6", V6);
	if (!prefix_is_set(&endpoint->addr[V4]) && !prefix_is_set(&endpoint->addr[V6]))
		reader_fail(&reader, "the endpoint has no address; use an IPAM driver that "
				     "gives it one");
	read_mac(&reader, interface, &request);
	read_ports(&reader, options, &request.ports);
	request.own_resolvers = json_array_size(read_array(&reader, options, KEY_RESOLVERS)) > 0;
	read_endpoint_options(options, &request.options);
	if (reader.code)
		return reader.code;
	*ret_request = request;
	request = (struct endpoint_request){ 0 };
	return 0;
}

void endpoint_request_done(struct endpoint_request *request)
{
	ports_done(&request->ports);
	request_options_done(&request->options);
}

int decode_attach(const char *body, size_t len, struct attach_request *ret_request, struct err *err)
{
	AUTO(reader) struct reader reader = reader_new(body, len, err);
	AUTO(attach_request) struct attach_request request = { 0 };
	json_t *options = read_object(&reader, reader.root, "Options");
	const char *sandbox_key = read_string(&reader, reader.root, "SandboxKey");

	read_id(&reader, "NetworkID", request.network);
	read_id(&reader, "EndpointID", request.endpoint);
	if (strlen(sandbox_key) >= sizeof(request.sandbox_key))
		reader_fail(&reader, "field \"SandboxKey\" of the request is too long");
	else
		strcpy(request.sandbox_key, sandbox_key);
	read_ports(&reader, options, &request.ports);
	if (reader.code)
		return reader.code;
	*ret_request = request;
	request = (struct attach_request){ 0 };
	return 0;
}

void attach_request_done(struct attach_request *request)
{
	ports_done(&request->ports);
}
