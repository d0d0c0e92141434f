/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Policy routing rules of ours: those that carry our protocol number. */
#pragma once

#include "../plan/plan.h"
#include "nl.h"

/* Adding what is there is success; so is removing what is not. */
int rule_add(struct nl *nl, const struct item_rule *rule, struct err *err);
int rule_remove(struct nl *nl, const struct item_rule *rule, struct err *err);
int rules_observe(struct nl *nl, struct plan *plan, struct err *err);
