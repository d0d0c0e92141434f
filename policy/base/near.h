/* SPDX-License-Identifier: GPL-2.0-or-later */
/* "Did you mean": which of some words a mistyped one was probably meant to be. */
#pragma once

#include <stddef.h>

/* A search over words that the caller walks through, wherever they are kept. */
struct near {
	const char *word;
	const char *best; /* one of the words offered, or NULL: nothing is close enough */
	size_t distance;
};

struct near near_begin(const char *word);
void near_offer(struct near *near, const char *candidate);
