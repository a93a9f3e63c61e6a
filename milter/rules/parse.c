/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * parse -- rule files, line by line: what SpamAssassin's Conf/Parser.pm does.
 * A definition is only noted here, for the last one of a name counts; define.c
 * reads it.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/table.h"
#include "mail/uri.h"
#include "rules/condition.h"
#include "rules/directive.h"
#include "rules/replace.h"
#include "rules/rule.h"

#define FILE_BYTES ((size_t)16 * 1024 * 1024)
#define LINE_BYTES ((size_t)1024 * 1024)
#define INCLUDE_DEPTH 10
#define FILES_MAX 10000
#define RULES_MAX 100000
#define IF_DEPTH 50
#define KEY_BYTES 64
#define SCAN_SIZE_MAX 10000000

/* One open `if`. */
struct block {
	unsigned line;
	bool was_skipping; /* around it */
	bool has_else;
};

struct reader {
	struct ruleset *rules;
	struct arena *arena;
	struct diags *diags;
	struct place place;
	struct strs open; /* the files being read, outermost first */
	struct block blocks[IF_DEPTH];
	size_t nblocks;
	size_t first_block; /* of this file */
	bool is_skipping;   /* in a block whose condition is false */
	bool is_rest_lost;  /* require_version did not fit */
	size_t nfiles;
	struct table *noted; /* what has been said once for this file */
};

struct reader *
reader_new(struct ruleset *rules, struct diags *diags)
{
	struct reader *r = ARENA_NEW(rules->arena, struct reader);
	r->rules = rules;
	r->arena = rules->arena;
	r->diags = diags;
	r->noted = table_new(r->arena, false);
	return r;
}

#define SAY(r, level, ...)                                              \
	diag_add((r)->diags, (level), (r)->place.file, (r)->place.line, \
	    __VA_ARGS__)
#define ERROR(r, ...) SAY(r, DIAG_ERROR, __VA_ARGS__)
#define WARN(r, ...) SAY(r, DIAG_WARNING, __VA_ARGS__)

/* A note that is worth one line a file. */
static bool
is_first(struct reader *r, struct str what)
{
	struct str key = str_printf(
	    r->arena, "%.*s\n%.*s", STR_ARG(r->place.file), STR_ARG(what));
	if (table_has(r->noted, key))
		return false;
	table_set(r->noted, key, r);
	return true;
}

static bool
is_rule_name(struct str name)
{
	if (name.len == 0 || char_is_digit(name.p[0]))
		return false;
	for (size_t i = 0; i < name.len; i++)
		if (!char_is_word(name.p[i]))
			return false;
	return true;
}

struct rule *
rule_get(struct ruleset *rules, struct str name)
{
	struct rule *rule = table_get(rules->by_name, name);
	if (rule != NULL || !is_rule_name(name) || name.len > RULE_NAME_MAX ||
	    rules->by_name->n >= RULES_MAX)
		return rule;
	rule = ARENA_NEW(rules->arena, struct rule);
	rule->name = name;
	rule->text = rule->describe = rule->tflags = STR_EMPTY;
	rule->label = rule->unset = STR_EMPTY;
	table_set(rules->by_name, name, rule);
	return rule;
}

/* The rule named by the first word of `*value`, which is cut off; NULL: said.
 */
static struct rule *
rule_named(struct reader *r, struct str *value)
{
	struct str name = str_word(value);
	*value = str_trim(*value);
	if (name.len == 0) {
		ERROR(r, "a rule name is missing");
		return NULL;
	}
	struct rule *rule = rule_get(r->rules, name);
	if (rule != NULL && rule->place.line == 0)
		rule->place = r->place;
	if (rule != NULL)
		return rule;
	if (!is_rule_name(name))
		ERROR(r, "%.*s is no rule name: use A-Z, 0-9 and _",
		    STR_ARG(str_sub(name, 0, RULE_NAME_MAX)));
	else if (name.len > RULE_NAME_MAX)
		ERROR(r, "the rule name %.*s... is longer than %d characters",
		    STR_ARG(str_sub(name, 0, 40)), RULE_NAME_MAX);
	else
		ERROR(r, "more than %d rules", RULES_MAX);
	return NULL;
}

