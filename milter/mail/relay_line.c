/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * relay_line -- read one Received field.  The forms are tried in a fixed order,
 * for many fields are like several of them: a new form goes where SpamAssassin
 * has it.  Whom to believe is relay.c's business.
 */
#include "mail/relay_line.h"

#include <pthread.h>

#include "base/arena.h"
#include "mail/relay_ip.h"
#include "mail/shape.h"

/* A field on its way to a hop. */
struct line {
	struct arena *a;
	struct str text;          /* what is left of it */
	struct shape_pairs pairs; /* of the text, or of more than that */
	struct relay relay;
	struct str handed_on;
	bool has_looked_up; /* the server asks the DNS for names */
	bool is_qmail_ldap;
};

enum outcome { PASSED, TAKEN, SKIPPED, FETCHED };

enum {
	NAMED = 1 << 0,    /* the server asks the DNS for names */
	SAME = 1 << 1,     /* the name is the greeting, too */
	SKIP = 1 << 2,     /* no handover between hosts */
	ANYWHERE = 1 << 3, /* not only at the start */
	NO_ID = 1 << 4,    /* what looks like an id is none */
	NO_LDAP = 1 << 5,  /* not for qmail-ldap, which looks like Sendmail */
	NO_BY = 1 << 6     /* the server is not told */
};

/*
 * Letters: h greeting, r name, i address, b server, d id, u ident, o options.
 * `after` goes on with what was found.
 */
struct form {
	const char *shape;
	unsigned flags;
	enum outcome (*after)(struct line *line, const struct shape_found *f);
};

static void
take_letter(const struct shape_found *f, char letter, struct str *ret)
{
	if (shape_has(f, letter))
		*ret = shape_get(f, letter);
}

static void
take_letters(struct line *line, const struct shape_found *f)
{
	struct relay *r = &line->relay;
	take_letter(f, 'h', &r->helo);
	take_letter(f, 'r', &r->rdns);
	take_letter(f, 'i', &r->ip);
	take_letter(f, 'b', &r->by);
	take_letter(f, 'd', &r->id);
	take_letter(f, 'u', &r->ident);
}

static enum outcome
form_try(struct line *line, const struct form *form)
{
	struct shape_found f;
	if ((form->flags & NO_LDAP) != 0 && line->is_qmail_ldap)
		return PASSED;
	bool is_so = (form->flags & ANYWHERE) != 0
			 ? shape_find(line->text, form->shape, &f)
			 : shape_starts(line->text, form->shape, &f);
	if (!is_so)
		return PASSED;
	if ((form->flags & SKIP) != 0)
		return SKIPPED;
	take_letters(line, &f);
	if ((form->flags & NAMED) != 0)
		line->has_looked_up = true;
	if ((form->flags & SAME) != 0)
		line->relay.helo = line->relay.rdns;
	if ((form->flags & NO_ID) != 0)
		line->relay.id = STR_EMPTY;
	if ((form->flags & NO_BY) != 0)
		line->relay.by = STR_EMPTY;
	return form->after == NULL ? TAKEN : form->after(line, &f);
}

static enum outcome
forms_try(struct line *line, const struct form *forms)
{
	for (; forms->shape != NULL; forms++) {
		enum outcome outcome = form_try(line, forms);
		if (outcome != PASSED)
			return outcome;
	}
	return PASSED;
}

/* The same, for many: `needed` tells by place what a form needs. */
static enum outcome
forms_try_possible(struct line *line, const struct form *forms,
    const struct shape_pairs *needed)
{
	for (size_t i = 0; forms[i].shape != NULL; i++) {
		if (!shape_is_possible(&line->pairs, &needed[i]))
			continue;
		enum outcome outcome = form_try(line, &forms[i]);
		if (outcome != PASSED)
			return outcome;
	}
	return PASSED;
}

static struct str
without(struct arena *a, struct str text, struct str part)
{
	size_t at = (size_t)(part.p - text.p);
	char *p = arena_alloc(a, text.len);
	memcpy(p, text.p, at);
	memcpy(p + at, part.p + part.len, text.len - at - part.len);
	return str_of(p, text.len - part.len);
}

/* "helo=a ident=b" of Exim's comment, in any order. */
static enum outcome
take_options(struct line *line, const struct shape_found *found)
{
	struct str options = shape_get(found, 'o');
	struct shape_found f;
	if (shape_find(options, "helo=%h", &f)) {
		line->relay.helo = shape_get(&f, 'h');
		options = without(line->a, options, f.all);
	}
	if (shape_find(options, "ident=%0u", &f))
		line->relay.ident = shape_get(&f, 'u');
	return TAKEN;
}

