/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Published ports: for each (protocol, host address, host port) one socket on the host, which holds
 * the number against every other program and relays what the packet filter cannot translate:
 * connections to 127.0.0.0/8 and ::1, IPv6 clients of an IPv4 container, and containers that ask
 * for a port their own network publishes. All else never gets here. */
#pragma once

#include <stddef.h>

#include "../base/err.h"
#include "../base/loop.h"
#include "../model/network.h"

struct ports;

/* Of the whole process. 0: the default. */
struct ports_limits {
	size_t tcp_connections; /* 4096; more are refused */
	size_t udp_sessions;    /* 1024; the one that rested longest makes room */
	uint64_t udp_idle_ms;   /* 90 s */
};

/* The process must ignore SIGPIPE. */
struct ports *ports_new(struct loop *loop, const struct ports_limits *limits, struct err *err);
void ports_free(struct ports *ports); /* closes everything; accepts NULL */

/* Replaces what the endpoint publishes by what is asked for; all or nothing. What it has already is
 * kept, connections included: asking again changes nothing and gives the same numbers.
 * *ret_ports (free() it) is in the order of the requests. A family the network routes instead of
 * translating needs no socket: its ports are given with host_port 0 and host 0.0.0.0 or ::. */
int ports_publish(struct ports *ports, const struct network *network,
		  const struct endpoint *endpoint, const struct port_request *requests, size_t n,
		  struct port **ret_ports, size_t *ret_n, struct err *err);

/* Holds exactly endpoint->ports, as far as they are to be had: after a restart, and to go back to
 * what was. Each one that is not is reported; returns how many. May be repeated. */
typedef void ports_failed_fn(void *arg, const struct port *port, const struct err *err);
size_t ports_reopen(struct ports *ports, const struct network *network,
		    const struct endpoint *endpoint, ports_failed_fn *failed, void *arg);

/* Closes the endpoint's ports and what is relayed through them. */
void ports_withdraw(struct ports *ports, const char *network_id, const char *endpoint_id);
