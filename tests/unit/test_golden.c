/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a network with given options becomes, as text that a person reviewed:
 * tests/golden/NAME.plan. With GOLDEN=write in the environment the files are written instead; read
 * the difference. */
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

typedef void prepare_fn(struct network *net, struct endpoint *endpoint);

static void as_it_is(struct network *net, struct endpoint *endpoint)
{
	(void)net;
	(void)endpoint;
}

static void publish(struct endpoint *endpoint, const char *const *hosts, size_t n)
{
	endpoint->ports = xcalloc(n, sizeof(*endpoint->ports));
	for (size_t i = 0; i < n; i++)
		endpoint->ports[endpoint->n_ports++] = (struct port){
			.proto = i % 2 ? 17 : 6, /* both protocols take their turn */
			.port = 80,
			.host = test_addr(hosts[i]),
			.host_port = 8080,
		};
}

static void published(struct network *net, struct endpoint *endpoint)
{
	static const char *const hosts[] = { "0.0.0.0",   "0.0.0.0",   "::",          "::",
					     "192.0.2.1", "192.0.2.1", "2001:db8::1", "2001:db8::1",
					     "127.0.0.1", "::1" };

	(void)net;
	publish(endpoint, hosts, ARRAY_SIZE(hosts));
}

static void internal(struct network *net, struct endpoint *endpoint)
{
	(void)endpoint;
	net->internal = true;
}

static void no_icc(struct network *net, struct endpoint *endpoint)
{
	(void)endpoint;
	net->icc = false;
}

static void no_masquerade(struct network *net, struct endpoint *endpoint)
{
	(void)endpoint;
	net->masquerade = false;
}

static void chosen_source(struct network *net, struct endpoint *endpoint)
{
	(void)endpoint;
	net->snat[V4] = test_addr("192.0.2.7");
	net->snat[V6] = test_addr("2001:db8::7");
}

static void set_mode(struct network *net, enum gateway_mode mode)
{
	for (enum family f = V4; f < FAMILIES; f++)
		net->mode[f] = mode;
}

static void routed(struct network *net, struct endpoint *endpoint)
{
	static const char *const hosts[] = { "0.0.0.0", "0.0.0.0", "::", "::", "0.0.0.0", "::" };

	publish(endpoint, hosts, ARRAY_SIZE(hosts));
	set_mode(net, GATEWAY_ROUTED);
}

static void unprotected(struct network *net, struct endpoint *endpoint)
{
	(void)endpoint;
	set_mode(net, GATEWAY_NAT_UNPROTECTED);
}

static void isolated(struct network *net, struct endpoint *endpoint)
{
	(void)endpoint;
	net->internal = true;
	set_mode(net, GATEWAY_ISOLATED);
}

static void inhibited(struct network *net, struct endpoint *endpoint)
{
	(void)endpoint;
	net->inhibit_v4 = true;
}

static void own_names(struct network *net, struct endpoint *endpoint)
{
	(void)endpoint;
	strcpy(net->bridge, "homelab0");
	net->mtu = 1280;
}

static void set_policy(struct network *net, const char *policy)
{
	struct err err;

	assert_int_equal(option_set(net, "policy", policy, &err), 0);
	net->egress.path = net->egress.policy == POLICY_KILLSWITCH ? 1 : 0;
}

static void set_option(struct network *net, const char *key, const char *value)
{
	struct err err;

	assert_int_equal(option_set(net, key, value, &err), 0);
}

static void killswitch(struct network *net, struct endpoint *endpoint)
{
	(void)endpoint;
	set_policy(net, "killswitch");
}

static void killswitch_published(struct network *net, struct endpoint *endpoint)
{
	set_policy(net, "killswitch");
	published(net, endpoint);
}

static void killswitch_two_exits(struct network *net, struct endpoint *endpoint)
{
	(void)endpoint;
	set_policy(net, "killswitch");
	set_option(net, "via", "wg0,tailscale0");
}

static void killswitch_lan_on(struct network *net, struct endpoint *endpoint)
{
	(void)endpoint;
	set_policy(net, "killswitch");
	set_option(net, "lan", "on");
	set_option(net, "tailnet", "on");
	set_option(net, "host", "on");
}

