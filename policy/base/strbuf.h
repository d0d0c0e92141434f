/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text that grows at its end. */
#pragma once

#include <stddef.h>

struct strbuf {
	char *text; /* NULL while empty */
	size_t len;
	size_t size;
};

void strbuf_addf(struct strbuf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
const char *strbuf_text(const struct strbuf *buf); /* never NULL */
char *strbuf_take(struct strbuf *buf);             /* never NULL; the caller frees */
void strbuf_done(struct strbuf *buf);
