/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See repair.h. What is wrong, and how it is made right, is engine_reconcile()'s business. */
#include "repair.h"

#include "base/log.h"
#include "base/mem.h"
#include "engine.h"
#include "inspect.h"
#include "pace.h"

/* More at once, and everything is looked at instead. */
#define LINKS_MAX 256
#define RETRY_FIRST_MS 100
#define RETRY_LAST_MS 30000

struct suspicion {
	bool there;
	uint64_t due_ms;
	struct pace pace;
	uint64_t count;    /* of items put back */
	bool told;         /* that it is a fight */
	char warning[400]; /* about the fight */
};

struct repair {
	struct policy *policy;
	struct loop_timer *timer;
	struct loop_timer *calm; /* looks whether a fight is over */
	struct suspicion parts[PARTS];
	char (*links)[IFNAMSIZ]; /* owned; LINKS_MAX */
	size_t n_links;
	uint64_t links_due_ms;
	char by[64];
	uint64_t since_ms;     /* the first sign of what is not repaired yet; 0: none */
	bool unfinished;       /* a change of ours: nobody is to be blamed for what is found */
	unsigned int failures; /* in a row */
	struct err failure;    /* the last one that was told */
};

static const char *const part_names[PARTS] = {
	[PART_FIREWALL] = "nftables table inet tailexit",
	[PART_RULES] = "routing rules of protocol 231",
	[PART_ROUTES] = "routes of protocol 231",
	[PART_LINKS] = "bridges and interfaces of the networks",
};

static const char *const part_monitors[PARTS] = {
	[PART_FIREWALL] = "nft monitor",
	[PART_RULES] = "ip monitor rule",
	[PART_ROUTES] = "ip monitor route",
	[PART_LINKS] = "ip monitor link address",
};

static void on_timer(void *arg);
static void on_calm(void *arg);

struct repair *repair_new(struct policy *policy)
{
	struct repair *repair = xcalloc(1, sizeof(*repair));

	repair->policy = policy;
	repair->links = xcalloc(LINKS_MAX, sizeof(*repair->links));
	repair->timer = loop_timer_new(policy->loop, on_timer, repair);
	repair->calm = loop_timer_new(policy->loop, on_calm, repair);
	return repair;
}

void repair_free(struct repair *repair)
{
	if (!repair)
		return;
	loop_timer_free(repair->timer);
	loop_timer_free(repair->calm);
	free(repair->links);
	free(repair);
}

static void arm(struct repair *repair)
{
	uint64_t now = loop_now_ms();
	uint64_t first = repair->n_links ? repair->links_due_ms : UINT64_MAX;

	for (enum part part = 0; part < PARTS; part++)
		if (repair->parts[part].there && repair->parts[part].due_ms < first)
			first = repair->parts[part].due_ms;
	if (first != UINT64_MAX)
		loop_timer_arm(repair->timer, first > now ? first - now : 0);
}

static void note_sign(struct repair *repair)
{
	if (repair->since_ms == 0)
		repair->since_ms = loop_now_ms();
}

void repair_suspect(struct repair *repair, enum part part, const char *by)
{
	struct suspicion *suspicion = &repair->parts[part];
	uint64_t due_ms = pace_due(&suspicion->pace, loop_now_ms());

	if (*by)
		snprintf(repair->by, sizeof(repair->by), "%s", by);
	note_sign(repair);
	/* What waits to be tried again may wait long: a new sign does not. */
	if (suspicion->there && suspicion->due_ms <= due_ms)
		return;
	suspicion->there = true;
	suspicion->due_ms = due_ms;
	arm(repair);
}

void repair_suspect_all(struct repair *repair)
{
	for (enum part part = 0; part < PARTS; part++)
		repair_suspect(repair, part, "");
}

void repair_unfinished(struct repair *repair)
{
	repair->unfinished = true;
	repair_suspect_all(repair);
}

void repair_suspect_link(struct repair *repair, const char *link)
{
	for (size_t i = 0; i < repair->n_links; i++)
		if (streq(repair->links[i], link))
			return;
	if (repair->n_links == LINKS_MAX) {
		repair_suspect(repair, PART_LINKS, "");
		return;
	}
	note_sign(repair);
	if (repair->n_links == 0)
		repair->links_due_ms = loop_now_ms() + PACE_DEBOUNCE_MS;
	snprintf(repair->links[repair->n_links++], IFNAMSIZ, "%s", link);
	arm(repair);
}

/* Unless there are others. */
static void forget_sign(struct repair *repair)
{
	for (enum part part = 0; part < PARTS; part++)
		if (repair->parts[part].there)
			return;
	repair->since_ms = 0;
}

/* What our own requests made of a link is what it should be: nothing to repair, and seen without
 * looking at everything. */
static void look_at_links(struct repair *repair)
{
	uint64_t now = loop_now_ms();
	bool right = true;

	if (repair->n_links == 0 || repair->links_due_ms > now)
		return;
	for (size_t i = 0; right && i < repair->n_links; i++)
		right = link_is_as_planned(repair->policy, repair->links[i]);
	repair->n_links = 0;
	if (right)
		forget_sign(repair);
	if (right || repair->parts[PART_LINKS].there)
		return;
	repair_suspect(repair, PART_LINKS, "");
	/* That one was waited for already. */
	if (repair->parts[PART_LINKS].due_ms <= now + PACE_DEBOUNCE_MS)
		repair->parts[PART_LINKS].due_ms = now;
}

