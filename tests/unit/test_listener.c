/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of plugin/listener.c, in a directory of their own. */
#include <errno.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "../../plugin/listener.h"
#include "../../policy/base/mem.h"

struct fixture {
	char dir[64];
	char path[96];
	struct listener listener;
	struct err err;
};

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st, (void)flag, (void)ftw;
	return remove(path);
}

static int setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	strcpy(f->dir, P_tmpdir "/tailexit-test-XXXXXX");
	if (!mkdtemp(f->dir))
		return -1;
	snprintf(f->path, sizeof(f->path), "%s/socket", f->dir);
	f->listener.fd = -1;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	listener_done(&f->listener);
	nftw(f->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(f);
	return 0;
}

static int connect_to(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	int r;

	strcpy(address.sun_path, path);
	r = connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ? -errno : 0;
	close(fd);
	return r;
}

static mode_t mode_of(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 ? st.st_mode : 0;
}

static void a_socket_is_its_owners_and_gone_afterwards(void **state)
{
	struct fixture *f = *state;

	umask(0);
	assert_int_equal(listener_open(&f->listener, f->path, &f->err), 0);
	assert_int_equal(mode_of(f->path), S_IFSOCK | 0600);
	assert_int_equal(connect_to(f->path), 0);
	listener_done(&f->listener);
	assert_int_equal(mode_of(f->path), 0);
	listener_done(&f->listener);
}

static void missing_directories_are_made_for_their_owner(void **state)
{
	struct fixture *f = *state;
	char path[96], parent[96];

	snprintf(path, sizeof(path), "%s/a/b/socket", f->dir);
	snprintf(parent, sizeof(parent), "%s/a/b", f->dir);
	assert_int_equal(listener_open(&f->listener, path, &f->err), 0);
	assert_int_equal(mode_of(parent), S_IFDIR | 0700);
}

static void a_socket_nobody_answers_on_is_replaced(void **state)
{
	struct fixture *f = *state;
	struct listener killed;

	assert_int_equal(listener_open(&killed, f->path, &f->err), 0);
	close(killed.fd);
	assert_int_equal(connect_to(f->path), -ECONNREFUSED);
	assert_int_equal(listener_open(&f->listener, f->path, &f->err), 0);
	assert_int_equal(connect_to(f->path), 0);
}

static void a_socket_somebody_answers_on_is_left_alone(void **state)
{
	struct fixture *f = *state;
	struct listener second = { .fd = -1 };

	assert_int_equal(listener_open(&f->listener, f->path, &f->err), 0);
	assert_int_equal(listener_open(&second, f->path, &f->err), -EADDRINUSE);
	assert_non_null(strstr(f->err.text, "another process answers on"));
	assert_int_equal(connect_to(f->path), 0);
}

static void what_is_not_a_socket_is_left_alone(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(mkdir(f->path, 0700), 0);
	assert_int_equal(listener_open(&f->listener, f->path, &f->err), -EEXIST);
	assert_non_null(strstr(f->err.text, "is not a socket"));
	assert_int_equal(mode_of(f->path), S_IFDIR | 0700);
	assert_int_equal(rmdir(f->path), 0);
	assert_int_equal(symlink("/nowhere", f->path), 0);
	assert_int_equal(listener_open(&f->listener, f->path, &f->err), -EEXIST);
	assert_true(S_ISLNK(mode_of(f->path)));
}

static void the_socket_of_a_successor_is_not_removed(void **state)
{
	struct fixture *f = *state;
	struct listener first;

	assert_int_equal(listener_open(&first, f->path, &f->err), 0);
	assert_int_equal(unlink(f->path), 0);
	assert_int_equal(listener_open(&f->listener, f->path, &f->err), 0);
	listener_done(&first);
	assert_int_equal(connect_to(f->path), 0);
}

static void a_path_that_does_not_fit_or_cannot_be_is_refused(void **state)
{
	struct fixture *f = *state;
	char path[200];

	memset(path, 'x', sizeof(path) - 1);
	path[0] = '/';
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(listener_open(&f->listener, path, &f->err), -ENAMETOOLONG);
	assert_int_equal(listener_open(&f->listener, "", &f->err), -ENAMETOOLONG);
	assert_true(listener_open(&f->listener, "/dev/null/socket", &f->err) < 0);
	assert_non_null(strstr(f->err.text, "/dev/null"));
	assert_int_equal(f->listener.fd, -1);
}

static void a_group_that_does_not_exist_is_nobody(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(listener_open(&f->listener, f->path, &f->err), 0);
	assert_int_equal(listener_allow_group(&f->listener, "no such group", &f->err), 0);
	assert_int_equal(mode_of(f->path), S_IFSOCK | 0600);
	if (geteuid() != 0)
		return;
	assert_int_equal(listener_allow_group(&f->listener, "root", &f->err), 0);
	assert_int_equal(mode_of(f->path), S_IFSOCK | 0660);
}

/* What listener_inherit() makes of a descriptor 3 and an environment; in a child, which has both to
 * itself. */
static int inherit(int fd, const char *pid, const char *fds)
{
	pid_t child = fork();
	int status = 0;

	if (child == 0) {
		struct listener listener = { .fd = -1 };
		char own_pid[16];
		struct err err;
		int r;

		snprintf(own_pid, sizeof(own_pid), "%d", getpid());
		dup2(fd, 3);
		setenv("LISTEN_PID", streq(pid, "own") ? own_pid : pid, 1);
		setenv("LISTEN_FDS", fds, 1);
		r = listener_inherit(&listener, &err);
		if (getenv("LISTEN_PID") || getenv("LISTEN_FDS") || listener.path[0] ||
		    listener.fd != (r == 1 ? 3 : -1))
			_exit(99);
		_exit(r < 0 ? 2 : r);
	}
	waitpid(child, &status, 0);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void a_socket_of_the_service_manager_is_taken_and_only_that(void **state)
{
	struct fixture *f = *state;
	int not_listening = socket(AF_UNIX, SOCK_STREAM, 0);

	assert_int_equal(listener_open(&f->listener, f->path, &f->err), 0);
	assert_int_equal(inherit(f->listener.fd, "own", "1"), 1);
	assert_int_equal(inherit(f->listener.fd, "1", "1"), 0);
	assert_int_equal(inherit(f->listener.fd, "own", "0"), 0);
	assert_int_equal(inherit(f->listener.fd, "own", "x"), 0);
	assert_int_equal(inherit(f->listener.fd, "", ""), 0);
	assert_int_equal(inherit(f->listener.fd, "own", "2"), 2);
	assert_int_equal(inherit(not_listening, "own", "1"), 2);
	assert_int_equal(inherit(0, "own", "1"), 2);
	close(not_listening);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_socket_is_its_owners_and_gone_afterwards),
		TEST(missing_directories_are_made_for_their_owner),
		TEST(a_socket_nobody_answers_on_is_replaced),
		TEST(a_socket_somebody_answers_on_is_left_alone),
		TEST(what_is_not_a_socket_is_left_alone),
		TEST(the_socket_of_a_successor_is_not_removed),
		TEST(a_path_that_does_not_fit_or_cannot_be_is_refused),
		TEST(a_group_that_does_not_exist_is_nobody),
		TEST(a_socket_of_the_service_manager_is_taken_and_only_that),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
