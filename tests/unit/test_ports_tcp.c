/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Relayed TCP connections: what passes, how they end, and what they may cost. The test plays the
 * client and the container. */
#include "ports_rig.h"

#define MIB (1024 * 1024)

/* Publishes 127.0.0.5:*ret_listener's port; returns the host port. */
static uint16_t publish_server(struct rig *rig, int *ret_listener)
{
	struct port_request request = { .proto = IPPROTO_TCP };

	*ret_listener = must_bind(SOCK_STREAM, "127.0.0.5", &request.port);
	return rig_publish(rig, request);
}

static void expect_conversation(const char *host, uint16_t port, int listener)
{
	int client = must_connect(SOCK_STREAM, host, port);
	int server = must_accept(listener);

	send_text(client, "hello");
	expect_text(server, "hello");
	send_text(server, "good day");
	expect_text(client, "good day");
	send_text(client, "bye");
	expect_text(server, "bye");
	close(client);
	expect_end(server);
	close(server);
}

static void clients_of_both_families_reach_an_ipv4_container(void **state)
{
	struct rig *rig = rig_new(NULL);
	int listener;
	uint16_t port = publish_server(rig, &listener);

	(void)state;
	expect_conversation("127.0.0.1", port, listener);
	expect_conversation("127.0.0.77", port, listener);
	expect_conversation("::1", port, listener);
	close(listener);
	rig_free(rig);
}

static void an_ipv4_client_reaches_an_ipv6_container(void **state)
{
	struct port_request request = { .proto = IPPROTO_TCP };
	struct rig *rig = rig_new(NULL);
	int listener = must_bind(SOCK_STREAM, "::1", &request.port);
	uint16_t port;

	(void)state;
	rig->endpoint.addr[V4] = (struct prefix){ 0 };
	rig->endpoint.addr[V6] = (struct prefix){ addr_of("::1"), 64 };
	port = rig_publish(rig, request);
	expect_conversation("127.0.0.1", port, listener);
	expect_conversation("::1", port, listener);
	close(listener);
	rig_free(rig);
}

static void the_same_family_is_preferred(void **state)
{
	struct port_request request = { .proto = IPPROTO_TCP };
	struct rig *rig = rig_new(NULL);
	int v4 = must_bind(SOCK_STREAM, "127.0.0.5", &request.port);
	int v6 = must_bind(SOCK_STREAM, "::1", &request.port);
	uint16_t port;

	(void)state;
	rig->endpoint.addr[V6] = (struct prefix){ addr_of("::1"), 64 };
	port = rig_publish(rig, request);
	expect_conversation("127.0.0.1", port, v4);
	expect_conversation("::1", port, v6);
	close(v4);
	close(v6);
	rig_free(rig);
}

static void either_side_may_stop_sending_first(void **state)
{
	struct rig *rig = rig_new(NULL);
	int listener, client, server;
	uint16_t port = publish_server(rig, &listener);

	(void)state;
	client = must_connect(SOCK_STREAM, "127.0.0.1", port);
	server = must_accept(listener);
	send_text(client, "question");
	shutdown(client, SHUT_WR);
	expect_text(server, "question");
	expect_end(server);
	sleep_ms(50);
	send_text(server, "answer");
	expect_text(client, "answer");
	assert_rests(rig);
	close(server);
	expect_end(client);
	close(client);

	client = must_connect(SOCK_STREAM, "127.0.0.1", port);
	server = must_accept(listener);
	send_text(server, "banner");
	shutdown(server, SHUT_WR);
	expect_text(client, "banner");
	expect_end(client);
	send_text(client, "reply");
	expect_text(server, "reply");
	close(client);
	expect_end(server);
	close(server);
	close(listener);
	rig_free(rig);
}

static uint8_t pattern(size_t seed, size_t i)
{
	return (uint8_t)((i * 2654435761u) >> 24) ^ (uint8_t)seed;
}

struct transfer {
	int fd;
	size_t seed;
	size_t size;
	size_t wrong; /* bytes that were not as expected */
};

static void *run_sender(void *arg)
{
	struct transfer *transfer = arg;
	uint8_t *data = xcalloc(1, transfer->size);
	size_t done = 0;

	for (size_t i = 0; i < transfer->size; i++)
		data[i] = pattern(transfer->seed, i);
	while (done < transfer->size) {
		ssize_t n = send(transfer->fd, data + done, transfer->size - done, 0);

		if (n <= 0)
			break;
		done += (size_t)n;
	}
	shutdown(transfer->fd, SHUT_WR);
	free(data);
	return NULL;
}

static void receive_all(struct transfer *transfer)
{
	uint8_t *data = xcalloc(1, 256 * 1024);
	size_t done = 0;
	ssize_t n;

	while ((n = recv(transfer->fd, data, 256 * 1024, 0)) > 0) {
		for (size_t i = 0; i < (size_t)n; i++)
			transfer->wrong += data[i] != pattern(transfer->seed, done + i);
		done += (size_t)n;
	}
	assert_int_equal(n, 0);
	assert_int_equal(done, transfer->size);
	assert_int_equal(transfer->wrong, 0);
	free(data);
}

static void *run_receiver(void *arg)
{
	receive_all(arg);
	return NULL;
}

