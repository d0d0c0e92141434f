/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See serve.h. The order in which things are made is the content of this file. */
#include "serve.h"

#include <errno.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>

#include "../policy/base/log.h"
#include "../policy/base/mem.h"
#include "../policy/policy.h"
#include "call_times.h"
#include "control.h"
#include "docker_networks.h"
#include "dockerd.h"
#include "driver.h"
#include "labels.h"
#include "late_ports.h"
#include "locks.h"
#include "notify.h"
#include "server.h"

/* Every published port is a descriptor, too. */
#define DESCRIPTORS_WANTED 65536
#define CONNECTIONS_WANTED 4000
/* `tailexit guard` holds the same locks, for a moment. */
#define LOCKS_PATIENCE_MS 1000
#define SOCKETS_MAX 4

struct daemon {
	struct locks locks;
	int signals;
	struct listener listeners[SOCKETS_MAX], control_listener;
	size_t n_listeners;
	struct loop *loop;
	struct policy *policy;
	struct dockerd *dockerd;
	struct strbuf pid_file;
	struct server *servers[SOCKETS_MAX], *control;
	struct call_times times;
	struct control answerers;
};

static void daemon_done(struct daemon *daemon)
{
	server_stop(daemon->control);
	for (size_t i = 0; i < daemon->n_listeners; i++)
		server_stop(daemon->servers[i]);
	dockerd_free(daemon->dockerd);
	policy_close(daemon->policy);
	if (daemon->loop && daemon->signals >= 0)
		loop_fd_del(daemon->loop, daemon->signals);
	loop_free(daemon->loop);
	listener_done(&daemon->control_listener);
	for (size_t i = 0; i < daemon->n_listeners; i++)
		listener_done(&daemon->listeners[i]);
	strbuf_done(&daemon->pid_file);
	if (daemon->signals >= 0)
		close(daemon->signals);
	locks_done(&daemon->locks);
}

static int make_directory(const char *path, mode_t mode, struct err *err)
{
	if (mkdir(path, mode) < 0 && errno != EEXIST)
		return err_errno(err, -errno, "cannot create directory %s", path);
	return 0;
}

static int take_locks(struct daemon *daemon, const struct settings *settings, struct err *err)
{
	/* Everybody may look for the control socket; it has its own mode. */
	int r = make_directory(settings->run_dir, 0755, err);

	if (r == 0)
		r = make_directory(settings->state_dir, 0700, err);
	if (r == 0)
		r = locks_take(&daemon->locks, settings->run_dir, settings->state_dir,
			       LOCKS_PATIENCE_MS, err);
	return r;
}

static int open_listener(struct daemon *daemon, const char *path, struct err *err)
{
	int r;

	if (daemon->n_listeners == SOCKETS_MAX)
		return err_set(err, -E2BIG, "more than %d sockets; name fewer", SOCKETS_MAX);
	r = listener_open(&daemon->listeners[daemon->n_listeners], path, err);
	if (r == 0)
		daemon->n_listeners++;
	return r;
}

/* A managed plugin has one of its own, by which dockerd knows it with its tag, and one among the
 * host's, for the name without. */
static int open_listeners(struct daemon *daemon, const struct settings *settings, struct err *err)
{
	AUTO_FREE char *paths = xstrdup(settings->socket);
	char *rest = paths, *path;
	int r = listener_inherit(&daemon->listeners[0], err);

	if (r != 0) {
		daemon->n_listeners = r > 0;
		return r < 0 ? r : 0;
	}
	while (r >= 0 && (path = strsep(&rest, ",")))
		r = open_listener(daemon, path, err);
	return r < 0 ? r : 0;
}

/* A start may take long on a slow or busy host, and has nothing to finish: what is half made the
 * next one completes. A handler, since the first process of a container has no default for signals.
 */
static void end_at_once(int signal)
{
	(void)signal;
	_exit(EXIT_SUCCESS);
}

static void end_at_once_on_signals(void)
{
	signal(SIGPIPE, SIG_IGN);
	signal(SIGTERM, end_at_once);
	signal(SIGINT, end_at_once);
}

