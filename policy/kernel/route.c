/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See route.h. */
#include "route.h"

#include <errno.h>
#include <linux/rtnetlink.h>

#include "../base/mem.h"
#include "../plan/names.h"
#include "observed.h"

static int wrap(const struct item_route *route, const char *verb, struct err *err)
{
	struct addr_text text;

	return err_wrap(err, "cannot %s route %s%s%s in table %u", verb,
			prefix_print(&route->dst, &text), *route->oif ? " to " : "", route->oif,
			route->table);
}

static unsigned char type_of(const struct item_route *route)
{
	if (*route->oif)
		return RTN_UNICAST;
	return route->silent ? RTN_BLACKHOLE : RTN_UNREACHABLE;
}

/* link: index, 0 for a route to nowhere. */
static struct nlmsghdr *route_request(union nl_request *request, uint16_t type, uint16_t flags,
				      const struct item_route *route, int link)
{
	struct nlmsghdr *msg = nl_request(request, type, flags);
	struct rtmsg *header = mnl_nlmsg_put_extra_header(msg, sizeof(*header));
	const struct addr *dst = &route->dst.addr;

	header->rtm_family = dst->family;
	header->rtm_dst_len = route->dst.len;
	header->rtm_table = RT_TABLE_UNSPEC; /* too narrow; see RTA_TABLE */
	header->rtm_protocol = ROUTE_PROTOCOL;
	header->rtm_type = type_of(route);
	header->rtm_scope = link && dst->family == AF_INET ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
	mnl_attr_put(msg, RTA_DST, addr_len(dst), dst->bytes);
	mnl_attr_put_u32(msg, RTA_TABLE, route->table);
	if (route->metric)
		mnl_attr_put_u32(msg, RTA_PRIORITY, route->metric);
	if (link)
		mnl_attr_put_u32(msg, RTA_OIF, (uint32_t)link);
	return msg;
}

struct route_reading {
	struct nl *nl;
	struct plan *plan;
	size_t start; /* of what was read into the plan */
	int af;
};

/* False when the route is none of ours or none of the kinds that we make. */
static bool parse_route(struct nl *nl, const struct nlmsghdr *msg, struct item_route *ret_route)
{
	const struct rtmsg *header = mnl_nlmsg_get_payload(msg);
	const struct nlattr *attrs[RTA_MAX + 1];
	struct item_route route = { .dst.addr.family = header->rtm_family };
	size_t len = addr_len(&route.dst.addr);

	if (msg->nlmsg_type != RTM_NEWROUTE || len == 0 || header->rtm_protocol != ROUTE_PROTOCOL ||
	    (header->rtm_flags & RTM_F_CLONED))
		return false;
	nl_parse(msg, sizeof(*header), attrs, RTA_MAX);
	route.dst.len = header->rtm_dst_len;
	if (attrs[RTA_DST] && mnl_attr_get_payload_len(attrs[RTA_DST]) == len)
		memcpy(route.dst.addr.bytes, mnl_attr_get_payload(attrs[RTA_DST]), len);
	route.table = attrs[RTA_TABLE] ? mnl_attr_get_u32(attrs[RTA_TABLE]) : header->rtm_table;
	if (attrs[RTA_PRIORITY])
		route.metric = mnl_attr_get_u32(attrs[RTA_PRIORITY]);
	/* An IPv6 route to nowhere is said to leave by lo. */
	if (header->rtm_type == RTN_UNICAST) {
		if (!attrs[RTA_OIF] ||
		    nl_link_name(nl, (int)mnl_attr_get_u32(attrs[RTA_OIF]), route.oif) < 0)
			return false;
	}
	route.silent = header->rtm_type == RTN_BLACKHOLE;
	if (type_of(&route) != header->rtm_type)
		return false;
	*ret_route = route;
	return true;
}

static void take_route(void *arg, const struct nlmsghdr *msg)
{
	struct route_reading *reading = arg;
	struct item_route route;

	if (!msg)
		reading->plan->n = reading->start;
	/* Asked for a family that it does not have, the kernel lists all others. */
	if (msg && parse_route(reading->nl, msg, &route) && route.dst.addr.family == reading->af)
		plan_add(reading->plan, *route.oif ? ITEM_ROUTE : ITEM_BACKSTOP)->route = route;
}

/* table 0: all. */
static int read_routes(struct nl *nl, int af, uint32_t table, struct plan *plan, struct err *err)
{
	struct route_reading reading = { .nl = nl, .plan = plan, .start = plan->n, .af = af };
	union nl_request request;
	struct nlmsghdr *msg = nl_request(&request, RTM_GETROUTE, 0);
	struct rtmsg *header = mnl_nlmsg_put_extra_header(msg, sizeof(*header));
	int r;

	header->rtm_family = (uint8_t)af;
	header->rtm_protocol = ROUTE_PROTOCOL;
	if (table)
		mnl_attr_put_u32(msg, RTA_TABLE, table);
	r = nl_dump(nl, msg, take_route, &reading, err);
	if (r == -ENOENT) { /* no such table */
		*err = (struct err){ 0 };
		return 0;
	}
	if (r < 0)
		return err_wrap(err, "cannot list the routes");
	observed_once(plan, reading.start);
	return 0;
}

int routes_observe(struct nl *nl, struct plan *plan, struct err *err)
{
	int r = 0;

	/* Apart: asked for both at once the kernel does not filter. */
	for (enum family family = 0; family < FAMILIES && r == 0; family++)
		r = read_routes(nl, family_to_af(family), 0, plan, err);
	return r;
}

/* "Exists" compares destination and metric only. What is there instead of ours, in a table of ours,
 * is what somebody made of it. */
static int take_back(struct nl *nl, const struct item_route *route, int link, struct err *err)
{
	union nl_request request;

	const struct item wanted = { .kind = *route->oif ? ITEM_ROUTE : ITEM_BACKSTOP,
				     .route = *route };
	AUTO(plan) struct plan plan = { 0 };
	int r;

	*err = (struct err){ 0 };
	r = read_routes(nl, route->dst.addr.family, route->table, &plan, err);
	for (size_t i = 0; r == 0 && i < plan.n; i++)
		if (item_compare(&plan.items[i], &wanted) == 0)
			return 0;
	if (r == 0)
		r = nl_talk(nl,
			    route_request(&request, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE,
					  route, link),
			    err);
	return r;
}

int route_add(struct nl *nl, const struct item_route *route, struct err *err)
{
	union nl_request request;
	int link = *route->oif ? nl_link_index(nl, route->oif) : 0;
	int r;

	if (link < 0) {
		r = err_set(err, link, "interface '%s' does not exist", route->oif);
	} else {
		r = nl_talk(nl,
			    route_request(&request, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, route,
					  link),
			    err);
		if (r == -EEXIST)
			r = take_back(nl, route, link, err);
	}
	return r < 0 ? wrap(route, "add", err) : 0;
}

int route_remove(struct nl *nl, const struct item_route *route, struct err *err)
{
	union nl_request request;
	int link = *route->oif ? nl_link_index(nl, route->oif) : 0;
	int r;

	if (link < 0)
		return 0;
	r = nl_talk(nl, route_request(&request, RTM_DELROUTE, 0, route, link), err);
	/* ENOENT, ENETUNREACH: there is not even that table. */
	if (r == -ESRCH || r == -ENODEV || r == -ENOENT || r == -ENETUNREACH) {
		*err = (struct err){ 0 };
		return 0;
	}
	return r < 0 ? wrap(route, "remove", err) : 0;
}
