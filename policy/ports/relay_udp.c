/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See relay_udp.h. */
#include "relay_udp.h"

#include <errno.h>
#include <sys/epoll.h>

#include "../base/mem.h"
#include "socket_addr.h"
#include "udp_message.h"

#define DATAGRAMS_PER_CALL 32
#define DATAGRAM_MAX 65536
#define BUCKETS 1024

struct udp_session {
	struct relay_source source; /* connected to the container */
	struct udp_listener *listener;
	struct udp_path path;
	uint64_t used_ms;
	struct udp_session *chain;         /* of the bucket */
	struct udp_session *older, *newer; /* by last use */
};

struct udp_listener {
	struct relay_source source;
	struct relay_udp *udp;
	struct relay_target target;
};

struct relay_udp {
	struct relay *relay;
	struct loop_timer *expiry;
	size_t max_sessions;
	uint64_t idle_ms;
	size_t n_sessions;
	struct udp_session *oldest, *newest;
	struct udp_session *buckets[BUCKETS];
	uint8_t buffer[DATAGRAM_MAX];
};

/* FNV-1a. Somebody who makes sessions collide makes 1,024 comparisons of a lookup, no more. */
static struct udp_session **bucket_of(struct udp_listener *listener, const struct udp_path *path)
{
	const uint8_t *bytes = (const uint8_t *)path;
	uint32_t hash = 2166136261u ^ (uint32_t)listener->source.fd;

	for (size_t i = 0; i < sizeof(*path); i++)
		hash = (hash ^ bytes[i]) * 16777619u;
	return &listener->udp->buckets[hash % BUCKETS];
}

static void age_remove(struct relay_udp *udp, struct udp_session *session)
{
	if (session->older)
		session->older->newer = session->newer;
	else
		udp->oldest = session->newer;
	if (session->newer)
		session->newer->older = session->older;
	else
		udp->newest = session->older;
}

static void age_append(struct relay_udp *udp, struct udp_session *session)
{
	session->older = udp->newest;
	session->newer = NULL;
	if (udp->newest)
		udp->newest->newer = session;
	else
		udp->oldest = session;
	udp->newest = session;
	session->used_ms = loop_now_ms();
}

static void session_touch(struct udp_session *session)
{
	struct relay_udp *udp = session->listener->udp;

	age_remove(udp, session);
	age_append(udp, session);
}

static void session_free(struct udp_session *session)
{
	struct relay_udp *udp = session->listener->udp;
	struct udp_session **link = bucket_of(session->listener, &session->path);

	while (*link != session)
		link = &(*link)->chain;
	*link = session->chain;
	age_remove(udp, session);
	udp->n_sessions--;
	relay_unwatch(udp->relay, &session->source);
	close(session->source.fd);
	free(session);
}

static void expire(void *arg)
{
	struct relay_udp *udp = arg;
	uint64_t now = loop_now_ms();

	while (udp->oldest && now - udp->oldest->used_ms >= udp->idle_ms)
		session_free(udp->oldest);
	if (udp->oldest)
		loop_timer_arm(udp->expiry, udp->oldest->used_ms + udp->idle_ms - now);
}

/* From the container to the client. An error reported by the network (nobody listens there yet) is
 * taken off the socket by being received, and ends nothing. */
static void answer_event(struct relay_source *source, uint32_t events)
{
	struct udp_session *session = source->owner;
	struct relay_udp *udp = session->listener->udp;

	(void)events;
	for (int i = 0; i < DATAGRAMS_PER_CALL; i++) {
		ssize_t n = recv(source->fd, udp->buffer, sizeof(udp->buffer), 0);

		if (n < 0)
			return;
		(void)udp_reply(session->listener->source.fd, udp->buffer, (size_t)n,
				&session->path);
		session_touch(session);
	}
}

