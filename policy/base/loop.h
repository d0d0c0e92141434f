/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One thread, one epoll set. Every callback runs to completion and sees a whole world. A source may
 * remove itself or any other source from inside a callback. */
#pragma once

#include <stdint.h>

#include "err.h"

struct loop;
struct loop_timer;

typedef void loop_fd_fn(void *arg, uint32_t events);
typedef void loop_timer_fn(void *arg);

struct loop *loop_new(struct err *err);
void loop_free(struct loop *loop); /* accepts NULL */

/* events are EPOLLIN, EPOLLOUT ...; the fd stays the caller's. */
int loop_fd_add(struct loop *loop, int fd, uint32_t events, loop_fd_fn *fn, void *arg);
void loop_fd_mod(struct loop *loop, int fd, uint32_t events);
void loop_fd_del(struct loop *loop, int fd); /* before close(); unknown fds are ignored */

/* A timer is made disarmed and fires once per loop_timer_arm(). */
struct loop_timer *loop_timer_new(struct loop *loop, loop_timer_fn *fn, void *arg);
void loop_timer_arm(struct loop_timer *timer, uint64_t delay_ms);
void loop_timer_disarm(struct loop_timer *timer);
void loop_timer_free(struct loop_timer *timer); /* accepts NULL */

int loop_run(struct loop *loop, struct err *err); /* until loop_quit() */
void loop_quit(struct loop *loop);

uint64_t loop_now_ms(void); /* monotonic */
