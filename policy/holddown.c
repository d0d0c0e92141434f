/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See holddown.h. */
#include "holddown.h"

void holddown_lost(struct holddown *hold, uint64_t now)
{
	if (now >= hold->up_since_ms + HOLDDOWN_STEADY_MS)
		hold->losses = 0;
	hold->losses++;
}

uint64_t holddown_back(struct holddown *hold, uint64_t now)
{
	uint64_t wait = HOLDDOWN_FIRST_MS;

	hold->up_since_ms = now;
	if (hold->losses == 0)
		return 0;
	for (unsigned int i = 1; i < hold->losses && wait < HOLDDOWN_LONGEST_MS; i++)
		wait *= 2;
	return wait < HOLDDOWN_LONGEST_MS ? wait : HOLDDOWN_LONGEST_MS;
}
