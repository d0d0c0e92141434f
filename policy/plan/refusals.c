/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the host's kernel itself says about connections that go through an exit, or for an exit's
 * address: resets, and errors such as "unreachable" or "too big". It sends them where the host's
 * own routes lead, which may be the uplink: then who sees the uplink learns of the peer. So they
 * leave through the exit or not at all. The host's own conversations are not touched: what others
 * than an exit's peers asked of it may be refused as ever. */
#include "compile.h"

#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <stdio.h>

#include "chain.h"
#include "fw_expr.h"
#include "names.h"

#define CHAIN "refusal"
#define COUNTER "refusals"

static struct fw_element *add_element(struct plan *plan, const char *set)
{
	struct fw_element *e = &plan_add(plan, ITEM_FW_ELEMENT)->element;

	snprintf(e->set, sizeof(e->set), "%s", set);
	return e;
}

static void add_kind(struct plan *plan, uint8_t proto)
{
	struct fw_element *e = add_element(plan, "refusals");

	e->proto = proto;
	snprintf(e->jump, sizeof(e->jump), CHAIN);
}

static bool held_by_earlier(const struct facts *facts, size_t n, const struct addr *addr)
{
	for (size_t i = 0; i < n; i++)
		if (addrs_contain(facts->exits[i].addrs, facts->exits[i].n_addrs, addr) ||
		    addrs_contain(facts->exits[i].former, facts->exits[i].n_former, addr))
			return true;
	return false;
}

/* Answers to a container whose connection is forgotten may come in for an address that its exit has
 * no more: a host that forwards for everybody would send them on, by the uplink. While the host has
 * the address it is its own, and this route is not asked; see also drop_strays() in compile.c. */
static void add_backstop(struct plan *plan, const struct addr *addr)
{
	struct item_route *route = &plan_add(plan, ITEM_BACKSTOP)->route;

	route->dst = (struct prefix){ *addr, addr_len(addr) * 8 };
	route->table = TABLE_LOCAL;
	route->metric = METRIC_BACKSTOP;
	route->silent = true;
}

/* Two exits may have the same address: some providers give everybody the same one. */
static void add_address(struct plan *plan, const struct facts *facts, size_t n,
			const struct addr *addr)
{
	bool v4 = addr_family(addr) == V4;

	if (held_by_earlier(facts, n, addr))
		return;
	add_element(plan, v4 ? "exit4" : "exit6")->addr = *addr;
	add_element(plan, v4 ? "exit4_strays" : "exit6_strays")->addr = *addr;
	add_backstop(plan, addr);
}

static void add_exit(struct plan *plan, const struct facts *facts, size_t n)
{
	const struct exit_fact *exit = &facts->exits[n];
	struct fw_element *e = add_element(plan, "exits");

	memcpy(e->ifname, exit->name, sizeof(e->ifname));
	e = add_element(plan, "net_input");
	memcpy(e->ifname, exit->name, sizeof(e->ifname));
	snprintf(e->jump, sizeof(e->jump), "exit-input");
	for (size_t a = 0; a < exit->n_addrs; a++) {
		bool v4 = addr_family(&exit->addrs[a]) == V4;

		e = add_element(plan, v4 ? "exit4_own" : "exit6_own");
		memcpy(e->ifname, exit->name, sizeof(e->ifname));
		e->addr = exit->addrs[a];
		add_address(plan, facts, n, &exit->addrs[a]);
	}
	for (size_t a = 0; a < exit->n_former; a++)
		add_address(plan, facts, n, &exit->former[a]);
}

static struct fw_chain *add_chain(struct plan *plan, const char *name)
{
	struct fw_chain *chain = &plan_add(plan, ITEM_FW_CHAIN)->chain;

	snprintf(chain->name, sizeof(chain->name), "%s", name);
	return chain;
}

