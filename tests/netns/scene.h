/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For tests of the whole engine: one that runs in a namespace of its own, with a state of its own,
 * and can be stopped and started again. */
#pragma once

#include <ftw.h>
#include <signal.h>

#include "../../policy/base/loop.h"
#include "../../policy/kernel/nft_commit.h"
#include "../../policy/policy.h"
#include "../unit/world.h"
#include "netns.h"

struct scene {
	char dir[40], state_dir[64], run_dir[64];
	struct policy_config config;
	struct loop *loop;
	struct policy *policy;
	struct nl nl; /* for looking at what the engine did */
	unsigned int asked, listened;
	struct err err;
};

static inline void scene_asked(void *arg)
{
	((struct scene *)arg)->asked++;
}

static inline void scene_listened(void *arg)
{
	((struct scene *)arg)->listened++;
}

static inline void start(struct scene *scene)
{
	scene->loop = loop_new(&scene->err);
	assert_non_null(scene->loop);
	scene->policy = policy_open(&scene->config, scene->loop, &scene->err);
	if (!scene->policy)
		fail_msg("%s", scene->err.text);
}

/* As a crash leaves it: the kernel keeps everything. */
static inline void stop(struct scene *scene)
{
	policy_close(scene->policy);
	loop_free(scene->loop);
}

/* config: what is not about places, nor about who is told. */
static inline struct scene *scene_begin(struct policy_config config)
{
	struct scene *scene = xcalloc(1, sizeof(*scene));

	enter_namespace();
	snprintf(scene->dir, sizeof(scene->dir), "/tmp/tailexit-netns-XXXXXX");
	assert_non_null(mkdtemp(scene->dir));
	snprintf(scene->state_dir, sizeof(scene->state_dir), "%s/state", scene->dir);
	snprintf(scene->run_dir, sizeof(scene->run_dir), "%s/run", scene->dir);
	config.state_dir = scene->state_dir;
	config.run_dir = scene->run_dir;
	config.ask = scene_asked;
	config.listen = scene_listened;
	config.arg = scene;
	scene->config = config;
	assert_ok(nl_open(&scene->nl, &scene->err), &scene->err);
	start(scene);
	return scene;
}

static inline int scene_remove(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

static inline int tear_down(void **state)
{
	struct scene *scene = *state;

	stop(scene);
	nl_close(&scene->nl);
	nftw(scene->dir, scene_remove, 8, FTW_DEPTH | FTW_PHYS);
	free(scene);
	return 0;
}

/* Somebody else does: both tables are gone. */
static inline void scene_flush_ruleset(struct scene *scene)
{
	AUTO(ops) struct ops ops = { .ops = xcalloc(FW_TABLES, sizeof(struct op)) };
	struct item tables[FW_TABLES] = { 0 };

	for (enum fw_table table = FW_INET; table < FW_TABLES; table++) {
		tables[table] = (struct item){ .kind = ITEM_FW_TABLE, .table = table };
		ops.ops[ops.n++].before = &tables[table];
	}
	assert_ok(nft_commit(&scene->nl, &ops, &scene->err), &scene->err);
}

/* 10.77.THIRD.0/24, and if it is dual fd77:THIRD::/64 as well. */
static inline struct network scene_network(const char *id, int third, bool dual)
{
	struct network net = test_network(dual);
	char text[64];

	snprintf(net.id, sizeof(net.id), "%s", id);
	net.bridge[0] = '\0';
	snprintf(text, sizeof(text), "10.77.%d.0/24", third);
	net.subnet[V4] = test_prefix(text);
	snprintf(text, sizeof(text), "10.77.%d.1", third);
	net.gateway[V4] = test_addr(text);
	if (!dual)
		return net;
	snprintf(text, sizeof(text), "fd77:%x::/64", third);
	net.subnet[V6] = test_prefix(text);
	snprintf(text, sizeof(text), "fd77:%x::1", third);
	net.gateway[V6] = test_addr(text);
	return net;
}

static inline void scene_add_network(struct scene *scene, const char *id, int third)
{
	struct network net = scene_network(id, third, true);

	if (policy_network_add(scene->policy, &net, &scene->err) < 0)
		fail_msg("%s", scene->err.text);
}

/* 10.77.0.2, which publishes port 8080. */
static inline void scene_add_endpoint(struct scene *scene, const char *network, const char *id)
{
	struct endpoint endpoint = { 0 };
	struct port_request port = {
		.proto = 6, .port = 80, .host_port = 8080, .host_port_end = 8080
	};

	snprintf(endpoint.id, sizeof(endpoint.id), "%s", id);
	snprintf(endpoint.network, sizeof(endpoint.network), "%s", network);
	endpoint.addr[V4] = test_prefix("10.77.0.2/24");
	if (policy_endpoint_add(scene->policy, &endpoint, &scene->err) < 0 ||
	    policy_publish(scene->policy, network, id, &port, 1, &scene->err) < 0)
		fail_msg("%s", scene->err.text);
}
