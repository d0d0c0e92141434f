/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What stays known of an exit that changes, and what the plan makes of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "../../policy/base/mem.h"
#include "../../policy/plan/compile.h"
#include "../../policy/plan/names.h"
#include "world.h"

static void set_exit(struct facts *facts, const char *addr)
{
	struct exit_fact exit = { .name = "wg0" };

	if (*addr) {
		exit.addrs[exit.n_addrs++] = test_addr(addr);
		exit.usable[addr_family(&exit.addrs[0])] = true;
	}
	facts_set_exit(facts, &exit);
}

static bool has_element(const struct facts *facts, const char *set, const char *addr)
{
	AUTO(plan) struct plan plan = { 0 };
	struct addr wanted = test_addr(addr);
	size_t found = 0;

	compile_exits(facts, &plan);
	for (size_t i = 0; i < plan.n; i++)
		found += plan.items[i].kind == ITEM_FW_ELEMENT &&
			 strcmp(plan.items[i].element.set, set) == 0 &&
			 addr_equal(&plan.items[i].element.addr, &wanted);
	assert_in_range(found, 0, 1);
	return found;
}

static bool has_backstop(const struct facts *facts, const char *addr)
{
	AUTO(plan) struct plan plan = { 0 };
	struct addr wanted = test_addr(addr);
	size_t found = 0;

	compile_exits(facts, &plan);
	for (size_t i = 0; i < plan.n; i++)
		found += plan.items[i].kind == ITEM_BACKSTOP && plan.items[i].route.silent &&
			 plan.items[i].route.table == TABLE_LOCAL &&
			 addr_equal(&plan.items[i].route.dst.addr, &wanted);
	assert_in_range(found, 0, 1);
	return found;
}

static void a_lost_address_is_remembered(void **state)
{
	AUTO(world) struct world world = { 0 };
	struct facts *facts = &world.facts;

	(void)state;
	set_exit(facts, "10.2.0.2");
	assert_true(has_element(facts, "exit4_own", "10.2.0.2"));
	assert_true(has_element(facts, "exit4_strays", "10.2.0.2"));
	set_exit(facts, "");
	assert_false(has_element(facts, "exit4_own", "10.2.0.2"));
	assert_true(has_element(facts, "exit4", "10.2.0.2"));
	assert_true(has_element(facts, "exit4_strays", "10.2.0.2"));
	assert_true(has_backstop(facts, "10.2.0.2"));
	set_exit(facts, "10.2.0.3");
	assert_true(has_backstop(facts, "10.2.0.2"));
	assert_true(has_backstop(facts, "10.2.0.3"));
	set_exit(facts, "10.2.0.2");
	assert_int_equal(facts_exit(facts, "wg0")->n_former, 1);
}

static void the_oldest_address_is_forgotten(void **state)
{
	AUTO(world) struct world world = { 0 };
	char addr[32];

	(void)state;
	for (int i = 0; i <= EXIT_ADDRS_MAX + 1; i++) {
		snprintf(addr, sizeof(addr), "10.2.0.%d", 1 + i);
		set_exit(&world.facts, addr);
	}
	assert_false(has_backstop(&world.facts, "10.2.0.1"));
	assert_true(has_backstop(&world.facts, "10.2.0.2"));
	facts_forget_exit(&world.facts, "wg0");
	set_exit(&world.facts, "");
	assert_false(has_backstop(&world.facts, "10.2.0.2"));
}

static void who_stays_is_not_asked_for_his_past(void **state)
{
	AUTO(world) struct world world = { 0 };
	struct exit_fact exit = { .name = "wg0" };

	(void)state;
	set_exit(&world.facts, "fd00:2::2");
	set_exit(&world.facts, "10.2.0.2");
	exit.resting = true;
	exit.usable[V4] = true;
	exit.addrs[exit.n_addrs++] = test_addr("10.2.0.3");
	facts_set_exit(&world.facts, &exit);
	assert_true(has_backstop(&world.facts, "10.2.0.2"));
	exit.resting = false;
	facts_set_exit(&world.facts, &exit);
	assert_false(has_backstop(&world.facts, "10.2.0.2"));
	assert_true(has_backstop(&world.facts, "10.2.0.3"));
	/* of the family that is not back */
	assert_true(has_backstop(&world.facts, "fd00:2::2"));
}

static void since_when_is_kept(void **state)
{
	AUTO(world) struct world world = { 0 };
	struct exit_fact exit = { .name = "wg0", .since = 5 };

	(void)state;
	assert_true(facts_set_exit(&world.facts, &exit));
	exit.since = 6;
	assert_false(facts_set_exit(&world.facts, &exit));
	assert_int_equal(facts_exit(&world.facts, "wg0")->since, 5);
	exit.usable[V6] = true;
	assert_true(facts_set_exit(&world.facts, &exit));
	assert_int_equal(facts_exit(&world.facts, "wg0")->since, 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_lost_address_is_remembered),
		cmocka_unit_test(the_oldest_address_is_forgotten),
		cmocka_unit_test(who_stays_is_not_asked_for_his_past),
		cmocka_unit_test(since_when_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
