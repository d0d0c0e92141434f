/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See store.h. */
#include "store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/strbuf.h"
#include "model/codec.h"
#include "model/world.h"

#define SUFFIX ".json"
#define NEIGHBOURS "neighbours"
#define CLIENT "client"
#define NAME_SIZE (ID_SIZE + sizeof(SUFFIX))
#define FILE_MAX (1 << 20)

static int open_dir(const char *base, const char *name, int *ret_fd, struct err *err)
{
	AUTO(strbuf) struct strbuf path = { 0 };

	/* Everything up to base, too: /var/lib may be all there is. */
	strbuf_addf(&path, "%s/%s", base, name);
	for (char *slash = strchr(path.text + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		(void)mkdir(path.text, 0755);
		*slash = '/';
	}
	if (mkdir(path.text, 0700) < 0 && errno != EEXIST)
		return err_errno(err, -errno, "make directory %s", path.text);
	*ret_fd = open(path.text, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*ret_fd < 0)
		return err_errno(err, -errno, "open directory %s", path.text);
	return 0;
}

static int open_existing(const char *base, const char *name, int *ret_fd, struct err *err)
{
	AUTO(strbuf) struct strbuf path = { 0 };

	strbuf_addf(&path, "%s/%s", base, name);
	*ret_fd = open(path.text, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*ret_fd < 0 && errno != ENOENT)
		return err_errno(err, -errno, "open directory %s", path.text);
	return 0;
}

int store_open_read_only(struct store *ret_store, const char *state_dir, const char *run_dir,
			 struct err *err)
{
	struct store store = { -1, -1, -1, .read_only = true };
	int r = open_existing(state_dir, "networks", &store.networks, err);

	if (r == 0)
		r = open_existing(run_dir, "endpoints", &store.endpoints, err);
	if (r == 0)
		r = open_existing(state_dir, ".", &store.state, err);
	if (r < 0)
		store_close(&store);
	else
		*ret_store = store;
	return r;
}

int store_open(struct store *ret_store, const char *state_dir, const char *run_dir, struct err *err)
{
	struct store store = { -1, -1, -1 };
	int r = open_dir(state_dir, "networks", &store.networks, err);

	if (r == 0)
		r = open_dir(run_dir, "endpoints", &store.endpoints, err);
	if (r == 0)
		r = open_dir(state_dir, ".", &store.state, err);
	if (r < 0)
		store_close(&store);
	else
		*ret_store = store;
	return r;
}

void store_close(struct store *store)
{
	if (store->networks >= 0)
		close(store->networks);
	if (store->endpoints >= 0)
		close(store->endpoints);
	if (store->state >= 0)
		close(store->state);
}

static int write_all(int fd, const char *text, size_t len)
{
	while (len) {
		ssize_t n = write(fd, text, len);

		if (n < 0)
			return -errno;
		text += n;
		len -= n;
	}
	return 0;
}

static int write_file(int dir, const char *name, const char *text, bool durable)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	int r;

	if (fd < 0)
		return -errno;
	r = write_all(fd, text, strlen(text));
	if (r == 0 && durable && fsync(fd) < 0)
		r = -errno;
	close(fd);
	return r;
}

static int save(int dir, const char *id, json_t *json, bool durable, struct err *err)
{
	AUTO_FREE char *text = mem_check(json_dumps(json, JSON_INDENT(1)));
	char name[NAME_SIZE], temporary[NAME_SIZE + 1];
	bool renamed = false;
	int r;

	json_decref(json);
	snprintf(name, sizeof(name), "%s" SUFFIX, id);
	snprintf(temporary, sizeof(temporary), ".%s", name);
	r = write_file(dir, temporary, text, durable);
	if (r == 0) {
		renamed = renameat(dir, temporary, dir, name) == 0;
		r = renamed ? 0 : -errno;
	}
	if (r == 0 && durable && fsync(dir) < 0)
		r = -errno;
	if (r < 0) {
		/* Under its own name as well: the next start must not find what was refused. */
		(void)unlinkat(dir, renamed ? name : temporary, 0);
		return err_errno(err, r, "cannot save state file %s", name);
	}
	return 0;
}

int store_save_network(struct store *store, const struct network *network, struct err *err)
{
	return save(store->networks, network->id, network_encode(network), true, err);
}

int store_save_endpoint(struct store *store, const struct endpoint *endpoint, struct err *err)
{
	return save(store->endpoints, endpoint->id, endpoint_encode(endpoint), false, err);
}

int store_remove_network(struct store *store, const char *id, struct err *err)
{
	char name[NAME_SIZE];

	snprintf(name, sizeof(name), "%s" SUFFIX, id);
	if (unlinkat(store->networks, name, 0) < 0 && errno != ENOENT)
		return err_errno(err, -errno, "cannot remove state file %s", name);
	(void)fsync(store->networks);
	return 0;
}

bool store_has_network(const struct store *store, const char *id)
{
	char name[NAME_SIZE];

	snprintf(name, sizeof(name), "%s" SUFFIX, id);
	return faccessat(store->networks, name, F_OK, 0) == 0;
}

void store_remove_endpoint(struct store *store, const char *id)
{
	char name[NAME_SIZE];

	if (store->read_only)
		return;
	snprintf(name, sizeof(name), "%s" SUFFIX, id);
	(void)unlinkat(store->endpoints, name, 0);
}

