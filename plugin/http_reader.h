/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The response to one HTTP/1 request, read as it comes, however it is cut. Must not know where it
 * comes from. A library for it would need more memory than the rest of the daemon. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../policy/base/err.h"

/* A piece of the body, without what encodes it. A negative return ends the reading; err says why.
 */
typedef int http_body_fn(void *arg, const char *data, size_t len, struct err *err);

enum http_part {
	HTTP_STATUS_LINE,
	HTTP_HEADERS,
	HTTP_BODY,        /* so many bytes */
	HTTP_BODY_TO_END, /* until the other side hangs up */
	HTTP_CHUNK_SIZE,
	HTTP_CHUNK,
	HTTP_CHUNK_END,
	HTTP_TRAILERS,
	HTTP_COMPLETE,
};

/* Starts as { .body = ..., .arg = ... }. */
struct http_reader {
	http_body_fn *body; /* called for status 200 only: the other bodies are skipped */
	void *arg;
	int status; /* 0 until it is known */

	enum http_part part;
	bool chunked, has_length;
	uint64_t left; /* of the body or of the chunk */
	size_t head;   /* bytes of lines so far */
	size_t len;
	char line[1024];
};

/* After an error nothing more may be fed. What follows the response is ignored. */
int http_reader_feed(struct http_reader *reader, const char *data, size_t len, struct err *err);
/* The other side has hung up: was that all? */
int http_reader_end(struct http_reader *reader, struct err *err);
