/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads our table back into a plan. */
#include "nft_commit.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <libnftnl/common.h>
#include <libnftnl/object.h>
#include <libnftnl/table.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include "../base/mem.h"
#include "../plan/names.h"
#include "nft.h"
#include "nl.h"

/* What one dump adds to. A dump that is begun again (message NULL) forgets what it had. */
struct reading {
	struct plan *plan;
	enum fw_table table;
	size_t start;           /* of this dump's items */
	struct fw_chain *chain; /* whose rules are read */
	bool table_found;
};

static bool in_our_table(const char *table)
{
	return table && streq(table, NFT_TABLE);
}

static void on_table(void *arg, const struct nlmsghdr *message)
{
	struct reading *reading = arg;
	struct nftnl_table *table;

	reading->table_found &= message != NULL;
	if (!message)
		return;
	table = mem_check(nftnl_table_alloc());
	if (nftnl_table_nlmsg_parse(message, table) == 0 &&
	    in_our_table(nftnl_table_get_str(table, NFTNL_TABLE_NAME)))
		reading->table_found = true;
	nftnl_table_free(table);
}

static void add_set(const struct reading *reading, const char *name)
{
	const struct fw_set *known = fw_set_find(name);
	struct fw_set *seen = &plan_add(reading->plan, ITEM_FW_SET)->set;

	/* A set's type cannot be changed after it was made: the name says it all. */
	if (known)
		*seen = *known;
	else
		snprintf(seen->name, sizeof(seen->name), "%s", name);
	seen->table = reading->table;
}

static void on_set(void *arg, const struct nlmsghdr *message)
{
	struct reading *reading = arg;
	struct nftnl_set *set;

	if (!message) {
		plan_truncate(reading->plan, reading->start);
		return;
	}
	set = mem_check(nftnl_set_alloc());
	if (nftnl_set_nlmsg_parse(message, set) == 0 &&
	    in_our_table(nftnl_set_get_str(set, NFTNL_SET_TABLE)))
		add_set(reading, nftnl_set_get_str(set, NFTNL_SET_NAME));
	nftnl_set_free(set);
}

static void add_counter(const struct reading *reading, const char *name)
{
	struct fw_counter *seen = &plan_add(reading->plan, ITEM_FW_COUNTER)->counter;

	snprintf(seen->name, sizeof(seen->name), "%s", name);
	seen->table = reading->table;
}

static void on_object(void *arg, const struct nlmsghdr *message)
{
	struct reading *reading = arg;
	struct nftnl_obj *obj;

	if (!message) {
		plan_truncate(reading->plan, reading->start);
		return;
	}
	obj = mem_check(nftnl_obj_alloc());
	if (nftnl_obj_nlmsg_parse(message, obj) == 0 &&
	    in_our_table(nftnl_obj_get_str(obj, NFTNL_OBJ_TABLE)))
		add_counter(reading, nftnl_obj_get_str(obj, NFTNL_OBJ_NAME));
	nftnl_obj_free(obj);
}

static void add_chain(const struct reading *reading, const struct nftnl_chain *chain)
{
	struct fw_chain *seen = &plan_add(reading->plan, ITEM_FW_CHAIN)->chain;

	nft_read_chain(chain, seen);
	seen->table = reading->table;
}

static void on_chain(void *arg, const struct nlmsghdr *message)
{
	struct reading *reading = arg;
	struct nftnl_chain *chain;

	if (!message) {
		plan_truncate(reading->plan, reading->start);
		return;
	}
	chain = mem_check(nftnl_chain_alloc());
	if (nftnl_chain_nlmsg_parse(message, chain) == 0 &&
	    in_our_table(nftnl_chain_get_str(chain, NFTNL_CHAIN_TABLE)))
		add_chain(reading, chain);
	nftnl_chain_free(chain);
}

/* All that is known of an observed rule is in what we attached to it. */
static void on_rule(void *arg, const struct nlmsghdr *message)
{
	const struct nlattr *attrs[NFTA_RULE_MAX + 1];
	struct fw_chain *chain = ((struct reading *)arg)->chain;

	if (!message) {
		chain->n = 0;
		return;
	}
	nl_parse(message, sizeof(struct nfgenmsg), attrs, NFTA_RULE_MAX);
	chain->rules = xreallocarray(chain->rules, chain->n + 1, sizeof(*chain->rules));
	nft_read_rule(attrs[NFTA_RULE_USERDATA], &chain->rules[chain->n++]);
}

