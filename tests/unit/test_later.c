/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Words that come when a network or an endpoint has been made. Above a test: what was changed to
 * see it fail. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../policy/base/mem.h"
#include "../../policy/model/codec.h"
#include "../../policy/model/exception.h"
#include "../../policy/model/later.h"
#include "../../policy/model/option.h"
#include "world.h"

#define WORDS_MAX 8

/* Words as on the command line, without a prefix. */
struct sentence {
	char *copy;
	struct word items[WORDS_MAX];
	struct words words;
};

static void sentence_done(struct sentence *sentence)
{
	free(sentence->copy);
}

static struct sentence sentence_of(const char *text)
{
	struct sentence sentence = { .copy = xstrdup(text) };
	char *rest = sentence.copy, *word;

	while ((word = strsep(&rest, " "))) {
		char *value = strchr(word, '=');

		if (!value)
			continue;
		*value++ = '\0';
		assert_true(sentence.words.n < WORDS_MAX);
		sentence.items[sentence.words.n++] = (struct word){ word, value };
	}
	return sentence;
}

static struct network network_of(const char *text)
{
	AUTO(sentence) struct sentence sentence = sentence_of(text);
	struct network network = test_network(true);
	struct err err = { 0 };

	network.egress = egress_default(POLICY_KILLSWITCH);
	for (size_t i = 0; i < sentence.words.n; i++)
		if (option_set(&network, sentence.items[i].key, sentence.items[i].value, &err) < 0)
			fail_msg("%s: %s", text, err.text);
	return network;
}

static void tell(struct network *own, const char *text, bool of_one, struct strbuf *remark)
{
	AUTO(sentence) struct sentence sentence = sentence_of(text);

	sentence.words.items = sentence.items;
	later_tell(own, &sentence.words, of_one, remark);
}

static bool same(const struct network *a, const struct network *b)
{
	json_t *left = network_encode(a), *right = network_encode(b);
	bool equal = json_equal(left, right);

	json_decref(left);
	json_decref(right);
	return equal;
}

struct row {
	const char *before, *said, *after;
	const char *remark; /* a part of it, or "" */
};

static void check_rows(const struct row *rows, size_t n, bool of_one)
{
	for (size_t i = 0; i < n; i++) {
		AUTO(strbuf) struct strbuf remark = { 0 };
		AUTO(strbuf) struct strbuf again = { 0 };
		struct network own = network_of(rows[i].before);
		struct network after = network_of(rows[i].after);

		tell(&own, rows[i].said, of_one, &remark);
		if (!same(&own, &after))
			fail_msg("row %zu: policy %s; %s", i, policy_name(own.egress.policy),
				 strbuf_text(&remark));
		if (*rows[i].remark ? !strstr(strbuf_text(&remark), rows[i].remark) : remark.len)
			fail_msg("row %zu: %s", i, strbuf_text(&remark));
		/* A process that starts is told again, of what it has become. */
		tell(&own, rows[i].said, of_one, &again);
		if (!same(&own, &after))
			fail_msg("row %zu, said again: policy %s; %s", i,
				 policy_name(own.egress.policy), strbuf_text(&again));
	}
}

/* Fails when the policy is not set first; when what the network forbids is forgotten; when
 * looseness is judged by the word before, and not by what there was. */
static void what_tightens_counts(void **state)
{
	static const struct row rows[] = {
		{ "policy=open", "", "policy=open", "" },
		{ "policy=open", "policy=bypass", "policy=bypass", "" },
		{ "policy=open", "policy=killswitch", "policy=killswitch", "" },
		{ "policy=open", "via=wg1 policy=killswitch", "policy=killswitch via=wg1", "" },
		{ "policy=open", "policy=killswitch lan=on host=53",
		  "policy=killswitch lan=on host=53", "" },
		{ "policy=bypass", "policy=isolated", "policy=isolated", "" },
		{ "policy=killswitch lan=off", "policy=killswitch", "policy=killswitch lan=off",
		  "" },
		{ "policy=open lan=off host=off", "policy=bypass", "policy=bypass lan=off host=off",
		  "" },
		{ "policy=killswitch via=a,b", "via=b lan=off icc=false ipv6=off",
		  "policy=killswitch via=b lan=off icc=false ipv6=off", "" },
		{ "policy=open", "tailexit.policy=isolated", "policy=isolated", "" },
	};

	(void)state;
	check_rows(rows, ARRAY_SIZE(rows), false);
	check_rows(rows, ARRAY_SIZE(rows), true);
}

