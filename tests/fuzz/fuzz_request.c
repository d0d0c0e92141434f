/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fuzz target: requests of dockerd. Input: a line with the path, then the body; several requests to
 * the same engine are separated by byte 1e. The engine only remembers. */
#include <jansson.h>
#include <stdint.h>

#include "../../plugin/driver.h"
#include "../../policy/base/log.h"
#include "../../policy/base/mem.h"
#include "../unit/stub_policy.h"

#define SEPARATOR 0x1e

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What must hold whatever is sent. */
static void check(const struct strbuf *reply, int status, bool changed)
{
	json_t *json = json_loads(strbuf_text(reply), 0, NULL);
	const char *err = json_string_value(json_object_get(json, "Err"));

	if (!json_is_object(json) || (status != 200 && status != 404))
		abort();
	if (json_object_get(json, "Err") && (!err || !*err))
		abort();
	if (status == 404 && !err)
		abort();
	if (err && changed)
		abort();
	json_decref(json);
}

static void request(struct policy *policy, const char *text, size_t len)
{
	const char *line_end = memchr(text, '\n', len);
	size_t path_len = line_end ? (size_t)(line_end - text) : len;
	size_t body_len = line_end ? len - path_len - 1 : 0;
	unsigned int changes = stub_changes(policy);
	AUTO(strbuf) struct strbuf reply = { 0 };
	AUTO_FREE char *path = xcalloc(1, path_len + 1);
	/* A copy of its own, so that reading beyond its end is seen. */
	AUTO_FREE char *body = xcalloc(body_len ? body_len : 1, 1);
	int status = 0;

	memcpy(path, text, path_len);
	memcpy(body, text + len - body_len, body_len);
	driver_handle(policy, path, body, body_len, &reply, &status);
	check(&reply, status, stub_changes(policy) != changes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data, *end = text + size;
	struct err err;
	struct policy *policy = policy_open(NULL, NULL, &err);

	log_set_level("warn");
	while (text < end) {
		const char *next = memchr(text, SEPARATOR, (size_t)(end - text));

		request(policy, text, (size_t)((next ? next : end) - text));
		text = next ? next + 1 : end;
	}
	policy_close(policy);
	return 0;
}
