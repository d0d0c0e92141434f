/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See address.h. */
#include "address.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>

#include "../base/mem.h"
#include "link.h"
#include "observed.h"
#include "sysctl.h"

/* Without IFA_BROADCAST, as Docker does it: 255.255.255.255 is enough for DHCP and the like. */
static struct nlmsghdr *address_request(union nl_request *request, uint16_t type, uint16_t flags,
					const struct item_address *address, int link)
{
	struct nlmsghdr *msg = nl_request(request, type, flags);
	struct ifaddrmsg *header = mnl_nlmsg_put_extra_header(msg, sizeof(*header));
	const struct addr *addr = &address->addr.addr;

	header->ifa_family = addr->family;
	header->ifa_prefixlen = address->addr.len;
	header->ifa_index = (uint32_t)link;
	header->ifa_scope = RT_SCOPE_UNIVERSE;
	mnl_attr_put(msg, IFA_LOCAL, addr_len(addr), addr->bytes);
	mnl_attr_put(msg, IFA_ADDRESS, addr_len(addr), addr->bytes);
	return msg;
}

/* Who makes the network chooses the gateway's address: nothing to detect, and detection would keep
 * it unusable for a second. */
static int add(struct nl *nl, const struct item_address *address, int link, struct err *err)
{
	union nl_request request;
	struct nlmsghdr *msg =
		address_request(&request, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, address, link);

	if (address->addr.addr.family == AF_INET6)
		mnl_attr_put_u32(msg, IFA_FLAGS, IFA_F_NODAD);
	return nl_talk(nl, msg, err);
}

static int enable_ipv6(struct nl *nl, const char *link, struct err *err)
{
	char knob[64];

	snprintf(knob, sizeof(knob), "net/ipv6/conf/%s/disable_ipv6", link);
	return sysctl_set(nl, knob, 0, err);
}

struct address_query {
	const struct item_address *wanted;
	int link;
	bool found;
};

static void note_same(void *arg, const struct nlmsghdr *msg)
{
	struct address_query *query = arg;
	const struct addr *addr = &query->wanted->addr.addr;
	const struct nlattr *attrs[IFA_MAX + 1];
	const struct ifaddrmsg *header;

	if (!msg)
		query->found = false;
	if (!msg || msg->nlmsg_type != RTM_NEWADDR)
		return;
	header = mnl_nlmsg_get_payload(msg);
	nl_parse(msg, sizeof(*header), attrs, IFA_MAX);
	if ((int)header->ifa_index == query->link && header->ifa_family == addr->family &&
	    header->ifa_prefixlen == query->wanted->addr.len && attrs[IFA_ADDRESS] &&
	    memcmp(mnl_attr_get_payload(attrs[IFA_ADDRESS]), addr->bytes, addr_len(addr)) == 0)
		query->found = true;
}

static struct nlmsghdr *list_request(union nl_request *request, int family, int link)
{
	struct nlmsghdr *msg = nl_request(request, RTM_GETADDR, 0);
	struct ifaddrmsg *header = mnl_nlmsg_put_extra_header(msg, sizeof(*header));

	header->ifa_family = (uint8_t)family;
	header->ifa_index = (uint32_t)link;
	return msg;
}

/* The kernel says "exists" for IPv6 whatever the prefix length. */
static int accept_existing(struct nl *nl, const struct item_address *address, int link,
			   struct err *err)
{
	struct address_query query = { .wanted = address, .link = link };
	union nl_request request;
	struct nlmsghdr *msg = list_request(&request, address->addr.addr.family, link);
	int r;

	*err = (struct err){ 0 };
	r = nl_dump(nl, msg, note_same, &query, err);
	if (r == 0 && !query.found)
		return err_set(err, -EEXIST, "it is there with another prefix length");
	return r;
}

int address_add(struct nl *nl, const struct item_address *address, struct err *err)
{
	struct addr_text text;
	int link = nl_link_index(nl, address->link);
	int r;

	if (link < 0)
		return err_set(err, link, "cannot add address %s: interface '%s' does not exist",
			       prefix_print(&address->addr, &text), address->link);
	r = add(nl, address, link, err);
	if (r == -EACCES && address->addr.addr.family == AF_INET6) {
		*err = (struct err){ 0 };
		r = enable_ipv6(nl, address->link, err);
		if (r == 0)
			r = add(nl, address, link, err);
	}
	if (r == -EEXIST)
		r = accept_existing(nl, address, link, err);
	if (r < 0)
		return err_wrap(err, "cannot add address %s to '%s'",
				prefix_print(&address->addr, &text), address->link);
	return 0;
}

int address_remove(struct nl *nl, const struct item_address *address, struct err *err)
{
	union nl_request request;
	struct addr_text text;
	int link = nl_link_index(nl, address->link);
	int r;

	if (link < 0)
		return 0;
	r = nl_talk(nl, address_request(&request, RTM_DELADDR, 0, address, link), err);
	if (r == -EADDRNOTAVAIL || r == -ENODEV) {
		*err = (struct err){ 0 };
		return 0;
	}
	if (r < 0)
		return err_wrap(err, "cannot remove address %s from '%s'",
				prefix_print(&address->addr, &text), address->link);
	return 0;
}

struct address_reading {
	const struct link_list *links;
	struct plan *plan;
	size_t start; /* of what was read into the plan */
};

