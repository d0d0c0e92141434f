/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of plugin/dockerd.c and http_call.c, with an engine that answers as recorded, slowly,
 * wrongly, or not at all. */
#include "dockerd_rig.h"

#define HEAD "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
#define CHUNKED HEAD "Transfer-Encoding: chunked\r\n\r\n"
#define RUNS(v) HEAD "\r\n{\"Version\":\"" v "\"}"
#define NETWORK(options) \
	"{\"Id\":\"0123456789abcdef\",\"Driver\":\"bridge\",\"Options\":" options "}"
#define NAMED(name) NETWORK("{\"com.docker.network.bridge.name\":\"" name "\"}")
#define LIST(networks) HEAD "\r\n[" networks "]"

static const char read_line[] = "info: Docker's API at";
static const char warn_line[] = "warn: Docker's API at";

static bool told_once(struct rig *rig)
{
	return rig->told >= 1;
}

static bool told_twice(struct rig *rig)
{
	return rig->told >= 2;
}

static bool never(struct rig *rig)
{
	(void)rig;
	return false;
}

static bool warned(struct rig *rig)
{
	return rig_logged(rig, warn_line) > 0;
}

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

static void start_listening(struct rig *rig, const char *list)
{
	rig->version.text = RUNS("28.5.2");
	rig->list.text = list;
	rig_listen(rig);
}

