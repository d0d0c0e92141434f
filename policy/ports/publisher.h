/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The host ports of one endpoint, open and relayed. They are changed by claiming what is to be
 * held, then either keeping the claims or dropping them. */
#pragma once

#include "relay_tcp.h"
#include "relay_udp.h"

struct held_port {
	struct held_port *next;
	struct port port;
	int fd;                   /* -1: nothing holds the number, or a relay owns the socket */
	struct tcp_listener *tcp; /* NULL unless TCP */
	struct udp_listener *udp; /* NULL unless UDP */

	/* of the change under way */
	bool claimed;
	bool fresh;            /* not held before */
	uint16_t claimed_port; /* in the container */
};

struct publisher {
	struct publisher *next;
	char network[ID_SIZE];
	char endpoint[ID_SIZE];
	struct addr addr[FAMILIES]; /* of the endpoint; unset: none in this family */
	struct relay_tcp *tcp;
	struct relay_udp *udp;
	struct held_port *held; /* owned */
};

/* Holds port->host_port (0: one the kernel chooses, which is filled in), or claims it if held
 * already. -EADDRINUSE and others of port_socket_open(); -EEXIST: claimed twice. err only tells of
 * other things than these. */
int publisher_claim(struct publisher *publisher, struct port *port, struct err *err);
void publisher_unclaim(struct publisher *publisher, const struct port *port);

/* Of those not claimed, one this request (for this host address) would do with. NULL: none. */
const struct held_port *publisher_find(const struct publisher *publisher,
				       const struct port_request *request, const struct addr *host);

void publisher_keep_claims(struct publisher *publisher); /* closes everything else */
void publisher_drop_claims(struct publisher *publisher); /* as it was before */
void publisher_done(struct publisher *publisher);

/* Would the two be one port? */
bool port_overlaps(const struct port *a, const struct port *b);
