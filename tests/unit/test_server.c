/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of plugin/server.c and control.c: a server in a thread, and clients that are good,
 * slow, silent or broken. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "../../plugin/control.h"
#include "../../plugin/server.h"
#include "../../policy/base/log.h"
#include "../../policy/base/mem.h"
#include "stub_policy.h"

#define MAX_BODY 100000
#define TIMEOUT_MS 1000
/* Far below TIMEOUT_MS, far above what an answer takes. */
#define PROMPT_MS 300

struct fixture {
	char dir[64];
	char path[96];
	struct loop *loop;
	struct server *server;
	struct policy *policy;
	pthread_t thread;
	int stop; /* eventfd */
	unsigned int handled;
};

static void handle(void *arg, const char *path, const char *body, size_t len, struct strbuf *reply,
		   int *ret_status)
{
	struct fixture *f = arg;

	f->handled++;
	if (strncmp(path, "/ports", 6) == 0) {
		control_handle(&(struct control){ .policy = f->policy }, path, body, len, reply,
			       ret_status);
		return;
	}
	if (streq(path, "/none"))
		*ret_status = 404;
	strbuf_addf(reply, "%s %zu %.*s", path, len, len < 20 ? (int)len : 20, body);
}

static void on_stop(void *arg, uint32_t events)
{
	(void)events;
	loop_quit(((struct fixture *)arg)->loop);
}

static void *run(void *arg)
{
	struct err err;

	loop_run(((struct fixture *)arg)->loop, &err);
	return NULL;
}

static int setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));
	const struct server_config config = {
		.content_type = "text/x-test",
		.max_body = MAX_BODY,
		.max_connections = 1200,
		.timeout_ms = TIMEOUT_MS,
		.handler = handle,
		.arg = f,
	};
	struct listener listener;
	struct err err;

	strcpy(f->dir, P_tmpdir "/tailexit-test-XXXXXX");
	if (!mkdtemp(f->dir))
		return -1;
	snprintf(f->path, sizeof(f->path), "%s/control.sock", f->dir);
	f->loop = loop_new(&err);
	f->policy = policy_open(NULL, NULL, &err);
	f->stop = eventfd(0, EFD_CLOEXEC);
	loop_fd_add(f->loop, f->stop, EPOLLIN, on_stop, f);
	if (listener_open(&listener, f->path, &err) < 0)
		return -1;
	f->server = server_start(&listener, f->loop, &config, &err);
	*state = f;
	return f->server ? pthread_create(&f->thread, NULL, run, f) : -1;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	struct stat st;

	eventfd_write(f->stop, 1);
	pthread_join(f->thread, NULL);
	server_stop(f->server);
	if (lstat(f->path, &st) == 0) /* must have gone with the server */
		return -1;
	policy_close(f->policy);
	loop_free(f->loop);
	close(f->stop);
	rmdir(f->dir);
	free(f);
	return 0;
}

static int connect_to(const struct fixture *f)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(address.sun_path, f->path);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

/* Everything until the server hangs up; fails when that takes longer than max_ms. */
static void receive(int fd, struct strbuf *reply, int max_ms)
{
	uint64_t end_ms = loop_now_ms() + (uint64_t)max_ms;
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
	char piece[4096];
	ssize_t n;

	do {
		uint64_t now_ms = loop_now_ms();

		if (now_ms > end_ms || poll(&poll_fd, 1, (int)(end_ms - now_ms)) != 1)
			fail_msg("no end of the reply within %d ms", max_ms);
		n = recv(fd, piece, sizeof(piece), 0);
		if (n > 0)
			strbuf_addf(reply, "%.*s", (int)n, piece);
	} while (n > 0);
	close(fd);
}

static void send_all(int fd, const char *text, size_t len)
{
	while (len > 0) {
		ssize_t n = send(fd, text, len, MSG_NOSIGNAL);

		if (n < 0)
			return; /* the server has heard enough; what it says matters */
		text += n;
		len -= (size_t)n;
	}
}

