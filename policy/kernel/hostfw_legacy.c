/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See hostfw_legacy.h. */
#include "hostfw_legacy.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "../base/mem.h"
#include "../base/strbuf.h"

extern char **environ;

struct job {
	struct job *next;
	bool allow;
	char (*patterns)[IFNAMSIZ + 1]; /* owned; a + as iptables has it instead of the star */
	size_t n;
};

struct hostfw_legacy {
	struct loop *loop;
	void (*failed)(const char *sentence);
	struct job *jobs; /* the first one is under way if child is */
	pid_t child;
	int child_fd; /* pidfd, -1 without a child */
};

/* A family whose legacy filter table is not loaded has no rules in it. */
static bool table_loaded(const char *file)
{
	FILE *names = fopen(file, "re");
	bool found = false;
	char name[64];

	while (names && fgets(name, sizeof(name), names))
		found |= streq(name, "filter\n");
	if (names)
		fclose(names);
	return found;
}

static bool in_use(void)
{
	return table_loaded("/proc/net/ip_tables_names") ||
	       table_loaded("/proc/net/ip6_tables_names");
}

/* ---- in the child ---- */

/* The exit status; what it prints about missing rules and chains is of no interest. */
static int run(const char *program, const char *verb, const char *chain, const char *direction,
	       const char *pattern)
{
	char *const argv[] = {
		(char *)program,   (char *)"-w",    (char *)"5",  (char *)verb,     (char *)chain,
		(char *)direction, (char *)pattern, (char *)"-j", (char *)"ACCEPT", NULL
	};
	posix_spawn_file_actions_t actions;
	int status = 0;
	pid_t pid;
	int r;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	r = posix_spawnp(&pid, program, &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	if (r != 0)
		return 127;
	if (waitpid(pid, &status, 0) < 0 || !WIFEXITED(status))
		return 126;
	return WEXITSTATUS(status);
}

#define FAILED 1 /* no such rule, no such chain */

/* FORWARD itself where dockerd made no DOCKER-USER, as hostfw.c does it. */
static int allow_rule(const char *program, const char *direction, const char *pattern)
{
	static const char *const chains[] = { "DOCKER-USER", "FORWARD" };
	int r = FAILED;

	for (size_t i = 0; r == FAILED && i < ARRAY_SIZE(chains); i++) {
		r = run(program, "-C", chains[i], direction, pattern);
		if (r == FAILED)
			r = run(program, "-I", chains[i], direction, pattern);
	}
	return r;
}

static int withdraw_rule(const char *program, const char *direction, const char *pattern)
{
	int user = run(program, "-D", "DOCKER-USER", direction, pattern);
	int forward = run(program, "-D", "FORWARD", direction, pattern);

	return user > forward ? user : forward;
}

static int run_rule(const char *program, bool allow, const char *direction, const char *pattern)
{
	return allow ? allow_rule(program, direction, pattern)
		     : withdraw_rule(program, direction, pattern);
}

static int run_job(const struct job *job)
{
	static const char *const programs[] = { "iptables-legacy", "ip6tables-legacy" };
	static const char *const directions[] = { "-i", "-o" };
	int worst = 0;

	for (size_t p = 0; p < ARRAY_SIZE(programs); p++)
		for (size_t d = 0; d < ARRAY_SIZE(directions); d++)
			for (size_t i = 0; i < job->n; i++) {
				int r = run_rule(programs[p], job->allow, directions[d],
						 job->patterns[i]);

				if (r > FAILED)
					worst = r;
			}
	return worst;
}

/* ---- in the daemon ---- */

static void start(struct hostfw_legacy *legacy);

static void finish(struct hostfw_legacy *legacy)
{
	struct job *job = legacy->jobs;
	int status = 0;

	loop_fd_del(legacy->loop, legacy->child_fd);
	close(legacy->child_fd);
	legacy->child_fd = -1;
	(void)waitpid(legacy->child, &status, 0);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		legacy->failed(
			"iptables-legacy is in use here but could not be run to accept our bridges "
			"in DOCKER-USER; install iptables, or containers may have no connection");
	legacy->jobs = job->next;
	free(job->patterns);
	free(job);
}

static void on_child(void *arg, uint32_t events)
{
	struct hostfw_legacy *legacy = arg;

	(void)events;
	finish(legacy);
	start(legacy);
}

static void start(struct hostfw_legacy *legacy)
{
	sigset_t none;

	if (!legacy->jobs || legacy->child_fd >= 0)
		return;
	legacy->child = fork();
	if (legacy->child == 0) {
		/* The daemon has its signals blocked, for signalfd. */
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		_exit(run_job(legacy->jobs));
	}
	legacy->child_fd = legacy->child < 0 ? -1 : pidfd_open(legacy->child, 0);
	if (legacy->child_fd < 0)
		return; /* tried again with the next job */
	if (loop_fd_add(legacy->loop, legacy->child_fd, EPOLLIN, on_child, legacy) < 0)
		finish(legacy);
}

static void add_job(struct hostfw_legacy *legacy, bool allow, const char *const *patterns, size_t n)
{
	struct job *job, **end = &legacy->jobs;

	if (!in_use())
		return;
	job = xcalloc(1, sizeof(*job));
	job->allow = allow;
	job->n = n;
	job->patterns = xcalloc(n + 1, sizeof(*job->patterns));
	for (size_t i = 0; i < n; i++) {
		char *star;

		snprintf(job->patterns[i], sizeof(job->patterns[i]), "%s", patterns[i]);
		star = strchr(job->patterns[i], '*');
		if (star)
			*star = '+';
	}
	/* The first may be under way. Of the others only the last one of a kind in a row counts:
	 * rules may change faster than programs run. */
	while (*end && (*end == legacy->jobs || (*end)->next || (*end)->allow != allow))
		end = &(*end)->next;
	if (*end) {
		free((*end)->patterns);
		free(*end);
	}
	*end = job;
	start(legacy);
}

void hostfw_legacy_allow(struct hostfw_legacy *legacy, const char *const *patterns, size_t n)
{
	add_job(legacy, true, patterns, n);
}

void hostfw_legacy_withdraw(struct hostfw_legacy *legacy, const char *const *patterns, size_t n)
{
	add_job(legacy, false, patterns, n);
}

struct hostfw_legacy *hostfw_legacy_new(struct loop *loop, void (*failed)(const char *sentence))
{
	struct hostfw_legacy *legacy = xcalloc(1, sizeof(*legacy));

	*legacy = (struct hostfw_legacy){ .loop = loop, .failed = failed, .child_fd = -1 };
	return legacy;
}

void hostfw_legacy_free(struct hostfw_legacy *legacy)
{
	if (!legacy)
		return;
	while (legacy->child_fd >= 0) {
		struct pollfd wait = { .fd = legacy->child_fd, .events = POLLIN };

		if (poll(&wait, 1, 2000) == 0)
			kill(legacy->child, SIGKILL);
		finish(legacy);
		start(legacy);
	}
	free(legacy);
}
