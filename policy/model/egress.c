/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See egress.h. */
#include "egress.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>

#include "../base/mem.h"

#define DEFAULT_EXIT "tailscale0"
/* What Tailscale's own rules exempt from its tunnel. */
#define DEFAULT_MARK 0x80000u
#define DEFAULT_MARK_MASK 0xff0000u

/* clang-format off */
static const char *const policy_names[] = {
	[POLICY_OPEN] = "open",
	[POLICY_BYPASS] = "bypass",
	[POLICY_KILLSWITCH] = "killswitch",
	[POLICY_ISOLATED] = "isolated",
};
/* clang-format on */

const char *policy_name(enum policy_kind policy)
{
	return policy_names[policy];
}

int policy_parse(enum policy_kind *ret_policy, const char *text)
{
	for (size_t i = 0; i < ARRAY_SIZE(policy_names); i++) {
		if (streq(policy_names[i], text)) {
			*ret_policy = i;
			return 0;
		}
	}
	return -EINVAL;
}

struct egress egress_default(enum policy_kind policy)
{
	struct egress egress = {
		.policy = policy,
		.mark = DEFAULT_MARK,
		.mark_mask = DEFAULT_MARK_MASK,
	};
	bool confined = egress_is_confined(&egress);

	if (policy == POLICY_KILLSWITCH) {
		snprintf(egress.via.names[0], IFNAMSIZ, DEFAULT_EXIT);
		egress.via.n = 1;
	}
	egress.tailnet = !confined;
	egress.lan = confined ? LAN_REPLY : LAN_ON;
	egress.host = confined ? HOST_OFF : HOST_ON;
	egress.dns = confined ? DNS_STRICT : DNS_DOCKER;
	return egress;
}

/* Calls fn for each part of a comma list; an empty part is an error. */
static int each_part(const char *text, int (*fn)(void *arg, const char *part, struct err *err),
		     void *arg, struct err *err)
{
	AUTO_FREE char *copy = xstrdup(text);
	char *rest = copy, *part;
	int r = 0;

	while (r == 0 && (part = strsep(&rest, ",")))
		r = *part ? fn(arg, part, err)
			  : err_set(err, -EINVAL,
				    "\"%.64s\" has an empty part; separate with single "
				    "commas",
				    text);
	return r;
}

static bool is_interface_name(const char *name)
{
	if (!*name || strlen(name) >= IFNAMSIZ || streq(name, ".") || streq(name, ".."))
		return false;
	for (; *name; name++)
		if (*name <= ' ' || *name == '/' || *name == ':' || *name == '*' || *name == 0x7f)
			return false;
	return true;
}

static int add_exit(void *arg, const char *part, struct err *err)
{
	struct exits *exits = arg;

	if (!is_interface_name(part))
		return err_set(err, -EINVAL,
			       "\"%.64s\" is not an interface name; use one like "
			       "tailscale0, wg0, or a comma list of them",
			       part);
	if (exits->n == EXITS_MAX)
		return err_set(err, -EINVAL, "more than %d interfaces", EXITS_MAX);
	for (size_t i = 0; i < exits->n; i++)
		if (streq(exits->names[i], part))
			return err_set(err, -EINVAL, "\"%s\" is there twice", part);
	snprintf(exits->names[exits->n++], IFNAMSIZ, "%s", part);
	return 0;
}

int egress_parse_via(struct egress *egress, const char *text, struct err *err)
{
	struct exits exits = { 0 };
	int r = each_part(text, add_exit, &exits, err);

	if (r == 0)
		egress->via = exits;
	return r;
}

static int parse_port(const char *text, uint16_t *ret_port)
{
	char *end;
	unsigned long value;

	if (*text < '0' || *text > '9' || strlen(text) > 5)
		return -EINVAL;
	value = strtoul(text, &end, 10);
	if (*end || value == 0 || value > 65535)
		return -EINVAL;
	*ret_port = (uint16_t)value;
	return 0;
}

