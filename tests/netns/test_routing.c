/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Addresses, routes, rules, forwarding. */
#include "netns.h"

#include "../../policy/kernel/address.h"
#include "../../policy/kernel/bridge.h"
#include "../../policy/kernel/forwarding.h"
#include "../../policy/kernel/link.h"
#include "../../policy/kernel/route.h"
#include "../../policy/kernel/rule.h"
#include "../../policy/plan/names.h"

static const struct item_bridge bridge = {
	.name = "te-1",
	.alias = "tailexit network abc",
	.mac = { 0x02, 1, 2, 3, 4, 5 },
	.mtu = 1500,
};

static struct prefix prefix(const char *text)
{
	struct prefix result;

	assert_int_equal(prefix_parse(&result, text), 0);
	return result;
}

static struct item_address address(const char *text)
{
	return (struct item_address){ .link = "te-1", .addr = prefix(text) };
}

static struct item_route route(const char *dst, const char *oif, uint32_t metric)
{
	struct item_route result = { .dst = prefix(dst), .table = TABLE_LOCAL, .metric = metric };

	strcpy(result.oif, oif);
	return result;
}

static struct item_route silent(const char *dst)
{
	struct item_route result = route(dst, "", METRIC_BACKSTOP);

	result.silent = true;
	return result;
}

static int setup_bridge(void **state)
{
	struct fixture *f;

	setup(state);
	f = *state;
	assert_ok(bridge_add(&f->nl, &bridge, &f->err), &f->err);
	return 0;
}

static bool contains(const struct plan *plan, struct item item)
{
	for (size_t i = 0; i < plan->n; i++)
		if (item_compare(&plan->items[i], &item) == 0)
			return true;
	return false;
}

static void addresses_come_and_go(void **state)
{
	struct fixture *f = *state;
	const struct item_address v4 = address("10.1.0.1/24"), v6 = address("fd00:1::1/64");

	for (int twice = 0; twice < 2; twice++) {
		assert_ok(address_add(&f->nl, &v4, &f->err), &f->err);
		assert_ok(address_add(&f->nl, &v6, &f->err), &f->err);
	}
	assert_true(says("ip addr show dev te-1", "inet 10.1.0.1/24 scope global te-1"));
	/* usable at once */
	assert_true(says("ip addr show dev te-1", "inet6 fd00:1::1/64 scope global nodad"));
	for (int twice = 0; twice < 2; twice++) {
		assert_ok(address_remove(&f->nl, &v4, &f->err), &f->err);
		assert_ok(address_remove(&f->nl, &v6, &f->err), &f->err);
	}
	assert_false(says("ip addr show dev te-1", "scope global"));
	assert_ok(link_remove(&f->nl, "te-1", &f->err), &f->err);
	assert_ok(address_remove(&f->nl, &v4, &f->err), &f->err);
	assert_int_equal(address_add(&f->nl, &v4, &f->err), -ENODEV);
	assert_string_equal(f->err.text,
			    "cannot add address 10.1.0.1/24: interface 'te-1' does not exist");
}

static void address_with_another_length(void **state)
{
	struct fixture *f = *state;
	const struct item_address v6 = address("fd00:1::1/64"), other = address("fd00:1::1/112");

	assert_ok(address_add(&f->nl, &v6, &f->err), &f->err);
	assert_int_equal(address_add(&f->nl, &other, &f->err), -EEXIST);
	/* removal names the length: what is there is not what was to go */
	assert_ok(address_remove(&f->nl, &other, &f->err), &f->err);
	assert_true(says("ip addr show dev te-1", "inet6 fd00:1::1/64"));
}

static void ipv6_is_enabled_where_needed(void **state)
{
	struct fixture *f = *state;
	const struct item_address v4 = address("10.1.0.1/24"), v6 = address("fd00:1::1/64");

	assert_true(sh("echo 1 >/proc/sys/net/ipv6/conf/te-1/disable_ipv6"));
	assert_ok(address_add(&f->nl, &v4, &f->err), &f->err);
	assert_true(says("cat /proc/sys/net/ipv6/conf/te-1/disable_ipv6", "1\n"));
	assert_ok(address_add(&f->nl, &v6, &f->err), &f->err);
	assert_true(says("ip addr show dev te-1", "inet6 fd00:1::1/64"));
}