static void tell_fight(struct repair *repair, enum part part, const struct findings *findings)
{
	struct suspicion *suspicion = &repair->parts[part];

	snprintf(
		suspicion->warning, sizeof(suspicion->warning),
		"something on this host%s%s keeps changing the %s (%s); they are put back every "
		"%d seconds at most while that goes on. Find it with \"%s\" and make it leave them "
		"alone",
		*repair->by ? ", lately " : "", repair->by, part_names[part], findings->first,
		PACE_SLOWEST_MS / 1000, part_monitors[part]);
	if (!suspicion->told)
		log_warn("%s", suspicion->warning);
	suspicion->told = true;
	loop_timer_arm(repair->calm, PACE_QUIET_MS);
}

static void on_calm(void *arg)
{
	struct repair *repair = arg;
	uint64_t now = loop_now_ms();

	for (enum part part = 0; part < PARTS; part++) {
		struct suspicion *suspicion = &repair->parts[part];

		if (!suspicion->told)
			continue;
		if (pace_is_fight(&suspicion->pace, now)) {
			loop_timer_arm(repair->calm, PACE_QUIET_MS / 4);
			continue;
		}
		suspicion->told = false;
		log_info("the %s are left alone again", part_names[part]);
	}
}

static void tell(struct repair *repair, const struct findings *findings)
{
	bool news = false;

	/* Of a fight enough has been said. */
	for (enum part part = 0; part < PARTS; part++)
		news |= findings->n[part] &&
			!pace_is_fight(&repair->parts[part].pace, loop_now_ms());
	if (news)
		log_warn("put back what was changed%s%s, %llu ms after the first sign of it: %s",
			 *repair->by ? " by " : "", repair->by,
			 (unsigned long long)(repair->since_ms ? loop_now_ms() - repair->since_ms
							       : 0),
			 findings->first);
}

void repair_note(struct repair *repair, const struct findings *findings)
{
	for (enum part part = 0; part < PARTS; part++)
		repair->parts[part].count += findings->n[part];
	tell(repair, findings);
}

/* One sentence for as long as it stays the same. */
static void tell_failure(struct repair *repair, int r, const struct err *err)
{
	if (r < 0 && !streq(err->text, repair->failure.text))
		log_error("%s: %s; tried again",
			  repair->unfinished ? "finish a change" : "put back what others changed",
			  err->text);
	else if (r == 0 && repair->failures)
		log_info("everything is as it should be again");
	repair->failure = *err;
}

static void try_again(struct repair *repair, uint64_t now)
{
	uint64_t wait = RETRY_FIRST_MS;

	for (unsigned int i = 0; i < repair->failures && wait < RETRY_LAST_MS; i++)
		wait *= 2;
	repair->failures++;
	for (enum part part = 0; part < PARTS; part++) {
		struct suspicion *suspicion = &repair->parts[part];

		if (suspicion->there)
			continue;
		suspicion->there = true;
		suspicion->due_ms = now + (wait < RETRY_LAST_MS ? wait : RETRY_LAST_MS);
	}
}

static void look(struct repair *repair)
{
	uint64_t start = loop_now_ms(), end;
	struct findings findings;
	struct err err = { 0 };
	int r = engine_reconcile(repair->policy, NULL, &findings, &err);

	if (repair->unfinished)
		findings = (struct findings){ 0 };
	end = loop_now_ms();
	mem_give_back();
	for (enum part part = 0; part < PARTS; part++) {
		struct suspicion *suspicion = &repair->parts[part];

		if (suspicion->there || findings.n[part])
			pace_looked(&suspicion->pace, end, end - start,
				    r == 0 && findings.n[part] > 0);
		suspicion->there = false;
		if (findings.n[part] && pace_is_fight(&suspicion->pace, end))
			tell_fight(repair, part, &findings);
	}
	if (findings.n[PART_FIREWALL])
		connections_forget_untranslated(repair->policy);
	if (r == 0)
		repair_note(repair, &findings);
	tell_failure(repair, r, &err);
	repair->by[0] = '\0';
	repair->since_ms = 0;
	if (r < 0) {
		try_again(repair, end);
		return;
	}
	repair->failures = 0;
	repair->unfinished = false;
}

static void on_timer(void *arg)
{
	struct repair *repair = arg;
	uint64_t now = loop_now_ms();
	bool due = false;

	look_at_links(repair);
	for (enum part part = 0; part < PARTS; part++)
		due |= repair->parts[part].there && repair->parts[part].due_ms <= now;
	if (due)
		look(repair);
	arm(repair);
}

void repair_count_more(struct repair *repair, enum part part, size_t n)
{
	repair->parts[part].count += n;
}

uint64_t repair_count(const struct repair *repair, enum part part)
{
	return repair->parts[part].count;
}

const char *repair_warning(const struct repair *repair, enum part part)
{
	return repair->parts[part].told ? repair->parts[part].warning : NULL;
}
