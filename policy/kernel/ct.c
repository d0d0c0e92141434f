/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See ct.h. Lists, with a filter in the kernel where that pays, checks what comes, then deletes one
 * by one. */
#include "ct.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>

#include "../base/mem.h"
#include "address.h"
#include "sysctl.h"

/* Measured with 2^18 buckets: microseconds to walk the table, to which one is added for every
 * connection that is shown to us, or for so many that the kernel filters. */
#define WALK_COST 3500
#define FILTERED_PER_US 10

/* Which fields of a tuple the kernel (5.8 and later) compares: its ABI, but in none of its headers.
 */
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
	bool translated;
};

/* Requests to delete, one after the other, and what decides about them. */
struct doomed {
	const struct ct_match *matches;
	size_t n;
	struct addr_list locals; /* owned */
	char *bytes;             /* owned */
	size_t len;
	size_t size;
};

static void doomed_done(struct doomed *doomed)
{
	addr_list_done(&doomed->locals);
	free(doomed->bytes);
}

static void take_addr(struct addr *addr, int family, const struct nlattr *attr)
{
	size_t len = family == AF_INET ? 4 : 16;

	if (!attr || mnl_attr_get_payload_len(attr) != len)
		return;
	addr->family = (uint8_t)family;
	memcpy(addr->bytes, mnl_attr_get_payload(attr), len);
}

static void parse_addrs(const struct nlattr *nest, int family, struct tuple *tuple)
{
	const struct nlattr *attrs[CTA_IP_MAX + 1];
	bool v6 = family == AF_INET6;

	nl_parse_nested(nest, attrs, CTA_IP_MAX);
	take_addr(&tuple->src, family, attrs[v6 ? CTA_IP_V6_SRC : CTA_IP_V4_SRC]);
	take_addr(&tuple->dst, family, attrs[v6 ? CTA_IP_V6_DST : CTA_IP_V4_DST]);
}

static void parse_proto(const struct nlattr *nest, struct tuple *tuple)
{
	const struct nlattr *attrs[CTA_PROTO_MAX + 1];

	nl_parse_nested(nest, attrs, CTA_PROTO_MAX);
	if (attrs[CTA_PROTO_NUM])
		tuple->proto = mnl_attr_get_u8(attrs[CTA_PROTO_NUM]);
	if (attrs[CTA_PROTO_DST_PORT])
		tuple->dport = ntohs(mnl_attr_get_u16(attrs[CTA_PROTO_DST_PORT]));
}

static void parse_tuple(const struct nlattr *nest, int family, struct tuple *tuple)
{
	const struct nlattr *attrs[CTA_TUPLE_MAX + 1];

	nl_parse_nested(nest, attrs, CTA_TUPLE_MAX);
	if (attrs[CTA_TUPLE_IP])
		parse_addrs(attrs[CTA_TUPLE_IP], family, tuple);
	if (attrs[CTA_TUPLE_PROTO])
		parse_proto(attrs[CTA_TUPLE_PROTO], tuple);
}

static bool is_local(const struct addr_list *locals, const struct addr *addr)
{
	for (size_t i = 0; i < locals->n; i++)
		if (addr_equal(&locals->addrs[i], addr))
			return true;
	return addr_is_loopback(addr); /* all of 127.0.0.0/8 */
}

/* Does it mean "every address of this host"? */
static bool of_this_host(const struct ct_match *match)
{
	return match->proto != 0 &&
	       (!prefix_is_set(&match->addr) || addr_is_any(&match->addr.addr));
}

static bool touches(const struct tuple *tuple, const struct prefix *prefix)
{
	return prefix_contains(prefix, &tuple->src) || prefix_contains(prefix, &tuple->dst);
}

static bool matches(const struct flow *flow, const struct ct_match *match,
		    const struct addr_list *locals)
{
	const struct addr *dst = &flow->orig.dst;

	if (match->untranslated && flow->translated)
		return false;
	if (match->proto == 0)
		return touches(&flow->orig, &match->addr) || touches(&flow->reply, &match->addr);
	if (flow->orig.proto != match->proto || flow->orig.dport != match->port)
		return false;
	if (!of_this_host(match))
		return prefix_contains(&match->addr, dst);
	return (!prefix_is_set(&match->addr) || match->addr.addr.family == dst->family) &&
	       is_local(locals, dst);
}

