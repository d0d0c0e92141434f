/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The Engine API's list of networks, read. */
#pragma once

#include <jansson.h>
#include <stddef.h>

#include "../policy/base/err.h"

#define DOCKER_NETWORKS_TARGET "/networks"

/* One of them. Its labels are whatever the engine says; NULL: nothing. */
struct docker_network {
	const char *id, *name;
	const json_t *labels;
};

struct docker_networks {
	const char **bridges; /* of all networks of driver "bridge" */
	size_t n_bridges;
	const char **ids;             /* of all networks, whatever their driver is called here */
	struct docker_network *items; /* the same networks */
	size_t n_ids;
	const char **internal; /* ids of those that lead nowhere */
	size_t n_internal;
	/* Which engine says so: the same for as long as its data directory is. NULL: the list is
	 * not that of a Docker engine, or not whole. */
	const char *engine;

	json_t *root; /* that most of these point into */
	struct bridge_name *names;
};

int docker_networks_read(struct docker_networks *ret_networks, const char *body, size_t len,
			 struct err *err);
void docker_networks_done(struct docker_networks *networks);
