/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of plugin/decode.c and reader.c: what dockerd has been recorded to send, and
 * everything it would not. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "decode_rig.h"

/* Requests of engines 20.10, 26.1 and 28.5: a line with the path, then the body. */
#define RECORDED "tests/fuzz/corpus/request"

/* Decoders by the path they serve. */
static const struct {
	const char *path;
	decode_fn *fn;
} decoders[] = {
	{ "/NetworkDriver.CreateNetwork", any_network },
	{ "/NetworkDriver.GwAllocCheck", any_gateway_check },
	{ "/NetworkDriver.DeleteNetwork", any_network_id },
	{ "/NetworkDriver.CreateEndpoint", any_endpoint },
	{ "/NetworkDriver.DeleteEndpoint", any_attach },
	{ "/NetworkDriver.EndpointOperInfo", any_attach },
	{ "/NetworkDriver.Join", any_attach },
	{ "/NetworkDriver.Leave", any_attach },
	{ "/NetworkDriver.ProgramExternalConnectivity", any_attach },
	{ "/NetworkDriver.RevokeExternalConnectivity", any_attach },
};

static char *read_recorded(const char *name)
{
	char path[512];
	char *text = xcalloc(1, 1 << 20);
	FILE *file;

	snprintf(path, sizeof(path), RECORDED "/%s", name);
	file = fopen(path, "re");
	assert_non_null(file);
	assert_true(fread(text, 1, (1 << 20) - 1, file) > 0);
	fclose(file);
	return text;
}

/* Returns whether there was anything to decode. */
static bool replay(const char *name)
{
	AUTO_FREE char *text = read_recorded(name);
	char *body = strchr(text, '\n');
	struct err err = { 0 };
	bool refused = strncmp(name, "refused_", strlen("refused_")) == 0;

	assert_non_null(body);
	*body++ = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(decoders); i++) {
		if (!streq(decoders[i].path, text))
			continue;
		if ((decoders[i].fn(body, &err) < 0) != refused)
			fail_msg("%s: %s", name, err.text);
		return true;
	}
	return false;
}

static void every_recorded_request_is_understood(void **state)
{
	DIR *dir = opendir(RECORDED);
	struct dirent *entry;
	size_t n = 0;

	(void)state;
	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		/* What was made up has its own tests. */
		if (entry->d_name[0] != '.' && strncmp(entry->d_name, "made_", 5) != 0)
			n += replay(entry->d_name);
	}
	closedir(dir);
	assert_true(n >= 60);
}

