/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dkim_table -- reading KeyTable and SigningTable.  The meaning of % is
 * OpenDKIM's; what it looks up for each message is found here when the tables
 * are read, so a key that is missing is told at once.
 */
#include "auth/dkim_table.h"

#include <glob.h>
#include <stdarg.h>

#include "auth/dkim_keyfile.h"
#include "auth/org.h"
#include "base/arena.h"
#include "base/buf.h"

#define TABLE_MAX ((size_t)64 << 20) /* bytes */
#define KEY_FILE_MAX ((size_t)64 << 10)
#define IDENTITY_MAX 512

struct loader {
	struct arena *arena; /* the keys' */
	struct dkim_keys *keys;
	const struct dkim_tables *tables;
	struct diags *diags;
	struct table *by_path;     /* private keys that were read already */
	const struct stat *status; /* of the KeyTable; NULL: it is no file */
	struct str file;           /* the table that is being read */
	unsigned line;
};

static void fail(struct loader *l, const char *fmt, ...) PRINTF_LIKE(2, 3);

static void
fail(struct loader *l, const char *fmt, ...)
{
	char text[1024];
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	diag_add(l->diags, DIAG_ERROR, l->file, l->line, "%s", text);
}

/* ---- tables in general */

enum table_kind { TABLE_PLAIN, TABLE_FILE, TABLE_REFILE, TABLE_OTHER };

/* OpenDKIM's words for where a table is; `*ret_path` without them. */
static enum table_kind
table_kind(struct str name, struct str *ret_path)
{
	*ret_path = name;
	if (str_istarts(name, STR("file:"))) {
		*ret_path = str_skip(name, STR("file:").len);
		return TABLE_FILE;
	}
	if (str_istarts(name, STR("refile:"))) {
		*ret_path = str_skip(name, STR("refile:").len);
		return TABLE_REFILE;
	}
	return str_starts(name, STR("/")) && !str_ends(name, STR(".db"))
		   ? TABLE_PLAIN
		   : TABLE_OTHER;
}

/* The next line that says something; `*line` counts all of them. */
static bool
table_next(
    struct str *rest, unsigned *line, struct str *ret_key, struct str *ret_rest)
{
	while (rest->len > 0) {
		struct str text = str_line(rest);
		*line += 1;
		text = str_trim(str_sub(text, 0, str_chr(text, '#')));
		if (text.len == 0)
			continue;
		*ret_key = str_word(&text);
		*ret_rest = str_trim(text);
		return true;
	}
	return false;
}

/* * stands for any text; the last * is the only one that is tried again. */
bool
dkim_pattern_matches(struct str pattern, struct str text)
{
	size_t p = 0, t = 0, star = STR_NONE, again = 0;
	while (t < text.len) {
		if (p < pattern.len && pattern.p[p] == '*') {
			star = p++;
			again = t;
		} else if (p < pattern.len && pattern.p[p] == text.p[t]) {
			p++;
			t++;
		} else if (star != STR_NONE) {
			p = star + 1;
			t = ++again;
		} else {
			return false;
		}
	}
	while (p < pattern.len && pattern.p[p] == '*')
		p++;
	return p == pattern.len;
}

/* `text` with each % replaced. */
struct str
dkim_with_domain(struct arena *a, struct str text, struct str domain)
{
	size_t n = 0;
	for (size_t i = 0; i < text.len; i++)
		n += text.p[i] == '%';
	struct buf *b = buf_new(a, text.len + n * domain.len);
	for (size_t i = 0; i < text.len; i++) {
		if (text.p[i] == '%')
			buf_put(b, domain);
		else
			buf_putc(b, text.p[i]);
	}
	return buf_str(b);
}

/* ---- the KeyTable */

/* A key too short, or none.  `where` is for whoever reads the error. */
static const struct dkim_private *
private_read(struct loader *l, struct str text, struct str where)
{
	const char *why;
	struct dkim_private *key = dkim_private_read(l->arena, text, &why);
	if (key == NULL) {
		fail(l, "%.*s: %s", STR_ARG(where), why);
		return NULL;
	}
	if (!dkim_private_is_ed25519(key) &&
	    dkim_private_bits(key) < l->tables->min_bits) {
		fail(l, "%.*s: an RSA key of %u bits; at least %u are needed",
		    STR_ARG(where), dkim_private_bits(key),
		    l->tables->min_bits);
		return NULL;
	}
	return key;
}

