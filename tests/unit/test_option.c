/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of policy/model/option.c: a typo or an omission must never mean open. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../policy/base/mem.h"
#include "../../policy/model/option.h"

static void refused(const char *key, const char *value, const char *wanted)
{
	struct network network, before;
	struct err err = { 0 };

	memset(&network, 0x55, sizeof(network));
	before = network;
	if (option_set(&network, key, value, &err) >= 0)
		fail_msg("%s=%s was taken", key, value);
	assert_true(err.code < 0);
	if (!strstr(err.text, wanted))
		fail_msg("%s=%s: \"%s\" does not say \"%s\"", key, value, err.text, wanted);
	assert_memory_equal(&network, &before, sizeof(network));
}

/* The whole end: nothing that is not available is offered. */
static void only_what_is_available_is_offered(void **state)
{
	struct network network = { 0 };
	struct err err;

	(void)state;
	assert_true(option_set(&network, "xyz", "", &err) < 0);
	assert_string_equal(strstr(err.text, "valid ones are"),
			    "valid ones are policy, via, lan, tailnet, host, dns, mark, "
			    "ipv6, mtu, icc, override");
}

static struct network accepted(const char *key, const char *value)
{
	struct network network = { .mtu = 1 };
	struct err err = { 0 };

	if (option_set(&network, key, value, &err) < 0)
		fail_msg("%s=%s: %s", key, value, err.text);
	return network;
}

/* Of a network that has this policy. */
static struct network with_policy(const char *policy, const char *key, const char *value)
{
	struct network network = accepted("policy", policy);
	struct err err = { 0 };

	if (option_set(&network, key, value, &err) < 0)
		fail_msg("%s=%s: %s", key, value, err.text);
	return network;
}

static void refused_with_policy(const char *policy, const char *key, const char *value,
				const char *wanted)
{
	struct network network = accepted("policy", policy), before = network;
	struct err err = { 0 };

	if (option_set(&network, key, value, &err) >= 0)
		fail_msg("%s=%s was taken", key, value);
	if (!strstr(err.text, wanted) || !strstr(err.text, key))
		fail_msg("%s=%s: \"%s\" does not say \"%s\"", key, value, err.text, wanted);
	assert_memory_equal(&network, &before, sizeof(network));
}

static void a_policy_brings_its_defaults(void **state)
{
	struct egress open = accepted("policy", "open").egress;
	struct egress bypass = accepted("tailexit.policy", "bypass").egress;
	struct egress killswitch = accepted("policy", "killswitch").egress;
	struct egress isolated = accepted("policy", "isolated").egress;

	(void)state;
	assert_int_equal(open.policy, POLICY_OPEN);
	assert_true(open.tailnet && open.host == HOST_ON && open.dns == DNS_DOCKER);
	assert_int_equal(bypass.policy, POLICY_BYPASS);
	assert_true(bypass.tailnet && bypass.host == HOST_ON);
	assert_int_equal(bypass.mark, 0x80000);
	assert_int_equal(bypass.mark_mask, 0xff0000);
	assert_int_equal(killswitch.policy, POLICY_KILLSWITCH);
	assert_false(killswitch.tailnet);
	assert_true(killswitch.host == HOST_OFF && killswitch.dns == DNS_STRICT);
	assert_int_equal(killswitch.via.n, 1);
	assert_string_equal(killswitch.via.names[0], "tailscale0");
	assert_int_equal(isolated.policy, POLICY_ISOLATED);
	assert_true(isolated.host == HOST_OFF && isolated.dns == DNS_STRICT && !isolated.tailnet);
	assert_int_equal(isolated.via.n, 0);
}

static void via_is_a_list_of_interfaces(void **state)
{
	struct exits via = with_policy("killswitch", "via", "wg0,tailscale0").egress.via;

	(void)state;
	assert_int_equal(via.n, 2);
	assert_string_equal(via.names[0], "wg0");
	assert_string_equal(via.names[1], "tailscale0");
	refused_with_policy("killswitch", "via", "", "single commas");
	refused_with_policy("killswitch", "via", "wg0,,wg1", "single commas");
	refused_with_policy("killswitch", "via", "wg0,wg0", "twice");
	refused_with_policy("killswitch", "via", "wg 0", "is not an interface name");
	refused_with_policy("killswitch", "via", "wg*", "is not an interface name");
	refused_with_policy("killswitch", "via", "interface-too-long", "is not an interface name");
	refused_with_policy("killswitch", "via", "a,b,c,d,e,f,g,h,i", "more than 8");
	refused_with_policy("bypass", "via", "wg0", "use policy=killswitch");
	refused_with_policy("open", "via", "wg0", "use policy=killswitch");
	refused_with_policy("isolated", "via", "wg0", "use policy=killswitch");
}

