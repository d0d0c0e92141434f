/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See ports.h. Who publishes what; all or nothing. */
#include "ports.h"

#include <errno.h>
#include <signal.h>

#include "../base/mem.h"
#include "refusal.h"

#define TCP_CONNECTIONS 4096
#define UDP_SESSIONS 1024
#define UDP_IDLE_MS 90000

struct ports {
	struct relay *relay;
	struct relay_tcp *tcp;
	struct relay_udp *udp;
	struct publisher *publishers; /* owned; each holds at least one port */
};

struct port_list {
	struct port *ports; /* owned */
	size_t n;
	size_t size;
};

/* splice() knows no MSG_NOSIGNAL: one client that goes at the wrong moment would end the process.
 */
static bool sigpipe_is_ignored(void)
{
	struct sigaction action;

	return sigaction(SIGPIPE, NULL, &action) == 0 && action.sa_handler != SIG_DFL;
}

struct ports *ports_new(struct loop *loop, const struct ports_limits *limits, struct err *err)
{
	static const struct ports_limits defaults = { 0 };
	struct ports *ports;

	if (!sigpipe_is_ignored()) {
		(void)err_set(err, -EINVAL, "ports cannot be published: SIGPIPE is not ignored");
		return NULL;
	}
	if (!limits)
		limits = &defaults;
	ports = xcalloc(1, sizeof(*ports));
	ports->relay = relay_new(loop, err);
	if (!ports->relay) {
		free(ports);
		return NULL;
	}
	ports->tcp = relay_tcp_new(ports->relay, limits->tcp_connections ?: TCP_CONNECTIONS);
	ports->udp = relay_udp_new(ports->relay, limits->udp_sessions ?: UDP_SESSIONS,
				   limits->udp_idle_ms ?: UDP_IDLE_MS);
	return ports;
}

void ports_free(struct ports *ports)
{
	if (!ports)
		return;
	while (ports->publishers) {
		struct publisher *publisher = ports->publishers;

		ports->publishers = publisher->next;
		publisher_done(publisher);
		free(publisher);
	}
	relay_tcp_free(ports->tcp);
	relay_udp_free(ports->udp);
	relay_free(ports->relay);
	free(ports);
}

static void port_list_add(struct port_list *list, const struct port *port)
{
	if (list->n == list->size) {
		list->size = list->size ? 2 * list->size : 4;
		list->ports = xreallocarray(list->ports, list->size, sizeof(*list->ports));
	}
	list->ports[list->n++] = *port;
}

static void port_list_done(struct port_list *list)
{
	free(list->ports);
}

/* The place that points to it; holds NULL when there is none. */
static struct publisher **find_publisher(struct ports *ports, const char *network_id,
					 const char *endpoint_id)
{
	struct publisher **place = &ports->publishers;

	while (*place &&
	       (!streq((*place)->endpoint, endpoint_id) || !streq((*place)->network, network_id)))
		place = &(*place)->next;
	return place;
}

static struct publisher *get_publisher(struct ports *ports, const struct network *network,
				       const struct endpoint *endpoint)
{
	struct publisher *publisher = *find_publisher(ports, network->id, endpoint->id);

	if (!publisher) {
		publisher = xcalloc(1, sizeof(*publisher));
		memcpy(publisher->network, network->id, sizeof(publisher->network));
		memcpy(publisher->endpoint, endpoint->id, sizeof(publisher->endpoint));
		publisher->tcp = ports->tcp;
		publisher->udp = ports->udp;
		publisher->next = ports->publishers;
		ports->publishers = publisher;
	}
	for (enum family f = V4; f < FAMILIES; f++)
		publisher->addr[f] = endpoint->addr[f].addr;
	return publisher;
}

static void forget_if_empty(struct ports *ports, struct publisher *publisher)
{
	struct publisher **place;

	if (publisher->held)
		return;
	place = find_publisher(ports, publisher->network, publisher->endpoint);
	*place = publisher->next;
	free(publisher);
}

static int publish_one(struct ports *ports, struct publisher *publisher,
		       const struct network *network, const struct port_request *request,
		       struct port_list *list, struct err *err)
{
	struct claim claim = {
		.publishers = ports->publishers,
		.publisher = publisher,
		.network = network,
		.request = request,
	};
	int r;

	r = claim_request(&claim, err);
	if (r < 0)
		return refusal_set(err, r, &claim);
	for (size_t i = 0; i < claim.n_given; i++)
		port_list_add(list, &claim.given[i]);
	return 0;
}

int ports_publish(struct ports *ports, const struct network *network,
		  const struct endpoint *endpoint, const struct port_request *requests, size_t n,
		  struct port **ret_ports, size_t *ret_n, struct err *err)
{
	struct publisher *publisher = get_publisher(ports, network, endpoint);
	AUTO(port_list) struct port_list list = { 0 };
	int r = 0;

	err->code = 0;
	for (size_t i = 0; r == 0 && i < n; i++)
		r = publish_one(ports, publisher, network, &requests[i], &list, err);
	if (r == 0)
		publisher_keep_claims(publisher);
	else
		publisher_drop_claims(publisher);
	forget_if_empty(ports, publisher);
	if (r < 0)
		return r;
	*ret_n = list.n;
	*ret_ports = steal_ptr(list.ports);
	return 0;
}

size_t ports_reopen(struct ports *ports, const struct network *network,
		    const struct endpoint *endpoint, ports_failed_fn *failed, void *arg)
{
	struct publisher *publisher = get_publisher(ports, network, endpoint);
	size_t n_failed = 0;

	for (size_t i = 0; i < endpoint->n_ports; i++) {
		const struct port *port = &endpoint->ports[i];
		AUTO(port_list) struct port_list list = { 0 };
		struct err err = { 0 };
		struct port_request request = {
			.proto = port->proto,
			.port = port->port,
			.host = port->host,
			.host_port = port->host_port,
			.host_port_end = port->host_port,
		};

		if (port->host_port == 0)
			continue; /* routed: there is no socket */
		if (publish_one(ports, publisher, network, &request, &list, &err) == 0)
			continue;
		n_failed++;
		failed(arg, port, &err);
	}
	publisher_keep_claims(publisher);
	forget_if_empty(ports, publisher);
	return n_failed;
}

void ports_withdraw(struct ports *ports, const char *network_id, const char *endpoint_id)
{
	struct publisher **place = find_publisher(ports, network_id, endpoint_id);
	struct publisher *publisher = *place;

	if (!publisher)
		return;
	*place = publisher->next;
	publisher_done(publisher);
	free(publisher);
}
