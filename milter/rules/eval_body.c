/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * eval_body -- what SpamAssassin's BodyEval asks of the text: how far the two
 * halves of an alternative differ, empty lines, words spread over the line,
 * labels of stock tips, signatures.
 */
#include "base/arena.h"
#include "base/table.h"
#include "mail/html.h"
#include "mail/uchar.h"
#include "rules/eval_rows.h"

#define CHUNK_CHARS 2048
#define LABEL_MIN 2 /* characters of a label behind its first */
#define LABEL_MAX 29
#define LABEL_LETTERS (LABEL_MAX + 1)
#define DECOY_BYTES 4 /* a signature of no more is none */
#define NO_SIGNATURE 1000000.0

struct body_facts {
	bool has_difference, has_stock, has_lines, has_signature, has_plain;
	/* Words of the HTML that the text lacks, in a hundred. */
	double difference;
	double html_words, text_words; /* of the last alternative */
	double stock_labels;
	double lines, blank_lines;
	struct {
		bool is_known;
		double percent;
	} vertical[2]; /* of `body`, of `rawbody` */
	double body_bytes, signature_bytes;
};

static struct body_facts *
body_facts(struct eval_call *call)
{
	if (call->cache->body == NULL)
		call->cache->body =
		    ARENA_NEW(call->message->arena, struct body_facts);
	return call->cache->body;
}

/* --- words of an alternative --- */

static bool
is_blank(struct str s, bool is_unicode, size_t *ret_len)
{
	if ((unsigned char)s.p[0] < 0x80) {
		*ret_len = 1;
		return char_is_space(s.p[0]);
	}
	uint32_t c = uchar_first(s, ret_len);
	return is_unicode && uchar_is_space(c);
}

static bool
is_word_char(struct str s, bool is_unicode, size_t *ret_len)
{
	if ((unsigned char)s.p[0] < 0x80) {
		*ret_len = 1;
		return char_is_word(s.p[0]);
	}
	uint32_t c = uchar_first(s, ret_len);
	return is_unicode && uchar_is_word(c);
}

/* Cut the next run of non-blanks from `*rest`; empty: there is no more. */
static struct str
next_word(struct str *rest, bool is_unicode, bool *ret_has_letter)
{
	size_t len, n = 0;
	*ret_has_letter = false;
	while (rest->len > 0 && is_blank(*rest, is_unicode, &len))
		*rest = str_skip(*rest, len);
	while (n < rest->len) {
		char c = rest->p[n];
		if ((unsigned char)c < 0x80 && c > ' ') {
			*ret_has_letter |= char_is_word(c);
			n++;
			continue;
		}
		struct str here = str_skip(*rest, n);
		if (is_blank(here, is_unicode, &len))
			break;
		*ret_has_letter |= is_word_char(here, is_unicode, &len);
		n += len;
	}
	struct str word = str_sub(*rest, 0, n);
	*rest = str_skip(*rest, n);
	return word;
}

static void
add_word(struct table *words, struct str word)
{
	void **count = table_at(words, word);
	*count = (void *)((uintptr_t)*count + 1);
}

static void
add_words(struct table *words, struct str text, bool is_unicode)
{
	struct str rest = text;
	for (;;) {
		bool has_letter;
		struct str word = next_word(&rest, is_unicode, &has_letter);
		if (word.len == 0)
			return;
		if (has_letter)
			add_word(words, word);
	}
}

/* The part behind `part` in document order that is not inside of it. */
static const struct part *
part_behind(const struct part *part)
{
	while (part != NULL && part->next == NULL)
		part = part->parent;
	return part == NULL ? NULL : part->next;
}

static bool
is_type(struct str type, struct str wanted)
{
	return str_starts(type, wanted) &&
	       (type.len == wanted.len || !char_is_word(type.p[wanted.len]));
}

/*
 * The words of all texts in `top`.  HTML without a word, but with a picture,
 * counts as one that no text has.
 */