static void post(const struct fixture *f, const char *path, const char *body, size_t len,
		 struct strbuf *reply)
{
	AUTO(strbuf) struct strbuf head = { 0 };
	int fd = connect_to(f);

	strbuf_addf(&head, "POST %s HTTP/1.1\r\nHost: \r\nContent-Length: %zu\r\n\r\n", path, len);
	send_all(fd, head.text, head.len);
	send_all(fd, body, len);
	receive(fd, reply, PROMPT_MS);
}

static void expect_reply(const struct strbuf *reply, const char *status, const char *body)
{
	const char *text = strbuf_text(reply);
	const char *end = strstr(text, "\r\n\r\n");

	if (strncmp(text, status, strlen(status)) != 0 || !end || !strstr(end + 4, body))
		fail_msg("\"%s\" is not %s and %s", text, status, body);
	assert_non_null(strstr(text, "\r\nContent-Type: text/x-test\r\n"));
	assert_non_null(strcasestr(text, "\r\nConnection: close\r\n"));
}

static void expect_prompt_service(const struct fixture *f)
{
	AUTO(strbuf) struct strbuf reply = { 0 };

	post(f, "/a.b", "{}", 2, &reply);
	expect_reply(&reply, "HTTP/1.1 200 ", "/a.b 2 {}");
}

static void a_request_is_answered_with_what_the_handler_writes(void **state)
{
	struct fixture *f = *state;
	AUTO(strbuf) struct strbuf found = { 0 };
	AUTO(strbuf) struct strbuf not_found = { 0 };

	post(f, "/a.b", "hello", 5, &found);
	expect_reply(&found, "HTTP/1.1 200 ", "/a.b 5 hello");
	post(f, "/none", "", 0, &not_found);
	expect_reply(&not_found, "HTTP/1.1 404 ", "/none 0 ");
}

static void a_body_may_come_in_pieces_and_is_handled_once(void **state)
{
	struct fixture *f = *state;
	AUTO(strbuf) struct strbuf reply = { 0 };
	const char text[] = "POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n0123456789";
	int fd = connect_to(f);

	for (size_t i = 0; i < sizeof(text) - 1; i++) {
		send_all(fd, text + i, 1);
		if (i % 16 == 0)
			usleep(1000);
	}
	receive(fd, &reply, PROMPT_MS);
	expect_reply(&reply, "HTTP/1.1 200 ", "/p 10 0123456789");
	assert_int_equal(f->handled, 1);
}

static void the_largest_body_is_taken_and_one_byte_more_is_refused(void **state)
{
	struct fixture *f = *state;
	AUTO_FREE char *body = xcalloc(1, MAX_BODY * 3);
	AUTO(strbuf) struct strbuf fits = { 0 };
	size_t sizes[] = { MAX_BODY + 1, MAX_BODY * 3 };

	memset(body, 'x', MAX_BODY * 3);
	post(f, "/p", body, MAX_BODY, &fits);
	expect_reply(&fits, "HTTP/1.1 200 ", "/p 100000 xxxx");
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		AUTO(strbuf) struct strbuf reply = { 0 };

		post(f, "/p", body, sizes[i], &reply);
		expect_reply(&reply, "HTTP/1.1 413 ", "{\"Err\":\"the request is larger than");
	}
	assert_int_equal(f->handled, 1);
}

static void an_absurd_length_is_refused_before_the_body_comes(void **state)
{
	struct fixture *f = *state;
	AUTO(strbuf) struct strbuf reply = { 0 };
	const char head[] = "POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\nx";
	int fd = connect_to(f);

	send_all(fd, head, sizeof(head) - 1);
	receive(fd, &reply, PROMPT_MS);
	expect_reply(&reply, "HTTP/1.1 413 ", "{\"Err\":\"the request is larger than");
	assert_int_equal(f->handled, 0);
}

