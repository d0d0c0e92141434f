/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of plugin/encode.c: replies, to the letter. */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../plugin/encode.h"
#include "../../policy/base/mem.h"
#include "stub_policy.h"

static void a_reply_is_never_empty(void **state)
{
	AUTO(strbuf) struct strbuf reply = { 0 };

	(void)state;
	encode_empty(&reply);
	assert_string_equal(strbuf_text(&reply), "{}");
}

static void an_error_holds_any_text(void **state)
{
	static const struct {
		const char *text, *reply;
	} rows[] = {
		{ "network \"a\": no\n", "{\"Err\":\"network \\\"a\\\": no\\n\"}" },
		{ "\xc3\xa4", "{\"Err\":\"\xc3\xa4\"}" },
		/* cut within a character */
		{ "\xc3\xa4 \xc3", "{\"Err\":\"?? ?\"}" },
		{ "\xff", "{\"Err\":\"?\"}" },
		/* an empty text would be taken for success */
		{ "", "{\"Err\":\"unknown error\"}" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		AUTO(strbuf) struct strbuf reply = { 0 };

		encode_error(&reply, rows[i].text);
		assert_string_equal(strbuf_text(&reply), rows[i].reply);
	}
}

static void the_driver_introduces_itself(void **state)
{
	AUTO(strbuf) struct strbuf activate = { 0 };
	AUTO(strbuf) struct strbuf capabilities = { 0 };

	(void)state;
	encode_activate(&activate);
	assert_string_equal(strbuf_text(&activate), "{\"Implements\":[\"NetworkDriver\"]}");
	encode_capabilities(&capabilities);
	assert_string_equal(strbuf_text(&capabilities),
			    "{\"Scope\":\"local\",\"ConnectivityScope\":\"local\","
			    "\"GwAllocChecker\":true}");
}

static void a_gateway_check_is_answered_per_family(void **state)
{
	AUTO(strbuf) struct strbuf reply = { 0 };

	(void)state;
	encode_gateway_check(&reply, true, false);
	assert_string_equal(strbuf_text(&reply), "{\"SkipIPv4\":true,\"SkipIPv6\":false}");
}

static void an_endpoint_repeats_nothing_but_a_mac_of_our_own(void **state)
{
	static const uint8_t mac[6] = { 0x02, 0x00, 0x0a, 0xff, 0x10, 0x01 };
	AUTO(strbuf) struct strbuf chosen = { 0 };
	AUTO(strbuf) struct strbuf given = { 0 };

	(void)state;
	encode_endpoint(&chosen, mac);
	assert_string_equal(strbuf_text(&chosen),
			    "{\"Interface\":{\"MacAddress\":\"02:00:0a:ff:10:01\"}}");
	encode_endpoint(&given, NULL);
	assert_string_equal(strbuf_text(&given), "{\"Interface\":{}}");
}

/* Either a gateway or DisableGatewayService: neither would add docker_gwbridge, both would add it
 * for another network's sake. */
static void a_join_has_a_gateway_or_disables_the_gateway_service(void **state)
{
	static const struct {
		const char *v4, *v6;
		bool no_default_route;
		const char *reply;
	} rows[] = {
		{ "10.0.0.1", NULL, false, ",\"Gateway\":\"10.0.0.1\"}" },
		{ "10.0.0.1", "fd00::1", false,
		  ",\"Gateway\":\"10.0.0.1\",\"GatewayIPv6\":\"fd00::1\"}" },
		{ NULL, "fd00::1", false, ",\"GatewayIPv6\":\"fd00::1\"}" },
		{ NULL, NULL, false, ",\"DisableGatewayService\":true}" },
		{ NULL, NULL, true, ",\"DisableGatewayService\":true}" },
		{ "10.0.0.1", "fd00::1", true, ",\"DisableGatewayService\":true}" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		AUTO(strbuf) struct strbuf reply = { 0 };
		struct attachment attachment = { .container_if = "tec1",
						 .container_prefix = "eth",
						 .no_default_route = rows[i].no_default_route };

		if (rows[i].v4)
			assert_int_equal(addr_parse(&attachment.gateway[V4], rows[i].v4), 0);
		if (rows[i].v6)
			assert_int_equal(addr_parse(&attachment.gateway[V6], rows[i].v6), 0);
		encode_join(&reply, &attachment);
		assert_string_equal(
			strbuf_text(&reply) +
				strlen("{\"InterfaceName\":{\"SrcName\":\"tec1\",\"DstPrefix\":"
				       "\"eth\"}"),
			rows[i].reply);
	}
}

static void published_ports_are_listed_with_where_they_lead(void **state)
{
	AUTO(strbuf) struct strbuf none = { 0 };
	AUTO(strbuf) struct strbuf some = { 0 };
	struct err err;
	struct policy *policy = policy_open(NULL, NULL, &err);
	struct network network = { .id = "n" };
	struct endpoint endpoint = { .id = "e", .network = "n" };
	struct port_request ports[] = {
		{ .proto = IPPROTO_TCP, .port = 80, .host_port = 8080 },
		{ .proto = IPPROTO_UDP, .port = 53, .host_port = 53 },
	};

	(void)state;
	encode_ports(&none, policy);
	assert_string_equal(strbuf_text(&none), "[]");
	prefix_parse(&endpoint.addr[V4], "10.0.0.2/24");
	addr_parse(&ports[1].host, "::1"); /* with no IPv6 inside: leads to IPv4 */
	assert_int_equal(policy_network_add(policy, &network, &err), 0);
	assert_int_equal(policy_endpoint_add(policy, &endpoint, &err), 0);
	assert_int_equal(policy_publish(policy, "n", "e", ports, ARRAY_SIZE(ports), &err), 0);
	encode_ports(&some, policy);
	assert_string_equal(strbuf_text(&some),
			    "[{\"network\":\"n\",\"endpoint\":\"e\",\"proto\":\"tcp\","
			    "\"container_port\":80,\"host_ip\":\"0.0.0.0\",\"host_port\":8080,"
			    "\"address\":\"10.0.0.2\"},"
			    "{\"network\":\"n\",\"endpoint\":\"e\",\"proto\":\"udp\","
			    "\"container_port\":53,\"host_ip\":\"::1\",\"host_port\":53,"
			    "\"address\":\"10.0.0.2\"}]");
	policy_close(policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_reply_is_never_empty),
		cmocka_unit_test(an_error_holds_any_text),
		cmocka_unit_test(the_driver_introduces_itself),
		cmocka_unit_test(a_gateway_check_is_answered_per_family),
		cmocka_unit_test(an_endpoint_repeats_nothing_but_a_mac_of_our_own),
		cmocka_unit_test(a_join_has_a_gateway_or_disables_the_gateway_service),
		cmocka_unit_test(published_ports_are_listed_with_where_they_lead),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
