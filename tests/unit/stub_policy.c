/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See stub_policy.h. */
#include "stub_policy.h"

#include <errno.h>

#include "../../policy/base/mem.h"

struct stub_endpoint {
	struct endpoint endpoint;
	struct stub_endpoint *next;
};

struct stub_network {
	struct network network;
	struct stub_endpoint *endpoints;
	struct stub_network *next;
};

struct policy {
	struct stub_network *networks;
	unsigned int changes;
	unsigned int clients;
	struct strbuf told; /* a line for each word */
};

struct policy *policy_open(const struct policy_config *config, struct loop *loop, struct err *err)
{
	(void)config, (void)loop, (void)err;
	return xcalloc(1, sizeof(struct policy));
}

static void free_endpoint(struct stub_endpoint *endpoint)
{
	free(endpoint->endpoint.ports);
	free(endpoint->endpoint.wanted);
	free(endpoint);
}

static void free_network(struct stub_network *network)
{
	struct stub_endpoint *endpoint;

	while ((endpoint = network->endpoints)) {
		network->endpoints = endpoint->next;
		free_endpoint(endpoint);
	}
	free(network);
}

void policy_close(struct policy *policy)
{
	struct stub_network *network;

	while (policy && (network = policy->networks)) {
		policy->networks = network->next;
		free_network(network);
	}
	if (policy)
		strbuf_done(&policy->told);
	free(policy);
}

unsigned int stub_changes(const struct policy *policy)
{
	return policy->changes;
}

unsigned int stub_clients(const struct policy *policy)
{
	return policy->clients;
}

static struct stub_network *find_network(const struct policy *policy, const char *id)
{
	struct stub_network *network = policy->networks;

	while (network && !streq(network->network.id, id))
		network = network->next;
	return network;
}

static struct stub_endpoint *find_endpoint(const struct policy *policy, const char *network_id,
					   const char *id)
{
	struct stub_network *network = find_network(policy, network_id);
	struct stub_endpoint *endpoint = network ? network->endpoints : NULL;

	while (endpoint && !streq(endpoint->endpoint.id, id))
		endpoint = endpoint->next;
	return endpoint;
}

int policy_network_add(struct policy *policy, const struct network *network, struct err *err)
{
	struct stub_network *known = find_network(policy, network->id);

	if (known && memcmp(&known->network, network, sizeof(*network)) != 0)
		return err_set(err, -EEXIST, "network %s exists and is another", network->id);
	if (known)
		return 0;
	known = xcalloc(1, sizeof(*known));
	known->network = *network;
	known->next = policy->networks;
	policy->networks = known;
	policy->changes++;
	return 0;
}

int policy_network_remove(struct policy *policy, const char *network_id, struct err *err)
{
	struct stub_network **place = &policy->networks;
	struct stub_network *network;

	(void)err;
	while ((network = *place) && !streq(network->network.id, network_id))
		place = &network->next;
	if (!network)
		return 0;
	*place = network->next;
	free_network(network);
	policy->changes++;
	return 0;
}

const struct network *policy_network(const struct policy *policy, const char *network_id)
{
	struct stub_network *network = find_network(policy, network_id);

	return network ? &network->network : NULL;
}

int policy_endpoint_add(struct policy *policy, const struct endpoint *endpoint, struct err *err)
{
	static const uint8_t chosen[6] = { 0x02, 0x42, 0xac, 0x11, 0x00, 0x02 };
	static const uint8_t none[6];
	struct stub_network *network = find_network(policy, endpoint->network);
	struct stub_endpoint *made;

	if (!network)
		return err_set(err, -ENOENT, "network %s is not known", endpoint->network);
	if (find_endpoint(policy, endpoint->network, endpoint->id))
		return 0;
	made = xcalloc(1, sizeof(*made));
	made->endpoint = *endpoint;
	if (memcmp(endpoint->mac, none, sizeof(none)) == 0)
		memcpy(made->endpoint.mac, chosen, sizeof(chosen));
	strcpy(made->endpoint.container_if, "tec0");
	made->next = network->endpoints;
	network->endpoints = made;
	policy->changes++;
	return 0;
}

int policy_endpoint_remove(struct policy *policy, const char *network_id, const char *endpoint_id,
			   struct err *err)
{
	struct stub_network *network = find_network(policy, network_id);
	struct stub_endpoint **place = network ? &network->endpoints : NULL;
	struct stub_endpoint *endpoint = NULL;

	(void)err;
	while (place && (endpoint = *place) && !streq(endpoint->endpoint.id, endpoint_id))
		place = &endpoint->next;
	if (!endpoint)
		return 0;
	*place = endpoint->next;
	free_endpoint(endpoint);
	policy->changes++;
	return 0;
}

const struct endpoint *policy_endpoint(const struct policy *policy, const char *network_id,
				       const char *endpoint_id)
{
	struct stub_endpoint *endpoint = find_endpoint(policy, network_id, endpoint_id);

	return endpoint ? &endpoint->endpoint : NULL;
}

void policy_each_endpoint(const struct policy *policy,
			  void (*fn)(void *arg, const struct network *network,
				     const struct endpoint *endpoint),
			  void *arg)
{
	for (struct stub_network *network = policy->networks; network; network = network->next) {
		for (struct stub_endpoint *endpoint = network->endpoints; endpoint;
		     endpoint = endpoint->next)
			fn(arg, &network->network, &endpoint->endpoint);
	}
}

