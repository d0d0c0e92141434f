/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See pace.h. */
#include "pace.h"

static bool is_quiet(const struct pace *pace, uint64_t now)
{
	return pace->repairs == 0 || now >= pace->last_ms + PACE_QUIET_MS;
}

uint64_t pace_due(struct pace *pace, uint64_t now)
{
	uint64_t due = now + PACE_DEBOUNCE_MS;

	if (is_quiet(pace, now))
		pace->repairs = 0;
	return due > pace->next_ms ? due : pace->next_ms;
}

/* Doubles with every repair once patience is at its end. */
static uint64_t wait_after(unsigned int repairs)
{
	uint64_t wait = 2 * PACE_DEBOUNCE_MS;

	if (repairs < PACE_PATIENCE)
		return 0;
	for (unsigned int i = PACE_PATIENCE; i < repairs && wait < PACE_SLOWEST_MS; i++)
		wait *= 2;
	return wait < PACE_SLOWEST_MS ? wait : PACE_SLOWEST_MS;
}

void pace_looked(struct pace *pace, uint64_t now, uint64_t took, bool repaired)
{
	uint64_t wait = PACE_REST_FACTOR * took;

	if (repaired) {
		if (is_quiet(pace, now))
			pace->repairs = 0;
		pace->repairs++;
		pace->last_ms = now;
		if (wait_after(pace->repairs) > wait)
			wait = wait_after(pace->repairs);
	}
	if (wait > PACE_SLOWEST_MS)
		wait = PACE_SLOWEST_MS;
	pace->next_ms = now + wait;
}

bool pace_is_fight(const struct pace *pace, uint64_t now)
{
	return pace->repairs >= PACE_PATIENCE && !is_quiet(pace, now);
}