static void
collect_words(struct message *m, struct part *top, struct table *html_words,
    struct table *text_words)
{
	const struct part *end = part_behind(top);
	for (struct part *p = top; p != end; p = part_next(p)) {
		if (!is_type(p->type, STR("text")) || !part_is_leaf(p))
			continue;
		struct str text = part_rendered(m, p);
		bool is_html = str_eq(p->effective, STR("text/html"));
		if (!is_html && !str_eq(p->effective, STR("text/plain")))
			continue;
		add_words(
		    is_html ? html_words : text_words, text, p->is_unicode);
		if (is_html && html_words->n == 0 && p->html != NULL &&
		    html_tag_count(p->html, STR("img")) != NULL)
			add_word(html_words, STR("\n"));
	}
}

static void
compare_words(struct body_facts *facts, const struct table *html_words,
    const struct table *text_words)
{
	size_t left = 0;
	for (size_t i = 0; i < html_words->n; i++) {
		const struct table_entry *entry = &html_words->v[i];
		uintptr_t in_text =
		    (uintptr_t)table_get(text_words, entry->key);
		left += in_text < (uintptr_t)entry->value;
	}
	if (html_words->n == 0)
		return;
	facts->html_words = (double)html_words->n;
	facts->text_words = (double)text_words->n;
	double difference = (double)left / (double)html_words->n * 100;
	if (difference > facts->difference)
		facts->difference = difference;
}

/* An invitation: the HTML and a calendar, nothing else. */
static bool
is_invitation(const struct part *root)
{
	const struct part *html = root->child;
	const struct part *calendar = html == NULL ? NULL : html->next;
	return str_eq(root->type, STR("multipart/alternative")) &&
	       calendar != NULL && calendar->next == NULL &&
	       html->child == NULL && calendar->child == NULL &&
	       str_eq(html->type, STR("text/html")) &&
	       str_eq(calendar->type, STR("text/calendar"));
}

static const struct body_facts *
difference_facts(struct eval_call *call)
{
	struct message *m = call->message;
	struct body_facts *facts = body_facts(call);
	if (facts->has_difference)
		return facts;
	facts->has_difference = true;
	if (is_invitation(m->root))
		return facts;
	for (struct part *p = m->root; p != NULL; p = part_next(p)) {
		if (!is_type(p->type, STR("multipart/alternative")))
			continue;
		/* Words may be many, and are of no use any longer. */
		struct arena *a = arena_new();
		struct table *html_words = table_new(a, false);
		struct table *text_words = table_new(a, false);
		collect_words(m, p, html_words, text_words);
		compare_words(facts, html_words, text_words);
		arena_free(a);
	}
	return facts;
}

static int
multipart_alternative_difference(struct eval_call *call)
{
	double difference = difference_facts(call)->difference;
	double min = eval_number(call, 0);
	bool is_open = str_eq(eval_arg(call, 1), STR("undef"));
	return (min == 0 || difference > min) &&
	       (is_open || difference <= eval_number(call, 1));
}

static int
multipart_alternative_difference_count(struct eval_call *call)
{
	const struct body_facts *facts = difference_facts(call);
	return facts->html_words > eval_number(call, 1) &&
	       facts->html_words > 0 &&
	       facts->text_words / facts->html_words > eval_number(call, 0);
}

/* --- lines --- */

static bool
is_blank_line(struct str line)
{
	return str_trim(line).len == 0;
}

static void
count_lines(struct body_facts *facts, struct str chunk)
{
	while (chunk.len > 0) {
		facts->lines++;
		facts->blank_lines += is_blank_line(str_line(&chunk));
	}
}

static const struct body_facts *
line_facts(struct eval_call *call)
{
	struct body_facts *facts = body_facts(call);
	const struct strs *text = message_rawbody(call->message);
	for (size_t i = 0; i < text->n && !facts->has_lines; i++)
		count_lines(facts, text->v[i]);
	facts->has_lines = true;
	return facts;
}

static int
check_blank_line_ratio(struct eval_call *call)
{
	const struct body_facts *facts = line_facts(call);
	double min = eval_number(call, 0);
	double max = eval_number(call, 1);
	double least = eval_number(call, 2);
	double ratio = facts->lines < (least < 1 ? 1 : least)
			   ? -1
			   : 100 * facts->blank_lines / facts->lines;
	return (min == 0 || ratio > min) && ratio <= max;
}

