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

/* Sets every refinement to this policy's default: comes first. */
static int set_policy(struct network *network, const char *value, struct err *err)
{
	enum policy_kind policy;

	if (policy_parse(&policy, value) < 0)
		return err_set(err, -EINVAL,
			       "option policy: " QUOTED " is not a policy; use killswitch, bypass, "
			       "isolated or open",
			       value);
	network->egress = egress_default(policy);
	return 0;
}

/* Puts the word in front of a parser's sentence. */
static int set_word(struct network *network, const char *word, const char *value,
		    int (*parse)(struct egress *egress, const char *text, struct err *err),
		    struct err *err)
{
	if (parse(&network->egress, value, err) < 0)
		return err_wrap(err, "option %s", word);
	return 0;
}

static int set_via(struct network *network, const char *value, struct err *err)
{
	if (network->egress.policy != POLICY_KILLSWITCH)
		return err_set(err, -EINVAL,
			       "option via: policy %s has no exit to choose; remove via, or use "
			       "policy=killswitch",
			       policy_name(network->egress.policy));
	return set_word(network, "via", value, egress_parse_via, err);
}

static int set_lan(struct network *network, const char *value, struct err *err)
{
	return set_word(network, "lan", value, egress_parse_lan, err);
}

static int set_tailnet(struct network *network, const char *value, struct err *err)
{
	return set_word(network, "tailnet", value, egress_parse_tailnet, err);
}

static int set_host(struct network *network, const char *value, struct err *err)
{
	return set_word(network, "host", value, egress_parse_host, err);
}

static int set_dns(struct network *network, const char *value, struct err *err)
{
	return set_word(network, "dns", value, egress_parse_dns, err);
}

static int set_mark(struct network *network, const char *value, struct err *err)
{
	if (network->egress.policy != POLICY_BYPASS)
		return err_set(err, -EINVAL,
			       "option mark: policy %s marks nothing; remove mark, or use "
			       "policy=bypass",
			       policy_name(network->egress.policy));
	return set_word(network, "mark", value, egress_parse_mark, err);
}

static int set_ipv6(struct network *network, const char *value, struct err *err)
{
	if (!streq(value, "auto") && !streq(value, "off"))
		return err_set(err, -EINVAL, "option ipv6: " QUOTED " is neither auto nor off",
			       value);
	network->v6_off = streq(value, "off");
	return 0;
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

static int set_override(struct network *network, const char *value, struct err *err)
{
	/* clang-format off */
	static const char *const names[] = {
		[OVERRIDE_TIGHTEN] = "tighten",
		[OVERRIDE_ANY] = "any",
		[OVERRIDE_NONE] = "none",
	};
	/* clang-format on */

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (streq(names[i], value)) {
			network->override = i;
			return 0;
		}
	}
	return err_set(err, -EINVAL,
		       "option override: " QUOTED " is none of tighten, any, none; use one of them",
		       value);
}

const struct option option_table[] = {
	{ "policy", set_policy, "killswitch, bypass, isolated, open",
	  "which way containers may leave" },
	{ "via", set_via, "tailscale0, interface, ...",
	  "killswitch: the tunnels to use, in order" },
	{ "lan", set_lan, "reply, off, on, CIDR[:port[/proto]] ...",
	  "may containers open connections to private ranges?" },
	{ "tailnet", set_tailnet, "off, on", "may containers reach the tailnet?" },
	{ "host", set_host, "off, on, port ...", "may containers open connections to this host?" },
	{ "dns", set_dns, "strict, address ..., docker", "where names are resolved" },
	{ "mark", set_mark, "0x80000/0xff0000, value[/mask]",
	  "bypass: the mark that the host's VPN exempts" },
	{ "ipv6", set_ipv6, "auto, off", "off: nothing of IPv6 leaves a container" },
	{ "mtu", set_mtu, "auto, 68..65535", "largest packet; auto follows the exit" },
	{ "icc", set_icc, "true, false", "may containers of the network reach each other?" },
	{ "override", set_override, "tighten, any, none",
	  "may one container differ from its network?", true },
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
	return option->set(network, value, err);
}
