/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which connections are forgotten, and which not. They are made up: no packet is needed. */
#include "netns.h"

#include <arpa/inet.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>

#include "../../policy/kernel/ct.h"

/* Towards server, which is translated to `to` (and the source to `from`) unless that is NULL. */
struct connection {
	const char *client;
	const char *server;
	uint16_t port;
	uint8_t proto;
	const char *to;
	const char *from;
};

static struct addr addr(const char *text)
{
	struct addr result;

	assert_int_equal(addr_parse(&result, text), 0);
	return result;
}

static void put_tuple(struct nlmsghdr *msg, uint16_t type, const char *from, uint16_t sport,
		      const char *to, uint16_t dport, uint8_t proto)
{
	const struct addr src = addr(from), dst = addr(to);
	bool v6 = src.family == AF_INET6;
	struct nlattr *tuple = mnl_attr_nest_start(msg, type);
	struct nlattr *nest = mnl_attr_nest_start(msg, CTA_TUPLE_IP);

	mnl_attr_put(msg, v6 ? CTA_IP_V6_SRC : CTA_IP_V4_SRC, addr_len(&src), src.bytes);
	mnl_attr_put(msg, v6 ? CTA_IP_V6_DST : CTA_IP_V4_DST, addr_len(&dst), dst.bytes);
	mnl_attr_nest_end(msg, nest);
	nest = mnl_attr_nest_start(msg, CTA_TUPLE_PROTO);
	mnl_attr_put_u8(msg, CTA_PROTO_NUM, proto);
	mnl_attr_put_u16(msg, CTA_PROTO_SRC_PORT, htons(sport));
	mnl_attr_put_u16(msg, CTA_PROTO_DST_PORT, htons(dport));
	mnl_attr_nest_end(msg, nest);
	mnl_attr_nest_end(msg, tuple);
}

#define CLIENT_PORT 40000

static struct nlmsghdr *about(union nl_request *request, uint8_t type, uint16_t flags,
			      const struct connection *c)
{
	struct nlmsghdr *msg = nl_request(request, (NFNL_SUBSYS_CTNETLINK << 8) | type, flags);
	struct nfgenmsg *header = mnl_nlmsg_put_extra_header(msg, sizeof(*header));

	header->nfgen_family = strchr(c->client, ':') ? AF_INET6 : AF_INET;
	put_tuple(msg, CTA_TUPLE_ORIG, c->client, CLIENT_PORT, c->server, c->port, c->proto);
	return msg;
}

static void open_connection(struct fixture *f, const struct connection *c)
{
	union nl_request request;
	struct nlmsghdr *msg = about(&request, IPCTNL_MSG_CT_NEW, NLM_F_CREATE | NLM_F_EXCL, c);

	put_tuple(msg, CTA_TUPLE_REPLY, c->to ? c->to : c->server, c->port,
		  c->from ? c->from : c->client, CLIENT_PORT, c->proto);
	mnl_attr_put_u32(msg, CTA_STATUS, htonl(IPS_SEEN_REPLY | IPS_ASSURED | IPS_CONFIRMED));
	mnl_attr_put_u32(msg, CTA_TIMEOUT, htonl(1000));
	assert_ok(nl_talk(&f->nl, msg, &f->err), &f->err);
}

static bool is_open(struct fixture *f, const struct connection *c)
{
	union nl_request request;
	int r = nl_talk(&f->nl, about(&request, IPCTNL_MSG_CT_GET, 0, c), &f->err);

	assert_true(r == 0 || r == -ENOENT);
	return r == 0;
}

/* Opens all, runs the flush, and expects the first `gone` to be gone and the others to be there. */
#define EXPECT(connections, gone, flush) \
	do { \
		for (size_t i_ = 0; i_ < ARRAY_SIZE(connections); i_++) \
			open_connection(f, &(connections)[i_]); \
		assert_ok(flush, &f->err); \
		for (size_t i_ = 0; i_ < ARRAY_SIZE(connections); i_++) { \
			if (is_open(f, &(connections)[i_]) == (i_ < (gone))) \
				fail_msg("connection %zu", i_); \
		} \
	} while (0)

