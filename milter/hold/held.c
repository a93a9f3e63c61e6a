/* SPDX-License-Identifier: BSD-2-Clause */
/* held -- a kept message as one file: the block of X-Postern-* lines. */
#include "hold/held.h"

#include <math.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"

#define SEAL_PURPOSE STR("postern held v1\n")
#define END_NAME STR("X-Postern-End: ")
#define END_VERSION STR("v1")
#define SHA_NAME STR(" sha256=")
#define MAC_NAME STR(" hmac=")
/* A value that is a list is empty and its items are below it. */
#define ITEM_PREFIX STR("\n ")
/* Years have four digits; the stamp behind the number is for people. */
#define TIME_MAX 253402300799

static const char *const folder_names[FOLDER_COUNT] = {
    [FOLDER_HELD] = "held",
    [FOLDER_DISCARDED] = "discarded",
};

bool
held_id_is_valid(struct str id)
{
	if (id.len == 0 || id.len > HELD_ID_MAX)
		return false;
	for (size_t i = 0; i < id.len; i++)
		if (!char_is_alnum(id.p[i]))
			return false;
	return true;
}

struct str
held_folder_name(enum held_folder folder)
{
	return str_from(folder_names[folder]);
}

bool
held_folder_parse(struct str name, enum held_folder *ret)
{
	for (int i = 0; i < FOLDER_COUNT; i++)
		if (str_eq(name, str_from(folder_names[i]))) {
			*ret = (enum held_folder)i;
			return true;
		}
	return false;
}

static void
id_put(struct buf *b, const struct held *h)
{
	buf_put(b, h->id);
}

static bool
id_get(struct arena *a, struct str value, struct held *h)
{
	(void)a;
	h->id = value;
	return held_id_is_valid(value);
}

static void
time_put(struct buf *b, const struct held *h)
{
	char stamp[CLOCK_STAMP];
	clock_stamp(h->time_wall, stamp);
	buf_printf(b, "%lld %s", (long long)h->time_wall, stamp);
}

static bool
time_get(struct arena *a, struct str value, struct held *h)
{
	uint64_t seconds;
	(void)a;
	if (!str_u64(str_cut(&value, ' '), TIME_MAX, &seconds))
		return false;
	h->time_wall = (int64_t)seconds;
	return true;
}

static void
folder_put(struct buf *b, const struct held *h)
{
	buf_put(b, held_folder_name(h->folder));
}

static bool
folder_get(struct arena *a, struct str value, struct held *h)
{
	(void)a;
	return held_folder_parse(value, &h->folder);
}

static void
class_put(struct buf *b, const struct held *h)
{
	buf_put(b, mail_class_name(h->envelope.class));
}

static bool
class_get(struct arena *a, struct str value, struct held *h)
{
	(void)a;
	return mail_class_parse(value, &h->envelope.class);
}

/* Lines whose value is one escaped text. */
#define TEXT_LINE(name, field)                                      \
	static void name##_put(struct buf *b, const struct held *h) \
	{                                                           \
		log_escape(b, h->field);                            \
	}                                                           \
	static bool name##_get(                                     \
	    struct arena *a, struct str value, struct held *h)      \
	{                                                           \
		return log_unescape(a, value, &h->field);           \
	}

TEXT_LINE(reason, reason)
TEXT_LINE(login, envelope.login)
TEXT_LINE(helo, envelope.helo)
TEXT_LINE(queue, envelope.queue_id)
TEXT_LINE(daemon, envelope.daemon_name)
TEXT_LINE(subject, subject)

static void
client_put(struct buf *b, const struct held *h)
{
	log_escape_word(b, h->envelope.client_addr);
	buf_putc(b, ' ');
	log_escape(b, h->envelope.client_name);
}

static bool
client_get(struct arena *a, struct str value, struct held *h)
{
	struct str addr = str_cut(&value, ' ');
	return log_unescape(a, addr, &h->envelope.client_addr) &&
	       log_unescape(a, value, &h->envelope.client_name);
}

static void
score_put(struct buf *b, const struct held *h)
{
	buf_number(b, h->score);
	buf_putc(b, '/');
	buf_number(b, h->threshold);
}

static bool
score_get(struct arena *a, struct str value, struct held *h)
{
	(void)a;
	struct str score = str_cut(&value, '/');
	return str_double(score, &h->score) && str_double(value, &h->threshold);
}

static void
size_put(struct buf *b, const struct held *h)
{
	buf_printf(b, "%llu", (unsigned long long)h->size_bytes);
}

static bool
size_get(struct arena *a, struct str value, struct held *h)
{
	(void)a;
	return str_u64(value, INT64_MAX, &h->size_bytes);
}

static void
path_put(struct buf *b, struct str path)
{
	buf_putc(b, '<');
	log_escape(b, path);
	buf_putc(b, '>');
}

