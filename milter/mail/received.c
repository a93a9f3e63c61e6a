/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * received -- one Received field, read so that a stranger's part of it is never
 * taken for the server's.  Which server wrote it, and whether it is ours, is
 * left to others.
 *
 * What is the stranger's, and what keeps it apart:
 *
 * Postfix    from HELO (RDNS [ADDR]) (using ...) (Client CN "...") \
 *            (Authenticated sender: X) by HOST (Postfix) with P id Q for <R>
 *            smtpd puts ? for blank < > ( ) \ " ; : @ in HELO (not in an
 *            address literal), RDNS is a checked name.  CN has balanced
 *            parentheses and stands behind ADDR.
 * Sendmail   from HELO (IDENT@RDNS [ADDR] (may be forged)) by HOST (V/V) ...
 *            HELO has letters, digits and [ ] . - _ # : only, IDENT neither
 *            blank nor bracket; another HELO is refused, or with
 *            AllowBogusHELO left out: (from RDNS [ADDR]).
 * Exim       from RDNS ([ADDR] helo=HELO ident=IDENT) by HOST ... (Exim V) or
 *            from [ADDR] (helo=HELO ident=IDENT), from [ADDR].  ADDR comes
 *            first; with helo_accept_junk_hosts HELO is any text.
 * qmail      from RDNS (HELO HELO) (IDENT@ADDR) by HOST ...: what is not a
 *            letter, a digit or . @ % + / = : - becomes ?.  qpsmtpd, which
 *            writes the same, leaves HELO as it is.
 * Exchange   from HELO (ADDR) by HOST (ADDR) with Microsoft SMTP Server ...
 * Google, Dovecot, OpenSMTPD, Haraka, Courier: as Postfix.  HELO of Haraka is
 *            one word of any bytes.
 * CommuniGate  from [ADDR] (account LOGIN HELO HELO) by HOST (CommuniGate ...
 *
 * So where HELO comes first it can only hide ADDR by text that looks like
 * another one before it.  That always shows: a second "by", a comment without
 * end or with a "by" in it, a word between two comments, two comments with an
 * address in them.  Then the field tells nothing, or no address.  What is not
 * seen: "good.example (HELO x)" said to a server that lets it through and
 * writes its own HELO (ADDR) as qmail does looks like a resolved name.
 */
#include "mail/received.h"

#include "base/arena.h"
#include "base/ip.h"
#include "mail/scan.h"

/* Words and comments of one field; servers write 10 to 30. */
#define ITEMS_MAX 64

enum item_kind { ITEM_WORD, ITEM_COMMENT, ITEM_ANGLE, ITEM_SEMICOLON };

struct item {
	enum item_kind kind;
	struct str text; /* a comment without its parentheses */
	bool is_glued;   /* no blank before it */
};

struct trace {
	struct arena *a;
	struct item v[ITEMS_MAX];
	size_t n;
	size_t by;       /* index of the word "by"; n: there is none */
	bool is_exim;    /* its version stands behind "by" */
	bool is_account; /* CommuniGate's does */
	bool is_tagged;  /* something else does, as qmail never has */
	struct received *ret;
};

/* Behind the > that closes the < at `at`, quoted strings passed over;
 * STR_NONE: there is none, or this is no address. */
static size_t
angle_end(struct str text, size_t at)
{
	bool is_quoted = false;
	for (at++; at < text.len; at++) {
		char c = text.p[at];
		if (c == '\\' && is_quoted)
			at++;
		else if (c == '"')
			is_quoted = !is_quoted;
		else if (!is_quoted && c == '(')
			return STR_NONE;
		else if (c == '>' && !is_quoted)
			return at + 1;
	}
	return STR_NONE;
}

/* The address in "(envelope-from <"a)b"@c>)" is the sender's own: where it
 * ends, or `at`. */
static size_t
envelope_end(struct str text, size_t at)
{
	static const char *const words[] = {
	    "envelope-from <", "envelope-sender <"};
	for (size_t i = 0; i < COUNT_OF(words); i++) {
		struct str word = str_from(words[i]);
		if (!str_istarts(str_skip(text, at), word))
			continue;
		size_t end = angle_end(text, at + word.len - 1);
		return end == STR_NONE ? at : end;
	}
	return at;
}

/* Behind the ) that closes the ( at `at` (RFC 5322 section 3.2.2); STR_NONE:
 * there is none. */
static size_t
comment_end(struct str text, size_t at)
{
	size_t depth = 1;
	for (at = envelope_end(text, at + 1); at < text.len; at++) {
		char c = text.p[at];
		if (c == '\\')
			at++;
		else if (c == '(')
			depth++;
		else if (c == ')' && --depth == 0)
			return at + 1;
	}
	return STR_NONE;
}

static size_t
word_end(struct str text, size_t at)
{
	while (at < text.len && !char_is_space(text.p[at]) &&
	       text.p[at] != '(' && text.p[at] != ')' && text.p[at] != ';')
		at++;
	return at;
}

/* The item at `*at`, which is no blank.  False: parentheses do not match. */
static bool
item_next(struct str text, size_t *at, struct item *ret)
{
	size_t from = *at, end;
	char c = text.p[from];
	ret->is_glued = from > 0 && !char_is_space(text.p[from - 1]);
	size_t inset = 0;
	if (c == '(') {
		ret->kind = ITEM_COMMENT;
		end = comment_end(text, from);
		inset = 1;
	} else if (c == '<') {
		ret->kind = ITEM_ANGLE;
		end = angle_end(text, from);
		inset = 1;
	} else if (c == ';') {
		ret->kind = ITEM_SEMICOLON;
		end = from + 1;
	} else {
		ret->kind = ITEM_WORD;
		end = word_end(text, from);
	}
	if (end == STR_NONE || end == from)
		return false;
	ret->text =
	    str_trim(str_sub(text, from + inset, end - from - inset * 2));
	*at = end;
	return true;
}

/*
 * A ( or <" in the greeting and its end in a later text of the stranger's, the
 * sender's address say, make one of all that the server wrote between them.
 */
static bool
has_swallowed(const struct item *item)
{
	if (item->kind != ITEM_ANGLE && str_chr(item->text, '(') == STR_NONE)
		return false;
	struct str rest = item->text;
	for (struct str word; (word = str_word(&rest)).len > 0;)
		if (str_ieq(word, STR("by")))
			return true;
	return false;
}

/* False: more than there should be, or parentheses that do not match. */
static bool
items_read(struct trace *t, struct str text)
{
	for (size_t at = scan_blanks(text, 0); at < text.len;
	     at = scan_blanks(text, at)) {
		struct item *item = &t->v[t->n];
		if (t->n == ITEMS_MAX || !item_next(text, &at, item) ||
		    has_swallowed(item))
			return false;
		t->n++;
	}
	return true;
}

static bool
is_word(const struct item *item, const char *word)
{
	return item->kind == ITEM_WORD && str_ieq(item->text, str_from(word));
}

/* Find the one "by"; false: there are two, or a ; before it. */
static bool
by_find(struct trace *t)
{
	t->by = t->n;
	bool has_semicolon = false;
	for (size_t i = 0; i < t->n; i++) {
		has_semicolon |= t->v[i].kind == ITEM_SEMICOLON;
		if (!is_word(&t->v[i], "by"))
			continue;
		if (t->by < t->n || has_semicolon)
			return false;
		t->by = i;
	}
	return true;
}

/* ---- addresses */

/* "192.0.2.1", "IPv6:2001:db8::1", "::ffff:192.0.2.1" */
static bool
address_is(struct str text, struct ip *ret)
{
	if (str_istarts(text, STR("IPv6:")))
		text = str_skip(text, 5);
	return ip_parse(text, ret);
}

/* What stands in brackets; some write the port there: "192.0.2.1:25". */
static bool
literal_is(struct str text, struct ip *ret)
{
	size_t colon = str_rchr(text, ':');
	if (colon != STR_NONE && colon == str_chr(text, ':') &&
	    scan_digits(text, colon + 1) == text.len)
		text = str_sub(text, 0, colon);
	return address_is(text, ret);
}

/* ":12345" and nothing else, or nothing at all. */
static bool
is_port(struct str text)
{
	return text.len == 0 || (text.p[0] == ':' && text.len > 1 &&
				    scan_digits(text, 1) == text.len);
}

/* "[ADDR]" or "[ADDR]:port" at the start; `*ret_rest` is what follows. */
static bool
address_at_start(struct str text, struct ip *ret, struct str *ret_rest)
{
	if (!str_starts(text, STR("[")))
		return false;
	size_t close = str_chr(text, ']');
	if (close == STR_NONE || !literal_is(str_sub(text, 1, close - 1), ret))
		return false;
	struct str rest = str_skip(text, close + 1);
	struct str port = str_sub(rest, 0, scan_until(rest, 0, " \t\r\n"));
	*ret_rest = str_trim(str_skip(rest, port.len));
	return is_port(port);
}

/* All of `text` is an address in brackets, perhaps with a port. */
static bool
address_is_all(struct str text, struct ip *ret)
{
	struct str rest;
	return address_at_start(text, ret, &rest) && rest.len == 0;
}

/* "... [ADDR]", "... [ADDR]:port", "IDENT@ADDR", or all of it is ADDR. */
static bool
address_at_end(struct str text, struct ip *ret, struct str *ret_before)
{
	size_t open = str_rchr(text, '[');
	if (open != STR_NONE) {
		*ret_before = str_trim(str_sub(text, 0, open));
		return address_is_all(str_skip(text, open), ret);
	}
	size_t at = str_rchr(text, '@');
	*ret_before = STR_EMPTY;
	return address_is(at == STR_NONE ? text : str_skip(text, at + 1), ret);
}

/* "(may be forged)" at the end: the name does not lead back to the address. */
static struct str
without_doubt(struct str text, bool *ret_doubt)
{
	static const char doubt[] = "(may be forged)";
	*ret_doubt = str_iends(text, STR(doubt));
	if (!*ret_doubt)
		return text;
	return str_trim(str_sub(text, 0, text.len - (sizeof(doubt) - 1)));
}

static bool
is_host(struct str text)
{
	for (size_t i = 0; i < text.len; i++)
		if (!char_is_word(text.p[i]) && text.p[i] != '.' &&
		    text.p[i] != '-')
			return false;
	return text.len > 0;
}

/* The name a server has resolved; empty: it has not. */
static struct str
resolved(struct str text)
{
	struct ip ip;
	if (str_ends(text, STR(".")))
		text.len--;
	return is_host(text) && !str_ieq(text, STR("unknown")) &&
		       !ip_parse(text, &ip)
		   ? text
		   : STR_EMPTY;
}

/* What stands before the address: RDNS or IDENT@RDNS. */
static struct str
name_before(struct str text)
{
	size_t at = str_rchr(text, '@');
	return resolved(at == STR_NONE ? text : str_skip(text, at + 1));
}

static bool
is_same_ip(const struct ip *a, const struct ip *b)
{
	return a->is_v6 == b->is_v6 && memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

/* ---- the from clause */

/* Its items without the word "from". */
struct clause {
	const struct item *v;
	size_t n;
	struct str word;             /* the only one; empty: there is none */
	const struct item *comments; /* all that follows */
	size_t ncomments;
};

/* False: it is not one word and then comments, so the greeting had blanks or
 * parentheses in it. */
static bool
clause_read(const struct item *v, size_t n, struct clause *ret)
{
	*ret = (struct clause){.v = v, .n = n, .word = STR_EMPTY};
	size_t i = 0;
	if (n > 0 && v[0].kind == ITEM_WORD)
		ret->word = v[i++].text;
	ret->comments = v + i;
	ret->ncomments = n - i;
	for (; i < n; i++)
		if (v[i].kind != ITEM_COMMENT || v[i].is_glued)
			return false;
	return true;
}

/* The first comment has the prefix; `*ret` is what follows it. */
static bool
comment_starts(const struct item *item, const char *prefix, struct str *ret)
{
	struct str word = str_from(prefix);
	if (!str_istarts(item->text, word))
		return false;
	*ret = str_trim(str_skip(item->text, word.len));
	return true;
}

static void
address_set(struct trace *t, const struct ip *ip)
{
	t->ret->address = ip_text(t->a, ip);
}

/* "port=N helo=HELO ident=IDENT", each may be missing. */
static struct str
exim_helo(struct str text)
{
	if (str_starts(text, STR("port=")))
		text =
		    str_skip(text, scan_blanks(text, scan_until(text, 0, " ")));
	if (!str_starts(text, STR("helo=")))
		return STR_EMPTY;
	text = str_skip(text, 5);
	return str_trim(str_sub(text, 0, str_find(text, STR(" ident="))));
}

/* The address comes before all that is the stranger's. */
static void
read_exim(struct trace *t, const struct clause *clause)
{
	struct received *ret = t->ret;
	struct ip ip;
	struct str rest = STR_EMPTY;
	if (address_is_all(clause->word, &ip)) {
		address_set(t, &ip);
		if (clause->ncomments > 0)
			rest = clause->comments[0].text;
		ret->helo = exim_helo(rest);
	} else if (clause->ncomments > 0 &&
		   address_at_start(clause->comments[0].text, &ip, &rest)) {
		address_set(t, &ip);
		ret->name = resolved(clause->word);
		ret->helo = exim_helo(rest);
	}
	if (ret->helo.len == 0)
		ret->helo = clause->word;
}

/* "[ADDR] (account LOGIN HELO HELO)", "[ADDR] (HELO HELO)", "HELO ([ADDR]
 * verified)" */
static void
read_account(struct trace *t, const struct clause *clause)
{
	struct received *ret = t->ret;
	struct ip ip;
	if (clause->ncomments != 1)
		return;
	struct str rest = clause->comments[0].text;
	if (address_is_all(clause->word, &ip)) {
		address_set(t, &ip);
		struct str account = rest;
		if (str_eq(str_word(&account), STR("account"))) {
			ret->login = str_word(&account);
			rest = str_trim(account);
		}
		if (str_starts(rest, STR("HELO ")))
			ret->helo = str_trim(str_skip(rest, 5));
	} else if (address_at_start(rest, &ip, &rest)) {
		address_set(t, &ip);
		ret->helo = clause->word;
		if (str_eq(rest, STR("verified")))
			ret->name = resolved(clause->word);
	}
}

/* "(HELO HELO)" of qmail, "(LHLO HELO)" of Zimbra. */
static bool
is_greeting(const struct item *item, struct str *ret)
{
	static const char *const words[] = {"HELO ", "EHLO ", "LHLO "};
	for (size_t i = 0; i < COUNT_OF(words); i++)
		if (comment_starts(item, words[i], ret))
			return true;
	return false;
}

/* How many of these have an address at either end. */
static size_t
addresses_count(const struct item *v, size_t n)
{
	size_t count = 0;
	for (size_t i = 0; i < n; i++) {
		struct ip ip;
		struct str other;
		bool has_doubt;
		struct str text = without_doubt(v[i].text, &has_doubt);
		count += address_at_start(text, &ip, &other) ||
			 address_at_end(text, &ip, &other);
	}
	return count;
}

/*
 * One comment's address, and the name before it.  False: none, or two that
 * differ.
 */
static bool
comment_address(struct str text, struct ip *ret, struct str *ret_name)
{
	bool has_doubt;
	struct ip first;
	struct str before, rest;
	text = without_doubt(text, &has_doubt);
	bool has_first = address_at_start(text, &first, &rest);
	bool has_last = address_at_end(text, ret, &before);
	if (has_first && has_last && !is_same_ip(&first, ret))
		return false;
	if (has_first)
		*ret = first;
	*ret_name = has_last && !has_doubt ? name_before(before) : STR_EMPTY;
	return has_first || has_last;
}

/* "(Authenticated sender: X)" behind the address; the greeting is before. */
static void
read_login(struct trace *t, const struct item *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct str login;
		if (comment_starts(&v[i], "Authenticated sender:", &login) &&
		    str_ends(t->ret->with, STR("A")) &&
		    scan_until(login, 0, "\r\n") == login.len) {
			t->ret->login = login;
			return;
		}
	}
}

/* "HELO (RDNS [ADDR])", "HELO (ADDR)", "RDNS (HELO HELO) (ADDR)": one comment
 * has an address, and it comes first. */
static void
read_usual(struct trace *t, const struct clause *clause)
{
	struct received *ret = t->ret;
	const struct item *v = clause->comments;
	size_t n = clause->ncomments;
	struct str helo = clause->word, name;
	struct ip ip;
	bool is_behind = n > 0 && is_greeting(&v[0], &helo);
	ret->helo = helo;
	if (is_behind) {
		v++;
		n--;
	}
	if (addresses_count(v, n) != 1 ||
	    !comment_address(v[0].text, &ip, &name))
		return;
	address_set(t, &ip);
	if (!is_behind)
		ret->name = name;
	else if (!t->is_tagged && name.len == 0)
		ret->name = resolved(clause->word);
	read_login(t, v + 1, n - 1);
}

static void
read_from(struct trace *t)
{
	struct clause clause;
	t->ret->has_from = true;
	if (!clause_read(t->v + 1, t->by - 1, &clause))
		return;
	if (t->is_exim && str_ieq(t->ret->with, STR("LOCAL"))) {
		t->ret->has_from = false;
		t->ret->user = clause.word;
	} else if (t->is_exim) {
		read_exim(t, &clause);
	} else if (t->is_account) {
		read_account(t, &clause);
	} else {
		read_usual(t, &clause);
	}
}

/* Sendmail without a greeting: "(from USER@localhost)" of a program,
 * "(from RDNS [ADDR])" of the network. */
static void
read_from_comment(struct trace *t, struct str text)
{
	struct ip ip;
	struct str name;
	if (scan_until(text, 0, "[]() \t\r\n") == text.len) {
		t->ret->user = str_sub(text, 0, str_chr(text, '@'));
		return;
	}
	t->ret->has_from = true;
	if (!comment_address(text, &ip, &name))
		return;
	address_set(t, &ip);
	t->ret->name = name;
}

/* "(qmail 123 invoked by uid 33)", "(qmail 123 invoked by alias)",
 * "(qmail 123 invoked from network)"; nullmailer writes the same. */
static void
read_invoked(struct trace *t, struct str text)
{
	size_t at = str_find(text, STR(" invoked "));
	if (at == STR_NONE)
		return;
	struct str how = str_skip(text, at + 9);
	struct str word = str_word(&how);
	t->ret->has_from = str_eq(word, STR("from"));
	if (!str_eq(word, STR("by")))
		return;
	word = str_word(&how);
	t->ret->user = str_eq(word, STR("uid")) ? str_word(&how) : word;
}

/* What stands before "by". */
static void
read_source(struct trace *t)
{
	struct str text;
	if (t->n == 0 || t->by == 0)
		return;
	if (is_word(&t->v[0], "from")) {
		read_from(t);
		return;
	}
	if (t->v[0].kind != ITEM_COMMENT)
		return;
	if (comment_starts(&t->v[0], "from ", &text) && t->by == 1)
		read_from_comment(t, text);
	else
		read_invoked(t, t->v[0].text);
}

/* ---- what stands behind "by" */

/* "(Postfix, from userid 33)": any mail_name. */
static void
read_userid(struct trace *t, struct str text)
{
	static const char mark[] = ", from userid ";
	size_t at = str_rchr(text, ',');
	if (at == STR_NONE || !str_starts(str_skip(text, at), STR(mark)))
		return;
	struct str id = str_skip(text, at + sizeof(mark) - 1);
	if (id.len > 0 && scan_digits(id, 0) == id.len)
		t->ret->user = id;
}

static void
read_tail_comment(struct trace *t, size_t i)
{
	struct str rest;
	const struct item *item = &t->v[i];
	t->is_exim |= comment_starts(item, "Exim", &rest);
	if (i != t->by + 2)
		return;
	t->is_account = comment_starts(item, "CommuniGate Pro", &rest);
	t->is_tagged = !comment_starts(item, "qp", &rest); /* qpsmtpd */
	if (!is_word(&t->v[0], "from"))
		read_userid(t, item->text);
}

/* The field of `ret` that a word introduces; NULL: none, or it has one. */
static struct str *
tail_field(struct received *ret, const struct item *item)
{
	const struct {
		const char *word;
		struct str *field;
	} rows[] = {
	    {"with", &ret->with}, {"id", &ret->id}, {"for", &ret->rcpt}};
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (is_word(item, rows[i].word))
			return rows[i].field->len == 0 ? rows[i].field : NULL;
	return NULL;
}

/* OpenSMTPD: "auth=yes user=X" behind the id. */
static void
read_tail_login(struct trace *t, size_t i)
{
	if (i == 0 || i >= COUNT_OF(t->v))
		return;
	if (is_word(&t->v[i - 1], "auth=yes") &&
	    str_istarts(t->v[i].text, STR("user=")) &&
	    t->v[i].kind == ITEM_WORD)
		t->ret->login = str_skip(t->v[i].text, 5);
}

static struct str
upper(struct arena *a, struct str text)
{
	char *p = arena_alloc(a, text.len);
	for (size_t i = 0; i < text.len; i++)
		p[i] = text.p[i] >= 'a' && text.p[i] <= 'z'
			   ? (char)(text.p[i] - 'a' + 'A')
			   : text.p[i];
	return str_of(p, text.len);
}

static void
read_tail(struct trace *t)
{
	struct received *ret = t->ret;
	for (size_t i = t->by + 2; i < t->n; i++) {
		const struct item *item = &t->v[i];
		if (item->kind == ITEM_SEMICOLON)
			break;
		if (item->kind == ITEM_COMMENT)
			read_tail_comment(t, i);
		read_tail_login(t, i);
		struct str *field = tail_field(ret, item);
		if (field == NULL || i + 1 == t->n)
			continue;
		const struct item *next = item + 1;
		if (next->kind == ITEM_WORD || next->kind == ITEM_ANGLE) {
			*field = next->text;
			i++;
		}
	}
	ret->with = upper(t->a, ret->with);
}

static struct received
received_none(void)
{
	struct str e = STR_EMPTY;
	return (struct received){e, e, e, e, e, e, e, e, e, false};
}

/* The server's name: a word, or an address literal. */
static struct str
by_name(struct trace *t)
{
	if (t->by + 1 >= t->n || t->v[t->by + 1].kind != ITEM_WORD)
		return STR_EMPTY;
	struct str name = t->v[t->by + 1].text;
	if (str_ends(name, STR(".")))
		name.len--;
	return str_lower(t->a, name);
}

bool
received_parse(struct arena *a, struct str value, struct received *ret)
{
	struct trace t = {.a = a, .ret = ret};
	*ret = received_none();
	if (!items_read(&t, value) || !by_find(&t))
		return false;
	bool is_led = t.n > 0 && (t.by == 0 || is_word(&t.v[0], "from") ||
				     t.v[0].kind == ITEM_COMMENT);
	if (!is_led)
		return false;
	ret->by = by_name(&t);
	if (ret->by.len > 0)
		read_tail(&t);
	else
		t.by = t.n;
	read_source(&t);
	return ret->by.len > 0;
}
