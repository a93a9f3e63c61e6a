/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dkim_table -- KeyTable and SigningTable in memory, for dkim_table.c that
 * reads them and dkim_keys.c that asks them.  Nobody else looks inside.
 */
#ifndef AUTH_DKIM_TABLE_H
#define AUTH_DKIM_TABLE_H

#include "auth/dkim_keys.h"
#include "base/table.h"

struct dkim_key {
	struct str domain, selector, file;
	const struct dkim_private *private;
};

/* A line of the KeyTable. */
struct dkim_row {
	struct str name; /* refile: may have * */
	struct str domain, selector;
	const struct dkim_key *key;
	struct table *by_domain; /* key is NULL: one for each sender's domain */
};

/* A line of the SigningTable. */
struct dkim_rule {
	struct str pattern;
	const struct dkim_row *row; /* NULL: named as the sender's domain */
	struct str identity;
	struct dkim_rule *next; /* of the same pattern */
};

struct dkim_keys {
	struct arena *arena;
	struct {
		const struct dkim_key **v;
		size_t n, cap;
	} keys;
	struct {
		struct dkim_row **v;
		size_t n, cap;
	} rows;
	struct {
		struct dkim_rule **v; /* the first one of each pattern */
		size_t n, cap;
	} rules;
	struct table *row_by_name, *rule_by_pattern;
	bool has_key_patterns; /* the KeyTable is a refile */
	bool is_refile;        /* the SigningTable is */
};

/* * stands for any text. */
bool dkim_pattern_matches(struct str pattern, struct str text);
/* `text` with each % replaced. */
struct str dkim_with_domain(
    struct arena *a, struct str text, struct str domain);
/* The line of the KeyTable for that name; NULL: none. */
const struct dkim_row *dkim_row_find(
    const struct dkim_keys *keys, struct str name);

#endif
