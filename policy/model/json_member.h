/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A struct's members as those of a JSON object: one table per struct says which there are, and both
 * directions walk it. */
#pragma once

#include <jansson.h>
#include <stddef.h>

#include "network.h"

enum member_kind {
	TEXT,
	BOOLEAN,
	NUMBER16,
	NUMBER32,
	NUMBER64,
	BYTE,
	ENUM,
	ADDR,
	PREFIX,
	MAC,
	WORD
};

/* size: of a TEXT; names: of an ENUM, ended by NULL */
struct json_member {
	const char *key;
	enum member_kind kind;
	size_t offset;
	size_t size;
	const char *const *names;
	/* WORD: a user's word, in his own spelling; the offset is the egress it belongs to */
	int (*parse)(struct egress *egress, const char *text, struct err *err);
	void (*print)(const struct egress *egress, struct strbuf *text);
};

#define OF(type, name, kind_, member, ...) \
	{ \
		.key = name, .kind = kind_, .offset = offsetof(struct type, member), \
		.size = sizeof(((struct type *)0)->member), ##__VA_ARGS__ \
	}

#define WORD_OF(type, word) \
	OF(type, #word, WORD, egress, .parse = egress_parse_##word, .print = egress_print_##word)

json_t *json_members_encode(const struct json_member *members, size_t n, const void *object);
/* Every member must be there. */
int json_members_decode(const struct json_member *members, size_t n, void *object,
			const json_t *json, struct err *err);
