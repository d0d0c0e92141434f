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
#include "nft.h"

struct reading {
	struct nft_counters *counters;
	size_t start; /* of this dump's: one that is begun again forgets them */
};

static void add(struct nft_counters *counters, const char *name, uint64_t packets)
{
	struct nft_counter *counter;

	counters->items = xreallocarray(counters->items, counters->n + 1, sizeof(*counter));
	counter = &counters->items[counters->n++];
	snprintf(counter->name, sizeof(counter->name), "%s", name);
	counter->packets = packets;
}

static void on_object(void *arg, const struct nlmsghdr *message)
{
	struct reading *reading = arg;
	struct nftnl_obj *obj;

	if (!message) {
		reading->counters->n = reading->start;
		return;
	}
	obj = mem_check(nftnl_obj_alloc());
	if (nftnl_obj_nlmsg_parse(message, obj) == 0 &&
	    streq(nftnl_obj_get_str(obj, NFTNL_OBJ_TABLE), NFT_TABLE) &&
	    nftnl_obj_get_u32(obj, NFTNL_OBJ_TYPE) == NFT_OBJECT_COUNTER)
		add(reading->counters, nftnl_obj_get_str(obj, NFTNL_OBJ_NAME),
		    nftnl_obj_get_u64(obj, NFTNL_OBJ_CTR_PKTS));
	nftnl_obj_free(obj);
}

static int read_table(struct nl *nl, enum fw_table table, struct nft_counters *counters,
		      struct err *err)
{
	struct reading reading = { counters, counters->n };
	char buffer[512];
	struct nlmsghdr *message =
		nftnl_nlmsg_build_hdr(buffer, NFT_MSG_GETOBJ, nft_family(table), NLM_F_DUMP, 0);
	int r;

	mnl_attr_put_strz(message, NFTA_OBJ_TABLE, NFT_TABLE);
	r = nl_dump(nl, message, on_object, &reading, err);
	if (r == -ENOENT) /* no table: no network, or somebody flushed it */
		return 0;
	return r < 0 ? err_wrap(err, "read the counters") : 0;
}

int nft_counters_read(struct nl *nl, struct nft_counters *ret_counters, struct err *err)
{
	struct nft_counters counters = { 0 };
	int r = 0;

	for (enum fw_table table = FW_INET; r == 0 && table < FW_TABLES; table++)
		r = read_table(nl, table, &counters, err);
	if (r < 0)
		nft_counters_done(&counters);
	else
		*ret_counters = counters;
	return r;
}

void nft_counters_done(struct nft_counters *counters)
{
	free(counters->items);
	*counters = (struct nft_counters){ 0 };
}
