/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See driver.h. */
#include "driver.h"

#include "../policy/base/log.h"
#include "../policy/base/mem.h"
#include "encode.h"
#include "method.h"

struct method {
	const char *path;
	method_fn *fn;
};

static const struct method methods[] = {
	{ "/Plugin.Activate", network_activate },
	{ "/NetworkDriver.GetCapabilities", network_capabilities },
	{ "/NetworkDriver.GwAllocCheck", network_gateway_check },
	{ "/NetworkDriver.AllocateNetwork", network_allocate },
	{ "/NetworkDriver.FreeNetwork", network_free },
	{ "/NetworkDriver.CreateNetwork", network_create },
	{ "/NetworkDriver.DeleteNetwork", network_delete },
	{ "/NetworkDriver.CreateEndpoint", endpoint_create },
	{ "/NetworkDriver.DeleteEndpoint", endpoint_delete },
	{ "/NetworkDriver.EndpointOperInfo", endpoint_info },
	{ "/NetworkDriver.Join", endpoint_join },
	{ "/NetworkDriver.Leave", endpoint_leave },
	{ "/NetworkDriver.ProgramExternalConnectivity", endpoint_publish },
	{ "/NetworkDriver.RevokeExternalConnectivity", endpoint_withdraw },
	{ "/NetworkDriver.DiscoverNew", network_discover },
	{ "/NetworkDriver.DiscoverDelete", network_discover },
};

/* The text may quote the request: keep the log one line per event. */
static void log_refusal(const char *path, const char *text)
{
	AUTO_FREE char *line = xstrdup(text);

	for (char *c = line; *c; c++) {
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = ' ';
	}
	log_info("%s refused: %s", path + 1, line);
}

static void call(const struct method *method, struct policy *policy, const char *body, size_t len,
		 struct strbuf *reply)
{
	struct err err = { 0 };

	log_debug("%s, %zu bytes", method->path + 1, len);
	if (method->fn(policy, body, len, reply, &err) < 0) {
		log_refusal(method->path, err.text);
		encode_error(reply, err.text);
	} else if (reply->len == 0) {
		/* To dockerd an empty reply is an error. */
		encode_empty(reply);
	}
}

void driver_handle(void *policy, const char *path, const char *body, size_t len,
		   struct strbuf *reply, int *ret_status)
{
	*ret_status = 200; /* of failures, too: dockerd reads them from the reply */
	for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
		if (streq(methods[i].path, path)) {
			call(&methods[i], policy, body, len, reply);
			return;
		}
	}
	*ret_status = 404;
	encode_error(reply, "this plugin has no such method");
}
