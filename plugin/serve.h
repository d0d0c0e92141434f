/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The daemon, from its start to its end. */
#pragma once

#include "../policy/base/err.h"
#include "settings.h"

/* Returns when SIGTERM or SIGINT comes; the kernel keeps everything as it is. */
int serve(const struct settings *settings, struct err *err);
