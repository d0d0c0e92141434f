/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which port is given: families, numbers, ranges, defaults; and what is kept and given back. */
#include "ports_rig.h"

static void a_fixed_port_is_held_in_both_families(void **state)
{
	static const struct {
		uint8_t proto;
		int type;
	} kinds[] = { { IPPROTO_TCP, SOCK_STREAM }, { IPPROTO_UDP, SOCK_DGRAM } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct rig *rig = rig_new(NULL);
		uint16_t n = free_number(0);
		struct port_request request = { kinds[i].proto, 80, { 0 }, n, n };
		struct publish_job job;

		assert_int_equal(publish(rig, &rig->endpoint, &request, 1, &job), 0);
		assert_int_equal(job.n_ports, 2);
		assert_int_equal(job.ports[0].host.family, AF_INET);
		assert_int_equal(job.ports[1].host.family, AF_INET6);
		for (size_t p = 0; p < 2; p++) {
			assert_int_equal(job.ports[p].proto, kinds[i].proto);
			assert_int_equal(job.ports[p].port, 80);
			assert_int_equal(job.ports[p].host_port, n);
			assert_true(addr_is_any(&job.ports[p].host));
		}
		free(job.ports);
		assert_false(is_free(kinds[i].type, "127.0.0.1", n));
		assert_false(is_free(kinds[i].type, "::1", n));
		rig_call(rig, job_withdraw, NULL);
		assert_true(is_free(kinds[i].type, "127.0.0.1", n));
		assert_true(is_free(kinds[i].type, "::1", n));
		rig_free(rig);
	}
}

static void an_ephemeral_port_has_one_number(void **state)
{
	struct port_request request = { .proto = IPPROTO_UDP, .port = 53 };
	struct rig *rig = rig_new(NULL);
	struct publish_job job, again;

	(void)state;
	assert_int_equal(publish(rig, &rig->endpoint, &request, 1, &job), 0);
	assert_int_equal(job.n_ports, 2);
	assert_int_not_equal(job.ports[0].host_port, 0);
	assert_int_equal(job.ports[0].host_port, job.ports[1].host_port);

	/* Asked again, the number stays. */
	assert_int_equal(publish(rig, &rig->endpoint, &request, 1, &again), 0);
	assert_int_equal(again.n_ports, 2);
	assert_int_equal(job.ports[0].host_port, again.ports[0].host_port);
	free(job.ports);
	free(again.ports);
	rig_free(rig);
}

static void a_range_gives_the_first_that_is_free(void **state)
{
	struct rig *rig = rig_new(NULL);
	uint16_t n = free_number(2);
	uint16_t second = n + 1;
	int first_fd = must_bind(SOCK_STREAM, "0.0.0.0", &n);
	int second_fd = must_bind(SOCK_STREAM, "::", &second);
	struct port_request request = { IPPROTO_TCP, 80, { 0 }, n, n + 2 };
	char text[64];

	(void)state;
	assert_int_equal(rig_publish(rig, request), n + 2);
	rig_call(rig, job_withdraw, NULL);

	/* What was tried on the way is not kept. */
	assert_true(is_free(SOCK_STREAM, "0.0.0.0", n + 1));
	request.host_port_end = n + 1;
	snprintf(text, sizeof(text), "no host port of %u-%u/tcp on ", n, n + 1);
	expect_refusal(rig, request, -EADDRINUSE, text);
	close(first_fd);
	close(second_fd);
	rig_free(rig);
}

static void a_range_may_end_at_the_last_port(void **state)
{
	struct rig *rig = rig_new(NULL);
	uint16_t n = 65535;
	int fd = must_bind(SOCK_DGRAM, "0.0.0.0", &n);
	struct port_request request = { IPPROTO_UDP, 80, { 0 }, 65535, 65535 };

	(void)state;
	expect_refusal(rig, request, -EADDRINUSE, "port 65535/udp on 0.0.0.0");
	request.host_port = 65534;
	assert_int_equal(rig_publish(rig, request), 65534);
	rig_call(rig, job_withdraw, NULL);
	close(fd);
	fd = must_bind(SOCK_DGRAM, "0.0.0.0", &request.host_port);
	assert_int_equal(rig_publish(rig, request), 65535);
	close(fd);
	rig_free(rig);
}

