/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One direction of a relayed TCP connection: from one socket through a pipe into another. Knows
 * nothing of the other direction. */
#pragma once

#include <stdbool.h>

#include "pipe_pool.h"

struct tcp_flow {
	struct pipe_pool *pool;
	struct pipe pipe;
	size_t pending; /* bytes in the pipe; the pipe is held while there are any */
	bool ended;     /* there is nothing more to read */
	bool over;      /* and all of it has been passed on, with the end */
};

void tcp_flow_init(struct tcp_flow *flow, struct pipe_pool *pool);
void tcp_flow_done(struct tcp_flow *flow);

static inline bool tcp_flow_wants_input(const struct tcp_flow *flow)
{
	return !flow->ended && flow->pending == 0;
}

/* Moves what can be moved now, up to a bound; call again when `from` has more, or `to` has room
 * while bytes are pending. Negative errno when `from` was reset. */
int tcp_flow_run(struct tcp_flow *flow, int from, int to);
