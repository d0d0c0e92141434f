/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kernel alone takes for a network and for a container: the same netlink requests as the
 * daemon's, thought out beforehand, by a program that does nothing else. In a network namespace of
 * its own, beside so many other networks:
 *
 *     floor NETWORKS
 *
 * For each line that it reads, "network" or "container", it makes one and removes it again, and
 * writes how many milliseconds either took. For "look" it has the kernel list all rules of the
 * packet filter, as the daemon does when it starts, and throws them away. */
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../../policy/base/mem.h"
#include "../../policy/kernel/apply.h"
#include "../../policy/kernel/nl.h"
#include "../../policy/plan/compile.h"
#include "../../policy/plan/names.h"

#define EXIT "tailscale0"
#define CONTAINER "eeeeeeeeeeee"

/* Two plans; what leads from one to the other, and back. */
struct change {
	struct plan without, with;
	struct ops make, unmake;
};

static double now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void must(int r, const struct err *err)
{
	if (r == 0)
		return;
	fprintf(stderr, "floor: %s\n", err->text);
	exit(1);
}

/* As the benchmark's daemon is asked for them: see fleet.py. */
static struct network network(unsigned number)
{
	struct network net = {
		.egress = egress_default(POLICY_KILLSWITCH),
		.masquerade = true,
		.icc = true,
		.container_prefix = "eth",
	};
	uint8_t bytes[4] = { 10, (uint8_t)(number >> 8), (uint8_t)number, 0 };

	snprintf(net.id, sizeof(net.id), "%012x", number);
	snprintf(net.bridge, sizeof(net.bridge), BRIDGE_PREFIX "%012x", number);
	net.egress.path = 1;
	snprintf(net.egress.via.names[0], IFNAMSIZ, EXIT);
	net.egress.via.n = 1;
	net.subnet[V4] = (struct prefix){ .addr.family = AF_INET, .len = 24 };
	memcpy(net.subnet[V4].addr.bytes, bytes, sizeof(bytes));
	net.gateway[V4] = net.subnet[V4].addr;
	net.gateway[V4].bytes[3] = 1;
	return net;
}

static struct endpoint endpoint(const struct network *net)
{
	struct endpoint endpoint = {
		.id = CONTAINER,
		.host_if = HOST_IF_PREFIX CONTAINER,
		.container_if = CONTAINER_IF_PREFIX CONTAINER,
		.mac = { 2, 0x42, 10, 0, 1, 2 },
		.addr[V4] = net->subnet[V4],
	};

	snprintf(endpoint.network, sizeof(endpoint.network), "%s", net->id);
	endpoint.addr[V4].addr.bytes[3] = 2;
	return endpoint;
}

static struct plan plan_of(const struct world *world)
{
	struct plan plan = { 0 };

	compile_world(world, &plan);
	return plan;
}

static struct change change(struct plan without, struct plan with)
{
	struct change change = { .without = without, .with = with };

	diff_compute(&without, &with, &change.make);
	diff_compute(&with, &without, &change.unmake);
	return change;
}

static double apply(struct nl *nl, struct ops *ops)
{
	struct err err = { 0 };
	double began = now_ms();

	must(apply_ops(nl, ops, &err), &err);
	return now_ms() - began;
}

static void measure(struct nl *nl, struct change *change)
{
	double made = apply(nl, &change->make);

	printf("%.4f %.4f\n", made, apply(nl, &change->unmake));
}

static void throw_away(void *arg, const struct nlmsghdr *msg)
{
	(void)arg, (void)msg;
}

/* Chain by chain: of a whole table, the kernel begins anew for every part of the answer. */
static double look(struct nl *nl, const struct plan *plan)
{
	struct err err = { 0 };
	double began = now_ms();

	for (size_t i = 0; i < plan->n; i++) {
		const struct item *item = &plan->items[i];
		union nl_request request;
		struct nlmsghdr *msg =
			nl_request(&request, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETRULE, 0);
		struct nfgenmsg *header = mnl_nlmsg_put_extra_header(msg, sizeof(*header));

		if (item->kind != ITEM_FW_CHAIN)
			continue;
		header->nfgen_family = item->chain.table == FW_BRIDGE ? NFPROTO_BRIDGE
								      : NFPROTO_INET;
		mnl_attr_put_strz(msg, NFTA_RULE_TABLE, NFT_TABLE);
		mnl_attr_put_strz(msg, NFTA_RULE_CHAIN, item->chain.name);
		must(nl_dump(nl, msg, throw_away, NULL, &err), &err);
	}
	return now_ms() - began;
}

int main(int argc, char **argv)
{
	unsigned networks = argc == 2 ? (unsigned)strtoul(argv[1], NULL, 10) : 0;
	struct exit_fact absent = { 0 };
	struct world world = { 0 };
	struct err err = { 0 };
	struct change all, one_network, one_container;
	struct network net;
	struct endpoint box;
	struct nl nl;
	char line[32];

	if (networks == 0 || unshare(CLONE_NEWNET) < 0) {
		fprintf(stderr, "floor: needs a number of networks, and root\n");
		return 1;
	}
	must(nl_open(&nl, &err), &err);
	snprintf(absent.name, sizeof(absent.name), EXIT);
	facts_set_exit(&world.facts, &absent);
	for (unsigned i = 1; i <= networks; i++) {
		net = network(i);
		world_add(&world, &net);
	}
	all = change((struct plan){ 0 }, plan_of(&world));
	net = network(0);
	world_add(&world, &net);
	one_network = change(all.with, plan_of(&world));
	world_remove(&world, net.id);
	net = network(1);
	box = endpoint(&net);
	member_add(world_find(&world, net.id), &box);
	one_container = change(all.with, plan_of(&world));

	apply(&nl, &all.make);
	puts("ready");
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin)) {
		if (strcmp(line, "look\n") == 0)
			printf("%.4f\n", look(&nl, &all.with));
		else
			measure(&nl,
				strcmp(line, "network\n") == 0 ? &one_network : &one_container);
		fflush(stdout);
	}
	return 0;
}
