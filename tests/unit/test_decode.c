/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of plugin/decode.c and reader.c: what dockerd has been recorded to send, and
 * everything it would not. */
#include <dirent.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../plugin/decode.h"
#include "../../policy/base/mem.h"

/* Requests of engines 20.10, 26.1 and 28.5: a line with the path, then the body. */
#define RECORDED "tests/fuzz/corpus/request"

typedef int decode_fn(const char *body, struct err *err);

static int any_network(const char *body, struct err *err)
{
	AUTO(network_request) struct network_request request = { 0 };

	return decode_network(body, strlen(body), &request, err);
}

static int any_gateway_check(const char *body, struct err *err)
{
	AUTO(network_request) struct network_request request = { 0 };

	return decode_gateway_check(body, strlen(body), &request, err);
}

static int any_network_id(const char *body, struct err *err)
{
	struct network_id id;

	return decode_network_id(body, strlen(body), &id, err);
}

static int any_endpoint(const char *body, struct err *err)
{
	AUTO(endpoint_request) struct endpoint_request request = { 0 };

	return decode_endpoint(body, strlen(body), &request, err);
}

static int any_attach(const char *body, struct err *err)
{
	AUTO(attach_request) struct attach_request request = { 0 };

	return decode_attach(body, strlen(body), &request, err);
}

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

/* A body in single quotes, which are easier to read here than escaped ones. */
static const char *json(char buffer[4096], const char *text)
{
	snprintf(buffer, 4096, "%s", text);
	for (char *c = buffer; *c; c++) {
		if (*c == '\'')
			*c = '"';
	}
	return buffer;
}

struct bad {
	const char *body;
	const char *sentence;
};

