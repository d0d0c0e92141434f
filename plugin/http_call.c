/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See http_call.h. */
#include "http_call.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "../policy/base/mem.h"
#include "../policy/base/strbuf.h"
#include "http_reader.h"

struct http_call {
	struct http_call_config config; /* without the strings */
	struct loop *loop;
	struct loop_timer *deadline;
	int fd;
	struct http_reader reader;
	char *body;
	size_t len, size;
	struct err err; /* why it failed before it began */
};

static void hang_up(struct http_call *call)
{
	loop_timer_disarm(call->deadline);
	if (call->fd < 0)
		return;
	loop_fd_del(call->loop, call->fd);
	close(call->fd);
	call->fd = -1;
}

/* The last thing done with a call: it may be gone afterwards. */
static void finish(struct http_call *call, const struct err *err)
{
	hang_up(call);
	call->config.done(call->config.arg,
			  err          ? NULL
			  : call->body ? call->body
				       : "",
			  err ? 0 : call->len, err);
}

static int on_body(void *arg, const char *data, size_t len, struct err *err)
{
	struct http_call *call = arg;

	if (len > call->config.max_body - call->len)
		return err_set(err, -EMSGSIZE, "the answer is larger than %zu bytes",
			       call->config.max_body);
	if (call->len + len > call->size) {
		call->size = (call->len + len) * 2;
		call->body = xreallocarray(call->body, call->size, 1);
	}
	memcpy(call->body + call->len, data, len);
	call->len += len;
	return 0;
}

static int check_status(const struct http_call *call, struct err *err)
{
	if (call->reader.status == 200)
		return 0;
	return err_set(err, -EBADMSG, "HTTP status %d", call->reader.status);
}

static void on_readable(void *arg, uint32_t events)
{
	struct http_call *call = arg;
	struct err err = { 0 };
	char piece[16384];
	ssize_t n = recv(call->fd, piece, sizeof(piece), MSG_DONTWAIT);
	int r;

	(void)events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0)
		r = err_errno(&err, -errno, "the connection broke");
	else if (n == 0)
		r = http_reader_end(&call->reader, &err);
	else
		r = http_reader_feed(&call->reader, piece, (size_t)n, &err);
	if (r == 0 && call->reader.part != HTTP_COMPLETE)
		return;
	if (r == 0)
		r = check_status(call, &err);
	finish(call, r < 0 ? &err : NULL);
}

static void on_deadline(void *arg)
{
	struct http_call *call = arg;
	struct err err;

	if (!call->err.code)
		err_set(&call->err, -ETIMEDOUT, "no answer within %u ms", call->config.timeout_ms);
	err = call->err;
	finish(call, &err);
}

/* Neither can block: a queue that is full is an error, and so is a request that does not fit into
 * an empty socket. */
static int send_request(struct http_call *call, const char *socket_path, const char *target)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	AUTO(strbuf) struct strbuf request = { 0 };
	int r;

	if (strlen(socket_path) >= sizeof(address.sun_path))
		return err_set(&call->err, -ENAMETOOLONG, "the path is too long");
	strcpy(address.sun_path, socket_path);
	call->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (call->fd < 0)
		return err_errno(&call->err, -errno, "cannot create a socket");
	if (connect(call->fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return err_errno(&call->err, -errno, "cannot connect");
	strbuf_addf(&request, "GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
		    target);
	if (send(call->fd, request.text, request.len, MSG_NOSIGNAL) != (ssize_t)request.len)
		return err_set(&call->err, -EIO, "the request is not taken");
	r = loop_fd_add(call->loop, call->fd, EPOLLIN, on_readable, call);
	return r < 0 ? err_errno(&call->err, r, "cannot watch the connection") : 0;
}

struct http_call *http_call_new(struct loop *loop, const struct http_call_config *config)
{
	struct http_call *call = xcalloc(1, sizeof(*call));

	call->config = *config;
	call->loop = loop;
	call->fd = -1;
	call->reader.body = on_body;
	call->reader.arg = call;
	call->deadline = loop_timer_new(loop, on_deadline, call);
	loop_timer_arm(call->deadline, config->timeout_ms);
	if (send_request(call, config->socket, config->target) < 0)
		loop_timer_arm(call->deadline, 0);
	return call;
}

void http_call_free(struct http_call *call)
{
	if (!call)
		return;
	hang_up(call);
	loop_timer_free(call->deadline);
	free(call->body);
	free(call);
}
