/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * define -- from what stands behind a rule's name to what is run.  Metas need
 * to know all rules and are link.c's work.
 */
#include "base/arena.h"
#include "rules/condition.h"
#include "rules/eval.h"
#include "rules/literal.h"
#include "rules/regex.h"
#include "rules/replace.h"
#include "rules/rule.h"

#define MIME_PARTS_MAX 1000

/* Why one rule cannot be run. */
struct failure {
	enum diag_level level; /* DIAG_ERROR: broken; else not supported */
	struct str why;
};

#define BROKEN(...) ((struct failure){DIAG_ERROR, __VA_ARGS__})
#define UNSUPPORTED(...) ((struct failure){DIAG_WARNING, __VA_ARGS__})

/* Pseudo headers SpamAssassin fills from what is not looked at here. */
static const char *const metadata[] = {
    "ALL-EXTERNAL",
    "ALL-INTERNAL",
    "ALL-TRUSTED",
    "ALL-UNTRUSTED",
    "X-ASN",
    "X-Languages",
    "X-Relay-Countries",
    "X-SenderDomain",
    "X-Spam-Relays-External",
    "X-Spam-Relays-Internal",
    "X-Spam-Relays-Trusted",
    "X-Spam-Relays-Untrusted",
};

static bool
is_metadata(struct str name)
{
	for (size_t i = 0; i < COUNT_OF(metadata); i++)
		if (str_ieq(name, str_from(metadata[i])))
			return true;
	return false;
}

/* "maxhits=3" with key "maxhits=": 3; otherwise 0. */
static unsigned
flag_number(struct str word, struct str key)
{
	uint64_t n = 0;
	if (!str_starts(word, key) ||
	    !str_u64(str_skip(word, key.len), 1000000, &n))
		return 0;
	return (unsigned)n;
}

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

static void
flag_read(struct str word, struct rule_flags *flags)
{
	const struct {
		const char *name;
		bool *flag;
	} known[] = {
	    {"multiple", &flags->is_multiple},
	    {"nice", &flags->is_nice},
	    {"nosubject", &flags->is_nosubject},
	    {"net", &flags->is_net},
	    {"learn", &flags->is_learn},
	    {"concat", &flags->is_concat},
	};
	for (size_t i = 0; i < COUNT_OF(known); i++)
		if (str_eq(word, str_from(known[i].name)))
			*known[i].flag = true;
	unsigned n = flag_number(word, STR("maxhits="));
	if (n > 0)
		flags->maxhits = n;
	if (str_starts(word, STR("range=")))
		range_read(str_skip(word, 6), flags);
}

