/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How fast to put back what others change of ours: at once, unless they never stop. Pure: time is
 * passed in, in milliseconds of any clock that only goes forward. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* After the first sign: a change seldom comes alone. */
#define PACE_DEBOUNCE_MS 10
/* So many repairs without a quiet time between any two of them are a fight. */
#define PACE_PATIENCE 10
#define PACE_QUIET_MS 10000
/* However long it lasts, and however much we wait for ourselves: the bounded rate. */
#define PACE_SLOWEST_MS 2000
/* Looking must not take more than a quarter of our time: driver calls wait meanwhile. */
#define PACE_REST_FACTOR 3

struct pace {
	unsigned int repairs; /* in a row */
	uint64_t last_ms;     /* when the last of them was done */
	uint64_t next_ms;     /* not before */
};

/* There is a sign at now: when is the time to look? */
uint64_t pace_due(struct pace *pace, uint64_t now);
/* A look has ended at now and taken so long; was there anything to repair? */
void pace_looked(struct pace *pace, uint64_t now, uint64_t took, bool repaired);
/* Do others undo our repairs again and again? */
bool pace_is_fight(const struct pace *pace, uint64_t now);
