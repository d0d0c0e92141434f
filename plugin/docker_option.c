/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See docker_option.h. An empty value stands for the default where it does in Docker. */
#include "docker_option.h"

#include <errno.h>
#include <string.h>

#include "../policy/base/mem.h"
#include "../policy/base/near.h"
#include "../policy/base/strbuf.h"

/* "option com.docker.network.bridge.name: ..." */
#define OPTION "option " DOCKER_OPTION_PREFIX "%s: \"%.64s\" "

/* Docker numbers the interfaces inside: the prefix leaves room for four digits. */
#define CONTAINER_PREFIX_MAX 11

static int refuse(const struct docker_option *option, const char *value, const char *reason,
		  struct err *err)
{
	return err_set(err, -EINVAL, OPTION "%s", option->key, value, reason);
}

/* Narrower than the kernel, which takes %, * and +: to it, or to firewall tools, they are patterns.
 */
static bool is_link_name(const char *name, size_t max_len)
{
	return strlen(name) <= max_len && *name != '.' && *name != '-' &&
	       name[strspn(name, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				 "abcdefghijklmnopqrstuvwxyz_.-")] == '\0';
}

static int set_bridge_name(struct network *network, const struct docker_option *option,
			   const char *value, struct err *err)
{
	if (!is_link_name(value, IFNAMSIZ - 1))
		return refuse(option, value,
			      "is not an interface name; use up to 15 of A-Z, a-z, 0-9, _, . and -",
			      err);
	strcpy(network->bridge, value);
	return 0;
}

static int set_container_prefix(struct network *network, const struct docker_option *option,
				const char *value, struct err *err)
{
	if (*value == '\0')
		return 0;
	if (!is_link_name(value, CONTAINER_PREFIX_MAX))
		return refuse(option, value,
			      "is not the beginning of an interface name; use up to 11 of A-Z, "
			      "a-z, 0-9, _, . and -",
			      err);
	strcpy(network->container_prefix, value);
	return 0;
}

static int set_bool(bool *ret_value, const struct docker_option *option, const char *value,
		    struct err *err)
{
	if (option_parse_bool(ret_value, value) < 0)
		return refuse(option, value, "is neither true nor false; use one of them", err);
	return 0;
}

static int set_icc(struct network *network, const struct docker_option *option, const char *value,
		   struct err *err)
{
	return set_bool(&network->icc, option, value, err);
}

static int set_masquerade(struct network *network, const struct docker_option *option,
			  const char *value, struct err *err)
{
	return set_bool(&network->masquerade, option, value, err);
}

static int set_inhibit_v4(struct network *network, const struct docker_option *option,
			  const char *value, struct err *err)
{
	return set_bool(&network->inhibit_v4, option, value, err);
}

/* In spite of the option's name it may be an IPv6 address. */
static int set_host_binding(struct network *network, const struct docker_option *option,
			    const char *value, struct err *err)
{
	struct addr addr;

	if (addr_parse(&addr, value) < 0)
		return refuse(option, value, "is not an address", err);
	network->host_binding[addr_family(&addr)] = addr;
	return 0;
}

static int set_gateway_mode(struct network *network, const struct docker_option *option,
			    const char *value, struct err *err)
{
	static const char *const names[] = {
		[GATEWAY_NAT] = "nat",
		[GATEWAY_NAT_UNPROTECTED] = "nat-unprotected",
		[GATEWAY_ROUTED] = "routed",
		[GATEWAY_ISOLATED] = "isolated",
	};

	if (*value == '\0')
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (streq(names[i], value)) {
			network->mode[option->family] = i;
			return 0;
		}
	}
	return refuse(option, value,
		      "is not a gateway mode; use nat, nat-unprotected, routed or isolated", err);
}

/* 0 is Docker's word for "choose one". */
static int set_mtu(struct network *network, const struct docker_option *option, const char *value,
		   struct err *err)
{
	uint32_t mtu;

	if (option_parse_number(&mtu, value, 0, 65535) < 0 || (mtu > 0 && mtu < 68))
		return refuse(option, value, "is not an MTU; use a number from 68 to 65535", err);
	network->mtu = mtu;
	return 0;
}

static int set_snat(struct network *network, const struct docker_option *option, const char *value,
		    struct err *err)
{
	struct addr addr;

	if (addr_parse(&addr, value) < 0 || addr_family(&addr) != option->family ||
	    addr_is_any(&addr))
		return refuse(option, value,
			      option->family == V4 ? "is not an IPv4 address of this host"
						   : "is not an IPv6 address of this host",
			      err);
	network->snat[option->family] = addr;
	return 0;
}

const struct docker_option docker_option_table[] = {
	{ "bridge.name", set_bridge_name, V4, NULL },
	{ "bridge.enable_icc", set_icc, V4, "icc" },
	{ "bridge.enable_ip_masquerade", set_masquerade, V4, NULL },
	{ "bridge.host_binding_ipv4", set_host_binding, V4, NULL },
	{ "bridge.gateway_mode_ipv4", set_gateway_mode, V4, NULL },
	{ "bridge.gateway_mode_ipv6", set_gateway_mode, V6, NULL },
	{ "bridge.inhibit_ipv4", set_inhibit_v4, V4, NULL },
	{ "driver.mtu", set_mtu, V4, "mtu" },
	{ "container_iface_prefix", set_container_prefix, V4, NULL },
	{ "host_ipv4", set_snat, V4, NULL },
	{ "host_ipv6", set_snat, V6, NULL },
	{ NULL, NULL, V4, NULL },
};

/* NULL for a key that is not one of Docker's at all. */
static const char *without_prefix(const char *key)
{
	size_t len = strlen(DOCKER_OPTION_PREFIX);

	return strncmp(key, DOCKER_OPTION_PREFIX, len) == 0 ? key + len : NULL;
}

const struct docker_option *docker_option_find(const char *key)
{
	const char *word = without_prefix(key);

	for (const struct docker_option *option = docker_option_table; word && option->key;
	     option++) {
		if (streq(option->key, word))
			return option;
	}
	return NULL;
}

static int unknown(const char *key, struct err *err)
{
	const char *word = without_prefix(key);
	struct near near = near_begin(word ? word : key);
	AUTO(strbuf) struct strbuf valid = { 0 };
	AUTO(strbuf) struct strbuf hint = { 0 };

	for (const struct docker_option *option = docker_option_table; option->key; option++) {
		near_offer(&near, option->key);
		strbuf_addf(&valid, "%s%s", valid.len ? ", " : "", option->key);
	}
	if (near.best)
		strbuf_addf(&hint, " (did you mean \"" DOCKER_OPTION_PREFIX "%s\"?)", near.best);
	return err_set(err, -EINVAL,
		       "option \"%.64s\" is not supported%s; those of " DOCKER_OPTION_PREFIX
		       " that are: %s",
		       key, strbuf_text(&hint), strbuf_text(&valid));
}

int docker_option_set(struct network *network, const char *key, const char *value, struct err *err)
{
	const struct docker_option *option = docker_option_find(key);

	if (!option)
		return unknown(key, err);
	return option->set(network, option, value, err);
}
