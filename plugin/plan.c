/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See plan.h. */
#include "plan.h"

#include <errno.h>
#include <jansson.h>

#include "../policy/base/mem.h"
#include "control.h"
#include "options.h"

#define DEFAULT_SUBNET "172.18.0.0/16"

/* The first address is the gateway, as Docker chooses it. */
static int add_subnet(struct network *network, const char *text, struct err *err)
{
	struct prefix subnet;
	enum family f;
	struct addr gateway;

	if (prefix_parse(&subnet, text) < 0)
		return err_set(err, -EINVAL, "--subnet \"%s\" is not one; use one like 10.8.0.0/24",
			       text);
	f = addr_family(&subnet.addr);
	if (prefix_is_set(&network->subnet[f]))
		return err_set(err, -EINVAL, "--subnet \"%s\": there is one of this family already",
			       text);
	network->subnet[f] = prefix_network(&subnet);
	gateway = network->subnet[f].addr;
	gateway.bytes[addr_len(&gateway) - 1] |= 1;
	network->gateway[f] = gateway;
	return 0;
}

static int split_options(const struct repeated *texts, struct request_options *ret_options,
			 struct err *err)
{
	ret_options->items = xcalloc(texts->n + 1, sizeof(*ret_options->items));
	for (size_t i = 0; i < texts->n; i++) {
		struct request_option *option = &ret_options->items[ret_options->n];
		const char *equals = strchr(texts->values[i], '=');

		if (!equals)
			return err_set(err, -EINVAL, "option %s: give it as KEY=VALUE",
				       texts->values[i]);
		option->key =
			mem_check(strndup(texts->values[i], (size_t)(equals - texts->values[i])));
		option->value = xstrdup(equals + 1);
		ret_options->n++;
	}
	return 0;
}

static int print_difference(const struct settings *settings, struct err *err)
{
	AUTO(strbuf) struct strbuf reply = { 0 };
	int r = control_call(settings->run_dir, CONTROL_DIFF, &reply, err);
	json_t *string;

	if (r < 0)
		return r;
	string = json_loads(strbuf_text(&reply), JSON_DECODE_ANY, NULL);
	if (json_is_string(string))
		fputs(json_string_value(string), stdout);
	else
		r = err_set(err, -EPROTO, "the daemon could not tell: %.200s", strbuf_text(&reply));
	json_decref(string);
	return r;
}

static int preview(const struct settings *settings, struct network_request *request,
		   struct strbuf *text, struct err *err)
{
	struct exception exception;
	bool differs = settings->container_options.n > 0;
	int r = split_options(&settings->options, &request->options, err);

	if (r == 0)
		r = options_apply(&request->network, &request->options, err);
	if (r == 0 && differs) {
		AUTO(request_options) struct request_options own = { 0 };

		r = split_options(&settings->container_options, &own, err);
		if (r == 0)
			r = options_except(&request->network, &own, &exception, err);
	}
	if (r == 0)
		r = policy_preview(&request->network, differs ? &exception : NULL, text, err);
	return r;
}

int plan_command(const struct settings *settings, struct err *err)
{
	AUTO(network_request) struct network_request request = { .network.id = "example" };
	AUTO(strbuf) struct strbuf text = { 0 };
	int r = 0;

	if (settings->diff)
		return print_difference(settings, err);
	request.network.internal = settings->internal;
	for (size_t i = 0; r == 0 && i < settings->subnets.n; i++)
		r = add_subnet(&request.network, settings->subnets.values[i], err);
	if (r == 0 && settings->subnets.n == 0)
		r = add_subnet(&request.network, DEFAULT_SUBNET, err);
	if (r == 0)
		r = preview(settings, &request, &text, err);
	if (r == 0)
		fputs(strbuf_text(&text), stdout);
	return r;
}
