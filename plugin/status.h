/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `tailexit status`: what each network does, and why. */
#pragma once

#include "../policy/policy.h"
#include "settings.h"

struct dockerd;

/* The daemon's end: a JSON array, one object per network. */
void encode_status(struct strbuf *reply, struct policy *policy, const struct dockerd *dockerd);

/* A JSON string: see policy_print_difference(). */
void encode_difference(struct strbuf *reply, struct policy *policy);

/* The tool's end: as a table, or as it came. */
int status_print(const struct settings *settings, struct err *err);
