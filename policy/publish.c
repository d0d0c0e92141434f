/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ports that an endpoint publishes: reserved first, then translated, all or nothing. */
#include "base/log.h"
#include "base/mem.h"
#include "engine.h"
#include "plan/compile.h"

static int republish(struct policy *policy, const struct member *member,
		     const struct endpoint *before, const struct endpoint *after, struct err *err)
{
	AUTO(plan) struct plan old = { 0 };
	AUTO(plan) struct plan new = { 0 };

	compile_ports(&member->network, before, &old);
	compile_ports(&member->network, after, &new);
	return engine_transition(policy, &old, &new, err);
}

static void swap_ports(struct endpoint *endpoint, struct port **ports, size_t *n)
{
	struct port *old_ports = endpoint->ports;
	size_t old_n = endpoint->n_ports;

	endpoint->ports = *ports;
	endpoint->n_ports = *n;
	*ports = old_ports;
	*n = old_n;
}

static void port_lost(void *arg, const struct port *port, const struct err *reason)
{
	(void)arg;
	(void)port;
	log_warn("%s", reason->text);
}

int policy_publish(struct policy *policy, const char *network_id, const char *endpoint_id,
		   const struct port_request *ports, size_t n, struct err *err)
{
	AUTO_FREE struct port *other = NULL;
	struct endpoint *endpoint, before;
	struct member *member;
	size_t n_other = 0;
	int r;

	r = endpoint_find(policy, network_id, endpoint_id, &member, &endpoint, err);
	if (r < 0)
		return r;
	if (n == 0 && endpoint->n_ports == 0)
		return 0;
	r = ports_publish(policy->ports, &member->network, endpoint, ports, n, &other, &n_other,
			  err);
	if (r < 0)
		return r;
	before = *endpoint;
	swap_ports(endpoint, &other, &n_other);
	r = republish(policy, member, &before, endpoint, err);
	if (r == 0)
		r = store_save_endpoint(&policy->store, endpoint, err);
	if (r < 0) {
		struct endpoint after = *endpoint;
		struct err ignored;

		swap_ports(endpoint, &other, &n_other);
		(void)republish(policy, member, &after, endpoint, &ignored);
		(void)ports_reopen(policy->ports, &member->network, endpoint, port_lost, NULL);
		return err_advise(err, "nothing was changed, so it can be tried again");
	}
	connections_forget_ports(policy, other, n_other);
	connections_forget_ports(policy, endpoint->ports, endpoint->n_ports);
	return 0;
}
