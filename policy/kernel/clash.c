/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See clash.h. */
#include "clash.h"

#include <linux/rtnetlink.h>
#include <string.h>

struct search {
	struct nl *nl;
	struct prefix subnet;
	struct clash clash;
};

static void on_route(void *arg, const struct nlmsghdr *message)
{
	const struct nlattr *attrs[RTA_MAX + 1] = { 0 };
	struct prefix route = { 0 };
	struct search *search = arg;
	const struct rtmsg *header;

	if (!message) {
		search->clash = (struct clash){ 0 };
		return;
	}
	header = mnl_nlmsg_get_payload(message);
	nl_parse(message, sizeof(*header), attrs, RTA_MAX);
	if (search->clash.found || header->rtm_table != RT_TABLE_MAIN || !attrs[RTA_DST] ||
	    header->rtm_type != RTN_UNICAST || !attrs[RTA_OIF])
		return;
	route.addr.family = header->rtm_family;
	route.len = header->rtm_dst_len;
	memcpy(route.addr.bytes, mnl_attr_get_payload(attrs[RTA_DST]), addr_len(&route.addr));
	if (!prefix_overlap(&route, &search->subnet))
		return;
	if (attrs[RTA_GATEWAY] && route.len < search->subnet.len)
		return;
	search->clash.found = true;
	search->clash.route = route;
	if (nl_link_name(search->nl, mnl_attr_get_u32(attrs[RTA_OIF]), search->clash.dev) < 0)
		search->clash.dev[0] = '\0';
}

int clash_find(struct nl *nl, const struct prefix *subnet, struct clash *ret_clash, struct err *err)
{
	struct search search = { .nl = nl, .subnet = *subnet };
	union nl_request request;
	struct nlmsghdr *message = nl_request(&request, RTM_GETROUTE, NLM_F_DUMP);
	struct rtmsg *header = mnl_nlmsg_put_extra_header(message, sizeof(*header));

	header->rtm_family = subnet->addr.family;
	header->rtm_table = RT_TABLE_MAIN;
	mnl_attr_put_u32(message, RTA_TABLE, RT_TABLE_MAIN);
	if (nl_dump(nl, message, on_route, &search, err) < 0)
		return err_wrap(err, "cannot list the host's routes");
	*ret_clash = search.clash;
	return 0;
}
