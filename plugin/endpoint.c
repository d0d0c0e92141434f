/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The methods about endpoints: a container's connection to a network, from the veth pair to the
 * published ports. */
#include "method.h"

#include <errno.h>

#include "../policy/base/log.h"
#include "../policy/base/mem.h"
#include "decode.h"
#include "encode.h"
#include "options.h"
#include "swarm.h"

/* dockerd asks resolvers it found by itself from the host's namespace, around every rule of ours.
 * An internal network never tells of resolvers, and never asks outside. */
static int check_resolvers(const struct network *network, const struct egress *egress,
			   const struct endpoint_request *request, struct err *err)
{
	if (request->own_resolvers || network->internal || !egress_is_confined(egress) ||
	    egress->dns == DNS_DOCKER)
		return 0;
	return err_set(err, -EPERM,
		       "this container's names would be resolved from the host, around the exit "
		       "(dns=strict); add --dns ADDRESS (compose: dns), or \"dns\" to "
		       "/etc/docker/daemon.json, or accept it with -o dns=docker on network %.12s",
		       network->id);
}

static int add_endpoint(struct policy *policy, struct endpoint_request *request, struct err *err)
{
	const struct network *network = policy_network(policy, request->endpoint.network);
	const struct egress *egress = network ? &network->egress : NULL;
	struct exception exception;
	int r = 0;

	request->endpoint.names_by_host = !request->own_resolvers;
	if (network && request->options.n) {
		r = options_except(network, &request->options, &exception, err);
		request->endpoint.exception = &exception;
		egress = &exception.egress;
	}
	if (r == 0 && network)
		r = check_resolvers(network, egress, request, err);
	if (r == 0)
		r = policy_endpoint_add(policy, &request->endpoint, err);
	request->endpoint.exception = NULL;
	return r;
}

int endpoint_create(struct policy *policy, const char *body, size_t len, struct strbuf *reply,
		    struct err *err)
{
	AUTO(endpoint_request) struct endpoint_request request = { 0 };
	const struct endpoint *made;
	int r;

	r = decode_endpoint(body, len, &request, err);
	if (r == 0)
		r = add_endpoint(policy, &request, err);
	if (r < 0)
		return r;
	made = policy_endpoint(policy, request.endpoint.network, request.endpoint.id);
	/* dockerd takes back the endpoint when a reply repeats what it asked for. */
	encode_endpoint(reply, made && !request.mac_given ? made->mac : NULL);
	return 0;
}

int endpoint_delete(struct policy *policy, const char *body, size_t len, struct strbuf *reply,
		    struct err *err)
{
	AUTO(attach_request) struct attach_request request = { 0 };
	int r;

	(void)reply;
	r = decode_attach(body, len, &request, err);
	if (r == 0) /* its ports with it */
		r = policy_endpoint_remove(policy, request.network, request.endpoint, err);
	return r;
}

int endpoint_info(struct policy *policy, const char *body, size_t len, struct strbuf *reply,
		  struct err *err)
{
	AUTO(attach_request) struct attach_request request = { 0 };
	int r;

	r = decode_attach(body, len, &request, err);
	if (r < 0)
		return r;
	if (!policy_endpoint(policy, request.network, request.endpoint))
		return err_set(err, -ENOENT,
			       "endpoint %.12s of network %.12s is not known; disconnect the "
			       "container and connect it again",
			       request.endpoint, request.network);
	/* All engines ask this before they connect a running container to another network, and
	 * again when it is connected or disconnected. They bind its ports in between. */
	r = policy_give_way(policy, request.network, request.endpoint, err);
	if (r == 0)
		encode_endpoint_info(reply);
	return r;
}

/* dockerd asks for ports to be published where the way out is: here is none. Whether there is one
 * elsewhere it does not tell a driver, and while it calls one nobody else can tell either. */
static int want_ports(struct policy *policy, const struct attach_request *request, struct err *err)
{
	const struct network *network = policy_network(policy, request->network);

	if (request->ports.n == 0 || network->internal)
		return 0;
	log_info("network %.12s: ports of endpoint %.12s are published when its container runs, "
		 "unless another network of it leads out",
		 request->network, request->endpoint);
	return policy_want(policy, request->network, request->endpoint, request->ports.items,
			   request->ports.n, err);
}

int endpoint_join(struct policy *policy, const char *body, size_t len, struct strbuf *reply,
		  struct err *err)
{
	AUTO(attach_request) struct attach_request request = { 0 };
	struct attachment attachment = { 0 };
	int r;

	r = decode_attach(body, len, &request, err);
	if (r == 0)
		r = policy_attachment(policy, request.network, request.endpoint, &attachment, err);
	if (r == 0)
		swarm_keep_gateway(policy_network(policy, request.network),
				   policy_endpoint(policy, request.network, request.endpoint),
				   &attachment);
	if (r == 0 && attachment.no_default_route)
		r = want_ports(policy, &request, err);
	if (r == 0)
		encode_join(reply, &attachment);
	return r;
}

/* The endpoint provides the container's way out now. Only then are its ports published: of several
 * networks of a container one has them, and dockerd decides which.
 * Engines up to 27 decide by the IPv4 gateway alone: there an endpoint without one, for instance on
 * an IPv6-only network, never gets this call, and none of its ports. */
int endpoint_publish(struct policy *policy, const char *body, size_t len, struct strbuf *reply,
		     struct err *err)
{
	AUTO(attach_request) struct attach_request request = { 0 };
	const struct port_requests *ports = &request.ports;
	int r;

	(void)reply;
	r = decode_attach(body, len, &request, err);
	if (r < 0)
		return r;
	if (ports->given)
		return policy_publish(policy, request.network, request.endpoint, ports->items,
				      ports->n, err);
	/* While it cleans up after a crash dockerd has forgotten the ports and moves the way out
	 * between endpoints all the same: leave them as they are. */
	if (!policy_endpoint(policy, request.network, request.endpoint))
		return err_set(err, -ENOENT, "endpoint %.12s of network %.12s is not known",
			       request.endpoint, request.network);
	return 0;
}

int endpoint_withdraw(struct policy *policy, const char *body, size_t len, struct strbuf *reply,
		      struct err *err)
{
	AUTO(attach_request) struct attach_request request = { 0 };
	int r;

	(void)reply;
	r = decode_attach(body, len, &request, err);
	if (r < 0 || !policy_endpoint(policy, request.network, request.endpoint))
		return r;
	return policy_publish(policy, request.network, request.endpoint, NULL, 0, err);
}

/* The interface is still inside the container: it goes away with the endpoint. The ports go now,
 * since not every engine has sent RevokeExternalConnectivity before. */
int endpoint_leave(struct policy *policy, const char *body, size_t len, struct strbuf *reply,
		   struct err *err)
{
	AUTO(attach_request) struct attach_request request = { 0 };
	int r;

	r = decode_attach(body, len, &request, err);
	if (r == 0)
		r = policy_want(policy, request.network, request.endpoint, NULL, 0, err);
	return r < 0 ? r : endpoint_withdraw(policy, body, len, reply, err);
}