int policy_attachment(const struct policy *policy, const char *network_id, const char *endpoint_id,
		      struct attachment *ret_attachment, struct err *err)
{
	const struct stub_network *network = find_network(policy, network_id);
	const struct stub_endpoint *endpoint = find_endpoint(policy, network_id, endpoint_id);

	if (!endpoint)
		return err_set(err, -ENOENT, "endpoint %s is not known", endpoint_id);
	*ret_attachment = (struct attachment){
		.container_if = endpoint->endpoint.container_if,
		.container_prefix = network->network.container_prefix,
		.no_default_route = network->network.internal ||
				    network->network.egress.policy == POLICY_ISOLATED,
	};
	for (enum family family = V4; family < FAMILIES && !ret_attachment->no_default_route;
	     family++)
		ret_attachment->gateway[family] = network->network.gateway[family];
	return 0;
}

int policy_publish(struct policy *policy, const char *network_id, const char *endpoint_id,
		   const struct port_request *ports, size_t n, struct err *err)
{
	struct stub_endpoint *known = find_endpoint(policy, network_id, endpoint_id);
	struct endpoint *endpoint;

	if (!known)
		return err_set(err, -ENOENT, "endpoint %s is not known", endpoint_id);
	endpoint = &known->endpoint;
	free(endpoint->ports);
	endpoint->ports = xcalloc(n + 1, sizeof(endpoint->ports[0]));
	endpoint->n_ports = n;
	for (size_t i = 0; i < n; i++) {
		endpoint->ports[i] = (struct port){ ports[i].proto, ports[i].port, ports[i].host,
						    ports[i].host_port };
		if (!addr_is_set(&ports[i].host))
			endpoint->ports[i].host.family = AF_INET;
	}
	policy->changes++;
	return 0;
}

int policy_want(struct policy *policy, const char *network_id, const char *endpoint_id,
		const struct port_request *ports, size_t n, struct err *err)
{
	struct stub_endpoint *known = find_endpoint(policy, network_id, endpoint_id);

	(void)err;
	if (!known || known->endpoint.n_wanted + n == 0)
		return 0;
	free(known->endpoint.wanted);
	known->endpoint.wanted = xcalloc(n + 1, sizeof(*ports));
	known->endpoint.n_wanted = n;
	if (n)
		memcpy(known->endpoint.wanted, ports, n * sizeof(*ports));
	policy->changes++;
	return 0;
}

unsigned int policy_settle(struct policy *policy, const char *network_id, const char *endpoint_id,
			   bool here)
{
	struct stub_endpoint *known = find_endpoint(policy, network_id, endpoint_id);
	struct err err;

	if (!known)
		return 0;
	known->endpoint.here = here;
	(void)policy_publish(policy, network_id, endpoint_id, known->endpoint.wanted,
			     here ? known->endpoint.n_wanted : 0, &err);
	return 0;
}

int policy_give_way(struct policy *policy, const char *network_id, const char *endpoint_id,
		    struct err *err)
{
	const struct stub_endpoint *known = find_endpoint(policy, network_id, endpoint_id);

	if (!known || known->endpoint.n_wanted == 0)
		return 0;
	return policy_publish(policy, network_id, endpoint_id, NULL, 0, err);
}

int policy_network_tell(struct policy *policy, const char *network_id, const struct words *words,
			struct err *err)
{
	struct stub_network *known = find_network(policy, network_id);

	(void)err;
	if (!known || known->network.heard)
		return 0;
	known->network.heard = true;
	for (size_t i = 0; i < words->n; i++)
		strbuf_addf(&policy->told, "%s %s=%s\n", network_id, words->items[i].key,
			    words->items[i].value);
	return words->n > 0;
}

int policy_endpoint_tell(struct policy *policy, const char *network_id, const char *endpoint_id,
			 const struct words *words, struct err *err)
{
	struct stub_endpoint *known = find_endpoint(policy, network_id, endpoint_id);

	(void)err;
	if (!known || known->endpoint.heard)
		return 0;
	if (!find_network(policy, network_id)->network.heard)
		return -EAGAIN;
	known->endpoint.heard = true;
	for (size_t i = 0; i < words->n; i++)
		strbuf_addf(&policy->told, "%s/%s %s=%s\n", network_id, endpoint_id,
			    words->items[i].key, words->items[i].value);
	return words->n > 0;
}

const char *stub_told(const struct policy *policy)
{
	return strbuf_text(&policy->told);
}

unsigned int policy_untold(const struct policy *policy)
{
	for (struct stub_network *network = policy->networks; network; network = network->next) {
		if (!network->network.heard)
			return 50;
		for (struct stub_endpoint *endpoint = network->endpoints; endpoint;
		     endpoint = endpoint->next)
			if (!endpoint->endpoint.heard)
				return 50;
	}
	return 0;
}

void policy_client_started(struct policy *policy)
{
	policy->clients++;
}

int policy_each_status(struct policy *policy, policy_status_fn *fn, void *arg, struct err *err)
{
	(void)policy, (void)fn, (void)arg, (void)err;
	return 0;
}

void policy_host_status(struct policy *policy, policy_host_status_fn *fn, void *arg)
{
	(void)policy, (void)fn, (void)arg;
}

int policy_print_difference(struct policy *policy, struct strbuf *text, struct err *err)
{
	(void)policy, (void)text, (void)err;
	return 0;
}

int policy_preview(const struct network *network, const struct exception *exception,
		   struct strbuf *text, struct err *err)
{
	(void)network, (void)exception, (void)text, (void)err;
	return 0;
}
