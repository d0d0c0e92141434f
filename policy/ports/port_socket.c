/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See port_socket.h. */
#include "port_socket.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "socket_addr.h"

const char *port_proto_name(uint8_t proto)
{
	switch (proto) {
	case IPPROTO_TCP:
		return "tcp";
	case IPPROTO_UDP:
		return "udp";
	case IPPROTO_SCTP:
		return "sctp";
	default:
		return "unknown";
	}
}

static int socket_type(uint8_t proto)
{
	return proto == IPPROTO_UDP ? SOCK_DGRAM : SOCK_STREAM;
}

static int set_flag(int fd, int level, int option)
{
	int on = 1;

	return setsockopt(fd, level, option, &on, sizeof(on)) < 0 ? -errno : 0;
}

static int set_options(int fd, const struct port *port)
{
	bool v6 = port->host.family == AF_INET6;
	int r = 0;

	/* One socket per family, always: otherwise [::] would also take the IPv4 port. */
	if (v6)
		r = set_flag(fd, IPPROTO_IPV6, IPV6_V6ONLY);
	/* Lets us past old connections in TIME_WAIT; two listeners conflict all the same. For UDP
	 * it would mean sharing the port. */
	if (r == 0 && port->proto == IPPROTO_TCP)
		r = set_flag(fd, SOL_SOCKET, SO_REUSEADDR);
	/* Answers have to come from the address that was asked. */
	if (r == 0 && port->proto == IPPROTO_UDP)
		r = v6 ? set_flag(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO)
		       : set_flag(fd, IPPROTO_IP, IP_PKTINFO);
	return r;
}

static int bind_to(int fd, struct port *port)
{
	union socket_addr name;
	socklen_t len = socket_addr_set(&name, &port->host, port->host_port);
	struct addr ignored;

	if (bind(fd, &name.any, len) < 0)
		return -errno;
	/* An SCTP socket only holds the port: nothing here could relay what would be accepted. */
	if (port->proto == IPPROTO_TCP && listen(fd, SOMAXCONN) < 0)
		return -errno;
	len = sizeof(name);
	if (getsockname(fd, &name.any, &len) < 0)
		return -errno;
	socket_addr_get(&name, &ignored, &port->host_port);
	return 0;
}

/* Without SCTP in the kernel its ports cannot be held, but one still has to be chosen. */
static int borrow_number(struct port *port)
{
	struct port udp = { .proto = IPPROTO_UDP, .host = port->host };
	int fd;
	int r;

	if (port->host_port != 0)
		return 0;
	r = port_socket_open(&udp, &fd);
	if (r < 0)
		return r;
	close(fd);
	port->host_port = udp.host_port;
	return 0;
}

int port_socket_open(struct port *port, int *ret_fd)
{
	int type = socket_type(port->proto) | SOCK_CLOEXEC | SOCK_NONBLOCK;
	int fd;
	int r;

	fd = socket(port->host.family, type, port->proto);
	if (fd < 0 && port->proto == IPPROTO_SCTP &&
	    (errno == EPROTONOSUPPORT || errno == ESOCKTNOSUPPORT)) {
		*ret_fd = -1;
		return borrow_number(port);
	}
	if (fd < 0)
		return -errno;
	r = set_options(fd, port);
	if (r == 0)
		r = bind_to(fd, port);
	if (r < 0) {
		close(fd);
		return r;
	}
	*ret_fd = fd;
	return 0;
}
