/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The methods dockerd calls, one function each. All may be repeated and come in any order; removing
 * what is not there is success. */
#pragma once

#include "../policy/base/strbuf.h"
#include "../policy/policy.h"

/* Writes a reply, or returns a negative errno with a sentence and has written nothing. */
typedef int method_fn(struct policy *policy, const char *body, size_t len, struct strbuf *reply,
		      struct err *err);

/* network.c */
method_fn network_activate;
method_fn network_capabilities;
method_fn network_gateway_check;
method_fn network_allocate;
method_fn network_free;
method_fn network_create;
method_fn network_delete;
method_fn network_discover;

/* endpoint.c */
method_fn endpoint_create;
method_fn endpoint_delete;
method_fn endpoint_info;
method_fn endpoint_join;
method_fn endpoint_leave;
method_fn endpoint_publish;
method_fn endpoint_withdraw;
