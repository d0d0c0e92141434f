/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An Engine API by script, in the same loop as what asks it, and the log that is written meanwhile.
 */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cmocka.h>

#include "../../plugin/docker_containers.h"
#include "../../plugin/docker_networks.h"
#include "../../plugin/dockerd.h"
#include "../../policy/base/mem.h"
#include "../../policy/base/strbuf.h"

#define CLIENTS 64

#define HEAD "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
#define CHUNKED HEAD "Transfer-Encoding: chunked\r\n\r\n"
#define RUNS(v) HEAD "\r\n{\"Version\":\"" v "\"}"
#define NETWORK(options) \
	"{\"Id\":\"0123456789abcdef\",\"Driver\":\"bridge\",\"Options\":" options "}"
#define NAMED(name) NETWORK("{\"com.docker.network.bridge.name\":\"" name "\"}")
#define LIST(networks) HEAD "\r\n[" networks "]"

/* What is said to a request. */
struct answer {
	const char *text; /* NULL: nothing, and the connection stays */
	size_t piece;     /* so many bytes each millisecond; 0: all at once */
	bool stays;       /* afterwards, although asked to close */
};

struct client {
	struct rig *rig;
	int fd;
	size_t sent;
	char request[512];
	struct answer answer;
};

struct rig {
	char dir[32], path[64], pid_file[64], log[64];
	struct loop *loop;
	struct dockerd *dockerd;
	struct dockerd_config config;
	struct loop_timer *tick, *limit;
	int listener, stderr_fd;
	struct client clients[CLIENTS];
	size_t n_clients;
	struct answer version, list, containers; /* of these nobody asks if there is no text */

	/* What was heard. */
	unsigned int lists, versions, told;
	unsigned int told_containers;
	struct strbuf names, ids, attached; /* the last that were told */
	char engine[72];
	const char *own;       /* the network that is ours */
	unsigned int again_ms; /* what is answered to that */
	/* When to stop. */
	bool (*until)(struct rig *rig);
	bool late;
};

static inline void client_hang_up(struct client *client)
{
	if (client->fd < 0)
		return;
	loop_fd_del(client->rig->loop, client->fd);
	close(client->fd);
	client->fd = -1;
}

static inline void client_answer(struct client *client)
{
	const struct answer *answer = &client->answer;
	size_t piece;
	ssize_t n;

	if (client->fd < 0 || !answer->text)
		return;
	piece = strlen(answer->text + client->sent);
	if (answer->piece && answer->piece < piece)
		piece = answer->piece;
	n = send(client->fd, answer->text + client->sent, piece, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n > 0)
		client->sent += (size_t)n;
	if ((n < 0 && errno != EAGAIN) || (!answer->text[client->sent] && !answer->stays))
		client_hang_up(client);
}

static inline void on_client(void *arg, uint32_t events)
{
	struct client *client = arg;
	size_t len = strlen(client->request);
	ssize_t n = recv(client->fd, client->request + len, sizeof(client->request) - 1 - len, 0);

	(void)events;
	if (n <= 0) {
		client_hang_up(client);
	} else if (strncmp(client->request, "GET /version HTTP/1.1\r\n", 23) == 0) {
		client->rig->versions++;
		client->answer = client->rig->version;
	} else if (strncmp(client->request, "GET /networks HTTP/1.1\r\n", 24) == 0) {
		client->rig->lists++;
		client->answer = client->rig->list;
	} else if (strncmp(client->request, "GET /containers/json HTTP/1.1\r\n", 31) == 0) {
		client->answer = client->rig->containers;
	} else {
		fail_msg("unexpected: %s", client->request);
	}
}

static inline void on_connection(void *arg, uint32_t events)
{
	struct rig *rig = arg;
	struct client *client = &rig->clients[rig->n_clients++];

	(void)events;
	assert_true(rig->n_clients < CLIENTS);
	*client = (struct client){ .rig = rig, .fd = accept(rig->listener, NULL, NULL) };
	assert_true(client->fd >= 0);
	loop_fd_add(rig->loop, client->fd, EPOLLIN, on_client, client);
}

