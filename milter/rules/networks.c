/* SPDX-License-Identifier: BSD-2-Clause */
/* networks -- trusted_networks and its relatives: from lines of rule files to
 * what the relay walk asks. */
#include "mail/networks.h"

#include "base/arena.h"
#include "rules/rule.h"

struct maker {
	struct arena *a;
	struct networks *networks;
	struct diags *diags;
};

/* The last network of `set` says nothing if one before it has it all. */
static void
warn_decided(struct maker *m, const struct network_set *set,
    const struct setting_line *line)
{
	const struct network *last = &set->v[set->n - 1];
	const struct network *first = network_set_find(set, last);
	if (first == last)
		return;
	SETTING_WARNING(m->diags, line,
	    "%.*s: %s%.*s changes nothing: %s%.*s comes first",
	    STR_ARG(line->name), last->is_excluded ? "!" : "",
	    STR_ARG(str_sub(last->text, 0, 100)), first->is_excluded ? "!" : "",
	    STR_ARG(str_sub(first->text, 0, 100)));
}

static void
set_read(
    struct maker *m, struct network_set *set, const struct setting_line *line)
{
	struct str rest = line->value;
	if (rest.len == 0)
		SETTING_ERROR(m->diags, line, "%.*s: networks are wanted",
		    STR_ARG(line->name));
	for (struct str word; (word = str_word(&rest)).len > 0;)
		if (!network_set_add(m->a, set, word))
			SETTING_ERROR(m->diags, line,
			    "%.*s: %.*s is no network: write 192.0.2.1, "
			    "10.1/16 or 2001:db8::/32",
			    STR_ARG(line->name),
			    STR_ARG(str_sub(word, 0, 100)));
		else
			warn_decided(m, set, line);
}

/* This host is always its own. */
static void
add_loopback(struct maker *m, struct network_set *set)
{
	if (!network_set_add(m->a, set, STR("127.0.0.0/8")) ||
	    !network_set_add(m->a, set, STR("::1")))
		abort();
}

static bool
is_alone(struct maker *m, const struct setting_line *line)
{
	if (line->value.len > 0)
		SETTING_ERROR(
		    m->diags, line, "%.*s stands alone", STR_ARG(line->name));
	return line->value.len == 0;
}

static void
originating_read(struct maker *m, const struct setting_line *line)
{
	struct str rest = line->value;
	if (rest.len == 0)
		SETTING_ERROR(m->diags, line, "header names are wanted");
	for (struct str word; (word = str_word(&rest)).len > 0;)
		if (!strs_ihas(&m->networks->originating, word))
			strs_add(m->a, &m->networks->originating, word);
}

/* One set: its lines, and whether it always has this host. */
struct set_row {
	const char *name;
	struct network_set *set;
	bool *is_named; /* NULL: nobody asks */
	bool has_loopback;
	bool has_own;
};

static void
line_read(
    struct maker *m, const struct setting_line *line, const struct set_row *row)
{
	struct str name = str_from(row->name);
	if (str_eq(line->name, name)) {
		set_read(m, row->set, line);
		if (row->is_named != NULL && line->value.len > 0)
			*row->is_named = true;
	} else if (str_starts(line->name, STR("clear_")) &&
		   str_eq(str_skip(line->name, 6), name) && is_alone(m, line)) {
		row->set->n = 0;
		if (row->has_loopback)
			add_loopback(m, row->set);
		if (row->is_named != NULL)
			*row->is_named = false;
		if (row->has_own)
			m->networks->own.n = 0;
	}
}

static const struct setting_line *
last_named(const struct setting_list *lines, struct str name)
{
	for (size_t i = lines->n; i > 0; i--)
		if (str_eq(lines->v[i - 1].name, name))
			return &lines->v[i - 1];
	return NULL;
}

