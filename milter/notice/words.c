/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * words -- phrases found in one pass.  Each place where a word begins is looked
 * up by its first bytes, so the time is linear in the text whatever it says.
 */
#include "notice/words.h"

#include <assert.h>
#include <pthread.h>

#include "base/bits.h"
#include "base/utf8.h"
#include "mail/uchar.h"

#define HEAD_BYTES 4
#define SLOTS 4096 /* a power of two */
#define WORDS_MAX 4000

/* A phrase, and the bytes behind its head by which most are told apart. */
struct entry {
	uint32_t rest, mask; /* of a shorter one: bytes that it has */
	uint16_t word;
	uint8_t len;
};

/*
 * Those with the same hash of their heads stand side by side, for as many as
 * sixty begin alike: entries[from[hash]] to entries[from[hash + 1] - 1].
 */
struct words {
	const struct notice_word *v;
	uint16_t from[SLOTS + 1];
	struct entry entries[WORDS_MAX];
};

static struct words subjects, texts;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static size_t
head_hash(const char *p)
{
	uint32_t head;
	memcpy(&head, p, sizeof(head));
	return (head * 2654435761u) >> 20;
}

static const char *
phrase(const struct notice_word *word)
{
	return word->text + (word->text[0] == '^');
}

/* The bytes behind the head of what begins at `p`, up to `len` in all. */
static uint32_t
rest_of(const char *p, size_t len)
{
	uint32_t rest = 0;
	if (len >= HEAD_BYTES + sizeof(rest))
		memcpy(&rest, p + HEAD_BYTES, sizeof(rest));
	else
		memcpy(&rest, p + HEAD_BYTES, len - HEAD_BYTES);
	return rest;
}

static struct entry
entry_of(size_t word, const char *text)
{
	static const char all[2 * HEAD_BYTES] = "\xff\xff\xff\xff"
						"\xff\xff\xff\xff";
	size_t len = strlen(text);
	assert(len >= HEAD_BYTES && len < 256);
	return (struct entry){
	    .rest = rest_of(text, len),
	    .mask = rest_of(all, len < sizeof(all) ? len : sizeof(all)),
	    .word = (uint16_t)word,
	    .len = (uint8_t)len,
	};
}

static void
words_init(struct words *words, const struct notice_word *v)
{
	words->v = v;
	for (size_t i = 0; v[i].text != NULL; i++)
		words->from[head_hash(phrase(&v[i])) + 1]++;
	for (size_t i = 0; i < SLOTS; i++)
		words->from[i + 1] += words->from[i];
	assert(words->from[SLOTS] <= WORDS_MAX);
	uint16_t next[SLOTS];
	memcpy(next, words->from, sizeof(next));
	for (size_t i = 0; v[i].text != NULL; i++)
		words->entries[next[head_hash(phrase(&v[i]))]++] =
		    entry_of(i, phrase(&v[i]));
}

static void
tables_init(void)
{
	words_init(&subjects, NOTICE_SUBJECTS);
	words_init(&texts, NOTICE_TEXTS);
}

/* A letter or digit of ASCII goes on at `i`. */
static bool
is_inside(struct str text, size_t i)
{
	return i > 0 && i < text.len && char_is_alnum(text.p[i]) &&
	       char_is_alnum(text.p[i - 1]);
}

/* "5.2.2" is not in 15.2.2.9. */
static bool
is_number_part(struct str text, size_t from, size_t end)
{
	return char_is_digit(text.p[from]) &&
	       ((from > 1 && text.p[from - 1] == '.' &&
		    char_is_digit(text.p[from - 2])) ||
		   (end + 1 < text.len && text.p[end] == '.' &&
		       char_is_digit(text.p[end + 1])));
}

static bool
is_at(const struct notice_word *word, size_t len, struct str text, size_t i)
{
	return len <= text.len - i && (i == 0 || word->text[0] != '^') &&
	       memcmp(text.p + i, phrase(word), len) == 0 &&
	       !is_inside(text, i + len) && !is_number_part(text, i, i + len);
}

static void
tally_add(struct notice_tally *tally, const struct notice_word *word)
{
	if (tally->weight[word->kind] < UINT16_MAX)
		tally->weight[word->kind] += word->weight;
	struct str said = str_from(phrase(word));
	struct str *best = &tally->said[word->kind];
	if (best->p == NULL || said.len > best->len)
		*best = said;
}

static void
tally_words(
    const struct words *words, struct str text, struct notice_tally *tally)
{
	uint64_t seen[WORDS_MAX / 64 + 1] = {0};
	for (size_t i = 0; i + HEAD_BYTES <= text.len; i++) {
		/* Not between words, nor inside one. */
		if (text.p[i] == ' ' || is_inside(text, i) ||
		    ((unsigned char)text.p[i] & 0xc0) == 0x80)
			continue;
		size_t slot = head_hash(text.p + i);
		uint32_t rest = rest_of(text.p + i, text.len - i);
		for (size_t k = words->from[slot]; k < words->from[slot + 1];
		     k++) {
			const struct entry *entry = &words->entries[k];
			const struct notice_word *word = &words->v[entry->word];
			if (((rest ^ entry->rest) & entry->mask) == 0 &&
			    !bits_has(seen, entry->word) &&
			    is_at(word, entry->len, text, i)) {
				(void)bits_add(seen, entry->word);
				tally_add(tally, word);
			}
		}
	}
}

