/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of plugin/labels.c: which labels become words, and of whom. Above a test: what was
 * changed to see it fail. */
#include "../../plugin/docker_containers.h"
#include "../../plugin/docker_networks.h"
#include "../../plugin/labels.h"
#include "../../policy/base/log.h"
#include "driver_rig.h"

/* In single quotes. */
static char *quoted(const char *text)
{
	char *copy = xstrdup(text);

	for (char *c = copy; *c; c++)
		if (*c == '\'')
			*c = '"';
	return copy;
}

static void make(struct policy *policy, const char *network, const char *endpoint)
{
	struct endpoint end = { 0 };
	struct network net = { 0 };
	struct err err;

	snprintf(net.id, sizeof(net.id), "%s", network);
	snprintf(end.id, sizeof(end.id), "%s", endpoint);
	snprintf(end.network, sizeof(end.network), "%s", network);
	assert_int_equal(policy_network_add(policy, &net, &err), 0);
	assert_int_equal(policy_endpoint_add(policy, &end, &err), 0);
}

static void read_networks(struct policy *policy, const char *list)
{
	AUTO(docker_networks) struct docker_networks networks = { 0 };
	struct err err;

	assert_int_equal(docker_networks_read(&networks, list, strlen(list), &err), 0);
	labels_of_networks(policy, &networks);
}

static void read_containers(struct policy *policy, const char *list)
{
	AUTO(docker_containers) struct docker_containers containers = { 0 };
	struct err err;

	assert_int_equal(docker_containers_read(&containers, list, strlen(list),
						&(struct docker_networks){ 0 }, &err),
			 0);
	labels_of_containers(policy, &containers);
}

/* The body of an answer as it was recorded. */
static char *recorded(const char *name)
{
	char path[128], answer[8192];
	const char *body;
	FILE *file;

	snprintf(path, sizeof(path), "tests/fuzz/corpus/http/%s", name);
	file = fopen(path, "re");
	if (!file)
		fail_msg("%s: run this from the top of the repository", path);
	answer[fread(answer, 1, sizeof(answer) - 1, file)] = '\0';
	fclose(file);
	body = strstr(answer, "\r\n\r\n");
	assert_non_null(body);
	return xstrdup(body + 4);
}

/* The id that follows this in the list. */
static void id_after(const char *list, const char *text, char ret_id[ID_SIZE])
{
	const char *at = strstr(list, text);

	assert_non_null(at);
	snprintf(ret_id, ID_SIZE, "%.64s", at + strlen(text));
}

/* Fails when names of members are others. */
static void recorded_lists_are_understood(void **state)
{
	static const char *const engines[] = { "20.10", "26.1", "28.5" };

	for (size_t i = 0; i < ARRAY_SIZE(engines); i++) {
		char file[64], network[ID_SIZE], endpoint[ID_SIZE];
		AUTO_FREE char *networks = NULL, *containers = NULL;
		AUTO(strbuf) struct strbuf expected = { 0 };

		snprintf(file, sizeof(file), "%s-labels-networks", engines[i]);
		networks = recorded(file);
		snprintf(file, sizeof(file), "%s-labels-containers", engines[i]);
		containers = recorded(file);
		id_after(containers, "\"NetworkID\":\"", network);
		id_after(containers, "\"EndpointID\":\"", endpoint);
		make(*state, network, endpoint);
		assert_int_equal(policy_untold(*state), 50);
		read_networks(*state, networks);
		read_containers(*state, containers);
		assert_int_equal(policy_untold(*state), 0);
		strbuf_addf(&expected,
			    "%s tailexit.policy=killswitch\n%s/%s tailexit.icc=false\n"
			    "%s/%s tailexit.policy=isolated\n",
			    network, network, endpoint, network, endpoint);
		assert_string_equal(stub_told(*state), strbuf_text(&expected));
		teardown(state);
		setup(state);
	}
}

#define OF(name, labels) \
	"{'Names':['/" name "'],'State':'running','NetworkSettings':{'Networks':{'n':{" \
	"'NetworkID':'" name "','EndpointID':'" name "'}}}" labels "}"

/* Fails when other spellings of the prefix pass; when a value that is no text does; when a list
 * without labels counts as one that has none. */
static void only_what_is_ours_is_told(void **state)
{
	static const struct {
		const char *labels, *told; /* %s: of whom */
	} rows[] = {
		{ ",'Labels':{}", "" },
		{ ",'Labels':null", "" },
		{ ",'Labels':{'policy':'open','com.tailexit.policy':'open','tailexit':'x'}", "" },
		{ ",'Labels':{'tailexit.policy':'open'}", "a tailexit.policy=open\n" },
		{ ",'Labels':{'Tailexit.policy':'open','TAILEXIT.lan':'on'}",
		  "a Tailexit.policy=open\na TAILEXIT.lan=on\n" },
		{ ",'Labels':{'tailexit.':'','tailexit.policy':7,'tailexit.lan':null}",
		  "a tailexit.=\na tailexit.policy=\na tailexit.lan=\n" },
		{ "", NULL },
		{ ",'Labels':[]", NULL },
		{ ",'Labels':'tailexit.policy=open'", NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		AUTO(strbuf) struct strbuf text = { 0 };
		AUTO_FREE char *list = NULL;

		make(*state, "a", "a");
		strbuf_addf(&text, "[{'Id':'a','Name':'net'%s}]", rows[i].labels);
		list = quoted(text.text);
		read_networks(*state, list);
		if (!streq(stub_told(*state), rows[i].told ? rows[i].told : ""))
			fail_msg("row %zu: %s", i, stub_told(*state));
		assert_int_equal(policy_network(*state, "a")->heard, rows[i].told != NULL);
		teardown(state);
		setup(state);
	}
}

/* Fails when the networks need not come first; when somebody is told twice. */
static void each_is_told_once_and_networks_first(void **state)
{
	AUTO_FREE char *networks = quoted("[{'Id':'a','Labels':{'tailexit.lan':'off'}},{'Id':'x',"
					  "'Labels':{'tailexit.lan':'off'}}]");
	AUTO_FREE char *containers = quoted("[" OF("a", ",'Labels':{'tailexit.policy':'x'}") "," OF(
		"b", ",'Labels':{'tailexit.policy':'y'}") "," OF("a", "") "]");

	make(*state, "a", "a");
	read_containers(*state, containers);
	assert_string_equal(stub_told(*state), "");
	read_networks(*state, networks);
	read_containers(*state, containers);
	read_networks(*state, networks);
	read_containers(*state, containers);
	assert_string_equal(stub_told(*state), "a tailexit.lan=off\na/a tailexit.policy=x\n");
}

int main(void)
{
#define LABELS_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		LABELS_TEST(recorded_lists_are_understood),
		LABELS_TEST(only_what_is_ours_is_told),
		LABELS_TEST(each_is_told_once_and_networks_first),
	};

	log_set_level("error");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
