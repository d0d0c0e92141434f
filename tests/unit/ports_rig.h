/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the tests of published ports have in common: a network namespace of their own where that is
 * possible, and a loop that runs in a thread, so that the test itself can block like a program. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <time.h>

#include <cmocka.h>

#include "../../policy/base/mem.h"
#include "../../policy/ports/ports.h"
#include "../../policy/ports/socket_addr.h"

struct rig {
	struct loop *loop;
	struct ports *ports;
	struct network network;
	struct endpoint endpoint;
	pthread_t thread;
	int wakeup;
	void (*job)(struct rig *rig, void *arg);
	void *job_arg;
	sem_t job_done;
	size_t fds_before;
};

static inline size_t count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	size_t n = 0;

	assert_non_null(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

static inline void sleep_ms(unsigned int ms)
{
	usleep(ms * 1000);
}

static inline struct addr addr_of(const char *text)
{
	struct addr addr;

	assert_int_equal(addr_parse(&addr, text), 0);
	return addr;
}

/* Without the right to have a namespace the host's loopback has to do. */
static inline void own_network(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd;

	signal(SIGPIPE, SIG_IGN);
	alarm(120);
	if (unshare(CLONE_NEWNET) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
		return;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(ioctl(fd, SIOCSIFFLAGS, &request), 0);
	close(fd);
}

static inline void on_wakeup(void *arg, uint32_t events)
{
	struct rig *rig = arg;
	uint64_t count;

	(void)events;
	assert_int_equal(read(rig->wakeup, &count, sizeof(count)), sizeof(count));
	rig->job(rig, rig->job_arg);
	sem_post(&rig->job_done);
}

static inline void *run_loop(void *arg)
{
	struct rig *rig = arg;
	struct err err = { 0 };

	assert_int_equal(loop_run(rig->loop, &err), 0);
	return NULL;
}

/* Runs in the loop's thread, between its other work. */
static inline void rig_call(struct rig *rig, void (*job)(struct rig *rig, void *arg), void *arg)
{
	uint64_t one = 1;

	rig->job = job;
	rig->job_arg = arg;
	assert_int_equal(write(rig->wakeup, &one, sizeof(one)), sizeof(one));
	while (sem_wait(&rig->job_done) < 0)
		assert_int_equal(errno, EINTR);
}

static inline void job_quit(struct rig *rig, void *arg)
{
	(void)arg;
	loop_quit(rig->loop);
}

static inline struct rig *rig_new(const struct ports_limits *limits)
{
	struct rig *rig = xcalloc(1, sizeof(*rig));
	struct err err = { 0 };

	rig->fds_before = count_fds();
	rig->loop = loop_new(&err);
	assert_non_null(rig->loop);
	rig->ports = ports_new(rig->loop, limits, &err);
	assert_non_null(rig->ports);
	strcpy(rig->network.id, "0123456789abcdef");
	strcpy(rig->endpoint.id, "fedcba9876543210");
	strcpy(rig->endpoint.network, rig->network.id);
	rig->endpoint.addr[V4] = (struct prefix){ addr_of("127.0.0.5"), 24 };
	rig->wakeup = eventfd(0, EFD_CLOEXEC);
	assert_int_equal(sem_init(&rig->job_done, 0, 0), 0);
	assert_int_equal(loop_fd_add(rig->loop, rig->wakeup, EPOLLIN, on_wakeup, rig), 0);
	assert_int_equal(pthread_create(&rig->thread, NULL, run_loop, rig), 0);
	return rig;
}

/* Every test ends with this: nothing may be left open. */
static inline void rig_free(struct rig *rig)
{
	size_t before = rig->fds_before;

	rig_call(rig, job_quit, NULL);
	pthread_join(rig->thread, NULL);
	ports_free(rig->ports);
	loop_fd_del(rig->loop, rig->wakeup);
	loop_free(rig->loop);
	close(rig->wakeup);
	sem_destroy(&rig->job_done);
	free(rig);
	assert_int_equal(count_fds(), before);
}

struct publish_job {
	const struct endpoint *endpoint;
	const struct port_request *requests;
	size_t n;
	struct port *ports;
	size_t n_ports;
	struct err err;
	int result;
};

static inline void job_publish(struct rig *rig, void *arg)
{
	struct publish_job *job = arg;

	job->result = ports_publish(rig->ports, &rig->network, job->endpoint, job->requests, job->n,
				    &job->ports, &job->n_ports, &job->err);
}

static inline void job_withdraw(struct rig *rig, void *arg)
{
	(void)arg;
	ports_withdraw(rig->ports, rig->network.id, rig->endpoint.id);
}

/* One request; returns the host port. */
static inline uint16_t rig_publish(struct rig *rig, struct port_request request)
{
	struct publish_job job = { .endpoint = &rig->endpoint, .requests = &request, .n = 1 };
	uint16_t number;

	rig_call(rig, job_publish, &job);
	if (job.result != 0)
		fail_msg("%s", job.err.text);
	assert_true(job.n_ports > 0);
	number = job.ports[0].host_port;
	free(job.ports);
	return number;
}

/* What the loop's thread has burnt so far: a relay that waits must not spin. */
static inline uint64_t rig_cpu_ms(struct rig *rig)
{
	struct timespec used;
	clockid_t clock;

	assert_int_equal(pthread_getcpuclockid(rig->thread, &clock), 0);
	assert_int_equal(clock_gettime(clock, &used), 0);
	return (uint64_t)used.tv_sec * 1000 + (uint64_t)used.tv_nsec / 1000000;
}

static inline void assert_rests(struct rig *rig)
{
	uint64_t before;

	sleep_ms(50);
	before = rig_cpu_ms(rig);
	sleep_ms(300);
	assert_in_range(rig_cpu_ms(rig) - before, 0, 30);
}

/* Nothing in a test waits for ever. */
static inline void set_timeouts(int fd)
{
	struct timeval limit = { .tv_sec = 10 };

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
}

/* A plain socket bound to text:*port; 0 is replaced by what the kernel chose. Negative errno. */
static inline int try_bind(int type, const char *text, uint16_t *port)
{
	struct addr addr = addr_of(text), ignored;
	union socket_addr name;
	socklen_t len = socket_addr_set(&name, &addr, *port);
	int fd = socket(addr.family, type | SOCK_CLOEXEC, 0);
	int on = 1;

	assert_true(fd >= 0);
	set_timeouts(fd);
	if (addr.family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (bind(fd, &name.any, len) < 0 || (type == SOCK_STREAM && listen(fd, 64) < 0)) {
		int r = -errno;

		close(fd);
		return r;
	}
	len = sizeof(name);
	assert_int_equal(getsockname(fd, &name.any, &len), 0);
	socket_addr_get(&name, &ignored, port);
	return fd;
}

static inline int must_bind(int type, const char *text, uint16_t *port)
{
	int fd = try_bind(type, text, port);

	if (fd < 0)
		fail_msg("%s port %u: %s", text, *port, strerror(-fd));
	return fd;
}

static inline bool is_free(int type, const char *text, uint16_t port)
{
	int fd = try_bind(type, text, &port);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static inline int try_connect(int type, const char *text, uint16_t port)
{
	struct addr addr = addr_of(text);
	union socket_addr name;
	socklen_t len = socket_addr_set(&name, &addr, port);
	int fd = socket(addr.family, type | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	set_timeouts(fd);
	if (connect(fd, &name.any, len) < 0) {
		int r = -errno;

		close(fd);
		return r;
	}
	return fd;
}

static inline int must_connect(int type, const char *text, uint16_t port)
{
	int fd = try_connect(type, text, port);

	if (fd < 0)
		fail_msg("connect to %s port %u: %s", text, port, strerror(-fd));
	return fd;
}

static inline int must_accept(int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0)
		fail_msg("accept: %s", strerror(errno));
	set_timeouts(fd);
	return fd;
}

static inline void send_text(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), 0), strlen(text));
}

static inline void expect_text(int fd, const char *text)
{
	char buffer[256] = { 0 };

	assert_int_equal(recv(fd, buffer, strlen(text), MSG_WAITALL), strlen(text));
	assert_string_equal(buffer, text);
}

static inline void expect_end(int fd)
{
	char byte;

	assert_int_equal(recv(fd, &byte, 1, 0), 0);
}

static inline void expect_reset(int fd)
{
	char byte;

	assert_int_equal(recv(fd, &byte, 1, 0), -1);
	assert_int_equal(errno, ECONNRESET);
}

static inline int publish(struct rig *rig, const struct endpoint *endpoint,
			  const struct port_request *requests, size_t n, struct publish_job *job)
{
	*job = (struct publish_job){ .endpoint = endpoint, .requests = requests, .n = n };
	rig_call(rig, job_publish, job);
	return job->result;
}

static inline void expect_refusal(struct rig *rig, struct port_request request, int code,
				  const char *text)
{
	struct publish_job job;

	assert_int_equal(publish(rig, &rig->endpoint, &request, 1, &job), code);
	if (!strstr(job.err.text, text))
		fail_msg("\"%s\" does not contain \"%s\"", job.err.text, text);
}

/* A number that is free in both families and for both protocols, with `room` free ones after it. */
static inline uint16_t free_number(unsigned int room)
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

/* Publishes the port of a socket on 127.0.0.5, which the test answers; returns the host port. */
static inline uint16_t publish_server(struct rig *rig, int type, int *ret_server)
{
	struct port_request request = { .proto = type == SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP };

	*ret_server = must_bind(type, "127.0.0.5", &request.port);
	return rig_publish(rig, request);
}
