/* SPDX-License-Identifier: BSD-2-Clause */
/* replace -- tags in regular expressions: replace_tag and its relatives. */
#ifndef RULES_REPLACE_H
#define RULES_REPLACE_H

#include "base/str.h"

struct arena;
struct table;

enum replace_kind {
	REPLACE_TAG,
	REPLACE_PRE,
	REPLACE_INTER,
	REPLACE_POST,
	REPLACE_KINDS
};

struct replace_tags {
	/* name -> struct str *: what stands for it. */
	struct table *kind[REPLACE_KINDS];
	struct str start, end; /* around a tag; "<" and ">" */
};

struct replace_tags *replace_tags_new(struct arena *a);
void replace_tags_set(struct replace_tags *tags, enum replace_kind kind,
    struct str name, struct str text);

/*
 * `pattern` with its tags replaced as SpamAssassin's ReplaceTags.pm does it: up
 * to six passes, at most REPLACE_BYTES.  What is no known tag stays.
 */
#define REPLACE_BYTES ((size_t)1024 * 1024)
struct str replace_apply(
    struct arena *a, const struct replace_tags *tags, struct str pattern);

#endif
