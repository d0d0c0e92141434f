/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a test and fault.so share: a file of this size, mapped by the daemon. tests/lab/faults.py
 * writes and reads the same fields. */
#pragma once

#include <stdint.h>

/* Which calls are counted. */
enum kind {
	KIND_FILE = 1,    /* changes a file or a directory */
	KIND_CHANGE = 2,  /* asks the kernel for a change, over netlink */
	KIND_READ = 4,    /* asks it for what there is */
	KIND_RECEIVE = 8, /* reads its answer */
	KIND_REPLY = 16,  /* tells the client */
};

enum action {
	ACTION_NONE,
	ACTION_DIE,    /* instead of the call */
	ACTION_FAIL,   /* the call fails with the error, and does nothing */
	ACTION_REFUSE, /* the kernel answers with the error, and does nothing */
	ACTION_LOSE,   /* the kernel has done it, but the answer is lost with the error */
};

struct fault {
	uint32_t kinds;  /* OR of enum kind */
	uint32_t at;     /* the call it happens at, from 1; 0: none, only count */
	uint32_t action; /* enum action */
	uint32_t error;  /* errno */
	uint32_t always; /* counts outside of a client's call, too: when the daemon starts */
	uint32_t count;  /* so many calls so far */
	char text[104];  /* what was hit; empty: nothing yet */
};
