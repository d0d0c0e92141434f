/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Relayed UDP: who gets which answer from where, and how sessions end. The test plays the clients
 * and the container. */
#include "ports_rig.h"

/* Answers one datagram with itself; returns its length, or -1 when none comes. */
static ssize_t echo_one(int server)
{
	static uint8_t data[65536];
	union socket_addr from;
	socklen_t len = sizeof(from);
	ssize_t n = recvfrom(server, data, sizeof(data), 0, &from.any, &len);

	if (n >= 0)
		assert_int_equal(sendto(server, data, (size_t)n, 0, &from.any, len), n);
	return n;
}

static void expect_echo(int client, int server, const char *text)
{
	send_text(client, text);
	assert_int_equal(echo_one(server), strlen(text));
	expect_text(client, text);
}

static void many_clients_get_their_own_answers(void **state)
{
	enum { GROUPS = 6, N = 50 }; /* a receive buffer takes one group */
	static const char *const hosts[] = { "127.0.0.1", "127.0.0.3", "::1" };
	struct rig *rig = rig_new(NULL);
	int clients[GROUPS][N], server;
	uint16_t port = publish_server(rig, SOCK_DGRAM, &server);
	char text[64];

	(void)state;
	for (size_t g = 0; g < GROUPS; g++) {
		for (size_t i = 0; i < N; i++) {
			/* A connected client takes answers only from the very address it asked. */
			clients[g][i] =
				must_connect(SOCK_DGRAM, hosts[i % ARRAY_SIZE(hosts)], port);
			snprintf(text, sizeof(text), "client %zu of group %zu", i, g);
			send_text(clients[g][i], text);
		}
		for (size_t i = 0; i < N; i++)
			assert_true(echo_one(server) > 0);
	}
	for (size_t g = 0; g < GROUPS; g++) {
		for (size_t i = 0; i < N; i++) {
			snprintf(text, sizeof(text), "client %zu of group %zu", i, g);
			expect_text(clients[g][i], text);
			close(clients[g][i]);
		}
	}
	close(server);
	rig_free(rig);
}

static void one_client_may_ask_several_addresses(void **state)
{
	static const char *const hosts[] = { "127.0.0.1", "127.0.0.3", "127.0.0.1" };
	struct rig *rig = rig_new(NULL);
	uint16_t any = 0, port;
	int client = must_bind(SOCK_DGRAM, "0.0.0.0", &any);
	int server;

	(void)state;
	port = publish_server(rig, SOCK_DGRAM, &server);
	for (size_t i = 0; i < ARRAY_SIZE(hosts); i++) {
		struct addr addr = addr_of(hosts[i]), from_addr;
		union socket_addr to, from;
		socklen_t len = socket_addr_set(&to, &addr, port);
		uint16_t from_port;
		char byte;

		assert_int_equal(sendto(client, "x", 1, 0, &to.any, len), 1);
		assert_int_equal(echo_one(server), 1);
		len = sizeof(from);
		assert_int_equal(recvfrom(client, &byte, 1, 0, &from.any, &len), 1);
		socket_addr_get(&from, &from_addr, &from_port);
		assert_true(addr_equal(&from_addr, &addr));
		assert_int_equal(from_port, port);
	}
	close(client);
	close(server);
	rig_free(rig);
}

static void every_size_passes(void **state)
{
	static const size_t sizes[] = { 0, 1, 1500, 65507 };
	static uint8_t sent[65536], got[65536];
	struct rig *rig = rig_new(NULL);
	int client, server;
	uint16_t port = publish_server(rig, SOCK_DGRAM, &server);

	(void)state;
	client = must_connect(SOCK_DGRAM, "127.0.0.1", port);
	for (size_t i = 0; i < sizeof(sent); i++)
		sent[i] = (uint8_t)(i * 7 + i / 256);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		assert_int_equal(send(client, sent, sizes[i], 0), sizes[i]);
		assert_int_equal(echo_one(server), sizes[i]);
		memset(got, 0, sizeof(got));
		assert_int_equal(recv(client, got, sizeof(got), 0), sizes[i]);
		assert_memory_equal(got, sent, sizes[i]);
	}
	close(client);
	close(server);
	rig_free(rig);
}

static void the_oldest_session_makes_room(void **state)
{
	enum { LIMIT = 4, N = 10 };
	struct rig *rig = rig_new(&(struct ports_limits){ .udp_sessions = LIMIT });
	int clients[N], server;
	uint16_t port = publish_server(rig, SOCK_DGRAM, &server);
	size_t before;

	(void)state;
	for (size_t i = 0; i < N; i++)
		clients[i] = must_connect(SOCK_DGRAM, i % 2 ? "::1" : "127.0.0.1", port);
	before = count_fds();
	/* Who talks keeps its session: the container sees it come from one port all the time. */
	for (size_t i = 1; i < N; i++) {
		static uint16_t seen;
		union socket_addr from;
		socklen_t len = sizeof(from);
		char byte;

		send_text(clients[0], "x");
		assert_int_equal(recvfrom(server, &byte, 1, 0, &from.any, &len), 1);
		if (i == 1)
			seen = from.v4.sin_port;
		assert_int_equal(from.v4.sin_port, seen);
		expect_echo(clients[i], server, "y");
	}
	assert_int_equal(count_fds() - before, LIMIT);
	expect_echo(clients[1], server, "back again");
	assert_int_equal(count_fds() - before, LIMIT);
	for (size_t i = 0; i < N; i++)
		close(clients[i]);
	close(server);
	rig_free(rig);
}

