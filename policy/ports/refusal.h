/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Why a port could not be had, in a sentence that says who has it and what to do. */
#pragma once

#include "claim.h"

/* Returns code. Keeps the sentence if err has one for this code already. */
int refusal_set(struct err *err, int code, const struct claim *claim);
