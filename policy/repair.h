/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Putting back what others change of ours: when, how often, and what is told about it. */
#pragma once

#include <stdint.h>

#include "plan/diff.h"
#include "policy.h"

/* What can be changed, each with a pace of its own: who fights about the size of a packet must not
 * slow down the packet filter. */
enum part { PART_FIREWALL, PART_RULES, PART_ROUTES, PART_LINKS, PARTS };

/* What a comparison with the kernel has found. */
struct findings {
	size_t n[PARTS];
	char first[160]; /* for people; "" when there is nothing */
};

/* expected: operations on these items are no news; may be NULL. */
void findings_collect(const struct ops *ops, const struct plan *expected,
		      struct findings *ret_findings);

struct repair;

struct repair *repair_new(struct policy *policy);
void repair_free(struct repair *repair); /* accepts NULL */

/* Something of this part was changed by somebody else, or may have been: looked at soon. by: who,
 * or
 * "" when that is not known. */
void repair_suspect(struct repair *repair, enum part part, const char *by);
void repair_suspect_all(struct repair *repair);
/* Something about this link is different; who did it nobody says, it may have been us. */
void repair_suspect_link(struct repair *repair, const char *link);
/* A change of ours has failed half-way, and what it takes to undo it may have failed as well:
 * whatever is too much then is not somebody else's doing. */
void repair_unfinished(struct repair *repair);
/* This was found, and put back, in the course of something else. */
void repair_note(struct repair *repair, const struct findings *findings);
/* So many items were put back by somebody else than engine_reconcile(). */
void repair_count_more(struct repair *repair, enum part part, size_t n);

uint64_t repair_count(const struct repair *repair, enum part part);
/* A sentence about who does not leave this part alone, or NULL. */
const char *repair_warning(const struct repair *repair, enum part part);
