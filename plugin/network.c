/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The methods about the driver itself and about networks. */
#include "method.h"

#include <errno.h>
#include <string.h>

#include "../policy/base/mem.h"
#include "decode.h"
#include "encode.h"
#include "options.h"
#include "swarm.h"

int network_activate(struct policy *policy, const char *body, size_t len, struct strbuf *reply,
		     struct err *err)
{
	(void)body, (void)len, (void)err;
	policy_client_started(policy);
	encode_activate(reply);
	return 0;
}

/* Must never fail: a dockerd that once got no answer does not ask again. */
int network_capabilities(struct policy *policy, const char *body, size_t len, struct strbuf *reply,
			 struct err *err)
{
	(void)body, (void)len, (void)err;
	policy_client_started(policy);
	encode_capabilities(reply);
	return 0;
}

/* Does the network need an address for its gateway? Asked before it gets addresses at all. */
int network_gateway_check(struct policy *policy, const char *body, size_t len, struct strbuf *reply,
			  struct err *err)
{
	AUTO(network_request) struct network_request request = { 0 };
	struct network *network = &request.network;
	int r;

	(void)policy;
	r = decode_gateway_check(body, len, &request, err);
	if (r == 0)
		r = options_apply(network, &request.options, err);
	if (r < 0)
		return r;
	encode_gateway_check(reply,
			     network->mode[V4] == GATEWAY_ISOLATED ||
				     (network->inhibit_v4 && network->internal),
			     network->mode[V6] == GATEWAY_ISOLATED);
	return 0;
}

/* For drivers of global scope, which have one network on all nodes of a swarm. */
int network_allocate(struct policy *policy, const char *body, size_t len, struct strbuf *reply,
		     struct err *err)
{
	struct network_id id;
	int r;

	(void)policy, (void)reply;
	r = decode_network_id(body, len, &id, err);
	if (r < 0)
		return r;
	return err_set(
		err, -EOPNOTSUPP,
		"this driver has local scope and allocates no network for a whole swarm; make "
		"one of --config-only on every node, and then use `docker network create "
		"--scope swarm --config-from`");
}

/* Nothing was allocated: it is freed. */
int network_free(struct policy *policy, const char *body, size_t len, struct strbuf *reply,
		 struct err *err)
{
	struct network_id id;

	(void)policy, (void)reply;
	return decode_network_id(body, len, &id, err);
}

int network_create(struct policy *policy, const char *body, size_t len, struct strbuf *reply,
		   struct err *err)
{
	AUTO(network_request) struct network_request request = { 0 };
	int r;

	(void)reply;
	r = decode_network(body, len, &request, err);
	if (r == 0)
		r = swarm_check(&request, err);
	if (r == 0)
		r = options_apply(&request.network, &request.options, err);
	if (r == 0)
		r = policy_network_add(policy, &request.network, err);
	return r;
}

int network_delete(struct policy *policy, const char *body, size_t len, struct strbuf *reply,
		   struct err *err)
{
	struct network_id id;
	int r;

	(void)reply;
	r = decode_network_id(body, len, &id, err);
	if (r == 0)
		r = policy_network_remove(policy, id.text, err);
	return r;
}

/* Other hosts come and go: nothing to us. */
int network_discover(struct policy *policy, const char *body, size_t len, struct strbuf *reply,
		     struct err *err)
{
	(void)policy, (void)body, (void)len, (void)reply, (void)err;
	return 0;
}
