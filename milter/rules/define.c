/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * define -- from what stands behind a rule's name to what is run.  Metas need
 * to know all rules and are link.c's work.
 */
#include "base/arena.h"
#include "rules/capture.h"
#include "rules/condition.h"
#include "rules/eval.h"
#include "rules/literal.h"
#include "rules/perl.h"
#include "rules/regex.h"
#include "rules/replace.h"
#include "rules/rule.h"

#define MIME_PARTS_MAX 1000
#define URI_DETAIL_FORM                               \
	"write: uri_detail RULE key =~ /regex/ ...; " \
	"keys are raw type cleaned text domain host"

/* Why one rule cannot be run. */
struct failure {
	enum diag_level level; /* DIAG_ERROR: broken; DIAG_WARNING: not
				  supported; DIAG_NOTE: counts 0 */
	struct str why;
};

#define BROKEN(...) ((struct failure){DIAG_ERROR, __VA_ARGS__})
#define UNSUPPORTED(...) ((struct failure){DIAG_WARNING, __VA_ARGS__})
#define OFFLINE(...) ((struct failure){DIAG_NOTE, __VA_ARGS__})

/* "2", "2-", "-3" or "2-3". */
static void
range_read(struct str text, struct rule_flags *flags)
{
	struct str to = text;
	struct str from = str_cut(&to, '-');
	bool is_open = from.len < text.len;
	uint64_t n;
	if (str_u64(from, MIME_PARTS_MAX, &n)) {
		flags->range_from = (size_t)n;
		flags->range_to = is_open ? MIME_PARTS_MAX : (size_t)n;
	}
	if (str_u64(to, MIME_PARTS_MAX, &n))
		flags->range_to = (size_t)n;
}

/* Where `key` stands in `flags` as a word, at or behind `from`. */
static size_t
word_find(struct str flags, struct str key, size_t from)
{
	for (size_t at; (at = str_find(str_skip(flags, from), key)) != STR_NONE;
	     from += at + 1) {
		size_t start = from + at, end = start + key.len;
		if ((start == 0 || !char_is_word(flags.p[start - 1])) &&
		    (end == flags.len || !char_is_word(flags.p[end]) ||
			str_ends(key, STR("="))))
			return start;
	}
	return STR_NONE;
}

/* "maxhits=3" */
static void
maxhits_read(struct str text, struct rule_flags *flags)
{
	struct str key = STR("maxhits=");
	for (size_t at = 0; (at = word_find(text, key, at)) != STR_NONE; at++) {
		struct str digits = str_skip(text, at + key.len);
		size_t n = 0;
		while (n < digits.len && char_is_digit(digits.p[n]))
			n++;
		uint64_t number;
		if ((n < digits.len && char_is_word(digits.p[n])) ||
		    !str_u64(str_sub(digits, 0, n), UINT32_MAX, &number))
			continue;
		flags->has_maxhits = true;
		flags->maxhits = (unsigned)number;
		return;
	}
}

/* Flags are words between whatever is no word: "multiple,maxhits=2" has two. */
void
rule_read_flags(struct rule *rule)
{
	rule->flags = (struct rule_flags){.range_to = MIME_PARTS_MAX};
	const struct {
		const char *name;
		bool *flag;
	} known[] = {
	    {"multiple", &rule->flags.is_multiple},
	    {"nice", &rule->flags.is_nice},
	    {"nosubject", &rule->flags.is_nosubject},
	    {"net", &rule->flags.is_net},
	    {"learn", &rule->flags.is_learn},
	    {"concat", &rule->flags.is_concat},
	};
	for (size_t i = 0; i < COUNT_OF(known); i++)
		*known[i].flag = word_find(rule->tflags,
				     str_from(known[i].name), 0) != STR_NONE;
	maxhits_read(rule->tflags, &rule->flags);
	struct str rest = rule->tflags;
	for (struct str word; (word = str_word(&rest)).len > 0;)
		if (str_starts(word, STR("range=")))
			range_read(str_skip(word, 6), &rule->flags);
}

static bool
pattern_compile(struct ruleset *rules, struct str pattern, struct regex **ret,
    struct failure *ret_failure)
{
	struct str why = STR_EMPTY;
	enum regex_status status = regex_new(rules->env, pattern, ret, &why);
	if (status == REGEX_OK)
		return true;
	*ret_failure = status == REGEX_BROKEN ? BROKEN(why) : UNSUPPORTED(why);
	return false;
}