static void a_session_at_rest_ends(void **state)
{
	struct rig *rig = rig_new(&(struct ports_limits){ .udp_idle_ms = 200 });
	int resting, talking, server;
	uint16_t port = publish_server(rig, SOCK_DGRAM, &server);
	size_t before;

	(void)state;
	resting = must_connect(SOCK_DGRAM, "127.0.0.1", port);
	talking = must_connect(SOCK_DGRAM, "127.0.0.1", port);
	before = count_fds();
	expect_echo(resting, server, "once");
	for (int i = 0; i < 8; i++) {
		expect_echo(talking, server, "and again");
		if (i == 0)
			assert_int_equal(count_fds() - before, 2);
		sleep_ms(50);
	}
	assert_int_equal(count_fds() - before, 1);
	sleep_ms(400);
	assert_int_equal(count_fds() - before, 0);
	expect_echo(resting, server, "awake");
	close(resting);
	close(talking);
	close(server);
	rig_free(rig);
}

static void a_container_that_does_not_listen_yet_is_no_trouble(void **state)
{
	struct port_request request = { .proto = IPPROTO_UDP };
	struct rig *rig = rig_new(NULL);
	int server = must_bind(SOCK_DGRAM, "127.0.0.5", &request.port);
	uint16_t port = rig_publish(rig, request);
	int client = must_connect(SOCK_DGRAM, "127.0.0.1", port);

	(void)state;
	close(server);
	for (int i = 0; i < 3; i++)
		send_text(client, "anybody?");
	assert_rests(rig);
	server = must_bind(SOCK_DGRAM, "127.0.0.5", &request.port);
	expect_echo(client, server, "somebody");
	close(client);
	close(server);
	rig_free(rig);
}

static unsigned long count_unheard(void)
{
	FILE *file = fopen("/proc/net/snmp", "re");
	unsigned long n = 0;
	char line[512];

	assert_non_null(file);
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "Udp: %*u %lu", &n) == 1)
			break;
	fclose(file);
	return n;
}

static void job_send_five(struct rig *rig, void *arg)
{
	(void)rig;
	for (int i = 0; i < 5; i++)
		send_text(*(int *)arg, "anybody?");
}

static void a_refused_datagram_does_not_take_the_next_along(void **state)
{
	struct rig *rig = rig_new(NULL);
	int client, server;
	uint16_t port = publish_server(rig, SOCK_DGRAM, &server);
	unsigned long before = count_unheard();

	(void)state;
	close(server);
	client = must_connect(SOCK_DGRAM, "127.0.0.1", port);
	rig_call(rig, job_send_five, &client);
	sleep_ms(50);
	assert_true(count_unheard() - before >= 5);
	close(client);
	rig_free(rig);
}

static void withdrawing_ends_sessions(void **state)
{
	struct rig *rig = rig_new(NULL);
	struct port_request request = { .proto = IPPROTO_UDP };
	size_t before = count_fds();
	uint16_t other_port = 0;
	int server = must_bind(SOCK_DGRAM, "127.0.0.5", &request.port);
	int other = must_bind(SOCK_DGRAM, "127.0.0.5", &other_port);
	int client;

	(void)state;
	request.host_port = rig_publish(rig, request);
	client = must_connect(SOCK_DGRAM, "127.0.0.1", request.host_port);
	expect_echo(client, server, "first");

	/* Published again with another container port: the session follows. */
	request.port = other_port;
	rig_publish(rig, request);
	expect_echo(client, other, "second");
	rig_call(rig, job_withdraw, NULL);
	/* The test's own three. */
	assert_int_equal(count_fds() - before, 3);
	close(client);
	close(server);
	close(other);
	rig_free(rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(many_clients_get_their_own_answers),
		cmocka_unit_test(one_client_may_ask_several_addresses),
		cmocka_unit_test(every_size_passes),
		cmocka_unit_test(the_oldest_session_makes_room),
		cmocka_unit_test(a_session_at_rest_ends),
		cmocka_unit_test(a_container_that_does_not_listen_yet_is_no_trouble),
		cmocka_unit_test(a_refused_datagram_does_not_take_the_next_along),
		cmocka_unit_test(withdrawing_ends_sessions),
	};

	own_network();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
