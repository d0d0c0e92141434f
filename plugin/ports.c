/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See ports.h. */
#include "ports.h"

#include <errno.h>
#include <jansson.h>

#include "../policy/base/mem.h"
#include "../policy/base/strbuf.h"
#include "control.h"

/* v6 addresses in brackets, as in every URL. */
static void print_address(struct strbuf *line, const char *address, int port)
{
	strbuf_addf(line, strchr(address, ':') ? "[%s]:%d" : "%s:%d", address, port);
}

static int print_row(const json_t *port)
{
	AUTO(strbuf) struct strbuf outside = { 0 };
	AUTO(strbuf) struct strbuf inside = { 0 };
	const char *network, *endpoint, *proto, *host_ip, *address;
	int container_port, host_port;

	if (json_unpack((json_t *)port, "{s:s, s:s, s:s, s:s, s:s, s:i, s:i}", "network", &network,
			"endpoint", &endpoint, "proto", &proto, "host_ip", &host_ip, "address",
			&address, "container_port", &container_port, "host_port", &host_port) < 0)
		return -EPROTO;
	print_address(&outside, host_ip, host_port);
	print_address(&inside, address, container_port);
	printf("%-12.12s  %-12.12s  %-5s %-28s %s\n", network, endpoint, proto,
	       strbuf_text(&outside), strbuf_text(&inside));
	return 0;
}

static int print_table(const char *text, struct err *err)
{
	json_t *list = json_loads(text, 0, NULL);
	const json_t *port;
	size_t i;
	int r = json_is_array(list) ? 0 : -EPROTO;

	if (r == 0)
		printf("%-12s  %-12s  %-5s %-28s %s\n", "NETWORK", "ENDPOINT", "PROTO", "HOST",
		       "CONTAINER");
	json_array_foreach (list, i, port) {
		if (r == 0)
			r = print_row(port);
	}
	json_decref(list);
	if (r < 0)
		return err_set(err, r,
			       "the daemon's answer makes no sense; is it of another "
			       "version?");
	return 0;
}

int ports_print(const struct settings *settings, struct err *err)
{
	AUTO(strbuf) struct strbuf reply = { 0 };
	int r;

	r = control_call(settings->run_dir, CONTROL_PORTS, &reply, err);
	if (r < 0)
		return r;
	if (!settings->json)
		return print_table(strbuf_text(&reply), err);
	puts(strbuf_text(&reply));
	return 0;
}
