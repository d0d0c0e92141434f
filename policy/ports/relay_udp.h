/* SPDX-License-Identifier: GPL-2.0-or-later */
/* UDP that the packet filter cannot translate. Each client gets a session: a socket of its own
 * towards the container, so that answers find back. Sessions end when they rest or when others need
 * the room. */
#pragma once

#include "relay.h"

struct relay_udp;
struct udp_listener;

struct relay_udp *relay_udp_new(struct relay *relay, size_t max_sessions, uint64_t idle_ms);
void relay_udp_free(struct relay_udp *udp); /* accepts NULL; after its listeners */

/* fd is bound and tells the address that was asked (IP_PKTINFO); it belongs to the listener, unless
 * NULL is returned. */
struct udp_listener *udp_listener_new(struct relay_udp *udp, int fd,
				      const struct relay_target *target, struct err *err);
/* Ends the sessions with another target. */
void udp_listener_set_target(struct udp_listener *listener, const struct relay_target *target);
/* Closes the port and ends its sessions. */
void udp_listener_free(struct udp_listener *listener);
