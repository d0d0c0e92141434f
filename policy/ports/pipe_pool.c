/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See pipe_pool.h. */
#include "pipe_pool.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int pipe_pool_take(struct pipe_pool *pool, struct pipe *ret_pipe)
{
	int fds[2];

	if (pool->n > 0) {
		*ret_pipe = pool->spare[--pool->n];
		return 0;
	}
	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) < 0)
		return -errno;
	*ret_pipe = (struct pipe){ .out = fds[0], .in = fds[1] };
	return 0;
}

void pipe_close(const struct pipe *pipe)
{
	close(pipe->out);
	close(pipe->in);
}

void pipe_pool_give(struct pipe_pool *pool, const struct pipe *pipe)
{
	if (pool->n < PIPE_POOL_SPARE)
		pool->spare[pool->n++] = *pipe;
	else
		pipe_close(pipe);
}

void pipe_pool_done(struct pipe_pool *pool)
{
	while (pool->n > 0)
		pipe_close(&pool->spare[--pool->n]);
}
