/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which Docker Engine answers, and what is wrong with it that concerns us. */
#pragma once

#include "../policy/policy.h"

#define ENGINE_VERSION_TARGET "/version"

struct docker_containers;

struct engine_bugs {
	unsigned int major, minor, patch; /* all 0: not known */
	char version[33];                 /* as it calls itself */
	/* A container that leaves by another network than ours, whose priority does not count. */
	char container[65]; /* its name; "": there is none */
	char network[ID_SIZE], endpoint[ID_SIZE];
};

/* Another engine may answer now, with this body. What is wrong with it is logged. */
void engine_bugs_meet(struct engine_bugs *bugs, const char *body, size_t len);
/* Is this endpoint one of ours? */
typedef bool engine_is_own_fn(void *arg, const char *network, const char *endpoint);
void engine_bugs_look_at(struct engine_bugs *bugs, const struct docker_containers *containers,
			 engine_is_own_fn *is_own, void *arg);

/* Each returns whether it is so now, and then says so. */
bool engine_bugs_crash(const struct engine_bugs *bugs, struct strbuf *sentence);
bool engine_bugs_priority(const struct engine_bugs *bugs, engine_is_own_fn *is_own, void *arg,
			  struct strbuf *sentence);
