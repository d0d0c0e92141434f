/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ports of endpoints without a way out. They are published here only if no other network of the
 * container leads out, which only the client can tell, and only later. A port held here while
 * another network of the container is to have it would make the client fail to start or to connect
 * the container: when in doubt, it is not held. */
#include "base/log.h"
#include "base/mem.h"
#include "engine.h"

/* From the first sign of a change of a container's networks until the client must have bound the
 * ports and shows the change. */
#define UNDECIDED_MS 3000
/* Somebody else has a port: look again. */
#define REFUSED_MS 30000

static struct endpoint *find(const struct policy *policy, const char *network_id,
			     const char *endpoint_id)
{
	const struct member *member = world_find(&policy->world, network_id);

	return member ? member_find(member, endpoint_id) : NULL;
}

static void withdraw(struct policy *policy, const struct endpoint *endpoint)
{
	struct err err = { 0 };

	if (policy_publish(policy, endpoint->network, endpoint->id, NULL, 0, &err) < 0)
		log_warn("network %.12s: withdraw the ports of endpoint %.12s: %s",
			 endpoint->network, endpoint->id, err.text);
}

int policy_want(struct policy *policy, const char *network_id, const char *endpoint_id,
		const struct port_request *ports, size_t n, struct err *err)
{
	struct endpoint *endpoint = find(policy, network_id, endpoint_id);

	if (!endpoint || (n == 0 && endpoint->n_wanted == 0))
		return 0;
	free(endpoint->wanted);
	endpoint->wanted = xcalloc(n + 1, sizeof(*endpoint->wanted));
	endpoint->n_wanted = n;
	if (n)
		memcpy(endpoint->wanted, ports, n * sizeof(*ports));
	endpoint->refused = false;
	/* With nothing wanted here any more, another endpoint may have its turn. */
	engine_ask(policy);
	if (n == 0)
		withdraw(policy, endpoint);
	return store_save_endpoint(&policy->store, endpoint, err);
}

static unsigned int publish(struct policy *policy, struct endpoint *endpoint)
{
	struct err err = { 0 };

	/* Once is enough: to ask again would cut off UDP clients. */
	if (endpoint->n_ports)
		return 0;
	if (policy_publish(policy, endpoint->network, endpoint->id, endpoint->wanted,
			   endpoint->n_wanted, &err) == 0) {
		endpoint->refused = false;
		return 0;
	}
	if (!endpoint->refused)
		log_warn("network %.12s: ports of endpoint %.12s are not published: %s",
			 endpoint->network, endpoint->id, err.text);
	endpoint->refused = true;
	return REFUSED_MS;
}

unsigned int policy_settle(struct policy *policy, const char *network_id, const char *endpoint_id,
			   bool here)
{
	struct endpoint *endpoint = find(policy, network_id, endpoint_id);
	uint64_t now_ms = loop_now_ms();

	if (!endpoint || endpoint->n_wanted == 0)
		return 0;
	if (now_ms < endpoint->undecided_ms)
		return (unsigned int)(endpoint->undecided_ms - now_ms);
	endpoint->settled = true;
	endpoint->here = here;
	if (here)
		return publish(policy, endpoint);
	withdraw(policy, endpoint);
	return 0;
}

int policy_give_way(struct policy *policy, const char *network_id, const char *endpoint_id,
		    struct err *err)
{
	struct endpoint *endpoint = find(policy, network_id, endpoint_id);

	if (!endpoint || endpoint->n_wanted == 0)
		return 0;
	/* While its container starts it is not settled, and need not wait longer than that. */
	if (endpoint->settled || endpoint->n_ports)
		endpoint->undecided_ms = loop_now_ms() + UNDECIDED_MS;
	engine_ask(policy);
	return policy_publish(policy, network_id, endpoint_id, NULL, 0, err);
}
