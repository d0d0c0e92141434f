/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See rests.h. One timer for all: there are a handful of exits on a host. */
#include "rests.h"

#include <net/if.h>

#include "base/mem.h"
#include "holddown.h"

struct rest {
	char exit[IFNAMSIZ];
	struct holddown hold;
	uint64_t until_ms; /* 0: does not rest */
};

struct rests {
	struct loop_timer *timer;
	void (*over)(void *arg, const char *exit);
	void *arg;
	struct rest *list; /* owned */
	size_t n;
};

static struct rest *find(struct rests *rests, const char *exit)
{
	for (size_t i = 0; i < rests->n; i++)
		if (streq(rests->list[i].exit, exit))
			return &rests->list[i];
	return NULL;
}

static struct rest *find_or_add(struct rests *rests, const char *exit)
{
	struct rest *rest = find(rests, exit);

	if (rest)
		return rest;
	rests->list = xreallocarray(rests->list, rests->n + 1, sizeof(*rest));
	rest = &rests->list[rests->n++];
	*rest = (struct rest){ 0 };
	snprintf(rest->exit, sizeof(rest->exit), "%s", exit);
	return rest;
}

static void arm(struct rests *rests)
{
	uint64_t now = loop_now_ms(), first = UINT64_MAX;

	for (size_t i = 0; i < rests->n; i++)
		if (rests->list[i].until_ms && rests->list[i].until_ms < first)
			first = rests->list[i].until_ms;
	if (first == UINT64_MAX)
		loop_timer_disarm(rests->timer);
	else
		loop_timer_arm(rests->timer, first > now ? first - now : 0);
}

static void on_timer(void *arg)
{
	struct rests *rests = arg;
	uint64_t now = loop_now_ms();

	/* over() may forget or add some. */
	for (size_t i = 0; i < rests->n; i++) {
		char exit[IFNAMSIZ];

		if (rests->list[i].until_ms == 0 || rests->list[i].until_ms > now)
			continue;
		rests->list[i].until_ms = 0;
		memcpy(exit, rests->list[i].exit, sizeof(exit));
		rests->over(rests->arg, exit);
	}
	arm(rests);
}

struct rests *rests_new(struct loop *loop, void (*over)(void *arg, const char *exit), void *arg)
{
	struct rests *rests = xcalloc(1, sizeof(*rests));

	rests->timer = loop_timer_new(loop, on_timer, rests);
	rests->over = over;
	rests->arg = arg;
	return rests;
}

void rests_free(struct rests *rests)
{
	if (!rests)
		return;
	loop_timer_free(rests->timer);
	free(rests->list);
	free(rests);
}

void rests_lost(struct rests *rests, const char *exit)
{
	struct rest *rest = find_or_add(rests, exit);

	rest->until_ms = 0;
	holddown_lost(&rest->hold, loop_now_ms());
	arm(rests);
}

bool rests_back(struct rests *rests, const char *exit)
{
	struct rest *rest = find_or_add(rests, exit);
	uint64_t now = loop_now_ms();
	uint64_t wait = holddown_back(&rest->hold, now);

	rest->until_ms = wait ? now + wait : 0;
	arm(rests);
	return wait != 0;
}

void rests_forget(struct rests *rests, const char *exit)
{
	struct rest *rest = find(rests, exit);

	if (rest)
		*rest = rests->list[--rests->n];
	arm(rests);
}
