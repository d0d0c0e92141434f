/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of policy/foreign_rule.c, and of which exit policy/plan/path.c takes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../policy/base/mem.h"
#include "../../policy/base/strbuf.h"
#include "../../policy/plan/compile.h"
#include "../../policy/survey.h"
#include "world.h"

static void make_world(struct world *world)
{
	struct network net = test_network(true);
	struct exit_fact exit = { .name = "wg0" };

	net.egress = egress_default(POLICY_KILLSWITCH);
	net.egress.path = 1;
	world_add(world, &net);
	facts_set_exit(&world->facts, &exit);
}

static struct foreign_rule make_rule(const char *from, const char *to)
{
	struct foreign_rule rule = { .pref = 100, .acts = true, .table = 123 };

	if (*from)
		rule.from = test_prefix(from);
	if (*to)
		rule.to = test_prefix(to);
	return rule;
}

static void addresses_decide(void **state)
{
	static const struct {
		const char *from, *to;
		bool in_our_way;
	} rows[] = {
		{ "", "", true },
		{ "10.77.0.0/24", "", true },
		{ "10.0.0.0/8", "", true },
		{ "10.77.0.9/32", "", true },
		{ "10.78.0.0/24", "", false },
		{ "fd77::/64", "", true },
		{ "fd78::/64", "", false },
		{ "", "8.8.8.8/32", true },
		{ "8.8.8.8/32", "10.77.0.0/24", true }, /* answers */
		{ "8.8.8.8/32", "10.78.0.0/24", false },
	};
	AUTO(world) struct world world = { 0 };

	(void)state;
	make_world(&world);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct foreign_rule rule = make_rule(rows[i].from, rows[i].to);

		if (rule_is_in_our_way(&rule, &world) != rows[i].in_our_way)
			fail_msg("from %s to %s", rows[i].from, rows[i].to);
	}
}

static void marks_decide(void **state)
{
	static const struct {
		uint32_t mark, mask;
		bool in_our_way;
	} rows[] = {
		{ 0x11000000, 0xff000000, true }, /* our path */
		{ 0x12000000, 0xff000000, false }, { 0x01, UINT32_MAX, false }, { 0, 0xff, true },
		{ 0x80000, 0xff0000, true }, /* what a bypass network sets */
		{ 0x40000, 0xff0000, false },
	};
	AUTO(world) struct world world = { 0 };

	(void)state;
	make_world(&world);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct foreign_rule rule = make_rule("", "");

		rule.mark = rows[i].mark;
		rule.mask = rows[i].mask;
		if (rule_is_in_our_way(&rule, &world) != rows[i].in_our_way)
			fail_msg("mark %x", rows[i].mark);
		rule.inverted = true;
		assert_true(rule_is_in_our_way(&rule, &world));
	}
}

static void links_and_actions_decide(void **state)
{
	AUTO(world) struct world world = { 0 };
	AUTO(world) struct world empty = { 0 };
	struct foreign_rule rule = make_rule("", "");

	(void)state;
	make_world(&world);
	assert_false(rule_is_in_our_way(&rule, &empty));
	strcpy(rule.iif, "te-aaaa");
	assert_true(rule_is_in_our_way(&rule, &world));
	strcpy(rule.iif, "wg0");
	assert_true(rule_is_in_our_way(&rule, &world));
	strcpy(rule.iif, "eth0");
	assert_false(rule_is_in_our_way(&rule, &world));
	rule = make_rule("", "");
	strcpy(rule.oif, "eth0");
	assert_false(rule_is_in_our_way(&rule, &world));
	rule = make_rule("", "");
	rule.of_users = true;
	assert_false(rule_is_in_our_way(&rule, &world));
	rule = make_rule("", "192.168.0.0/16");
	assert_true(rule_is_in_our_way(&rule, &world));
	rule.table = 254;
	assert_false(rule_is_in_our_way(&rule, &world));
	rule = make_rule("", "");
	rule.table = 254;
	assert_true(rule_is_in_our_way(&rule, &world));
	rule.no_default = true;
	assert_false(rule_is_in_our_way(&rule, &world));
	rule = make_rule("", "");
	rule.acts = false;
	assert_false(rule_is_in_our_way(&rule, &world));
}

static void a_rule_is_printed_as_it_is_typed(void **state)
{
	struct foreign_rule rule = make_rule("10.0.0.0/8", "");
	AUTO(strbuf) struct strbuf text = { 0 };

	(void)state;
	rule.inverted = true;
	rule.mark = 0xca6c;
	rule.mask = UINT32_MAX;
	strcpy(rule.iif, "eth0");
	foreign_rule_print(&rule, &text);
	assert_string_equal(strbuf_text(&text),
			    "not from 10.0.0.0/8 fwmark 0xca6c iif eth0 lookup 123");
}

static void set_exit(struct facts *facts, const char *name, bool usable, bool resting)
{
	struct exit_fact exit = { .usable = { usable, usable }, .resting = resting };

	snprintf(exit.name, sizeof(exit.name), "%s", name);
	facts_set_exit(facts, &exit);
}

/* Seen to fail: without a look at what is in use; with nothing taken that rests.
 * In the order of preference: a, b, c. Each is away (-), resting (r) or ready (+). */
static void which_exit_is_taken(void **state)
{
	static const struct {
		const char *exits, *in_use, *taken;
	} rows[] = {
		{ "+++", "", "a" },  { "-++", "", "b" },  { "---", "a", "" },  { "r++", "b", "b" },
		{ "r++", "", "b" },  { "r--", "", "a" },  { "+++", "b", "a" }, { "rr-", "b", "b" },
		{ "rr-", "a", "a" }, { "rr-", "", "a" },  { "rr+", "b", "b" }, { "r+-", "a", "a" },
		{ "rr+", "", "c" },  { "-r+", "a", "c" }, { "-r-", "c", "b" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct egress egress = { .path = 3, .via.n = 3 };
		AUTO(world) struct world world = { 0 };
		const struct exit_fact *exit;

		for (size_t k = 0; k < 3; k++) {
			const char name[] = { "abc"[k], '\0' };

			strcpy(egress.via.names[k], name);
			set_exit(&world.facts, name, rows[i].exits[k] != '-',
				 rows[i].exits[k] == 'r');
		}
		strcpy(world.facts.in_use[3], rows[i].in_use);
		exit = path_choose(&egress, &world.facts);
		if (!streq(exit ? exit->name : "", rows[i].taken))
			fail_msg("%s, %s in use: %s", rows[i].exits, rows[i].in_use,
				 exit ? exit->name : "none");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_decide),
		cmocka_unit_test(marks_decide),
		cmocka_unit_test(links_and_actions_decide),
		cmocka_unit_test(a_rule_is_printed_as_it_is_typed),
		cmocka_unit_test(which_exit_is_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
