/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What relayed TCP connections may cost: back pressure, too many, too much, and what fails in
 * between. */
#include "ports_rig.h"

#include <linux/sockios.h>

#define MIB (1024 * 1024)

/* As much as goes without anybody reading. */
static size_t fill_up(int fd)
{
	static uint8_t data[64 * 1024];
	size_t total = 0;

	for (int quiet = 0; quiet < 20;) {
		ssize_t n = send(fd, data, sizeof(data), MSG_DONTWAIT);

		if (n > 0) {
			total += (size_t)n;
			quiet = 0;
			continue;
		}
		assert_int_equal(errno, EAGAIN);
		quiet++;
		sleep_ms(10);
	}
	return total;
}

static void a_container_that_does_not_read_holds_up_its_client(void **state)
{
	struct rig *rig = rig_new(NULL);
	int listener, client, server;
	uint16_t port = publish_server(rig, SOCK_STREAM, &listener);
	static uint8_t data[64 * 1024];
	size_t sent, got = 0;
	int unsent;
	ssize_t n;

	(void)state;
	client = must_connect(SOCK_STREAM, "127.0.0.1", port);
	server = must_accept(listener);
	sent = fill_up(client);
	assert_in_range(sent, 1, 64 * MIB);
	assert_rests(rig);

	/* The other direction is not affected. */
	send_text(server, "still here");
	expect_text(client, "still here");

	/* Now the client hangs up, and the relay gets to know, with much left that the container
	 * has not read: neither does that keep it busy, nor is anything lost. */
	shutdown(server, SHUT_WR);
	expect_end(client);
	shutdown(client, SHUT_WR);
	while (ioctl(client, SIOCOUTQ, &unsent) == 0 && unsent > 0) {
		n = recv(server, data, sizeof(data), 0);
		assert_true(n > 0);
		got += (size_t)n;
		sleep_ms(1);
	}
	assert_in_range(got, 0, sent - MIB / 4);
	assert_rests(rig);
	while ((n = recv(server, data, sizeof(data), 0)) > 0)
		got += (size_t)n;
	assert_int_equal(n, 0);
	assert_int_equal(got, sent);
	close(client);
	close(server);
	close(listener);
	rig_free(rig);
}

static void reset(int fd)
{
	struct linger none = { .l_onoff = 1 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
	close(fd);
}

static void a_reset_is_passed_on(void **state)
{
	struct rig *rig = rig_new(NULL);
	int listener, client, server;
	uint16_t port = publish_server(rig, SOCK_STREAM, &listener);

	(void)state;
	client = must_connect(SOCK_STREAM, "127.0.0.1", port);
	server = must_accept(listener);
	reset(server);
	expect_reset(client);
	close(client);

	client = must_connect(SOCK_STREAM, "127.0.0.1", port);
	server = must_accept(listener);
	reset(client);
	expect_reset(server);
	close(server);

	/* Even when nothing is being read from the one who goes. */
	client = must_connect(SOCK_STREAM, "127.0.0.1", port);
	server = must_accept(listener);
	fill_up(client);
	reset(client);
	sleep_ms(50);
	assert_int_equal(send(server, "x", 1, 0), -1);
	assert_int_equal(errno, ECONNRESET);
	close(server);

	/* And when the one who stays had finished before. */
	client = must_connect(SOCK_STREAM, "127.0.0.1", port);
	server = must_accept(listener);
	shutdown(client, SHUT_WR);
	expect_end(server);
	reset(server);
	expect_reset(client);
	close(client);
	close(listener);
	rig_free(rig);
}

static void what_was_said_before_a_reset_arrives(void **state)
{
	struct rig *rig = rig_new(NULL);
	int listener, client, server;
	uint16_t port = publish_server(rig, SOCK_STREAM, &listener);

	(void)state;
	/* A server that answers without reading the whole question ends with a reset. */
	client = must_connect(SOCK_STREAM, "127.0.0.1", port);
	server = must_accept(listener);
	send_text(client, "a long question");
	sleep_ms(20);
	send_text(server, "no");
	close(server);
	sleep_ms(20);
	expect_text(client, "no");
	close(client);

	/* The same with the way to it full to the brim: what is stuck there goes nowhere. */
	client = must_connect(SOCK_STREAM, "127.0.0.1", port);
	server = must_accept(listener);
	fill_up(client);
	send_text(server, "enough");
	close(server);
	expect_text(client, "enough");
	assert_rests(rig);
	close(client);
	close(listener);
	rig_free(rig);
}

static void too_many_connections_are_refused(void **state)
{
	struct rig *rig = rig_new(&(struct ports_limits){ .tcp_connections = 2 });
	int listener, clients[3], servers[2];
	uint16_t port = publish_server(rig, SOCK_STREAM, &listener);

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		clients[i] = must_connect(SOCK_STREAM, "127.0.0.1", port);
		servers[i] = must_accept(listener);
	}
	clients[2] = must_connect(SOCK_STREAM, "::1", port);
	expect_reset(clients[2]);
	close(clients[2]);

	/* One goes, the next may come. */
	close(clients[0]);
	expect_end(servers[0]);
	close(servers[0]);
	sleep_ms(20);
	clients[0] = must_connect(SOCK_STREAM, "127.0.0.1", port);
	servers[0] = must_accept(listener);
	send_text(clients[0], "room again");
	expect_text(servers[0], "room again");
	close(clients[0]);
	close(servers[0]);
	close(clients[1]);
	close(servers[1]);
	close(listener);
	rig_free(rig);
}

