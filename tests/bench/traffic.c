/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the bench sends, and what of it arrived.
 *
 *     traffic WHAT CLIENT-NETNS SERVER-NETNS ADDRESS PORT SERVER-PORT SECONDS
 *
 * One thread on one processor is both ends, with a socket in either namespace. Between links of
 * type veth whatever happens to a packet on its way happens while it is being sent, in softirqs of
 * the sender's processor: so this is how much of it one processor can do, without anybody being
 * woken up for it. What else the machine does meanwhile is kept out: of many things done one after
 * the other the median is told, and of a stream the time during which this thread ran.
 *
 * The client asks for ADDRESS:PORT, the server listens at SERVER-PORT; they differ where a port is
 * published. */

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* 64 bytes on an Ethernet: 14 of its header, 20 of IP's, 8 of UDP's and 4 of its checksum. */
#define UDP_BYTES 18
#define BATCH 32
#define CHUNK (64 * 1024)
#define TIMES_MAX (1 << 20)

static int client_netns, server_netns;
static struct sockaddr_in target;
static uint16_t server_port;
static double seconds;

static void fail(const char *what)
{
	fprintf(stderr, "traffic: %s: %s\n", what, strerror(errno));
	exit(1);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Not the first, which has the most interrupts to serve. */
static void stay_on_one_processor(void)
{
	cpu_set_t allowed, one;

	if (sched_getaffinity(0, sizeof(allowed), &allowed) < 0)
		fail("processors");
	CPU_ZERO(&one);
	for (int cpu = CPU_SETSIZE - 1; cpu >= 0 && CPU_COUNT(&one) == 0; cpu--)
		if (CPU_ISSET(cpu, &allowed))
			CPU_SET(cpu, &one);
	if (sched_setaffinity(0, sizeof(one), &one) < 0)
		fail("processor");
}

/* How long this thread could have run, but something else had the processor. */
static double waited(void)
{
	char text[128] = { 0 };
	unsigned long long ran, wait;
	int fd = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0 ||
	    sscanf(text, "%llu %llu", &ran, &wait) != 2)
		fail("/proc/thread-self/schedstat");
	close(fd);
	return (double)wait / 1e9;
}

struct watch {
	double begin, waited;
};

static struct watch begin(void)
{
	return (struct watch){ now(), waited() };
}

static double had_the_processor(const struct watch *watch)
{
	double end = now();

	return end - watch->begin - (waited() - watch->waited);
}

/* How long each thing took. The median is that of one which nothing has interrupted. */
static double times[TIMES_MAX];
static size_t n_times;

static bool time_is_left(void)
{
	static double end;

	if (n_times == 0)
		end = now() + seconds;
	return n_times < TIMES_MAX && now() < end;
}

static void took(double time)
{
	times[n_times++] = time;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void print_times(void)
{
	qsort(times, n_times, sizeof(*times), by_size);
	printf("\"p50\": %.9f, \"p99\": %.9f}\n", times[n_times / 2], times[n_times * 99 / 100]);
}

/* A second is for what is lost: everything else is there by the time send() returns.
 */
static int new_socket(int type)
{
	const struct timeval second = { .tv_sec = 1 };
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof(second)) < 0)
		fail("socket");
	return fd;
}

static int open_socket(int netns, int type)
{
	if (setns(netns, CLONE_NEWNET) < 0)
		fail("network namespace");
	return new_socket(type);
}

static int open_server(int type)
{
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(server_port) };
	int fd = open_socket(server_netns, type), on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&any, sizeof(any)) < 0)
		fail("bind");
	if (type == SOCK_STREAM && listen(fd, 16) < 0)
		fail("listen");
	return fd;
}

static void ask(int fd)
{
	if (connect(fd, (struct sockaddr *)&target, sizeof(target)) < 0)
		fail("connect");
}

static int open_client(int type)
{
	int fd = open_socket(client_netns, type);

	ask(fd);
	return fd;
}

/* One message there and one back: whatever is sent then belongs to a connection that is known. */
static void get_acquainted(int client, int server)
{
	struct sockaddr_in peer;
	socklen_t size = sizeof(peer);
	char byte = 0;

	/* The first one may be lost while somebody is asked for an Ethernet address. */
	for (int attempt = 0; attempt < 5; attempt++) {
		(void)send(client, &byte, 1, 0);
		if (recvfrom(server, &byte, 1, 0, (struct sockaddr *)&peer, &size) < 0)
			continue;
		if (connect(server, (struct sockaddr *)&peer, size) < 0 ||
		    send(server, &byte, 1, 0) < 0)
			fail("first answer");
		if (recv(client, &byte, 1, 0) == 1)
			return;
	}
	errno = ETIMEDOUT;
	fail("first message");
}

