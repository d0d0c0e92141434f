/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of plugin/driver.c, network.c and endpoint.c: whole requests against an engine that
 * only remembers. What is refused must have changed nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../policy/base/log.h"
#include "driver_rig.h"

static void the_first_calls_succeed_whatever_they_carry(void **state)
{
	static const char *const bodies[] = { "", "null", "{", "{}" };

	for (size_t i = 0; i < ARRAY_SIZE(bodies); i++) {
		expect(*state, "/Plugin.Activate", bodies[i],
		       "{\"Implements\":[\"NetworkDriver\"]}");
		expect(*state, "/NetworkDriver.GetCapabilities", bodies[i],
		       "{\"Scope\":\"local\",\"ConnectivityScope\":\"local\","
		       "\"GwAllocChecker\":true}");
	}
	assert_int_equal(stub_clients(*state), 2 * ARRAY_SIZE(bodies));
}

static void an_unknown_path_is_not_found(void **state)
{
	static const char *const paths[] = { "/",
					     "",
					     "/NetworkDriver",
					     "/NetworkDriver.join",
					     "/NetworkDriver.Join/",
					     "NetworkDriver.Join",
					     "/IpamDriver.RequestPool" };

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		AUTO(strbuf) struct strbuf reply = { 0 };
		int status = 0;

		driver_handle(*state, paths[i], "{}", 2, &reply, &status);
		assert_int_equal(status, 404);
		assert_non_null(strstr(strbuf_text(&reply), "{\"Err\":\""));
	}
}

static void methods_that_need_arguments_refuse_a_body_without(void **state)
{
	static const char *const paths[] = { CREATE_NETWORK,
					     CREATE_ENDPOINT,
					     CHECK,
					     PUBLISH,
					     WITHDRAW,
					     "/NetworkDriver.DeleteNetwork",
					     "/NetworkDriver.AllocateNetwork",
					     "/NetworkDriver.FreeNetwork",
					     "/NetworkDriver.DeleteEndpoint",
					     "/NetworkDriver.EndpointOperInfo",
					     "/NetworkDriver.Join",
					     "/NetworkDriver.Leave" };

	network_with(*state, NETWORK("", "'policy':'open'"));
	expect(*state, CREATE_ENDPOINT, ENDPOINT,
	       "{\"Interface\":{\"MacAddress\":\"02:42:ac:11:00:02\"}}");
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		refused(*state, paths[i], "", "the request has no body");
		refused(*state, paths[i], "{\"NetworkID\":", "is not valid JSON");
		refused(*state, paths[i], "[]", "is not a JSON object");
		if (!streq(paths[i], CHECK))
			refused(*state, paths[i], "{}", "is missing");
	}
	expect(*state, CHECK, "{}", "{\"SkipIPv4\":false,\"SkipIPv6\":false}");
}

static void what_other_hosts_do_is_nothing_to_us(void **state)
{
	expect(*state, "/NetworkDriver.DiscoverNew",
	       "{'DiscoveryType':1,'DiscoveryData':{'Address':'192.0.2.1','Self':true}}", "{}");
	expect(*state, "/NetworkDriver.DiscoverDelete", "", "{}");
	assert_int_equal(stub_changes(*state), 0);
}

static void a_network_without_a_policy_is_a_killswitch(void **state)
{
	const struct network *network;

	network_with(*state, NETWORK("", ""));
	network = policy_network(*state, "n");
	assert_int_equal(network->egress.policy, POLICY_KILLSWITCH);
	assert_string_equal(network->egress.via.names[0], "tailscale0");
	/* options of another place are no options */
	network_with(*state, "{'NetworkID':'n2','Options':{'policy':'open'}," POOL4 "}");
	assert_int_equal(policy_network(*state, "n2")->egress.policy, POLICY_KILLSWITCH);
}

