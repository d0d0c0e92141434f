/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the subcommands can be told, on the command line or by the environment. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* An option that may be given several times. */
#define REPEATED_MAX 32
struct repeated {
	const char *values[REPEATED_MAX];
	size_t n;
};

struct settings {
	const char *socket; /* one or several, separated by commas */
	const char *state_dir;
	const char *run_dir;
	const char *docker_sock; /* of the Engine API */
	const char *sysctl_dir;
	const char *log_level;
	bool json;
	/* of a network that is only thought of */
	struct repeated options;           /* -o key=value */
	struct repeated container_options; /* --driver-opt key=value: of one container in it */
	struct repeated subnets;
	bool internal;
	bool diff;
};

/* Who takes a setting. */
enum command {
	COMMAND_SERVE = 1,
	COMMAND_PORTS = 2,
	COMMAND_STATUS = 4,
	COMMAND_PLAN = 8,
	COMMAND_GUARD = 16
};

enum settings_result { SETTINGS_OK, SETTINGS_HELP, SETTINGS_WRONG };

/* argv[0] is the subcommand. After SETTINGS_HELP and SETTINGS_WRONG the user has been told. */
enum settings_result settings_parse(struct settings *ret_settings, enum command command, int argc,
				    char **argv);
