/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of plugin/http_reader.c: what is read from a response, wherever it is cut. The
 * recorded ones are Docker's; the fuzz target replays them as well. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>

#include "../../plugin/http_reader.h"
#include "../../policy/base/mem.h"
#include "../../policy/base/strbuf.h"

#define OK "HTTP/1.1 200 OK\r\n"
#define CHUNKED OK "Transfer-Encoding: chunked\r\n\r\n"

static int on_body(void *body, const char *data, size_t len, struct err *err)
{
	(void)err;
	assert_true(len > 0);
	strbuf_addf(body, "%.*s", (int)len, data);
	return 0;
}

static int feed(struct http_reader *reader, const char *text, size_t len, struct err *err)
{
	int r = http_reader_feed(reader, text, len, err);

	return r < 0 ? r : reader->part == HTTP_COMPLETE;
}

/* Cut in two at every place, and into single bytes. */
static void expect(const char *text, size_t len, int status, const char *body, bool hangs_up)
{
	for (size_t cut = 0; cut <= len; cut++) {
		AUTO(strbuf) struct strbuf got = { 0 };
		struct http_reader reader = { .body = on_body, .arg = &got };
		struct err err = { 0 };
		size_t step = cut ? cut : 1;
		int r = 0;

		for (size_t at = 0; at < len && r == 0; at += step) {
			if (cut && at)
				step = len - cut;
			r = feed(&reader, text + at, at + step < len ? step : len - at, &err);
		}
		if (r == 0 && hangs_up)
			r = http_reader_end(&reader, &err) == 0;
		if (r != 1 || reader.status != status || !streq(strbuf_text(&got), body))
			fail_msg("cut at %zu: %d (%s), status %d, body \"%s\" of:\n%s", cut, r,
				 err.text, reader.status, strbuf_text(&got), text);
	}
}