/* Note a definition; what the rule was before is forgotten. */
static void
define(struct reader *r, struct str value, enum rule_type type)
{
	struct rule *rule = rule_named(r, &value);
	if (rule == NULL)
		return;
	rule->type = type;
	rule->text = value;
	rule->place = r->place;
	if (value.len == 0)
		ERROR(r, "%.*s has no definition", STR_ARG(rule->name));
}

static bool
is_eval(struct str value)
{
	(void)str_word(&value);
	value = str_trim(value);
	return str_starts(value, STR("eval:")) ||
	       str_starts(value, STR("rbleval:"));
}

static void
read_rule(struct reader *r, struct str value, unsigned type)
{
	define(r, value, (enum rule_type)type);
}

/* A rule that may also be an eval. */
static void
read_rule_or_eval(struct reader *r, struct str value, unsigned type)
{
	define(r, value, is_eval(value) ? RULE_EVAL : (enum rule_type)type);
}

/* "1.5", or "(1.5)", which is added to what was there. */
static bool
score_read(struct str text, double *ret, bool *ret_is_relative)
{
	if (text.len > 2 && text.p[0] == '(' && str_ends(text, STR(")"))) {
		*ret_is_relative = true;
		text = str_sub(text, 1, text.len - 2);
	}
	bool is_negative = text.len > 0 && text.p[0] == '-';
	struct str fraction = str_skip(text, is_negative);
	struct str whole = str_cut(&fraction, '.');
	uint64_t n;
	return str_u64(whole, UINT32_MAX, &n) &&
	       (fraction.len == 0 || str_u64(fraction, UINT64_MAX, &n)) &&
	       str_double(text, ret);
}

static void
read_score(struct reader *r, struct str value, unsigned unused)
{
	(void)unused;
	struct rule *rule = rule_named(r, &value);
	if (rule == NULL)
		return;
	double scores[SCORE_SETS];
	bool is_relative = false;
	size_t n = 0;
	for (struct str word; (word = str_word(&value)).len > 0; n++)
		if (n >= SCORE_SETS ||
		    !score_read(word, &scores[n], &is_relative)) {
			ERROR(r,
			    "score %.*s: 1 or 4 decimal numbers are wanted",
			    STR_ARG(rule->name));
			return;
		}
	if ((n != 1 && n != SCORE_SETS) || (is_relative && !rule->has_score)) {
		ERROR(r,
		    n != 1 && n != SCORE_SETS
			? "score %.*s: 1 or 4 decimal numbers are wanted"
			: "score %.*s: nothing was set that (n) could change",
		    STR_ARG(rule->name));
		return;
	}
	for (size_t i = 0; i < SCORE_SETS; i++) {
		double score = scores[n == 1 ? 0 : i];
		rule->scores[i] = is_relative ? rule->scores[i] + score : score;
	}
	rule->has_score = true;
}

/* The rule of `describe`, `tflags`, ...; what is said of it must not be empty.
 */
static struct rule *
attribute_of(struct reader *r, struct str *value)
{
	struct rule *rule = rule_named(r, value);
	if (rule != NULL && value->len == 0) {
		ERROR(r, "nothing stands behind %.*s", STR_ARG(rule->name));
		return NULL;
	}
	return rule;
}

static void
read_describe(struct reader *r, struct str value, unsigned unused)
{
	(void)unused;
	struct rule *rule = attribute_of(r, &value);
	if (rule != NULL)
		rule->describe = value;
}

static void
read_tflags(struct reader *r, struct str value, unsigned unused)
{
	(void)unused;
	struct rule *rule = attribute_of(r, &value);
	if (rule != NULL)
		rule->tflags = value;
}

static void
read_priority(struct reader *r, struct str value, unsigned unused)
{
	(void)unused;
	struct rule *rule = attribute_of(r, &value);
	if (rule == NULL)
		return;
	bool is_negative = value.p[0] == '-';
	uint64_t n;
	if (!str_u64(str_skip(value, is_negative), 1000000, &n)) {
		ERROR(r,
		    "priority %.*s: a whole number up to 1000000 is wanted",
		    STR_ARG(rule->name));
		return;
	}
	rule->priority = is_negative ? -(int)n : (int)n;
	rule->has_priority = true;
}

