/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Routes of ours, in any table: those that carry our protocol number. */
#pragma once

#include "../plan/plan.h"
#include "nl.h"

/* Without an oif the route is unreachable: it says so to the sender, and needs no link. Say a
 * metric other than 0 for IPv6: the kernel turns 0 into 1024 and reports that. Adding what is there
 * is success; so is removing what is not. A route of somebody else with the same destination and
 * metric is replaced: the tables are ours. */
int route_add(struct nl *nl, const struct item_route *route, struct err *err);
int route_remove(struct nl *nl, const struct item_route *route, struct err *err);
/* ITEM_ROUTE and, for those to nowhere, ITEM_BACKSTOP. */
int routes_observe(struct nl *nl, struct plan *plan, struct err *err);
