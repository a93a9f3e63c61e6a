/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dkim_sendmail -- Sendmail's way with addresses in fields: commaize(),
 * crackaddr() and remotename() of its headers.c and parseaddr.c, for what is
 * plain enough that no ruleset has a say.
 */
#include "auth/dkim_sendmail.h"

#include "base/arena.h"
#include "base/buf.h"

/* Its lists are folded at this column, whatever the mailer's limit is. */
#define COLUMNS_MAX 78
#define FOLD STR(",\n        ")
#define FOLD_COLUMNS 8
/* It drops the name of a mailbox that is longer than MAXNAME, 256. */
#define MAILBOX_MAX 240
/* L= of the mailers that speak SMTP to the world is 990. */
#define LINE_MAX_BYTES 980
/* MustQuoteChars; the ones that mean more than a need for quotes are BAD. */
#define QUOTED_CHARS "@.[]'"
#define BAD_CHARS ",;:\\)>"

/* HdrInfo of its conf.c: H_FROM and H_RCPT. */
static const char *const address_fields[] = {"From", "Sender", "Reply-To", "To",
    "Cc", "Errors-To", "Disposition-Notification-To", "Apparently-To",
    "Resent-From", "Resent-Sender", "Resent-Reply-To", "Resent-To",
    "Resent-Cc"};

static bool
has_addresses(struct str name)
{
	for (size_t i = 0; i < COUNT_OF(address_fields); i++)
		if (str_ieq(name, str_from(address_fields[i])))
			return true;
	return false;
}

static bool
is_one_of(char c, const char *chars)
{
	return c != '\0' && strchr(chars, c) != NULL;
}

/* ---- one mailbox */

static bool
is_local_char(char c)
{
	return char_is_alnum(c) || is_one_of(c, "+-_=#&~*?^{}$/'|`") ||
	       (unsigned char)c >= 0x80;
}

static bool
is_domain_char(char c)
{
	return char_is_alnum(c) || c == '-' || (unsigned char)c >= 0x80;
}

/* Non-empty runs of `is_fine`, with single dots between; how many. */
static size_t
count_atoms(struct str s, bool (*is_fine)(char))
{
	size_t n = 0;
	do {
		struct str atom = str_sub(s, 0, str_chr(s, '.'));
		for (size_t i = 0; i < atom.len; i++)
			if (!is_fine(atom.p[i]))
				return 0;
		if (atom.len == 0)
			return 0;
		n++;
		bool is_last = atom.len == s.len;
		s = str_skip(s, atom.len + 1);
		if (is_last)
			return n;
	} while (s.len > 0);
	return 0;
}

/* What no ruleset changes: dot-atom@name.with.dots */
static bool
is_plain_address(struct str s)
{
	size_t sign = str_chr(s, '@');
	return sign != STR_NONE &&
	       count_atoms(str_sub(s, 0, sign), is_local_char) >= 1 &&
	       count_atoms(str_skip(s, sign + 1), is_domain_char) >= 2;
}

/*
 * Behind the quoted string or comment that begins at `i`; STR_NONE: it does not
 * end.
 */
static size_t
skip_group(struct str s, size_t i)
{
	bool is_comment = s.p[i] == '(';
	unsigned depth = is_comment;
	for (i++; i < s.len; i++) {
		if (s.p[i] == '\\')
			i++;
		else if (is_comment && s.p[i] == '(')
			depth++;
		else if (is_comment ? s.p[i] == ')' && --depth == 0
				    : s.p[i] == '"')
			return i + 1;
	}
	return STR_NONE;
}

/* All of `s` is one comment. */
static bool
is_comment(struct str s)
{
	return s.len > 0 && s.p[0] == '(' && skip_group(s, 0) == s.len;
}

enum phrase { PHRASE_PLAIN, PHRASE_QUOTED, PHRASE_BAD };

/* What stands before the <: will it be quoted? */
static enum phrase
phrase_kind(struct str s)
{
	bool is_quoted = false, has_comment = false;
	for (size_t i = 0; i < s.len;) {
		if (s.p[i] == '"' || s.p[i] == '(') {
			has_comment |= s.p[i] == '(';
			i = skip_group(s, i);
			if (i == STR_NONE)
				return PHRASE_BAD;
			continue;
		}
		if (is_one_of(s.p[i], BAD_CHARS))
			return PHRASE_BAD;
		is_quoted |= is_one_of(s.p[i], QUOTED_CHARS);
		i++;
	}
	if (!is_quoted)
		return PHRASE_PLAIN;
	/* It would quote these once more, in ways of its own. */
	return has_comment || str_chr(s, '\\') != STR_NONE ? PHRASE_BAD
							   : PHRASE_QUOTED;
}

static void
put_phrase(struct buf *out, struct str phrase, enum phrase kind)
{
	size_t len = phrase.len;
	while (len > 0 && char_is_space(phrase.p[len - 1]))
		len--;
	if (kind == PHRASE_QUOTED)
		buf_putc(out, '"');
	for (size_t i = 0; i < len; i++) {
		if (phrase.p[i] == '"' && kind == PHRASE_QUOTED)
			buf_putc(out, '\\');
		buf_putc(out, phrase.p[i]);
	}
	if (kind == PHRASE_QUOTED)
		buf_putc(out, '"');
	buf_put(out, str_skip(phrase, len));
}