/* back: what is counted is what the server sends. */
static void udp(bool back)
{
	int server = open_server(SOCK_DGRAM), client = open_client(SOCK_DGRAM);
	int from = back ? server : client, to = back ? client : server, n;
	char bytes[UDP_BYTES] = { 0 };
	struct iovec iov = { .iov_base = bytes, .iov_len = sizeof(bytes) };
	struct mmsghdr messages[BATCH];
	uint64_t sent = 0, arrived = 0;

	for (int i = 0; i < BATCH; i++)
		messages[i] = (struct mmsghdr){ .msg_hdr = { .msg_iov = &iov, .msg_iovlen = 1 } };
	get_acquainted(client, server);
	while (time_is_left()) {
		double started = now();

		n = sendmmsg(from, messages, BATCH, 0);
		sent += n > 0 ? (uint64_t)n : 0;
		while ((n = recvmmsg(to, messages, BATCH, MSG_DONTWAIT, NULL)) > 0)
			arrived += (uint64_t)n;
		took(now() - started);
	}
	printf("{\"sent\": %llu, \"arrived\": %llu, \"each\": %d, ", (unsigned long long)sent,
	       (unsigned long long)arrived, BATCH);
	print_times();
}

static void wait_for_data(int fd)
{
	struct pollfd pollfd = { .fd = fd, .events = POLLIN };

	(void)poll(&pollfd, 1, 10);
}

/* The first fifth of the time is for the window to open, and not counted. */
static void tcp(bool back)
{
	static char chunk[CHUNK];
	int listener = open_server(SOCK_STREAM), client = open_client(SOCK_STREAM);
	int server = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	int from = back ? server : client, to = back ? client : server;
	struct watch whole = begin(), watch = whole;
	uint64_t arrived = 0;
	bool warm = false;
	ssize_t n;

	while (now() - whole.begin < seconds * 1.2) {
		if (!warm && now() - whole.begin > seconds * 0.2) {
			warm = true;
			arrived = 0;
			watch = begin();
		}
		if (send(from, chunk, CHUNK, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 && errno == EAGAIN)
			wait_for_data(to);
		while ((n = recv(to, chunk, CHUNK, MSG_DONTWAIT)) > 0)
			arrived += (uint64_t)n;
	}
	printf("{\"arrived\": %llu, \"seconds\": %f}\n", (unsigned long long)arrived,
	       had_the_processor(&watch));
}

/* Each is opened, answered with a byte, and ended with a reset: no port stays taken for a minute.
 */
static bool connect_once(int listener)
{
	static const struct linger reset = { .l_onoff = 1 };
	int client = new_socket(SOCK_STREAM), server;
	bool answered;
	char byte;

	ask(client);
	server = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	(void)send(server, "", 1, MSG_NOSIGNAL);
	answered = recv(client, &byte, 1, 0) == 1;
	setsockopt(client, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	close(client);
	close(server);
	return answered;
}

static void connections(void)
{
	int listener = open_server(SOCK_STREAM);
	uint64_t sent = 0, arrived = 0;

	if (setns(client_netns, CLONE_NEWNET) < 0)
		fail("network namespace");
	for (; time_is_left(); sent++) {
		double started = now();

		arrived += connect_once(listener);
		took(now() - started);
	}
	printf("{\"sent\": %llu, \"arrived\": %llu, \"each\": 1, ", (unsigned long long)sent,
	       (unsigned long long)arrived);
	print_times();
}

static bool round_trip(int client, int server)
{
	char bytes[UDP_BYTES] = { 0 };

	return send(client, bytes, sizeof(bytes), 0) > 0 &&
	       recv(server, bytes, sizeof(bytes), 0) > 0 &&
	       send(server, bytes, sizeof(bytes), 0) > 0 &&
	       recv(client, bytes, sizeof(bytes), 0) > 0;
}

static void round_trips(void)
{
	int server = open_server(SOCK_DGRAM), client = open_client(SOCK_DGRAM);
	uint64_t sent = 0, arrived = 0;

	get_acquainted(client, server);
	for (; time_is_left(); sent++) {
		double started = now();

		arrived += round_trip(client, server);
		took(now() - started);
	}
	printf("{\"sent\": %llu, \"arrived\": %llu, \"each\": 1, ", (unsigned long long)sent,
	       (unsigned long long)arrived);
	print_times();
}

static int open_netns(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		fail(path);
	return fd;
}

int main(int argc, char **argv)
{
	if (argc != 8) {
		fprintf(stderr, "usage: traffic udp|udp-back|tcp|tcp-back|connections|round-trips "
				"CLIENT-NETNS SERVER-NETNS ADDRESS PORT SERVER-PORT SECONDS\n");
		return 2;
	}
	stay_on_one_processor();
	client_netns = open_netns(argv[2]);
	server_netns = open_netns(argv[3]);
	target = (struct sockaddr_in){ .sin_family = AF_INET,
				       .sin_port = htons((uint16_t)atoi(argv[5])) };
	if (inet_pton(AF_INET, argv[4], &target.sin_addr) != 1)
		fail(argv[4]);
	server_port = (uint16_t)atoi(argv[6]);
	seconds = atof(argv[7]);
	if (strcmp(argv[1], "udp") == 0 || strcmp(argv[1], "udp-back") == 0)
		udp(argv[1][3] != 0);
	else if (strcmp(argv[1], "tcp") == 0 || strcmp(argv[1], "tcp-back") == 0)
		tcp(argv[1][3] != 0);
	else if (strcmp(argv[1], "connections") == 0)
		connections();
	else if (strcmp(argv[1], "round-trips") == 0)
		round_trips();
	else
		return 2;
	return 0;
}
