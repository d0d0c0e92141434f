/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See server.h. libmicrohttpd without a thread of its own: its epoll descriptor is one more source
 * of our loop. Must not know what the requests are about. */
#include "server.h"

#include <errno.h>
#include <microhttpd.h>
#include <stdarg.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "../policy/base/log.h"
#include "../policy/base/mem.h"
#include "encode.h"

/* Enough for the headers of any client; bodies are collected elsewhere. */
#define CONNECTION_MEMORY (16 * 1024)

/* A client that writes more than is accepted still has to be heard out: some do not look for a
 * reply before they have written everything. Only what is absurd is cut off. */
#define HEARD_OUT (16 * 1024 * 1024)

struct connection {
	int fd;
	uint64_t deadline_ms;
	struct connection *prev, *next;
};

struct server {
	struct server_config config;
	struct listener listener;
	struct loop *loop;
	struct MHD_Daemon *daemon;
	int epoll_fd;
	struct loop_timer *pending;  /* libmicrohttpd has work left that no descriptor announces */
	struct loop_timer *deadline; /* of the oldest connection */
	/* Oldest first: all have the same time to live. */
	struct connection *first, *last;
};

struct request {
	char *body;
	size_t len;
	size_t size;
	size_t received; /* > len: more than is accepted */
};

static void forget_connection(struct server *server, struct connection *connection)
{
	*(connection->prev ? &connection->prev->next : &server->first) = connection->next;
	*(connection->next ? &connection->next->prev : &server->last) = connection->prev;
}

static void arm_deadline(struct server *server)
{
	uint64_t now_ms = loop_now_ms();

	if (!server->first)
		loop_timer_disarm(server->deadline);
	else
		loop_timer_arm(server->deadline, server->first->deadline_ms > now_ms
							 ? server->first->deadline_ms - now_ms
							 : 0);
}

static void run(struct server *server)
{
	MHD_UNSIGNED_LONG_LONG delay_ms;

	MHD_run(server->daemon);
	if (MHD_get_timeout(server->daemon, &delay_ms) == MHD_YES)
		loop_timer_arm(server->pending, delay_ms);
	else
		loop_timer_disarm(server->pending);
}

static void on_epoll(void *server, uint32_t events)
{
	(void)events;
	run(server);
}

static void on_pending(void *server)
{
	run(server);
}

/* libmicrohttpd counts idle time only, and one byte a second would live for ever. It notices the
 * shutdown and closes the connection. */
static void on_deadline(void *arg)
{
	struct server *server = arg;
	uint64_t now_ms = loop_now_ms();

	while (server->first && server->first->deadline_ms <= now_ms) {
		struct connection *connection = server->first;

		shutdown(connection->fd, SHUT_RDWR);
		/* In case it is not closed at once. */
		forget_connection(server, connection);
		connection->prev = connection->next = NULL;
		connection->fd = -1;
	}
	arm_deadline(server);
}

static void on_connection(void *arg, struct MHD_Connection *mhd, void **context,
			  enum MHD_ConnectionNotificationCode code)
{
	struct server *server = arg;
	struct connection *connection = *context;

	switch (code) {
	case MHD_CONNECTION_NOTIFY_STARTED:
		connection = xcalloc(1, sizeof(*connection));
		*connection = (struct connection){
			.fd = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD)
				      ->connect_fd,
			.deadline_ms = loop_now_ms() + server->config.timeout_ms,
			.prev = server->last,
		};
		*(server->last ? &server->last->next : &server->first) = connection;
		server->last = connection;
		*context = connection;
		if (server->first == connection)
			arm_deadline(server);
		break;
	case MHD_CONNECTION_NOTIFY_CLOSED:
		if (connection->fd >= 0)
			forget_connection(server, connection);
		free(connection);
		*context = NULL;
		break;
	}
}

static enum MHD_Result send_reply(struct server *server, struct MHD_Connection *mhd, int status,
				  struct strbuf *reply)
{
	size_t len = reply->len;
	struct MHD_Response *response =
		MHD_create_response_from_buffer(len, strbuf_take(reply), MHD_RESPMEM_MUST_FREE);
	enum MHD_Result result;

