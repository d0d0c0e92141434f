/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The conversation itself: sequence numbers, refusals, tables that change while they are read. */
#include "netns.h"

#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <signal.h>
#include <sys/prctl.h>

#include "../../policy/kernel/address.h"
#include "../../policy/kernel/bridge.h"
#include "../../policy/kernel/link.h"
#include "../../policy/kernel/rule.h"

static void late_answers_are_skipped(void **state)
{
	struct fixture *f = *state;
	union nl_request request;
	struct nlmsghdr *msg = link_request(&request, RTM_GETLINK, 0, "nothing", false);
	struct link_info link;

	/* nobody reads what this is answered: an error, not ours */
	msg->nlmsg_flags |= NLM_F_ACK;
	msg->nlmsg_seq = f->nl.seq;
	assert_true(mnl_socket_sendto(f->nl.route, msg, msg->nlmsg_len) > 0);
	assert_ok(link_info(&f->nl, "lo", &link, &f->err), &f->err);
	assert_string_equal(link.name, "lo");
	assert_string_equal(link.kind, "");
}

static void the_kernel_says_why(void **state)
{
	struct fixture *f = *state;
	union nl_request request;
	struct nlmsghdr *msg;

	msg = link_request(&request, RTM_NEWLINK, NLM_F_CREATE, "new", false);
	assert_int_equal(nl_talk(&f->nl, msg, &f->err), -EOPNOTSUPP);
	/* the same when the refusal repeats the request in front of its text */
	assert_int_equal(
		mnl_socket_setsockopt(f->nl.route, NETLINK_CAP_ACK, &(int){ 0 }, sizeof(int)), 0);
	msg = link_request(&request, RTM_NEWLINK, NLM_F_CREATE, "new", false);
	mnl_attr_put_u32(msg, IFLA_MTU, 1);
	mnl_attr_put_u32(msg, IFLA_NUM_TX_QUEUES, 1 << 30);
	assert_true(nl_talk(&f->nl, msg, &f->err) < 0);
	print_message("the kernel says: %s\n", f->err.text);
}

static void silence_has_an_end(void **state)
{
	struct fixture *f = *state;
	const struct timeval soon = { .tv_usec = 100000 };
	union nl_request request;
	struct nlmsghdr *msg = link_request(&request, RTM_GETLINK, 0, "lo", false);

	assert_int_equal(setsockopt(mnl_socket_get_fd(f->nl.route), SOL_SOCKET, SO_RCVTIMEO, &soon,
				    sizeof(soon)),
			 0);
	msg->nlmsg_len = 8; /* less than a header: the kernel looks no further */
	assert_int_equal(nl_get(&f->nl, msg, NULL, NULL, &f->err), -ETIMEDOUT);
	assert_non_null(strstr(f->err.text, "did not answer"));
}

static void both_sockets_answer(void **state)
{
	struct fixture *f = *state;
	union nl_request request;
	struct nlmsghdr *msg =
		nl_request(&request, (NFNL_SUBSYS_CTNETLINK << 8) | IPCTNL_MSG_CT_GET, 0);

	assert_ptr_equal(nl_netfilter(&f->nl), f->nl.netfilter);
	mnl_nlmsg_put_extra_header(msg, sizeof(struct nfgenmsg));
	assert_ok(nl_dump(&f->nl, msg, NULL, NULL, &f->err), &f->err);
}

static void names_and_indexes(void **state)
{
	struct fixture *f = *state;
	char name[IFNAMSIZ];

	assert_int_equal(nl_link_index(&f->nl, "lo"), 1);
	assert_int_equal(nl_link_index(&f->nl, "nothing"), -ENODEV);
	assert_int_equal(nl_link_name(&f->nl, 1, name), 0);
	assert_string_equal(name, "lo");
	assert_int_equal(nl_link_name(&f->nl, 4711, name), -ENODEV);
}

#define STEADY 2000
#define READINGS 200

static struct item_address address(uint32_t i)
{
	struct item_address result = { .link = "te-1" };

	assert_int_equal(prefix_parse(&result.addr, "fd00::/64"), 0);
	result.addr.addr.bytes[14] = (uint8_t)(i >> 8);
	result.addr.addr.bytes[15] = (uint8_t)i;
	return result;
}

static void change_address(struct nl *nl, struct err *err)
{
	const struct item_address changing = address(STEADY + 1);

	assert_ok(address_add(nl, &changing, err), err);
	assert_ok(address_remove(nl, &changing, err), err);
}