/* False for what is no address of ours to know. */
static bool parse_address(const struct nlmsghdr *msg, struct addr *ret_addr)
{
	const struct ifaddrmsg *header = mnl_nlmsg_get_payload(msg);
	const struct nlattr *attrs[IFA_MAX + 1];
	const struct nlattr *attr;
	struct addr addr = { .family = header->ifa_family };

	if (msg->nlmsg_type != RTM_NEWADDR || addr_len(&addr) == 0)
		return false;
	nl_parse(msg, sizeof(*header), attrs, IFA_MAX);
	/* On a point-to-point link IFA_ADDRESS is that of the other side. */
	attr = attrs[IFA_LOCAL] ? attrs[IFA_LOCAL] : attrs[IFA_ADDRESS];
	if (!attr || mnl_attr_get_payload_len(attr) != addr_len(&addr))
		return false;
	memcpy(addr.bytes, mnl_attr_get_payload(attr), addr_len(&addr));
	*ret_addr = addr;
	return true;
}

static bool is_link_local(const struct addr *addr)
{
	return addr->family == AF_INET6 && addr->bytes[0] == 0xfe &&
	       (addr->bytes[1] & 0xc0) == 0x80;
}

static void take_address(void *arg, const struct nlmsghdr *msg)
{
	struct address_reading *reading = arg;
	const struct ifaddrmsg *header;
	const struct link_info *link;
	struct item_address *address;
	struct addr addr;

	if (!msg)
		reading->plan->n = reading->start;
	if (!msg || !parse_address(msg, &addr) || is_link_local(&addr))
		return;
	header = mnl_nlmsg_get_payload(msg);
	link = link_list_find(reading->links, (int)header->ifa_index);
	if (!link || !link_is_ours(link))
		return;
	address = &plan_add(reading->plan, ITEM_ADDRESS)->address;
	memcpy(address->link, link->name, sizeof(address->link));
	address->addr = (struct prefix){ .addr = addr, .len = header->ifa_prefixlen };
}

/* index 0: of all links. */
static int read_addresses(struct nl *nl, const struct link_list *links, int index,
			  struct plan *plan, struct err *err)
{
	struct address_reading reading = { .links = links, .plan = plan, .start = plan->n };
	union nl_request request;
	int r = nl_dump(nl, list_request(&request, AF_UNSPEC, index), take_address, &reading, err);

	if (r < 0)
		return err_wrap(err, "cannot list the addresses");
	observed_once(plan, reading.start);
	return 0;
}

int addresses_observe(struct nl *nl, struct plan *plan, struct err *err)
{
	AUTO(link_list) struct link_list links = { 0 };
	int r = link_list_read(nl, "bridge", &links, err);

	return r < 0 ? r : read_addresses(nl, &links, 0, plan, err);
}

int address_observe(struct nl *nl, const char *link, struct plan *plan, struct err *err)
{
	struct link_info bridge;
	const struct link_list links = { .links = &bridge, .n = 1 };
	int r = link_info(nl, link, &bridge, err);

	if (r < 0)
		return r == -ENODEV ? 0 : r;
	r = read_addresses(nl, &links, bridge.index, plan, err);
	if (r == -ENODEV) /* gone meanwhile */
		*err = (struct err){ 0 };
	return r == -ENODEV ? 0 : r;
}

void addr_list_done(struct addr_list *list)
{
	free(list->addrs);
	*list = (struct addr_list){ 0 };
}

static void add_to_list(void *arg, const struct nlmsghdr *msg)
{
	struct addr_list *list = arg;
	struct addr addr;

	if (!msg)
		list->n = 0;
	if (!msg || !parse_address(msg, &addr))
		return;
	if (list->n == list->size) {
		list->size = list->size ? 2 * list->size : 16;
		list->addrs = xreallocarray(list->addrs, list->size, sizeof(*list->addrs));
	}
	list->addrs[list->n++] = addr;
}

int addr_list_read(struct nl *nl, struct addr_list *ret_list, struct err *err)
{
	struct addr_list list = { 0 };
	union nl_request request;
	int r = nl_dump(nl, list_request(&request, AF_UNSPEC, 0), add_to_list, &list, err);

	if (r < 0) {
		addr_list_done(&list);
		return err_wrap(err, "cannot list the addresses");
	}
	*ret_list = list;
	return 0;
}

/* What can be sent from to anywhere, of one link. */
struct link_query {
	int link;
	struct addr_list list;
};

static void add_of_link(void *arg, const struct nlmsghdr *msg)
{
	struct link_query *query = arg;
	struct addr addr;

	if (msg && parse_address(msg, &addr) && is_link_local(&addr))
		return;
	if (!msg ||
	    (int)((const struct ifaddrmsg *)mnl_nlmsg_get_payload(msg))->ifa_index == query->link)
		add_to_list(&query->list, msg);
}

int addr_list_read_link(struct nl *nl, int link, struct addr_list *ret_list, struct err *err)
{
	struct link_query query = { .link = link };
	union nl_request request;

	if (nl_dump(nl, list_request(&request, AF_UNSPEC, link), add_of_link, &query, err) < 0) {
		addr_list_done(&query.list);
		return err_wrap(err, "cannot list the addresses");
	}
	*ret_list = query.list;
	return 0;
}
