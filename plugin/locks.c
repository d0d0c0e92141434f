/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See locks.h. */
#include "locks.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAUSE_MS 10

static int lock(int fd, unsigned int patience_ms)
{
	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK)
			return -errno;
		if (patience_ms < PAUSE_MS)
			return -EBUSY;
		patience_ms -= PAUSE_MS;
		usleep(PAUSE_MS * 1000);
	}
	return 0;
}

static int lock_directory(const char *path, unsigned int patience_ms, int *ret_fd, struct err *err)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (fd < 0)
		return errno == ENOENT ? 0
				       : err_errno(err, -errno, "cannot open directory %s", path);
	r = lock(fd, patience_ms);
	if (r == 0) {
		*ret_fd = fd;
		return 0;
	}
	close(fd);
	if (r == -EBUSY)
		return err_set(err, r,
			       "another daemon works in %s; stop it, or choose another directory",
			       path);
	return err_errno(err, r, "cannot lock directory %s", path);
}

static bool same_file(const char *a, const char *b)
{
	struct stat st_a, st_b;

	return stat(a, &st_a) == 0 && stat(b, &st_b) == 0 && st_a.st_dev == st_b.st_dev &&
	       st_a.st_ino == st_b.st_ino;
}

int locks_take(struct locks *ret_locks, const char *run_dir, const char *state_dir,
	       unsigned int patience_ms, struct err *err)
{
	struct locks locks = { -1, -1 };
	int r = lock_directory(run_dir, patience_ms, &locks.run, err);

	if (r == 0 && !same_file(run_dir, state_dir))
		r = lock_directory(state_dir, patience_ms, &locks.state, err);
	if (r < 0)
		locks_done(&locks);
	else
		*ret_locks = locks;
	return r;
}

void locks_done(struct locks *locks)
{
	if (locks->run >= 0)
		close(locks->run);
	if (locks->state >= 0)
		close(locks->state);
	*locks = (struct locks){ -1, -1 };
}
