/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How many packets each counter of ours has counted. */
#pragma once

#include "../plan/fw.h"
#include "nl.h"

struct nft_counter {
	char name[FW_NAME_SIZE];
	uint64_t packets;
};

/* Counters of the same name, one in each table, are two entries. */
struct nft_counters {
	struct nft_counter *items; /* owned */
	size_t n;
};

/* No table, no counters: none is an empty list. */
int nft_counters_read(struct nl *nl, struct nft_counters *ret_counters, struct err *err);
void nft_counters_done(struct nft_counters *counters);
