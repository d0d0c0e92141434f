/* SPDX-License-Identifier: GPL-2.0-or-later */
/* eager ADDRESS... - a container that sends as soon as it exists, and does not stop: a packet of
 * every kind to each address, at first as often as it can, then every now and then. It waits for no
 * answer. */

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MOST 16
#define N_SHOTS (sizeof(shots) / sizeof(shots[0]))
#define SOON 40
#define PAUSE_US 400000

struct shot {
	int type;
	in_port_t port;
	size_t size;
};

/* Raw: an echo request. The large one leaves in fragments. */
static const struct shot shots[] = {
	{ SOCK_STREAM, 80, 0 },   { SOCK_STREAM, 53, 0 }, { SOCK_STREAM, 853, 0 },
	{ SOCK_DGRAM, 80, 2 },    { SOCK_DGRAM, 53, 2 },  { SOCK_DGRAM, 443, 2 },
	{ SOCK_DGRAM, 80, 4000 }, { SOCK_RAW, 0, 8 },
};

/* The checksum of the second is the kernel's business. */
static const unsigned char ping4[] = { 8, 0, 0xf7, 0xfd, 0, 1, 0, 1 };
static const unsigned char ping6[] = { 128, 0, 0, 0, 0, 1, 0, 1 };

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static union address parse(const char *text, in_port_t port)
{
	union address to = { 0 };

	if (inet_pton(AF_INET, text, &to.v4.sin_addr) == 1) {
		to.v4.sin_family = AF_INET;
		to.v4.sin_port = htons(port);
	} else if (inet_pton(AF_INET6, text, &to.v6.sin6_addr) == 1) {
		to.v6.sin6_family = AF_INET6;
		to.v6.sin6_port = htons(port);
	}
	return to;
}

/* Returns the socket, to be closed when an answer such as "too big" has had time to come. */
static int fire(const struct shot *shot, const char *text)
{
	static const struct linger not_at_all = { .l_onoff = 1 };
	union address to = parse(text, shot->port);
	bool v6 = to.any.sa_family == AF_INET6;
	int icmp = v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
	int fd = socket(to.any.sa_family, shot->type | SOCK_NONBLOCK,
			shot->type == SOCK_RAW ? icmp : 0);
	socklen_t length = v6 ? sizeof(to.v6) : sizeof(to.v4);
	unsigned char data[4000] = "?\n";

	if (fd < 0)
		return fd;
	if (shot->type == SOCK_RAW)
		memcpy(data, v6 ? ping6 : ping4, sizeof(ping4));
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &not_at_all, sizeof(not_at_all));
	if (shot->type == SOCK_STREAM)
		connect(fd, &to.any, length);
	else
		sendto(fd, data, shot->size, 0, &to.any, length);
	return fd;
}

int main(int argc, char **argv)
{
	static int open_now[MOST][N_SHOTS];

	for (unsigned round = 0;; round++) {
		for (int i = 1; i < argc && i < MOST; i++) {
			for (size_t s = 0; s < N_SHOTS; s++) {
				if (round > 0)
					close(open_now[i][s]);
				open_now[i][s] = fire(&shots[s], argv[i]);
			}
		}
		usleep(round < SOON ? 1000 : PAUSE_US);
	}
}
