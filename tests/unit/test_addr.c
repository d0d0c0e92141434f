/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of policy/base/addr.c. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../../policy/base/addr.h"
#include "../../policy/base/mem.h"

static struct addr addr(const char *text)
{
	struct addr result = { 0 };

	if (addr_parse(&result, text) < 0)
		fail_msg("\"%s\" is not an address", text);
	return result;
}

static struct prefix prefix(const char *text)
{
	struct prefix result = { 0 };

	if (*text && prefix_parse(&result, text) < 0)
		fail_msg("\"%s\" is not a prefix", text);
	return result;
}

static void an_address_is_printed_as_it_was_read(void **state)
{
	static const char *const texts[] = { "0.0.0.0", "10.0.0.7", "255.255.255.255",
					     "::",      "::1",      "fd7a:115c:a1e0::53" };
	struct addr_text text;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct addr value = addr(texts[i]);

		assert_string_equal(addr_print(&value, &text), texts[i]);
	}
}

static void what_is_no_address_is_refused_and_changes_nothing(void **state)
{
	static const char *const texts[] = {
		"",           " ",         "10.0.0",    "10.0.0.256",
		"10.0.0.1 ",  " 10.0.0.1", "010.0.0.1", "10.0.0.0/8",
		"fe80::1%lo", ":::",       "1::2::3",   "host",
		"0x7f.1",     "1.2.3.4.5", "::g",       "1:2:3:4:5:6:7:8:9",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct addr value = addr("192.0.2.1");
		struct addr before = value;

		if (addr_parse(&value, texts[i]) != -EINVAL)
			fail_msg("\"%s\" was taken for an address", texts[i]);
		assert_memory_equal(&value, &before, sizeof(value));
	}
}

static void bytes_after_an_ipv4_address_are_zero(void **state)
{
	struct addr value;

	(void)state;
	memset(&value, 0xff, sizeof(value));
	assert_int_equal(addr_parse(&value, "1.2.3.4"), 0);
	for (size_t i = 4; i < sizeof(value.bytes); i++)
		assert_int_equal(value.bytes[i], 0);
}

static void a_prefix_keeps_its_host_bits_and_is_printed_with_them(void **state)
{
	static const char *const texts[] = { "10.0.0.7/24", "0.0.0.0/0", "10.0.0.0/32",
					     "fd00::1/64",  "::/0",      "::1/128",
					     "192.0.2.9/9", "2000::5/3" };
	struct addr_text text;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct prefix value = prefix(texts[i]);

		assert_string_equal(prefix_print(&value, &text), texts[i]);
	}
}

static void what_is_no_prefix_is_refused(void **state)
{
	static const char *const texts[] = {
		"",
		"10.0.0.1",
		"10.0.0.1/",
		"10.0.0.1/33",
		"10.0.0.1/-1",
		"10.0.0.1/+8",
		"10.0.0.1/ 8",
		"10.0.0.1/08",
		"10.0.0.1/8 ",
		"/8",
		"::/129",
		"::1/0x1",
		"::1/64/64",
		"10.0.0.1/4294967304",
		"1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111/8",
	};
	struct prefix value;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		if (prefix_parse(&value, texts[i]) != -EINVAL)
			fail_msg("\"%s\" was taken for a prefix", texts[i]);
	}
}

static void nothing_is_printed_as_none(void **state)
{
	struct addr no_addr = { 0 };
	struct prefix no_prefix = { 0 };
	struct addr_text text;

	(void)state;
	assert_string_equal(addr_print(&no_addr, &text), "none");
	assert_string_equal(prefix_print(&no_prefix, &text), "none");
	assert_int_equal(addr_len(&no_addr), 0);
	assert_false(addr_is_set(&no_addr));
	assert_false(addr_is_any(&no_addr));
	assert_false(addr_is_loopback(&no_addr));
	assert_false(prefix_is_set(&no_prefix));
}

