/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One GET over a unix socket, in the event loop: never waits, never longer than its deadline. Must
 * not know what the answer means.
 *
 * libcurl does this as well, but is larger than the rest of us: a process with our other libraries
 * had 4.4 MB resident, and 9.6 MB with one transfer prepared (Debian 12, with GnuTLS). */
#pragma once

#include <stddef.h>

#include "../policy/base/loop.h"

struct http_call;

struct http_call_config {
	const char *socket;
	const char *target; /* path and query */
	size_t max_body;
	unsigned int timeout_ms; /* from connecting to the end of the answer */
	/* Called exactly once, from the loop, with the body of a success (NULL: err says why there
	 * is none). It may free the call. */
	void (*done)(void *arg, const char *body, size_t len, const struct err *err);
	void *arg;
};

/* Never NULL: what goes wrong at once is reported from the loop as well. */
struct http_call *http_call_new(struct loop *loop, const struct http_call_config *config);
/* Gives up, if it has not ended. Accepts NULL. */
void http_call_free(struct http_call *call);
