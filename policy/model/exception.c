/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See exception.h. Looser and tighter, word by word: what can be reached with the tighter one can
 * be reached with the looser one. */
#include "exception.h"

#include <errno.h>

#include "../base/mem.h"
#include "option.h"

static unsigned int looseness_of_lan(enum lan_mode lan)
{
	static const unsigned int order[] = {
		[LAN_OFF] = 0, [LAN_REPLY] = 1, [LAN_LIST] = 2, [LAN_ON] = 3
	};

	return order[lan];
}

static unsigned int looseness_of_host(enum host_mode host)
{
	static const unsigned int order[] = { [HOST_OFF] = 0, [HOST_LIST] = 1, [HOST_ON] = 2 };

	return order[host];
}

static void copy_lan(struct egress *to, const struct egress *from)
{
	to->lan = from->lan;
	memcpy(to->lan_rules, from->lan_rules, sizeof(to->lan_rules));
	to->n_lan_rules = from->n_lan_rules;
}

static void copy_host(struct egress *to, const struct egress *from)
{
	to->host = from->host;
	memcpy(to->host_ports, from->host_ports, sizeof(to->host_ports));
	to->n_host_ports = from->n_host_ports;
}

/* A tighter policy's defaults, but nothing that the network already forbids. */
static void keep_what_is_tighter(struct egress *egress, const struct egress *network)
{
	if (looseness_of_lan(network->lan) < looseness_of_lan(egress->lan))
		copy_lan(egress, network);
	if (looseness_of_host(network->host) < looseness_of_host(egress->host))
		copy_host(egress, network);
	egress->tailnet = egress->tailnet && network->tailnet;
	if (network->dns == DNS_LIST && egress->dns != DNS_LIST) {
		egress->dns = DNS_LIST;
		memcpy(egress->dns_servers, network->dns_servers, sizeof(egress->dns_servers));
		egress->n_dns_servers = network->n_dns_servers;
	}
}

static int set_policy(struct network *own, const struct network *network, const char *value,
		      struct err *err)
{
	struct network changed = *own;
	int r = option_set(&changed, "policy", value, err);

	/* Its own policy once more is no reason to forget the network's other words. */
	if (r < 0 || changed.egress.policy == network->egress.policy)
		return r;
	if (changed.egress.policy > network->egress.policy)
		keep_what_is_tighter(&changed.egress, &network->egress);
	*own = changed;
	return 0;
}

int exception_set(struct network *own, const struct network *network, const char *key,
		  const char *value, struct err *err)
{
	const struct option *option = option_find(key);

	if (!option)
		return option_unknown(key, err);
	if (network->override == OVERRIDE_NONE)
		return err_set(
			err, -EPERM,
			"option %s for one container: network %.12s has override=none, which "
			"allows none; leave it out, or create the network without that",
			option->key, network->id);
	if (option->network_only)
		return err_set(
			err, -EINVAL,
			"option %s is for a whole network, not for one container; give it to "
			"docker network create",
			option->key);
	if (streq(option->key, "policy"))
		return set_policy(own, network, value, err);
	return option_set(own, key, value, err);
}

static bool has_exit(const struct exits *exits, const char *name)
{
	for (size_t i = 0; i < exits->n; i++)
		if (streq(exits->names[i], name))
			return true;
	return false;
}

static bool via_is_looser(const struct egress *own, const struct egress *network)
{
	bool looser = false;

	if (network->policy != POLICY_KILLSWITCH)
		return false;
	for (size_t i = 0; i < own->via.n; i++)
		looser |= !has_exit(&network->via, own->via.names[i]);
	return looser;
}

static bool is_within(const struct lan_rule *rule, const struct egress *network)
{
	for (size_t i = 0; i < network->n_lan_rules; i++) {
		const struct lan_rule *outer = &network->lan_rules[i];

		if (outer->prefix.len <= rule->prefix.len &&
		    prefix_contains(&outer->prefix, &rule->prefix.addr) &&
		    (!outer->port || outer->port == rule->port) &&
		    (!outer->proto || outer->proto == rule->proto))
			return true;
	}
	return false;
}

