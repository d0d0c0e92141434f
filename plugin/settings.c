/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See settings.h. */
#include "settings.h"

#include <getopt.h>
#include <stddef.h>

#include "../policy/base/mem.h"

enum setting_kind { TEXT, FLAG, REPEATED };

struct setting {
	const char *name;
	enum setting_kind kind;
	const char *env; /* of a TEXT */
	const char *if_unset;
	size_t offset; /* in struct settings */
	unsigned int commands;
	const char *help;
};

static const struct setting table[] = {
	{ "socket", TEXT, "TAILEXIT_SOCKET", "/run/docker/plugins/tailexit.sock",
	  offsetof(struct settings, socket), COMMAND_SERVE,
	  "where dockerd finds the driver; up to 4 paths, separated by commas" },
	{ "state-dir", TEXT, "TAILEXIT_STATE_DIR", "/var/lib/tailexit",
	  offsetof(struct settings, state_dir), COMMAND_SERVE | COMMAND_GUARD,
	  "networks; survives a reboot" },
	{ "run-dir", TEXT, "TAILEXIT_RUN_DIR", "/run/tailexit", offsetof(struct settings, run_dir),
	  COMMAND_SERVE | COMMAND_GUARD | COMMAND_PORTS | COMMAND_STATUS | COMMAND_PLAN,
	  "endpoints and the control socket; dies with the boot" },
	{ "docker-sock", TEXT, "TAILEXIT_DOCKER_SOCK", "/run/docker.sock",
	  offsetof(struct settings, docker_sock), COMMAND_SERVE, "the Engine API" },
	{ "sysctl-dir", TEXT, "TAILEXIT_SYSCTL_DIR", "/proc/sys",
	  offsetof(struct settings, sysctl_dir), COMMAND_SERVE,
	  "where forwarding is turned on; another mount where /proc/sys is read-only" },
	{ "log-level", TEXT, "TAILEXIT_LOG_LEVEL", "info", offsetof(struct settings, log_level),
	  COMMAND_SERVE, "error, warn, info or debug" },
	{ "json", FLAG, NULL, NULL, offsetof(struct settings, json), COMMAND_PORTS | COMMAND_STATUS,
	  "for programs" },
	{ "opt", REPEATED, NULL, NULL, offsetof(struct settings, options), COMMAND_PLAN,
	  "-o KEY=VALUE, as for `docker network create`; may be repeated" },
	{ "driver-opt", REPEATED, NULL, NULL, offsetof(struct settings, container_options),
	  COMMAND_PLAN, "KEY=VALUE of one container in the network; may be repeated" },
	{ "subnet", REPEATED, NULL, NULL, offsetof(struct settings, subnets), COMMAND_PLAN,
	  "one per address family (172.18.0.0/16 if there is none)" },
	{ "internal", FLAG, NULL, NULL, offsetof(struct settings, internal), COMMAND_PLAN,
	  "as for `docker network create`" },
	{ "diff", FLAG, NULL, NULL, offsetof(struct settings, diff), COMMAND_PLAN,
	  "instead: what the kernel lacks (+), has too much (-) or otherwise (~) now" },
};

#define HELP_VALUE ((int)ARRAY_SIZE(table))
/* The row of --opt, whose short form is -o. */
#define OPT_VALUE 7

static void *place_of(struct settings *settings, const struct setting *setting)
{
	return (char *)settings + setting->offset;
}

static const char **text_of(struct settings *settings, const struct setting *setting)
{
	return place_of(settings, setting);
}

static bool set(struct settings *settings, const struct setting *setting, const char *value)
{
	struct repeated *repeated;

	switch (setting->kind) {
	case TEXT:
		*text_of(settings, setting) = value;
		break;
	case FLAG:
		*(bool *)place_of(settings, setting) = true;
		break;
	case REPEATED:
		repeated = place_of(settings, setting);
		if (repeated->n == REPEATED_MAX)
			return false;
		repeated->values[repeated->n++] = value;
		break;
	}
	return true;
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
		printf("  --%s%s\n        %s", setting->name, setting->kind != FLAG ? " VALUE" : "",
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
	const char *letters = command == COMMAND_PLAN ? "o:" : "";
	int value;

	set_defaults(ret_settings);
	for (int i = 0; i < (int)ARRAY_SIZE(table); i++) {
		if (table[i].commands & command)
			*option++ =
				(struct option){ table[i].name, table[i].kind != FLAG, NULL, i };
	}
	*option = (struct option){ "help", no_argument, NULL, HELP_VALUE };
	while ((value = getopt_long(argc, argv, letters, options, NULL)) != -1) {
		if (value == HELP_VALUE) {
			print_help(command, argv[0]);
			return SETTINGS_HELP;
		}
		if (value == 'o')
			value = OPT_VALUE;
		if (value < 0 || value > HELP_VALUE) /* getopt_long() has said what is wrong */
			return SETTINGS_WRONG;
		if (!set(ret_settings, &table[value], optarg)) {
			fprintf(stderr, "tailexit %s: --%s is there too often\n", argv[0],
				table[value].name);
			return SETTINGS_WRONG;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "tailexit %s: unexpected argument \"%s\"; try --help\n", argv[0],
			argv[optind]);
		return SETTINGS_WRONG;
	}
	return SETTINGS_OK;
}