/* What Exim was told to write by hand: bits of it. */
static enum outcome
take_odd_exim(struct line *line, const struct shape_found *unused)
{
	(void)unused;
	static const char *const bits[] = {
	    "%^%r ", " (%h) ", " [%i{.%n|}] ", "by %b "};
	bool is_by = false;
	for (size_t i = 0; i < COUNT_OF(bits); i++) {
		struct shape_found f;
		is_by = shape_find(line->text, bits[i], &f);
		if (is_by)
			take_letters(line, &f);
	}
	return is_by && line->relay.ip.len > 0 ? TAKEN : PASSED;
}

static enum outcome
take_xmail(struct line *line, const struct shape_found *unused)
{
	(void)unused;
	struct shape_found f;
	if (shape_find(line->text, " id <%d>", &f))
		line->relay.id = shape_get(&f, 'd');
	if (shape_find(line->text, " from <%e>", &f)) {
		line->relay.envfrom = shape_get(&f, 'e');
		line->relay.has_envfrom = true;
	}
	return TAKEN;
}

/* "IDENT:user@name" or "user@name" where the name stands. */
static enum outcome
take_ident(struct line *line, const struct shape_found *unused)
{
	(void)unused;
	static const bool is_marked[] = {true, false};
	struct relay *r = &line->relay;
	for (size_t i = 0; i < COUNT_OF(is_marked); i++) {
		struct str name = r->rdns;
		if (is_marked[i] && !str_starts(name, STR("IDENT:")))
			continue;
		name = str_skip(name, is_marked[i] ? 6 : 0);
		size_t at = str_chr(name, '@');
		if (at == STR_NONE)
			continue;
		r->ident = str_sub(name, 0, at);
		r->rdns = str_skip(name, at + 1);
	}
	return TAKEN;
}

static enum outcome
take_leading_ip(struct line *line, const struct shape_found *unused)
{
	(void)unused;
	struct shape_found f;
	if (shape_starts(line->text, "%i ", &f))
		line->relay.ip = shape_get(&f, 'i');
	return TAKEN;
}

#define QMAIL_SENDER "{ (envelope-sender <%s>)|}"

/* qmail leaves the greeting out if it is the name. */
static enum outcome
take_qmail(struct line *line, const struct shape_found *unused)
{
	(void)unused;
	static const struct form forms[] = {
	    {"%r ({HELO|EHLO} %0q) (%0u@{[|}%i{]|})" QMAIL_SENDER " by %b", 0,
		NULL},
	    {"%r ({HELO|EHLO} %0q) ({[|}%i{]|})" QMAIL_SENDER " by %b", 0,
		NULL},
	    {"%r (%0u@{[|}%i{]|})" QMAIL_SENDER " by %b", SAME, NULL},
	    {"%r ({[|}%i{]|})" QMAIL_SENDER " by %b", SAME, NULL},
	    {NULL, 0, NULL},
	};
	(void)forms_try(line, forms);
	if (str_eq(line->relay.rdns, STR("unknown")))
		line->relay.rdns = STR_EMPTY;
	else
		line->has_looked_up = true;
	return TAKEN;
}

/* couriertcpd's word for a name that it could not look up. */
static enum outcome
take_courier(struct line *line, const struct shape_found *f)
{
	struct str name = shape_get(f, 'x');
	line->has_looked_up = !str_eq(name, STR("softdnserr"));
	if (line->has_looked_up)
		line->relay.rdns = name;
	return TAKEN;
}

static enum outcome
take_obtuse(struct line *line, const struct shape_found *f)
{
	if (!shape_has(f, 'h'))
		line->relay.helo = STR_EMPTY;
	if (!str_eq(line->relay.rdns, STR("UNKNOWN")))
		line->has_looked_up = true;
	return TAKEN;
}

static enum outcome
take_fetched(struct line *line, const struct shape_found *unused)
{
	(void)line;
	(void)unused;
	return FETCHED;
}

/* A byte that would break the list of hops, or a rule's idea of it. */
static bool
is_stray(char c)
{
	switch (c) {
	case '\0':
	case '#':
	case '[':
	case ']':
	case '(':
	case ')':
	case '<':
	case '>':
	case '|':
		return true;
	default:
		return char_is_space(c);
	}
}

static struct str
clean(struct arena *a, struct str text)
{
	char *p = arena_alloc(a, text.len + 1);
	for (size_t i = 0; i < text.len; i++)
		p[i] = is_stray(text.p[i]) ? '!' : text.p[i];
	return str_of(p, text.len);
}

static struct str
clean_path(struct arena *a, struct str path)
{
	path = str_trim(path);
	while (str_starts(path, STR("<")))
		path = str_skip(path, 1);
	while (str_ends(path, STR(">")))
		path.len--;
	return clean(a, path);
}