/*
 * Compile `rule->pattern`.  Tags that make it a broken one are not replaced, as
 * in SpamAssassin, which checks a regex before it replaces them.
 */
static bool
pattern_replace(struct ruleset *rules, struct rule *rule, struct failure *ret)
{
	struct str plain = rule->pattern;
	if (rule->is_replaced && rule->type != RULE_MIMEHEADER)
		rule->pattern = replace_apply(rules->arena, rules->tags, plain);
	if (pattern_compile(rules, rule->pattern, &rule->regex, ret))
		return true;
	if (ret->level != DIAG_ERROR || str_eq(plain, rule->pattern))
		return false;
	rule->pattern = plain;
	return pattern_compile(rules, plain, &rule->regex, ret);
}

static bool
regex_define(struct ruleset *rules, struct rule *rule, struct str literal,
    struct diags *diags, struct failure *ret)
{
	struct str why;
	rule->tag = STR_EMPTY;
	/* SpamAssassin does not fill tags into a mimeheader rule */
	if (rule->type != RULE_MIMEHEADER)
		literal = capture_mark(rules->arena, literal, &rule->tag);
	if (!literal_parse(rules->arena, literal, &rule->pattern, &why)) {
		*ret = BROKEN(why);
		return false;
	}
	struct str oddity = literal_oddity(rule->pattern);
	if (oddity.len > 0)
		diag_add(diags, DIAG_WARNING, rule->place.file,
		    rule->place.line,
		    "%.*s: the regular expression matches everything: %.*s",
		    STR_ARG(rule->name), STR_ARG(oddity));
	if (!pattern_replace(rules, rule, ret))
		return false;
	rule->needs_tag = rule->tag.len > 0 && capture_is_needed(rules->arena,
						   rule->pattern, rule->tag);
	return true;
}

/*
 * The same regex for links that are characters; NULL: PCRE2 cannot do it, and
 * bytes have to do.
 */
static struct regex *
unicode_twin(struct ruleset *rules, struct str pattern)
{
	struct regex *twin;
	struct str why;
	return regex_new_unicode(rules->env, pattern, &twin, &why) == REGEX_OK
		   ? twin
		   : NULL;
}

static bool
uri_define(struct ruleset *rules, struct rule *rule, struct diags *diags,
    struct failure *ret)
{
	if (!regex_define(rules, rule, rule->text, diags, ret))
		return false;
	rule->unicode = unicode_twin(rules, rule->pattern);
	return true;
}

/* body, rawbody, full */
static bool
text_define(struct ruleset *rules, struct rule *rule, struct diags *diags,
    struct failure *ret)
{
	return regex_define(rules, rule, rule->text, diags, ret);
}

static bool
is_name_char(char c)
{
	return char_is_word(c) || c == '.' || c == '-';
}

/*
 * Bytes of the selector at the start of `text`: a name and a colon or up to two
 * modifiers; 0: none.
 */
static size_t
selector_length(struct str text, unsigned modifiers)
{
	size_t n = 0;
	while (n < text.len && is_name_char(text.p[n]))
		n++;
	bool is_bare = n < text.len && text.p[n] == ':';
	for (size_t end = n; n > 0 && modifiers > 0; modifiers--) {
		size_t word = end + 1;
		if (end >= text.len || text.p[end] != ':')
			break;
		while (word < text.len && text.p[word] >= 'a' &&
		       text.p[word] <= 'z')
			word++;
		if (word == end + 1)
			break;
		end = n = word;
		is_bare = false;
	}
	return n > 0 && is_bare ? n + 1 : n;
}

static bool
query_define(struct rule *rule, struct str selector, struct arena *a,
    struct failure *ret)
{
	if (str_ends(selector, STR(":")))
		selector.len--;
	struct str rest = selector;
	struct str name = str_cut(&rest, ':');
	rule->label = selector;
	if (name.len == 0) {
		*ret = BROKEN(STR("a header name is missing"));
		return false;
	}
	if (header_query_parse(selector, &rule->query))
		return true;
	*ret = UNSUPPORTED(str_printf(
	    a, "%.*s is not supported", STR_ARG(str_sub(selector, 0, 100))));
	return false;
}

