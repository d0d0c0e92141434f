/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See survey.h: rules and routes. What is in nftables is in survey_nft.c. */
#include "survey.h"

#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>

#include "../base/mem.h"
#include "../plan/names.h"
#include "survey_nft.h"

static uint32_t u32_of(const struct nlattr *attr)
{
	return attr ? mnl_attr_get_u32(attr) : 0;
}

static void take_name(char name[static IFNAMSIZ], const struct nlattr *attr)
{
	if (attr)
		snprintf(name, IFNAMSIZ, "%s", mnl_attr_get_str(attr));
}

static struct prefix take_prefix(uint8_t af, const struct nlattr *attr, uint8_t len)
{
	struct prefix prefix = { 0 };

	if (!attr)
		return prefix;
	prefix.addr.family = af;
	if (mnl_attr_get_payload_len(attr) != addr_len(&prefix.addr))
		return (struct prefix){ 0 };
	memcpy(prefix.addr.bytes, mnl_attr_get_payload(attr), addr_len(&prefix.addr));
	prefix.len = len;
	return prefix;
}

static bool is_of_users(const struct nlattr *attr)
{
	const struct fib_rule_uid_range *range = attr ? mnl_attr_get_payload(attr) : NULL;

	/* What is forwarded counts as root's. */
	return range && range->start > 0;
}

static bool parse_rule(const struct nlmsghdr *msg, struct foreign_rule *ret_rule)
{
	const struct fib_rule_hdr *header = mnl_nlmsg_get_payload(msg);
	const struct nlattr *attrs[FRA_MAX + 1];
	struct foreign_rule rule = { .family = header->family == AF_INET6 ? V6 : V4 };

	nl_parse(msg, sizeof(*header), attrs, FRA_MAX);
	rule.pref = u32_of(attrs[FRA_PRIORITY]);
	if ((attrs[FRA_PROTOCOL] && mnl_attr_get_u8(attrs[FRA_PROTOCOL]) == ROUTE_PROTOCOL) ||
	    rule.pref >= PREF_END)
		return false;
	rule.from = take_prefix(header->family, attrs[FRA_SRC], header->src_len);
	rule.to = take_prefix(header->family, attrs[FRA_DST], header->dst_len);
	take_name(rule.iif, attrs[FRA_IIFNAME]);
	take_name(rule.oif, attrs[FRA_OIFNAME]);
	rule.mark = u32_of(attrs[FRA_FWMARK]);
	rule.mask = u32_of(attrs[FRA_FWMASK]);
	rule.inverted = header->flags & FIB_RULE_INVERT;
	rule.of_users = is_of_users(attrs[FRA_UID_RANGE]);
	rule.acts = header->action != FR_ACT_NOP;
	rule.no_default = attrs[FRA_SUPPRESS_PREFIXLEN] &&
			  u32_of(attrs[FRA_SUPPRESS_PREFIXLEN]) != UINT32_MAX;
	if (header->action == FR_ACT_TO_TBL)
		rule.table = attrs[FRA_TABLE] ? u32_of(attrs[FRA_TABLE]) : header->table;
	*ret_rule = rule;
	/* The kernel's own first rule: the host's own addresses. */
	return !(rule.pref == 0 && rule.table == RT_TABLE_LOCAL);
}

struct rule_reading {
	struct survey *survey;
	size_t start;
	int af;
};

static void take_rule(void *arg, const struct nlmsghdr *msg)
{
	struct rule_reading *reading = arg;
	struct survey *survey = reading->survey;
	const struct fib_rule_hdr *header;
	struct foreign_rule rule;

	if (!msg)
		survey->n_rules = reading->start;
	if (!msg || msg->nlmsg_type != RTM_NEWRULE)
		return;
	header = mnl_nlmsg_get_payload(msg);
	/* Asked for a family that it does not have, the kernel lists all others. */
	if (header->family != reading->af || !parse_rule(msg, &rule))
		return;
	survey->rules = xreallocarray(survey->rules, survey->n_rules + 1, sizeof(rule));
	survey->rules[survey->n_rules++] = rule;
}

static int read_rules(struct nl *nl, int af, struct survey *survey, struct err *err)
{
	struct rule_reading reading = { survey, survey->n_rules, af };
	union nl_request request;
	struct nlmsghdr *msg = nl_request(&request, RTM_GETRULE, 0);
	struct fib_rule_hdr *header = mnl_nlmsg_put_extra_header(msg, sizeof(*header));
	int r;

	header->family = (uint8_t)af;
	r = nl_dump(nl, msg, take_rule, &reading, err);
	if (r == -EAFNOSUPPORT) {
		*err = (struct err){ 0 };
		return 0;
	}
	return r < 0 ? err_wrap(err, "cannot list the policy routing rules") : 0;
}

struct route_reading {
	struct survey *survey;
	size_t start;
	uint32_t table;
	int af;
};