static enum outcome
take_scanner(struct line *line, const struct shape_found *unused)
{
	(void)unused;
	if (line->relay.has_envfrom)
		line->handed_on = clean_path(line->a, line->relay.envfrom);
	return SKIPPED;
}

/* --- forms of a field that starts with "from " ---------------------------- */

static const struct form webmail_forms[] = {
    {"%i%<%-%jby %b with HTTP", ANYWHERE, NULL},
    {NULL, 0, NULL},
};
static const struct form aol_forms[] = {
    {"%i by %b (%I) with HTTP (WebMailUI)", ANYWHERE, NULL},
    {NULL, 0, NULL},
};
static const struct form smtpsvc_forms[] = {
    {"%0h ([%i]%0C) by %b with Microsoft SMTPSVC", 0, NULL},
    {"mail pickup service by %s with Microsoft SMTPSVC%$", SKIP, NULL},
    {NULL, 0, NULL},
};
static const struct form exchange_forms[] = {
    {"%h ({[|}%i{%%%0f|}{]|}) by %b ", NO_ID, NULL},
    {NULL, 0, NULL},
};
static const struct form xmail_forms[] = {
    {"%h (%[i{[|}%I{]|}%]i:%n) by %b{ (%s)|} with [XMail", 0, take_xmail},
    {NULL, 0, NULL},
};
static const struct form ecelerity_forms[] = {
    {"([%i:%n] helo=%h) by %b ", 0, NULL},
    {"%s ([%i:%n]) by %b ", 0, NULL},
    {NULL, 0, NULL},
};
static const struct form exim_forms[] = {
    {"%<with local{-%s|} ", SKIP | ANYWHERE, NULL},
    {"[%i] (%o) by %b ", 0, take_options},
    {"%r ([%i]%o) by %b ", SAME, take_options},
    {"%r [%i]{:%n|} by %b ", SAME, NULL},
    {"", 0, take_odd_exim},
    {NULL, 0, NULL},
};
static const struct form postfix_forms[] = {
    {"%h (%r [%i]) by %b ", NAMED, NULL},
    {"%h (%r[%i]) by %b ", NAMED, NULL},
    {NULL, 0, NULL},
};
static const struct form scalix_forms[] = {
    {"%h ({ |}%i) by %b", 0, NULL},
    {NULL, 0, NULL},
};
static const struct form domino_forms[] = {
    {"%h ([%i]) by %b (Lotus", 0, NULL},
    {NULL, 0, NULL},
};

/* Forms of one program, if `mark` and `mark_too` are in the field. */
struct family {
	const char *mark, *mark_too; /* NULL: nothing more */
	const struct form *forms;
};

/* Each of them is tried. */
static const struct family webmails[] = {
    {" ({SquirrelMail|NaSMail} authenticated user ", NULL, webmail_forms},
    {"aol.com", "with HTTP (WebMailUI)", aol_forms},
};

/* The first of them alone is tried. */
static const struct family programs[] = {
    {" SMTPSVC", NULL, smtpsvc_forms},
    {" with {Microsoft SMTP Server|mapi id} {(%c) |}%n.%n.%n.%n{%$| }", NULL,
	exchange_forms},
    {"[XMail ", NULL, xmail_forms},
    {"(ecelerity%<", NULL, ecelerity_forms},
    {"Exim", NULL, exim_forms},
    {" (Postfix) with", NULL, postfix_forms},
    {"(Scalix SMTP Relay", NULL, scalix_forms},
    {" (Lotus Domino ", NULL, domino_forms},
};

static const struct form http_forms[] = {
    {"%i ([%I]) by %b", 0, NULL},
    {NULL, 0, NULL},
};

