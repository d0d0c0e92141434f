/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading typed fields out of a JSON request. The first failure sticks: later calls return empty
 * values and do nothing, and the caller checks once at the end. A field that is absent or null
 * counts as empty; one of another type is a failure. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "../policy/base/err.h"

struct reader {
	json_t *root;
	int code; /* 0, or the first failure */
	struct err *err;
};

/* The whole request: a JSON object. */
struct reader reader_new(const char *body, size_t len, struct err *err);
void reader_done(struct reader *reader);

void reader_fail(struct reader *reader, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* What is returned belongs to the reader. */
const char *read_string(struct reader *reader, const json_t *object, const char *name);
bool read_bool(struct reader *reader, const json_t *object, const char *name, bool if_absent);
long read_number(struct reader *reader, const json_t *object, const char *name, long min, long max);
json_t *read_object(struct reader *reader, const json_t *object, const char *name);
json_t *read_array(struct reader *reader, const json_t *object, const char *name);