static void much_passes_both_ways_at_once(void **state)
{
	static const char *const hosts[] = { "127.0.0.1", "::1" };
	struct rig *rig = rig_new(NULL);
	int listener;
	uint16_t port = publish_server(rig, &listener);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(hosts); i++) {
		int client = must_connect(SOCK_STREAM, hosts[i], port);
		int server = must_accept(listener);
		struct transfer there = { client, 1, 10 * MIB, 0 };
		struct transfer arrived = { server, 1, 10 * MIB, 0 };
		struct transfer back = { server, 2, 10 * MIB, 0 };
		struct transfer returned = { client, 2, 10 * MIB, 0 };
		pthread_t threads[3];

		assert_int_equal(pthread_create(&threads[0], NULL, run_sender, &there), 0);
		assert_int_equal(pthread_create(&threads[1], NULL, run_sender, &back), 0);
		assert_int_equal(pthread_create(&threads[2], NULL, run_receiver, &arrived), 0);
		receive_all(&returned);
		for (size_t t = 0; t < ARRAY_SIZE(threads); t++)
			pthread_join(threads[t], NULL);
		close(client);
		close(server);
	}
	close(listener);
	rig_free(rig);
}

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
	uint16_t port = publish_server(rig, &listener);
	uint8_t data[4096];
	size_t sent, got = 0;
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

	/* Nor is what was sent lost when the client has hung up meanwhile: one end both finished
	 * and full must not keep the relay busy either. */
	shutdown(server, SHUT_WR);
	expect_end(client);
	shutdown(client, SHUT_WR);
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

static void a_container_that_refuses_resets_the_client(void **state)
{
	struct rig *rig = rig_new(NULL);
	int listener, client;
	uint16_t port = publish_server(rig, &listener);

	(void)state;
	close(listener);
	client = must_connect(SOCK_STREAM, "127.0.0.1", port);
	expect_reset(client);
	close(client);
	client = must_connect(SOCK_STREAM, "::1", port);
	expect_reset(client);
	close(client);
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
	uint16_t port = publish_server(rig, &listener);

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
	uint16_t port = publish_server(rig, &listener);

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
	close(listener);
	rig_free(rig);
}

static void withdrawing_ends_listening_and_connections(void **state)
{
	struct rig *rig = rig_new(NULL);
	int listener, client, server, full, full_server;
	uint16_t port = publish_server(rig, &listener);

	(void)state;
	client = must_connect(SOCK_STREAM, "127.0.0.1", port);
	server = must_accept(listener);
	full = must_connect(SOCK_STREAM, "::1", port);
	full_server = must_accept(listener);
	fill_up(full);
	rig_call(rig, job_withdraw, NULL);
	expect_reset(client);
	expect_reset(server);
	expect_reset(full);
	assert_int_equal(try_connect(SOCK_STREAM, "127.0.0.1", port), -ECONNREFUSED);
	assert_int_equal(try_connect(SOCK_STREAM, "::1", port), -ECONNREFUSED);
	close(client);
	close(server);
	close(full);
	close(full_server);
	close(listener);
	rig_free(rig);
}

static void too_many_connections_are_refused(void **state)
{
	struct rig *rig = rig_new(&(struct ports_limits){ .tcp_connections = 2 });
	int listener, clients[3], servers[2];
	uint16_t port = publish_server(rig, &listener);

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
	expect_conversation("127.0.0.1", port, listener);
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
	uint16_t port = publish_server(rig, &listener);

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
	uint16_t port = publish_server(rig, &listener);

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
	uint16_t port = publish_server(rig, &listener);
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

static void a_kept_port_keeps_its_connections(void **state)
{
	struct rig *rig = rig_new(NULL);
	struct port_request request = { .proto = IPPROTO_TCP };
	int first = must_bind(SOCK_STREAM, "127.0.0.5", &request.port);
	uint16_t other = 0;
	int second = must_bind(SOCK_STREAM, "127.0.0.5", &other);
	int client, server;

	(void)state;
	request.host_port = rig_publish(rig, request);
	client = must_connect(SOCK_STREAM, "127.0.0.1", request.host_port);
	server = must_accept(first);
	rig_publish(rig, request);
	send_text(client, "as before");
	expect_text(server, "as before");

	/* Another container port behind the same host port: for those who come. */
	request.port = other;
	rig_publish(rig, request);
	expect_conversation("127.0.0.1", request.host_port, second);
	send_text(client, "as before");
	expect_text(server, "as before");
	close(client);
	close(server);
	close(first);
	close(second);
	rig_free(rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(clients_of_both_families_reach_an_ipv4_container),
		cmocka_unit_test(an_ipv4_client_reaches_an_ipv6_container),
		cmocka_unit_test(the_same_family_is_preferred),
		cmocka_unit_test(either_side_may_stop_sending_first),
		cmocka_unit_test(much_passes_both_ways_at_once),
		cmocka_unit_test(a_container_that_does_not_read_holds_up_its_client),
		cmocka_unit_test(a_container_that_refuses_resets_the_client),
		cmocka_unit_test(a_reset_is_passed_on),
		cmocka_unit_test(what_was_said_before_a_reset_arrives),
		cmocka_unit_test(withdrawing_ends_listening_and_connections),
		cmocka_unit_test(too_many_connections_are_refused),
		cmocka_unit_test(without_descriptors_clients_wait),
		cmocka_unit_test(bulk_does_not_hold_up_the_loop),
		cmocka_unit_test(resting_connections_hold_two_descriptors),
		cmocka_unit_test(a_kept_port_keeps_its_connections),
	};

	own_network();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
