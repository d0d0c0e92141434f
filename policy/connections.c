/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which tracked connections are to be forgotten when something changes: one reading of the kernel's
 * table for all of them. */
#include <netinet/in.h>

#include "base/log.h"
#include "base/mem.h"
#include "engine.h"
#include "kernel/ct.h"

/* Failing leaves old connections to their old path's fate, which our rules decide on anyway. */
static void forget(struct policy *policy, const struct ct_match *matches, size_t n)
{
	struct err err = { 0 };

	if (n && ct_flush(&policy->nl, matches, n, &err) < 0)
		log_warn("forget connections: %s", err.text);
}

static size_t match_endpoint(const struct endpoint *endpoint, struct ct_match *matches)
{
	size_t n = 0;

	for (enum family f = V4; f < FAMILIES; f++)
		if (addr_is_set(&endpoint->addr[f].addr))
			matches[n++].addr = prefix_host(&endpoint->addr[f].addr);
	return n;
}

void connections_forget_endpoint(struct policy *policy, const struct endpoint *endpoint)
{
	struct ct_match matches[FAMILIES] = { 0 };

	forget(policy, matches, match_endpoint(endpoint, matches));
}

static size_t match_network(const struct network *net, struct ct_match *matches)
{
	size_t n = 0;

	for (enum family f = V4; f < FAMILIES; f++)
		if (prefix_is_set(&net->subnet[f]))
			matches[n++].addr = prefix_network(&net->subnet[f]);
	return n;
}

void connections_forget_network(struct policy *policy, const struct network *net)
{
	struct ct_match matches[FAMILIES] = { 0 };

	forget(policy, matches, match_network(net, matches));
}

static size_t count_matches(const struct world *world)
{
	size_t n = 0;

	for (size_t m = 0; m < world->n; m++)
		n += (1 + world->members[m]->n_exceptions) * FAMILIES;
	return n;
}

void connections_forget(struct policy *policy,
			bool (*which)(const struct egress *egress, const void *arg),
			const void *arg)
{
	AUTO_FREE struct ct_match *matches =
		xcalloc(count_matches(&policy->world) + 1, sizeof(*matches));
	size_t n = 0;

	for (size_t m = 0; m < policy->world.n; m++) {
		const struct member *member = policy->world.members[m];

		/* Without containers there are no connections. */
		if (member->n && which(&member->network.egress, arg))
			n += match_network(&member->network, matches + n);
		for (size_t e = 0; member->n_exceptions && e < member->n; e++)
			if (member->endpoints[e]->exception &&
			    which(&member->endpoints[e]->exception->egress, arg))
				n += match_endpoint(member->endpoints[e], matches + n);
	}
	forget(policy, matches, n);
}

static size_t count_endpoint_ports(const struct policy *policy)
{
	size_t n = 0;

	for (size_t m = 0; m < policy->world.n; m++)
		for (size_t e = 0; e < policy->world.members[m]->n; e++)
			n += policy->world.members[m]->endpoints[e]->n_ports;
	return n;
}

static size_t match_ports(const struct endpoint *endpoint, struct ct_match *matches)
{
	size_t n = 0;

	for (size_t i = 0; i < endpoint->n_ports; i++)
		if (endpoint->ports[i].host_port)
			matches[n++] = (struct ct_match){
				.addr = prefix_host(&endpoint->ports[i].host),
				.proto = endpoint->ports[i].proto,
				.port = endpoint->ports[i].host_port,
				.untranslated = true,
			};
	return n;
}

void connections_forget_untranslated(struct policy *policy)
{
	AUTO_FREE struct ct_match *matches = xcalloc(
		policy->world.n * FAMILIES + count_endpoint_ports(policy) + 1, sizeof(*matches));
	size_t n = 0;

	for (size_t m = 0; m < policy->world.n; m++) {
		const struct member *member = policy->world.members[m];
		const struct network *net = &member->network;

		for (size_t e = 0; e < member->n; e++)
			n += match_ports(member->endpoints[e], &matches[n]);
		for (enum family f = V4; member->n && net->masquerade && f < FAMILIES; f++)
			if (prefix_is_set(&net->subnet[f]))
				matches[n++] = (struct ct_match){
					.addr = prefix_network(&net->subnet[f]),
					.untranslated = true,
				};
	}
	forget(policy, matches, n);
}

void connections_forget_ports(struct policy *policy, const struct port *ports, size_t n_ports)
{
	AUTO_FREE struct ct_match *matches = xcalloc(n_ports + 1, sizeof(*matches));
	size_t n = 0;

	for (size_t i = 0; i < n_ports; i++) {
		if (ports[i].proto != IPPROTO_UDP || ports[i].host_port == 0)
			continue;
		matches[n++] = (struct ct_match){
			.addr = prefix_host(&ports[i].host),
			.proto = ports[i].proto,
			.port = ports[i].host_port,
		};
	}
	forget(policy, matches, n);
}
