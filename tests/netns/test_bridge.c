/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bridges: made, adopted, refused, changed, removed. */
#include "netns.h"

#include <sys/stat.h>

#include "../../policy/kernel/bridge.h"
#include "../../policy/kernel/link.h"

static const struct item_bridge bridge = {
	.name = "te-1",
	.alias = "tailexit network abc",
	.mac = { 0x02, 1, 2, 3, 4, 5 },
	.mtu = 1400,
};

static void assert_whole(void)
{
	assert_true(says("ip -d link show dev te-1", "bridge forward_delay 0 "));
	assert_true(says("ip -d link show dev te-1", "mtu 1400"));
	assert_true(says("ip -d link show dev te-1", "link/ether 02:01:02:03:04:05"));
	assert_true(says("ip -d link show dev te-1", "alias tailexit network abc\n"));
	assert_true(says("ip -d link show dev te-1", ",UP"));
	assert_true(says("cat /proc/sys/net/ipv6/conf/te-1/accept_ra", "0\n"));
}

static void made_whole(void **state)
{
	struct fixture *f = *state;

	assert_ok(bridge_add(&f->nl, &bridge, &f->err), &f->err);
	assert_whole();
}

static void mtu_does_not_follow_ports(void **state)
{
	struct fixture *f = *state;

	assert_ok(bridge_add(&f->nl, &bridge, &f->err), &f->err);
	assert_true(sh("ip link add tev1 mtu 1300 type veth peer name tec1"));
	assert_true(sh("ip link set tev1 master te-1"));
	assert_true(sh("ip link del tev1"));
	assert_whole();
}

static void same_again_repairs(void **state)
{
	struct fixture *f = *state;

	assert_ok(bridge_add(&f->nl, &bridge, &f->err), &f->err);
	assert_true(sh("ip link set te-1 down mtu 1280 address 02:00:00:00:00:99"));
	assert_true(sh("echo 1 >/proc/sys/net/ipv6/conf/te-1/accept_ra"));
	assert_ok(bridge_add(&f->nl, &bridge, &f->err), &f->err);
	assert_whole();
}

static void half_made_is_adopted(void **state)
{
	struct fixture *f = *state;

	assert_true(sh("ip link add te-1 address 02:01:02:03:04:05 type bridge forward_delay 0"));
	assert_ok(bridge_add(&f->nl, &bridge, &f->err), &f->err);
	assert_whole();
}

static void refused(struct fixture *f, const char *kind)
{
	assert_int_equal(bridge_add(&f->nl, &bridge, &f->err), -EEXIST);
	assert_int_equal(f->err.code, -EEXIST);
	assert_non_null(strstr(f->err.text, "'te-1'"));
	assert_non_null(strstr(f->err.text, kind));
	assert_true(says("ip link show dev te-1", "mtu 1500"));
	assert_true(says("ip link show dev te-1", "state DOWN"));
	assert_true(sh("ip link del te-1"));
}

static void others_are_refused(void **state)
{
	struct fixture *f = *state;

	/* no alias, but not our address either */
	assert_true(sh("ip link add te-1 type bridge"));
	refused(f, "bridge");
	/* our address, but another alias */
	assert_true(sh("ip link add te-1 address 02:01:02:03:04:05 type bridge"));
	assert_true(sh("ip link set te-1 alias mine"));
	refused(f, "'mine'");
	/* our alias, but no bridge */
	assert_true(sh("ip link add te-1 type veth peer name other"));
	assert_true(sh("ip link set te-1 alias '%s'", bridge.alias));
	refused(f, "veth");
}

/* A knob that cannot be read stands for any failure after creation. */
static void failure_leaves_nothing(void **state)
{
	struct fixture *f = *state;
	char sysctls[] = P_tmpdir "/tailexit-XXXXXX";

	assert_non_null(mkdtemp(sysctls));
	assert_true(sh("mkdir -p %s/net/ipv6/conf/te-1/accept_ra", sysctls));
	f->nl.sysctls = sysctls;
	assert_int_equal(bridge_add(&f->nl, &bridge, &f->err), -EISDIR);
	assert_true(sh("rm -r %s", sysctls));
	assert_non_null(strstr(f->err.text, "cannot create bridge 'te-1': cannot read"));
	assert_false(link_exists(&f->nl, "te-1"));
}

static void no_ipv6_is_no_failure(void **state)
{
	struct fixture *f = *state;

	f->nl.sysctls = "/nowhere";
	assert_ok(bridge_add(&f->nl, &bridge, &f->err), &f->err);
	assert_true(link_exists(&f->nl, "te-1"));
}

static void impossible_is_refused(void **state)
{
	struct fixture *f = *state;
	struct item_bridge narrow = bridge;

	narrow.mtu = 10;
	assert_int_equal(bridge_add(&f->nl, &narrow, &f->err), -EINVAL);
	/* the kernel's own words */
	assert_non_null(strstr(f->err.text, "mtu less than device minimum"));
	assert_false(link_exists(&f->nl, "te-1"));
}

