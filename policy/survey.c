/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See survey.h: what is said, and when it is looked for. */
#include "survey.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/log.h"
#include "base/mem.h"
#include "engine.h"
#include "kernel/sysctl.h"
#include "plan/names.h"

/* After a change, and between two looks. */
#define SOON_MS 1000

struct surveyor {
	struct policy *policy;
	struct loop_timer *timer;
	bool pending;
	struct sentences told;
};

void sentences_add(struct sentences *sentences, const char *format, ...)
{
	va_list args;
	char *text;
	int r;

	va_start(args, format);
	r = vasprintf(&text, format, args);
	va_end(args);
	mem_check(r < 0 ? NULL : text);
	sentences->texts =
		xreallocarray(sentences->texts, sentences->n + 1, sizeof(*sentences->texts));
	sentences->texts[sentences->n++] = text;
}

void sentences_done(struct sentences *sentences)
{
	for (size_t i = 0; i < sentences->n; i++)
		free(sentences->texts[i]);
	free(sentences->texts);
	*sentences = (struct sentences){ 0 };
}

static bool contains(const struct sentences *sentences, const char *text)
{
	for (size_t i = 0; i < sentences->n; i++)
		if (streq(sentences->texts[i], text))
			return true;
	return false;
}

static void tell_rule(const struct foreign_rule *rule, struct sentences *sentences)
{
	const char *ip = rule->family == V4 ? "ip" : "ip -6";
	AUTO(strbuf) struct strbuf text = { 0 };

	foreign_rule_print(rule, &text);
	sentences_add(sentences,
		      "routing rule \"%u: %s\" of IPv%d comes before the networks' own and takes "
		      "their packets elsewhere; what is confined is closed to them. Give it a "
		      "priority above %d: %s rule del pref %u, then %s rule add pref %d %s",
		      rule->pref, strbuf_text(&text), rule->family == V4 ? 4 : 6, PREF_END, ip,
		      rule->pref, ip, PREF_END + 200, strbuf_text(&text));
}

static void tell_route(const struct foreign_route *route, struct sentences *sentences)
{
	const char *ip = route->dst.addr.family == AF_INET ? "ip" : "ip -6";
	struct addr_text dst;

	prefix_print(&route->dst, &dst);
	sentences_add(
		sentences,
		"somebody put a route to %s into table %u, which is the networks' own. Remove "
		"it: %s route del %s table %u metric %u",
		dst.s, route->table, ip, dst.s, route->table, route->metric);
}

static void tell_chain(const struct foreign_chain *chain, struct sentences *sentences)
{
	if (chain->names_us)
		return;
	sentences_add(
		sentences,
		"nftables chain %s of table %s %s drops what is forwarded unless a rule of it "
		"accepts that, and none is about bridges of tailexit: containers may reach "
		"nobody outside. Allow it there: nft add rule %s %s %s iifname \"te-*\" "
		"accept, and the same with oifname; or let the program that made it (%s) "
		"allow forwarding",
		chain->chain, chain->family, chain->table, chain->family, chain->table,
		chain->chain, chain->table);
}

static void tell_flowtable(const struct foreign_flowtable *flowtable, struct sentences *sentences)
{
	sentences_add(sentences,
		      "nftables flowtable %s of table %s %s takes over established connections; "
		      "their packets pass no packet filter any more, and may keep a path that is "
		      "closed by now. Leave the networks out of it: iifname != \"te-*\" oifname "
		      "!= \"te-*\" in the rule with \"flow add @%s\"",
		      flowtable->name, flowtable->family, flowtable->table, flowtable->name);
}

static void tell_rp_filter(struct policy *policy, const char *link, struct sentences *sentences)
{
	int all = 0, own = 0;
	struct err ignored;
	char knob[64];

	snprintf(knob, sizeof(knob), "net/ipv4/conf/%s/rp_filter", link);
	if (sysctl_get(&policy->nl, "net/ipv4/conf/all/rp_filter", &all, &ignored) < 0 ||
	    sysctl_get(&policy->nl, knob, &own, &ignored) < 0)
		return;
	/* The larger one counts. The loose check (2) is content with any way back; this one wants
	 * it to be the link itself, which for a packet without a mark it is not. */
	if ((all > own ? all : own) != 1)
		return;
	sentences_add(sentences,
		      "rp_filter of %s is 1: the kernel drops what comes in there for containers "
		      "of networks that are not open. Let it be less strict: sysctl -w "
		      "net.ipv4.conf.%s.rp_filter=2",
		      link, link);
}

/* Do packets come in by the uplink for containers of a network with a fence? Those of an isolated
 * one are reached by nobody. */
static bool uses_uplink(const struct world *world)
{
	for (size_t m = 0; m < world->n; m++)
		if (world->members[m]->network.egress.policy == POLICY_BYPASS ||
		    world->members[m]->network.egress.policy == POLICY_KILLSWITCH)
			return true;
	return false;
}

static uint8_t last_path(const struct world *world)
{
	uint8_t last = 0;

	for (size_t m = 0; m < world->n; m++)
		if (world->members[m]->network.egress.path > last)
			last = world->members[m]->network.egress.path;
	return last;
}

void survey_host(struct policy *policy, struct sentences *sentences)
{
	const struct world *world = &policy->world;
	AUTO(survey) struct survey survey = { 0 };
	struct err err = { 0 };

	if (world->n == 0)
		return;
	if (survey_read(&policy->nl, last_path(world), &survey, &err) < 0) {
		sentences_add(sentences, "cannot look for what is in the way: %s", err.text);
		return;
	}
	for (size_t i = 0; i < survey.n_rules; i++)
		if (rule_is_in_our_way(&survey.rules[i], world))
			tell_rule(&survey.rules[i], sentences);
	for (size_t i = 0; i < survey.n_routes; i++)
		tell_route(&survey.routes[i], sentences);
	for (size_t i = 0; i < survey.n_chains; i++)
		tell_chain(&survey.chains[i], sentences);
	for (size_t i = 0; i < survey.n_flowtables; i++)
		tell_flowtable(&survey.flowtables[i], sentences);
	for (size_t i = 0; i < world->facts.n_exits; i++)
		tell_rp_filter(policy, world->facts.exits[i].name, sentences);
	for (size_t i = 0; uses_uplink(world) && i < survey.n_uplinks; i++)
		if (!facts_exit(&world->facts, survey.uplinks[i]))
			tell_rp_filter(policy, survey.uplinks[i], sentences);
}

static void on_timer(void *arg)
{
	struct surveyor *surveyor = arg;
	struct sentences found = { 0 };

	surveyor->pending = false;
	survey_host(surveyor->policy, &found);
	for (size_t i = 0; i < found.n; i++)
		if (!contains(&surveyor->told, found.texts[i]))
			log_warn("%s", found.texts[i]);
	sentences_done(&surveyor->told);
	surveyor->told = found;
}

struct surveyor *surveyor_new(struct policy *policy)
{
	struct surveyor *surveyor = xcalloc(1, sizeof(*surveyor));

	surveyor->policy = policy;
	surveyor->timer = loop_timer_new(policy->loop, on_timer, surveyor);
	return surveyor;
}

void surveyor_free(struct surveyor *surveyor)
{
	if (!surveyor)
		return;
	loop_timer_free(surveyor->timer);
	sentences_done(&surveyor->told);
	free(surveyor);
}

void surveyor_look_soon(struct surveyor *surveyor)
{
	if (surveyor->pending)
		return;
	surveyor->pending = true;
	loop_timer_arm(surveyor->timer, SOON_MS);
}
