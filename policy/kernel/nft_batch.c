/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See nft_batch.h. A transaction is one sendmsg(): the kernel has done or refused all of it, and
 * queued every answer, when that returns. */
#include "nft_batch.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <libnftnl/common.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <sys/socket.h>

#include "../base/log.h"
#include "../base/mem.h"
#include "nl.h"

/* Longer than any single message of ours: a rule of FW_RULE_EXPRS expressions is below 2 KiB. */
#define MESSAGE_MAX 8192

static char *room(struct nft_batch *batch)
{
	if (batch->size - batch->len < MESSAGE_MAX) {
		batch->size = batch->size ? batch->size * 2 : 4 * MESSAGE_MAX;
		batch->buffer = xreallocarray(batch->buffer, batch->size, 1);
	}
	return batch->buffer + batch->len;
}

void nft_batch_init(struct nft_batch *batch, struct nl *nl)
{
	*batch = (struct nft_batch){ 0 };
	batch->len += nftnl_batch_begin(room(batch), ++nl->seq)->nlmsg_len;
}

struct nlmsghdr *nft_batch_message(struct nft_batch *batch, uint16_t type, uint8_t family,
				   uint16_t flags, const struct item *item)
{
	batch->items = xreallocarray(batch->items, batch->n + 1, sizeof(*batch->items));
	batch->items[batch->n++] = item;
	/* Numbered when sent: only then is it known how many there are. */
	return nftnl_nlmsg_build_hdr(room(batch), type, family, flags, 0);
}

void nft_batch_end_message(struct nft_batch *batch, const struct nlmsghdr *message)
{
	batch->len += message->nlmsg_len;
}

/* Numbers the messages and asks for one acknowledgement, at the end: an error is always reported,
 * and thousands of acknowledgements would not fit the socket's buffer. */
static void number(struct nft_batch *batch, struct nl *nl)
{
	struct nlmsghdr *message = (struct nlmsghdr *)batch->buffer;
	char *end = batch->buffer + batch->len;

	message = (struct nlmsghdr *)((char *)message + message->nlmsg_len);
	for (size_t i = 0; (char *)message < end; i++) {
		message->nlmsg_seq = ++nl->seq;
		if (i == 0)
			batch->first_seq = message->nlmsg_seq;
		if (i + 1 == batch->n)
			message->nlmsg_flags |= NLM_F_ACK;
		message = (struct nlmsghdr *)((char *)message + message->nlmsg_len);
	}
}

static int fail(struct nft_batch *batch, const struct nlmsghdr *answer, int code, struct err *err)
{
	size_t index = answer->nlmsg_seq - batch->first_seq;
	AUTO(strbuf) struct strbuf text = { 0 };

	if (err->code)
		return err->code; /* the first one is the cause of the others */
	if (index < batch->n && batch->items[index])
		item_print(batch->items[index], &text);
	return err_errno(err, code, "nftables refused %s",
			 text.len ? strbuf_text(&text) : "the transaction");
}

static int read_answers(struct nft_batch *batch, struct nl *nl, struct err *err)
{
	int fd = mnl_socket_get_fd(nl_netfilter(nl));
	uint32_t last_seq = batch->first_seq + batch->n - 1;
	char buffer[16384];
	bool acked = false;
	ssize_t len;

	err->code = 0;
	while ((len = recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT)) > 0) {
		const struct nlmsghdr *answer = (const struct nlmsghdr *)buffer;
		int rest = len;

		for (; mnl_nlmsg_ok(answer, rest); answer = mnl_nlmsg_next(answer, &rest)) {
			const struct nlmsgerr *error = mnl_nlmsg_get_payload(answer);

			/* Also skips what an earlier, given-up request left behind. */
			if (answer->nlmsg_type != NLMSG_ERROR ||
			    answer->nlmsg_seq - (batch->first_seq - 1) > batch->n)
				continue;
			if (error->error)
				fail(batch, answer, error->error, err);
			else if (answer->nlmsg_seq == last_seq)
				acked = true;
		}
	}
	if (err->code)
		return err->code;
	if (!acked)
		return err_set(err, -EIO, "nftables did not answer");
	return 0;
}

int nft_batch_send(struct nft_batch *batch, struct nl *nl, struct err *err)
{
	int fd = mnl_socket_get_fd(nl_netfilter(nl));
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	int size;

	if (batch->n == 0)
		return 0;
	number(batch, nl);
	batch->len += nftnl_batch_end(room(batch), ++nl->seq)->nlmsg_len;
	log_debug("nftables: a transaction of %zu messages, %zu bytes", batch->n, batch->len);
	size = batch->len + 65536;
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
	if (sendto(fd, batch->buffer, batch->len, 0, (struct sockaddr *)&kernel, sizeof(kernel)) <
	    0)
		return err_errno(err, -errno, "cannot send %zu bytes to nftables", batch->len);
	return read_answers(batch, nl, err);
}

void nft_batch_done(struct nft_batch *batch)
{
	free(batch->buffer);
	free(batch->items);
	*batch = (struct nft_batch){ 0 };
}