static void take_route(void *arg, const struct nlmsghdr *msg)
{
	struct route_reading *reading = arg;
	struct survey *survey = reading->survey;
	const struct nlattr *attrs[RTA_MAX + 1];
	struct foreign_route route = { .table = reading->table };
	const struct rtmsg *header;

	if (!msg)
		survey->n_routes = reading->start;
	if (!msg || msg->nlmsg_type != RTM_NEWROUTE)
		return;
	header = mnl_nlmsg_get_payload(msg);
	nl_parse(msg, sizeof(*header), attrs, RTA_MAX);
	if (header->rtm_protocol == ROUTE_PROTOCOL || header->rtm_family != reading->af ||
	    u32_of(attrs[RTA_TABLE]) != reading->table)
		return;
	route.dst = take_prefix(header->rtm_family, attrs[RTA_DST], header->rtm_dst_len);
	route.dst.addr.family = header->rtm_family;
	route.metric = u32_of(attrs[RTA_PRIORITY]);
	survey->routes = xreallocarray(survey->routes, survey->n_routes + 1, sizeof(route));
	survey->routes[survey->n_routes++] = route;
}

static int read_table(struct nl *nl, int af, uint32_t table, struct survey *survey, struct err *err)
{
	struct route_reading reading = { survey, survey->n_routes, table, af };
	union nl_request request;
	struct nlmsghdr *msg = nl_request(&request, RTM_GETROUTE, 0);
	struct rtmsg *header = mnl_nlmsg_put_extra_header(msg, sizeof(*header));
	int r;

	header->rtm_family = (uint8_t)af;
	mnl_attr_put_u32(msg, RTA_TABLE, table);
	r = nl_dump(nl, msg, take_route, &reading, err);
	if (r == -ENOENT || r == -EAFNOSUPPORT) { /* no such table */
		*err = (struct err){ 0 };
		return 0;
	}
	return r < 0 ? err_wrap(err, "cannot list the routes of table %u", table) : 0;
}

struct uplink_reading {
	struct nl *nl;
	struct survey *survey;
};

static void take_uplink(void *arg, const struct nlmsghdr *msg)
{
	struct uplink_reading *reading = arg;
	struct survey *survey = reading->survey;
	const struct nlattr *attrs[RTA_MAX + 1];
	const struct rtmsg *header;

	if (!msg)
		survey->n_uplinks = 0;
	if (!msg || msg->nlmsg_type != RTM_NEWROUTE)
		return;
	header = mnl_nlmsg_get_payload(msg);
	nl_parse(msg, sizeof(*header), attrs, RTA_MAX);
	if (header->rtm_family != AF_INET || header->rtm_dst_len != 0 || !attrs[RTA_OIF] ||
	    header->rtm_table != RT_TABLE_MAIN)
		return;
	survey->uplinks = xreallocarray(survey->uplinks, survey->n_uplinks + 1, IFNAMSIZ);
	if (nl_link_name(reading->nl, (int)u32_of(attrs[RTA_OIF]),
			 survey->uplinks[survey->n_uplinks]) == 0)
		survey->n_uplinks++;
}

static int read_uplinks(struct nl *nl, struct survey *survey, struct err *err)
{
	struct uplink_reading reading = { nl, survey };
	union nl_request request;
	struct nlmsghdr *msg = nl_request(&request, RTM_GETROUTE, 0);
	struct rtmsg *header = mnl_nlmsg_put_extra_header(msg, sizeof(*header));

	header->rtm_family = AF_INET;
	mnl_attr_put_u32(msg, RTA_TABLE, RT_TABLE_MAIN);
	if (nl_dump(nl, msg, take_uplink, &reading, err) < 0)
		return err_wrap(err, "cannot list the routes of the main table");
	return 0;
}

/* Our tables are numbered without gaps, nearly: up to the last that a rule of ours may name. */
static int read_routes(struct nl *nl, uint8_t last_path, struct survey *survey, struct err *err)
{
	int r = 0;

	for (enum family f = V4; r == 0 && f < FAMILIES; f++)
		for (unsigned int path = 0; r == 0 && path <= last_path; path++)
			r = read_table(nl, family_to_af(f), TABLE_PATH(path), survey, err);
	return r;
}

int survey_read(struct nl *nl, uint8_t last_path, struct survey *ret_survey, struct err *err)
{
	struct survey survey = { 0 };
	int r = read_rules(nl, AF_INET, &survey, err);

	if (r == 0)
		r = read_rules(nl, AF_INET6, &survey, err);
	if (r == 0)
		r = read_routes(nl, last_path, &survey, err);
	if (r == 0)
		r = read_uplinks(nl, &survey, err);
	if (r == 0)
		r = survey_read_nft(nl, &survey, err);
	if (r < 0)
		survey_done(&survey);
	else
		*ret_survey = survey;
	return r;
}

void survey_done(struct survey *survey)
{
	free(survey->rules);
	free(survey->chains);
	free(survey->flowtables);
	free(survey->routes);
	free(survey->uplinks);
	*survey = (struct survey){ 0 };
}
