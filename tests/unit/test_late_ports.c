/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of plugin/late_ports.c and what endpoint.c does for it: which network of a container
 * publishes its ports. Above a test: what was changed to see it fail. */
#include "../../plugin/docker_containers.h"
#include "../../plugin/docker_networks.h"
#include "../../plugin/late_ports.h"
#include "driver_rig.h"

#define JOIN "/NetworkDriver.Join"
#define IDS_OF(network, endpoint) "'NetworkID':'" network "','EndpointID':'" endpoint "'"
#define NET(id, more, policy, third) \
	"{'NetworkID':'" id \
	"'," OPTIONS(more, "'policy':'" policy \
			   "','dns':'docker'") ",'IPv4Data':[{'Pool':'10.0." third \
					       ".0/24','Gateway':'10.0." third ".1/24'}]}"

/* A network and an endpoint of the same name in it, joined with a port. */
static void join(struct policy *policy, const char *name, const char *network)
{
	AUTO(strbuf) struct strbuf body = { 0 };
	AUTO(strbuf) struct strbuf reply = { 0 };
	int status = 0;

	network_with(policy, network);
	strbuf_addf(&body,
		    "{\"NetworkID\":\"%s\",\"EndpointID\":\"%s\",\"Interface\":{\"Address\":"
		    "\"10.0.0.2/24\"},\"Options\":{}}",
		    name, name);
	driver_handle(policy, CREATE_ENDPOINT, body.text, body.len, &reply, &status);
	assert_null(strstr(strbuf_text(&reply), "Err"));
	strbuf_done(&body);
	strbuf_addf(
		&body,
		"{\"NetworkID\":\"%s\",\"EndpointID\":\"%s\",\"Options\":{"
		"\"com.docker.network.portmap\":[{\"Proto\":6,\"Port\":80,\"HostPort\":8080}]}}",
		name, name);
	driver_handle(policy, JOIN, body.text, body.len, &reply, &status);
	assert_null(strstr(strbuf_text(&reply), "Err"));
}

/* One container, with these endpoints. */
static unsigned int settle(struct policy *policy, const char *networks)
{
	AUTO(docker_containers) struct docker_containers containers = { 0 };
	AUTO(strbuf) struct strbuf body = { 0 };
	struct err err;

	strbuf_addf(&body, "[{\"State\":\"running\",\"NetworkSettings\":{\"Networks\":{%s}}}]",
		    networks);
	assert_int_equal(docker_containers_read(&containers, body.text, body.len,
						&(struct docker_networks){ 0 }, &err),
			 0);
	return late_ports_settle(policy, &containers);
}

#define AT(id, gateway) "\"" id "\":{\"EndpointID\":\"" id "\",\"Gateway\":\"" gateway "\"}"

static size_t ports(const struct policy *policy, const char *id)
{
	return policy_endpoint(policy, id, id)->n_ports;
}

/* Fails when Join wants nothing. */
static void they_are_published_when_the_container_runs(void **state)
{
	assert_false(late_ports_wanted(*state));
	join(*state, "a", NET("a", "", "isolated", "0"));
	assert_true(late_ports_wanted(*state));
	assert_int_equal(ports(*state, "a"), 0);
	assert_true(settle(*state, "") > 0);
	assert_int_equal(ports(*state, "a"), 0);
	assert_int_equal(settle(*state, AT("a", "")), 0);
	assert_int_equal(ports(*state, "a"), 1);
}

/* Fails when leads_out is not looked at. */
static void not_where_another_network_leads_out(void **state)
{
	join(*state, "a", NET("a", "", "isolated", "0"));
	settle(*state, AT("a", "") "," AT("x", "172.17.0.1"));
	assert_int_equal(ports(*state, "a"), 0);
	settle(*state, AT("a", ""));
	assert_int_equal(ports(*state, "a"), 1);
	settle(*state, AT("x", "172.17.0.1") "," AT("a", ""));
	assert_int_equal(ports(*state, "a"), 0);
}

/* Fails when the first one of the list gets them; when several do; when `here` is not looked at. */
static void of_two_the_one_that_has_them_keeps_them(void **state)
{
	join(*state, "a", NET("a", "", "isolated", "0"));
	settle(*state, AT("a", ""));
	join(*state, "b", NET("b", "", "isolated", "1"));
	settle(*state, AT("a", "") "," AT("b", ""));
	assert_int_equal(ports(*state, "a"), 1);
	assert_int_equal(ports(*state, "b"), 0);
	expect(*state, "/NetworkDriver.EndpointOperInfo", "{" IDS_OF("a", "a") "}",
	       "{\"Value\":{}}");
	settle(*state, AT("a", "") "," AT("b", ""));
	assert_int_equal(ports(*state, "a"), 1);
	expect(*state, "/NetworkDriver.Leave", "{" IDS_OF("a", "a") "}", "{}");
	settle(*state, AT("a", "") "," AT("b", ""));
	assert_int_equal(ports(*state, "a"), 0);
	assert_int_equal(ports(*state, "b"), 1);
}

/* Fails when EndpointOperInfo gives no way. */
static void they_give_way_when_the_networks_change(void **state)
{
	join(*state, "a", NET("a", "", "isolated", "0"));
	settle(*state, AT("a", ""));
	expect(*state, "/NetworkDriver.EndpointOperInfo", "{" IDS_OF("a", "a") "}",
	       "{\"Value\":{}}");
	assert_int_equal(ports(*state, "a"), 0);
	assert_true(late_ports_wanted(*state));
}

/* Fails when internal networks want ports. */
static void who_leads_out_or_is_internal_wants_none(void **state)
{
	join(*state, "a", NET("a", INTERNAL, "isolated", "0"));
	join(*state, "b", NET("b", "", "open", "1"));
	assert_false(late_ports_wanted(*state));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(they_are_published_when_the_container_runs),
		TEST(not_where_another_network_leads_out),
		TEST(of_two_the_one_that_has_them_keeps_them),
		TEST(they_give_way_when_the_networks_change),
		TEST(who_leads_out_or_is_internal_wants_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
