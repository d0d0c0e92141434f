/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See owner.h. First the socket's inode from /proc/net, then the process that has it open. */
#include "owner.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <string.h>
#include <time.h>

#include "../base/mem.h"

#define BUDGET_MS 40
#define STATE_LISTEN 0x0a

/* Of our own work: on a machine that is busy with others the answer is worth waiting for. */
static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* The kernel prints an address as 32-bit words in the machine's byte order. */
static bool parse_hex_addr(const char *text, struct addr *ret)
{
	size_t words = strlen(text) / 8;

	*ret = (struct addr){ 0 };
	if (strlen(text) != 8 && strlen(text) != 32)
		return false;
	ret->family = words == 1 ? AF_INET : AF_INET6;
	for (size_t i = 0; i < words; i++) {
		uint32_t word;

		if (sscanf(text + 8 * i, "%8" SCNx32, &word) != 1)
			return false;
		memcpy(ret->bytes + 4 * i, &word, sizeof(word));
	}
	return true;
}

/* Would a socket on `theirs` keep us from binding `ours`? */
static bool in_the_way(const struct addr *ours, const struct addr *theirs)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (addr_equal(ours, theirs))
		return true;
	if (ours->family == theirs->family)
		return addr_is_any(ours) || addr_is_any(theirs);
	if (ours->family != AF_INET)
		return false;
	/* An IPv6 socket of the usual kind also takes IPv4: all of it, or one mapped address. */
	if (addr_is_any(theirs))
		return true;
	return memcmp(theirs->bytes, mapped, sizeof(mapped)) == 0 &&
	       (addr_is_any(ours) || memcmp(theirs->bytes + 12, ours->bytes, 4) == 0);
}

/* One file of /proc/net. A listener is the likelier culprit than a mere connection, so it wins. */
static void find_inode(const char *path, const struct port *port, uint64_t deadline,
		       unsigned long *inode)
{
	FILE *file = fopen(path, "re");
	char line[512];

	if (!file)
		return;
	while (fgets(line, sizeof(line), file) && now_ms() < deadline) {
		char local[33];
		unsigned int number, state;
		unsigned long found;
		struct addr addr;

		if (sscanf(line, "%*d: %32[0-9A-Fa-f]:%x %*s %x %*s %*s %*s %*s %*s %lu", local,
			   &number, &state, &found) != 4)
			continue;
		if (number != port->host_port || found == 0 || !parse_hex_addr(local, &addr) ||
		    !in_the_way(&port->host, &addr))
			continue;
		if (*inode == 0 || state == STATE_LISTEN)
			*inode = found;
		if (state == STATE_LISTEN)
			break;
	}
	fclose(file);
}

static bool has_open(int proc_fd, const char *pid, const char *target, uint64_t deadline)
{
	char path[64];
	struct dirent *entry;
	bool found = false;
	DIR *dir;
	int fd;

	snprintf(path, sizeof(path), "%.20s/fd", pid);
	fd = openat(proc_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return false;
	dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return false;
	}
	while (!found && now_ms() < deadline && (entry = readdir(dir))) {
		char link[64];
		ssize_t len = readlinkat(fd, entry->d_name, link, sizeof(link) - 1);

		if (len <= 0)
			continue;
		link[len] = '\0';
		found = streq(link, target);
	}
	closedir(dir);
	return found;
}

static void read_name(int proc_fd, const char *pid, struct owner *owner)
{
	char path[64];
	ssize_t len = -1;
	int fd;

	snprintf(path, sizeof(path), "%.20s/comm", pid);
	fd = openat(proc_fd, path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		len = read(fd, owner->name, sizeof(owner->name) - 1);
		close(fd);
	}
	owner->name[len > 0 ? len : 0] = '\0';
	owner->name[strcspn(owner->name, "\n")] = '\0';
	/* A process names itself, and this goes into a sentence. */
	for (char *c = owner->name; *c; c++)
		if (!isprint((unsigned char)*c) || *c == '"')
			*c = '?';
}

static bool find_process(unsigned long inode, uint64_t deadline, struct owner *ret_owner)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	char target[64];
	bool found = false;

	if (!proc)
		return false;
	snprintf(target, sizeof(target), "socket:[%lu]", inode);
	while (!found && now_ms() < deadline && (entry = readdir(proc))) {
		if (!isdigit((unsigned char)entry->d_name[0]) ||
		    !has_open(dirfd(proc), entry->d_name, target, deadline))
			continue;
		ret_owner->pid = (pid_t)strtol(entry->d_name, NULL, 10);
		read_name(dirfd(proc), entry->d_name, ret_owner);
		found = true;
	}
	closedir(proc);
	return found;
}

bool owner_find(const struct port *port, struct owner *ret_owner)
{
	bool tcp = port->proto == IPPROTO_TCP;
	uint64_t deadline = now_ms() + BUDGET_MS;
	unsigned long inode = 0;

	if (!tcp && port->proto != IPPROTO_UDP)
		return false;
	if (port->host.family == AF_INET)
		find_inode(tcp ? "/proc/net/tcp" : "/proc/net/udp", port, deadline, &inode);
	if (inode == 0)
		find_inode(tcp ? "/proc/net/tcp6" : "/proc/net/udp6", port, deadline, &inode);
	return inode != 0 && find_process(inode, deadline, ret_owner);
}
