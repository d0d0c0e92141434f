/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See call_times.h. */
#include "call_times.h"

#include <stdio.h>
#include <time.h>

#include "../policy/base/mem.h"

uint64_t call_clock_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static struct call_time *find(struct call_times *times, const char *method)
{
	struct call_time *fresh;

	for (size_t i = 0; i < times->n; i++)
		if (streq(times->methods[i].method, method))
			return &times->methods[i];
	if (times->n == CALL_METHODS || strlen(method) >= sizeof(fresh->method))
		return NULL;
	fresh = &times->methods[times->n++];
	*fresh = (struct call_time){ 0 };
	snprintf(fresh->method, sizeof(fresh->method), "%s", method);
	return fresh;
}

static size_t bucket_of(uint64_t us)
{
	size_t bucket = us ? 64 - (size_t)__builtin_clzll(us) : 0;

	return bucket < CALL_BUCKETS ? bucket : CALL_BUCKETS - 1;
}

void call_times_add(struct call_times *times, const char *path, uint64_t us)
{
	const char *dot = strrchr(path, '.');
	struct call_time *time = dot ? find(times, dot + 1) : NULL;

	if (!time)
		return;
	time->count++;
	time->total_us += us;
	if (us > time->slowest_us)
		time->slowest_us = us;
	time->buckets[bucket_of(us)]++;
}

static json_t *encode_buckets(const struct call_time *time)
{
	json_t *object = mem_check(json_object());

	for (size_t i = 0; i < CALL_BUCKETS; i++) {
		char limit[24] = "more";

		if (!time->buckets[i])
			continue;
		if (i + 1 < CALL_BUCKETS)
			snprintf(limit, sizeof(limit), "%llu", 1ull << i);
		json_object_set_new(object, limit, json_integer((json_int_t)time->buckets[i]));
	}
	return object;
}

json_t *call_times_encode(const struct call_times *times)
{
	json_t *object = mem_check(json_object());

	for (size_t i = 0; i < times->n; i++) {
		const struct call_time *time = &times->methods[i];

		json_object_set_new(object, time->method,
				    mem_check(json_pack("{s:I, s:I, s:I, s:o}", "count",
							(json_int_t)time->count, "total_us",
							(json_int_t)time->total_us, "slowest_us",
							(json_int_t)time->slowest_us, "below_us",
							encode_buckets(time))));
	}
	return object;
}
