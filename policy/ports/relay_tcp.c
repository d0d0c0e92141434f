/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See relay_tcp.h. Listening, accepting and connecting; the life after that is in tcp_flow.c. */
#include "relay_tcp.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>

#include "../base/mem.h"
#include "socket_addr.h"
#include "tcp_flow.h"

#define ACCEPTS_PER_CALL 8
#define PAUSE_MS 100
/* A peer that vanished without a word is noticed after 75 + 4 * 15 s. */
#define KEEPALIVE_IDLE_S 75
#define KEEPALIVE_INTERVAL_S 15
#define KEEPALIVE_PROBES 4

enum side { CLIENT, CONTAINER, SIDES };

struct tcp_conn {
	struct relay_source ends[SIDES];
	bool hung_up[SIDES];
	bool connecting;
	struct tcp_flow flows[SIDES]; /* flows[s] moves what side s sends */
	struct tcp_listener *listener;
	struct tcp_conn *prev, *next; /* of the same listener */
};

struct tcp_listener {
	struct relay_source source;
	struct relay_tcp *tcp;
	struct relay_target target;
	struct tcp_conn *conns; /* owned */
	bool paused;
	struct tcp_listener *next_paused;
};

struct relay_tcp {
	struct relay *relay;
	struct pipe_pool pipes;
	size_t n_conns;
	size_t max_conns;
	struct loop_timer *resume;
	struct tcp_listener *paused;
};

static void set_int(int fd, int level, int option, int value)
{
	(void)setsockopt(fd, level, option, &value, sizeof(value));
}

