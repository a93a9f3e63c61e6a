/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * eval_mime -- what SpamAssassin's MIMEEval asks of parts, their fields and
 * their encoded bytes.
 */
#include "base/arena.h"
#include "mail/header.h"
#include "mail/mime.h"
#include "rules/eval_rows.h"
#include "rules/lists.h"
#include "rules/locale.h"

#define HEADER_MAX 65536 /* bytes of the header that SpamAssassin prints */
#define QP_LINE_MAX 79   /* bytes of an encoded line with its \n */
#define CAPS_BYTES_MIN 200
#define BASE64_LINE_MIN 60
#define BASE64_LINE_MAX 76

/* Answers of check_for_mime() by name. */
enum mime_count {
	MIME_ASCII_TEXT_ILLEGAL,
	MIME_ATTACHMENT,
	MIME_BAD_ISO_CHARSET,
	MIME_BASE64_COUNT,
	MIME_BASE64_ENCODED_TEXT,
	MIME_BODY_HTML_COUNT,
	MIME_BODY_TEXT_COUNT,
	MIME_CHECKED_ATTACHMENTS,
	MIME_FARAWAY_CHARSET,
	MIME_HTML_CHARSETS,
	MIME_MISSING_BOUNDARY,
	MIME_MULTIPART_ALTERNATIVE,
	MIME_MULTIPART_RATIO,
	MIME_QP_BYTES,
	MIME_QP_COUNT,
	MIME_QP_LONG_LINE,
	MIME_QP_RATIO,
	MIME_TEXT_UNICODE_RATIO,
	MIME_COUNTS
};

#define NAME(text)                       \
	{                                \
		(text), sizeof(text) - 1 \
	}
static const struct str count_names[MIME_COUNTS] = {
    [MIME_ASCII_TEXT_ILLEGAL] = NAME("mime_ascii_text_illegal"),
    [MIME_ATTACHMENT] = NAME("mime_attachment"),
    [MIME_BAD_ISO_CHARSET] = NAME("mime_bad_iso_charset"),
    [MIME_BASE64_COUNT] = NAME("mime_base64_count"),
    [MIME_BASE64_ENCODED_TEXT] = NAME("mime_base64_encoded_text"),
    [MIME_BODY_HTML_COUNT] = NAME("mime_body_html_count"),
    [MIME_BODY_TEXT_COUNT] = NAME("mime_body_text_count"),
    [MIME_CHECKED_ATTACHMENTS] = NAME("mime_checked_attachments"),
    [MIME_FARAWAY_CHARSET] = NAME("mime_faraway_charset"),
    [MIME_HTML_CHARSETS] = NAME("mime_html_charsets"),
    [MIME_MISSING_BOUNDARY] = NAME("mime_missing_boundary"),
    [MIME_MULTIPART_ALTERNATIVE] = NAME("mime_multipart_alternative"),
    [MIME_MULTIPART_RATIO] = NAME("mime_multipart_ratio"),
    [MIME_QP_BYTES] = NAME("mime_qp_bytes"),
    [MIME_QP_COUNT] = NAME("mime_qp_count"),
    [MIME_QP_LONG_LINE] = NAME("mime_qp_long_line"),
    [MIME_QP_RATIO] = NAME("mime_qp_ratio"),
    [MIME_TEXT_UNICODE_RATIO] = NAME("mime_text_unicode_ratio"),
};
#undef NAME

struct mime_facts {
	double counts[MIME_COUNTS];
	struct strs charsets; /* lower case */
	/* Bytes in quoted-printable, and how many of its codes are needless. */
	double qp_bytes, qp_codes;
	/* Bytes of plain text, and entities in it. */
	double normal_chars, unicode_chars;
	/* Bytes of the last parts of each kind; less than 0: none. */
	double text_bytes, html_bytes;
	struct {
		bool is_known, is_none;
		double percent;
	} capitals[2]; /* of `body`, of `rawbody` */
	bool has_base64_length;
	double base64_length; /* of the longest line */
};