/* "... [if-unset: text]" at the end of `*literal` is cut off. */
static void
unset_read(struct rule *rule, struct str *literal)
{
	struct str key = STR("[if-unset:");
	if (!str_ends(*literal, STR("]")))
		return;
	for (size_t at = 1; at + key.len < literal->len; at++) {
		struct str here = str_skip(*literal, at);
		if (!str_starts(here, key) ||
		    !char_is_space(literal->p[at - 1]) ||
		    !char_is_space(here.p[key.len]))
			continue;
		struct str text =
		    str_trim(str_sub(here, key.len, here.len - key.len - 1));
		if (text.len == 0)
			return;
		rule->unset = text;
		rule->has_unset = true;
		*literal = str_trim(str_sub(*literal, 0, at));
		return;
	}
}

/* "SELECTOR =~ LITERAL", "SELECTOR !~ LITERAL"; false: neither. */
static bool
operator_cut(struct rule *rule, struct str *ret_selector, struct str *ret_rest)
{
	struct str text = rule->text;
	size_t n = selector_length(text, 2);
	struct str rest = str_trim(str_skip(text, n));
	if (n == 0 ||
	    (!str_starts(rest, STR("=~")) && !str_starts(rest, STR("!~"))))
		return false;
	rule->is_negated = rest.p[0] == '!';
	*ret_selector = str_sub(text, 0, n);
	*ret_rest = str_trim(str_skip(rest, 2));
	return true;
}

static bool
header_define(struct ruleset *rules, struct rule *rule, struct diags *diags,
    struct failure *ret)
{
	struct str selector, literal;
	if (str_starts(rule->text, STR("exists:"))) {
		rule->is_exists = true;
		selector = str_skip(rule->text, 7);
		if (selector_length(selector, 0) != selector.len) {
			*ret = BROKEN(STR("write: header RULE exists:Name"));
			return false;
		}
		return query_define(rule, selector, rules->arena, ret);
	}
	if (!operator_cut(rule, &selector, &literal)) {
		*ret = BROKEN(STR("write: header RULE Name =~ /regex/, or: "
				  "header RULE exists:Name"));
		return false;
	}
	unset_read(rule, &literal);
	return query_define(rule, selector, rules->arena, ret) &&
	       regex_define(rules, rule, literal, diags, ret);
}

static bool
mimeheader_define(struct ruleset *rules, struct rule *rule, struct diags *diags,
    struct failure *ret)
{
	struct str selector, literal;
	if (!operator_cut(rule, &selector, &literal)) {
		*ret = BROKEN(STR("write: mimeheader RULE Name =~ /regex/"));
		return false;
	}
	if (rule->is_negated)
		diag_add(diags, DIAG_WARNING, rule->place.file,
		    rule->place.line,
		    "%.*s: !~ hits every message, as in SpamAssassin: use =~ "
		    "and ! in a meta",
		    STR_ARG(rule->name));
	unset_read(rule, &literal);
	if (str_ends(selector, STR(":")))
		selector.len--;
	rule->label = selector;
	struct str rest = selector;
	rule->query.name = str_cut(&rest, ':');
	rule->query.is_raw = str_eq(rest, STR("raw"));
	rule->is_all = str_eq(rule->query.name, STR("ALL"));
	if (rest.len > 0 && !rule->query.is_raw) {
		*ret =
		    UNSUPPORTED(STR("mimeheader knows no modifier but :raw"));
		return false;
	}
	return regex_define(rules, rule, literal, diags, ret);
}

/* Bytes of the literal at the start of `text`, a blank behind it; 0: none. */
static size_t
key_literal_length(struct str text)
{
	size_t start = str_starts(text, STR("m")) ? 2 : 1;
	if (start > text.len ||
	    (start == 1 ? text.p[0] != '/' : char_is_word(text.p[1])))
		return 0;
	for (size_t i = start; i < text.len; i++) {
		if (text.p[i] != text.p[start - 1])
			continue;
		size_t stop = i + 1;
		while (
		    stop < text.len && memchr("imsx", text.p[stop], 4) != NULL)
			stop++;
		if (stop == text.len || char_is_space(text.p[stop]))
			return stop;
	}
	return 0;
}