static void killswitch_lan_off(struct network *net, struct endpoint *endpoint)
{
	set_policy(net, "killswitch");
	set_option(net, "lan", "off");
	set_option(net, "ipv6", "off");
	published(net, endpoint);
}

static void killswitch_lists(struct network *net, struct endpoint *endpoint)
{
	(void)endpoint;
	set_policy(net, "killswitch");
	set_option(net, "lan", "192.168.1.0/24,10.9.0.0/16:53/udp,fd00:9::/48:443");
	set_option(net, "host", "123,5353");
	set_option(net, "dns", "9.9.9.9,2620:fe::fe");
}

static void bypass(struct network *net, struct endpoint *endpoint)
{
	(void)endpoint;
	set_policy(net, "bypass");
}

static void bypass_strict(struct network *net, struct endpoint *endpoint)
{
	(void)endpoint;
	set_policy(net, "bypass");
	set_option(net, "tailnet", "off");
	set_option(net, "lan", "reply");
	set_option(net, "mark", "51820");
	set_option(net, "host", "off");
}

static void isolated_policy(struct network *net, struct endpoint *endpoint)
{
	set_policy(net, "isolated");
	published(net, endpoint);
}

static void open_limited(struct network *net, struct endpoint *endpoint)
{
	(void)endpoint;
	set_option(net, "tailnet", "off");
	set_option(net, "lan", "10.9.0.0/16");
	set_option(net, "host", "53");
}

/* The endpoint's own words, in a network of this policy. */
static void except(struct network *net, struct endpoint *endpoint, const char *const *words)
{
	struct network own = *net;
	struct err err;

	for (; *words; words += 2)
		assert_int_equal(exception_set(&own, net, words[0], words[1], &err), 0);
	endpoint->exception = xcalloc(1, sizeof(*endpoint->exception));
	assert_int_equal(exception_make(&own, net, endpoint->exception, &err), 0);
	endpoint->exception->egress.path = own.egress.policy == POLICY_KILLSWITCH ? 2 : 0;
}

static void open_with_killswitch(struct network *net, struct endpoint *endpoint)
{
	published(net, endpoint);
	except(net, endpoint,
	       (const char *[]){ "policy", "killswitch", "via", "tailscale0", NULL });
}

static void bypass_with_isolated(struct network *net, struct endpoint *endpoint)
{
	set_policy(net, "bypass");
	published(net, endpoint);
	except(net, endpoint,
	       (const char *[]){ "policy", "isolated", "icc", "false", "mtu", "1300", NULL });
}

static void killswitch_with_tighter(struct network *net, struct endpoint *endpoint)
{
	set_policy(net, "killswitch");
	set_option(net, "via", "wg0,tailscale0");
	set_option(net, "lan", "on");
	except(net, endpoint,
	       (const char *[]){ "via", "tailscale0", "lan", "off", "dns", "9.9.9.9", "ipv6", "off",
				 "mtu", "1400", NULL });
}

static void killswitch_with_open(struct network *net, struct endpoint *endpoint)
{
	set_policy(net, "killswitch");
	set_option(net, "override", "any");
	except(net, endpoint, (const char *[]){ "policy", "open", NULL });
}

