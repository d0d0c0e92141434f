/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Operations of the firewall as one transaction: declarations first, then what refers to them. */
#include "nft_commit.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <libnftnl/object.h>
#include <libnftnl/table.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include "../base/mem.h"
#include "../plan/names.h"
#include "nft.h"
#include "nft_batch.h"
#include "nl.h"

#define CREATE (NLM_F_CREATE | NLM_F_EXCL)

static struct nlmsghdr *begin(struct nft_batch *batch, uint16_t type, uint16_t flags,
			      const struct item *item)
{
	return nft_batch_message(batch, type, nft_family(item_table(item)), flags, item);
}

static void put_table(struct nft_batch *batch, uint16_t type, uint16_t flags,
		      const struct item *item)
{
	struct nlmsghdr *message = begin(batch, type, flags, item);
	struct nftnl_table *table = mem_check(nftnl_table_alloc());

	nftnl_table_set_u32(table, NFTNL_TABLE_FAMILY, nft_family(item->table));
	nftnl_table_set_str(table, NFTNL_TABLE_NAME, NFT_TABLE);
	nftnl_table_nlmsg_build_payload(message, table);
	nftnl_table_free(table);
	nft_batch_end_message(batch, message);
}

static void put_set(struct nft_batch *batch, uint16_t type, uint16_t flags, const struct item *item)
{
	struct nlmsghdr *message = begin(batch, type, flags, item);
	struct nftnl_set *set = nft_set(&item->set, batch->n);

	nftnl_set_nlmsg_build_payload(message, set);
	nftnl_set_free(set);
	nft_batch_end_message(batch, message);
}

static void put_counter(struct nft_batch *batch, uint16_t type, uint16_t flags,
			const struct item *item)
{
	struct nlmsghdr *message = begin(batch, type, flags, item);
	struct nftnl_obj *obj = mem_check(nftnl_obj_alloc());

	nftnl_obj_set_u32(obj, NFTNL_OBJ_FAMILY, nft_family(item->counter.table));
	nftnl_obj_set_str(obj, NFTNL_OBJ_TABLE, NFT_TABLE);
	nftnl_obj_set_str(obj, NFTNL_OBJ_NAME, item->counter.name);
	nftnl_obj_set_u32(obj, NFTNL_OBJ_TYPE, NFT_OBJECT_COUNTER);
	if (type == NFT_MSG_NEWOBJ) /* makes libnftnl write the (empty) data */
		nftnl_obj_set_u64(obj, NFTNL_OBJ_CTR_PKTS, 0);
	nftnl_obj_nlmsg_build_payload(message, obj);
	nftnl_obj_free(obj);
	nft_batch_end_message(batch, message);
}

static void put_chain(struct nft_batch *batch, uint16_t type, uint16_t flags,
		      const struct item *item)
{
	struct nlmsghdr *message = begin(batch, type, flags, item);
	struct nftnl_chain *chain = nft_chain(&item->chain);

	nftnl_chain_nlmsg_build_payload(message, chain);
	nftnl_chain_free(chain);
	nft_batch_end_message(batch, message);
}

static void flush_chain(struct nft_batch *batch, const struct item *item)
{
	struct nlmsghdr *message = begin(batch, NFT_MSG_DELRULE, 0, item);

	mnl_attr_put_strz(message, NFTA_RULE_TABLE, NFT_TABLE);
	mnl_attr_put_strz(message, NFTA_RULE_CHAIN, item->chain.name);
	nft_batch_end_message(batch, message);
}

static void put_rules(struct nft_batch *batch, const struct item *item)
{
	for (size_t i = 0; i < item->chain.n; i++) {
		struct nlmsghdr *message =
			begin(batch, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND, item);
		struct nftnl_rule *rule = nft_rule(&item->chain, &item->chain.rules[i]);

		nftnl_rule_nlmsg_build_payload(message, rule);
		nftnl_rule_free(rule);
		nft_batch_end_message(batch, message);
	}
}

static void put_element(struct nft_batch *batch, uint16_t type, uint16_t flags,
			const struct item *item)
{
	struct nlmsghdr *message = begin(batch, type, flags, item);
	struct nftnl_set *set = mem_check(nftnl_set_alloc());

	nftnl_set_set_str(set, NFTNL_SET_TABLE, NFT_TABLE);
	nftnl_set_set_str(set, NFTNL_SET_NAME, item->element.set);
	nftnl_set_elem_add(set, nft_element(&item->element));
	nftnl_set_elems_nlmsg_build_payload(message, set);
	nftnl_set_free(set);
	nft_batch_end_message(batch, message);
}

