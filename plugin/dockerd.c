/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See dockerd.h. */
#include "dockerd.h"

#include <errno.h>

#include "../policy/base/log.h"
#include "../policy/base/mem.h"
#include "../policy/base/strbuf.h"
#include "docker_containers.h"
#include "docker_networks.h"
#include "engine_bugs.h"
#include "http_call.h"

#define NETWORKS_MAX (4u << 20)
#define CONTAINERS_MAX (16u << 20)
#define VERSION_MAX (64u << 10)

#define RETRY_FACTOR_MAX 60
#define LOOKS 7

struct dockerd {
	struct dockerd_config config;
	struct loop *loop;
	struct http_call *call;          /* under way, or NULL */
	struct docker_networks networks; /* while the containers are asked for */
	struct loop_timer *next;
	uint64_t next_ms; /* when it fires, 0: never */
	bool version_known;
	struct engine_bugs bugs;
	unsigned int looks; /* how many more */
	unsigned int look_ms, retry_ms;
	unsigned int again_ms;     /* how soon somebody wants to be told again; 0: nobody */
	uint64_t failing_since_ms; /* 0: not failing */
	struct err failure;        /* the last one */
	enum { NOTHING, READ, NOT_READABLE } told;
};

bool dockerd_names_bridge(const char *bridge)
{
	const char *id = bridge + strlen("br-");

	if (streq(bridge, "docker0") || streq(bridge, "docker_gwbridge"))
		return true;
	return strncmp(bridge, "br-", 3) == 0 && strlen(id) == 12 &&
	       strspn(id, "0123456789abcdef") == 12;
}

/* Fires at the earlier one of two times. */
static void arm(struct dockerd *dockerd, unsigned int delay_ms)
{
	uint64_t at_ms = loop_now_ms() + delay_ms;

	if (dockerd->next_ms && dockerd->next_ms <= at_ms)
		return;
	dockerd->next_ms = at_ms;
	loop_timer_arm(dockerd->next, delay_ms);
}

/* As long as an engine is starting, stopping or absent. */
static bool is_absence(int code)
{
	return code == -ENOENT || code == -ECONNREFUSED || code == -ECONNRESET ||
	       code == -ETIMEDOUT || code == -EAGAIN || code == -EPIPE;
}

static void on_failure(struct dockerd *dockerd, const struct err *err)
{
	uint64_t now_ms = loop_now_ms();
	const unsigned int retry_max = dockerd->config.retry_ms * RETRY_FACTOR_MAX;

	log_debug("%s: %s", dockerd->config.socket, err->text);
	if (!dockerd->failing_since_ms)
		dockerd->failing_since_ms = now_ms;
	dockerd->failure = *err;
	if (dockerd->told != NOT_READABLE &&
	    (!is_absence(err->code) ||
	     now_ms - dockerd->failing_since_ms >= dockerd->config.patience_ms)) {
		log_warn(
			"Docker's API at %s is not readable (%s): labels are not read, bridges with "
			"a name of their own are not recognised, ports of containers that are only "
			"on isolated networks are not published, and networks that Docker has forgotten stay",
			dockerd->config.socket, err->text);
		dockerd->told = NOT_READABLE;
	}
	/* Whoever answers next may be another. */
	dockerd->version_known = false;
	arm(dockerd, dockerd->retry_ms);
	dockerd->retry_ms = dockerd->retry_ms * 2 < retry_max ? dockerd->retry_ms * 2 : retry_max;
}

static void on_success(struct dockerd *dockerd)
{
	if (dockerd->told != READ)
		log_info("Docker's API at %s is read", dockerd->config.socket);
	dockerd->told = READ;
	dockerd->failing_since_ms = 0;
	dockerd->retry_ms = dockerd->config.retry_ms;
	if (dockerd->again_ms)
		arm(dockerd, dockerd->again_ms);
	if (!dockerd->looks)
		return;
	dockerd->looks--;
	arm(dockerd, dockerd->look_ms);
	dockerd->look_ms *= 2;
}

static void ask(struct dockerd *dockerd, const char *target, size_t max_body,
		void (*done)(void *arg, const char *body, size_t len, const struct err *err))
{
	const struct http_call_config config = {
		.socket = dockerd->config.socket,
		.target = target,
		.max_body = max_body,
		.timeout_ms = dockerd->config.timeout_ms,
		.done = done,
		.arg = dockerd,
	};

	dockerd->call = http_call_new(dockerd->loop, &config);
}

static void want_again(struct dockerd *dockerd, unsigned int ms)
{
	if (ms && (!dockerd->again_ms || ms < dockerd->again_ms))
		dockerd->again_ms = ms;
}

