/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Networks and endpoints for tests. */
#pragma once

#include "../../policy/model/world.h"

/* 10.77.0.0/24 and, with v6, fd77::/64 on bridge te-aaaa, everything else as defaults are. */
struct network test_network(bool v6);
/* 10.77.0.2 and fd77::2 as far as the network has them. */
struct endpoint test_endpoint(const struct network *network);
struct addr test_addr(const char *text);
struct prefix test_prefix(const char *text);
/* Owned by the caller. */
struct port *test_port(uint8_t proto, const char *host, uint16_t host_port, uint16_t port);
