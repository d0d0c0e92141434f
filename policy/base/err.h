/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An error is a negative errno for code and one sentence for people. The sentence lives in a fixed
 * buffer, so that failing cannot fail. Docker prints it verbatim: key, value, reason, fix. */
#pragma once

struct err {
	int code; /* negative errno, 0 while nothing went wrong */
	char text[512];
};

/* Each returns the code, so that a caller can write `return err_set(err, -EINVAL, "...")`. */
int err_set(struct err *err, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Like err_set(), with ": <strerror(-code)>" appended. */
int err_errno(struct err *err, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Appends "; format" to the sentence that is there: what to do about it. */
int err_advise(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Puts "format: " in front of the sentence that is there. */
int err_wrap(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));
