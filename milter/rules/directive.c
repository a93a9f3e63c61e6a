/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * directive -- one function a directive, and the table that names them.  A
 * definition is only noted here, for the last one of a name counts; define.c
 * reads it.
 */
#include "base/arena.h"
#include "rules/capture.h"
#include "rules/condition.h"
#include "rules/reader.h"
#include "rules/replace.h"

#define SCAN_SIZE_MAX 10000000
/* What a rule is run at that decides a message alone. */
#define SHORTCUT_PRIORITY (-200)

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
	if (!rule_is_name(name))
		ERROR(r, "%.*s is no rule name: use A-Z, 0-9 and _",
		    STR_ARG(str_sub(name, 0, RULE_NAME_MAX)));
	else if (name.len > RULE_NAME_MAX)
		ERROR(r, "the rule name %.*s... is longer than %d characters",
		    STR_ARG(str_sub(name, 0, 40)), RULE_NAME_MAX);
	else
		ERROR(r, "there are too many rules");
	return NULL;
}

/* What the rule was before, in case that the new definition is broken. */
static void
keep_older(struct reader *r, struct rule *rule)
{
	if (rule->type == RULE_NONE)
		return;
	struct older_rule *older = ARENA_NEW(r->arena, struct older_rule);
	*older = (struct older_rule){
	    .type = rule->type,
	    .turn = rule->turn,
	    .place = rule->place,
	    .text = rule->text,
	    .older = rule->older,
	};
	rule->older = older;
}

/* Note a definition; NULL: said what is wrong. */
static struct rule *
define(struct reader *r, struct str value, enum rule_type type,
    enum rule_turn turn)
{
	struct rule *rule = rule_named(r, &value);
	if (rule == NULL)
		return NULL;
	if (value.len == 0) {
		ERROR(r, "%.*s has no definition", STR_ARG(rule->name));
		return NULL;
	}
	keep_older(r, rule);
	rule->type = type;
	rule->turn = turn;
	rule->text = value;
	rule->place = r->place;
	return rule;
}

static bool
is_eval(struct str value)
{
	(void)str_word(&value);
	value = str_trim(value);
	return str_starts(value, STR("eval:")) ||
	       str_starts(value, STR("rbleval:"));
}

static enum rule_turn
turn_of(enum rule_type type)
{
	static const enum rule_turn turns[RULE_TYPES] = {
	    [RULE_HEADER] = TURN_HEADER,
	    [RULE_BODY] = TURN_BODY,
	    [RULE_URI] = TURN_URI,
	    [RULE_RAWBODY] = TURN_RAWBODY,
	    [RULE_FULL] = TURN_FULL,
	    [RULE_MIMEHEADER] = TURN_BODY_EVAL,
	    [RULE_URI_DETAIL] = TURN_BODY_EVAL,
	};
	return turns[type];
}

static enum rule_turn
eval_turn_of(enum rule_type type)
{
	static const enum rule_turn turns[RULE_TYPES] = {
	    [RULE_HEADER] = TURN_HEADER_EVAL,
	    [RULE_BODY] = TURN_BODY_EVAL,
	    [RULE_RAWBODY] = TURN_RAWBODY_EVAL,
	    [RULE_FULL] = TURN_FULL_EVAL,
	};
	return turns[type];
}

static void
read_rule(struct reader *r, struct str value, unsigned type)
{
	(void)define(
	    r, value, (enum rule_type)type, turn_of((enum rule_type)type));
}

/* A rule with a regex; one that captures text is run before the others. */
static void
read_regex(struct reader *r, struct str value, unsigned type)
{
	struct rule *rule = define(
	    r, value, (enum rule_type)type, turn_of((enum rule_type)type));
	if (rule == NULL || !capture_is_set_by(rule->text))
		return;
	rule->priority = CAPTURE_PRIORITY;
	rule->has_priority = true;
}

