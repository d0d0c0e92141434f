/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See link.h. Must not know why a link is wanted. */
#include "link.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "../base/mem.h"
#include "../plan/names.h"
#include "observed.h"

static void copy_text(char *to, size_t size, const struct nlattr *attr)
{
	if (attr)
		snprintf(to, size, "%s", mnl_attr_get_str(attr));
}

static uint32_t number_or_0(const struct nlattr *attr)
{
	return attr ? mnl_attr_get_u32(attr) : 0;
}

static void parse_port(const struct nlattr *data, struct link_info *link)
{
	const struct nlattr *attrs[IFLA_BRPORT_MAX + 1];

	nl_parse_nested(data, attrs, IFLA_BRPORT_MAX);
	if (attrs[IFLA_BRPORT_ISOLATED])
		link->isolated = mnl_attr_get_u8(attrs[IFLA_BRPORT_ISOLATED]);
}

static void parse_kind(const struct nlattr *info, struct link_info *link)
{
	const struct nlattr *attrs[IFLA_INFO_MAX + 1];

	nl_parse_nested(info, attrs, IFLA_INFO_MAX);
	copy_text(link->kind, sizeof(link->kind), attrs[IFLA_INFO_KIND]);
	if (attrs[IFLA_INFO_SLAVE_KIND] && attrs[IFLA_INFO_SLAVE_DATA] &&
	    streq(mnl_attr_get_str(attrs[IFLA_INFO_SLAVE_KIND]), "bridge"))
		parse_port(attrs[IFLA_INFO_SLAVE_DATA], link);
}

void link_parse(const struct nlmsghdr *msg, struct link_info *ret_link)
{
	const struct ifinfomsg *header = mnl_nlmsg_get_payload(msg);
	const struct nlattr *attrs[IFLA_MAX + 1];
	struct link_info link = { .index = header->ifi_index, .up = header->ifi_flags & IFF_UP };

	nl_parse(msg, sizeof(*header), attrs, IFLA_MAX);
	copy_text(link.name, sizeof(link.name), attrs[IFLA_IFNAME]);
	copy_text(link.alias, sizeof(link.alias), attrs[IFLA_IFALIAS]);
	link.mtu = number_or_0(attrs[IFLA_MTU]);
	link.master = number_or_0(attrs[IFLA_MASTER]);
	/* With the id of a namespace, the index is one of that namespace. */
	if (!attrs[IFLA_LINK_NETNSID])
		link.peer = number_or_0(attrs[IFLA_LINK]);
	if (attrs[IFLA_ADDRESS] &&
	    mnl_attr_get_payload_len(attrs[IFLA_ADDRESS]) == sizeof(link.mac))
		memcpy(link.mac, mnl_attr_get_payload(attrs[IFLA_ADDRESS]), sizeof(link.mac));
	if (attrs[IFLA_LINKINFO])
		parse_kind(attrs[IFLA_LINKINFO], &link);
	*ret_link = link;
}

struct nlmsghdr *link_request(union nl_request *request, uint16_t type, uint16_t flags,
			      const char *name, bool up)
{
	struct nlmsghdr *msg = nl_request(request, type, flags);
	struct ifinfomsg *header = mnl_nlmsg_put_extra_header(msg, sizeof(*header));

	if (up)
		header->ifi_flags = header->ifi_change = IFF_UP;
	mnl_attr_put_strz(msg, IFLA_IFNAME, name);
	return msg;
}

static void take_link(void *arg, const struct nlmsghdr *msg)
{
	if (msg && msg->nlmsg_type == RTM_NEWLINK)
		link_parse(msg, arg);
}

