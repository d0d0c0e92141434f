/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What people want to know of each network: is it open or closed, why, and what did it lose? */
#include <errno.h>
#include <stdio.h>

#include "base/mem.h"
#include "engine.h"
#include "kernel/nft_counters.h"
#include "plan/compile.h"
#include "plan/names.h"

/* The counter of a reason may be in both tables. */
static size_t add_loss(struct policy_loss *losses, size_t n, const char *reason, uint64_t packets)
{
	for (size_t i = 0; i < n; i++) {
		if (streq(losses[i].reason, reason)) {
			losses[i].packets += packets;
			return n;
		}
	}
	losses[n] = (struct policy_loss){ reason, packets };
	return n + 1;
}

/* Counters are called OWNER-REASON. */
static size_t find_losses(const struct nft_counters *counters, const char *owner,
			  struct policy_loss *losses, size_t max)
{
	size_t len = strlen(owner), n = 0;

	for (size_t i = 0; n < max && i < counters->n; i++) {
		const struct nft_counter *counter = &counters->items[i];
		const char *reason = counter->name + len + 1;

		if (strncmp(counter->name, owner, len) != 0 || counter->name[len] != '-')
			continue;
		/* Another bridge's name may begin with this one's. */
		if (!strchr(reason, '-'))
			n = add_loss(losses, n, reason, counter->packets);
	}
	return n;
}

static void explain(const struct policy *policy, struct policy_status *status)
{
	const struct egress *egress = status->egress;
	const struct exit_fact *exit;

	status->open = true;
	switch (egress->policy) {
	case POLICY_OPEN:
		status->why = "goes where the host's own routes lead";
		break;
	case POLICY_BYPASS:
		status->why = "goes by the uplink, never through a tunnel";
		break;
	case POLICY_ISOLATED:
		status->open = false;
		status->why = "isolated: nothing leaves";
		break;
	case POLICY_KILLSWITCH:
		exit = path_choose(egress, &policy->world.facts);
		status->open = exit != NULL;
		status->exit = exit ? exit->name : NULL;
		if (!exit)
			exit = facts_exit(&policy->world.facts, egress->via.names[0]);
		status->since = exit ? exit->since : 0;
		status->why = !status->open ? "no exit is up and has an address"
			      : exit->usable[V4] && exit->usable[V6] ? "goes through the exit"
			      : exit->usable[V4]
				      ? "goes through the exit, which has no IPv6: that is closed"
				      : "goes through the exit, which has no IPv4: that is closed";
		break;
	}
	if (status->network->internal) {
		status->open = false;
		status->why = "internal: nothing leaves or enters";
	}
}

static void warn(struct strbuf *warning, const char *sentence)
{
	if (*sentence)
		strbuf_addf(warning, "%s%s", warning->len ? "; " : "", sentence);
}

/* What was said of it later comes first. */
static void collect_warnings(const struct member *member, const struct policy_status *status,
			     struct strbuf *warning)
{
	const struct endpoint *endpoint = status->endpoint;

	if (!endpoint)
		warn(warning, member->network.remark);
	else if (endpoint->remark)
		warn(warning, endpoint->remark);
	if (endpoint && endpoint_leaks_names(member, endpoint))
		warn(warning,
		     "names are resolved from the host, around the exit, since the container was "
		     "created without --dns; create it again with --dns ADDRESS");
	if (status->egress->dns == DNS_DOCKER && egress_is_confined(status->egress))
		warn(warning, "dns=docker: names may be resolved from the host, around the exit");
}

struct report {
	const struct policy *policy;
	struct nft_counters counters;
	policy_status_fn *fn;
	void *arg;
};

static void report(const struct report *report, const struct member *member,
		   struct policy_status *status, const char *owner)
{
	AUTO(strbuf) struct strbuf warning = { 0 };
	struct policy_loss losses[16];

	status->losses = losses;
	status->n_losses = find_losses(&report->counters, owner, losses, ARRAY_SIZE(losses));
	explain(report->policy, status);
	collect_warnings(member, status, &warning);
	status->warning = warning.text;
	report->fn(report->arg, status);
}

static void report_endpoint(const struct report *job, const struct member *member,
			    const struct endpoint *endpoint)
{
	struct policy_status status = {
		.network = &member->network,
		.endpoint = endpoint,
		.egress = endpoint_egress(member, endpoint),
		.endpoints = 1,
	};
	char owner[13];

	snprintf(owner, sizeof(owner), "%.12s", endpoint->id);
	report(job, member, &status, owner);
}

/* The others are as their network says. */
static bool is_of_note(const struct member *member, const struct endpoint *endpoint)
{
	return endpoint->exception || endpoint->remark || endpoint_leaks_names(member, endpoint);
}

static void report_member(const struct report *job, const struct member *member)
{
	struct policy_status status = {
		.network = &member->network,
		.egress = &member->network.egress,
		.endpoints = member->n,
	};

	report(job, member, &status, member->network.bridge);
	for (size_t e = 0; e < member->n; e++)
		if (is_of_note(member, member->endpoints[e]))
			report_endpoint(job, member, member->endpoints[e]);
}

int policy_each_status(struct policy *policy, policy_status_fn *fn, void *arg, struct err *err)
{
	struct report job = { .policy = policy, .fn = fn, .arg = arg };
	int r = nft_counters_read(&policy->nl, &job.counters, err);

	for (size_t i = 0; r == 0 && i < policy->world.n; i++)
		report_member(&job, policy->world.members[i]);
	nft_counters_done(&job.counters);
	return r;
}
void policy_host_status(struct policy *policy, policy_host_status_fn *fn, void *arg)
{
	static const char *const parts[PARTS] = {
		[PART_FIREWALL] = "firewall",
		[PART_RULES] = "rules",
		[PART_ROUTES] = "routes",
		[PART_LINKS] = "links",
	};
	AUTO(sentences) struct sentences warnings = { 0 };
	struct policy_repairs repairs[PARTS];
	struct policy_host_status status = { .repairs = repairs, .n_repairs = PARTS };

	for (enum part part = 0; part < PARTS; part++) {
		const char *warning = repair_warning(policy->repair, part);

		repairs[part] =
			(struct policy_repairs){ parts[part], repair_count(policy->repair, part) };
		if (warning)
			sentences_add(&warnings, "%s", warning);
	}
	survey_host(policy, &warnings);
	status.warnings = (const char *const *)warnings.texts;
	status.n_warnings = warnings.n;
	fn(arg, &status);
}