/* A regex, or an eval. */
static void
read_regex_or_eval(struct reader *r, struct str value, unsigned type)
{
	if (is_eval(value))
		(void)define(
		    r, value, RULE_EVAL, eval_turn_of((enum rule_type)type));
	else
		read_regex(r, value, type);
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
	return str_u64(whole, UINT32_MAX, &n) && !str_ends(text, STR(".")) &&
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
	if (!rule_is_name(name) || (!is_ok && !str_eq(want, STR("fail")))) {
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

/* What mail is looked at with, and SpamAssassin's setting is the opposite of.
 */
enum { NO_SIGNERS, KEEPS_CHARSETS };

static void
read_switch(struct reader *r, struct str value, unsigned which)
{
	bool is_on = str_eq(value, STR("1")) || str_ieq(value, STR("yes"));
	if (!is_on && !str_eq(value, STR("0")) && !str_ieq(value, STR("no")))
		ERROR(r, "1 or 0 is wanted");
	else if (which == NO_SIGNERS)
		r->rules->mail.has_no_signers = !is_on;
	else
		r->rules->mail.keeps_charsets = !is_on;
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

static void
read_loadplugin(struct reader *r, struct str value, unsigned unused)
{
	(void)unused;
	struct str class = str_word(&value);
	if (class.len == 0)
		ERROR(r, "loadplugin needs a plugin");
	else if (!plugins_load(&r->rules->plugins, r->arena, class) &&
		 reader_is_first(r, class))
		SAY(r, DIAG_NOTE, "%.*s is not built in",
		    STR_ARG(str_sub(class, 0, 100)));
}

static void
read_enable_compat(struct reader *r, struct str value, unsigned unused)
{
	(void)unused;
	if (!plugins_compat(&r->rules->plugins, r->arena, value))
		ERROR(r, "a name of letters, digits and _ is wanted");
}

static bool
has_shortcircuit(struct reader *r)
{
	struct str why;
	bool holds = false;
	if (condition_read(r->arena,
		STR("plugin(Mail::SpamAssassin::Plugin::Shortcircuit)"),
		&r->rules->plugins, &holds, &why) &&
	    holds)
		return true;
	if (reader_is_first(r, STR("shortcircuit")))
		SAY(r, DIAG_NOTE,
		    "shortcircuit is not used: the plugin is not loaded");
	return false;
}

/* "spam" and "ham" run the rule early; that a ham rule is nice is implied. */
static void
shortcut_set(struct reader *r, struct rule *rule, enum shortcut shortcut)
{
	rule->shortcut = shortcut;
	if (shortcut != SHORTCUT_HAM && shortcut != SHORTCUT_SPAM)
		return;
	if (rule->priority == 0) {
		rule->priority = SHORTCUT_PRIORITY;
		rule->has_priority = true;
	}
	if (shortcut == SHORTCUT_HAM)
		rule->tflags =
		    str_printf(r->arena, "%.*s nice", STR_ARG(rule->tflags));
}

static void
read_shortcircuit(struct reader *r, struct str value, unsigned unused)
{
	(void)unused;
	static const char *const words[] = {
	    [SHORTCUT_OFF] = "off",
	    [SHORTCUT_ON] = "on",
	    [SHORTCUT_HAM] = "ham",
	    [SHORTCUT_SPAM] = "spam",
	};
	if (!has_shortcircuit(r))
		return;
	struct rule *rule = rule_named(r, &value);
	for (size_t i = 0; rule != NULL && i < COUNT_OF(words); i++)
		if (str_eq(value, str_from(words[i]))) {
			shortcut_set(r, rule, (enum shortcut)i);
			return;
		}
	if (rule != NULL)
		ERROR(r, "shortcircuit %.*s: on, off, ham or spam is wanted",
		    STR_ARG(rule->name));
}

enum shortcut_bound { HAM_SCORE, SPAM_SCORE, MIN_HAM_SCORE, MAX_SPAM_SCORE };

static void
read_shortcircuit_score(struct reader *r, struct str value, unsigned bound)
{
	struct shortcuts *s = &r->rules->shortcuts;
	double score;
	if (!has_shortcircuit(r))
		return;
	if (!str_double(value, &score)) {
		ERROR(r, "a decimal number is wanted");
		return;
	}
	switch ((enum shortcut_bound)bound) {
	case HAM_SCORE:
		s->ham_score = score;
		break;
	case SPAM_SCORE:
		s->spam_score = score;
		break;
	case MIN_HAM_SCORE:
		s->has_min_ham = true;
		s->min_ham = score;
		break;
	case MAX_SPAM_SCORE:
		s->has_max_spam = true;
		s->max_spam = score;
		break;
	}
}

void
directive_read_network(struct reader *r, struct str value)
{
	(void)define(r, value, RULE_NETWORK, TURN_BODY_EVAL);
}

static const struct directive directives[] = {
    {"if", block_read_if, 0, true},
    {"ifplugin", block_read_ifplugin, 0, true},
    {"else", block_read_else, 0, true},
    {"endif", block_read_endif, 0, true},
    {"body", read_regex_or_eval, RULE_BODY, false},
    {"header", read_regex_or_eval, RULE_HEADER, false},
    {"meta", read_rule, RULE_META, false},
    {"score", read_score, 0, false},
    {"describe", read_describe, 0, false},
    {"tflags", read_tflags, 0, false},
    {"uri", read_regex, RULE_URI, false},
    {"rawbody", read_regex_or_eval, RULE_RAWBODY, false},
    {"full", read_regex_or_eval, RULE_FULL, false},
    {"mimeheader", read_regex, RULE_MIMEHEADER, false},
    {"uri_detail", read_rule, RULE_URI_DETAIL, false},
    {"priority", read_priority, 0, false},
    {"loadplugin", read_loadplugin, 0, false},
    {"tryplugin", read_loadplugin, 0, false},
    {"enable_compat", read_enable_compat, 0, false},
    {"shortcircuit", read_shortcircuit, 0, false},
    {"shortcircuit_ham_score", read_shortcircuit_score, HAM_SCORE, false},
    {"shortcircuit_spam_score", read_shortcircuit_score, SPAM_SCORE, false},
    {"shortcircuit_min_ham_score", read_shortcircuit_score, MIN_HAM_SCORE,
	false},
    {"shortcircuit_max_spam_score", read_shortcircuit_score, MAX_SPAM_SCORE,
	false},
    {"test", read_test, 0, false},
    {"include", reader_include, 0, false},
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
    {"normalize_charset", read_switch, KEEPS_CHARSETS, false},
    {"parse_dkim_uris", read_switch, NO_SIGNERS, false},
};

bool
directive_defines(const struct directive *directive)
{
	return directive->read == read_rule || directive->read == read_regex ||
	       directive->read == read_regex_or_eval;
}

const struct directive *
directive_find(struct str name)
{
	for (size_t i = 0; i < COUNT_OF(directives); i++)
		if (str_eq(name, str_from(directives[i].name)))
			return &directives[i];
	return NULL;
}
