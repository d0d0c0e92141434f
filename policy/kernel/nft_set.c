/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sets, maps and their elements. */
#include "nft.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libnftnl/udata.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include "../base/mem.h"
#include "../plan/names.h"

/* Numbers of nft's own data types: the kernel only stores them, `nft list` needs them to print. */
static const struct {
	uint32_t nft_type;
	uint32_t len;
} types[] = {
	[FW_NO_TYPE] = { 0, 0 },
	[FW_TYPE_IFNAME] = { 41, 16 },
	[FW_TYPE_PROTO] = { 12, 1 },
	[FW_TYPE_ADDR4] = { 7, 4 },
	[FW_TYPE_ADDR6] = { 8, 16 },
	[FW_TYPE_PORT] = { 13, 2 },
	[FW_TYPE_MARK] = { 19, 4 },
	[FW_TYPE_JUMP] = { NFT_DATA_VERDICT, 0 },
	[FW_TYPE_GOTO] = { NFT_DATA_VERDICT, 0 },
};

/* nft writes a concatenation's type as six bits per part, and pads each part to four bytes. */
#define TYPE_BITS 6

static uint32_t padded(uint32_t len)
{
	return (len + 3) & ~3u;
}

static void layout(const uint8_t *list, size_t max, uint32_t *ret_type, uint32_t *ret_len)
{
	bool concat = max > 1 && list[1];

	*ret_type = 0;
	*ret_len = 0;
	for (size_t i = 0; i < max && list[i]; i++) {
		*ret_type = *ret_type << TYPE_BITS | types[list[i]].nft_type;
		*ret_len += concat ? padded(types[list[i]].len) : types[list[i]].len;
	}
}

/* Which is how nft keeps these, but not in a concatenation. */
static bool in_host_order(const struct fw_set *set)
{
	return !set->key[1] && (set->key[0] == FW_TYPE_IFNAME || set->key[0] == FW_TYPE_MARK);
}

static void set_udata(struct nftnl_set *nftnl, const struct fw_set *set)
{
	struct nftnl_udata_buf *udata = mem_check(nftnl_udata_buf_alloc(64));

	nftnl_udata_put_u32(udata, NFTNL_UDATA_SET_KEYBYTEORDER, in_host_order(set) ? 1 : 0);
	if (set->data[0])
		nftnl_udata_put_u32(udata, NFTNL_UDATA_SET_DATABYTEORDER, 0);
	nftnl_set_set_data(nftnl, NFTNL_SET_USERDATA, nftnl_udata_buf_data(udata),
			   nftnl_udata_buf_len(udata));
	nftnl_udata_buf_free(udata);
}

struct nftnl_set *nft_set(const struct fw_set *set, uint32_t id)
{
	struct nftnl_set *nftnl = mem_check(nftnl_set_alloc());
	uint32_t type, len;

	nftnl_set_set_u32(nftnl, NFTNL_SET_FAMILY, nft_family(set->table));
	nftnl_set_set_str(nftnl, NFTNL_SET_TABLE, NFT_TABLE);
	nftnl_set_set_str(nftnl, NFTNL_SET_NAME, set->name);
	nftnl_set_set_u32(nftnl, NFTNL_SET_ID, id);
	layout(set->key, FW_KEY_FIELDS, &type, &len);
	nftnl_set_set_u32(nftnl, NFTNL_SET_KEY_TYPE, type);
	nftnl_set_set_u32(nftnl, NFTNL_SET_KEY_LEN, len);
	if (set->data[0]) {
		layout(set->data, ARRAY_SIZE(set->data), &type, &len);
		nftnl_set_set_u32(nftnl, NFTNL_SET_FLAGS, NFT_SET_MAP);
		nftnl_set_set_u32(nftnl, NFTNL_SET_DATA_TYPE, type);
		nftnl_set_set_u32(nftnl, NFTNL_SET_DATA_LEN, len);
	}
	set_udata(nftnl, set);
	return nftnl;
}

/* Parts lie one behind the other, each padded to four bytes. */
static void copy_out(uint8_t *buffer, uint32_t *len, const void *value, uint32_t value_len)
{
	memcpy(buffer + *len, value, value_len);
	*len += padded(value_len);
}

static uint32_t pack(const uint8_t *list, size_t max, const struct fw_element *e,
		     const struct addr *addr, uint16_t port, uint8_t *buffer)
{
	uint16_t net_port = htons(port);
	uint32_t len = 0;

	for (size_t i = 0; i < max && list[i]; i++) {
		switch ((enum fw_type)list[i]) {
		case FW_TYPE_IFNAME:
			copy_out(buffer, &len, e->ifname, sizeof(e->ifname));
			break;
		case FW_TYPE_PROTO:
			copy_out(buffer, &len, &e->proto, 1);
			break;
		case FW_TYPE_ADDR4:
		case FW_TYPE_ADDR6:
			copy_out(buffer, &len, addr->bytes, types[list[i]].len);
			break;
		case FW_TYPE_PORT:
			copy_out(buffer, &len, &net_port, sizeof(net_port));
			break;
		case FW_TYPE_MARK:
			copy_out(buffer, &len, &e->mark, sizeof(e->mark));
			break;
		case FW_NO_TYPE:
		case FW_TYPE_JUMP:
		case FW_TYPE_GOTO:
			break;
		}
	}
	return len;
}

