/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From the path of a request to the method it names, and from an error to the reply that dockerd
 * shows its user. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "../policy/base/strbuf.h"

/* A server_handler; its argument is the struct policy. */
void driver_handle(void *policy, const char *path, const char *body, size_t len,
		   struct strbuf *reply, int *ret_status);
/* Is this what a dockerd asks first? */
bool driver_is_greeting(const char *path);
