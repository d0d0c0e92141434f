/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The policy: who may send what where, one small chain per network and direction. The file an auditor
 * reads. A packet between two networks of ours meets the sender's chain first, then the receiver's:
 * the first may only return or drop, never accept, unless the packet stays in its network. */
#include "compile.h"

#include <netinet/in.h>
#include <stdio.h>

#include "fw_expr.h"
#include "names.h"

static struct fw_chain *network_chain(struct plan *plan, const char *direction, const char *map,
				      const struct network *net)
{
	struct fw_element *e = &plan_add(plan, ITEM_FW_ELEMENT)->element;
	struct fw_chain *chain;

	snprintf(e->set, sizeof(e->set), "%s", map);
	snprintf(e->ifname, sizeof(e->ifname), "%s", net->bridge);
	snprintf(e->jump, sizeof(e->jump), "%s-%s", direction, net->bridge);
	chain = &plan_add(plan, ITEM_FW_CHAIN)->chain;
	snprintf(chain->name, sizeof(chain->name), "%s-%s", direction, net->bridge);
	return chain;
}

static void compile_from(const struct network *net, struct plan *plan)
{
	struct fw_chain *from = network_chain(plan, "from", "net_from", net);

	/* Ports of the bridge are isolated from each other when icc is off; this is for packets that
	 * are routed, and for br_netfilter, which shows bridged packets here as well. */
	if (net->icc) {
		rule(from, "between containers", oifname(net->bridge), accept_it());
	} else {
		rule(from, "answers between containers", oifname(net->bridge),
		     ct_state(FW_CT_ESTABLISHED | FW_CT_RELATED), accept_it());
		rule(from, "not between containers", oifname(net->bridge), counter(), drop());
	}
	if (net->internal)
		rule(from, "internal network", counter(), drop());
	rule(from, "other bridges by published port only", in_set("neighbours"),
	     ct_state(FW_CT_NEW), not(ct_dnat()), counter(), drop());
}

static void compile_to(const struct network *net, struct plan *plan)
{
	struct fw_chain *to = network_chain(plan, "to", "net_to", net);

	if (net->internal) {
		rule(to, "internal network", counter(), drop());
		return;
	}
	rule(to, "answers", ct_state(FW_CT_ESTABLISHED | FW_CT_RELATED), accept_it());
	rule(to, "published ports", ct_dnat(), accept_it());
	for (enum family f = V4; f < FAMILIES; f++) {
		if (net->mode[f] == GATEWAY_NAT_UNPROTECTED) {
			rule(to, "unprotected", family(f), accept_it());
		} else if (net->mode[f] == GATEWAY_ROUTED) {
			rule(to, "routed: ping", family(f),
			     l4proto(f == V4 ? IPPROTO_ICMP : IPPROTO_ICMPV6), accept_it());
			rule(to, "routed: published ports", family(f),
			     in_set(f == V4 ? "open4" : "open6"), accept_it());
		}
	}
	rule(to, "not published", counter(), drop());
}

/* Masquerading applies to what the containers send to others, in the families that are NATed. */
static void compile_post(const struct network *net, struct plan *plan)
{
	struct fw_chain *post;

	if (!net->masquerade || net->internal)
		return;
	post = network_chain(plan, "post", "net_post", net);
	rule(post, "inside the network", oifname(net->bridge), return_());
	for (enum family f = V4; f < FAMILIES; f++) {
		if (net->mode[f] == GATEWAY_ROUTED || !prefix_is_set(&net->subnet[f]))
			continue;
		if (addr_is_set(&net->snat[f]))
			rule(post, "the chosen address", saddr(prefix_network(&net->subnet[f])),
			     snat(net->snat[f]));
		else
			rule(post, "the exit's address", saddr(prefix_network(&net->subnet[f])),
			     masquerade());
	}
}

void compile_filter(const struct network *network, struct plan *plan)
{
	compile_from(network, plan);
	compile_to(network, plan);
	compile_post(network, plan);
}
