/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the Engine API tells that the calls of a driver do not: the names of Docker's own bridges,
 * which networks there are, to which of them each running container is connected, and their labels.
 * Asked from timers only: while dockerd calls us, it may hold what an answer needs.
 *
 * The API is asked when there is a reason, and no connection stays open. A stream of events would
 * make every stop of dockerd take 5 seconds longer (seen with 26 and 28): it waits for its clients
 * first. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "../policy/base/loop.h"

struct dockerd;
struct docker_networks;
struct docker_containers;

struct dockerd_config {
	const char *socket;
	/* NULL: anybody may connect at any time. Otherwise only while this file exists: where
	 * systemd listens for dockerd, connecting would start an engine that somebody has stopped.
	 */
	const char *pid_file;
	unsigned int timeout_ms; /* for one answer */
	unsigned int retry_ms;   /* after a failure; doubles up to 60 of them */
	unsigned int look_ms; /* after a change; doubles for some more looks, see dockerd_look() */
	unsigned int patience_ms; /* how long nobody may answer before that is worth a line */
	/* Returns after how many milliseconds the list is wanted again; 0: not before the next
	 * change. */
	unsigned int (*networks)(void *arg, const struct docker_networks *networks);
	/* Is it worth it to ask for the containers as well? Asked after the networks. */
	bool (*wants_containers)(void *arg);
	/* The running ones. Returns the same as the other. */
	unsigned int (*containers)(void *arg, struct docker_containers *containers);
	/* Is this endpoint one of ours, and still there? */
	bool (*is_own)(void *arg, const char *network, const char *endpoint);
	void *arg;
};

/* The strings of the configuration stay the caller's. Asks at once. */
struct dockerd *dockerd_new(struct loop *loop, const struct dockerd_config *config);
void dockerd_free(struct dockerd *dockerd); /* accepts NULL */

/* A bridge, a network or a container's connection has come or gone. Looks several times: dockerd
 * names a network only when it is complete, long after its bridge. */
void dockerd_look(struct dockerd *dockerd);
/* Something has come of which dockerd can tell more soon. Looks once: who is told says how soon
 * again. */
void dockerd_look_once(struct dockerd *dockerd);
/* Another dockerd process has shown up. */
void dockerd_started(struct dockerd *dockerd);

/* What is wrong with it now, a sentence each. Accepts NULL: nothing. */
void dockerd_each_warning(const struct dockerd *dockerd,
			  void (*fn)(void *arg, const char *sentence), void *arg);

/* Does Docker give this name to bridges, unless told otherwise? */
bool dockerd_names_bridge(const char *bridge);
