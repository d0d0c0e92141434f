/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which port is given, what is refused, and in which words. */
#include "ports_rig.h"

#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static int publish(struct rig *rig, const struct endpoint *endpoint,
		   const struct port_request *requests, size_t n, struct publish_job *job)
{
	*job = (struct publish_job){ .endpoint = endpoint, .requests = requests, .n = n };
	rig_call(rig, job_publish, job);
	return job->result;
}

static void expect_refusal(struct rig *rig, struct port_request request, int code, const char *text)
{
	struct publish_job job;

	assert_int_equal(publish(rig, &rig->endpoint, &request, 1, &job), code);
	if (!strstr(job.err.text, text))
		fail_msg("\"%s\" does not contain \"%s\"", job.err.text, text);
}

/* A number that is free in both families and for both protocols, with `room` free ones after it. */
static uint16_t free_number(unsigned int room)
{
	for (unsigned int base = 20000; base + room < 30000; base += room + 1) {
		bool all_free = true;

		for (unsigned int p = base; all_free && p <= base + room; p++)
			all_free = is_free(SOCK_STREAM, "0.0.0.0", (uint16_t)p) &&
				   is_free(SOCK_STREAM, "::", (uint16_t)p) &&
				   is_free(SOCK_DGRAM, "0.0.0.0", (uint16_t)p) &&
				   is_free(SOCK_DGRAM, "::", (uint16_t)p);
		if (all_free)
			return (uint16_t)base;
	}
	fail_msg("no free port");
	return 0;
}

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

static pid_t start_program(const char *name, int type, const char *text, uint16_t port, bool dual)
{
	int ready[2];
	pid_t pid;
	char byte;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct addr addr = addr_of(text);
		union socket_addr bound;
		socklen_t len = socket_addr_set(&bound, &addr, port);
		int fd = socket(addr.family, type, 0);
		int v6only = !dual;

		prctl(PR_SET_NAME, name);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (addr.family == AF_INET6)
			setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6only, sizeof(v6only));
		if (bind(fd, &bound.any, len) < 0 || (type == SOCK_STREAM && listen(fd, 1) < 0) ||
		    write(ready[1], "x", 1) != 1)
			_exit(1);
		pause();
		_exit(0);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	return pid;
}

static void stop_program(pid_t pid)
{
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void a_conflict_names_the_program(void **state)
{
	static const struct {
		uint8_t proto;
		int type;
		const char *theirs;
		bool dual;
		const char *ours, *place;
	} cases[] = {
		{ IPPROTO_TCP, SOCK_STREAM, "127.0.0.1", false, NULL, "tcp on 0.0.0.0" },
		{ IPPROTO_TCP, SOCK_STREAM, "::", true, "127.0.0.1", "tcp on 127.0.0.1" },
		{ IPPROTO_TCP, SOCK_STREAM, "::1", false, NULL, "tcp on ::" },
		{ IPPROTO_UDP, SOCK_DGRAM, "0.0.0.0", false, "127.0.0.1", "udp on 127.0.0.1" },
		{ IPPROTO_UDP, SOCK_DGRAM, "::ffff:127.0.0.1", true, NULL, "udp on 0.0.0.0" },
	};
	struct rig *rig = rig_new(NULL);
	uint16_t n = free_number(0);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		pid_t pid =
			start_program("ng\"inx", cases[i].type, cases[i].theirs, n, cases[i].dual);
		struct port_request request = { cases[i].proto, 80, { 0 }, n, n };
		char text[160];

		if (cases[i].ours)
			request.host = addr_of(cases[i].ours);
		snprintf(text, sizeof(text),
			 "port %u/%s is already in use by \"ng?inx\" (pid %d); publish another "
			 "host port or stop it",
			 n, cases[i].place, (int)pid);
		expect_refusal(rig, request, -EADDRINUSE, text);
		stop_program(pid);
	}
	assert_true(is_free(SOCK_STREAM, "0.0.0.0", n));
	rig_free(rig);
}