/* CIDR[:port[/proto]]; an IPv6 prefix has colons itself, so the port is what follows the length. */
static int parse_lan_rule(const char *part, struct lan_rule *ret_rule)
{
	char text[80];
	struct lan_rule rule = { 0 };
	char *slash, *colon, *proto;

	if (strlen(part) >= sizeof(text))
		return -EINVAL;
	strcpy(text, part);
	slash = strchr(text, '/');
	colon = slash ? strchr(slash, ':') : NULL;
	if (colon) {
		*colon++ = '\0';
		proto = strchr(colon, '/');
		if (proto) {
			*proto++ = '\0';
			if (!streq(proto, "tcp") && !streq(proto, "udp"))
				return -EINVAL;
			rule.proto = streq(proto, "tcp") ? IPPROTO_TCP : IPPROTO_UDP;
		}
		if (parse_port(colon, &rule.port) < 0)
			return -EINVAL;
	}
	if (prefix_parse(&rule.prefix, text) < 0 || rule.prefix.len == 0)
		return -EINVAL;
	rule.prefix = prefix_network(&rule.prefix);
	*ret_rule = rule;
	return 0;
}

static int add_lan_rule(void *arg, const char *part, struct err *err)
{
	struct egress *egress = arg;

	if (egress->n_lan_rules == LAN_RULES_MAX)
		return err_set(err, -EINVAL, "more than %d ranges", LAN_RULES_MAX);
	if (parse_lan_rule(part, &egress->lan_rules[egress->n_lan_rules]) < 0)
		return err_set(err, -EINVAL,
			       "\"%.64s\" is none of reply, off, on, or a list of "
			       "CIDR[:port[/proto]] like 192.168.1.0/24:53/udp",
			       part);
	egress->n_lan_rules++;
	return 0;
}

int egress_parse_lan(struct egress *egress, const char *text, struct err *err)
{
	static const char *const modes[] = {
		[LAN_REPLY] = "reply", [LAN_OFF] = "off", [LAN_ON] = "on"
	};
	struct egress copy = *egress;
	int r;

	copy.n_lan_rules = 0;
	memset(copy.lan_rules, 0, sizeof(copy.lan_rules));
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		if (!streq(text, modes[i]))
			continue;
		copy.lan = i;
		*egress = copy;
		return 0;
	}
	copy.lan = LAN_LIST;
	r = each_part(text, add_lan_rule, &copy, err);
	if (r == 0)
		*egress = copy;
	return r;
}

int egress_parse_tailnet(struct egress *egress, const char *text, struct err *err)
{
	if (!streq(text, "on") && !streq(text, "off"))
		return err_set(err, -EINVAL, "\"%.64s\" is neither on nor off", text);
	egress->tailnet = streq(text, "on");
	return 0;
}

static int add_host_port(void *arg, const char *part, struct err *err)
{
	struct egress *egress = arg;

	if (egress->n_host_ports == HOST_PORTS_MAX)
		return err_set(err, -EINVAL, "more than %d ports", HOST_PORTS_MAX);
	if (parse_port(part, &egress->host_ports[egress->n_host_ports]) < 0)
		return err_set(err, -EINVAL,
			       "\"%.64s\" is none of off, on, or a list of ports like "
			       "53,123",
			       part);
	egress->n_host_ports++;
	return 0;
}

int egress_parse_host(struct egress *egress, const char *text, struct err *err)
{
	struct egress copy = *egress;
	int r = 0;

	copy.n_host_ports = 0;
	memset(copy.host_ports, 0, sizeof(copy.host_ports));
	if (streq(text, "off")) {
		copy.host = HOST_OFF;
	} else if (streq(text, "on")) {
		copy.host = HOST_ON;
	} else {
		copy.host = HOST_LIST;
		r = each_part(text, add_host_port, &copy, err);
	}
	if (r == 0)
		*egress = copy;
	return r;
}

static int add_dns_server(void *arg, const char *part, struct err *err)
{
	struct egress *egress = arg;

	if (egress->n_dns_servers == DNS_SERVERS_MAX)
		return err_set(err, -EINVAL, "more than %d servers", DNS_SERVERS_MAX);
	if (addr_parse(&egress->dns_servers[egress->n_dns_servers], part) < 0 ||
	    addr_is_any(&egress->dns_servers[egress->n_dns_servers]) ||
	    addr_is_loopback(&egress->dns_servers[egress->n_dns_servers]))
		return err_set(err, -EINVAL,
			       "\"%.64s\" is none of strict, docker, or a list of server "
			       "addresses like 9.9.9.9",
			       part);
	egress->n_dns_servers++;
	return 0;
}

