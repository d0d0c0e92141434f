/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What one endpoint may have otherwise than its network. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../policy/base/mem.h"
#include "../../policy/model/codec.h"
#include "../../policy/model/exception.h"
#include "../../policy/model/option.h"
#include "world.h"

/* Words as on the command line: "policy=killswitch lan=on"; the policy comes first. */
typedef int set_fn(struct network *network, const struct network *outer, const char *key,
		   const char *value, struct err *err);

static int set_words(struct network *network, const struct network *outer, const char *words,
		     set_fn *set, struct err *err)
{
	AUTO_FREE char *copy = xstrdup(words);
	char *rest = copy, *word;
	int r = 0;

	while (r == 0 && (word = strsep(&rest, " "))) {
		char *value = strchr(word, '=');

		if (!value)
			continue;
		*value++ = '\0';
		r = set(network, outer, word, value, err);
	}
	return r;
}

static int of_network(struct network *network, const struct network *outer, const char *key,
		      const char *value, struct err *err)
{
	(void)outer;
	return option_set(network, key, value, err);
}

static struct network network_with(const char *words)
{
	struct network network = test_network(true);
	struct err err = { 0 };

	network.egress = egress_default(POLICY_KILLSWITCH);
	if (set_words(&network, NULL, words, of_network, &err) < 0)
		fail_msg("%s: %s", words, err.text);
	return network;
}

static int try(const char *network_words, const char *words, struct exception *ret_exception,
	       struct err *err)
{
	struct network network = network_with(network_words), own = network;
	int r = set_words(&own, &network, words, exception_set, err);

	return r < 0 ? r : exception_make(&own, &network, ret_exception, err);
}

static struct exception allowed(const char *network_words, const char *words)
{
	struct exception exception = { 0 };
	struct err err = { 0 };

	if (try(network_words, words, &exception, &err) < 0)
		fail_msg("%s in %s: %s", words, network_words, err.text);
	return exception;
}

static void refused(const char *network_words, const char *words, const char *sentence)
{
	struct exception exception = { .mtu = 77 };
	struct err err = { 0 };

	if (try(network_words, words, &exception, &err) == 0)
		fail_msg("%s in %s was allowed", words, network_words);
	if (!strstr(err.text, sentence))
		fail_msg("%s in %s: %s, and not %s", words, network_words, err.text, sentence);
	assert_int_equal(exception.mtu, 77);
}

static void tighter_is_allowed(void **state)
{
	(void)state;
	assert_int_equal(allowed("policy=open", "policy=bypass").egress.policy, POLICY_BYPASS);
	assert_int_equal(allowed("policy=bypass", "policy=killswitch").egress.policy,
			 POLICY_KILLSWITCH);
	assert_int_equal(allowed("", "policy=isolated").egress.policy, POLICY_ISOLATED);
	assert_string_equal(allowed("policy=open", "policy=killswitch via=wg0").egress.via.names[0],
			    "wg0");
	assert_int_equal(allowed("via=wg0,wg1", "via=wg1").egress.via.n, 1);
	assert_int_equal(allowed("lan=on", "lan=10.0.0.0/8").egress.n_lan_rules, 1);
	assert_int_equal(allowed("lan=10.0.0.0/8", "lan=10.1.0.0/16:53/udp").egress.lan, LAN_LIST);
	assert_int_equal(allowed("", "lan=off").egress.lan, LAN_OFF);
	assert_false(allowed("tailnet=on", "tailnet=off").egress.tailnet);
	assert_int_equal(allowed("host=53,80", "host=80").egress.n_host_ports, 1);
	assert_int_equal(allowed("", "dns=9.9.9.9").egress.dns, DNS_LIST);
	assert_int_equal(allowed("dns=docker", "dns=strict").egress.dns, DNS_STRICT);
	assert_true(allowed("", "ipv6=off").v6_off);
	assert_false(allowed("", "icc=false").icc);
	assert_int_equal(allowed("", "mtu=1400").mtu, 1400);
}

