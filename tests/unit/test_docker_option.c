/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of plugin/docker_option.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../plugin/docker_option.h"
#include "../../policy/base/mem.h"

static void refused(const char *key, const char *value, const char *wanted)
{
	struct network network, before;
	struct err err = { 0 };

	memset(&network, 0x55, sizeof(network));
	before = network;
	if (docker_option_set(&network, key, value, &err) >= 0)
		fail_msg("%s=%s was taken", key, value);
	if (!strstr(err.text, wanted))
		fail_msg("%s=%s: \"%s\" does not say \"%s\"", key, value, err.text, wanted);
	assert_memory_equal(&network, &before, sizeof(network));
}

static struct network accepted(const char *key, const char *value)
{
	struct network network = { .mtu = 1, .container_prefix = "eth", .bridge = "x" };
	struct err err = { 0 };

	if (docker_option_set(&network, key, value, &err) < 0)
		fail_msg("%s=%s: %s", key, value, err.text);
	return network;
}

static void names_of_interfaces_are_checked(void **state)
{
	static const char *const wrong[] = {
		"sixteencharacter", "a/b", "a b", ".", "..", "-x", "a%d", "a*", "a:b", "a\n", "a\"",
		"\xc3\xa4"
	};

	(void)state;
	assert_string_equal(accepted("com.docker.network.bridge.name", "br-0_1.2").bridge,
			    "br-0_1.2");
	assert_string_equal(accepted("com.docker.network.bridge.name", "fifteen-letters").bridge,
			    "fifteen-letters");
	assert_string_equal(accepted("com.docker.network.bridge.name", "").bridge, "");
	assert_string_equal(
		accepted("com.docker.network.container_iface_prefix", "vpn").container_prefix,
		"vpn");
	assert_string_equal(
		accepted("com.docker.network.container_iface_prefix", "").container_prefix, "eth");
	assert_string_equal(accepted("com.docker.network.container_iface_prefix", "elevenchars")
				    .container_prefix,
			    "elevenchars");
	refused("com.docker.network.container_iface_prefix", "twelve-chars", "up to 11");
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		refused("com.docker.network.bridge.name", wrong[i], "is not an interface name");
		refused("com.docker.network.container_iface_prefix", wrong[i], "interface name");
	}
}

static void switches_set_what_they_name(void **state)
{
	(void)state;
	assert_true(accepted("com.docker.network.bridge.enable_icc", "true").icc);
	assert_false(accepted("com.docker.network.bridge.enable_icc", "F").icc);
	assert_true(accepted("com.docker.network.bridge.enable_ip_masquerade", "1").masquerade);
	assert_false(accepted("com.docker.network.bridge.enable_ip_masquerade", "0").masquerade);
	assert_true(accepted("com.docker.network.bridge.inhibit_ipv4", "True").inhibit_v4);
	assert_false(accepted("com.docker.network.bridge.inhibit_ipv4", "FALSE").inhibit_v4);
	refused("com.docker.network.bridge.enable_icc", "yes", "neither true nor false");
	refused("com.docker.network.bridge.enable_ip_masquerade", "", "neither true nor false");
	refused("com.docker.network.bridge.inhibit_ipv4", "no", "neither true nor false");
}

static void a_gateway_mode_is_per_family(void **state)
{
	static const char *const names[] = { "nat", "nat-unprotected", "routed", "isolated" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct network v4 =
			accepted("com.docker.network.bridge.gateway_mode_ipv4", names[i]);
		struct network v6 =
			accepted("com.docker.network.bridge.gateway_mode_ipv6", names[i]);

		assert_int_equal(v4.mode[V4], i);
		assert_int_equal(v4.mode[V6], GATEWAY_NAT);
		assert_int_equal(v6.mode[V6], i);
		assert_int_equal(v6.mode[V4], GATEWAY_NAT);
	}
	assert_int_equal(accepted("com.docker.network.bridge.gateway_mode_ipv4", "").mode[V4],
			 GATEWAY_NAT);
	refused("com.docker.network.bridge.gateway_mode_ipv4", "Nat", "nat-unprotected, routed");
}

static void addresses_go_to_their_family(void **state)
{
	struct network v4 = accepted("com.docker.network.bridge.host_binding_ipv4", "127.0.0.1");
	struct network v6 = accepted("com.docker.network.bridge.host_binding_ipv4", "::1");
	struct network snat4 = accepted("com.docker.network.host_ipv4", "192.0.2.1");
	struct network snat6 = accepted("com.docker.network.host_ipv6", "2001:db8::1");

	(void)state;
	assert_int_equal(v4.host_binding[V4].bytes[0], 127);
	assert_false(addr_is_set(&v4.host_binding[V6]));
	assert_int_equal(v6.host_binding[V6].bytes[15], 1);
	assert_false(addr_is_set(&v6.host_binding[V4]));
	assert_int_equal(snat4.snat[V4].bytes[0], 192);
	assert_int_equal(snat6.snat[V6].bytes[0], 0x20);
	refused("com.docker.network.bridge.host_binding_ipv4", "localhost", "is not an address");
	refused("com.docker.network.bridge.host_binding_ipv4", "", "is not an address");
	refused("com.docker.network.host_ipv4", "2001:db8::1", "is not an IPv4 address");
	refused("com.docker.network.host_ipv4", "0.0.0.0", "is not an IPv4 address");
	refused("com.docker.network.host_ipv6", "192.0.2.1", "is not an IPv6 address");
	refused("com.docker.network.host_ipv6", "192.0.2.1/24", "is not an IPv6 address");
}

static void an_mtu_of_zero_means_auto_as_in_docker(void **state)
{
	(void)state;
	assert_int_equal(accepted("com.docker.network.driver.mtu", "0").mtu, 0);
	assert_int_equal(accepted("com.docker.network.driver.mtu", "1280").mtu, 1280);
	refused("com.docker.network.driver.mtu", "auto", "from 68 to 65535");
	refused("com.docker.network.driver.mtu", "67", "from 68 to 65535");
	refused("com.docker.network.driver.mtu", "-1", "from 68 to 65535");
}

static void an_unknown_key_is_refused_with_the_valid_ones_and_a_guess(void **state)
{
	(void)state;
	refused("com.docker.network.bridge.nmae", "x",
		"did you mean \"com.docker.network.bridge.name\"?");
	refused("com.docker.network.bridge.trusted_host_interfaces", "x", "host_ipv4, host_ipv6");
	refused("com.docker.network.", "x", "bridge.name, bridge.enable_icc");
	refused("com.docker.network.Bridge.name", "x", "did you mean");
	refused("com.docker.compose.project", "x", "is not supported");
}

static void words_that_mean_the_same_exist(void **state)
{
	(void)state;
	for (const struct docker_option *option = docker_option_table; option->key; option++) {
		char key[128];

		snprintf(key, sizeof(key), "com.docker.network.%s", option->key);
		assert_ptr_equal(docker_option_find(key), option);
		if (option->same_as)
			assert_non_null(option_find(option->same_as));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_of_interfaces_are_checked),
		cmocka_unit_test(switches_set_what_they_name),
		cmocka_unit_test(a_gateway_mode_is_per_family),
		cmocka_unit_test(addresses_go_to_their_family),
		cmocka_unit_test(an_mtu_of_zero_means_auto_as_in_docker),
		cmocka_unit_test(an_unknown_key_is_refused_with_the_valid_ones_and_a_guess),
		cmocka_unit_test(words_that_mean_the_same_exist),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
