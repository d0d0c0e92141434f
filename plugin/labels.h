/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Labels `tailexit.*` of networks and of containers: no driver gets to see them, so they are read
 * from the Engine API's lists, and passed on as words that come later. */
#pragma once

#include "../policy/policy.h"

struct docker_containers;
struct docker_networks;

void labels_of_networks(struct policy *policy, const struct docker_networks *networks);
/* Those of the networks come first. */
void labels_of_containers(struct policy *policy, const struct docker_containers *containers);