/* The fields of a part that count, in lower case. */
struct part_fields {
	struct str type, encoding, disposition, charset;
	bool has_charset;
	bool is_attachment;
};

static bool
has(struct str text, const char *word)
{
	return str_find(text, str_from(word)) != STR_NONE;
}

static struct part_fields
fields_of(struct arena *a, const struct part *part)
{
	const struct headers *headers = &part->headers;
	struct part_fields f = {
	    .type = part->declared->type,
	    .encoding = str_lower(
		a, headers_value(a, headers, STR("content-transfer-encoding"))),
	    .disposition = str_lower(
		a, headers_value(a, headers, STR("content-disposition"))),
	    .charset = str_lower(a, part->declared->charset),
	    .has_charset = part->declared->has_charset,
	};
	f.is_attachment = has(f.disposition, "attachment");
	/* A field without a value is no missing one to this plugin. */
	if (part->declared->is_missing &&
	    header_last(headers, STR("content-type")) != NULL) {
		f.charset = STR_EMPTY;
		f.has_charset = false;
	}
	if (str_eq(f.charset, STR("0")))
		f.charset = STR_EMPTY;
	return f;
}

/* --- charsets --- */

/* A name of US-ASCII is in it: "us" alone will do. */
static bool
has_ascii_name(struct str charset)
{
	static const char *const names[] = {"us", "ascii", "ansi_x3.4-1968",
	    "ansi_x3.4-1986", "iso-ir-6", "ibm367", "cp367"};
	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (has(charset, names[i]))
			return true;
	return false;
}

static bool
is_word_at(struct str s, size_t i)
{
	return i < s.len && char_is_word(s.p[i]);
}

/* A place from `from` to `to` where a word begins or ends. */
static bool
has_word_boundary(struct str s, size_t from, size_t to)
{
	for (size_t i = from; i <= to; i++)
		if ((i > 0 && is_word_at(s, i - 1)) != is_word_at(s, i))
			return true;
	return false;
}

/* "iso-", and a name with a hyphen in it. */
static bool
looks_like_iso(struct str charset)
{
	struct str key = STR("iso-");
	for (size_t at = 0, end = 0;; at = end) {
		size_t found = str_find(str_skip(charset, at), key);
		if (found == STR_NONE)
			return false;
		size_t from = at + found + key.len;
		end = from;
		while (end < charset.len && !char_is_space(charset.p[end]))
			end++;
		size_t hyphen = from + 1;
		while (hyphen < end && charset.p[hyphen] != '-')
			hyphen++;
		if (hyphen < end && hyphen + 2 <= end &&
		    has_word_boundary(charset, hyphen + 2, end))
			return true;
	}
}

/* How much of the name of a real one `s` starts with; 0: none. */
static size_t
iso_name_length(struct str s)
{
	if (str_starts(s, STR("2022-jp")) || str_starts(s, STR("2022-kr")))
		return 7;
	if (!str_starts(s, STR("8859-")))
		return 0;
	size_t n = 5;
	while (n < 7 && n < s.len && char_is_digit(s.p[n]))
		n++;
	return n > 5 ? n : 0;
}

static bool
has_real_iso(struct str charset)
{
	struct str rest = charset;
	for (size_t at; (at = str_find(rest, STR("iso-"))) != STR_NONE;) {
		rest = str_skip(rest, at + 4);
		size_t n = iso_name_length(rest);
		if (n > 0 && !is_word_at(rest, n))
			return true;
	}
	return false;
}

static bool
has_letter(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (char_is_alpha(s.p[i]))
			return true;
	return false;
}

static void
note_charset(
    struct eval_call *call, struct mime_facts *facts, struct str charset)
{
	if (looks_like_iso(charset) && !has_real_iso(charset))
		facts->counts[MIME_BAD_ISO_CHARSET] = 1;
	if (!has_letter(charset))
		return;
	strs_add(call->message->arena, &facts->charsets, charset);
	facts->counts[MIME_HTML_CHARSETS] = 1;
	if (!locale_allows(call->lists->ok_locales, charset))
		facts->counts[MIME_FARAWAY_CHARSET] = 1;
}