/* An engine that says this, and somebody who asks it. */
static void start(struct rig *rig, const char *list)
{
	start_listening(rig, list);
	rig_start(rig);
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
		assert_int_equal(rig_logged(rig, read_line), 1);
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

static void who_is_told_may_want_the_list_again(void **state)
{
	struct rig *rig = *state;

	rig->again_ms = 100;
	start(rig, LIST(""));
	assert_true(rig_run(rig, told_once, 2000));
	assert_false(rig_run(rig, told_twice, 50));
	assert_true(rig_run(rig, told_twice, 2000));
	rig->again_ms = 0;
	rig_run(rig, never, 150);
	rig->told = 0;
	assert_false(rig_run(rig, told_once, 250));
}

#define CONTAINER(state, networks) \
	"{\"State\":\"" state "\",\"NetworkSettings\":{\"Networks\":{" networks "}}}"
#define ATTACHED(name, id, gateway, gateway6) \
	"\"" name "\":{\"EndpointID\":\"" id "\",\"Gateway\":\"" gateway \
	"\",\"IPv6Gateway\":\"" gateway6 "\"}"

#define INSIDE "\"i\":{\"EndpointID\":\"ii\",\"Gateway\":\"10.0.0.1\",\"NetworkID\":\"in\"}"

static bool told_containers(struct rig *rig)
{
	return rig->told_containers >= 1;
}

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

static void a_change_is_looked_at_several_times(void **state)
{
	struct rig *rig = *state;
	uint64_t start_ms;

	start(rig, LIST(""));
	assert_true(rig_run(rig, told_once, 2000));
	assert_string_equal(strbuf_text(&rig->names), "");
	/* Nothing happens: nobody is asked, and nobody stays connected. */
	assert_false(rig_run(rig, told_twice, 200));
	for (size_t i = 0; i < rig->n_clients; i++)
		assert_int_equal(rig->clients[i].fd, -1);
	/* A storm of changes is one. */
	start_ms = loop_now_ms();
	for (int i = 0; i < 1000; i++)
		dockerd_look(rig->dockerd);
	rig_run(rig, never, 400);
	assert_in_range(rig->told, 2, 6);
	rig->list.text = LIST(NAMED("late0"));
	rig_run(rig, never, 1500);
	assert_string_equal(strbuf_text(&rig->names), "late0");
	assert_true(loop_now_ms() - start_ms > 1000);
	assert_int_equal(rig->told, 8);
	assert_int_equal(rig->versions, 1);
	assert_int_equal(rig_logged(rig, ""), 1);
}

static void changes_without_end_delay_nothing(void **state)
{
	struct rig *rig = *state;

	start(rig, LIST(""));
	assert_true(rig_run(rig, told_once, 2000));
	for (int i = 0; i < 20; i++) {
		dockerd_look(rig->dockerd);
		rig_run(rig, never, 5);
	}
	assert_true(rig->told > 1);
}

static void one_question_is_asked_at_a_time(void **state)
{
	struct rig *rig = *state;

	rig->config.timeout_ms = 1000;
	start(rig, NULL);
	for (int i = 0; i < 5; i++) {
		rig_run(rig, never, 30);
		dockerd_look(rig->dockerd);
	}
	assert_int_equal(rig->lists, 1);
	rig->list.text = LIST(NAMED("foo0"));
	assert_true(rig_run(rig, told_once, 4000));
}

static void nobody_there_is_normal_for_a_while(void **state)
{
	struct rig *rig = *state;

	rig_start(rig);
	rig_run(rig, never, 200);
	assert_int_equal(rig_logged(rig, ""), 0);
	assert_true(rig_run(rig, warned, 3000));
	assert_int_equal(rig_logged(rig, "No such file"), 1);
	rig_run(rig, never, 300);
	assert_int_equal(rig_logged(rig, ""), 1);
	start_listening(rig, LIST(NAMED("foo0")));
	assert_true(rig_run(rig, told_once, 2500));
	assert_int_equal(rig_logged(rig, read_line), 1);
	assert_int_equal(rig_logged(rig, ""), 2);
}

static void the_delay_has_a_limit(void **state)
{
	struct rig *rig = *state;

	/* Doubled without end it would be a second by then. */
	rig->config.retry_ms = 2;
	rig_start(rig);
	rig_run(rig, never, 1100);
	start_listening(rig, LIST(""));
	assert_true(rig_run(rig, told_once, 500));
}

static void a_restart_of_the_engine_is_not_news(void **state)
{
	struct rig *rig = *state;

	start(rig, LIST(NAMED("foo0")));
	assert_true(rig_run(rig, told_once, 2000));
	rig_stop_listening(rig);
	dockerd_look(rig->dockerd);
	rig_run(rig, never, 100);
	rig_listen(rig);
	rig->list.text = LIST(NAMED("foo1"));
	assert_true(rig_run(rig, told_twice, 2000));
	assert_string_equal(strbuf_text(&rig->names), "foo1");
	assert_int_equal(rig->versions, 2); /* it may be another */
	assert_int_equal(rig_logged(rig, ""), 1);
}

static void a_starting_engine_cuts_the_delay_short(void **state)
{
	struct rig *rig = *state;

	rig->config.retry_ms = 100000;
	rig_start(rig);
	rig_run(rig, never, 50);
	rig->version.text = RUNS("28.5.2");
	rig->list.text = LIST("");
	rig_listen(rig);
	assert_false(rig_run(rig, told_once, 100));
	dockerd_started(rig->dockerd);
	assert_true(rig_run(rig, told_once, 1000));
}

static void wrong_answers_are_told_once_and_change_nothing(void **state)
{
	static const struct {
		const char *text, *reason;
	} rows[] = {
		{ "HTTP/1.1 403 Forbidden\r\n\r\n", "(HTTP status 403)" },
		{ "HTTP/1.1 301 X\r\nLocation: /\r\nContent-Length: 0\r\n\r\n",
		  "(HTTP status 301)" },
		{ "220 mail ESMTP\r\n", "(the answer is not HTTP" },
		{ CHUNKED "zz\r\n", "(the answer is not HTTP" },
		{ HEAD "\r\n", "(the answer is not a list" },
		{ HEAD "\r\n{\"message\":\"no\"}", "(the answer is not a list" },
		{ HEAD "\r\n[" NAMED("foo0"), "(the answer is not a list" },
		{ HEAD "\r\n[" NAMED("\xff\xfe") "]", "(the answer is not a list" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct rig *rig = rig_fresh(state);

		start(rig, rows[i].text);
		assert_false(rig_run(rig, told_once, 100));
		assert_true(rig->lists > 1);
		if (rig_logged(rig, warn_line) != 1 || rig_logged(rig, "") != 1 ||
		    rig_logged(rig, rows[i].reason) != 1)
			fail_msg("answer %zu, reason %s", i, rows[i].reason);
		rig->list.text = LIST("");
		assert_true(rig_run(rig, told_once, 2500));
		assert_int_equal(rig_logged(rig, ""), 2);
	}
}

/* Each ends at its deadline; none is worth a line at once. */
static void slow_answers_are_given_up(void **state)
{
	static const struct answer answers[] = {
		{ .text = NULL },
		{ .text = HEAD, .stays = true },
		{ .text = HEAD "Content-Length: 100\r\n\r\n[", .stays = true },
		{ .text = LIST(
			  NAMED("a") "," NAMED("b") "," NAMED("c") "," NAMED("d") "," NAMED("e")),
		  .piece = 1 },
		/* These end early. */
		{ .text = "" },
		{ .text = "HTTP/1.1 20" },
		{ .text = HEAD "Content-Length: 100\r\n\r\n[" },
		{ .text = CHUNKED "2\r\n[]\r\n" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
		struct rig *rig = rig_fresh(state);
		unsigned int lists;

		rig->config.timeout_ms = 100;
		start(rig, NULL);
		rig->list = answers[i];
		rig_run(rig, never, 250);
		lists = rig->lists;
		if (rig->told || lists < 2 || rig_logged(rig, ""))
			fail_msg("answer %zu: told %u, asked %u, %u lines", i, rig->told, lists,
				 rig_logged(rig, ""));
		rig->list = (struct answer){ .text = LIST("") };
		assert_true(rig_run(rig, told_once, 2500));
	}
}

static void an_answer_has_a_limit(void **state)
{
	struct rig *rig = *state;
	size_t size = (4u << 20) - 2;
	AUTO_FREE char *text = xcalloc(1, size + 200);
	size_t head = (size_t)sprintf(text, "%s", HEAD "\r\n[");

	memset(text + head, ' ', size);
	strcpy(text + head + size, "]");
	rig->config.timeout_ms = 5000;
	start(rig, text);
	assert_true(rig_run(rig, told_once, 5000));
	strcpy(text + head + size, "  ]");
	dockerd_look(rig->dockerd);
	assert_true(rig_run(rig, warned, 5000));
	assert_int_equal(rig_logged(rig, "larger than 4194304 bytes"), 1);
	dockerd_free(steal_ptr(rig->dockerd));
}

static void an_engine_that_crashes_is_named(void **state)
{
	static const struct {
		const char *version;
		unsigned int warnings;
	} rows[] = {
		{ RUNS("29.0.0"), 1 },      { RUNS("29.0.2+dfsg1-1"), 1 },
		{ RUNS("29.0.1-rc.2"), 1 }, { RUNS("29.0.3"), 0 },
		{ RUNS("29.0.10"), 0 },     { RUNS("29.1.0"), 0 },
		{ RUNS("28.5.2"), 0 },      { RUNS("129.0.1"), 0 },
		{ HEAD "\r\n{}", 0 },       { HEAD "\r\nnonsense", 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct rig *rig = rig_fresh(state);

		start(rig, LIST(""));
		rig->version.text = rows[i].version;
		assert_true(rig_run(rig, told_once, 2000));
		dockerd_look(rig->dockerd);
		assert_true(rig_run(rig, told_twice, 2000));
		if (rig_logged(rig, "upgrade to 29.0.3 or newer") != rows[i].warnings)
			fail_msg("%s", rows[i].version);
		assert_int_equal(rig_logged(rig, ""), 1 + rows[i].warnings);
	}
}

/* systemd listens, and would start the engine for whoever connects. */
static void an_engine_that_was_stopped_is_not_woken(void **state)
{
	struct rig *rig = *state;
	FILE *file;

	rig->config.pid_file = rig->pid_file;
	start(rig, LIST(NAMED("foo0")));
	rig_run(rig, never, 100);
	dockerd_look(rig->dockerd);
	rig_run(rig, never, 300);
	assert_int_equal(rig->n_clients, 0);
	file = fopen(rig->pid_file, "we");
	assert_non_null(file);
	fclose(file);
	assert_true(rig_run(rig, told_once, 2500));
	unlink(rig->pid_file);
	rig->n_clients = 0;
	dockerd_look(rig->dockerd);
	rig_run(rig, never, 300);
	assert_int_equal(rig->n_clients, 0);
	/* It has called us, so it runs. */
	dockerd_started(rig->dockerd);
	assert_true(rig_run(rig, told_twice, 1000));
}

static void it_may_end_at_any_time(void **state)
{
	struct rig *rig = *state;

	start(rig, LIST(""));
	rig->version.text = NULL;
	rig_run(rig, never, 50);
	assert_int_equal(rig->versions, 1);
	dockerd_free(rig->dockerd);
	rig->version.text = RUNS("28.5.2");
	rig->list.text = NULL;
	rig_start(rig);
	rig_run(rig, never, 50);
	assert_int_equal(rig->lists, 1);
	dockerd_free(steal_ptr(rig->dockerd));
	rig_run(rig, never, 50);
	dockerd_free(NULL);
	assert_int_equal(rig->told, 0);
}

static void a_path_too_long_is_told(void **state)
{
	struct rig *rig = *state;
	char path[200];

	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	rig->config.socket = path;
	rig_start(rig);
	assert_int_equal(rig_logged(rig, ""), 0); /* only from the loop */
	assert_true(rig_run(rig, warned, 1000));
	dockerd_free(steal_ptr(rig->dockerd));
}

static void names_that_docker_makes_up_are_recognised(void **state)
{
	(void)state;
	assert_true(dockerd_names_bridge("docker0"));
	assert_true(dockerd_names_bridge("docker_gwbridge"));
	assert_true(dockerd_names_bridge("br-0123456789ab"));
	assert_false(dockerd_names_bridge("br-0123456789a"));
	assert_false(dockerd_names_bridge("br-0123456789abc"));
	assert_false(dockerd_names_bridge("br-0123456789aB"));
	assert_false(dockerd_names_bridge("br-"));
	assert_false(dockerd_names_bridge("br0"));
	assert_false(dockerd_names_bridge(""));
	assert_false(dockerd_names_bridge("docker01"));
	assert_false(dockerd_names_bridge("te-0123456789ab"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)
	const struct CMUnitTest tests[] = {
		TEST(recorded_lists_are_understood),
		TEST(only_names_of_bridges_are_taken),
		TEST(only_a_whole_list_of_an_engine_has_one),
		TEST(who_is_told_may_want_the_list_again),
		TEST(containers_are_understood),
		TEST(wrong_containers_are_asked_for_again),
		TEST(a_change_is_looked_at_several_times),
		TEST(changes_without_end_delay_nothing),
		TEST(one_question_is_asked_at_a_time),
		TEST(nobody_there_is_normal_for_a_while),
		TEST(the_delay_has_a_limit),
		TEST(a_restart_of_the_engine_is_not_news),
		TEST(a_starting_engine_cuts_the_delay_short),
		TEST(wrong_answers_are_told_once_and_change_nothing),
		TEST(slow_answers_are_given_up),
		TEST(an_answer_has_a_limit),
		TEST(an_engine_that_crashes_is_named),
		TEST(an_engine_that_was_stopped_is_not_woken),
		TEST(it_may_end_at_any_time),
		TEST(a_path_too_long_is_told),
		cmocka_unit_test(names_that_docker_makes_up_are_recognised),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
