/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For tests that need a network namespace of their own. What our code did is judged by ip(8) and by
 * /proc, not by our code. Includes what every such test needs. */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../policy/base/err.h"
#include "../../policy/base/mem.h"
#include "../../policy/kernel/nl.h"
#include "../../policy/plan/plan.h"

#define SKIP 77

struct fixture {
	struct nl nl;
	struct err err;
};

__attribute__((format(printf, 1, 2))) static inline bool sh(const char *format, ...)
{
	char command[512];
	va_list args;

	va_start(args, format);
	vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	return system(command) == 0;
}

/* Does the output of this command contain this text? Prints it when not. */
static inline bool says(const char *command, const char *text)
{
	char out[16384];
	FILE *pipe = popen(command, "re");
	size_t n;

	assert_non_null(pipe);
	n = fread(out, 1, sizeof(out) - 1, pipe);
	out[n] = '\0';
	pclose(pipe);
	if (strstr(out, text))
		return true;
	print_message("'%s' does not say '%s':\n%s", command, text, out);
	return false;
}

/* Success, and nothing left behind of an error that was overcome. */
#define assert_ok(call, err_) \
	do { \
		int r_; \
\
		*(err_) = (struct err){ 0 }; \
		r_ = (call); \
		if (r_ < 0) \
			print_error("unexpected error %d: %s\n", r_, (err_)->text); \
		assert_int_equal(r_, 0); \
		assert_int_equal((err_)->code, 0); \
	} while (0)

static inline void enter_namespace(void)
{
	if (unshare(CLONE_NEWNET) < 0 || !sh("ip link set lo up")) {
		fprintf(stderr, "skipped: needs root, network namespaces and ip(8)\n");
		exit(SKIP);
	}
}

/* A new namespace besides the current one. It dies with the descriptor and the last link's owner.
 */
static inline int other_namespace(void)
{
	int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	int other;

	assert_true(own >= 0);
	assert_int_equal(unshare(CLONE_NEWNET), 0);
	other = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	assert_true(other >= 0);
	assert_int_equal(setns(own, CLONE_NEWNET), 0);
	close(own);
	return other;
}

static inline void move_link(struct nl *nl, const char *name, int namespace_fd)
{
	union nl_request request;
	struct nlmsghdr *msg = nl_request(&request, RTM_NEWLINK, 0);
	struct err err = { 0 };

	mnl_nlmsg_put_extra_header(msg, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(msg, IFLA_IFNAME, name);
	mnl_attr_put_u32(msg, IFLA_NET_NS_FD, (uint32_t)namespace_fd);
	assert_ok(nl_talk(nl, msg, &err), &err);
}

static inline void sleep_ms(int ms)
{
	nanosleep(&(struct timespec){ .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L }, NULL);
}

static inline int count_fds(void)
{
	int n = 0;

	for (int fd = 0; fd < 1024; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static inline size_t count_items(const struct plan *plan, enum item_kind kind)
{
	size_t n = 0;

	for (size_t i = 0; i < plan->n; i++)
		n += plan->items[i].kind == kind;
	return n;
}

/* Every test gets a namespace of its own. */
static inline int setup(void **state)
{
	struct fixture *f;

	enter_namespace();
	f = xcalloc(1, sizeof(*f));
	assert_ok(nl_open(&f->nl, &f->err), &f->err);
	*state = f;
	return 0;
}

static inline int teardown(void **state)
{
	struct fixture *f = *state;

	nl_close(&f->nl);
	free(f);
	return 0;
}

#define NETNS_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
