/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How long something that was away has to stay before it is trusted again. Pure: time is passed in,
 * in milliseconds of any clock that only goes forward. */
#pragma once

#include <stdint.h>

#define HOLDDOWN_FIRST_MS 2000
#define HOLDDOWN_LONGEST_MS 60000
/* Who stayed so long begins anew. */
#define HOLDDOWN_STEADY_MS 120000

struct holddown {
	unsigned int losses; /* of late */
	uint64_t up_since_ms;
};

void holddown_lost(struct holddown *hold, uint64_t now);
/* It is there. How long to wait: 0 the first time, and longer with every loss of late. */
uint64_t holddown_back(struct holddown *hold, uint64_t now);
