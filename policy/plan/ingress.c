/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What may enter a network from elsewhere, and the note of which way its answers go back. Returns
 * what is fine: the sender's chain, if the sender is a network of ours, has its say after this one.
 */
#include "compile.h"

#include <netinet/in.h>

#include "chain.h"
#include "fw_expr.h"
#include "names.h"

static void fit_exits(const struct exits *via, struct fw_chain *to)
{
	for (size_t i = 0; i < via->n; i++)
		rule(to, "fits the exit", iifname(via->names[i]), clamp_mss());
}

/* On the first packet, before it is known whether it may come in: a note on a connection that is
 * refused is read by refusals.c only. The last note holds. */
static void note_way_back(const struct egress *egress, struct fw_chain *to)
{
	rule(to, "answers by the main table", set_ct_mark(MARK_RETURN));
	for (size_t i = 0; egress_is_confined(egress) && i < TUNNEL_KINDS; i++)
		rule(to, "answers to a tunnel", iifkind(tunnel_kinds[i]), set_ct_mark(MARK_TUNNEL));
	rule(to, "answers to the tailnet", iifname("tailscale*"), set_ct_mark(MARK_HOST));
	for (size_t i = 0; i < egress->via.n; i++)
		rule(to, "answers through the exit", iifname(egress->via.names[i]),
		     set_ct_mark(MARK_PATH(egress->path)));
}

static void without_translation(const struct network *net, enum family f, struct fw_chain *to)
{
	switch (net->mode[f]) {
	case GATEWAY_NAT:
	case GATEWAY_ISOLATED:
		break;
	case GATEWAY_NAT_UNPROTECTED:
		rule(to, "unprotected", family(f), return_());
		break;
	case GATEWAY_ROUTED:
		rule(to, "routed: ping", family(f),
		     l4proto(f == V4 ? IPPROTO_ICMP : IPPROTO_ICMPV6), return_());
		rule(to, "routed: published ports", family(f), in_set(f == V4 ? "open4" : "open6"),
		     return_());
		break;
	}
}

void compile_ingress(const struct scope *scope, struct plan *plan)
{
	const struct network *net = scope->net;
	struct fw_chain *to = chain_of(plan, "to", scope);

	rule(to, "between containers", iifname(net->bridge), return_());
	if (net->internal) {
		rule(to, "internal network", lost(scope, "internal"), drop());
		return;
	}
	fit_exits(&scope->egress->via, to);
	rule(to, "answers", ct_state(FW_CT_ESTABLISHED | FW_CT_RELATED), return_());
	note_way_back(scope->egress, to);
	if (scope->egress->lan == LAN_OFF)
		for (size_t i = 0; i < private_ranges.n; i++)
			rule(to, "not from private ranges", saddr(private_ranges.prefixes[i]),
			     lost(scope, "lan"), drop());
	rule(to, "published ports", ct_dnat(), return_());
	for (enum family f = V4; f < FAMILIES; f++)
		without_translation(net, f, to);
	rule(to, "not published", lost(scope, "unpublished"), drop());
}
