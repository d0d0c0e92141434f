/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See loop.h. Must not know what its sources are for; signals reach it as a signalfd like any other
 * descriptor. */
#include "loop.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <time.h>

#include "mem.h"

#define EVENTS_PER_ROUND 64

struct source {
	int fd;
	bool removed; /* an event for it may still be in the round's array: freed after the round */
	loop_fd_fn *fn;
	void *arg;
	struct source *next;
};

struct loop_timer {
	struct loop *loop;
	loop_timer_fn *fn;
	void *arg;
	bool armed;
	uint64_t deadline_ms;
	struct loop_timer *next;
};

struct loop {
	int epoll_fd;
	bool quit;
	struct source *sources;
	struct source *removed;
	struct loop_timer *timers; /* a handful: a list is faster than a heap */
};

uint64_t loop_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

struct loop *loop_new(struct err *err)
{
	struct loop *loop;
	int fd;

	fd = epoll_create1(EPOLL_CLOEXEC);
	if (fd < 0) {
		err_errno(err, -errno, "cannot create an epoll instance");
		return NULL;
	}
	loop = xcalloc(1, sizeof(*loop));
	loop->epoll_fd = fd;
	return loop;
}

static void free_sources(struct source **list)
{
	struct source *source;

	while ((source = *list)) {
		*list = source->next;
		free(source);
	}
}

void loop_free(struct loop *loop)
{
	if (!loop)
		return;
	free_sources(&loop->sources);
	free_sources(&loop->removed);
	while (loop->timers)
		loop_timer_free(loop->timers);
	close(loop->epoll_fd);
	free(loop);
}

/* The place that points to the source of this fd; holds NULL when there is none. */
static struct source **find_source(struct loop *loop, int fd)
{
	struct source **place = &loop->sources;

	while (*place && (*place)->fd != fd)
		place = &(*place)->next;
	return place;
}

int loop_fd_add(struct loop *loop, int fd, uint32_t events, loop_fd_fn *fn, void *arg)
{
	struct epoll_event event = { .events = events };
	struct source *source;

	source = xcalloc(1, sizeof(*source));
	*source = (struct source){ .fd = fd, .fn = fn, .arg = arg, .next = loop->sources };
	event.data.ptr = source;
	if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0) {
		int r = -errno;

		free(source);
		return r;
	}
	loop->sources = source;
	return 0;
}

void loop_fd_mod(struct loop *loop, int fd, uint32_t events)
{
	struct source *source = *find_source(loop, fd);
	struct epoll_event event = { .events = events, .data.ptr = source };

	if (source)
		epoll_ctl(loop->epoll_fd, EPOLL_CTL_MOD, fd, &event);
}

void loop_fd_del(struct loop *loop, int fd)
{
	struct source **place = find_source(loop, fd);
	struct source *source = *place;

	if (!source)
		return;
	epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
	*place = source->next;
	source->removed = true;
	source->next = loop->removed;
	loop->removed = source;
}

struct loop_timer *loop_timer_new(struct loop *loop, loop_timer_fn *fn, void *arg)
{
	struct loop_timer *timer = xcalloc(1, sizeof(*timer));

	*timer = (struct loop_timer){ .loop = loop, .fn = fn, .arg = arg, .next = loop->timers };
	loop->timers = timer;
	return timer;
}

void loop_timer_arm(struct loop_timer *timer, uint64_t delay_ms)
{
	timer->armed = true;
	timer->deadline_ms = loop_now_ms() + delay_ms;
}

void loop_timer_disarm(struct loop_timer *timer)
{
	timer->armed = false;
}

void loop_timer_free(struct loop_timer *timer)
{
	struct loop_timer **place;

	if (!timer)
		return;
	for (place = &timer->loop->timers; *place != timer; place = &(*place)->next)
		;
	*place = timer->next;
	free(timer);
}

/* For epoll_wait(): -1 when no timer is armed. */
static int timeout_ms(const struct loop *loop)
{
	const struct loop_timer *timer;
	uint64_t first = UINT64_MAX;
	uint64_t now = loop_now_ms();

	for (timer = loop->timers; timer; timer = timer->next) {
		if (timer->armed && timer->deadline_ms < first)
			first = timer->deadline_ms;
	}
	if (first == UINT64_MAX)
		return -1;
	if (first <= now)
		return 0;
	return first - now > INT_MAX ? INT_MAX : (int)(first - now);
}

static struct loop_timer *due_timer(struct loop *loop, uint64_t now_ms)
{
	struct loop_timer *due = NULL;

	for (struct loop_timer *timer = loop->timers; timer; timer = timer->next) {
		if (!timer->armed || timer->deadline_ms > now_ms)
			continue;
		if (!due || timer->deadline_ms < due->deadline_ms)
			due = timer;
	}
	return due;
}

static void run_timers(struct loop *loop)
{
	/* One look at the clock: a timer that always arms itself anew has to wait for the next
	 * round, so that it cannot keep the descriptors from being looked at. */
	uint64_t now_ms = loop_now_ms();
	struct loop_timer *timer;

	/* Searched afresh after every callback: it may have freed any timer. */
	while (!loop->quit && (timer = due_timer(loop, now_ms))) {
		timer->armed = false;
		timer->fn(timer->arg);
	}
}

int loop_run(struct loop *loop, struct err *err)
{
	struct epoll_event events[EVENTS_PER_ROUND];
	int n;

	while (!loop->quit) {
		n = epoll_wait(loop->epoll_fd, events, EVENTS_PER_ROUND, timeout_ms(loop));
		if (n < 0 && errno != EINTR)
			return err_errno(err, -errno, "cannot wait for events");
		for (int i = 0; i < n && !loop->quit; i++) {
			struct source *source = events[i].data.ptr;

			if (!source->removed)
				source->fn(source->arg, events[i].events);
		}
		run_timers(loop);
		free_sources(&loop->removed);
	}
	loop->quit = false;
	return 0;
}

void loop_quit(struct loop *loop)
{
	loop->quit = true;
}