static int connect_to(const struct relay_target *target)
{
	union socket_addr name;
	socklen_t len = socket_addr_set(&name, &target->addr, target->port);
	int fd = socket(target->addr.family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int r;

	if (fd < 0)
		return -errno;
	if (connect(fd, &name.any, len) < 0) {
		r = -errno;
		close(fd);
		return r;
	}
	return fd;
}

static struct udp_session *session_new(struct udp_listener *listener, const struct udp_path *path)
{
	struct udp_session **bucket = bucket_of(listener, path);
	struct relay_udp *udp = listener->udp;
	struct udp_session *session;
	int fd;

	/* A flood of clients pushes out those who rest, not those who talk. */
	if (udp->n_sessions >= udp->max_sessions)
		session_free(udp->oldest);
	fd = connect_to(&listener->target);
	if (fd < 0)
		return NULL;
	session = xcalloc(1, sizeof(*session));
	session->source = (struct relay_source){ fd, answer_event, session, 0, false };
	session->listener = listener;
	session->path = *path;
	if (relay_watch(udp->relay, &session->source, EPOLLIN) < 0) {
		close(fd);
		free(session);
		return NULL;
	}
	session->chain = *bucket;
	*bucket = session;
	age_append(udp, session);
	if (udp->n_sessions++ == 0)
		loop_timer_arm(udp->expiry, udp->idle_ms);
	return session;
}

static struct udp_session *session_find(struct udp_listener *listener, const struct udp_path *path)
{
	struct udp_session *session = *bucket_of(listener, path);

	while (session &&
	       (session->listener != listener || memcmp(&session->path, path, sizeof(*path)) != 0))
		session = session->chain;
	return session;
}

/* From a client to the container. */
static void ask_event(struct relay_source *source, uint32_t events)
{
	struct udp_listener *listener = source->owner;
	uint8_t *buffer = listener->udp->buffer;

	(void)events;
	for (int i = 0; i < DATAGRAMS_PER_CALL; i++) {
		struct udp_path path;
		struct udp_session *session;
		ssize_t n = udp_receive(source->fd, buffer, DATAGRAM_MAX, &path);

		if (n == -EBADMSG)
			continue;
		if (n < 0)
			return;
		session = session_find(listener, &path);
		if (session)
			session_touch(session);
		else
			session = session_new(listener, &path);
		if (!session)
			continue;
		/* A send may only report what became of the one before. */
		if (send(session->source.fd, buffer, (size_t)n, MSG_NOSIGNAL) < 0 &&
		    errno == ECONNREFUSED)
			(void)send(session->source.fd, buffer, (size_t)n, MSG_NOSIGNAL);
	}
}

struct relay_udp *relay_udp_new(struct relay *relay, size_t max_sessions, uint64_t idle_ms)
{
	struct relay_udp *udp = xcalloc(1, sizeof(*udp));

	udp->relay = relay;
	udp->max_sessions = max_sessions;
	udp->idle_ms = idle_ms;
	udp->expiry = loop_timer_new(relay_loop(relay), expire, udp);
	return udp;
}

void relay_udp_free(struct relay_udp *udp)
{
	if (!udp)
		return;
	loop_timer_free(udp->expiry);
	free(udp);
}

struct udp_listener *udp_listener_new(struct relay_udp *udp, int fd,
				      const struct relay_target *target, struct err *err)
{
	struct udp_listener *listener = xcalloc(1, sizeof(*listener));
	int r;

	listener->source = (struct relay_source){ fd, ask_event, listener, 0, false };
	listener->udp = udp;
	listener->target = *target;
	r = relay_watch(udp->relay, &listener->source, EPOLLIN);
	if (r < 0) {
		(void)err_errno(err, r, "cannot watch a published port");
		free(listener);
		return NULL;
	}
	return listener;
}

static void end_sessions(struct udp_listener *listener)
{
	struct udp_session *next;

	for (struct udp_session *s = listener->udp->oldest; s; s = next) {
		next = s->newer;
		if (s->listener == listener)
			session_free(s);
	}
}

void udp_listener_set_target(struct udp_listener *listener, const struct relay_target *target)
{
	if (target->port == listener->target.port &&
	    addr_equal(&target->addr, &listener->target.addr))
		return;
	end_sessions(listener);
	listener->target = *target;
}

void udp_listener_free(struct udp_listener *listener)
{
	end_sessions(listener);
	relay_unwatch(listener->udp->relay, &listener->source);
	close(listener->source.fd);
	free(listener);
}