static void kinds_of_addresses_are_told_apart(void **state)
{
	static const struct {
		const char *text;
		enum family family;
		bool any, loopback;
	} rows[] = {
		{ "0.0.0.0", V4, true, false },    { "::", V6, true, false },
		{ "127.0.0.1", V4, false, true },  { "127.255.255.254", V4, false, true },
		{ "128.0.0.1", V4, false, false }, { "::1", V6, false, true },
		{ "::2", V6, false, false },       { "0.0.0.1", V4, false, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct addr value = addr(rows[i].text);

		assert_int_equal(addr_family(&value), rows[i].family);
		assert_int_equal(value.family, family_to_af(rows[i].family));
		assert_int_equal(addr_len(&value), rows[i].family == V4 ? 4 : 16);
		assert_int_equal(addr_is_any(&value), rows[i].any);
		assert_int_equal(addr_is_loopback(&value), rows[i].loopback);
	}
}

static void network_and_host_prefixes_are_derived(void **state)
{
	static const struct {
		const char *text, *network, *host;
	} rows[] = {
		{ "10.1.2.3/8", "10.0.0.0/8", "10.1.2.3/32" },
		{ "10.255.255.255/9", "10.128.0.0/9", "10.255.255.255/32" },
		{ "10.1.2.3/32", "10.1.2.3/32", "10.1.2.3/32" },
		{ "10.1.2.3/0", "0.0.0.0/0", "10.1.2.3/32" },
		{ "fd00:1:2:3::4/62", "fd00:1:2::/62", "fd00:1:2:3::4/128" },
		{ "fd00::ffff/127", "fd00::fffe/127", "fd00::ffff/128" },
		{ "fd00::ffff/128", "fd00::ffff/128", "fd00::ffff/128" },
	};
	struct addr_text text;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct prefix value = prefix(rows[i].text);
		struct prefix network = prefix_network(&value);
		struct prefix host = prefix_host(&value.addr);

		assert_string_equal(prefix_print(&network, &text), rows[i].network);
		assert_string_equal(prefix_print(&host, &text), rows[i].host);
	}
}

static void a_prefix_contains_its_addresses_only(void **state)
{
	static const struct {
		const char *prefix, *addr;
		bool contains;
	} rows[] = {
		{ "10.0.0.0/24", "10.0.0.0", true },    { "10.0.0.7/24", "10.0.0.255", true },
		{ "10.0.0.0/24", "10.0.1.0", false },   { "10.0.0.0/25", "10.0.0.128", false },
		{ "0.0.0.0/0", "192.0.2.1", true },     { "0.0.0.0/0", "::", false },
		{ "::/0", "0.0.0.0", false },           { "fd00::/64", "fd00::1:0:0:0", true },
		{ "fd00::/64", "fd00:0:0:1::", false }, { "", "10.0.0.1", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct prefix outer = prefix(rows[i].prefix);
		struct addr inner = addr(rows[i].addr);

		if (prefix_contains(&outer, &inner) != rows[i].contains)
			fail_msg("%s, %s", rows[i].prefix, rows[i].addr);
	}
}

static void overlap_goes_both_ways(void **state)
{
	static const struct {
		const char *a, *b;
		bool overlap;
	} rows[] = {
		{ "10.0.0.0/24", "10.0.0.0/24", true },
		{ "10.0.0.0/8", "10.9.0.0/16", true },
		{ "10.0.0.0/24", "10.0.1.0/24", false },
		{ "10.0.0.5/24", "10.0.0.9/30", true },
		{ "0.0.0.0/0", "10.0.0.0/8", true },
		{ "0.0.0.0/0", "fd00::/8", false },
		{ "fd00::/16", "fd00:0:0:1::/64", true },
		{ "", "10.0.0.0/8", false },
		{ "", "", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct prefix a = prefix(rows[i].a), b = prefix(rows[i].b);

		if (prefix_overlap(&a, &b) != rows[i].overlap ||
		    prefix_overlap(&b, &a) != rows[i].overlap)
			fail_msg("%s, %s", rows[i].a, rows[i].b);
	}
}

static void order_is_total(void **state)
{
	static const char *const sorted[] = { "",           "0.0.0.0/0",  "10.0.0.0/8",
					      "10.0.0.0/9", "10.0.0.1/8", "200.0.0.0/8",
					      "::/0",       "::1/128",    "fd00::/8" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sorted); i++) {
		for (size_t j = 0; j < ARRAY_SIZE(sorted); j++) {
			struct prefix a = prefix(sorted[i]), b = prefix(sorted[j]);
			int order = prefix_compare(&a, &b);

			assert_int_equal((order > 0) - (order < 0), (i > j) - (i < j));
			assert_int_equal(addr_equal(&a.addr, &b.addr),
					 addr_compare(&a.addr, &b.addr) == 0);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_is_printed_as_it_was_read),
		cmocka_unit_test(what_is_no_address_is_refused_and_changes_nothing),
		cmocka_unit_test(bytes_after_an_ipv4_address_are_zero),
		cmocka_unit_test(a_prefix_keeps_its_host_bits_and_is_printed_with_them),
		cmocka_unit_test(what_is_no_prefix_is_refused),
		cmocka_unit_test(nothing_is_printed_as_none),
		cmocka_unit_test(kinds_of_addresses_are_told_apart),
		cmocka_unit_test(network_and_host_prefixes_are_derived),
		cmocka_unit_test(a_prefix_contains_its_addresses_only),
		cmocka_unit_test(overlap_goes_both_ways),
		cmocka_unit_test(order_is_total),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
