/* SPDX-License-Identifier: GPL-2.0-or-later */
/* State files: what is written is what is read, and nothing else is accepted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../policy/base/mem.h"
#include "../../policy/model/codec.h"
#include "world.h"

static struct network full_network(void)
{
	struct network net = test_network(true);

	net.mode[V4] = GATEWAY_ROUTED;
	net.mode[V6] = GATEWAY_NAT_UNPROTECTED;
	net.next_hop[V4] = test_addr("10.77.0.9");
	net.snat[V6] = test_addr("2001:db8::7");
	net.host_binding[V4] = test_addr("192.0.2.1");
	net.inhibit_v4 = true;
	net.internal = true;
	net.icc = false;
	net.mtu = 1280;
	net.told = true;
	strcpy(net.remark, "policy=open does not count");
	return net;
}

static void a_network_survives_the_trip(void **state)
{
	struct network net = full_network(), back = { 0 };
	struct err err = { 0 };
	json_t *json = network_encode(&net), *again;

	(void)state;
	assert_int_equal(network_decode(&back, json, &err), 0);
	again = network_encode(&back);
	assert_true(json_equal(json, again));
	assert_int_equal(back.mtu, 1280);
	assert_int_equal(back.mode[V4], GATEWAY_ROUTED);
	assert_true(addr_equal(&back.snat[V6], &net.snat[V6]));
	assert_false(back.icc);
	assert_true(back.told);
	assert_string_equal(back.remark, net.remark);
	json_decref(again);
	json_decref(json);
}

static void an_endpoint_survives_the_trip(void **state)
{
	struct network net = test_network(true);
	AUTO(endpoint) struct endpoint endpoint = test_endpoint(&net);
	AUTO(endpoint) struct endpoint back = { 0 };
	struct err err = { 0 };
	json_t *json, *again;

	(void)state;
	endpoint.ports = test_port(17, "::", 65535, 1);
	endpoint.n_ports = 1;
	endpoint.exception = xcalloc(1, sizeof(*endpoint.exception));
	endpoint.exception->egress = egress_default(POLICY_KILLSWITCH);
	endpoint.exception->egress.path = 7;
	endpoint.exception->mtu = 1400;
	endpoint.names_by_host = true;
	endpoint.remark = xstrdup("lan=on does not count");
	endpoint.wanted = xcalloc(2, sizeof(*endpoint.wanted));
	endpoint.wanted[0] = (struct port_request){ .proto = 6, .port = 80 };
	endpoint.wanted[1] = (struct port_request){ .proto = 17,
						    .port = 53,
						    .host = test_addr("::1"),
						    .host_port = 1,
						    .host_port_end = 65535 };
	endpoint.n_wanted = 2;
	json = endpoint_encode(&endpoint);
	assert_int_equal(endpoint_decode(&back, json, &err), 0);
	again = endpoint_encode(&back);
	assert_true(json_equal(json, again));
	assert_int_equal(back.ports[0].host_port, 65535);
	assert_int_equal(back.n_wanted, 2);
	assert_int_equal(back.wanted[1].host_port_end, 65535);
	assert_true(back.names_by_host);
	assert_string_equal(back.remark, endpoint.remark);
	assert_memory_equal(back.mac, endpoint.mac, 6);
	assert_memory_equal(back.exception, endpoint.exception, sizeof(*back.exception));
	json_decref(again);
	json_decref(json);
}

/* Fails when "wanted" has to be there. */
static void an_endpoint_of_an_older_version_is_read(void **state)
{
	struct network net = test_network(true);
	AUTO(endpoint) struct endpoint endpoint = test_endpoint(&net);
	AUTO(endpoint) struct endpoint back = { 0 };
	struct err err = { 0 };
	json_t *json = endpoint_encode(&endpoint);

	(void)state;
	json_object_del(json, "wanted");
	assert_int_equal(endpoint_decode(&back, json, &err), 0);
	assert_int_equal(back.n_wanted, 0);
	json_decref(json);
}

