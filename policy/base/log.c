/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See log.h. */
#include "log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "mem.h"

/* clang-format off */
static const char *const level_names[] = {
	[LOG_LEVEL_ERROR] = "error",
	[LOG_LEVEL_WARN] = "warn",
	[LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_DEBUG] = "debug",
};
/* clang-format on */

static enum log_level max_level = LOG_LEVEL_INFO;

int log_set_level(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(level_names); i++) {
		if (streq(level_names[i], name)) {
			max_level = i;
			return 0;
		}
	}
	return -EINVAL;
}

void log_line(enum log_level level, const char *format, ...)
{
	int saved_errno = errno;
	char text[1024];
	va_list args;

	if (level > max_level)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	/* One write, so that lines of several writers never mix. */
	fprintf(stderr, "%s: %s\n", level_names[level], text);
	errno = saved_errno;
}
