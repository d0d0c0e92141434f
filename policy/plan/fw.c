/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Building and comparing firewall data. Knows nothing of the kernel. */
#include "fw.h"

#include <stdio.h>

#include "../base/mem.h"

/* FNV-1a: not against an attacker (who could change the kernel's rules could do anything), only to
 * tell a rule of an older version from ours. */
static uint64_t hash_bytes(uint64_t hash, const void *data, size_t len)
{
	const uint8_t *bytes = data;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ bytes[i]) * 0x100000001b3u;
	return hash;
}

static uint64_t hash_expr(uint64_t hash, const struct fw_expr *e)
{
	uint8_t head[] = { e->kind, e->negated, e->prefix.addr.family, e->prefix.len };

	hash = hash_bytes(hash, head, sizeof(head));
	hash = hash_bytes(hash, &e->value, sizeof(e->value));
	hash = hash_bytes(hash, &e->mask, sizeof(e->mask));
	hash = hash_bytes(hash, e->prefix.addr.bytes, sizeof(e->prefix.addr.bytes));
	return hash_bytes(hash, e->name, strlen(e->name));
}

void fw_rule_add(struct fw_chain *chain, const char *why, const struct fw_expr *exprs)
{
	struct fw_rule *rule;
	size_t n = 0;

	while (exprs[n].kind != FW_END)
		n++;
	chain->rules = xreallocarray(chain->rules, chain->n + 1, sizeof(*chain->rules));
	rule = &chain->rules[chain->n++];
	*rule = (struct fw_rule){ .n = n, .hash = 0xcbf29ce484222325u };
	snprintf(rule->why, sizeof(rule->why), "%s", why);
	rule->exprs = xcalloc(n, sizeof(*exprs));
	for (size_t i = 0; i < n; i++) {
		rule->exprs[i] = exprs[i];
		rule->hash = hash_expr(rule->hash, &exprs[i]);
	}
}

bool fw_chain_equal(const struct fw_chain *a, const struct fw_chain *b)
{
	if (a->hook != b->hook || a->nat != b->nat || a->priority != b->priority || a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (a->rules[i].hash != b->rules[i].hash ||
		    !streq(a->rules[i].why, b->rules[i].why))
			return false;
	return true;
}

void fw_chain_done(struct fw_chain *chain)
{
	for (size_t i = 0; i < chain->n; i++)
		free(chain->rules[i].exprs);
	free(chain->rules);
	*chain = (struct fw_chain){ 0 };
}
