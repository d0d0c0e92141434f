/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of policy/model/option.c: a typo or an omission must never mean open. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../policy/base/mem.h"
#include "../../policy/model/option.h"

static void refused(const char *key, const char *value, const char *wanted)
{
	struct network network, before;
	struct err err = { 0 };

	memset(&network, 0x55, sizeof(network));
	before = network;
	if (option_set(&network, key, value, &err) >= 0)
		fail_msg("%s=%s was taken", key, value);
	assert_true(err.code < 0);
	if (!strstr(err.text, wanted))
		fail_msg("%s=%s: \"%s\" does not say \"%s\"", key, value, err.text, wanted);
	assert_memory_equal(&network, &before, sizeof(network));
}

/* The whole end: nothing that is not available is offered. */
static void only_what_is_available_is_offered(void **state)
{
	struct network network = { 0 };
	struct err err;

	(void)state;
	assert_true(option_set(&network, "xyz", "", &err) < 0);
	assert_string_equal(strstr(err.text, "valid ones are"), "valid ones are policy, mtu, icc");
}

static struct network accepted(const char *key, const char *value)
{
	struct network network = { .policy = POLICY_ISOLATED, .mtu = 1 };
	struct err err = { 0 };

	if (option_set(&network, key, value, &err) < 0)
		fail_msg("%s=%s: %s", key, value, err.text);
	return network;
}

static void open_is_the_one_policy(void **state)
{
	(void)state;
	assert_int_equal(accepted("policy", "open").policy, POLICY_OPEN);
	assert_int_equal(accepted("tailexit.policy", "open").policy, POLICY_OPEN);
}

static void a_policy_of_a_later_version_is_refused_and_named(void **state)
{
	static const char *const later[] = { "killswitch", "bypass", "isolated" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(later); i++) {
		refused("policy", later[i], "is not available in this version: only \"open\" is");
		refused("policy", later[i], later[i]);
	}
}

static void what_is_no_policy_is_refused_with_what_is(void **state)
{
	static const char *const wrong[] = { "", "Open", "OPEN", "open ", " open", "opne", "none" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		refused("policy", wrong[i], "use open");
}

static void an_mtu_is_auto_or_a_number_in_range(void **state)
{
	static const char *const wrong[] = {
		"",      "67",  "65536", "-1",         "+1500", "1500 ",
		"0x5dc", "1e3", "Auto",  "4294967364", "none",  "99999999999999999999"
	};

	(void)state;
	assert_int_equal(accepted("mtu", "auto").mtu, 0);
	assert_int_equal(accepted("mtu", "68").mtu, 68);
	assert_int_equal(accepted("mtu", "65535").mtu, 65535);
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		refused("mtu", wrong[i], "use auto or a number from 68 to 65535");
}

static void icc_is_true_or_false_in_the_usual_spellings(void **state)
{
	static const char *const yes[] = { "1", "t", "T", "TRUE", "true", "True" };
	static const char *const no[] = { "0", "f", "F", "FALSE", "false", "False" };
	static const char *const wrong[] = { "", "yes", "on", "tRUE", "2", "true " };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(yes); i++) {
		assert_true(accepted("icc", yes[i]).icc);
		assert_false(accepted("icc", no[i]).icc);
	}
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		refused("icc", wrong[i], "true");
}

static void words_of_later_versions_are_known_and_refused(void **state)
{
	static const char *const words[] = { "via", "lan",  "tailnet", "host",
					     "dns", "mark", "ipv6",    "override" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		assert_non_null(option_find(words[i]));
		refused(words[i], "auto", "is not available in this version; remove it");
		refused(words[i], "auto", words[i]);
	}
}

static void an_unknown_word_is_refused_with_the_valid_ones_and_a_guess(void **state)
{
	(void)state;
	refused("polcy", "open", "(did you mean \"policy\"?); valid ones are policy, mtu, icc");
	refused("tailexit.mut", "1500", "did you mean \"mtu\"?");
	refused("Policy", "open", "did you mean \"policy\"?");
	refused("", "open", "valid ones are policy");
	refused("tailexit.", "open", "valid ones are policy");
	refused("tailexit.tailexit.policy", "open", "valid ones are policy");
	refused("exit-node", "open", "is not known; valid");
}

static void a_text_of_any_length_is_refused_with_a_whole_sentence(void **state)
{
	char text[2000];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	refused(text, "open", "valid ones are policy, mtu, icc");
	refused("policy", text, "use open");
	refused("mtu", text, "65535");
}

static void every_row_of_the_table_says_what_it_is(void **state)
{
	size_t n = 0;

	(void)state;
	for (const struct option *option = option_table; option->key; option++, n++) {
		assert_ptr_equal(option_find(option->key), option);
		assert_true(option->values && *option->values);
		assert_true(option->help && *option->help);
	}
	assert_int_equal(n, 11);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(open_is_the_one_policy),
		cmocka_unit_test(a_policy_of_a_later_version_is_refused_and_named),
		cmocka_unit_test(what_is_no_policy_is_refused_with_what_is),
		cmocka_unit_test(an_mtu_is_auto_or_a_number_in_range),
		cmocka_unit_test(icc_is_true_or_false_in_the_usual_spellings),
		cmocka_unit_test(words_of_later_versions_are_known_and_refused),
		cmocka_unit_test(an_unknown_word_is_refused_with_the_valid_ones_and_a_guess),
		cmocka_unit_test(only_what_is_available_is_offered),
		cmocka_unit_test(a_text_of_any_length_is_refused_with_a_whole_sentence),
		cmocka_unit_test(every_row_of_the_table_says_what_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
