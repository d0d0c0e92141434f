/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the parts of the engine share. Nothing else includes this. */
#pragma once

#include "kernel/hostfw_legacy.h"
#include "kernel/nl.h"
#include "model/world.h"
#include "plan/plan.h"
#include "policy.h"
#include "ports/ports.h"
#include "repair.h"
#include "rests.h"
#include "store.h"
#include "survey.h"
#include "watch/links.h"
#include "watch/nft.h"
#include "watch/routes.h"

struct policy {
	struct loop *loop;
	struct policy_config config; /* without the directories */
	struct nl nl;
	struct store store;
	struct world world;
	struct ports *ports;
	struct hostfw_legacy *legacy;
	struct link_watch *link_watch;
	struct nft_watch *nft_watch;
	struct route_watch *route_watch;
	struct loop_timer *hostpath; /* somebody changed rules that are not ours */
	bool hostpath_pending;
	uint64_t hostpath_told_ms;
	struct repair *repair;
	struct surveyor *surveyor;
	struct rests *rests;
	struct facts named; /* what policy_set_neighbours() said */

	/* Some state file could not be read: what the kernel has and we do not know of may be a
	 * network's only protection, so nothing is swept. */
	bool incomplete;

	/* What the kernel still knew of exits has been learned from it, at the start. */
	bool recalled;

	char client[ID_SIZE]; /* whose networks ours are; empty: not known yet */

	uint64_t era; /* counts processes, the client's and our own; endpoints remember theirs */
	struct loop_timer *sweep;
};

/* engine.c: the client is to be asked for what it alone knows. */
void engine_ask(const struct policy *policy);
/* engine.c: the client may have words for something that has just been made. */
void engine_listen(const struct policy *policy);

/* engine.c: the one way into the kernel. The world has been edited already; before and after are
 * the pieces of its plan that the edit changed. On failure the kernel is as it was. */
int engine_transition(struct policy *policy, struct plan *before, struct plan *after,
		      struct err *err);
/* engine.c: makes the kernel contain what the world says, whatever it contains now, as far as that
 * is possible: the error is the first of what failed. making: what was not expected to be there
 * yet, or NULL. Pairs are not made again, but for those: their other ends were in containers, and
 * are gone.
 */
int engine_reconcile(struct policy *policy, const struct plan *making,
		     struct findings *ret_findings, struct err *err);

/* engine.c: what there is against what there should be. Both plans must outlive the operations. */
int engine_compare(struct policy *policy, struct plan *seen, struct plan *wanted,
		   struct ops *ret_ops, struct err *err);
/* engine.c: the world as the state files and the links of the host tell it. bad_network() and
 * bad_endpoint() get the policy. */
int engine_read_state(struct policy *policy, store_bad_fn *bad_network, store_bad_fn *bad_endpoint,
		      struct err *err);

/* hostpath.c: keeps Docker's forward path open for our bridges, or closes it after the last one.
 * Returns how many rules that took, or a negative errno; which it has told. */
int hostpath_update(struct policy *policy);
/* hostpath.c: the same after others changed rules; counted as a repair. */
void hostpath_repair(struct policy *policy);
/* hostpath.c: before a network goes whose bridge has a name of its own. */
void hostpath_forget(struct policy *policy, const char *bridge);

/* endpoints.c: or a sentence about which of the two is not known. */
int endpoint_find(const struct policy *policy, const char *network_id, const char *endpoint_id,
		  struct member **ret_member, struct endpoint **ret_endpoint, struct err *err);
/* endpoints.c: takes the endpoint, which must exist, out of world, kernel, ports and state. The id
 * may be the endpoint's own. */
int endpoint_discard(struct policy *policy, struct member *member, const char *endpoint_id,
		     struct err *err);

/* endpoints.c: may an endpoint of this network have it? Assigns the path. */
int endpoint_check_exception(const struct policy *policy, const struct network *net,
			     struct exception *exception, struct err *err);

/* told.c: it was not confined when it was made, and so may ask for names around its exit. */
bool endpoint_leaks_names(const struct member *member, const struct endpoint *endpoint);

/* told.c: a link of this name has left the host. */
void told_link_taken(struct policy *policy, const char *container_if);

/* connections.c: no packet of an old flow keeps an old path, address or port. */
void connections_forget_endpoint(struct policy *policy, const struct endpoint *endpoint);
/* All of one network. */
void connections_forget_network(struct policy *policy, const struct network *net);
/* Of the networks, and of the endpoints that differ from theirs, for which this is true. */
void connections_forget(struct policy *policy,
			bool (*which)(const struct egress *egress, const void *arg),
			const void *arg);
/* Those that began while our address translation was not there would go on without it for ever. */
void connections_forget_untranslated(struct policy *policy);
/* Of UDP: a client that keeps sending from one port has an entry from before the port was
 * published, or from its last holder, and would never be translated anew. */
void connections_forget_ports(struct policy *policy, const struct port *ports, size_t n);

/* paths.c. Assigned before something that leaves by them is compiled for the first time. */
int paths_assign(const struct policy *policy, struct egress *egress, struct err *err);
size_t paths_users(const struct policy *policy, uint8_t path);
/* The path, unless others take it as well. */
void paths_compile(const struct policy *policy, const struct egress *egress, bool in_world,
		   struct plan *plan);

/* exits.c. Learned of before something that leaves by them is compiled for the first time;
 * forgotten after the last one that names them is gone from the world. */
int exits_check(const struct policy *policy, const struct egress *egress, const char *bridge,
		struct err *err);
int exits_learn(struct policy *policy, const struct egress *egress, struct err *err);
void exits_forget(struct policy *policy, const struct egress *egress);
/* Something about this link is different; nothing happens if it is no exit. */
void exits_changed(struct policy *policy, const char *name);
void exits_changed_all(struct policy *policy);
/* A link that is up may be given another name, and the kernel tells of that name only. */
void exits_miss(struct policy *policy);
/* Has been there for long enough to be preferred again. */
void exits_rested(struct policy *policy, const char *name);
/* Notes which exits the paths lead into, after networks have been added. */
void exits_settle(struct policy *policy);
/* What an earlier daemon left in the kernel says which addresses they had. */
void exits_recall(struct policy *policy, const struct plan *seen);

/* neighbours.c */
void neighbours_remember(struct policy *policy); /* what was known before the last stop */
void neighbours_forget(struct policy *policy);   /* frees what they are kept in */
void neighbours_save(struct policy *policy); /* when the first network comes, the last one goes */
void neighbours_read(struct policy *policy);
void neighbours_bridge_seen(struct policy *policy, const char *bridge);
void neighbours_bridge_gone(struct policy *policy, const char *bridge);

/* forgotten.c */
void forgotten_remember(struct policy *policy); /* which client it was before the last stop */
/* Is there perhaps nothing behind this network any more? It is in the way of another. */
void forgotten_suspect(struct policy *policy, struct member *member);
void forgotten_network_added(struct policy *policy);
void forgotten_last_network_gone(struct policy *policy);

/* events.c */
int events_start(struct policy *policy, struct err *err);
void events_stop(struct policy *policy);
/* Endpoints that exist by now have to be in a container soon, or are swept. */
void events_begin_era(struct policy *policy);
