/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The product of the main options: policy, exit, address families, lan, a published port, a
 * container that differs. tests/golden/product-POLICY.diff says for each combination in which lines
 * its plan differs from the first one's, and a person reviewed it. With GOLDEN=write in the
 * environment the files are written instead; read the difference. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../policy/base/mem.h"
#include "../../policy/model/exception.h"
#include "../../policy/model/option.h"
#include "../../policy/plan/compile.h"
#include "world.h"

#define DIRECTORY "tests/golden/"

struct combination {
	bool exit;
	bool v4, v6;
	const char *lan; /* NULL: the policy's default */
	bool published;
	bool exception;
};

struct lines {
	char *text[2048];
	size_t n;
};

static void lines_done(struct lines *lines)
{
	while (lines->n)
		free(lines->text[--lines->n]);
}

/* What a container may have otherwise in a network of this policy. */
static const char *const exceptions[][2] = {
	[POLICY_OPEN] = { "policy", "killswitch" },
	[POLICY_BYPASS] = { "policy", "killswitch" },
	[POLICY_KILLSWITCH] = { "policy", "isolated" },
	[POLICY_ISOLATED] = { "lan", "off" },
};

static void make_exception(const struct network *net, struct endpoint *endpoint)
{
	const char *const *words = exceptions[net->egress.policy];
	struct network own = *net;
	struct err err;

	assert_int_equal(exception_set(&own, net, words[0], words[1], &err), 0);
	endpoint->exception = xcalloc(1, sizeof(*endpoint->exception));
	assert_int_equal(exception_make(&own, net, endpoint->exception, &err), 0);
	endpoint->exception->egress.path = own.egress.policy == POLICY_KILLSWITCH ? 2 : 0;
}

static struct network make_network(enum policy_kind policy, const struct combination *c)
{
	struct network net = test_network(c->v6);
	struct err err;

	assert_int_equal(option_set(&net, "policy", policy_name(policy), &err), 0);
	if (c->lan)
		assert_int_equal(option_set(&net, "lan", c->lan, &err), 0);
	net.egress.path = policy == POLICY_KILLSWITCH ? 1 : 0;
	if (!c->v4) {
		net.subnet[V4] = (struct prefix){ 0 };
		net.gateway[V4] = (struct addr){ 0 };
	}
	return net;
}

static void learn_exit(struct facts *facts, bool usable)
{
	struct exit_fact exit = { .name = "tailscale0",
				  .usable = { usable, usable },
				  .mtu = usable ? 1280 : 0 };

	if (usable) {
		exit.addrs[exit.n_addrs++] = test_addr("100.64.0.2");
		exit.addrs[exit.n_addrs++] = test_addr("fd7a:115c:a1e0::2");
	}
	facts_set_exit(facts, &exit);
}

static char *compile(enum policy_kind policy, const struct combination *c)
{
	AUTO(world) struct world world = { 0 };
	AUTO(plan) struct plan plan = { 0 };
	struct strbuf text = { 0 };
	struct network net = make_network(policy, c);
	struct endpoint endpoint = test_endpoint(&net);

	if (c->published) {
		endpoint.ports = test_port(6, c->v4 ? "0.0.0.0" : "::", 8080, 80);
		endpoint.n_ports = 1;
	}
	if (c->exception)
		make_exception(&net, &endpoint);
	if (net.egress.via.n || (endpoint.exception && endpoint.exception->egress.via.n))
		learn_exit(&world.facts, c->exit);
	member_add(world_add(&world, &net), &endpoint);
	compile_world(&world, &plan);
	plan_print(&plan, &text);
	return strbuf_take(&text);
}

/* A line of a chain begins with the chain's name. */
static void split(const char *text, struct lines *lines)
{
	AUTO_FREE char *copy = xstrdup(text);
	char *rest = copy, *line;
	char chain[64] = "";

	while ((line = strsep(&rest, "\n"))) {
		AUTO(strbuf) struct strbuf whole = { 0 };
		bool inside = strncmp(line, "\t\t", 2) == 0;

		if (sscanf(line, "\tchain %60s", chain) != 1 && !inside)
			chain[0] = '\0';
		while (*line == '\t')
			line++;
		if (!*line || streq(line, "}"))
			continue;
		strbuf_addf(&whole, "%s%s%s", inside ? chain : "", inside ? ": " : "", line);
		assert_true(lines->n < ARRAY_SIZE(lines->text));
		lines->text[lines->n++] = strbuf_take(&whole);
	}
}

static bool has(const struct lines *lines, const char *line)
{
	for (size_t i = 0; i < lines->n; i++)
		if (streq(lines->text[i], line))
			return true;
	return false;
}

static void print_missing(const struct lines *from, const struct lines *in, char sign,
			  struct strbuf *text)
{
	for (size_t i = 0; i < from->n; i++)
		if (!has(in, from->text[i]))
			strbuf_addf(text, "%c %s\n", sign, from->text[i]);
}

#define SINGLES_MAX 6
#define LANS 4
static const char *const lans[LANS] = { NULL, "off", "on", "192.168.1.0/24:53/udp" };
/* Of a policy whose default is one of the first two. */
static const char *const other_lans[LANS] = { NULL, "reply", "off", "192.168.1.0/24:53/udp" };