static void lan_is_a_word_or_a_list_of_ranges(void **state)
{
	struct egress egress =
		with_policy("killswitch", "lan", "192.168.1.7/24,10.0.0.0/8:53/udp,fd00::/8:443")
			.egress;

	(void)state;
	assert_int_equal(egress.lan, LAN_LIST);
	assert_int_equal(egress.n_lan_rules, 3);
	assert_int_equal(egress.lan_rules[0].prefix.addr.bytes[3], 0);
	assert_int_equal(egress.lan_rules[1].port, 53);
	assert_int_equal(egress.lan_rules[1].proto, 17);
	assert_int_equal(egress.lan_rules[2].port, 443);
	assert_int_equal(egress.lan_rules[2].proto, 0);
	assert_int_equal(with_policy("killswitch", "lan", "reply").egress.lan, LAN_REPLY);
	assert_int_equal(with_policy("killswitch", "lan", "off").egress.lan, LAN_OFF);
	assert_int_equal(with_policy("killswitch", "lan", "on").egress.lan, LAN_ON);
	/* never everything: that would be another policy */
	refused_with_policy("killswitch", "lan", "0.0.0.0/0", "reply, off, on");
	refused_with_policy("killswitch", "lan", "::/0", "reply, off, on");
	refused_with_policy("killswitch", "lan", "yes", "reply, off, on");
	refused_with_policy("killswitch", "lan", "10.0.0.1", "CIDR");
	refused_with_policy("killswitch", "lan", "10.0.0.0/8:0", "CIDR");
	refused_with_policy("killswitch", "lan", "10.0.0.0/8:65536", "CIDR");
	refused_with_policy("killswitch", "lan", "10.0.0.0/8:53/icmp", "CIDR");
	refused_with_policy("killswitch", "lan", "", "single commas");
}

static void host_is_a_word_or_a_list_of_ports(void **state)
{
	struct egress egress = with_policy("isolated", "host", "53,123").egress;

	(void)state;
	assert_int_equal(egress.host, HOST_LIST);
	assert_int_equal(egress.n_host_ports, 2);
	assert_int_equal(egress.host_ports[1], 123);
	assert_int_equal(with_policy("isolated", "host", "on").egress.host, HOST_ON);
	assert_int_equal(with_policy("open", "host", "off").egress.host, HOST_OFF);
	refused_with_policy("open", "host", "true", "off, on");
	refused_with_policy("open", "host", "0", "off, on");
	refused_with_policy("open", "host", "70000", "off, on");
}

static void dns_is_a_word_or_a_list_of_servers(void **state)
{
	struct egress egress = with_policy("killswitch", "dns", "9.9.9.9,2620:fe::fe").egress;

	(void)state;
	assert_int_equal(egress.dns, DNS_LIST);
	assert_int_equal(egress.n_dns_servers, 2);
	assert_int_equal(with_policy("killswitch", "dns", "docker").egress.dns, DNS_DOCKER);
	assert_int_equal(with_policy("open", "dns", "strict").egress.dns, DNS_STRICT);
	refused_with_policy("killswitch", "dns", "auto", "strict, docker");
	refused_with_policy("killswitch", "dns", "127.0.0.53", "strict, docker");
	refused_with_policy("killswitch", "dns", "0.0.0.0", "strict, docker");
	refused_with_policy("killswitch", "dns", "dns.example", "strict, docker");
}

static void a_mark_is_a_value_and_a_mask(void **state)
{
	struct egress egress = with_policy("bypass", "mark", "51820").egress;

	(void)state;
	assert_int_equal(egress.mark, 51820);
	assert_int_equal(egress.mark_mask, 0xffffffff);
	egress = with_policy("bypass", "mark", "0x20/0xf0").egress;
	assert_int_equal(egress.mark, 0x20);
	assert_int_equal(egress.mark_mask, 0xf0);
	refused_with_policy("bypass", "mark", "0", "inside the mask");
	refused_with_policy("bypass", "mark", "0x100/0xff", "inside the mask");
	refused_with_policy("bypass", "mark", "-1", "value[/mask]");
	refused_with_policy("bypass", "mark", "4294967296", "value[/mask]");
	refused_with_policy("killswitch", "mark", "51820", "use policy=bypass");
}