static const struct dkim_private *
private_from_file(struct loader *l, struct str path)
{
	if (table_has(l->by_path, path))
		return table_get(l->by_path, path);
	struct dkim_secret secret;
	struct str why;
	if (!dkim_secret_read(l->arena, path, KEY_FILE_MAX, &secret, &why)) {
		fail(l, "%.*s: %.*s", STR_ARG(path), STR_ARG(why));
		return NULL;
	}
	const struct dkim_private *key = NULL;
	why = dkim_secret_check(
	    l->arena, &secret.st, l->tables->user, l->tables->group);
	if (why.len > 0)
		fail(l, "%.*s: %.*s", STR_ARG(path), STR_ARG(why));
	else
		key = private_read(l, dkim_secret_str(&secret), path);
	dkim_secret_done(&secret);
	if (key != NULL)
		table_set(l->by_path, path, (void *)(uintptr_t)key);
	return key;
}

/* A key in the table itself makes the table a file to be kept from others. */
static const struct dkim_private *
private_inline(struct loader *l, struct str text)
{
	struct str why = l->status == NULL
			     ? STR_EMPTY
			     : dkim_secret_check(l->arena, l->status,
				   l->tables->user, l->tables->group);
	if (why.len > 0) {
		fail(l, "a key stands in this file: %.*s", STR_ARG(why));
		return NULL;
	}
	return private_read(l, text, STR("the key"));
}

static const struct dkim_key *
key_add(struct loader *l, const struct dkim_private *private, struct str domain,
    struct str selector, struct str file)
{
	if (private == NULL)
		return NULL;
	struct dkim_key *key = ARENA_NEW(l->arena, struct dkim_key);
	*key = (struct dkim_key){domain, selector, file, private};
	ARENA_PUSH(l->arena, &l->keys->keys) = key;
	return key;
}

/* What of `path` stands for each % of `text`; empty: it is not made so. */
static struct str
domain_in_path(struct arena *a, struct str text, struct str path)
{
	size_t n = 0;
	for (size_t i = 0; i < text.len; i++)
		n += text.p[i] == '%';
	if (n == 0 || path.len < text.len - n)
		return STR_EMPTY;
	struct str domain =
	    str_sub(path, str_chr(text, '%'), (path.len - (text.len - n)) / n);
	return str_eq(dkim_with_domain(a, text, domain), path) ? domain
							       : STR_EMPTY;
}

/* The pattern of glob(3) for a path with %. */
static char *
glob_of(struct arena *a, struct str path)
{
	struct buf *b = buf_new(a, path.len * 2 + 1);
	for (size_t i = 0; i < path.len; i++) {
		if (path.p[i] == '%') {
			buf_putc(b, '*');
			continue;
		}
		if (memchr("*?[\\", path.p[i], 4) != NULL)
			buf_putc(b, '\\');
		buf_putc(b, path.p[i]);
	}
	return str_c(a, buf_str(b));
}

/* One key of those that a path with % means. */
static void
row_add_file(
    struct loader *l, struct dkim_row *row, struct str text, struct str path)
{
	struct arena *a = l->arena;
	struct str domain = domain_normal(a, domain_in_path(a, text, path));
	if (domain.len == 0)
		return;
	path = str_dup(a, path);
	const struct dkim_key *key =
	    key_add(l, private_from_file(l, path), domain, row->selector, path);
	if (key != NULL)
		table_set(row->by_domain, domain, (void *)(uintptr_t)key);
}

/*
 * "%:selector:/keys/%/key": the sender's domain chooses the file.  The files
 * there are now are the domains that are signed for.
 */
static void
row_add_files(struct loader *l, struct dkim_row *row, struct str text)
{
	row->by_domain = table_new(l->arena, false);
	glob_t found = {0};
	if (glob(glob_of(l->arena, text), 0, NULL, &found) == 0)
		for (size_t i = 0; i < found.gl_pathc; i++)
			row_add_file(l, row, text, str_from(found.gl_pathv[i]));
	globfree(&found);
	if (row->by_domain->n == 0)
		diag_add(l->diags, DIAG_WARNING, l->file, l->line,
		    "%.*s: there is no such file", STR_ARG(text));
}

static bool
is_path(struct str text)
{
	return str_starts(text, STR("/")) || str_starts(text, STR("./")) ||
	       str_starts(text, STR("../"));
}

static void
row_add_key(struct loader *l, struct dkim_row *row, struct str text)
{
	bool is_senders = str_eq(row->domain, STR("%"));
	if (!is_path(text)) {
		row->key = key_add(l, private_inline(l, text), row->domain,
		    row->selector,
		    str_printf(l->arena, "%.*s:%u", STR_ARG(l->file), l->line));
		return;
	}
	if (is_senders && str_chr(text, '%') != STR_NONE) {
		row_add_files(l, row, text);
		return;
	}
	struct str path = dkim_with_domain(l->arena, text, row->domain);
	row->key = key_add(
	    l, private_from_file(l, path), row->domain, row->selector, path);
}

