/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Other people's bridges, known by a pattern, by a list, or not at all: which of them the kernel
 * keeps our networks apart from. */

#include "../../policy/kernel/apply.h"
#include "../../policy/kernel/link.h"
#include "scene.h"

static bool is_neighbour(const char *bridge)
{
	return strncmp(bridge, "br-", 3) == 0;
}

static int set_up(void **state)
{
	struct scene *scene = scene_begin((struct policy_config){ .is_neighbour = is_neighbour });

	*state = scene;
	return 0;
}

static void add_network(struct scene *scene, const char *bridge)
{
	struct network net = test_network(false);

	snprintf(net.bridge, sizeof(net.bridge), "%s", bridge);
	assert_ok(policy_network_add(scene->policy, &net, &scene->err), &scene->err);
}

static void quit(void *loop)
{
	loop_quit(loop);
}

/* What the kernel has told by now is heard. */
static void listen_to_kernel(struct scene *scene)
{
	struct loop_timer *timer = loop_timer_new(scene->loop, quit, scene->loop);

	loop_timer_arm(timer, 50);
	assert_ok(loop_run(scene->loop, &scene->err), &scene->err);
	loop_timer_free(timer);
}

static void expect(struct scene *scene, const char *names)
{
	AUTO(plan) struct plan seen = { 0 };
	AUTO(strbuf) struct strbuf text = { 0 };

	assert_ok(observe_all(&scene->nl, &seen, &scene->err), &scene->err);
	for (size_t i = 0; i < seen.n; i++) {
		const struct item *item = &seen.items[i];

		if (item->kind == ITEM_FW_ELEMENT && streq(item->element.set, "neighbours"))
			strbuf_addf(&text, "%s%s", text.len ? " " : "", item->element.ifname);
	}
	assert_string_equal(strbuf_text(&text), names);
}

static void name(struct scene *scene, const char *a, const char *b)
{
	const char *names[] = { a, b };

	policy_set_neighbours(scene->policy, names, b ? 2 : a ? 1 : 0);
}

static void named_and_recognised_bridges_are_apart(void **state)
{
	struct scene *scene = *state;

	name(scene, "foo0", "br-1");
	add_network(scene, "");
	expect(scene, "br-1 foo0");
	assert_true(sh("ip link add br-2 type bridge; ip link add foo1 type bridge"));
	listen_to_kernel(scene);
	expect(scene, "br-1 br-2 foo0");
	name(scene, "foo0", "foo1");
	expect(scene, "br-2 foo0 foo1"); /* br-1 is not there */
	name(scene, "foo1", "foo1");
	expect(scene, "br-2 foo1");
	name(scene, "br-2", NULL);
	expect(scene, "br-2");
	name(scene, NULL, NULL);
	expect(scene, "br-2"); /* recognised, and there */
	assert_true(sh("ip link delete br-2"));
	listen_to_kernel(scene);
	expect(scene, "");
}

static void a_name_stays_until_the_list_is_without_it(void **state)
{
	struct scene *scene = *state;

	add_network(scene, "");
	assert_true(sh("ip link add foo0 type bridge"));
	name(scene, "foo0", NULL);
	assert_true(sh("ip link delete foo0"));
	listen_to_kernel(scene);
	expect(scene, "foo0");
	assert_true(scene->asked > 0);
	name(scene, NULL, NULL);
	expect(scene, "");
}

static void names_are_asked_for_when_a_bridge_is_unknown(void **state)
{
	struct scene *scene = *state;

	add_network(scene, "");
	listen_to_kernel(scene);
	scene->asked = 0;
	assert_true(
		sh("ip link add br-1 type bridge; ip link add veth0 type veth peer name veth1"));
	listen_to_kernel(scene);
	assert_int_equal(scene->asked, 0);
	assert_true(sh("ip link add foo0 type bridge"));
	listen_to_kernel(scene);
	assert_true(scene->asked > 0);
	name(scene, "foo0", NULL);
	scene->asked = 0;
	assert_true(sh("ip link set foo0 up"));
	listen_to_kernel(scene);
	assert_int_equal(scene->asked, 0);
	expect(scene, "br-1 foo0");
}

static void names_outlive_a_restart(void **state)
{
	struct scene *scene = *state;

	add_network(scene, "");
	name(scene, "foo0", "foo1");
	stop(scene);
	start(scene);
	expect(scene, "foo0 foo1");
	name(scene, "foo1", NULL);
	stop(scene);
	start(scene);
	expect(scene, "foo1");
}

static void our_own_bridge_is_never_a_neighbour(void **state)
{
	struct scene *scene = *state;

	/* Of a network that Docker has yet to remove. */
	name(scene, "br-own", "foo0");
	add_network(scene, "br-own");
	listen_to_kernel(scene);
	expect(scene, "foo0");
	name(scene, "br-own", "foo1");
	expect(scene, "foo1");
	stop(scene);
	start(scene);
	listen_to_kernel(scene);
	expect(scene, "foo1");
}

static void a_broken_file_is_an_empty_list(void **state)
{
	struct scene *scene = *state;
	static const char *const texts[] = { "", "{", "{}", "7",
					     "[1, null, \"\", \"far-too-long-a-name\"]" };
	char path[128];

	add_network(scene, "");
	snprintf(path, sizeof(path), "%s/neighbours.json", scene->state_dir);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		FILE *file = fopen(path, "we");

		assert_non_null(file);
		fputs(texts[i], file);
		fclose(file);
		stop(scene);
		start(scene);
		expect(scene, "");
	}
	name(scene, "foo0", NULL);
	expect(scene, "foo0");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(named_and_recognised_bridges_are_apart),
		TEST(a_name_stays_until_the_list_is_without_it),
		TEST(names_are_asked_for_when_a_bridge_is_unknown),
		TEST(names_outlive_a_restart),
		TEST(our_own_bridge_is_never_a_neighbour),
		TEST(a_broken_file_is_an_empty_list),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