static void all_refused(decode_fn *fn, const struct bad *rows, size_t n)
{
	char buffer[4096];

	for (size_t i = 0; i < n; i++) {
		struct err err = { 0 };

		if (fn(json(buffer, rows[i].body), &err) >= 0)
			fail_msg("was taken: %s", buffer);
		assert_true(err.code < 0);
		if (!strstr(err.text, rows[i].sentence))
			fail_msg("%s: \"%s\" does not say \"%s\"", buffer, err.text,
				 rows[i].sentence);
	}
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

#define ENDPOINT(rest) "{'NetworkID':'n','EndpointID':'e','Interface':{'Address':'10.0.0.2/24'" rest

static void an_endpoint_is_decoded_with_all_its_fields(void **state)
{
	static const uint8_t mac[6] = { 0x02, 0x42, 0x0a, 0x4d, 0x00, 0x99 };
	AUTO(endpoint_request) struct endpoint_request request = { 0 };
	struct addr_text text;
	struct err err;
	char buffer[4096];

	(void)state;
	json(buffer, "{'NetworkID':'n','EndpointID':'e','Interface':{'Address':'10.0.0.2/24',"
		     "'AddressIPv6':'fd00::2/64','MacAddress':'02:42:0A:4d:00:99'},'Options':{"
		     "'com.docker.network.endpoint.macaddress':'AkIKTQCZ','Policy':'Isolated',"
		     "'COM.DOCKER.x':'y','com.docker.network.portmap':[{'Proto':6,'IP':'',"
		     "'Port':80,'HostIP':'','HostPort':8080,'HostPortEnd':8080}]}}");
	assert_int_equal(decode_endpoint(buffer, strlen(buffer), &request, &err), 0);
	assert_string_equal(request.endpoint.network, "n");
	assert_string_equal(request.endpoint.id, "e");
	assert_string_equal(prefix_print(&request.endpoint.addr[V4], &text), "10.0.0.2/24");
	assert_string_equal(prefix_print(&request.endpoint.addr[V6], &text), "fd00::2/64");
	assert_memory_equal(request.endpoint.mac, mac, sizeof(mac));
	assert_true(request.mac_given);
	assert_int_equal(request.options.n, 1);
	assert_string_equal(request.options.items[0].key, "policy");
	assert_string_equal(request.options.items[0].value, "Isolated");
	assert_true(request.ports.given);
	assert_int_equal(request.ports.n, 1);
}

static void an_endpoint_without_mac_and_options_is_complete(void **state)
{
	AUTO(endpoint_request) struct endpoint_request request = { 0 };
	struct err err;
	char buffer[4096];

	(void)state;
	json(buffer, ENDPOINT(",'AddressIPv6':'','MacAddress':''},'Options':null}"));
	assert_int_equal(decode_endpoint(buffer, strlen(buffer), &request, &err), 0);
	assert_false(request.mac_given);
	assert_false(request.ports.given);
	assert_int_equal(request.options.n, 0);
}

static void bad_endpoints_are_refused_with_the_reason(void **state)
{
	static const struct bad rows[] = {
		{ "{'NetworkID':'n'}", "\"EndpointID\" of the request is missing" },
		{ "{'EndpointID':'e'}", "\"NetworkID\" of the request is missing" },
		{ "{'NetworkID':'n','EndpointID':'e'}", "the endpoint has no address" },
		{ "{'NetworkID':'n','EndpointID':'e','Interface':null}", "has no address" },
		{ "{'NetworkID':'n','EndpointID':'e','Interface':[]}", "is not an object" },
		{ "{'NetworkID':'n','EndpointID':'e','Interface':{'Address':'10.0.0.2'}}",
		  "\"Address\": \"10.0.0.2\" is not an IPv4 address with its length" },
		{ ENDPOINT(",'AddressIPv6':'10.0.0.2/24'}}"), "is not an IPv6 address" },
		{ ENDPOINT(",'MacAddress':'02:42:0a:4d:00'}}"), "is not the MAC address" },
		{ ENDPOINT(",'MacAddress':'02:42:0a:4d:00:9g'}}"), "is not the MAC address" },
		{ ENDPOINT(",'MacAddress':'02:42:0a:4d:00:990'}}"), "is not the MAC address" },
		{ ENDPOINT(",'MacAddress':'02-42-0a-4d-00-99'}}"), "is not the MAC address" },
		{ ENDPOINT(",'MacAddress':'00:00:00:00:00:00'}}"), "is not the MAC address" },
		{ ENDPOINT(",'MacAddress':'01:42:0a:4d:00:99'}}"), "is not the MAC address" },
		{ ENDPOINT(",'MacAddress':7}}"), "\"MacAddress\" of the request is not a string" },
		{ ENDPOINT("},'Options':{'com.docker.network.portmap':{}}}"), "not an array" },
	};

	(void)state;
	all_refused(any_endpoint, rows, ARRAY_SIZE(rows));
}

#define ATTACH(options) "{'NetworkID':'n','EndpointID':'e','Options':" options "}"
#define PORT(fields) ATTACH("{'com.docker.network.portmap':[{" fields "}]}")

static void a_published_port_is_decoded_with_all_its_forms(void **state)
{
	static const struct {
		const char *body;
		uint8_t proto;
		uint16_t port, host_port, host_port_end;
		const char *host;
	} rows[] = {
		{ PORT("'Proto':6,'IP':'','Port':80,'HostIP':'','HostPort':8080,"
		       "'HostPortEnd':8080"),
		  IPPROTO_TCP, 80, 8080, 8080, "none" },
		{ PORT("'Proto':17,'Port':53,'HostIP':'127.0.0.1','HostPort':53,'HostPortEnd':0"),
		  IPPROTO_UDP, 53, 53, 53, "127.0.0.1" },
		{ PORT("'Proto':132,'Port':65535,'HostIP':'::1','HostPort':65530,"
		       "'HostPortEnd':65535"),
		  IPPROTO_SCTP, 65535, 65530, 65535, "::1" },
		{ PORT("'Proto':6,'Port':1"), IPPROTO_TCP, 1, 0, 0, "none" },
		{ PORT("'Proto':6,'Port':1,'HostIP':'0.0.0.0','HostPort':0,'HostPortEnd':0"),
		  IPPROTO_TCP, 1, 0, 0, "0.0.0.0" },
	};
	struct addr_text text;
	char buffer[4096];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		AUTO(attach_request) struct attach_request request = { 0 };
		const struct port_request *port;
		struct err err;

		json(buffer, rows[i].body);
		assert_int_equal(decode_attach(buffer, strlen(buffer), &request, &err), 0);
		assert_true(request.ports.given);
		assert_int_equal(request.ports.n, 1);
		port = request.ports.items;
		assert_int_equal(port->proto, rows[i].proto);
		assert_int_equal(port->port, rows[i].port);
		assert_int_equal(port->host_port, rows[i].host_port);
		assert_int_equal(port->host_port_end, rows[i].host_port_end);
		assert_string_equal(addr_print(&port->host, &text), rows[i].host);
	}
}

