/* SPDX-License-Identifier: GPL-2.0-or-later */
/* State files: whatever is in one, reading it ends, and what is accepted is written as it was read.
 */
#include <assert.h>
#include <stdint.h>

#include "../../policy/base/mem.h"
#include "../../policy/model/codec.h"
#include "../../policy/model/world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_network(const json_t *json)
{
	struct network net = { 0 }, back = { 0 };
	struct err err = { 0 };
	json_t *again;

	if (network_decode(&net, json, &err) < 0)
		return;
	again = network_encode(&net);
	assert(network_decode(&back, again, &err) == 0);
	assert(memcmp(&net, &back, sizeof(net)) == 0);
	json_decref(again);
}

static void try_endpoint(const json_t *json)
{
	AUTO(endpoint) struct endpoint endpoint = { 0 };
	struct err err = { 0 };

	if (endpoint_decode(&endpoint, json, &err) == 0)
		json_decref(endpoint_encode(&endpoint));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t *json = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, NULL);

	if (json) {
		try_network(json);
		try_endpoint(json);
	}
	json_decref(json);
	return 0;
}
