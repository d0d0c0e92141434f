/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See publisher.h. */
#include "publisher.h"

#include <errno.h>
#include <netinet/in.h>

#include "../base/mem.h"
#include "port_socket.h"

bool port_overlaps(const struct port *a, const struct port *b)
{
	return a->proto == b->proto && a->host_port == b->host_port &&
	       a->host.family == b->host.family &&
	       (addr_is_any(&a->host) || addr_is_any(&b->host) || addr_equal(&a->host, &b->host));
}

/* The same family if the endpoint has it: then the source address tells more. */
static struct relay_target target_of(const struct publisher *publisher, const struct addr *host,
				     uint16_t port)
{
	enum family family = addr_family(host);

	if (!addr_is_set(&publisher->addr[family]))
		family = family == V4 ? V6 : V4;
	return (struct relay_target){ .addr = publisher->addr[family], .port = port };
}

static void held_free(struct held_port *held)
{
	if (held->tcp)
		tcp_listener_free(held->tcp);
	if (held->udp)
		udp_listener_free(held->udp);
	if (held->fd >= 0)
		close(held->fd);
	free(held);
}

/* Hands the socket to the relay for its protocol. */
static int serve(struct publisher *publisher, struct held_port *held, struct err *err)
{
	struct relay_target target = target_of(publisher, &held->port.host, held->port.port);

	if (held->port.proto == IPPROTO_TCP)
		held->tcp = tcp_listener_new(publisher->tcp, held->fd, &target, err);
	else if (held->port.proto == IPPROTO_UDP)
		held->udp = udp_listener_new(publisher->udp, held->fd, &target, err);
	else
		return 0; /* SCTP is held, never relayed */
	if (!held->tcp && !held->udp)
		return err->code;
	held->fd = -1;
	return 0;
}

static struct held_port *find(const struct publisher *publisher, const struct port *port)
{
	struct held_port *held = publisher->held;

	while (held &&
	       (held->port.proto != port->proto || held->port.host_port != port->host_port ||
		!addr_equal(&held->port.host, &port->host)))
		held = held->next;
	return held;
}

int publisher_claim(struct publisher *publisher, struct port *port, struct err *err)
{
	struct held_port *held = find(publisher, port);
	int r;

	if (held && held->claimed)
		return -EEXIST;
	if (held) {
		held->claimed = true;
		held->claimed_port = port->port;
		return 0;
	}
	held = xcalloc(1, sizeof(*held));
	held->port = *port;
	r = port_socket_open(&held->port, &held->fd);
	if (r < 0) {
		free(held);
		return r;
	}
	r = serve(publisher, held, err);
	if (r < 0) {
		held_free(held);
		return r;
	}
	held->claimed = held->fresh = true;
	held->claimed_port = port->port;
	held->next = publisher->held;
	publisher->held = held;
	port->host_port = held->port.host_port;
	return 0;
}

void publisher_unclaim(struct publisher *publisher, const struct port *port)
{
	struct held_port *held = find(publisher, port);
	struct held_port **link = &publisher->held;

	if (!held)
		return;
	held->claimed = false;
	if (!held->fresh)
		return;
	while (*link != held)
		link = &(*link)->next;
	*link = held->next;
	held_free(held);
}

const struct held_port *publisher_find(const struct publisher *publisher,
				       const struct port_request *request, const struct addr *host)
{
	for (const struct held_port *h = publisher->held; h; h = h->next) {
		const struct port *port = &h->port;

		if (h->claimed || port->proto != request->proto || port->port != request->port ||
		    !addr_equal(&port->host, host))
			continue;
		if (request->host_port == 0 || (port->host_port >= request->host_port &&
						port->host_port <= request->host_port_end))
			return h;
	}
	return NULL;
}

static void free_those(struct publisher *publisher, bool (*is_one)(const struct held_port *held))
{
	struct held_port **link = &publisher->held;

	while (*link) {
		struct held_port *held = *link;

		if (is_one(held)) {
			*link = held->next;
			held_free(held);
		} else {
			held->claimed = held->fresh = false;
			link = &held->next;
		}
	}
}

static bool is_unclaimed(const struct held_port *held)
{
	return !held->claimed;
}

static bool is_fresh(const struct held_port *held)
{
	return held->fresh;
}

void publisher_keep_claims(struct publisher *publisher)
{
	free_those(publisher, is_unclaimed);
	for (struct held_port *held = publisher->held; held; held = held->next) {
		struct relay_target target;

		held->port.port = held->claimed_port;
		target = target_of(publisher, &held->port.host, held->port.port);
		if (held->tcp)
			tcp_listener_set_target(held->tcp, &target);
		if (held->udp)
			udp_listener_set_target(held->udp, &target);
	}
}

void publisher_drop_claims(struct publisher *publisher)
{
	free_those(publisher, is_fresh);
}

void publisher_done(struct publisher *publisher)
{
	while (publisher->held) {
		struct held_port *held = publisher->held;

		publisher->held = held->next;
		held_free(held);
	}
}
