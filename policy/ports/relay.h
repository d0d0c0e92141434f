/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The sockets that are relayed in user space, all of them: a set of their own inside the loop,
 * which gets a bounded slice of every turn. However much is relayed, nobody else waits longer than
 * that. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "../base/err.h"
#include "../base/loop.h"
#include "../model/network.h"

struct relay;
struct relay_source;

/* Has to return after a bounded amount of work; what is left over is reported again. May free the
 * source, or any other. */
typedef void relay_fn(struct relay_source *source, uint32_t events);

struct relay_source {
	int fd;
	relay_fn *fn;
	void *owner;
	/* private */
	uint32_t events;
	bool watched;
};

/* Where relayed traffic goes. */
struct relay_target {
	struct addr addr;
	uint16_t port;
};

struct relay *relay_new(struct loop *loop, struct err *err);
void relay_free(struct relay *relay); /* accepts NULL; nothing is watched any more */

/* Starts to watch, or changes what for. Changing cannot fail. Events 0 still reports the end of the
 * connection, over and over: unwatch then. */
int relay_watch(struct relay *relay, struct relay_source *source, uint32_t events);
void relay_unwatch(struct relay *relay, struct relay_source *source); /* before close() */

struct loop *relay_loop(const struct relay *relay);