static void looser_is_refused(void **state)
{
	static const struct {
		const char *network, *words, *word;
	} cases[] = {
		{ "", "policy=open", "policy" },
		{ "", "policy=bypass", "policy" },
		{ "policy=isolated", "policy=killswitch", "policy" },
		{ "policy=bypass", "policy=open", "policy" },
		{ "", "via=wg0", "via" },
		{ "via=wg0,wg1", "via=wg1,wg2", "via" },
		{ "", "lan=on", "lan" },
		{ "lan=off", "lan=reply", "lan" },
		{ "lan=10.0.0.0/8:53", "lan=10.0.0.0/8", "lan" },
		{ "lan=10.1.0.0/16", "lan=10.0.0.0/8", "lan" },
		{ "lan=10.0.0.0/8:53/udp", "lan=10.0.0.0/8:53/tcp", "lan" },
		{ "", "tailnet=on", "tailnet" },
		{ "", "host=on", "host" },
		{ "host=53", "host=54", "host" },
		{ "", "dns=docker", "dns" },
		{ "policy=bypass", "mark=0x10000/0xff0000", "mark" },
		{ "ipv6=off", "ipv6=auto", "ipv6" },
		{ "icc=false", "icc=true", "icc" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(strbuf) struct strbuf any = { 0 };
		AUTO(strbuf) struct strbuf sentence = { 0 };

		strbuf_addf(&sentence, "option %s for one container would allow it more",
			    cases[i].word);
		refused(cases[i].network, cases[i].words, strbuf_text(&sentence));
		strbuf_addf(&any, "%s override=any", cases[i].network);
		allowed(strbuf_text(&any), cases[i].words);
		strbuf_addf(&any, " override=none");
		refused(strbuf_text(&any), cases[i].words, "override=none");
	}
}

static void another_policy_keeps_what_is_tighter(void **state)
{
	struct exception exception;

	(void)state;
	exception = allowed("policy=open lan=off host=53 tailnet=off dns=9.9.9.9 ipv6=off mtu=1300",
			    "policy=killswitch");
	assert_int_equal(exception.egress.lan, LAN_OFF);
	assert_int_equal(exception.egress.host, HOST_OFF);
	assert_int_equal(exception.egress.dns, DNS_LIST);
	assert_true(exception.v6_off);
	assert_int_equal(exception.mtu, 1300);

	exception = allowed("policy=open lan=10.0.0.0/8 host=53", "policy=bypass");
	assert_int_equal(exception.egress.lan, LAN_LIST);
	assert_int_equal(exception.egress.n_lan_rules, 1);
	assert_int_equal(exception.egress.host, HOST_LIST);

	/* Looser, as it was asked for: with all that belongs to it. */
	exception = allowed("override=any", "policy=open");
	assert_int_equal(exception.egress.lan, LAN_ON);
	assert_int_equal(exception.egress.host, HOST_ON);
	assert_int_equal(exception.egress.via.n, 0);
}

static void the_same_policy_keeps_the_other_words(void **state)
{
	struct exception exception = allowed("via=wg0 lan=on host=on", "policy=killswitch");

	(void)state;
	assert_string_equal(exception.egress.via.names[0], "wg0");
	assert_int_equal(exception.egress.lan, LAN_ON);
	assert_int_equal(exception.egress.host, HOST_ON);
}

static void words_of_a_network_are_refused(void **state)
{
	(void)state;
	refused("", "override=any", "is for a whole network, not for one container");
	refused("", "polcy=isolated", "did you mean \"policy\"?");
	refused("", "policy=open-ish", "is not a policy");
	refused("policy=open", "via=wg0", "policy open has no exit to choose");
}

/* Its network has become this one: each line is what was, what is, and what the endpoint becomes.
 */
static void fits(const char *before, const char *words, const char *now, const char *expected)
{
	struct exception exception = allowed(before, words);
	struct network network = network_with(now), wanted = network_with(expected), got = wanted;
	json_t *left, *right;

	exception_fit(&exception, &network);
	exception_put(&exception, &got);
	left = network_encode(&got);
	right = network_encode(&wanted);
	if (!json_equal(left, right))
		fail_msg("%s, %s, now %s: not %s, but policy %s", before, words, now, expected,
			 policy_name(exception.egress.policy));
	json_decref(left);
	json_decref(right);
}

/* Fails when a looser policy of its own stays; when a word is not looked at. */
static void of_both_the_tighter_is_kept(void **state)
{
	(void)state;
	fits("policy=open", "policy=bypass", "policy=killswitch via=wg1",
	     "policy=killswitch via=wg1");
	fits("policy=open", "policy=isolated", "policy=killswitch", "policy=isolated");
	fits("policy=open", "policy=killswitch via=wg0", "policy=killswitch via=wg1",
	     "policy=killswitch via=wg1");
	fits("policy=open", "policy=killswitch via=wg1", "policy=killswitch via=wg0,wg1",
	     "policy=killswitch via=wg1");
	fits("override=any", "policy=open", "policy=isolated", "policy=isolated");
	fits("override=any", "lan=on host=on dns=docker tailnet=on", "lan=off host=53 dns=9.9.9.9",
	     "lan=off host=53 dns=9.9.9.9");
	fits("policy=open", "lan=10.0.0.0/8 host=53,80", "policy=open lan=192.168.0.0/16 host=80",
	     "policy=open lan=192.168.0.0/16 host=80");
	fits("policy=open", "icc=false", "policy=open ipv6=off", "policy=open icc=false ipv6=off");
	fits("policy=open", "dns=1.1.1.1", "policy=killswitch", "policy=killswitch dns=1.1.1.1");
	fits("policy=bypass override=any", "mark=0x10000/0xff0000", "policy=bypass",
	     "policy=bypass");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tighter_is_allowed),
		cmocka_unit_test(looser_is_refused),
		cmocka_unit_test(another_policy_keeps_what_is_tighter),
		cmocka_unit_test(the_same_policy_keeps_the_other_words),
		cmocka_unit_test(words_of_a_network_are_refused),
		cmocka_unit_test(of_both_the_tighter_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
