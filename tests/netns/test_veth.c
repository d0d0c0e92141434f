/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pairs: made, adopted, refused, changed, moved away, destroyed. */
#include "netns.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "../../policy/kernel/bridge.h"
#include "../../policy/kernel/link.h"
#include "../../policy/kernel/veth.h"

static const struct item_bridge bridge = {
	.name = "te-1",
	.alias = "tailexit network abc",
	.mac = { 0x02, 1, 2, 3, 4, 5 },
	.mtu = 1400,
};

static const struct item_veth veth = {
	.host_if = "tev1",
	.container_if = "tec1",
	.bridge = "te-1",
	.alias = "tailexit endpoint def",
	.container_mac = { 0x02, 6, 7, 8, 9, 10 },
	.mtu = 1400,
	.isolated = true,
};

static void add_both(struct fixture *f)
{
	assert_ok(bridge_add(&f->nl, &bridge, &f->err), &f->err);
	assert_ok(veth_add(&f->nl, &veth, &f->err), &f->err);
}

static void assert_host_end(void)
{
	assert_true(says("ip -d link show dev tev1", " master te-1 "));
	assert_true(says("ip -d link show dev tev1", "isolated on"));
	assert_true(says("ip -d link show dev tev1", "mtu 1400"));
	assert_true(says("ip -d link show dev tev1", "alias tailexit endpoint def\n"));
	assert_true(says("ip -d link show dev tev1", ",UP"));
}

static void made_whole(void **state)
{
	struct fixture *f = *state;

	add_both(f);
	assert_host_end();
	assert_true(says("ip -d link show dev tev1", "addrgenmode none"));
	assert_true(says("ip -d link show dev tec1", "link/ether 02:06:07:08:09:0a"));
	assert_true(says("ip -d link show dev tec1", "mtu 1400"));
	assert_true(says("ip -d link show dev tec1", "state DOWN"));
	assert_true(says("ip -d link show dev tec1", "addrgenmode eui64"));
}

/* A link of less than 1280 has no IPv6, and cannot be told how to make its addresses. */
static void narrow(void **state)
{
	struct fixture *f = *state;
	struct item_veth thin = veth;

	assert_ok(bridge_add(&f->nl, &bridge, &f->err), &f->err);
	thin.mtu = 600;
	thin.isolated = false;
	assert_ok(veth_add(&f->nl, &thin, &f->err), &f->err);
	assert_true(says("ip -d link show dev tev1", "mtu 600"));
	assert_true(says("ip -d link show dev tev1", ",UP"));
	assert_true(says("ip -d link show dev tev1", "isolated off"));
	assert_true(says("ip -d link show dev tev1", "alias tailexit endpoint def\n"));
}

static void same_again_repairs(void **state)
{
	struct fixture *f = *state;

	add_both(f);
	assert_true(sh("ip link set tev1 down mtu 1300"));
	assert_true(sh("ip link set tec1 mtu 1300"));
	assert_true(sh("ip link set tev1 nomaster"));
	assert_ok(veth_add(&f->nl, &veth, &f->err), &f->err);
	assert_host_end();
	assert_true(says("ip -d link show dev tec1", "mtu 1400"));
}

static void half_made_is_adopted(void **state)
{
	struct fixture *f = *state;

	assert_ok(bridge_add(&f->nl, &bridge, &f->err), &f->err);
	assert_true(sh("ip link add tev1 type veth peer name tec1"));
	assert_ok(veth_add(&f->nl, &veth, &f->err), &f->err);
	assert_host_end();
	assert_true(says("ip -d link show dev tec1", "mtu 1400"));
}

static void others_are_refused(void **state)
{
	struct fixture *f = *state;

	assert_ok(bridge_add(&f->nl, &bridge, &f->err), &f->err);
	assert_true(sh("ip link add tev1 type bridge"));
	assert_int_equal(veth_add(&f->nl, &veth, &f->err), -EEXIST);
	assert_non_null(strstr(f->err.text, "'tev1' already exists (bridge)"));
	assert_true(sh("ip link del tev1"));

	assert_true(sh("ip link add tec1 type bridge"));
	assert_int_equal(veth_add(&f->nl, &veth, &f->err), -EEXIST);
	assert_non_null(strstr(f->err.text, "'tec1' already exists (bridge)"));
	assert_false(link_exists(&f->nl, "tev1"));
	assert_true(sh("ip link del tec1"));

	/* both names, but not of one pair */
	assert_true(sh("ip link add tev1 type veth peer name v1"));
	assert_true(sh("ip link add tec1 type veth peer name v2"));
	assert_int_equal(veth_add(&f->nl, &veth, &f->err), -EEXIST);
	assert_true(says("ip link show dev tev1", "mtu 1500"));
}

