/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * eval_freemail -- addresses at free mail providers: in the fields, and in the
 * text, where an answer is asked for that goes elsewhere.
 */
#include "base/arena.h"
#include "base/buf.h"
#include "base/table.h"
#include "mail/address.h"
#include "mail/uri.h"
#include "rules/address_list.h"
#include "rules/email_text.h"
#include "rules/eval_rows.h"
#include "rules/list_make.h"
#include "rules/pattern.h"

/* More addresses than these are not looked at, whatever is set. */
#define LINKED_MAX 20
#define FOUND_MAX 40

struct freemail {
	struct table *domains;     /* without wildcards */
	struct regex *wildcards;   /* NULL: none */
	struct table *welcomelist; /* addresses and domains that are none */
	double max_emails, max_freemails;
	double skips_over_max, skips_bulk;
	double imports_auth, imports_default_auth;
	double adds_address; /* to reports, which are not made here */
};

/* What the text has. */
struct freemail_seen {
	struct strs freemails; /* each once */
	bool is_over_max;      /* too many addresses: nothing is said */
};

/* --- settings ------------------------------------------------------------- */

static const struct {
	const char *name;
	size_t offset;
	double standard;
} NUMBERS[] = {
    {"freemail_max_body_emails", offsetof(struct freemail, max_emails), 5},
    {"freemail_max_body_freemails", offsetof(struct freemail, max_freemails),
	3},
    {"freemail_skip_when_over_max", offsetof(struct freemail, skips_over_max),
	1},
    {"freemail_skip_bulk_envfrom", offsetof(struct freemail, skips_bulk), 1},
    {"freemail_add_describe_email", offsetof(struct freemail, adds_address), 1},
    {"freemail_import_welcomelist_auth",
	offsetof(struct freemail, imports_auth), 0},
    {"freemail_import_def_welcomelist_auth",
	offsetof(struct freemail, imports_default_auth), 0},
};

static double *
number_at(struct freemail *f, size_t i)
{
	return (double *)(void *)((char *)f + NUMBERS[i].offset);
}

static bool
is_domain_pattern(struct str word)
{
	for (size_t i = 0; i < word.len; i++)
		if (!char_is_alnum(word.p[i]) &&
		    strchr(".*?-", word.p[i]) == NULL)
			return false;
	return str_chr(word, '\0') == STR_NONE;
}

static bool
has_wildcard(struct str word)
{
	return str_chr(word, '*') != STR_NONE || str_chr(word, '?') != STR_NONE;
}

static void
read_domains(struct arena *a, struct freemail *f, struct table *wildcards,
    const struct setting_line *line, struct diags *diags)
{
	struct str rest = line->value;
	for (struct str word; (word = str_word(&rest)).len > 0;) {
		if (!is_domain_pattern(word)) {
			SETTING_ERROR(
			    diags, line, "%.*s is no domain", STR_ARG(word));
			continue;
		}
		table_set(has_wildcard(word) ? wildcards : f->domains,
		    str_lower(a, word), f);
	}
}

/* A letter, a dot or an @, and a letter. */
static bool
has_joint(struct str word)
{
	for (size_t i = 1; i + 1 < word.len; i++)
		if ((word.p[i] == '.' || word.p[i] == '@') &&
		    char_is_word(word.p[i - 1]) && char_is_word(word.p[i + 1]))
			return true;
	return false;
}

static void
read_welcomelist(struct arena *a, struct freemail *f,
    const struct setting_line *line, struct diags *diags)
{
	struct str rest = line->value;
	for (struct str word; (word = str_word(&rest)).len > 0;) {
		if (has_joint(word))
			table_set(f->welcomelist, str_lower(a, word), f);
		else
			SETTING_ERROR(diags, line,
			    "%.*s is neither an address nor a domain",
			    STR_ARG(word));
	}
}

static void
read_number(
    struct freemail *f, const struct setting_line *line, struct diags *diags)
{
	for (size_t i = 0; i < COUNT_OF(NUMBERS); i++) {
		if (!str_eq(line->name, str_from(NUMBERS[i].name)))
			continue;
		struct str digits = line->value;
		if (digits.len > 1 && digits.p[0] == '+')
			digits = str_skip(digits, 1);
		double number;
		if (str_double(digits, &number))
			*number_at(f, i) = number;
		else
			SETTING_ERROR(
			    diags, line, "write: %s number", NUMBERS[i].name);
		return;
	}
	SETTING_ERROR(
	    diags, line, "unknown directive %.*s", STR_ARG(line->name));
}

