/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What containers may ask of the host itself: a proxy or a resolver on it would be an exit. */
#include "compile.h"

#include <netinet/in.h>

#include "chain.h"
#include "fw_expr.h"
#include "names.h"

static void port_rule(struct fw_chain *input, const char *why, uint16_t port, struct fw_expr first,
		      struct fw_expr second)
{
	rule(input, why, l4proto(IPPROTO_TCP), dport(port), first, second);
	rule(input, why, l4proto(IPPROTO_UDP), dport(port), first, second);
}

/* Sockets of ours that relay to containers of the same network. */
static void own_ports(struct fw_chain *input)
{
	rule(input, "own published ports", family(V4), in_set("own4"), return_());
	rule(input, "own published ports", family(V4), in_set("own4_any"), return_());
	rule(input, "own published ports", family(V6), in_set("own6"), return_());
	rule(input, "own published ports", family(V6), in_set("own6_any"), return_());
}

static bool resolves_elsewhere(const struct egress *egress)
{
	return egress_is_confined(egress) && egress->dns != DNS_DOCKER;
}

void compile_hostside(const struct scope *scope, struct plan *plan)
{
	const struct egress *egress = scope->egress;
	bool everything = egress->host == HOST_ON && !resolves_elsewhere(egress);
	struct fw_chain *input;

	if (everything && !scope_needs_chain(scope))
		return;
	input = chain_of(plan, "input", scope);
	if (everything)
		return;
	rule(input, "answers", ct_state(FW_CT_ESTABLISHED | FW_CT_RELATED), return_());
	rule(input, "ping", l4proto(IPPROTO_ICMP), return_());
	rule(input, "ping, neighbour discovery", l4proto(IPPROTO_ICMPV6), return_());
	own_ports(input);
	for (size_t i = 0; egress->host == HOST_LIST && i < egress->n_host_ports; i++) {
		rule(input, "chosen port", l4proto(IPPROTO_TCP), dport(egress->host_ports[i]),
		     return_());
		rule(input, "chosen port", l4proto(IPPROTO_UDP), dport(egress->host_ports[i]),
		     return_());
	}
	if (resolves_elsewhere(egress)) {
		port_rule(input, "the host's resolver asks around the exit", 53, lost(scope, "dns"),
			  reject());
		port_rule(input, "the host's resolver asks around the exit", 853,
			  lost(scope, "dns"), reject());
	}
	if (egress->host != HOST_ON)
		rule(input, "not to the host", lost(scope, "host"), reject());
}
