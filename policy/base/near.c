/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See near.h. Counts the letters to insert, remove, replace or swap (optimal string alignment). */
#include "near.h"

#include <stdint.h>
#include <string.h>

/* Keeps the table on the stack; no word of ours is longer. */
#define LONGEST 64

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Both at most LONGEST letters. */
static size_t distance(const char *a, const char *b)
{
	size_t rows[3][LONGEST + 1];
	size_t len_a = strlen(a), len_b = strlen(b);

	for (size_t j = 0; j <= len_b; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= len_a; i++) {
		size_t *row = rows[i % 3];
		const size_t *above = rows[(i - 1) % 3], *above2 = rows[(i + 1) % 3];

		row[0] = i;
		for (size_t j = 1; j <= len_b; j++) {
			row[j] = least(least(above[j], row[j - 1]) + 1,
				       above[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = least(row[j], above2[j - 2] + 1);
		}
	}
	return rows[len_a % 3][len_b];
}

struct near near_begin(const char *word)
{
	return (struct near){ .word = word, .distance = SIZE_MAX };
}

void near_offer(struct near *near, const char *candidate)
{
	/* One slip for a short word, two for others: "mtu" is not "icc". */
	size_t limit = strlen(candidate) < 4 ? 1 : 2;
	size_t slips;

	if (strlen(near->word) > LONGEST || strlen(candidate) > LONGEST)
		return;
	slips = distance(near->word, candidate);
	if (slips <= limit && slips < near->distance) {
		near->best = candidate;
		near->distance = slips;
	}
}