static const struct form from_forms[] = {
    /* Sendmail; with ident, with remarks behind the address */
    {"%h (%r [%i]%*) by %b (", NAMED | NO_LDAP, take_ident},
    /* Exchange Internet Mail Service */
    {"%h (%r [%i]) by %b with %s (", NAMED, NULL},
    {"%r ([%i] helo=%h) by %b with ", 0, NULL},
    {"%h (<unknown%0s>[%i]) by %b ", 0, NULL},
    {"%h (%[r%s.%s%]r[%i]) by %b ", NAMED, NULL},
    {"%h (%0u@[%i]%*) by %b (", NAMED, NULL},
    {"by %[b%s.hotmail.msn.com%]b ", ANYWHERE, take_leading_ip},
    {"%r ({HELO|EHLO} %0h) (%i) by %b (qpsmtpd/%s) with {ESMTP|SMTP}", 0, NULL},
    {"%r (LHLO %0h) (%i) by %b with LMTP", 0, NULL},
    {"%r ({HELO|EHLO} %0h) [%i] by %b (%c) with {ESMTP|SMTP}", 0, NULL},
    {"%h ([%i]) by %b via smtpd (for %s) with SMTP(", 0, NULL},
    {"%s{ ({HELO|EHLO} %0s)|} ({%s@|}{[|}%I{]|})" QMAIL_SENDER
     " by %s{ (%+)|} with {%* |}{SMTP|QMQP}%!",
	0, take_qmail},
    {"[%i] by %b via HTTP%$", 0, NULL},
    {"%s ( [%i])%. by %b ", 0, NULL},
    {"(%h [%i]) by %b ", 0, NULL},
    {"[%i] by %b ", 0, NULL},
    {"({[|}%i{]|}) by %b ", 0, NULL},
    /* MDaemon */
    {"%h [%i] by %b [%I] with ", NAMED, NULL},
    {"%h [(%i)] by %b (%I) ", 0, NULL},
    /* Sendmail, no name found */
    {"%h ([%i]) by %b (", NAMED, NULL},
    {"%h (%x [%i])%. by %b%<", 0, take_courier},
    {"%h ([%i{{.|:}%n|}])%. by %b ", NAMED, NULL},
    {"%h (%r [%i]){ (authenticated bits=%n)|} by %b (", NAMED, NULL},
    {"with {POP3|IMAP}", ANYWHERE, take_fetched},
    {"%r ({HELO|EHLO} %0p) ({%0u@|}{[|}%i{]|})%* by %b ", NAMED, NULL},
    {"%r ({%0u@|}{[|}%i{]|})%* by %b ", NAMED | SAME, NULL},
    {"[%i] by %b with http for ", 0, NULL},
    {"%r(%i) by %b via smap ", NAMED, NULL},
    {"%r(%i, {HELO|EHLO} %0h) by %b via smap ", NAMED, NULL},
    {"[%i] by %b (Post", 0, NULL},
    {"[%i] by %b (ArGoSoft", 0, NULL},
    {"%i by %b ({SMTPL|InterScan}%<", 0, NULL},
    {"%s by %s with BSMTP", SKIP, NULL},
    {"%h (%r [%i]) by %b with ", NAMED, NULL},
    {"%r ({HELO|EHLO} %0h) ({%u@|}%i%.) by %b with ", NAMED, NULL},
    /* CommuniGate Pro */
    {"[%i] ({account %s |}{HELO|EHLO} %0h) by %b (", 0, NULL},
    {"%r ([%i] verified) by %b{| (%.} (CommuniGate Pro", NAMED | SAME, NULL},
    {"([%i]) by %b with ", 0, NULL},
    {"%[h%G%s%]h (%i) by %b ", 0, NULL},
    {"%s (%s) by %s (Content Technologies ", SKIP, NULL},
    {"%h ([%i] [%s]) by %b with ", 0, NULL},
    {"%i by %b with ", 0, NULL},
    {"%h (%r[%i]) by %b ", NAMED, NULL},
    {"[%i]%s ({HELO|EHLO} %0h) by %b ", 0, NULL},
    {"%i ({HELO|EHLO} %0h) by %b ", 0, NULL},
    {"%h [%i] by %b ", 0, NULL},
    {"%r(%i) by %b ", 0, NULL},
    {"[%i] by %b (MailGate ", 0, NULL},
    {"%h (unverified [%i]) by %b ", 0, NULL},
    {"%i (%a%c) by %b with ", 0, NULL},
    {"[%i] (%O) by %b ", 0, take_options},
    {"%r ({%s@|}%i) by %b with ", 0, NULL},
    {"%r(%i){, claiming to be \"%h\"|} via %s by %b,", 0, take_obtuse},
    {"%h (%s@%i with login) by %[b%s.yahoo.com%]b with SMTP", 0, NULL},
    {"X-Originating-IP: %i%$", NO_BY, NULL},

    /* within one host */
    {"%s (%t@%L) by %s (", SKIP, NULL},
    {"%s %s by %s with local-{e|}smtp ", SKIP, NULL},
    {"127.0.0.1 (AVG SMTP %s [%s])", SKIP, NULL},
    {"%s@%s by %s by uid %s ", SKIP, NULL},
    {"%s@%s by %s ", SKIP, NULL},
    {"Unknown/Local (", SKIP, NULL},
    {"%L ({%s@|}%L{)|[}", SKIP, NULL},
    {"%s ({%s@|}%L) ", SKIP, NULL},
    {"%s (%s@%s [%L]) ", SKIP, NULL},
    {"(AUTH: %s) by %s with ", SKIP, NULL},
    {"localhost (localhost [[UNIX: localhost]]) by ", SKIP, NULL},
    {"%s.amazon.com by %s.amazon.com with ESMTP (peer crosscheck: ", SKIP,
	NULL},
    {"%N by %s with Novell_GroupWise", SKIP, NULL},
    {"no.name.available by %s via smtpd (for ", SKIP, NULL},
    {"%s by %s (%J) with qmail-scanner", 0, take_scanner},
    {"%s by %s with local", SKIP, NULL},
    {"%s ([unix socket]) by %s (Cyrus v%0n.%0n.%0n) with LMTPA", SKIP, NULL},
    /* between hosts, but no address is told */
    {"%s by %s {with|via|for|(}", SKIP, NULL},
    {"%s {{with|via|for} %s|(unverified)} by%<", SKIP, NULL},
    {"%s (unknown) by %s (SG) with %<", SKIP, NULL},
    {"%s (%s [local]) by %s (OpenSMTPD) with %<", SKIP, NULL},
    {"(LSMTP for", SKIP | ANYWHERE, NULL},
    {"([%L]) with MailEnable ", SKIP, NULL},
    {"facebook.com (%c) by facebook.com with Thrift id %s%$", SKIP, NULL},
    {"%s named %s by gmailapi.google.com with HTTPREST%$", SKIP, NULL},
    {"%s id %s%$", SKIP, NULL},
    {"[<%. (Jetsend", SKIP, NULL},
    {NULL, 0, NULL},
};

