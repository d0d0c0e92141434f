/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of plugin/dockerd.c and http_call.c, with an engine that answers as recorded, slowly,
 * wrongly, or not at all. */
#include "dockerd_rig.h"

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
	assert_int_equal(rig_logged(rig, READ_LINE), 1);
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
		if (rig_logged(rig, WARN_LINE) != 1 || rig_logged(rig, "") != 1 ||
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
		TEST(who_is_told_may_want_the_list_again),
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
		TEST(an_engine_that_was_stopped_is_not_woken),
		TEST(it_may_end_at_any_time),
		TEST(a_path_too_long_is_told),
		cmocka_unit_test(names_that_docker_makes_up_are_recognised),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
