/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Published ports as map elements. A port whose container has no address of the host address's
 * family gets none: the listening socket that reserves it relays those. */
#include "compile.h"

#include <stdio.h>

static struct fw_element *add_element(struct plan *plan, const char *set, enum family f, bool any)
{
	struct fw_element *e = &plan_add(plan, ITEM_FW_ELEMENT)->element;

	snprintf(e->set, sizeof(e->set), "%s%c%s", set, f == V4 ? '4' : '6', any ? "_any" : "");
	return e;
}

static void compile_translated(const struct network *net, const struct port *port,
			       const struct addr *to, struct plan *plan)
{
	enum family f = addr_family(&port->host);
	bool any = addr_is_any(&port->host);
	struct fw_element *e;

	e = add_element(plan, "dnat", f, any);
	e->proto = port->proto;
	e->port = port->host_port;
	if (!any)
		e->addr = port->host;
	e->to_addr = *to;
	e->to_port = port->port;

	e = add_element(plan, "own", f, any);
	snprintf(e->ifname, sizeof(e->ifname), "%s", net->bridge);
	e->proto = port->proto;
	e->port = port->host_port;
	if (!any)
		e->addr = port->host;
}

static void compile_open(const struct port *port, const struct addr *to, struct plan *plan)
{
	struct fw_element *e = add_element(plan, "open", addr_family(to), false);

	e->proto = port->proto;
	e->addr = *to;
	e->port = port->port;
}

/* The same container port may be published several times. */
static bool seen_before(const struct endpoint *endpoint, size_t n)
{
	const struct port *port = &endpoint->ports[n];

	for (size_t i = 0; i < n; i++)
		if (endpoint->ports[i].proto == port->proto &&
		    endpoint->ports[i].port == port->port &&
		    endpoint->ports[i].host.family == port->host.family)
			return true;
	return false;
}

void compile_ports(const struct network *network, const struct endpoint *endpoint,
		   struct plan *plan)
{
	for (size_t i = 0; i < endpoint->n_ports; i++) {
		const struct port *port = &endpoint->ports[i];
		enum family f = addr_family(&port->host);
		const struct addr *to = &endpoint->addr[f].addr;

		/* Loopback is always relayed. */
		if (!addr_is_set(to) || addr_is_loopback(&port->host))
			continue;
		if (network->mode[f] != GATEWAY_ROUTED)
			compile_translated(network, port, to, plan);
		else if (!seen_before(endpoint, i))
			compile_open(port, to, plan);
	}
}