struct nftnl_set_elem *nft_element(const struct fw_element *element)
{
	const struct fw_set *set = fw_set_find(element->set);
	struct nftnl_set_elem *elem = mem_check(nftnl_set_elem_alloc());
	uint8_t buffer[64] = { 0 };
	uint32_t type, len;

	pack(set->key, FW_KEY_FIELDS, element, &element->addr, element->port, buffer);
	layout(set->key, FW_KEY_FIELDS, &type, &len);
	nftnl_set_elem_set(elem, NFTNL_SET_ELEM_KEY, buffer, len);
	if (fw_is_verdict(set->data[0])) {
		nftnl_set_elem_set_u32(elem, NFTNL_SET_ELEM_VERDICT,
				       set->data[0] == FW_TYPE_JUMP ? (uint32_t)NFT_JUMP
								    : (uint32_t)NFT_GOTO);
		nftnl_set_elem_set_str(elem, NFTNL_SET_ELEM_CHAIN, element->jump);
	} else if (set->data[0]) {
		memset(buffer, 0, sizeof(buffer));
		len = pack(set->data, ARRAY_SIZE(set->data), element, &element->to_addr,
			   element->to_port, buffer);
		nftnl_set_elem_set(elem, NFTNL_SET_ELEM_DATA, buffer, len);
	}
	return elem;
}

static void copy_in(void *value, uint32_t value_len, const uint8_t *buffer, uint32_t *len)
{
	memcpy(value, buffer + *len, value_len);
	*len += padded(value_len);
}

static uint32_t unpack(const uint8_t *list, size_t max, const uint8_t *buffer, struct fw_element *e,
		       struct addr *addr, uint16_t *port)
{
	uint32_t len = 0;

	for (size_t i = 0; i < max && list[i]; i++) {
		switch ((enum fw_type)list[i]) {
		case FW_TYPE_IFNAME:
			copy_in(e->ifname, sizeof(e->ifname), buffer, &len);
			break;
		case FW_TYPE_PROTO:
			copy_in(&e->proto, 1, buffer, &len);
			break;
		case FW_TYPE_ADDR4:
		case FW_TYPE_ADDR6:
			addr->family = list[i] == FW_TYPE_ADDR4 ? AF_INET : AF_INET6;
			copy_in(addr->bytes, types[list[i]].len, buffer, &len);
			break;
		case FW_TYPE_PORT:
			copy_in(port, sizeof(*port), buffer, &len);
			*port = ntohs(*port);
			break;
		case FW_TYPE_MARK:
			copy_in(&e->mark, sizeof(e->mark), buffer, &len);
			break;
		case FW_NO_TYPE:
		case FW_TYPE_JUMP:
		case FW_TYPE_GOTO:
			break;
		}
	}
	return len;
}

int nft_read_element(const char *set_name, struct nftnl_set_elem *elem,
		     struct fw_element *ret_element)
{
	const struct fw_set *set = fw_set_find(set_name);
	uint8_t buffer[64] = { 0 };
	const void *data;
	uint32_t len;

	if (!set)
		return -EINVAL;
	*ret_element = (struct fw_element){ 0 };
	snprintf(ret_element->set, sizeof(ret_element->set), "%s", set_name);
	data = nftnl_set_elem_get(elem, NFTNL_SET_ELEM_KEY, &len);
	if (!data || len > sizeof(buffer))
		return -EINVAL;
	memcpy(buffer, data, len);
	unpack(set->key, FW_KEY_FIELDS, buffer, ret_element, &ret_element->addr,
	       &ret_element->port);
	if (fw_is_verdict(set->data[0])) {
		const char *chain = nftnl_set_elem_get_str(elem, NFTNL_SET_ELEM_CHAIN);

		snprintf(ret_element->jump, sizeof(ret_element->jump), "%s", chain ? chain : "");
	} else if (set->data[0]) {
		data = nftnl_set_elem_get(elem, NFTNL_SET_ELEM_DATA, &len);
		if (!data || len > sizeof(buffer))
			return -EINVAL;
		memcpy(buffer, data, len);
		unpack(set->data, ARRAY_SIZE(set->data), buffer, ret_element, &ret_element->to_addr,
		       &ret_element->to_port);
	}
	return 0;
}