static void without_descriptors_clients_wait(void **state)
{
	struct rig *rig = rig_new(NULL);
	struct rlimit limit, old;
	int listener, client, server;
	uint16_t port = publish_server(rig, SOCK_STREAM, &listener);

	(void)state;
	client = must_connect(SOCK_STREAM, "127.0.0.1", port);
	server = must_accept(listener);
	close(client);
	close(server);
	sleep_ms(50);
	client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	set_timeouts(client);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	limit = old;
	limit.rlim_cur = (rlim_t)client + 1;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	/* No number below the limit is free: descriptors fill up from below. */
	{
		int fillers[64];
		size_t n = 0;
		union socket_addr name;
		struct addr addr = addr_of("127.0.0.1");
		socklen_t len = socket_addr_set(&name, &addr, port);

		while (n < ARRAY_SIZE(fillers) && (fillers[n] = dup(client)) >= 0)
			n++;
		assert_true(n < ARRAY_SIZE(fillers));
		assert_int_equal(connect(client, &name.any, len), 0);
		assert_rests(rig);
		while (n > 0)
			close(fillers[--n]);
	}
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	server = must_accept(listener);
	send_text(client, "at last");
	expect_text(server, "at last");
	close(client);
	close(server);
	close(listener);
	rig_free(rig);
}

static void job_nothing(struct rig *rig, void *arg)
{
	(void)rig;
	(void)arg;
}

static int compare_times(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

struct pump {
	int fd;
	bool sends;
};

static void *run_pump(void *arg)
{
	struct pump *pump = arg;
	uint8_t *data = xcalloc(1, 256 * 1024);
	ssize_t n;

	do {
		n = pump->sends ? send(pump->fd, data, 256 * 1024, 0)
				: recv(pump->fd, data, 256 * 1024, 0);
	} while (n > 0);
	free(data);
	return NULL;
}

static void bulk_does_not_hold_up_the_loop(void **state)
{
	enum { PAIRS = 4, CALLS = 41 };
	struct rig *rig = rig_new(NULL);
	struct pump pumps[2 * PAIRS];
	pthread_t threads[2 * PAIRS];
	uint64_t waits[CALLS];
	int listener;
	uint16_t port = publish_server(rig, SOCK_STREAM, &listener);

	(void)state;
	for (size_t i = 0; i < PAIRS; i++) {
		pumps[2 * i] = (struct pump){ must_connect(SOCK_STREAM, "127.0.0.1", port), true };
		pumps[2 * i + 1] = (struct pump){ must_accept(listener), false };
	}
	for (size_t i = 0; i < 2 * PAIRS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, run_pump, &pumps[i]), 0);
	for (size_t i = 0; i < CALLS; i++) {
		uint64_t start;

		sleep_ms(5);
		start = loop_now_ms();
		rig_call(rig, job_nothing, NULL);
		waits[i] = loop_now_ms() - start;
	}
	/* How long threads wait for a processor is not ours to promise: hence the median. */
	qsort(waits, CALLS, sizeof(waits[0]), compare_times);
	assert_in_range(waits[CALLS / 2], 0, 20);
	rig_call(rig, job_withdraw, NULL);
	for (size_t i = 0; i < 2 * PAIRS; i++) {
		pthread_join(threads[i], NULL);
		close(pumps[i].fd);
	}
	close(listener);
	rig_free(rig);
}

static void resting_connections_hold_two_descriptors(void **state)
{
	enum { N = 30 };
	struct rig *rig = rig_new(NULL);
	int listener, clients[N], servers[N];
	uint16_t port = publish_server(rig, SOCK_STREAM, &listener);
	size_t before = count_fds();

	(void)state;
	for (size_t i = 0; i < N; i++) {
		clients[i] = must_connect(SOCK_STREAM, "127.0.0.1", port);
		servers[i] = must_accept(listener);
		send_text(clients[i], "x");
		expect_text(servers[i], "x");
	}
	/* The test's own two, the relay's two, and one spare pipe for all. */
	assert_int_equal(count_fds() - before, 4 * N + 2);
	for (size_t i = 0; i < N; i++) {
		close(clients[i]);
		close(servers[i]);
	}
	close(listener);
	rig_free(rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_container_that_does_not_read_holds_up_its_client),
		cmocka_unit_test(a_reset_is_passed_on),
		cmocka_unit_test(what_was_said_before_a_reset_arrives),
		cmocka_unit_test(too_many_connections_are_refused),
		cmocka_unit_test(without_descriptors_clients_wait),
		cmocka_unit_test(bulk_does_not_hold_up_the_loop),
		cmocka_unit_test(resting_connections_hold_two_descriptors),
	};

	own_network();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
