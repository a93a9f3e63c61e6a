/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * author -- the mailbox list of From, read strictly.  mail/address.c reads like
 * SpamAssassin, for rules: it takes the first of what is not separated, knows
 * no nested comments and no routes, and so could be shown another author than
 * the receiver.
 */
#include "auth/author.h"

#include "auth/org.h"
#include "base/arena.h"
#include "base/utf8.h"
#include "mail/header.h"

/* Text of a known maximum, written front to back. */
struct text {
	char *p;
	size_t len;
};

/* One From field being read. */
struct reader {
	struct arena *a;
	struct str text;
	size_t at;
	struct authors *ret;
	bool is_lost;     /* what comes next cannot be told */
	bool is_in_group; /* RFC 6854 */
	bool has_group;
	bool has_author;
	size_t nskipped; /* blanks and comments so far, in runs */
	size_t ncomments;
	struct str comment; /* the last one */
	/* Of the mailbox that is read now; each has room for all of `text`. */
	struct text phrase, local, domain;
	bool is_local;  /* the words so far are word *("." word) */
	bool is_joined; /* one of them follows another without a dot */
	bool has_name;  /* there is a phrase */
};

static void
say(struct reader *r, const char *why)
{
	if (r->ret->why[0] == '\0')
		r->ret->why = why;
}

static void
malformed(struct reader *r, const char *why)
{
	say(r, why);
	r->ret->is_malformed = true;
}

static void
ambiguous(struct reader *r, const char *why)
{
	say(r, why);
	r->ret->is_ambiguous = true;
}

static void
lost(struct reader *r, const char *why)
{
	malformed(r, why);
	r->is_lost = true;
}

static bool
is_at(const struct reader *r, char c)
{
	return r->at < r->text.len && r->text.p[r->at] == c;
}

static bool
is_end(const struct reader *r)
{
	return r->at == r->text.len;
}

static bool
is_fold(char c)
{
	return char_is_blank(c) || c == '\n' || c == '\r';
}

static bool
is_control(char c)
{
	return ((unsigned char)c < ' ' && c != '\t' && c != '\n') || c == 0x7f;
}

static bool
is_atext(char c)
{
	return !is_fold(c) && memchr("()<>[]:;@\\,.\"", c, 13) == NULL;
}

static struct text
text_new(struct arena *a, size_t max)
{
	return (struct text){.p = arena_alloc(a, max)};
}

static void
text_put(struct text *text, struct str s)
{
	memcpy(text->p + text->len, s.p, s.len);
	text->len += s.len;
}

static void
text_putc(struct text *text, char c)
{
	text->p[text->len++] = c;
}

static struct str
text_str(const struct text *text)
{
	return str_of(text->p, text->len);
}

/* RFC 5322 section 3.2.2: comments nest. */
static void
skip_comment(struct reader *r)
{
	size_t from = ++r->at, depth = 1;
	for (; !is_end(r); r->at++) {
		char c = r->text.p[r->at];
		if (c == '\\' && r->at + 1 < r->text.len)
			r->at++;
		else if (c == '(')
			depth++;
		else if (c == ')' && --depth == 0)
			break;
		if (c == '<' || depth > 1)
			ambiguous(r, "a comment with ( or < in it");
	}
	r->ncomments++;
	r->comment = str_sub(r->text, from, r->at - from);
	if (is_end(r))
		lost(r, "a comment without an end");
	else
		r->at++;
}

static void
skip_cfws(struct reader *r)
{
	size_t from = r->at;
	for (;;) {
		if (is_at(r, '('))
			skip_comment(r);
		else if (!is_end(r) && is_fold(r->text.p[r->at]))
			r->at++;
		else
			break;
	}
	r->nskipped += r->at > from;
}

static struct str
read_atom(struct reader *r)
{
	size_t from = r->at;
	while (!is_end(r) && is_atext(r->text.p[r->at]))
		r->at++;
	return str_sub(r->text, from, r->at - from);
}

static void
read_quoted(struct reader *r)
{
	for (r->at++; !is_end(r) && !is_at(r, '"'); r->at++) {
		if (is_at(r, '\\') && r->at + 1 < r->text.len)
			r->at++;
		char c = r->text.p[r->at];
		/* A fold is its blank, section 3.2.4. */
		if (c == '\n' || c == '\r')
			continue;
		text_putc(&r->phrase, c);
		text_putc(&r->local, c);
	}
	if (is_end(r))
		lost(r, "a quoted string without an end");
	else
		r->at++;
}

/*
 * Words and dots, which are a phrase or a local part: what follows tells.  Each
 * byte of the field goes to each text once at most, and a blank for each run
 * that was skipped.
 */