static void of_an_address(void **state)
{
	struct fixture *f = *state;
	const struct addr container = addr("10.1.0.2");
	const struct connection connections[] = {
		{ "10.1.0.2", "192.0.2.1", 80, IPPROTO_TCP, NULL, NULL },        /* out */
		{ "10.1.0.2", "192.0.2.1", 53, IPPROTO_UDP, NULL, "192.0.2.9" }, /* masqueraded */
		{ "192.0.2.1", "10.1.0.2", 80, IPPROTO_TCP, NULL, NULL },        /* in */
		{ "192.0.2.1", "192.0.2.9", 81, IPPROTO_TCP, "10.1.0.2", NULL }, /* published */
		{ "192.0.2.1", "192.0.2.9", 82, IPPROTO_SCTP, "10.1.0.2", "10.1.0.1" },
		{ "10.1.0.7", "10.1.0.8", 83, IPPROTO_TCP, NULL, "10.1.0.2" }, /* reply dst only */
		{ "10.1.0.2", "10.1.0.2", 84, IPPROTO_TCP, NULL, NULL },       /* all at once */
		{ "10.1.0.3", "192.0.2.1", 80, IPPROTO_TCP, NULL, NULL },
		{ "10.1.0.20", "192.0.2.1", 80, IPPROTO_TCP, NULL, NULL },
		{ "192.0.2.1", "192.0.2.9", 85, IPPROTO_TCP, "10.1.0.3", NULL },
		{ "fd00::2", "fd01::1", 80, IPPROTO_TCP, NULL, NULL },
	};

	EXPECT(connections, 7, ct_flush_address(&f->nl, &container, &f->err));
	assert_ok(ct_flush_address(&f->nl, &container, &f->err), &f->err);
}

static void of_an_ipv6_address(void **state)
{
	struct fixture *f = *state;
	const struct addr container = addr("fd00::2");
	const struct connection connections[] = {
		{ "fd00::2", "fd01::1", 80, IPPROTO_TCP, NULL, NULL },
		{ "fd01::1", "fd02::1", 80, IPPROTO_UDP, "fd00::2", NULL },
		{ "fd00::3", "fd01::1", 80, IPPROTO_TCP, NULL, NULL },
		{ "10.1.0.2", "192.0.2.1", 80, IPPROTO_TCP, NULL, NULL },
	};

	EXPECT(connections, 2, ct_flush_address(&f->nl, &container, &f->err));
}

static void to_a_port_of_one_address(void **state)
{
	struct fixture *f = *state;
	const struct addr host = addr("192.0.2.9");
	const struct connection connections[] = {
		{ "192.0.2.1", "192.0.2.9", 80, IPPROTO_TCP, "10.1.0.2", NULL },
		{ "192.0.2.2", "192.0.2.9", 80, IPPROTO_TCP, NULL, NULL },
		{ "192.0.2.1", "192.0.2.9", 80, IPPROTO_UDP, NULL, NULL },
		{ "192.0.2.1", "192.0.2.9", 81, IPPROTO_TCP, NULL, NULL },
		{ "192.0.2.1", "192.0.2.8", 80, IPPROTO_TCP, NULL, NULL },
		{ "192.0.2.9", "192.0.2.1", 80, IPPROTO_TCP, NULL, NULL },
	};

	EXPECT(connections, 2, ct_flush_port(&f->nl, IPPROTO_TCP, 80, &host, &f->err));
}

/* Publishing port 443 must not end what containers and the host itself have open to others' 443. */
static void to_a_port_of_this_host(void **state)
{
	struct fixture *f = *state;
	const struct addr any = addr("0.0.0.0");
	const struct connection connections[] = {
		{ "192.0.2.1", "192.0.2.9", 443, IPPROTO_TCP, "10.1.0.2", NULL },
		{ "192.0.2.1", "192.0.2.10", 443, IPPROTO_TCP, NULL, NULL },
		{ "127.0.0.1", "127.0.0.5", 443, IPPROTO_TCP, NULL, NULL },
		{ "10.1.0.2", "192.0.2.1", 443, IPPROTO_TCP, NULL, "192.0.2.9" },
		{ "192.0.2.9", "192.0.2.2", 443, IPPROTO_TCP, NULL, NULL },
		{ "fd01::1", "fd00::9", 443, IPPROTO_TCP, NULL, NULL },
	};

	assert_true(sh("ip addr add 192.0.2.9/32 dev lo && ip addr add 192.0.2.10/32 dev lo"));
	assert_true(sh("ip addr add fd00::9/128 dev lo"));
	EXPECT(connections, 3, ct_flush_port(&f->nl, IPPROTO_TCP, 443, &any, &f->err));
}

static void to_a_port_in_both_families(void **state)
{
	struct fixture *f = *state;
	const struct addr unset = { 0 };
	const struct connection connections[] = {
		{ "192.0.2.1", "192.0.2.9", 443, IPPROTO_UDP, "10.1.0.2", NULL },
		{ "fd01::1", "fd00::9", 443, IPPROTO_UDP, NULL, NULL },
		{ "::1", "::1", 443, IPPROTO_UDP, NULL, NULL },
		{ "fd00::9", "fd01::1", 443, IPPROTO_UDP, NULL, NULL },
	};

	assert_true(sh("ip addr add 192.0.2.9/32 dev lo && ip addr add fd00::9/128 dev lo"));
	EXPECT(connections, 3, ct_flush_port(&f->nl, IPPROTO_UDP, 443, &unset, &f->err));
}