int link_info(struct nl *nl, const char *name, struct link_info *ret_link, struct err *err)
{
	union nl_request request;
	struct nlmsghdr *msg = link_request(&request, RTM_GETLINK, 0, name, false);
	struct link_info link = { 0 };
	int r;

	mnl_attr_put_u32(msg, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	r = nl_get(nl, msg, take_link, &link, err);
	if (r == -ENODEV) {
		*err = (struct err){ 0 };
		return r;
	}
	if (r < 0)
		return err_wrap(err, "cannot look at interface '%s'", name);
	*ret_link = link;
	return 0;
}

bool link_exists(struct nl *nl, const char *name)
{
	return nl_link_index(nl, name) > 0;
}

int link_remove(struct nl *nl, const char *name, struct err *err)
{
	union nl_request request;
	int r = nl_talk(nl, link_request(&request, RTM_DELLINK, 0, name, false), err);

	if (r == -ENODEV) {
		*err = (struct err){ 0 };
		return 0;
	}
	return r < 0 ? err_wrap(err, "cannot remove interface '%s'", name) : 0;
}

int link_conflict(const struct link_info *link, const char *name, struct err *err)
{
	return err_set(err, -EEXIST,
		       "interface '%s' already exists (%s%s%s%s); remove or rename it", name,
		       *link->kind ? link->kind : "hardware", *link->alias ? ", alias '" : "",
		       link->alias, *link->alias ? "'" : "");
}

static bool has_prefix(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool link_is_ours(const struct link_info *link)
{
	bool named = has_prefix(link->alias, LINK_ALIAS);

	if (streq(link->kind, "bridge"))
		return named || has_prefix(link->name, BRIDGE_PREFIX);
	/* A pair is told by the end that stays. */
	if (streq(link->kind, "veth"))
		return named || has_prefix(link->name, HOST_IF_PREFIX);
	return false;
}

void link_list_done(struct link_list *list)
{
	free(list->links);
	*list = (struct link_list){ 0 };
}

struct link_reading {
	struct link_list list;
	const char *kind; /* NULL: every */
};

static void add_to_list(void *arg, const struct nlmsghdr *msg)
{
	struct link_reading *reading = arg;
	struct link_list *list = &reading->list;

	if (!msg)
		list->n = 0;
	if (!msg || msg->nlmsg_type != RTM_NEWLINK)
		return;
	if (list->n == list->size) {
		list->size = list->size ? 2 * list->size : 64;
		list->links = xreallocarray(list->links, list->size, sizeof(*list->links));
	}
	link_parse(msg, &list->links[list->n]);
	/* The kernel filters by itself, unless it has not heard of that kind yet. */
	if (!reading->kind || streq(list->links[list->n].kind, reading->kind))
		list->n++;
}

static int compare_index(const void *a, const void *b)
{
	const struct link_info *one = a, *other = b;

	return (one->index > other->index) - (one->index < other->index);
}

int link_list_read(struct nl *nl, const char *kind, struct link_list *ret_list, struct err *err)
{
	union nl_request request;
	struct nlmsghdr *msg = nl_request(&request, RTM_GETLINK, 0);
	struct link_reading reading = { .kind = kind };
	int r;

	mnl_nlmsg_put_extra_header(msg, sizeof(struct ifinfomsg));
	mnl_attr_put_u32(msg, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	if (kind) {
		struct nlattr *info = mnl_attr_nest_start(msg, IFLA_LINKINFO);

		mnl_attr_put_strz(msg, IFLA_INFO_KIND, kind);
		mnl_attr_nest_end(msg, info);
	}
	r = nl_dump(nl, msg, add_to_list, &reading, err);
	if (r < 0) {
		link_list_done(&reading.list);
		return err_wrap(err, "cannot list the interfaces");
	}
	if (reading.list.n > 1)
		qsort(reading.list.links, reading.list.n, sizeof(struct link_info), compare_index);
	*ret_list = reading.list;
	return 0;
}

const struct link_info *link_list_find(const struct link_list *list, int index)
{
	const struct link_info wanted = { .index = index };

	if (index == 0 || list->n == 0)
		return NULL;
	return bsearch(&wanted, list->links, list->n, sizeof(wanted), compare_index);
}

static void observe_bridge(const struct link_info *link, struct plan *plan)
{
	struct item_bridge *bridge = &plan_add(plan, ITEM_BRIDGE)->bridge;

	memcpy(bridge->name, link->name, sizeof(bridge->name));
	memcpy(bridge->alias, link->alias, sizeof(bridge->alias));
	memcpy(bridge->mac, link->mac, sizeof(bridge->mac));
	bridge->mtu = link->up ? link->mtu : 0;
}

static void observe_veth(const struct link_list *list, const struct link_info *link,
			 struct plan *plan)
{
	const struct link_info *bridge = link_list_find(list, link->master);
	const struct link_info *peer = link_list_find(list, link->peer);
	struct item_veth *veth = &plan_add(plan, ITEM_VETH)->veth;

	memcpy(veth->host_if, link->name, sizeof(veth->host_if));
	memcpy(veth->alias, link->alias, sizeof(veth->alias));
	veth->mtu = link->up ? link->mtu : 0;
	veth->isolated = link->isolated;
	if (bridge)
		memcpy(veth->bridge, bridge->name, sizeof(veth->bridge));
	if (peer) {
		memcpy(veth->container_if, peer->name, sizeof(veth->container_if));
		memcpy(veth->container_mac, peer->mac, sizeof(veth->container_mac));
	}
}

/* What a link's other end and its bridge are called. */
static void add_by_index(struct nl *nl, int index, struct link_list *list)
{
	struct link_info link = { 0 };
	struct err ignored;
	char name[IFNAMSIZ];

	if (index && nl_link_name(nl, index, name) == 0 &&
	    link_info(nl, name, &link, &ignored) == 0 && link.index == index)
		list->links[list->n++] = link;
}

int link_observe(struct nl *nl, const char *name, struct plan *plan, struct err *err)
{
	struct link_info around[2], link;
	struct link_list list = { .links = around };
	int r = link_info(nl, name, &link, err);

	if (r < 0 || !link_is_ours(&link))
		return r == -ENODEV ? 0 : r;
	if (streq(link.kind, "bridge")) {
		observe_bridge(&link, plan);
		return 0;
	}
	add_by_index(nl, link.master, &list);
	add_by_index(nl, link.peer, &list);
	if (list.n > 1)
		qsort(list.links, list.n, sizeof(*list.links), compare_index);
	observe_veth(&list, &link, plan);
	return 0;
}

int links_observe(struct nl *nl, struct plan *plan, struct err *err)
{
	AUTO(link_list) struct link_list list = { 0 };
	size_t start = plan->n;
	int r = link_list_read(nl, NULL, &list, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < list.n; i++) {
		if (!link_is_ours(&list.links[i]))
			continue;
		if (streq(list.links[i].kind, "bridge"))
			observe_bridge(&list.links[i], plan);
		else
			observe_veth(&list, &list.links[i], plan);
	}
	observed_once(plan, start);
	return 0;
}
