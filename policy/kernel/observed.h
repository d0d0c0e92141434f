/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What was read from the kernel into a plan, item by item. */
#pragma once

#include "../plan/plan.h"

/* Drops what came twice, from items[start] on. The kernel flags a list that changed while it was
 * read, but not every change of every list: addresses and rules may then come twice. In a
 * difference the second one would look like something to remove. One that was left out is harmless,
 * because adding it again is. */
void observed_once(struct plan *plan, size_t start);