static bool
key_name_read(struct str word, enum uri_key_name *ret)
{
	static const struct {
		const char *word;
		enum uri_key_name name;
	} names[] = {
	    {"raw", URI_KEY_RAW},
	    {"type", URI_KEY_TYPE},
	    {"cleaned", URI_KEY_CLEANED},
	    {"text", URI_KEY_TEXT},
	    {"domain", URI_KEY_DOMAIN},
	    {"host", URI_KEY_HOST},
	};
	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (str_eq(word, str_from(names[i].word))) {
			*ret = names[i].name;
			return true;
		}
	return false;
}

/* "key =~ /regex/" at the start of `*text`; false: something else. */
static bool
uri_key_cut(struct str *text, struct str *ret_name, bool *ret_is_negated,
    struct str *ret_literal)
{
	size_t n = 0;
	while (n < text->len && char_is_word(text->p[n]))
		n++;
	struct str behind = str_trim(str_skip(*text, n));
	if (n == 0 ||
	    (!str_starts(behind, STR("=~")) && !str_starts(behind, STR("!~"))))
		return false;
	struct str literal = str_trim(str_skip(behind, 2));
	size_t length = key_literal_length(literal);
	if (length == 0)
		return false;
	*ret_name = str_sub(*text, 0, n);
	*ret_is_negated = behind.p[0] == '!';
	*ret_literal = str_sub(literal, 0, length);
	*text = str_skip(literal, length);
	return true;
}

/* The last regex for a key is the one that counts. */
static void
uri_key_set(struct arena *a, struct uri_keys *keys, const struct uri_key *key)
{
	for (size_t i = 0; i < keys->n; i++)
		if (keys->v[i].name == key->name) {
			keys->v[i] = *key;
			return;
		}
	ARENA_PUSH(a, keys) = *key;
}

static bool
uri_key_define(struct ruleset *rules, struct rule *rule, struct str name,
    bool is_negated, struct str literal, struct failure *ret)
{
	struct uri_key key = {.is_negated = is_negated};
	struct str pattern, why;
	if (!key_name_read(name, &key.name)) {
		*ret = BROKEN(STR(URI_DETAIL_FORM));
		return false;
	}
	if (!literal_parse(rules->arena, literal, &pattern, &why)) {
		*ret = BROKEN(why);
		return false;
	}
	if (!pattern_compile(rules, pattern, &key.regex, ret))
		return false;
	key.unicode = unicode_twin(rules, pattern);
	uri_key_set(rules->arena, &rule->keys, &key);
	return true;
}

/* Each "key =~ /regex/" in `text`; what is between them is passed over. */
static bool
uri_keys_define(struct ruleset *rules, struct rule *rule, struct str text,
    struct failure *ret)
{
	size_t n = 0;
	while (text.len > 0) {
		struct str name, literal;
		bool is_negated;
		if (uri_key_cut(&text, &name, &is_negated, &literal)) {
			if (!uri_key_define(
				rules, rule, name, is_negated, literal, ret))
				return false;
			n++;
			continue;
		}
		while (text.len > 0 && char_is_word(text.p[0]))
			text = str_skip(text, 1);
		text = str_skip(text, 1);
	}
	if (n == 0)
		*ret = BROKEN(STR(URI_DETAIL_FORM));
	return n > 0;
}

/* Keys of an earlier definition stay if the last one does not name them. */
static bool
uri_detail_define(struct ruleset *rules, struct rule *rule, struct diags *diags,
    struct failure *ret)
{
	(void)diags;
	struct strs texts = {0};
	strs_add(rules->arena, &texts, rule->text);
	for (const struct older_rule *older = rule->older; older != NULL;
	     older = older->older)
		if (older->type == RULE_URI_DETAIL)
			strs_add(rules->arena, &texts, older->text);
	rule->keys = (struct uri_keys){0};
	for (size_t i = texts.n; i > 1; i--)
		(void)uri_keys_define(rules, rule, texts.v[i - 1], ret);
	return uri_keys_define(rules, rule, rule->text, ret);
}

static bool
is_bare_argument_char(char c)
{
	return char_is_alnum(c) || c == '.' || c == ':' || c == '-';
}

