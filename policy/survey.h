/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who is in our way: what others have set up on the host that keeps our networks from doing what
 * they should, with what to do about it. We change nothing of it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "kernel/survey.h"
#include "model/world.h"

struct policy;

struct sentences {
	char **texts; /* owned */
	size_t n;
};

void sentences_add(struct sentences *sentences, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void sentences_done(struct sentences *sentences);

/* Looks, and says what it found. */
void survey_host(struct policy *policy, struct sentences *sentences);

/* Looks by itself when there may be news, and logs what was not there the last time. */
struct surveyor;
struct surveyor *surveyor_new(struct policy *policy);
void surveyor_free(struct surveyor *surveyor); /* accepts NULL */
void surveyor_look_soon(struct surveyor *surveyor);

/* Pure: does this rule catch packets from or to containers, so that they are led elsewhere than our
 * own rules would? */
bool rule_is_in_our_way(const struct foreign_rule *rule, const struct world *world);
/* In the words of ip-rule(8), without the priority. */
struct strbuf;
void foreign_rule_print(const struct foreign_rule *rule, struct strbuf *text);