/* Those of `row` that are not in `outer` as well say nothing. */
static void
subset_make(struct maker *m, const struct setting_list *lines,
    const struct set_row *row, const struct set_row *outer)
{
	const struct setting_line *line =
	    last_named(lines, str_from(row->name));
	size_t n = 0;
	for (size_t i = 0; i < row->set->n; i++) {
		struct network network = row->set->v[i];
		if (network.is_excluded ||
		    network_set_covers(outer->set, &network))
			row->set->v[n++] = network;
		else if (line != NULL)
			diag_add(m->diags, DIAG_WARNING, line->file, line->line,
			    "%s: %.*s is left out: it is not in %s", row->name,
			    STR_ARG(str_sub(network.text, 0, 100)),
			    outer->name);
	}
	row->set->n = n;
}

/* Internal hosts and those of one's users are trusted, or no such hosts. */
static void
subsets_make(struct maker *m, const struct setting_list *lines,
    const struct set_row *rows)
{
	enum { TRUSTED, INTERNAL, MSA };
	if (m->networks->has_trusted) {
		subset_make(m, lines, &rows[INTERNAL], &rows[TRUSTED]);
		subset_make(m, lines, &rows[MSA], &rows[TRUSTED]);
	} else if (m->networks->has_internal) {
		subset_make(m, lines, &rows[MSA], &rows[INTERNAL]);
	}
}

/* As the configuration writes them, "IPv6:2001:db8::/32" among them. */
static void
own_read(struct maker *m, const struct strs *words)
{
	for (size_t i = 0; words != NULL && i < words->n; i++) {
		struct str word = words->v[i];
		if (str_istarts(word, STR("IPv6:")))
			word = str_skip(word, 5);
		if (!network_set_add(m->a, &m->networks->own, word))
			diag_add(m->diags, DIAG_WARNING,
			    STR("trusted-networks"), 0,
			    "%.*s does not reach the rules", STR_ARG(word));
	}
}

static void
set_append(
    struct maker *m, struct network_set *set, const struct network_set *more)
{
	for (size_t i = 0; i < more->n; i++)
		ARENA_PUSH(m->a, set) = more->v[i];
}

/*
 * If rule files name networks, ours are the last of those that are trusted:
 * what a file excludes stays excluded.
 */
static void
own_join(struct maker *m)
{
	struct networks *n = m->networks;
	const struct network_set *named =
	    n->has_trusted ? &n->trusted : &n->internal;
	struct network_set more = {0};
	for (size_t i = 0; i < n->own.n; i++)
		if (!network_set_covers(named, &n->own.v[i]))
			ARENA_PUSH(m->a, &more) = n->own.v[i];
	if (more.n == 0 || (!n->has_trusted && !n->has_internal))
		return;
	if (!n->has_trusted) {
		n->trusted.n = 0;
		set_append(m, &n->trusted, &n->internal);
		n->has_trusted = true;
	}
	set_append(m, &n->trusted, &more);
}

void
networks_make(struct ruleset *rules, struct diags *diags)
{
	struct networks *n = ARENA_NEW(rules->arena, struct networks);
	struct maker m = {rules->arena, n, diags};
	const struct set_row rows[] = {
	    {"trusted_networks", &n->trusted, &n->has_trusted, true, true},
	    {"internal_networks", &n->internal, &n->has_internal, true, false},
	    {"msa_networks", &n->msa, NULL, false, false},
	};
	own_read(&m, rules->own_networks);
	add_loopback(&m, &n->trusted);
	add_loopback(&m, &n->internal);
	const struct setting_list *lines =
	    &rules->settings.of[SETTING_NETWORKS];
	for (size_t i = 0; i < lines->n; i++) {
		const struct setting_line *line = &lines->v[i];
		for (size_t k = 0; k < COUNT_OF(rows); k++)
			line_read(&m, line, &rows[k]);
		if (str_eq(line->name, STR("originating_ip_headers")))
			originating_read(&m, line);
		else if (str_eq(
			     line->name, STR("clear_originating_ip_headers")) &&
			 is_alone(&m, line))
			n->originating.n = 0;
	}
	rules->own_networks = NULL; /* the caller's */
	own_join(&m);
	subsets_make(&m, lines, rows);
	rules->mail.networks = n;
}
