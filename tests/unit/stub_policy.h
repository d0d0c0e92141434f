/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An engine that only remembers, for tests of what stands in front of it: policy/policy.h without a
 * kernel. */
#pragma once

#include "../../policy/policy.h"

/* How often something was changed. */
unsigned int stub_changes(const struct policy *policy);
/* How often a new client was announced. */
unsigned int stub_clients(const struct policy *policy);
/* What was told: a line "NETWORK KEY=VALUE" or "NETWORK/ENDPOINT KEY=VALUE" for each word. */
const char *stub_told(const struct policy *policy);
