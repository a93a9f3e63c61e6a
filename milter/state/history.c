/* SPDX-License-Identifier: BSD-2-Clause */
/* history -- entries as bytes, and their table in the store. */
#include "state/history.h"

#include <math.h>

#include "state/record.h"

#define VERSION 1
#define LONG_TEXT 255 /* its length follows in two bytes */

static const struct text_row {
	const char *key;
	uint16_t max;
} rows[HISTORY_TEXTS] = {
    [HISTORY_ACTION] = {"action", 16},
    [HISTORY_WOULD] = {"would", 16},
    [HISTORY_REASON] = {"reason", 40},
    [HISTORY_PLACE] = {"place", 16},
    [HISTORY_QUEUE_ID] = {"queue_id", LEDGER_QUEUE_ID_BYTES},
    [HISTORY_ID] = {"id", 32},
    [HISTORY_MESSAGE_ID] = {"message_id", LEDGER_ID_BYTES},
    [HISTORY_SENDER] = {"sender", LEDGER_PATH_BYTES},
    [HISTORY_LOGIN] = {"login", LEDGER_PATH_BYTES},
    [HISTORY_CLIENT] = {"client", LEDGER_CLIENT_BYTES},
    [HISTORY_HOST] = {"host", 120},
    [HISTORY_HELO] = {"helo", 120},
    [HISTORY_SUBJECT] = {"subject", 150},
    [HISTORY_SPF] = {"spf", 16},
    [HISTORY_DKIM] = {"dkim", 16},
    [HISTORY_DMARC] = {"dmarc", 16},
    [HISTORY_PREFLIGHT] = {"preflight", 24},
    [HISTORY_BECAUSE] = {"because", 300},
    [HISTORY_SIGN] = {"sign", 200},
    [HISTORY_NOTICE] = {"notice", 24},
    [HISTORY_ORIGIN] = {"origin", 16},
    [HISTORY_AUTHOR] = {"author", LEDGER_PATH_BYTES},
    [HISTORY_ADDRESSEE] = {"addressee", LEDGER_PATH_BYTES},
    [HISTORY_EVIDENCE] = {"evidence", 1000},
    [HISTORY_TROUBLE] = {"trouble", 300},
    [HISTORY_NOTE] = {"note", 120},
    [HISTORY_BY] = {"by", 64},
};

const char *
history_text_key(enum history_text which)
{
	return rows[which].key;
}

size_t
history_text_max(enum history_text which)
{
	return rows[which].max;
}

/* ---- bytes */

/* The numbers of an entry, as they lie in front. */
struct head {
	double score, threshold;
	uint64_t size_bytes;
	uint32_t time, us, nrcpt_all, nhits_all, texts;
	uint8_t class, flags, nrcpt, nhits;
};

/*
 * As record_check(), eight bytes at a time: an entry is long, and all of them
 * are read at start.
 */
#define SUM_BYTES 2

static uint64_t
sum_step(uint64_t sum, uint64_t word)
{
	sum = (sum ^ word) * 0x9e3779b97f4a7c15U;
	return sum ^ sum >> 32;
}

static uint16_t
sum_of(struct str s)
{
	uint64_t sum = s.len, word;
	for (; s.len >= sizeof(word); s = str_skip(s, sizeof(word))) {
		memcpy(&word, s.p, sizeof(word));
		sum = sum_step(sum, word);
	}
	word = 0;
	memcpy(&word, s.p, s.len);
	sum = sum_step(sum, word);
	return (uint16_t)(sum ^ sum >> 16);
}

/* Put it before what was appended since `from`. */
static void
sum_put(struct buf *b, size_t from)
{
	size_t body = from + SUM_BYTES;
	if (b->len < body)
		return;
	uint16_t sum = sum_of(str_of(b->p + body, b->len - body));
	memcpy(b->p + from, &sum, sizeof(sum));
}

static void
text_pack(struct buf *b, struct str s, size_t max)
{
	s = str_sub(s, 0, max);
	if (s.len < LONG_TEXT) {
		pack_u8(b, (unsigned)s.len);
		buf_put(b, s);
	} else {
		pack_u8(b, LONG_TEXT);
		pack_str(b, s);
	}
}

static bool
text_unpack(struct str *rest, size_t max, struct str *ret)
{
	if (rest->len == 0)
		return false;
	size_t len = (unsigned char)rest->p[0];
	*rest = str_skip(*rest, 1);
	if (len == LONG_TEXT)
		return unpack_str(rest, ret) && ret->len <= max;
	if (len > max || len > rest->len)
		return false;
	*ret = str_sub(*rest, 0, len);
	*rest = str_skip(*rest, len);
	return true;
}

static struct head
head_of(const struct history_entry *e)
{
	int64_t time = e->time_wall < 0            ? 0
		       : e->time_wall > UINT32_MAX ? UINT32_MAX
						   : e->time_wall;
	struct head head = {
	    .score = e->score,
	    .threshold = e->threshold,
	    .size_bytes = e->size_bytes,
	    .time = (uint32_t)time,
	    .us = e->us,
	    .nrcpt_all = e->nrcpt_all,
	    .nhits_all = e->nhits_all,
	    .class = (uint8_t)e->class,
	    .flags = (uint8_t)e->flags,
	    .nrcpt = (uint8_t)(e->nrcpt < HISTORY_RCPT_MAX ? e->nrcpt
							   : HISTORY_RCPT_MAX),
	    .nhits = (uint8_t)(e->nhits < HISTORY_HITS_MAX ? e->nhits
							   : HISTORY_HITS_MAX),
	};
	for (size_t i = 0; i < HISTORY_TEXTS; i++)
		if (e->text[i].len > 0)
			head.texts |= 1U << i;
	return head;
}

