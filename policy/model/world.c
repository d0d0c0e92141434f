/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See world.h. Sorted arrays of pointers: a look-up among thousands is a dozen comparisons, and
 * what was found stays where it is when others come and go. */
#include "world.h"

#include "../base/mem.h"

/* Index of the first member whose id is not less. */
static size_t member_index(const struct world *world, const char *id)
{
	size_t low = 0, high = world->n;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (strcmp(world->members[middle]->network.id, id) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static size_t endpoint_index(const struct member *member, const char *id)
{
	size_t low = 0, high = member->n;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (strcmp(member->endpoints[middle]->id, id) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Makes room for one pointer at index. */
static void *insert_gap(void *array, size_t *n, size_t index)
{
	void **slots = xreallocarray(array, *n + 1, sizeof(void *));

	memmove(&slots[index + 1], &slots[index], (*n - index) * sizeof(void *));
	(*n)++;
	return slots;
}

static void close_gap(void *array, size_t *n, size_t index)
{
	void **slots = array;

	(*n)--;
	memmove(&slots[index], &slots[index + 1], (*n - index) * sizeof(void *));
}

struct member *world_find(const struct world *world, const char *network_id)
{
	size_t i = member_index(world, network_id);

	if (i < world->n && streq(world->members[i]->network.id, network_id))
		return world->members[i];
	return NULL;
}

struct member *world_add(struct world *world, const struct network *network)
{
	size_t i = member_index(world, network->id);
	struct member *member = xcalloc(1, sizeof(*member));

	member->network = *network;
	world->members = insert_gap(world->members, &world->n, i);
	world->members[i] = member;
	return member;
}

static void endpoint_free(struct endpoint *endpoint)
{
	endpoint_done(endpoint);
	free(endpoint);
}

static void member_free(struct member *member)
{
	for (size_t i = 0; i < member->n; i++)
		endpoint_free(member->endpoints[i]);
	free(member->endpoints);
	free(member);
}

void world_remove(struct world *world, const char *network_id)
{
	size_t i = member_index(world, network_id);

	if (i == world->n || !streq(world->members[i]->network.id, network_id))
		return;
	member_free(world->members[i]);
	close_gap(world->members, &world->n, i);
}

struct endpoint *member_find(const struct member *member, const char *endpoint_id)
{
	size_t i = endpoint_index(member, endpoint_id);

	if (i < member->n && streq(member->endpoints[i]->id, endpoint_id))
		return member->endpoints[i];
	return NULL;
}

struct endpoint *member_add(struct member *member, const struct endpoint *endpoint)
{
	size_t i = endpoint_index(member, endpoint->id);
	struct endpoint *copy = xcalloc(1, sizeof(*copy));

	*copy = *endpoint;
	member->n_exceptions += copy->exception != NULL;
	member->endpoints = insert_gap(member->endpoints, &member->n, i);
	member->endpoints[i] = copy;
	return copy;
}

void member_take(struct member *member, const char *endpoint_id, struct endpoint *ret_endpoint)
{
	size_t i = endpoint_index(member, endpoint_id);
	struct endpoint *endpoint = member->endpoints[i];

	close_gap(member->endpoints, &member->n, i);
	member->n_exceptions -= endpoint->exception != NULL;
	*ret_endpoint = *endpoint;
	free(endpoint);
}

void endpoint_done(struct endpoint *endpoint)
{
	free(endpoint->exception);
	free(endpoint->ports);
	free(endpoint->wanted);
	free(endpoint->remark);
	*endpoint = (struct endpoint){ 0 };
}

void member_remove(struct member *member, const char *endpoint_id)
{
	AUTO(endpoint) struct endpoint endpoint = { 0 };

	if (member_find(member, endpoint_id))
		member_take(member, endpoint_id, &endpoint);
}

const struct egress *endpoint_egress(const struct member *member, const struct endpoint *endpoint)
{
	return endpoint->exception ? &endpoint->exception->egress : &member->network.egress;
}

bool world_any_egress(const struct world *world, egress_fn *fn, void *arg)
{
	for (size_t m = 0; m < world->n; m++) {
		const struct member *member = world->members[m];

		if (fn(&member->network.egress, arg))
			return true;
		for (size_t e = 0; member->n_exceptions && e < member->n; e++)
			if (member->endpoints[e]->exception &&
			    fn(&member->endpoints[e]->exception->egress, arg))
				return true;
	}
	return false;
}

static size_t neighbour_index(const struct facts *facts, const char *bridge, bool *ret_found)
{
	size_t i = 0;

	while (i < facts->n_neighbours && strcmp(facts->neighbours[i], bridge) < 0)
		i++;
	*ret_found = i < facts->n_neighbours && streq(facts->neighbours[i], bridge);
	return i;
}

bool facts_add_neighbour(struct facts *facts, const char *bridge)
{
	bool found;
	size_t i = neighbour_index(facts, bridge, &found);

	if (found)
		return false;
	facts->neighbours = xreallocarray(facts->neighbours, facts->n_neighbours + 1, IFNAMSIZ);
	memmove(facts->neighbours[i + 1], facts->neighbours[i],
		(facts->n_neighbours - i) * IFNAMSIZ);
	memset(facts->neighbours[i], 0, IFNAMSIZ);
	snprintf(facts->neighbours[i], IFNAMSIZ, "%s", bridge);
	facts->n_neighbours++;
	return true;
}

bool facts_remove_neighbour(struct facts *facts, const char *bridge)
{
	bool found;
	size_t i = neighbour_index(facts, bridge, &found);

	if (!found)
		return false;
	facts->n_neighbours--;
	memmove(facts->neighbours[i], facts->neighbours[i + 1],
		(facts->n_neighbours - i) * IFNAMSIZ);
	return true;
}

static struct exit_fact *find_exit(const struct facts *facts, const char *name)
{
	for (size_t i = 0; i < facts->n_exits; i++)
		if (streq(facts->exits[i].name, name))
			return &facts->exits[i];
	return NULL;
}

const struct exit_fact *facts_exit(const struct facts *facts, const char *name)
{
	return find_exit(facts, name);
}

/* settled: see there. */
static void remember(struct exit_fact *exit, bool settled, const struct addr *addrs, size_t n)
{
	for (size_t i = 0; i < n && exit->n_former < EXIT_ADDRS_MAX; i++)
		if (!(settled && exit->usable[addr_family(&addrs[i])]) &&
		    !addrs_contain(exit->addrs, exit->n_addrs, &addrs[i]) &&
		    !addrs_contain(exit->former, exit->n_former, &addrs[i]))
			exit->former[exit->n_former++] = addrs[i];
}

/* It was lost, and is back for so long that nothing is under way any more to what it had before, of
 * the families that are back. */
static bool has_settled(const struct exit_fact *known, const struct exit_fact *now)
{
	return known->resting && !now->resting;
}

bool facts_set_exit(struct facts *facts, const struct exit_fact *exit)
{
	struct exit_fact *known = find_exit(facts, exit->name);
	struct exit_fact now = *exit;
	bool news = !known || known->usable[V4] != now.usable[V4] ||
		    known->usable[V6] != now.usable[V6] || known->mtu != now.mtu ||
		    known->resting != now.resting;

	now.n_former = 0;
	if (known) {
		bool settled = has_settled(known, &now);

		remember(&now, settled, known->addrs, known->n_addrs);
		remember(&now, settled, known->former, known->n_former);
		now.since = news ? now.since : known->since;
	} else {
		facts->exits = xreallocarray(facts->exits, facts->n_exits + 1, sizeof(*exit));
		known = &facts->exits[facts->n_exits++];
	}
	*known = now;
	return news;
}

const char *facts_recall(struct facts *facts, const struct addr *addr)
{
	struct exit_fact *whose = NULL;
	enum family f = addr_family(addr);

	for (size_t i = 0; i < facts->n_exits; i++) {
		struct exit_fact *exit = &facts->exits[i];

		if (addrs_contain(exit->addrs, exit->n_addrs, addr) ||
		    addrs_contain(exit->former, exit->n_former, addr))
			return NULL;
		if (!whose || (whose->usable[f] && !exit->usable[f]))
			whose = exit;
	}
	if (!whose || whose->n_former == EXIT_ADDRS_MAX)
		return NULL;
	whose->former[whose->n_former++] = *addr;
	return whose->name;
}

void facts_forget_exit(struct facts *facts, const char *name)
{
	struct exit_fact *known = find_exit(facts, name);

	if (known)
		*known = facts->exits[--facts->n_exits];
}

void world_done(struct world *world)
{
	for (size_t i = 0; i < world->n; i++)
		member_free(world->members[i]);
	free(world->members);
	free(world->facts.neighbours);
	free(world->facts.exits);
	*world = (struct world){ 0 };
}