static void a_conflict_names_our_own_endpoint(void **state)
{
	struct rig *rig = rig_new(NULL);
	struct endpoint other = rig->endpoint;
	uint16_t n = free_number(0);
	struct port_request request = { IPPROTO_TCP, 80, { 0 }, n, n };
	struct publish_job job;

	(void)state;
	assert_int_equal(rig_publish(rig, request), n);
	strcpy(other.id, "another");
	request.host = addr_of("127.0.0.1");
	assert_int_equal(publish(rig, &other, &request, 1, &job), -EADDRINUSE);
	if (!strstr(job.err.text,
		    "already in use by container endpoint fedcba987654 of network 0123456789ab;"))
		fail_msg("%s", job.err.text);
	rig_free(rig);
}

static void a_port_asked_for_twice_is_refused(void **state)
{
	struct rig *rig = rig_new(NULL);
	uint16_t n = free_number(0);
	struct port_request requests[] = {
		{ IPPROTO_TCP, 80, { 0 }, n, n },
		{ IPPROTO_TCP, 81, { 0 }, n, n },
	};
	struct publish_job job;

	(void)state;
	assert_int_equal(publish(rig, &rig->endpoint, requests, 2, &job), -EEXIST);
	assert_non_null(strstr(job.err.text, "published twice"));
	assert_true(is_free(SOCK_STREAM, "0.0.0.0", n));
	rig_free(rig);
}

