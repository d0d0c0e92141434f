/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the tests of decoders share: every decoder behind one type, and tables of bad bodies. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../plugin/decode.h"
#include "../../policy/base/mem.h"

typedef int decode_fn(const char *body, struct err *err);

static inline int any_network(const char *body, struct err *err)
{
	AUTO(network_request) struct network_request request = { 0 };

	return decode_network(body, strlen(body), &request, err);
}

static inline int any_gateway_check(const char *body, struct err *err)
{
	AUTO(network_request) struct network_request request = { 0 };

	return decode_gateway_check(body, strlen(body), &request, err);
}

static inline int any_network_id(const char *body, struct err *err)
{
	struct network_id id;

	return decode_network_id(body, strlen(body), &id, err);
}

static inline int any_endpoint(const char *body, struct err *err)
{
	AUTO(endpoint_request) struct endpoint_request request = { 0 };

	return decode_endpoint(body, strlen(body), &request, err);
}

static inline int any_attach(const char *body, struct err *err)
{
	AUTO(attach_request) struct attach_request request = { 0 };

	return decode_attach(body, strlen(body), &request, err);
}

/* A body in single quotes, which are easier to read here than escaped ones. */
static inline const char *json(char buffer[4096], const char *text)
{
	snprintf(buffer, 4096, "%s", text);
	for (char *c = buffer; *c; c++) {
		if (*c == '\'')
			*c = '"';
	}
	return buffer;
}

struct bad {
	const char *body;
	const char *sentence;
};

static inline void all_refused(decode_fn *fn, const struct bad *rows, size_t n)
{
	char buffer[4096];

	for (size_t i = 0; i < n; i++) {
		struct err err = { 0 };

		if (fn(json(buffer, rows[i].body), &err) >= 0)
			fail_msg("was taken: %s", buffer);
		assert_true(err.code < 0);
		if (!strstr(err.text, rows[i].sentence))
			fail_msg("%s: \"%s\" does not say \"%s\"", buffer, err.text,
				 rows[i].sentence);
	}
}