/* --- fields --- */

static void
note_fields(struct mime_facts *facts, const struct part_fields *f)
{
	double *counts = facts->counts;
	bool is_base64 = has(f->encoding, "base64");
	bool is_text = str_starts(f->type, STR("text"));
	if (str_eq(f->type, STR("multipart/alternative")))
		counts[MIME_MULTIPART_ALTERNATIVE] = 1;
	if (str_eq(f->type, STR("text/html")))
		counts[MIME_BODY_HTML_COUNT]++;
	else if (is_text)
		counts[MIME_BODY_TEXT_COUNT]++;
	if (is_base64)
		counts[MIME_BASE64_COUNT]++;
	else if (has(f->encoding, "quoted-printable"))
		counts[MIME_QP_COUNT]++;
	if (f->is_attachment)
		counts[MIME_ATTACHMENT]++;
	if (is_text && is_base64 &&
	    (f->charset.len == 0 || has_ascii_name(f->charset)) &&
	    !str_starts(f->disposition, STR("attachment")) &&
	    !str_starts(f->disposition, STR("inline")))
		counts[MIME_BASE64_ENCODED_TEXT] = 1;
}

/* --- encoded bytes --- */

/* The next line of `*rest` with its \n. */
static struct str
next_line(struct str *rest)
{
	size_t end = str_chr(*rest, '\n');
	struct str line = str_sub(*rest, 0, end == STR_NONE ? end : end + 1);
	*rest = str_skip(*rest, line.len);
	return line;
}

/*
 * "=41": a code for a visible character other than =, for a blank or a tab.
 * `s` starts with =; what upper-case hexadecimal digits do not write is none.
 */
static bool
is_needless_code(struct str s)
{
	if (s.len < 3)
		return false;
	char high = s.p[1], low = s.p[2];
	bool is_hex = char_is_digit(low) || (low >= 'A' && low <= 'F');
	switch (high) {
	case '0':
		return low == '9';
	case '3':
		return is_hex && low != 'D';
	case '2':
	case '4':
	case '5':
	case '6':
		return is_hex;
	case '7':
		return is_hex && low != 'F';
	default:
		return false;
	}
}

/* Codes for blanks and tabs that end the line: they are needed. */
static size_t
count_trailing_codes(struct str line)
{
	size_t n = 0;
	while (line.len > 0 && char_is_space(line.p[line.len - 1]))
		line.len--;
	while (str_ends(line, STR("=20")) || str_ends(line, STR("=09"))) {
		line.len -= 3;
		n++;
	}
	return n;
}

static size_t
count_codes(struct str line)
{
	size_t n = 0;
	for (struct str rest = line;;) {
		size_t at = str_chr(rest, '=');
		if (at == STR_NONE)
			break;
		rest = str_skip(rest, at);
		bool is_code = is_needless_code(rest);
		n += is_code;
		rest = str_skip(rest, is_code ? 3 : 1);
	}
	return n == 0 ? 0 : n - count_trailing_codes(line);
}

static void
note_quoted_printable(struct mime_facts *facts, struct str raw)
{
	while (raw.len > 0) {
		struct str line = next_line(&raw);
		if (str_starts(line, STR("SPAM: ")))
			continue;
		if (line.len > QP_LINE_MAX)
			facts->counts[MIME_QP_LONG_LINE] = 1;
		facts->qp_bytes += (double)line.len;
		facts->qp_codes += (double)count_codes(line);
	}
}

/* NUL, CR and what has the eighth bit. */
static bool
has_no_ascii_text(struct str raw)
{
	return !str_is_ascii(raw) || str_chr(raw, '\0') != STR_NONE ||
	       str_chr(raw, '\r') != STR_NONE;
}