	mem_check(response);
	MHD_add_response_header(response, "Content-Type", server->config.content_type);
	/* Old engines keep connections for ever. Opening one takes some ten microseconds. */
	MHD_add_response_header(response, "Connection", "close");
	result = MHD_queue_response(mhd, (unsigned int)status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result send_error(struct server *server, struct MHD_Connection *mhd, int status,
				  const char *text)
{
	AUTO(strbuf) struct strbuf reply = { 0 };

	encode_error(&reply, text);
	return send_reply(server, mhd, status, &reply);
}

static enum MHD_Result refuse_size(struct server *server, struct MHD_Connection *mhd)
{
	struct err err;

	err_set(&err, -EMSGSIZE,
		"the request is larger than %zu bytes and was not read; send a smaller one",
		server->config.max_body);
	return send_error(server, mhd, MHD_HTTP_CONTENT_TOO_LARGE, err.text);
}

static uint64_t announced_length(struct MHD_Connection *mhd)
{
	const char *text =
		MHD_lookup_connection_value(mhd, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);

	return text ? strtoull(text, NULL, 10) : 0;
}

static void collect(struct server *server, struct request *request, const char *data, size_t len)
{
	request->received += len;
	if (request->received > server->config.max_body)
		return;
	if (request->received > request->size) {
		request->size = request->received * 2;
		request->body = xreallocarray(request->body, request->size, 1);
	}
	memcpy(request->body + request->len, data, len);
	request->len += len;
}

static enum MHD_Result answer(struct server *server, struct MHD_Connection *mhd, const char *path,
			      const char *method, const struct request *request)
{
	AUTO(strbuf) struct strbuf reply = { 0 };
	int status = MHD_HTTP_OK;

	if (request->received > request->len)
		return refuse_size(server, mhd);
	if (!streq(method, MHD_HTTP_METHOD_POST))
		return send_error(server, mhd, MHD_HTTP_METHOD_NOT_ALLOWED,
				  "only POST is understood here");
	server->config.handler(server->config.arg, path, request->body ? request->body : "",
			       request->len, &reply, &status);
	return send_reply(server, mhd, status, &reply);
}

/* Called once with the headers, then with each piece of the body, and once at the end. */
static enum MHD_Result on_request(void *arg, struct MHD_Connection *mhd, const char *path,
				  const char *method, const char *version, const char *data,
				  size_t *len, void **context)
{
	struct server *server = arg;
	struct request *request = *context;

	(void)version;
	if (!request) {
		*context = xcalloc(1, sizeof(*request));
		if (announced_length(mhd) > HEARD_OUT)
			return refuse_size(server, mhd);
		return MHD_YES;
	}
	if (*len == 0)
		return answer(server, mhd, path, method, request);
	collect(server, request, data, *len);
	*len = 0;
	return MHD_YES;
}

static void on_completed(void *arg, struct MHD_Connection *mhd, void **context,
			 enum MHD_RequestTerminationCode code)
{
	struct request *request = *context;

	(void)arg, (void)mhd, (void)code;
	if (request)
		free(request->body);
	free(request);
	*context = NULL;
}

static void on_log(void *arg, const char *format, va_list args)
	__attribute__((format(printf, 2, 0)));
static void on_log(void *arg, const char *format, va_list args)
{
	char text[256];

	(void)arg;
	vsnprintf(text, sizeof(text), format, args);
	text[strcspn(text, "\n")] = '\0';
	log_debug("HTTP: %s", text);
}

static struct MHD_Daemon *start_daemon(struct server *server)
{
	return MHD_start_daemon(
		MHD_USE_EPOLL | MHD_USE_ERROR_LOG, 0, NULL, NULL, on_request, server,
		MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL, /* first: later options may log */
		MHD_OPTION_LISTEN_SOCKET, server->listener.fd, MHD_OPTION_CONNECTION_LIMIT,
		server->config.max_connections, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		(size_t)CONNECTION_MEMORY, MHD_OPTION_NOTIFY_CONNECTION, on_connection, server,
		MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL, MHD_OPTION_END);
}

struct server *server_start(struct listener *listener, struct loop *loop,
			    const struct server_config *config, struct err *err)
{
	struct server *server = xcalloc(1, sizeof(*server));
	int r;

	*server = (struct server){ .config = *config, .listener = *listener, .loop = loop };
	server->pending = loop_timer_new(loop, on_pending, server);
	server->deadline = loop_timer_new(loop, on_deadline, server);
	server->daemon = start_daemon(server);
	if (!server->daemon) {
		err_set(err, -EIO, "cannot start the HTTP server");
		goto fail;
	}
	server->epoll_fd = MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
	r = loop_fd_add(loop, server->epoll_fd, EPOLLIN, on_epoll, server);
	if (r < 0) {
		err_errno(err, r, "cannot watch the HTTP server");
		goto fail;
	}
	*listener = (struct listener){ .fd = -1 };
	return server;
fail:
	if (server->daemon) {
		MHD_quiesce_daemon(server->daemon); /* leaves the listening socket to its owner */
		MHD_stop_daemon(server->daemon);
	}
	loop_timer_free(server->pending);
	loop_timer_free(server->deadline);
	free(server);
	return NULL;
}

void server_stop(struct server *server)
{
	if (!server)
		return;
	loop_fd_del(server->loop, server->epoll_fd);
	MHD_stop_daemon(server->daemon); /* closes the listening socket and all connections */
	server->listener.fd = -1;
	listener_done(&server->listener);
	loop_timer_free(server->pending);
	loop_timer_free(server->deadline);
	free(server);
}