/* simta, Rockliffe */
static const struct form upper_forms[] = {
    {"%h (%r [%i]) BY %b {(%c) WITH SMTP |}ID {<|}%D{>|}{ FOR <%g>|}%$", NAMED,
	NULL},
    {NULL, 0, NULL},
};

/* "(from ..." */
static const struct form comment_forms[] = {
    {"%0h [%i]) by %b (NAVGW %.) with ", 0, NULL},
    {"%s@localhost) by %s ", SKIP, NULL},
    {"%t@%c) by %s(jqueuemail) id %k", SKIP, NULL},
    {NULL, 0, NULL},
};

/* --- what any field may have ---------------------------------------------- */

/* How the client logged in, as `shape` shows it; see auth_of(). */
struct auth_form {
	const char *mark;  /* a shape that is there, too */
	const char *shape; /* keeps `a` */
	bool is_folded;
	const char *name; /* NULL: what `a` has */
};

static const struct auth_form auth_forms[] = {
    /* RFC 3848, RFC 6531, webmail */
    {" by ",
	" with %[a{{ES|L|UTF8S|UTF8L}MTP{S|}A|ASMTP|HTTP{S|U|}}%]a{ |;|%$}",
	true, NULL},
    {"(version=%v cipher=%c)",
	" by mx.google.com with ESMTPS id %Asm%9%l%l%l.%3.%#%#%#%#"
	".%6%#.%6%#.%6%#.%6%#.%6%#",
	false, "GMail"},
    {"",
	"%^from %.{])|)]} (AUTH: %[a{LOGIN|PLAIN|DIGEST-MD5|CRAM-MD5}%]a %s"
	"{, %.|}) by ",
	false, NULL},
    {"authenticated", "%^from %.{]{ (%0p)|})|)]} %.(%.authenticated%.)%. by",
	false, "Sendmail"},
    {"",
	"from %0s ({HELO|EHLO} %0s) [%I] by %[xmail.gmx.{net|com}%]x (%c) with "
	"%[a{ESMTP|SMTP}%]a",
	false, "GMX"},
    {" (authenticated as ",
	") by %+ (%2.%#.%#%#%#{.%3|}) (authenticated as %+) id ", false,
	"CriticalPath"},
    {"", ") (Authenticated sender: %s) by %s (%c) with ", false, "Postfix"},
    {" (account ", "CommuniGate Pro {HTTP|SMTP|XIMSS|IMAP}", false,
	"Communigate"},
    {"", " with Microsoft Exchange Server HTTP-DAV%<", false, "HTTP-DAV"},
    {" by ", " (via %[aHTTP{%?|}%]a){ |;|%$}", true, NULL},
};

static const char *const greetings[] = {"%<helo=%z", "%<{HELO|EHLO} %z"};

/* What the forms of the long tables need, by their places. */
static struct {
	pthread_once_t once;
	struct shape_pairs from[COUNT_OF(from_forms)];
	struct shape_pairs webmails[COUNT_OF(webmails)];
	struct shape_pairs programs[COUNT_OF(programs)];
	struct shape_pairs auth[COUNT_OF(auth_forms)];
	struct shape_pairs greetings[COUNT_OF(greetings)];
} needed = {.once = PTHREAD_ONCE_INIT};