/* Fails when "told" has to be there; when one that does not fit is copied. */
static void what_was_told_need_not_be_there(void **state)
{
	struct network net = full_network(), back = { 0 };
	char remark[REMARK_SIZE + 1];
	struct err err = { 0 };
	json_t *json = network_encode(&net);

	(void)state;
	memset(remark, 'x', REMARK_SIZE);
	remark[REMARK_SIZE] = '\0';
	json_object_set_new(json, "told", json_string(remark));
	assert_true(network_decode(&back, json, &err) < 0);
	remark[REMARK_SIZE - 1] = '\0';
	json_object_set_new(json, "told", json_string(remark));
	assert_int_equal(network_decode(&back, json, &err), 0);
	json_object_del(json, "told");
	assert_int_equal(network_decode(&back, json, &err), 0);
	assert_false(back.told);
	assert_string_equal(back.remark, "");
	json_decref(json);
}

static void a_bad_wish_is_refused(void **state)
{
	struct network net = test_network(true);
	AUTO(endpoint) struct endpoint endpoint = test_endpoint(&net);
	struct endpoint back;
	struct err err = { 0 };
	json_t *json = endpoint_encode(&endpoint);

	(void)state;
	json_object_set_new(json, "wanted", json_loads("[{\"proto\":6}]", 0, NULL));
	assert_true(endpoint_decode(&back, json, &err) < 0);
	json_decref(json);
}

static const struct {
	const char *name;
	const char *key;
	const char *value; /* JSON; NULL removes the key */
	const char *sentence;
} bad_networks[] = {
	{ "a newer format", "format", "2", "newer version" },
	{ "no format", "format", NULL, "not a state file" },
	{ "no id", "id", NULL, "\"id\" is missing" },
	{ "an empty id", "id", "\"\"", "is empty" },
	{ "an id that does not fit", "id",
	  "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"",
	  "\"id\" is missing or not valid" },
	{ "an unknown policy", "policy", "\"opne\"", "\"policy\"" },
	{ "a subnet that is none", "subnet4", "\"10.77.0.0\"", "\"subnet4\"" },
	{ "a subnet of the other family", "subnet4", "\"fd00::/64\"", "wrong family" },
	{ "a gateway of the other family", "gateway6", "\"10.0.0.1\"", "wrong family" },
	{ "a negative mtu", "mtu", "-1", "\"mtu\"" },
	{ "an mtu that is too large", "mtu", "4294967296", "\"mtu\"" },
	{ "a boolean that is a number", "icc", "1", "\"icc\"" },
	{ "a remark that is none", "told", "true", "\"told\" is not valid" },
};

static void bad_networks_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad_networks); i++) {
		struct network net = full_network(), untouched = { .id = "x" };
		json_t *json = network_encode(&net);
		struct err err = { 0 };

		if (bad_networks[i].value)
			json_object_set_new(
				json, bad_networks[i].key,
				json_loads(bad_networks[i].value, JSON_DECODE_ANY, NULL));
		else
			json_object_del(json, bad_networks[i].key);
		if (network_decode(&untouched, json, &err) == 0)
			fail_msg("%s was accepted", bad_networks[i].name);
		if (!strstr(err.text, bad_networks[i].sentence))
			fail_msg("%s: \"%s\"", bad_networks[i].name, err.text);
		assert_string_equal(untouched.id, "x");
		json_decref(json);
	}
}

static void ports_without_an_address_are_refused(void **state)
{
	struct network net = test_network(false);
	struct endpoint endpoint = test_endpoint(&net), back = { .id = "x" };
	struct err err = { 0 };
	json_t *json = endpoint_encode(&endpoint);

	(void)state;
	json_object_set_new(
		json, "ports",
		json_loads("[{\"proto\":6,\"port\":80,\"host\":\"\",\"host_port\":1}]", 0, NULL));
	assert_true(endpoint_decode(&back, json, &err) < 0);
	assert_string_equal(back.id, "x");
	json_decref(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_network_survives_the_trip),
		cmocka_unit_test(an_endpoint_survives_the_trip),
		cmocka_unit_test(an_endpoint_of_an_older_version_is_read),
		cmocka_unit_test(what_was_told_need_not_be_there),
		cmocka_unit_test(a_bad_wish_is_refused),
		cmocka_unit_test(bad_networks_are_refused),
		cmocka_unit_test(ports_without_an_address_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
