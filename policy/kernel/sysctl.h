/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers under /proc/sys/net, of the network namespace that the process is in. */
#pragma once

#include "nl.h"

/* name: "net/ipv4/ip_forward". Both return -ENOENT, without a sentence, when there is no such knob:
 * a kernel without IPv6, usually. */
int sysctl_get(const struct nl *nl, const char *name, int *ret_value, struct err *err);
/* Writes only what is not there yet, so that a read-only /proc/sys does for a host that is set up.
 */
int sysctl_set(const struct nl *nl, const char *name, int value, struct err *err);
