/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the tests of whole requests share: an engine that only remembers, and requests to it. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../plugin/driver.h"
#include "../../policy/base/mem.h"
#include "stub_policy.h"

static inline int setup(void **state)
{
	struct err err;

	*state = policy_open(NULL, NULL, &err);
	return 0;
}

static inline int teardown(void **state)
{
	policy_close(*state);
	return 0;
}

/* The body is in single quotes; expected: the whole reply, or a part of its sentence. */
static inline void expect(struct policy *policy, const char *path, const char *body,
			  const char *expected)
{
	AUTO(strbuf) struct strbuf reply = { 0 };
	AUTO_FREE char *copy = xstrdup(body);
	int status = 0;

	for (char *c = copy; *c; c++) {
		if (*c == '\'')
			*c = '"';
	}
	driver_handle(policy, path, copy, strlen(copy), &reply, &status);
	assert_int_equal(status, 200);
	if (*expected == '{' ? !streq(strbuf_text(&reply), expected)
			     : strncmp(strbuf_text(&reply), "{\"Err\":\"", 8) != 0 ||
				       !strstr(strbuf_text(&reply), expected))
		fail_msg("%s %s: %s, and not %s", path, body, strbuf_text(&reply), expected);
}

static inline void refused(struct policy *policy, const char *path, const char *body,
			   const char *sentence)
{
	unsigned int changes = stub_changes(policy);

	assert_true(*sentence != '{');
	expect(policy, path, body, sentence);
	assert_int_equal(stub_changes(policy), changes);
}

#define CREATE_NETWORK "/NetworkDriver.CreateNetwork"
#define CREATE_ENDPOINT "/NetworkDriver.CreateEndpoint"
#define CHECK "/NetworkDriver.GwAllocCheck"
#define PUBLISH "/NetworkDriver.ProgramExternalConnectivity"
#define WITHDRAW "/NetworkDriver.RevokeExternalConnectivity"

#define POOL4 "'IPv4Data':[{'Pool':'10.0.0.0/24','Gateway':'10.0.0.1/24'}]"
#define OPTIONS(more, generic) "'Options':{" more "'com.docker.network.generic':{" generic "}}"
#define NETWORK(more, generic) "{'NetworkID':'n'," OPTIONS(more, generic) "," POOL4 "}"
#define INTERNAL "'com.docker.network.internal':true,"
#define IDS "'NetworkID':'n','EndpointID':'e'"
#define ENDPOINT "{" IDS ",'Interface':{'Address':'10.0.0.2/24'},'Options':{}}"
#define PORTS \
	"{" IDS ",'Options':{'com.docker.network.portmap':[" \
	"{'Proto':6,'Port':80,'HostPort':8080,'HostPortEnd':8080}]}}"

static inline void network_with(struct policy *policy, const char *body)
{
	expect(policy, CREATE_NETWORK, body, "{}");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
