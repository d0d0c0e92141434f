/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of plugin/decode.c: endpoints and published ports. */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "decode_rig.h"

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
