/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which port is refused, and in which words; a refusal changes nothing. */
#include "ports_rig.h"

#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

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
		int on = 1;

		prctl(PR_SET_NAME, name);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		/* Willing to share, as the kernel would let two of that kind. */
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
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
		cmocka_unit_test(a_conflict_names_the_program),
		cmocka_unit_test(a_conflict_names_our_own_endpoint),
		cmocka_unit_test(a_port_asked_for_twice_is_refused),
		cmocka_unit_test(a_failure_leaves_everything_as_it_was),
		cmocka_unit_test(what_cannot_be_published_is_refused),
		cmocka_unit_test(a_host_without_ipv6_publishes_ipv4_only),
		cmocka_unit_test(a_low_port_without_the_right_is_explained),
		cmocka_unit_test(a_process_that_sigpipe_would_end_is_refused),
	};

	own_network();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
