/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See later.h. */
#include "later.h"

#include <errno.h>

#include "../base/mem.h"
#include "exception.h"
#include "option.h"

/* Somebody is told of what he says. */
struct telling {
	struct network *own;
	const struct network *before;
	bool of_one;
	struct strbuf *remark;
	struct network asked; /* as own, but with the policy that was refused, if one was */
	bool refused;
};

/* What nobody can change: an endpoint has been told its way out and its MTU by now. */
static int check_time(const struct telling *telling, const struct option *option, struct err *err)
{
	const struct egress *own = &telling->own->egress;

	if (telling->of_one && streq(option->key, "mtu"))
		return err_set(err, -EPERM,
			       "a container that runs keeps its MTU; give it to the container's "
			       "connection as an option");
	if (telling->of_one && telling->before->egress.policy == POLICY_ISOLATED &&
	    own->policy != POLICY_ISOLATED)
		return err_set(err, -EPERM,
			       "a container that runs is not given a way out; give this to its "
			       "connection as an option");
	return 0;
}

static int check_looseness(const struct telling *telling, struct err *err)
{
	const struct network *before = telling->before;

	if (before->override != OVERRIDE_TIGHTEN || !exception_looser_word(telling->own, before))
		return 0;
	return err_set(err, -EPERM,
		       "it would allow more, and network %.12s has override=tighten; create the "
		       "network with -o override=any to allow that",
		       before->id);
}

static bool goes_with_refused(struct telling *telling, const struct word *word)
{
	struct err ignored;

	return exception_set(&telling->asked, telling->before, word->key, word->value, &ignored) ==
	       0;
}

/* -EPERM: the word makes sense, but is not for this one. */
static int set_word(struct telling *telling, const struct word *word, struct err *err)
{
	const struct option *option = option_find(word->key);
	const struct network kept = *telling->own;
	int r;

	if (option && option->network_only)
		return err_set(err, -EINVAL,
			       "%s is said where the network is made, and not later; give it to "
			       "docker network create as an option",
			       option->key);
	r = exception_set(telling->own, telling->before, word->key, word->value, err);
	if (r == -EINVAL && telling->refused && goes_with_refused(telling, word))
		return err_set(err, -EPERM, "it belongs to the policy, which does not count");
	if (r == 0)
		r = check_time(telling, option, err);
	if (r == 0)
		r = check_looseness(telling, err);
	if (r == -EPERM && streq(option->key, "policy")) {
		telling->asked = *telling->own;
		telling->refused = true;
	}
	if (r < 0)
		*telling->own = kept;
	return r;
}

/* The user's own text, and so may be anything: it ends up in logs and in JSON. */
static void add(struct strbuf *remark, const char *text)
{
	size_t from = remark->len;

	strbuf_addf(remark, "%s%s", remark->len ? "; " : "", text);
	for (char *c = remark->text + from; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
}

static void remark_on(struct strbuf *remark, const struct word *word, const char *verdict,
		      const char *reason)
{
	AUTO(strbuf) struct strbuf text = { 0 };

	strbuf_addf(&text, "%.64s=%.64s %s: %s", word->key, word->value, verdict, reason);
	add(remark, text.text);
}

static void isolate(struct network *own)
{
	const struct network before = *own;
	struct err ignored;

	own->override = OVERRIDE_ANY;
	(void)exception_set(own, own, "policy", "isolated", &ignored);
	own->override = before.override;
}

void later_close(struct network *own, const char *reason, struct strbuf *remark)
{
	strbuf_done(remark);
	add(remark, "closed");
	add(remark, reason);
	isolate(own);
}

/* The policy first: the defaults of the others depend on it. */
static bool has_turn(const struct word *word, int pass)
{
	const struct option *option = option_find(word->key);

	return (pass == 0) == (option && streq(option->key, "policy"));
}

static int tell_word(struct telling *telling, const struct word *word)
{
	struct err err;
	int r = set_word(telling, word, &err);

	if (r == -EPERM) {
		remark_on(telling->remark, word, "does not count", err.text);
		return 0;
	}
	if (r < 0) {
		strbuf_done(telling->remark);
		remark_on(telling->remark, word, "closes it", err.text);
	}
	return r;
}

void later_tell(struct network *own, const struct words *words, bool of_one, struct strbuf *remark)
{
	const struct network before = *own;
	struct telling telling = { own, &before, of_one, remark };
	int r = 0;

	if (own->override == OVERRIDE_NONE) {
		if (words->n)
			remark_on(remark, &words->items[0], "does not count",
				  "the network has override=none");
		return;
	}
	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; r == 0 && i < words->n; i++)
			if (has_turn(&words->items[i], pass))
				r = tell_word(&telling, &words->items[i]);
	if (r == 0)
		return;
	*own = before;
	isolate(own);
}