/* The steps of a transaction. One that refers to something comes after the one that makes it. */
static void put_declaration(struct nft_batch *batch, const struct op *op)
{
	const struct item *item = op->after;

	if (!item || op->before)
		return;
	if (item->kind == ITEM_FW_TABLE)
		put_table(batch, NFT_MSG_NEWTABLE, CREATE, item);
	else if (item->kind == ITEM_FW_SET)
		put_set(batch, NFT_MSG_NEWSET, CREATE, item);
	else if (item->kind == ITEM_FW_COUNTER)
		put_counter(batch, NFT_MSG_NEWOBJ, CREATE, item);
	else if (item->kind == ITEM_FW_CHAIN)
		put_chain(batch, NFT_MSG_NEWCHAIN, CREATE, item);
}

static void put_content(struct nft_batch *batch, const struct op *op)
{
	const struct item *item = op->after;

	if (!item)
		return;
	if (item->kind == ITEM_FW_CHAIN) {
		if (op->before)
			flush_chain(batch, item);
		put_rules(batch, item);
	} else if (item->kind == ITEM_FW_ELEMENT) {
		if (op->before)
			put_element(batch, NFT_MSG_DELSETELEM, 0, op->before);
		put_element(batch, NFT_MSG_NEWSETELEM, CREATE, item);
	}
}

static void put_element_removal(struct nft_batch *batch, const struct op *op)
{
	if (!op->after && op->before->kind == ITEM_FW_ELEMENT)
		put_element(batch, NFT_MSG_DELSETELEM, 0, op->before);
}

/* A chain goes after the last rule that leads to it, wherever that is. */
static void put_rule_removal(struct nft_batch *batch, const struct op *op)
{
	if (!op->after && op->before->kind == ITEM_FW_CHAIN)
		flush_chain(batch, op->before);
}

static void put_removal(struct nft_batch *batch, const struct op *op)
{
	if (op->after)
		return;
	if (op->before->kind == ITEM_FW_CHAIN)
		put_chain(batch, NFT_MSG_DELCHAIN, 0, op->before);
	else if (op->before->kind == ITEM_FW_SET)
		put_set(batch, NFT_MSG_DELSET, 0, op->before);
}

/* After the rules that use it. */
static void put_counter_removal(struct nft_batch *batch, const struct op *op)
{
	if (!op->after && op->before->kind == ITEM_FW_COUNTER)
		put_counter(batch, NFT_MSG_DELOBJ, 0, op->before);
}

static void for_each_op(struct nft_batch *batch, const struct ops *ops,
			void (*put)(struct nft_batch *batch, const struct op *op))
{
	for (size_t i = 0; i < ops->n; i++)
		if (op_is_firewall(&ops->ops[i]))
			put(batch, &ops->ops[i]);
}

/* With everything inside. */
static bool put_table_removals(struct nft_batch *batch, const struct ops *ops)
{
	bool removed = false;

	for (size_t i = 0; i < ops->n; i++) {
		const struct op *op = &ops->ops[i];

		if (op->after || op->before->kind != ITEM_FW_TABLE)
			continue;
		put_table(batch, NFT_MSG_DELTABLE, 0, op->before);
		removed = true;
	}
	return removed;
}

int nft_commit(struct nl *nl, const struct ops *ops, struct err *err)
{
	AUTO(nft_batch) struct nft_batch batch;

	nft_batch_init(&batch, nl);
	/* The last network takes both tables along, so there is nothing else to do then. */
	if (!put_table_removals(&batch, ops)) {
		for_each_op(&batch, ops, put_declaration);
		for_each_op(&batch, ops, put_content);
		for_each_op(&batch, ops, put_element_removal);
		for_each_op(&batch, ops, put_rule_removal);
		for_each_op(&batch, ops, put_removal);
		for_each_op(&batch, ops, put_counter_removal);
	}
	return nft_batch_send(&batch, nl, err);
}

int nft_replace(struct nl *nl, const struct plan *plan, struct err *err)
{
	AUTO(ops) struct ops ops = { .ops = xcalloc(plan->n + 1, sizeof(struct op)) };
	AUTO(nft_batch) struct nft_batch batch;

	for (size_t i = 0; i < plan->n; i++)
		if (plan->items[i].kind <= ITEM_FW_ELEMENT)
			ops.ops[ops.n++].after = &plan->items[i];
	nft_batch_init(&batch, nl);
	/* Made first, so that removing it cannot fail. */
	for (size_t i = 0; i < ops.n && ops.ops[i].after->kind == ITEM_FW_TABLE; i++) {
		put_table(&batch, NFT_MSG_NEWTABLE, NLM_F_CREATE, ops.ops[i].after);
		put_table(&batch, NFT_MSG_DELTABLE, 0, ops.ops[i].after);
	}
	for_each_op(&batch, &ops, put_declaration);
	for_each_op(&batch, &ops, put_content);
	return nft_batch_send(&batch, nl, err);
}
