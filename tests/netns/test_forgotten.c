/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Networks that their client has forgotten, by its lists: which go, when, and which must stay.
 * Above a test: what was changed to see it fail. */

#include "../../policy/kernel/link.h"
#include "scene.h"

#define FORGOTTEN_MS 300
#define IN_THE_WAY_MS 100

static int set_up(void **state)
{
	struct scene *scene = scene_begin((struct policy_config){ .forgotten_ms = FORGOTTEN_MS,
								  .in_the_way_ms = IN_THE_WAY_MS });

	*state = scene;
	return 0;
}

static int try_network(struct scene *scene, const char *id, int third)
{
	struct network net = scene_network(id, third, false);

	return policy_network_add(scene->policy, &net, &scene->err);
}

static void add_network(struct scene *scene, const char *id, int third)
{
	if (try_network(scene, id, third) < 0)
		fail_msg("%s", scene->err.text);
}

static void add_endpoint(struct scene *scene, const char *network)
{
	struct endpoint endpoint = { .id = "eeee" };

	snprintf(endpoint.network, sizeof(endpoint.network), "%s", network);
	endpoint.addr[V4] = test_prefix("10.77.0.2/24");
	if (policy_endpoint_add(scene->policy, &endpoint, &scene->err) < 0)
		fail_msg("%s", scene->err.text);
}

/* What a client says; up to two networks. */
static unsigned int list(struct scene *scene, const char *client, const char *one, const char *two)
{
	const char *ids[] = { one, two };

	return policy_set_client_networks(scene->policy, client, ids, two ? 2 : one ? 1 : 0);
}

static bool there(struct scene *scene, const char *id)
{
	return policy_network(scene->policy, id) != NULL;
}

static void pass(unsigned int ms)
{
	usleep(ms * 1000);
}

/* Fails when the first list without it is enough; when patience is forgotten. */
static void it_goes_after_a_while(void **state)
{
	struct scene *scene = *state;
	unsigned int due_ms;

	add_network(scene, "aaaa", 0);
	add_network(scene, "bbbb", 1);
	assert_int_equal(list(scene, "engine", "aaaa", "bbbb"), 0);
	due_ms = list(scene, "engine", "bbbb", NULL);
	assert_in_range(due_ms, FORGOTTEN_MS - 50, FORGOTTEN_MS);
	assert_true(there(scene, "aaaa"));
	pass(FORGOTTEN_MS / 2);
	assert_in_range(list(scene, "engine", "bbbb", NULL), 1, FORGOTTEN_MS / 2);
	assert_true(there(scene, "aaaa"));
	pass(FORGOTTEN_MS / 2);
	assert_int_equal(list(scene, "engine", "bbbb", NULL), 0);
	assert_false(there(scene, "aaaa"));
	assert_true(there(scene, "bbbb"));
	assert_false(sh("ip link show te-aaaa 2>/dev/null"));
}

/* As while it is made: it is listed late. Fails when a list with it does not start the time anew.
 */
static void it_stays_when_it_shows_up(void **state)
{
	struct scene *scene = *state;

	add_network(scene, "aaaa", 0);
	add_network(scene, "bbbb", 1);
	list(scene, "engine", "bbbb", NULL);
	pass(FORGOTTEN_MS / 2);
	assert_int_equal(list(scene, "engine", "aaaa", "bbbb"), 0);
	pass(FORGOTTEN_MS);
	assert_true(list(scene, "engine", "bbbb", NULL) > 0);
	assert_true(there(scene, "aaaa"));
}

/* Fails when endpoints do not count; when the time with an endpoint counts. */
static void it_stays_while_it_has_endpoints(void **state)
{
	struct scene *scene = *state;

	add_network(scene, "aaaa", 0);
	add_network(scene, "bbbb", 1);
	add_endpoint(scene, "aaaa");
	assert_true(try_network(scene, "cccc", 0) < 0);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(list(scene, "engine", "bbbb", NULL), 0);
		pass(FORGOTTEN_MS);
	}
	assert_true(there(scene, "aaaa"));
	assert_int_equal(policy_endpoint_remove(scene->policy, "aaaa", "eeee", &scene->err), 0);
	assert_true(list(scene, "engine", "bbbb", NULL) > 0);
	assert_true(there(scene, "aaaa"));
}

