/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See nft_counters.h. */
#include "nft_counters.h"

#include <errno.h>
#include <libnftnl/common.h>
#include <libnftnl/object.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include "../base/mem.h"
#include "../plan/names.h"

struct reading {
	nft_counter_fn *fn;
	void *arg;
};

static void on_object(void *arg, const struct nlmsghdr *message)
{
	const struct reading *reading = arg;
	struct nftnl_obj *obj;

	if (!message) {
		reading->fn(reading->arg, NULL, 0);
		return;
	}
	obj = mem_check(nftnl_obj_alloc());
	if (nftnl_obj_nlmsg_parse(message, obj) == 0 &&
	    streq(nftnl_obj_get_str(obj, NFTNL_OBJ_TABLE), NFT_TABLE) &&
	    nftnl_obj_get_u32(obj, NFTNL_OBJ_TYPE) == NFT_OBJECT_COUNTER)
		reading->fn(reading->arg, nftnl_obj_get_str(obj, NFTNL_OBJ_NAME),
			    nftnl_obj_get_u64(obj, NFTNL_OBJ_CTR_PKTS));
	nftnl_obj_free(obj);
}

int nft_counters_read(struct nl *nl, nft_counter_fn *fn, void *arg, struct err *err)
{
	struct reading reading = { fn, arg };
	char buffer[512];
	struct nlmsghdr *message =
		nftnl_nlmsg_build_hdr(buffer, NFT_MSG_GETOBJ, NFPROTO_INET, NLM_F_DUMP, 0);
	int r;

	mnl_attr_put_strz(message, NFTA_OBJ_TABLE, NFT_TABLE);
	r = nl_dump(nl, message, on_object, &reading, err);
	if (r == -ENOENT) /* no table: no network, or somebody flushed it */
		return 0;
	return r < 0 ? err_wrap(err, "read the counters") : 0;
}