static void bridge_is_missing(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(veth_add(&f->nl, &veth, &f->err), -ENODEV);
	assert_string_equal(f->err.text,
			    "cannot create interface 'tev1': bridge 'te-1' does not exist");
	assert_false(link_exists(&f->nl, "tev1"));
}

/* A master that is no bridge has no isolated ports: the second request fails. */
static void failure_leaves_nothing(void **state)
{
	struct fixture *f = *state;
	struct item_veth wrong = veth;

	if (!sh("ip link add vrf1 type vrf table 77 2>/dev/null"))
		skip();
	strcpy(wrong.bridge, "vrf1");
	assert_true(veth_add(&f->nl, &wrong, &f->err) < 0);
	assert_false(link_exists(&f->nl, "tev1"));
	assert_false(link_exists(&f->nl, "tec1"));
}

static void changed(void **state)
{
	struct fixture *f = *state;
	struct item_bridge second = bridge;
	struct item_veth other = veth;

	assert_int_equal(veth_change(&f->nl, &veth, &f->err), -ENODEV);
	strcpy(second.name, "te-2");
	second.mac[5]++;
	assert_ok(bridge_add(&f->nl, &second, &f->err), &f->err);
	assert_ok(bridge_add(&f->nl, &bridge, &f->err), &f->err);
	strcpy(other.bridge, "te-2");
	strcpy(other.alias, "tailexit something else");
	other.mtu = 1300;
	other.isolated = false;
	assert_ok(veth_add(&f->nl, &other, &f->err), &f->err);
	assert_true(sh("ip link set tev1 down"));
	assert_ok(veth_change(&f->nl, &veth, &f->err), &f->err);
	assert_host_end();
	assert_true(says("ip -d link show dev tec1", "mtu 1400"));
}

/* The flag belongs to the port: whoever moves it to another bridge must set it again. */
static void isolation_survives_a_move(void **state)
{
	struct fixture *f = *state;

	add_both(f);
	assert_true(sh("ip link add br0 type bridge && ip link set tev1 master br0"));
	assert_true(sh("bridge link set dev tev1 isolated on"));
	assert_ok(veth_change(&f->nl, &veth, &f->err), &f->err);
	assert_host_end();
}

static void unchanged_sends_nothing(void **state)
{
	struct fixture *f = *state;
	uint32_t seq;

	add_both(f);
	seq = f->nl.seq;
	assert_ok(veth_change(&f->nl, &veth, &f->err), &f->err);
	assert_int_equal(f->nl.seq, seq + 2); /* looks at both ends */
}

static struct plan observe(struct fixture *f)
{
	struct plan plan = { 0 };

	assert_ok(links_observe(&f->nl, &plan, &f->err), &f->err);
	plan_sort(&plan);
	return plan;
}

static void observed(void **state)
{
	struct fixture *f = *state;
	const struct item wanted = { .kind = ITEM_VETH, .veth = veth };
	AUTO(plan) struct plan plan = { 0 };

	add_both(f);
	assert_true(sh("ip link add vethfff type veth peer name eth7"));
	assert_true(sh("ip link set vethfff master te-1"));
	plan = observe(f);
	assert_int_equal(plan.n, 2);
	assert_int_equal(item_compare(&plan.items[1], &wanted), 0);
	assert_true(item_equal(&plan.items[1], &wanted));
	assert_memory_equal(&plan.items[1].veth, &veth, sizeof(veth));
}

static void observed_when_broken(void **state)
{
	struct fixture *f = *state;
	AUTO(plan) struct plan plan = { 0 };

	add_both(f);
	assert_true(sh("ip link set tev1 nomaster down"));
	plan = observe(f);
	assert_int_equal(plan.n, 2);
	assert_string_equal(plan.items[1].veth.bridge, "");
	assert_int_equal(plan.items[1].veth.mtu, 0);
	assert_false(plan.items[1].veth.isolated);
}

