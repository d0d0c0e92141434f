/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tells when somebody else changed nftables rules, and whose. Reports, never acts. */
#pragma once

#include <stdbool.h>

#include "../base/err.h"
#include "../base/loop.h"

struct nft_news {
	bool ours;      /* something in our table is different */
	bool others;    /* something elsewhere is */
	const char *by; /* "nft (process 17)"; "" when the kernel did not say */
};

struct nft_watch;

/* Called once for all that there is to tell. fn must not free the watch. */
typedef void nft_watch_fn(void *arg, const struct nft_news *news);

/* own_port: changes made through this netlink socket are ours, and not told. */
struct nft_watch *nft_watch_new(struct loop *loop, uint32_t own_port, nft_watch_fn *fn, void *arg,
				struct err *err);
void nft_watch_free(struct nft_watch *watch); /* accepts NULL */
