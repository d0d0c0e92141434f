/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Our table in the kernel: changed in one transaction, or read back. */
#pragma once

#include "../base/err.h"
#include "../plan/diff.h"

struct nl;

/* All operations or none. Ignores operations that are not the firewall's. */
int nft_commit(struct nl *nl, const struct ops *ops, struct err *err);
/* Puts exactly the firewall items of plan in place of whatever the table contains: atomic too. */
int nft_replace(struct nl *nl, const struct plan *plan, struct err *err);
/* Adds what the table contains to plan; nothing when there is no table. A set or chain that is not
 * ours is added too, so that it makes a difference. */
int nft_observe(struct nl *nl, struct plan *plan, struct err *err);