static bool
path_get(struct arena *a, struct str value, struct str *ret)
{
	if (value.len < 2 || value.p[0] != '<' || value.p[value.len - 1] != '>')
		return false;
	return log_unescape(a, str_sub(value, 1, value.len - 2), ret);
}

static void
from_put(struct buf *b, const struct held *h)
{
	path_put(b, h->envelope.from);
}

static bool
from_get(struct arena *a, struct str value, struct held *h)
{
	return path_get(a, value, &h->envelope.from);
}

static void
to_put(struct buf *b, const struct held *h)
{
	for (size_t i = 0; i < h->envelope.rcpt.n; i++) {
		buf_put(b, ITEM_PREFIX);
		path_put(b, h->envelope.rcpt.v[i]);
	}
}

static bool
to_get(struct arena *a, struct str item, struct held *h)
{
	struct str path;
	if (!path_get(a, item, &path))
		return false;
	strs_add(a, &h->envelope.rcpt, path);
	return true;
}

static void
hits_put(struct buf *b, const struct held *h)
{
	for (size_t i = 0; i < h->nhits; i++) {
		const struct mail_hit *hit = &h->hits[i];
		buf_put(b, ITEM_PREFIX);
		log_escape_word(b, hit->rule);
		buf_putc(b, ' ');
		buf_number(b, hit->score);
		buf_printf(b, " %u ", hit->count);
		log_escape(b, hit->evidence);
	}
}

/* h->hits grows by doubling: full at each power of two. */
static struct mail_hit *
hit_push(struct arena *a, struct held *h)
{
	if ((h->nhits & (h->nhits - 1)) == 0) {
		size_t cap = h->nhits == 0 ? 1 : h->nhits * 2;
		h->hits = arena_grow(a, h->hits, h->nhits * sizeof(*h->hits),
		    arena_array_size(cap, sizeof(*h->hits)));
	}
	return &h->hits[h->nhits++];
}

static bool
hits_get(struct arena *a, struct str item, struct held *h)
{
	struct mail_hit hit;
	uint64_t count;
	struct str rule = str_cut(&item, ' ');
	struct str score = str_cut(&item, ' ');
	if (!log_unescape(a, rule, &hit.rule) ||
	    !str_double(score, &hit.score) ||
	    !str_u64(str_cut(&item, ' '), UINT32_MAX, &count) ||
	    !log_unescape(a, item, &hit.evidence))
		return false;
	hit.count = (unsigned)count;
	*hit_push(a, h) = hit;
	return true;
}

/* The lines of a block, in this order. */
static const struct line_row {
	const char *name; /* with ": " */
	bool is_list;     /* `put` writes, and `get` reads, items */
	bool must_be;
	void (*put)(struct buf *b, const struct held *h);
	bool (*get)(struct arena *a, struct str value, struct held *h);
} lines[] = {
    {"X-Postern-Id: ", false, true, id_put, id_get},
    {"X-Postern-Time: ", false, true, time_put, time_get},
    {"X-Postern-Folder: ", false, true, folder_put, folder_get},
    {"X-Postern-Reason: ", false, false, reason_put, reason_get},
    {"X-Postern-Class: ", false, true, class_put, class_get},
    {"X-Postern-Login: ", false, false, login_put, login_get},
    {"X-Postern-Client: ", false, false, client_put, client_get},
    {"X-Postern-Helo: ", false, false, helo_put, helo_get},
    {"X-Postern-Queue-Id: ", false, false, queue_put, queue_get},
    {"X-Postern-Daemon: ", false, false, daemon_put, daemon_get},
    {"X-Postern-Score: ", false, false, score_put, score_get},
    {"X-Postern-Hits: ", true, false, hits_put, hits_get},
    {"X-Postern-Subject: ", false, false, subject_put, subject_get},
    {"X-Postern-Size: ", false, true, size_put, size_get},
    {"X-Postern-Envelope-From: ", false, true, from_put, from_get},
    {"X-Postern-Envelope-To: ", true, true, to_put, to_get},
};

_Static_assert(COUNT_OF(lines) <= 32, "cursor.seen has 32 bits");

bool
held_block_write(struct arena *a, const struct held *held, struct str raw,
    const struct mac_key *key, struct str *ret)
{
	struct held copy = *held;
	struct digest digest;
	struct buf *b = buf_new(a, HELD_BLOCK_MAX);
	copy.size_bytes = raw.len;
	if (copy.time_wall < 0 || copy.time_wall > TIME_MAX)
		copy.time_wall = 0;
	for (size_t i = 0; i < COUNT_OF(lines); i++) {
		buf_put(b, str_from(lines[i].name));
		lines[i].put(b, &copy);
		buf_putc(b, '\n');
	}
	digest_of(raw, &digest);
	buf_put(b, END_NAME);
	buf_put(b, END_VERSION);
	buf_put(b, SHA_NAME);
	buf_put(b, digest_hex(a, &digest));
	if (key != NULL) {
		struct str pieces[] = {SEAL_PURPOSE, buf_str(b)};
		mac_of(key, pieces, COUNT_OF(pieces), &digest);
		buf_put(b, MAC_NAME);
		buf_put(b, digest_hex(a, &digest));
	}
	buf_putc(b, '\n');
	*ret = buf_str(b);
	return !b->is_cut;
}

