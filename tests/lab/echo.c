/* SPDX-License-Identifier: GPL-2.0-or-later */
/* "What is my address?": answers TCP and UDP, v4 and v6, with the address and port it was asked
 * from. The same program is the lab's internet and the server in its containers; it is linked
 * statically. */

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_SOCKETS 1024

enum kind { LISTENER, CLIENT, DATAGRAM };

static struct pollfd fds[MAX_SOCKETS];
static enum kind kinds[MAX_SOCKETS];
static nfds_t n_fds;

static void add(int fd, enum kind kind)
{
	if (n_fds == MAX_SOCKETS) {
		close(fd);
		return;
	}
	kinds[n_fds] = kind;
	fds[n_fds++] = (struct pollfd){ .fd = fd, .events = POLLIN };
}

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

/* A namespace without v6 has v4 sockets only. */
static void serve(uint16_t port, enum kind kind)
{
	struct sockaddr_in6 any6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	struct sockaddr_in any4 = { .sin_family = AF_INET, .sin_port = htons(port) };
	int type = kind == DATAGRAM ? SOCK_DGRAM : SOCK_STREAM;
	int fd = socket(AF_INET6, type, 0);
	bool v6 = fd >= 0;
	int on = 1, off = 0;

	if (!v6)
		fd = socket(AF_INET, type, 0);
	if (fd < 0)
		fail("socket");
	/* With it, two sockets could share a UDP port. */
	if (kind == LISTENER)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (v6) {
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
		/* A datagram is answered from the address it was sent to. */
		setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on));
	} else {
		setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on));
	}
	if (v6 ? bind(fd, (struct sockaddr *)&any6, sizeof(any6))
	       : bind(fd, (struct sockaddr *)&any4, sizeof(any4)))
		fail("bind");
	if (kind == LISTENER && listen(fd, 256) < 0)
		fail("listen");
	add(fd, kind);
}

static int describe(const struct sockaddr_storage *from, char *text, size_t size)
{
	char addr[INET6_ADDRSTRLEN];
	const struct sockaddr_in6 *in6 = (const void *)from;
	const struct sockaddr_in *in = (const void *)from;

	if (from->ss_family == AF_INET)
		return snprintf(text, size, "%s %u\n",
				inet_ntop(AF_INET, &in->sin_addr, addr, sizeof(addr)),
				ntohs(in->sin_port));
	inet_ntop(AF_INET6, &in6->sin6_addr, addr, sizeof(addr));
	return snprintf(text, size, "%s %u\n",
			IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr) ? addr + 7 : addr,
			ntohs(in6->sin6_port));
}

static void datagram(int fd)
{
	char data[2048], control[256], text[80];
	struct sockaddr_storage from;
	struct iovec iov = { data, sizeof(data) };
	struct msghdr msg = { .msg_name = &from,
			      .msg_namelen = sizeof(from),
			      .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control,
			      .msg_controllen = sizeof(control) };

	if (recvmsg(fd, &msg, 0) < 0)
		return;
	iov.iov_base = text;
	iov.iov_len = describe(&from, text, sizeof(text));
	/* The packet information that came in goes out again, except for the interface. */
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c)) {
		if (c->cmsg_type == IPV6_PKTINFO)
			((struct in6_pktinfo *)CMSG_DATA(c))->ipi6_ifindex = 0;
		else if (c->cmsg_type == IP_PKTINFO)
			((struct in_pktinfo *)CMSG_DATA(c))->ipi_ifindex = 0;
	}
	sendmsg(fd, &msg, 0);
}

/* "GET ..." is HTTP and ends the connection; any other line is answered and leaves it open. */
static bool client(int fd)
{
	char data[4096], text[80], answer[128];
	struct sockaddr_storage from;
	socklen_t len = sizeof(from);
	ssize_t got = read(fd, data, sizeof(data));
	bool http;
	int n;

	if (got <= 0 || getpeername(fd, (struct sockaddr *)&from, &len) < 0)
		return false;
	http = got >= 4 && memcmp(data, "GET ", 4) == 0;
	n = describe(&from, text, sizeof(text));
	n = snprintf(answer, sizeof(answer), "%s%s", http ? "HTTP/1.0 200 OK\r\n\r\n" : "", text);
	return send(fd, answer, n, MSG_NOSIGNAL) == n && !http;
}

static void stop(int sig)
{
	(void)sig;
	_exit(0);
}

int main(int argc, char **argv)
{
	/* Process 1 of a container has no default handlers. */
	signal(SIGTERM, stop);
	signal(SIGINT, stop);
	for (int i = 1; i < argc; i++) {
		serve(atoi(argv[i]), LISTENER);
		serve(atoi(argv[i]), DATAGRAM);
	}
	for (;;) {
		if (poll(fds, n_fds, -1) < 0 && errno != EINTR)
			fail("poll");
		for (nfds_t i = n_fds; i-- > 0;) {
			if (!fds[i].revents)
				continue;
			if (kinds[i] == LISTENER) {
				int fd = accept(fds[i].fd, NULL, NULL);

				if (fd >= 0)
					add(fd, CLIENT);
			} else if (kinds[i] == DATAGRAM) {
				datagram(fds[i].fd);
			} else if (!client(fds[i].fd)) {
				close(fds[i].fd);
				n_fds--;
				fds[i] = fds[n_fds];
				kinds[i] = kinds[n_fds];
			}
		}
	}
}
