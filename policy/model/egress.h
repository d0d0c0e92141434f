/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where containers may send: the policy with everything that refines it. Belongs to a network, or
 * to one endpoint that differs from its network. */
#pragma once

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "../base/addr.h"
#include "../base/err.h"
#include "../base/strbuf.h"

/* In the order of tightness. */
enum policy_kind { POLICY_OPEN, POLICY_BYPASS, POLICY_KILLSWITCH, POLICY_ISOLATED };

#define EXITS_MAX 8
struct exits {
	char names[EXITS_MAX][IFNAMSIZ]; /* in the order of preference */
	uint8_t n;
};

enum lan_mode { LAN_REPLY, LAN_OFF, LAN_ON, LAN_LIST };

#define LAN_RULES_MAX 16
struct lan_rule {
	struct prefix prefix;
	uint16_t port; /* 0: every port */
	uint8_t proto; /* 0: tcp and udp if there is a port, else every protocol */
};

enum host_mode { HOST_OFF, HOST_ON, HOST_LIST };
#define HOST_PORTS_MAX 16

enum dns_mode { DNS_STRICT, DNS_LIST, DNS_DOCKER };
#define DNS_SERVERS_MAX 4

enum override { OVERRIDE_TIGHTEN, OVERRIDE_ANY, OVERRIDE_NONE };

struct egress {
	enum policy_kind policy;
	struct exits via; /* killswitch */
	uint8_t path;     /* killswitch: which of the engine's paths these exits are; 0: none yet */
	enum lan_mode lan;
	struct lan_rule lan_rules[LAN_RULES_MAX];
	uint8_t n_lan_rules;
	bool tailnet;
	enum host_mode host;
	uint16_t host_ports[HOST_PORTS_MAX];
	uint8_t n_host_ports;
	enum dns_mode dns;
	struct addr dns_servers[DNS_SERVERS_MAX];
	uint8_t n_dns_servers;
	uint32_t mark, mark_mask; /* bypass: what the host's VPN exempts */
};

const char *policy_name(enum policy_kind policy);
int policy_parse(enum policy_kind *ret_policy, const char *text);

/* Everything this policy has when the user says no more. */
struct egress egress_default(enum policy_kind policy);

/* The words' values, from and to text. Parsing changes nothing on failure; the sentence says what
 * is allowed, without naming the word. */
int egress_parse_via(struct egress *egress, const char *text, struct err *err);
int egress_parse_lan(struct egress *egress, const char *text, struct err *err);
int egress_parse_tailnet(struct egress *egress, const char *text, struct err *err);
int egress_parse_host(struct egress *egress, const char *text, struct err *err);
int egress_parse_dns(struct egress *egress, const char *text, struct err *err);
int egress_parse_mark(struct egress *egress, const char *text, struct err *err);
void egress_print_via(const struct egress *egress, struct strbuf *text);
void egress_print_lan(const struct egress *egress, struct strbuf *text);
void egress_print_tailnet(const struct egress *egress, struct strbuf *text);
void egress_print_host(const struct egress *egress, struct strbuf *text);
void egress_print_dns(const struct egress *egress, struct strbuf *text);
void egress_print_mark(const struct egress *egress, struct strbuf *text);

bool exits_equal(const struct exits *a, const struct exits *b);
/* Confined: neither by a tunnel that it should not, nor around one that it should take. */
static inline bool egress_is_confined(const struct egress *egress)
{
	return egress->policy == POLICY_KILLSWITCH || egress->policy == POLICY_ISOLATED;
}