/* "&#x20AC;": four digits, upper case. */
static bool
is_entity(struct str s)
{
	if (s.len < 8 || !str_starts(s, STR("&#x")) || s.p[7] != ';')
		return false;
	for (size_t i = 3; i < 7; i++)
		if (!char_is_digit(s.p[i]) && (s.p[i] < 'A' || s.p[i] > 'F'))
			return false;
	return true;
}

static void
note_entities(struct mime_facts *facts, struct str raw)
{
	size_t n = 0;
	struct str rest = raw;
	for (size_t at; (at = str_chr(rest, '&')) != STR_NONE;) {
		rest = str_skip(rest, at);
		bool is_one = is_entity(rest);
		n += is_one;
		rest = str_skip(rest, is_one ? 8 : 1);
	}
	facts->normal_chars += (double)(raw.len - n * 8);
	facts->unicode_chars += (double)n;
}

static void
note_size(struct mime_facts *facts, const struct part_fields *f, struct str raw)
{
	bool is_html = str_eq(f->type, STR("text/html"));
	if (f->is_attachment ||
	    (!is_html && !str_eq(f->type, STR("text/plain"))))
		return;
	double size = facts->counts[MIME_MULTIPART_ALTERNATIVE] != 0
			  ? (double)raw.len
			  : 0;
	*(is_html ? &facts->html_bytes : &facts->text_bytes) = size;
}

static void
note_leaf(struct mime_facts *facts, const struct part_fields *f, struct str raw)
{
	bool is_plain = str_eq(f->type, STR("text/plain"));
	note_size(facts, f, raw);
	if (str_eq(f->encoding, STR("quoted-printable")))
		note_quoted_printable(facts, raw);
	if (is_plain &&
	    (!f->has_charset || str_eq(f->charset, STR("us-ascii"))) &&
	    has_no_ascii_text(raw))
		facts->counts[MIME_ASCII_TEXT_ILLEGAL]++;
	if (is_plain &&
	    (f->encoding.len == 0 || str_eq(f->encoding, STR("7bit")) ||
		str_eq(f->encoding, STR("8bit"))))
		note_entities(facts, raw);
}

static void
finish(struct mime_facts *facts, const struct message *m)
{
	double *counts = facts->counts;
	counts[MIME_CHECKED_ATTACHMENTS] = 1;
	counts[MIME_MISSING_BOUNDARY] = m->oddities.has_open_boundary;
	if (facts->qp_bytes > 0) {
		counts[MIME_QP_BYTES] = facts->qp_bytes;
		counts[MIME_QP_COUNT] = facts->qp_codes;
		counts[MIME_QP_RATIO] = facts->qp_codes / facts->qp_bytes;
	}
	if (facts->normal_chars > 0)
		counts[MIME_TEXT_UNICODE_RATIO] =
		    facts->unicode_chars / facts->normal_chars;
	bool has_both = facts->text_bytes >= 0 && facts->html_bytes > 0;
	counts[MIME_MULTIPART_RATIO] =
	    counts[MIME_MULTIPART_ALTERNATIVE] != 0 && has_both
		? facts->text_bytes / facts->html_bytes
		: 1;
}

static struct mime_facts *
mime_facts(struct eval_call *call)
{
	struct message *m = call->message;
	if (call->cache->mime != NULL)
		return call->cache->mime;
	struct mime_facts *facts = ARENA_NEW(m->arena, struct mime_facts);
	facts->text_bytes = facts->html_bytes = -1;
	for (struct part *p = m->root; p != NULL; p = part_next(p)) {
		if (p->type.len == 0)
			continue;
		struct part_fields f = fields_of(m->arena, p);
		note_fields(facts, &f);
		note_charset(call, facts, f.charset);
		if (part_is_leaf(p))
			note_leaf(facts, &f, part_raw(m, p));
	}
	finish(facts, m);
	call->cache->mime = facts;
	return facts;
}

