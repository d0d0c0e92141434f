/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of plugin/endpoint.c: whole requests, in every order. */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../policy/base/log.h"
#include "driver_rig.h"

static void a_container_is_connected_and_disconnected(void **state)
{
	const struct endpoint *endpoint;

	network_with(*state, NETWORK("", "'policy':'open'"));
	expect(*state, CREATE_ENDPOINT, ENDPOINT,
	       "{\"Interface\":{\"MacAddress\":\"02:42:ac:11:00:02\"}}");
	expect(*state, "/NetworkDriver.Join", "{" IDS ",'SandboxKey':'/x','Options':{}}",
	       "{\"InterfaceName\":{\"SrcName\":\"tec0\",\"DstPrefix\":\"eth\"},"
	       "\"Gateway\":\"10.0.0.1\"}");
	expect(*state, PUBLISH, PORTS, "{}");
	expect(*state, "/NetworkDriver.EndpointOperInfo", "{" IDS "}", "{\"Value\":{}}");
	endpoint = policy_endpoint(*state, "n", "e");
	assert_int_equal(endpoint->n_ports, 1);
	assert_int_equal(endpoint->ports[0].host_port, 8080);
	assert_int_equal(endpoint->ports[0].proto, IPPROTO_TCP);
	expect(*state, WITHDRAW, "{" IDS "}", "{}");
	assert_int_equal(endpoint->n_ports, 0);
	expect(*state, "/NetworkDriver.Leave", "{" IDS "}", "{}");
	expect(*state, "/NetworkDriver.DeleteEndpoint", "{" IDS "}", "{}");
	assert_null(policy_endpoint(*state, "n", "e"));
	expect(*state, "/NetworkDriver.DeleteNetwork", "{'NetworkID':'n'}", "{}");
	assert_null(policy_network(*state, "n"));
}

static void a_mac_that_was_asked_for_is_not_repeated(void **state)
{
	network_with(*state, NETWORK("", "'policy':'open'"));
	expect(*state, CREATE_ENDPOINT,
	       "{" IDS ",'Interface':{'Address':'10.0.0.2/24','MacAddress':'02:42:0a:58:00:14'}}",
	       "{\"Interface\":{}}");
	assert_int_equal(policy_endpoint(*state, "n", "e")->mac[5], 0x14);
}

static void an_internal_network_has_no_gateway_and_brings_no_other(void **state)
{
	network_with(*state, NETWORK(INTERNAL, "'policy':'open'"));
	expect(*state, CREATE_ENDPOINT, ENDPOINT,
	       "{\"Interface\":{\"MacAddress\":\"02:42:ac:11:00:02\"}}");
	expect(*state, "/NetworkDriver.Join", "{" IDS "}",
	       "{\"InterfaceName\":{\"SrcName\":\"tec0\",\"DstPrefix\":\"eth\"},"
	       "\"DisableGatewayService\":true}");
}

/* Engine 29 does not send RevokeExternalConnectivity after it was restarted. */
static void leaving_withdraws_the_ports_as_well(void **state)
{
	network_with(*state, NETWORK("", "'policy':'open'"));
	expect(*state, CREATE_ENDPOINT, ENDPOINT,
	       "{\"Interface\":{\"MacAddress\":\"02:42:ac:11:00:02\"}}");
	expect(*state, PUBLISH, PORTS, "{}");
	expect(*state, "/NetworkDriver.Leave", "{" IDS "}", "{}");
	assert_int_equal(policy_endpoint(*state, "n", "e")->n_ports, 0);
}

static void a_call_that_says_nothing_about_ports_leaves_them(void **state)
{
	network_with(*state, NETWORK("", "'policy':'open'"));
	expect(*state, CREATE_ENDPOINT, ENDPOINT,
	       "{\"Interface\":{\"MacAddress\":\"02:42:ac:11:00:02\"}}");
	expect(*state, PUBLISH, PORTS, "{}");
	expect(*state, PUBLISH, "{" IDS ",'Options':{}}", "{}");
	assert_int_equal(policy_endpoint(*state, "n", "e")->n_ports, 1);
	expect(*state, PUBLISH, "{" IDS ",'Options':{'com.docker.network.portmap':[]}}", "{}");
	assert_int_equal(policy_endpoint(*state, "n", "e")->n_ports, 0);
}

