/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The cable between a bridge and a container. */
#pragma once

#include "../plan/plan.h"
#include "nl.h"

/* Made whole or not at all: the host's end is an up port of the bridge when this returns. A pair
 * that is there and ours is adjusted; -EEXIST when either name is somebody else's. */
int veth_add(struct nl *nl, const struct item_veth *veth, struct err *err);
/* Makes the host's end what it should be, and the other end's mtu while that is here. */
int veth_change(struct nl *nl, const struct item_veth *veth, struct err *err);
