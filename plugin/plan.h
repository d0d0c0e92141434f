/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `tailexit plan`: what a network with these options would become. Asks nobody, touches nothing. */
#pragma once

#include "../policy/base/err.h"
#include "settings.h"

int plan_command(const struct settings *settings, struct err *err);