static void
needed_init(void)
{
	for (size_t i = 0; from_forms[i].shape != NULL; i++)
		needed.from[i] = shape_pairs_needed(from_forms[i].shape);
	for (size_t i = 0; i < COUNT_OF(webmails); i++)
		needed.webmails[i] = shape_pairs_needed(webmails[i].mark);
	for (size_t i = 0; i < COUNT_OF(programs); i++)
		needed.programs[i] = shape_pairs_needed(programs[i].mark);
	for (size_t i = 0; i < COUNT_OF(greetings); i++)
		needed.greetings[i] = shape_pairs_needed(greetings[i]);
	for (size_t i = 0; i < COUNT_OF(auth_forms); i++) {
		const struct auth_form *form = &auth_forms[i];
		needed.auth[i] = shape_pairs_needed(
		    form->is_folded ? form->mark : form->shape);
	}
}

/* The name of a way to log in, with the details that some have. */
static struct str
auth_text(struct arena *a, const struct auth_form *form,
    const struct shape_found *mark, const struct shape_found *f)
{
	if (form->name == NULL)
		return shape_get(f, 'a');
	struct str name = str_from(form->name);
	struct str program = shape_get(f, 'c');
	if (str_eq(name, STR("GMail")))
		return str_printf(a, "GMail - transport=%.*s cipher=%.*s",
		    STR_ARG(shape_get(mark, 'v')),
		    STR_ARG(shape_get(mark, 'c')));
	if (str_eq(name, STR("GMX")))
		return str_printf(a, "GMX (%.*s / %.*s)",
		    STR_ARG(shape_get(f, 'a')), STR_ARG(shape_get(f, 'x')));
	if (str_eq(name, STR("Postfix")) && !str_eq(program, name))
		return str_printf(a, "Postfix (%.*s)", STR_ARG(program));
	return name;
}

static bool
auth_form_try(const struct auth_form *form, struct str text,
    struct shape_found *ret_mark, struct shape_found *ret)
{
	return shape_find(text, form->mark, ret_mark) &&
	       (form->is_folded ? shape_ifind(text, form->shape, ret)
				: shape_find(text, form->shape, ret));
}

static struct str
auth_of(const struct line *line)
{
	for (size_t i = 0; i < COUNT_OF(auth_forms); i++) {
		struct shape_found mark, f;
		if (shape_is_possible(&line->pairs, &needed.auth[i]) &&
		    auth_form_try(&auth_forms[i], line->text, &mark, &f))
			return auth_text(line->a, &auth_forms[i], &mark, &f);
	}
	return STR_EMPTY;
}

/* Runs of blanks to one, none at the ends, no semicolons at the end. */
static struct str
collapse(struct arena *a, struct str field)
{
	char *p = arena_alloc(a, field.len + 1);
	size_t n = 0;
	for (size_t i = 0; i < field.len; i++) {
		bool is_space = char_is_space(field.p[i]);
		if (!is_space || n == 0 || p[n - 1] != ' ')
			p[n++] = is_space ? ' ' : field.p[i];
	}
	struct str text = str_of(p, n);
	if (str_starts(text, STR(" ")))
		text = str_skip(text, 1);
	if (str_ends(text, STR(" ")))
		text.len--;
	while (str_ends(text, STR(";"))) {
		text.len--;
		if (str_ends(text, STR(" ")))
			text.len--;
	}
	return text;
}

#define DATE                                                                \
	"%;{{Mon|Tue|Thu|Wed|Fri|Sat|Sun}, |}%n "                           \
	"{Jan|Jun|Jul|Feb|Mar|May|Apr|Aug|Sep|Oct|Nov|Dec} %n %n:%n{:%n|} " \
	"%s%$"
#define DATE_BLANKS 6 /* at most, but more may be in front */

/* Where the last `n` blanks of `text` start; 0: there are fewer. */
static size_t
last_blanks(struct str text, size_t n)
{
	size_t at = text.len;
	while (at > 0 && n > 0)
		n -= text.p[--at] == ' ';
	return n > 0 ? 0 : at;
}

/* Where a DATE may start, which ends in "12:00 +0000"; STR_NONE: nowhere. */
static size_t
date_start(struct str text)
{
	struct str time = str_skip(text, last_blanks(text, 2) + 1);
	if (time.len == 0 || !char_is_digit(time.p[0]))
		return STR_NONE;
	size_t at = last_blanks(text, DATE_BLANKS);
	while (at > 0 && (text.p[at - 1] == ' ' || text.p[at - 1] == ';'))
		at--;
	return at;
}

static struct str
without_date(struct str text)
{
	struct shape_found f;
	size_t start = date_start(text);
	if (start == STR_NONE || !shape_find(str_skip(text, start), DATE, &f))
		return text;
	return str_sub(text, 0, (size_t)(f.all.p - text.p));
}

