/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See docker_containers.h. */
#include "docker_containers.h"

#include <errno.h>

#include "../policy/base/mem.h"
#include "../policy/model/network.h"
#include "docker_networks.h"

static const char *text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text ? text : "";
}

/* Up to version 20.10 internal networks of driver "bridge" have a gateway all the same. */
static bool is_way_out(const json_t *network, const struct docker_networks *networks)
{
	const char *id = text_of(network, "NetworkID");

	if (!*text_of(network, "Gateway") && !*text_of(network, "IPv6Gateway"))
		return false;
	for (size_t i = 0; i < networks->n_internal; i++)
		if (streq(networks->internal[i], id))
			return false;
	return true;
}

/* The first one, which is its own; the others are those of links to it. */
static const char *name_of(const json_t *object)
{
	const char *name = json_string_value(json_array_get(json_object_get(object, "Names"), 0));

	if (name && *name == '/')
		name++;
	/* It is said to people. */
	return name && name[strspn(name, ID_CHARACTERS)] == '\0' ? name : "?";
}

static void read_endpoint(const json_t *network, const char *id, struct docker_container *container)
{
	size_t e = container->n_endpoints++;

	container->endpoints[e] = id;
	container->networks[e] = text_of(network, "NetworkID");
	container->v4_out[e] = *text_of(network, "Gateway");
	container->v6_out[e] = *text_of(network, "IPv6Gateway");
}

static void read_container(const json_t *object, const struct docker_networks *all,
			   struct docker_container *container)
{
	json_t *settings = json_object_get(object, "NetworkSettings");
	json_t *networks = json_object_get(settings, "Networks");
	const char *name;
	json_t *network;

	container->name = name_of(object);
	container->labels = json_object_get(object, "Labels");
	container->endpoints = xcalloc(json_object_size(networks) + 1, sizeof(char *));
	container->networks = xcalloc(json_object_size(networks) + 1, sizeof(char *));
	container->v4_out = xcalloc(json_object_size(networks) + 1, sizeof(bool));
	container->v6_out = xcalloc(json_object_size(networks) + 1, sizeof(bool));
	json_object_foreach (networks, name, network) {
		const char *id = text_of(network, "EndpointID");

		if (*id)
			read_endpoint(network, id, container);
		container->leads_out |= is_way_out(network, all);
	}
}

/* One that is about to be started again is in the list, too. */
static bool runs(const json_t *object)
{
	const char *state = text_of(object, "State");

	return streq(state, "running") || streq(state, "paused");
}

int docker_containers_read(struct docker_containers *ret_containers, const char *body, size_t len,
			   const struct docker_networks *networks, struct err *err)
{
	json_t *root = json_loadb(body, len, 0, NULL);
	struct docker_containers containers = { .root = root };

	if (!json_is_array(root)) {
		json_decref(root);
		return err_set(err, -EBADMSG, "the answer is not a list of containers");
	}
	containers.items = xcalloc(json_array_size(root) + 1, sizeof(*containers.items));
	for (size_t i = 0; i < json_array_size(root); i++)
		if (runs(json_array_get(root, i)))
			read_container(json_array_get(root, i), networks,
				       &containers.items[containers.n++]);
	*ret_containers = containers;
	return 0;
}

void docker_containers_done(struct docker_containers *containers)
{
	for (size_t i = 0; i < containers->n; i++) {
		free(containers->items[i].endpoints);
		free(containers->items[i].networks);
		free(containers->items[i].v4_out);
		free(containers->items[i].v6_out);
	}
	free(containers->items);
	json_decref(containers->root);
	*containers = (struct docker_containers){ 0 };
}

struct docker_container *docker_containers_find(const struct docker_containers *containers,
						const char *endpoint_id)
{
	for (size_t i = 0; i < containers->n; i++)
		for (size_t e = 0; e < containers->items[i].n_endpoints; e++)
			if (streq(containers->items[i].endpoints[e], endpoint_id))
				return &containers->items[i];
	return NULL;
}
