/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The numbers of paths: one for each distinct list of exits in use, from which its mark, its table
 * and its chains have their names. What a path consists of is in plan/path.c. */
#include <errno.h>

#include "engine.h"
#include "plan/compile.h"
#include "plan/names.h"

struct users {
	uint8_t path;
	size_t n;
};

static bool count_user(const struct egress *egress, void *arg)
{
	struct users *users = arg;

	users->n += egress->path == users->path;
	return false;
}

size_t paths_users(const struct policy *policy, uint8_t path)
{
	struct users users = { .path = path };

	world_any_egress(&policy->world, count_user, &users);
	return users.n;
}

struct search {
	const struct egress *egress;
	uint8_t path;
	bool taken[PATH_MAX_NUMBER + 1];
};

static bool same_exits(const struct egress *other, void *arg)
{
	struct search *search = arg;

	search->taken[other->path] = true;
	if (!other->path || !exits_equal(&other->via, &search->egress->via))
		return false;
	search->path = other->path;
	return true;
}

/* The path of those with the same exits, or a free one. */
int paths_assign(const struct policy *policy, struct egress *egress, struct err *err)
{
	struct search search = { .egress = egress };

	egress->path = 0;
	if (egress->policy != POLICY_KILLSWITCH)
		return 0;
	if (world_any_egress(&policy->world, same_exits, &search)) {
		egress->path = search.path;
		return 0;
	}
	for (unsigned path = 1; path <= PATH_MAX_NUMBER; path++) {
		if (search.taken[path])
			continue;
		egress->path = (uint8_t)path;
		return 0;
	}
	return err_set(err, -ENOSPC, "more than %d different lists of exits in use",
		       PATH_MAX_NUMBER);
}

void paths_compile(const struct policy *policy, const struct egress *egress, bool in_world,
		   struct plan *plan)
{
	if (egress->path && paths_users(policy, egress->path) == (in_world ? 1 : 0))
		compile_path(egress, &policy->world.facts, plan);
}
