/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See listener.h. */
#include "listener.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sys/socket.h>

#include "../policy/base/mem.h"

/* The first descriptor that is passed on: sd_listen_fds(3). */
#define LISTEN_FDS_START 3
#define BACKLOG 4096

/* The number in an environment variable; -1 when it is absent or none. */
static long env_number(const char *name)
{
	const char *text = getenv(name);
	char *end;
	long number;

	if (!text || *text < '0' || *text > '9')
		return -1;
	errno = 0;
	number = strtol(text, &end, 10);
	return errno == 0 && *end == '\0' ? number : -1;
}

static bool is_listening_unix_stream(int fd)
{
	int domain = 0, type = 0, listening = 0;
	socklen_t len = sizeof(int);

	return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) == 0 && domain == AF_UNIX &&
	       getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 && type == SOCK_STREAM &&
	       getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) == 0 && listening;
}

int listener_inherit(struct listener *ret_listener, struct err *err)
{
	long n = env_number("LISTEN_FDS");
	bool ours = env_number("LISTEN_PID") == getpid();

	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	if (!ours || n <= 0)
		return 0;
	if (n > 1)
		return err_set(err, -EINVAL,
			       "the service manager passed %ld sockets and one is expected; keep "
			       "one ListenStream= in the socket unit",
			       n);
	if (!is_listening_unix_stream(LISTEN_FDS_START))
		return err_set(err, -EINVAL,
			       "what the service manager passed is not a listening unix socket; "
			       "use ListenStream= with a path in the socket unit");
	fcntl(LISTEN_FDS_START, F_SETFD, FD_CLOEXEC);
	fcntl(LISTEN_FDS_START, F_SETFL, O_NONBLOCK);
	*ret_listener = (struct listener){ .fd = LISTEN_FDS_START };
	return 1;
}

static int make_parents(const char *path, struct err *err)
{
	AUTO_FREE char *part = xstrdup(path);

	for (char *c = part + 1; *c; c++) {
		if (*c != '/')
			continue;
		*c = '\0';
		if (mkdir(part, 0700) < 0 && errno != EEXIST)
			return err_errno(err, -errno, "cannot create directory %s", part);
		*c = '/';
	}
	return 0;
}

static int new_socket(struct err *err)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	return fd < 0 ? err_errno(err, -errno, "cannot create a socket") : fd;
}

/* Makes sure that nothing is at the path. A socket whose owner was killed stays behind, and a
 * connection to it is refused; whatever else is there belongs to somebody. */
static int remove_stale(const struct sockaddr_un *address, struct err *err)
{
	const char *path = address->sun_path;
	struct stat st;
	int fd, r;

	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0 : err_errno(err, -errno, "cannot look at %s", path);
	if (!S_ISSOCK(st.st_mode))
		return err_set(err, -EEXIST,
			       "%s exists and is not a socket; remove it or choose another path",
			       path);
	fd = new_socket(err);
	if (fd < 0)
		return fd;
	r = connect(fd, (const struct sockaddr *)address, sizeof(*address)) < 0 ? -errno : 0;
	close(fd);
	if (r == -ENOENT)
		return 0;
	if (r != -ECONNREFUSED)
		return err_set(err, -EADDRINUSE,
			       "another process answers on %s; stop it or choose another path",
			       path);
	if (unlink(path) < 0 && errno != ENOENT)
		return err_errno(err, -errno, "cannot remove the stale socket %s", path);
	return 0;
}

static int bind_and_listen(int fd, const struct sockaddr_un *address, struct stat *ret_st,
			   struct err *err)
{
	const char *path = address->sun_path;

	/* Before bind(): the file has its mode from the first moment on. */
	if (fchmod(fd, 0600) < 0 ||
	    bind(fd, (const struct sockaddr *)address, sizeof(*address)) < 0)
		return err_errno(err, -errno, "cannot bind %s", path);
	if (listen(fd, BACKLOG) < 0 || lstat(path, ret_st) < 0) {
		int r = err_errno(err, -errno, "cannot listen on %s", path);

		unlink(path);
		return r;
	}
	return 0;
}

int listener_open(struct listener *ret_listener, const char *path, struct err *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct listener listener = { .fd = -1 };
	struct stat st;
	int r;

	if (*path == '\0' || strlen(path) >= sizeof(address.sun_path))
		return err_set(err, -ENAMETOOLONG,
			       "socket path \"%s\" is not of 1 to %zu characters; choose another",
			       path, sizeof(address.sun_path) - 1);
	strcpy(address.sun_path, path);
	r = make_parents(path, err);
	if (r == 0)
		r = remove_stale(&address, err);
	if (r == 0)
		r = listener.fd = new_socket(err);
	if (r >= 0)
		r = bind_and_listen(listener.fd, &address, &st, err);
	if (r < 0) {
		listener_done(&listener);
		return r;
	}
	strcpy(listener.path, path);
	listener.device = st.st_dev;
	listener.inode = st.st_ino;
	*ret_listener = listener;
	return 0;
}

/* Read here rather than asked of the C library, which may go and ask a directory server. */
static bool find_group(const char *name, gid_t *ret_gid)
{
	FILE *file = fopen("/etc/group", "re");
	struct group *group;
	bool found = false;

	while (file && !found && (group = fgetgrent(file))) {
		found = streq(group->gr_name, name);
		if (found)
			*ret_gid = group->gr_gid;
	}
	if (file)
		fclose(file);
	return found;
}

int listener_allow_group(const struct listener *listener, const char *group, struct err *err)
{
	gid_t gid;

	if (!find_group(group, &gid))
		return 0;
	if (chown(listener->path, (uid_t)-1, gid) < 0 || chmod(listener->path, 0660) < 0)
		return err_errno(err, -errno, "cannot open %s to group %s", listener->path, group);
	return 0;
}

void listener_done(struct listener *listener)
{
	struct stat st;

	if (listener->path[0] && lstat(listener->path, &st) == 0 && st.st_dev == listener->device &&
	    st.st_ino == listener->inode)
		unlink(listener->path);
	if (listener->fd >= 0)
		close(listener->fd);
	*listener = (struct listener){ .fd = -1 };
}