/* "yahoo.*", "ms?.hinet.net": a star goes up to a dot. */
static void
put_wildcard(struct buf *out, struct str glob)
{
	for (size_t i = 0; i < glob.len; i++) {
		if (glob.p[i] == '*')
			buf_put(out, STR("[^.]*"));
		else if (glob.p[i] == '.')
			buf_put(out, STR("\\."));
		else
			buf_putc(out, glob.p[i] == '?' ? '.' : glob.p[i]);
	}
}

static struct regex *
wildcards_compile(struct ruleset *rules, const struct table *globs)
{
	size_t size = 16;
	for (size_t i = 0; i < globs->n; i++)
		size += globs->v[i].key.len * 5 + 1;
	struct buf *out = buf_new(rules->arena, size);
	buf_put(out, STR("\\@(?:"));
	for (size_t i = 0; i < globs->n; i++) {
		if (i > 0)
			buf_putc(out, '|');
		put_wildcard(out, globs->v[i].key);
	}
	buf_put(out, STR(")$"));
	struct regex *regex = NULL;
	struct str why;
	if (globs->n == 0 ||
	    regex_new(rules->env, buf_str(out), &regex, &why) != REGEX_OK)
		return NULL;
	regex_speed_up(regex);
	return regex;
}

const struct freemail *
freemail_new(struct ruleset *rules, struct diags *diags)
{
	struct arena *a = rules->arena;
	const struct setting_list *lines =
	    &rules->settings.of[SETTING_FREEMAIL];
	struct freemail *f = ARENA_NEW(a, struct freemail);
	struct table *wildcards = table_new(a, false);
	f->domains = table_new(a, false);
	f->welcomelist = table_new(a, false);
	for (size_t i = 0; i < COUNT_OF(NUMBERS); i++)
		*number_at(f, i) = NUMBERS[i].standard;
	for (size_t i = 0; i < lines->n; i++) {
		const struct setting_line *line = &lines->v[i];
		if (str_eq(line->name, STR("freemail_domains")))
			read_domains(a, f, wildcards, line, diags);
		else if (str_eq(line->name, STR("freemail_welcomelist")))
			read_welcomelist(a, f, line, diags);
		else
			read_number(f, line, diags);
	}
	f->wildcards = wildcards_compile(rules, wildcards);
	if (wildcards->n > 0 && f->wildcards == NULL)
		SETTING_ERROR(diags, &lines->v[0],
		    "freemail_domains: the wildcards are too many");
	return f;
}

/* --- addresses ------------------------------------------------------------ */

static bool
is_available(const struct eval_call *call)
{
	const struct freemail *f = call->lists->freemail;
	return f->domains->n > 0 || f->wildcards != NULL;
}

static bool
is_imported(const struct eval_call *call, struct str email)
{
	const struct freemail *f = call->lists->freemail;
	const struct address_lists *lists = call->lists->addresses;
	struct arena *a = call->message->arena;
	return (f->imports_auth != 0 &&
		   address_list_has(a,
		       address_list_named(lists, STR("welcomelist_auth")),
		       email)) ||
	       (f->imports_default_auth != 0 &&
		   address_list_has(a,
		       address_list_named(lists, STR("def_welcomelist_auth")),
		       email));
}

/* `email` in lower case. */
static bool
is_freemail(const struct eval_call *call, struct str email)
{
	const struct freemail *f = call->lists->freemail;
	struct regex_span span;
	size_t at = str_rchr(email, '@');
	struct str domain = at == STR_NONE ? email : str_skip(email, at + 1);
	if (email.len == 0 || table_has(f->welcomelist, email) ||
	    table_has(f->welcomelist, domain) ||
	    pattern_matches(call, PATTERN_FREEMAIL_ROLE, email) ||
	    is_imported(call, email))
		return false;
	return table_has(f->domains, domain) ||
	       (f->wildcards != NULL &&
		   regex_match(f->wildcards, call->scratch, email, 0, false,
		       &span) == REGEX_YES);
}

static struct strs
lower_all(struct eval_call *call, const struct strs *list)
{
	struct strs lower = {0};
	for (size_t i = 0; i < list->n; i++)
		strs_add(call->message->arena, &lower,
		    str_lower(call->message->arena, list->v[i]));
	return lower;
}