static void changed(void **state)
{
	struct fixture *f = *state;
	struct item_bridge other = bridge;

	assert_int_equal(bridge_change(&f->nl, &bridge, &f->err), -ENODEV);
	other.mtu = 9000;
	other.mac[5] = 6;
	strcpy(other.alias, "tailexit network def");
	assert_ok(bridge_add(&f->nl, &other, &f->err), &f->err);
	assert_true(sh("ip link set te-1 down"));
	assert_ok(bridge_change(&f->nl, &bridge, &f->err), &f->err);
	assert_whole();
}

static void unchanged_asks_once_and_sends_nothing(void **state)
{
	struct fixture *f = *state;
	uint32_t seq;

	assert_ok(bridge_add(&f->nl, &bridge, &f->err), &f->err);
	seq = f->nl.seq;
	assert_ok(bridge_change(&f->nl, &bridge, &f->err), &f->err);
	assert_int_equal(f->nl.seq, seq + 1);
}

static void removed_twice(void **state)
{
	struct fixture *f = *state;

	assert_ok(bridge_add(&f->nl, &bridge, &f->err), &f->err);
	assert_ok(link_remove(&f->nl, "te-1", &f->err), &f->err);
	assert_false(sh("ip link show dev te-1 >/dev/null 2>&1"));
	assert_ok(link_remove(&f->nl, "te-1", &f->err), &f->err);
}

static void looked_at(void **state)
{
	struct fixture *f = *state;
	struct link_info link;

	assert_int_equal(link_info(&f->nl, "te-1", &link, &f->err), -ENODEV);
	assert_ok(bridge_add(&f->nl, &bridge, &f->err), &f->err);
	assert_ok(link_info(&f->nl, "te-1", &link, &f->err), &f->err);
	assert_string_equal(link.name, "te-1");
	assert_string_equal(link.kind, "bridge");
	assert_string_equal(link.alias, bridge.alias);
	assert_memory_equal(link.mac, bridge.mac, 6);
	assert_int_equal(link.mtu, 1400);
	assert_true(link.up);
	assert_int_equal(link.index, nl_link_index(&f->nl, "te-1"));
	assert_int_equal(link.master, 0);
	assert_int_equal(link.peer, 0);
}

static void observed(void **state)
{
	struct fixture *f = *state;
	AUTO(plan) struct plan plan = { 0 };
	const struct item wanted = { .kind = ITEM_BRIDGE, .bridge = bridge };

	assert_ok(bridge_add(&f->nl, &bridge, &f->err), &f->err);
	assert_true(sh("ip link add br-other type bridge"));
	assert_true(sh("ip link add te-2 type veth peer name te-3"));
	assert_true(sh("ip link add chosen mtu 1234 type bridge"));
	assert_true(sh("ip link set chosen up alias 'tailexit network xyz'"));
	assert_true(sh("ip link add te-down type bridge"));
	assert_ok(links_observe(&f->nl, &plan, &f->err), &f->err);
	plan_sort(&plan);
	assert_int_equal(plan.n, 3);
	assert_string_equal(plan.items[0].bridge.name, "chosen");
	assert_int_equal(plan.items[0].bridge.mtu, 1234);
	assert_int_equal(item_compare(&plan.items[1], &wanted), 0);
	assert_true(item_equal(&plan.items[1], &wanted));
	assert_string_equal(plan.items[2].bridge.name, "te-down");
	assert_int_equal(plan.items[2].bridge.mtu, 0);
}

static void no_descriptor_is_left(void **state)
{
	struct fixture *f = *state;
	int fds = count_fds();

	for (int i = 0; i < 3; i++) {
		AUTO(nl) struct nl nl;

		assert_ok(nl_open(&nl, &f->err), &f->err);
		assert_ok(bridge_add(&nl, &bridge, &f->err), &f->err);
		assert_ok(link_remove(&nl, "te-1", &f->err), &f->err);
	}
	assert_int_equal(count_fds(), fds);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NETNS_TEST(made_whole),
		NETNS_TEST(mtu_does_not_follow_ports),
		NETNS_TEST(same_again_repairs),
		NETNS_TEST(half_made_is_adopted),
		NETNS_TEST(others_are_refused),
		NETNS_TEST(failure_leaves_nothing),
		NETNS_TEST(no_ipv6_is_no_failure),
		NETNS_TEST(impossible_is_refused),
		NETNS_TEST(changed),
		NETNS_TEST(unchanged_asks_once_and_sends_nothing),
		NETNS_TEST(removed_twice),
		NETNS_TEST(looked_at),
		NETNS_TEST(observed),
		NETNS_TEST(no_descriptor_is_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
