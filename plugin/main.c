/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command line: from the first argument to the function behind it. */
#include <errno.h>

#include "../policy/base/mem.h"
#include "guard.h"
#include "plan.h"
#include "ports.h"
#include "serve.h"
#include "settings.h"
#include "status.h"

#ifndef VERSION
#define VERSION "unknown"
#endif

/* Of the process, as usual: wrong usage is not the same as failure. */
enum { EXIT_USAGE = 2 };

struct subcommand {
	const char *name;
	int (*fn)(const struct settings *settings, struct err *err);
	enum command command;
	const char *help;
};

static const struct subcommand subcommands[] = {
	{ "serve", serve, COMMAND_SERVE, "be the network driver" },
	{ "guard", guard_command, COMMAND_GUARD, "close the known networks, before there is one" },
	{ "status", status_print, COMMAND_STATUS, "say what each network does, and why" },
	{ "ports", ports_print, COMMAND_PORTS, "list published ports" },
	{ "plan", plan_command, COMMAND_PLAN, "print what a network with given options becomes" },
};

static void print_help(FILE *file)
{
	fprintf(file, "Usage: tailexit COMMAND [OPTION]...\n\n");
	for (size_t i = 0; i < ARRAY_SIZE(subcommands); i++)
		fprintf(file, "  %-8s %s\n", subcommands[i].name, subcommands[i].help);
	fprintf(file, "\n  --help, also after a command\n  --version\n");
}

static int run(const struct subcommand *subcommand, int argc, char **argv)
{
	struct settings settings;
	struct err err = { 0 };

	switch (settings_parse(&settings, subcommand->command, argc, argv)) {
	case SETTINGS_HELP:
		return EXIT_SUCCESS;
	case SETTINGS_WRONG:
		return EXIT_USAGE;
	case SETTINGS_OK:
		break;
	}
	if (subcommand->fn(&settings, &err) < 0) {
		fprintf(stderr, "tailexit %s: %s\n", subcommand->name, err.text);
		return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";

	if (streq(name, "--help")) {
		print_help(stdout);
		return EXIT_SUCCESS;
	}
	if (streq(name, "--version")) {
		puts("tailexit " VERSION);
		return EXIT_SUCCESS;
	}
	for (size_t i = 0; i < ARRAY_SIZE(subcommands); i++) {
		if (streq(subcommands[i].name, name))
			return run(&subcommands[i], argc - 1, argv + 1);
	}
	if (*name)
		fprintf(stderr, "tailexit: \"%s\" is not a command\n", name);
	print_help(stderr);
	return EXIT_USAGE;
}
