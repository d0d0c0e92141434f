/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See ct.h. Lists with a filter in the kernel, checks what comes, then deletes one by one. */
#include "ct.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>

#include "../base/mem.h"
#include "address.h"

/* Which fields of a tuple the kernel (5.8 and later) compares: its ABI, but in none of its headers. */
enum tuple_field {
	FIELD_SRC = 1 << 0,
	FIELD_DST = 1 << 1,
	FIELD_PROTO = 1 << 3,
	FIELD_DPORT = 1 << 5,
};

struct tuple {
	struct addr src;
	struct addr dst;
	uint8_t proto;
	uint16_t dport;
};

struct flow {
	struct tuple orig;
	struct tuple reply;
};

/* What to look for. Exactly one of the two. */
struct wanted {
	const struct addr *addr;
	const struct port_wanted {
		uint8_t proto;
		uint16_t port;
		const struct addr *host;      /* NULL: see locals */
		const struct addr_list *locals;
	} *port;
};

static void take_addr(struct addr *addr, int family, const struct nlattr *attr)
{
	size_t len = family == AF_INET ? 4 : 16;

	if (!attr || mnl_attr_get_payload_len(attr) != len)
		return;
	addr->family = (uint8_t)family;
	memcpy(addr->bytes, mnl_attr_get_payload(attr), len);
}

static void parse_tuple(const struct nlattr *nest, int family, struct tuple *tuple)
{
	const struct nlattr *attrs[CTA_TUPLE_MAX + 1], *ip[CTA_IP_MAX + 1],
		*proto[CTA_PROTO_MAX + 1];

	nl_parse_nested(nest, attrs, CTA_TUPLE_MAX);
	if (attrs[CTA_TUPLE_IP]) {
		nl_parse_nested(attrs[CTA_TUPLE_IP], ip, CTA_IP_MAX);
		take_addr(&tuple->src, family, ip[family == AF_INET ? CTA_IP_V4_SRC : CTA_IP_V6_SRC]);
		take_addr(&tuple->dst, family, ip[family == AF_INET ? CTA_IP_V4_DST : CTA_IP_V6_DST]);
	}
	if (attrs[CTA_TUPLE_PROTO]) {
		nl_parse_nested(attrs[CTA_TUPLE_PROTO], proto, CTA_PROTO_MAX);
		if (proto[CTA_PROTO_NUM])
			tuple->proto = mnl_attr_get_u8(proto[CTA_PROTO_NUM]);
		if (proto[CTA_PROTO_DST_PORT])
			tuple->dport = ntohs(mnl_attr_get_u16(proto[CTA_PROTO_DST_PORT]));
	}
}

static bool has_addr(const struct tuple *tuple, const struct addr *addr)
{
	return addr_equal(&tuple->src, addr) || addr_equal(&tuple->dst, addr);
}

static bool is_local(const struct addr_list *locals, const struct addr *addr)
{
	for (size_t i = 0; i < locals->n; i++)
		if (addr_equal(&locals->addrs[i], addr))
			return true;
	return addr_is_loopback(addr); /* all of 127.0.0.0/8 */
}

static bool matches(const struct flow *flow, const struct wanted *wanted)
{
	const struct port_wanted *port = wanted->port;

	if (wanted->addr)
		return has_addr(&flow->orig, wanted->addr) || has_addr(&flow->reply, wanted->addr);
	if (flow->orig.proto != port->proto || flow->orig.dport != port->port)
		return false;
	return port->host ? addr_equal(&flow->orig.dst, port->host)
			  : is_local(port->locals, &flow->orig.dst);
}

/* Requests to delete, one after the other. */
struct doomed {
	const struct wanted *wanted;
	char *bytes; /* owned */
	size_t len;
	size_t size;
};

static void doomed_done(struct doomed *doomed)
{
	free(doomed->bytes);
}

static void copy_attr(struct nlmsghdr *msg, const struct nlattr *attr)
{
	if (attr)
		mnl_attr_put(msg, attr->nla_type, mnl_attr_get_payload_len(attr),
			     mnl_attr_get_payload(attr));
}

