/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Is one link what it should be? A few requests to the kernel, however many links there are. */
#pragma once

#include <stdbool.h>

struct policy;

/* One that is neither ours nor named like one of ours is. */
bool link_is_as_planned(struct policy *policy, const char *link);

/* The bridge of a network, as the world has it, or the one that all fences share? */
bool is_own_bridge(const struct policy *policy, const char *link);
/* Or the host's end of an endpoint's pair? */
bool is_own_link(const struct policy *policy, const char *link);