static bool lan_is_looser(const struct egress *own, const struct egress *network)
{
	if (own->lan != LAN_LIST || network->lan != LAN_LIST)
		return looseness_of_lan(own->lan) > looseness_of_lan(network->lan);
	for (size_t i = 0; i < own->n_lan_rules; i++)
		if (!is_within(&own->lan_rules[i], network))
			return true;
	return false;
}

static bool has_port(const struct egress *egress, uint16_t port)
{
	for (size_t i = 0; i < egress->n_host_ports; i++)
		if (egress->host_ports[i] == port)
			return true;
	return false;
}

static bool host_is_looser(const struct egress *own, const struct egress *network)
{
	if (own->host != HOST_LIST || network->host != HOST_LIST)
		return looseness_of_host(own->host) > looseness_of_host(network->host);
	for (size_t i = 0; i < own->n_host_ports; i++)
		if (!has_port(network, own->host_ports[i]))
			return true;
	return false;
}

static bool mark_is_looser(const struct egress *own, const struct egress *network)
{
	return own->policy == POLICY_BYPASS && network->policy == POLICY_BYPASS &&
	       (own->mark != network->mark || own->mark_mask != network->mark_mask);
}

const char *exception_looser_word(const struct network *own_words, const struct network *network)
{
	const struct egress *own = &own_words->egress, *net = &network->egress;

	if (own->policy < net->policy)
		return "policy";
	if (via_is_looser(own, net))
		return "via";
	if (lan_is_looser(own, net))
		return "lan";
	if (own->tailnet && !net->tailnet)
		return "tailnet";
	if (host_is_looser(own, net))
		return "host";
	if (own->dns == DNS_DOCKER && net->dns != DNS_DOCKER)
		return "dns";
	if (mark_is_looser(own, net))
		return "mark";
	if (network->v6_off && !own_words->v6_off)
		return "ipv6";
	return !network->icc && own_words->icc ? "icc" : NULL;
}

int exception_make(const struct network *own, const struct network *network,
		   struct exception *ret_exception, struct err *err)
{
	const char *word = NULL;

	if (network->override == OVERRIDE_TIGHTEN)
		word = exception_looser_word(own, network);

	if (word)
		return err_set(err, -EPERM,
			       "option %s for one container would allow it more than network %.12s "
			       "does, which has override=tighten; choose something tighter, or "
			       "create the network with -o override=any",
			       word, network->id);
	*ret_exception = exception_of(own);
	return 0;
}

struct exception exception_of(const struct network *own)
{
	return (struct exception){
		.egress = own->egress,
		.v6_off = own->v6_off,
		.icc = own->icc,
		.mtu = own->mtu,
	};
}

void exception_put(const struct exception *exception, struct network *network)
{
	network->egress = exception->egress;
	network->v6_off = exception->v6_off;
	network->icc = exception->icc;
	network->mtu = exception->mtu;
}

void exception_fit(struct exception *exception, const struct network *network)
{
	const struct egress *net = &network->egress;
	struct egress own = exception->egress;

	if (own.policy < net->policy) {
		own = *net;
		keep_what_is_tighter(&own, &exception->egress);
	} else {
		keep_what_is_tighter(&own, net);
	}
	if (via_is_looser(&own, net))
		own.via = net->via;
	if (lan_is_looser(&own, net))
		copy_lan(&own, net);
	if (host_is_looser(&own, net))
		copy_host(&own, net);
	if (own.dns == DNS_DOCKER)
		own.dns = net->dns == DNS_DOCKER ? DNS_DOCKER : DNS_STRICT;
	if (mark_is_looser(&own, net)) {
		own.mark = net->mark;
		own.mark_mask = net->mark_mask;
	}
	exception->egress = own;
	exception->v6_off |= network->v6_off;
	exception->icc &= network->icc;
}
