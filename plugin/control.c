/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See control.h. The tool's end speaks the little HTTP it needs itself: a library for it would
 * double the daemon's memory. */
#include "control.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include "../policy/base/mem.h"
#include "encode.h"
#include "status.h"

#define TIMEOUT_S 10
#define REPLY_MAX (64u * 1024 * 1024)

struct control_command {
	const char *path;
	void (*fn)(struct strbuf *reply, struct policy *policy);
};

static void list_ports(struct strbuf *reply, struct policy *policy)
{
	encode_ports(reply, policy);
}

static const struct control_command commands[] = {
	{ CONTROL_PORTS, list_ports },
	{ CONTROL_STATUS, encode_status },
};

void control_handle(void *policy, const char *path, const char *body, size_t len,
		    struct strbuf *reply, int *ret_status)
{
	(void)body, (void)len;
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		if (streq(commands[i].path, path)) {
			commands[i].fn(reply, policy);
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

/* Sends the request and reads until the daemon hangs up. */
static int exchange(int fd, const char *path, struct strbuf *ret_reply, struct err *err)
{
	AUTO(strbuf) struct strbuf request = { 0 };
	char piece[16 * 1024];
	ssize_t n;

	/* 1.0: no chunks, and one request per connection. */
	strbuf_addf(&request, "POST %s HTTP/1.0\r\nContent-Length: 0\r\n\r\n", path);
	if (send(fd, request.text, request.len, MSG_NOSIGNAL) != (ssize_t)request.len)
		return err_set(err, -EIO, "the daemon does not take the request");
	while ((n = recv(fd, piece, sizeof(piece), 0)) > 0) {
		if (ret_reply->len > REPLY_MAX)
			return err_set(err, -EMSGSIZE, "the daemon's answer does not end");
		strbuf_addf(ret_reply, "%.*s", (int)n, piece);
	}
	if (n < 0 && errno == EAGAIN)
		return err_set(err, -ETIMEDOUT, "no answer from the daemon within %d seconds",
			       TIMEOUT_S);
	return n < 0 ? err_errno(err, -errno, "no answer from the daemon") : 0;
}

/* Of an HTTP message, what follows the headers of a success. */
static int take_body(const struct strbuf *message, struct strbuf *ret_body, struct err *err)
{
	const char *text = strbuf_text(message);
	const char *end = strstr(text, "\r\n\r\n");
	int status = 0;

	if (!end || sscanf(text, "HTTP/1.%*1d %3d", &status) != 1)
		return err_set(err, -EPROTO, "what answers there is not the daemon");
	if (status != 200)
		return err_set(err, -EPROTO,
			       "the daemon answered with HTTP status %d; is it of another version?",
			       status);
	strbuf_addf(ret_body, "%s", end + strlen("\r\n\r\n"));
	return 0;
}

int control_call(const char *run_dir, const char *path, struct strbuf *ret_reply, struct err *err)
{
	AUTO(strbuf) struct strbuf socket_path = { 0 };
	AUTO(strbuf) struct strbuf message = { 0 };
	int fd, r;

	strbuf_addf(&socket_path, "%s/" CONTROL_SOCKET, run_dir);
	fd = connect_to(strbuf_text(&socket_path), err);
	if (fd < 0)
		return fd;
	r = exchange(fd, path, &message, err);
	close(fd);
	return r < 0 ? r : take_body(&message, ret_reply, err);
}
