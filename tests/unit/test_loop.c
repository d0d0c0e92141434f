/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of policy/base/loop.c, with pipes as sources. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>

#include <cmocka.h>

#include "../../policy/base/loop.h"
#include "../../policy/base/mem.h"

/* Two pipes, both readable, and what happened to them. */
struct fixture {
	struct loop *loop;
	int fds[2][2];
	unsigned int calls;
	struct loop_timer *timer, *other;
	uint64_t start_ms;
};

static void give_up(void *arg)
{
	(void)arg;
	fail_msg("the loop did not end");
}

static int setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));
	struct err err;

	f->loop = loop_new(&err);
	for (size_t i = 0; i < 2; i++) {
		if (pipe(f->fds[i]) < 0 || write(f->fds[i][1], "x", 1) != 1)
			return -1;
	}
	loop_timer_arm(loop_timer_new(f->loop, give_up, f), 5000);
	f->start_ms = loop_now_ms();
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	loop_free(f->loop);
	for (size_t i = 0; i < 2; i++) {
		close(f->fds[i][0]);
		close(f->fds[i][1]);
	}
	free(f);
	return 0;
}

static void run(struct fixture *f)
{
	struct err err;

	assert_int_equal(loop_run(f->loop, &err), 0);
}

static void quit(void *arg)
{
	loop_quit(((struct fixture *)arg)->loop);
}

static void quit_soon(struct fixture *f, uint64_t delay_ms)
{
	loop_timer_arm(loop_timer_new(f->loop, quit, f), delay_ms);
}

static void count(void *arg, uint32_t events)
{
	struct fixture *f = arg;

	assert_true(events & EPOLLIN);
	f->calls++;
}

static void count_and_quit(void *arg, uint32_t events)
{
	count(arg, events);
	quit(arg);
}

static void a_readable_descriptor_is_reported_until_it_is_removed(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(loop_fd_add(f->loop, f->fds[0][0], EPOLLIN, count_and_quit, f), 0);
	run(f);
	run(f);
	assert_int_equal(f->calls, 2);
	loop_fd_del(f->loop, f->fds[0][0]);
	quit_soon(f, 0);
	run(f);
	assert_int_equal(f->calls, 2);
}

static void a_descriptor_is_added_once_and_must_exist(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(loop_fd_add(f->loop, f->fds[0][0], EPOLLIN, count, f), 0);
	assert_int_equal(loop_fd_add(f->loop, f->fds[0][0], EPOLLIN, count, f), -EEXIST);
	assert_int_equal(loop_fd_add(f->loop, -1, EPOLLIN, count, f), -EBADF);
	loop_fd_del(f->loop, f->fds[1][0]);
	loop_fd_mod(f->loop, f->fds[1][0], EPOLLIN);
	loop_fd_del(f->loop, -1);
}

static void events_can_be_changed(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(loop_fd_add(f->loop, f->fds[0][0], EPOLLIN, count, f), 0);
	loop_fd_mod(f->loop, f->fds[0][0], 0);
	quit_soon(f, 0);
	run(f);
	assert_int_equal(f->calls, 0);
	loop_fd_mod(f->loop, f->fds[0][0], EPOLLIN);
	quit_soon(f, 0);
	run(f);
	assert_true(f->calls > 0);
}

static void remove_both(void *arg, uint32_t events)
{
	struct fixture *f = arg;

	(void)events;
	f->calls++;
	loop_fd_del(f->loop, f->fds[0][0]);
	loop_fd_del(f->loop, f->fds[1][0]);
}

static void a_source_removed_by_another_in_the_same_round_is_not_called(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < 2; i++)
		assert_int_equal(loop_fd_add(f->loop, f->fds[i][0], EPOLLIN, remove_both, f), 0);
	quit_soon(f, 0);
	run(f);
	assert_int_equal(f->calls, 1);
}

/* Removes the other source and gives its number to a pipe that has nothing to read. */
static void replace_other(void *arg, uint32_t events)
{
	struct fixture *f = arg;
	int fresh[2];

	(void)events;
	f->calls++;
	loop_fd_del(f->loop, f->fds[0][0]);
	loop_fd_del(f->loop, f->fds[1][0]);
	assert_int_equal(pipe(fresh), 0);
	for (size_t i = 0; i < 2; i++) {
		assert_true(dup2(fresh[0], f->fds[i][0]) >= 0);
		assert_int_equal(loop_fd_add(f->loop, f->fds[i][0], EPOLLIN, count, f), 0);
	}
	close(fresh[0]);
	close(f->fds[0][1]);
	f->fds[0][1] = fresh[1];
}