/* The id, because the same tuple may be another connection by the time. */
static void doom(struct doomed *doomed, int family, const struct nlattr **attrs)
{
	union nl_request request;
	struct nlmsghdr *msg =
		nl_request(&request, (NFNL_SUBSYS_CTNETLINK << 8) | IPCTNL_MSG_CT_DELETE, 0);
	struct nfgenmsg *header = mnl_nlmsg_put_extra_header(msg, sizeof(*header));

	header->nfgen_family = (uint8_t)family;
	copy_attr(msg, attrs[CTA_TUPLE_ORIG]);
	copy_attr(msg, attrs[CTA_ZONE]);
	copy_attr(msg, attrs[CTA_ID]);
	if (doomed->len + msg->nlmsg_len > doomed->size) {
		doomed->size = 2 * doomed->size + 4096;
		doomed->bytes = xreallocarray(doomed->bytes, doomed->size, 1);
	}
	memcpy(doomed->bytes + doomed->len, msg, msg->nlmsg_len);
	doomed->len += MNL_ALIGN(msg->nlmsg_len);
}

static void take_flow(void *arg, const struct nlmsghdr *msg)
{
	struct doomed *doomed = arg;
	const struct nfgenmsg *header;
	const struct nlattr *attrs[CTA_MAX + 1];
	struct flow flow = { 0 };

	if (!msg)
		doomed->len = 0;
	if (!msg || NFNL_SUBSYS_ID(msg->nlmsg_type) != NFNL_SUBSYS_CTNETLINK)
		return;
	header = mnl_nlmsg_get_payload(msg);
	if (header->nfgen_family != AF_INET && header->nfgen_family != AF_INET6)
		return;
	nl_parse(msg, sizeof(*header), attrs, CTA_MAX);
	if (!attrs[CTA_TUPLE_ORIG] || !attrs[CTA_TUPLE_REPLY])
		return;
	parse_tuple(attrs[CTA_TUPLE_ORIG], header->nfgen_family, &flow.orig);
	parse_tuple(attrs[CTA_TUPLE_REPLY], header->nfgen_family, &flow.reply);
	if (matches(&flow, doomed->wanted))
		doom(doomed, header->nfgen_family, attrs);
}

static int delete_all(struct nl *nl, struct doomed *doomed, struct err *err)
{
	size_t at = 0;

	while (at < doomed->len) {
		struct nlmsghdr *msg = (void *)(doomed->bytes + at);
		int r = nl_talk(nl, msg, err);

		if (r == -ENOENT) /* it has ended by itself */
			*err = (struct err){ 0 };
		else if (r < 0)
			return r;
		at += MNL_ALIGN(msg->nlmsg_len);
	}
	return 0;
}

static void put_addr(struct nlmsghdr *msg, const struct addr *addr, bool dst)
{
	static const uint16_t types[FAMILIES][2] = {
		[V4] = { CTA_IP_V4_SRC, CTA_IP_V4_DST },
		[V6] = { CTA_IP_V6_SRC, CTA_IP_V6_DST },
	};
	struct nlattr *ip = mnl_attr_nest_start(msg, CTA_TUPLE_IP);

	mnl_attr_put(msg, types[addr_family(addr)][dst], addr_len(addr), addr->bytes);
	mnl_attr_nest_end(msg, ip);
}

static void put_port(struct nlmsghdr *msg, uint8_t proto, uint16_t port)
{
	struct nlattr *nest = mnl_attr_nest_start(msg, CTA_TUPLE_PROTO);

	mnl_attr_put_u8(msg, CTA_PROTO_NUM, proto);
	mnl_attr_put_u16(msg, CTA_PROTO_DST_PORT, htons(port));
	mnl_attr_nest_end(msg, nest);
}

/* One condition on one of the two tuples; fields 0: none at all. */
struct filter {
	bool reply;
	uint32_t fields;
	const struct addr *addr;
	const struct port_wanted *port;
};