static const struct combination first = { .exit = true, .v4 = true, .v6 = true };

static void print_title(const struct combination *c, struct strbuf *text)
{
	strbuf_addf(text, "\n== %s%s, lan %s%s%s\n",
		    c->v4 && c->v6 ? "dual"
		    : c->v4        ? "v4"
				   : "v6",
		    c->exit ? "" : ", exit absent", c->lan ? c->lan : "by default",
		    c->published ? ", published port" : "",
		    c->exception ? ", a container that differs" : "");
}

/* The options of a combination that are not the first one's, one at a time. */
static size_t singles(const struct combination *c, struct combination *ret_singles)
{
	struct combination *next = ret_singles;

	for (size_t i = 0; i < SINGLES_MAX; i++)
		ret_singles[i] = first;
	if (!c->exit)
		next++->exit = false;
	if (!c->v4)
		next++->v4 = false;
	if (!c->v6)
		next++->v6 = false;
	if (c->lan)
		next++->lan = c->lan;
	if (c->published)
		next++->published = true;
	if (c->exception)
		next++->exception = true;
	return (size_t)(next - ret_singles);
}

static void remove_line(struct lines *lines, const char *line)
{
	for (size_t i = lines->n; i > 0; i--) {
		if (!streq(lines->text[i - 1], line))
			continue;
		free(lines->text[i - 1]);
		lines->text[i - 1] = lines->text[--lines->n];
	}
}

/* What a single option does to the first plan, done to this one. */
static void add_up(enum policy_kind policy, const struct combination *single,
		   const struct lines *base, struct lines *sum)
{
	AUTO(lines) struct lines lines = { 0 };
	AUTO_FREE char *plan = compile(policy, single);

	split(plan, &lines);
	for (size_t i = 0; i < base->n; i++)
		if (!has(&lines, base->text[i]))
			remove_line(sum, base->text[i]);
	for (size_t i = 0; i < lines.n; i++)
		if (!has(base, lines.text[i]) && !has(sum, lines.text[i]))
			sum->text[sum->n++] = xstrdup(lines.text[i]);
}

static void print_combination(enum policy_kind policy, const struct combination *c,
			      const struct lines *base, struct strbuf *text)
{
	AUTO(lines) struct lines lines = { 0 };
	AUTO(lines) struct lines sum = { 0 };
	AUTO_FREE char *plan = compile(policy, c);
	struct combination parts[SINGLES_MAX];
	size_t n = singles(c, parts);

	split(plan, &lines);
	for (size_t i = 0; i < base->n; i++)
		sum.text[sum.n++] = xstrdup(base->text[i]);
	for (size_t i = 0; n > 1 && i < n; i++)
		add_up(policy, &parts[i], base, &sum);
	print_title(c, text);
	print_missing(&sum, &lines, '-', text);
	print_missing(&lines, &sum, '+', text);
}

static void print_product(enum policy_kind policy, struct strbuf *text)
{
	bool confined = policy == POLICY_KILLSWITCH || policy == POLICY_ISOLATED;
	AUTO(lines) struct lines base = { 0 };
	AUTO_FREE char *plan = compile(policy, &first);

	split(plan, &base);
	strbuf_addf(text,
		    "policy=%s: single options against dual, lan by default; combinations against "
		    "the sum of their options\n",
		    policy_name(policy));
	for (unsigned int bits = 0; bits < 8; bits++)
		for (unsigned int families = 3; families > 0; families--)
			for (size_t lan = 0; lan < LANS; lan++) {
				const struct combination c = {
					.exit = !(bits & 4),
					.v4 = families & 1,
					.v6 = families & 2,
					.lan = (confined ? lans : other_lans)[lan],
					.published = bits & 1,
					.exception = bits & 2,
				};

				if (c.exit || policy == POLICY_KILLSWITCH || c.exception)
					print_combination(policy, &c, &base, text);
			}
}

static char *read_all(const char *path)
{
	FILE *file = fopen(path, "re");
	char *text = xcalloc(1, 4 << 20);

	if (file) {
		text[fread(text, 1, (4 << 20) - 1, file)] = '\0';
		fclose(file);
	}
	return text;
}

static void the_product_is_as_reviewed(void **state)
{
	const char *mode = getenv("GOLDEN");

	(void)state;
	for (enum policy_kind policy = POLICY_OPEN; policy <= POLICY_ISOLATED; policy++) {
		AUTO(strbuf) struct strbuf text = { 0 };
		AUTO_FREE char *golden = NULL;
		char path[128];

		print_product(policy, &text);
		snprintf(path, sizeof(path), DIRECTORY "product-%s.diff", policy_name(policy));
		if (mode && streq(mode, "write")) {
			FILE *file = fopen(path, "we");

			assert_non_null(file);
			fputs(strbuf_text(&text), file);
			fclose(file);
		}
		golden = read_all(path);
		if (!streq(strbuf_text(&text), golden))
			fail_msg("%s differs: make golden, and read the difference", path);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_product_is_as_reviewed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