static void addresses_observed(void **state)
{
	struct fixture *f = *state;
	const struct item_address v4 = address("10.1.0.1/24"), v6 = address("fd00:1::1/64");
	AUTO(plan) struct plan plan = { 0 };

	assert_true(sh("ip link add br-other type bridge && ip link set br-other up"));
	assert_true(sh("ip addr add 10.2.0.1/24 dev br-other"));
	assert_ok(address_add(&f->nl, &v4, &f->err), &f->err);
	assert_ok(address_add(&f->nl, &v6, &f->err), &f->err);
	assert_true(sh("ip addr add 10.1.0.9/32 dev te-1"));
	/* only with a carrier does the kernel make a link-local address */
	assert_true(sh("ip link add v1 type veth peer name v2 && ip link set v1 up master te-1"));
	assert_true(sh("ip link set v2 up"));
	assert_true(says("ip addr show dev te-1", "inet6 fe80:"));
	assert_ok(addresses_observe(&f->nl, &plan, &f->err), &f->err);
	assert_int_equal(plan.n, 3);
	assert_true(contains(&plan, (struct item){ .kind = ITEM_ADDRESS, .address = v4 }));
	assert_true(contains(&plan, (struct item){ .kind = ITEM_ADDRESS, .address = v6 }));
	assert_true(contains(
		&plan, (struct item){ .kind = ITEM_ADDRESS, .address = address("10.1.0.9/32") }));
}

static void all_addresses(void **state)
{
	struct fixture *f = *state;
	AUTO(addr_list) struct addr_list list = { 0 };

	assert_ok(addr_list_read(&f->nl, &list, &f->err), &f->err);
	/* of the loopback, and the bridge's link-local one */
	assert_true(list.n >= 2);
	assert_true(addr_is_loopback(&list.addrs[0]));
}

static void routes_come_and_go(void **state)
{
	struct fixture *f = *state;
	const struct item_route routes[] = {
		route("10.1.0.0/24", "te-1", 1024),
		route("10.1.0.0/24", "", METRIC_BACKSTOP),
		route("fd00:1::/64", "te-1", 1024),
		route("fd00:1::/64", "", METRIC_BACKSTOP),
		route("0.0.0.0/0", "te-1", 5),
		route("::/0", "", 5),
		silent("100.64.0.2/32"),
		silent("fd00:2::2/128"),
	};
	AUTO(plan) struct plan plan = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(routes); i++) {
		assert_ok(route_add(&f->nl, &routes[i], &f->err), &f->err);
		assert_ok(route_add(&f->nl, &routes[i], &f->err), &f->err);
	}
	assert_true(says("ip route show table 2113929216",
			 "10.1.0.0/24 dev te-1 proto 231 scope link metric 1024"));
	assert_true(says("ip route show table 2113929216",
			 "unreachable 10.1.0.0/24 proto 231 metric 2147483647"));
	assert_true(says("ip route show table 2113929216", "default dev te-1"));
	assert_true(says("ip -6 route show table 2113929216",
			 "fd00:1::/64 dev te-1 proto 231 metric 1024"));
	assert_true(says("ip -6 route show table 2113929216", "unreachable fd00:1::/64 dev lo"));

	assert_true(says("ip route show table 2113929216",
			 "blackhole 100.64.0.2 proto 231 metric 2147483647"));
	assert_true(says("ip -6 route show table 2113929216", "blackhole fd00:2::2 dev lo"));

	/* neither the same by another protocol nor what the kernel made */
	assert_true(sh("ip route add 10.5.0.0/24 dev te-1 table 2113929216"));
	assert_true(sh("ip -6 route add fd05::/64 dev te-1 table 2113929216"));
	assert_true(sh("ip route add prohibit 10.6.0.0/24 proto 231"));
	assert_ok(routes_observe(&f->nl, &plan, &f->err), &f->err);
	assert_int_equal(plan.n, ARRAY_SIZE(routes));
	assert_int_equal(count_items(&plan, ITEM_BACKSTOP), 5);
	for (size_t i = 0; i < ARRAY_SIZE(routes); i++)
		assert_true(contains(
			&plan, (struct item){ .kind = *routes[i].oif ? ITEM_ROUTE : ITEM_BACKSTOP,
					      .route = routes[i] }));

	for (size_t i = 0; i < ARRAY_SIZE(routes); i++) {
		assert_ok(route_remove(&f->nl, &routes[i], &f->err), &f->err);
		assert_ok(route_remove(&f->nl, &routes[i], &f->err), &f->err);
	}
	assert_false(says("ip route show table 2113929216", "proto 231"));
	assert_false(says("ip -6 route show table 2113929216", "proto 231"));
	assert_true(says("ip route show table 2113929216", "10.5.0.0/24"));
}

