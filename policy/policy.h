/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The exit-node engine, as its user sees it. The only header of policy/ (with base/) that plugin/
 * includes. Calls never wait for anybody but the kernel, and repeating one is harmless. */
#pragma once

#include "base/err.h"
#include "base/loop.h"
#include "base/strbuf.h"
#include "model/exception.h"
#include "model/later.h"
#include "model/network.h"
#include "model/option.h"

struct policy;

struct policy_config {
	const char *state_dir;  /* networks: survives a reboot */
	const char *run_dir;    /* endpoints: dies with the boot */
	const char *sysctl_dir; /* where the host's /proc/sys is; NULL: there */
	/* Is a bridge of this name one of somebody else's container networks, from which ours are
	 * kept apart? May be NULL. */
	bool (*is_neighbour)(const char *bridge);
	/* Called when only the client can say more: policy_set_neighbours() of a bridge that has
	 * come or gone, policy_set_client_networks() of a network that is in the way,
	 * policy_settle() of ports that are wanted. May be NULL.
	 */
	void (*ask)(void *arg);
	/* Called when a network or an endpoint has been made, of which the client may have more to
	 * say: policy_network_tell(), policy_endpoint_tell(). May be NULL. */
	void (*listen)(void *arg);
	void *arg;
	/* How long a network has to be missing from its client's lists until it is removed, and how
	 * long when its place is asked for. See forgotten.c. */
	unsigned int forgotten_ms, in_the_way_ms;
};

/* Reads the state, adopts what the kernel has, completes what is missing, sweeps what is orphaned.
 */
struct policy *policy_open(const struct policy_config *config, struct loop *loop, struct err *err);
/* Before that, or in its stead: reads the state, changes nothing of it, and adds to the kernel what
 * closes these networks, but no road. What is there stays. Of config only the directories count;
 * they need not exist. */
int policy_guard(const struct policy_config *config, struct err *err);
/* Leaves everything in the kernel as it is. Accepts NULL. */
void policy_close(struct policy *policy);

/* Fills what the user left open (bridge name ...) and refuses what cannot work, with the reason. */
int policy_network_add(struct policy *policy, const struct network *network, struct err *err);
int policy_network_remove(struct policy *policy, const char *network_id, struct err *err);
const struct network *policy_network(const struct policy *policy, const char *network_id);

/* endpoint: id, network, addr, exception and (all zero: choose one) mac. Makes the veth pair. */
int policy_endpoint_add(struct policy *policy, const struct endpoint *endpoint, struct err *err);
int policy_endpoint_remove(struct policy *policy, const char *network_id, const char *endpoint_id,
			   struct err *err);
const struct endpoint *policy_endpoint(const struct policy *policy, const char *network_id,
				       const char *endpoint_id);

void policy_each_endpoint(const struct policy *policy,
			  void (*fn)(void *arg, const struct network *network,
				     const struct endpoint *endpoint),
			  void *arg);

/* How a container is to be connected: what the one who moves the interface has to know. */
struct attachment {
	const char *container_if;      /* name of the interface to move */
	const char *container_prefix;  /* and the prefix of its name inside */
	struct addr gateway[FAMILIES]; /* unset: none */
	bool no_default_route;         /* and no other network may provide one on our account */
};
int policy_attachment(const struct policy *policy, const char *network_id, const char *endpoint_id,
		      struct attachment *ret_attachment, struct err *err);

/* Replaces what the endpoint publishes by what is asked for; all or nothing. n 0 withdraws. */
int policy_publish(struct policy *policy, const char *network_id, const char *endpoint_id,
		   const struct port_request *ports, size_t n, struct err *err);

/* The same, of an endpoint without a way out, whose container may have another network that
 * provides one: the ports are there then, and must not be held here. Published after
 * policy_settle(). */
int policy_want(struct policy *policy, const char *network_id, const char *endpoint_id,
		const struct port_request *ports, size_t n, struct err *err);
