/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See docker_networks.h. */
#include "docker_networks.h"

#include <ctype.h>
#include <errno.h>
#include <net/if.h>

#include "../policy/base/mem.h"
#include "docker_option.h"

#define BRIDGE_NAME DOCKER_OPTION_PREFIX "bridge.name"

struct bridge_name {
	char s[IFNAMSIZ];
};

static bool is_interface_name(const char *name)
{
	if (!*name || strlen(name) >= IFNAMSIZ)
		return false;
	for (const char *c = name; *c; c++) {
		if (*c == '/' || !isgraph((unsigned char)*c))
			return false;
	}
	return true;
}

/* False: this one has no bridge, or none that can be. */
static bool read_name(const json_t *network, struct bridge_name *ret_name)
{
	const char *driver = json_string_value(json_object_get(network, "Driver"));
	const char *id = json_string_value(json_object_get(network, "Id"));
	const json_t *options = json_object_get(network, "Options");
	const char *name = json_string_value(json_object_get(options, BRIDGE_NAME));

	if (!driver || !streq(driver, "bridge"))
		return false;
	if (name && *name) {
		if (!is_interface_name(name))
			return false;
		strcpy(ret_name->s, name);
		return true;
	}
	if (!id || strlen(id) < 12)
		return false;
	snprintf(ret_name->s, sizeof(ret_name->s), "br-%.12s", id);
	return is_interface_name(ret_name->s);
}

/* Every engine has one network of driver "host", which it makes with its data directory and keeps
 * for ever. What only looks like an engine has none. */
static bool is_identity(const json_t *network)
{
	const char *driver = json_string_value(json_object_get(network, "Driver"));

	return driver && streq(driver, "host");
}

static struct docker_network read_network(const json_t *network, const char *id)
{
	const char *name = json_string_value(json_object_get(network, "Name"));

	return (struct docker_network){
		.id = id,
		/* It is said to people. */
		.name = name && name[strspn(name, ID_CHARACTERS)] == '\0' ? name : "?",
		.labels = json_object_get(network, "Labels"),
	};
}

int docker_networks_read(struct docker_networks *ret_networks, const char *body, size_t len,
			 struct err *err)
{
	json_error_t error;
	json_t *root = json_loadb(body, len, 0, &error);
	size_t size = json_array_size(root);
	struct docker_networks networks = { .root = root };
	bool whole = true;

	if (!json_is_array(root)) {
		json_decref(root);
		return err_set(err, -EBADMSG, "the answer is not a list of networks");
	}
	networks.names = xcalloc(size + 1, sizeof(*networks.names));
	networks.bridges = xcalloc(size + 1, sizeof(*networks.bridges));
	networks.ids = xcalloc(size + 1, sizeof(*networks.ids));
	networks.items = xcalloc(size + 1, sizeof(*networks.items));
	networks.internal = xcalloc(size + 1, sizeof(*networks.internal));
	for (size_t i = 0; i < size; i++) {
		const json_t *network = json_array_get(root, i);
		const char *id = json_string_value(json_object_get(network, "Id"));
		struct bridge_name *name = &networks.names[networks.n_bridges];

		if (read_name(network, name))
			networks.bridges[networks.n_bridges++] = name->s;
		if (id && *id) {
			networks.items[networks.n_ids] = read_network(network, id);
			networks.ids[networks.n_ids++] = id;
		} else {
			whole = false;
		}
		if (id && *id && is_identity(network))
			networks.engine = id;
		if (id && json_is_true(json_object_get(network, "Internal")))
			networks.internal[networks.n_internal++] = id;
	}
	if (!whole)
		networks.engine = NULL;
	*ret_networks = networks;
	return 0;
}

void docker_networks_done(struct docker_networks *networks)
{
	free(networks->internal);
	free(networks->ids);
	free(networks->items);
	free(networks->bridges);
	free(networks->names);
	json_decref(networks->root);
	*networks = (struct docker_networks){ 0 };
}
