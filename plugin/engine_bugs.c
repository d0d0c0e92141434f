/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See engine_bugs.h. */
#include "engine_bugs.h"

#include <jansson.h>

#include "../policy/base/log.h"
#include "../policy/base/mem.h"
#include "docker_containers.h"

static unsigned int number(unsigned int major, unsigned int minor, unsigned int patch)
{
	return (major * 1000 + minor) * 1000 + patch;
}

static bool is_from_until(const struct engine_bugs *bugs, unsigned int from, unsigned int until)
{
	unsigned int own = number(bugs->major, bugs->minor, bugs->patch);

	return own >= from && own < until;
}

/* moby#51554 */
bool engine_bugs_crash(const struct engine_bugs *bugs, struct strbuf *sentence)
{
	if (!is_from_until(bugs, number(29, 0, 0), number(29, 0, 3)))
		return false;
	strbuf_addf(
		sentence,
		"Docker Engine %s crashes when a container of any plugin network stops; upgrade "
		"to 29.0.3 or newer",
		bugs->version);
	return true;
}

bool engine_bugs_priority(const struct engine_bugs *bugs, engine_is_own_fn *is_own, void *arg,
			  struct strbuf *sentence)
{
	if (!*bugs->container || !is_own(arg, bugs->network, bugs->endpoint))
		return false;
	strbuf_addf(sentence,
		    "container %s leaves by another network than %.12s, whatever their gateway "
		    "priorities: Docker Engine %s prefers the one that has IPv6 as well; give both "
		    "IPv6 or neither, or upgrade to 29.4.1 or newer",
		    bugs->container, bugs->network, bugs->version);
	return true;
}

void engine_bugs_meet(struct engine_bugs *bugs, const char *body, size_t len)
{
	json_t *root = json_loadb(body, len, 0, NULL);
	const char *text = json_string_value(json_object_get(root, "Version"));
	AUTO(strbuf) struct strbuf sentence = { 0 };
	struct engine_bugs met = { 0 };

	if (text && sscanf(text, "%3u.%3u.%3u", &met.major, &met.minor, &met.patch) == 3)
		snprintf(met.version, sizeof(met.version), "%.*s",
			 (int)strspn(text, ID_CHARACTERS "+~"), text);
	else
		met = (struct engine_bugs){ 0 };
	json_decref(root);
	*bugs = met;
	if (engine_bugs_crash(bugs, &sentence))
		log_warn("%s", sentence.text);
}

/* Has the container another network, which the engine prefers to this one of ours? */
static bool is_outdone(const struct docker_container *container, size_t own)
{
	bool dual = false;

	for (size_t e = 0; e < container->n_endpoints; e++)
		dual |= container->v4_out[e] && container->v6_out[e];
	return dual && container->v4_out[own] && !container->v6_out[own];
}

static void find_outdone(struct engine_bugs *bugs, const struct docker_container *container,
			 engine_is_own_fn *is_own, void *arg)
{
	for (size_t e = 0; !*bugs->container && e < container->n_endpoints; e++) {
		const char *network = container->networks[e], *endpoint = container->endpoints[e];

		if (!is_outdone(container, e) || !is_own(arg, network, endpoint))
			continue;
		snprintf(bugs->container, sizeof(bugs->container), "%s", container->name);
		snprintf(bugs->network, sizeof(bugs->network), "%s", network);
		snprintf(bugs->endpoint, sizeof(bugs->endpoint), "%s", endpoint);
	}
}

/* moby#51999 */
void engine_bugs_look_at(struct engine_bugs *bugs, const struct docker_containers *containers,
			 engine_is_own_fn *is_own, void *arg)
{
	AUTO(strbuf) struct strbuf sentence = { 0 };

	if (!is_from_until(bugs, number(28, 0, 0), number(29, 4, 1)) ||
	    engine_bugs_priority(bugs, is_own, arg, &sentence))
		return;
	*bugs->container = '\0';
	for (size_t i = 0; i < containers->n; i++)
		find_outdone(bugs, &containers->items[i], is_own, arg);
	if (engine_bugs_priority(bugs, is_own, arg, &sentence))
		log_warn("%s", sentence.text);
}
