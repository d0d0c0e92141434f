/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pipes through which the kernel moves bytes from socket to socket without copying them. One is
 * needed only while bytes are on their way: connections that rest hold none. */
#pragma once

#include <stddef.h>

#define PIPE_POOL_SPARE 16

struct pipe {
	int out; /* read end */
	int in;
};

struct pipe_pool {
	struct pipe spare[PIPE_POOL_SPARE]; /* all empty */
	size_t n;
};

int pipe_pool_take(struct pipe_pool *pool, struct pipe *ret_pipe);
void pipe_pool_give(struct pipe_pool *pool, const struct pipe *pipe); /* must be empty */
void pipe_close(const struct pipe *pipe); /* with bytes inside that nobody will get */
void pipe_pool_done(struct pipe_pool *pool);
