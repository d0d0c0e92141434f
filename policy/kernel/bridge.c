/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See bridge.h. Must not know about addresses and ports. */
#include "bridge.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include "../base/mem.h"
#include "../plan/names.h"
#include "link.h"
#include "sysctl.h"

#define KERNEL_DEFAULT_MTU 1500

/* The request that creates cannot set the alias. Should we be killed in between, the name has to
 * tell whose it is; one that the user chose does not, and is given together with the alias. */
static void name_unfinished(const struct item_bridge *bridge, char name[static IFNAMSIZ])
{
	const uint8_t *mac = bridge->mac;

	if (strncmp(bridge->name, BRIDGE_PREFIX, strlen(BRIDGE_PREFIX)) == 0)
		memcpy(name, bridge->name, IFNAMSIZ);
	else
		snprintf(name, IFNAMSIZ, BRIDGE_PREFIX "%02x%02x%02x%02x%02x%02x", mac[0], mac[1],
			 mac[2], mac[3], mac[4], mac[5]);
}

static int create(struct nl *nl, const struct item_bridge *bridge, const char *name,
		  struct err *err)
{
	union nl_request request;
	struct nlmsghdr *msg =
		link_request(&request, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, name, false);
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

/* now: what there is. One with an index may have another name yet. */
static int adjust(struct nl *nl, const struct item_bridge *bridge, const struct link_info *now,
		  struct err *err)
{
	union nl_request request;
	struct nlmsghdr *msg = link_request(&request, RTM_NEWLINK, 0, bridge->name, true);
	struct ifinfomsg *header = mnl_nlmsg_get_payload(msg);
	uint32_t bare = msg->nlmsg_len;

	header->ifi_index = now->index;
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

static int finish(struct nl *nl, const struct item_bridge *bridge, const char *name,
		  struct err *err)
{
	struct link_info fresh = { .mtu = KERNEL_DEFAULT_MTU, .index = nl_link_index(nl, name) };
	int r = fresh.index < 0 ? err_set(err, fresh.index, "interface '%s' is gone again", name)
				: refuse_advertisements(nl, name, err);

	memcpy(fresh.mac, bridge->mac, sizeof(fresh.mac));
	if (r == 0)
		r = adjust(nl, bridge, &fresh, err);
	return r;
}

/* A bridge without an alias, but with the hardware address that we give, is ours as well: we were
 * killed before it had one. */
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
	char name[IFNAMSIZ];
	struct err ignored;
	int r = 0;

	name_unfinished(bridge, name);
	if (!streq(name, bridge->name)) {
		if (link_exists(nl, bridge->name))
			return adopt(nl, bridge, err);
		r = link_remove(nl, name, err);
	}
	if (r == 0)
		r = create(nl, bridge, name, err);
	if (r == -EEXIST)
		return adopt(nl, bridge, err);
	if (r == 0) {
		r = finish(nl, bridge, name, err);
		if (r < 0)
			(void)link_remove(nl, name, &ignored);
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
