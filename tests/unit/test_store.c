/* SPDX-License-Identifier: GPL-2.0-or-later */
/* State directories: what a crash may leave in them, and what others may put there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <ftw.h>

#include "../../policy/base/mem.h"
#include "../../policy/store.h"
#include "world.h"

struct scene {
	char dir[32];
	struct store store;
	size_t networks, endpoints, bad;
};

static void on_network(void *arg, const struct network *network)
{
	struct scene *scene = arg;

	assert_string_equal(network->id, "aaaa");
	scene->networks++;
}

static void on_endpoint(void *arg, struct endpoint *endpoint)
{
	struct scene *scene = arg;

	endpoint_done(endpoint);
	scene->endpoints++;
}

static void on_bad(void *arg, const char *file, const struct err *reason)
{
	struct scene *scene = arg;

	assert_true(*file && *reason->text);
	scene->bad++;
}

static void load(struct scene *scene)
{
	struct err err = { 0 };

	scene->networks = scene->endpoints = scene->bad = 0;
	assert_int_equal(store_load_networks(&scene->store, on_network, on_bad, scene, &err), 0);
	assert_int_equal(store_load_endpoints(&scene->store, on_endpoint, on_bad, scene, &err), 0);
}

static void put(const struct scene *scene, const char *file, const char *text)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/state/networks/%s", scene->dir, file);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static int set_up(void **state)
{
	struct scene *scene = xcalloc(1, sizeof(*scene));
	char state_dir[64], run_dir[64];
	struct err err = { 0 };

	strcpy(scene->dir, "/tmp/test-store-XXXXXX");
	assert_non_null(mkdtemp(scene->dir));
	snprintf(state_dir, sizeof(state_dir), "%s/state", scene->dir);
	snprintf(run_dir, sizeof(run_dir), "%s/a/b/run", scene->dir);
	assert_int_equal(store_open(&scene->store, state_dir, run_dir, &err), 0);
	*state = scene;
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int tear_down(void **state)
{
	struct scene *scene = *state;

	store_close(&scene->store);
	nftw(scene->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(scene);
	return 0;
}

static void what_is_saved_is_loaded_until_removed(void **state)
{
	struct scene *scene = *state;
	struct network net = test_network(true);
	struct endpoint endpoint = test_endpoint(&net);
	struct err err = { 0 };

	assert_int_equal(store_save_network(&scene->store, &net, &err), 0);
	assert_int_equal(store_save_network(&scene->store, &net, &err), 0);
	assert_int_equal(store_save_endpoint(&scene->store, &endpoint, &err), 0);
	load(scene);
	assert_int_equal(scene->networks, 1);
	assert_int_equal(scene->endpoints, 1);
	assert_int_equal(scene->bad, 0);
	store_remove_endpoint(&scene->store, endpoint.id);
	assert_int_equal(store_remove_network(&scene->store, net.id, &err), 0);
	assert_int_equal(store_remove_network(&scene->store, net.id, &err), 0);
	load(scene);
	assert_int_equal(scene->networks + scene->endpoints, 0);
}

static void a_bad_file_is_reported_and_kept(void **state)
{
	struct scene *scene = *state;
	struct network net = test_network(false);
	struct err err = { 0 };
	char path[128];

	assert_int_equal(store_save_network(&scene->store, &net, &err), 0);
	put(scene, "cut.json", "{\"format\": 1, \"id\": \"cut\"");
	put(scene, "empty.json", "");
	put(scene, "foreign.json", "{\"hello\": 1}");
	put(scene, "list.json", "[]");
	load(scene);
	assert_int_equal(scene->networks, 1);
	assert_int_equal(scene->bad, 4);
	snprintf(path, sizeof(path), "%s/state/networks/cut.json", scene->dir);
	assert_int_equal(access(path, F_OK), 0);
}

static void a_file_under_another_name_is_not_believed(void **state)
{
	struct scene *scene = *state;
	struct network net = test_network(false);
	char from[128], to[128];
	struct err err = { 0 };

	assert_int_equal(store_save_network(&scene->store, &net, &err), 0);
	snprintf(from, sizeof(from), "%s/state/networks/aaaa.json", scene->dir);
	snprintf(to, sizeof(to), "%s/state/networks/bbbb.json", scene->dir);
	assert_int_equal(rename(from, to), 0);
	load(scene);
	assert_int_equal(scene->networks, 0);
	assert_int_equal(scene->bad, 1);
}

static void a_half_written_file_disappears(void **state)
{
	struct scene *scene = *state;
	char path[128];

	put(scene, ".aaaa.json", "{\"form");
	load(scene);
	assert_int_equal(scene->networks + scene->bad, 0);
	snprintf(path, sizeof(path), "%s/state/networks/.aaaa.json", scene->dir);
	assert_int_not_equal(access(path, F_OK), 0);
}

/* Of a store opened to be looked at nothing changes, and nothing has to be there. */
static void read_only_changes_nothing(void **state)
{
	struct scene *scene = *state;
	struct network net = test_network(true);
	struct endpoint endpoint = test_endpoint(&net);
	char state_dir[64], run_dir[64], half[128];
	struct err err = { 0 };

	assert_int_equal(store_save_network(&scene->store, &net, &err), 0);
	assert_int_equal(store_save_endpoint(&scene->store, &endpoint, &err), 0);
	put(scene, ".aaaa.json", "{\"form");
	store_close(&scene->store);
	snprintf(state_dir, sizeof(state_dir), "%s/state", scene->dir);
	snprintf(run_dir, sizeof(run_dir), "%s/a/b/run", scene->dir);
	assert_int_equal(store_open_read_only(&scene->store, state_dir, run_dir, &err), 0);
	store_remove_endpoint(&scene->store, endpoint.id);
	load(scene);
	assert_int_equal(scene->networks + scene->endpoints, 2);
	snprintf(half, sizeof(half), "%s/networks/.aaaa.json", state_dir);
	assert_int_equal(access(half, F_OK), 0);
	store_close(&scene->store);
	snprintf(state_dir, sizeof(state_dir), "%s/none", scene->dir);
	assert_int_equal(store_open_read_only(&scene->store, state_dir, state_dir, &err), 0);
	load(scene);
	assert_int_equal(scene->networks + scene->endpoints + scene->bad, 0);
	assert_int_not_equal(access(state_dir, F_OK), 0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_saved_is_loaded_until_removed),
		TEST(a_bad_file_is_reported_and_kept),
		TEST(a_file_under_another_name_is_not_believed),
		TEST(a_half_written_file_disappears),
		TEST(read_only_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