static bool matches_any(const struct flow *flow, const struct doomed *doomed)
{
	for (size_t i = 0; i < doomed->n; i++)
		if (matches(flow, &doomed->matches[i], &doomed->locals))
			return true;
	return false;
}

static void copy_attr(struct nlmsghdr *msg, const struct nlattr *attr)
{
	if (attr)
		mnl_attr_put(msg, attr->nla_type, mnl_attr_get_payload_len(attr),
			     mnl_attr_get_payload(attr));
}

static struct nlmsghdr *ct_request(union nl_request *request, uint8_t type, int family)
{
	struct nlmsghdr *msg = nl_request(request, (NFNL_SUBSYS_CTNETLINK << 8) | type, 0);
	struct nfgenmsg *header = mnl_nlmsg_put_extra_header(msg, sizeof(*header));

	header->nfgen_family = (uint8_t)family;
	return msg;
}

/* With the id, because the same tuple may be another connection by the time. */
static void doom(struct doomed *doomed, int family, const struct nlattr **attrs)
{
	union nl_request request;
	struct nlmsghdr *msg = ct_request(&request, IPCTNL_MSG_CT_DELETE, family);

	copy_attr(msg, attrs[CTA_TUPLE_ORIG]);
	copy_attr(msg, attrs[CTA_ZONE]);
	copy_attr(msg, attrs[CTA_ID]);
	if (doomed->len + msg->nlmsg_len > doomed->size) {
		doomed->size = 2 * doomed->size + 4096;
		doomed->bytes = xreallocarray(doomed->bytes, doomed->size, 1);
	}
	memcpy(doomed->bytes + doomed->len, msg, msg->nlmsg_len);
	doomed->len += msg->nlmsg_len; /* a multiple of 4, as every message of whole attributes */
}

static void take_flow(void *arg, const struct nlmsghdr *msg)
{
	struct doomed *doomed = arg;
	const struct nlattr *attrs[CTA_MAX + 1];
	struct flow flow = { 0 };
	int family;

	if (!msg)
		doomed->len = 0;
	if (!msg || NFNL_SUBSYS_ID(msg->nlmsg_type) != NFNL_SUBSYS_CTNETLINK)
		return;
	family = ((const struct nfgenmsg *)mnl_nlmsg_get_payload(msg))->nfgen_family;
	nl_parse(msg, sizeof(struct nfgenmsg), attrs, CTA_MAX);
	if (!attrs[CTA_TUPLE_ORIG] || !attrs[CTA_TUPLE_REPLY])
		return;
	parse_tuple(attrs[CTA_TUPLE_ORIG], family, &flow.orig);
	parse_tuple(attrs[CTA_TUPLE_REPLY], family, &flow.reply);
	flow.translated = attrs[CTA_STATUS] &&
			  (ntohl(mnl_attr_get_u32(attrs[CTA_STATUS])) & IPS_NAT_MASK);
	if (matches_any(&flow, doomed))
		doom(doomed, family, attrs);
}

