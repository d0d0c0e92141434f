/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of plugin/settings.c. */
#include <getopt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../plugin/settings.h"
#include "../../policy/base/mem.h"

static enum settings_result parse(struct settings *settings, enum command command,
				  const char *first, const char *second)
{
	char *argv[] = { (char *)"serve", (char *)first, (char *)second, NULL };

	optind = 0; /* getopt_long() starts anew */
	opterr = 0;
	return settings_parse(settings, command, 1 + (first != NULL) + (second != NULL), argv);
}

static void defaults_hold_when_nothing_is_said(void **state)
{
	struct settings settings;

	(void)state;
	setenv("TAILEXIT_LOG_LEVEL", "", 1); /* as in the configuration of a managed plugin */
	assert_int_equal(parse(&settings, COMMAND_SERVE, NULL, NULL), SETTINGS_OK);
	unsetenv("TAILEXIT_LOG_LEVEL");
	assert_string_equal(settings.socket, "/run/docker/plugins/tailexit.sock");
	assert_string_equal(settings.state_dir, "/var/lib/tailexit");
	assert_string_equal(settings.run_dir, "/run/tailexit");
	assert_string_equal(settings.docker_sock, "/run/docker.sock");
	assert_string_equal(settings.log_level, "info");
	assert_false(settings.json);
}

static void every_setting_has_an_option_which_beats_its_variable(void **state)
{
	static const struct {
		const char *option, *env;
		size_t offset;
	} rows[] = {
		{ "--socket", "TAILEXIT_SOCKET", offsetof(struct settings, socket) },
		{ "--state-dir", "TAILEXIT_STATE_DIR", offsetof(struct settings, state_dir) },
		{ "--run-dir", "TAILEXIT_RUN_DIR", offsetof(struct settings, run_dir) },
		{ "--docker-sock", "TAILEXIT_DOCKER_SOCK", offsetof(struct settings, docker_sock) },
		{ "--log-level", "TAILEXIT_LOG_LEVEL", offsetof(struct settings, log_level) },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct settings settings;
		const char **value = (const char **)((char *)&settings + rows[i].offset);

		setenv(rows[i].env, "/of-env", 1);
		assert_int_equal(parse(&settings, COMMAND_SERVE, NULL, NULL), SETTINGS_OK);
		assert_string_equal(*value, "/of-env");
		assert_int_equal(parse(&settings, COMMAND_SERVE, rows[i].option, "/of-option"),
				 SETTINGS_OK);
		assert_string_equal(*value, "/of-option");
		unsetenv(rows[i].env);
	}
}

static void each_command_takes_its_own_settings_only(void **state)
{
	struct settings settings;

	(void)state;
	assert_int_equal(parse(&settings, COMMAND_PORTS, "--json", NULL), SETTINGS_OK);
	assert_true(settings.json);
	assert_int_equal(parse(&settings, COMMAND_PORTS, "--run-dir", "/r"), SETTINGS_OK);
	assert_int_equal(parse(&settings, COMMAND_PORTS, "--socket", "/s"), SETTINGS_WRONG);
	assert_int_equal(parse(&settings, COMMAND_SERVE, "--json", NULL), SETTINGS_WRONG);
}

static void wrong_usage_is_noticed(void **state)
{
	struct settings settings;

	(void)state;
	assert_int_equal(parse(&settings, COMMAND_SERVE, "--nope", NULL), SETTINGS_WRONG);
	assert_int_equal(parse(&settings, COMMAND_SERVE, "--socket", NULL), SETTINGS_WRONG);
	assert_int_equal(parse(&settings, COMMAND_SERVE, "extra", NULL), SETTINGS_WRONG);
	assert_int_equal(parse(&settings, COMMAND_SERVE, "--help", NULL), SETTINGS_HELP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_hold_when_nothing_is_said),
		cmocka_unit_test(every_setting_has_an_option_which_beats_its_variable),
		cmocka_unit_test(each_command_takes_its_own_settings_only),
		cmocka_unit_test(wrong_usage_is_noticed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