static void
read_words(struct reader *r)
{
	bool wants_word = true;
	r->phrase.len = r->local.len = 0;
	r->is_local = true;
	r->is_joined = false;
	skip_cfws(r);
	size_t blanks = r->nskipped;
	for (; !is_end(r) && !r->is_lost; skip_cfws(r)) {
		char c = r->text.p[r->at];
		if (c != '"' && c != '.' && !is_atext(c))
			break;
		if (r->nskipped > blanks && r->phrase.len > 0)
			text_putc(&r->phrase, ' ');
		blanks = r->nskipped;
		r->is_local = r->is_local && wants_word == (c != '.');
		r->is_joined = r->is_joined || (!wants_word && c != '.');
		wants_word = c == '.';
		if (c == '"') {
			read_quoted(r);
		} else if (c == '.') {
			text_putc(&r->phrase, c);
			text_putc(&r->local, c);
			r->at++;
		} else {
			struct str atom = read_atom(r);
			text_put(&r->phrase, atom);
			text_put(&r->local, atom);
		}
	}
	r->is_local = r->is_local && !wants_word;
	r->has_name = r->phrase.len > 0;
}

/* "[192.0.2.1]" */
static void
read_literal(struct reader *r)
{
	size_t from = r->at;
	while (!is_end(r) && !is_at(r, ']'))
		r->at++;
	if (is_end(r)) {
		lost(r, "a domain literal without an end");
		return;
	}
	r->at++;
	text_put(&r->domain, str_sub(r->text, from, r->at - from));
}

/* What follows @; stops behind its last label. */
static void
read_domain(struct reader *r)
{
	r->domain.len = 0;
	skip_cfws(r);
	if (is_at(r, '[')) {
		read_literal(r);
		return;
	}
	for (;;) {
		struct str atom = read_atom(r);
		text_put(&r->domain, atom);
		if (atom.len == 0)
			malformed(r, "a domain with an empty label");
		size_t at = r->at, nskipped = r->nskipped;
		size_t ncomments = r->ncomments;
		skip_cfws(r);
		if (!is_at(r, '.')) {
			r->at = at;
			r->nskipped = nskipped;
			r->ncomments = ncomments;
			break;
		}
		text_putc(&r->domain, '.');
		r->at++;
		skip_cfws(r);
	}
	if (r->domain.len == 0)
		lost(r, "an @ without a domain");
}

static bool
has_any(struct str s, const char *chars)
{
	for (; *chars != '\0'; chars++)
		if (str_chr(s, *chars) != STR_NONE)
			return true;
	return false;
}

static bool
is_plain(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.p[i] >= 0x80)
			return false;
	return str_find(s, STR("=?")) == STR_NONE;
}

/* Some decode first and look for addresses then. */
static struct str
decoded_name(struct reader *r, struct str name)
{
	if (is_plain(name))
		return str_dup(r->a, name);
	struct str ret = header_decode(r->a, name);
	bool has_words = str_find(name, STR("=?")) != STR_NONE;
	if (has_words && !has_any(name, "<>") &&
	    (has_any(ret, "<>") || (has_any(ret, "@") && has_any(ret, ","))))
		ambiguous(r, "an encoded word with an address in it");
	return ret;
}

static bool
has_author(const struct authors *authors, struct str address)
{
	for (size_t i = 0; i < authors->n; i++)
		if (str_eq(authors->v[i].address, address))
			return true;
	return false;
}

static bool
has_domain(const struct authors *authors, struct str domain)
{
	for (size_t i = 0; i < authors->ndomains; i++)
		if (str_eq(authors->domains[i], domain))
			return true;
	return false;
}

static void
add_domain(struct authors *ret, struct str domain)
{
	if (has_domain(ret, domain))
		return;
	if (ret->ndomains == AUTHOR_DOMAINS_MAX)
		ret->is_cut = true;
	else
		ret->domains[ret->ndomains++] = domain;
}

/* Not by printf: a NUL is a byte like any other. */
static struct str
address_of(struct arena *a, struct str local, struct str domain)
{
	struct text text = text_new(a, local.len + 1 + domain.len);
	text_put(&text, local);
	text_putc(&text, '@');
	text_put(&text, domain);
	return text_str(&text);
}

static void
add_author(
    struct reader *r, struct str address, struct str domain, struct str name)
{
	struct authors *ret = r->ret;
	if (has_author(ret, address))
		return;
	if (ret->n == AUTHORS_MAX) {
		ret->is_cut = true;
		r->is_lost = true;
		return;
	}
	ARENA_PUSH(r->a, ret) = (struct author){address, domain, name};
	if (domain.len > 0)
		add_domain(ret, domain);
}

