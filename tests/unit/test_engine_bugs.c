/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of plugin/engine_bugs.c and of what dockerd.c warns of. */
#include "dockerd_rig.h"

/* The one warning that is valid now, or a part of it; "": none. */
static void says(const struct rig *rig, const char *sentence)
{
	AUTO_FREE char *warnings = rig_warnings(rig);

	if (*sentence ? !strstr(warnings, sentence) : *warnings)
		fail_msg("not '%s', but: %s", sentence, warnings);
}

/* Fails when what is logged is not to be read later as well. */
static void an_engine_that_crashes_is_named(void **state)
{
	static const struct {
		const char *version;
		unsigned int warnings;
	} rows[] = {
		{ RUNS("29.0.0"), 1 },      { RUNS("29.0.2+dfsg1-1"), 1 },
		{ RUNS("29.0.1-rc.2"), 1 }, { RUNS("29.0.3"), 0 },
		{ RUNS("29.0.10"), 0 },     { RUNS("29.1.0"), 0 },
		{ RUNS("28.5.2"), 0 },      { RUNS("129.0.1"), 0 },
		{ HEAD "\r\n{}", 0 },       { HEAD "\r\nnonsense", 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct rig *rig = rig_fresh(state);

		start(rig, LIST(""));
		rig->version.text = rows[i].version;
		assert_true(rig_run(rig, told_once, 2000));
		dockerd_look(rig->dockerd);
		assert_true(rig_run(rig, told_twice, 2000));
		if (rig_logged(rig, "upgrade to 29.0.3 or newer") != rows[i].warnings)
			fail_msg("%s", rows[i].version);
		says(rig, rows[i].warnings ? "crashes when a container" : "");
		assert_int_equal(rig_logged(rig, ""), 1 + rows[i].warnings);
	}
}

#define ON(name, network, v4, v6) \
	"\"" name "\":{\"NetworkID\":\"" network "\",\"EndpointID\":\"e\",\"Gateway\":\"" v4 \
	"\",\"IPv6Gateway\":\"" v6 "\"}"
#define WEB(networks) \
	LIST("{\"Names\":[\"/web\"],\"State\":\"running\",\"NetworkSettings\":{\"Networks\":{" networks \
	     "}}}")
#define OURS4 ON("a", "ours", "10.0.0.1", "")
#define OURS46 ON("a", "ours", "10.0.0.1", "fd00::1")
#define OURS_CLOSED ON("a", "ours", "", "")
#define THEIRS4 ON("c", "theirs", "10.1.0.1", "")
#define THEIRS46 ON("b", "theirs", "10.1.0.1", "fd01::1")
#define NAMED_WEB "container web leaves by another network than ours"

/* Fails when the range of versions is another; when our own network is not asked for; when one that
 * has both families, or no gateway at all, counts. */
static void who_leaves_elsewhere_is_named(void **state)
{
	static const struct {
		const char *version, *containers, *sentence;
	} rows[] = {
		{ RUNS("28.0.0"), WEB(OURS4 "," THEIRS46), NAMED_WEB },
		{ RUNS("28.5.2+dfsg4"), WEB(THEIRS46 "," OURS4), NAMED_WEB },
		{ RUNS("28.5.2"), WEB(THEIRS4 "," OURS4 "," THEIRS46), NAMED_WEB },
		{ RUNS("29.4.0"), WEB(OURS4 "," THEIRS46), NAMED_WEB },
		{ RUNS("29.4.1"), WEB(OURS4 "," THEIRS46), "" },
		{ RUNS("27.5.1"), WEB(OURS4 "," THEIRS46), "" },
		{ RUNS("28.5.2"), WEB(OURS4), "" },
		{ RUNS("28.5.2"), WEB(OURS4 "," THEIRS4), "" },
		{ RUNS("28.5.2"), WEB(OURS46 "," THEIRS46), "" },
		{ RUNS("28.5.2"), WEB(OURS_CLOSED "," THEIRS46), "" },
		{ RUNS("28.5.2"), WEB(THEIRS4 "," THEIRS46), "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct rig *rig = rig_fresh(state);

		rig->own = "ours";
		rig->containers.text = rows[i].containers;
		start(rig, LIST(""));
		rig->version.text = rows[i].version;
		dockerd_look(rig->dockerd);
		assert_true(rig_run(rig, told_twice, 2000) && rig_run(rig, told_containers, 2000));
		says(rig, rows[i].sentence);
		assert_int_equal(rig_logged(rig, NAMED_WEB), *rows[i].sentence != '\0');
		/* It has left the network. */
		rig->own = NULL;
		says(rig, "");
	}
}

/* Fails when only what was logged is said; when a success does not end it. */
static void what_is_not_readable_is_told_at_once(void **state)
{
	struct rig *rig = *state;

	rig->config.patience_ms = 60000;
	rig_start(rig);
	rig_run(rig, never, 50);
	assert_int_equal(rig_logged(rig, ""), 0);
	says(rig, "labels are not read: Docker's API at /tmp/test-dockerd-");
	says(rig, "No such file or directory");
	start_listening(rig, HEAD "\r\n{}");
	assert_true(rig_run(rig, warned, 2500));
	says(rig, "the answer is not a list of networks");
	rig->list.text = LIST("");
	assert_true(rig_run(rig, told_once, 2500));
	says(rig, "");
	dockerd_each_warning(NULL, on_warning, NULL);
}
int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)
	const struct CMUnitTest tests[] = {
		TEST(an_engine_that_crashes_is_named),
		TEST(who_leaves_elsewhere_is_named),
		TEST(what_is_not_readable_is_told_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
