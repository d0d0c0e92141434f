/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ports of endpoints without a way out: when they are published, and when not yet or no longer.
 * Above a test: what was changed to see it fail. */

#include <netinet/in.h>
#include <sys/socket.h>

#include "scene.h"

/* A network with an endpoint that wants port 8080. */
static int set_up(void **state)
{
	struct scene *scene = scene_begin((struct policy_config){ 0 });
	struct network net = test_network(false);
	struct endpoint endpoint = { .id = "eeee", .network = "aaaa" };
	struct port_request port = {
		.proto = IPPROTO_TCP, .port = 80, .host_port = 8080, .host_port_end = 8080
	};

	strcpy(net.id, "aaaa");
	net.bridge[0] = '\0';
	net.egress = egress_default(POLICY_ISOLATED);
	endpoint.addr[V4] = net.subnet[V4];
	endpoint.addr[V4].addr.bytes[3] = 9;
	if (policy_network_add(scene->policy, &net, &scene->err) < 0 ||
	    policy_endpoint_add(scene->policy, &endpoint, &scene->err) < 0)
		fail_msg("%s", scene->err.text);
	scene->asked = 0;
	assert_int_equal(policy_want(scene->policy, "aaaa", "eeee", &port, 1, &scene->err), 0);
	assert_int_equal(scene->asked, 1);
	*state = scene;
	return 0;
}

static unsigned int settle(struct scene *scene, bool here)
{
	return policy_settle(scene->policy, "aaaa", "eeee", here);
}

static bool published(struct scene *scene)
{
	return policy_endpoint(scene->policy, "aaaa", "eeee")->n_ports > 0;
}

static void they_wait_until_it_is_known(void **state)
{
	struct scene *scene = *state;

	assert_false(published(scene));
	assert_int_equal(settle(scene, false), 0);
	assert_false(published(scene));
	assert_int_equal(settle(scene, true), 0);
	assert_true(published(scene));
	assert_int_equal(settle(scene, true), 0);
	assert_int_equal(settle(scene, false), 0);
	assert_false(published(scene));
}

/* Fails when give_way() withdraws nothing; when what was settled need not wait. */
static void they_give_way_for_a_while(void **state)
{
	struct scene *scene = *state;

	/* While the container starts there is nothing to wait for. */
	assert_int_equal(policy_give_way(scene->policy, "aaaa", "eeee", &scene->err), 0);
	assert_int_equal(settle(scene, true), 0);
	assert_true(published(scene));
	assert_int_equal(policy_give_way(scene->policy, "aaaa", "eeee", &scene->err), 0);
	assert_int_equal(scene->asked, 3);
	assert_false(published(scene));
	assert_in_range(settle(scene, true), 2000, 3000);
	assert_false(published(scene));
}

/* Fails when a refusal is not to be tried again. */
static void a_port_that_is_taken_is_tried_again(void **state)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(8080) };
	struct scene *scene = *state;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_true(settle(scene, true) > 0);
	assert_false(published(scene));
	close(fd);
	assert_int_equal(settle(scene, true), 0);
	assert_true(published(scene));
}

/* Fails when what is wanted is not saved; when it is not forgotten. */
static void a_restart_changes_nothing(void **state)
{
	struct scene *scene = *state;

	stop(scene);
	start(scene);
	assert_false(published(scene));
	assert_int_equal(settle(scene, true), 0);
	assert_true(published(scene));
	stop(scene);
	start(scene);
	assert_true(published(scene));
	assert_int_equal(policy_want(scene->policy, "aaaa", "eeee", NULL, 0, &scene->err), 0);
	assert_false(published(scene));
	stop(scene);
	start(scene);
	assert_int_equal(settle(scene, true), 0);
	assert_false(published(scene));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(they_wait_until_it_is_known),
		TEST(they_give_way_for_a_while),
		TEST(a_port_that_is_taken_is_tried_again),
		TEST(a_restart_changes_nothing),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