static void bad_options_are_refused(void **state)
{
	refused(*state, CREATE_NETWORK, NETWORK("", "'policy':'opne'"),
		"use killswitch, bypass, isolated or open");
	refused(*state, CREATE_NETWORK, NETWORK("", "'policy':'open','via':'tailscale0'"),
		"use policy=killswitch");
	refused(*state, CREATE_NETWORK, NETWORK("", "'policy':'open','polcy':'open'"),
		"did you mean \\\"policy\\\"?");
	refused(*state, CREATE_NETWORK,
		NETWORK("", "'policy':'open','com.docker.network.bridge.nam':'x'"),
		"did you mean \\\"com.docker.network.bridge.name\\\"?");
	refused(*state, CREATE_NETWORK, NETWORK("", "'policy':'open','com.docker.x':'x'"),
		"is not supported");
	refused(*state, CREATE_NETWORK, NETWORK("", "'policy':'open','mtu':'0'"), "option mtu");
	refused(*state, CREATE_NETWORK, NETWORK("", "'policy':'open','icc':'maybe'"), "icc");
}

static void two_spellings_of_one_option_are_refused(void **state)
{
	static const char *const pairs[][2] = {
		{ "'policy':'open','tailexit.policy':'open'", "\\\"tailexit.policy\\\"" },
		{ "'policy':'open','mtu':'1400','com.docker.network.driver.mtu':'1400'",
		  "\\\"com.docker.network.driver.mtu\\\"" },
		{ "'policy':'open','com.docker.network.bridge.enable_icc':'true',"
		  "'tailexit.icc':'true'",
		  "\\\"tailexit.icc\\\"" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		AUTO(strbuf) struct strbuf body = { 0 };

		strbuf_addf(&body,
			    "{'NetworkID':'n',"
			    "'Options':{'com.docker.network.generic':{%s}}," POOL4 "}",
			    pairs[i][0]);
		refused(*state, CREATE_NETWORK, strbuf_text(&body), "two spellings of one");
		refused(*state, CREATE_NETWORK, strbuf_text(&body), pairs[i][1]);
	}
}

static void options_that_do_not_go_together_are_refused(void **state)
{
	refused(*state, CREATE_NETWORK,
		NETWORK("", "'policy':'open',"
			    "'com.docker.network.bridge.gateway_mode_ipv6':'isolated'"),
		"add --internal");
	network_with(*state,
		     NETWORK(INTERNAL, "'policy':'open',"
				       "'com.docker.network.bridge.gateway_mode_ipv6':'isolated'"));
	refused(*state, CREATE_NETWORK,
		"{'NetworkID':'n6'," OPTIONS(
			"'com.docker.network.enable_ipv6':true,",
			"'policy':'open','mtu':'1279'") "," POOL4
							",'IPv6Data':[{'Pool':'fd00::/64'}]}",
		"MTU 1279 is too small for IPv6");
	network_with(*state,
		     "{'NetworkID':'n6'," OPTIONS(
			     "'com.docker.network.enable_ipv6':true,",
			     "'policy':'open','mtu':'1280'") "," POOL4
							     ",'IPv6Data':[{'Pool':'fd00::/64'}]}");
	network_with(*state, "{'NetworkID':'n4'," OPTIONS(
				     "", "'policy':'open','mtu':'1279'") "," POOL4 "}");
}

static void a_network_has_dockers_defaults(void **state)
{
	const struct network *network;

	network_with(*state, NETWORK("", "'policy':'open'"));
	network = policy_network(*state, "n");
	assert_int_equal(network->egress.policy, POLICY_OPEN);
	assert_true(network->masquerade);
	assert_true(network->icc);
	assert_false(network->internal);
	assert_false(network->inhibit_v4);
	assert_int_equal(network->mtu, 0);
	assert_string_equal(network->container_prefix, "eth");
	assert_string_equal(network->bridge, "");
	assert_int_equal(network->mode[V4], GATEWAY_NAT);
	assert_int_equal(network->mode[V6], GATEWAY_NAT);
	assert_false(addr_is_set(&network->host_binding[V4]));
}

static void every_option_reaches_the_engine(void **state)
{
	const struct network *network;

	network_with(*state,
		     NETWORK(INTERNAL, "'tailexit.policy':'open','icc':'false','mtu':'1400',"
				       "'com.docker.network.bridge.name':'mybr',"
				       "'com.docker.network.bridge.enable_ip_masquerade':'false',"
				       "'com.docker.network.bridge.host_binding_ipv4':'127.0.0.1',"
				       "'com.docker.network.bridge.gateway_mode_ipv4':'isolated',"
				       "'com.docker.network.bridge.gateway_mode_ipv6':'routed',"
				       "'com.docker.network.bridge.inhibit_ipv4':'true',"
				       "'com.docker.network.container_iface_prefix':'vpn',"
				       "'com.docker.network.host_ipv4':'192.0.2.1',"
				       "'com.docker.network.host_ipv6':'2001:db8::1'"));
	network = policy_network(*state, "n");
	assert_false(network->masquerade);
	assert_false(network->icc);
	assert_true(network->internal);
	assert_true(network->inhibit_v4);
	assert_int_equal(network->mtu, 1400);
	assert_string_equal(network->container_prefix, "vpn");
	assert_string_equal(network->bridge, "mybr");
	assert_int_equal(network->mode[V4], GATEWAY_ISOLATED);
	assert_int_equal(network->mode[V6], GATEWAY_ROUTED);
	assert_true(addr_is_loopback(&network->host_binding[V4]));
	assert_true(addr_is_set(&network->snat[V4]));
	assert_true(addr_is_set(&network->snat[V6]));
}

static void a_gateway_address_is_skipped_where_the_bridge_has_none(void **state)
{
	static const struct {
		const char *body, *reply;
	} rows[] = {
		{ "{" OPTIONS("", "'policy':'open'") "}",
		  "{\"SkipIPv4\":false,\"SkipIPv6\":false}" },
		{ "{" OPTIONS(INTERNAL, "'policy':'open'") "}",
		  "{\"SkipIPv4\":false,\"SkipIPv6\":false}" },
		{ "{" OPTIONS(INTERNAL,
			      "'policy':'open',"
			      "'com.docker.network.bridge.gateway_mode_ipv4':'isolated'") "}",
		  "{\"SkipIPv4\":true,\"SkipIPv6\":false}" },
		{ "{" OPTIONS(INTERNAL,
			      "'policy':'open',"
			      "'com.docker.network.bridge.gateway_mode_ipv6':'isolated'") "}",
		  "{\"SkipIPv4\":false,\"SkipIPv6\":true}" },
		{ "{" OPTIONS(INTERNAL,
			      "'policy':'open','com.docker.network.bridge.inhibit_ipv4':'1'") "}",
		  "{\"SkipIPv4\":true,\"SkipIPv6\":false}" },
		{ "{" OPTIONS("",
			      "'policy':'open','com.docker.network.bridge.inhibit_ipv4':'1'") "}",
		  "{\"SkipIPv4\":false,\"SkipIPv6\":false}" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		expect(*state, CHECK, rows[i].body, rows[i].reply);
	refused(*state, CHECK,
		"{" OPTIONS("", "'policy':'open',"
				"'com.docker.network.bridge.gateway_mode_ipv4':'isolated'") "}",
		"add --internal");
	assert_int_equal(stub_changes(*state), 0);
}

static void creating_again_is_harmless_unless_it_is_another(void **state)
{
	network_with(*state, NETWORK("", "'policy':'open'"));
	network_with(*state, NETWORK("", "'policy':'open'"));
	assert_int_equal(stub_changes(*state), 1);
	refused(*state, CREATE_NETWORK, NETWORK("", "'policy':'open','icc':'false'"), "another");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_first_calls_succeed_whatever_they_carry),
		TEST(an_unknown_path_is_not_found),
		TEST(methods_that_need_arguments_refuse_a_body_without),
		TEST(what_other_hosts_do_is_nothing_to_us),
		TEST(a_network_without_a_policy_is_a_killswitch),
		TEST(bad_options_are_refused),
		TEST(two_spellings_of_one_option_are_refused),
		TEST(options_that_do_not_go_together_are_refused),
		TEST(a_network_has_dockers_defaults),
		TEST(every_option_reaches_the_engine),
		TEST(a_gateway_address_is_skipped_where_the_bridge_has_none),
		TEST(creating_again_is_harmless_unless_it_is_another),
	};

	log_set_level("warn");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
