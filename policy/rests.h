/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Exits that came back, and for how long they are not preferred yet: see holddown.h. */
#pragma once

#include <stdbool.h>

#include "base/loop.h"

struct rests;

/* over() is called when an exit has been there for long enough. */
struct rests *rests_new(struct loop *loop, void (*over)(void *arg, const char *exit), void *arg);
void rests_free(struct rests *rests); /* accepts NULL */

void rests_lost(struct rests *rests, const char *exit);
/* Does it have to rest? Not the first time. */
bool rests_back(struct rests *rests, const char *exit);
void rests_forget(struct rests *rests, const char *exit);
