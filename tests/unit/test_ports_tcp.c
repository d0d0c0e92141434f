/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Relayed TCP connections: what passes, and how they end. The test plays the client and the
 * container. */
#include "ports_rig.h"

#define MIB (1024 * 1024)

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
	uint16_t port = publish_server(rig, SOCK_STREAM, &listener);

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
	uint16_t port = publish_server(rig, SOCK_STREAM, &listener);

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
	uint16_t port = publish_server(rig, SOCK_STREAM, &listener);

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

static void a_container_that_refuses_resets_the_client(void **state)
{
	struct rig *rig = rig_new(NULL);
	int listener, client;
	uint16_t port = publish_server(rig, SOCK_STREAM, &listener);

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

static void withdrawing_ends_listening_and_connections(void **state)
{
	struct rig *rig = rig_new(NULL);
	static const uint8_t much[8 * MIB];
	int listener, client, server, full, full_server;
	uint16_t port = publish_server(rig, SOCK_STREAM, &listener);

	(void)state;
	client = must_connect(SOCK_STREAM, "127.0.0.1", port);
	server = must_accept(listener);
	full = must_connect(SOCK_STREAM, "::1", port);
	full_server = must_accept(listener);
	assert_true(send(full, much, sizeof(much), MSG_DONTWAIT) > 0);
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
		cmocka_unit_test(a_container_that_refuses_resets_the_client),
		cmocka_unit_test(withdrawing_ends_listening_and_connections),
		cmocka_unit_test(a_kept_port_keeps_its_connections),
	};

	own_network();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
