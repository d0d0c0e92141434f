/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of plugin/call_times.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "../../plugin/call_times.h"
#include "../../policy/base/mem.h"

static void each_call_is_counted_once(void **state)
{
	static const struct {
		uint64_t us;
		const char *below;
	} rows[] = {
		{ 0, "1" },          { 1, "2" },
		{ 2, "4" },          { 3, "4" },
		{ 4, "8" },          { 1023, "1024" },
		{ 1024, "2048" },    { 8388607, "8388608" },
		{ 8388608, "more" }, { UINT32_MAX, "more" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct call_times times = { 0 };
		json_t *object, *join, *below;

		call_times_add(&times, "/NetworkDriver.Join", rows[i].us);
		object = call_times_encode(&times);
		join = json_object_get(object, "Join");
		below = json_object_get(join, "below_us");
		assert_int_equal(json_integer_value(json_object_get(join, "count")), 1);
		assert_int_equal(json_integer_value(json_object_get(join, "total_us")), rows[i].us);
		assert_int_equal(json_object_size(below), 1);
		assert_int_equal(json_integer_value(json_object_get(below, rows[i].below)), 1);
		json_decref(object);
	}
}

static void methods_are_apart(void **state)
{
	struct call_times times = { 0 };
	json_t *object, *join;

	(void)state;
	call_times_add(&times, "/NetworkDriver.Join", 5);
	call_times_add(&times, "/NetworkDriver.Leave", 100);
	call_times_add(&times, "/NetworkDriver.Join", 7);
	call_times_add(&times, "nothing", 1);
	object = call_times_encode(&times);
	join = json_object_get(object, "Join");
	assert_int_equal(json_object_size(object), 2);
	assert_int_equal(json_integer_value(json_object_get(join, "count")), 2);
	assert_int_equal(json_integer_value(json_object_get(join, "total_us")), 12);
	assert_int_equal(json_integer_value(json_object_get(join, "slowest_us")), 7);
	json_decref(object);
}

static void no_more_methods_than_there_is_room_for(void **state)
{
	struct call_times times = { 0 };
	char path[64];

	(void)state;
	for (int i = 0; i < 2 * CALL_METHODS; i++) {
		snprintf(path, sizeof(path), "/NetworkDriver.%d", i);
		call_times_add(&times, path, 1);
	}
	snprintf(path, sizeof(path), "/NetworkDriver.%040d", 0);
	call_times_add(&times, path, 1);
	assert_int_equal(times.n, CALL_METHODS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_call_is_counted_once),
		cmocka_unit_test(methods_are_apart),
		cmocka_unit_test(no_more_methods_than_there_is_room_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
