/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `tailexit status`: what each network does, and why. */
#pragma once

#include "../policy/policy.h"
#include "settings.h"

struct control;

/* The daemon's end: a JSON object. */
void encode_status(struct strbuf *reply, const struct control *control);

/* A JSON string: see policy_print_difference(). */
void encode_difference(struct strbuf *reply, struct policy *policy);

/* The tool's end: as a table, or as it came. */
int status_print(const struct settings *settings, struct err *err);