static void add_elements(struct plan *plan, struct nftnl_set *set)
{
	const char *name = nftnl_set_get_str(set, NFTNL_SET_NAME);
	struct nftnl_set_elems_iter *iter = mem_check(nftnl_set_elems_iter_create(set));
	struct nftnl_set_elem *elem;
	struct fw_element seen;

	while ((elem = nftnl_set_elems_iter_next(iter)))
		if (nft_read_element(name, elem, &seen) == 0)
			plan_add(plan, ITEM_FW_ELEMENT)->element = seen;
	nftnl_set_elems_iter_destroy(iter);
}

static void on_elements(void *arg, const struct nlmsghdr *message)
{
	struct reading *reading = arg;
	struct nftnl_set *set;

	if (!message) {
		plan_truncate(reading->plan, reading->start);
		return;
	}
	set = mem_check(nftnl_set_alloc());
	if (nftnl_set_elems_nlmsg_parse(message, set) == 0)
		add_elements(reading->plan, set);
	nftnl_set_free(set);
}

/* Asks for everything of a kind in our table, or in something of it that has a name; an attribute
 * is 0 when the kind has no such filter. */
static int dump(struct nl *nl, uint16_t type, uint16_t table_attr, uint16_t in_attr, const char *in,
		nl_answer_fn *fn, struct reading *reading, struct err *err)
{
	char buffer[512];
	struct nlmsghdr *message =
		nftnl_nlmsg_build_hdr(buffer, type, nft_family(reading->table), NLM_F_DUMP, 0);

	if (table_attr)
		mnl_attr_put_strz(message, table_attr, NFT_TABLE);
	if (in_attr)
		mnl_attr_put_strz(message, in_attr, in);
	reading->start = reading->plan->n;
	if (nl_dump(nl, message, fn, reading, err) < 0)
		return err_wrap(err, "read nftables table %s", fw_table_names[reading->table]);
	return 0;
}

/* Chain by chain: a dump of a whole table walks, for every 32 KiB that it answers, all rules that
 * come before, which takes seconds for a thousand networks. */
static int observe_rules(struct nl *nl, struct reading *reading, struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < reading->plan->n; i++) {
		struct item *item = &reading->plan->items[i];

		if (item->kind != ITEM_FW_CHAIN || item->chain.table != reading->table)
			continue;
		reading->chain = &item->chain;
		r = dump(nl, NFT_MSG_GETRULE, NFTA_RULE_TABLE, NFTA_RULE_CHAIN, item->chain.name,
			 on_rule, reading, err);
	}
	return r;
}

static int observe_elements(struct nl *nl, struct reading *reading, struct err *err)
{
	struct plan *plan = reading->plan;
	size_t n = plan->n;
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++)
		if (plan->items[i].kind == ITEM_FW_SET &&
		    plan->items[i].set.table == reading->table &&
		    fw_set_find(plan->items[i].set.name))
			r = dump(nl, NFT_MSG_GETSETELEM, NFTA_SET_ELEM_LIST_TABLE,
				 NFTA_SET_ELEM_LIST_SET, plan->items[i].set.name, on_elements,
				 reading, err);
	return r;
}

static int observe_table(struct nl *nl, enum fw_table table, struct plan *plan, struct err *err)
{
	struct reading reading = { .plan = plan, .table = table };
	int r;

	r = dump(nl, NFT_MSG_GETTABLE, 0, 0, NULL, on_table, &reading, err);
	if (r < 0 || !reading.table_found)
		return r;
	plan_add(plan, ITEM_FW_TABLE)->table = table;
	r = dump(nl, NFT_MSG_GETSET, NFTA_SET_TABLE, 0, NULL, on_set, &reading, err);
	if (r == 0)
		r = dump(nl, NFT_MSG_GETOBJ, NFTA_OBJ_TABLE, 0, NULL, on_object, &reading, err);
	if (r == 0)
		r = dump(nl, NFT_MSG_GETCHAIN, 0, 0, NULL, on_chain, &reading, err);
	if (r == 0)
		r = observe_rules(nl, &reading, err);
	if (r == 0)
		r = observe_elements(nl, &reading, err);
	return r;
}

int nft_observe(struct nl *nl, struct plan *plan, struct err *err)
{
	int r = 0;

	for (enum fw_table table = FW_INET; r == 0 && table < FW_TABLES; table++)
		r = observe_table(nl, table, plan, err);
	return r;
}