/* Blanks by other bytes, in a hundred; a short line says nothing. */
static double
percent_of_blanks(struct str line)
{
	size_t blanks = 0;
	for (size_t i = 0; i < line.len; i++)
		blanks += line.p[i] == ' ';
	size_t others = line.len - blanks;
	if (line.len <= 5)
		return -1;
	return blanks > others ? 100 : (double)(100 * blanks / others);
}

static int
tvd_vertical_words(struct eval_call *call)
{
	struct body_facts *facts = body_facts(call);
	const struct strs *text = eval_text(call);
	size_t which = call->is_rawbody;
	double most = facts->vertical[which].is_known
			  ? facts->vertical[which].percent
			  : -1;
	for (size_t i = 0; i < text->n && !facts->vertical[which].is_known;
	     i++) {
		double percent = percent_of_blanks(text->v[i]);
		if (percent > most)
			most = percent;
	}
	facts->vertical[which].is_known = true;
	facts->vertical[which].percent = most;
	double max = eval_number(call, 1);
	return most >= eval_number(call, 0) && most < (max >= 100 ? 101 : max);
}

static int
check_body_length(struct eval_call *call)
{
	return (double)call->message->body_block.len <= eval_number(call, 0);
}

/* --- labels of stock tips: "Symbol: ABCD" --- */

/*
 * Letters in their order, at most one other between two of them: how stock
 * tips hide their labels.
 */
static bool
is_spread(struct str s, const char *letters)
{
	/* Bit i: what is read so far may end before s.p[i]. */
	uint64_t ends = s.len > 0 && s.p[0] == *letters ? 2 : 0;
	for (letters++; *letters != '\0'; letters++) {
		uint64_t here = 0;
		for (size_t i = 0; i < s.len; i++)
			here |= (uint64_t)(s.p[i] == *letters) << i;
		ends = ((ends | ends << 1) & here) << 1;
	}
	return (ends >> s.len & 1) != 0;
}

static bool
is_stock_label(struct str s)
{
	static const char *const labels[] = {"company", "companyname", "target",
	    "ticker", "openingp", "openingprice", "currentp", "currentprice",
	    "projected", "position", "expectations", "weekhigh", "weekshigh",
	    "marketperformance", "yeartarget", "yearestimate", "yearestimates",
	    "weektarget", "weekestimate", "weekestimates", "monthtarget",
	    "monthestimate", "monthestimates", "daytarget", "dayestimate",
	    "dayestimates", "pricetarget", "priceestimate", "priceestimates",
	    "sector", "recommendation", "rating"};
	static const char *const spread[] = {"stock", "sym", "symbol"};
	for (size_t i = 0; i < COUNT_OF(labels); i++)
		if (str_eq(s, str_from(labels[i])))
			return true;
	for (size_t i = 0; i < COUNT_OF(spread); i++)
		if (is_spread(s, spread[i]))
			return true;
	return false;
}

/* The longest end of `letters` that is a label; empty: none. */
static struct str
label_in(struct str letters)
{
	if (str_eq(letters, STR("tradedate")) ||
	    str_eq(letters, STR("tradingdate")))
		return letters;
	for (size_t i = 0; i < letters.len; i++)
		if (is_stock_label(str_skip(letters, i)))
			return str_skip(letters, i);
	return STR_EMPTY;
}

/* Letters of `text`, at most LABEL_LETTERS, in lower case. */
static struct str
letters_of(struct str text, bool is_unicode, char *out)
{
	size_t n = 0;
	for (size_t i = 0, len; i < text.len && n < LABEL_LETTERS; i += len) {
		uint32_t c = uchar_first(str_skip(text, i), &len);
		/* These two have ASCII letters for their lower case. */
		if (is_unicode && (c == 0x212a || c == 0x130))
			c = c == 0x130 ? 'i' : 'k';
		if (c < 0x80 && char_is_alpha((char)c))
			out[n++] = char_lower((char)c);
	}
	return str_of(out, n);
}

