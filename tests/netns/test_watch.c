/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the watches on routes, rules and nftables report, and what they do not: what we do
 * ourselves, and what is none of our business. */
#include "netns.h"

#include "../../policy/kernel/nft_commit.h"
#include "../../policy/kernel/route.h"
#include "../../policy/kernel/rule.h"
#include "../../policy/plan/names.h"
#include "../../policy/watch/nft.h"
#include "../../policy/watch/routes.h"
#include "../unit/world.h"

struct listener {
	struct loop *loop;
	struct loop_timer *timer;
	struct route_watch *routes;
	struct nft_watch *nft;
	size_t n[ROUTE_LOST_TRACK + 1];
	bool ours, others;
	char by[64];
};

static void on_route(void *arg, enum route_event event)
{
	((struct listener *)arg)->n[event]++;
}

static void on_nft(void *arg, const struct nft_news *news)
{
	struct listener *l = arg;

	l->ours |= news->ours;
	l->others |= news->others;
	snprintf(l->by, sizeof(l->by), "%s", news->by);
}

static void stop(void *arg)
{
	loop_quit(((struct listener *)arg)->loop);
}

/* What is queued is there already: one round of the loop is enough, and the timer ends it. */
static void listen_now(struct fixture *f, struct listener *l)
{
	memset(l->n, 0, sizeof(l->n));
	l->ours = l->others = false;
	loop_timer_arm(l->timer, 50);
	assert_ok(loop_run(l->loop, &f->err), &f->err);
}

static void start(struct fixture *f, struct listener *l)
{
	*l = (struct listener){ .loop = loop_new(&f->err) };
	l->timer = loop_timer_new(l->loop, stop, l);
	l->routes =
		route_watch_new(l->loop, mnl_socket_get_portid(f->nl.route), on_route, l, &f->err);
	assert_non_null(l->routes);
	l->nft = nft_watch_new(l->loop, mnl_socket_get_portid(f->nl.netfilter), on_nft, l, &f->err);
	assert_non_null(l->nft);
}

static void end(struct listener *l)
{
	route_watch_free(l->routes);
	nft_watch_free(l->nft);
	loop_timer_free(l->timer);
	loop_free(l->loop);
}

static size_t total(const struct listener *l)
{
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(l->n); i++)
		n += l->n[i];
	return n;
}

/* Seen to fail: with any own_port but ours. */
static void our_own_changes(void **state)
{
	struct fixture *f = *state;
	const struct item_rule rules[] = {
		{ .family = V4, .pref = PREF_LOCAL, .table = TABLE_LOCAL },
		{ .family = V6, .pref = PREF_LOCAL, .table = TABLE_LOCAL },
	};
	const struct item_route routes[] = {
		{ test_prefix("10.1.0.0/24"), TABLE_LOCAL, METRIC_BACKSTOP, "" },
		{ test_prefix("fd01::/64"), TABLE_LOCAL, METRIC_BACKSTOP, "" },
		{ test_prefix("10.1.0.0/24"), TABLE_LOCAL, METRIC_BRIDGE, "lo" },
		{ test_prefix("fd01::/64"), TABLE_LOCAL, METRIC_BRIDGE, "lo" },
	};
	AUTO(plan) struct plan firewall = { 0 };
	struct listener l;

	plan_add(&firewall, ITEM_FW_TABLE);
	start(f, &l);
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		assert_ok(rule_add(&f->nl, &rules[i], &f->err), &f->err);
	for (size_t i = 0; i < ARRAY_SIZE(routes); i++)
		assert_ok(route_add(&f->nl, &routes[i], &f->err), &f->err);
	assert_ok(nft_replace(&f->nl, &firewall, &f->err), &f->err);
	for (size_t i = 0; i < ARRAY_SIZE(routes); i++)
		assert_ok(route_remove(&f->nl, &routes[i], &f->err), &f->err);
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		assert_ok(rule_remove(&f->nl, &rules[i], &f->err), &f->err);
	listen_now(f, &l);
	assert_int_equal(total(&l), 0);
	assert_false(l.ours || l.others);
	end(&l);
}

