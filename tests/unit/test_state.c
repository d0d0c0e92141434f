/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/state/VERSION/: what each released version has left on disk. It is read, and written again
 * with everything that was in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <glob.h>

#include "../../policy/base/mem.h"
#include "../../policy/model/codec.h"
#include "../../policy/model/world.h"
#include "../../policy/store.h"

#define VERSIONS "tests/state/*"

struct reading {
	const char *directory;
	size_t networks, endpoints;
};

/* Whatever a later version adds. */
static void still_there(const struct reading *reading, const char *kind, const char *id,
			json_t *now)
{
	char path[256];
	json_t *before, *value;
	const char *key;

	snprintf(path, sizeof(path), "%s/%s/%s.json", reading->directory, kind, id);
	before = json_load_file(path, 0, NULL);
	assert_non_null(before);
	json_object_foreach (before, key, value) {
		if (!json_equal(value, json_object_get(now, key)))
			fail_msg("%s: %s is another one, or missing", path, key);
	}
	json_decref(before);
	json_decref(now);
}

static void on_network(void *arg, const struct network *network)
{
	struct reading *reading = arg;

	still_there(reading, "networks", network->id, network_encode(network));
	reading->networks++;
}

static void on_endpoint(void *arg, struct endpoint *endpoint)
{
	struct reading *reading = arg;

	still_there(reading, "endpoints", endpoint->id, endpoint_encode(endpoint));
	reading->endpoints++;
	endpoint_done(endpoint);
}

static void on_bad(void *arg, const char *file, const struct err *reason)
{
	const struct reading *reading = arg;

	fail_msg("%s: %s: %s", reading->directory, file, reason->text);
}

static void read_version(const char *directory)
{
	struct reading reading = { .directory = directory };
	struct store store = { -1, -1, -1 };
	struct err err = { 0 };

	assert_int_equal(store_open_read_only(&store, directory, directory, &err), 0);
	assert_int_equal(store_load_networks(&store, on_network, on_bad, &reading, &err), 0);
	assert_int_equal(store_load_endpoints(&store, on_endpoint, on_bad, &reading, &err), 0);
	store_close(&store);
	assert_true(reading.networks >= 4 && reading.endpoints >= 3);
}

static void every_version_is_read(void **state)
{
	glob_t versions;

	(void)state;
	assert_int_equal(glob(VERSIONS, 0, NULL, &versions), 0);
	for (size_t i = 0; i < versions.gl_pathc; i++)
		read_version(versions.gl_pathv[i]);
	globfree(&versions);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(every_version_is_read) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
