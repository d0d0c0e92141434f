/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who may send what where: the file an auditor reads. The last word on every packet that leaves a
 * network, whatever the routing says; the receiver's chain (ingress.c) has been passed before. */
#include "compile.h"

#include <netinet/in.h>
#include <stdio.h>

#include "../base/mem.h"
#include "chain.h"
#include "fw_expr.h"
#include "names.h"

/* Ports of the bridge are isolated from each other when icc is off; this is for packets that are
 * routed, and for br_netfilter, which shows bridged packets here as well. */
static void between_containers(const struct scope *scope, struct fw_chain *from)
{
	const struct network *net = scope->net;

	if (scope->icc) {
		rule(from, "between containers", oifname(net->bridge), accept_it());
		return;
	}
	rule(from, "answers between containers", oifname(net->bridge),
	     ct_state(FW_CT_ESTABLISHED | FW_CT_RELATED), accept_it());
	rule(from, "not between containers", oifname(net->bridge), lost(scope, "icc"), drop());
}

static void not_to(const struct scope *scope, struct fw_chain *from, const struct prefix *ranges,
		   size_t n, const char *reason)
{
	for (size_t i = 0; i < n; i++)
		rule(from, "not allowed", daddr(ranges[i]), lost(scope, reason), reject());
}

/* Nearly every packet belongs to a connection that was let through when it began, as is noted on
 * it, and leaves by such an exit again: it needs no look into the sets. After what holds for every
 * packet, whoever let the connection begin: a daemon that tightens may be killed before it forgets.
 */
static void goes_on(const struct egress *egress, struct fw_chain *from)
{
	for (size_t i = 0; i < egress->via.n; i++)
		rule(from, "goes on through the exit", ct_state(FW_CT_ESTABLISHED),
		     ct_mark(MARK_PATH(egress->path)), oifname(egress->via.names[i]), accept_it());
}

/* Chosen by name, so that an exit that comes back is not let through as something else. */
static void through_exits(const struct egress *egress, struct fw_chain *from)
{
	for (size_t i = 0; i < egress->via.n; i++) {
		rule(from, "fits the exit", oifname(egress->via.names[i]), clamp_mss());
		rule(from, "through the exit", oifname(egress->via.names[i]), accept_it());
	}
}

static void to_lan_rule(const struct lan_rule *lan, struct fw_chain *from)
{
	if (lan->port == 0) {
		rule(from, "chosen range", daddr(lan->prefix), accept_it());
		return;
	}
	if (lan->proto != IPPROTO_UDP)
		rule(from, "chosen range", daddr(lan->prefix), l4proto(IPPROTO_TCP),
		     dport(lan->port), accept_it());
	if (lan->proto != IPPROTO_TCP)
		rule(from, "chosen range", daddr(lan->prefix), l4proto(IPPROTO_UDP),
		     dport(lan->port), accept_it());
}

static void to_lan(const struct egress *egress, struct fw_chain *from)
{
	if (egress->lan == LAN_ON)
		for (size_t i = 0; i < private_ranges.n; i++)
			rule(from, "private ranges", daddr(private_ranges.prefixes[i]),
			     accept_it());
	for (size_t i = 0; egress->lan == LAN_LIST && i < egress->n_lan_rules; i++)
		to_lan_rule(&egress->lan_rules[i], from);
}

static void killswitch(const struct scope *scope, struct fw_chain *from)
{
	static const struct prefix link_local = { { AF_INET, { 169, 254 } }, 16 };
	const struct egress *egress = scope->egress;

	not_to(scope, from, &link_local, 1, "linklocal");
	for (enum family f = V4; !egress->tailnet && f < FAMILIES; f++)
		not_to(scope, from, &tailnet[f], 1, "tailnet");
	for (enum family f = V4; egress->tailnet && f < FAMILIES; f++)
		rule(from, "the tailnet", daddr(tailnet[f]), oifname("tailscale*"), accept_it());
	goes_on(egress, from);
	/* A bridge of containers is no LAN, whatever its addresses: a proxy there is a way out. */
	rule(from, "not to other bridges", in_set("neighbours"), lost(scope, "bridges"), reject());
	rule(from, "not to other networks", in_set("networks"), lost(scope, "bridges"), reject());
	through_exits(egress, from);
	to_lan(egress, from);
	rule(from, "only through the exit", lost(scope, "exit"), reject());
}

/* For policies that reach everything unless told otherwise. */
static void limit_lan(const struct scope *scope, struct fw_chain *from)
{
	if (scope->egress->lan == LAN_ON)
		return;
	to_lan(scope->egress, from);
	not_to(scope, from, private_ranges.prefixes, private_ranges.n, "lan");
}

