/* SPDX-License-Identifier: GPL-2.0-or-later */
/* All networks with their endpoints, and the facts learned about the host: the sole input of a plan.
 * The world owns what is in it. */
#pragma once

#include "network.h"

struct member {
	struct network network;
	struct endpoint **endpoints; /* sorted by id */
	size_t n;
};

/* What was learned rather than asked for. */
struct facts {
	char (*neighbours)[IFNAMSIZ]; /* bridges of containers that are not ours; sorted */
	size_t n_neighbours;
};

struct world {
	struct member **members; /* sorted by network id */
	size_t n;
	struct facts facts;
};

struct member *world_find(const struct world *world, const char *network_id);
/* Copies. The id must not be there yet. */
struct member *world_add(struct world *world, const struct network *network);
void world_remove(struct world *world, const char *network_id);

struct endpoint *member_find(const struct member *member, const char *endpoint_id);
/* Copies, but takes over endpoint->ports. */
struct endpoint *member_add(struct member *member, const struct endpoint *endpoint);
void member_remove(struct member *member, const char *endpoint_id);
/* Removes it and hands it over, ports and all. It must be there; the id may be its own. */
void member_take(struct member *member, const char *endpoint_id, struct endpoint *ret_endpoint);
void endpoint_done(struct endpoint *endpoint);

/* Each returns whether something changed. */
bool facts_add_neighbour(struct facts *facts, const char *bridge);
bool facts_remove_neighbour(struct facts *facts, const char *bridge);

void world_done(struct world *world);
