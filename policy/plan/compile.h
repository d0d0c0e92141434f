/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From the world to a plan. Pure: no clock, no kernel, no state. A world's plan is the union of
 * pieces that do not overlap, so that changing one network costs the same however many there are.
 */
#pragma once

#include "../model/world.h"
#include "plan.h"

/* The table with its base chains, policy rules, forwarding: what the first network needs. */
void compile_common(const struct facts *facts, struct plan *plan);
/* What all networks with exits share. */
void compile_exits(const struct facts *facts, struct plan *plan); /* refusals.c */
/* What the networks with this list of exits share. */
void compile_path(const struct egress *egress, const struct facts *facts, struct plan *plan);
/* Of all lists of exits that are in use. */
void compile_paths(const struct world *world, struct plan *plan);
/* What the networks that are not open share. */
void compile_fences(const struct world *world, struct plan *plan);
/* Both of these, and no network. */
void compile_shared(const struct world *world, struct plan *plan);
/* One network without its path and its endpoints. Depends on whether one of these differs. */
void compile_network(const struct member *member, const struct facts *facts, struct plan *plan);
/* One endpoint without its path. */
void compile_endpoint(const struct member *member, const struct facts *facts,
		      const struct endpoint *endpoint, struct plan *plan);
/* A network with all its endpoints. */
void compile_member(const struct member *member, const struct facts *facts, struct plan *plan);
/* Everything, sorted. Empty when there is no network. */
void compile_world(const struct world *world, struct plan *plan);

/* The first of its exits that can be used now; but one that has just come back is not taken as long
 * as another one is in use, or can be. NULL: none. */
const struct exit_fact *path_choose(const struct egress *egress, const struct facts *facts);

/* The parts of compile_common(), compile_path(), compile_network() and compile_endpoint(), each in
 * the file of its name. */
struct scope;
void compile_path_refusals(const struct egress *egress, struct plan *plan); /* refusals.c */
void compile_answers(struct plan *plan);
void compile_path_answers(const struct egress *egress, struct plan *plan);
/* The rule that leads there, in a chain of a network or of a container that differs. */
void mark_answers(const struct egress *egress, struct fw_chain *mark);
void permit_answers(const struct egress *egress, struct fw_chain *from); /* answers.c */
void compile_mark(const struct scope *scope, struct plan *plan);
/* The end of compile_mark(). */
void compile_closed(const struct scope *scope, struct fw_chain *mark, struct plan *plan);
void compile_egress(const struct scope *scope, struct plan *plan);
void compile_source(const struct scope *scope, const struct endpoint *endpoint,
		    struct plan *plan); /* egress.c */
void compile_ingress(const struct scope *scope, struct plan *plan);
void compile_hostside(const struct scope *scope, struct plan *plan);
void compile_translation(const struct scope *scope, struct plan *plan);
void compile_guard_base(struct plan *plan);
void compile_guard(const struct scope *scope, struct plan *plan);
void compile_port_guard(const struct scope *scope, const struct endpoint *endpoint,
			struct plan *plan); /* guard.c */
void compile_links(const struct member *member, const struct facts *facts, struct plan *plan);
void compile_veth(const struct member *member, const struct facts *facts,
		  const struct endpoint *endpoint, struct plan *plan); /* links.c */
void compile_ports(const struct network *network, const struct endpoint *endpoint,
		   struct plan *plan); /* published.c */
