/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See claim.h. */
#include "claim.h"

#include <errno.h>
#include <netinet/in.h>

#include "port_socket.h"

/* A number free in one family may be taken in the other. */
#define EPHEMERAL_TRIES 10

static struct addr any_address(enum family family)
{
	return (struct addr){ .family = (uint8_t)family_to_af(family) };
}

/* Reachable at the endpoint's own address: nothing to translate, nothing to hold. */
static void give_routed(struct claim *claim, enum family family)
{
	if (!addr_is_set(&claim->publisher->addr[family]))
		return;
	claim->given[claim->n_given++] = (struct port){
		.proto = claim->request->proto,
		.port = claim->request->port,
		.host = any_address(family),
	};
}

static void add_host(struct claim *claim, const struct addr *host)
{
	enum family family = addr_family(host);

	if (claim->network->mode[family] == GATEWAY_ROUTED)
		give_routed(claim, family);
	else
		claim->hosts[claim->n_hosts++] = *host;
}

static void choose_hosts(struct claim *claim)
{
	const struct addr *defaults = claim->network->host_binding;

	if (addr_is_set(&claim->request->host)) {
		add_host(claim, &claim->request->host);
		return;
	}
	claim->v6_optional = !addr_is_set(&defaults[V4]) && !addr_is_set(&defaults[V6]);
	for (enum family f = V4; f < FAMILIES; f++) {
		struct addr any = any_address(f);

		if (claim->v6_optional)
			add_host(claim, &any);
		else if (addr_is_set(&defaults[f]))
			add_host(claim, &defaults[f]);
	}
}

static int check_request(const struct claim *claim, struct err *err)
{
	const struct port_request *request = claim->request;
	const struct addr *host = &request->host;
	struct addr_text text;

	if (request->proto != IPPROTO_TCP && request->proto != IPPROTO_UDP &&
	    request->proto != IPPROTO_SCTP)
		return err_set(err, -EINVAL,
			       "port %u: protocol %u cannot be published; tcp, udp and sctp can",
			       request->port, request->proto);
	if (request->port == 0)
		return err_set(err, -EINVAL, "port 0/%s cannot be published: it is no port",
			       port_proto_name(request->proto));
	if (!addr_is_set(&claim->publisher->addr[V4]) && !addr_is_set(&claim->publisher->addr[V6]))
		return err_set(err, -EINVAL,
			       "port %u/%s cannot be published: the endpoint has no address",
			       request->port, port_proto_name(request->proto));
	if (addr_is_set(host) && !addr_is_any(host) &&
	    claim->network->mode[addr_family(host)] == GATEWAY_ROUTED)
		return err_set(
			err, -EINVAL,
			"port %u/%s cannot be published on %s: the network's gateway mode is "
			"routed, so the port is reachable at the container's own address; "
			"leave the host address out",
			request->port, port_proto_name(request->proto), addr_print(host, &text));
	return 0;
}

const struct publisher *claim_overlap(const struct claim *claim, const struct port *port)
{
	for (const struct publisher *p = claim->publishers; p; p = p->next) {
		for (const struct held_port *held = p->held; held; held = held->next) {
			if (p == claim->publisher && !held->claimed)
				continue;
			if (port_overlaps(&held->port, port))
				return p;
		}
	}
	return NULL;
}

static int claim_one(struct claim *claim, struct port *port, struct err *err)
{
	/* A kernel without SCTP holds nothing for us: then our own list is all there is. */
	if (port->proto == IPPROTO_SCTP && port->host_port != 0) {
		const struct publisher *other = claim_overlap(claim, port);

		if (other)
			return other == claim->publisher ? -EEXIST : -EADDRINUSE;
	}
	return publisher_claim(claim->publisher, port, err);
}

/* The same number on every host address; 0: the kernel chooses it on the first. */
static int claim_number(struct claim *claim, uint16_t number, struct err *err)
{
	size_t kept = claim->n_given;

	for (size_t i = 0; i < claim->n_hosts; i++) {
		struct port port = {
			.proto = claim->request->proto,
			.port = claim->request->port,
			.host = claim->hosts[i],
			.host_port = number,
		};
		int r = claim_one(claim, &port, err);

		if (claim->v6_optional && port.host.family == AF_INET6 &&
		    (r == -EAFNOSUPPORT || r == -EADDRNOTAVAIL))
			continue;
		if (r < 0) {
			claim->refused = port;
			while (claim->n_given > kept)
				publisher_unclaim(claim->publisher,
						  &claim->given[--claim->n_given]);
			return r;
		}
		number = port.host_port;
		claim->given[claim->n_given++] = port;
	}
	return 0;
}

static bool is_taken(int r)
{
	return r == -EADDRINUSE || r == -EEXIST;
}

static int claim_range(struct claim *claim, struct err *err)
{
	int r = -EADDRINUSE;

	for (unsigned int n = claim->request->host_port;
	     is_taken(r) && n <= claim->request->host_port_end; n++)
		r = claim_number(claim, (uint16_t)n, err);
	return r == -EEXIST ? -EADDRINUSE : r;
}

static int claim_ephemeral(struct claim *claim, struct err *err)
{
	int r = -EADDRINUSE;

	for (int i = 0; is_taken(r) && i < EPHEMERAL_TRIES; i++)
		r = claim_number(claim, 0, err);
	return r;
}

int claim_request(struct claim *claim, struct err *err)
{
	const struct port_request *request = claim->request;
	const struct held_port *held;
	int r;

	r = check_request(claim, err);
	if (r < 0)
		return r;
	choose_hosts(claim);
	if (claim->n_hosts == 0)
		return 0;
	if (request->host_port != 0 && request->host_port_end <= request->host_port)
		return claim_number(claim, request->host_port, err);
	held = publisher_find(claim->publisher, request, &claim->hosts[0]);
	if (held && claim_number(claim, held->port.host_port, err) == 0)
		return 0;
	return request->host_port != 0 ? claim_range(claim, err) : claim_ephemeral(claim, err);
}