static void routes_of_others(void **state)
{
	struct fixture *f = *state;
	const struct item_route v4 = route("10.1.0.0/24", "te-1", 1024);
	const struct item_route v6 = route("fd00:1::/64", "te-1", 1024);

	assert_true(sh("ip route add 10.1.0.0/24 dev te-1 table 2113929216 metric 1024"));
	assert_true(sh("ip -6 route add fd00:1::/64 dev te-1 table 2113929216 metric 1024"));
	assert_ok(route_remove(&f->nl, &v4, &f->err), &f->err);
	assert_ok(route_remove(&f->nl, &v6, &f->err), &f->err);
	assert_true(says("ip route show table 2113929216", "10.1.0.0/24"));
	assert_true(says("ip -6 route show table 2113929216", "fd00:1::/64"));
	/* In the place of ours they give way. */
	assert_ok(route_add(&f->nl, &v4, &f->err), &f->err);
	assert_ok(route_add(&f->nl, &v6, &f->err), &f->err);
	assert_true(says("ip route show table 2113929216 proto 231", "10.1.0.0/24"));
	assert_true(says("ip -6 route show table 2113929216 proto 231", "fd00:1::/64"));
	assert_false(says("ip route show table 2113929216 proto boot", "10.1.0.0/24"));
	assert_false(says("ip -6 route show table 2113929216 proto boot", "fd00:1::/64"));
}

static void routes_without_a_link(void **state)
{
	struct fixture *f = *state;
	const struct item_route absent = route("10.1.0.0/24", "te-9", 1024);
	const struct item_route backstop = route("10.1.0.0/24", "", METRIC_BACKSTOP);
	const struct item_route backstop6 = route("fd00:1::/64", "", METRIC_BACKSTOP);
	AUTO(plan) struct plan plan = { 0 };

	assert_int_equal(route_add(&f->nl, &absent, &f->err), -ENODEV);
	assert_non_null(strstr(f->err.text, "'te-9' does not exist"));
	assert_ok(route_remove(&f->nl, &absent, &f->err), &f->err);
	assert_ok(routes_observe(&f->nl, &plan, &f->err), &f->err);
	assert_int_equal(plan.n, 0);
	/* the backstop needs no link and outlives all of them */
	assert_ok(route_add(&f->nl, &backstop, &f->err), &f->err);
	assert_ok(route_add(&f->nl, &backstop6, &f->err), &f->err);
	assert_ok(link_remove(&f->nl, "te-1", &f->err), &f->err);
	assert_ok(routes_observe(&f->nl, &plan, &f->err), &f->err);
	assert_int_equal(count_items(&plan, ITEM_BACKSTOP), 2);
}

static void rules_come_and_go(void **state)
{
	struct fixture *f = *state;
	AUTO(plan) struct plan plan = { 0 };

	for (enum family family = 0; family < FAMILIES; family++) {
		const struct item_rule rule = { .family = family,
						.pref = PREF_LOCAL,
						.table = TABLE_LOCAL };

		assert_ok(rule_add(&f->nl, &rule, &f->err), &f->err);
		assert_ok(rule_add(&f->nl, &rule, &f->err), &f->err);
	}
	assert_true(says("ip rule", "5000:\tfrom all lookup 2113929216 proto 231\n"));
	assert_true(says("ip -6 rule", "5000:\tfrom all lookup 2113929216 proto 231\n"));
	assert_true(sh("ip rule add pref 5000 lookup 2113929216"));
	assert_true(sh("ip rule add pref 5001 lookup 77"));
	assert_ok(rules_observe(&f->nl, &plan, &f->err), &f->err);
	assert_int_equal(plan.n, 2);
	for (enum family family = 0; family < FAMILIES; family++) {
		const struct item_rule rule = { .family = family,
						.pref = PREF_LOCAL,
						.table = TABLE_LOCAL };

		assert_true(contains(&plan, (struct item){ .kind = ITEM_RULE, .rule = rule }));
		assert_ok(rule_remove(&f->nl, &rule, &f->err), &f->err);
		assert_ok(rule_remove(&f->nl, &rule, &f->err), &f->err);
	}
	assert_false(says("ip rule", "proto 231"));
	assert_false(says("ip -6 rule", "proto 231"));
	/* somebody's rule that is like ours stays */
	assert_true(says("ip rule", "5000:\tfrom all lookup 2113929216\n"));
}