static void on_signal(void *arg, uint32_t events)
{
	struct daemon *daemon = arg;
	struct signalfd_siginfo info;

	(void)events;
	if (read(daemon->signals, &info, sizeof(info)) != sizeof(info))
		return;
	log_info("stopping on signal %u; the networks stay as they are", info.ssi_signo);
	loop_quit(daemon->loop);
}

/* From here on they wait until the loop reads them. */
static int open_signals(struct daemon *daemon, struct err *err)
{
	sigset_t set;
	int r;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	daemon->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	r = daemon->signals < 0 ? -errno : 0;
	if (r == 0)
		r = loop_fd_add(daemon->loop, daemon->signals, EPOLLIN, on_signal, daemon);
	return r < 0 ? err_errno(err, r, "cannot receive signals") : 0;
}

/* How many connections can be had. Half of the descriptors are for ports and everything else. */
static unsigned int raise_limits(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return CONNECTIONS_WANTED;
	if (limit.rlim_cur < DESCRIPTORS_WANTED) {
		limit.rlim_cur = limit.rlim_max < DESCRIPTORS_WANTED ? limit.rlim_max
								     : DESCRIPTORS_WANTED;
		if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
			getrlimit(RLIMIT_NOFILE, &limit);
	}
	return limit.rlim_cur / 2 < CONNECTIONS_WANTED ? (unsigned int)limit.rlim_cur / 2
						       : CONNECTIONS_WANTED;
}

/* Only people's tools need it: without it the daemon works on. */
static void start_control(struct daemon *daemon, const struct settings *settings)
{
	const struct server_config config = {
		.content_type = "application/json",
		.max_body = 4096,
		.max_connections = 64,
		.timeout_ms = 30000,
		.handler = control_handle,
		.arg = &daemon->answerers,
	};
	AUTO(strbuf) struct strbuf path = { 0 };
	struct err err;

	daemon->answerers.policy = daemon->policy;
	daemon->answerers.times = &daemon->times;
	strbuf_addf(&path, "%s/" CONTROL_SOCKET, settings->run_dir);
	if (listener_open(&daemon->control_listener, strbuf_text(&path), &err) == 0 &&
	    listener_allow_group(&daemon->control_listener, "docker", &err) == 0)
		daemon->control =
			server_start(&daemon->control_listener, daemon->loop, &config, &err);
	if (!daemon->control)
		log_warn("no control socket, so \"tailexit ports\" will not work: %s", err.text);
}

/* Of two delays; 0 is never. */
static unsigned int sooner(unsigned int a, unsigned int b)
{
	return !a ? b : !b ? a : a < b ? a : b;
}

/* A list that is not whole says nothing about what is not in it. */
static unsigned int on_networks(void *arg, const struct docker_networks *networks)
{
	struct daemon *daemon = arg;
	unsigned int again_ms;

	policy_set_neighbours(daemon->policy, networks->bridges, networks->n_bridges);
	labels_of_networks(daemon->policy, networks);
	again_ms = policy_untold(daemon->policy);
	if (!networks->engine)
		return again_ms;
	return sooner(again_ms, policy_set_client_networks(daemon->policy, networks->engine,
							   networks->ids, networks->n_ids));
}

static bool wants_containers(void *arg)
{
	const struct daemon *daemon = arg;

	return late_ports_wanted(daemon->policy) || policy_untold(daemon->policy);
}

static unsigned int on_containers(void *arg, struct docker_containers *containers)
{
	struct daemon *daemon = arg;

	labels_of_containers(daemon->policy, containers);
	return sooner(late_ports_settle(daemon->policy, containers), policy_untold(daemon->policy));
}

static bool is_own(void *arg, const char *network, const char *endpoint)
{
	const struct daemon *daemon = arg;

	return policy_endpoint(daemon->policy, network, endpoint) != NULL;
}

static void on_ask(void *arg)
{
	struct daemon *daemon = arg;

	if (daemon->dockerd)
		dockerd_look(daemon->dockerd);
}