/* Another data directory, for a day. Fails when it does not matter who answers; when whoever lists
 * one of ours becomes the one. */
static void another_client_removes_nothing(void **state)
{
	struct scene *scene = *state;

	add_network(scene, "aaaa", 0);
	add_network(scene, "bbbb", 1);
	/* Nobody has listed one yet. */
	for (int i = 0; i < 2; i++) {
		assert_int_equal(list(scene, "other", NULL, NULL), 0);
		pass(FORGOTTEN_MS);
	}
	list(scene, "engine", "aaaa", NULL);
	add_network(scene, "cccc", 2);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(list(scene, "other", "cccc", NULL), 0);
		pass(FORGOTTEN_MS);
	}
	assert_true(there(scene, "aaaa") && there(scene, "bbbb"));
	/* What others said does not count. */
	assert_true(list(scene, "engine", "aaaa", "cccc") > 0);
	assert_true(there(scene, "bbbb"));
}

/* Fails when the client is not saved; when it is not read; when nobody asks whose a network is. */
static void the_client_is_known_after_a_restart(void **state)
{
	struct scene *scene = *state;

	add_network(scene, "aaaa", 0);
	assert_int_equal(scene->asked, 1);
	list(scene, "engine", "aaaa", NULL);
	add_network(scene, "bbbb", 1);
	assert_int_equal(scene->asked, 1);
	assert_int_equal(policy_network_remove(scene->policy, "bbbb", &scene->err), 0);
	stop(scene);
	start(scene);
	assert_true(list(scene, "engine", NULL, NULL) > 0);
	pass(FORGOTTEN_MS);
	list(scene, "engine", NULL, NULL);
	assert_false(there(scene, "aaaa"));
	assert_false(sh("test -e %s/client.json", scene->state_dir));
}

/* Fails when nobody is asked; when being in the way makes no difference. */
static void who_is_in_the_way_goes_soon_whoever_answers(void **state)
{
	struct scene *scene = *state;

	add_network(scene, "aaaa", 0);
	add_network(scene, "bbbb", 1);
	scene->asked = 0;
	assert_true(try_network(scene, "cccc", 0) < 0);
	assert_non_null(strstr(scene->err.text, "of network aaaa; choose another with --subnet, or "
						"try again in a few seconds"));
	assert_int_equal(scene->asked, 1);
	assert_true(list(scene, "any", "bbbb", NULL) <= IN_THE_WAY_MS);
	assert_true(there(scene, "aaaa"));
	pass(IN_THE_WAY_MS);
	list(scene, "any", "bbbb", NULL);
	assert_false(there(scene, "aaaa"));
	add_network(scene, "cccc", 0);
}

/* Fails when being listed does not end it. */
static void who_is_in_the_way_by_right_stays(void **state)
{
	struct scene *scene = *state;

	add_network(scene, "aaaa", 0);
	add_network(scene, "bbbb", 1);
	assert_true(try_network(scene, "cccc", 0) < 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(list(scene, "engine", "aaaa", "bbbb"), 0);
		pass(IN_THE_WAY_MS);
	}
	list(scene, "engine", "bbbb", NULL);
	pass(IN_THE_WAY_MS);
	list(scene, "engine", "bbbb", NULL);
	assert_true(there(scene, "aaaa"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(it_goes_after_a_while),
		TEST(it_stays_when_it_shows_up),
		TEST(it_stays_while_it_has_endpoints),
		TEST(another_client_removes_nothing),
		TEST(the_client_is_known_after_a_restart),
		TEST(who_is_in_the_way_goes_soon_whoever_answers),
		TEST(who_is_in_the_way_by_right_stays),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
