/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of plugin/swarm.c, by whole requests as the nodes of a Docker swarm send them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../plugin/swarm.h"
#include "../../policy/base/log.h"
#include "driver_rig.h"

#define ID "ldhftmlufcui9jyqqyo0ge2e9"
#define OF_SWARM(more, generic) \
	"{'NetworkID':'" ID \
	"'," OPTIONS(more, generic) "," POOL4 \
				    ",'IPv6Data':[{'Pool':'fd00::/64','Gateway':'fd00::1/64'}]}"
#define DUAL "'com.docker.network.enable_ipv6':true,"
#define ENDS "'NetworkID':'" ID "','EndpointID':'e'"
#define JOIN "/NetworkDriver.Join"
#define NAMES "{\"InterfaceName\":{\"SrcName\":\"tec0\",\"DstPrefix\":\"eth\"},"

static void a_network_of_a_swarm_is_known_by_its_id(void **state)
{
	static const struct {
		const char *id;
		bool of_swarm;
	} rows[] = {
		{ ID, true },
		{ "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", false },
		{ "", false },
		{ "ldhftmlufcui9jyqqyo0ge2e", false },
		{ "ldhftmlufcui9jyqqyo0ge2e99", false },
		{ "ldhftmlufcui9jyqqyo0ge2.9", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (swarm_has(rows[i].id) != rows[i].of_swarm)
			fail_msg("\"%s\"", rows[i].id);
}

static void one_whose_options_docker_has_dropped_is_refused(void **state)
{
	refused(*state, CREATE_NETWORK, OF_SWARM("", ""), "--config-from NAME");
	refused(*state, CREATE_NETWORK, OF_SWARM(INTERNAL, "'policy':'open'"),
		"use -o policy=isolated instead");
	expect(*state, CREATE_NETWORK, OF_SWARM("", "'policy':'open'"), "{}");
}

static void the_scope_of_another_kind_of_driver_is_refused(void **state)
{
	refused(*state, CREATE_NETWORK,
		"{'NetworkID':'n'," OPTIONS(
			"", "'policy':'open'") ",'IPv4Data':[{'AddressSpace':'GlobalDefault',"
					       "'Pool':'10.0.0.0/24','Gateway':'10.0.0.1/24'}]}",
		"leave --scope out");
	refused(*state, "/NetworkDriver.AllocateNetwork",
		"{'NetworkID':'" ID "','Options':{'a':'b'}}", "this driver has local scope");
	expect(*state, "/NetworkDriver.FreeNetwork", "{'NetworkID':'" ID "'}", "{}");
	assert_int_equal(stub_changes(*state), 0);
}

static void one_that_leads_nowhere_has_a_gateway_all_the_same(void **state)
{
	network_with(*state, OF_SWARM(DUAL, "'policy':'isolated'"));
	expect(*state, CREATE_ENDPOINT,
	       "{" ENDS ",'Interface':{'Address':'10.0.0.2/24','AddressIPv6':'fd00::2/64'},"
	       "'Options':{'com.docker.network.endpoint.dnsservers':['9.9.9.9']}}",
	       "{\"Interface\":{\"MacAddress\":\"02:42:ac:11:00:02\"}}");
	expect(*state, JOIN, "{" ENDS "}",
	       NAMES "\"Gateway\":\"10.0.0.1\",\"GatewayIPv6\":\"fd00::1\"}");
}

static void of_the_address_families_of_the_container(void **state)
{
	network_with(*state, OF_SWARM(DUAL, "'policy':'isolated'"));
	expect(*state, CREATE_ENDPOINT,
	       "{" ENDS ",'Interface':{'Address':'10.0.0.2/24'},"
	       "'Options':{'com.docker.network.endpoint.dnsservers':['9.9.9.9']}}",
	       "{\"Interface\":{\"MacAddress\":\"02:42:ac:11:00:02\"}}");
	expect(*state, JOIN, "{" ENDS "}", NAMES "\"Gateway\":\"10.0.0.1\"}");
}

static void outside_of_a_swarm_it_has_none(void **state)
{
	network_with(*state, NETWORK("", "'policy':'isolated'"));
	expect(*state, CREATE_ENDPOINT,
	       "{" IDS ",'Interface':{'Address':'10.0.0.2/24'},"
	       "'Options':{'com.docker.network.endpoint.dnsservers':['9.9.9.9']}}",
	       "{\"Interface\":{\"MacAddress\":\"02:42:ac:11:00:02\"}}");
	expect(*state, JOIN, "{" IDS "}", NAMES "\"DisableGatewayService\":true}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_network_of_a_swarm_is_known_by_its_id),
		TEST(one_whose_options_docker_has_dropped_is_refused),
		TEST(the_scope_of_another_kind_of_driver_is_refused),
		TEST(one_that_leads_nowhere_has_a_gateway_all_the_same),
		TEST(of_the_address_families_of_the_container),
		TEST(outside_of_a_swarm_it_has_none),
	};

	log_set_level("error");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
