/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See tcp_flow.h. */
#include "tcp_flow.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>

/* The most that one splice() takes; a pipe holds 16 pieces of up to 32 KiB. */
#define FILL_BYTES (256 * 1024)
/* A reader that got less than this has most likely emptied the socket. */
#define LITTLE_BYTES (16 * 1024)
#define BYTES_PER_CALL (128 * 1024)

#define SPLICE_FLAGS (SPLICE_F_MOVE | SPLICE_F_NONBLOCK)

void tcp_flow_init(struct tcp_flow *flow, struct pipe_pool *pool)
{
	*flow = (struct tcp_flow){ .pool = pool };
}

void tcp_flow_done(struct tcp_flow *flow)
{
	if (flow->pending > 0)
		pipe_close(&flow->pipe);
	flow->pending = 0;
}

/* Only ever into an empty pipe: so EAGAIN means that the socket is empty. */
static int fill(struct tcp_flow *flow, int from)
{
	ssize_t n;
	int r;

	r = pipe_pool_take(flow->pool, &flow->pipe);
	if (r < 0)
		return r;
	n = splice(from, NULL, flow->pipe.in, NULL, FILL_BYTES, SPLICE_FLAGS);
	r = n < 0 ? -errno : 0;
	if (n <= 0)
		pipe_pool_give(flow->pool, &flow->pipe);
	if (n == 0)
		flow->ended = true;
	if (n > 0)
		flow->pending = (size_t)n;
	return r == -EAGAIN || r == -EINTR ? 0 : r;
}

static void drain(struct tcp_flow *flow, int to)
{
	ssize_t n = splice(flow->pipe.out, NULL, to, NULL, flow->pending, SPLICE_FLAGS);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		/* The receiver is gone. What it sent before that is the other direction's affair,
		 * and is still to be delivered. */
		tcp_flow_done(flow);
		flow->ended = true;
		return;
	}
	flow->pending -= (size_t)n;
	if (flow->pending == 0)
		pipe_pool_give(flow->pool, &flow->pipe);
}

int tcp_flow_run(struct tcp_flow *flow, int from, int to)
{
	size_t moved = 0;

	do {
		size_t got = flow->pending;

		if (got == 0 && !flow->ended) {
			int r = fill(flow, from);

			if (r < 0)
				return r;
			got = flow->pending;
		}
		if (got > 0)
			drain(flow, to);
		if (got < LITTLE_BYTES)
			break;
		moved += got;
	} while (flow->pending == 0 && moved < BYTES_PER_CALL);

	if (flow->ended && flow->pending == 0 && !flow->over) {
		(void)shutdown(to, SHUT_WR);
		flow->over = true;
	}
	return 0;
}
