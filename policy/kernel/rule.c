/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See rule.h. A kind of rule is one line in put_rule() and one in parse_rule(). */
#include "rule.h"

#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>

#include "../base/mem.h"
#include "../plan/names.h"
#include "observed.h"

static int wrap(const struct item_rule *rule, const char *verb, struct err *err)
{
	return err_wrap(err, "cannot %s the IPv%d rule at priority %u", verb,
			rule->family == V4 ? 4 : 6, rule->pref);
}

/* clang-format off */
static const uint8_t actions[] = {
	[RULE_LOOKUP] = FR_ACT_TO_TBL,
	[RULE_GOTO] = FR_ACT_GOTO,
	[RULE_UNREACHABLE] = FR_ACT_UNREACHABLE,
	[RULE_NOP] = FR_ACT_NOP,
};
/* clang-format on */

static void put_rule(struct nlmsghdr *msg, struct fib_rule_hdr *header,
		     const struct item_rule *rule)
{
	/* Never left to the kernel: without a priority it puts the rule in front of everybody's. */
	mnl_attr_put_u32(msg, FRA_PRIORITY, rule->pref);
	header->action = actions[rule->action];
	if (rule->action == RULE_LOOKUP)
		mnl_attr_put_u32(msg, FRA_TABLE, rule->table);
	if (rule->no_default)
		mnl_attr_put_u32(msg, FRA_SUPPRESS_PREFIXLEN, 0);
	if (rule->action == RULE_GOTO)
		mnl_attr_put_u32(msg, FRA_GOTO, rule->target);
	if (*rule->iif)
		mnl_attr_put_strz(msg, FRA_IIFNAME, rule->iif);
	if (prefix_is_set(&rule->from)) {
		header->src_len = rule->from.len;
		mnl_attr_put(msg, FRA_SRC, addr_len(&rule->from.addr), rule->from.addr.bytes);
	}
	if (rule->mask) {
		mnl_attr_put_u32(msg, FRA_FWMARK, rule->mark);
		mnl_attr_put_u32(msg, FRA_FWMASK, rule->mask);
	}
}

static struct nlmsghdr *rule_request(union nl_request *request, uint16_t type, uint16_t flags,
				     const struct item_rule *rule)
{
	struct nlmsghdr *msg = nl_request(request, type, flags);
	struct fib_rule_hdr *header = mnl_nlmsg_put_extra_header(msg, sizeof(*header));

	header->family = (uint8_t)family_to_af(rule->family);
	mnl_attr_put_u8(msg, FRA_PROTOCOL, ROUTE_PROTOCOL);
	put_rule(msg, header, rule);
	return msg;
}

int rule_add(struct nl *nl, const struct item_rule *rule, struct err *err)
{
	union nl_request request;
	int r = nl_talk(nl, rule_request(&request, RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, rule),
			err);

	if (r == -EEXIST) { /* an identical one, including the protocol */
		*err = (struct err){ 0 };
		return 0;
	}
	return r < 0 ? wrap(rule, "add", err) : 0;
}

int rule_remove(struct nl *nl, const struct item_rule *rule, struct err *err)
{
	union nl_request request;
	int r = nl_talk(nl, rule_request(&request, RTM_DELRULE, 0, rule), err);

	if (r == -ENOENT) {
		*err = (struct err){ 0 };
		return 0;
	}
	return r < 0 ? wrap(rule, "remove", err) : 0;
}

static uint32_t u32_of(const struct nlattr *attr)
{
	return attr ? mnl_attr_get_u32(attr) : 0;
}

static struct prefix source_of(const struct fib_rule_hdr *header, const struct nlattr *attr)
{
	struct prefix source = { .len = header->src_len };

	if (!attr)
		return (struct prefix){ 0 };
	source.addr.family = header->family;
	memcpy(source.addr.bytes, mnl_attr_get_payload(attr), addr_len(&source.addr));
	return source;
}

static bool parse_rule(const struct nlmsghdr *msg, struct item_rule *ret_rule)
{
	const struct fib_rule_hdr *header = mnl_nlmsg_get_payload(msg);
	const struct nlattr *attrs[FRA_MAX + 1];

	if (msg->nlmsg_type != RTM_NEWRULE ||
	    (header->family != AF_INET && header->family != AF_INET6))
		return false;
	nl_parse(msg, sizeof(*header), attrs, FRA_MAX);
	if (!attrs[FRA_PROTOCOL] || mnl_attr_get_u8(attrs[FRA_PROTOCOL]) != ROUTE_PROTOCOL)
		return false;
	*ret_rule = (struct item_rule){
		.family = header->family == AF_INET6 ? V6 : V4,
		.pref = u32_of(attrs[FRA_PRIORITY]),
		.mark = u32_of(attrs[FRA_FWMARK]),
		.mask = u32_of(attrs[FRA_FWMASK]),
		.from = source_of(header, attrs[FRA_SRC]),
		.target = u32_of(attrs[FRA_GOTO]),
		.no_default = attrs[FRA_SUPPRESS_PREFIXLEN] &&
			      mnl_attr_get_u32(attrs[FRA_SUPPRESS_PREFIXLEN]) == 0,
	};
	for (size_t i = 0; i < ARRAY_SIZE(actions); i++)
		if (actions[i] == header->action)
			ret_rule->action = i;
	if (ret_rule->action == RULE_LOOKUP)
		ret_rule->table = attrs[FRA_TABLE] ? u32_of(attrs[FRA_TABLE]) : header->table;
	if (attrs[FRA_IIFNAME])
		snprintf(ret_rule->iif, IFNAMSIZ, "%s", mnl_attr_get_str(attrs[FRA_IIFNAME]));
	return true;
}

struct rule_reading {
	struct plan *plan;
	size_t start; /* of what was read into the plan */
	int af;
};

static void take_rule(void *arg, const struct nlmsghdr *msg)
{
	struct rule_reading *reading = arg;
	struct item_rule rule;

	if (!msg)
		reading->plan->n = reading->start;
	/* Asked for a family that it does not have, the kernel lists all others. */
	if (msg && parse_rule(msg, &rule) && family_to_af(rule.family) == reading->af)
		plan_add(reading->plan, ITEM_RULE)->rule = rule;
}

int rules_observe(struct nl *nl, struct plan *plan, struct err *err)
{
	for (enum family family = 0; family < FAMILIES; family++) {
		struct rule_reading reading = { plan, plan->n, family_to_af(family) };
		union nl_request request;
		struct nlmsghdr *msg = nl_request(&request, RTM_GETRULE, 0);
		struct fib_rule_hdr *header = mnl_nlmsg_put_extra_header(msg, sizeof(*header));
		int r;

		header->family = (uint8_t)family_to_af(family);
		r = nl_dump(nl, msg, take_rule, &reading, err);
		if (r == -EAFNOSUPPORT)
			*err = (struct err){ 0 };
		else if (r < 0)
			return err_wrap(err, "cannot list the policy routing rules");
		observed_once(plan, reading.start);
	}
	return 0;
}