static inline void on_tick(void *arg)
{
	struct rig *rig = arg;

	for (size_t i = 0; i < rig->n_clients; i++)
		client_answer(&rig->clients[i]);
	if (rig->until && rig->until(rig))
		loop_quit(rig->loop);
	loop_timer_arm(rig->tick, 1);
}

static inline void on_limit(void *arg)
{
	struct rig *rig = arg;

	rig->late = true;
	loop_quit(rig->loop);
}

static inline unsigned int on_networks(void *arg, const struct docker_networks *networks)
{
	struct rig *rig = arg;

	rig->told++;
	strbuf_done(&rig->names);
	for (size_t i = 0; i < networks->n_bridges; i++)
		strbuf_addf(&rig->names, "%s%s", i ? " " : "", networks->bridges[i]);
	strbuf_done(&rig->ids);
	for (size_t i = 0; i < networks->n_ids; i++)
		strbuf_addf(&rig->ids, "%s%.12s", i ? " " : "", networks->ids[i]);
	snprintf(rig->engine, sizeof(rig->engine), "%s", networks->engine ?: "");
	return rig->again_ms;
}

static inline bool wants_containers(void *arg)
{
	const struct rig *rig = arg;

	return rig->containers.text != NULL;
}

/* "aa bb+, cc": of each container the endpoints, and whether it leads out. */
static inline unsigned int on_containers(void *arg, struct docker_containers *containers)
{
	struct rig *rig = arg;

	rig->told_containers++;
	strbuf_done(&rig->attached);
	for (size_t i = 0; i < containers->n; i++) {
		const struct docker_container *container = &containers->items[i];

		for (size_t e = 0; e < container->n_endpoints; e++)
			strbuf_addf(&rig->attached, "%s%s",
				    e   ? " "
				    : i ? ", "
					: "",
				    container->endpoints[e]);
		strbuf_addf(&rig->attached, "%s", container->leads_out ? "+" : "");
	}
	return 0;
}

static inline bool is_own(void *arg, const char *network, const char *endpoint)
{
	const struct rig *rig = arg;

	(void)endpoint;
	return rig->own && streq(network, rig->own);
}

static inline void on_warning(void *arg, const char *sentence)
{
	strbuf_addf(arg, "%s\n", sentence);
}

/* All warnings that are valid now; the caller frees. */
static inline char *rig_warnings(const struct rig *rig)
{
	struct strbuf text = { 0 };

	dockerd_each_warning(rig->dockerd, on_warning, &text);
	return strbuf_take(&text);
}

static inline void rig_listen(struct rig *rig)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	strcpy(address.sun_path, rig->path);
	rig->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(rig->listener, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(rig->listener, 16), 0);
	loop_fd_add(rig->loop, rig->listener, EPOLLIN, on_connection, rig);
}

/* Nobody is there any more. */
static inline void rig_stop_listening(struct rig *rig)
{
	for (size_t i = 0; i < rig->n_clients; i++)
		client_hang_up(&rig->clients[i]);
	rig->n_clients = 0;
	if (rig->listener < 0)
		return;
	loop_fd_del(rig->loop, rig->listener);
	close(rig->listener);
	unlink(rig->path);
	rig->listener = -1;
}

/* False: that has not happened within so many milliseconds. */
static inline bool rig_run(struct rig *rig, bool (*until)(struct rig *rig), unsigned int ms)
{
	struct err err;

	rig->until = until;
	rig->late = false;
	loop_timer_arm(rig->limit, ms);
	assert_int_equal(loop_run(rig->loop, &err), 0);
	loop_timer_disarm(rig->limit);
	return !rig->late;
}

static inline void rig_start(struct rig *rig)
{
	rig->dockerd = dockerd_new(rig->loop, &rig->config);
}