static const struct {
	const char *name;
	prepare_fn *prepare;
	bool v4, v6;
	bool exit[FAMILIES]; /* tailscale0 is usable for */
} cases[] = {
	{ "open-v4", as_it_is, true, false },
	{ "open-v6", as_it_is, false, true },
	{ "open-dual", as_it_is, true, true },
	{ "published-dual", published, true, true },
	{ "published-v4", published, true, false },
	{ "internal-dual", internal, true, true },
	{ "no-icc-dual", no_icc, true, true },
	{ "no-masquerade-dual", no_masquerade, true, true },
	{ "chosen-source-dual", chosen_source, true, true },
	{ "routed-dual", routed, true, true },
	{ "nat-unprotected-dual", unprotected, true, true },
	{ "isolated-dual", isolated, true, true },
	{ "inhibit-v4-dual", inhibited, true, true },
	{ "own-bridge-name-v4", own_names, true, false },
	{ "killswitch-dual-exit-dual", killswitch, true, true, { true, true } },
	{ "killswitch-dual-exit-v4", killswitch, true, true, { true, false } },
	{ "killswitch-dual-exit-absent", killswitch, true, true },
	{ "killswitch-v4-exit-dual", killswitch, true, false, { true, true } },
	{ "killswitch-v6-exit-dual", killswitch, false, true, { true, true } },
	{ "killswitch-published-dual", killswitch_published, true, true, { true, true } },
	{ "killswitch-two-exits-second", killswitch_two_exits, true, true, { true, true } },
	{ "killswitch-lan-on", killswitch_lan_on, true, true, { true, true } },
	{ "killswitch-lan-off-published", killswitch_lan_off, true, true, { true, true } },
	{ "killswitch-lists", killswitch_lists, true, true, { true, true } },
	{ "bypass-dual", bypass, true, true },
	{ "bypass-v4", bypass, true, false },
	{ "bypass-strict-dual", bypass_strict, true, true },
	{ "isolated-policy-dual-published", isolated_policy, true, true },
	{ "open-limited-dual", open_limited, true, true },
	{ "override-open-with-killswitch", open_with_killswitch, true, true, { true, true } },
	{ "override-open-with-killswitch-v4-closed", open_with_killswitch, true, false },
	{ "override-bypass-with-isolated", bypass_with_isolated, true, true },
	{ "override-killswitch-with-tighter", killswitch_with_tighter, true, true, { true, true } },
	{ "override-killswitch-with-open", killswitch_with_open, true, true, { true, true } },
};

static void learn_exit(struct facts *facts, const bool usable[FAMILIES])
{
	static const char *const addresses[FAMILIES] = { "100.64.0.2", "fd7a:115c:a1e0::2" };
	struct exit_fact exit = { .name = "tailscale0", .mtu = 1280 };

	for (enum family f = V4; f < FAMILIES; f++) {
		exit.usable[f] = usable[f];
		if (usable[f])
			addr_parse(&exit.addrs[exit.n_addrs++], addresses[f]);
	}
	facts_set_exit(facts, &exit);
}

static char *compile_case(size_t i)
{
	AUTO(world) struct world world = { 0 };
	AUTO(plan) struct plan plan = { 0 };
	struct strbuf text = { 0 };
	struct network net = test_network(true);
	struct endpoint endpoint;

	if (!cases[i].v4) {
		net.subnet[V4] = (struct prefix){ 0 };
		net.gateway[V4] = (struct addr){ 0 };
	}
	if (!cases[i].v6) {
		net.subnet[V6] = (struct prefix){ 0 };
		net.gateway[V6] = (struct addr){ 0 };
	}
	endpoint = test_endpoint(&net);
	cases[i].prepare(&net, &endpoint);
	facts_add_neighbour(&world.facts, "docker0");
	if (net.egress.via.n)
		learn_exit(&world.facts, cases[i].exit);
	member_add(world_add(&world, &net), &endpoint);
	compile_world(&world, &plan);
	plan_print(&plan, &text);
	return strbuf_take(&text);
}

static char *read_all(const char *path)
{
	FILE *file = fopen(path, "re");
	char *text = xcalloc(1, 65536);

	if (file) {
		text[fread(text, 1, 65535, file)] = '\0';
		fclose(file);
	}
	return text;
}

static void plans_are_as_reviewed(void **state)
{
	const char *mode = getenv("GOLDEN");

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_FREE char *text = compile_case(i);
		AUTO_FREE char *golden = NULL;
		char path[128];

		snprintf(path, sizeof(path), DIRECTORY "%s.plan", cases[i].name);
		if (mode && streq(mode, "write")) {
			FILE *file = fopen(path, "we");

			assert_non_null(file);
			fputs(text, file);
			fclose(file);
		}
		golden = read_all(path);
		if (!streq(text, golden))
			fail_msg("%s differs; now it is:\n%s", path, text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plans_are_as_reviewed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