/* Seen to fail: without FRA_SRC in put_rule(). */
static void rules_of_one_priority(void **state)
{
	struct fixture *f = *state;
	struct item_rule first = { .pref = PREF_NOWHERE, .table = TABLE_FENCE };
	struct item_rule second = first;
	AUTO(plan) struct plan plan = { 0 };

	first.from = prefix("10.1.0.0/23");
	second.from = prefix("10.2.0.0/16");
	assert_ok(rule_add(&f->nl, &first, &f->err), &f->err);
	assert_ok(rule_add(&f->nl, &second, &f->err), &f->err);
	assert_true(says("ip rule", "5081:\tfrom 10.1.0.0/23 lookup 2113929472 proto 231\n"));
	assert_ok(rules_observe(&f->nl, &plan, &f->err), &f->err);
	assert_int_equal(plan.n, 2);
	assert_true(contains(&plan, (struct item){ .kind = ITEM_RULE, .rule = first }));
	assert_ok(rule_remove(&f->nl, &second, &f->err), &f->err);
	assert_true(says("ip rule", "5081:\tfrom 10.1.0.0/23"));
	assert_ok(rule_remove(&f->nl, &first, &f->err), &f->err);
	assert_false(says("ip rule", "5081"));
}

static void rule_beside_one_like_it(void **state)
{
	struct fixture *f = *state;
	const struct item_rule rule = { .family = V4, .pref = PREF_LOCAL, .table = TABLE_LOCAL };

	assert_true(sh("ip rule add pref 5000 lookup 2113929216"));
	assert_ok(rule_add(&f->nl, &rule, &f->err), &f->err);
	assert_true(says("ip rule", "5000:\tfrom all lookup 2113929216 proto 231\n"));
}

static void forwarding_is_turned_on(void **state)
{
	struct fixture *f = *state;
	AUTO(plan) struct plan plan = { 0 };

	assert_true(sh("echo 0 >/proc/sys/net/ipv4/ip_forward"));
	assert_true(sh("echo 0 >/proc/sys/net/ipv6/conf/all/forwarding"));
	assert_ok(forwarding_observe(&f->nl, &plan, &f->err), &f->err);
	assert_int_equal(plan.n, 0);
	for (enum family family = 0; family < FAMILIES; family++) {
		assert_ok(forwarding_enable(&f->nl, family, &f->err), &f->err);
		assert_ok(forwarding_enable(&f->nl, family, &f->err), &f->err);
	}
	assert_true(says("cat /proc/sys/net/ipv4/ip_forward", "1\n"));
	assert_true(says("cat /proc/sys/net/ipv6/conf/all/forwarding", "1\n"));
	assert_ok(forwarding_observe(&f->nl, &plan, &f->err), &f->err);
	assert_int_equal(plan.n, 2);
	assert_int_equal(plan.items[1].forwarding.family, V6);
}

static void forwarding_without_ipv6(void **state)
{
	struct fixture *f = *state;
	AUTO(plan) struct plan plan = { 0 };

	f->nl.sysctls = "/nowhere";
	assert_ok(forwarding_observe(&f->nl, &plan, &f->err), &f->err);
	assert_int_equal(plan.n, 0);
	assert_int_equal(forwarding_enable(&f->nl, V6, &f->err), -ENOENT);
	assert_non_null(strstr(f->err.text, "no IPv6"));
}

/* As kernels before 4.20, which filter nothing. */
static int setup_old_kernel(void **state)
{
	struct fixture *f;

	setup_bridge(state);
	f = *state;
	assert_int_equal(mnl_socket_setsockopt(f->nl.route, NETLINK_GET_STRICT_CHK, &(int){ 0 },
					       sizeof(int)),
			 0);
	return 0;
}

#define OLD_KERNEL_TEST(function) \
	cmocka_unit_test_setup_teardown(function, setup_old_kernel, teardown)
#define BRIDGE_TEST(function) cmocka_unit_test_setup_teardown(function, setup_bridge, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		BRIDGE_TEST(addresses_come_and_go),
		BRIDGE_TEST(address_with_another_length),
		BRIDGE_TEST(ipv6_is_enabled_where_needed),
		BRIDGE_TEST(addresses_observed),
		BRIDGE_TEST(all_addresses),
		BRIDGE_TEST(routes_come_and_go),
		BRIDGE_TEST(routes_of_others),
		BRIDGE_TEST(routes_without_a_link),
		NETNS_TEST(rules_come_and_go),
		NETNS_TEST(rules_of_one_priority),
		NETNS_TEST(rule_beside_one_like_it),
		OLD_KERNEL_TEST(addresses_observed),
		OLD_KERNEL_TEST(address_with_another_length),
		OLD_KERNEL_TEST(routes_come_and_go),
		OLD_KERNEL_TEST(routes_of_others),
		OLD_KERNEL_TEST(rules_come_and_go),
		NETNS_TEST(forwarding_is_turned_on),
		NETNS_TEST(forwarding_without_ipv6),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
