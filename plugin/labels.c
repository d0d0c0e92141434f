/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See labels.h. A network's labels are those it was created with, and a container's, too: having
 * been read once, they have been read. */
#include "labels.h"

#include <errno.h>
#include <strings.h>

#include "../policy/base/log.h"
#include "../policy/base/mem.h"
#include "docker_containers.h"
#include "docker_networks.h"

struct label_words {
	struct word *items;
	size_t n;
};

static void label_words_done(struct label_words *words)
{
	free(words->items);
}

/* With the prefix in any spelling: one that is not quite right must not pass unnoticed. */
static bool is_ours(const char *key)
{
	return strncasecmp(key, OPTION_PREFIX, strlen(OPTION_PREFIX)) == 0;
}

/* Keys and values stay those of the list. */
static struct label_words read_labels(const json_t *labels)
{
	struct label_words words = { .items = xcalloc(json_object_size(labels) + 1,
						      sizeof(struct word)) };
	const char *key;
	json_t *value;

	json_object_foreach ((json_t *)labels, key, value) {
		const char *text = json_string_value(value);

		if (is_ours(key))
			words.items[words.n++] = (struct word){ key, text ? text : "" };
	}
	return words;
}

/* An engine says which labels there are even if there are none. What says nothing of labels is no
 * such list. */
static bool is_said(const json_t *labels)
{
	return json_is_object(labels) || json_is_null(labels);
}

/* What somebody has said: his name is at hand, and its id in a network. */
struct speaker {
	const char *what, *name, *network;
};

static void log_news(const struct speaker *speaker, const struct egress *egress, const char *remark)
{
	if (*remark)
		log_warn("network %.12s: labels of %s %s: %s", speaker->network, speaker->what,
			 speaker->name, remark);
	else
		log_info("network %.12s: labels of %s %s are heard, its policy is %s",
			 speaker->network, speaker->what, speaker->name,
			 policy_name(egress->policy));
}

static void log_failure(const struct speaker *speaker, const struct err *err)
{
	log_warn("network %.12s: labels of %s %s: %s; they are read again", speaker->network,
		 speaker->what, speaker->name, err->text);
}

void labels_of_networks(struct policy *policy, const struct docker_networks *networks)
{
	for (size_t i = 0; i < networks->n_ids; i++) {
		const struct docker_network *listed = &networks->items[i];
		const struct network *network = policy_network(policy, listed->id);
		const struct speaker speaker = { "network", listed->name, listed->id };
		AUTO(label_words) struct label_words labels = { 0 };
		struct err err;
		int r;

		if (!network || network->heard || !is_said(listed->labels))
			continue;
		labels = read_labels(listed->labels);
		r = policy_network_tell(policy, listed->id,
					&(struct words){ labels.items, labels.n }, &err);
		if (r < 0)
			log_failure(&speaker, &err);
		else if (r > 0)
			log_news(&speaker, &network->egress, network->remark);
	}
}

static void tell_endpoint(struct policy *policy, const struct docker_container *container, size_t e)
{
	const char *network_id = container->networks[e], *id = container->endpoints[e];
	const struct endpoint *endpoint = policy_endpoint(policy, network_id, id);
	const struct speaker speaker = { "container", container->name, network_id };
	AUTO(label_words) struct label_words labels = { 0 };
	struct err err;
	int r;

	if (!endpoint || endpoint->heard || !is_said(container->labels))
		return;
	labels = read_labels(container->labels);
	r = policy_endpoint_tell(policy, network_id, id, &(struct words){ labels.items, labels.n },
				 &err);
	if (r < 0 && r != -EAGAIN)
		log_failure(&speaker, &err);
	else if (r > 0)
		log_news(&speaker,
			 endpoint->exception ? &endpoint->exception->egress
					     : &policy_network(policy, network_id)->egress,
			 endpoint->remark ? endpoint->remark : "");
}

void labels_of_containers(struct policy *policy, const struct docker_containers *containers)
{
	for (size_t i = 0; i < containers->n; i++)
		for (size_t e = 0; e < containers->items[i].n_endpoints; e++)
			tell_endpoint(policy, &containers->items[i], e);
}