static void a_failure_leaves_everything_as_it_was(void **state)
{
	struct rig *rig = rig_new(NULL);
	uint16_t n = free_number(3);
	uint16_t taken = n + 3;
	int fd = must_bind(SOCK_STREAM, "::", &taken);
	struct port_request before = { IPPROTO_TCP, 80, { 0 }, n, n };
	struct port_request requests[] = {
		{ IPPROTO_TCP, 81, { 0 }, n, n }, /* kept, with another target */
		{ IPPROTO_TCP, 82, { 0 }, n + 1, n + 1 },
		{ IPPROTO_UDP, 83, { 0 }, n + 2, n + 2 },
		{ IPPROTO_TCP, 84, { 0 }, taken, taken },
	};
	struct publish_job job;

	(void)state;
	assert_int_equal(rig_publish(rig, before), n);
	assert_int_equal(publish(rig, &rig->endpoint, requests, 4, &job), -EADDRINUSE);
	assert_false(is_free(SOCK_STREAM, "0.0.0.0", n));
	assert_false(is_free(SOCK_STREAM, "::", n));
	assert_true(is_free(SOCK_STREAM, "0.0.0.0", n + 1));
	assert_true(is_free(SOCK_DGRAM, "::", n + 2));
	assert_true(is_free(SOCK_STREAM, "0.0.0.0", taken));
	close(fd);

	/* And once nothing is in the way, the new list replaces the old. */
	assert_int_equal(publish(rig, &rig->endpoint, requests + 1, 3, &job), 0);
	assert_int_equal(job.n_ports, 6);
	free(job.ports);
	assert_true(is_free(SOCK_STREAM, "0.0.0.0", n));
	assert_false(is_free(SOCK_STREAM, "0.0.0.0", n + 1));
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

static void what_cannot_be_published_is_refused(void **state)
{
	struct rig *rig = rig_new(NULL);

	(void)state;
	expect_refusal(rig,
		       (struct port_request){ IPPROTO_TCP, 80, addr_of("203.0.113.9"), 8080, 0 },
		       -EADDRNOTAVAIL,
		       "port 8080/tcp on 203.0.113.9 cannot be published: 203.0.113.9 is not an "
		       "address of this host");
	expect_refusal(rig,
		       (struct port_request){ IPPROTO_TCP, 80, addr_of("2001:db8::9"), 8080, 0 },
		       -EADDRNOTAVAIL, "2001:db8::9 is not an address of this host");
	expect_refusal(rig, (struct port_request){ IPPROTO_TCP, 0, { 0 }, 8080, 0 }, -EINVAL,
		       "port 0/tcp");
	expect_refusal(rig, (struct port_request){ IPPROTO_ICMP, 80, { 0 }, 8080, 0 }, -EINVAL,
		       "protocol 1 cannot");
	rig->endpoint.addr[V4] = (struct prefix){ 0 };
	expect_refusal(rig, (struct port_request){ IPPROTO_TCP, 80, { 0 }, 8080, 0 }, -EINVAL,
		       "has no address");
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

/* In a process of its own, because it cannot be undone there. The child tells with its exit code
 * which of its expectations was the first to fail. */
static void run_child(int (*child)(void))
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(child());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static int publish_alone(struct port_request request, struct port **ret_ports, size_t *ret_n,
			 struct err *err)
{
	struct network network = { .id = "n" };
	struct endpoint endpoint = { .id = "e" };
	struct loop *loop = loop_new(err);
	struct ports *ports = loop ? ports_new(loop, NULL, err) : NULL;
	int r = err->code;

	endpoint.addr[V4] = (struct prefix){ addr_of("127.0.0.5"), 24 };
	if (ports)
		r = ports_publish(ports, &network, &endpoint, &request, 1, ret_ports, ret_n, err);
	ports_free(ports);
	loop_free(loop);
	return r;
}

static int child_without_ipv6(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_socket, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_INET6, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EAFNOSUPPORT),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { ARRAY_SIZE(code), code };
	struct port_request request = { .proto = IPPROTO_TCP, .port = 80 };
	struct port *ports = NULL;
	struct err err = { 0 };
	size_t n = 0;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
		return 1;
	if (publish_alone(request, &ports, &n, &err) != 0 || n != 1 ||
	    ports[0].host.family != AF_INET || ports[0].host_port == 0)
		return 2;
	free(ports);
	request.host = addr_of("::");
	if (publish_alone(request, &ports, &n, &err) != -EAFNOSUPPORT)
		return 3;
	return strstr(err.text, ":: is not an address of this host") ? 0 : 4;
}

static void a_host_without_ipv6_publishes_ipv4_only(void **state)
{
	(void)state;
	run_child(child_without_ipv6);
}

static int child_without_rights(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[2] = { 0 };
	struct port_request request = { IPPROTO_TCP, 80, { 0 }, 80, 80 };
	struct port *ports = NULL;
	struct err err = { 0 };
	size_t n = 0;

	if (syscall(SYS_capset, &header, none) < 0)
		return 1;
	if (publish_alone(request, &ports, &n, &err) != -EACCES)
		return 2;
	return strstr(err.text, "CAP_NET_BIND_SERVICE") ? 0 : 3;
}

static void a_low_port_without_the_right_is_explained(void **state)
{
	(void)state;
	run_child(child_without_rights);
}

static int child_with_sigpipe(void)
{
	struct port_request request = { .proto = IPPROTO_TCP, .port = 80 };
	struct port *ports = NULL;
	struct err err = { 0 };
	size_t n = 0;

	signal(SIGPIPE, SIG_DFL);
	return publish_alone(request, &ports, &n, &err) == -EINVAL && strstr(err.text, "SIGPIPE")
		       ? 0
		       : 1;
}

static void a_process_that_sigpipe_would_end_is_refused(void **state)
{
	(void)state;
	run_child(child_with_sigpipe);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_fixed_port_is_held_in_both_families),
		cmocka_unit_test(an_ephemeral_port_has_one_number),
		cmocka_unit_test(a_range_gives_the_first_that_is_free),
		cmocka_unit_test(a_range_may_end_at_the_last_port),
		cmocka_unit_test(a_conflict_names_the_program),
		cmocka_unit_test(a_conflict_names_our_own_endpoint),
		cmocka_unit_test(a_port_asked_for_twice_is_refused),
		cmocka_unit_test(a_failure_leaves_everything_as_it_was),
		cmocka_unit_test(nothing_is_asked_for),
		cmocka_unit_test(what_cannot_be_published_is_refused),
		cmocka_unit_test(the_networks_default_address_is_used_alone),
		cmocka_unit_test(a_routed_family_needs_no_socket),
		cmocka_unit_test(sctp_ports_are_given_and_conflict),
		cmocka_unit_test(reopening_reports_each_port),
		cmocka_unit_test(old_connections_do_not_hold_a_port),
		cmocka_unit_test(a_thousand_ports_can_be_published),
		cmocka_unit_test(a_host_without_ipv6_publishes_ipv4_only),
		cmocka_unit_test(a_low_port_without_the_right_is_explained),
		cmocka_unit_test(a_process_that_sigpipe_would_end_is_refused),
	};

	own_network();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