/* name domain:selector:key */
static void
row_read(struct loader *l, struct str name, struct str value)
{
	struct arena *a = l->arena;
	struct str domain = str_trim(str_cut(&value, ':'));
	struct str selector = str_trim(str_cut(&value, ':'));
	value = str_trim(value);
	if (value.len == 0 || str_chr(value, '\0') != STR_NONE) {
		fail(l, "a key is: name domain:selector:path");
		return;
	}
	struct dkim_row *row = ARENA_NEW(a, struct dkim_row);
	row->name = str_dup(a, name);
	row->domain = str_eq(domain, STR("%"))
			  ? STR("%")
			  : str_dup(a, domain_normal(a, domain));
	row->selector = str_dup(a, domain_normal(a, selector));
	if (row->domain.len == 0 || row->selector.len == 0) {
		struct str bad = row->domain.len == 0 ? domain : selector;
		fail(l, "no %s: %.*s",
		    row->domain.len == 0 ? "domain name" : "selector",
		    STR_ARG(bad));
		return;
	}
	if (table_has(l->keys->row_by_name, row->name)) {
		diag_add(l->diags, DIAG_WARNING, l->file, l->line,
		    "key %.*s is there already; this one is not used",
		    STR_ARG(name));
		return;
	}
	row_add_key(l, row, value);
	ARENA_PUSH(a, &l->keys->rows) = row;
	table_set(l->keys->row_by_name, row->name, row);
}

static void
key_table_read(struct loader *l, struct str text)
{
	struct str name, value;
	l->line = 0;
	while (table_next(&text, &l->line, &name, &value))
		row_read(l, name, value);
}

const struct dkim_row *
dkim_row_find(const struct dkim_keys *keys, struct str name)
{
	const struct dkim_row *row = table_get(keys->row_by_name, name);
	if (row != NULL || !keys->has_key_patterns)
		return row;
	for (size_t i = 0; i < keys->rows.n; i++)
		if (dkim_pattern_matches(keys->rows.v[i]->name, name))
			return keys->rows.v[i];
	return NULL;
}

/* ---- the SigningTable */

/* Lower case, and A-labels behind the @; empty: a label is none. */
static struct str
pattern_normal(struct arena *a, struct str pattern)
{
	size_t sign = str_rchr(pattern, '@');
	struct str local =
	    sign == STR_NONE ? STR_EMPTY : str_sub(pattern, 0, sign + 1);
	struct str rest = str_skip(pattern, local.len);
	if (str_is_ascii(rest))
		return str_lower(a, pattern);
	struct buf *b = buf_new(a, pattern.len * 64);
	buf_put(b, str_lower(a, local));
	for (bool is_first = true; rest.len > 0; is_first = false) {
		struct str label = str_cut(&rest, '.');
		if (!is_first)
			buf_putc(b, '.');
		if (!str_is_ascii(label)) {
			label = domain_normal(a, label);
			if (label.len == 0)
				return STR_EMPTY;
		}
		buf_put(b, str_lower(a, label));
	}
	return buf_str(b);
}

/* A * that a plain file has no meaning for. */
static bool
is_wild(struct str pattern)
{
	size_t star = str_chr(pattern, '*');
	return star != STR_NONE && !str_eq(pattern, STR("*")) &&
	       !(star == pattern.len - 1 && str_ends(pattern, STR("@*")));
}

static bool
text_is_wild(struct str text)
{
	unsigned line = 0;
	struct str pattern, value;
	while (table_next(&text, &line, &pattern, &value))
		if (is_wild(pattern))
			return true;
	return false;
}

static void
rule_add(struct loader *l, struct dkim_rule *rule)
{
	struct dkim_rule *first =
	    table_get(l->keys->rule_by_pattern, rule->pattern);
	if (first == NULL) {
		ARENA_PUSH(l->arena, &l->keys->rules) = rule;
		table_set(l->keys->rule_by_pattern, rule->pattern, rule);
		return;
	}
	while (first->next != NULL)
		first = first->next;
	first->next = rule;
}

/* pattern key[:identity] */
static void
rule_read(struct loader *l, struct str pattern, struct str value)
{
	struct arena *a = l->arena;
	struct str name = str_trim(str_cut(&value, ':'));
	struct dkim_rule *rule = ARENA_NEW(a, struct dkim_rule);
	rule->pattern = str_dup(a, pattern_normal(a, pattern));
	rule->identity = str_dup(a, str_trim(value));
	rule->row =
	    str_eq(name, STR("%")) ? NULL : dkim_row_find(l->keys, name);
	if (name.len == 0)
		fail(l, "an entry is: pattern key");
	else if (rule->pattern.len == 0)
		fail(l, "no address: %.*s", STR_ARG(pattern));
	else if (rule->row == NULL && !str_eq(name, STR("%")))
		fail(l, "key %.*s is not in the KeyTable", STR_ARG(name));
	else if (rule->identity.len > IDENTITY_MAX ||
		 (rule->identity.len > 0 &&
		     str_chr(rule->identity, '@') == STR_NONE))
		fail(l, "no address to sign as: %.*s", STR_ARG(rule->identity));
	else
		rule_add(l, rule);
}

