/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How long the client waited for us: one histogram for each method that it called. Of the calls
 * alone, without the wait until the daemon gets to them and without HTTP. */
#pragma once

#include <jansson.h>
#include <stdint.h>

#define CALL_METHODS 16
#define CALL_BUCKETS 25

struct call_time {
	char method[32];
	uint64_t count, total_us, slowest_us;
	/* [i]: took less than 2^i microseconds, and not less than half of that. The last one has
	 * everything above. */
	uint64_t buckets[CALL_BUCKETS];
};

struct call_times {
	struct call_time methods[CALL_METHODS];
	size_t n;
};

/* Of a clock that is never set. */
uint64_t call_clock_us(void);

/* path: as in the request, "/NetworkDriver.Join". More methods than there are places for are not
 * counted. */
void call_times_add(struct call_times *times, const char *path, uint64_t us);

/* An object, by method. */
json_t *call_times_encode(const struct call_times *times);
