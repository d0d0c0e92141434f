/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See guard.h. What a fence is, the engine knows. */
#include "guard.h"

#include <errno.h>

#include "../policy/base/log.h"
#include "../policy/base/mem.h"
#include "../policy/policy.h"
#include "locks.h"

int guard_command(const struct settings *settings, struct err *err)
{
	const struct policy_config config = {
		.state_dir = settings->state_dir,
		.run_dir = settings->run_dir,
	};
	AUTO(locks) struct locks locks = { -1, -1 };
	/* Held until the end: a daemon that starts meanwhile waits for it. */
	int r = locks_take(&locks, settings->run_dir, settings->state_dir, 0, err);

	if (r == -EBUSY) {
		log_info("a daemon works in %s with %s, and its networks have their fences",
			 settings->run_dir, settings->state_dir);
		return 0;
	}
	return r < 0 ? r : policy_guard(&config, err);
}