/*
 * The quote that closes the argument is the first one before a comma or the
 * end; others belong to it.  Returns its place; STR_NONE: none.
 */
static size_t
closing_quote(struct str text, char quote)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.p[i] != quote)
			continue;
		struct str behind = str_trim(str_skip(text, i + 1));
		if (behind.len == 0 || behind.p[0] == ',')
			return i;
	}
	return STR_NONE;
}

/* One argument from the start of `*rest`: quoted, or a bare word or number. */
static bool
argument_cut(struct str *rest, struct str *ret)
{
	char quote = rest->p[0];
	size_t n = 0;
	if (quote == '\'' || quote == '"') {
		struct str inside = str_skip(*rest, 1);
		n = closing_quote(inside, quote);
		if (n == STR_NONE)
			return false;
		*ret = str_sub(inside, 0, n);
		*rest = str_skip(inside, n + 1);
	} else {
		while (n < rest->len && is_bare_argument_char(rest->p[n]))
			n++;
		if (n == 0)
			return false;
		*ret = str_sub(*rest, 0, n);
		*rest = str_skip(*rest, n);
	}
	*rest = str_trim(*rest);
	return true;
}

static bool
arguments_read(struct arena *a, struct str text, struct strs *ret)
{
	struct str rest = str_trim(text);
	while (rest.len > 0) {
		struct str argument;
		if (!argument_cut(&rest, &argument))
			return false;
		strs_add(a, ret, argument);
		if (rest.len == 0)
			return true;
		if (rest.p[0] != ',')
			return false;
		rest = str_trim(str_skip(rest, 1));
	}
	return true;
}

/* "eval:name(arguments)" */
static bool
call_cut(struct str text, struct str *ret_name, struct str *ret_arguments)
{
	struct str rest = text;
	(void)str_cut(&rest, ':');
	rest = str_trim(rest);
	size_t open = str_chr(rest, '(');
	if (open == STR_NONE || !str_ends(rest, STR(")")))
		return false;
	*ret_name = str_sub(rest, 0, open);
	*ret_arguments = str_sub(rest, open + 1, rest.len - open - 2);
	return ret_name->len > 0;
}

static char
argument_letter(const struct eval_row *row, size_t i)
{
	size_t n = row->args == NULL ? 0 : strcspn(row->args, " ");
	return n == 0 ? 's' : row->args[i < n ? i : n - 1];
}

/* One of the words that the row wants; true, too, if it names none. */
static bool
argument_is_known(const struct eval_row *row, struct str argument)
{
	struct str words = str_from(row->args);
	(void)str_word(&words);
	if (words.len == 0)
		return true;
	for (struct str word = str_word(&words); word.len > 0;
	     word = str_word(&words))
		if (str_ieq(word, argument))
			return true;
	return false;
}

/* A regular expression on the results of a parser, which match it often. */
static bool
argument_compile(struct ruleset *rules, struct str pattern, bool is_unicode,
    const struct regex **ret, struct failure *ret_failure)
{
	struct regex *regex;
	struct str why = STR_EMPTY;
	enum regex_status status =
	    is_unicode ? regex_new_unicode(rules->env, pattern, &regex, &why)
		       : regex_new(rules->env, pattern, &regex, &why);
	if (status != REGEX_OK) {
		*ret_failure =
		    status == REGEX_BROKEN ? BROKEN(why) : UNSUPPORTED(why);
		return false;
	}
	regex_speed_up(regex);
	*ret = regex;
	return true;
}

static bool
argument_define(
    struct ruleset *rules, struct rule *rule, size_t i, struct failure *ret)
{
	struct str argument = rule->args.v[i];
	char letter = argument_letter(rule->eval, i);
	double number;
	switch (letter) {
	case 'n':
		if (str_double(argument, &number))
			return true;
		*ret = BROKEN(str_printf(rules->arena,
		    "argument %zu of %s() must be a number", i + 1,
		    rule->eval->name));
		return false;
	case 'p':
	case 'u':
		return argument_compile(
		    rules, argument, letter == 'u', &rule->regexes[i], ret);
	case 'r': {
		struct str pattern, why;
		if (!literal_or_pattern(
			rules->arena, argument, &pattern, &why)) {
			*ret = BROKEN(why);
			return false;
		}
		return argument_compile(
		    rules, pattern, false, &rule->regexes[i], ret);
	}
	default:
		if (argument_is_known(rule->eval, argument))
			return true;
		*ret =
		    BROKEN(str_printf(rules->arena, "%s() does not know %.*s",
			rule->eval->name, STR_ARG(str_sub(argument, 0, 100))));
		return false;
	}
}

