/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See control.h. */
#include "control.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include "../policy/base/mem.h"
#include "encode.h"
#include "http_reader.h"
#include "status.h"

#define TIMEOUT_S 10
#define REPLY_MAX (64u * 1024 * 1024)

struct control_command {
	const char *path;
	void (*fn)(struct strbuf *reply, const struct control *control);
};

static void list_ports(struct strbuf *reply, const struct control *control)
{
	encode_ports(reply, control->policy);
}

static void tell_status(struct strbuf *reply, const struct control *control)
{
	encode_status(reply, control);
}

static void tell_difference(struct strbuf *reply, const struct control *control)
{
	encode_difference(reply, control->policy);
}

static const struct control_command commands[] = {
	{ CONTROL_PORTS, list_ports },
	{ CONTROL_STATUS, tell_status },
	{ CONTROL_DIFF, tell_difference },
};

void control_handle(void *control, const char *path, const char *body, size_t len,
		    struct strbuf *reply, int *ret_status)
{
	(void)body, (void)len;
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		if (streq(commands[i].path, path)) {
			commands[i].fn(reply, control);
			return;
		}
	}
	*ret_status = 404;
	encode_error(reply, "the daemon does not know this command; is it of another version?");
}

static int connect_to(const char *path, struct err *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const struct timeval timeout = { .tv_sec = TIMEOUT_S };
	int fd, r;

	if (strlen(path) >= sizeof(address.sun_path))
		return err_set(err, -ENAMETOOLONG, "the path %s is too long", path);
	strcpy(address.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_errno(err, -errno, "cannot create a socket");
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	r = -errno;
	close(fd);
	if (r == -EACCES)
		return err_set(err, r, "not allowed to open %s; be root or in group docker", path);
	return err_set(err, r,
		       "no daemon answers on %s; start it, or name its directory with --run-dir",
		       path);
}

static int on_body(void *reply, const char *data, size_t len, struct err *err)
{
	if (((struct strbuf *)reply)->len + len > REPLY_MAX)
		return err_set(err, -EMSGSIZE, "the daemon's answer does not end");
	strbuf_addf(reply, "%.*s", (int)len, data);
	return 0;
}

/* Sends the request and reads the answer. */
static int exchange(int fd, const char *path, struct http_reader *reader, struct err *err)
{
	AUTO(strbuf) struct strbuf request = { 0 };
	char piece[16 * 1024];
	ssize_t n;
	int r;

	strbuf_addf(&request,
		    "POST %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
		    "Content-Length: 0\r\n\r\n",
		    path);
	if (send(fd, request.text, request.len, MSG_NOSIGNAL) != (ssize_t)request.len)
		return err_set(err, -EIO, "the daemon does not take the request");
	do {
		n = recv(fd, piece, sizeof(piece), 0);
		if (n < 0 && errno == EAGAIN)
			return err_set(err, -ETIMEDOUT,
				       "no answer from the daemon within %d seconds", TIMEOUT_S);
		if (n < 0)
			return err_errno(err, -errno, "no answer from the daemon");
		r = n ? http_reader_feed(reader, piece, (size_t)n, err)
		      : http_reader_end(reader, err);
		if (r == -EPROTO || r == -ECONNRESET)
			return err_set(err, r, "what answers there is not the daemon");
		if (r < 0)
			return r;
	} while (reader->part != HTTP_COMPLETE);
	if (reader->status != 200)
		return err_set(err, -EBADMSG,
			       "the daemon answered with HTTP status %d; is it of another version?",
			       reader->status);
	return 0;
}

int control_call(const char *run_dir, const char *path, struct strbuf *ret_reply, struct err *err)
{
	AUTO(strbuf) struct strbuf socket_path = { 0 };
	struct http_reader reader = { .body = on_body, .arg = ret_reply };
	int fd, r;

	strbuf_addf(&socket_path, "%s/" CONTROL_SOCKET, run_dir);
	fd = connect_to(strbuf_text(&socket_path), err);
	if (fd < 0)
		return fd;
	r = exchange(fd, path, &reader, err);
	close(fd);
	return r;
}