static size_t
skip_blanks(struct str s, size_t i, bool is_unicode)
{
	size_t len;
	while (i < s.len && is_blank(str_skip(s, i), is_unicode, &len))
		i += len;
	return i;
}

/* Behind `n` characters from `i` on, or before what is no part of a label. */
static size_t
skip_label(struct str s, size_t i, size_t n, size_t *ret_n)
{
	size_t len;
	for (*ret_n = 0; *ret_n < n && i < s.len; ++*ret_n, i += len) {
		if (s.p[i] == ':' || s.p[i] == '\n')
			break;
		(void)uchar_first(str_skip(s, i), &len);
	}
	return i;
}

/*
 * A label at `from`, where a non-blank stands, with a colon and a text behind
 * it; `*ret_end` is behind the first character of that text.
 */
static bool
label_at(struct str s, size_t from, bool is_unicode, struct str *ret,
    size_t *ret_end)
{
	size_t n, len;
	if (from >= s.len || s.p[from] == ':')
		return false;
	(void)uchar_first(str_skip(s, from), &len);
	size_t end = skip_label(s, from + len, LABEL_MAX, &n);
	size_t colon = skip_blanks(s, end, is_unicode);
	if (n < LABEL_MIN || colon == s.len || s.p[colon] != ':')
		return false;
	size_t text = skip_blanks(s, colon + 1, is_unicode);
	if (text == s.len)
		return false;
	(void)uchar_first(str_skip(s, text), &len);
	*ret = str_sub(s, from, end - from);
	*ret_end = text + len;
	return true;
}

/* Start of the first line that begins at `i` or later. */
static size_t
line_start(struct str s, size_t i)
{
	if (i == 0 || s.p[i - 1] == '\n')
		return i;
	size_t at = str_chr(str_skip(s, i), '\n');
	return at == STR_NONE ? s.len : i + at + 1;
}

static void
note_labels(struct str chunk, bool is_unicode, struct table *labels)
{
	char letters[LABEL_LETTERS];
	for (size_t i = 0; (i = line_start(chunk, i)) < chunk.len;) {
		struct str label;
		size_t from = skip_blanks(chunk, i, is_unicode);
		if (!label_at(chunk, from, is_unicode, &label, &i)) {
			/* The lines that were passed over end here as well. */
			i = from + 1 < chunk.len ? from + 1 : chunk.len;
			continue;
		}
		label = label_in(letters_of(label, is_unicode, letters));
		if (label.len > 0)
			table_set(
			    labels, str_dup(labels->arena, label), labels);
	}
}

/* Where the chunk at the start of `text` ends; it is counted in characters. */
static size_t
chunk_length(struct str text)
{
	static const char marks[] = {'\n', '>', ' '};
	size_t from = uchar_sub(text, CHUNK_CHARS).len;
	struct str window = uchar_sub(str_skip(text, from), CHUNK_CHARS);
	if (from + window.len == text.len)
		return text.len;
	for (size_t i = 0; i < sizeof(marks); i++) {
		size_t at = str_chr(window, marks[i]);
		if (at != STR_NONE)
			return from + at + 1;
	}
	return uchar_sub(text, CHUNK_CHARS + 1).len;
}

/* The first part that is plain text; NULL: none. */
static struct part *
first_plain(struct message *m)
{
	for (struct part *p = m->root; p != NULL; p = part_next(p))
		if (str_starts(p->type, STR("text/plain")))
			return p;
	return NULL;
}

static int
check_stock_info(struct eval_call *call)
{
	struct message *m = call->message;
	struct body_facts *facts = body_facts(call);
	struct part *part = facts->has_stock ? NULL : first_plain(m);
	facts->has_stock = true;
	if (part != NULL) {
		struct table *labels = table_new(m->arena, false);
		struct str text = part_rendered(m, part);
		while (text.len > 0) {
			size_t n = chunk_length(text);
			note_labels(
			    str_sub(text, 0, n), part->is_unicode, labels);
			text = str_skip(text, n);
		}
		facts->stock_labels = (double)labels->n;
	}
	double min = eval_number(call, 0);
	return min == 0 || facts->stock_labels >= min;
}

