/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The Engine API's list of running containers, read: to which networks is each connected, does one
 * of them lead out, and which labels does it have? */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "../policy/base/err.h"

#define DOCKER_CONTAINERS_TARGET "/containers/json"

struct docker_networks;

struct docker_container {
	const char *name;       /* as people call it */
	const json_t *labels;   /* whatever the engine says; NULL: nothing */
	const char **endpoints; /* ids */
	const char **networks;  /* of each endpoint, its network's id */
	bool *v4_out, *v6_out;  /* and has it a gateway? */
	size_t n_endpoints;
	bool leads_out; /* one of them has a gateway */
	bool publishes; /* for whoever reads the list */
};

struct docker_containers {
	struct docker_container *items; /* that run; of others endpoints say nothing */
	size_t n;
	json_t *root; /* that the ids point into */
};

/* The networks are those of the same moment, as far as known. */
int docker_containers_read(struct docker_containers *ret_containers, const char *body, size_t len,
			   const struct docker_networks *networks, struct err *err);
void docker_containers_done(struct docker_containers *containers);

/* NULL: none that runs has it. */
struct docker_container *docker_containers_find(const struct docker_containers *containers,
						const char *endpoint_id);
