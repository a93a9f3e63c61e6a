/* SPDX-License-Identifier: BSD-2-Clause */
/* letter -- a mail of our own to the admin. */
#include "hold/letter.h"

#include <errno.h>

#include "auth/dkim_crypto.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/utf8.h"
#include "hold/inject.h"
#include "hold/reinject.h"
#include "hold/release.h"

#define ID_PREFIX STR("postern")
#define ID_CHARS 16
#define TEXT_MAX ((size_t)16 << 20)
#define SUBJECT_MAX 200
/* An encoded word has at most 75 characters (RFC 2047 section 2). */
#define WORD_BYTES 39
#define QP_COLUMNS 75
#define VALID_S (24 * 3600)

static bool
is_ascii_line(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.p[i] < ' ' || s.p[i] > '~')
			return false;
	return true;
}

/* At most WORD_BYTES of `*rest`, whole characters. */
static struct str
word_next(struct str *rest)
{
	size_t n = 0, step;
	while (n < rest->len) {
		step = utf8_length(str_skip(*rest, n));
		step = step == 0 ? 1 : step;
		if (n + step > WORD_BYTES)
			break;
		n += step;
	}
	struct str word = str_sub(*rest, 0, n);
	*rest = str_skip(*rest, n);
	return word;
}

/* As it is if it is plain and short, else as encoded words. */
static void
put_subject(struct arena *a, struct buf *b, struct str subject)
{
	struct buf *safe = buf_new(a, SUBJECT_MAX * 4);
	letter_put(safe, str_sub(subject, 0, SUBJECT_MAX));
	struct str text = buf_str(safe);
	bool is_plain = is_ascii_line(text) && text.len <= 900 &&
			str_find(text, STR("=?")) == STR_NONE;
	buf_put(b, STR("Subject:"));
	if (is_plain) {
		buf_printf(b, " %.*s\n", STR_ARG(text));
		return;
	}
	while (text.len > 0)
		buf_printf(b, " =?UTF-8?B?%.*s?=\n",
		    STR_ARG(dkim_base64(a, word_next(&text))));
}

static void
put_fields(struct arena *a, struct buf *b, const struct letter *letter,
    int64_t now_wall)
{
	char date[64];
	struct tm tm;
	time_t now = (time_t)now_wall;
	if (gmtime_r(&now, &tm) == NULL ||
	    strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S +0000", &tm) ==
		0)
		date[0] = '\0';
	buf_printf(b, "From: Postern <%.*s>\nTo:", STR_ARG(letter->from));
	for (size_t i = 0; i < letter->to.n; i++)
		buf_printf(b, " <%.*s>%s\n", STR_ARG(letter->to.v[i]),
		    i + 1 < letter->to.n ? "," : "");
	put_subject(a, b, letter->subject);
	buf_printf(b,
	    "Date: %s\n"
	    "Message-ID: <%.*s@%.*s>\n"
	    "Auto-Submitted: auto-generated\n"
	    "MIME-Version: 1.0\n"
	    "Content-Type: text/plain; charset=utf-8\n"
	    "Content-Transfer-Encoding: quoted-printable\n",
	    date, STR_ARG(random_word(a, ID_CHARS)), STR_ARG(letter->host));
}

/* One line in quoted-printable (RFC 2045 section 6.7), without its end. */
static void
put_line(struct buf *b, struct str line)
{
	size_t column = 0;
	for (size_t i = 0; i < line.len; i++) {
		unsigned char c = (unsigned char)line.p[i];
		bool is_last = i + 1 == line.len;
		bool is_plain = c >= ' ' && c <= '~' && c != '=' &&
				!(c == ' ' && is_last) &&
				/* a line "From " or "." is safe nowhere */
				!(column == 0 && (c == 'F' || c == '.'));
		size_t width = is_plain ? 1 : 3;
		if (column + width > QP_COLUMNS) {
			buf_put(b, STR("=\n"));
			column = 0;
		}
		if (is_plain)
			buf_putc(b, (char)c);
		else
			buf_printf(b, "=%02X", c);
		column += width;
	}
}

struct str
letter_text(struct arena *a, const struct letter *letter, int64_t now_wall)
{
	struct buf *b = buf_new(a, TEXT_MAX);
	struct str rest = letter->body;
	put_fields(a, b, letter, now_wall);
	buf_putc(b, '\n');
	while (rest.len > 0) {
		put_line(b, str_line(&rest));
		buf_putc(b, '\n');
	}
	return buf_str(b);
}

void
letter_put(struct buf *b, struct str s)
{
	while (s.len > 0) {
		size_t n = 0, step = 0;
		uint32_t c = 0;
		while (n < s.len) {
			step = utf8_length(str_skip(s, n));
			c = step < 2 ? 0 : utf8_decode(str_skip(s, n));
			/* C1 controls, too: some terminals obey them */
			if (utf8_is_deceiver(c) || (c >= 0x80 && c < 0xa0))
				break;
			n += step == 0 ? 1 : step;
		}
		log_escape(b, str_sub(s, 0, n));
		if (n < s.len) {
			buf_printf(b, "\\u{%x}", c);
			n += step;
		}
		s = str_skip(s, n);
	}
}

bool
letter_is_id(struct str id)
{
	return str_starts(id, ID_PREFIX) && id.len == ID_PREFIX.len + ID_CHARS;
}

static const char *
status_text(enum inject_status status)
{
	static const char *const texts[] = {
	    [INJECT_OK] = "taken",
	    [INJECT_PART] = "not taken for all",
	    [INJECT_REFUSED] = "refused",
	    [INJECT_TEMP] = "not taken now",
	    [INJECT_UNKNOWN] = "sent, but there was no answer",
	    [INJECT_INVALID] = "cannot be sent so",
	};
	return texts[status];
}

bool
letter_send(struct arena *a, const struct letter *letter,
    struct release *release, struct str via, struct str *ret_why)
{
	struct release_token token;
	struct inject_result result;
	int64_t now = clock_wall();
	struct str text = letter_text(a, letter, now);
	struct str id = str_printf(a, "%.*s%.*s", STR_ARG(ID_PREFIX),
	    STR_ARG(random_word(a, ID_CHARS)));
	if (!release_issue(
		release, a, id, release_body(text), now + VALID_S, &token)) {
		*ret_why =
		    str_printf(a, "cannot make a release: %s", strerror(errno));
		return false;
	}
	struct injection injection = {
	    .via = via,
	    .from = STR_EMPTY,
	    .rcpt = &letter->to,
	    .text = reinject_text(a, text, token.value),
	};
	enum inject_status status = inject(a, &injection, &result);
	/* over SMTP the gate has met it by now, and else it never will */
	if (inject_via_is_smtp(via) || status != INJECT_OK)
		(void)release_revoke(release, &token);
	if (status == INJECT_OK)
		return true;
	*ret_why = str_printf(a, "%s: %.*s", status_text(status),
	    STR_ARG(result.refusals.n > 0 ? result.refusals.v[0].reply
					  : result.reply));
	return false;
}
