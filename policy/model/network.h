/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a user may ask for: networks, endpoints attached to them, ports published by endpoints.
 * Plain values; the world (world.h) owns them. */
#pragma once

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "../base/addr.h"
#include "egress.h"

#define REMARK_SIZE 384
#define ID_SIZE 72 /* ids are up to 64 of these characters, not beginning with a dot */
#define ID_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-"

/* How containers' addresses meet the outside, per address family. */
enum gateway_mode {
	GATEWAY_NAT,             /* masqueraded; reachable through published ports only */
	GATEWAY_NAT_UNPROTECTED, /* masqueraded; every port reachable by who has a route */
	GATEWAY_ROUTED,          /* own addresses; published ports reachable without NAT */
	GATEWAY_ISOLATED,        /* the bridge has no address at all */
};

struct network {
	char id[ID_SIZE];
	char bridge[IFNAMSIZ];
	struct egress egress;
	enum override override; /* may endpoints differ? */
	bool v6_off;            /* nothing of IPv6, not even inside */

	struct prefix subnet[FAMILIES]; /* unset: the network does not have this family */
	struct addr gateway[FAMILIES];  /* the bridge's own address; may be unset */
	struct addr next_hop[FAMILIES]; /* containers' default gateway if it is not the bridge */
	enum gateway_mode mode[FAMILIES];
	struct addr snat[FAMILIES]; /* masquerade to this address instead of the uplink's */
	bool masquerade;
	bool inhibit_v4; /* do not put the v4 gateway address on the bridge */

	bool internal;                      /* no way out, no way in */
	bool icc;                           /* containers may talk to each other */
	uint32_t mtu;                       /* 0: auto */
	char container_prefix[IFNAMSIZ];    /* "eth": interfaces inside are eth0, eth1 ... */
	struct addr host_binding[FAMILIES]; /* default host address of published ports */

	/* Words that were said after it was made, see later.h. */
	bool told;                /* the above is not as it was made, or there is a remark */
	char remark[REMARK_SIZE]; /* what people should know of them; "": nothing */
	bool heard;               /* by this process; not saved */
	uint64_t since_ms;        /* this process knows of it; not saved */
};

/* A port as it was asked for. */
struct port_request {
	uint8_t proto;          /* IPPROTO_TCP, _UDP, _SCTP */
	uint16_t port;          /* in the container */
	struct addr host;       /* unset: every address */
	uint16_t host_port;     /* 0: ephemeral */
	uint16_t host_port_end; /* >= host_port: the first free one of the range */
};

/* A port as it was given: one per host address family. */
struct port {
	uint8_t proto;
	uint16_t port;
	struct addr host; /* 0.0.0.0 or :: for every address of that family */
	uint16_t host_port;
};

/* What one endpoint has otherwise than its network. */
struct exception {
	struct egress egress;
	bool v6_off;
	bool icc;
	uint32_t mtu;
};

struct endpoint {
	char id[ID_SIZE];
	char network[ID_SIZE];
	struct prefix addr[FAMILIES]; /* unset: none in this family */
	uint8_t mac[6];
	char host_if[IFNAMSIZ];      /* the veth end that stays: a port of the bridge */
	char container_if[IFNAMSIZ]; /* the end that moves into the container */
	bool names_by_host;          /* its names are asked from the host, around every rule */
	uint64_t era;                /* which client process made it, see engine */

	/* As of a network. */
	char *remark; /* owned; NULL: nothing */
	bool heard;
	uint64_t since_ms;

	struct exception *exception; /* owned; NULL: none */
	struct port *ports;          /* published; owned */
	size_t n_ports;

	/* To be published if the container has no other way out, see policy/wanted.c; owned */
	struct port_request *wanted;
	size_t n_wanted;
	bool settled;          /* it was known once whether they are to be published here */
	bool here;             /* and last time they were */
	bool refused;          /* but could not be, and somebody was told */
	uint64_t undecided_ms; /* until then it is not known whether they still are to be */
};