static double
mime_count(struct eval_call *call, enum mime_count i)
{
	return mime_facts(call)->counts[i];
}

/* --- rows: parts --- */

static int
check_for_mime(struct eval_call *call)
{
	const struct mime_facts *facts = mime_facts(call);
	for (size_t i = 0; i < MIME_COUNTS; i++)
		if (str_eq(eval_arg(call, 0), count_names[i]))
			return facts->counts[i] != 0;
	return 0;
}

/* The first Content-Type of the message says so. */
static bool
is_html_message(struct eval_call *call)
{
	return str_istarts(
	    eval_get_text(call, STR("Content-Type")), STR("text/html"));
}

static int
check_for_mime_html(struct eval_call *call)
{
	return is_html_message(call) ||
	       mime_count(call, MIME_BODY_HTML_COUNT) > 0;
}

static int
check_for_mime_html_only(struct eval_call *call)
{
	return is_html_message(call) ||
	       (mime_count(call, MIME_BODY_HTML_COUNT) > 0 &&
		   mime_count(call, MIME_BODY_TEXT_COUNT) == 0);
}

static int
check_mime_multipart_ratio(struct eval_call *call)
{
	double ratio = mime_count(call, MIME_MULTIPART_RATIO);
	return ratio >= eval_number(call, 0) && ratio < eval_number(call, 1);
}

static int
check_for_ascii_text_illegal(struct eval_call *call)
{
	return mime_count(call, MIME_ASCII_TEXT_ILLEGAL) > 0;
}

/* "12.345": up to three digits, a point, one to three digits. */
static bool
is_ratio(struct str text)
{
	size_t point = str_chr(text, '.');
	if (point == STR_NONE || point > 3 || text.len - point < 2 ||
	    text.len - point > 4)
		return false;
	for (size_t i = 0; i < text.len; i++)
		if (i != point && !char_is_digit(text.p[i]))
			return false;
	return true;
}

static int
check_abundant_unicode_ratio(struct eval_call *call)
{
	return is_ratio(eval_arg(call, 0)) &&
	       mime_count(call, MIME_TEXT_UNICODE_RATIO) >=
		   eval_number(call, 0);
}

static int
check_qp_ratio(struct eval_call *call)
{
	return mime_count(call, MIME_QP_RATIO) >= eval_number(call, 0);
}

/*
 * A part of a multipart/alternative that is no text; what is inside of its
 * containers is not looked at.
 */
static bool
has_non_text(const struct part *alternative)
{
	if (part_is_leaf(alternative))
		return true;
	for (const struct part *p = alternative->child; p != NULL; p = p->next)
		if (part_is_leaf(p) && p->type.len > 0 &&
		    !str_eq(p->type, STR("multipart/related")) &&
		    !str_eq(p->type, STR("application/rtf")) &&
		    !str_starts(p->type, STR("text/")))
			return true;
	return false;
}

static int
check_ma_non_text(struct eval_call *call)
{
	for (struct part *p = call->message->root; p != NULL; p = part_next(p))
		if (str_eq(p->type, STR("multipart/alternative")) &&
		    has_non_text(p))
			return 1;
	return 0;
}

static size_t
longest_line(struct str raw)
{
	size_t longest = 0;
	while (raw.len > 0) {
		struct str line = next_line(&raw);
		if (line.len > longest)
			longest = line.len;
	}
	return longest;
}

static double
base64_length(struct eval_call *call)
{
	struct message *m = call->message;
	struct mime_facts *facts = mime_facts(call);
	if (facts->has_base64_length)
		return facts->base64_length;
	facts->has_base64_length = true;
	for (struct part *p = m->root; p != NULL; p = part_next(p)) {
		struct str encoding = headers_value(
		    m->arena, &p->headers, STR("content-transfer-encoding"));
		if (!part_is_leaf(p) || p->type.len == 0 ||
		    !str_ieq(encoding, STR("base64")) ||
		    str_eq(p->declared->type, STR("application/ics")))
			continue;
		double length = (double)longest_line(part_raw(m, p));
		if (length > facts->base64_length)
			facts->base64_length = length;
	}
	return facts->base64_length;
}

