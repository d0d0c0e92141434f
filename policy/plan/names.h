/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every name and number by which something in the kernel is recognised as ours, with the reason for
 * choosing it. Nothing outside these is ever deleted. */
#pragma once

/* The one nftables table. */
#define NFT_TABLE "tailexit"
/* The chain in it that refuses packets. Chains whose names are words of nft's own cannot be loaded
 * from what `nft list ruleset` writes. */
#define REJECT_CHAIN "refuse"

/* Bridges are te-<first 12 characters of the network id>: the name shows which network of
 * `docker network ls` it is, fits IFNAMSIZ exactly, and one wildcard "te-*" covers all of them. */
#define BRIDGE_PREFIX "te-"
/* Belongs to no network, and no id reads like that. */
#define FENCE_BRIDGE BRIDGE_PREFIX "fence"
/* veth ends: neither may match "te-*". */
#define HOST_IF_PREFIX "tev"
#define CONTAINER_IF_PREFIX "tec"
/* The alias (IFLA_IFALIAS) of every link of ours begins with this; a bridge may have a name the
 * user chose, then only the alias tells. */
#define LINK_ALIAS "tailexit "

/* Route protocol: above the range that routing daemons register in rt_protos (up to 200). */
#define ROUTE_PROTOCOL 0xe7

/* Our bits of the packet mark: Tailscale owns 0x00ff0000, Kubernetes uses 0xc000, wg-quick and
 * Mullvad compare the whole word, which a masked mark of ours never equals by accident (0xca6c,
 * 0x6d6f6c65 have other low bits). Everything is set and compared with the mask, so that others'
 * bits survive. */
#define MARK_MASK 0xff000000u
#define MARK_HOST 0x01000000u   /* whatever the host's own rules say */
#define MARK_RETURN 0x02000000u /* answers: back by the main table */
#define MARK_LAN 0x03000000u    /* the main table without its default routes */
#define MARK_BYPASS 0x04000000u /* the main table, never a tunnel */
#define MARK_TUNNEL 0x05000000u /* of a connection: begun through a tunnel that no `via` names */
#define MARK_EXIT 0x06000000u   /* of a connection: begun through an exit, with the host itself */
#define MARK_PATH(path) (0x10000000u + ((uint32_t)(path) << 24)) /* path 1..PATH_MAX */
#define PATH_MAX_NUMBER 0xe0

/* Policy rule priorities. All below 5190: Tailscale may use 5190 and owns 5200..5299; wg-quick and
 * hand-made rules without a priority land at 32765 and below, one by one. */
#define PREF_LOCAL 5000 /* our subnets, before anybody claims them */
#define PREF_RETURN 5010
#define PREF_LAN 5011
#define PREF_BYPASS 5012
#define PREF_BYPASS_FENCE 5013 /* no default route in main: not into a tunnel then */
#define PREF_PATH 5020         /* one per distinct list of exits; by mark, so any order does */
#define PREF_HOST 5079
#define PREF_HOST_OWN 5080 /* what the host itself sends skips the fence */
#define PREF_NOWHERE 5081  /* the subnets behind fences, IPv4: into a bridge without ports */
#define PREF_FENCE 5082    /* one per network that is not open: nowhere */
#define PREF_END 5100      /* where those go that skip the fence */

/* Our window of routing tables: away from wg-quick's 51820 and Tailscale's 52. */
#define TABLE_LOCAL 0x7e000000u
#define TABLE_PATH(path) (TABLE_LOCAL + (uint32_t)(path))
#define TABLE_FENCE (TABLE_LOCAL + 0x100u)
#define TABLE_LAST TABLE_FENCE
#define TABLE_MAIN 254u

/* After Tailscale's and everybody's mangling (-150), before the routing decision. */
#define MARK_PRIORITY (-140)
/* Before Docker's and everybody's filter (0), after conntrack's defragmentation and raw. */
#define FILTER_PRIORITY (-10)
/* Where bridges filter, before br_netfilter (0) shows frames to everybody else. */
#define GUARD_PRIORITY (-200)
/* One before the priorities that iptables and Docker use (-100 and 100): a published port of ours
 * is translated by us. */
#define DNAT_PRIORITY (-101)
#define SNAT_PRIORITY 99

/* In T_local every subnet also has an unreachable route that remains when the bridge is down. */
#define METRIC_BACKSTOP 0x7fffffffu
/* IPv6 turns metric 0 into 1024: say it, so that what is read back is what was asked for. */
#define METRIC_BRIDGE 1024
