/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whose address a container's packets carry outside, and where its questions for names go. These
 * chains see the first packet of a connection only: the place for notes that cost nothing later. */
#include "compile.h"

#include <netinet/in.h>

#include "chain.h"
#include "fw_expr.h"
#include "names.h"

static void source(const struct scope *scope, enum family f, struct fw_chain *post)
{
	const struct network *net = scope->net;
	const struct exits *via = &scope->egress->via;
	struct prefix subnet = prefix_network(&net->subnet[f]);

	/* An exit takes only packets from its own address, whatever the network prefers elsewhere.
	 */
	for (size_t i = 0; i < via->n; i++)
		rule(post, "the exit's address", oifname(via->names[i]), saddr(subnet),
		     set_ct_mark(MARK_PATH(scope->egress->path)), masquerade());
	if (!net->masquerade || net->mode[f] == GATEWAY_ROUTED)
		return;
	if (addr_is_set(&net->snat[f]))
		rule(post, "the chosen address", saddr(subnet), snat(net->snat[f]));
	else
		rule(post, "the outgoing link's address", saddr(subnet), masquerade());
}

/* A container without a default route can answer nobody but its neighbours: who comes in from
 * elsewhere becomes one of them. */
static void as_gateway(const struct scope *scope, struct plan *plan)
{
	const struct network *net = scope->net;
	bool isolated = scope->egress->policy == POLICY_ISOLATED && !net->internal;
	struct fw_chain *into;

	if (!isolated && !scope_needs_chain(scope))
		return;
	into = chain_of(plan, "into", scope);
	for (enum family f = V4; isolated && f < FAMILIES; f++)
		if (prefix_is_set(&net->subnet[f]) && addr_is_set(&net->gateway[f]))
			rule(into, "as the gateway, which can be answered",
			     not(saddr(prefix_network(&net->subnet[f]))), snat(net->gateway[f]));
}

static bool translates_source(const struct scope *scope)
{
	return !scope->net->internal && (scope->net->masquerade || scope->egress->via.n);
}

/* dns=ADDRESS: every question goes to the first server of its family, whatever was asked. */
static void redirect_names(const struct scope *scope, struct plan *plan)
{
	const struct egress *egress = scope->egress;
	struct fw_chain *dns;
	bool done[FAMILIES] = { false };

	if (egress->dns != DNS_LIST && !scope_needs_chain(scope))
		return;
	dns = chain_of(plan, "dns", scope);
	for (size_t i = 0; egress->dns == DNS_LIST && i < egress->n_dns_servers; i++) {
		const struct addr *server = &egress->dns_servers[i];
		enum family f = addr_family(server);

		if (done[f])
			continue;
		done[f] = true;
		rule(dns, "names", family(f), l4proto(IPPROTO_UDP), dport(53), dnat(*server));
		rule(dns, "names", family(f), l4proto(IPPROTO_TCP), dport(53), dnat(*server));
	}
}

void compile_translation(const struct scope *scope, struct plan *plan)
{
	const struct network *net = scope->net;
	struct fw_chain *post;

	redirect_names(scope, plan);
	as_gateway(scope, plan);
	if (!translates_source(scope) && !scope_needs_chain(scope))
		return;
	post = chain_of(plan, "post", scope);
	if (!translates_source(scope))
		return;
	rule(post, "inside the network", oifname(net->bridge), return_());
	for (enum family f = V4; f < FAMILIES; f++)
		if (prefix_is_set(&net->subnet[f]))
			source(scope, f, post);
}