static void a_bad_port_changes_none(void **state)
{
	network_with(*state, NETWORK("", "'policy':'open'"));
	expect(*state, CREATE_ENDPOINT, ENDPOINT,
	       "{\"Interface\":{\"MacAddress\":\"02:42:ac:11:00:02\"}}");
	expect(*state, PUBLISH, PORTS, "{}");
	refused(*state, PUBLISH,
		"{" IDS ",'Options':{'com.docker.network.portmap':["
		"{'Proto':6,'Port':80,'HostPort':8080},{'Proto':6,'Port':0}]}}",
		"\\\"Port\\\" of the request");
}

static void removing_what_is_not_there_is_success(void **state)
{
	static const char *const paths[] = { "/NetworkDriver.DeleteNetwork",
					     "/NetworkDriver.DeleteEndpoint",
					     "/NetworkDriver.Leave", WITHDRAW };

	for (int with_network = 0; with_network < 2; with_network++) {
		for (size_t i = with_network; i < ARRAY_SIZE(paths); i++)
			expect(*state, paths[i], "{" IDS "}", "{}");
		assert_int_equal(stub_changes(*state), with_network);
		if (!with_network)
			network_with(*state, NETWORK("", "'policy':'open'"));
	}
}

/* 404 would be success to dockerd, where a method is concerned that may be missing. */
static void using_what_is_not_there_is_refused(void **state)
{
	refused(*state, CREATE_ENDPOINT, ENDPOINT, "is not known");
	for (int with_network = 0; with_network < 2; with_network++) {
		refused(*state, "/NetworkDriver.Join", "{" IDS "}", "is not known");
		refused(*state, "/NetworkDriver.EndpointOperInfo", "{" IDS "}", "is not known");
		refused(*state, PUBLISH, PORTS, "is not known");
		refused(*state, PUBLISH, "{" IDS ",'Options':{}}", "is not known");
		if (!with_network)
			network_with(*state, NETWORK("", "'policy':'open'"));
	}
}

static void options_of_one_container_are_checked(void **state)
{
	network_with(*state, NETWORK("", "'policy':'open'"));
	refused(*state, CREATE_ENDPOINT,
		"{" IDS ",'Interface':{'Address':'10.0.0.2/24'},'Options':{'Policy':'isolated'}}",
		"dns=strict");
	refused(*state, CREATE_ENDPOINT,
		"{" IDS ",'Interface':{'Address':'10.0.0.2/24'},'Options':{'lan':'near'}}",
		"option lan: \\\"near\\\" is none of");
	refused(*state, CREATE_ENDPOINT,
		"{" IDS ",'Interface':{'Address':'10.0.0.2/24'},"
		"'Options':{'policy':'bypass','tailexit.policy':'isolated'}}",
		"are two spellings of one");
	refused(*state, CREATE_ENDPOINT,
		"{" IDS ",'Interface':{'Address':'10.0.0.2/24'},'Options':{'polcy':'isolated'}}",
		"did you mean \\\"policy\\\"?");
	expect(*state, CREATE_ENDPOINT,
	       "{" IDS ",'Interface':{'Address':'10.0.0.2/24'},'Options':{"
	       "'com.docker.network.endpoint.sysctls':'net.ipv4.conf.IFNAME.log_martians=1'}}",
	       "{\"Interface\":{\"MacAddress\":\"02:42:ac:11:00:02\"}}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_container_is_connected_and_disconnected),
		TEST(a_mac_that_was_asked_for_is_not_repeated),
		TEST(an_internal_network_has_no_gateway_and_brings_no_other),
		TEST(leaving_withdraws_the_ports_as_well),
		TEST(a_call_that_says_nothing_about_ports_leaves_them),
		TEST(a_bad_port_changes_none),
		TEST(removing_what_is_not_there_is_success),
		TEST(using_what_is_not_there_is_refused),
		TEST(options_of_one_container_are_checked),
	};

	log_set_level("warn");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