/* In one go: json_loadfd() asks the kernel for every single byte. */
static ssize_t read_text(int fd, char **ret_text, struct err *err)
{
	struct stat st;
	ssize_t n;

	if (fstat(fd, &st) < 0)
		return err_errno(err, -errno, "open");
	if (st.st_size > FILE_MAX)
		return err_set(err, -EFBIG, "larger than any state file of ours");
	*ret_text = xcalloc(1, (size_t)st.st_size + 1);
	n = read(fd, *ret_text, (size_t)st.st_size);
	return n < 0 ? err_errno(err, -errno, "read") : n;
}

static json_t *read_json(int dir, const char *name, struct err *err)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	AUTO_FREE char *text = NULL;
	json_t *json = NULL;
	json_error_t error;
	ssize_t n;

	if (fd < 0) {
		err_errno(err, -errno, "open");
		return NULL;
	}
	n = read_text(fd, &text, err);
	close(fd);
	if (n >= 0)
		json = json_loadb(text, (size_t)n, JSON_REJECT_DUPLICATES, &error);
	if (n >= 0 && !json)
		err_set(err, -EINVAL, "line %d: %s", error.line, error.text);
	return json;
}

/* A file is named after what it contains; anything else would be written back under another name.
 */
static int check_name(const char *file, const char *id, struct err *err)
{
	char name[NAME_SIZE];

	snprintf(name, sizeof(name), "%s" SUFFIX, id);
	if (!streq(file, name))
		return err_set(err, -EINVAL, "contains \"id\": \"%s\"", id);
	return 0;
}

struct load {
	void (*network)(void *arg, const struct network *network);
	void (*endpoint)(void *arg, struct endpoint *endpoint);
	void *arg;
};

static int load_file(const struct load *load, const char *file, const json_t *json, struct err *err)
{
	struct endpoint endpoint;
	struct network network;
	int r;

	if (load->network) {
		r = network_decode(&network, json, err);
		if (r == 0)
			r = check_name(file, network.id, err);
		if (r == 0)
			load->network(load->arg, &network);
		return r;
	}
	r = endpoint_decode(&endpoint, json, err);
	if (r < 0)
		return r;
	r = check_name(file, endpoint.id, err);
	if (r == 0)
		load->endpoint(load->arg, &endpoint);
	else
		endpoint_done(&endpoint);
	return r;
}

/* What was being written when the power went: never renamed, so never promised to anybody. */
static bool is_temporary(const char *name)
{
	return name[0] == '.' && !streq(name, ".") && !streq(name, "..");
}

static int load_dir(const struct store *store, int dir_fd, const struct load *load,
		    store_bad_fn *bad, struct err *err)
{
	int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (store->read_only && dir_fd < 0) /* does not exist */
		return 0;
	if (!dir)
		return err_errno(err, -errno, "read state directory");
	while ((entry = readdir(dir))) {
		struct err reason = { 0 };
		json_t *json;

		if (is_temporary(entry->d_name) && !store->read_only)
			(void)unlinkat(dir_fd, entry->d_name, 0);
		if (entry->d_name[0] == '.')
			continue;
		json = read_json(dir_fd, entry->d_name, &reason);
		if (!json || load_file(load, entry->d_name, json, &reason) < 0)
			bad(load->arg, entry->d_name, &reason);
		json_decref(json);
	}
	closedir(dir);
	return 0;
}

int store_load_networks(struct store *store, void (*fn)(void *arg, const struct network *network),
			store_bad_fn *bad, void *arg, struct err *err)
{
	return load_dir(store, store->networks, &(struct load){ .network = fn, .arg = arg }, bad,
			err);
}

int store_load_endpoints(struct store *store, void (*fn)(void *arg, struct endpoint *endpoint),
			 store_bad_fn *bad, void *arg, struct err *err)
{
	return load_dir(store, store->endpoints, &(struct load){ .endpoint = fn, .arg = arg }, bad,
			err);
}

int store_save_neighbours(struct store *store, const char (*names)[IFNAMSIZ], size_t n,
			  struct err *err)
{
	json_t *list;

	if (n == 0) {
		(void)unlinkat(store->state, NEIGHBOURS SUFFIX, 0);
		return 0;
	}
	list = mem_check(json_array());
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, json_string(names[i]));
	return save(store->state, NEIGHBOURS, list, true, err);
}

void store_load_neighbours(struct store *store, void (*fn)(void *arg, const char *name), void *arg)
{
	struct err ignored;
	json_t *list = read_json(store->state, NEIGHBOURS SUFFIX, &ignored);

	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *name = json_string_value(json_array_get(list, i));

		if (name && *name && strlen(name) < IFNAMSIZ)
			fn(arg, name);
	}
	json_decref(list);
}

int store_save_client(struct store *store, const char *client, struct err *err)
{
	if (client)
		return save(store->state, CLIENT, mem_check(json_pack("[s]", client)), true, err);
	(void)unlinkat(store->state, CLIENT SUFFIX, 0);
	return 0;
}

void store_load_client(struct store *store, char ret_client[ID_SIZE])
{
	struct err ignored;
	json_t *list = read_json(store->state, CLIENT SUFFIX, &ignored);
	const char *client = json_string_value(json_array_get(list, 0));

	snprintf(ret_client, ID_SIZE, "%s", client ? client : "");
	json_decref(list);
}
