/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See settings.h. */
#include "settings.h"

#include <getopt.h>
#include <stddef.h>

#include "../policy/base/mem.h"

struct setting {
	const char *name;
	const char *env; /* NULL: a flag, without a value */
	const char *if_unset;
	size_t offset; /* in struct settings */
	unsigned int commands;
	const char *help;
};

static const struct setting table[] = {
	{ "socket", "TAILEXIT_SOCKET", "/run/docker/plugins/tailexit.sock",
	  offsetof(struct settings, socket), COMMAND_SERVE, "where dockerd finds the driver" },
	{ "state-dir", "TAILEXIT_STATE_DIR", "/var/lib/tailexit",
	  offsetof(struct settings, state_dir), COMMAND_SERVE, "networks; survives a reboot" },
	{ "run-dir", "TAILEXIT_RUN_DIR", "/run/tailexit", offsetof(struct settings, run_dir),
	  COMMAND_SERVE | COMMAND_PORTS, "endpoints and the control socket; dies with the boot" },
	{ "docker-sock", "TAILEXIT_DOCKER_SOCK", "/run/docker.sock",
	  offsetof(struct settings, docker_sock), COMMAND_SERVE, "the Engine API" },
	{ "log-level", "TAILEXIT_LOG_LEVEL", "info", offsetof(struct settings, log_level),
	  COMMAND_SERVE, "error, warn, info or debug" },
	{ "json", NULL, NULL, offsetof(struct settings, json), COMMAND_PORTS, "for programs" },
};

#define HELP_VALUE ((int)ARRAY_SIZE(table))

static const char **text_of(struct settings *settings, const struct setting *setting)
{
	return (const char **)((char *)settings + setting->offset);
}

static void set_defaults(struct settings *settings)
{
	*settings = (struct settings){ 0 };
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		const char *value = table[i].env ? getenv(table[i].env) : NULL;

		/* A managed plugin's configuration has every variable, maybe empty. */
		if (table[i].env)
			*text_of(settings, &table[i]) = value && *value ? value : table[i].if_unset;
	}
}

static void print_help(enum command command, const char *name)
{
	printf("Usage: tailexit %s [OPTION]...\n\n", name);
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		const struct setting *setting = &table[i];

		if (!(setting->commands & command))
			continue;
		printf("  --%s%s\n        %s", setting->name, setting->env ? " VALUE" : "",
		       setting->help);
		if (setting->env)
			printf(" (%s; %s)", setting->env, setting->if_unset);
		printf("\n");
	}
}

enum settings_result settings_parse(struct settings *ret_settings, enum command command, int argc,
				    char **argv)
{
	struct option options[ARRAY_SIZE(table) + 2] = { 0 };
	struct option *option = options;
	int value;

	set_defaults(ret_settings);
	for (int i = 0; i < (int)ARRAY_SIZE(table); i++) {
		if (table[i].commands & command)
			*option++ = (struct option){ table[i].name, table[i].env != NULL, NULL, i };
	}
	*option = (struct option){ "help", no_argument, NULL, HELP_VALUE };
	while ((value = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (value == HELP_VALUE) {
			print_help(command, argv[0]);
			return SETTINGS_HELP;
		}
		if (value < 0 || value > HELP_VALUE) /* getopt_long() has said what is wrong */
			return SETTINGS_WRONG;
		if (table[value].env)
			*text_of(ret_settings, &table[value]) = optarg;
		else
			*(bool *)((char *)ret_settings + table[value].offset) = true;
	}
	if (optind < argc) {
		fprintf(stderr, "tailexit %s: unexpected argument \"%s\"; try --help\n", argv[0],
			argv[optind]);
		return SETTINGS_WRONG;
	}
	return SETTINGS_OK;
}