/* phrase <address> (comment) */
static bool
put_enclosed(struct buf *out, struct str s, size_t open)
{
	struct str phrase = str_sub(s, 0, open);
	struct str rest = str_skip(s, open + 1);
	size_t close = str_chr(rest, '>');
	struct str address = str_trim(str_sub(rest, 0, close));
	struct str behind =
	    str_skip(rest, close == STR_NONE ? close : close + 1);
	enum phrase kind = phrase_kind(phrase);
	if (close == STR_NONE || kind == PHRASE_BAD ||
	    !is_plain_address(address) ||
	    (behind.len > 0 && !is_comment(str_trim(behind))))
		return false;
	put_phrase(out, phrase, kind);
	buf_putc(out, '<');
	buf_put(out, address);
	buf_putc(out, '>');
	buf_put(out, behind);
	return true;
}

/* address (comment) */
static bool
put_bare(struct buf *out, struct str s)
{
	struct str address = str_trim(str_sub(s, 0, str_chr(s, '(')));
	struct str comment = str_skip(s, str_chr(s, '('));
	if (!is_plain_address(address) ||
	    (comment.len > 0 && !is_comment(comment)))
		return false;
	buf_put(out, address);
	if (comment.len > 0) {
		buf_putc(out, ' ');
		buf_put(out, comment);
	}
	return true;
}

/* "undisclosed-recipients:;", which many clients write */
static bool
is_empty_group(struct str s)
{
	size_t colon = str_chr(s, ':');
	if (colon == STR_NONE || colon == 0 ||
	    !str_eq(str_trim(str_skip(s, colon + 1)), STR(";")))
		return false;
	for (size_t i = 0; i < colon; i++)
		if (!char_is_alnum(s.p[i]) && s.p[i] != '-')
			return false;
	return true;
}

/* The < that begins the address; STR_NONE: there is none. */
static size_t
find_open(struct str s)
{
	for (size_t i = 0; i < s.len;) {
		if (s.p[i] == '<')
			return i;
		size_t next =
		    s.p[i] == '"' || s.p[i] == '(' ? skip_group(s, i) : i + 1;
		if (next == STR_NONE)
			return STR_NONE;
		i = next;
	}
	return STR_NONE;
}

static bool
put_mailbox(struct buf *out, struct str s)
{
	if (s.len > MAILBOX_MAX)
		return false;
	if (is_empty_group(s)) {
		buf_put(out, s);
		return true;
	}
	size_t open = find_open(s);
	return open == STR_NONE ? put_bare(out, s) : put_enclosed(out, s, open);
}

/* ---- a list of them */

/* Cut the next mailbox, up to a comma or the end, off `*rest`. */
static bool
mailbox_next(struct str *rest, struct str *ret)
{
	size_t i = 0;
	bool is_enclosed = false;
	while (i < rest->len && (rest->p[i] != ',' || is_enclosed)) {
		if (rest->p[i] == '"' || rest->p[i] == '(') {
			i = skip_group(*rest, i);
			if (i == STR_NONE)
				return false;
			continue;
		}
		is_enclosed =
		    rest->p[i] == '<' || (is_enclosed && rest->p[i] != '>');
		i++;
	}
	*ret = str_trim(str_sub(*rest, 0, i));
	*rest = str_skip(*rest, i + 1);
	return true;
}

struct list {
	struct buf *text;
	size_t column;
	bool has_some;
};

static void
list_put(struct list *list, struct str mailbox)
{
	list->column += mailbox.len + (list->has_some ? 2 : 0);
	if (list->column > COLUMNS_MAX && list->has_some) {
		buf_put(list->text, FOLD);
		list->column = FOLD_COLUMNS + mailbox.len;
	} else if (list->has_some) {
		buf_put(list->text, STR(", "));
	}
	buf_put(list->text, mailbox);
	list->has_some = true;
}

static bool
list_read(struct arena *a, struct str value, struct list *list)
{
	struct buf *out = buf_new(a, MAILBOX_MAX * 2 + 16);
	while (value.len > 0) {
		struct str mailbox;
		if (!mailbox_next(&value, &mailbox))
			return false;
		if (mailbox.len == 0)
			continue;
		out->len = 0;
		if (!put_mailbox(out, mailbox))
			return false;
		list_put(list, buf_str(out));
	}
	return true;
}

/* Empty: it cannot be told. */
static struct str
address_field(struct arena *a, const struct dkim_field *field)
{
	struct str value = field->text;
	(void)str_cut(&value, ':');
	size_t blanks = 0;
	while (blanks < value.len && char_is_space(value.p[blanks]))
		blanks++;
	struct list list = {
	    .text = buf_new(a, field->text.len * 10 + 64),
	    .column = field->name.len + 1 + blanks,
	};
	buf_put(list.text, field->name);
	buf_putc(list.text, ':');
	for (size_t i = 0; i < blanks; i++)
		buf_putc(list.text, ' ');
	return list_read(a, str_skip(value, blanks), &list) ? buf_str(list.text)
							    : STR_EMPTY;
}

static bool
has_long_line(struct str text)
{
	while (text.len > 0)
		if (str_line(&text).len > LINE_MAX_BYTES)
			return true;
	return false;
}

void
dkim_mail_as_sendmail(struct arena *a, struct dkim_mail *mail)
{
	for (size_t i = 0; i < mail->n; i++) {
		struct dkim_field *field = &mail->v[i];
		if (has_addresses(field->name)) {
			struct str text = address_field(a, field);
			field->is_unsure = text.len == 0;
			if (text.len > 0)
				field->text = text;
		}
		field->is_unsure |= has_long_line(field->text) ||
				    str_ieq(field->name, STR("Bcc")) ||
				    str_ieq(field->name, STR("Resent-Bcc"));
	}
}
