/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See option.h. What an option means for packets is decided elsewhere: here it becomes a value. */
#include "option.h"

#include <errno.h>
#include <string.h>

#include "../base/mem.h"
#include "../base/near.h"
#include "../base/strbuf.h"

/* The smallest link that IPv4 allows, and the largest that a veth takes. */
#define MTU_MIN 68
#define MTU_MAX 65535

/* How much of a user's text is worth repeating to him. */
#define QUOTED "\"%.64s\""

int option_parse_bool(bool *ret_value, const char *text)
{
	static const char *const yes[] = { "1", "t", "T", "TRUE", "true", "True" };
	static const char *const no[] = { "0", "f", "F", "FALSE", "false", "False" };

	for (size_t i = 0; i < ARRAY_SIZE(yes); i++) {
		if (streq(text, yes[i]) || streq(text, no[i])) {
			*ret_value = streq(text, yes[i]);
			return 0;
		}
	}
	return -EINVAL;
}

int option_parse_number(uint32_t *ret_value, const char *text, uint32_t min, uint32_t max)
{
	uint64_t value = 0;

	if (*text == '\0' || strlen(text) > 10)
		return -EINVAL;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return -EINVAL;
		value = value * 10 + (uint64_t)(*text - '0');
	}
	if (value < min || value > max)
		return -EINVAL;
	*ret_value = (uint32_t)value;
	return 0;
}

static int set_policy(struct network *network, const char *value, struct err *err)
{
	static const char *const later[] = { "killswitch", "bypass", "isolated" };

	if (streq(value, "open")) {
		network->policy = POLICY_OPEN;
		return 0;
	}
	/* A policy we cannot keep must not become the one that keeps nothing. */
	for (size_t i = 0; i < ARRAY_SIZE(later); i++) {
		if (streq(value, later[i]))
			return err_set(err, -EOPNOTSUPP,
				       "policy \"%s\" is not available in this version: only "
				       "\"open\" is, which lets containers out the way the host "
				       "itself goes; use policy=open if that is what you want",
				       value);
	}
	return err_set(err, -EINVAL, "option policy: " QUOTED " is not a policy; use open", value);
}

static int set_mtu(struct network *network, const char *value, struct err *err)
{
	if (streq(value, "auto")) {
		network->mtu = 0;
		return 0;
	}
	if (option_parse_number(&network->mtu, value, MTU_MIN, MTU_MAX) < 0)
		return err_set(err, -EINVAL,
			       "option mtu: " QUOTED " is not an MTU; use auto or a number from "
			       "%d to %d",
			       value, MTU_MIN, MTU_MAX);
	return 0;
}

static int set_icc(struct network *network, const char *value, struct err *err)
{
	if (option_parse_bool(&network->icc, value) < 0)
		return err_set(err, -EINVAL,
			       "option icc: " QUOTED " is neither true nor false; use one of them",
			       value);
	return 0;
}

const struct option option_table[] = {
	{ "policy", set_policy, "open", "which way containers may leave; there is no default" },
	{ "mtu", set_mtu, "auto, 68..65535", "largest packet; auto follows the way out" },
	{ "icc", set_icc, "true, false", "may containers of the network reach each other?" },
	{ "via", NULL, "interface, ...", "the tunnels to use, in order" },
	{ "lan", NULL, "reply, off, on, CIDR ...", "may containers reach private ranges?" },
	{ "tailnet", NULL, "off, on", "may containers reach the tailnet?" },
	{ "host", NULL, "off, on, port ...", "may containers reach this host?" },
	{ "dns", NULL, "strict, address ..., docker", "where names are resolved" },
	{ "mark", NULL, "value/mask", "the mark that the host's VPN exempts" },
	{ "ipv6", NULL, "auto, off", "does the network have IPv6?" },
	{ "override", NULL, "tighten, any, none", "may one container differ from its network?" },
	{ NULL, NULL, NULL, NULL },
};

static const char *without_prefix(const char *key)
{
	size_t len = strlen(OPTION_PREFIX);

	return strncmp(key, OPTION_PREFIX, len) == 0 ? key + len : key;
}

const struct option *option_find(const char *key)
{
	const char *word = without_prefix(key);

	for (const struct option *option = option_table; option->key; option++) {
		if (streq(option->key, word))
			return option;
	}
	return NULL;
}

int option_unknown(const char *key, struct err *err)
{
	struct near near = near_begin(without_prefix(key));
	AUTO(strbuf) struct strbuf valid = { 0 };
	AUTO(strbuf) struct strbuf hint = { 0 };

	for (const struct option *option = option_table; option->key; option++) {
		near_offer(&near, option->key);
		if (option->set)
			strbuf_addf(&valid, "%s%s", valid.len ? ", " : "", option->key);
	}
	if (near.best)
		strbuf_addf(&hint, " (did you mean \"%s\"?)", near.best);
	return err_set(err, -EINVAL, "option " QUOTED " is not known%s; valid ones are %s", key,
		       strbuf_text(&hint), strbuf_text(&valid));
}

int option_set(struct network *network, const char *key, const char *value, struct err *err)
{
	const struct option *option = option_find(key);

	if (!option)
		return option_unknown(key, err);
	if (!option->set)
		return err_set(err, -EOPNOTSUPP,
			       "option \"%s\" is not available in this version; remove it",
			       option->key);
	return option->set(network, value, err);
}
