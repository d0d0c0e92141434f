/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What others have put where packets of our networks pass: facts only. Whether that is in the way
 * is somebody else's business. */
#pragma once

#include <net/if.h>
#include <stdbool.h>

#include "../base/addr.h"
#include "nl.h"

/* A routing rule that packets meet before they have met all of ours. */
struct foreign_rule {
	enum family family;
	uint32_t pref;
	struct prefix from, to; /* unset: any */
	char iif[IFNAMSIZ], oif[IFNAMSIZ];
	uint32_t mark, mask; /* mask 0: any */
	bool inverted;       /* for what does not match */
	bool of_users;       /* for what some users other than root send */
	bool acts;           /* false: does nothing */
	bool no_default;     /* ignores default routes */
	uint32_t table;      /* 0: does not look into one */
};

/* A base chain at the hook for forwarded packets that drops what none of its rules accepts. */
struct foreign_chain {
	const char *family; /* "inet" ... */
	char table[64], chain[64];
	bool names_us; /* some rule of it is about our bridges */
};

/* Takes established connections over. */
struct foreign_flowtable {
	const char *family;
	char table[64], name[64];
};

/* A route in a table of ours. */
struct foreign_route {
	struct prefix dst;
	uint32_t table;
	uint32_t metric;
};

struct survey {
	struct foreign_rule *rules; /* all are owned */
	size_t n_rules;
	struct foreign_chain *chains;
	size_t n_chains;
	struct foreign_flowtable *flowtables;
	size_t n_flowtables;
	struct foreign_route *routes;
	size_t n_routes;
	char (*uplinks)[IFNAMSIZ]; /* of IPv4 default routes of the main table */
	size_t n_uplinks;
};

/* last_path: the last one in use, see TABLE_PATH(). */
int survey_read(struct nl *nl, uint8_t last_path, struct survey *ret_survey, struct err *err);
void survey_done(struct survey *survey);