static void bodies_of_all_kinds(void **state)
{
	static const struct {
		const char *text;
		int status;
		const char *body;
		bool hangs_up;
	} rows[] = {
		{ OK "Content-Length: 5\r\n\r\nhello", 200, "hello", false },
		{ OK "content-length:5 \r\nX:\r\n\r\nhello and more", 200, "hello", false },
		{ OK "Content-Length: 0\r\n\r\n", 200, "", false },
		{ OK "\r\nhello", 200, "hello", true },
		{ OK "\r\n", 200, "", true },
		{ CHUNKED "5\r\nhello\r\n0\r\n\r\n", 200, "hello", false },
		{ CHUNKED "0005;a=b\r\nhello\r\n1 \r\n!\r\n0\r\nX: y\r\n\r\n", 200, "hello!",
		  false },
		{ CHUNKED "a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\nHTTP/1.1 500", 200,
		  "01234567890123456789", false },
		{ "HTTP/1.1 100 Continue\r\nX: y\r\n\r\n" OK "Content-Length: 2\r\n\r\n[]", 200,
		  "[]", false },
		{ "HTTP/1.0 200\nContent-Length: 2\n\n[]", 200, "[]", false },
		{ "HTTP/1.1 204 No Content\r\n\r\n", 204, "", false },
		/* Nobody wants the bodies of these, but where they end. */
		{ "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nlost", 404, "", false },
		{ "HTTP/1.1 500 X\r\nTransfer-Encoding: Chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n", 500,
		  "", false },
		{ "HTTP/1.1 301 X\r\n\r\nmoved", 301, "", true },
		/* The other way round it would be the next response that is read. */
		{ OK "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n",
		  200, "ab", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		expect(rows[i].text, strlen(rows[i].text), rows[i].status, rows[i].body,
		       rows[i].hangs_up);
}

static int read_all(const char *text, size_t step)
{
	AUTO(strbuf) struct strbuf got = { 0 };
	struct http_reader reader = { .body = on_body, .arg = &got };
	struct err err = { 0 };
	size_t len = strlen(text);
	int r = 0;

	for (size_t at = 0; at < len && r == 0; at += step)
		r = http_reader_feed(&reader, text + at, at + step < len ? step : len - at, &err);
	assert_true(r == 0 || (r == err.code && *err.text));
	return r;
}

static void what_is_no_response_is_refused(void **state)
{
	static const char *const texts[] = {
		"\r\n",
		"hello\r\n",
		"HTTP/2 200 OK\r\n",
		"HTTP/1.1 20 OK\r\n",
		"HTTP/1.1 2000 OK\r\n",
		"HTTP/1.1 099 OK\r\n",
		"HTTP/1.1  200 OK\r\n",
		"HTTP/1.1 200OK\r\n",
		"HTTP/1.1 +20 OK\r\n",
		OK "no colon\r\n",
		OK ": no name\r\n",
		OK "X: folded\r\n  header\r\n",
		OK "Content-Length: -1\r\n",
		OK "Content-Length: +1\r\n",
		OK "Content-Length: 0x1\r\n",
		OK "Content-Length: 1,1\r\n",
		OK "Content-Length: 1;1\r\n",
		OK "Content-Length:\r\n",
		OK "Content-Length: 99999999999999\r\n",
		OK "Content-Length: 99999999999999999999999\r\n",
		OK "Content-Length: 1\r\nContent-Length: 2\r\n",
		OK "Transfer-Encoding: gzip\r\n",
		OK "Transfer-Encoding: gzip, chunked\r\n",
		CHUNKED "\r\n",
		CHUNKED "x\r\n",
		CHUNKED "-1\r\n",
		CHUNKED "0x1\r\n",
		CHUNKED "1x\r\n",
		CHUNKED "fffffffffffffffff\r\n",
		CHUNKED "ffffffffffff\r\n",
		CHUNKED "1\r\nab\r\n",
		CHUNKED "1\r\na1\r\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		if (read_all(texts[i], 1) != -EPROTO || read_all(texts[i], SIZE_MAX / 2) != -EPROTO)
			fail_msg("taken: %s", texts[i]);
	}
}

static void a_head_has_a_limit(void **state)
{
	AUTO(strbuf) struct strbuf line = { 0 };
	AUTO(strbuf) struct strbuf lines = { 0 };
	AUTO(strbuf) struct strbuf fits = { 0 };

	(void)state;
	strbuf_addf(&line, OK "X: %01100d\r\n", 0);
	assert_int_equal(read_all(line.text, 1), -EPROTO);
	assert_int_equal(read_all(line.text, line.len), -EPROTO);
	strbuf_addf(&lines, OK);
	for (int i = 0; i < 95; i++)
		strbuf_addf(&lines, "X: %0160d\r\n", i);
	assert_int_equal(read_all(lines.text, lines.len), 0);
	strbuf_addf(&lines, "X: %01000d\r\n", 0);
	assert_int_equal(read_all(lines.text, lines.len), -EPROTO);
	/* Many chunks are not a long head. */
	strbuf_addf(&fits, CHUNKED);
	for (int i = 0; i < 10000; i++)
		strbuf_addf(&fits, "1\r\nx\r\n");
	assert_int_equal(read_all(fits.text, fits.len), 0);
}

static void an_end_in_between_is_noticed(void **state)
{
	static const char *const texts[] = {
		"",
		"HTTP/1.1 2",
		OK,
		OK "Content-Length: 2\r\n\r\n1",
		CHUNKED,
		CHUNKED "2\r\n1",
		CHUNKED "1\r\n1",
		CHUNKED "1\r\n1\r\n0\r\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		AUTO(strbuf) struct strbuf got = { 0 };
		struct http_reader reader = { .body = on_body, .arg = &got };
		struct err err;

		assert_int_equal(feed(&reader, texts[i], strlen(texts[i]), &err), 0);
		assert_int_equal(http_reader_end(&reader, &err), -ECONNRESET);
	}
}

static int refuse_body(void *arg, const char *data, size_t len, struct err *err)
{
	(void)arg, (void)data, (void)len;
	return err_set(err, -EMSGSIZE, "too much");
}

static void whoever_takes_the_body_can_end_it(void **state)
{
	struct http_reader reader = { .body = refuse_body };
	const char text[] = CHUNKED "1\r\nx";
	struct err err;

	(void)state;
	assert_int_equal(http_reader_feed(&reader, text, strlen(text), &err), -EMSGSIZE);
	assert_string_equal(err.text, "too much");
}

static char *load(const char *name)
{
	char path[128];
	char *text = xcalloc(1, 8192);
	FILE *file;

	snprintf(path, sizeof(path), "tests/fuzz/corpus/http/%s", name);
	file = fopen(path, "re");
	if (!file)
		fail_msg("%s: run this from the top of the repository", path);
	assert_true(fread(text, 1, 8191, file) > 0);
	fclose(file);
	return text;
}

static void what_docker_sent_is_understood(void **state)
{
	static const struct {
		const char *name;
		int status;
	} rows[] = {
		{ "20.10-networks", 200 }, { "20.10-version", 200 }, { "20.10-refused", 400 },
		{ "28.5-networks", 200 },  { "28.5-version", 200 },  { "28.5-refused", 400 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		AUTO_FREE char *text = load(rows[i].name);
		AUTO(strbuf) struct strbuf got = { 0 };
		struct http_reader reader = { .body = on_body, .arg = &got };
		struct err err;
		json_t *json;

		assert_int_equal(feed(&reader, text, strlen(text), &err), 1);
		assert_int_equal(reader.status, rows[i].status);
		expect(text, strlen(text), rows[i].status, strbuf_text(&got), false);
		json = json_loads(strbuf_text(&got), 0, NULL);
		assert_int_equal(json != NULL, rows[i].status == 200);
		json_decref(json);
	}
}

static void a_stream_is_read_as_it_comes(void **state)
{
	AUTO_FREE char *text = load("28.5-events");
	AUTO(strbuf) struct strbuf got = { 0 };
	struct http_reader reader = { .body = on_body, .arg = &got };
	const char *end = strstr(text, "\"destroy\"");
	struct err err;

	(void)state;
	assert_non_null(end);
	assert_int_equal(feed(&reader, text, (size_t)(end - text), &err), 0);
	assert_non_null(strstr(strbuf_text(&got), "\"create\""));
	assert_null(strstr(strbuf_text(&got), "\"destroy\""));
	assert_int_equal(feed(&reader, end, strlen(end), &err), 0);
	assert_non_null(strstr(strbuf_text(&got), "\"destroy\""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bodies_of_all_kinds),
		cmocka_unit_test(what_is_no_response_is_refused),
		cmocka_unit_test(a_head_has_a_limit),
		cmocka_unit_test(an_end_in_between_is_noticed),
		cmocka_unit_test(whoever_takes_the_body_can_end_it),
		cmocka_unit_test(what_docker_sent_is_understood),
		cmocka_unit_test(a_stream_is_read_as_it_comes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
