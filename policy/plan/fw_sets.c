/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The sets and maps of our table: declared once, the same on every host. What would be a list of
 * rules per network or per port is an element of one of these, so that a packet's cost does not
 * grow with their number. */
#include "fw.h"

#include "../base/mem.h"

#define IFNAME FW_TYPE_IFNAME
#define PROTO FW_TYPE_PROTO
#define PORT FW_TYPE_PORT
#define IIF FW_FIELD_IIFNAME
#define L4 FW_FIELD_L4PROTO
#define DPORT FW_FIELD_DPORT

const struct fw_set fw_sets[] = {
	/* Bridges of containers: that are not ours, and that are. */
	{ "neighbours", { IFNAME }, { 0 }, { FW_FIELD_OIFNAME } },
	{ "networks", { IFNAME }, { 0 }, { FW_FIELD_OIFNAME } },

	/* Per network: which way it goes, what leaves it, what enters it, what it asks of the host,
	 * its resolvers, and its source translation: of what leaves it, and of what enters it. */
	{ "net_mark", { IFNAME }, { FW_TYPE_VERDICT }, { IIF } },
	{ "net_from", { IFNAME }, { FW_TYPE_VERDICT }, { IIF } },
	{ "net_to", { IFNAME }, { FW_TYPE_VERDICT }, { FW_FIELD_OIFNAME } },
	{ "net_input", { IFNAME }, { FW_TYPE_VERDICT }, { IIF } },
	{ "net_dns", { IFNAME }, { FW_TYPE_VERDICT }, { IIF } },
	{ "net_post", { IFNAME }, { FW_TYPE_VERDICT }, { IIF } },
	{ "net_into", { IFNAME }, { FW_TYPE_VERDICT }, { FW_FIELD_OIFNAME } },

	/* Published ports: on every address of the host, and on one. */
	{ "dnat4_any", { PROTO, PORT }, { FW_TYPE_ADDR4, PORT }, { L4, DPORT } },
	{ "dnat4",
	  { PROTO, FW_TYPE_ADDR4, PORT },
	  { FW_TYPE_ADDR4, PORT },
	  { L4, FW_FIELD_DADDR4, DPORT } },
	{ "dnat6_any", { PROTO, PORT }, { FW_TYPE_ADDR6, PORT }, { L4, DPORT } },
	{ "dnat6",
	  { PROTO, FW_TYPE_ADDR6, PORT },
	  { FW_TYPE_ADDR6, PORT },
	  { L4, FW_FIELD_DADDR6, DPORT } },

	/* The same ports, seen from their own network: these are relayed, not translated, because
	 * br_netfilter would bridge the translated packet back without the host seeing the answer.
	 */
	{ "own4_any", { IFNAME, PROTO, PORT }, { 0 }, { IIF, L4, DPORT } },
	{ "own4",
	  { IFNAME, PROTO, FW_TYPE_ADDR4, PORT },
	  { 0 },
	  { IIF, L4, FW_FIELD_DADDR4, DPORT } },
	{ "own6_any", { IFNAME, PROTO, PORT }, { 0 }, { IIF, L4, DPORT } },
	{ "own6",
	  { IFNAME, PROTO, FW_TYPE_ADDR6, PORT },
	  { 0 },
	  { IIF, L4, FW_FIELD_DADDR6, DPORT } },

	/* Ports of routed networks, by the container's own address. */
	{ "open4", { PROTO, FW_TYPE_ADDR4, PORT }, { 0 }, { L4, FW_FIELD_DADDR4, DPORT } },
	{ "open6", { PROTO, FW_TYPE_ADDR6, PORT }, { 0 }, { L4, FW_FIELD_DADDR6, DPORT } },
};

const size_t fw_sets_n = ARRAY_SIZE(fw_sets);

const struct fw_set *fw_set_find(const char *name)
{
	for (size_t i = 0; i < fw_sets_n; i++)
		if (streq(fw_sets[i].name, name))
			return &fw_sets[i];
	return NULL;
}
