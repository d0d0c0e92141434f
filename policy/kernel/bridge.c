/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See bridge.h. Must not know about addresses and ports. */
#include "bridge.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include "../base/mem.h"
#include "link.h"
#include "sysctl.h"

#define KERNEL_DEFAULT_MTU 1500

static int create(struct nl *nl, const struct item_bridge *bridge, struct err *err)
{
	union nl_request request;
	struct nlmsghdr *msg =
		link_request(&request, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, bridge->name, false);
	struct nlattr *info, *data;

	/* With an address of its own the bridge does not take that of its first port. */
	mnl_attr_put(msg, IFLA_ADDRESS, sizeof(bridge->mac), bridge->mac);
	info = mnl_attr_nest_start(msg, IFLA_LINKINFO);
	mnl_attr_put_strz(msg, IFLA_INFO_KIND, "bridge");
	data = mnl_attr_nest_start(msg, IFLA_INFO_DATA);
	/* A port forwards at once, not after listening and learning. */
	mnl_attr_put_u32(msg, IFLA_BR_FORWARD_DELAY, 0);
	mnl_attr_nest_end(msg, data);
	mnl_attr_nest_end(msg, info);
	return nl_talk(nl, msg, err);
}

/* A container must not be able to tell the host its routes. Before the bridge is up. */
static int refuse_advertisements(struct nl *nl, const char *name, struct err *err)
{
	char knob[64];
	int r;

	snprintf(knob, sizeof(knob), "net/ipv6/conf/%s/accept_ra", name);
	r = sysctl_set(nl, knob, 0, err);
	return r == -ENOENT ? 0 : r;
}

/* now: what there is. */
static int adjust(struct nl *nl, const struct item_bridge *bridge, const struct link_info *now,
		  struct err *err)
{
	union nl_request request;
	struct nlmsghdr *msg = link_request(&request, RTM_NEWLINK, 0, bridge->name, true);
	uint32_t bare = msg->nlmsg_len;

	/* Set after creation, because only this pins it: else it follows the ports. */
	if (now->mtu != bridge->mtu)
		mnl_attr_put_u32(msg, IFLA_MTU, bridge->mtu);
	if (memcmp(now->mac, bridge->mac, sizeof(bridge->mac)) != 0)
		mnl_attr_put(msg, IFLA_ADDRESS, sizeof(bridge->mac), bridge->mac);
	if (!streq(now->alias, bridge->alias))
		mnl_attr_put_strz(msg, IFLA_IFALIAS, bridge->alias);
	if (now->up && msg->nlmsg_len == bare)
		return 0;
	return nl_talk(nl, msg, err);
}

static int finish(struct nl *nl, const struct item_bridge *bridge, struct err *err)
{
	struct link_info fresh = { .mtu = KERNEL_DEFAULT_MTU };
	int r = refuse_advertisements(nl, bridge->name, err);

	memcpy(fresh.mac, bridge->mac, sizeof(fresh.mac));
	if (r == 0)
		r = adjust(nl, bridge, &fresh, err);
	return r;
}

/* The alias cannot be set by the request that creates. So a bridge without one, but with the
 * hardware address that we give, is ours as well: we were killed in between. */
static bool is_this(const struct link_info *link, const struct item_bridge *bridge)
{
	if (!streq(link->kind, "bridge") || !streq(link->name, bridge->name))
		return false;
	if (streq(link->alias, bridge->alias))
		return true;
	return *link->alias == '\0' && memcmp(link->mac, bridge->mac, sizeof(link->mac)) == 0;
}

static int adopt(struct nl *nl, const struct item_bridge *bridge, struct err *err)
{
	struct link_info link;
	int r;

	*err = (struct err){ 0 };
	r = link_info(nl, bridge->name, &link, err);
	if (r == -ENODEV)
		return err_set(err, -EAGAIN, "interface '%s' came and went; try again",
			       bridge->name);
	if (r == 0 && !is_this(&link, bridge))
		r = link_conflict(&link, bridge->name, err);
	if (r < 0)
		return r;
	r = refuse_advertisements(nl, bridge->name, err);
	return r < 0 ? r : adjust(nl, bridge, &link, err);
}

int bridge_add(struct nl *nl, const struct item_bridge *bridge, struct err *err)
{
	struct err ignored;
	int r = create(nl, bridge, err);

	if (r == -EEXIST)
		return adopt(nl, bridge, err);
	if (r == 0) {
		r = finish(nl, bridge, err);
		if (r < 0)
			(void)link_remove(nl, bridge->name, &ignored);
	}
	return r < 0 ? err_wrap(err, "cannot create bridge '%s'", bridge->name) : 0;
}

int bridge_change(struct nl *nl, const struct item_bridge *bridge, struct err *err)
{
	struct link_info link;
	int r = link_info(nl, bridge->name, &link, err);

	if (r == -ENODEV)
		return err_set(err, r, "bridge '%s' does not exist", bridge->name);
	if (r < 0)
		return r;
	if (!streq(link.kind, "bridge"))
		return link_conflict(&link, bridge->name, err);
	r = adjust(nl, bridge, &link, err);
	return r < 0 ? err_wrap(err, "cannot change bridge '%s'", bridge->name) : 0;
}
