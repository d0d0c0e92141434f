/* SPDX-License-Identifier: GPL-2.0-or-later */
/* All networks with their endpoints, and the facts learned about the host: the sole input of a
 * plan. The world owns what is in it. */
#pragma once

#include "network.h"

struct member {
	struct network network;
	struct endpoint **endpoints; /* sorted by id */
	size_t n;
	size_t n_exceptions; /* endpoints that differ */

	/* What the client's lists of networks say of it, see policy/forgotten.c; not compared. */
	bool listed;               /* in the last one */
	bool in_the_way;           /* its place was asked for since it was listed */
	uint64_t missing_since_ms; /* 0: not missing, as far as is known */
};

#define EXIT_ADDRS_MAX 16

/* What was learned rather than asked for. */
struct exit_fact {
	char name[IFNAMSIZ];
	bool usable[FAMILIES]; /* up, and with an address of this family to send from */
	uint32_t mtu;
	bool resting; /* has been away of late: not taken back from another one yet */
	struct addr addrs[EXIT_ADDRS_MAX]; /* without link-local ones, and any beyond so many */
	uint8_t n_addrs;
	/* Those it had before, the latest first: answers may still be on their way to them. Kept by
	 * facts_set_exit(), until the exit was lost and has been back for a while. */
	struct addr former[EXIT_ADDRS_MAX];
	uint8_t n_former;
	int64_t since; /* since when it has been usable, or not, in this way; as time(2) */
};

struct facts {
	struct exit_fact
		*exits; /* every interface some network names; absent ones are not usable */
	size_t n_exits;
	char in_use[UINT8_MAX + 1][IFNAMSIZ]; /* by path: the exit that it leads into, or "" */
	char (*neighbours)[IFNAMSIZ];         /* bridges of containers that are not ours; sorted */
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
/* Copies, but takes over what endpoint owns. */
struct endpoint *member_add(struct member *member, const struct endpoint *endpoint);
void member_remove(struct member *member, const char *endpoint_id);
/* Removes it and hands it over with all it owns. It must be there; the id may be its own. */
void member_take(struct member *member, const char *endpoint_id, struct endpoint *ret_endpoint);
void endpoint_done(struct endpoint *endpoint);

/* The network's, or its own. */
const struct egress *endpoint_egress(const struct member *member, const struct endpoint *endpoint);
/* Calls fn for those of all networks and of all endpoints that differ, until it returns true. */
typedef bool egress_fn(const struct egress *egress, void *arg);
bool world_any_egress(const struct world *world, egress_fn *fn, void *arg);

/* Each returns whether something changed. */
bool facts_add_neighbour(struct facts *facts, const char *bridge);
bool facts_remove_neighbour(struct facts *facts, const char *bridge);

const struct exit_fact *facts_exit(const struct facts *facts, const char *name); /* or NULL */
/* Whether it is usable otherwise than it was; other addresses are no such change. */
bool facts_set_exit(struct facts *facts, const struct exit_fact *exit);
void facts_forget_exit(struct facts *facts, const char *name);
/* Some exit had this address: if none is known to have it, or to have had it, it goes to one that
 * is lost, rather than to another one. Returns to which, or NULL. */
const char *facts_recall(struct facts *facts, const struct addr *addr);

void world_done(struct world *world);
