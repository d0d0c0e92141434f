/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Words that come later, in a kernel. Above a test: what was changed to see it fail. */

#include "../../policy/base/log.h"
#include "scene.h"

static struct network open_network(void)
{
	struct network net = test_network(false);

	strcpy(net.id, "aaaa");
	net.bridge[0] = '\0';
	net.egress = egress_default(POLICY_OPEN);
	return net;
}

static void add_endpoint(struct scene *scene, const char *id, uint8_t host,
			 struct exception *exception)
{
	struct network net = open_network();
	struct endpoint endpoint = { .network = "aaaa", .exception = exception };

	strcpy(endpoint.id, id);
	endpoint.addr[V4] = net.subnet[V4];
	endpoint.addr[V4].addr.bytes[3] = host;
	assert_ok(policy_endpoint_add(scene->policy, &endpoint, &scene->err), &scene->err);
}

/* An open network with an endpoint. */
static int set_up(void **state)
{
	struct scene *scene = scene_begin((struct policy_config){ 0 });
	struct network net = open_network();

	assert_ok(policy_network_add(scene->policy, &net, &scene->err), &scene->err);
	assert_int_equal(scene->listened, 1);
	add_endpoint(scene, "eeee", 9, NULL);
	assert_int_equal(scene->listened, 2);
	*state = scene;
	return 0;
}

static int tell_network(struct scene *scene, const char *key, const char *value)
{
	const struct word word = { key, value };

	return policy_network_tell(scene->policy, "aaaa", &(struct words){ &word, key != NULL },
				   &scene->err);
}

static int tell_endpoint(struct scene *scene, const char *id, const char *key, const char *value)
{
	const struct word word = { key, value };

	return policy_endpoint_tell(scene->policy, "aaaa", id,
				    &(struct words){ &word, key != NULL }, &scene->err);
}

static const struct endpoint *endpoint(struct scene *scene, const char *id)
{
	return policy_endpoint(scene->policy, "aaaa", id);
}

/* Neither more nor less in the kernel than there should be. */
static void assert_settled(struct scene *scene)
{
	AUTO(strbuf) struct strbuf text = { 0 };

	assert_ok(policy_print_difference(scene->policy, &text, &scene->err), &scene->err);
	assert_string_equal(strbuf_text(&text), "");
}

/* Fails when networks need not come first; when one is told twice. */
static void each_is_told_once(void **state)
{
	struct scene *scene = *state;

	assert_in_range(policy_untold(scene->policy), 1, 1000);
	assert_int_equal(tell_endpoint(scene, "eeee", "policy", "isolated"), -EAGAIN);
	assert_int_equal(tell_network(scene, NULL, NULL), 0);
	assert_int_equal(tell_network(scene, "policy", "isolated"), 0);
	assert_int_equal(policy_network(scene->policy, "aaaa")->egress.policy, POLICY_OPEN);
	assert_int_equal(tell_endpoint(scene, "eeee", "policy", "isolated"), 1);
	assert_int_equal(policy_untold(scene->policy), 0);
	assert_int_equal(tell_endpoint(scene, "eeee", "policy", "bypass"), 0);
	assert_int_equal(endpoint(scene, "eeee")->exception->egress.policy, POLICY_ISOLATED);
	assert_int_equal(tell_endpoint(scene, "none", "policy", "isolated"), 0);
	assert_int_equal(
		policy_network_tell(scene->policy, "none", &(struct words){ 0 }, &scene->err), 0);
	assert_settled(scene);
}

/* Fails when save_endpoint() or save_network() is left out; when a repetition counts as news. */
static void it_is_the_same_after_a_restart(void **state)
{
	struct scene *scene = *state;

	assert_int_equal(tell_network(scene, "policy", "killswitch"), 1);
	assert_int_equal(tell_endpoint(scene, "eeee", "polcy", "isolated"), 1);
	assert_settled(scene);
	stop(scene);
	start(scene);
	assert_settled(scene);
	assert_int_equal(policy_network(scene->policy, "aaaa")->egress.policy, POLICY_KILLSWITCH);
	assert_non_null(endpoint(scene, "eeee")->exception);
	assert_int_equal(endpoint(scene, "eeee")->exception->egress.policy, POLICY_ISOLATED);
	assert_non_null(strstr(endpoint(scene, "eeee")->remark, "polcy=isolated closes it"));
	assert_true(policy_untold(scene->policy) > 0);
	assert_int_equal(tell_network(scene, "policy", "killswitch"), 0);
	assert_int_equal(tell_endpoint(scene, "eeee", "polcy", "isolated"), 0);
	assert_settled(scene);
}

