/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory and ownership: allocation that ends the process when there is none left (the kernel keeps
 * enforcing), and scope-bound cleanup. */
#pragma once

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* AUTO(plan) struct plan p = {0};  runs plan_done(&p) when p goes out of scope. */
#define AUTO(type) __attribute__((cleanup(type##_done)))
#define AUTO_FREE __attribute__((cleanup(mem_free_ptr)))

static inline void mem_free_ptr(void *ptr_to_ptr)
{
	free(*(void **)ptr_to_ptr);
}

static inline void *mem_check(void *ptr)
{
	if (!ptr) {
		fputs("tailexit: out of memory\n", stderr);
		_exit(71);
	}
	return ptr;
}

static inline void *xcalloc(size_t n, size_t size)
{
	return mem_check(calloc(n, size));
}

static inline void *xreallocarray(void *ptr, size_t n, size_t size)
{
	return mem_check(reallocarray(ptr, n, size));
}

static inline char *xstrdup(const char *s)
{
	return mem_check(strdup(s));
}

/* After something large that happens rarely: what is freed in the middle of the heap is the
 * process's until then. */
static inline void mem_give_back(void)
{
	(void)malloc_trim(0);
}

#define steal_ptr(ptr) \
	({ \
		__auto_type stolen_ = (ptr); \
		(ptr) = NULL; \
		stolen_; \
	})

static inline _Bool streq(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}
