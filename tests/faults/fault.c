/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fault.so, to be preloaded: counts what the daemon asks of its files and of the kernel, and at a
 * call that a test has chosen kills it, or has that call fail. See fault.h; $TAILEXIT_FAULT is the
 * file.
 *
 * Counted from the moment a client's request is read until it is answered, so that timers in
 * between do not shift the numbers. The daemon has one thread, and so has this.
 *
 * Not for a daemon with sanitizers: their library wants to be the first. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fault.h"

static struct fault *fault;
static bool in_call;

__attribute__((constructor)) static void map_fault(void)
{
	const char *path = getenv("TAILEXIT_FAULT");
	int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
	void *map = fd < 0 ? MAP_FAILED
			   : mmap(NULL, sizeof(*fault), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (map == MAP_FAILED) {
		fprintf(stderr, "fault.so: TAILEXIT_FAULT is no file that can be mapped\n");
		abort();
	}
	close(fd);
	fault = map;
}

/* The C library's own. */
#define REAL(name) ((__typeof__(&(name)))real(#name))

static void *real(const char *name)
{
	void *function = dlsym(RTLD_NEXT, name);

	if (!function)
		abort();
	return function;
}

/* Counts a call; is it the one? */
static bool is_due(enum kind kind)
{
	return fault && (fault->kinds & kind) && (in_call || fault->always) &&
	       ++fault->count == fault->at;
}

/* Here it ends, or fails. */
__attribute__((format(printf, 1, 2))) static int strike(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(fault->text, sizeof(fault->text), format, args);
	va_end(args);
	if (fault->action == ACTION_DIE)
		kill(getpid(), SIGKILL);
	errno = (int)fault->error;
	return -1;
}

/* ---- files ---- */

/* One that only reads changes nothing: not counted. */
int openat(int dir, const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list args;

	va_start(args, flags);
	if (flags & O_CREAT)
		mode = va_arg(args, mode_t);
	va_end(args);
	if ((flags & (O_CREAT | O_TRUNC)) && is_due(KIND_FILE))
		return strike("openat(%s)", path);
	return REAL(openat)(dir, path, flags, mode);
}

/* Of one that is there the daemon makes sure whenever it starts: that changes nothing. */
int mkdir(const char *path, mode_t mode)
{
	if (access(path, F_OK) < 0 && is_due(KIND_FILE))
		return strike("mkdir(%s)", path);
	return REAL(mkdir)(path, mode);
}

/* Two places: before anything is written, and when half of it is. */
ssize_t write(int fd, const void *data, size_t len)
{
	struct stat st;

	if (fd == STDERR_FILENO || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return REAL(write)(fd, data, len);
	if (is_due(KIND_FILE))
		return strike("write(%zu bytes)", len);
	if (is_due(KIND_FILE)) {
		ssize_t n = REAL(write)(fd, data, len / 2);

		(void)strike("write(%zu bytes), half of them", len);
		return n;
	}
	return REAL(write)(fd, data, len);
}

int fsync(int fd)
{
	return is_due(KIND_FILE) ? strike("fsync()") : REAL(fsync)(fd);
}

int renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	if (is_due(KIND_FILE))
		return strike("renameat(%s)", to);
	return REAL(renameat)(from_dir, from, to_dir, to);
}

int unlinkat(int dir, const char *path, int flags)
{
	return is_due(KIND_FILE) ? strike("unlinkat(%s)", path) : REAL(unlinkat)(dir, path, flags);
}

/* ---- sockets ---- */

static int option_of(int fd, int name)
{
	socklen_t len = sizeof(int);
	int value = -1;

	(void)getsockopt(fd, SOL_SOCKET, name, &value, &len);
	return value;
}

static bool is_transaction(int fd, const struct nlmsghdr *msg)
{
	return option_of(fd, SO_PROTOCOL) == NETLINK_NETFILTER &&
	       msg->nlmsg_type == NFNL_MSG_BATCH_BEGIN;
}

/* All changes of nftables come in transactions; of conntrack we only delete. */
static bool is_change(int fd, const struct nlmsghdr *msg)
{
	if (option_of(fd, SO_PROTOCOL) == NETLINK_ROUTE)
		return (msg->nlmsg_type - RTM_BASE) % 4 != 2;
	return is_transaction(fd, msg) ||
	       msg->nlmsg_type == (NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE);
}

static void name_request(int fd, const struct nlmsghdr *msg, char *text, size_t size)
{
	static const char *const verbs[] = { "NEW", "DEL", "GET", "SET" };
	static const char *const nouns[] = { "LINK", "ADDR", "ROUTE", "NEIGH", "RULE" };
	unsigned int type = msg->nlmsg_type, noun = (type - RTM_BASE) / 4;

	if (is_transaction(fd, msg))
		snprintf(text, size, "transaction of nftables");
	else if (option_of(fd, SO_PROTOCOL) == NETLINK_ROUTE && noun < 5)
		snprintf(text, size, "RTM_%s%s", verbs[type % 4], nouns[noun]);
	else
		snprintf(text, size, "request %u of subsystem %u", NFNL_MSG_TYPE(type),
			 NFNL_SUBSYS_ID(type));
}

/* The kernel's answer to a request that it has not done, waiting to be read. */
static struct {
	int fd;
	struct {
		struct nlmsghdr header;
		struct nlmsgerr error;
	} message;
} refusal = { .fd = -1 };

/* Of a transaction the kernel names the step that it refuses, and the beginning if it is short of
 * memory. */
static void refuse(int fd, const struct nlmsghdr *msg)
{
	struct sockaddr_nl self = { 0 };
	socklen_t len = sizeof(self);

	(void)getsockname(fd, (struct sockaddr *)&self, &len);
	if (is_transaction(fd, msg) && fault->error != ENOMEM)
		msg = (const void *)((const char *)msg + NLMSG_ALIGN(msg->nlmsg_len));
	refusal.fd = fd;
	refusal.message.header = (struct nlmsghdr){
		.nlmsg_len = sizeof(refusal.message),
		.nlmsg_type = NLMSG_ERROR,
		.nlmsg_flags = NLM_F_CAPPED,
		.nlmsg_seq = msg->nlmsg_seq,
		.nlmsg_pid = self.nl_pid,
	};
	refusal.message.error = (struct nlmsgerr){ -(int)fault->error, *msg };
}

static ssize_t send_request(int fd, const void *data, size_t len, int flags,
			    const struct sockaddr *to, socklen_t to_len)
{
	const struct nlmsghdr *msg = data;
	char text[64];

	if (!is_due(is_change(fd, msg) ? KIND_CHANGE : KIND_READ))
		return REAL(sendto)(fd, data, len, flags, to, to_len);
	name_request(fd, msg, text, sizeof(text));
	(void)strike("%s", text);
	if (fault->action != ACTION_REFUSE)
		return -1;
	refuse(fd, msg);
	return (ssize_t)len;
}

ssize_t sendto(int fd, const void *data, size_t len, int flags, const struct sockaddr *to,
	       socklen_t to_len)
{
	if (option_of(fd, SO_DOMAIN) == AF_NETLINK && len >= sizeof(struct nlmsghdr))
		return send_request(fd, data, len, flags, to, to_len);
	return REAL(sendto)(fd, data, len, flags, to, to_len);
}

/* The client gets its answer in one piece; afterwards the call is over. */
ssize_t sendmsg(int fd, const struct msghdr *msg, int flags)
{
	if (in_call && option_of(fd, SO_DOMAIN) == AF_UNIX) {
		if (is_due(KIND_REPLY))
			(void)strike("the answer");
		in_call = false;
	}
	return REAL(sendmsg)(fd, msg, flags);
}

static bool answer_is_lost(int fd)
{
	return option_of(fd, SO_DOMAIN) == AF_NETLINK && is_due(KIND_RECEIVE) &&
	       strike("the kernel's answer") < 0;
}

ssize_t recv(int fd, void *data, size_t len, int flags)
{
	ssize_t got;

	if (fd == refusal.fd && len >= sizeof(refusal.message)) {
		memcpy(data, &refusal.message, sizeof(refusal.message));
		refusal.fd = -1;
		return sizeof(refusal.message);
	}
	got = REAL(recv)(fd, data, len, flags);
	if (got > 0 && answer_is_lost(fd))
		return -1;
	if (got > 0 && option_of(fd, SO_DOMAIN) == AF_UNIX)
		in_call = true;
	return got;
}

ssize_t recvmsg(int fd, struct msghdr *msg, int flags)
{
	const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	ssize_t got;

	if (fd == refusal.fd && msg->msg_iov->iov_len >= sizeof(refusal.message)) {
		memcpy(msg->msg_iov->iov_base, &refusal.message, sizeof(refusal.message));
		memcpy(msg->msg_name, &kernel, sizeof(kernel));
		msg->msg_namelen = sizeof(kernel);
		msg->msg_flags = 0;
		refusal.fd = -1;
		return sizeof(refusal.message);
	}
	got = REAL(recvmsg)(fd, msg, flags);
	return got > 0 && answer_is_lost(fd) ? -1 : got;
}