int egress_parse_dns(struct egress *egress, const char *text, struct err *err)
{
	struct egress copy = *egress;
	int r = 0;

	copy.n_dns_servers = 0;
	memset(copy.dns_servers, 0, sizeof(copy.dns_servers));
	if (streq(text, "strict")) {
		copy.dns = DNS_STRICT;
	} else if (streq(text, "docker")) {
		copy.dns = DNS_DOCKER;
	} else {
		copy.dns = DNS_LIST;
		r = each_part(text, add_dns_server, &copy, err);
	}
	if (r == 0)
		*egress = copy;
	return r;
}

static int parse_number(const char *text, uint32_t *ret_value)
{
	unsigned long long value;
	char *end;

	if (*text < '0' || *text > '9')
		return -EINVAL;
	errno = 0;
	value = strtoull(text, &end, 0);
	if (errno || *end || value > UINT32_MAX)
		return -EINVAL;
	*ret_value = (uint32_t)value;
	return 0;
}

int egress_parse_mark(struct egress *egress, const char *text, struct err *err)
{
	AUTO_FREE char *copy = xstrdup(text);
	char *mask_text = strchr(copy, '/');
	uint32_t mark, mask = UINT32_MAX;

	if (mask_text)
		*mask_text++ = '\0';
	if (parse_number(copy, &mark) < 0 || (mask_text && parse_number(mask_text, &mask) < 0) ||
	    mark == 0 || (mark & ~mask))
		return err_set(err, -EINVAL,
			       "\"%.64s\" is not value[/mask] with a value inside the mask, "
			       "like 0x80000/0xff0000 or 51820",
			       text);
	egress->mark = mark;
	egress->mark_mask = mask;
	return 0;
}

void egress_print_via(const struct egress *egress, struct strbuf *text)
{
	for (size_t i = 0; i < egress->via.n; i++)
		strbuf_addf(text, "%s%s", i ? "," : "", egress->via.names[i]);
}

static void print_lan_rule(const struct lan_rule *rule, struct strbuf *text)
{
	struct addr_text buffer;

	strbuf_addf(text, "%s", prefix_print(&rule->prefix, &buffer));
	if (rule->port)
		strbuf_addf(text, ":%u", rule->port);
	if (rule->proto)
		strbuf_addf(text, "/%s", rule->proto == IPPROTO_TCP ? "tcp" : "udp");
}

void egress_print_lan(const struct egress *egress, struct strbuf *text)
{
	static const char *const modes[] = {
		[LAN_REPLY] = "reply", [LAN_OFF] = "off", [LAN_ON] = "on"
	};

	if (egress->lan != LAN_LIST)
		strbuf_addf(text, "%s", modes[egress->lan]);
	for (size_t i = 0; egress->lan == LAN_LIST && i < egress->n_lan_rules; i++) {
		strbuf_addf(text, "%s", i ? "," : "");
		print_lan_rule(&egress->lan_rules[i], text);
	}
}

void egress_print_tailnet(const struct egress *egress, struct strbuf *text)
{
	strbuf_addf(text, "%s", egress->tailnet ? "on" : "off");
}

void egress_print_host(const struct egress *egress, struct strbuf *text)
{
	if (egress->host != HOST_LIST)
		strbuf_addf(text, "%s", egress->host == HOST_ON ? "on" : "off");
	for (size_t i = 0; egress->host == HOST_LIST && i < egress->n_host_ports; i++)
		strbuf_addf(text, "%s%u", i ? "," : "", egress->host_ports[i]);
}

void egress_print_dns(const struct egress *egress, struct strbuf *text)
{
	struct addr_text buffer;

	if (egress->dns != DNS_LIST)
		strbuf_addf(text, "%s", egress->dns == DNS_STRICT ? "strict" : "docker");
	for (size_t i = 0; egress->dns == DNS_LIST && i < egress->n_dns_servers; i++)
		strbuf_addf(text, "%s%s", i ? "," : "",
			    addr_print(&egress->dns_servers[i], &buffer));
}

void egress_print_mark(const struct egress *egress, struct strbuf *text)
{
	if (egress->mark)
		strbuf_addf(text, "0x%x/0x%x", egress->mark, egress->mark_mask);
}

bool exits_equal(const struct exits *a, const struct exits *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (!streq(a->names[i], b->names[i]))
			return false;
	return true;
}
