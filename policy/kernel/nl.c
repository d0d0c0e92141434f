/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See nl.h. Synchronous sockets that join no multicast group: what arrives answers us, or is the
 * late rest of an answer we gave up on. */
#include "nl.h"

#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "../base/mem.h"

#define ANSWER_SIZE (64 * 1024) /* the kernel fills at most 32 KiB at a time */
#define ANSWER_GUARD_S 5        /* the answer is queued when sendmsg() returns: never waited for */
#define DUMP_ATTEMPTS 10

_Static_assert(IFNAMSIZ == 16, "nl_link_name() says 16");

static void set_socket_buffer(int fd, int force, int plain, int size)
{
	/* FORCE passes the sysctl limit, but needs the capability in the initial namespace. */
	if (setsockopt(fd, SOL_SOCKET, force, &size, sizeof(size)) < 0)
		(void)setsockopt(fd, SOL_SOCKET, plain, &size, sizeof(size));
}

static struct mnl_socket *open_socket(int bus, struct err *err)
{
	const struct timeval guard = { .tv_sec = ANSWER_GUARD_S };
	struct mnl_socket *sock = mnl_socket_open2(bus, SOCK_CLOEXEC);
	int on = 1;
	int fd;

	if (!sock || mnl_socket_bind(sock, 0, MNL_SOCKET_AUTOPID) < 0) {
		err_errno(err, -errno, "cannot open a netlink socket");
		if (sock)
			mnl_socket_close(sock);
		return NULL;
	}
	fd = mnl_socket_get_fd(sock);
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &guard, sizeof(guard));
	/* A transaction is one message to the socket, however large. */
	set_socket_buffer(fd, SO_SNDBUFFORCE, SO_SNDBUF, 16 << 20);
	set_socket_buffer(fd, SO_RCVBUFFORCE, SO_RCVBUF, 4 << 20);
	/* Each is missing from some kernel that can do without. */
	(void)mnl_socket_setsockopt(sock, NETLINK_EXT_ACK, &on, sizeof(on));
	(void)mnl_socket_setsockopt(sock, NETLINK_CAP_ACK, &on, sizeof(on));
	if (bus == NETLINK_ROUTE)
		(void)mnl_socket_setsockopt(sock, NETLINK_GET_STRICT_CHK, &on, sizeof(on));
	return sock;
}

void nl_close(struct nl *nl)
{
	if (nl->route)
		mnl_socket_close(nl->route);
	if (nl->netfilter)
		mnl_socket_close(nl->netfilter);
	free(nl->buffer);
	*nl = (struct nl){ 0 };
}

int nl_open(struct nl *ret_nl, struct err *err)
{
	struct nl nl = { .sysctls = "/proc/sys" };

	nl.route = open_socket(NETLINK_ROUTE, err);
	if (!nl.route)
		return err->code;
	nl.netfilter = open_socket(NETLINK_NETFILTER, err);
	if (!nl.netfilter) {
		nl_close(&nl);
		return err->code;
	}
	nl.buffer = xcalloc(1, ANSWER_SIZE);
	*ret_nl = nl;
	return 0;
}

struct nlmsghdr *nl_request(union nl_request *request, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *msg;

	/* All of it: attributes are padded, and padding that is sent should not be stack. */
	memset(request, 0, sizeof(*request));
	msg = mnl_nlmsg_put_header(request);
	msg->nlmsg_type = type;
	msg->nlmsg_flags = NLM_F_REQUEST | flags;
	return msg;
}

struct attr_table {
	const struct nlattr **attrs;
	int max;
};

static int note_attr(const struct nlattr *attr, void *arg)
{
	struct attr_table *table = arg;
	int type = mnl_attr_get_type(attr);

	if (type <= table->max)
		table->attrs[type] = attr;
	return MNL_CB_OK;
}

void nl_parse(const struct nlmsghdr *msg, size_t header, const struct nlattr **attrs, int max)
{
	struct attr_table table = { attrs, max };

	memset(attrs, 0, (max + 1) * sizeof(*attrs));
	if (mnl_nlmsg_get_payload_len(msg) >= header)
		mnl_attr_parse(msg, header, note_attr, &table);
}

void nl_parse_nested(const struct nlattr *nest, const struct nlattr **attrs, int max)
{
	struct attr_table table = { attrs, max };

	memset(attrs, 0, (max + 1) * sizeof(*attrs));
	mnl_attr_parse_nested(nest, note_attr, &table);
}

/* The message of an acknowledgement or of the end of a dump is an int, here `skip` bytes in all,
 * and then attributes. */
static int refuse(const struct nlmsghdr *msg, size_t skip, int code, struct err *err)
{
	const struct nlattr *attrs[NLMSGERR_ATTR_MSG + 1] = { NULL };

	if (msg->nlmsg_flags & NLM_F_ACK_TLVS)
		nl_parse(msg, skip, attrs, NLMSGERR_ATTR_MSG);
	if (attrs[NLMSGERR_ATTR_MSG] &&
	    mnl_attr_validate(attrs[NLMSGERR_ATTR_MSG], MNL_TYPE_NUL_STRING) == 0)
		return err_errno(err, code, "%s", mnl_attr_get_str(attrs[NLMSGERR_ATTR_MSG]));
	return err_set(err, code, "%s", strerror(-code));
}