/* Seen to fail: without each of the conditions of take_route() and take_rule(). */
static void what_others_do_to_ours(void **state)
{
	static const struct {
		const char *command;
		enum route_event event;
	} rows[] = {
		{ "ip rule add pref 5000 table 7 proto 231", RULE_CHANGED },
		{ "ip rule del pref 5000", RULE_CHANGED },
		{ "ip -6 rule add pref 5000 table 7 proto 231", RULE_CHANGED },
		{ "ip -6 rule del pref 5000", RULE_CHANGED },
		{ "ip rule add pref 100 table 7", RULE_FOREIGN },
		{ "ip -6 rule add pref 5099 table 7", RULE_FOREIGN },
		{ "ip route add 10.1.0.0/24 dev lo table 2113929216 proto 231", ROUTE_CHANGED },
		{ "ip route del 10.1.0.0/24 table 2113929216", ROUTE_CHANGED },
		{ "ip -6 route add fd01::/64 dev lo table 2113929216 proto 231", ROUTE_CHANGED },
		{ "ip -6 route del fd01::/64 table 2113929216", ROUTE_CHANGED },
		{ "ip route add 10.1.0.0/24 dev lo table 2113929300", ROUTE_CHANGED },
		{ "ip -6 route add fd01::/64 dev lo table 2113929300", ROUTE_CHANGED },
		{ "echo 0 > /proc/sys/net/ipv4/ip_forward", FORWARDING_LOST },
		{ "echo 0 > /proc/sys/net/ipv6/conf/all/forwarding", FORWARDING_LOST },
	};
	struct fixture *f = *state;
	struct listener l;

	assert_true(sh("echo 1 > /proc/sys/net/ipv4/ip_forward"));
	assert_true(sh("echo 1 > /proc/sys/net/ipv6/conf/all/forwarding"));
	start(f, &l);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_true(sh("%s", rows[i].command));
		listen_now(f, &l);
		if (l.n[rows[i].event] == 0)
			fail_msg("not told: %s", rows[i].command);
	}
	end(&l);
}

/* Seen to fail: with forwarding that is turned on taken for forwarding that is lost. */
static void what_others_do_to_others(void **state)
{
	static const char *const commands[] = {
		"ip rule add pref 6000 table 7",
		"ip route add 10.2.0.0/24 dev lo",
		"ip route add 10.2.0.0/24 dev lo table 1000 proto 200",
		"ip -6 route add fd02::/64 dev lo table 52",
		"ip link add br7 type bridge && ip link set br7 up && ip addr add 10.3.0.1/24 dev br7",
		"echo 1 > /proc/sys/net/ipv4/conf/br7/forwarding",
		"echo 1 > /proc/sys/net/ipv4/ip_forward",
		"echo 1 > /proc/sys/net/ipv6/conf/all/forwarding",
	};
	struct fixture *f = *state;
	struct listener l;

	start(f, &l);
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		assert_true(sh("%s", commands[i]));
		listen_now(f, &l);
		if (total(&l) != 0)
			fail_msg("told: %s", commands[i]);
	}
	end(&l);
}

/* Seen to fail: with all tables taken for ours. */
static void whose_nftables(void **state)
{
	struct fixture *f = *state;
	struct listener l;

	if (!sh("nft list tables > /dev/null 2>&1"))
		skip();
	start(f, &l);
	assert_true(sh("nft add table inet other; nft add chain inet other c"));
	listen_now(f, &l);
	assert_true(l.others && !l.ours);
	assert_true(sh("nft add table ip tailexit"));
	listen_now(f, &l);
	assert_true(l.others && !l.ours);
	assert_true(sh("nft add table inet tailexit; nft add chain inet tailexit c"));
	listen_now(f, &l);
	assert_true(l.ours && !l.others);
	assert_int_equal(strncmp(l.by, "nft (process ", 13), 0);
	assert_true(sh("nft flush ruleset"));
	listen_now(f, &l);
	assert_true(l.ours && l.others);
	end(&l);
}

/* Nobody listens while more happens than fits the queue. Seen to fail: with errors ignored. */
static void losing_track(void **state)
{
	const struct item_route route = { test_prefix("10.1.0.0/24"), TABLE_LOCAL, METRIC_BRIDGE,
					  "lo" };
	struct fixture *f = *state;
	struct nl somebody;
	struct listener l;

	start(f, &l);
	assert_ok(nl_open(&somebody, &f->err), &f->err);
	for (int i = 0; i < 20000; i++) {
		assert_ok(route_add(&somebody, &route, &f->err), &f->err);
		assert_ok(route_remove(&somebody, &route, &f->err), &f->err);
	}
	nl_close(&somebody);
	listen_now(f, &l);
	assert_true(l.n[ROUTE_LOST_TRACK] > 0);
	end(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NETNS_TEST(our_own_changes),
		NETNS_TEST(what_others_do_to_ours),
		NETNS_TEST(what_others_do_to_others),
		NETNS_TEST(whose_nftables),
		NETNS_TEST(losing_track),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