static void an_event_of_a_removed_source_does_not_reach_the_next_owner_of_its_number(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < 2; i++)
		assert_int_equal(loop_fd_add(f->loop, f->fds[i][0], EPOLLIN, replace_other, f), 0);
	quit_soon(f, 20);
	run(f);
	assert_int_equal(f->calls, 1);
}

static void count_timer(void *arg)
{
	((struct fixture *)arg)->calls++;
}

static void a_timer_fires_once_and_not_too_early(void **state)
{
	struct fixture *f = *state;

	f->timer = loop_timer_new(f->loop, count_timer, f);
	loop_timer_arm(f->timer, 30);
	quit_soon(f, 20);
	run(f);
	assert_int_equal(f->calls, 0);
	quit_soon(f, 40);
	run(f);
	assert_int_equal(f->calls, 1);
	assert_true(loop_now_ms() - f->start_ms >= 50);
}

static void a_timer_that_is_not_armed_or_disarmed_again_never_fires(void **state)
{
	struct fixture *f = *state;

	f->timer = loop_timer_new(f->loop, count_timer, f);
	f->other = loop_timer_new(f->loop, count_timer, f);
	loop_timer_arm(f->other, 0);
	loop_timer_disarm(f->other);
	loop_timer_disarm(f->timer);
	quit_soon(f, 10);
	run(f);
	assert_int_equal(f->calls, 0);
}

static void arming_again_replaces_the_deadline(void **state)
{
	struct fixture *f = *state;

	f->timer = loop_timer_new(f->loop, count_timer, f);
	loop_timer_arm(f->timer, 0);
	loop_timer_arm(f->timer, 4000);
	quit_soon(f, 10);
	run(f);
	assert_int_equal(f->calls, 0);
	loop_timer_arm(f->timer, 0);
	quit_soon(f, 10);
	run(f);
	assert_int_equal(f->calls, 1);
}

static void free_both_timers(void *arg)
{
	struct fixture *f = arg;

	f->calls++;
	loop_timer_free(f->timer);
	loop_timer_free(f->other);
	loop_timer_free(NULL);
}

static void a_timer_may_free_itself_and_another_that_is_due(void **state)
{
	struct fixture *f = *state;

	f->timer = loop_timer_new(f->loop, free_both_timers, f);
	f->other = loop_timer_new(f->loop, free_both_timers, f);
	loop_timer_arm(f->timer, 0);
	loop_timer_arm(f->other, 0);
	quit_soon(f, 10);
	run(f);
	assert_int_equal(f->calls, 1);
}

static void rearm_and_write(void *arg)
{
	struct fixture *f = arg;

	if (f->calls++ == 0)
		assert_int_equal(write(f->fds[0][1], "x", 1), 1);
	loop_timer_arm(f->timer, 0);
}

static void quit_on_data(void *arg, uint32_t events)
{
	(void)events;
	quit(arg);
}

static void a_timer_that_always_rearms_itself_does_not_starve_descriptors(void **state)
{
	struct fixture *f = *state;
	char byte;

	assert_int_equal(read(f->fds[0][0], &byte, 1), 1);
	assert_int_equal(loop_fd_add(f->loop, f->fds[0][0], EPOLLIN, quit_on_data, f), 0);
	f->timer = loop_timer_new(f->loop, rearm_and_write, f);
	loop_timer_arm(f->timer, 0);
	run(f);
	assert_true(f->calls > 0);
	assert_true(loop_now_ms() - f->start_ms < 1000);
}

static void quitting_skips_what_else_is_ready(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < 2; i++)
		loop_fd_add(f->loop, f->fds[i][0], EPOLLIN, count_and_quit, f);
	run(f);
	assert_int_equal(f->calls, 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_readable_descriptor_is_reported_until_it_is_removed),
		TEST(a_descriptor_is_added_once_and_must_exist),
		TEST(events_can_be_changed),
		TEST(a_source_removed_by_another_in_the_same_round_is_not_called),
		TEST(an_event_of_a_removed_source_does_not_reach_the_next_owner_of_its_number),
		TEST(a_timer_fires_once_and_not_too_early),
		TEST(a_timer_that_is_not_armed_or_disarmed_again_never_fires),
		TEST(arming_again_replaces_the_deadline),
		TEST(a_timer_may_free_itself_and_another_that_is_due),
		TEST(a_timer_that_always_rearms_itself_does_not_starve_descriptors),
		TEST(quitting_skips_what_else_is_ready),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