/* Of everything of these protocols that the host sends. */
static void let_pass_what_refuses_nothing(struct fw_chain *chain)
{
	rule(chain, "no reset", l4proto(IPPROTO_TCP), not(tcp_rst()), return_());
	rule(chain, "no error", l4proto(IPPROTO_ICMP), not(icmp_type(V4, ICMP_UNREACH)),
	     not(icmp_type(V4, ICMP_SOURCEQUENCH)), not(icmp_type(V4, ICMP_REDIRECT)),
	     not(icmp_type(V4, ICMP_TIMXCEED)), not(icmp_type(V4, ICMP_PARAMPROB)), return_());
	rule(chain, "no error", l4proto(IPPROTO_ICMPV6), not(icmp_type(V6, ICMP6_DST_UNREACH)),
	     not(icmp_type(V6, ICMP6_PACKET_TOO_BIG)), not(icmp_type(V6, ICMP6_TIME_EXCEEDED)),
	     not(icmp_type(V6, ICMP6_PARAM_PROB)), return_());
}

/* The connections of containers, by the notes of ingress.c and translate.c; and those of the host
 * that began through a tunnel, whatever its name is now. */
static void refuse_for_networks(struct fw_chain *chain)
{
	rule(chain, "to a container", in_set("networks"), return_());
	rule(chain, "to the host itself", oifname("lo"), return_());
	rule(chain, "of a network's connection", vmap("paths"));
	rule(chain, "to the tailnet, in its tunnel only", ct_mark(MARK_HOST),
	     not(oifname("tailscale*")), counter(COUNTER), drop());
	rule(chain, "to a tunnel, in a tunnel only", ct_mark(MARK_TUNNEL),
	     not(oifkind(tunnel_kinds[0])), not(oifkind(tunnel_kinds[1])), counter(COUNTER),
	     drop());
}

/* For what is left of a container that is gone, conntrack knows nothing or begins anew. Where it
 * knows nothing, the address has to tell. */
static void refuse_for_host(struct fw_chain *chain)
{
	rule(chain, "to who came by another way", not(ct_state(FW_CT_INVALID | FW_CT_UNTRACKED)),
	     not(ct_mark(MARK_EXIT)), return_());
	rule(chain, "through the exit that has the address", family(V4), in_set("exit4_own"),
	     return_());
	rule(chain, "through the exit that has the address", family(V6), in_set("exit6_own"),
	     return_());
	rule(chain, "around the exit that has the address", family(V4), in_set("exit4"),
	     counter(COUNTER), drop());
	rule(chain, "around the exit that has the address", family(V6), in_set("exit6"),
	     counter(COUNTER), drop());
	rule(chain, "around every exit", ct_mark(MARK_EXIT), not(in_set("exits")), counter(COUNTER),
	     drop());
}

void compile_exits(const struct facts *facts, struct plan *plan)
{
	size_t from = plan->n;
	struct fw_chain *chain;

	if (facts->n_exits == 0)
		return;
	for (size_t i = 0; i < facts->n_exits; i++)
		add_exit(plan, facts, i);
	add_kind(plan, IPPROTO_TCP);
	add_kind(plan, IPPROTO_ICMP);
	add_kind(plan, IPPROTO_ICMPV6);

	chain = add_chain(plan, "exit-input");
	rule(chain, "came through an exit", ct_state(FW_CT_NEW), set_ct_mark(MARK_EXIT));

	chain = add_chain(plan, "output");
	chain->hook = FW_OUTPUT;
	chain->priority = FILTER_PRIORITY;
	rule(chain, "what may refuse something", vmap("refusals"));

	chain = add_chain(plan, CHAIN);
	let_pass_what_refuses_nothing(chain);
	refuse_for_networks(chain);
	refuse_for_host(chain);
	declare_counters(plan, from);
}

/* Through any exit of the list: the path's next packet takes it as well. */
void compile_path_refusals(const struct egress *egress, struct plan *plan)
{
	char name[FW_NAME_SIZE];
	struct fw_element *e;
	struct fw_chain *chain;

	snprintf(name, sizeof(name), "path-%u", egress->path);
	e = add_element(plan, "paths");
	e->mark = MARK_PATH(egress->path);
	memcpy(e->jump, name, sizeof(e->jump));
	chain = add_chain(plan, name);
	for (size_t i = 0; i < egress->via.n; i++)
		rule(chain, "through the exit", oifname(egress->via.names[i]), accept_it());
	rule(chain, "around the exit", counter(COUNTER), drop());
}
