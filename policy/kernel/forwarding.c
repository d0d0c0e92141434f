/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See forwarding.h. */
#include "forwarding.h"

#include <errno.h>

#include "sysctl.h"

static const char *const knobs[FAMILIES] = {
	[V4] = "net/ipv4/ip_forward",
	[V6] = "net/ipv6/conf/all/forwarding",
};

int forwarding_enable(struct nl *nl, enum family family, struct err *err)
{
	int value;
	int r = sysctl_get(nl, knobs[family], &value, err);

	if (r == 0 && value == 0)
		r = sysctl_set(nl, knobs[family], 1, err);
	if (r == -ENOENT)
		return err_set(err, r, "this kernel has no IPv%d (%s/%s does not exist)",
			       family == V4 ? 4 : 6, nl->sysctls, knobs[family]);
	if (r < 0)
		return err_wrap(err, "IPv%d forwarding is off and cannot be turned on",
				family == V4 ? 4 : 6);
	return 0;
}

int forwarding_observe(struct nl *nl, struct plan *plan, struct err *err)
{
	for (enum family family = 0; family < FAMILIES; family++) {
		int value = 0;
		int r = sysctl_get(nl, knobs[family], &value, err);

		if (r < 0 && r != -ENOENT)
			return r;
		if (value != 0)
			plan_add(plan, ITEM_FORWARDING)->forwarding.family = family;
	}
	return 0;
}
