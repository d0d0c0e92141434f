/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every name and number by which something in the kernel is recognised as ours, with the reason for
 * choosing it. Nothing outside these is ever deleted. */
#pragma once

/* The one nftables table. */
#define NFT_TABLE "tailexit"

/* Bridges are te-<first 12 characters of the network id>: the name shows which network of
 * `docker network ls` it is, fits IFNAMSIZ exactly, and one wildcard "te-*" covers all of them. */
#define BRIDGE_PREFIX "te-"
/* veth ends: neither may match "te-*". */
#define HOST_IF_PREFIX "tev"
#define CONTAINER_IF_PREFIX "tec"
/* The alias (IFLA_IFALIAS) of every link of ours begins with this; a bridge may have a name the user
 * chose, then only the alias tells. */
#define LINK_ALIAS "tailexit "

/* Route protocol: above the range that routing daemons register in rt_protos (up to 200). */
#define ROUTE_PROTOCOL 0xe7

/* Policy rule priorities. All below 5190: Tailscale may use 5190 and owns 5200..5299; wg-quick and
 * hand-made rules without a priority land at 32765 and below, one by one. */
#define PREF_LOCAL 5000

/* Our window of routing tables: away from wg-quick's 51820 and Tailscale's 52. */
#define TABLE_LOCAL 0x7e000000u

/* Before Docker's and everybody's filter (0), after conntrack's defragmentation and raw. */
#define FORWARD_PRIORITY (-10)
/* One before the priorities that iptables and Docker use (-100 and 100): a published port of ours is
 * translated by us. */
#define DNAT_PRIORITY (-101)
#define SNAT_PRIORITY 99

/* In T_local every subnet also has an unreachable route that remains when the bridge is down. */
#define METRIC_BACKSTOP 0x7fffffffu
/* IPv6 turns metric 0 into 1024: say it, so that what is read back is what was asked for. */
#define METRIC_BRIDGE 1024
