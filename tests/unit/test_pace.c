/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of policy/pace.c and policy/holddown.c: time is made up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../policy/base/mem.h"
#include "../../policy/holddown.h"
#include "../../policy/pace.h"

static void the_first_repairs_are_quick(void **state)
{
	struct pace pace = { 0 };
	uint64_t now = 1000;

	(void)state;
	for (int i = 1; i < PACE_PATIENCE; i++) {
		assert_int_equal(pace_due(&pace, now), now + PACE_DEBOUNCE_MS);
		now += PACE_DEBOUNCE_MS;
		pace_looked(&pace, now, 0, true);
		assert_false(pace_is_fight(&pace, now));
	}
	pace_looked(&pace, now, 0, true);
	assert_true(pace_is_fight(&pace, now));
}

/* Undone as soon as they are done: how many repairs are there in a minute? */
static void a_fight_has_a_bounded_rate(void **state)
{
	struct pace pace = { 0 };
	uint64_t now = 1000;
	int repairs = 0, late = 0;

	(void)state;
	while (now < 61000) {
		now = pace_due(&pace, now);
		pace_looked(&pace, now, 1, true);
		repairs++;
		late += now > 31000;
	}
	assert_true(repairs < PACE_PATIENCE + 10 + 60000 / PACE_SLOWEST_MS);
	assert_true(late <= 30000 / PACE_SLOWEST_MS + 1);
	assert_true(late >= 30000 / PACE_SLOWEST_MS - 2); /* and not given up */
	assert_true(pace_is_fight(&pace, now));
}

static void after_a_quiet_time_all_is_forgotten(void **state)
{
	struct pace pace = { 0 };
	uint64_t now = 1000;

	(void)state;
	for (int i = 0; i < 100; i++) {
		now = pace_due(&pace, now);
		pace_looked(&pace, now, 1, true);
	}
	assert_true(pace_is_fight(&pace, now + PACE_QUIET_MS - 1));
	assert_false(pace_is_fight(&pace, now + PACE_QUIET_MS));
	now += PACE_QUIET_MS;
	assert_int_equal(pace_due(&pace, now), now + PACE_DEBOUNCE_MS);
	pace_looked(&pace, now + PACE_DEBOUNCE_MS, 0, true);
	assert_false(pace_is_fight(&pace, now + PACE_DEBOUNCE_MS));
}

/* Once in a while is no fight, however often. */
static void what_happens_seldom_is_no_fight(void **state)
{
	struct pace pace = { 0 };

	(void)state;
	for (uint64_t now = 1000; now < 1000 * PACE_QUIET_MS; now += PACE_QUIET_MS + 100) {
		assert_int_equal(pace_due(&pace, now), now + PACE_DEBOUNCE_MS);
		pace_looked(&pace, now + PACE_DEBOUNCE_MS, 2, true);
		assert_false(pace_is_fight(&pace, now + PACE_DEBOUNCE_MS));
	}
}

/* Looking takes a quarter of the time at most, whether or not something is found. */
static void looking_leaves_time_for_others(void **state)
{
	struct pace pace = { 0 };
	uint64_t now = 1000, busy = 0;

	(void)state;
	while (now < 61000) {
		now = pace_due(&pace, now) + 40;
		pace_looked(&pace, now, 40, false);
		assert_false(pace_is_fight(&pace, now));
		busy += 40;
	}
	assert_true(busy <= 60000 / 4 + 40);
	pace_looked(&pace, now, 5000, false); /* even then it is looked again soon */
	assert_int_equal(pace_due(&pace, now), now + PACE_SLOWEST_MS);
}

static void the_first_time_nothing_rests(void **state)
{
	struct holddown hold = { 0 };

	(void)state;
	assert_int_equal(holddown_back(&hold, 5000), 0);
}

static void who_comes_back_rests_longer_every_time(void **state)
{
	struct holddown hold = { 0 };
	uint64_t now = 5000, expected = HOLDDOWN_FIRST_MS;

	(void)state;
	(void)holddown_back(&hold, now);
	for (int i = 0; i < 10; i++) {
		now += 100;
		holddown_lost(&hold, now);
		now += 100;
		assert_int_equal(holddown_back(&hold, now), expected);
		expected = 2 * expected < HOLDDOWN_LONGEST_MS ? 2 * expected : HOLDDOWN_LONGEST_MS;
	}
	assert_int_equal(expected, HOLDDOWN_LONGEST_MS);
	now += HOLDDOWN_STEADY_MS;
	holddown_lost(&hold, now);
	assert_int_equal(holddown_back(&hold, now + 100), HOLDDOWN_FIRST_MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_repairs_are_quick),
		cmocka_unit_test(a_fight_has_a_bounded_rate),
		cmocka_unit_test(after_a_quiet_time_all_is_forgotten),
		cmocka_unit_test(what_happens_seldom_is_no_fight),
		cmocka_unit_test(looking_leaves_time_for_others),
		cmocka_unit_test(the_first_time_nothing_rests),
		cmocka_unit_test(who_comes_back_rests_longer_every_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