static void bad_ports_are_refused_with_the_reason(void **state)
{
	static const struct bad rows[] = {
		{ ATTACH("{'com.docker.network.portmap':[1]}"), "an entry is not an object" },
		{ ATTACH("{'com.docker.network.portmap':'80'}"), "is not an array" },
		{ PORT("'Port':80"), "\"Proto\" of the request is not in 1..255" },
		{ PORT("'Proto':1,'Port':80"), "protocol 1 is none of tcp, udp, sctp" },
		{ PORT("'Proto':262,'Port':80"), "\"Proto\" of the request is not in" },
		{ PORT("'Proto':'tcp','Port':80"), "\"Proto\" of the request is not a whole" },
		{ PORT("'Proto':6"), "\"Port\" of the request is not in 1..65535" },
		{ PORT("'Proto':6,'Port':0"), "\"Port\" of the request is not in 1..65535" },
		{ PORT("'Proto':6,'Port':65536"), "\"Port\" of the request is not in 1..65535" },
		{ PORT("'Proto':6,'Port':80.5"), "\"Port\" of the request is not a whole" },
		{ PORT("'Proto':6,'Port':80,'HostPort':-1"), "\"HostPort\" of the request" },
		{ PORT("'Proto':6,'Port':80,'HostPort':65536"), "\"HostPort\" of the request" },
		{ PORT("'Proto':6,'Port':80,'HostPort':9,'HostPortEnd':8"), "9-8 is not a range" },
		{ PORT("'Proto':6,'Port':80,'HostPortEnd':8"), "0-8 is not a range" },
		{ PORT("'Proto':6,'Port':80,'HostIP':'host'"), "\"host\" is not an address" },
		{ PORT("'Proto':6,'Port':80,'HostIP':'10.0.0.1/8'"), "is not an address" },
		{ PORT("'Proto':6,'Port':80,'HostIP':1"), "\"HostIP\" of the request is not" },
		{ PORT("'Proto':6,'Port':80},{'Proto':6"), "\"Port\" of the request is not in" },
	};

	(void)state;
	all_refused(any_attach, rows, ARRAY_SIZE(rows));
}

static void no_word_about_ports_is_not_the_same_as_no_ports(void **state)
{
	char buffer[4096];

	(void)state;
	for (int given = 0; given < 2; given++) {
		AUTO(attach_request) struct attach_request request = { 0 };
		struct err err;

		json(buffer, given ? ATTACH("{'com.docker.network.portmap':[]}") : ATTACH("{}"));
		assert_int_equal(decode_attach(buffer, strlen(buffer), &request, &err), 0);
		assert_int_equal(request.ports.given, given);
		assert_int_equal(request.ports.n, 0);
	}
}

static void a_sandbox_key_is_kept_unless_it_is_absurd(void **state)
{
	AUTO(attach_request) struct attach_request request = { 0 };
	char buffer[4096], text[1024];
	struct err err;

	(void)state;
	json(buffer, "{'NetworkID':'n','EndpointID':'e','SandboxKey':'/run/docker/netns/1'}");
	assert_int_equal(decode_attach(buffer, strlen(buffer), &request, &err), 0);
	assert_string_equal(request.sandbox_key, "/run/docker/netns/1");
	snprintf(text, sizeof(text), "{'NetworkID':'n','EndpointID':'e','SandboxKey':'%0300d'}", 0);
	assert_true(any_attach(json(buffer, text), &err) < 0);
	assert_non_null(strstr(err.text, "too long"));
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
		cmocka_unit_test(an_endpoint_is_decoded_with_all_its_fields),
		cmocka_unit_test(an_endpoint_without_mac_and_options_is_complete),
		cmocka_unit_test(bad_endpoints_are_refused_with_the_reason),
		cmocka_unit_test(a_published_port_is_decoded_with_all_its_forms),
		cmocka_unit_test(bad_ports_are_refused_with_the_reason),
		cmocka_unit_test(no_word_about_ports_is_not_the_same_as_no_ports),
		cmocka_unit_test(a_sandbox_key_is_kept_unless_it_is_absurd),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