/* How often this stands in the log; everything that was logged, if it is "". */
static inline unsigned int rig_logged(const struct rig *rig, const char *text)
{
	char log[16384] = "";
	FILE *file = fopen(rig->log, "re");
	unsigned int n = 0;

	assert_non_null(file);
	log[fread(log, 1, sizeof(log) - 1, file)] = '\0';
	fclose(file);
	for (const char *at = log; (at = strstr(at, *text ? text : "\n")); at++)
		n++;
	return n;
}

static inline int rig_setup(void **state)
{
	struct rig *rig = xcalloc(1, sizeof(*rig));
	struct err err;
	int log;

	strcpy(rig->dir, "/tmp/test-dockerd-XXXXXX");
	assert_non_null(mkdtemp(rig->dir));
	snprintf(rig->path, sizeof(rig->path), "%s/docker.sock", rig->dir);
	snprintf(rig->pid_file, sizeof(rig->pid_file), "%s/docker.pid", rig->dir);
	snprintf(rig->log, sizeof(rig->log), "%s/log", rig->dir);
	log = open(rig->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	rig->stderr_fd = dup(STDERR_FILENO);
	assert_true(log >= 0 && dup2(log, STDERR_FILENO) >= 0);
	close(log);
	rig->loop = loop_new(&err);
	rig->tick = loop_timer_new(rig->loop, on_tick, rig);
	rig->limit = loop_timer_new(rig->loop, on_limit, rig);
	loop_timer_arm(rig->tick, 1);
	rig->listener = -1;
	rig->config = (struct dockerd_config){
		.socket = rig->path,
		.timeout_ms = 300,
		.retry_ms = 20,
		.look_ms = 10,
		.patience_ms = 300,
		.networks = on_networks,
		.wants_containers = wants_containers,
		.containers = on_containers,
		.is_own = is_own,
		.arg = rig,
	};
	*state = rig;
	return 0;
}

/* What a failed test has to say was written into the log, too. */
static inline void rig_show_failures(const struct rig *rig)
{
	char line[1024];
	FILE *file = fopen(rig->log, "re");

	while (file && fgets(line, sizeof(line), file)) {
		if (strncmp(line, "info: ", 6) != 0 && strncmp(line, "warn: ", 6) != 0)
			fputs(line, stderr);
	}
	if (file)
		fclose(file);
}

static inline int rig_teardown(void **state)
{
	struct rig *rig = *state;

	dockerd_free(rig->dockerd);
	rig_stop_listening(rig);
	loop_free(rig->loop);
	dup2(rig->stderr_fd, STDERR_FILENO);
	close(rig->stderr_fd);
	rig_show_failures(rig);
	strbuf_done(&rig->names);
	strbuf_done(&rig->ids);
	strbuf_done(&rig->attached);
	unlink(rig->log);
	unlink(rig->pid_file);
	rmdir(rig->dir);
	free(rig);
	return 0;
}

/* For another row of a test. */
static inline struct rig *rig_fresh(void **state)
{
	assert_int_equal(rig_teardown(state), 0);
	assert_int_equal(rig_setup(state), 0);
	return *state;
}

static inline bool told_once(struct rig *rig)
{
	return rig->told >= 1;
}

static inline bool told_twice(struct rig *rig)
{
	return rig->told >= 2;
}

static inline bool told_containers(struct rig *rig)
{
	return rig->told_containers >= 1;
}

/* What only ends by its limit. */
static inline bool never(struct rig *rig)
{
	(void)rig;
	return false;
}

#define READ_LINE "info: Docker's API at"
#define WARN_LINE "warn: Docker's API at"

static inline bool warned(struct rig *rig)
{
	return rig_logged(rig, WARN_LINE) > 0;
}

static inline void start_listening(struct rig *rig, const char *list)
{
	rig->version.text = RUNS("28.5.2");
	rig->list.text = list;
	rig_listen(rig);
}

/* An engine that says this, and somebody who asks it. */
static inline void start(struct rig *rig, const char *list)
{
	start_listening(rig, list);
	rig_start(rig);
}
