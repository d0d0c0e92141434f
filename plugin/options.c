/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See options.h. */
#include "options.h"

#include <errno.h>
#include <string.h>

#include "../policy/base/mem.h"
#include "docker_option.h"

/* IPv6 does not exist on links with a smaller MTU. */
#define IPV6_MTU_MIN 1280

/* One name for all spellings of an option. */
static const char *canonical(const char *key)
{
	const struct docker_option *docker = docker_option_find(key);
	const struct option *option = option_find(key);

	if (docker && docker->same_as)
		return docker->same_as;
	return option ? option->key : key;
}

static int refuse_twins(const struct request_options *options, struct err *err)
{
	for (size_t i = 0; i < options->n; i++) {
		for (size_t j = 0; j < i; j++) {
			if (!streq(canonical(options->items[i].key),
				   canonical(options->items[j].key)))
				continue;
			return err_set(err, -EINVAL,
				       "options \"%s\" and \"%s\" are two spellings of one; "
				       "keep one of them",
				       options->items[j].key, options->items[i].key);
		}
	}
	return 0;
}

static int check_mtu(const struct network *network, struct err *err)
{
	if (network->mtu != 0 && network->mtu < IPV6_MTU_MIN && prefix_is_set(&network->subnet[V6]))
		return err_set(err, -EINVAL,
			       "MTU %u is too small for IPv6; use at least %d, or no IPv6 subnet",
			       network->mtu, IPV6_MTU_MIN);
	return 0;
}

static int check(const struct network *network, struct err *err)
{
	for (enum family family = V4; family < FAMILIES; family++) {
		if (network->mode[family] == GATEWAY_ISOLATED && !network->internal)
			return err_set(err, -EINVAL,
				       "gateway mode \"isolated\" is for internal networks only; "
				       "add --internal or use another mode");
	}
	return check_mtu(network, err);
}

/* The policy first: the defaults of the others depend on it. Until one fails. */
static int in_order(const struct request_options *options,
		    int (*apply)(void *arg, const struct request_option *option, struct err *err),
		    void *arg, struct err *err)
{
	int r = refuse_twins(options, err);

	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; r == 0 && i < options->n; i++) {
			bool is_policy = streq(canonical(options->items[i].key), "policy");

			if (is_policy == (pass == 0))
				r = apply(arg, &options->items[i], err);
		}
	}
	return r;
}

static int apply_option(void *arg, const struct request_option *option, struct err *err)
{
	struct network *network = arg;

	if (strncmp(option->key, "com.docker.", strlen("com.docker.")) == 0)
		return docker_option_set(network, option->key, option->value, err);
	return option_set(network, option->key, option->value, err);
}

int options_apply(struct network *network, const struct request_options *options, struct err *err)
{
	int r;

	network->masquerade = true;
	network->icc = true;
	strcpy(network->container_prefix, "eth");
	network->egress = egress_default(POLICY_KILLSWITCH);
	r = in_order(options, apply_option, network, err);
	return r < 0 ? r : check(network, err);
}

struct difference {
	const struct network *network;
	struct network own;
};

static int apply_to_one(void *arg, const struct request_option *option, struct err *err)
{
	struct difference *difference = arg;

	return exception_set(&difference->own, difference->network, option->key, option->value,
			     err);
}

int options_except(const struct network *network, const struct request_options *options,
		   struct exception *ret_exception, struct err *err)
{
	struct difference difference = { network, *network };
	int r = in_order(options, apply_to_one, &difference, err);

	if (r == 0)
		r = check_mtu(&difference.own, err);
	return r < 0 ? r : exception_make(&difference.own, network, ret_exception, err);
}
