/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See codec.h. */
#include "codec.h"

#include <errno.h>

#include "../base/mem.h"
#include "json_member.h"
#include "world.h"

#define FORMAT 1

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

#define ENCODE(members, object) json_members_encode(members, ARRAY_SIZE(members), object)
#define DECODE(members, object, json, err) \
	json_members_decode(members, ARRAY_SIZE(members), object, json, err)

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

json_t *network_encode(const struct network *network)
{
	json_t *json = ENCODE(network_members, network);

	if (network->told)
		json_object_set_new(json, "told", mem_check(json_string(network->remark)));
	json_object_set_new(json, "format", json_integer(FORMAT));
	return json;
}

json_t *endpoint_encode(const struct endpoint *endpoint)
{
	json_t *json = ENCODE(endpoint_members, endpoint);
	json_t *ports = mem_check(json_array());
	json_t *wanted = mem_check(json_array());

	for (size_t i = 0; i < endpoint->n_ports; i++)
		json_array_append_new(ports, ENCODE(port_members, &endpoint->ports[i]));
	for (size_t i = 0; i < endpoint->n_wanted; i++)
		json_array_append_new(wanted, ENCODE(wanted_members, &endpoint->wanted[i]));
	json_object_set_new(json, "ports", ports);
	json_object_set_new(json, "wanted", wanted);
	if (endpoint->exception)
		json_object_set_new(json, "exception",
				    ENCODE(exception_members, endpoint->exception));
	if (endpoint->names_by_host)
		json_object_set_new(json, "names_by_host", json_true());
	if (endpoint->remark)
		json_object_set_new(json, "remark", mem_check(json_string(endpoint->remark)));
	json_object_set_new(json, "format", json_integer(FORMAT));
	return json;
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

/* Not there in most files. */
static int decode_told(struct network *net, const json_t *json, struct err *err)
{
	const char *remark = json_string_value(json);

	if (!json)
		return 0;
	if (!remark || strlen(remark) >= sizeof(net->remark))
		return err_set(err, -EINVAL, "\"told\" is not valid");
	net->told = true;
	strcpy(net->remark, remark);
	return 0;
}

int network_decode(struct network *ret_network, const json_t *json, struct err *err)
{
	struct network net = { 0 };
	int r = check_format(json, err);

	if (r == 0)
		r = DECODE(network_members, &net, json, err);
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
	if (r == 0)
		r = decode_told(&net, json_object_get(json, "told"), err);
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
		r = DECODE(port_members, &endpoint->ports[i], json_array_get(json, i), err);
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
	return DECODE(exception_members, endpoint->exception, json, err);
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
		r = DECODE(wanted_members, &endpoint->wanted[endpoint->n_wanted],
			   json_array_get(json, endpoint->n_wanted), err);
	return r;
}

/* Nor are these there in most. */
static void decode_asides(struct endpoint *endpoint, const json_t *json)
{
	const char *remark = json_string_value(json_object_get(json, "remark"));

	endpoint->remark = remark ? xstrdup(remark) : NULL;
	endpoint->names_by_host = json_is_true(json_object_get(json, "names_by_host"));
}

int endpoint_decode(struct endpoint *ret_endpoint, const json_t *json, struct err *err)
{
	struct endpoint endpoint = { 0 };
	int r = check_format(json, err);

	if (r == 0)
		r = DECODE(endpoint_members, &endpoint, json, err);
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
	decode_asides(&endpoint, json);
	if (r < 0) {
		endpoint_done(&endpoint);
	} else {
		*ret_endpoint = endpoint;
	}
	return r;
}