static void peer_moves_away_and_dies(void **state)
{
	struct fixture *f = *state;
	int other = other_namespace();
	AUTO(plan) struct plan plan = { 0 };
	struct item_veth wider = veth;
	int index;

	add_both(f);
	index = nl_link_index(&f->nl, "tec1");
	move_link(&f->nl, "tec1", other);
	/* what has the peer's index here must not be taken for the peer */
	assert_true(sh("ip link add twin index %d type bridge", index));
	plan = observe(f);
	assert_int_equal(count_items(&plan, ITEM_VETH), 1);
	assert_string_equal(plan.items[1].veth.container_if, "");
	assert_string_equal(plan.items[1].veth.host_if, "tev1");
	/* asked for once more: it is plugged in already */
	assert_ok(veth_add(&f->nl, &veth, &f->err), &f->err);
	wider.mtu = 1450;
	assert_ok(veth_change(&f->nl, &wider, &f->err), &f->err);
	assert_true(says("ip link show dev tev1", "mtu 1450"));

	close(other);
	for (int i = 0; i < 100 && link_exists(&f->nl, "tev1"); i++)
		sleep_ms(50);
	plan_done(&plan);
	plan = observe(f);
	assert_int_equal(count_items(&plan, ITEM_VETH), 0);
	assert_ok(link_remove(&f->nl, "tev1", &f->err), &f->err);
}

#define PORT 7777

/* A bound socket of the namespace that fd stands for. */
static int socket_in(int namespace_fd, const char *text)
{
	const struct timeval patience = { .tv_usec = 200000 };
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	int fd;

	assert_int_equal(setns(namespace_fd, CLONE_NEWNET), 0);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(setns(own, CLONE_NEWNET), 0);
	close(own);
	inet_pton(AF_INET, text, &to.sin_addr);
	assert_int_equal(bind(fd, (const void *)&to, sizeof(to)), 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
	return fd;
}

/* Several attempts, because a neighbour that was asked for in vain is asked for again only later.
 */
static bool passes(int from, int to, int attempts)
{
	struct sockaddr_in addr;
	socklen_t len = sizeof(addr);
	char c = 0;

	assert_int_equal(getsockname(to, (void *)&addr, &len), 0);
	for (int i = 0; i < attempts; i++) {
		(void)sendto(from, "x", 1, 0, (const void *)&addr, len);
		if (recv(to, &c, 1, 0) == 1)
			return true;
	}
	return false;
}

static int container(struct fixture *f, const char *link, const char *addr)
{
	int namespace_fd = other_namespace();
	int fd;

	move_link(&f->nl, link, namespace_fd);
	assert_true(sh("nsenter --net=/proc/%d/fd/%d sh -c 'ip addr add %s/24 dev %s; "
		       "ip link set %s up'",
		       getpid(), namespace_fd, addr, link, link));
	fd = socket_in(namespace_fd, addr);
	close(namespace_fd);
	return fd;
}

/* Packets do arrive: ports forward at once, and isolated ones do not see each other. */
static void carries_packets(void **state)
{
	struct fixture *f = *state;
	struct item_veth second = veth;
	int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	int host, one, two;

	add_both(f);
	strcpy(second.host_if, "tev2");
	strcpy(second.container_if, "tec2");
	second.container_mac[5]++;
	assert_ok(veth_add(&f->nl, &second, &f->err), &f->err);
	assert_true(sh("ip addr add 10.9.0.1/24 dev te-1"));
	host = socket_in(own, "10.9.0.1");
	one = container(f, "tec1", "10.9.0.2");
	two = container(f, "tec2", "10.9.0.3");
	assert_true(passes(host, one, 20));
	assert_true(passes(two, host, 20));
	assert_false(passes(one, two, 2));
	second.isolated = false;
	assert_ok(veth_change(&f->nl, &second, &f->err), &f->err);
	assert_true(passes(one, two, 20));
	close(own);
	close(host);
	close(one);
	close(two);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NETNS_TEST(made_whole),
		NETNS_TEST(narrow),
		NETNS_TEST(same_again_repairs),
		NETNS_TEST(half_made_is_adopted),
		NETNS_TEST(others_are_refused),
		NETNS_TEST(bridge_is_missing),
		NETNS_TEST(failure_leaves_nothing),
		NETNS_TEST(changed),
		NETNS_TEST(isolation_survives_a_move),
		NETNS_TEST(unchanged_sends_nothing),
		NETNS_TEST(observed),
		NETNS_TEST(observed_when_broken),
		NETNS_TEST(peer_moves_away_and_dies),
		NETNS_TEST(carries_packets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
