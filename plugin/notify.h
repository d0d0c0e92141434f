/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tells systemd, if it started us, that the networks are as they should be: what is ordered after
 * us, dockerd above all, may start now. */
#pragma once

void notify_ready(void);