/*
 * Is a function of SpamAssassin called by a rule of the type it was made for?
 * If not, SpamAssassin warns and never runs the rule.  Those of the other
 * plugins may be called by any.
 */
static bool
is_right_view(const struct rule *rule)
{
	static const struct {
		const char *source;
		enum rule_turn turn;
	} wanted[] = {
	    {"BodyEval", TURN_BODY_EVAL},
	    {"FreeMail", TURN_HEADER_EVAL},
	    {"HTMLEval", TURN_BODY_EVAL},
	    {"HTTPSMismatch", TURN_BODY_EVAL},
	    {"HeaderEval", TURN_HEADER_EVAL},
	    {"ImageInfo", TURN_BODY_EVAL},
	    {"MIMEEval", TURN_BODY_EVAL},
	    {"WelcomeListSubject", TURN_HEADER_EVAL},
	};
	struct str source = str_from(rule->eval->source);
	if (str_eq(str_from(rule->eval->name), STR("check_msg_parse_flags")))
		return true;
	for (size_t i = 0; i < COUNT_OF(wanted); i++)
		if (str_eq(source, str_from(wanted[i].source)))
			return rule->turn == wanted[i].turn ||
			       (rule->turn == TURN_RAWBODY_EVAL &&
				   wanted[i].turn == TURN_BODY_EVAL);
	return true;
}

static bool
eval_define(struct ruleset *rules, struct rule *rule, struct diags *diags,
    struct failure *ret)
{
	(void)diags;
	struct str name, arguments;
	rule->args = (struct strs){0};
	if (!call_cut(rule->text, &name, &arguments) ||
	    !arguments_read(rules->arena, arguments, &rule->args)) {
		*ret = BROKEN(STR("write: eval:function('argument', ...)"));
		return false;
	}
	rule->eval = eval_row_find(rules->evals, name);
	if (rule->eval != NULL && !plugins_have(&rules->plugins, rule->eval)) {
		*ret = OFFLINE(str_printf(rules->arena,
		    "its plugin %s is not loaded", rule->eval->source));
		return false;
	}
	if (rule->eval == NULL) {
		*ret = UNSUPPORTED(str_printf(rules->arena,
		    "the eval function %.*s() is not built in",
		    STR_ARG(str_sub(name, 0, 100))));
		return false;
	}
	if (!is_right_view(rule)) {
		*ret = UNSUPPORTED(str_printf(rules->arena,
		    "%s() is not for rules of this type", rule->eval->name));
		return false;
	}
	if (rule->args.n < rule->eval->args_min ||
	    rule->args.n > rule->eval->args_max) {
		*ret = BROKEN(str_printf(rules->arena,
		    "%s() takes %u to %u arguments, not %zu", rule->eval->name,
		    rule->eval->args_min, rule->eval->args_max, rule->args.n));
		return false;
	}
	rule->regexes =
	    ARENA_ARRAY(rules->arena, const struct regex *, rule->args.n);
	rule->numbers = ARENA_ARRAY(rules->arena, double, rule->args.n);
	for (size_t i = 0; i < rule->args.n; i++) {
		rule->numbers[i] = perl_number(rule->args.v[i]);
		if (!argument_define(rules, rule, i, ret))
			return false;
	}
	return true;
}

static bool
network_define(struct ruleset *rules, struct rule *rule, struct diags *diags,
    struct failure *ret)
{
	(void)rules;
	(void)rule;
	(void)diags;
	*ret = OFFLINE(STR("it asks the network"));
	return false;
}

/* SpamAssassin without network does not run such a rule either. */
static bool
is_offline_eval(const struct rule *rule)
{
	if (rule->type == RULE_EVAL && rule->eval != NULL)
		return !is_right_view(rule);
	return rule->type == RULE_EVAL &&
	       (str_starts(rule->text, STR("rbleval:")) ||
		   str_starts(rule->text, STR("eval:check_rbl")) ||
		   str_starts(rule->text, STR("eval:check_dns")));
}

