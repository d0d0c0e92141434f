/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See status.h. */
#include "status.h"

#include <errno.h>
#include <jansson.h>
#include <time.h>

#include "../policy/base/mem.h"
#include "call_times.h"
#include "control.h"
#include "dockerd.h"
#include "encode.h"

static json_t *encode_losses(const struct policy_status *status)
{
	json_t *drops = mem_check(json_object());

	for (size_t i = 0; i < status->n_losses; i++)
		json_object_set_new(drops, status->losses[i].reason,
				    json_integer((json_int_t)status->losses[i].packets));
	return drops;
}

/* What networks and containers have in common. */
static json_t *encode_one(const struct policy_status *status)
{
	AUTO(strbuf) struct strbuf via = { 0 };

	egress_print_via(status->egress, &via);
	return mem_check(json_pack("{s:s, s:s, s:s*, s:b, s:s, s:I, s:s*, s:o}", "policy",
				   policy_name(status->egress->policy), "via", strbuf_text(&via),
				   "exit", status->exit, "open", status->open, "why", status->why,
				   "since", (json_int_t)status->since, "warning", status->warning,
				   "drops", encode_losses(status)));
}

/* A container that differs belongs to the network that came before it. */
static void add_status(void *arg, const struct policy_status *status)
{
	json_t *list = arg, *object = encode_one(status);
	json_t *network = json_array_get(list, json_array_size(list) - 1);

	if (status->endpoint) {
		json_object_set_new(object, "endpoint", json_string(status->endpoint->id));
		json_array_append_new(json_object_get(network, "containers"), object);
		return;
	}
	json_object_set_new(object, "network", json_string(status->network->id));
	json_object_set_new(object, "bridge", json_string(status->network->bridge));
	json_object_set_new(object, "endpoints", json_integer((json_int_t)status->endpoints));
	json_object_set_new(object, "containers", mem_check(json_array()));
	json_array_append_new(list, object);
}

static void add_host_status(void *object, const struct policy_host_status *status)
{
	json_t *repairs = mem_check(json_object());
	json_t *warnings = mem_check(json_array());

	for (size_t i = 0; i < status->n_repairs; i++)
		json_object_set_new(repairs, status->repairs[i].what,
				    json_integer((json_int_t)status->repairs[i].count));
	for (size_t i = 0; i < status->n_warnings; i++)
		json_array_append_new(warnings, mem_check(json_string(status->warnings[i])));
	json_object_set_new(object, "repairs", repairs);
	json_object_set_new(object, "warnings", warnings);
}

static void add_warning(void *warnings, const char *sentence)
{
	json_array_append_new(warnings, mem_check(json_string(sentence)));
}

void encode_status(struct strbuf *reply, const struct control *control)
{
	json_t *object = mem_check(json_object());
	json_t *list = mem_check(json_array());
	struct err err = { 0 };
	char *text;

	json_object_set_new(object, "networks", list);
	if (policy_each_status(control->policy, add_status, list, &err) < 0) {
		encode_error(reply, err.text);
	} else {
		policy_host_status(control->policy, add_host_status, object);
		dockerd_each_warning(control->dockerd, add_warning,
				     json_object_get(object, "warnings"));
		json_object_set_new(object, "calls", call_times_encode(control->times));
		text = mem_check(json_dumps(object, JSON_COMPACT));
		strbuf_addf(reply, "%s", text);
		free(text);
	}
	json_decref(object);
}

void encode_difference(struct strbuf *reply, struct policy *policy)
{
	AUTO(strbuf) struct strbuf difference = { 0 };
	struct err err = { 0 };
	json_t *string;
	char *text;

	if (policy_print_difference(policy, &difference, &err) < 0) {
		encode_error(reply, err.text);
		return;
	}
	string = mem_check(json_string(strbuf_text(&difference)));
	text = mem_check(json_dumps(string, JSON_ENCODE_ANY));
	strbuf_addf(reply, "%s", text);
	free(text);
	json_decref(string);
}

static void print_since(json_int_t since)
{
	time_t time = since;
	struct tm local;
	char text[32];

	if (since && localtime_r(&time, &local) && strftime(text, sizeof(text), "%F %T", &local))
		printf(" since %s", text);
}

