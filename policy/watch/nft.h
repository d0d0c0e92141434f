/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tells when somebody else changed nftables rules. Reports, never acts. */
#pragma once

#include "../base/err.h"
#include "../base/loop.h"

struct nft_watch;

/* fn is called once per burst of changes, at most every 20 ms. own_port: changes made through this
 * netlink socket are ours. */
struct nft_watch *nft_watch_new(struct loop *loop, uint32_t own_port, void (*fn)(void *arg),
				void *arg, struct err *err);
void nft_watch_free(struct nft_watch *watch); /* accepts NULL */
