/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The order of operations is a promise: fences before roads, and on removal roads before fences. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>

#include "../../policy/base/mem.h"
#include "../../policy/plan/compile.h"
#include "../../policy/plan/diff.h"
#include "world.h"

static void fill_world(struct world *world, bool v6)
{
	struct network net = test_network(v6);
	struct endpoint endpoint = test_endpoint(&net);

	endpoint.ports = test_port(6, "0.0.0.0", 8080, 80);
	endpoint.n_ports = 1;
	member_add(world_add(world, &net), &endpoint);
}

static const struct item *subject(const struct op *op)
{
	return op->after ? op->after : op->before;
}

static void same_plans_need_nothing(void **state)
{
	AUTO(world) struct world world = { 0 };
	AUTO(plan) struct plan a = { 0 };
	AUTO(plan) struct plan b = { 0 };
	AUTO(ops) struct ops ops = { 0 };

	(void)state;
	fill_world(&world, true);
	compile_world(&world, &a);
	compile_world(&world, &b);
	assert_true(a.n > 20);
	diff_compute(&a, &b, &ops);
	assert_int_equal(ops.n, 0);
}

static void rules_come_before_roads(void **state)
{
	AUTO(world) struct world world = { 0 };
	AUTO(plan) struct plan nothing = { 0 };
	AUTO(plan) struct plan all = { 0 };
	AUTO(ops) struct ops ops = { 0 };

	(void)state;
	fill_world(&world, true);
	compile_world(&world, &all);
	diff_compute(&nothing, &all, &ops);
	assert_int_equal(ops.n, all.n);
	for (size_t i = 1; i < ops.n; i++)
		assert_true(subject(&ops.ops[i - 1])->kind <= subject(&ops.ops[i])->kind);
	assert_int_equal(subject(&ops.ops[0])->kind, ITEM_FW_TABLE);
	assert_int_equal(subject(&ops.ops[ops.n - 1])->kind, ITEM_VETH);
}

static void roads_go_before_rules(void **state)
{
	AUTO(world) struct world world = { 0 };
	AUTO(plan) struct plan nothing = { 0 };
	AUTO(plan) struct plan all = { 0 };
	AUTO(ops) struct ops ops = { 0 };
	bool firewall = false;

	(void)state;
	fill_world(&world, true);
	compile_world(&world, &all);
	diff_compute(&all, &nothing, &ops);
	assert_int_equal(ops.n, all.n);
	assert_int_equal(subject(&ops.ops[0])->kind, ITEM_VETH);
	for (size_t i = 0; i < ops.n; i++) {
		assert_null(ops.ops[i].after);
		firewall |= op_is_firewall(&ops.ops[i]);
		assert_int_equal(firewall, op_is_firewall(&ops.ops[i]));
	}
}

/* Returns how many items another MTU changes; the kinds of the first two. */
static size_t change_mtu(uint32_t mtu, enum item_kind kinds[static 2])
{
	AUTO(world) struct world world = { 0 };
	AUTO(plan) struct plan before = { 0 };
	AUTO(plan) struct plan after = { 0 };
	AUTO(ops) struct ops ops = { 0 };

	fill_world(&world, false);
	compile_world(&world, &before);
	world.members[0]->network.mtu = mtu;
	compile_world(&world, &after);
	diff_compute(&before, &after, &ops);
	for (size_t i = 0; i < ops.n && i < 2; i++)
		kinds[i] = subject(&ops.ops[i])->kind;
	return ops.n;
}

static void a_changed_mtu_changes_the_links_only(void **state)
{
	enum item_kind kinds[2];

	(void)state;
	assert_int_equal(change_mtu(9000, kinds), 2);
	assert_int_equal(kinds[0], ITEM_BRIDGE);
	assert_int_equal(kinds[1], ITEM_VETH);
}

/* Who has started with more may go on sending that: the host cuts it, or says that it is too big.
 */
static void the_hosts_end_is_not_narrowed(void **state)
{
	enum item_kind kinds[2];

	(void)state;
	assert_int_equal(change_mtu(1280, kinds), 1);
	assert_int_equal(kinds[0], ITEM_BRIDGE);
}

