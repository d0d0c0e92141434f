/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of policy/base/near.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../policy/base/mem.h"
#include "../../policy/base/near.h"

static void a_slip_of_the_finger_is_recognised(void **state)
{
	static const char *const words[] = { "policy", "mtu", "icc", "tailnet", "override" };
	static const struct {
		const char *typed, *meant;
	} rows[] = {
		{ "policy", "policy" },    { "polcy", "policy" },
		{ "ploicy", "policy" },    { "policies", NULL },
		{ "Policy", "policy" },    { "mut", "mtu" },
		{ "mtus", "mtu" },         { "m", NULL },
		{ "ic", "icc" },           { "", NULL },
		{ "tail-net", "tailnet" }, { "overide", "override" },
		{ "overid", "override" },  { "xyz", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct near near = near_begin(rows[i].typed);

		for (size_t j = 0; j < ARRAY_SIZE(words); j++)
			near_offer(&near, words[j]);
		if ((near.best != NULL) != (rows[i].meant != NULL) ||
		    (near.best && !streq(near.best, rows[i].meant)))
			fail_msg("\"%s\": \"%s\"", rows[i].typed, near.best ? near.best : "");
	}
}

static void the_nearest_of_several_is_recognised(void **state)
{
	static const char *const orders[][2] = { { "lanes", "planes" }, { "planes", "lanes" } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(orders); i++) {
		struct near near = near_begin("lane");

		near_offer(&near, orders[i][0]);
		near_offer(&near, orders[i][1]);
		assert_string_equal(near.best, "lanes");
	}
}

static void a_word_of_any_length_may_be_asked_for(void **state)
{
	char word[300];

	(void)state;
	for (size_t len = 0; len < sizeof(word); len++) {
		struct near near;

		memset(word, 'p', len);
		word[len] = '\0';
		near = near_begin(word);
		near_offer(&near, "policy");
		near_offer(&near, word);
		assert_true(near.best == NULL || near.best == word);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_slip_of_the_finger_is_recognised),
		cmocka_unit_test(the_nearest_of_several_is_recognised),
		cmocka_unit_test(a_word_of_any_length_may_be_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