/* Before limit_lan(): the tailnet's IPv6 range is a private one. */
static void limit_tailnet(const struct scope *scope, struct fw_chain *from)
{
	for (enum family f = V4; f < FAMILIES; f++) {
		if (scope->egress->tailnet)
			rule(from, "the tailnet", daddr(tailnet[f]), accept_it());
		else
			not_to(scope, from, &tailnet[f], 1, "tailnet");
	}
}

static void other_bridges(const struct scope *scope, struct fw_chain *from)
{
	rule(from, "other bridges by published port only", ct_state(FW_CT_NEW), not(ct_dnat()),
	     in_set("neighbours"), lost(scope, "bridges"), drop());
}

static void bypass(const struct scope *scope, struct fw_chain *from)
{
	other_bridges(scope, from);
	limit_tailnet(scope, from);
	for (size_t i = 0; i < TUNNEL_KINDS; i++)
		rule(from, "never through a tunnel", oifkind(tunnel_kinds[i]),
		     lost(scope, "tunnel"), reject());
	limit_lan(scope, from);
}

static void open_(const struct scope *scope, struct fw_chain *from)
{
	other_bridges(scope, from);
	if (!scope->egress->tailnet || scope->egress->lan != LAN_ON)
		limit_tailnet(scope, from);
	limit_lan(scope, from);
}

/* What conntrack makes nothing of is not translated: it would leave with the container's own
 * address. Where addresses are not translated it may be half of a connection whose other half goes
 * elsewhere.
 */
static void not_untranslated(const struct scope *scope, struct fw_chain *from)
{
	const struct network *net = scope->net;
	struct fw_expr unknown = ct_state(FW_CT_INVALID | FW_CT_UNTRACKED);
	bool everywhere[FAMILIES];

	for (enum family f = V4; f < FAMILIES; f++)
		everywhere[f] = net->masquerade && net->mode[f] != GATEWAY_ROUTED;
	if (everywhere[V4] && everywhere[V6]) {
		rule(from, "cannot be translated", unknown, lost(scope, "invalid"), drop());
		return;
	}
	for (enum family f = V4; f < FAMILIES; f++) {
		if (everywhere[f])
			rule(from, "cannot be translated", family(f), unknown,
			     lost(scope, "invalid"), drop());
		for (size_t i = 0; !everywhere[f] && i < scope->egress->via.n; i++)
			rule(from, "cannot be translated", family(f), unknown,
			     oifname(scope->egress->via.names[i]), lost(scope, "invalid"), drop());
	}
}

/* For the others, see killswitch(). */
static void list_network(const struct network *net, struct plan *plan)
{
	struct fw_element *e = &plan_add(plan, ITEM_FW_ELEMENT)->element;

	snprintf(e->set, sizeof(e->set), "networks");
	snprintf(e->ifname, sizeof(e->ifname), "%s", net->bridge);
}

void compile_egress(const struct scope *scope, struct plan *plan)
{
	struct fw_chain *from;

	if (!scope->endpoint)
		list_network(scope->net, plan);
	from = chain_of(plan, "from", scope);
	between_containers(scope, from);
	if (scope->net->internal) {
		rule(from, "internal network", lost(scope, "internal"), drop());
		return;
	}
	permit_answers(scope->egress, from);
	not_untranslated(scope, from);
	if (scope->v6_off)
		rule(from, "no IPv6", family(V6), lost(scope, "ipv6"), reject());
	switch (scope->egress->policy) {
	case POLICY_OPEN:
		open_(scope, from);
		break;
	case POLICY_BYPASS:
		bypass(scope, from);
		break;
	case POLICY_KILLSWITCH:
		killswitch(scope, from);
		break;
	case POLICY_ISOLATED:
		rule(from, "isolated", lost(scope, "isolated"), reject());
		break;
	}
}

/* See drop_renamed() in compile.c. */
void compile_source(const struct scope *scope, const struct endpoint *endpoint, struct plan *plan)
{
	if (!scope->net->internal && !egress_is_confined(scope->egress))
		return;
	for (enum family f = V4; f < FAMILIES; f++) {
		struct fw_element *e;

		if (!addr_is_set(&endpoint->addr[f].addr))
			continue;
		e = &plan_add(plan, ITEM_FW_ELEMENT)->element;
		snprintf(e->set, sizeof(e->set), f == V4 ? "confined4" : "confined6");
		e->addr = endpoint->addr[f].addr;
	}
}
