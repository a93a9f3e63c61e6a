/* SPDX-License-Identifier: BSD-2-Clause */
/* testline -- `test RULE ok|fail TEXT`: a rule on an example of its own. */
#include "base/arena.h"
#include "base/buf.h"
#include "base/table.h"
#include "rules/mail_date.h"
#include "rules/rule.h"

/* One test while it runs. */
struct test {
	const struct ruleset *rules;
	const struct rule *rule;
	const struct test_line *line;
	struct diags *diags;
	struct arena *a;
	struct envelope envelope;
	struct str facts; /* X-Postern-Facts; empty: none */
	int64_t now;
	struct str mail;
};

static bool
hex_byte(struct str s, char *ret)
{
	int high = s.len > 1 ? char_hex(s.p[0]) : -1;
	int low = s.len > 1 ? char_hex(s.p[1]) : -1;
	*ret = (char)(high * 16 + low);
	return high >= 0 && low >= 0;
}

/* \n, \t, \\ and \xNN; any other backslash stays as it is. */
static struct str
unescape(struct arena *a, struct str text)
{
	struct buf *b = buf_new(a, text.len);
	for (size_t i = 0; i < text.len; i++) {
		char c = text.p[i];
		char next = c == '\\' && i + 1 < text.len ? text.p[i + 1] : 0;
		char byte;
		if (next == 'n' || next == 't' || next == '\\') {
			buf_putc(b, next == 'n'   ? '\n'
				    : next == 't' ? '\t'
						  : '\\');
			i++;
		} else if (next == 'x' &&
			   hex_byte(str_skip(text, i + 2), &byte)) {
			buf_putc(b, byte);
			i += 3;
		} else {
			buf_putc(b, c);
		}
	}
	return buf_str(b);
}

static void
set_login(struct test *t, struct str value)
{
	t->envelope.login = value;
}

static void
set_class(struct test *t, struct str value)
{
	if (!mail_class_parse(value, &t->envelope.class))
		t->envelope.class = CLASS_SUBMISSION;
}

static void
set_rcpt(struct test *t, struct str value)
{
	strs_add(t->a, &t->envelope.rcpt, value);
}

static void
set_client(struct test *t, struct str value)
{
	t->envelope.client_addr = str_word(&value);
	t->envelope.client_name = str_trim(value);
}

static void
set_helo(struct test *t, struct str value)
{
	t->envelope.helo = value;
}

static void
set_facts(struct test *t, struct str value)
{
	t->facts = value;
}

static void
set_now(struct test *t, struct str value)
{
	if (!mail_date_read(t->a, value, &t->now))
		diag_add(t->diags, DIAG_ERROR, t->line->place.file,
		    t->line->place.line, "X-Postern-Now: a date is wanted");
}

static void
set_from(struct test *t, struct str value)
{
	if (str_starts(value, STR("<")) && str_ends(value, STR(">")))
		value = str_sub(value, 1, value.len - 2);
	t->envelope.from = value;
}

/* Lines at the head of a test message that are the envelope, not headers. */
static const struct setting {
	const char *name;
	void (*set)(struct test *t, struct str value);
	enum header_special special;
} settings[] = {
    {"X-Postern-Login", set_login, HEADER_LOGIN},
    {"X-Postern-Class", set_class, HEADER_CLASS},
    {"X-Postern-Rcpt", set_rcpt, HEADER_ENVELOPE_TO},
    {"X-Postern-Client", set_client, HEADER_CLIENT},
    {"X-Postern-Helo", set_helo, HEADER_HELO},
    {"X-Postern-From", set_from, HEADER_ENVELOPE_FROM},
    {"X-Postern-Facts", set_facts, HEADER_PLAIN},
    {"X-Postern-Now", set_now, HEADER_PLAIN},
};

static bool
setting_read(struct test *t, struct str line)
{
	struct str value = line;
	struct str name = str_cut(&value, ':');
	for (size_t i = 0; i < COUNT_OF(settings); i++) {
		if (!str_ieq(name, str_from(settings[i].name)))
			continue;
		settings[i].set(t, str_trim(value));
		return true;
	}
	return false;
}

/* The whole message: envelope lines first. */
static void
read_message(struct test *t, struct str text)
{
	for (struct str rest = text; rest.len > 0; text = rest)
		if (!setting_read(t, str_line(&rest)))
			break;
	t->mail = text;
}

