/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See codec.h. One table per struct says which members there are; both directions walk it. */
#include "codec.h"

#include <errno.h>
#include <stddef.h>

#include "../base/mem.h"
#include "world.h"

#define FORMAT 1

enum member_kind {
	TEXT,
	BOOLEAN,
	NUMBER16,
	NUMBER32,
	NUMBER64,
	BYTE,
	ENUM,
	ADDR,
	PREFIX,
	MAC,
	WORD
};

struct json_member {
	const char *key;
	enum member_kind kind;
	size_t offset;
	size_t size;              /* TEXT */
	const char *const *names; /* ENUM, ended by NULL */
	/* WORD: a user's word, in his own spelling; the offset is the egress it belongs to */
	int (*parse)(struct egress *egress, const char *text, struct err *err);
	void (*print)(const struct egress *egress, struct strbuf *text);
};

/* clang-format off */
static const char *const policy_names[] = {
	[POLICY_OPEN] = "open",
	[POLICY_BYPASS] = "bypass",
	[POLICY_KILLSWITCH] = "killswitch",
	[POLICY_ISOLATED] = "isolated",
	NULL,
};
/* clang-format on */

/* clang-format off */
static const char *const override_names[] = {
	[OVERRIDE_TIGHTEN] = "tighten",
	[OVERRIDE_ANY] = "any",
	[OVERRIDE_NONE] = "none",
	NULL,
};
/* clang-format on */

/* clang-format off */
static const char *const mode_names[] = {
	[GATEWAY_NAT] = "nat",
	[GATEWAY_NAT_UNPROTECTED] = "nat-unprotected",
	[GATEWAY_ROUTED] = "routed",
	[GATEWAY_ISOLATED] = "isolated",
	NULL,
};
/* clang-format on */

#define OF(type, name, kind_, member, ...) \
	{ \
		.key = name, .kind = kind_, .offset = offsetof(struct type, member), \
		.size = sizeof(((struct type *)0)->member), ##__VA_ARGS__ \
	}

