/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of plugin/docker_networks.c and docker_containers.c: the engine's lists, as they come.
 */
#include "dockerd_rig.h"

static char *load(const char *name)
{
	char path[128];
	char *text = xcalloc(1, 8192);
	FILE *file;

	snprintf(path, sizeof(path), "tests/fuzz/corpus/http/%s", name);
	file = fopen(path, "re");
	if (!file)
		fail_msg("%s: run this from the top of the repository", path);
	assert_true(fread(text, 1, 8191, file) > 0);
	fclose(file);
	return text;
}

static void recorded_lists_are_understood(void **state)
{
	static const struct {
		const char *version, *list, *names;
	} rows[] = {
		{ "20.10-version", "20.10-networks", "docker0 br-54636bf3c87e foo0" },
		{ "28.5-version", "28.5-networks", "docker0 br-5957ece62dc6 foo0" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		AUTO_FREE char *version = load(rows[i].version);
		AUTO_FREE char *list = load(rows[i].list);
		struct rig *rig = rig_fresh(state);

		rig->version.text = version;
		rig->list = (struct answer){ .text = list, .piece = i ? 37 : 0 };
		rig_listen(rig);
		rig_start(rig);
		assert_true(rig_run(rig, told_once, 2000));
		assert_string_equal(strbuf_text(&rig->names), rows[i].names);
		assert_int_equal(rig_logged(rig, ""), 1);
		assert_int_equal(rig_logged(rig, READ_LINE), 1);
		rig_stop_listening(rig);
	}
}

static void only_names_of_bridges_are_taken(void **state)
{
	struct rig *rig = *state;

	start(rig, CHUNKED "1\r\n[\r\n"
			   "2b\r\n{\"Id\":\"0123456789abcdef\",\"Driver\":\"macvlan\"\r\n"
			   "2\r\n},\r\n"
			   "43\r\n{\"Id\":\"abcdef012345678\",\"Driver\":\"bridge\"},{\"Driver\":"
			   "\"bridge\"},null\r\n"
			   "2\r\n,7\r\n1\r\n]\r\n0\r\n\r\n");
	assert_true(rig_run(rig, told_once, 2000));
	assert_string_equal(strbuf_text(&rig->names), "br-abcdef012345");
	rig->list
		.text = LIST(NAMED("foo0") "," NAMED("") "," NAMED("a/b") "," NAMED("a b") "," NAMED(
		"sixteen-letters-") "," NAMED("fifteen-letters") "," NETWORK("[]") "," NETWORK("nul"
											       "l"));
	rig->told = 0;
	dockerd_look(rig->dockerd);
	assert_true(rig_run(rig, told_once, 2000));
	assert_string_equal(strbuf_text(&rig->names),
			    "foo0 br-0123456789ab fifteen-letters br-0123456789ab br-0123456789ab");
}

#define OTHER(id, driver) "{\"Id\":\"" id "\",\"Driver\":\"" driver "\"}"

/* Fails when the engine is told of a list with an entry that could not be read. */
static void only_a_whole_list_of_an_engine_has_one(void **state)
{
	static const struct {
		const char *list, *ids, *engine;
	} rows[] = {
		{ LIST(OTHER("aa", "null") "," OTHER("bb", "host") "," OTHER("cc", "tailexit")),
		  "aa bb cc", "bb" },
		{ LIST(OTHER("cc", "x/y:latest") "," OTHER("bb", "host")), "cc bb", "bb" },
		/* podman, for one, has none of driver "host" */
		{ LIST(NETWORK("{}")), "0123456789ab", "" },
		{ LIST(""), "", "" },
		{ LIST(OTHER("bb", "host") ",{\"Driver\":\"tailexit\"}"), "bb", "" },
		{ LIST(OTHER("bb", "host") ",{\"Id\":7}"), "bb", "" },
		{ LIST(OTHER("bb", "host") ",null"), "bb", "" },
		{ LIST(OTHER("bb", "host") "," OTHER("", "tailexit")), "bb", "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct rig *rig = rig_fresh(state);

		start(rig, rows[i].list);
		assert_true(rig_run(rig, told_once, 2000));
		if (!streq(strbuf_text(&rig->ids), rows[i].ids) ||
		    !streq(rig->engine, rows[i].engine))
			fail_msg("row %zu: %s, %s", i, strbuf_text(&rig->ids), rig->engine);
	}
}

#define CONTAINER(state, networks) \
	"{\"State\":\"" state "\",\"NetworkSettings\":{\"Networks\":{" networks "}}}"
#define ATTACHED(name, id, gateway, gateway6) \
	"\"" name "\":{\"EndpointID\":\"" id "\",\"Gateway\":\"" gateway \
	"\",\"IPv6Gateway\":\"" gateway6 "\"}"

#define INSIDE "\"i\":{\"EndpointID\":\"ii\",\"Gateway\":\"10.0.0.1\",\"NetworkID\":\"in\"}"

/* Fails when a gateway of IPv6 does not count; when containers count that do not run; when internal
 * networks are not told apart. */
static void containers_are_understood(void **state)
{
	static const struct {
		const char *list, *attached;
	} rows[] = {
		{ LIST(CONTAINER("running", ATTACHED("a", "aa", "", ""))), "aa" },
		{ LIST(CONTAINER("running", ATTACHED("a", "aa", "10.0.0.1", ""))), "aa+" },
		{ LIST(CONTAINER("running", ATTACHED("a", "aa", "", "fd00::1"))), "aa+" },
		{ LIST(CONTAINER("paused", ATTACHED("a", "aa", "", ""))), "aa" },
		{ LIST(CONTAINER("restarting", ATTACHED("a", "aa", "", ""))), "" },
		{ LIST(CONTAINER("running", ATTACHED("a", "", "", ""))), "" },
		{ LIST(CONTAINER("running", INSIDE)), "ii" },
		{ LIST(CONTAINER("running", INSIDE "," ATTACHED("a", "aa", "1.2.3.4", ""))),
		  "ii aa+" },
		{ LIST(CONTAINER("running", ATTACHED("a", "aa", "", "")) "," CONTAINER("running",
										       INSIDE)),
		  "aa, ii" },
		{ LIST("null,{},7," CONTAINER("running", "\"g\":null")), "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct rig *rig = rig_fresh(state);

		rig->containers.text = rows[i].list;
		start(rig, LIST("{\"Id\":\"in\",\"Internal\":true}"));
		assert_true(rig_run(rig, told_containers, 2000));
		if (!streq(strbuf_text(&rig->attached), rows[i].attached))
			fail_msg("row %zu: %s", i, strbuf_text(&rig->attached));
	}
}

static void wrong_containers_are_asked_for_again(void **state)
{
	struct rig *rig = *state;

	rig->containers.text = HEAD "\r\n{}";
	start(rig, LIST(""));
	assert_true(rig_run(rig, warned, 2000));
	assert_int_equal(rig_logged(rig, "(the answer is not a list of containers)"), 1);
	assert_int_equal(rig->told_containers, 0);
	rig->containers.text = LIST("");
	assert_true(rig_run(rig, told_containers, 2000));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)
	const struct CMUnitTest tests[] = {
		TEST(recorded_lists_are_understood),          TEST(only_names_of_bridges_are_taken),
		TEST(only_a_whole_list_of_an_engine_has_one), TEST(containers_are_understood),
		TEST(wrong_containers_are_asked_for_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