/* One address has been read. */
static void
settle(struct reader *r)
{
	struct str written = text_str(&r->domain);
	struct str local = text_str(&r->local);
	struct str name = r->has_name ? text_str(&r->phrase) : r->comment;
	bool is_literal = str_starts(written, STR("["));
	struct str domain =
	    is_literal ? STR_EMPTY : domain_normal(r->a, written);
	r->has_author = true;
	if (has_any(local, "@<>,"))
		ambiguous(r, "a local part with @ < > or , in it");
	/* RFC 2047 section 5 (3); who decodes first sees another address. */
	if (str_find(local, STR("=?")) != STR_NONE)
		ambiguous(r, "an encoded word in an address");
	if (domain.len == 0 && !is_literal)
		malformed(r, "a domain that is no name");
	else
		add_author(r,
		    address_of(r->a, local, is_literal ? written : domain),
		    domain, decoded_name(r, name));
}

/* The domain of what has been read as words, before `nskipped` grew. */
static void
read_at(struct reader *r, size_t nskipped)
{
	if (r->is_joined) {
		lost(r, "several words in front of an @");
		return;
	}
	if (!r->is_local)
		malformed(r, r->local.len == 0
				 ? "an address without a local part"
				 : "a local part that needs quotes");
	r->at++;
	read_domain(r);
	if (r->nskipped > nskipped)
		ambiguous(r, "blanks or comments inside an address");
}

/* RFC 5322 section 4.4: "@a,@b:" */
static void
skip_route(struct reader *r)
{
	if (!is_at(r, '@'))
		return;
	ambiguous(r, "a route in front of an address");
	while (!r->is_lost && (is_at(r, '@') || is_at(r, ','))) {
		if (r->text.p[r->at++] == '@')
			read_domain(r);
		skip_cfws(r);
	}
	if (!is_at(r, ':'))
		lost(r, "a route without an end");
	else
		r->at++;
}

/* The words of an address, and where it began. */
static size_t
read_local(struct reader *r)
{
	skip_cfws(r);
	size_t nskipped = r->nskipped;
	read_words(r);
	return nskipped;
}

/* "<address>" behind a phrase, which stays as it was read. */
static void
read_enclosed(struct reader *r)
{
	struct str name = str_dup(r->a, text_str(&r->phrase));
	size_t ncomments = r->ncomments;
	bool has_name = r->has_name;
	r->at++;
	skip_cfws(r);
	skip_route(r);
	if (r->is_lost)
		return;
	size_t nskipped = read_local(r);
	if (!is_at(r, '@')) {
		lost(r, "no address between < and >");
		return;
	}
	read_at(r, nskipped);
	skip_cfws(r);
	if (r->ncomments > ncomments)
		ambiguous(r, "blanks or comments inside an address");
	if (!is_at(r, '>') || r->is_lost) {
		lost(r, "a < without its >");
		return;
	}
	r->at++;
	skip_cfws(r);
	r->phrase.len = 0;
	text_put(&r->phrase, name);
	r->has_name = has_name;
	settle(r);
}

static void
read_group(struct reader *r)
{
	if (r->phrase.len == 0 || r->is_in_group) {
		lost(r, "a : that begins no group");
		return;
	}
	r->is_in_group = r->has_group = true;
	r->at++;
}

/* A bare address; its name may follow as a comment. */
static void
read_bare(struct reader *r, size_t nskipped)
{
	read_at(r, nskipped);
	skip_cfws(r);
	r->has_name = false;
	if (!r->is_lost)
		settle(r);
}

/* Behind an address, or where one is left out (section 4.4). */
static void
read_separator(struct reader *r)
{
	if (is_at(r, ';') && r->is_in_group) {
		r->is_in_group = false;
		r->at++;
		skip_cfws(r);
	}
	if (is_at(r, ','))
		r->at++;
	else if (!is_end(r))
		lost(r, "no comma between two addresses");
}

static void
read_one(struct reader *r)
{
	r->comment = STR_EMPTY;
	size_t nskipped = read_local(r);
	if (r->is_lost)
		return;
	if (is_at(r, '<')) {
		read_enclosed(r);
	} else if (is_at(r, '@')) {
		read_bare(r, nskipped);
	} else if (is_at(r, ':')) {
		read_group(r);
		return;
	} else if (r->phrase.len > 0) {
		lost(r, "a name without an address");
	}
	if (!r->is_lost)
		read_separator(r);
}

static bool
is_scan_local(char c)
{
	return is_atext(c) && !is_control(c);
}

