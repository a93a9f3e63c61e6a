/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * parse -- rule files, line by line, as SpamAssassin's Conf/Parser.pm reads
 * them.  What a line means is directive.c's work.
 */
#include <dirent.h>
#include <errno.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/buf.h"
#include "base/table.h"
#include "mail/uri.h"
#include "rules/ignored.h"
#include "rules/reader.h"

#define FILE_BYTES ((size_t)16 * 1024 * 1024)
#define LINE_BYTES ((size_t)1024 * 1024)
#define INCLUDE_DEPTH 10
#define FILES_MAX 10000
#define KEY_BYTES 64

struct reader *
reader_new(struct ruleset *rules, struct diags *diags)
{
	struct reader *r = ARENA_NEW(rules->arena, struct reader);
	r->rules = rules;
	r->arena = rules->arena;
	r->diags = diags;
	r->noted = table_new(r->arena, false);
	r->unread = table_new(r->arena, false);
	return r;
}

bool
reader_is_first(struct reader *r, struct str what)
{
	struct str key = str_printf(
	    r->arena, "%.*s\n%.*s", STR_ARG(r->place.file), STR_ARG(what));
	if (table_has(r->noted, key))
		return false;
	table_set(r->noted, key, r);
	return true;
}

void
reader_unread(struct reader *r, struct str what, struct str why)
{
	struct ruleset *rules = r->rules;
	size_t at = (size_t)(uintptr_t)table_get(r->unread, what);
	if (at == 0) {
		what = str_dup(r->arena, what);
		ARENA_PUSH(r->arena, &rules->unread) =
		    (struct unread){.what = what, .why = why};
		at = rules->unread.n;
		table_set(r->unread, what, (void *)(uintptr_t)at);
	}
	rules->unread.v[at - 1].lines++;
}

/* `path` as the file that is being read means it. */
static struct str
path_from_here(struct reader *r, struct str path)
{
	size_t slash = str_rchr(r->place.file, '/');
	if (str_starts(path, STR("/")) || slash == STR_NONE)
		return path;
	return str_printf(r->arena, "%.*s/%.*s",
	    STR_ARG(str_sub(r->place.file, 0, slash)), STR_ARG(path));
}

void
reader_include(struct reader *r, struct str value, unsigned unused)
{
	(void)unused;
	if (value.len == 0) {
		ERROR(r, "include needs a file name");
		return;
	}
	struct str path = path_from_here(r, value);
	if (r->open.n >= INCLUDE_DEPTH || strs_has(&r->open, path)) {
		ERROR(r,
		    r->open.n >= INCLUDE_DEPTH
			? "include %.*s: files are nested too deeply"
			: "include %.*s: this file is being read already",
		    STR_ARG(value));
		return;
	}
	reader_file(r, path);
}

/* A line that is none of `directives`. */
static void
read_other(struct reader *r, struct str key, struct str value)
{
	if (ignored_is_network(key)) {
		directive_read_network(r, value);
		return;
	}
	struct setting_line line = {key, value, r->place.file, r->place.line};
	if (setting_add(r->arena, &r->rules->settings, &line))
		return;
	const char *why = ignored_why(key);
	if (why == NULL) {
		ERROR(r, "unknown directive %.*s", STR_ARG(key));
		return;
	}
	reader_unread(r, key, str_from(why));
	if (reader_is_first(r, key))
		SAY(r, DIAG_NOTE, "%.*s is not used: %s", STR_ARG(key), why);
}

/* Lower case, with _ for -, as SpamAssassin reads the first word of a line. */
static struct str
key_fold(struct str word, char ret[KEY_BYTES])
{
	size_t n = word.len < KEY_BYTES ? word.len : KEY_BYTES;
	for (size_t i = 0; i < n; i++)
		ret[i] = word.p[i] == '-' ? '_' : char_lower(word.p[i]);
	return str_of(ret, n);
}

/* "lang xx rest": `rest` if the language is ours, en_US; false: not ours. */
static bool
lang_strip(struct str *line)
{
	struct str rest = *line;
	if (!str_eq(str_word(&rest), STR("lang")))
		return true;
	struct str lang = str_word(&rest);
	rest = str_trim(rest);
	if (lang.len == 0 || rest.len == 0)
		return true;
	*line = rest;
	return str_istarts(STR("en_US"), lang);
}

/* The rule that is defined by `value` is known to be none of ours. */
static void
leave_out(struct reader *r, struct str value)
{
	struct str name = str_word(&value);
	if (rule_is_name(name) && !table_has(r->rules->left_out, name))
		table_set(r->rules->left_out, name, r);
}

static void
line_read(struct reader *r, struct str line)
{
	if (!lang_strip(&line))
		return;
	char folded[KEY_BYTES];
	struct str key = key_fold(str_word(&line), folded);
	struct str value = str_trim(line);
	const struct directive *directive = directive_find(key);
	if (r->is_skipping && (directive == NULL || !directive->is_always)) {
		if (directive == NULL ? ignored_is_network(key)
				      : directive_defines(directive))
			leave_out(r, value);
		block_unread(r);
		return;
	}
	if (directive != NULL)
		directive->read(r, value, directive->arg);
	else
		read_other(r, key, value);
}

/* Without the comment, and with # for \#. */
static struct str
comment_strip(struct arena *a, struct str line)
{
	size_t at = str_chr(line, '#');
	if (at == STR_NONE)
		return line;
	if (at == 0 || line.p[at - 1] != '\\')
		return str_sub(line, 0, at);
	struct buf *b = buf_new(a, line.len);
	for (size_t i = 0; i < line.len; i++) {
		bool is_escaped = line.p[i] == '\\' && i + 1 < line.len &&
				  line.p[i + 1] == '#';
		if (line.p[i] == '#')
			break;
		if (is_escaped)
			i++;
		buf_putc(b, line.p[i]);
	}
	return buf_str(b);
}

