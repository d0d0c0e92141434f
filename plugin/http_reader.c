/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See http_reader.h. Takes less than the standard allows: there is one client and two known
 * servers, and what is unusual is more likely to be an error. */
#include "http_reader.h"

#include <ctype.h>
#include <errno.h>
#include <strings.h>

#include "../policy/base/mem.h"

/* Of all lines together, and of a body: far above what is read here, far below an overflow. */
#define HEAD_MAX 16384
#define LENGTH_MAX (1ull << 40)

static int refuse(struct err *err, const char *what)
{
	return err_set(err, -EPROTO, "the answer is not HTTP: %s", what);
}

static int parse_number(const char *text, int base, uint64_t *ret_number)
{
	char *end;

	/* strtoull() would take signs and spaces, too. */
	if (base == 16 ? !isxdigit((unsigned char)*text) : !isdigit((unsigned char)*text))
		return -EINVAL;
	if (base == 16 && (text[1] == 'x' || text[1] == 'X'))
		return -EINVAL;
	errno = 0;
	*ret_number = strtoull(text, &end, base);
	end += strspn(end, " \t");
	/* A chunk's size may be followed by an extension. */
	if (errno || *ret_number > LENGTH_MAX || (*end && !(base == 16 && *end == ';')))
		return -EINVAL;
	return 0;
}

static int read_status(struct http_reader *reader, struct err *err)
{
	const char *line = reader->line;

	if (strncmp(line, "HTTP/1.", 7) != 0 || !isdigit((unsigned char)line[7]) ||
	    line[8] != ' ' || strspn(line + 9, "0123456789") != 3 || (line[12] && line[12] != ' '))
		return refuse(err, "its first line is no status");
	reader->status = atoi(line + 9);
	if (reader->status < 100)
		return refuse(err, "its first line is no status");
	reader->part = HTTP_HEADERS;
	return 0;
}

static int read_header(struct http_reader *reader, struct err *err)
{
	char *colon = strchr(reader->line, ':');
	const char *value;
	uint64_t length;

	if (!colon || colon == reader->line || isspace((unsigned char)*reader->line))
		return refuse(err, "a header has no name");
	*colon = '\0';
	value = colon + 1 + strspn(colon + 1, " \t");
	if (strcasecmp(reader->line, "Content-Length") == 0) {
		if (parse_number(value, 10, &length) < 0 ||
		    (reader->has_length && reader->left != length))
			return refuse(err, "its length is no number");
		reader->has_length = true;
		reader->left = length;
	} else if (strcasecmp(reader->line, "Transfer-Encoding") == 0) {
		if (strcasecmp(value, "chunked") != 0)
			return refuse(err, "its encoding is not known");
		reader->chunked = true;
	}
	return 0;
}

static void end_headers(struct http_reader *reader)
{
	if (reader->status < 200) {
		/* "Continue" and the like: the response is still to come. */
		reader->part = HTTP_STATUS_LINE;
		reader->status = 0;
		reader->chunked = reader->has_length = false;
		reader->left = 0;
	} else if (reader->status == 204 || reader->status == 304) {
		reader->part = HTTP_COMPLETE;
	} else if (reader->chunked) {
		reader->part = HTTP_CHUNK_SIZE;
	} else if (reader->has_length) {
		reader->part = reader->left ? HTTP_BODY : HTTP_COMPLETE;
	} else {
		reader->part = HTTP_BODY_TO_END;
	}
}

static int read_chunk_size(struct http_reader *reader, struct err *err)
{
	if (parse_number(reader->line, 16, &reader->left) < 0)
		return refuse(err, "the size of a chunk is no number");
	reader->part = reader->left ? HTTP_CHUNK : HTTP_TRAILERS;
	/* Chunks without end are a body, not a head. */
	reader->head = 0;
	return 0;
}

static int read_line(struct http_reader *reader, struct err *err)
{
	switch (reader->part) {
	case HTTP_STATUS_LINE:
		return read_status(reader, err);
	case HTTP_HEADERS:
		if (*reader->line)
			return read_header(reader, err);
		end_headers(reader);
		return 0;
	case HTTP_CHUNK_SIZE:
		return read_chunk_size(reader, err);
	case HTTP_CHUNK_END:
		reader->part = HTTP_CHUNK_SIZE;
		return *reader->line ? refuse(err, "a chunk is longer than announced") : 0;
	case HTTP_TRAILERS:
		if (!*reader->line)
			reader->part = HTTP_COMPLETE;
		return 0;
	case HTTP_BODY:
	case HTTP_BODY_TO_END:
	case HTTP_CHUNK:
	case HTTP_COMPLETE:
		break;
	}
	return 0;
}

/* Up to the end of the line; returns how much was taken. */
static ssize_t feed_line(struct http_reader *reader, const char *data, size_t len, struct err *err)
{
	const char *end = memchr(data, '\n', len);
	size_t n = end ? (size_t)(end - data) : len;
	int r;

	reader->head += n + (end != NULL);
	if (reader->len + n >= sizeof(reader->line) || reader->head > HEAD_MAX)
		return refuse(err, "its head is too long");
	if (memchr(data, '\0', n))
		return refuse(err, "there is a zero in its head");
	memcpy(reader->line + reader->len, data, n);
	reader->len += n;
	if (!end)
		return (ssize_t)n;
	if (reader->len && reader->line[reader->len - 1] == '\r')
		reader->len--;
	reader->line[reader->len] = '\0';
	reader->len = 0;
	r = read_line(reader, err);
	return r < 0 ? r : (ssize_t)n + 1;
}

static ssize_t feed_body(struct http_reader *reader, const char *data, size_t len, struct err *err)
{
	size_t n = reader->part != HTTP_BODY_TO_END && reader->left < len ? (size_t)reader->left
									  : len;

	if (reader->status == 200) {
		int r = reader->body(reader->arg, data, n, err);

		if (r < 0)
			return r;
	}
	if (reader->part == HTTP_BODY_TO_END)
		return (ssize_t)n;
	reader->left -= n;
	if (!reader->left)
		reader->part = reader->part == HTTP_CHUNK ? HTTP_CHUNK_END : HTTP_COMPLETE;
	return (ssize_t)n;
}

int http_reader_feed(struct http_reader *reader, const char *data, size_t len, struct err *err)
{
	while (len && reader->part != HTTP_COMPLETE) {
		bool body = reader->part == HTTP_BODY || reader->part == HTTP_BODY_TO_END ||
			    reader->part == HTTP_CHUNK;
		ssize_t n = body ? feed_body(reader, data, len, err)
				 : feed_line(reader, data, len, err);

		if (n < 0)
			return (int)n;
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

int http_reader_end(struct http_reader *reader, struct err *err)
{
	if (reader->part == HTTP_BODY_TO_END)
		reader->part = HTTP_COMPLETE;
	if (reader->part == HTTP_COMPLETE)
		return 0;
	return err_set(err, -ECONNRESET, "the connection ended before the answer did");
}