/* The far end is to see what the near end did: small writes at once, and the dead noticed. */
static void set_options(int fd)
{
	set_int(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	set_int(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
	set_int(fd, IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_IDLE_S);
	set_int(fd, IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_INTERVAL_S);
	set_int(fd, IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_PROBES);
}

/* The peer sees a reset instead of an orderly end. */
static void close_with_reset(int fd)
{
	struct linger none = { .l_onoff = 1 };

	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
	close(fd);
}

static void conn_free(struct tcp_conn *conn, bool reset)
{
	struct relay_tcp *tcp = conn->listener->tcp;

	for (enum side s = CLIENT; s < SIDES; s++) {
		relay_unwatch(tcp->relay, &conn->ends[s]);
		tcp_flow_done(&conn->flows[s]);
		if (reset)
			close_with_reset(conn->ends[s].fd);
		else
			close(conn->ends[s].fd);
	}
	if (conn->next)
		conn->next->prev = conn->prev;
	if (conn->prev)
		conn->prev->next = conn->next;
	else
		conn->listener->conns = conn->next;
	tcp->n_conns--;
	free(conn);
}

/* Back pressure is nothing but this: a side is not asked for more while the other is still full. */
static int conn_watch(struct tcp_conn *conn)
{
	struct relay *relay = conn->listener->tcp->relay;

	for (enum side s = CLIENT; s < SIDES; s++) {
		uint32_t events = 0;
		int r;

		if (tcp_flow_wants_input(&conn->flows[s]))
			events |= EPOLLIN;
		if (conn->flows[!s].pending > 0)
			events |= EPOLLOUT;
		/* An end that hung up would be reported for ever. */
		if (events == 0 && conn->hung_up[s]) {
			relay_unwatch(relay, &conn->ends[s]);
			continue;
		}
		r = relay_watch(relay, &conn->ends[s], events);
		if (r < 0)
			return r;
	}
	return 0;
}

static int take_error(int fd)
{
	int error = 0;
	socklen_t len = sizeof(error);

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		return -errno;
	return -error;
}

/* Negative: the connection has to be reset. */
static int conn_move(struct tcp_conn *conn, enum side s, uint32_t events)
{
	struct relay_source *ends = conn->ends;
	int r = 0;

	if (events & EPOLLOUT)
		r = tcp_flow_run(&conn->flows[!s], ends[!s].fd, ends[s].fd);
	if (r == 0 && tcp_flow_wants_input(&conn->flows[s])) {
		/* After a reset there may still be bytes to read; reading reports it when they are
		 * through. */
		if (events & (EPOLLIN | EPOLLERR | EPOLLHUP))
			r = tcp_flow_run(&conn->flows[s], ends[s].fd, ends[!s].fd);
	} else if (r == 0 && (events & EPOLLERR)) {
		r = take_error(ends[s].fd);
	}
	if (events & EPOLLHUP)
		conn->hung_up[s] = true;
	return r;
}

static void conn_event(struct relay_source *source, uint32_t events)
{
	struct tcp_conn *conn = source->owner;
	enum side s = source == &conn->ends[CLIENT] ? CLIENT : CONTAINER;
	int r = 0;

	if (conn->connecting) {
		/* The client can only have given up; the container has answered, or will not. */
		r = s == CLIENT ? -ECONNRESET : take_error(source->fd);
		conn->connecting = false;
	} else {
		r = conn_move(conn, s, events);
	}
	if (r == 0 && conn->flows[CLIENT].over && conn->flows[CONTAINER].over) {
		conn_free(conn, false);
		return;
	}
	if (r == 0)
		r = conn_watch(conn);
	if (r < 0)
		conn_free(conn, true);
}

static int connect_to(const struct relay_target *target)
{
	union socket_addr name;
	socklen_t len = socket_addr_set(&name, &target->addr, target->port);
	int fd = socket(target->addr.family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int r;

	if (fd < 0)
		return -errno;
	if (connect(fd, &name.any, len) < 0 && errno != EINPROGRESS) {
		r = -errno;
		close(fd);
		return r;
	}
	return fd;
}

/* Takes over the client's socket, whatever happens. */
static void conn_new(struct tcp_listener *listener, int client_fd)
{
	struct relay_tcp *tcp = listener->tcp;
	struct tcp_conn *conn;
	int fd = -EMFILE;

	if (tcp->n_conns < tcp->max_conns)
		fd = connect_to(&listener->target);
	if (fd < 0) {
		close_with_reset(client_fd);
		return;
	}
	set_options(client_fd);
	set_options(fd);
	conn = xcalloc(1, sizeof(*conn));
	conn->ends[CLIENT] = (struct relay_source){ client_fd, conn_event, conn, 0, false };
	conn->ends[CONTAINER] = (struct relay_source){ fd, conn_event, conn, 0, false };
	conn->listener = listener;
	conn->connecting = true;
	for (enum side s = CLIENT; s < SIDES; s++)
		tcp_flow_init(&conn->flows[s], &tcp->pipes);
	conn->next = listener->conns;
	if (conn->next)
		conn->next->prev = conn;
	listener->conns = conn;
	tcp->n_conns++;
	if (relay_watch(tcp->relay, &conn->ends[CLIENT], 0) < 0 ||
	    relay_watch(tcp->relay, &conn->ends[CONTAINER], EPOLLOUT) < 0)
		conn_free(conn, true);
}

static void resume(void *arg)
{
	struct relay_tcp *tcp = arg;

	while (tcp->paused) {
		struct tcp_listener *listener = tcp->paused;

		if (relay_watch(tcp->relay, &listener->source, EPOLLIN) < 0) {
			loop_timer_arm(tcp->resume, PAUSE_MS);
			return;
		}
		listener->paused = false;
		tcp->paused = listener->next_paused;
	}
}

/* Out of file descriptors or kernel memory: the waiting client would be reported without end. */
static void pause_listening(struct tcp_listener *listener)
{
	struct relay_tcp *tcp = listener->tcp;

	relay_unwatch(tcp->relay, &listener->source);
	listener->paused = true;
	listener->next_paused = tcp->paused;
	tcp->paused = listener;
	loop_timer_arm(tcp->resume, PAUSE_MS);
}

static void forget_pause(struct tcp_listener *listener)
{
	struct tcp_listener **link = &listener->tcp->paused;

	if (!listener->paused)
		return;
	while (*link != listener)
		link = &(*link)->next_paused;
	*link = listener->next_paused;
}

static void accept_event(struct relay_source *source, uint32_t events)
{
	struct tcp_listener *listener = source->owner;

	(void)events;
	for (int i = 0; i < ACCEPTS_PER_CALL; i++) {
		int fd = accept4(source->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd >= 0) {
			conn_new(listener, fd);
			continue;
		}
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS)
			pause_listening(listener);
		/* EAGAIN; every other error belongs to one client, who is gone from the queue. */
		return;
	}
}

struct relay_tcp *relay_tcp_new(struct relay *relay, size_t max_connections)
{
	struct relay_tcp *tcp = xcalloc(1, sizeof(*tcp));

	tcp->relay = relay;
	tcp->max_conns = max_connections;
	tcp->resume = loop_timer_new(relay_loop(relay), resume, tcp);
	return tcp;
}

void relay_tcp_free(struct relay_tcp *tcp)
{
	if (!tcp)
		return;
	loop_timer_free(tcp->resume);
	pipe_pool_done(&tcp->pipes);
	free(tcp);
}

struct tcp_listener *tcp_listener_new(struct relay_tcp *tcp, int fd,
				      const struct relay_target *target, struct err *err)
{
	struct tcp_listener *listener = xcalloc(1, sizeof(*listener));
	int r;

	listener->source = (struct relay_source){ fd, accept_event, listener, 0, false };
	listener->tcp = tcp;
	listener->target = *target;
	r = relay_watch(tcp->relay, &listener->source, EPOLLIN);
	if (r < 0) {
		(void)err_errno(err, r, "cannot watch a published port");
		free(listener);
		return NULL;
	}
	return listener;
}

void tcp_listener_set_target(struct tcp_listener *listener, const struct relay_target *target)
{
	listener->target = *target;
}

void tcp_listener_free(struct tcp_listener *listener)
{
	while (listener->conns)
		conn_free(listener->conns, true);
	relay_unwatch(listener->tcp->relay, &listener->source);
	forget_pause(listener);
	close(listener->source.fd);
	free(listener);
}