static int
check_base64_length(struct eval_call *call)
{
	double length = base64_length(call);
	if (call->nargs > 1 && length > eval_number(call, 1))
		return 0;
	return length >= eval_number(call, 0);
}

/* --- rows: how the message is put together --- */

/*
 * SpamAssassin stops printing a header at 64 KiB and remembers that, as soon as
 * a rule has looked at ALL.
 */
static bool
is_long_header(struct message *m)
{
	size_t size = 0;
	for (size_t i = 0; i < m->root->headers.n; i++)
		size += m->root->headers.v[i].name.len +
			m->root->headers.v[i].raw.len + 3;
	if (size <= HEADER_MAX / 4)
		return false;
	size = 0;
	for (size_t i = 0; i < m->root->headers.n; i++) {
		struct header *header = &m->root->headers.v[i];
		size += header->name.len + header_value(m, header).len + 3;
	}
	return size > HEADER_MAX;
}

static int
check_msg_parse_flags(struct eval_call *call)
{
	struct message *m = call->message;
	const struct headers *headers = &m->root->headers;
	struct str name = eval_arg(call, 0);
	const struct {
		const char *name;
		bool is_set;
	} flags[] = {
	    {"missing_head_body_separator", headers->has_no_end},
	    {"missing_mime_headers", m->oddities.has_no_part_header},
	    {"missing_mime_head_body_separator", m->oddities.has_no_part_blank},
	    {"mime_epilogue_exists", m->oddities.has_epilogue},
	    {"mimepart_limit_exceeded", m->oddities.has_many_parts},
	    {"mbox_sep", m->has_mbox_line},
	};
	if (str_eq(name, STR("truncated_header")))
		return headers->is_truncated || is_long_header(m);
	for (size_t i = 0; i < COUNT_OF(flags); i++)
		if (str_eq(name, str_from(flags[i].name)))
			return flags[i].is_set;
	return 0;
}

/* --- rows: text --- */

/* Up to the next `end`, or to a blank if that is one; empty: there is none. */
static struct str
text_before(struct str s, char end)
{
	size_t n = 0;
	while (
	    n < s.len && (end == ' ' ? !char_is_space(s.p[n]) : s.p[n] != end))
		n++;
	return end != ' ' && n == s.len ? STR_EMPTY : str_sub(s, 0, n);
}

/* Behind charset="...", charset='...' or charset=; empty: none. */
static struct str
charset_of_field(struct str field)
{
	static const struct {
		struct str key;
		char end;
	} forms[] = {
	    {{"charset=\"", 9}, '"'},
	    {{"charset='", 9}, '\''},
	    {{"charset=", 8}, ' '},
	};
	for (size_t i = 0; i < COUNT_OF(forms); i++) {
		struct str rest = field;
		size_t at;
		while ((at = str_ifind(rest, forms[i].key)) != STR_NONE) {
			rest = str_skip(rest, at + forms[i].key.len);
			struct str text = text_before(rest, forms[i].end);
			if (text.len > 0)
				return text;
		}
	}
	return STR_EMPTY;
}

static bool
is_charset_char(char c)
{
	return char_is_word(c) || c == '-';
}

/* Its letters have no case, or bytes that look like capitals. */
static bool
is_caps_charset(struct str charset)
{
	static const char *const words[] = {"koi", "jp", "jis", "euc", "gb",
	    "big5", "isoir", "cp1251", "windows-1251", "georgianps", "pt154",
	    "tis"};
	for (size_t i = 0; i < charset.len; i++)
		if (!is_charset_char(charset.p[i]))
			return false;
	for (size_t i = 0; i < COUNT_OF(words); i++)
		if (str_ifind(charset, str_from(words[i])) != STR_NONE)
			return true;
	return false;
}