static void nothing_is_asked_for(void **state)
{
	struct rig *rig = rig_new(NULL);
	uint16_t n = free_number(0);
	struct publish_job job;

	(void)state;
	assert_int_equal(rig_publish(rig, (struct port_request){ IPPROTO_TCP, 80, { 0 }, n, n }),
			 n);
	assert_int_equal(publish(rig, &rig->endpoint, NULL, 0, &job), 0);
	assert_int_equal(job.n_ports, 0);
	free(job.ports);
	assert_true(is_free(SOCK_STREAM, "0.0.0.0", n));
	rig_free(rig);
}

static void the_networks_default_address_is_used_alone(void **state)
{
	struct port_request request = { .proto = IPPROTO_TCP, .port = 80 };
	struct rig *rig = rig_new(NULL);
	struct publish_job job;

	(void)state;
	rig->network.host_binding[V4] = addr_of("127.0.0.9");
	assert_int_equal(publish(rig, &rig->endpoint, &request, 1, &job), 0);
	assert_int_equal(job.n_ports, 1);
	assert_true(addr_equal(&job.ports[0].host, &rig->network.host_binding[V4]));
	assert_true(is_free(SOCK_STREAM, "127.0.0.8", job.ports[0].host_port));
	free(job.ports);

	/* Asked for explicitly, it is not. */
	request.host = addr_of("::");
	assert_int_equal(publish(rig, &rig->endpoint, &request, 1, &job), 0);
	assert_int_equal(job.n_ports, 1);
	assert_int_equal(job.ports[0].host.family, AF_INET6);
	free(job.ports);
	rig_free(rig);
}

static void a_routed_family_needs_no_socket(void **state)
{
	struct rig *rig = rig_new(NULL);
	uint16_t n = free_number(0);
	struct port_request request = { IPPROTO_TCP, 80, { 0 }, n, n };
	struct publish_job job;

	(void)state;
	rig->network.mode[V6] = GATEWAY_ROUTED;
	rig->endpoint.addr[V6] = (struct prefix){ addr_of("2001:db8::5"), 64 };
	assert_int_equal(publish(rig, &rig->endpoint, &request, 1, &job), 0);
	assert_int_equal(job.n_ports, 2);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(job.ports[i].host_port,
				 job.ports[i].host.family == AF_INET ? n : 0);
	free(job.ports);
	assert_false(is_free(SOCK_STREAM, "0.0.0.0", n));
	assert_true(is_free(SOCK_STREAM, "::", n));
	request.host = addr_of("::1");
	expect_refusal(rig, request, -EINVAL, "gateway mode is routed");
	rig_free(rig);
}

static void sctp_ports_are_given_and_conflict(void **state)
{
	struct port_request request = { .proto = IPPROTO_SCTP, .port = 80 };
	struct rig *rig = rig_new(NULL);
	struct endpoint other = rig->endpoint;
	struct publish_job job;

	(void)state;
	request.host_port = rig_publish(rig, request);
	assert_int_not_equal(request.host_port, 0);
	assert_int_equal(rig_publish(rig, request), request.host_port);
	strcpy(other.id, "another");
	assert_int_equal(publish(rig, &other, &request, 1, &job), -EADDRINUSE);
	assert_non_null(strstr(job.err.text, "/sctp on 0.0.0.0 is already in use by container "
					     "endpoint fedcba987654"));
	rig_free(rig);
}

struct reopen_job {
	struct port failed[4];
	struct err errs[4];
	size_t n;
	size_t result;
};

static void on_failed(void *arg, const struct port *port, const struct err *err)
{
	struct reopen_job *job = arg;

	assert_true(job->n < 4);
	job->failed[job->n] = *port;
	job->errs[job->n++] = *err;
}

static void job_reopen(struct rig *rig, void *arg)
{
	struct reopen_job *job = arg;

	job->result = ports_reopen(rig->ports, &rig->network, &rig->endpoint, on_failed, job);
}