/* Fails without check_looseness(); when one word that does not count takes the others along. */
static void what_loosens_does_not_count(void **state)
{
	static const struct row rows[] = {
		{ "policy=killswitch", "policy=open", "policy=killswitch",
		  "policy=open does not count: it would allow more" },
		{ "policy=bypass", "policy=open", "policy=bypass", "override=tighten" },
		{ "policy=killswitch", "lan=on icc=false", "policy=killswitch icc=false",
		  "lan=on does not count" },
		{ "policy=killswitch", "via=wg1", "policy=killswitch", "via=wg1 does not" },
		{ "policy=killswitch", "policy=bypass mark=51820 lan=off",
		  "policy=killswitch lan=off", "mark=51820 does not count: it belongs to" },
		{ "policy=killswitch", "lan=on host=on", "policy=killswitch",
		  "; host=on does not count" },
		{ "policy=open override=none", "policy=isolated", "policy=open override=none",
		  "override=none" },
		{ "policy=open override=none", "polcy=isolated", "policy=open override=none",
		  "override=none" },
	};

	(void)state;
	check_rows(rows, ARRAY_SIZE(rows), false);
	check_rows(rows, ARRAY_SIZE(rows), true);
}

static void what_loosens_counts_where_any_is_allowed(void **state)
{
	static const struct row rows[] = {
		{ "policy=killswitch override=any", "policy=open", "policy=open override=any", "" },
		{ "policy=killswitch override=any", "lan=on via=wg1",
		  "policy=killswitch via=wg1 lan=on override=any", "" },
		{ "policy=killswitch override=any", "policy=bypass mark=51820",
		  "policy=bypass mark=51820 override=any", "" },
	};

	(void)state;
	check_rows(rows, ARRAY_SIZE(rows), false);
	check_rows(rows, ARRAY_SIZE(rows), true);
}

/* Fails when a word that makes no sense is left out like one that is not allowed; when what was set
 * before it stays. */
static void what_makes_no_sense_closes(void **state)
{
	static const struct row rows[] = {
		{ "policy=open", "polcy=isolated", "policy=isolated",
		  "polcy=isolated closes it: option \"polcy\" is not known (did you mean \"policy\""
		  "?)" },
		{ "policy=open", "policy=killswich", "policy=isolated", "is not a policy" },
		{ "policy=killswitch", "policy=", "policy=isolated", "is not a policy" },
		{ "policy=open", "via=wg0", "policy=isolated", "has no exit to choose" },
		{ "policy=killswitch lan=off", "lan=maybe", "policy=isolated lan=off",
		  "lan=maybe" },
		{ "policy=open override=any", "policy=bypass mark=x",
		  "policy=isolated override=any", "mark=x closes it" },
		{ "policy=killswitch", "policy=open mark=x", "policy=isolated", "mark=x" },
		{ "policy=killswitch", "icc=false lan=maybe", "policy=isolated", "lan=maybe" },
		{ "policy=killswitch override=any", "override=any", "policy=isolated override=any",
		  "is said where the network is made" },
		{ "policy=open", "Tailexit.policy=open", "policy=isolated", "is not known" },
	};

	(void)state;
	check_rows(rows, ARRAY_SIZE(rows), false);
	check_rows(rows, ARRAY_SIZE(rows), true);
}

/* Fails without check_time(). */
static void what_comes_too_late_does_not_count(void **state)
{
	static const struct row rows[] = {
		{ "policy=open", "mtu=1400", "policy=open", "keeps its MTU" },
		{ "policy=isolated override=any", "policy=open", "policy=isolated override=any",
		  "is not given a way out" },
	};
	static const struct row of_network[] = {
		{ "policy=open", "mtu=1400", "policy=open mtu=1400", "" },
		{ "policy=isolated override=any", "policy=open", "policy=open override=any", "" },
	};

	(void)state;
	check_rows(rows, ARRAY_SIZE(rows), true);
	check_rows(of_network, ARRAY_SIZE(of_network), false);
}

/* Fails without the replacement in add(). */
static void what_is_repeated_can_be_printed(void **state)
{
	AUTO(strbuf) struct strbuf remark = { 0 };
	struct network own = network_of("policy=open");

	(void)state;
	tell(&own, "policy=a\nwarn:\t\xc3\xa9\x1b[2J", true, &remark);
	assert_int_equal(own.egress.policy, POLICY_ISOLATED);
	for (const char *c = strbuf_text(&remark); *c; c++)
		assert_in_range(*c, ' ', '~');
	assert_non_null(strstr(strbuf_text(&remark), "policy=a?warn:"));
}

static void it_may_be_closed_for_another_reason(void **state)
{
	AUTO(strbuf) struct strbuf remark = { 0 };
	struct network own = network_of("policy=open override=none lan=off");
	struct network after = network_of("policy=isolated override=none lan=off");

	(void)state;
	tell(&own, "policy=isolated", true, &remark);
	later_close(&own, "no room", &remark);
	assert_string_equal(strbuf_text(&remark), "closed; no room");
	assert_true(same(&own, &after));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_tightens_counts),
		cmocka_unit_test(what_loosens_does_not_count),
		cmocka_unit_test(what_loosens_counts_where_any_is_allowed),
		cmocka_unit_test(what_makes_no_sense_closes),
		cmocka_unit_test(what_comes_too_late_does_not_count),
		cmocka_unit_test(what_is_repeated_can_be_printed),
		cmocka_unit_test(it_may_be_closed_for_another_reason),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
