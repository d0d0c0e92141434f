/* SPDX-License-Identifier: GPL-2.0-or-later */
/* All options of a network, the user's words and Docker's: from text to a network's values. What
 * these mean in the kernel is the engine's business. */
#pragma once

#include "decode.h"

/* Sets the defaults, then every option; refuses what contradicts itself. network already has its
 * subnets and says whether it is internal. */
int options_apply(struct network *network, const struct request_options *options, struct err *err);

/* Of one endpoint: what it has otherwise than its network, if the network lets it. */
int options_except(const struct network *network, const struct request_options *options,
		   struct exception *ret_exception, struct err *err);
