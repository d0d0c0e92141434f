/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Published ports of containers whose networks lead nowhere: dockerd asks no driver for them. */
#pragma once

#include "../policy/policy.h"

struct docker_containers;

/* Is there any endpoint whose container has to be known? */
bool late_ports_wanted(const struct policy *policy);
/* Publishes what nobody else does, and withdraws what somebody else does now. Returns after how
 * many milliseconds the containers are to be looked at again; 0: not before the next change. */
unsigned int late_ports_settle(struct policy *policy, struct docker_containers *containers);
