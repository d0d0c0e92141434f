/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One endpoint that differs from its network: its words, and how far the network lets it. */
#pragma once

#include "../base/err.h"
#include "network.h"

/* Words of one endpoint are set in a copy of its network, policy first: what is not said stays as
 * the network has it, or becomes what the endpoint's own policy has if that is tighter. */
int exception_set(struct network *own, const struct network *network, const char *key,
		  const char *value, struct err *err);
/* The word that allows what the network does not; NULL: there is none. */
const char *exception_looser_word(const struct network *own, const struct network *network);
/* May the network's endpoint have these words? Then they are what it differs by. */
int exception_make(const struct network *own, const struct network *network,
		   struct exception *ret_exception, struct err *err);
/* What these words of a network would be as an exception, and the network as the exception has it.
 */
struct exception exception_of(const struct network *own);
void exception_put(const struct exception *exception, struct network *network);
/* The network has other words than when the exception was made: of both, word by word, what is
 * tighter. */
void exception_fit(struct exception *exception, const struct network *network);