static int delete_all(struct nl *nl, const struct doomed *doomed, struct err *err)
{
	size_t at = 0;

	while (at < doomed->len) {
		struct nlmsghdr *msg = (void *)(doomed->bytes + at);
		int r = nl_talk(nl, msg, err);

		if (r == -ENOENT) /* it has ended by itself */
			*err = (struct err){ 0 };
		else if (r < 0)
			return r;
		at += msg->nlmsg_len;
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

/* A condition on one of the two tuples. */
struct filter {
	bool reply;
	uint32_t fields;
};

static void put_filter(struct nlmsghdr *msg, const struct filter *filter,
		       const struct ct_match *match)
{
	struct nlattr *nest =
		mnl_attr_nest_start(msg, filter->reply ? CTA_TUPLE_REPLY : CTA_TUPLE_ORIG);

	if (filter->fields & (FIELD_SRC | FIELD_DST))
		put_addr(msg, &match->addr.addr, filter->fields & FIELD_DST);
	if (filter->fields & FIELD_DPORT)
		put_port(msg, match->proto, match->port);
	mnl_attr_nest_end(msg, nest);
	nest = mnl_attr_nest_start(msg, CTA_FILTER);
	mnl_attr_put_u32(msg, filter->reply ? CTA_FILTER_REPLY_FLAGS : CTA_FILTER_ORIG_FLAGS,
			 filter->fields);
	mnl_attr_nest_end(msg, nest);
}

/* filter NULL: everything there is. */
static int walk(struct nl *nl, int af, const struct filter *filter, const struct ct_match *match,
		struct doomed *doomed, struct err *err)
{
	union nl_request request;
	struct nlmsghdr *msg = ct_request(&request, IPCTNL_MSG_CT_GET, af);
	int r;

	if (filter)
		put_filter(msg, filter, match);
	r = nl_dump(nl, msg, take_flow, doomed, err);
	return r < 0 ? r : delete_all(nl, doomed, err);
}

/* The kernel takes one condition per walk, and no prefixes. Kernels before 5.8 overlook it: slower,
 * but not wrong, because what comes is checked. */
static const struct filter *filters_of(const struct ct_match *match, size_t *ret_n)
{
	static const struct filter of_address[] = {
		{ .reply = false, .fields = FIELD_SRC },
		{ .reply = false, .fields = FIELD_DST },
		{ .reply = true, .fields = FIELD_SRC },
		{ .reply = true, .fields = FIELD_DST },
	};
	static const struct filter of_port = {
		.fields = FIELD_DST | FIELD_PROTO | FIELD_DPORT,
	};
	static const struct filter of_local_port = {
		.fields = FIELD_PROTO | FIELD_DPORT,
	};

	*ret_n = 1;
	if (of_this_host(match))
		return &of_local_port;
	if (match->addr.len != addr_len(&match->addr.addr) * 8)
		return NULL;
	if (match->proto != 0)
		return &of_port;
	*ret_n = ARRAY_SIZE(of_address);
	return of_address;
}

/* A filter needs a family. */
static bool concerns(const struct ct_match *match, enum family family)
{
	return !prefix_is_set(&match->addr) || addr_family(&match->addr.addr) == family;
}

/* Is it less work than one walk without any? */
static bool filters_pay(const struct ct_match *matches, size_t n, size_t connections)
{
	size_t walks = 0;

	for (size_t i = 0; i < n; i++) {
		size_t filters;

		if (!filters_of(&matches[i], &filters))
			return false;
		walks += filters * (concerns(&matches[i], V4) + concerns(&matches[i], V6));
	}
	return walks * (WALK_COST + connections / FILTERED_PER_US) < WALK_COST + connections;
}

static int walk_with_filters(struct nl *nl, enum family family, struct doomed *doomed,
			     struct err *err)
{
	for (size_t i = 0; i < doomed->n; i++) {
		const struct ct_match *match = &doomed->matches[i];
		size_t n;
		const struct filter *filters = filters_of(match, &n);

		for (size_t k = 0; k < n && concerns(match, family); k++) {
			int r = walk(nl, family_to_af(family), &filters[k], match, doomed, err);

			if (r < 0)
				return r;
		}
	}
	return 0;
}

static bool needs_locals(const struct ct_match *matches, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (of_this_host(&matches[i]))
			return true;
	return false;
}

int ct_flush(struct nl *nl, const struct ct_match *matches, size_t n, struct err *err)
{
	AUTO(doomed) struct doomed doomed = { .matches = matches, .n = n };
	struct err ignored;
	int count = 1; /* when it cannot be known */
	int r = 0;

	(void)sysctl_get(nl, "net/netfilter/nf_conntrack_count", &count, &ignored);
	if (n == 0 || count <= 0)
		return 0;
	if (needs_locals(matches, n))
		r = addr_list_read(nl, &doomed.locals, err);
	if (r == 0 && filters_pay(matches, n, (size_t)count)) {
		r = walk_with_filters(nl, V4, &doomed, err);
		if (r == 0)
			r = walk_with_filters(nl, V6, &doomed, err);
	} else if (r == 0) {
		r = walk(nl, AF_UNSPEC, NULL, NULL, &doomed, err);
	}
	return r < 0 ? err_wrap(err, "cannot end old connections") : 0;
}

int ct_flush_address(struct nl *nl, const struct addr *addr, struct err *err)
{
	const struct ct_match match = { .addr = prefix_host(addr) };

	return ct_flush(nl, &match, 1, err);
}

int ct_flush_port(struct nl *nl, uint8_t proto, uint16_t port, const struct addr *host,
		  struct err *err)
{
	const struct ct_match match = { .addr = prefix_host(host), .proto = proto, .port = port };

	return ct_flush(nl, &match, 1, err);
}
