/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The two directories, in which one process works at a time: two would undo each other's work. */
#pragma once

#include "../policy/base/err.h"

struct locks {
	int run, state; /* -1: none */
};

/* Waits up to patience_ms. A directory that does not exist is nobody's. -EBUSY: another one works
 * there. */
int locks_take(struct locks *ret_locks, const char *run_dir, const char *state_dir,
	       unsigned int patience_ms, struct err *err);
void locks_done(struct locks *locks);