static void
read_test(struct reader *r, struct str value, unsigned unused)
{
	(void)unused;
	struct str name = str_word(&value);
	struct str want = str_word(&value);
	bool is_ok = str_eq(want, STR("ok"));
	if (!is_rule_name(name) || (!is_ok && !str_eq(want, STR("fail")))) {
		ERROR(r, "write: test RULE ok TEXT, or: test RULE fail TEXT");
		return;
	}
	ARENA_PUSH(r->arena, &r->rules->tests) = (struct test_line){
	    .place = r->place,
	    .rule = name,
	    .is_ok = is_ok,
	    .text = str_trim(value),
	};
}

static void
read_replace_rules(struct reader *r, struct str value, unsigned unused)
{
	(void)unused;
	if (value.len == 0)
		ERROR(r, "replace_rules needs rule names");
	while (value.len > 0) {
		struct rule *rule = rule_named(r, &value);
		if (rule != NULL)
			rule->is_replaced = true;
	}
}

static void
read_replace_text(struct reader *r, struct str value, unsigned kind)
{
	struct str name = str_word(&value);
	value = str_trim(value);
	if (value.len == 0) {
		ERROR(r, "a tag name and what stands for it are wanted");
		return;
	}
	replace_tags_set(r->rules->tags, (enum replace_kind)kind, name, value);
}

static void
read_replace_sign(struct reader *r, struct str value, unsigned is_end)
{
	struct replace_tags *tags = r->rules->tags;
	if (value.len == 0)
		ERROR(r, "the sign around a tag is missing");
	else
		*(is_end ? &tags->end : &tags->start) = value;
}

static void
read_tlds(struct reader *r, struct str value, unsigned labels)
{
	if (value.len == 0)
		ERROR(r, "domains are wanted");
	for (struct str word; (word = str_word(&value)).len > 0;) {
		size_t dots = 0;
		for (size_t i = 0; i < word.len; i++)
			dots += word.p[i] == '.';
		if (dots + 1 != labels)
			ERROR(r, "%.*s has not %u labels",
			    STR_ARG(str_sub(word, 0, 80)), labels);
		else
			strs_add(r->arena, &r->rules->tlds[labels - 1], word);
	}
}

static void
read_clear_util_rb(struct reader *r, struct str value, unsigned unused)
{
	(void)unused;
	if (value.len > 0) {
		ERROR(r, "clear_util_rb stands alone");
		return;
	}
	for (size_t i = 0; i < COUNT_OF(r->rules->tlds); i++)
		r->rules->tlds[i].n = 0;
}

static void
read_scan_size(struct reader *r, struct str value, unsigned is_raw)
{
	struct mail_limits *limits = &r->rules->mail.limits;
	uint64_t n;
	if (!str_u64(value, SCAN_SIZE_MAX, &n))
		ERROR(r, "a number of bytes up to %d is wanted", SCAN_SIZE_MAX);
	else
		*(is_raw ? &limits->rawbody_part_bytes
			 : &limits->body_part_bytes) =
		    n == 0 ? SCAN_SIZE_MAX : (size_t)n;
}