/* "check_rbl() asks the network" */
static struct str
offline_why(struct arena *a, const struct rule *rule)
{
	struct str name, arguments;
	if (rule->eval != NULL)
		return str_printf(
		    a, "%s() is not for rules of this type", rule->eval->name);
	if (rule->type == RULE_NETWORK ||
	    !call_cut(rule->text, &name, &arguments))
		return STR("it asks the network");
	return str_printf(a, "%.*s() asks the %s", STR_ARG(str_trim(name)),
	    rule->flags.is_learn ? "Bayes filter" : "network");
}

/* The row is of another room, which answers from what it knows. */
static bool
is_from_facts(const struct eval_row *eval)
{
	for (size_t i = 0; EVAL_CONTENT[i] != NULL; i++)
		for (const struct eval_row *row = EVAL_CONTENT[i];
		     row->name != NULL; row++)
			if (row == eval)
				return false;
	return true;
}

/*
 * Evals, and what SpamAssassin has built on them, are not run without network
 * or Bayes if a flag says that they need it.  Ours know it by themselves.
 */
static bool
is_left_out(const struct rule *rule)
{
	bool is_ours =
	    rule->eval != NULL &&
	    (is_from_facts(rule->eval) ||
		str_eq(str_from(rule->eval->source), STR("postern")));
	return (rule->flags.is_net || rule->flags.is_learn) && !is_ours &&
	       (rule->type == RULE_EVAL || rule->type == RULE_MIMEHEADER ||
		   rule->type == RULE_URI_DETAIL);
}

/* True: nothing is wrong. */
static bool
define_once(struct ruleset *rules, struct rule *rule, struct diags *diags,
    struct failure *ret)
{
	static bool (*const define[RULE_TYPES])(struct ruleset *, struct rule *,
	    struct diags *, struct failure *) = {
	    [RULE_HEADER] = header_define,
	    [RULE_BODY] = text_define,
	    [RULE_URI] = uri_define,
	    [RULE_RAWBODY] = text_define,
	    [RULE_FULL] = text_define,
	    [RULE_MIMEHEADER] = mimeheader_define,
	    [RULE_URI_DETAIL] = uri_detail_define,
	    [RULE_EVAL] = eval_define,
	    [RULE_NETWORK] = network_define,
	};
	rule->is_exists = rule->is_negated = rule->has_unset = false;
	rule->is_all = false;
	rule->label = rule->unset = STR_EMPTY;
	bool is_fine = define[rule->type] == NULL ||
		       define[rule->type](rules, rule, diags, ret);
	if (!is_fine && ret->level == DIAG_ERROR)
		return false;
	if (is_fine && is_left_out(rule)) {
		*ret = OFFLINE(STR("its tflags say that it needs the network "
				   "or a Bayes filter"));
		return false;
	}
	if (!is_fine && (is_offline_eval(rule) || is_left_out(rule)))
		ret->level = DIAG_NOTE;
	return is_fine;
}

bool
rule_go_back(struct rule *rule)
{
	const struct older_rule *older = rule->older;
	if (older == NULL)
		return false;
	rule->type = older->type;
	rule->turn = older->turn;
	rule->place = older->place;
	rule->text = older->text;
	rule->older = older->older;
	return true;
}

void
rule_define(struct ruleset *rules, struct rule *rule, struct diags *diags)
{
	struct failure failure;
	struct place place = rule->place;
	while (!define_once(rules, rule, diags, &failure)) {
		bool is_broken = failure.level == DIAG_ERROR;
		bool is_older = is_broken && rule_go_back(rule);
		diag_add(diags, failure.level, place.file, place.line,
		    "%.*s: %.*s: %s", STR_ARG(rule->name), STR_ARG(failure.why),
		    is_older ? "the definition before this one stays"
		    : failure.level == DIAG_NOTE
			? "it counts 0, as in SpamAssassin"
			: "the rule is disabled");
		place = rule->place;
		if (is_older)
			continue;
		bool is_offline = failure.level == DIAG_NOTE;
		rule->state = is_offline ? RULE_OFFLINE : RULE_DISABLED;
		rule->why =
		    is_offline ? offline_why(rules->arena, rule) : failure.why;
		return;
	}
}