static void a_rule_that_differs_changes_its_chain(void **state)
{
	AUTO(world) struct world world = { 0 };
	AUTO(plan) struct plan before = { 0 };
	AUTO(plan) struct plan after = { 0 };
	AUTO(ops) struct ops ops = { 0 };

	(void)state;
	fill_world(&world, false);
	compile_world(&world, &before);
	world.members[0]->network.internal = true;
	compile_world(&world, &after);
	diff_compute(&before, &after, &ops);
	assert_true(ops.n > 0);
	for (size_t i = 0; i < ops.n; i++)
		assert_true(op_is_firewall(&ops.ops[i]));
}

/* A second container, behind an exit of its own. */
static void add_exception(struct world *world)
{
	struct member *member = world->members[0];
	struct endpoint endpoint = test_endpoint(&member->network);

	strcpy(endpoint.id, "ffff");
	strcpy(endpoint.host_if, "tevffff");
	endpoint.addr[V4] = test_prefix("10.77.0.3/24");
	endpoint.exception = xcalloc(1, sizeof(*endpoint.exception));
	endpoint.exception->egress = egress_default(POLICY_KILLSWITCH);
	endpoint.exception->egress.path = 2;
	member_add(member, &endpoint);
}

/* Some providers give all their clients the same address. */
static void add_exits(struct world *world)
{
	struct network net = test_network(false);
	struct exit_fact exit = { .usable = { true, false }, .mtu = 1280, .n_addrs = 1 };

	snprintf(net.id, sizeof(net.id), "confined");
	snprintf(net.bridge, sizeof(net.bridge), "te-confined");
	net.subnet[V4] = test_prefix("10.78.0.0/24");
	net.gateway[V4] = test_addr("10.78.0.1");
	net.egress = egress_default(POLICY_KILLSWITCH);
	net.egress.path = 1;
	addr_parse(&exit.addrs[0], "10.2.0.2");
	for (int i = 0; i < 2; i++) {
		snprintf(exit.name, sizeof(exit.name), "wg%d", i);
		facts_set_exit(&world->facts, &exit);
	}
	world_add(world, &net);
}

static void pieces_make_up_the_world(void **state)
{
	AUTO(world) struct world world = { 0 };
	AUTO(plan) struct plan whole = { 0 };
	AUTO(plan) struct plan pieces = { 0 };
	AUTO(ops) struct ops ops = { 0 };
	const struct member *member, *confined;

	(void)state;
	fill_world(&world, true);
	add_exception(&world);
	add_exits(&world);
	facts_add_neighbour(&world.facts, "docker0");
	compile_world(&world, &whole);
	confined = world_find(&world, "confined");
	member = world.members[confined == world.members[0]];
	compile_common(&world.facts, &pieces);
	compile_shared(&world, &pieces);
	compile_path(&confined->network.egress, &world.facts, &pieces);
	compile_path(&member->endpoints[1]->exception->egress, &world.facts, &pieces);
	compile_network(confined, &world.facts, &pieces);
	compile_network(member, &world.facts, &pieces);
	for (size_t e = 0; e < member->n; e++)
		compile_endpoint(member, &world.facts, member->endpoints[e], &pieces);
	plan_sort(&pieces);
	diff_compute(&whole, &pieces, &ops);
	/* Every endpoint asks for forwarding, and the world says it once. */
	for (size_t i = 0; i < ops.n; i++)
		assert_int_equal(subject(&ops.ops[i])->kind, ITEM_FORWARDING);
	for (size_t i = 1; i < whole.n; i++)
		assert_true(item_compare(&whole.items[i - 1], &whole.items[i]) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_plans_need_nothing),
		cmocka_unit_test(rules_come_before_roads),
		cmocka_unit_test(roads_go_before_rules),
		cmocka_unit_test(a_changed_mtu_changes_the_links_only),
		cmocka_unit_test(the_hosts_end_is_not_narrowed),
		cmocka_unit_test(a_rule_that_differs_changes_its_chain),
		cmocka_unit_test(pieces_make_up_the_world),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