static void on_listen(void *arg)
{
	struct daemon *daemon = arg;

	if (daemon->dockerd)
		dockerd_look_once(daemon->dockerd);
}

/* Where dockerd writes its process id unless told otherwise: beside its socket. */
static void name_pid_file(const char *socket, struct strbuf *path)
{
	const char *slash = strrchr(socket, '/');

	strbuf_addf(path, "%.*sdocker.pid", slash ? (int)(slash + 1 - socket) : 0, socket);
}

static void start_dockerd(struct daemon *daemon, const struct settings *settings)
{
	struct dockerd_config config = {
		.socket = settings->docker_sock,
		.timeout_ms = 30000,
		.retry_ms = 1000,
		.look_ms = 100,
		.patience_ms = 60000,
		.networks = on_networks,
		.wants_containers = wants_containers,
		.containers = on_containers,
		.is_own = is_own,
		.arg = daemon,
	};

	name_pid_file(settings->docker_sock, &daemon->pid_file);
	if (access("/run/systemd/system", F_OK) == 0)
		config.pid_file = strbuf_text(&daemon->pid_file);
	daemon->dockerd = dockerd_new(daemon->loop, &config);
	daemon->answerers.dockerd = daemon->dockerd;
}

static void handle_call(void *arg, const char *path, const char *body, size_t len,
			struct strbuf *reply, int *ret_status)
{
	struct daemon *daemon = arg;
	uint64_t began = call_clock_us();

	driver_handle(daemon->policy, path, body, len, reply, ret_status);
	if (*ret_status == 200)
		call_times_add(&daemon->times, path, call_clock_us() - began);
	if (driver_is_greeting(path))
		dockerd_started(daemon->dockerd);
}

static int start_servers(struct daemon *daemon, struct err *err)
{
	const struct server_config config = {
		.content_type = "application/vnd.docker.plugins.v1.2+json",
		.max_body = 1024 * 1024,
		.max_connections = raise_limits() / (unsigned int)daemon->n_listeners,
		.timeout_ms = 30000,
		.handler = handle_call,
		.arg = daemon,
	};

	for (size_t i = 0; i < daemon->n_listeners; i++) {
		daemon->servers[i] =
			server_start(&daemon->listeners[i], daemon->loop, &config, err);
		if (!daemon->servers[i])
			return err->code;
	}
	return 0;
}

static int prepare(struct daemon *daemon, const struct settings *settings, struct err *err)
{
	const struct policy_config config = {
		.state_dir = settings->state_dir,
		.run_dir = settings->run_dir,
		.sysctl_dir = settings->sysctl_dir,
		.is_neighbour = dockerd_names_bridge,
		.ask = on_ask,
		.listen = on_listen,
		.arg = daemon,
		.forgotten_ms = 60000,
		.in_the_way_ms = 2000,
	};
	int r;

	end_at_once_on_signals();
	r = take_locks(daemon, settings, err);
	/* First of all: a dockerd that starts at the same time gets to wait instead of an error. */
	if (r == 0)
		r = open_listeners(daemon, settings, err);
	if (r < 0)
		return r;
	daemon->loop = loop_new(err);
	if (!daemon->loop)
		return err->code;
	daemon->policy = policy_open(&config, daemon->loop, err);
	if (!daemon->policy)
		return err->code;
	r = open_signals(daemon, err);
	return r < 0 ? r : start_servers(daemon, err);
}

int serve(const struct settings *settings, struct err *err)
{
	AUTO(daemon)
	struct daemon daemon = {
		.locks = { -1, -1 },
		.signals = -1,
		.control_listener.fd = -1,
	};
	int r;

	if (log_set_level(settings->log_level) < 0)
		return err_set(err, -EINVAL,
			       "log level \"%s\" is none of error, warn, info, debug; use one",
			       settings->log_level);
	r = prepare(&daemon, settings, err);
	if (r < 0)
		return r;
	start_control(&daemon, settings);
	start_dockerd(&daemon, settings);
	log_info("ready");
	notify_ready();
	return loop_run(daemon.loop, err);
}
