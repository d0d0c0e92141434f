/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A unix socket that waits for connections: inherited from the service manager, or made here and
 * removed again. Must not know what is spoken over it. */
#pragma once

#include <stdbool.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "../policy/base/err.h"

struct listener {
	int fd; /* -1: none */
	/* What was made here, to recognise it when it is to be removed; "": nothing was. */
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	dev_t device;
	ino_t inode;
};

/* The socket that systemd opened for us: 1, 0 when there is none, or an error. */
int listener_inherit(struct listener *ret_listener, struct err *err);
/* Replaces a socket that nobody answers on, and nothing else. Missing directories are made. The
 * socket is for its owner only. */
int listener_open(struct listener *ret_listener, const char *path, struct err *err);
/* Lets the members of this group connect as well; a group that does not exist is nobody. */
int listener_allow_group(const struct listener *listener, const char *group, struct err *err);
/* Removes the socket if it still is the one that was made. The fd must be closed by now, or given
 * away; closes it if it is not -1. */
void listener_done(struct listener *listener);