static void put_filter(struct nlmsghdr *msg, const struct filter *filter)
{
	struct nlattr *nest =
		mnl_attr_nest_start(msg, filter->reply ? CTA_TUPLE_REPLY : CTA_TUPLE_ORIG);

	if (filter->fields & (FIELD_SRC | FIELD_DST))
		put_addr(msg, filter->addr, filter->fields & FIELD_DST);
	if (filter->fields & FIELD_DPORT)
		put_port(msg, filter->port->proto, filter->port->port);
	mnl_attr_nest_end(msg, nest);
	nest = mnl_attr_nest_start(msg, CTA_FILTER);
	mnl_attr_put_u32(msg, filter->reply ? CTA_FILTER_REPLY_FLAGS : CTA_FILTER_ORIG_FLAGS,
			 filter->fields);
	mnl_attr_nest_end(msg, nest);
}

static int list(struct nl *nl, int family, const struct filter *filter, struct doomed *doomed,
		struct err *err)
{
	union nl_request request;
	struct nlmsghdr *msg =
		nl_request(&request, (NFNL_SUBSYS_CTNETLINK << 8) | IPCTNL_MSG_CT_GET, 0);
	struct nfgenmsg *header = mnl_nlmsg_put_extra_header(msg, sizeof(*header));

	header->nfgen_family = (uint8_t)family;
	if (filter)
		put_filter(msg, filter);
	return nl_dump(nl, msg, take_flow, doomed, err);
}

static int flush(struct nl *nl, int family, const struct filter *filter,
		 const struct wanted *wanted, struct err *err)
{
	AUTO(doomed) struct doomed doomed = { .wanted = wanted };
	int r = list(nl, family, filter, &doomed, err);

	/* Kernels before 5.8 overlook the filter. If one refuses it, do without. */
	if (r == -EINVAL || r == -EOPNOTSUPP)
		r = list(nl, family, NULL, &doomed, err);
	if (r == 0)
		r = delete_all(nl, &doomed, err);
	return r;
}

int ct_flush_address(struct nl *nl, const struct addr *addr, struct err *err)
{
	static const struct filter filters[] = {
		{ .reply = false, .fields = FIELD_SRC },
		{ .reply = false, .fields = FIELD_DST },
		{ .reply = true, .fields = FIELD_SRC },
		{ .reply = true, .fields = FIELD_DST },
	};
	const struct wanted wanted = { .addr = addr };
	struct addr_text text;

	for (size_t i = 0; i < ARRAY_SIZE(filters); i++) {
		struct filter filter = filters[i];

		filter.addr = addr;
		if (flush(nl, addr->family, &filter, &wanted, err) < 0)
			return err_wrap(err, "cannot end the connections of %s",
					addr_print(addr, &text));
	}
	return 0;
}

static int flush_port(struct nl *nl, int family, const struct port_wanted *port, struct err *err)
{
	const struct wanted wanted = { .port = port };
	const struct filter filter = {
		.fields = FIELD_PROTO | FIELD_DPORT | (port->host ? FIELD_DST : 0),
		.addr = port->host,
		.port = port,
	};
	int r = flush(nl, family, &filter, &wanted, err);

	return r < 0 ? err_wrap(err, "cannot end the connections to port %u", port->port) : 0;
}

int ct_flush_port(struct nl *nl, uint8_t proto, uint16_t port, const struct addr *host,
		  struct err *err)
{
	AUTO(addr_list) struct addr_list locals = { 0 };
	struct port_wanted wanted = { .proto = proto, .port = port, .locals = &locals };
	int r = 0;

	if (addr_is_set(host) && !addr_is_any(host)) {
		wanted.host = host;
		return flush_port(nl, host->family, &wanted, err);
	}
	r = addr_list_read(nl, &locals, err);
	for (enum family family = 0; family < FAMILIES && r == 0; family++)
		if (!addr_is_set(host) || addr_family(host) == family)
			r = flush_port(nl, family_to_af(family), &wanted, err);
	return r;
}