void
history_pack(struct buf *b, const struct history_entry *e)
{
	struct head head = head_of(e);
	size_t from = b->len, evidence = HISTORY_EVIDENCE_ALL;
	buf_put(b, STR("\0\0"));
	pack_u8(b, VERSION);
	buf_put(b, str_of((const char *)&head, sizeof(head)));
	for (size_t i = 0; i < HISTORY_TEXTS; i++)
		if (e->text[i].len > 0)
			text_pack(b, e->text[i], rows[i].max);
	for (size_t i = 0; i < head.nrcpt; i++)
		text_pack(b, e->rcpt[i], LEDGER_PATH_BYTES);
	for (size_t i = 0; i < head.nhits; i++) {
		const struct mail_hit *hit = &e->hits[i];
		struct str cut =
		    str_sub(hit->evidence, 0, HISTORY_EVIDENCE_BYTES);
		cut = str_sub(cut, 0, evidence);
		evidence -= cut.len;
		text_pack(b, hit->rule, HISTORY_RULE_BYTES);
		buf_put(
		    b, str_of((const char *)&hit->score, sizeof(hit->score)));
		pack_u32(b, hit->count);
		text_pack(b, cut, HISTORY_EVIDENCE_BYTES);
	}
	sum_put(b, from);
}

static bool
bytes_take(struct str *rest, void *ret, size_t n)
{
	if (rest->len < n)
		return false;
	memcpy(ret, rest->p, n);
	*rest = str_skip(*rest, n);
	return true;
}

static bool
head_unpack(struct str *rest, struct history_entry *ret, uint32_t *ret_texts)
{
	struct head head;
	unsigned version;
	if (!unpack_u8(rest, &version) || version != VERSION ||
	    !bytes_take(rest, &head, sizeof(head)))
		return false;
	ret->time_wall = head.time;
	ret->class = (enum mail_class)head.class;
	ret->flags = head.flags;
	ret->score = head.score;
	ret->threshold = head.threshold;
	ret->size_bytes = head.size_bytes;
	ret->us = head.us;
	ret->nrcpt = head.nrcpt;
	ret->nrcpt_all = head.nrcpt_all;
	ret->nhits = head.nhits;
	ret->nhits_all = head.nhits_all;
	*ret_texts = head.texts;
	return head.class < CLASS_COUNT && head.nrcpt <= HISTORY_RCPT_MAX &&
	       head.nhits <= HISTORY_HITS_MAX &&
	       head.texts >> HISTORY_TEXTS == 0 && isfinite(head.score) &&
	       isfinite(head.threshold);
}

static bool
hit_unpack(struct str *rest, struct mail_hit *ret)
{
	uint32_t count;
	if (!text_unpack(rest, HISTORY_RULE_BYTES, &ret->rule) ||
	    !bytes_take(rest, &ret->score, sizeof(ret->score)) ||
	    !unpack_u32(rest, &count) ||
	    !text_unpack(rest, HISTORY_EVIDENCE_BYTES, &ret->evidence))
		return false;
	ret->count = count;
	return isfinite(ret->score);
}

static bool
body_unpack(struct str rest, struct history_entry *ret)
{
	uint32_t texts;
	if (!head_unpack(&rest, ret, &texts))
		return false;
	for (size_t i = 0; i < HISTORY_TEXTS; i++) {
		ret->text[i] = STR_EMPTY;
		if ((texts >> i & 1) != 0 &&
		    !text_unpack(&rest, rows[i].max, &ret->text[i]))
			return false;
	}
	for (size_t i = 0; i < ret->nrcpt; i++)
		if (!text_unpack(&rest, LEDGER_PATH_BYTES, &ret->rcpt[i]))
			return false;
	for (size_t i = 0; i < ret->nhits; i++)
		if (!hit_unpack(&rest, &ret->hits[i]))
			return false;
	return rest.len == 0;
}

bool
history_unpack(struct str bytes, struct history_entry *ret)
{
	uint16_t sum;
	return bytes_take(&bytes, &sum, sizeof(sum)) && sum == sum_of(bytes) &&
	       body_unpack(bytes, ret);
}

bool
history_peek(struct str bytes, struct history_entry *ret)
{
	return bytes.len >= SUM_BYTES &&
	       body_unpack(str_skip(bytes, SUM_BYTES), ret);
}

/* ---- the table */

void
history_open(struct history *h, struct store_txn *txn)
{
	struct str bytes;
	uint64_t last;
	h->table = store_table(txn, HISTORY_TABLE, STORE_SERIALS);
	h->next = store_last(txn, &h->table, &last, &bytes) ? last + 1 : 1;
}

bool
history_add(struct history *h, struct store_txn *txn, struct str bytes)
{
	struct history_entry entry;
	if (!history_unpack(bytes, &entry))
		return false;
	uint64_t number = h->next++;
	store_append(txn, &h->table, store_key64(&number), bytes);
	return true;
}

static bool
is_over(const struct history *h, struct store_txn *txn,
    const struct history_limits *limits, struct str oldest)
{
	struct history_entry entry;
	if (store_table_bytes(txn, &h->table) > limits->max_bytes)
		return true;
	if (!history_peek(oldest, &entry)) {
		store_spoil(txn, "an entry that cannot be read");
		return false;
	}
	return entry.time_wall < limits->oldest_wall;
}

bool
history_trim(struct history *h, struct store_txn *txn,
    const struct history_limits *limits, size_t max)
{
	struct store_cursor *cursor = store_cursor_new(txn, &h->table);
	struct str bytes;
	uint64_t number;
	size_t n = 0;
	while (n < max && store_cursor_first(cursor, &number, &bytes) &&
	       is_over(h, txn, limits, bytes)) {
		store_cursor_delete(cursor);
		n++;
	}
	store_cursor_free(cursor);
	return n == max;
}
