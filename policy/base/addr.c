/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See addr.h. Knows nothing of interfaces or packets. */
#include "addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "mem.h"

int family_to_af(enum family family)
{
	return family == V6 ? AF_INET6 : AF_INET;
}

enum family addr_family(const struct addr *addr)
{
	return addr->family == AF_INET6 ? V6 : V4;
}

size_t addr_len(const struct addr *addr)
{
	switch (addr->family) {
	case AF_INET:
		return 4;
	case AF_INET6:
		return 16;
	default:
		return 0;
	}
}

int addr_parse(struct addr *ret_addr, const char *text)
{
	/* inet_pton() takes no scope id, no leading zeros and nothing after the address. */
	struct addr addr = { .family = strchr(text, ':') ? AF_INET6 : AF_INET };

	if (inet_pton(addr.family, text, addr.bytes) != 1)
		return -EINVAL;
	*ret_addr = addr;
	return 0;
}

/* Digits only: strtoul() would take signs and spaces. */
static int parse_len(uint8_t *ret_len, const char *text, size_t max)
{
	size_t len = 0;

	if (*text == '\0' || strlen(text) > 3 || (text[0] == '0' && text[1] != '\0'))
		return -EINVAL;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return -EINVAL;
		len = len * 10 + (size_t)(*text - '0');
	}
	if (len > max)
		return -EINVAL;
	*ret_len = (uint8_t)len;
	return 0;
}

int prefix_parse(struct prefix *ret_prefix, const char *text)
{
	const char *slash = strchr(text, '/');
	struct prefix prefix = { 0 };
	struct addr_text host;

	if (!slash || (size_t)(slash - text) >= sizeof(host.s))
		return -EINVAL;
	memcpy(host.s, text, (size_t)(slash - text));
	host.s[slash - text] = '\0';
	if (addr_parse(&prefix.addr, host.s) < 0)
		return -EINVAL;
	if (parse_len(&prefix.len, slash + 1, addr_len(&prefix.addr) * 8) < 0)
		return -EINVAL;
	*ret_prefix = prefix;
	return 0;
}

const char *addr_print(const struct addr *addr, struct addr_text *buffer)
{
	if (!addr_is_set(addr) ||
	    !inet_ntop(addr->family, addr->bytes, buffer->s, sizeof(buffer->s)))
		snprintf(buffer->s, sizeof(buffer->s), "none");
	return buffer->s;
}

const char *prefix_print(const struct prefix *prefix, struct addr_text *buffer)
{
	size_t len;

	addr_print(&prefix->addr, buffer);
	if (prefix_is_set(prefix)) {
		len = strlen(buffer->s);
		snprintf(buffer->s + len, sizeof(buffer->s) - len, "/%u", prefix->len);
	}
	return buffer->s;
}

bool addr_is_any(const struct addr *addr)
{
	static const uint8_t zero[16];

	return addr_is_set(addr) && memcmp(addr->bytes, zero, sizeof(zero)) == 0;
}

bool addr_is_loopback(const struct addr *addr)
{
	static const uint8_t v6_loopback[16] = { [15] = 1 };

	switch (addr->family) {
	case AF_INET:
		return addr->bytes[0] == 127;
	case AF_INET6:
		return memcmp(addr->bytes, v6_loopback, sizeof(v6_loopback)) == 0;
	default:
		return false;
	}
}

int addr_compare(const struct addr *a, const struct addr *b)
{
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

bool addr_equal(const struct addr *a, const struct addr *b)
{
	return addr_compare(a, b) == 0;
}

bool addrs_contain(const struct addr *addrs, size_t n, const struct addr *addr)
{
	for (size_t i = 0; i < n; i++)
		if (addr_equal(&addrs[i], addr))
			return true;
	return false;
}

bool prefix_is_set(const struct prefix *prefix)
{
	return addr_is_set(&prefix->addr);
}

/* The address with everything after its first len bits cleared. */
static struct addr masked(const struct addr *addr, size_t len)
{
	struct addr result = { .family = addr->family };
	size_t whole = len / 8;

	memcpy(result.bytes, addr->bytes, whole);
	if (len % 8)
		result.bytes[whole] = addr->bytes[whole] & (uint8_t)(0xff00u >> (len % 8));
	return result;
}

struct prefix prefix_network(const struct prefix *prefix)
{
	return (struct prefix){ .addr = masked(&prefix->addr, prefix->len), .len = prefix->len };
}

struct prefix prefix_host(const struct addr *addr)
{
	return (struct prefix){ .addr = *addr, .len = (uint8_t)(addr_len(addr) * 8) };
}

bool prefix_contains(const struct prefix *outer, const struct addr *addr)
{
	struct addr network, own;

	if (!prefix_is_set(outer) || outer->addr.family != addr->family)
		return false;
	network = masked(&outer->addr, outer->len);
	own = masked(addr, outer->len);
	return addr_equal(&network, &own);
}

bool prefix_overlap(const struct prefix *a, const struct prefix *b)
{
	/* Two prefixes are either disjoint or one lies in the other. */
	return a->len <= b->len ? prefix_contains(a, &b->addr) : prefix_contains(b, &a->addr);
}

int prefix_compare(const struct prefix *a, const struct prefix *b)
{
	int order = addr_compare(&a->addr, &b->addr);

	return order ? order : (int)a->len - (int)b->len;
}