/* Fails without copy_told(). */
static void a_network_may_be_added_again(void **state)
{
	struct scene *scene = *state;
	struct network net = open_network();

	assert_int_equal(tell_network(scene, "policy", "isolated"), 1);
	assert_ok(policy_network_add(scene->policy, &net, &scene->err), &scene->err);
	assert_int_equal(policy_network(scene->policy, "aaaa")->egress.policy, POLICY_ISOLATED);
	net.gateway[V4].bytes[3] ^= 2;
	assert_int_equal(policy_network_add(scene->policy, &net, &scene->err), -EEXIST);
}

/* Fails without exception_fit(); when the paths of what fits are not assigned. */
static void those_that_differ_follow_their_network(void **state)
{
	struct scene *scene = *state;
	struct exception bypass = { .egress = egress_default(POLICY_BYPASS), .icc = true };
	struct exception isolated = { .egress = egress_default(POLICY_ISOLATED), .icc = true };

	add_endpoint(scene, "bbbb", 10, &bypass);
	add_endpoint(scene, "iiii", 11, &isolated);
	assert_int_equal(tell_network(scene, "policy", "killswitch"), 1);
	assert_int_equal(endpoint(scene, "bbbb")->exception->egress.policy, POLICY_KILLSWITCH);
	assert_int_equal(endpoint(scene, "bbbb")->exception->egress.path, 1);
	assert_int_equal(endpoint(scene, "iiii")->exception->egress.policy, POLICY_ISOLATED);
	assert_null(endpoint(scene, "eeee")->exception);
	assert_settled(scene);
	assert_ok(policy_endpoint_remove(scene->policy, "aaaa", "bbbb", &scene->err), &scene->err);
	assert_ok(policy_network_remove(scene->policy, "aaaa", &scene->err), &scene->err);
	assert_settled(scene);
}

/* Fails when what the engine refuses is only an error. */
static void what_the_engine_refuses_closes(void **state)
{
	static const struct word words[] = { { "policy", "killswitch" }, { "via", "lo" } };
	struct scene *scene = *state;

	assert_int_equal(tell_network(scene, NULL, NULL), 0);
	assert_int_equal(policy_endpoint_tell(scene->policy, "aaaa", "eeee",
					      &(struct words){ words, 2 }, &scene->err),
			 1);
	assert_int_equal(endpoint(scene, "eeee")->exception->egress.policy, POLICY_ISOLATED);
	assert_non_null(strstr(endpoint(scene, "eeee")->remark, "\"lo\" is no exit"));
	assert_settled(scene);
}

#define NAMES_EXIT "nft list table inet tailexit 2> /dev/null | grep -q tailscale0"

/* Of a path that nobody takes any more nothing stays, and neither does what refuses for its exit.
 * Fails without forget_exits(). */
static void paths_come_and_go(void **state)
{
	const bool has_nft = sh("nft list tables > /dev/null 2>&1");
	struct scene *scene = *state;
	struct network other = open_network();

	strcpy(other.id, "cccc");
	other.egress = egress_default(POLICY_KILLSWITCH);
	other.override = OVERRIDE_ANY;
	other.subnet[V4].addr.bytes[2] ^= 1;
	other.gateway[V4].bytes[2] ^= 1;
	assert_ok(policy_network_add(scene->policy, &other, &scene->err), &scene->err);
	assert_true(says("ip route show table all", "2113929217"));
	assert_true(!has_nft || sh(NAMES_EXIT));
	assert_int_equal(
		policy_network_tell(scene->policy, "cccc",
				    &(struct words){ &(struct word){ "policy", "open" }, 1 },
				    &scene->err),
		1);
	assert_false(sh("ip route show table all | grep -q 2113929217"));
	assert_false(sh(NAMES_EXIT));
	assert_settled(scene);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(each_is_told_once),
		TEST(it_is_the_same_after_a_restart),
		TEST(a_network_may_be_added_again),
		TEST(those_that_differ_follow_their_network),
		TEST(what_the_engine_refuses_closes),
		TEST(paths_come_and_go),
	};

	log_set_level("error");
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
