/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Words that are said of a network, or of one endpoint, when it has been made and may be in use.
 * Who says them hears no answer. So what makes no sense closes, and what is not allowed does not
 * count; a remark says so. */
#pragma once

#include "../base/strbuf.h"
#include "network.h"

struct word {
	const char *key, *value;
};
struct words {
	const struct word *items;
	size_t n;
};

/* own: the network, or the network as its endpoint has it; becomes what these words make of it.
 * remark: empty, and stays so if there is nothing to say. */
void later_tell(struct network *own, const struct words *words, bool of_one, struct strbuf *remark);
/* Closes it for this reason: a sentence. */
void later_close(struct network *own, const char *reason, struct strbuf *remark);