static bool
has_caps_charset(struct eval_call *call)
{
	const struct mime_facts *facts = mime_facts(call);
	struct str field = eval_get_text(call, STR("Content-Type"));
	if (is_caps_charset(charset_of_field(field)))
		return true;
	for (size_t i = 0; i < facts->charsets.n; i++) {
		struct str rest = facts->charsets.v[i];
		for (struct str word; (word = str_word(&rest)).len > 0;)
			if (is_caps_charset(word))
				return true;
	}
	return false;
}

/* Two words or more. */
static bool
has_inner_blank(struct str line)
{
	struct str rest = line;
	(void)str_word(&rest);
	return str_word(&rest).len > 0;
}

/* The start of a line of base64, a blank behind it; 0: it is none. */
static size_t
base64_run(struct str s)
{
	size_t n = 0;
	while (n < s.len && (char_is_alnum(s.p[n]) || s.p[n] == '+' ||
				s.p[n] == '/' || s.p[n] == '='))
		n++;
	bool is_one = n >= BASE64_LINE_MIN && n <= BASE64_LINE_MAX &&
		      n < s.len && s.p[n] == ' ';
	return is_one ? n + 1 : 0;
}

static bool
is_base64_line(struct str line)
{
	size_t n = base64_run(line);
	return n > 0 && base64_run(str_skip(line, n)) > 0;
}

static size_t
find_last(struct str s, struct str needle)
{
	size_t last = STR_NONE;
	for (size_t at = 0, n;
	     (n = str_find(str_skip(s, at), needle)) != STR_NONE; at++) {
		at += n;
		last = at;
	}
	return last;
}

struct letters {
	size_t upper, lower, bytes;
};

static void
count_letters(struct str s, struct letters *ret)
{
	ret->bytes += s.len;
	size_t i = 0;
	for (uint64_t word; i + sizeof(word) <= s.len; i += sizeof(word)) {
		memcpy(&word, s.p + i, sizeof(word));
		ret->upper += word_count(word_range(word, 'A', 'Z'));
		ret->lower += word_count(
		    word_range(word, 'a', 'z') | word_range(word, '0', '9'));
	}
	for (; i < s.len; i++) {
		bool is_upper = s.p[i] >= 'A' && s.p[i] <= 'Z';
		ret->upper += is_upper;
		ret->lower += !is_upper && char_is_alnum(s.p[i]);
	}
}

/* What ISO-2022-JP writes in two bytes is left out. */
static void
count_line(struct str line, struct letters *ret)
{
	struct str shift_in = STR("\x1b$B"), shift_out = STR("\x1b(B");
	size_t from = str_find(line, shift_in);
	if (from != STR_NONE) {
		struct str rest = str_skip(line, from + shift_in.len);
		size_t last = find_last(rest, shift_out);
		if (last != STR_NONE) {
			count_letters(
			    str_skip(rest, last + shift_out.len), ret);
			line.len = from;
		}
	}
	count_letters(line, ret);
}

/* Capitals in a hundred letters and digits; false: there is too little text. */
static bool
percent_of_capitals(struct eval_call *call, double *ret)
{
	struct letters n = {0};
	const struct strs *text = eval_text(call);
	*ret = 0;
	if (has_caps_charset(call))
		return false;
	for (size_t i = 0; i < text->n; i++)
		if (has_inner_blank(text->v[i]) && !is_base64_line(text->v[i]))
			count_line(text->v[i], &n);
	if (n.bytes < CAPS_BYTES_MIN)
		return false;
	if (n.upper + n.lower > 0)
		*ret = (double)n.upper / (double)(n.upper + n.lower) * 100;
	return true;
}