static void
read_require_version(struct reader *r, struct str value, unsigned unused)
{
	(void)unused;
	if (str_eq(value, STR("@@VERSION@@")) ||
	    str_eq(value, STR(CONDITION_VERSION)))
		return;
	WARN(r,
	    "the rest of this file is for SpamAssassin %.*s and is not read: "
	    "this is the language of %s",
	    STR_ARG(str_sub(value, 0, 40)), CONDITION_VERSION);
	r->is_rest_lost = true;
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

static void
read_include(struct reader *r, struct str value, unsigned unused)
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

static void
block_open(struct reader *r, bool holds)
{
	r->blocks[r->nblocks++] = (struct block){
	    .line = r->place.line,
	    .was_skipping = r->is_skipping,
	};
	r->is_skipping = r->is_skipping || !holds;
}

/* A block that is left out because something is not built in is worth a note.
 */
static void
note_left_out(struct reader *r, struct str condition)
{
	bool is_about_us = str_find(condition, STR("plugin")) != STR_NONE ||
			   str_find(condition, STR("can")) != STR_NONE ||
			   str_find(condition, STR("has")) != STR_NONE;
	if (is_about_us && is_first(r, condition))
		SAY(r, DIAG_NOTE, "left out: if %.*s does not hold here",
		    STR_ARG(str_sub(condition, 0, 200)));
}

static void
read_condition(struct reader *r, struct str condition)
{
	if (r->nblocks >= IF_DEPTH) {
		ERROR(r,
		    "more than %d nested ifs: the rest of the file is not "
		    "read",
		    IF_DEPTH);
		r->is_rest_lost = true;
		return;
	}
	bool holds = false;
	struct str why = STR_EMPTY;
	if (condition.len == 0)
		ERROR(r, "a condition is missing");
	else if (!condition_read(
		     r->arena, condition, r->rules->evals, &holds, &why))
		ERROR(r,
		    "the condition cannot be read, so it does not hold: "
		    "%.*s",
		    STR_ARG(why));
	else if (!holds && !r->is_skipping)
		note_left_out(r, condition);
	block_open(r, holds);
}

static void
read_if(struct reader *r, struct str value, unsigned unused)
{
	(void)unused;
	read_condition(r, value);
}

static void
read_ifplugin(struct reader *r, struct str value, unsigned unused)
{
	(void)unused;
	read_condition(r, str_printf(r->arena, "plugin(%.*s)", STR_ARG(value)));
}

static void
read_else(struct reader *r, struct str value, unsigned unused)
{
	(void)unused;
	struct block *block =
	    r->nblocks == r->first_block ? NULL : &r->blocks[r->nblocks - 1];
	if (block == NULL || block->has_else || value.len > 0) {
		ERROR(r, value.len > 0   ? "else stands alone"
			 : block == NULL ? "else without if"
					 : "a second else");
		return;
	}
	block->has_else = true;
	r->is_skipping = block->was_skipping || !r->is_skipping;
}

static void
read_endif(struct reader *r, struct str value, unsigned unused)
{
	(void)unused;
	if (r->nblocks == r->first_block || value.len > 0) {
		ERROR(r,
		    value.len > 0 ? "endif stands alone" : "endif without if");
		return;
	}
	r->is_skipping = r->blocks[--r->nblocks].was_skipping;
}

/* `is_always`: read where the condition does not hold, too. */
static const struct directive {
	const char *name;
	void (*read)(struct reader *r, struct str value, unsigned arg);
	unsigned arg;
	bool is_always;
} directives[] = {
    {"if", read_if, 0, true},
    {"ifplugin", read_ifplugin, 0, true},
    {"else", read_else, 0, true},
    {"endif", read_endif, 0, true},
    {"body", read_rule_or_eval, RULE_BODY, false},
    {"header", read_rule_or_eval, RULE_HEADER, false},
    {"meta", read_rule, RULE_META, false},
    {"score", read_score, 0, false},
    {"describe", read_describe, 0, false},
    {"tflags", read_tflags, 0, false},
    {"uri", read_rule, RULE_URI, false},
    {"rawbody", read_rule_or_eval, RULE_RAWBODY, false},
    {"full", read_rule_or_eval, RULE_FULL, false},
    {"mimeheader", read_rule, RULE_MIMEHEADER, false},
    {"uri_detail", read_rule, RULE_URI_DETAIL, false},
    {"priority", read_priority, 0, false},
    {"test", read_test, 0, false},
    {"include", read_include, 0, false},
    {"require_version", read_require_version, 0, false},
    {"replace_rules", read_replace_rules, 0, false},
    {"replace_tag", read_replace_text, REPLACE_TAG, false},
    {"replace_pre", read_replace_text, REPLACE_PRE, false},
    {"replace_inter", read_replace_text, REPLACE_INTER, false},
    {"replace_post", read_replace_text, REPLACE_POST, false},
    {"replace_start", read_replace_sign, false, false},
    {"replace_end", read_replace_sign, true, false},
    {"util_rb_tld", read_tlds, 1, false},
    {"util_rb_2tld", read_tlds, 2, false},
    {"util_rb_3tld", read_tlds, 3, false},
    {"clear_util_rb", read_clear_util_rb, 0, false},
    {"body_part_scan_size", read_scan_size, false, false},
    {"rawbody_part_scan_size", read_scan_size, true, false},
};

static const struct directive *
directive_find(struct str key)
{
	for (size_t i = 0; i < COUNT_OF(directives); i++)
		if (str_eq(key, str_from(directives[i].name)))
			return &directives[i];
	return NULL;
}

/* A line that is none of `directives`. */
static void
read_other(struct reader *r, struct str key, struct str value)
{
	if (directive_is_network(key)) {
		define(r, value, RULE_NETWORK);
		return;
	}
	const char *why = directive_ignored(key);
	if (why == NULL)
		ERROR(r, "unknown directive %.*s", STR_ARG(key));
	else if (is_first(r, key))
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

static void
line_read(struct reader *r, struct str line)
{
	if (!lang_strip(&line))
		return;
	char folded[KEY_BYTES];
	struct str key = key_fold(str_word(&line), folded);
	struct str value = str_trim(line);
	const struct directive *directive = directive_find(key);
	if (r->is_skipping && (directive == NULL || !directive->is_always))
		return;
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

void
reader_text(struct reader *r, struct str name, struct str text)
{
	struct place outer_place = r->place;
	size_t outer_first = r->first_block;
	bool was_skipping = r->is_skipping;
	strs_add(r->arena, &r->open, name);
	r->place = (struct place){.file = name};
	r->first_block = r->nblocks;
	lines_read(r, text);
	while (r->nblocks > r->first_block) {
		r->place.line = r->blocks[--r->nblocks].line;
		WARN(r, "this if has no endif: it ends with the file");
	}
	r->open.n--;
	r->first_block = outer_first;
	r->is_skipping = was_skipping;
	r->is_rest_lost = false;
	r->place = outer_place;
}

/* All of an open file; false: it cannot be read, or is too large. */
static bool
fd_read(struct arena *a, int fd, struct str *ret)
{
	struct buf *b = buf_new(a, FILE_BYTES + 1);
	char chunk[64 * 1024];
	ssize_t n;
	do {
		n = read(fd, chunk, sizeof(chunk));
		if (n > 0)
			buf_put(b, str_of(chunk, (size_t)n));
	} while (n > 0 && b->len <= FILE_BYTES);
	if (n > 0)
		errno = EFBIG;
	*ret = buf_str(b);
	return n == 0;
}

static void
file_read(struct reader *r, struct str path)
{
	int fd = open(str_c(r->arena, path), O_RDONLY | O_CLOEXEC | O_NOCTTY);
	struct str text = STR_EMPTY;
	if (fd < 0 || !fd_read(r->arena, fd, &text))
		diag_add(r->diags, DIAG_ERROR,
		    r->place.line > 0 ? r->place.file : path, r->place.line,
		    "%.*s cannot be read: %s", STR_ARG(path), strerror(errno));
	else
		reader_text(r, str_dup(r->arena, path), text);
	if (fd >= 0)
		(void)close(fd);
}

/* The *.cf of a folder, in name order. */
static void
folder_read(struct reader *r, struct str path, DIR *dir)
{
	struct strs names = {0};
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
		struct str name = str_from(entry->d_name);
		if (str_ends(name, STR(".cf")) && name.p[0] != '.')
			strs_add(r->arena, &names, str_dup(r->arena, name));
	}
	strs_sort(&names);
	if (names.n == 0)
		diag_add(r->diags, DIAG_WARNING, path, 0,
		    "no *.cf file in this folder");
	for (size_t i = 0; i < names.n; i++)
		reader_file(r, str_printf(r->arena, "%.*s/%.*s", STR_ARG(path),
				   STR_ARG(names.v[i])));
}

void
reader_file(struct reader *r, struct str path)
{
	if (++r->nfiles > FILES_MAX) {
		if (r->nfiles == FILES_MAX + 1)
			ERROR(r, "more than %d files: the rest is not read",
			    FILES_MAX);
		return;
	}
	DIR *dir = r->open.n == 0 ? opendir(str_c(r->arena, path)) : NULL;
	if (dir == NULL) {
		file_read(r, path);
		return;
	}
	folder_read(r, path, dir);
	(void)closedir(dir);
}

void
reader_finish(struct reader *r)
{
	const struct strs *tlds = r->rules->tlds;
	r->rules->mail.tlds =
	    tld_set_new(r->arena, &tlds[0], &tlds[1], &tlds[2]);
}