static void change_rule(struct nl *nl, struct err *err)
{
	const struct item_rule changing = { V4, 1, 77 };

	assert_ok(rule_add(nl, &changing, err), err);
	assert_ok(rule_remove(nl, &changing, err), err);
}

/* Keeps changing something while the caller reads. */
static pid_t churn(void (*change)(struct nl *nl, struct err *err))
{
	pid_t pid = fork();
	struct err err;
	struct nl nl;

	if (pid != 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	assert_ok(nl_open(&nl, &err), &err);
	for (int i = 0; i < 10000000; i++)
		change(&nl, &err);
	_exit(0);
}

static void end_churn(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* The steady ones among these are all there, in order and once. */
static bool is_whole(const struct plan *plan)
{
	for (uint32_t i = 0; i < STEADY; i++) {
		const struct item_address steady = address(i + 1);

		if (i >= plan->n || memcmp(&plan->items[i].address, &steady, sizeof(steady)) != 0)
			return false;
	}
	return true;
}

/* A dump takes several reads. What comes and goes between them shifts what follows: the kernel says
 * so, and the list is read again. There is a moment when the kernel fails to say so, hence the
 * tolerance. */
static void lists_are_whole_while_they_change(void **state)
{
	const struct item_bridge bridge = { "te-1", "tailexit network a", { 2, 1 }, 1500 };
	struct fixture *f = *state;
	int whole = 0, broken = 0;
	pid_t pid;

	assert_ok(bridge_add(&f->nl, &bridge, &f->err), &f->err);
	for (uint32_t i = 1; i <= STEADY; i++) {
		const struct item_address steady = address(i);

		assert_ok(address_add(&f->nl, &steady, &f->err), &f->err);
	}
	pid = churn(change_address);
	for (int i = 0; i < READINGS; i++) {
		AUTO(plan) struct plan plan = { 0 };
		int r = addresses_observe(&f->nl, &plan, &f->err);

		if (r == -EINTR)
			continue;
		assert_ok(r, &f->err);
		for (size_t n = 1; n < plan.n; n++)
			assert_true(item_compare(&plan.items[n - 1], &plan.items[n]) < 0);
		if (is_whole(&plan))
			whole++;
		else
			broken++;
	}
	end_churn(pid);
	print_message("%d lists were whole, %d not\n", whole, broken);
	/* How many, the scheduler decides: the others gave up, and said so. */
	assert_true(whole > 0);
	assert_true(broken <= READINGS / 20);
}

/* Of rules it never says so. */
static void no_rule_comes_twice(void **state)
{
	struct fixture *f = *state;
	pid_t pid;

	for (uint32_t i = 0; i < STEADY; i++) {
		const struct item_rule rule = { V4, 1000 + i, 77 };

		assert_ok(rule_add(&f->nl, &rule, &f->err), &f->err);
	}
	pid = churn(change_rule);
	for (int i = 0; i < READINGS; i++) {
		AUTO(plan) struct plan plan = { 0 };

		assert_ok(rules_observe(&f->nl, &plan, &f->err), &f->err);
		for (size_t n = 1; n < plan.n; n++)
			assert_true(plan.items[n].rule.pref > plan.items[n - 1].rule.pref);
	}
	end_churn(pid);
}

static int fake_answers; /* of the two below */

static void count_answers(void *arg, const struct nlmsghdr *msg)
{
	(void)arg;
	fake_answers = msg ? fake_answers + 1 : 0;
}

static void answers_begin_with_null(void **state)
{
	struct fixture *f = *state;
	union nl_request request;
	struct nlmsghdr *msg = link_request(&request, RTM_GETLINK, 0, "lo", false);

	fake_answers = 5;
	assert_ok(nl_get(&f->nl, msg, count_answers, NULL, &f->err), &f->err);
	assert_int_equal(fake_answers, 1);
}

static void closing_leaves_nothing(void **state)
{
	struct fixture *f = *state;
	int fds = count_fds();

	for (int i = 0; i < 10; i++) {
		AUTO(nl) struct nl nl;

		assert_ok(nl_open(&nl, &f->err), &f->err);
		nl_close(&nl);
	}
	assert_int_equal(count_fds(), fds);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NETNS_TEST(late_answers_are_skipped), NETNS_TEST(the_kernel_says_why),
		NETNS_TEST(silence_has_an_end),       NETNS_TEST(both_sockets_answer),
		NETNS_TEST(names_and_indexes),        NETNS_TEST(lists_are_whole_while_they_change),
		NETNS_TEST(no_rule_comes_twice),      NETNS_TEST(answers_begin_with_null),
		NETNS_TEST(closing_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