void
rule_read_flags(struct rule *rule)
{
	rule->flags = (struct rule_flags){.range_to = MIME_PARTS_MAX};
	struct str rest = rule->tflags;
	for (struct str word; (word = str_word(&rest)).len > 0;)
		flag_read(word, &rule->flags);
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

/* "%{NAME}": what another rule captured, which is not kept here. */
static bool
uses_capture(struct str pattern)
{
	for (size_t at; (at = str_find(pattern, STR("%{"))) != STR_NONE;) {
		bool is_escaped = at > 0 && pattern.p[at - 1] == '\\';
		pattern = str_skip(pattern, at + 2);
		if (!is_escaped && pattern.len > 0 && pattern.p[0] >= 'A' &&
		    pattern.p[0] <= 'Z' && str_chr(pattern, '}') != STR_NONE)
			return true;
	}
	return false;
}

static bool
regex_define(struct ruleset *rules, struct rule *rule, struct str literal,
    struct diags *diags, struct failure *ret)
{
	struct str pattern, why;
	if (!literal_parse(rules->arena, literal, &pattern, &why)) {
		*ret = BROKEN(why);
		return false;
	}
	if (rule->is_replaced && rule->type != RULE_MIMEHEADER)
		pattern = replace_apply(rules->arena, rules->tags, pattern);
	if (uses_capture(pattern)) {
		*ret = UNSUPPORTED(STR("%{NAME} is not supported"));
		return false;
	}
	struct str oddity = literal_oddity(pattern);
	if (oddity.len > 0)
		diag_add(diags, DIAG_WARNING, rule->place.file,
		    rule->place.line,
		    "%.*s: the regular expression matches everything: %.*s",
		    STR_ARG(rule->name), STR_ARG(oddity));
	return pattern_compile(rules, pattern, &rule->regex, ret);
}

/* body, rawbody, uri, full */
static bool
text_define(struct ruleset *rules, struct rule *rule, struct diags *diags,
    struct failure *ret)
{
	return regex_define(rules, rule, rule->text, diags, ret);
}

static bool
is_selector_char(char c)
{
	return char_is_word(c) || c == '.' || c == '-' || c == ':';
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
	if (!is_metadata(name) && header_query_parse(selector, &rule->query))
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
	size_t n = 0;
	while (n < text.len && is_selector_char(text.p[n]))
		n++;
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
		selector = str_trim(str_skip(rule->text, 7));
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
	if (rule->is_negated) {
		*ret = UNSUPPORTED(STR("!~ hits every message in SpamAssassin: "
				       "use =~ and ! in a meta"));
		return false;
	}
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

/* The literal at the start of `*rest`, up to a delimiter with a blank behind.
 */
static struct str
key_literal(struct str *rest)
{
	struct str text = *rest;
	size_t start = str_starts(text, STR("m")) ? 2 : 1;
	char end = start <= text.len ? text.p[start - 1] : '/';
	for (size_t i = start; i < text.len; i++) {
		if (text.p[i] != end)
			continue;
		size_t stop = i + 1;
		while (stop < text.len && char_is_alpha(text.p[stop]))
			stop++;
		if (stop < text.len && !char_is_space(text.p[stop]))
			continue;
		*rest = str_trim(str_skip(text, stop));
		return str_sub(text, 0, stop);
	}
	*rest = STR_EMPTY;
	return text;
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

static bool
uri_key_define(struct ruleset *rules, struct rule *rule, struct str *rest,
    struct failure *ret)
{
	size_t n = 0;
	while (n < rest->len && char_is_word(rest->p[n]))
		n++;
	struct uri_key key = {0};
	struct str behind = str_trim(str_skip(*rest, n));
	if (!key_name_read(str_sub(*rest, 0, n), &key.name) ||
	    (!str_starts(behind, STR("=~")) &&
		!str_starts(behind, STR("!~")))) {
		*ret =
		    BROKEN(STR("write: uri_detail RULE key =~ /regex/ ...; "
			       "keys are raw type cleaned text domain host"));
		return false;
	}
	key.is_negated = behind.p[0] == '!';
	*rest = str_trim(str_skip(behind, 2));
	struct str pattern, why;
	if (!literal_parse(rules->arena, key_literal(rest), &pattern, &why)) {
		*ret = BROKEN(why);
		return false;
	}
	if (!pattern_compile(rules, pattern, &key.regex, ret))
		return false;
	ARENA_PUSH(rules->arena, &rule->keys) = key;
	return true;
}

static bool
uri_detail_define(struct ruleset *rules, struct rule *rule, struct diags *diags,
    struct failure *ret)
{
	(void)diags;
	rule->keys = (struct uri_keys){0};
	struct str rest = rule->text;
	do {
		if (!uri_key_define(rules, rule, &rest, ret))
			return false;
	} while (rest.len > 0);
	return true;
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
		enum rule_type view;
	} wanted[] = {
	    {"BodyEval", RULE_BODY},
	    {"FreeMail", RULE_HEADER},
	    {"HTMLEval", RULE_BODY},
	    {"HTTPSMismatch", RULE_BODY},
	    {"HeaderEval", RULE_HEADER},
	    {"ImageInfo", RULE_BODY},
	    {"MIMEEval", RULE_BODY},
	    {"WelcomeListSubject", RULE_HEADER},
	};
	struct str source = str_from(rule->eval->source);
	if (str_eq(str_from(rule->eval->name), STR("check_msg_parse_flags")))
		return true;
	for (size_t i = 0; i < COUNT_OF(wanted); i++)
		if (str_eq(source, str_from(wanted[i].source)))
			return rule->view == wanted[i].view ||
			       (rule->view == RULE_RAWBODY &&
				   wanted[i].view == RULE_BODY);
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
	for (size_t i = 0; i < rule->args.n; i++)
		if (!argument_define(rules, rule, i, ret))
			return false;
	return true;
}

static bool
network_define(struct ruleset *rules, struct rule *rule, struct diags *diags,
    struct failure *ret)
{
	(void)rules;
	(void)rule;
	(void)diags;
	*ret = UNSUPPORTED(STR("it asks the network"));
	return false;
}

/*
 * SpamAssassin without network and Bayes does not run such a rule either: it
 * counts 0 there and here.
 */
static bool
is_offline(const struct rule *rule)
{
	if (rule->type == RULE_NETWORK)
		return true;
	if (rule->type == RULE_EVAL && rule->eval != NULL)
		return !is_right_view(rule);
	return rule->type == RULE_EVAL &&
	       (rule->flags.is_net || rule->flags.is_learn ||
		   str_starts(rule->text, STR("rbleval:")) ||
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

void
rule_define(struct ruleset *rules, struct rule *rule, struct diags *diags)
{
	static bool (*const define[RULE_TYPES])(struct ruleset *, struct rule *,
	    struct diags *, struct failure *) = {
	    [RULE_HEADER] = header_define,
	    [RULE_BODY] = text_define,
	    [RULE_URI] = text_define,
	    [RULE_RAWBODY] = text_define,
	    [RULE_FULL] = text_define,
	    [RULE_MIMEHEADER] = mimeheader_define,
	    [RULE_URI_DETAIL] = uri_detail_define,
	    [RULE_EVAL] = eval_define,
	    [RULE_NETWORK] = network_define,
	};
	struct failure failure;
	if (define[rule->type] == NULL ||
	    define[rule->type](rules, rule, diags, &failure))
		return;
	bool offline = failure.level != DIAG_ERROR && is_offline(rule);
	rule->state = offline ? RULE_OFFLINE : RULE_DISABLED;
	rule->why = offline ? offline_why(rules->arena, rule) : failure.why;
	diag_add(diags, offline ? DIAG_NOTE : failure.level, rule->place.file,
	    rule->place.line, "%.*s: %.*s: %s", STR_ARG(rule->name),
	    STR_ARG(failure.why),
	    !offline             ? "the rule is disabled"
	    : rule->eval != NULL ? "it counts 0, as in SpamAssassin"
				 : "it counts 0, as in SpamAssassin without "
				   "network");
}
