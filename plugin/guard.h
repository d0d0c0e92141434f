/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `tailexit guard`: the fences of all known networks, before any of them is there. Then it ends. */
#pragma once

#include "../policy/base/err.h"
#include "settings.h"

int guard_command(const struct settings *settings, struct err *err);
