/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `tailexit ports`: what is published, which `docker ps` does not show for drivers like this one.
 */
#pragma once

#include "../policy/base/err.h"
#include "settings.h"

int ports_print(const struct settings *settings, struct err *err);