static void
signing_table_read(struct loader *l, struct str text)
{
	struct str pattern, value;
	l->line = 0;
	while (table_next(&text, &l->line, &pattern, &value))
		rule_read(l, pattern, value);
}

/* ---- loading */

static struct dkim_keys *
keys_new(void)
{
	struct arena *a = arena_new();
	struct dkim_keys *keys = ARENA_NEW(a, struct dkim_keys);
	keys->arena = a;
	keys->row_by_name = table_new(a, false);
	keys->rule_by_pattern = table_new(a, false);
	return keys;
}

static bool
kind_is_known(struct loader *l, enum table_kind kind)
{
	l->line = 0;
	if (kind == TABLE_OTHER)
		fail(l,
		    "a table is a path, file:PATH or refile:PATH; OpenDKIM's "
		    "other kinds are not known here");
	return kind != TABLE_OTHER;
}

static void
both_read(struct loader *l, struct str key_text, struct str signing_text)
{
	enum table_kind kind;
	if (l->tables->key_table.len > 0) {
		kind = table_kind(l->tables->key_table, &l->file);
		if (!kind_is_known(l, kind))
			return;
		l->keys->has_key_patterns = kind == TABLE_REFILE;
		key_table_read(l, key_text);
	}
	if (l->tables->signing_table.len > 0) {
		kind = table_kind(l->tables->signing_table, &l->file);
		if (!kind_is_known(l, kind))
			return;
		l->keys->is_refile =
		    kind == TABLE_REFILE ||
		    (kind == TABLE_PLAIN && text_is_wild(signing_text));
		signing_table_read(l, signing_text);
	}
}

static struct dkim_keys *
keys_read(const struct dkim_tables *tables, struct str key_text,
    const struct stat *key_status, struct str signing_text, struct diags *diags)
{
	size_t before = diags_count(diags, DIAG_ERROR);
	struct dkim_keys *keys = keys_new();
	struct arena *scratch = arena_new();
	struct loader l = {.arena = keys->arena,
	    .keys = keys,
	    .tables = tables,
	    .diags = diags,
	    .by_path = table_new(scratch, false),
	    .status = key_status,
	    .file = STR_EMPTY};
	both_read(&l, key_text, signing_text);
	arena_free(scratch);
	if (diags_count(diags, DIAG_ERROR) == before)
		return keys;
	dkim_keys_free(keys);
	return NULL;
}

struct dkim_keys *
dkim_keys_parse(const struct dkim_tables *tables, struct str key_text,
    struct str signing_text, struct diags *diags)
{
	return keys_read(tables, key_text, NULL, signing_text, diags);
}

bool
dkim_table_has_form(struct str table)
{
	struct str path;
	return table.len == 0 || (table_kind(table, &path) != TABLE_OTHER &&
				     str_starts(path, STR("/")));
}

/* Empty, if there is no such table or it is of a kind that is refused later. */
static bool
table_load(struct str name, const struct option_place *place,
    struct dkim_secret *ret, struct diags *diags)
{
	struct str path, why;
	*ret = (struct dkim_secret){NULL, 0, {0}};
	if (name.len == 0 || table_kind(name, &path) == TABLE_OTHER)
		return true;
	if (dkim_secret_read(diags->arena, path, TABLE_MAX, ret, &why))
		return true;
	option_complain(diags, DIAG_ERROR, place, 0, "%.*s: %.*s",
	    STR_ARG(path), STR_ARG(why));
	return false;
}

struct dkim_keys *
dkim_keys_load(const struct dkim_tables *tables, struct diags *diags)
{
	struct dkim_secret keys, signing;
	struct option_place key_place = {
	    .lines = tables->lines, .name = "dkim-key-table"};
	struct option_place signing_place = {
	    .lines = tables->lines, .name = "dkim-signing-table"};
	bool is_fine = table_load(tables->key_table, &key_place, &keys, diags);
	is_fine = table_load(
		      tables->signing_table, &signing_place, &signing, diags) &&
		  is_fine;
	struct dkim_keys *ret = NULL;
	if (is_fine)
		ret = keys_read(tables, dkim_secret_str(&keys),
		    keys.p == NULL ? NULL : &keys.st, dkim_secret_str(&signing),
		    diags);
	dkim_secret_done(&keys);
	dkim_secret_done(&signing);
	return ret;
}
