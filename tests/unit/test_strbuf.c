/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of policy/base/strbuf.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../policy/base/mem.h"
#include "../../policy/base/strbuf.h"

static void an_empty_buffer_is_an_empty_text(void **state)
{
	AUTO(strbuf) struct strbuf buf = { 0 };
	AUTO_FREE char *taken = NULL;

	(void)state;
	assert_string_equal(strbuf_text(&buf), "");
	strbuf_addf(&buf, "%s", "");
	assert_string_equal(strbuf_text(&buf), "");
	strbuf_done(&buf);
	taken = strbuf_take(&buf);
	assert_string_equal(taken, "");
}

static void text_is_added_at_the_end_whatever_its_size(void **state)
{
	AUTO(strbuf) struct strbuf buf = { 0 };

	(void)state;
	for (size_t i = 0; i < 1000; i++)
		strbuf_addf(&buf, "%05zu", i);
	assert_int_equal(buf.len, 5000);
	assert_int_equal(strlen(strbuf_text(&buf)), 5000);
	assert_memory_equal(strbuf_text(&buf) + 4995, "00999", 6);
	strbuf_addf(&buf, "%20000d", 7);
	assert_int_equal(strlen(strbuf_text(&buf)), 25000);
}

static void a_taken_text_outlives_the_buffer_which_is_empty_then(void **state)
{
	AUTO(strbuf) struct strbuf buf = { 0 };
	AUTO_FREE char *taken = NULL;

	(void)state;
	strbuf_addf(&buf, "%s-%d", "one", 2);
	taken = strbuf_take(&buf);
	assert_int_equal(buf.len, 0);
	strbuf_addf(&buf, "three");
	assert_string_equal(taken, "one-2");
	assert_string_equal(strbuf_text(&buf), "three");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_buffer_is_an_empty_text),
		cmocka_unit_test(text_is_added_at_the_end_whatever_its_size),
		cmocka_unit_test(a_taken_text_outlives_the_buffer_which_is_empty_then),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