static void
lines_read(struct reader *r, struct str text)
{
	while (text.len > 0 && !r->is_rest_lost) {
		struct str line = str_line(&text);
		r->place.line++;
		if (line.len > LINE_BYTES) {
			ERROR(r, "a line of more than 1 MiB is not read");
			continue;
		}
		line = str_trim(comment_strip(r->arena, str_trim(line)));
		if (line.len > 0)
			line_read(r, line);
	}
}

/* A letter, a picture: each of its lines is an error. */
static void
errors_close(struct reader *r)
{
	if (r->nerrors > READER_ERRORS)
		diag_add(r->diags, DIAG_ERROR, r->place.file, 0,
		    "and %zu more lines that are wrong: is this a rule file?",
		    r->nerrors - READER_ERRORS);
}

void
reader_text(struct reader *r, struct str name, struct str text)
{
	struct place outer_place = r->place;
	size_t outer_first = r->first_block, outer_errors = r->nerrors;
	bool was_skipping = r->is_skipping;
	ruleset_digest_add(r->rules, text);
	r->nerrors = 0;
	strs_add(r->arena, &r->open, name);
	r->place = (struct place){.file = name};
	r->first_block = r->nblocks;
	lines_read(r, text);
	while (r->nblocks > r->first_block) {
		r->place.line = r->blocks[--r->nblocks].line;
		WARN(r, "this if has no endif: it ends with the file");
	}
	errors_close(r);
	r->open.n--;
	r->nerrors = outer_errors;
	r->first_block = outer_first;
	r->is_skipping = was_skipping;
	r->is_rest_lost = false;
	r->place = outer_place;
}

static void
rules_read(struct reader *r, struct str path)
{
	if (++r->nfiles > FILES_MAX) {
		if (r->nfiles == FILES_MAX + 1)
			ERROR(r, "more than %d files: the rest is not read",
			    FILES_MAX);
		return;
	}
	struct str text;
	if (file_text(r->arena, path, FILE_BYTES, &text))
		reader_text(r, str_dup(r->arena, path), text);
	else
		diag_add(r->diags, DIAG_ERROR,
		    r->place.line > 0 ? r->place.file : path, r->place.line,
		    "%.*s cannot be read: %s", STR_ARG(path),
		    file_trouble(errno));
}

static bool
is_rule_file(struct str name)
{
	return str_ends(name, STR(".cf")) && name.p[0] != '.';
}

static bool
is_plugin_file(struct str name)
{
	return str_ends(name, STR(".pre")) && name.p[0] != '.';
}

/* "4.000001": where sa-update puts the rules of a release. */
static bool
is_release(struct str name)
{
	struct str fraction = name;
	struct str major = str_cut(&fraction, '.');
	uint64_t n;
	return major.len == 1 && fraction.len == 6 && str_u64(major, 9, &n) &&
	       str_u64(fraction, 999999, &n);
}

/* The names in `dir` that are `wanted`, in order. */
static struct strs
names_read(struct arena *a, DIR *dir, bool (*wanted)(struct str name))
{
	struct strs names = {0};
	rewinddir(dir);
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;)
		if (wanted(str_from(entry->d_name)))
			strs_add(
			    a, &names, str_dup(a, str_from(entry->d_name)));
	strs_sort(&names);
	return names;
}

/* The files of a folder that are `wanted`, in name order; their number. */
static size_t
folder_read(struct reader *r, struct str path, DIR *dir,
    bool (*wanted)(struct str name))
{
	struct strs names = names_read(r->arena, dir, wanted);
	for (size_t i = 0; i < names.n; i++)
		rules_read(r, str_printf(r->arena, "%.*s/%.*s", STR_ARG(path),
				  STR_ARG(names.v[i])));
	return names.n;
}

static DIR *
folder_open(struct reader *r, struct str path)
{
	return r->open.n == 0 ? opendir(str_c(r->arena, path)) : NULL;
}

void
reader_plugins(struct reader *r, struct str path)
{
	DIR *dir = folder_open(r, path);
	if (dir != NULL) {
		(void)folder_read(r, path, dir, is_plugin_file);
		(void)closedir(dir);
	} else if (str_ends(path, STR(".pre"))) {
		rules_read(r, path);
	}
}

/* What sa-update fills has no file itself, but a folder a release. */
static void
releases_read(struct reader *r, struct str path, DIR *dir)
{
	struct strs releases = names_read(r->arena, dir, is_release);
	if (releases.n == 0)
		diag_add(r->diags, DIAG_WARNING, path, 0,
		    "no *.cf file in this folder");
	else
		reader_file(r, str_printf(r->arena, "%.*s/%.*s", STR_ARG(path),
				   STR_ARG(releases.v[releases.n - 1])));
}

void
reader_file(struct reader *r, struct str path)
{
	DIR *dir = folder_open(r, path);
	if (dir == NULL) {
		rules_read(r, path);
		return;
	}
	if (folder_read(r, path, dir, is_rule_file) == 0)
		releases_read(r, path, dir);
	(void)closedir(dir);
}

void
reader_finish(struct reader *r)
{
	const struct strs *tlds = r->rules->tlds;
	r->rules->mail.tlds =
	    tld_set_new(r->arena, &tlds[0], &tlds[1], &tlds[2]);
}
