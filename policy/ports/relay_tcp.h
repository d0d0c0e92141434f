/* SPDX-License-Identifier: GPL-2.0-or-later */
/* TCP connections which the packet filter cannot translate: accepted here, connected again from
 * here, and bytes moved between the two. The process must ignore SIGPIPE. */
#pragma once

#include "relay.h"

struct relay_tcp;
struct tcp_listener;

struct relay_tcp *relay_tcp_new(struct relay *relay, size_t max_connections);
void relay_tcp_free(struct relay_tcp *tcp); /* accepts NULL; after its listeners */

/* fd listens already; it belongs to the listener, unless NULL is returned. */
struct tcp_listener *tcp_listener_new(struct relay_tcp *tcp, int fd,
				      const struct relay_target *target, struct err *err);
/* For connections to come. */
void tcp_listener_set_target(struct tcp_listener *listener, const struct relay_target *target);
/* Closes the port, and resets every connection that came in through it. */
void tcp_listener_free(struct tcp_listener *listener);
