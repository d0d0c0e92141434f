/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fuzz target: responses of an HTTP server. However a response is cut, the same is read from it. */
#include <stdint.h>

#include "../../plugin/http_reader.h"
#include "../../policy/base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct result {
	char *body;
	size_t len, max;
	int code, status;
	bool complete;
};

static int on_body(void *arg, const char *data, size_t len, struct err *err)
{
	struct result *result = arg;

	(void)err;
	if (!len || len > result->max - result->len)
		abort();
	memcpy(result->body + result->len, data, len);
	result->len += len;
	return 0;
}

/* In pieces of 1 to max_piece bytes. */
static void read_response(const char *data, size_t size, size_t max_piece,
			  struct result *ret_result)
{
	struct http_reader reader = { .body = on_body, .arg = ret_result };
	struct err err = { 0 };
	size_t n;

	*ret_result = (struct result){ .body = xcalloc(1, size + 1), .max = size };
	for (size_t at = 0, turn = 1; at < size && !ret_result->code; at += n, turn++) {
		AUTO_FREE char *piece = NULL;

		n = (turn * 7919) % max_piece + 1;
		if (n > size - at)
			n = size - at;
		/* On its own, so that reading past it is noticed. */
		piece = xcalloc(1, n);
		memcpy(piece, data + at, n);
		ret_result->code = http_reader_feed(&reader, piece, n, &err);
	}
	if (!ret_result->code)
		ret_result->code = http_reader_end(&reader, &err);
	ret_result->status = reader.status;
	ret_result->complete = reader.part == HTTP_COMPLETE;
	if ((ret_result->code < 0) != (err.code < 0) || (err.code && !*err.text))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const size_t pieces[] = { 1, 3, 50 };
	struct result whole;

	read_response((const char *)data, size, size + 1, &whole);
	if (!whole.code != whole.complete || (whole.complete && whole.status < 200))
		abort();
	for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
		struct result cut;

		read_response((const char *)data, size, pieces[i], &cut);
		if (cut.code != whole.code || cut.complete != whole.complete ||
		    cut.status != whole.status)
			abort();
		/* Before an error more or less may have been passed on. */
		if (whole.complete &&
		    (cut.len != whole.len || memcmp(cut.body, whole.body, whole.len) != 0))
			abort();
		free(cut.body);
	}
	free(whole.body);
	return 0;
}