/* A missing blank before the first "by". */
static struct str
with_blank(struct arena *a, struct str text)
{
	size_t at = str_find(text, STR(")by "));
	if (at == STR_NONE)
		return text;
	char *p = arena_alloc(a, text.len + 1);
	memcpy(p, text.p, at + 1);
	p[at + 1] = ' ';
	memcpy(p + at + 2, text.p + at + 1, text.len - at - 1);
	return str_of(p, text.len + 1);
}

static bool
is_bracketed_number(struct str text)
{
	if (text.len < 3 || text.p[0] != '[' || text.p[text.len - 1] != ']')
		return false;
	for (size_t i = 1; i + 1 < text.len; i++)
		if (!char_is_digit(text.p[i]) && text.p[i] != '.')
			return false;
	return true;
}

/* No handover between hosts, or nothing is told of it. */
static bool
is_of_no_interest(struct str text)
{
	struct shape_found f;
	if (!str_istarts(text, STR("from ")) &&
	    !str_istarts(text, STR("(from ")))
		return true;
	if (shape_is_in(text, "%<with local for%<"))
		return true;
	return shape_ifind(text, "%^from %x by %k{ |};", &f) &&
	       !is_bracketed_number(shape_get(&f, 'x'));
}

/* What may stand anywhere, whatever program has written the field. */
static void
take_common(struct line *line)
{
	struct shape_found f;
	if (shape_find(line->text, " id {<|}%m", &f))
		line->relay.id = shape_get(&f, 'd');
	for (size_t i = 0; i < COUNT_OF(greetings); i++)
		if (shape_is_possible(&line->pairs, &needed.greetings[i]) &&
		    shape_find(line->text, greetings[i], &f)) {
			line->relay.helo = shape_get(&f, 'h');
			break;
		}
	if (shape_find(line->text, " by %b", &f))
		line->relay.by = shape_get(&f, 'b');
	line->relay.auth = auth_of(line);
}

static bool
is_of_family(const struct line *line, const struct family *family,
    const struct shape_pairs *needed_pairs)
{
	return shape_is_possible(&line->pairs, needed_pairs) &&
	       shape_is_in(line->text, family->mark) &&
	       (family->mark_too == NULL ||
		   shape_is_in(line->text, family->mark_too));
}

static enum outcome
webmails_try(struct line *line)
{
	enum outcome outcome = PASSED;
	for (size_t i = 0; i < COUNT_OF(webmails) && outcome == PASSED; i++)
		if (is_of_family(line, &webmails[i], &needed.webmails[i]))
			outcome = forms_try(line, webmails[i].forms);
	return outcome;
}

static enum outcome
programs_try(struct line *line)
{
	for (size_t i = 0; i < COUNT_OF(programs); i++)
		if (is_of_family(line, &programs[i], &needed.programs[i]))
			return forms_try(line, programs[i].forms);
	return PASSED;
}

/* The first word, if nothing better was found. */
static void
guess_greeting(struct line *line)
{
	struct shape_found f;
	struct str *helo = &line->relay.helo;
	if ((helo->len == 0 || str_eq(*helo, STR("0"))) &&
	    shape_starts(line->text, "%h%Q", &f))
		*helo = shape_get(&f, 'h');
}

static void
take_sender(struct line *line)
{
	struct shape_found f;
	if (str_ifind(line->text, STR("return-path")) == STR_NONE &&
	    str_ifind(line->text, STR("envelope-")) == STR_NONE)
		return;
	if (shape_ifind(line->text,
		"{return-path{:|} |envelope-{sender|from}{ |=}}%e%<", &f)) {
		line->relay.envfrom = shape_get(&f, 'e');
		line->relay.has_envfrom = true;
	}
}

static enum outcome
from_try(struct line *line)
{
	take_sender(line);
	line->is_qmail_ldap =
	    shape_is_in(line->text, " by %s (qmail-%s) with ");
	enum outcome outcome = webmails_try(line);
	if (outcome == PASSED)
		outcome = programs_try(line);
	if (outcome == PASSED && shape_is_in(line->text, "%<with HTTP%<"))
		outcome = forms_try(line, http_forms);
	if (outcome == PASSED)
		outcome = forms_try_possible(line, from_forms, needed.from);
	if (outcome == PASSED)
		guess_greeting(line);
	return outcome;
}

static enum outcome
upper_try(struct line *line)
{
	enum outcome outcome = forms_try(line, upper_forms);
	if (outcome == TAKEN && str_eq(line->relay.rdns, STR("unverified")))
		line->relay.rdns = STR_EMPTY;
	return outcome;
}

