/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The bridge of a network. */
#pragma once

#include "../plan/plan.h"
#include "nl.h"

/* Made whole or not at all; up when this returns. One that is there and ours is adjusted; -EEXIST
 * when it is somebody else's. */
int bridge_add(struct nl *nl, const struct item_bridge *bridge, struct err *err);
/* Makes the bridge of that name what it should be; does nothing when it is. */
int bridge_change(struct nl *nl, const struct item_bridge *bridge, struct err *err);
