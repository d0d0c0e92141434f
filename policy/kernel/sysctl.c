/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See sysctl.h. */
#include "sysctl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A descriptor, or a negative errno, with a sentence except for -ENOENT. */
static int open_knob(const struct nl *nl, const char *name, int flags, struct err *err)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", nl->sysctls, name);
	fd = open(path, flags | O_CLOEXEC);
	if (fd >= 0)
		return fd;
	if (errno == ENOENT)
		return -ENOENT;
	return err_errno(err, -errno, "cannot open %s", path);
}

int sysctl_get(const struct nl *nl, const char *name, int *ret_value, struct err *err)
{
	char text[32] = "";
	ssize_t got;
	int fd = open_knob(nl, name, O_RDONLY, err);

	if (fd < 0)
		return fd;
	got = read(fd, text, sizeof(text) - 1);
	if (got < 0)
		err_errno(err, -errno, "cannot read %s/%s", nl->sysctls, name);
	close(fd);
	if (got < 0)
		return err->code;
	*ret_value = atoi(text);
	return 0;
}

int sysctl_set(const struct nl *nl, const char *name, int value, struct err *err)
{
	char text[16];
	int now, len, fd;
	int r = sysctl_get(nl, name, &now, err);

	if (r < 0 || now == value)
		return r;
	fd = open_knob(nl, name, O_WRONLY, err);
	if (fd < 0)
		return fd;
	len = snprintf(text, sizeof(text), "%d\n", value);
	r = write(fd, text, len) == len ? 0 : -errno;
	close(fd);
	if (r < 0)
		return err_errno(err, r, "cannot write %d to %s/%s", value, nl->sysctls, name);
	return 0;
}
