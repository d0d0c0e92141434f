/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The words in which a user describes a network: one table row per word. Must not know who passes
 * them on. */
#pragma once

#include "../base/err.h"
#include "network.h"

/* Every word may also be written with this in front. */
#define OPTION_PREFIX "tailexit."

struct option {
	const char *key;
	/* Changes nothing on failure. */
	int (*set)(struct network *network, const char *value, struct err *err);
	const char *values;
	const char *help;
	bool network_only; /* one endpoint cannot have its own */
};

/* Ends with a row whose key is NULL. */
extern const struct option option_table[];

/* The row of this word, with or without prefix; NULL when there is none. */
const struct option *option_find(const char *key);
/* The refusal of a key that nobody knows: what it was probably meant to be, and what is valid. */
int option_unknown(const char *key, struct err *err);

/* On failure the network is as it was. */
int option_set(struct network *network, const char *key, const char *value, struct err *err);

/* "true", "1", "F" ...: the spellings users know from other drivers' options. */
int option_parse_bool(bool *ret_value, const char *text);
/* Decimal digits that make a number in min..max, and nothing else. */
int option_parse_number(uint32_t *ret_value, const char *text, uint32_t min, uint32_t max);