static enum outcome
comment_try(struct line *line)
{
	return forms_try(line, comment_forms);
}

static enum outcome
line_try(struct line *line)
{
	static const struct {
		const char *head;
		enum outcome (*run)(struct line *line);
	} heads[] = {
	    {"from ", from_try}, {"FROM ", upper_try}, {"(from ", comment_try}};
	enum outcome outcome = PASSED;
	for (size_t i = 0; i < COUNT_OF(heads) && outcome == PASSED; i++) {
		struct str head = str_from(heads[i].head);
		if (!str_starts(line->text, head))
			continue;
		line->text = str_skip(line->text, head.len);
		outcome = heads[i].run(line);
		break;
	}
	struct relay *r = &line->relay;
	struct shape_found f;
	if (outcome == PASSED && r->ip.len == 0 &&
	    shape_find(line->text, "[%i]", &f))
		r->ip = shape_get(&f, 'i');
	return outcome == PASSED && r->ip.len > 0 && r->by.len > 0 &&
		       !str_eq(r->by, STR("0"))
		   ? TAKEN
		   : outcome;
}

/* Without brackets, "IPv6:", a zone and "::ffff:". */
static struct str
clean_address(struct arena *a, struct str ip)
{
	struct shape_found f;
	if (str_istarts(ip, STR("ipv6:")))
		ip = str_skip(ip, 5);
	if (str_starts(ip, STR("[")))
		ip = str_skip(ip, 1);
	if (str_ends(ip, STR("]")))
		ip.len--;
	size_t dotted = str_rchr(ip, ':');
	struct str rest = str_skip(ip, dotted == STR_NONE ? 0 : dotted + 1);
	struct str head = str_sub(ip, 0, ip.len - rest.len);
	if (!str_iends(head, STR("ffff:")) ||
	    !shape_starts(rest, "%n.%n.%n.%n%$", &f))
		return clean(a, ip);
	head.len -= 5;
	size_t colons = 0;
	for (size_t i = 0; i < head.len; i++) {
		colons += head.p[i] == ':';
		if (head.p[i] != ':' && head.p[i] != '0')
			return clean(a, ip);
	}
	bool is_mapped = colons >= 2 && head.p[head.len - 1] == ':';
	return clean(a, is_mapped ? rest : ip);
}

static struct str
clean_name(struct arena *a, struct str name)
{
	while (str_ends(name, STR(".")))
		name.len--;
	if (str_ieq(name, STR("unknown")) || str_starts(name, STR("[")))
		return STR_EMPTY;
	return clean(a, name);
}

static void
relay_finish(struct line *line, struct relay *ret)
{
	struct arena *a = line->a;
	*ret = line->relay;
	ret->ip = clean_address(a, ret->ip);
	ret->rdns = clean_name(a, ret->rdns);
	ret->helo = clean(a, ret->helo);
	if (str_ends(ret->by, STR(";")))
		ret->by.len--;
	ret->by = clean(a, ret->by);
	ret->ident = clean(a, ret->ident);
	ret->envfrom = clean_path(a, ret->envfrom);
	ret->has_no_rdns = ret->rdns.len == 0 && line->has_looked_up;
	ret->lc_rdns = str_lower(a, ret->rdns);
	ret->lc_helo = str_lower(a, ret->helo);
	ret->lc_by = str_lower(a, ret->by);
	ret->is_ip_private = relay_ip_is_private(ret->ip);
}

enum relay_line_status
relay_line_parse(struct arena *a, struct str field, struct relay *ret,
    struct str *ret_handed_on)
{
	struct line line = {.a = a, .handed_on = STR_EMPTY};
	line.relay = (struct relay){STR_EMPTY, STR_EMPTY, STR_EMPTY, STR_EMPTY,
	    STR_EMPTY, STR_EMPTY, STR_EMPTY, STR_EMPTY, STR_EMPTY, STR_EMPTY,
	    STR_EMPTY, .text = STR_EMPTY};
	*ret_handed_on = STR_EMPTY;
	line.text = collapse(a, field);
	if (is_of_no_interest(line.text))
		return RELAY_LINE_SKIPPED;
	line.text = with_blank(a, without_date(line.text));
	line.pairs = shape_pairs_of(line.text);
	(void)pthread_once(&needed.once, needed_init);
	take_common(&line);
	switch (line_try(&line)) {
	case PASSED:
		return RELAY_LINE_UNPARSEABLE;
	case SKIPPED:
		*ret_handed_on = line.handed_on;
		return RELAY_LINE_SKIPPED;
	case FETCHED:
		return RELAY_LINE_FETCHED;
	case TAKEN:
		break;
	}
	relay_finish(&line, ret);
	return RELAY_LINE_OK;
}