/* The container of such an endpoint has no way out, and so its ports are published here; or it has
 * one. Returns after how many milliseconds this has to be said again; 0: no need. */
unsigned int policy_settle(struct policy *policy, const char *network_id, const char *endpoint_id,
			   bool here);
/* It may be about to get a way out, to whose ports ours must not be in the way. */
int policy_give_way(struct policy *policy, const char *network_id, const char *endpoint_id,
		    struct err *err);

/* The complete list of other people's bridges that are known by name, besides those that
 * is_neighbour() recognises. Remembered over a restart: the first containers run before anybody can
 * be asked. */
void policy_set_neighbours(struct policy *policy, const char *const *bridges, size_t n);

/* The complete list of networks that a client has at this moment. `client` says which one answers,
 * and is the same again when that one restarts. Those of ours that it has forgotten are removed,
 * in time. Returns after how many milliseconds the next list may lead to more; 0: no need. */
unsigned int policy_set_client_networks(struct policy *policy, const char *client,
					const char *const *ids, size_t n);

/* What is said of a network, or of one endpoint, when it has been made: more words of the same
 * kind, once, and all of them; none is something to say, too. Nothing is refused: what makes no
 * sense isolates the network or the endpoint, what its `override` does not allow does not count,
 * and a remark, to be read there, says so. Every later call is about nothing. Returns 1 if
 * something is otherwise than before, 0 if not, -EAGAIN if the endpoint's network has not been told
 * yet, which comes first. */
int policy_network_tell(struct policy *policy, const char *network_id, const struct words *words,
			struct err *err);
int policy_endpoint_tell(struct policy *policy, const char *network_id, const char *endpoint_id,
			 const struct words *words, struct err *err);
/* After how many milliseconds it is worth it to look whether there is something to tell; 0: all
 * have been told. */
unsigned int policy_untold(const struct policy *policy);

/* A new client process has shown up: what an earlier one left half-made may be swept. */
void policy_client_started(struct policy *policy);

/* What is known of a network now. Everything in it is the engine's. */
struct policy_loss {
	const char *reason;
	uint64_t packets;
};
struct policy_status {
	const struct network *network;
	const struct endpoint *endpoint; /* NULL: the network; else one of which there is more */
	const struct egress *egress;     /* its own */
	bool open;
	const char *why;
	const char *exit;    /* in use; NULL: none */
	int64_t since;       /* when the exit changed last, as time(2); 0: not known */
	const char *warning; /* NULL: none */
	size_t endpoints;
	const struct policy_loss *losses; /* packets dropped or rejected, by reason */
	size_t n_losses;
};
/* Of every network, and after it of those of its endpoints that differ, or need a warning. */
typedef void policy_status_fn(void *arg, const struct policy_status *status);
int policy_each_status(struct policy *policy, policy_status_fn *fn, void *arg, struct err *err);

/* What is known of the host as a whole: how much of ours others have changed and we put back, since
 * the start, and who is in our way. */
struct policy_repairs {
	const char *what;
	uint64_t count;
};
struct policy_host_status {
	const struct policy_repairs *repairs;
	size_t n_repairs;
	const char *const *warnings; /* each says what to do */
	size_t n_warnings;
};
typedef void policy_host_status_fn(void *arg, const struct policy_host_status *status);
void policy_host_status(struct policy *policy, policy_host_status_fn *fn, void *arg);

/* Prints what the kernel lacks (+), has too much (-) or has otherwise (~) than it should, a line
 * each; nothing when all is as it should be. Touches nothing. */
int policy_print_difference(struct policy *policy, struct strbuf *text, struct err *err);

/* Prints what this network would become, in nft syntax and one line per link, route and rule; with
 * an exception, what a container that differs by it adds. Needs no engine and touches nothing. */
int policy_preview(const struct network *network, const struct exception *exception,
		   struct strbuf *text, struct err *err);
