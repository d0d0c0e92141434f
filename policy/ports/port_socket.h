/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The socket that holds one host port: while it is open no other program gets that port, and what
 * the packet filter does not translate arrives here. Knows nothing of who asked for it. */
#pragma once

#include "../model/network.h"

/* port->host_port 0: the kernel chooses, and the number is filled in. *ret_fd is -1 for SCTP on a
 * kernel without it: nothing is held then, and that is no error.
 * Negative errno: -EADDRINUSE taken, -EADDRNOTAVAIL no address of this host, -EAFNOSUPPORT ... */
int port_socket_open(struct port *port, int *ret_fd);

/* "tcp", "udp", "sctp" */
const char *port_proto_name(uint8_t proto);