void
notice_tally_subject(struct str folded, struct notice_tally *tally)
{
	(void)pthread_once(&once, tables_init);
	tally_words(&subjects, folded, tally);
}

void
notice_tally_text(struct str folded, struct notice_tally *tally)
{
	(void)pthread_once(&once, tables_init);
	tally_words(&texts, folded, tally);
}

/* "5.1.1", not part of a longer number. */
static bool
is_status(struct str s)
{
	size_t i = 0;
	for (unsigned n = 0; n < 3; n++) {
		size_t from = i;
		while (i < s.len && i - from < 3 && char_is_digit(s.p[i]))
			i++;
		if (i == from || (n < 2 && (i == s.len || s.p[i++] != '.')))
			return false;
	}
	return i == s.len || (!char_is_digit(s.p[i]) && s.p[i] != '.') ||
	       (s.p[i] == '.' && i + 1 < s.len && !char_is_digit(s.p[i + 1]));
}

bool
notice_has_reply(struct str folded)
{
	for (size_t i = 0; i + 9 <= folded.len; i++) {
		char c = folded.p[i], gap = folded.p[i + 3];
		if ((c == '4' || c == '5') && char_is_digit(folded.p[i + 1]) &&
		    char_is_digit(folded.p[i + 2]) &&
		    (gap == ' ' || gap == '-') && !is_inside(folded, i) &&
		    folded.p[i + 4] == c && is_status(str_skip(folded, i + 4)))
			return true;
	}
	return false;
}

/* --- folding ------------------------------------------------------------- */

/* Small letter of a capital one: Latin, Greek, Cyrillic, and what mail has
 * for an apostrophe, a dash, a blank. */
static uint32_t
fold_char(uint32_t c)
{
	if (uchar_is_space(c))
		return ' ';
	if ((c >= 0xc0 && c <= 0xde && c != 0xd7) ||
	    (c >= 0x391 && c <= 0x3a9) || (c >= 0x410 && c <= 0x42f))
		return c + 0x20;
	if (c >= 0x400 && c <= 0x40f)
		return c + 0x50;
	if ((c >= 0x100 && c <= 0x12f) || (c >= 0x132 && c <= 0x137) ||
	    (c >= 0x14a && c <= 0x177) || (c >= 0x1ea0 && c <= 0x1ef9))
		return c | 1;
	if ((c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17e))
		return c + (c & 1);
	switch (c) {
	case 0x2018:
	case 0x2019:
	case 0xb4:
	case 0x60:
		return '\'';
	case 0x2010:
	case 0x2011:
	case 0x2013:
	case 0x2014:
		return '-';
	case 0x130: /* the Turkish capital of i */
		return 'i';
	case 0xff1a:
		return ':';
	case 0x201c:
	case 0x201d:
		return '"';
	default:
		return c;
	}
}

/* Invisible: soft hyphen, zero width, marks of direction, BOM. */
static bool
is_invisible(uint32_t c)
{
	return c == 0xad || (c >= 0x200b && c <= 0x200f) ||
	       (c >= 0x202a && c <= 0x202e) || (c >= 0x2060 && c <= 0x2069) ||
	       c == 0xfeff;
}

static size_t
char_encode(uint32_t c, char *to)
{
	if (c < 0x80) {
		to[0] = (char)c;
		return 1;
	}
	size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	static const uint32_t lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
	for (size_t i = n; i > 1; i--) {
		to[i - 1] = (char)(0x80 | (c & 0x3f));
		c >>= 6;
	}
	to[0] = (char)(lead[n] | c);
	return n;
}

/* One character of `text`, small; its bytes in `*ret_len`. */
static uint32_t
next_char(struct str text, size_t *ret_len)
{
	unsigned char c = (unsigned char)text.p[0];
	if (c >= 0x80 && (*ret_len = utf8_length(text)) > 0)
		return fold_char(utf8_decode(text));
	*ret_len = 1;
	if (c <= ' ' || c >= 0x7f)
		return ' ';
	return c == '`' ? '\'' : (uint32_t)(unsigned char)char_lower((char)c);
}

void
notice_fold(struct str text, char *to, size_t max, size_t *len)
{
	bool is_blank = *len == 0 || to[*len - 1] == ' ';
	while (text.len > 0 && *len + 4 <= max) {
		size_t n;
		uint32_t c = next_char(text, &n);
		text = str_skip(text, n);
		if (is_invisible(c) || (c == ' ' && is_blank))
			continue;
		is_blank = c == ' ';
		*len += char_encode(c, to + *len);
	}
}
