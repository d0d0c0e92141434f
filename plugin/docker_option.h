/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The options of Docker's own bridge driver that mean the same here, so that changing the driver of
 * a network is a one-line change. */
#pragma once

#include "../policy/policy.h"

#define DOCKER_OPTION_PREFIX "com.docker.network."

struct docker_option {
	const char *key; /* without the prefix */
	/* Changes nothing on failure. */
	int (*set)(struct network *network, const struct docker_option *option, const char *value,
		   struct err *err);
	enum family family;  /* of options that exist once per family */
	const char *same_as; /* the word of ours that says the same, or NULL */
};

/* Ends with a row whose key is NULL. */
extern const struct docker_option docker_option_table[];

/* NULL when there is none. */
const struct docker_option *docker_option_find(const char *key);
/* On failure the network is as it was. */
int docker_option_set(struct network *network, const char *key, const char *value, struct err *err);
