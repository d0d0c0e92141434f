/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether the kernel forwards packets at all: the only host-wide switches we ever turn. */
#pragma once

#include "../base/addr.h"
#include "../plan/plan.h"
#include "nl.h"

/* Turns it on where it is off; nothing turns it off. Once it forwards IPv6, the kernel ignores
 * router advertisements on interfaces whose accept_ra is not 2. That knob belongs to whoever set up
 * the uplink: bridge networks with IPv6 have the same effect and leave it alone, too. */
int forwarding_enable(struct nl *nl, enum family family, struct err *err);
/* An item for each family that is forwarded. */
int forwarding_observe(struct nl *nl, struct plan *plan, struct err *err);
