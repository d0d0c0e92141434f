/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See strbuf.h. */
#include "strbuf.h"

#include <stdarg.h>
#include <stdio.h>

#include "mem.h"

void strbuf_addf(struct strbuf *buf, const char *format, ...)
{
	va_list args;
	int added;

	va_start(args, format);
	added = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (added < 0)
		return;
	if (buf->len + (size_t)added + 1 > buf->size) {
		buf->size = (buf->len + (size_t)added + 1) * 2;
		buf->text = xreallocarray(buf->text, buf->size, 1);
	}
	va_start(args, format);
	vsnprintf(buf->text + buf->len, buf->size - buf->len, format, args);
	va_end(args);
	buf->len += (size_t)added;
}

const char *strbuf_text(const struct strbuf *buf)
{
	return buf->text ? buf->text : "";
}

char *strbuf_take(struct strbuf *buf)
{
	char *text = buf->text ? buf->text : xstrdup("");

	*buf = (struct strbuf){ 0 };
	return text;
}

void strbuf_done(struct strbuf *buf)
{
	free(buf->text);
	*buf = (struct strbuf){ 0 };
}