static void on_containers(void *arg, const char *body, size_t len, const struct err *failure)
{
	struct dockerd *dockerd = arg;
	struct http_call *call = steal_ptr(dockerd->call); /* the body is its own */
	AUTO(docker_networks) struct docker_networks networks = dockerd->networks;
	AUTO(docker_containers) struct docker_containers containers = { 0 };
	struct err err;

	dockerd->networks = (struct docker_networks){ 0 };
	if (failure) {
		on_failure(dockerd, failure);
	} else if (docker_containers_read(&containers, body, len, &networks, &err) < 0) {
		on_failure(dockerd, &err);
	} else {
		engine_bugs_look_at(&dockerd->bugs, &containers, dockerd->config.is_own,
				    dockerd->config.arg);
		want_again(dockerd, dockerd->config.containers(dockerd->config.arg, &containers));
		on_success(dockerd);
	}
	http_call_free(call);
}

static void on_networks(void *arg, const char *body, size_t len, const struct err *failure)
{
	struct dockerd *dockerd = arg;
	struct http_call *call = steal_ptr(dockerd->call);
	AUTO(docker_networks) struct docker_networks networks = { 0 };
	struct err err;

	if (failure) {
		on_failure(dockerd, failure);
	} else if (docker_networks_read(&networks, body, len, &err) < 0) {
		on_failure(dockerd, &err);
	} else {
		dockerd->again_ms = 0;
		want_again(dockerd, dockerd->config.networks(dockerd->config.arg, &networks));
		if (dockerd->config.wants_containers(dockerd->config.arg)) {
			dockerd->networks = networks;
			networks = (struct docker_networks){ 0 };
			ask(dockerd, DOCKER_CONTAINERS_TARGET, CONTAINERS_MAX, on_containers);
		} else {
			on_success(dockerd);
		}
	}
	http_call_free(call);
}

static void on_version(void *arg, const char *body, size_t len, const struct err *failure)
{
	struct dockerd *dockerd = arg;
	struct http_call *call = steal_ptr(dockerd->call);

	if (failure) {
		on_failure(dockerd, failure);
	} else {
		engine_bugs_meet(&dockerd->bugs, body, len);
		dockerd->version_known = true;
		ask(dockerd, DOCKER_NETWORKS_TARGET, NETWORKS_MAX, on_networks);
	}
	http_call_free(call);
}

static void on_next(void *arg)
{
	struct dockerd *dockerd = arg;
	const char *pid_file = dockerd->config.pid_file;
	struct err err;

	dockerd->next_ms = 0;
	if (dockerd->call) /* whose end arms the timer again, as there are more looks to come */
		return;
	if (pid_file && access(pid_file, F_OK) < 0) {
		err_set(&err, -ENOENT, "Docker does not run: there is no %s", pid_file);
		on_failure(dockerd, &err);
	} else if (dockerd->version_known) {
		ask(dockerd, DOCKER_NETWORKS_TARGET, NETWORKS_MAX, on_networks);
	} else {
		ask(dockerd, ENGINE_VERSION_TARGET, VERSION_MAX, on_version);
	}
}

void dockerd_look(struct dockerd *dockerd)
{
	dockerd->looks = LOOKS - 1;
	dockerd->look_ms = dockerd->config.look_ms * 2;
	arm(dockerd, dockerd->config.look_ms);
}

void dockerd_look_once(struct dockerd *dockerd)
{
	arm(dockerd, dockerd->config.look_ms);
}

void dockerd_each_warning(const struct dockerd *dockerd,
			  void (*fn)(void *arg, const char *sentence), void *arg)
{
	AUTO(strbuf) struct strbuf failure = { 0 };
	AUTO(strbuf) struct strbuf crash = { 0 };
	AUTO(strbuf) struct strbuf priority = { 0 };

	if (!dockerd)
		return;
	if (dockerd->failing_since_ms) {
		strbuf_addf(&failure,
			    "labels are not read: Docker's API at %s is not readable (%s); options "
			    "hold, and it is tried again",
			    dockerd->config.socket, dockerd->failure.text);
		fn(arg, failure.text);
	}
	if (engine_bugs_crash(&dockerd->bugs, &crash))
		fn(arg, crash.text);
	if (engine_bugs_priority(&dockerd->bugs, dockerd->config.is_own, dockerd->config.arg,
				 &priority))
		fn(arg, priority.text);
}

void dockerd_started(struct dockerd *dockerd)
{
	/* Running without its file, dockerd has been told to write it elsewhere. */
	if (dockerd->config.pid_file && access(dockerd->config.pid_file, F_OK) < 0)
		dockerd->config.pid_file = NULL;
	dockerd->version_known = false;
	dockerd->retry_ms = dockerd->config.retry_ms;
	dockerd_look(dockerd);
}

struct dockerd *dockerd_new(struct loop *loop, const struct dockerd_config *config)
{
	struct dockerd *dockerd = xcalloc(1, sizeof(*dockerd));

	dockerd->config = *config;
	dockerd->loop = loop;
	dockerd->retry_ms = config->retry_ms;
	dockerd->next = loop_timer_new(loop, on_next, dockerd);
	arm(dockerd, 0);
	return dockerd;
}

void dockerd_free(struct dockerd *dockerd)
{
	if (!dockerd)
		return;
	http_call_free(dockerd->call);
	docker_networks_done(&dockerd->networks);
	loop_timer_free(dockerd->next);
	free(dockerd);
}