static int
check_for_uppercase(struct eval_call *call)
{
	struct mime_facts *facts = mime_facts(call);
	size_t i = call->is_rawbody;
	if (!facts->capitals[i].is_known) {
		facts->capitals[i].is_known = true;
		facts->capitals[i].is_none =
		    !percent_of_capitals(call, &facts->capitals[i].percent);
	}
	double percent = facts->capitals[i].percent;
	return !facts->capitals[i].is_none && percent > eval_number(call, 0) &&
	       percent <= eval_number(call, 1);
}

/* At least half of the bytes have the eighth bit. */
static bool
is_mostly_high(const struct strs *text)
{
	size_t high = 0, low = text->n > 0 ? text->n - 1 : 0;
	for (size_t i = 0; i < text->n; i++)
		for (size_t k = 0; k < text->v[i].len; k++) {
			bool is_high = (unsigned char)text->v[i].p[k] >= 0x80;
			high += is_high;
			low += !is_high;
		}
	return low <= high && high > 3;
}

static int
check_for_faraway_charset(struct eval_call *call)
{
	struct str charset =
	    charset_of_field(eval_get_text(call, STR("Content-Type")));
	if (charset.len == 0 ||
	    locale_allows(call->lists->ok_locales, charset) ||
	    !is_mostly_high(eval_text(call)))
		return 0;
	return eval_hit(call, str_sub(charset, 0, 100));
}

const struct eval_row EVAL_MIME[] = {
    {"check_for_mime", 1, 1, "s", NEED_HEADER | NEED_PARTS,
	"that fact of the parts is not zero: 'mime_attachment', ...",
	"MIMEEval", check_for_mime},
    {"check_for_mime_html", 0, 0, "", NEED_HEADER | NEED_PARTS,
	"a part is text/html", "MIMEEval", check_for_mime_html},
    {"check_for_mime_html_only", 0, 0, "", NEED_HEADER | NEED_PARTS,
	"a part is text/html, and none is another text", "MIMEEval",
	check_for_mime_html_only},
    {"check_mime_multipart_ratio", 0, 2, "s", NEED_HEADER | NEED_PARTS,
	"encoded size of the last plain text by that of the last HTML of an "
	"alternative: from N up to less than M",
	"MIMEEval", check_mime_multipart_ratio},
    {"check_msg_parse_flags", 0, 1, "s", NEED_HEADER | NEED_PARTS,
	"that is wrong with the message: 'missing_head_body_separator', ...",
	"MIMEEval", check_msg_parse_flags},
    {"check_for_ascii_text_illegal", 0, 0, "", NEED_HEADER | NEED_PARTS,
	"a plain text of US-ASCII has bytes that are none", "MIMEEval",
	check_for_ascii_text_illegal},
    {"check_abundant_unicode_ratio", 0, 1, "s", NEED_HEADER | NEED_PARTS,
	"entities such as &#x20AC; in plain text, by its other bytes, are N or "
	"more",
	"MIMEEval", check_abundant_unicode_ratio},
    {"check_for_faraway_charset", 0, 0, "",
	NEED_HEADER | NEED_BODY | NEED_RAWBODY,
	"the charset is none of ok_locales, and the text is in it", "MIMEEval",
	check_for_faraway_charset},
    {"check_for_uppercase", 0, 2, "s",
	NEED_HEADER | NEED_BODY | NEED_RAWBODY | NEED_PARTS,
	"more than N and at most M percent of the letters are capitals",
	"MIMEEval", check_for_uppercase},
    {"check_ma_non_text", 0, 0, "", NEED_PARTS,
	"an alternative has a part that is no text", "MIMEEval",
	check_ma_non_text},
    {"check_base64_length", 0, 2, "s", NEED_HEADER | NEED_PARTS,
	"the longest line of base64 has from N to M bytes", "MIMEEval",
	check_base64_length},
    {"check_qp_ratio", 0, 1, "s", NEED_HEADER | NEED_PARTS,
	"needless codes by bytes of quoted-printable are N or more", "MIMEEval",
	check_qp_ratio},
    {NULL, 0, 0, NULL, 0, NULL, NULL, NULL},
};
