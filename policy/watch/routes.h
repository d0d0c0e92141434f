/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tells when somebody else changes our routes, our routing rules, or puts rules in front of them,
 * or turns forwarding off. Reports, never acts. A host may have a million other routes that come
 * and go: the kernel is told to keep them to itself. */
#pragma once

#include "../base/err.h"
#include "../base/loop.h"

enum route_event {
	ROUTE_CHANGED,    /* one of ours, or in a table of ours */
	RULE_CHANGED,     /* one of ours */
	RULE_FOREIGN,     /* somebody else's, where packets meet it before they met all of ours */
	FORWARDING_LOST,  /* for all links */
	ROUTE_LOST_TRACK, /* events were lost: look at everything */
};

struct route_watch;

/* Once per change. fn must not free the watch. */
typedef void route_watch_fn(void *arg, enum route_event event);

/* own_port: changes made through this netlink socket are ours, and not told. */
struct route_watch *route_watch_new(struct loop *loop, uint32_t own_port, route_watch_fn *fn,
				    void *arg, struct err *err);
void route_watch_free(struct route_watch *watch); /* accepts NULL */
