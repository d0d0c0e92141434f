/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Networks and endpoints to JSON and back: what the state files contain. */
#pragma once

#include <jansson.h>

#include "../base/err.h"
#include "network.h"

json_t *network_encode(const struct network *network);
json_t *endpoint_encode(const struct endpoint *endpoint);

/* Every member is checked; a file of a newer or unknown format is refused, never half read. */
int network_decode(struct network *ret_network, const json_t *json, struct err *err);
/* ret_endpoint->ports is the caller's to free. */
int endpoint_decode(struct endpoint *ret_endpoint, const json_t *json, struct err *err);
