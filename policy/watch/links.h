/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tells that links come, change and go. Facts only: what they mean is somebody else's business. */
#pragma once

#include "../base/err.h"
#include "../base/loop.h"
#include "../kernel/link.h"

enum link_event {
	LINK_CHANGED,    /* appeared, or something about it or its addresses is different */
	LINK_WENT_DOWN,  /* a change that takes routes along */
	LINK_GONE,       /* deleted, or moved to another namespace */
	LINK_LOST_TRACK, /* events were lost: look at everything; no link */
};

struct link_watch;

/* link: as far as the kernel said it; of a change of addresses, the name only. A link that is
 * renamed is LINK_CHANGED under its new name; nothing is said of the old one. fn may free the
 * watch. */
typedef void link_watch_fn(void *arg, enum link_event event, const struct link_info *link);

/* Both belong to the network namespace that the process is in. loop must outlive the watch. */
struct link_watch *link_watch_new(struct loop *loop, link_watch_fn *fn, void *arg, struct err *err);
void link_watch_free(struct link_watch *watch); /* accepts NULL */