static void what_is_not_a_json_object_is_refused_by_every_decoder(void **state)
{
	static const struct bad rows[] = {
		{ "", "has no body" },
		{ " ", "is not valid JSON" },
		{ "{", "is not valid JSON" },
		{ "{}}", "is not valid JSON" },
		{ "{'NetworkID':'a','NetworkID':'b'}", "is not valid JSON" },
		{ "{'NetworkID':'\xff'}", "is not valid JSON" },
		{ "{'NetworkID':'a\\u0000b'}", "is not valid JSON" },
		{ "{'NetworkID':99999999999999999999}", "is not valid JSON" },
		{ "[]", "is not a JSON object" },
		{ "null", "is not" },
		{ "'text'", "is not" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(decoders); i++)
		all_refused(decoders[i].fn, rows, ARRAY_SIZE(rows));
}

static void a_body_is_not_read_beyond_its_end(void **state)
{
	static const char text[] = { '{', '"', 'N', 'e', 't', 'w', 'o', 'r', 'k',
				     'I', 'D', '"', ':', '"', 'a', '"', '}', '!' };
	struct network_id id;
	struct err err;

	(void)state;
	assert_int_equal(decode_network_id(text, sizeof(text) - 1, &id, &err), 0);
	assert_string_equal(id.text, "a");
	assert_true(decode_network_id(text, sizeof(text), &id, &err) < 0);
}

static void deep_nesting_is_refused(void **state)
{
	AUTO_FREE char *text = xcalloc(1, 100001);
	struct network_id id;
	struct err err;

	(void)state;
	memset(text, '[', 100000);
	assert_true(decode_network_id(text, 100000, &id, &err) < 0);
}

static void ids_are_checked(void **state)
{
	static const struct bad rows[] = {
		{ "{}", "\"NetworkID\" of the request is missing" },
		{ "{'NetworkID':''}", "is missing" },
		{ "{'NetworkID':null}", "is missing" },
		{ "{'NetworkID':1}", "is not a string" },
		{ "{'NetworkID':['a']}", "is not a string" },
		{ "{'NetworkID':'a/b'}", "is not an id" },
		{ "{'NetworkID':'..'}", "is not an id" },
		{ "{'NetworkID':'.hidden'}", "is not an id" },
		{ "{'NetworkID':'a b'}", "is not an id" },
		{ "{'NetworkID':'a\\n'}", "is not an id" },
		{ "{'NetworkID':'\u00e4'}", "is not an id" },
		{ "{'NetworkID':'"
		  "00000000000000000000000000000000000000000000000000000000000000000'}",
		  "is not an id" },
	};

	(void)state;
	all_refused(any_network_id, rows, ARRAY_SIZE(rows));
}

static void an_id_of_64_hex_digits_or_of_swarm_is_taken_whole(void **state)
{
	static const char *const ids[] = {
		"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
		"x0k4vrf3gk8sd2q1w9e7r5t3y",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
		struct network_id id;
		struct err err;
		char body[256];

		snprintf(body, sizeof(body), "{\"NetworkID\":\"%s\"}\n", ids[i]);
		assert_int_equal(decode_network_id(body, strlen(body), &id, &err), 0);
		assert_string_equal(id.text, ids[i]);
	}
}

static void a_network_is_decoded_with_all_its_fields(void **state)
{
	AUTO(network_request) struct network_request request = { 0 };
	struct network *network = &request.network;
	struct addr_text text;
	struct err err;
	char buffer[4096];

	(void)state;
	json(buffer, "{'NetworkID':'n1','Options':{'com.docker.network.enable_ipv6':true,"
		     "'com.docker.network.internal':true,'com.docker.network.generic':"
		     "{'b':'2 \\u003c\\u0026\\ud83d\\ude00','a':''}},"
		     "'IPv4Data':[{'AddressSpace':'LocalDefault','Pool':'10.78.5.9/16','Gateway':"
		     "'10.78.5.1/16','AuxAddresses':{'router':'10.78.5.9/16',"
		     "'DefaultGatewayIPv4':'10.78.0.254/16'}}],"
		     "'IPv6Data':[{'Pool':'fd00::/64'}],'New':[1]}");
	assert_int_equal(decode_network(buffer, strlen(buffer), &request, &err), 0);
	assert_string_equal(network->id, "n1");
	assert_string_equal(prefix_print(&network->subnet[V4], &text), "10.78.0.0/16");
	assert_string_equal(prefix_print(&network->subnet[V6], &text), "fd00::/64");
	assert_string_equal(addr_print(&network->gateway[V4], &text), "10.78.5.1");
	assert_string_equal(addr_print(&network->gateway[V6], &text), "none");
	assert_string_equal(addr_print(&network->next_hop[V4], &text), "10.78.0.254");
	assert_string_equal(addr_print(&network->next_hop[V6], &text), "none");
	assert_true(network->internal);
	assert_int_equal(request.options.n, 2);
	assert_string_equal(request.options.items[0].key, "b");
	assert_string_equal(request.options.items[0].value, "2 <&\xf0\x9f\x98\x80");
	assert_string_equal(request.options.items[1].value, "");
}

#define POOL4 "'IPv4Data':[{'Pool':'10.0.0.0/24'}]"
#define NETWORK(rest) "{'NetworkID':'n'," rest "}"

static void a_family_that_is_off_is_left_out(void **state)
{
	AUTO(network_request) struct network_request request = { 0 };
	struct err err;
	char buffer[4096];

	(void)state;
	json(buffer, NETWORK("'Options':{'com.docker.network.enable_ipv4':false,"
			     "'com.docker.network.enable_ipv6':true},'IPv4Data':[],"
			     "'IPv6Data':[{'Pool':'fd00::/64','Gateway':'fd00::1/64',"
			     "'AuxAddresses':{'DefaultGatewayIPv6':'fd00::2/64'}}]"));
	assert_int_equal(decode_network(buffer, strlen(buffer), &request, &err), 0);
	assert_false(prefix_is_set(&request.network.subnet[V4]));
	assert_true(prefix_is_set(&request.network.subnet[V6]));
	assert_true(addr_is_set(&request.network.next_hop[V6]));
	assert_false(request.network.internal);
}

static void bad_networks_are_refused_with_the_reason(void **state)
{
	static const struct bad rows[] = {
		{ "{" POOL4 "}", "\"NetworkID\" of the request is missing" },
		{ NETWORK("'IPv4Data':[]"), "has no IPv4 subnet; use --subnet" },
		{ NETWORK("'Options':null"), "has no IPv4 subnet; use --subnet" },
		{ NETWORK("'IPv4Data':{}"), "\"IPv4Data\" of the request is not an array" },
		{ NETWORK("'IPv4Data':[1]"), "not an array of objects" },
		{ NETWORK("'IPv4Data':[{}]"), "no IPv4 subnet, as with the IPAM driver" },
		{ NETWORK("'IPv4Data':[{'Pool':'0.0.0.0/0'}]"), "IPAM driver \"null\"" },
		{ NETWORK("'IPv4Data':[{'Pool':7}]"), "\"Pool\" of the request is not a string" },
		{ NETWORK("'IPv4Data':[{'Pool':'10.0.0.0'}]"), "is not an IPv4 address with its" },
		{ NETWORK("'IPv4Data':[{'Pool':'fd00::/64'}]"), "is not an IPv4 address with its" },
		{ NETWORK("'IPv4Data':[{'Pool':'10.0.0.0/24'},{'Pool':'10.0.1.0/24'}]"),
		  "has 2 IPv4 subnets, and one is supported" },
		{ NETWORK("'IPv4Data':[{'Pool':'10.0.0.0/24','Gateway':'10.0.0.1'}]"),
		  "\"Gateway\": \"10.0.0.1\" is not" },
		{ NETWORK("'IPv4Data':[{'Pool':'10.0.0.0/24','Gateway':'10.0.1.1/24'}]"),
		  "gateway 10.0.1.1 is not in subnet 10.0.0.0/24" },
		{ NETWORK("'IPv4Data':[{'Pool':'10.0.0.0/24','AuxAddresses':[]}]"),
		  "\"AuxAddresses\" of the request is not an object" },
		{ NETWORK("'IPv4Data':[{'Pool':'10.0.0.0/24','AuxAddresses':"
			  "{'DefaultGatewayIPv4':'10.1.0.1/24'}}]"),
		  "gateway 10.1.0.1 is not in subnet" },
		{ NETWORK(POOL4 ",'Options':[]"), "\"Options\" of the request is not an object" },
		{ NETWORK(POOL4 ",'Options':{'com.docker.network.generic':[]}"),
		  "generic\" of the request is not an object" },
		{ NETWORK(POOL4 ",'Options':{'com.docker.network.generic':{'mtu':1500}}"),
		  "option \"mtu\": its value is not a string" },
		{ NETWORK(POOL4 ",'Options':{'com.docker.network.internal':'true'}"),
		  "internal\" of the request is not true or false" },
		{ NETWORK(POOL4 ",'Options':{'com.docker.network.enable_ipv4':1}"),
		  "is not true or false" },
		{ NETWORK(POOL4 ",'Options':{'com.docker.network.enable_ipv6':true}"),
		  "IPv6 is enabled, but the network has no IPv6 subnet" },
		{ NETWORK(POOL4 ",'Options':{'com.docker.network.enable_ipv6':true},"
				"'IPv6Data':[{'Pool':'::/0'}]"),
		  "has no IPv6 subnet" },
		{ NETWORK("'Options':{'com.docker.network.enable_ipv4':false}"),
		  "neither IPv4 nor IPv6" },
	};

	(void)state;
	all_refused(any_network, rows, ARRAY_SIZE(rows));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_recorded_request_is_understood),
		cmocka_unit_test(what_is_not_a_json_object_is_refused_by_every_decoder),
		cmocka_unit_test(a_body_is_not_read_beyond_its_end),
		cmocka_unit_test(deep_nesting_is_refused),
		cmocka_unit_test(ids_are_checked),
		cmocka_unit_test(an_id_of_64_hex_digits_or_of_swarm_is_taken_whole),
		cmocka_unit_test(a_network_is_decoded_with_all_its_fields),
		cmocka_unit_test(a_family_that_is_off_is_left_out),
		cmocka_unit_test(bad_networks_are_refused_with_the_reason),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
