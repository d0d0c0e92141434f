/* SPDX-License-Identifier: GPL-2.0-or-later */
/* State files: one per network in the state directory, one per endpoint in the run directory, so
 * that saving one costs the same however many there are. */
#pragma once

#include "base/err.h"
#include "model/network.h"

struct store {
	int networks;  /* directory: survives a reboot */
	int endpoints; /* directory: dies with the boot */
	int state;     /* directory above networks */
	bool read_only;
};

int store_open(struct store *ret_store, const char *state_dir, const char *run_dir,
	       struct err *err);
/* To be looked at: nothing is made or removed by what follows, and a directory that does not exist
 * is an empty one. */
int store_open_read_only(struct store *ret_store, const char *state_dir, const char *run_dir,
			 struct err *err);
void store_close(struct store *store);

/* On disk when it returns: written aside, synced, renamed. */
int store_save_network(struct store *store, const struct network *network, struct err *err);
int store_remove_network(struct store *store, const char *id, struct err *err);
/* Is there a file, whether it can be read or not? */
bool store_has_network(const struct store *store, const char *id);
/* Not synced: a crash of the machine takes the endpoints with it anyway. */
int store_save_endpoint(struct store *store, const struct endpoint *endpoint, struct err *err);
void store_remove_endpoint(struct store *store, const char *id);

/* What was learned of the host, for the time until it is learned again. A file that is not there or
 * cannot be read is an empty list; an empty list is no file. */
int store_save_neighbours(struct store *store, const char (*names)[IFNAMSIZ], size_t n,
			  struct err *err);
void store_load_neighbours(struct store *store, void (*fn)(void *arg, const char *name), void *arg);

/* Which client the networks belong to; NULL: nobody's. Loads "" when that is not known. */
int store_save_client(struct store *store, const char *client, struct err *err);
void store_load_client(struct store *store, char ret_client[ID_SIZE]);

/* Each calls fn for every file. The ones that cannot be read are reported through bad() and left
 * alone. */
typedef void store_bad_fn(void *arg, const char *file, const struct err *err);
int store_load_networks(struct store *store, void (*fn)(void *arg, const struct network *network),
			store_bad_fn *bad, void *arg, struct err *err);
/* fn takes over endpoint->ports. */
int store_load_endpoints(struct store *store, void (*fn)(void *arg, struct endpoint *endpoint),
			 store_bad_fn *bad, void *arg, struct err *err);
