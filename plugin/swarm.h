/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is different about networks of a Docker swarm: every node makes them of a network of its own
 * (--config-from), and Docker may connect their containers to more than was asked for. */
#pragma once

#include "../policy/policy.h"

struct network_request;

bool swarm_has(const char *network_id);

/* Refuses a network of a swarm that would not be what the user meant. */
int swarm_check(const struct network_request *request, struct err *err);

/* Gives a container of a swarm that has no way out a gateway that leads nowhere, so that Docker
 * does not look for another one. */
void swarm_keep_gateway(const struct network *network, const struct endpoint *endpoint,
			struct attachment *attachment);
