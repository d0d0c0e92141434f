/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Both ends of the control socket, over which people's tools ask the daemon. */
#pragma once

#include <stddef.h>

#include "../policy/base/err.h"
#include "../policy/base/strbuf.h"

/* In the run directory. */
#define CONTROL_SOCKET "control.sock"

#define CONTROL_PORTS "/ports"   /* every published port, as a JSON array */
#define CONTROL_STATUS "/status" /* what networks do, and how we fare: a JSON object */
#define CONTROL_DIFF "/diff" /* what the kernel has otherwise than it should, as a JSON string */

struct policy;
struct dockerd;
struct call_times;

/* Who can answer. */
struct control {
	struct policy *policy;
	struct dockerd *dockerd; /* NULL: not there yet */
	const struct call_times *times;
};

/* The daemon's end: a handler of the server; its argument is a struct control. */
void control_handle(void *control, const char *path, const char *body, size_t len,
		    struct strbuf *reply, int *ret_status);

/* The tool's end. Waits for the answer, but not for ever. */
int control_call(const char *run_dir, const char *path, struct strbuf *ret_reply, struct err *err);
