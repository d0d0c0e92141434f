/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the watch on links reports. */
#include "netns.h"

#include "../../policy/kernel/link.h"
#include "../../policy/watch/links.h"

struct seen {
	enum link_event event;
	char name[IFNAMSIZ];
	char kind[16];
};

struct listener {
	struct loop *loop;
	struct link_watch *watch;
	struct loop_timer *timer;
	struct seen seen[256];
	size_t n;
	bool free_at_once;
};

static void note(void *arg, enum link_event event, const struct link_info *link)
{
	struct listener *l = arg;
	struct seen *seen = &l->seen[l->n < ARRAY_SIZE(l->seen) ? l->n++ : l->n - 1];

	seen->event = event;
	snprintf(seen->name, sizeof(seen->name), "%s", link->name);
	snprintf(seen->kind, sizeof(seen->kind), "%s", link->kind);
	if (l->free_at_once) {
		link_watch_free(l->watch);
		l->watch = NULL;
	}
}

static void stop(void *arg)
{
	struct listener *l = arg;

	loop_quit(l->loop);
}

/* What is queued is there already: one round of the loop is enough, and the timer ends it. */
static void listen_now(struct fixture *f, struct listener *l)
{
	l->n = 0;
	loop_timer_arm(l->timer, 50);
	assert_ok(loop_run(l->loop, &f->err), &f->err);
}

static void start(struct fixture *f, struct listener *l)
{
	*l = (struct listener){ .loop = loop_new(&f->err) };
	assert_non_null(l->loop);
	l->timer = loop_timer_new(l->loop, stop, l);
	l->watch = link_watch_new(l->loop, note, l, &f->err);
	assert_non_null(l->watch);
}

static void end(struct listener *l)
{
	link_watch_free(l->watch);
	loop_timer_free(l->timer);
	loop_free(l->loop);
}

static size_t count(const struct listener *l, enum link_event event, const char *name,
		    const char *kind)
{
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++)
		n += l->seen[i].event == event && streq(l->seen[i].name, name) &&
		     streq(l->seen[i].kind, kind);
	return n;
}

static void coming_changing_going(void **state)
{
	struct fixture *f = *state;
	struct listener l;

	start(f, &l);
	listen_now(f, &l);
	assert_int_equal(l.n, 0);
	assert_true(sh("ip link add br7 type bridge"));
	listen_now(f, &l);
	assert_true(count(&l, LINK_CHANGED, "br7", "bridge") > 0);
	assert_int_equal(count(&l, LINK_GONE, "br7", "bridge"), 0);
	assert_true(sh("ip link set br7 up"));
	listen_now(f, &l);
	assert_true(count(&l, LINK_CHANGED, "br7", "bridge") > 0);
	assert_true(sh("ip link del br7"));
	listen_now(f, &l);
	assert_int_equal(count(&l, LINK_GONE, "br7", "bridge"), 1);
	assert_true(sh("ip link set lo down"));
	listen_now(f, &l);
	assert_true(count(&l, LINK_WENT_DOWN, "lo", "") > 0);
	end(&l);
}

/* A port that leaves its bridge is not gone; what a bridge alone changes about a port is a change.
 */
static void ports(void **state)
{
	struct fixture *f = *state;
	struct listener l;

	assert_true(sh("ip link add br7 type bridge && ip link add v1 type veth peer name v2"));
	assert_true(sh("ip link set v1 master br7"));
	start(f, &l);
	assert_true(sh("bridge link set dev v1 isolated on"));
	listen_now(f, &l);
	assert_true(l.n > 0);
	assert_int_equal(l.seen[0].event, LINK_CHANGED);
	assert_string_equal(l.seen[0].name, "v1");
	assert_true(sh("ip link set v1 nomaster"));
	listen_now(f, &l);
	assert_true(l.n > 0);
	for (size_t i = 0; i < l.n; i++)
		assert_int_equal(l.seen[i].event, LINK_CHANGED);
	end(&l);
}

static void moving_away_is_going(void **state)
{
	struct fixture *f = *state;
	int other = other_namespace();
	struct listener l;

	assert_true(sh("ip link add v1 type veth peer name v2"));
	start(f, &l);
	move_link(&f->nl, "v2", other);
	listen_now(f, &l);
	assert_int_equal(count(&l, LINK_GONE, "v2", "veth"), 1);
	/* and when the other namespace dies, the end that stayed dies with it */
	close(other);
	for (int i = 0; i < 100 && link_exists(&f->nl, "v1"); i++)
		sleep_ms(50);
	listen_now(f, &l);
	assert_int_equal(count(&l, LINK_GONE, "v1", "veth"), 1);
	end(&l);
}

/* Nobody listens while more happens than fits the queue. */
static void losing_track(void **state)
{
	struct fixture *f = *state;
	struct listener l;
	union nl_request request;
	bool lost = false;

	start(f, &l);
	for (int i = 0; i < 20000; i++) {
		struct nlmsghdr *msg = link_request(&request, RTM_NEWLINK, 0, "lo", false);

		mnl_attr_put_u32(msg, IFLA_MTU, (uint32_t)(30000 + i));
		assert_ok(nl_talk(&f->nl, msg, &f->err), &f->err);
	}
	for (int i = 0; i < 100 && !lost; i++) {
		listen_now(f, &l);
		lost = count(&l, LINK_LOST_TRACK, "", "") > 0;
	}
	assert_true(lost);
	/* and goes on afterwards */
	for (int i = 0; i < 100 && l.n > 0; i++)
		listen_now(f, &l);
	assert_true(sh("ip link add br7 type bridge"));
	listen_now(f, &l);
	assert_true(count(&l, LINK_CHANGED, "br7", "bridge") > 0);
	end(&l);
}

static void freed_by_its_callback(void **state)
{
	struct fixture *f = *state;
	struct listener l;
	int fds = count_fds();

	start(f, &l);
	l.free_at_once = true;
	assert_true(sh("ip link set lo down && ip link set lo up"));
	listen_now(f, &l);
	assert_int_equal(l.n, 1);
	assert_null(l.watch);
	end(&l);
	assert_int_equal(count_fds(), fds);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NETNS_TEST(coming_changing_going), NETNS_TEST(ports),
		NETNS_TEST(moving_away_is_going),  NETNS_TEST(losing_track),
		NETNS_TEST(freed_by_its_callback),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