static bool
is_scan_domain(char c)
{
	return char_is_word(c) || c == '-' || c == '.' ||
	       (unsigned char)c >= 0x80;
}

/* The address around the @ at `at`, whatever else is there. */
static void
scan_one(struct reader *r, struct str text, size_t at)
{
	size_t end = at, from, to = at + 1;
	while (end > 0 && is_fold(text.p[end - 1]))
		end--;
	for (from = end; from > 0 && (is_scan_local(text.p[from - 1]) ||
					 text.p[from - 1] == '.');)
		from--;
	while (to < text.len && is_fold(text.p[to]))
		to++;
	struct str written = str_skip(text, to);
	size_t n = 0;
	while (n < written.len && is_scan_domain(written.p[n]))
		n++;
	written = str_sub(written, 0, n);
	struct str domain = domain_normal(r->a, written);
	struct str local = str_sub(text, from, end - from);
	if (domain.len > 0 && (local.len > 0 || !has_domain(r->ret, domain)))
		add_author(
		    r, address_of(r->a, local, domain), domain, STR_EMPTY);
}

static void
scan(struct reader *r, struct str text)
{
	for (size_t i = 0; i < text.len && !r->ret->is_cut; i++)
		if (text.p[i] == '@')
			scan_one(r, text, i);
}

static void
check_bytes(struct reader *r)
{
	bool is_7bit = true, has_control = false;
	for (size_t i = 0; i < r->text.len; i++) {
		char c = r->text.p[i];
		bool is_line_end = c == '\r' && (i + 1 == r->text.len ||
						    r->text.p[i + 1] == '\n');
		has_control = has_control || (is_control(c) && !is_line_end);
		is_7bit = is_7bit && (unsigned char)c < 0x80;
	}
	if (has_control) {
		malformed(r, "a control character");
		ambiguous(r, "a control character");
	}
	if (!is_7bit && !utf8_is_valid(r->text))
		malformed(r, "bytes that are not UTF-8");
}

static struct str
field_value(const struct dkim_field *field, bool *ret_has_blank)
{
	struct str value = field->text;
	struct str name = str_cut(&value, ':');
	*ret_has_blank = name.len > field->name.len;
	return value;
}

/* Whatever anyone might take for an address. */
static void
read_broken(struct reader *r)
{
	scan(r, r->text);
	if (!is_plain(r->text))
		scan(r, header_decode(r->a, r->text));
	if (r->ret->n > 1)
		ambiguous(r, "several addresses in a broken field");
}

static void
read_field(struct arena *a, const struct dkim_field *field, struct authors *ret)
{
	bool has_blank;
	struct str value = field_value(field, &has_blank);
	struct reader r = {.a = a, .ret = ret, .comment = STR_EMPTY};
	if (has_blank)
		ambiguous(&r, "a blank before the colon");
	if (value.len > AUTHOR_FIELD_BYTES)
		ret->is_cut = true;
	r.text = str_sub(value, 0, AUTHOR_FIELD_BYTES);
	r.phrase = text_new(a, 2 * r.text.len + 1);
	r.local = text_new(a, r.text.len);
	r.domain = text_new(a, r.text.len);
	check_bytes(&r);
	do
		read_one(&r);
	while (!is_end(&r) && !r.is_lost);
	if (r.is_in_group)
		malformed(&r, "a group without an end");
	if (!r.has_author && !r.has_group)
		malformed(&r, "no address");
	if (ret->is_malformed)
		read_broken(&r);
}

static const struct str once[] = {
    {"Sender", 6},
    {"Reply-To", 8},
    {"To", 2},
    {"Cc", 2},
    {"Bcc", 3},
    {"Message-ID", 10},
    {"In-Reply-To", 11},
    {"References", 10},
    {"Subject", 7},
    {"Date", 4},
};

static struct str
first_repeated(const struct dkim_mail *mail)
{
	for (size_t k = 0; k < COUNT_OF(once); k++) {
		size_t n = 0;
		for (size_t i = 0; i < mail->n; i++)
			n += str_ieq(mail->v[i].name, once[k]);
		if (n > 1)
			return once[k];
	}
	return STR_EMPTY;
}

void
authors_of(struct arena *a, const struct dkim_mail *mail, struct authors *ret)
{
	*ret = (struct authors){.why = ""};
	for (size_t i = 0; i < mail->n; i++)
		if (str_ieq(mail->v[i].name, STR("From"))) {
			ret->nfields++;
			read_field(a, &mail->v[i], ret);
		}
	ret->repeated = first_repeated(mail);
	if (ret->is_cut) {
		ret->is_ambiguous = true;
		if (ret->why[0] == '\0')
			ret->why = "more authors than are read";
	}
}