static void reopening_reports_each_port(void **state)
{
	struct rig *rig = rig_new(NULL);
	uint16_t n = free_number(2);
	uint16_t taken = n + 1;
	int fd = must_bind(SOCK_STREAM, "0.0.0.0", &taken);
	struct port ports[] = {
		{ IPPROTO_TCP, 80, addr_of("0.0.0.0"), n },
		{ IPPROTO_TCP, 81, addr_of("0.0.0.0"), taken },
		{ IPPROTO_UDP, 82, addr_of("203.0.113.9"), n },
		{ IPPROTO_UDP, 82, addr_of("::"), n + 2 },
		{ IPPROTO_TCP, 83, addr_of("::"), 0 },
	};
	struct reopen_job job = { 0 }, again = { 0 };

	(void)state;
	rig->endpoint.ports = ports;
	rig->endpoint.n_ports = ARRAY_SIZE(ports);
	rig_call(rig, job_reopen, &job);
	assert_int_equal(job.result, 2);
	assert_int_equal(job.n, 2);
	assert_int_equal(job.failed[0].host_port, taken);
	assert_non_null(strstr(job.errs[0].text, "is already in use by \""));
	assert_int_equal(job.failed[1].host_port, n);
	assert_non_null(strstr(job.errs[1].text, "is not an address of this host"));
	assert_false(is_free(SOCK_STREAM, "0.0.0.0", n));
	assert_false(is_free(SOCK_DGRAM, "::", n + 2));

	/* What had failed can be had later. */
	close(fd);
	rig_call(rig, job_reopen, &again);
	assert_int_equal(again.result, 1);
	assert_false(is_free(SOCK_STREAM, "0.0.0.0", n));
	assert_false(is_free(SOCK_STREAM, "0.0.0.0", taken));
	rig_free(rig);
}

static void old_connections_do_not_hold_a_port(void **state)
{
	struct rig *rig = rig_new(NULL);
	uint16_t n = 0;
	int listener = must_bind(SOCK_STREAM, "127.0.0.1", &n);
	int client, server, on = 1;

	(void)state;
	/* As every server does; connections inherit it, and the kernel asks both sides. */
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	client = must_connect(SOCK_STREAM, "127.0.0.1", n);
	server = must_accept(listener);
	/* Who closes first is left with the port in TIME_WAIT. */
	close(server);
	expect_end(client);
	close(client);
	close(listener);
	assert_false(is_free(SOCK_STREAM, "127.0.0.1", n));
	assert_int_equal(rig_publish(rig, (struct port_request){ IPPROTO_TCP, 80, { 0 }, n, n }),
			 n);
	rig_free(rig);
}

static void a_thousand_ports_can_be_published(void **state)
{
	struct rlimit limit, old;
	struct port_request requests[1000];
	struct rig *rig = rig_new(NULL);
	uint16_t n = free_number(999);
	struct publish_job job;
	uint64_t start;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	limit = old;
	limit.rlim_cur = limit.rlim_max < 4096 ? limit.rlim_max : 4096;
	if (limit.rlim_cur < 4096)
		skip();
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	for (unsigned int i = 0; i < 1000; i++)
		requests[i] = (struct port_request){ i % 2 ? IPPROTO_TCP : IPPROTO_UDP,
						     (uint16_t)(i + 1),
						     { 0 },
						     (uint16_t)(n + i),
						     (uint16_t)(n + i) };
	start = loop_now_ms();
	assert_int_equal(publish(rig, &rig->endpoint, requests, 1000, &job), 0);
	print_message("1,000 ports: %u ms\n", (unsigned int)(loop_now_ms() - start));
	assert_int_equal(job.n_ports, 2000);
	free(job.ports);
	start = loop_now_ms();
	assert_int_equal(publish(rig, &rig->endpoint, requests, 1000, &job), 0);
	print_message("once more: %u ms\n", (unsigned int)(loop_now_ms() - start));
	free(job.ports);

	/* Not enough descriptors: said so, and nothing is half done. */
	rig_call(rig, job_withdraw, NULL);
	limit.rlim_cur = 500;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_int_equal(publish(rig, &rig->endpoint, requests, 1000, &job), -EMFILE);
	assert_non_null(strstr(job.err.text, "too many open files"));
	assert_true(is_free(SOCK_DGRAM, "0.0.0.0", n));
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	rig_free(rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_fixed_port_is_held_in_both_families),
		cmocka_unit_test(an_ephemeral_port_has_one_number),
		cmocka_unit_test(a_range_gives_the_first_that_is_free),
		cmocka_unit_test(a_range_may_end_at_the_last_port),
		cmocka_unit_test(nothing_is_asked_for),
		cmocka_unit_test(the_networks_default_address_is_used_alone),
		cmocka_unit_test(a_routed_family_needs_no_socket),
		cmocka_unit_test(sctp_ports_are_given_and_conflict),
		cmocka_unit_test(reopening_reports_each_port),
		cmocka_unit_test(old_connections_do_not_hold_a_port),
		cmocka_unit_test(a_thousand_ports_can_be_published),
	};

	own_network();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