static void the_other_words_have_few_values(void **state)
{
	(void)state;
	assert_true(accepted("ipv6", "off").v6_off);
	assert_false(accepted("ipv6", "auto").v6_off);
	refused("ipv6", "on", "neither auto nor off");
	assert_int_equal(accepted("override", "any").override, OVERRIDE_ANY);
	assert_int_equal(accepted("override", "none").override, OVERRIDE_NONE);
	assert_int_equal(accepted("policy", "open").override, OVERRIDE_TIGHTEN);
	refused("override", "all", "is none of tighten, any, none; use one of them");
	assert_true(with_policy("killswitch", "tailnet", "on").egress.tailnet);
	refused("tailnet", "true", "neither on nor off");
}

static void what_is_no_policy_is_refused_with_what_is(void **state)
{
	static const char *const wrong[] = { "", "Open", "OPEN", "open ", " open", "opne", "none" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		refused("policy", wrong[i], "use killswitch, bypass, isolated or open");
}

static void an_mtu_is_auto_or_a_number_in_range(void **state)
{
	static const char *const wrong[] = {
		"",      "67",  "65536", "-1",         "+1500", "1500 ",
		"0x5dc", "1e3", "Auto",  "4294967364", "none",  "99999999999999999999"
	};

	(void)state;
	assert_int_equal(accepted("mtu", "auto").mtu, 0);
	assert_int_equal(accepted("mtu", "68").mtu, 68);
	assert_int_equal(accepted("mtu", "65535").mtu, 65535);
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		refused("mtu", wrong[i], "use auto or a number from 68 to 65535");
}

static void icc_is_true_or_false_in_the_usual_spellings(void **state)
{
	static const char *const yes[] = { "1", "t", "T", "TRUE", "true", "True" };
	static const char *const no[] = { "0", "f", "F", "FALSE", "false", "False" };
	static const char *const wrong[] = { "", "yes", "on", "tRUE", "2", "true " };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(yes); i++) {
		assert_true(accepted("icc", yes[i]).icc);
		assert_false(accepted("icc", no[i]).icc);
	}
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		refused("icc", wrong[i], "true");
}

static void an_unknown_word_is_refused_with_the_valid_ones_and_a_guess(void **state)
{
	(void)state;
	refused("polcy", "open", "(did you mean \"policy\"?); valid ones are policy, via, lan");
	refused("tailexit.mut", "1500", "did you mean \"mtu\"?");
	refused("Policy", "open", "did you mean \"policy\"?");
	refused("", "open", "valid ones are policy");
	refused("tailexit.", "open", "valid ones are policy");
	refused("tailexit.tailexit.policy", "open", "valid ones are policy");
	refused("exit-node", "open", "is not known; valid");
}

static void a_text_of_any_length_is_refused_with_a_whole_sentence(void **state)
{
	char text[2000];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	refused(text, "open", "valid ones are policy, via, lan");
	refused("policy", text, "use killswitch");
	refused("mtu", text, "65535");
}

static void every_row_of_the_table_says_what_it_is(void **state)
{
	size_t n = 0;

	(void)state;
	for (const struct option *option = option_table; option->key; option++, n++) {
		assert_ptr_equal(option_find(option->key), option);
		assert_true(option->values && *option->values);
		assert_true(option->help && *option->help);
	}
	assert_int_equal(n, 11);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_policy_brings_its_defaults),
		cmocka_unit_test(via_is_a_list_of_interfaces),
		cmocka_unit_test(lan_is_a_word_or_a_list_of_ranges),
		cmocka_unit_test(host_is_a_word_or_a_list_of_ports),
		cmocka_unit_test(dns_is_a_word_or_a_list_of_servers),
		cmocka_unit_test(a_mark_is_a_value_and_a_mask),
		cmocka_unit_test(the_other_words_have_few_values),
		cmocka_unit_test(what_is_no_policy_is_refused_with_what_is),
		cmocka_unit_test(an_mtu_is_auto_or_a_number_in_range),
		cmocka_unit_test(icc_is_true_or_false_in_the_usual_spellings),
		cmocka_unit_test(an_unknown_word_is_refused_with_the_valid_ones_and_a_guess),
		cmocka_unit_test(only_what_is_available_is_offered),
		cmocka_unit_test(a_text_of_any_length_is_refused_with_a_whole_sentence),
		cmocka_unit_test(every_row_of_the_table_says_what_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
