/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See reader.h. Knows JSON and nothing of what the fields mean. */
#include "reader.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

static json_t *parse(const char *body, size_t len, struct err *err)
{
	json_error_t error;
	json_t *root;

	/* A client that tries again after a broken connection may send nothing at all. */
	if (len == 0) {
		err_set(err, -EINVAL, "the request has no body; send it again");
		return NULL;
	}
	root = json_loadb(body, len, JSON_REJECT_DUPLICATES, &error);
	if (!root) {
		err_set(err, -EINVAL, "the request is not valid JSON: line %d, column %d: %s",
			error.line, error.column, error.text);
		return NULL;
	}
	if (!json_is_object(root)) {
		err_set(err, -EINVAL, "the request is not a JSON object");
		json_decref(root);
		return NULL;
	}
	return root;
}

struct reader reader_new(const char *body, size_t len, struct err *err)
{
	struct reader reader = { .root = parse(body, len, err), .err = err };

	if (!reader.root)
		reader.code = err->code;
	return reader;
}

void reader_done(struct reader *reader)
{
	json_decref(reader->root);
	reader->root = NULL;
}

void reader_fail(struct reader *reader, const char *format, ...)
{
	char text[sizeof(reader->err->text)];
	va_list args;

	if (reader->code)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	reader->code = err_set(reader->err, -EINVAL, "%s", text);
}

/* NULL for a field that is to count as empty. */
static json_t *field(const struct reader *reader, const json_t *object, const char *name)
{
	json_t *value = reader->code ? NULL : json_object_get(object, name);

	return json_is_null(value) ? NULL : value;
}

static void wrong_type(struct reader *reader, const char *name, const char *wanted)
{
	reader_fail(reader, "field \"%.64s\" of the request is not %s", name, wanted);
}

const char *read_string(struct reader *reader, const json_t *object, const char *name)
{
	const json_t *value = field(reader, object, name);

	if (!value)
		return "";
	if (!json_is_string(value)) {
		wrong_type(reader, name, "a string");
		return "";
	}
	return json_string_value(value);
}

bool read_bool(struct reader *reader, const json_t *object, const char *name, bool if_absent)
{
	const json_t *value = field(reader, object, name);

	if (!value)
		return if_absent;
	if (!json_is_boolean(value))
		wrong_type(reader, name, "true or false");
	return json_is_true(value);
}

long read_number(struct reader *reader, const json_t *object, const char *name, long min, long max)
{
	const json_t *value = field(reader, object, name);
	json_int_t number = 0;

	if (value && !json_is_integer(value)) {
		wrong_type(reader, name, "a whole number");
		return min;
	}
	if (value)
		number = json_integer_value(value);
	if (number < min || number > max) {
		reader_fail(reader, "field \"%.64s\" of the request is not in %ld..%ld", name, min,
			    max);
		return min;
	}
	return (long)number;
}

json_t *read_object(struct reader *reader, const json_t *object, const char *name)
{
	json_t *value = field(reader, object, name);

	if (value && !json_is_object(value)) {
		wrong_type(reader, name, "an object");
		return NULL;
	}
	return value;
}

json_t *read_array(struct reader *reader, const json_t *object, const char *name)
{
	json_t *value = field(reader, object, name);

	if (value && !json_is_array(value)) {
		wrong_type(reader, name, "an array");
		return NULL;
	}
	return value;
}
