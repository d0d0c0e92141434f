/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Makes the kernel match a plan, and tells what it contains. */
#pragma once

#include "../base/err.h"
#include "../plan/diff.h"

struct nl;

/* Performs the operations in order, the firewall's in one transaction, and marks each as done.
 * Stops at the first that fails. */
int apply_ops(struct nl *nl, struct ops *ops, struct err *err);
/* The same, but for what fails by itself, the rest is done all the same: a bridge whose name
 * somebody took must not keep everything else from being right. Without the firewall no roads are
 * made. The error is the first one. */
int apply_what_can(struct nl *nl, struct ops *ops, struct err *err);
/* Takes back what apply_ops() did before it failed, as far as that is possible. */
void apply_undo(struct nl *nl, struct ops *ops);

/* Everything in the kernel that is recognisable as ours, sorted. */
int observe_all(struct nl *nl, struct plan *plan, struct err *err);
