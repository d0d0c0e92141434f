/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the named counters of our table have counted. */
#pragma once

#include <stdint.h>

#include "../base/err.h"
#include "nl.h"

/* fn gets NULL first, and again when the reading starts over. */
typedef void nft_counter_fn(void *arg, const char *name, uint64_t packets);
int nft_counters_read(struct nl *nl, nft_counter_fn *fn, void *arg, struct err *err);