static void only_post_is_understood(void **state)
{
	struct fixture *f = *state;
	static const char *const methods[] = { "GET", "PUT", "DELETE" };

	for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
		AUTO(strbuf) struct strbuf request = { 0 };
		AUTO(strbuf) struct strbuf reply = { 0 };
		int fd = connect_to(f);

		strbuf_addf(&request, "%s /p HTTP/1.1\r\nHost: x\r\n\r\n", methods[i]);
		send_all(fd, request.text, request.len);
		receive(fd, &reply, PROMPT_MS);
		expect_reply(&reply, "HTTP/1.1 405 ", "{\"Err\":\"only POST");
	}
	assert_int_equal(f->handled, 0);
}

static void nonsense_and_hanging_up_harm_nobody(void **state)
{
	struct fixture *f = *state;
	static const char *const texts[] = {
		"",
		"\n",
		"nonsense\r\n\r\n",
		"POST",
		"POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf",
		"POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
		"POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n",
		"POST /p HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
		"POST /p HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		int fd = connect_to(f);

		send_all(fd, texts[i], strlen(texts[i]));
		close(fd);
		expect_prompt_service(f);
	}
	assert_int_equal(f->handled, ARRAY_SIZE(texts));
}

static void a_request_that_never_ends_is_cut_off(void **state)
{
	struct fixture *f = *state;
	AUTO(strbuf) struct strbuf reply = { 0 };
	const char head[] = "POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n";
	int silent = connect_to(f), dripping = connect_to(f);
	uint64_t start_ms = loop_now_ms();
	ssize_t n = 1;

	send_all(dripping, head, sizeof(head) - 1);
	/* Idle for no longer than 50 ms at a time. */
	while (n == 1 && loop_now_ms() - start_ms < 3 * TIMEOUT_MS) {
		usleep(50000);
		n = send(dripping, "x", 1, MSG_NOSIGNAL);
	}
	assert_true(n < 0);
	assert_in_range(loop_now_ms() - start_ms, TIMEOUT_MS - 50, 2 * TIMEOUT_MS);
	close(dripping);
	receive(silent, &reply, PROMPT_MS);
	assert_int_equal(reply.len, 0);
	assert_int_equal(f->handled, 0);
	expect_prompt_service(f);
}

static void a_thousand_idle_and_slow_connections_delay_nobody(void **state)
{
	struct fixture *f = *state;
	struct rlimit limit;
	int fds[1000];

	/* Both ends are here. */
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_cur < 2100)
		skip();
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		fds[i] = connect_to(f);
		if (i % 2)
			send_all(fds[i], "POST /p HTTP/1.1\r\nContent-Le", 28);
	}
	for (size_t i = 0; i < 20; i++)
		expect_prompt_service(f);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);
	expect_prompt_service(f);
}

static void the_tool_gets_what_the_control_socket_says(void **state)
{
	struct fixture *f = *state;
	AUTO(strbuf) struct strbuf reply = { 0 };
	AUTO(strbuf) struct strbuf other = { 0 };
	struct err err;

	assert_int_equal(control_call(f->dir, CONTROL_PORTS, &reply, &err), 0);
	assert_string_equal(strbuf_text(&reply), "[]");
	assert_true(control_call(f->dir, "/ports-of-the-future", &other, &err) < 0);
	assert_non_null(strstr(err.text, "404"));
	assert_true(control_call("/nonexistent", CONTROL_PORTS, &other, &err) < 0);
	assert_non_null(strstr(err.text, "no daemon answers on /nonexistent/control.sock"));
	assert_int_equal(other.len, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_request_is_answered_with_what_the_handler_writes),
		TEST(a_body_may_come_in_pieces_and_is_handled_once),
		TEST(the_largest_body_is_taken_and_one_byte_more_is_refused),
		TEST(an_absurd_length_is_refused_before_the_body_comes),
		TEST(only_post_is_understood),
		TEST(nonsense_and_hanging_up_harm_nobody),
		TEST(a_request_that_never_ends_is_cut_off),
		TEST(a_thousand_idle_and_slow_connections_delay_nobody),
		TEST(the_tool_gets_what_the_control_socket_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