/* `value` of the header the rule looks at, as the value or the whole line. */
static void
read_header(struct test *t, struct str text)
{
	const struct header_query *query = &t->rule->query;
	for (size_t i = 0; i < COUNT_OF(settings); i++)
		if (query->special != HEADER_PLAIN &&
		    query->special == settings[i].special) {
			settings[i].set(t, text);
			t->mail = STR("\n");
			return;
		}
	struct str name = query->name;
	if (query->special == HEADER_TOCC)
		name = STR("To");
	if (query->special == HEADER_MESSAGEID)
		name = STR("Message-Id");
	bool is_line = query->special == HEADER_ALL ||
		       (text.len > name.len && text.p[name.len] == ':' &&
			   str_istarts(text, name));
	t->mail = is_line ? str_printf(t->a, "%.*s\n\n", STR_ARG(text))
			  : str_printf(t->a, "%.*s: %.*s\n\n", STR_ARG(name),
				STR_ARG(text));
}

static bool
is_text_rule(const struct rule *rule)
{
	return rule->type == RULE_BODY || rule->type == RULE_RAWBODY ||
	       rule->type == RULE_URI || rule->type == RULE_FULL;
}

/*
 * TEXT is a whole message if the rule needs one, if it starts with an envelope
 * line, or if it has an empty line; otherwise it is what the rule looks at.
 */
static bool
is_message(const struct rule *rule, struct str text)
{
	return (!is_text_rule(rule) && rule->type != RULE_HEADER &&
		   rule->type != RULE_MIMEHEADER) ||
	       str_istarts(text, STR("X-Postern-")) ||
	       str_find(text, STR("\n\n")) != STR_NONE;
}

static const struct eval_facts *
facts_of(struct test *t)
{
	if (t->facts.len == 0 || t->rules->test_facts == NULL)
		return NULL;
	const struct eval_facts *facts =
	    t->rules->test_facts(t->a, &t->envelope, t->facts);
	if (facts == NULL)
		diag_add(t->diags, DIAG_ERROR, t->line->place.file,
		    t->line->place.line,
		    "X-Postern-Facts: cannot read \"%.*s\"", STR_ARG(t->facts));
	return facts;
}

static bool
test_hits(struct test *t, struct str text)
{
	bool is_direct = !is_message(t->rule, text);
	bool is_text = is_direct && is_text_rule(t->rule);
	t->mail = STR("\n");
	if (!is_direct)
		read_message(t, text);
	else if (!is_text)
		read_header(t, text);
	struct message *m =
	    message_new(t->a, t->mail, &t->rules->mail, &t->envelope);
	struct rule_result result;
	struct rule_run options = {.facts = facts_of(t), .now = t->now};
	struct run *run = run_new(t->rules, m, &options, &result);
	if (is_text)
		return run_on_text(run, t->rule, text);
	run_plan(run, plan_for(t->a, t->rules, t->rule));
	return run_value(run, t->rule) != 0;
}

static void
test_run(const struct ruleset *rules, const struct test_line *line,
    const struct rule *rule, struct diags *diags)
{
	struct arena *a = arena_new();
	struct test t = {.rules = rules,
	    .rule = rule,
	    .line = line,
	    .diags = diags,
	    .a = a,
	    .facts = STR_EMPTY};
	t.envelope.from = t.envelope.login = STR_EMPTY;
	t.envelope.client_addr = t.envelope.client_name = STR_EMPTY;
	t.envelope.helo = t.envelope.queue_id = STR_EMPTY;
	t.envelope.daemon_name = STR_EMPTY;
	t.envelope.class = CLASS_SUBMISSION;
	if (test_hits(&t, unescape(a, line->text)) != line->is_ok)
		diag_add(diags, DIAG_ERROR, line->place.file, line->place.line,
		    "test of %.*s: %s", STR_ARG(line->rule),
		    line->is_ok ? "it does not hit this text"
				: "it hits this text, but should not");
	arena_free(a);
}

/* Say why not.  That a rule is in a block that is left out is no oversight. */
static void
test_skip(const struct ruleset *rules, const struct test_line *line,
    const struct rule *rule, struct diags *diags)
{
	bool is_defined = rule != NULL && rule->type != RULE_NONE;
	bool is_left_out =
	    !is_defined && table_has(rules->left_out, line->rule);
	diag_add(diags, is_left_out ? DIAG_NOTE : DIAG_WARNING,
	    line->place.file, line->place.line, "not tested: %.*s is %s",
	    STR_ARG(line->rule),
	    is_left_out  ? "defined in a block that is left out"
	    : is_defined ? "disabled"
			 : "not defined");
}

size_t
ruleset_test(const struct ruleset *rules, struct diags *diags)
{
	size_t n = 0;
	for (size_t i = 0; i < rules->tests.n; i++) {
		const struct test_line *line = &rules->tests.v[i];
		const struct rule *rule = table_get(rules->by_name, line->rule);
		if (rule != NULL && rule->type != RULE_NONE &&
		    rule->state == RULE_SOUND) {
			test_run(rules, line, rule, diags);
			n++;
			continue;
		}
		test_skip(rules, line, rule, diags);
	}
	return n;
}