#define WORD_OF(type, word) \
	OF(type, #word, WORD, egress, .parse = egress_parse_##word, .print = egress_print_##word)

static const struct json_member network_members[] = {
	OF(network, "id", TEXT, id),
	OF(network, "bridge", TEXT, bridge),
	OF(network, "policy", ENUM, egress.policy, .names = policy_names),
	WORD_OF(network, via),
	OF(network, "path", BYTE, egress.path),
	WORD_OF(network, lan),
	WORD_OF(network, tailnet),
	WORD_OF(network, host),
	WORD_OF(network, dns),
	WORD_OF(network, mark),
	OF(network, "override", ENUM, override, .names = override_names),
	OF(network, "v6_off", BOOLEAN, v6_off),
	OF(network, "subnet4", PREFIX, subnet[V4]),
	OF(network, "subnet6", PREFIX, subnet[V6]),
	OF(network, "gateway4", ADDR, gateway[V4]),
	OF(network, "gateway6", ADDR, gateway[V6]),
	OF(network, "next_hop4", ADDR, next_hop[V4]),
	OF(network, "next_hop6", ADDR, next_hop[V6]),
	OF(network, "mode4", ENUM, mode[V4], .names = mode_names),
	OF(network, "mode6", ENUM, mode[V6], .names = mode_names),
	OF(network, "snat4", ADDR, snat[V4]),
	OF(network, "snat6", ADDR, snat[V6]),
	OF(network, "masquerade", BOOLEAN, masquerade),
	OF(network, "inhibit_v4", BOOLEAN, inhibit_v4),
	OF(network, "internal", BOOLEAN, internal),
	OF(network, "icc", BOOLEAN, icc),
	OF(network, "mtu", NUMBER32, mtu),
	OF(network, "container_prefix", TEXT, container_prefix),
	OF(network, "host_binding4", ADDR, host_binding[V4]),
	OF(network, "host_binding6", ADDR, host_binding[V6]),
};

static const struct json_member endpoint_members[] = {
	OF(endpoint, "id", TEXT, id),
	OF(endpoint, "network", TEXT, network),
	OF(endpoint, "addr4", PREFIX, addr[V4]),
	OF(endpoint, "addr6", PREFIX, addr[V6]),
	OF(endpoint, "mac", MAC, mac),
	OF(endpoint, "host_if", TEXT, host_if),
	OF(endpoint, "container_if", TEXT, container_if),
};

static const struct json_member exception_members[] = {
	OF(exception, "policy", ENUM, egress.policy, .names = policy_names),
	WORD_OF(exception, via),
	OF(exception, "path", BYTE, egress.path),
	WORD_OF(exception, lan),
	WORD_OF(exception, tailnet),
	WORD_OF(exception, host),
	WORD_OF(exception, dns),
	WORD_OF(exception, mark),
	OF(exception, "v6_off", BOOLEAN, v6_off),
	OF(exception, "icc", BOOLEAN, icc),
	OF(exception, "mtu", NUMBER32, mtu),
};

static const struct json_member port_members[] = {
	OF(port, "proto", BYTE, proto),
	OF(port, "port", NUMBER16, port),
	OF(port, "host", ADDR, host),
	OF(port, "host_port", NUMBER16, host_port),
};

static const struct json_member wanted_members[] = {
	OF(port_request, "proto", BYTE, proto),
	OF(port_request, "port", NUMBER16, port),
	OF(port_request, "host", ADDR, host),
	OF(port_request, "host_port", NUMBER16, host_port),
	OF(port_request, "host_port_end", NUMBER16, host_port_end),
};

static json_t *encode_mac(const uint8_t *mac)
{
	return json_sprintf("%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4],
			    mac[5]);
}

static json_t *encode_word(const struct json_member *member, const struct egress *egress)
{
	AUTO(strbuf) struct strbuf text = { 0 };

	member->print(egress, &text);
	return json_string(strbuf_text(&text));
}

static json_t *encode_member(const struct json_member *member, const void *field)
{
	struct addr_text text;

	switch (member->kind) {
	case TEXT:
		return json_string(field);
	case BOOLEAN:
		return json_boolean(*(const bool *)field);
	case BYTE:
		return json_integer(*(const uint8_t *)field);
	case NUMBER16:
		return json_integer(*(const uint16_t *)field);
	case NUMBER32:
		return json_integer(*(const uint32_t *)field);
	case NUMBER64:
		return json_integer(*(const uint64_t *)field);
	case ENUM:
		return json_string(member->names[*(const unsigned *)field]);
	case ADDR:
		if (!addr_is_set(field))
			return json_string("");
		return json_string(addr_print(field, &text));
	case PREFIX:
		if (!prefix_is_set(field))
			return json_string("");
		return json_string(prefix_print(field, &text));
	case MAC:
		return encode_mac(field);
	case WORD:
		return encode_word(member, field);
	}
	return NULL;
}

static json_t *encode(const struct json_member *members, size_t n, const void *object)
{
	json_t *json = mem_check(json_object());

	for (size_t i = 0; i < n; i++) {
		const void *field = (const char *)object + members[i].offset;

		json_object_set_new(json, members[i].key,
				    mem_check(encode_member(&members[i], field)));
	}
	return json;
}

json_t *network_encode(const struct network *network)
{
	json_t *json = encode(network_members, ARRAY_SIZE(network_members), network);

	json_object_set_new(json, "format", json_integer(FORMAT));
	return json;
}

json_t *endpoint_encode(const struct endpoint *endpoint)
{
	json_t *json = encode(endpoint_members, ARRAY_SIZE(endpoint_members), endpoint);
	json_t *ports = mem_check(json_array());
	json_t *wanted = mem_check(json_array());

	for (size_t i = 0; i < endpoint->n_ports; i++)
		json_array_append_new(
			ports, encode(port_members, ARRAY_SIZE(port_members), &endpoint->ports[i]));
	for (size_t i = 0; i < endpoint->n_wanted; i++)
		json_array_append_new(wanted, encode(wanted_members, ARRAY_SIZE(wanted_members),
						     &endpoint->wanted[i]));
	json_object_set_new(json, "ports", ports);
	json_object_set_new(json, "wanted", wanted);
	if (endpoint->exception)
		json_object_set_new(json, "exception",
				    encode(exception_members, ARRAY_SIZE(exception_members),
					   endpoint->exception));
	json_object_set_new(json, "format", json_integer(FORMAT));
	return json;
}

static int decode_number(void *field, size_t size, const json_t *json)
{
	json_int_t value = json_integer_value(json);

	if (!json_is_integer(json) || value < 0 || (size < 8 && value >> size * 8))
		return -EINVAL;
	/* little and big endian alike: through a value of the right width */
	if (size == 1)
		*(uint8_t *)field = value;
	else if (size == 2)
		*(uint16_t *)field = value;
	else if (size == 4)
		*(uint32_t *)field = value;
	else
		*(uint64_t *)field = value;
	return 0;
}

static int decode_mac(uint8_t *mac, const char *text)
{
	int used = 0;

	if (sscanf(text, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%n", &mac[0], &mac[1], &mac[2],
		   &mac[3], &mac[4], &mac[5], &used) != 6 ||
	    text[used])
		return -EINVAL;
	return 0;
}

static int decode_enum(unsigned *field, const char *const *names, const char *text)
{
	for (unsigned i = 0; names[i]; i++) {
		if (streq(names[i], text)) {
			*field = i;
			return 0;
		}
	}
	return -EINVAL;
}

static int decode_member(const struct json_member *member, void *field, const json_t *json)
{
	const char *text = json_string_value(json);

	switch (member->kind) {
	case BOOLEAN:
		*(bool *)field = json_is_true(json);
		return json_is_boolean(json) ? 0 : -EINVAL;
	case BYTE:
	case NUMBER16:
	case NUMBER32:
	case NUMBER64:
		return decode_number(field, member->size, json);
	case TEXT:
		if (!text || strlen(text) >= member->size)
			return -EINVAL;
		strcpy(field, text);
		return 0;
	case ENUM:
		return text ? decode_enum(field, member->names, text) : -EINVAL;
	case ADDR:
		return !text ? -EINVAL : *text ? addr_parse(field, text) : 0;
	case PREFIX:
		return !text ? -EINVAL : *text ? prefix_parse(field, text) : 0;
	case MAC:
		return text ? decode_mac(field, text) : -EINVAL;
	case WORD:
		if (text && !*text) /* does not apply to the policy */
			return 0;
		return text ? member->parse(field, text, &(struct err){ 0 }) : -EINVAL;
	}
	return -EINVAL;
}

static int decode(const struct json_member *members, size_t n, void *object, const json_t *json,
		  struct err *err)
{
	for (size_t i = 0; i < n; i++) {
		void *field = (char *)object + members[i].offset;

		if (decode_member(&members[i], field, json_object_get(json, members[i].key)) < 0)
			return err_set(err, -EINVAL, "\"%s\" is missing or not valid",
				       members[i].key);
	}
	return 0;
}

static int check_format(const json_t *json, struct err *err)
{
	json_int_t format = json_integer_value(json_object_get(json, "format"));

	if (format > FORMAT)
		return err_set(err, -EPROTO,
			       "written by a newer version (format %lld, this one reads %d)",
			       (long long)format, FORMAT);
	if (format != FORMAT)
		return err_set(err, -EINVAL, "not a state file of tailexit (no \"format\": %d)",
			       FORMAT);
	return 0;
}

/* Addresses must be of the family whose place they take. */
static int check_family(const struct addr *addr, enum family f, struct err *err)
{
	if (addr_is_set(addr) && addr_family(addr) != f)
		return err_set(err, -EINVAL, "an address is of the wrong family");
	return 0;
}

int network_decode(struct network *ret_network, const json_t *json, struct err *err)
{
	struct network net = { 0 };
	int r = check_format(json, err);

	if (r == 0)
		r = decode(network_members, ARRAY_SIZE(network_members), &net, json, err);
	for (enum family f = V4; r == 0 && f < FAMILIES; f++) {
		r = check_family(&net.subnet[f].addr, f, err);
		if (r == 0)
			r = check_family(&net.gateway[f], f, err);
		if (r == 0)
			r = check_family(&net.next_hop[f], f, err);
		if (r == 0)
			r = check_family(&net.snat[f], f, err);
		if (r == 0)
			r = check_family(&net.host_binding[f], f, err);
	}
	if (r == 0 && (!*net.id || !*net.bridge))
		r = err_set(err, -EINVAL, "\"id\" or \"bridge\" is empty");
	if (r == 0)
		*ret_network = net;
	return r;
}

static int decode_ports(struct endpoint *endpoint, const json_t *json, struct err *err)
{
	size_t n = json_array_size(json);
	int r = 0;

	if (!json_is_array(json))
		return err_set(err, -EINVAL, "\"ports\" is missing or not valid");
	endpoint->ports = xcalloc(n + 1, sizeof(*endpoint->ports));
	for (size_t i = 0; r == 0 && i < n; i++) {
		r = decode(port_members, ARRAY_SIZE(port_members), &endpoint->ports[i],
			   json_array_get(json, i), err);
		if (r == 0 && !addr_is_set(&endpoint->ports[i].host))
			r = err_set(err, -EINVAL, "\"host\" of a port is empty");
		endpoint->n_ports = i + 1;
	}
	return r;
}

static int decode_exception(struct endpoint *endpoint, const json_t *json, struct err *err)
{
	if (!json)
		return 0;
	endpoint->exception = xcalloc(1, sizeof(*endpoint->exception));
	return decode(exception_members, ARRAY_SIZE(exception_members), endpoint->exception, json,
		      err);
}

/* Not there in files of a version that knew none. */
static int decode_wanted(struct endpoint *endpoint, const json_t *json, struct err *err)
{
	size_t n = json_array_size(json);
	int r = 0;

	if (n == 0)
		return 0;
	endpoint->wanted = xcalloc(n, sizeof(*endpoint->wanted));
	for (; r == 0 && endpoint->n_wanted < n; endpoint->n_wanted++)
		r = decode(wanted_members, ARRAY_SIZE(wanted_members),
			   &endpoint->wanted[endpoint->n_wanted],
			   json_array_get(json, endpoint->n_wanted), err);
	return r;
}

int endpoint_decode(struct endpoint *ret_endpoint, const json_t *json, struct err *err)
{
	struct endpoint endpoint = { 0 };
	int r = check_format(json, err);

	if (r == 0)
		r = decode(endpoint_members, ARRAY_SIZE(endpoint_members), &endpoint, json, err);
	for (enum family f = V4; r == 0 && f < FAMILIES; f++)
		r = check_family(&endpoint.addr[f].addr, f, err);
	if (r == 0 && (!*endpoint.id || !*endpoint.network || !*endpoint.host_if))
		r = err_set(err, -EINVAL, "\"id\", \"network\" or \"host_if\" is empty");
	if (r == 0)
		r = decode_ports(&endpoint, json_object_get(json, "ports"), err);
	if (r == 0)
		r = decode_exception(&endpoint, json_object_get(json, "exception"), err);
	if (r == 0)
		r = decode_wanted(&endpoint, json_object_get(json, "wanted"), err);
	if (r < 0) {
		endpoint_done(&endpoint);
	} else {
		*ret_endpoint = endpoint;
	}
	return r;
}
