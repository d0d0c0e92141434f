/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fuzz target: options of networks. Input: key=value. */
#include <stdint.h>

#include "../../plugin/docker_option.h"
#include "../../policy/base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef int set_fn(struct network *network, const char *key, const char *value, struct err *err);

static bool is_name(const char name[IFNAMSIZ])
{
	return memchr(name, '\0', IFNAMSIZ) && !strpbrk(name, "/ \n%*");
}

static bool is_family(const struct addr *addr, enum family family)
{
	return !addr_is_set(addr) || addr_family(addr) == family;
}

static void check(set_fn *set, const char *key, const char *value)
{
	struct network network = { .egress.policy = POLICY_ISOLATED, .container_prefix = "eth" };
	struct network before = network;
	struct err err = { 0 };

	if (set(&network, key, value, &err) < 0) {
		if (memcmp(&network, &before, sizeof(network)) != 0 || !err.code || !*err.text)
			abort();
		return;
	}
	/* Nothing but the plain word opens. */
	if (network.egress.policy == POLICY_OPEN &&
	    !(strstr(key, "policy") && streq(value, "open")))
		abort();
	if (!is_name(network.bridge) || !is_name(network.container_prefix) || network.mtu > 65535)
		abort();
	for (enum family family = V4; family < FAMILIES; family++) {
		if (!is_family(&network.snat[family], family) ||
		    !is_family(&network.host_binding[family], family) ||
		    network.mode[family] > GATEWAY_ISOLATED)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_FREE char *key = xcalloc(1, size + 1);
	AUTO_FREE char *value = NULL;
	char *equals;

	memcpy(key, data, size);
	equals = strchr(key, '=');
	value = xstrdup(equals ? equals + 1 : "");
	if (equals)
		*equals = '\0';
	check(option_set, key, value);
	check(docker_option_set, key, value);
	return 0;
}
