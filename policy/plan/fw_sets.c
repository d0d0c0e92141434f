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
#define ADDR4 FW_TYPE_ADDR4
#define ADDR6 FW_TYPE_ADDR6
#define SADDR4 FW_FIELD_SADDR4
#define SADDR6 FW_FIELD_SADDR6
#define DADDR4 FW_FIELD_DADDR4
#define DADDR6 FW_FIELD_DADDR6

const struct fw_set fw_sets[] = {
	/* Bridges of containers: that are not ours, and that are. */
	{ "neighbours", { IFNAME }, { 0 }, { FW_FIELD_OIFNAME } },
	{ "networks", { IFNAME }, { 0 }, { FW_FIELD_OIFNAME } },

	/* Per network: which way it goes, what leaves it, what enters it, what it asks of the host,
	 * its resolvers, and its source translation: of what leaves it, and of what enters it. */
	{ "net_mark", { IFNAME }, { FW_TYPE_JUMP }, { IIF } },
	{ "net_from", { IFNAME }, { FW_TYPE_JUMP }, { IIF } },
	{ "net_to", { IFNAME }, { FW_TYPE_JUMP }, { FW_FIELD_OIFNAME } },
	{ "net_input", { IFNAME }, { FW_TYPE_JUMP }, { IIF } },
	{ "net_dns", { IFNAME }, { FW_TYPE_JUMP }, { IIF } },
	{ "net_post", { IFNAME }, { FW_TYPE_JUMP }, { IIF } },
	{ "net_into", { IFNAME }, { FW_TYPE_JUMP }, { FW_FIELD_OIFNAME } },

	/* The same for one endpoint that differs from its network, by its address. */
	{ "one_mark4", { IFNAME, ADDR4 }, { FW_TYPE_GOTO }, { IIF, SADDR4 } },
	{ "one_mark6", { IFNAME, ADDR6 }, { FW_TYPE_GOTO }, { IIF, SADDR6 } },
	{ "one_from4", { IFNAME, ADDR4 }, { FW_TYPE_GOTO }, { IIF, SADDR4 } },
	{ "one_from6", { IFNAME, ADDR6 }, { FW_TYPE_GOTO }, { IIF, SADDR6 } },
	{ "one_to4", { IFNAME, ADDR4 }, { FW_TYPE_GOTO }, { FW_FIELD_OIFNAME, DADDR4 } },
	{ "one_to6", { IFNAME, ADDR6 }, { FW_TYPE_GOTO }, { FW_FIELD_OIFNAME, DADDR6 } },
	{ "one_input4", { IFNAME, ADDR4 }, { FW_TYPE_GOTO }, { IIF, SADDR4 } },
	{ "one_input6", { IFNAME, ADDR6 }, { FW_TYPE_GOTO }, { IIF, SADDR6 } },
	{ "one_dns4", { IFNAME, ADDR4 }, { FW_TYPE_GOTO }, { IIF, SADDR4 } },
	{ "one_dns6", { IFNAME, ADDR6 }, { FW_TYPE_GOTO }, { IIF, SADDR6 } },
	{ "one_post4", { IFNAME, ADDR4 }, { FW_TYPE_GOTO }, { IIF, SADDR4 } },
	{ "one_post6", { IFNAME, ADDR6 }, { FW_TYPE_GOTO }, { IIF, SADDR6 } },
	{ "one_into4", { IFNAME, ADDR4 }, { FW_TYPE_GOTO }, { FW_FIELD_OIFNAME, DADDR4 } },
	{ "one_into6", { IFNAME, ADDR6 }, { FW_TYPE_GOTO }, { FW_FIELD_OIFNAME, DADDR6 } },

	/* Who may leave only as his network's chain says. */
	{ "confined4", { ADDR4 }, { 0 }, { SADDR4 } },
	{ "confined6", { ADDR6 }, { 0 }, { SADDR6 } },

	/* Interfaces that some network names as its exit; the addresses that any of them has or
	 * had, of the sender and of the receiver; and whose is whose now. See refusals.c. */
	{ "exits", { IFNAME }, { 0 }, { FW_FIELD_OIFNAME } },
	{ "exit4", { ADDR4 }, { 0 }, { SADDR4 } },
	{ "exit6", { ADDR6 }, { 0 }, { SADDR6 } },
	{ "exit4_strays", { ADDR4 }, { 0 }, { DADDR4 } },
	{ "exit6_strays", { ADDR6 }, { 0 }, { DADDR6 } },
	{ "exit4_own", { IFNAME, ADDR4 }, { 0 }, { FW_FIELD_OIFNAME, SADDR4 } },
	{ "exit6_own", { IFNAME, ADDR6 }, { 0 }, { FW_FIELD_OIFNAME, SADDR6 } },
	/* By protocol: what of the host's own packets refuses something. By mark: which connections
	 * go by which path. */
	{ "refusals", { PROTO }, { FW_TYPE_JUMP }, { L4 } },
	/* Paths whose exit has no address of the family. */
	{ "closed4", { FW_TYPE_MARK }, { 0 }, { FW_FIELD_MARK } },
	{ "closed6", { FW_TYPE_MARK }, { 0 }, { FW_FIELD_MARK } },
	{ "paths", { FW_TYPE_MARK }, { FW_TYPE_JUMP }, { FW_FIELD_CT_MARK } },

	/* Published ports: on every address of the host, and on one. */
	{ "dnat4_any", { PROTO, PORT }, { ADDR4, PORT }, { L4, DPORT } },
	{ "dnat4", { PROTO, ADDR4, PORT }, { ADDR4, PORT }, { L4, DADDR4, DPORT } },
	{ "dnat6_any", { PROTO, PORT }, { ADDR6, PORT }, { L4, DPORT } },
	{ "dnat6", { PROTO, ADDR6, PORT }, { ADDR6, PORT }, { L4, DADDR6, DPORT } },

	/* The same ports, seen from their own network: these are relayed, not translated, because
	 * br_netfilter would bridge the translated packet back without the host seeing the answer.
	 */
	{ "own4_any", { IFNAME, PROTO, PORT }, { 0 }, { IIF, L4, DPORT } },
	{ "own4", { IFNAME, PROTO, ADDR4, PORT }, { 0 }, { IIF, L4, DADDR4, DPORT } },
	{ "own6_any", { IFNAME, PROTO, PORT }, { 0 }, { IIF, L4, DPORT } },
	{ "own6", { IFNAME, PROTO, ADDR6, PORT }, { 0 }, { IIF, L4, DADDR6, DPORT } },

	/* Ports of routed networks, by the container's own address. */
	{ "open4", { PROTO, ADDR4, PORT }, { 0 }, { L4, DADDR4, DPORT } },
	{ "open6", { PROTO, ADDR6, PORT }, { 0 }, { L4, DADDR6, DPORT } },

	/* Ports of bridges: by which chain each is guarded, and the addresses it may send from. */
	{ "guard", { IFNAME }, { FW_TYPE_JUMP }, { IIF }, FW_BRIDGE },
	{ "port4", { IFNAME, ADDR4 }, { 0 }, { IIF, SADDR4 }, FW_BRIDGE },
	{ "port6", { IFNAME, ADDR6 }, { 0 }, { IIF, SADDR6 }, FW_BRIDGE },
	{ "port_arp", { IFNAME, ADDR4 }, { 0 }, { IIF, FW_FIELD_ARP_SADDR }, FW_BRIDGE },
	/* Those that talk to no other port, as the sender and as the receiver. */
	{ "alone_from", { IFNAME }, { FW_TYPE_JUMP }, { IIF }, FW_BRIDGE },
	{ "alone_to", { IFNAME }, { FW_TYPE_JUMP }, { FW_FIELD_OIFNAME }, FW_BRIDGE },
};

const size_t fw_sets_n = ARRAY_SIZE(fw_sets);

const struct fw_set *fw_set_find(const char *name)
{
	for (size_t i = 0; i < fw_sets_n; i++)
		if (streq(fw_sets[i].name, name))
			return &fw_sets[i];
	return NULL;
}