/* --- signatures: "-- " --- */

static bool
is_signature_mark(struct str line)
{
	if (str_ends(line, STR("\r")))
		line.len--;
	return str_eq(line, STR("--")) || str_eq(line, STR("-- "));
}

static void
find_signature(struct body_facts *facts, struct str text)
{
	facts->body_bytes = (double)text.len;
	for (struct str rest = text; rest.len > 0;) {
		size_t at = text.len - rest.len;
		struct str line = str_line(&rest);
		size_t behind = text.len - at - line.len;
		if (!is_signature_mark(line) || behind <= DECOY_BYTES)
			continue;
		facts->body_bytes = (double)at;
		facts->signature_bytes = (double)behind;
	}
}

/* NULL: there is no plain text. */
static const struct body_facts *
signature_facts(struct eval_call *call)
{
	struct message *m = call->message;
	struct body_facts *facts = body_facts(call);
	if (!facts->has_signature) {
		struct part *part = first_plain(m);
		facts->has_signature = true;
		facts->has_plain = part != NULL;
		if (part != NULL)
			find_signature(facts, part_decoded(m, part));
	}
	return facts->has_plain ? facts : NULL;
}

static int
is_within(struct eval_call *call, double value)
{
	return value >= eval_number(call, 0) &&
	       (call->nargs < 2 || value <= eval_number(call, 1));
}

static int
plaintext_body_length(struct eval_call *call)
{
	const struct body_facts *facts = signature_facts(call);
	return facts != NULL && is_within(call, facts->body_bytes);
}

static int
plaintext_sig_length(struct eval_call *call)
{
	const struct body_facts *facts = signature_facts(call);
	return facts != NULL && is_within(call, facts->signature_bytes);
}

static int
plaintext_body_sig_ratio(struct eval_call *call)
{
	const struct body_facts *facts = signature_facts(call);
	if (facts == NULL)
		return 0;
	return is_within(
	    call, facts->signature_bytes == 0
		      ? NO_SIGNATURE
		      : facts->body_bytes / facts->signature_bytes);
}

const struct eval_row EVAL_BODY[] = {
    {"multipart_alternative_difference", 0, 2, "s", NEED_PARTS | NEED_HTML,
	"words of the HTML that its plain text lacks: more than N and, unless "
	"M is 'undef', at most M percent",
	"BodyEval", multipart_alternative_difference},
    {"multipart_alternative_difference_count", 0, 2, "s",
	NEED_PARTS | NEED_HTML,
	"more than N words of plain text for each of the HTML, which has more "
	"than M",
	"BodyEval", multipart_alternative_difference_count},
    {"check_blank_line_ratio", 0, 3, "s", NEED_RAWBODY,
	"more than N and at most M percent of the lines, which are K or more, "
	"are empty",
	"BodyEval", check_blank_line_ratio},
    {"tvd_vertical_words", 0, 2, "s", NEED_BODY | NEED_RAWBODY,
	"the line with the most blanks has from N to less than M percent of "
	"them",
	"BodyEval", tvd_vertical_words},
    {"check_stock_info", 0, 1, "s", NEED_PARTS,
	"the plain text has N different labels of a stock tip", "BodyEval",
	check_stock_info},
    {"check_body_length", 0, 1, "s", NEED_SOURCE,
	"the body has at most N bytes", "BodyEval", check_body_length},
    {"plaintext_body_length", 0, 2, "s", NEED_PARTS,
	"the plain text before its signature has from N to M bytes", "BodyEval",
	plaintext_body_length},
    {"plaintext_sig_length", 0, 2, "s", NEED_PARTS,
	"the signature of the plain text has from N to M bytes", "BodyEval",
	plaintext_sig_length},
    {"plaintext_body_sig_ratio", 0, 2, "s", NEED_PARTS,
	"plain text by signature, in bytes: from N to M", "BodyEval",
	plaintext_body_sig_ratio},
    {NULL, 0, 0, NULL, 0, NULL, NULL, NULL},
};