static void print_drops(json_t *drops, const char *indent)
{
	const char *reason, *comma = "dropped: ";
	json_t *packets;

	json_object_foreach (drops, reason, packets) {
		if (json_integer_value(packets) == 0)
			continue;
		printf("%s%s%s %lld", *comma == ',' ? "" : indent, comma, reason,
		       (long long)json_integer_value(packets));
		comma = ", ";
	}
	if (*comma == ',')
		putchar('\n');
}

/* The lines below the first one. */
static int print_details(json_t *object, const char *indent)
{
	const char *warning = json_string_value(json_object_get(object, "warning")); /* or null */
	const char *why;
	json_int_t since;
	json_t *drops;

	if (json_unpack(object, "{s:s, s:I, s:o}", "why", &why, "since", &since, "drops", &drops) <
	    0)
		return -EPROTO;
	printf("%s%s", indent, why);
	print_since(since);
	putchar('\n');
	if (warning)
		printf("%swarning: %s\n", indent, warning);
	print_drops(drops, indent);
	return 0;
}

static void print_exits(json_t *object, const char *via)
{
	const char *exit = json_string_value(json_object_get(object, "exit")); /* or null */

	printf("%s%s%s%s\n", *via ? ", via " : "", via, exit ? ", now " : "", exit ? exit : "");
}

static int print_container(json_t *object)
{
	const char *endpoint, *policy, *via;
	int open;

	if (json_unpack(object, "{s:s, s:s, s:s, s:b}", "endpoint", &endpoint, "policy", &policy,
			"via", &via, "open", &open) < 0)
		return -EPROTO;
	printf("  container with endpoint %.12s  %s %s", endpoint, policy,
	       open ? "open" : "closed");
	print_exits(object, via);
	return print_details(object, "    ");
}

static int print_network(json_t *object)
{
	const char *network, *bridge, *policy, *via;
	json_t *containers, *container;
	int open, endpoints, r;
	size_t i;

	if (json_unpack(object, "{s:s, s:s, s:s, s:s, s:b, s:i, s:o}", "network", &network,
			"bridge", &bridge, "policy", &policy, "via", &via, "open", &open,
			"endpoints", &endpoints, "containers", &containers) < 0)
		return -EPROTO;
	printf("%.12s  %-10s %-6s %d container%s, bridge %s", network, policy,
	       open ? "open" : "closed", endpoints, endpoints == 1 ? "" : "s", bridge);
	print_exits(object, via);
	r = print_details(object, "  ");
	json_array_foreach (containers, i, container) {
		if (r == 0)
			r = print_container(container);
	}
	return r;
}

static void print_host(json_t *repairs, json_t *warnings)
{
	const char *what, *comma = "put back what others changed: ";
	json_t *count, *warning;
	size_t i;

	json_object_foreach (repairs, what, count) {
		if (json_integer_value(count) == 0)
			continue;
		printf("%s%s %lld", comma, what, (long long)json_integer_value(count));
		comma = ", ";
	}
	if (*comma == ',')
		putchar('\n');
	json_array_foreach (warnings, i, warning)
		printf("warning: %s\n", json_string_value(warning));
}

static int print_status(const char *text, struct err *err)
{
	json_t *status = json_loads(text, 0, NULL);
	json_t *networks, *repairs, *warnings;
	int r = 0;

	if (json_unpack(status, "{s:o, s:o, s:o}", "networks", &networks, "repairs", &repairs,
			"warnings", &warnings) < 0)
		r = -EPROTO;
	if (r == 0 && json_array_size(networks) == 0)
		puts("no networks");
	for (size_t i = 0; r == 0 && i < json_array_size(networks); i++)
		r = print_network(json_array_get(networks, i));
	if (r == 0)
		print_host(repairs, warnings);
	json_decref(status);
	if (r < 0)
		return err_set(err, r,
			       "the daemon's answer makes no sense; is it of another version?");
	return 0;
}

int status_print(const struct settings *settings, struct err *err)
{
	AUTO(strbuf) struct strbuf reply = { 0 };
	int r = control_call(settings->run_dir, CONTROL_STATUS, &reply, err);

	if (r < 0)
		return r;
	if (!settings->json)
		return print_status(strbuf_text(&reply), err);
	puts(strbuf_text(&reply));
	return 0;
}
