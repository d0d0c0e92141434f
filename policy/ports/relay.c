/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See relay.h. An epoll set inside the loop's epoll set. */
#include "relay.h"

#include <errno.h>
#include <sys/epoll.h>
#include <time.h>

#include "../base/mem.h"

/* With the at most 0.2 ms one callback takes this stays below 1 ms. */
#define SLICE_US 500

struct relay {
	struct loop *loop;
	int epoll_fd;
};

static uint64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* One event at a time: then none can refer to a source which the one before has freed. The kernel
 * moves a reported source to the end of its queue, so that everybody gets a turn. */
static void run_slice(void *arg, uint32_t events)
{
	struct relay *relay = arg;
	uint64_t end = now_us() + SLICE_US;
	struct epoll_event event;

	(void)events;
	while (epoll_wait(relay->epoll_fd, &event, 1, 0) == 1) {
		struct relay_source *source = event.data.ptr;

		source->fn(source, event.events);
		if (now_us() >= end)
			break;
	}
}

struct relay *relay_new(struct loop *loop, struct err *err)
{
	struct relay *relay = xcalloc(1, sizeof(*relay));
	int r;

	relay->loop = loop;
	relay->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	r = relay->epoll_fd < 0 ? -errno : 0;
	if (r == 0)
		r = loop_fd_add(loop, relay->epoll_fd, EPOLLIN, run_slice, relay);
	if (r < 0) {
		(void)err_errno(err, r, "cannot watch published ports");
		if (relay->epoll_fd >= 0)
			close(relay->epoll_fd);
		free(relay);
		return NULL;
	}
	return relay;
}

void relay_free(struct relay *relay)
{
	if (!relay)
		return;
	loop_fd_del(relay->loop, relay->epoll_fd);
	close(relay->epoll_fd);
	free(relay);
}

int relay_watch(struct relay *relay, struct relay_source *source, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = source };
	int op = source->watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;

	if (source->watched && source->events == events)
		return 0;
	if (epoll_ctl(relay->epoll_fd, op, source->fd, &event) < 0)
		return -errno;
	source->watched = true;
	source->events = events;
	return 0;
}

void relay_unwatch(struct relay *relay, struct relay_source *source)
{
	if (!source->watched)
		return;
	(void)epoll_ctl(relay->epoll_fd, EPOLL_CTL_DEL, source->fd, NULL);
	source->watched = false;
}

struct loop *relay_loop(const struct relay *relay)
{
	return relay->loop;
}
