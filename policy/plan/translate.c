/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whose address a container's packets carry outside, and where its questions for names go. */
#include "compile.h"

#include <netinet/in.h>

#include "chain.h"
#include "fw_expr.h"
#include "names.h"

static void source(const struct network *net, enum family f, struct fw_chain *post)
{
	struct prefix subnet = prefix_network(&net->subnet[f]);

	/* An exit takes only packets from its own address, whatever the network prefers elsewhere.
	 */
	for (size_t i = 0; i < net->egress.via.n; i++)
		rule(post, "the exit's address", oifname(net->egress.via.names[i]), saddr(subnet),
		     masquerade());
	if (!net->masquerade || net->mode[f] == GATEWAY_ROUTED)
		return;
	if (addr_is_set(&net->snat[f]))
		rule(post, "the chosen address", saddr(subnet), snat(net->snat[f]));
	else
		rule(post, "the outgoing link's address", saddr(subnet), masquerade());
}

/* A container without a default route can answer nobody but its neighbours: who comes in from
 * elsewhere becomes one of them. */
static void as_gateway(const struct network *net, struct plan *plan)
{
	struct fw_chain *into;

	if (net->egress.policy != POLICY_ISOLATED || net->internal)
		return;
	into = chain_of_network(plan, "into", "net_into", net);
	for (enum family f = V4; f < FAMILIES; f++)
		if (prefix_is_set(&net->subnet[f]) && addr_is_set(&net->gateway[f]))
			rule(into, "as the gateway, which can be answered",
			     not(saddr(prefix_network(&net->subnet[f]))), snat(net->gateway[f]));
}

static bool translates_source(const struct network *net)
{
	return !net->internal && (net->masquerade || net->egress.via.n);
}

/* dns=ADDRESS: every question goes to the first server of its family, whatever was asked. */
static void redirect_names(const struct network *net, struct plan *plan)
{
	const struct egress *egress = &net->egress;
	struct fw_chain *dns;
	bool done[FAMILIES] = { false };

	if (egress->dns != DNS_LIST)
		return;
	dns = chain_of_network(plan, "dns", "net_dns", net);
	for (size_t i = 0; i < egress->n_dns_servers; i++) {
		const struct addr *server = &egress->dns_servers[i];
		enum family f = addr_family(server);

		if (done[f])
			continue;
		done[f] = true;
		rule(dns, "names", family(f), l4proto(IPPROTO_UDP), dport(53), dnat(*server));
		rule(dns, "names", family(f), l4proto(IPPROTO_TCP), dport(53), dnat(*server));
	}
}

void compile_translation(const struct network *net, struct plan *plan)
{
	struct fw_chain *post;

	redirect_names(net, plan);
	as_gateway(net, plan);
	if (!translates_source(net))
		return;
	post = chain_of_network(plan, "post", "net_post", net);
	rule(post, "inside the network", oifname(net->bridge), return_());
	for (enum family f = V4; f < FAMILIES; f++)
		if (prefix_is_set(&net->subnet[f]))
			source(net, f, post);
}
