/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See json_member.h. */
#include "json_member.h"

#include <errno.h>

#include "../base/mem.h"

static json_t *encode_mac(const uint8_t *mac)
{
	return json_sprintf("%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4],
			    mac[5]);
}

static json_t *encode_word(const struct json_member *member, const struct egress *egress)
{
	AUTO(strbuf) struct strbuf text = { 0 };

	member->print(egress, &text);
	return json_string(strbuf_text(&text));
}

static json_t *encode_member(const struct json_member *member, const void *field)
{
	struct addr_text text;

	switch (member->kind) {
	case TEXT:
		return json_string(field);
	case BOOLEAN:
		return json_boolean(*(const bool *)field);
	case BYTE:
		return json_integer(*(const uint8_t *)field);
	case NUMBER16:
		return json_integer(*(const uint16_t *)field);
	case NUMBER32:
		return json_integer(*(const uint32_t *)field);
	case NUMBER64:
		return json_integer(*(const uint64_t *)field);
	case ENUM:
		return json_string(member->names[*(const unsigned *)field]);
	case ADDR:
		if (!addr_is_set(field))
			return json_string("");
		return json_string(addr_print(field, &text));
	case PREFIX:
		if (!prefix_is_set(field))
			return json_string("");
		return json_string(prefix_print(field, &text));
	case MAC:
		return encode_mac(field);
	case WORD:
		return encode_word(member, field);
	}
	return NULL;
}

json_t *json_members_encode(const struct json_member *members, size_t n, const void *object)
{
	json_t *json = mem_check(json_object());

	for (size_t i = 0; i < n; i++) {
		const void *field = (const char *)object + members[i].offset;

		json_object_set_new(json, members[i].key,
				    mem_check(encode_member(&members[i], field)));
	}
	return json;
}

static int decode_number(void *field, size_t size, const json_t *json)
{
	json_int_t value = json_integer_value(json);

	if (!json_is_integer(json) || value < 0 || (size < 8 && value >> size * 8))
		return -EINVAL;
	/* little and big endian alike: through a value of the right width */
	if (size == 1)
		*(uint8_t *)field = value;
	else if (size == 2)
		*(uint16_t *)field = value;
	else if (size == 4)
		*(uint32_t *)field = value;
	else
		*(uint64_t *)field = value;
	return 0;
}

static int decode_mac(uint8_t *mac, const char *text)
{
	int used = 0;

	if (sscanf(text, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%n", &mac[0], &mac[1], &mac[2],
		   &mac[3], &mac[4], &mac[5], &used) != 6 ||
	    text[used])
		return -EINVAL;
	return 0;
}

static int decode_enum(unsigned *field, const char *const *names, const char *text)
{
	for (unsigned i = 0; names[i]; i++) {
		if (streq(names[i], text)) {
			*field = i;
			return 0;
		}
	}
	return -EINVAL;
}

static int decode_member(const struct json_member *member, void *field, const json_t *json)
{
	const char *text = json_string_value(json);

	switch (member->kind) {
	case BOOLEAN:
		*(bool *)field = json_is_true(json);
		return json_is_boolean(json) ? 0 : -EINVAL;
	case BYTE:
	case NUMBER16:
	case NUMBER32:
	case NUMBER64:
		return decode_number(field, member->size, json);
	case TEXT:
		if (!text || strlen(text) >= member->size)
			return -EINVAL;
		strcpy(field, text);
		return 0;
	case ENUM:
		return text ? decode_enum(field, member->names, text) : -EINVAL;
	case ADDR:
		return !text ? -EINVAL : *text ? addr_parse(field, text) : 0;
	case PREFIX:
		return !text ? -EINVAL : *text ? prefix_parse(field, text) : 0;
	case MAC:
		return text ? decode_mac(field, text) : -EINVAL;
	case WORD:
		if (text && !*text) /* does not apply to the policy */
			return 0;
		return text ? member->parse(field, text, &(struct err){ 0 }) : -EINVAL;
	}
	return -EINVAL;
}

int json_members_decode(const struct json_member *members, size_t n, void *object,
			const json_t *json, struct err *err)
{
	for (size_t i = 0; i < n; i++) {
		void *field = (char *)object + members[i].offset;

		if (decode_member(&members[i], field, json_object_get(json, members[i].key)) < 0)
			return err_set(err, -EINVAL, "\"%s\" is missing or not valid",
				       members[i].key);
	}
	return 0;
}
