/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One nftables transaction under construction. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "../base/err.h"
#include "../plan/plan.h"

struct nl;
struct nlmsghdr;

struct nft_batch {
	char *buffer; /* owned */
	size_t len;
	size_t size;
	uint32_t first_seq;        /* of the message after the opening one */
	const struct item **items; /* owned: what the message first_seq + i is about */
	size_t n;
};

void nft_batch_init(struct nft_batch *batch, struct nl *nl);
/* Opens a message for type (NFT_MSG_...) about something of that family; fill it, then
 * nft_batch_end_message(). item may be NULL. */
struct nlmsghdr *nft_batch_message(struct nft_batch *batch, uint16_t type, uint8_t family,
				   uint16_t flags, const struct item *item);
void nft_batch_end_message(struct nft_batch *batch, const struct nlmsghdr *message);
/* Sends it and reads the kernel's verdict; the error names the item at fault. */
int nft_batch_send(struct nft_batch *batch, struct nl *nl, struct err *err);
void nft_batch_done(struct nft_batch *batch);
