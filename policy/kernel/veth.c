/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See veth.h. Must not know what is inside a container. */
#include "veth.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>

#include "../base/mem.h"
#include "link.h"

static int find_bridge(struct nl *nl, const struct item_veth *veth, struct err *err)
{
	int index = nl_link_index(nl, veth->bridge);

	if (index < 0)
		return err_set(err, index, "bridge '%s' does not exist", veth->bridge);
	return index;
}

static uint32_t container_mtu(const struct item_veth *veth)
{
	return veth->container_mtu ? veth->container_mtu : veth->mtu;
}

static void put_peer(struct nlmsghdr *msg, const struct item_veth *veth)
{
	static const uint8_t any_mac[6];
	struct nlattr *info = mnl_attr_nest_start(msg, IFLA_LINKINFO);
	struct nlattr *data, *peer;

	mnl_attr_put_strz(msg, IFLA_INFO_KIND, "veth");
	data = mnl_attr_nest_start(msg, IFLA_INFO_DATA);
	peer = mnl_attr_nest_start(msg, VETH_INFO_PEER);
	mnl_nlmsg_put_extra_header(msg, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(msg, IFLA_IFNAME, veth->container_if);
	mnl_attr_put_u32(msg, IFLA_MTU, container_mtu(veth));
	if (memcmp(veth->container_mac, any_mac, sizeof(any_mac)) != 0)
		mnl_attr_put(msg, IFLA_ADDRESS, sizeof(any_mac), veth->container_mac);
	mnl_attr_nest_end(msg, peer);
	mnl_attr_nest_end(msg, data);
	mnl_attr_nest_end(msg, info);
}

static int create(struct nl *nl, const struct item_veth *veth, int bridge, struct err *err)
{
	union nl_request request;
	struct nlmsghdr *msg = link_request(&request, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL,
					    veth->host_if, false);

	mnl_attr_put_u32(msg, IFLA_MTU, veth->mtu);
	mnl_attr_put_u32(msg, IFLA_MASTER, (uint32_t)bridge);
	put_peer(msg, veth);
	return nl_talk(nl, msg, err);
}

/* A port of a bridge receives nothing itself: no link-local address, no group memberships. */
static void put_no_address(struct nlmsghdr *msg)
{
	struct nlattr *families = mnl_attr_nest_start(msg, IFLA_AF_SPEC);
	struct nlattr *v6 = mnl_attr_nest_start(msg, AF_INET6);

	mnl_attr_put_u8(msg, IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE);
	mnl_attr_nest_end(msg, v6);
	mnl_attr_nest_end(msg, families);
}

/* As a request about an existing link this takes the port's flags, too, and before it is up. */
static void put_port(struct nlmsghdr *msg, const struct item_veth *veth)
{
	struct nlattr *info = mnl_attr_nest_start(msg, IFLA_LINKINFO);
	struct nlattr *data;

	mnl_attr_put_strz(msg, IFLA_INFO_SLAVE_KIND, "bridge");
	data = mnl_attr_nest_start(msg, IFLA_INFO_SLAVE_DATA);
	mnl_attr_put_u8(msg, IFLA_BRPORT_ISOLATED, veth->isolated);
	mnl_attr_nest_end(msg, data);
	mnl_attr_nest_end(msg, info);
}

/* now: the host's end, already a port of the bridge. */
static int adjust(struct nl *nl, const struct item_veth *veth, const struct link_info *now,
		  bool no_address, struct err *err)
{
	union nl_request request;
	struct nlmsghdr *msg = link_request(&request, RTM_NEWLINK, 0, veth->host_if, true);
	uint32_t bare = msg->nlmsg_len;

	if (now->mtu != veth->mtu)
		mnl_attr_put_u32(msg, IFLA_MTU, veth->mtu);
	if (!streq(now->alias, veth->alias))
		mnl_attr_put_strz(msg, IFLA_IFALIAS, veth->alias);
	if (now->isolated != veth->isolated)
		put_port(msg, veth);
	if (no_address)
		put_no_address(msg);
	if (now->up && msg->nlmsg_len == bare)
		return 0;
	return nl_talk(nl, msg, err);
}

static int finish(struct nl *nl, const struct item_veth *veth, struct err *err)
{
	const struct link_info fresh = { .mtu = veth->mtu };
	int r = adjust(nl, veth, &fresh, true, err);

	/* No IPv6 in this kernel, or on a link this narrow. */
	if (r == -EAFNOSUPPORT) {
		*err = (struct err){ 0 };
		r = adjust(nl, veth, &fresh, false, err);
	}
	return r;
}

static int set_mtu(struct nl *nl, const char *name, uint32_t mtu, struct err *err)
{
	union nl_request request;
	struct nlmsghdr *msg = link_request(&request, RTM_NEWLINK, 0, name, false);

	mnl_attr_put_u32(msg, IFLA_MTU, mtu);
	return nl_talk(nl, msg, err);
}

static int enslave(struct nl *nl, const struct item_veth *veth, int bridge, struct err *err)
{
	union nl_request request;
	struct nlmsghdr *msg = link_request(&request, RTM_NEWLINK, 0, veth->host_if, false);

	mnl_attr_put_u32(msg, IFLA_MASTER, (uint32_t)bridge);
	return nl_talk(nl, msg, err);
}

/* host: what is there. peer: NULL when it is elsewhere. */
static int change(struct nl *nl, const struct item_veth *veth, struct link_info *host,
		  const struct link_info *peer, struct err *err)
{
	int bridge = find_bridge(nl, veth, err);
	int r = bridge < 0 ? bridge : 0;

	if (r == 0 && host->master != bridge) {
		r = enslave(nl, veth, bridge, err);
		host->isolated = false; /* as every new port */
	}
	if (r == 0)
		r = adjust(nl, veth, host, false, err);
	if (r == 0 && peer && peer->mtu != container_mtu(veth))
		r = set_mtu(nl, peer->name, container_mtu(veth), err);
	return r;
}

/* The alias cannot be set by the request that creates. So a pair without one, but with both our
 * names, is ours as well: we were killed in between. */
static bool is_this(const struct link_info *host, const struct link_info *peer,
		    const struct item_veth *veth)
{
	return streq(host->kind, "veth") && streq(host->name, veth->host_if) &&
	       (streq(host->alias, veth->alias) || *host->alias == '\0') &&
	       host->peer == peer->index && streq(peer->name, veth->container_if);
}

static int adopt(struct nl *nl, const struct item_veth *veth, struct err *err)
{
	struct link_info host, peer;
	int r, p;

	*err = (struct err){ 0 };
	r = link_info(nl, veth->host_if, &host, err);
	p = r < 0 && r != -ENODEV ? r : link_info(nl, veth->container_if, &peer, err);
	if (r == 0 && p == 0 && is_this(&host, &peer, veth))
		return change(nl, veth, &host, &peer, err);
	if (r == 0 && host.peer == 0 && streq(host.kind, "veth") && streq(host.alias, veth->alias))
		return change(nl, veth, &host, NULL, err); /* plugged in already */
	if (r == 0)
		return link_conflict(&host, veth->host_if, err);
	if (r == -ENODEV && p == 0)
		return link_conflict(&peer, veth->container_if, err);
	if (r == -ENODEV && p == -ENODEV)
		return err_set(err, -EAGAIN, "interface '%s' came and went; try again",
			       veth->host_if);
	return r == -ENODEV ? p : r;
}

int veth_add(struct nl *nl, const struct item_veth *veth, struct err *err)
{
	struct err ignored;
	int bridge = find_bridge(nl, veth, err);
	int r = bridge < 0 ? bridge : create(nl, veth, bridge, err);

	if (r == -EEXIST)
		return adopt(nl, veth, err);
	if (r == 0) {
		r = finish(nl, veth, err);
		if (r < 0)
			(void)link_remove(nl, veth->host_if, &ignored);
	}
	return r < 0 ? err_wrap(err, "cannot create interface '%s'", veth->host_if) : 0;
}

int veth_change(struct nl *nl, const struct item_veth *veth, struct err *err)
{
	struct link_info host, peer;
	int r = link_info(nl, veth->host_if, &host, err);
	bool here = false;

	if (r == -ENODEV)
		return err_set(err, r, "interface '%s' does not exist", veth->host_if);
	if (r == 0 && !streq(host.kind, "veth"))
		return link_conflict(&host, veth->host_if, err);
	if (r == 0 && host.peer) {
		r = link_info(nl, veth->container_if, &peer, err);
		here = r == 0 && peer.index == host.peer;
		if (r == -ENODEV)
			r = 0;
	}
	if (r == 0)
		r = change(nl, veth, &host, here ? &peer : NULL, err);
	return r < 0 ? err_wrap(err, "cannot change interface '%s'", veth->host_if) : 0;
}
