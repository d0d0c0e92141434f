/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From the world to a plan. Pure: no clock, no kernel, no state. A world's plan is the union of
 * pieces that do not overlap, so that changing one network costs the same however many there are.
 */
#pragma once

#include "../model/world.h"
#include "plan.h"

/* The table with its base chains, policy rules, forwarding: what the first network needs. */
void compile_common(const struct facts *facts, struct plan *plan);
/* What the networks with this list of exits share. */
void compile_path(const struct egress *egress, const struct facts *facts, struct plan *plan);
/* One network without its path and its endpoints. */
void compile_network(const struct network *network, const struct facts *facts, struct plan *plan);
void compile_endpoint(const struct network *network, const struct facts *facts,
		      const struct endpoint *endpoint, struct plan *plan);
/* Everything, sorted. Empty when there is no network. */
void compile_world(const struct world *world, struct plan *plan);

/* The first of its exits that can be used now; but one that has just come back is not taken as long
 * as another one is in use, or can be. NULL: none. */
const struct exit_fact *path_choose(const struct egress *egress, const struct facts *facts);

/* The parts of compile_network() and compile_endpoint(), each in the file of its name. */
void compile_mark(const struct network *network, struct plan *plan);
void compile_egress(const struct network *network, struct plan *plan);
void compile_ingress(const struct network *network, struct plan *plan);
void compile_hostside(const struct network *network, struct plan *plan);
void compile_translation(const struct network *network, struct plan *plan);
void compile_links(const struct network *network, const struct facts *facts, struct plan *plan);
void compile_veth(const struct network *network, const struct facts *facts,
		  const struct endpoint *endpoint, struct plan *plan); /* links.c */
void compile_ports(const struct network *network, const struct endpoint *endpoint,
		   struct plan *plan); /* published.c */
