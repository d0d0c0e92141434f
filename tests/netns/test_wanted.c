/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ports of endpoints without a way out: when they are published, and when not yet or no longer.
 * Above a test: what was changed to see it fail. */

#include <ftw.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>

#include "../../policy/base/loop.h"
#include "../../policy/policy.h"
#include "../unit/world.h"
#include "netns.h"

struct scene {
	char dir[40], state_dir[64], run_dir[64];
	struct loop *loop;
	struct policy *policy;
	unsigned int asked;
	struct err err;
};

static void on_ask(void *arg)
{
	struct scene *scene = arg;

	scene->asked++;
}

static void start(struct scene *scene)
{
	const struct policy_config config = { .state_dir = scene->state_dir,
					      .run_dir = scene->run_dir,
					      .ask = on_ask,
					      .arg = scene };

	scene->loop = loop_new(&scene->err);
	assert_non_null(scene->loop);
	scene->policy = policy_open(&config, scene->loop, &scene->err);
	if (!scene->policy)
		fail_msg("%s", scene->err.text);
}

static void stop(struct scene *scene)
{
	policy_close(scene->policy);
	loop_free(scene->loop);
}

/* A network with an endpoint that wants port 8080. */
static int set_up(void **state)
{
	struct scene *scene = xcalloc(1, sizeof(*scene));
	struct network net = test_network(false);
	struct endpoint endpoint = { .id = "eeee", .network = "aaaa" };
	struct port_request port = {
		.proto = IPPROTO_TCP, .port = 80, .host_port = 8080, .host_port_end = 8080
	};

	enter_namespace();
	strcpy(scene->dir, "/tmp/test-wanted-XXXXXX");
	assert_non_null(mkdtemp(scene->dir));
	snprintf(scene->state_dir, sizeof(scene->state_dir), "%s/state", scene->dir);
	snprintf(scene->run_dir, sizeof(scene->run_dir), "%s/run", scene->dir);
	start(scene);
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

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

static int tear_down(void **state)
{
	struct scene *scene = *state;

	stop(scene);
	nftw(scene->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(scene);
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