static struct strs
addresses_of(struct eval_call *call, struct str field)
{
	struct strs found = {0};
	eval_get(call,
	    str_printf(call->message->arena, "%.*s:addr", STR_ARG(field)),
	    &found);
	return lower_all(call, &found);
}

static bool
has_freemail(struct eval_call *call, const struct strs *emails)
{
	for (size_t i = 0; i < emails->n; i++)
		if (is_freemail(call, emails->v[i]))
			return true;
	return false;
}

/* Argument `i`, if there is one, is a regular expression that must match. */
static bool
fits_regex(struct eval_call *call, size_t i, struct str email)
{
	struct regex_span span;
	return i >= call->nargs || regex_match(call->regexes[i], call->scratch,
				       email, 0, false, &span) == REGEX_YES;
}

static int
one_fits(struct eval_call *call, const struct strs *emails, size_t argument)
{
	for (size_t i = 0; i < emails->n; i++)
		if (is_freemail(call, emails->v[i]) &&
		    fits_regex(call, argument, emails->v[i]))
			return eval_hit(call, emails->v[i]);
	return 0;
}

/* --- the text ------------------------------------------------------------- */

/* Addresses found so far, each once. */
struct collector {
	struct eval_call *call;
	struct table *emails;
};

static void
collect(struct collector *c, struct str email)
{
	email = str_lower(c->call->message->arena, email);
	if (!table_has(c->emails, email))
		table_set(c->emails, email, c);
}

/* A link to write to, which does not show in the text. */
static void
collect_links(struct collector *c)
{
	struct message *m = c->call->message;
	const struct uris *uris = message_uri_list(m);
	for (size_t i = 0; i < uris->n && c->emails->n < LINKED_MAX; i++) {
		const struct uri *uri = &uris->v[i];
		struct email_span span;
		if (!uri->is_parsed && strs_has(&uri->tags, STR("a")) &&
		    str_istarts(uri->raw, STR("mailto:")) &&
		    email_at(m->config->tlds, uri->raw, 7, &span))
			collect(c, str_sub(uri->raw, 7, span.to - 7));
	}
}

/* Without links that have an @ in them. */
static struct str
strip_links(struct eval_call *call, struct str text)
{
	struct buf *out = NULL;
	size_t done = 0;
	struct regex_span span;
	if (str_find(text, STR("://")) == STR_NONE)
		return text;
	while (done < text.len &&
	       pattern_find(call, PATTERN_FREEMAIL_URL, text, done, &span)) {
		if (out == NULL)
			out = buf_new(call->message->arena, text.len);
		buf_put(out, str_sub(text, done, span.from - done));
		buf_putc(out, ' ');
		done = span.to;
	}
	if (out == NULL)
		return text;
	buf_put(out, str_skip(text, done));
	return buf_str(out);
}

/*
 * Addresses that the text shows to a reader.  What is taken out on the way
 * stays out for the `body` rules that follow: so does SpamAssassin.
 */
static void
collect_text(struct collector *c)
{
	struct message *m = c->call->message;
	const struct tld_set *tlds = m->config->tlds;
	const struct strs *body = message_body_seen(m);
	struct strs stripped = {0};
	for (size_t i = 0; i < body->n; i++) {
		struct str text = body->v[i];
		if (c->emails->n < FOUND_MAX) {
			text = strip_links(c->call, text);
			text = email_strip(m->arena, tlds, text);
		}
		strs_add(m->arena, &stripped, text);
		struct email_span span = {0, 0};
		while (c->emails->n < FOUND_MAX &&
		       email_find(tlds, text, span.to, &span))
			collect(
			    c, str_sub(text, span.from, span.to - span.from));
	}
	message_body_change(m, stripped);
}

static const struct freemail_seen *
text_of(struct eval_call *call)
{
	struct message *m = call->message;
	const struct freemail *f = call->lists->freemail;
	if (call->cache->freemail != NULL)
		return call->cache->freemail;
	struct freemail_seen *seen = ARENA_NEW(m->arena, struct freemail_seen);
	call->cache->freemail = seen;
	struct collector c = {call, table_new(m->arena, false)};
	collect_links(&c);
	collect_text(&c);
	bool has_max = f->skips_over_max != 0;
	size_t n_free = 0;
	for (size_t i = 0; i < c.emails->n && !seen->is_over_max; i++) {
		struct str email = c.emails->v[i].key;
		bool is_free = is_freemail(call, email);
		n_free += is_free;
		seen->is_over_max =
		    has_max &&
		    ((double)(i + 1) == f->max_emails ||
			(is_free && (double)n_free == f->max_freemails));
		if (is_free)
			strs_add(m->arena, &seen->freemails, email);
	}
	return seen;
}