static const struct line_row *
row_of(struct str line)
{
	for (size_t i = 0; i < COUNT_OF(lines); i++)
		if (str_starts(line, str_from(lines[i].name)))
			return &lines[i];
	return NULL;
}

/* "v1 sha256=HEX" or "v1 sha256=HEX hmac=HEX"; `at` is where `line` begins. */
static bool
end_get(struct str line, size_t at, struct held_block *ret)
{
	struct str sums = str_skip(line, END_NAME.len);
	size_t hex = (size_t)DIGEST_BYTES * 2;
	if (!str_starts(sums, END_VERSION))
		return false;
	sums = str_skip(sums, END_VERSION.len);
	if (!str_starts(sums, SHA_NAME))
		return false;
	sums = str_skip(sums, SHA_NAME.len);
	if (!digest_parse(str_sub(sums, 0, hex), &ret->raw))
		return false;
	sums = str_skip(sums, hex);
	ret->sealed_bytes = at + line.len - sums.len;
	ret->has_seal = sums.len > 0;
	if (!ret->has_seal)
		return true;
	return str_starts(sums, MAC_NAME) &&
	       digest_parse(str_skip(sums, MAC_NAME.len), &ret->seal);
}

/* Where the parser stands between lines. */
struct cursor {
	const struct line_row *list; /* items go to it; NULL: nowhere */
	uint32_t seen;               /* bit i: lines[i] was there */
};

static bool
line_get(struct arena *a, struct str line, struct cursor *at, struct held *h)
{
	if (line.len > 0 && line.p[0] == ' ')
		return at->list == NULL ||
		       at->list->get(a, str_skip(line, 1), h);
	const struct line_row *row = row_of(line);
	at->list = NULL;
	if (row == NULL)
		return str_starts(line, STR("X-Postern-"));
	uint32_t bit = UINT32_C(1) << (row - lines);
	if ((at->seen & bit) != 0)
		return false;
	at->seen |= bit;
	struct str value = str_skip(line, strlen(row->name));
	if (!row->is_list)
		return row->get(a, value, h);
	at->list = row;
	return value.len == 0;
}

static bool
has_all(uint32_t seen)
{
	for (size_t i = 0; i < COUNT_OF(lines); i++)
		if (lines[i].must_be && (seen >> i & 1) == 0)
			return false;
	return true;
}

static bool
is_first_line(struct str text)
{
	struct str name = str_from(lines[0].name);
	return str_starts(
	    str_sub(text, 0, name.len), str_sub(name, 0, text.len));
}

enum held_parse_status
held_block_parse(struct arena *a, struct str text, struct held_block *ret)
{
	struct cursor at = {0};
	struct held_block block = {0};
	struct str rest = text;
	if (!is_first_line(text))
		return HELD_PARSE_FOREIGN;
	/* views that no line sets are empty, not NULL */
	struct str *views[] = {&block.held.reason, &block.held.subject,
	    &block.held.envelope.login, &block.held.envelope.client_addr,
	    &block.held.envelope.client_name, &block.held.envelope.helo,
	    &block.held.envelope.queue_id, &block.held.envelope.daemon_name};
	for (size_t i = 0; i < COUNT_OF(views); i++)
		*views[i] = STR_EMPTY;
	while (str_chr(rest, '\n') != STR_NONE) {
		size_t from = text.len - rest.len;
		struct str line = str_line(&rest);
		if (str_starts(line, END_NAME)) {
			block.bytes = from + line.len + 1;
			bool is_fine = end_get(line, from, &block) &&
				       has_all(at.seen) &&
				       block.bytes <= HELD_BLOCK_MAX;
			if (is_fine)
				*ret = block;
			return is_fine ? HELD_PARSE_OK : HELD_PARSE_FOREIGN;
		}
		if (!line_get(a, line, &at, &block.held))
			return HELD_PARSE_FOREIGN;
	}
	return text.len < HELD_BLOCK_MAX ? HELD_PARSE_MORE : HELD_PARSE_FOREIGN;
}

bool
held_block_is_sealed(
    const struct held_block *block, struct str text, const struct mac_key *key)
{
	struct digest digest;
	struct str pieces[] = {
	    SEAL_PURPOSE, str_sub(text, 0, block->sealed_bytes)};
	if (!block->has_seal)
		return false;
	mac_of(key, pieces, COUNT_OF(pieces), &digest);
	return digest_equal(&digest, &block->seal);
}