static int take_ack(const struct nlmsghdr *msg, struct err *err)
{
	const struct nlmsgerr *ack = mnl_nlmsg_get_payload(msg);
	size_t skip = sizeof(*ack);

	if (mnl_nlmsg_get_payload_len(msg) < sizeof(*ack))
		return err_set(err, -EBADMSG, "the kernel's answer is cut off");
	if (ack->error == 0)
		return 0;
	/* Unless capped, the whole request is repeated before the attributes. */
	if (!(msg->nlmsg_flags & NLM_F_CAPPED))
		skip += MNL_ALIGN(ack->msg.nlmsg_len) - sizeof(ack->msg);
	return refuse(msg, skip, ack->error, err);
}

static int take_end(const struct nlmsghdr *msg, struct err *err)
{
	int code = 0;

	if (mnl_nlmsg_get_payload_len(msg) >= sizeof(code))
		memcpy(&code, mnl_nlmsg_get_payload(msg), sizeof(code));
	return code < 0 ? refuse(msg, sizeof(code), code, err) : 0;
}

struct exchange {
	struct mnl_socket *sock;
	uint32_t seq;
	nl_answer_fn *fn; /* may be NULL */
	void *arg;
	bool inconsistent; /* what was dumped has changed meanwhile */
};

#define MORE 1

/* MORE, or how the exchange has ended. */
static int take_message(struct exchange *exchange, const struct nlmsghdr *msg, struct err *err)
{
	if (msg->nlmsg_seq != exchange->seq ||
	    msg->nlmsg_pid != mnl_socket_get_portid(exchange->sock))
		return MORE; /* of a request that was given up */
	if (msg->nlmsg_flags & NLM_F_DUMP_INTR)
		exchange->inconsistent = true;
	switch (msg->nlmsg_type) {
	case NLMSG_ERROR:
		return take_ack(msg, err);
	case NLMSG_DONE:
		return take_end(msg, err);
	case NLMSG_NOOP:
		return MORE;
	}
	if (exchange->fn)
		exchange->fn(exchange->arg, msg);
	return MORE;
}

static int take_answer(struct nl *nl, struct exchange *exchange, struct err *err)
{
	for (;;) {
		ssize_t got = mnl_socket_recvfrom(exchange->sock, nl->buffer, ANSWER_SIZE);
		const struct nlmsghdr *msg = (const void *)nl->buffer;
		int len = (int)got;

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 && errno == EAGAIN)
			return err_set(err, -ETIMEDOUT, "the kernel did not answer for %d seconds",
				       ANSWER_GUARD_S);
		if (got < 0)
			return err_errno(err, -errno, "cannot read the kernel's answer");
		for (; mnl_nlmsg_ok(msg, len); msg = mnl_nlmsg_next(msg, &len)) {
			int r = take_message(exchange, msg, err);

			if (r != MORE)
				return r;
		}
	}
}

static int exchange_once(struct nl *nl, struct nlmsghdr *msg, struct exchange *exchange,
			 struct err *err)
{
	exchange->sock = NFNL_SUBSYS_ID(msg->nlmsg_type) ? nl->netfilter : nl->route;
	exchange->seq = ++nl->seq;
	exchange->inconsistent = false;
	if (exchange->fn)
		exchange->fn(exchange->arg, NULL);
	msg->nlmsg_seq = exchange->seq;
	if (mnl_socket_sendto(exchange->sock, msg, msg->nlmsg_len) < 0)
		return err_errno(err, -errno, "cannot send to the kernel");
	return take_answer(nl, exchange, err);
}

int nl_get(struct nl *nl, struct nlmsghdr *msg, nl_answer_fn *fn, void *arg, struct err *err)
{
	struct exchange exchange = { .fn = fn, .arg = arg };

	msg->nlmsg_flags |= NLM_F_ACK;
	return exchange_once(nl, msg, &exchange, err);
}

int nl_talk(struct nl *nl, struct nlmsghdr *msg, struct err *err)
{
	return nl_get(nl, msg, NULL, NULL, err);
}

int nl_dump(struct nl *nl, struct nlmsghdr *msg, nl_answer_fn *fn, void *arg, struct err *err)
{
	msg->nlmsg_flags |= NLM_F_DUMP;
	for (int i = 0; i < DUMP_ATTEMPTS; i++) {
		struct exchange exchange = { .fn = fn, .arg = arg };
		int r = exchange_once(nl, msg, &exchange, err);

		if (r != -EINTR && (r < 0 || !exchange.inconsistent))
			return r;
		*err = (struct err){ 0 };
	}
	return err_set(err, -EINTR, "it kept changing while it was read");
}

int nl_link_index(struct nl *nl, const char *name)
{
	struct ifreq request = { 0 };

	strncpy(request.ifr_name, name, IFNAMSIZ - 1);
	if (ioctl(mnl_socket_get_fd(nl->route), SIOCGIFINDEX, &request) < 0)
		return -errno;
	return request.ifr_ifindex;
}

int nl_link_name(struct nl *nl, int index, char ret_name[static 16])
{
	struct ifreq request = { .ifr_ifindex = index };

	if (ioctl(mnl_socket_get_fd(nl->route), SIOCGIFNAME, &request) < 0)
		return -errno;
	memcpy(ret_name, request.ifr_name, IFNAMSIZ);
	return 0;
}