/* --- the functions -------------------------------------------------------- */

static int
check_freemail_from(struct eval_call *call)
{
	if (!is_available(call))
		return 0;
	struct strs emails = lower_all(call, eval_all_from(call));
	return one_fits(call, &emails, 0);
}

static int
check_freemail_header(struct eval_call *call)
{
	if (!is_available(call))
		return 0;
	struct strs emails = addresses_of(call, call->args[0]);
	return one_fits(call, &emails, 1);
}

static int
check_freemail_body(struct eval_call *call)
{
	if (!is_available(call))
		return 0;
	const struct freemail_seen *seen = text_of(call);
	for (size_t i = 0; !seen->is_over_max && i < seen->freemails.n; i++)
		if (fits_regex(call, 0, seen->freemails.v[i]))
			return eval_hit(call, seen->freemails.v[i]);
	return 0;
}

static bool
is_bulk(struct eval_call *call)
{
	struct strs sender = {0};
	eval_get(call, STR("EnvelopeFrom"), &sender);
	return call->lists->freemail->skips_bulk != 0 && sender.n > 0 &&
	       pattern_matches(call, PATTERN_FREEMAIL_BULK, sender.v[0]);
}

/* A table, for a hostile field has thousands. */
static bool
have_common(struct arena *a, const struct strs *x, const struct strs *y)
{
	struct table *known = table_new(a, false);
	for (size_t i = 0; i < x->n; i++)
		table_set(known, x->v[i], known);
	for (size_t i = 0; i < y->n; i++)
		if (table_has(known, y->v[i]))
			return true;
	return false;
}

/* A free mail address in the text that is none of `reply`. */
static int
text_differs(struct eval_call *call, const struct strs *reply)
{
	const struct freemail_seen *seen = text_of(call);
	for (size_t i = 0; !seen->is_over_max && i < seen->freemails.n; i++)
		for (size_t k = 0; k < reply->n; k++)
			if (!str_eq(seen->freemails.v[i], reply->v[k]))
				return eval_hit(call, seen->freemails.v[i]);
	return 0;
}

static int
check_freemail_replyto(struct eval_call *call)
{
	if (!is_available(call) || is_bulk(call))
		return 0;
	bool is_any = call->nargs > 0 && str_eq(call->args[0], STR("reply"));
	struct strs from = addresses_of(call, STR("From"));
	struct strs reply = addresses_of(call, STR("Reply-To"));
	bool is_from_free = has_freemail(call, &from);
	bool is_reply_free = has_freemail(call, &reply);
	if (is_from_free && is_reply_free &&
	    !have_common(call->message->arena, &from, &reply))
		return eval_hit(call, reply.v[0]);
	if (is_any ? (reply.n > 0 && !is_reply_free) || !is_from_free
		   : !is_reply_free)
		return 0;
	return text_differs(call, !is_any || is_reply_free ? &reply : &from);
}

const struct eval_row EVAL_FREEMAIL[] = {
    {"check_freemail_from", 0, 1, "r", NEED_ENVELOPE | NEED_HEADER,
	"the sender is at a free mail provider, and the address matches the "
	"regular expression",
	"FreeMail", check_freemail_from},
    {"check_freemail_header", 1, 2, "sr",
	NEED_ENVELOPE | NEED_HEADER | NEED_RELAYS,
	"that field has an address at a free mail provider which matches the "
	"regular expression",
	"FreeMail", check_freemail_header},
    {"check_freemail_body", 0, 1, "r", NEED_BODY | NEED_LINKS | CHANGES_BODY,
	"the text has an address at a free mail provider which matches the "
	"regular expression",
	"FreeMail", check_freemail_body},
    {"check_freemail_replyto", 0, 1, "s replyto reply",
	NEED_ENVELOPE | NEED_HEADER | NEED_BODY | NEED_LINKS | CHANGES_BODY,
	"Reply-To, or with 'reply' From, is at a free mail provider, and From "
	"or the text has another such address",
	"FreeMail", check_freemail_replyto},
    {NULL, 0, 0, NULL, 0, NULL, NULL, NULL},
};
