/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Addresses and prefixes as plain values. Family 0 means "none". Bytes past the address's length
 * are always zero, so that values can be compared with memcmp(). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* Arrays "one per address family" are indexed with these. */
enum family { V4, V6, FAMILIES };

struct addr {
	uint8_t family; /* AF_INET, AF_INET6, or 0 for none */
	uint8_t bytes[16];
};

/* May carry host bits: 10.0.0.7/24 is the address 10.0.0.7 in 10.0.0.0/24. */
struct prefix {
	struct addr addr;
	uint8_t len;
};

#define ADDR_TEXT_SIZE 64
/* Buffer for the texts below; brought by the caller. */
struct addr_text {
	char s[ADDR_TEXT_SIZE];
};

int family_to_af(enum family family);
enum family addr_family(const struct addr *addr); /* addr must not be "none" */
size_t addr_len(const struct addr *addr);         /* 4, 16, or 0 */

int addr_parse(struct addr *ret_addr, const char *text);       /* -EINVAL when it is none */
int prefix_parse(struct prefix *ret_prefix, const char *text); /* the length is mandatory */
const char *addr_print(const struct addr *addr, struct addr_text *buffer);
const char *prefix_print(const struct prefix *prefix, struct addr_text *buffer);

static inline bool addr_is_set(const struct addr *addr)
{
	return addr->family != 0;
}
bool addr_is_any(const struct addr *addr); /* 0.0.0.0 or :: (not "none") */
bool addr_is_loopback(const struct addr *addr);
bool addr_equal(const struct addr *a, const struct addr *b);
bool addrs_contain(const struct addr *addrs, size_t n, const struct addr *addr);
int addr_compare(const struct addr *a, const struct addr *b);

bool prefix_is_set(const struct prefix *prefix);
struct prefix prefix_network(const struct prefix *prefix); /* host bits cleared */
struct prefix prefix_host(const struct addr *addr);        /* /32 or /128 */
bool prefix_contains(const struct prefix *outer, const struct addr *addr);
bool prefix_overlap(const struct prefix *a, const struct prefix *b);
int prefix_compare(const struct prefix *a, const struct prefix *b);
