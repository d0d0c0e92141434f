/* SPDX-License-Identifier: GPL-2.0-or-later */
/* HTTP over a unix socket, in the event loop: one call of a handler per complete request. A client
 * that is slow, silent or talks nonsense costs nobody else anything. */
#pragma once

#include "../policy/base/loop.h"
#include "../policy/base/strbuf.h"
#include "listener.h"

struct server;

struct server_config {
	const char *content_type;
	size_t max_body; /* larger requests are answered with an error */
	unsigned int max_connections;
	unsigned int timeout_ms; /* from connecting to the end of the reply */
	/* The body is not terminated. *ret_status is 200 beforehand. */
	void (*handler)(void *arg, const char *path, const char *body, size_t len,
			struct strbuf *reply, int *ret_status);
	void *arg;
};

/* Serves what has been waiting since the listener was opened, and all that follows. Takes over the
 * listener when it succeeds. */
struct server *server_start(struct listener *listener, struct loop *loop,
			    const struct server_config *config, struct err *err);
/* Removes the socket, too, if it was made here. Accepts NULL. */
void server_stop(struct server *server);