static void of_subnets_and_ports_together(void **state)
{
	struct fixture *f = *state;
	const struct addr host = addr("192.0.2.9");
	struct ct_match matches[] = {
		{ .proto = IPPROTO_TCP, .port = 22, .addr = prefix_host(&host) },
		{ .proto = IPPROTO_TCP, .port = 443 },
		{ .proto = IPPROTO_UDP, .port = 53 },
		{ .proto = 0 },
		{ .proto = 0 },
	};
	const struct connection connections[] = {
		{ "192.0.2.1", "192.0.2.9", 22, IPPROTO_TCP, NULL, NULL },
		{ "192.0.2.1", "192.0.2.9", 443, IPPROTO_TCP, "10.1.0.2", NULL },
		{ "192.0.2.1", "192.0.2.9", 53, IPPROTO_UDP, NULL, NULL },
		{ "10.1.0.2", "192.0.2.1", 80, IPPROTO_TCP, NULL, NULL },
		{ "192.0.2.1", "192.0.2.7", 81, IPPROTO_TCP, "10.1.0.200", NULL },
		{ "fd00:1::5", "fd01::1", 80, IPPROTO_TCP, NULL, NULL },
		{ "192.0.2.1", "192.0.2.7", 22, IPPROTO_TCP, NULL, NULL },
		{ "192.0.2.1", "192.0.2.9", 443, IPPROTO_UDP, NULL, NULL },
		{ "10.1.1.2", "192.0.2.1", 80, IPPROTO_TCP, NULL, NULL },
		{ "fd00:2::5", "fd01::1", 80, IPPROTO_TCP, NULL, NULL },
	};

	assert_int_equal(prefix_parse(&matches[3].addr, "10.1.0.0/24"), 0);
	assert_int_equal(prefix_parse(&matches[4].addr, "fd00:1::/64"), 0);
	assert_true(sh("ip addr add 192.0.2.9/32 dev lo"));
	EXPECT(connections, 6, ct_flush(&f->nl, matches, ARRAY_SIZE(matches), &f->err));
	assert_ok(ct_flush(&f->nl, NULL, 0, &f->err), &f->err);
}

#define MANY 3000

static void many_at_once(void **state)
{
	struct fixture *f = *state;
	const struct addr container = addr("10.1.0.2");
	const struct connection other = { "10.1.0.3", "192.0.2.1", 80, IPPROTO_TCP, NULL, NULL };

	for (uint16_t i = 0; i < MANY; i++) {
		const struct connection c = { "10.1.0.2",  "192.0.2.1", (uint16_t)(1000 + i),
					      IPPROTO_UDP, NULL,        "192.0.2.9" };

		open_connection(f, &c);
	}
	open_connection(f, &other);
	assert_ok(ct_flush_address(&f->nl, &container, &f->err), &f->err);
	assert_true(says("cat /proc/sys/net/netfilter/nf_conntrack_count", "1\n"));
	assert_true(is_open(f, &other));
}

/* The table is one for all namespaces. */
static void others_keep_theirs(void **state)
{
	struct fixture *f = *state;
	const struct addr container = addr("10.1.0.2");
	const struct connection c = { "10.1.0.2", "192.0.2.1", 80, IPPROTO_TCP, NULL, NULL };
	struct nl elsewhere;

	open_connection(f, &c);
	assert_int_equal(unshare(CLONE_NEWNET), 0);
	assert_ok(nl_open(&elsewhere, &f->err), &f->err);
	assert_ok(ct_flush_address(&elsewhere, &container, &f->err), &f->err);
	nl_close(&elsewhere);
	assert_true(is_open(f, &c));
}

/* So many others that the kernel is asked to filter. */
static int setup_crowd(void **state)
{
	struct fixture *f;

	setup(state);
	f = *state;
	for (uint16_t i = 0; i < 13000; i++) {
		const struct connection c = {
			"10.99.0.1", "10.99.0.2", i, IPPROTO_UDP, NULL, NULL
		};

		open_connection(f, &c);
	}
	return 0;
}

#define CROWD_TEST(function) cmocka_unit_test_setup_teardown(function, setup_crowd, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		NETNS_TEST(of_an_address),
		NETNS_TEST(of_an_ipv6_address),
		NETNS_TEST(to_a_port_of_one_address),
		NETNS_TEST(to_a_port_of_this_host),
		NETNS_TEST(to_a_port_in_both_families),
		NETNS_TEST(of_subnets_and_ports_together),
		NETNS_TEST(many_at_once),
		CROWD_TEST(of_an_address),
		CROWD_TEST(of_an_ipv6_address),
		CROWD_TEST(to_a_port_of_one_address),
		CROWD_TEST(to_a_port_of_this_host),
		CROWD_TEST(to_a_port_in_both_families),
		CROWD_TEST(of_subnets_and_ports_together),
		NETNS_TEST(others_keep_theirs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
