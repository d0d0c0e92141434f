/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The conversation itself: sequence numbers, refusals, tables that change while they are read. */
#include "netns.h"

#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <signal.h>
#include <sys/prctl.h>

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
	assert_int_equal(mnl_socket_setsockopt(f->nl.route, NETLINK_CAP_ACK, &(int){ 0 },
					       sizeof(int)),
			 0);
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

/* Rules of nobody, in front of all others. */
static pid_t churn(void)
{
	pid_t pid = fork();
	struct err err;
	struct nl nl;

	if (pid != 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	assert_ok(nl_open(&nl, &err), &err);
	for (int i = 0; i < 1000000; i++) {
		const struct item_rule rule = { V4, 1, 77 };

		assert_ok(rule_add(&nl, &rule, &err), &err);
		assert_ok(rule_remove(&nl, &rule, &err), &err);
	}
	_exit(0);
}

#define STEADY 2000

/* A dump takes several reads. What comes and goes between them shifts what follows: the kernel says so,
 * and the list is read again. */
static void lists_are_whole_while_they_change(void **state)
{
	struct fixture *f = *state;
	int whole = 0;
	pid_t pid;

	for (uint32_t i = 0; i < STEADY; i++) {
		const struct item_rule rule = { V4, 1000 + i, 77 };

		assert_ok(rule_add(&f->nl, &rule, &f->err), &f->err);
	}
	pid = churn();
	for (int i = 0; i < 100; i++) {
		AUTO(plan) struct plan plan = { 0 };
		int r = rules_observe(&f->nl, &plan, &f->err);
		uint32_t steady = 0;

		if (r == -EINTR)
			continue;
		assert_ok(r, &f->err);
		for (size_t n = 0; n < plan.n; n++)
			if (plan.items[n].rule.pref != 1)
				assert_int_equal(plan.items[n].rule.pref, 1000 + steady++);
		assert_int_equal(steady, STEADY);
		whole++;
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	print_message("%d of 100 lists could be read\n", whole);
	assert_true(whole > 10);
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
		NETNS_TEST(late_answers_are_skipped),
		NETNS_TEST(the_kernel_says_why),
		NETNS_TEST(silence_has_an_end),
		NETNS_TEST(both_sockets_answer),
		NETNS_TEST(names_and_indexes),
		NETNS_TEST(lists_are_whole_while_they_change),
		NETNS_TEST(answers_begin_with_null),
		NETNS_TEST(closing_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
