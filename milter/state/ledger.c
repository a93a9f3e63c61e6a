/* SPDX-License-Identifier: BSD-2-Clause */
/* ledger -- entries and correspondence in the store. */
#include "state/ledger.h"

#include "base/arena.h"
#include "base/log.h"

#define SEGMENTS_MAX 64
#define SEGMENT_SHARE 16 /* a segment takes one part in so many: size, days */
#define SEGMENT_SECONDS_MIN 3600
/* While there are few: no more than this part of the file as it is, so that
 * there is something to drop when the disk is full before the limit is. */
#define SEGMENTS_FEW 32
#define SEGMENT_SHARE_NOW 4
#define SEGMENT_BYTES_MIN ((uint64_t)256 << 10)
#define HITS_MAX 256
/* An index entry: the upper bits of a hash, the lower ones of a number. */
#define NUMBER_BITS 24
#define NUMBERS_END ((uint32_t)1 << NUMBER_BITS)
#define NUMBER_MASK ((uint64_t)NUMBERS_END - 1)
/* Two index entries a record, two thirds full. */
#define INDEX_BYTES_EACH 24
/*
 * Index entries of the newest records wait in memory and are put into the
 * table many at a time, in order: each of its pages is then written once for
 * several of them.  Those of a crashed keeper are made again from the records.
 */
#define PENDING_MAX 16384
/* A pair: the upper bits of a hash, then 32 of the time. */
#define PAIR_HASH_MASK (~(uint64_t)UINT32_MAX)

/*
 * Tables of a segment: records by number, one set of index entries, one set a
 * correspondence bucket.  Sets of numbers lie densely in LMDB's pages, without
 * 20 bytes of frame for each.
 */
struct segment {
	uint32_t number;
	int64_t begin_wall;
	uint32_t next;    /* number of the next record */
	uint32_t indexed; /* the first one that is not in `index` */
	struct store_table records, index, pairs;
};

struct ledger {
	struct record_key key;
	struct store_table names;       /* number -> begin_wall */
	struct segment v[SEGMENTS_MAX]; /* oldest first */
	size_t n;
	uint64_t pending[PENDING_MAX]; /* of the newest segment, oldest first */
	size_t npending;
};

#define INDEX_KEY ((uint64_t)0) /* the one set of an index */

static void
segment_tables(struct store_txn *txn, struct segment *s)
{
	char name[16];
	(void)snprintf(name, sizeof(name), "r%08x", s->number);
	s->records = store_table(txn, name, STORE_NUMBERS);
	name[0] = 'x';
	s->index = store_table(txn, name, STORE_SETS);
	name[0] = 'p';
	s->pairs = store_table(txn, name, STORE_SETS);
}

/* What the table of segments has of one. */
static void
segment_save(struct ledger *l, struct store_txn *txn, const struct segment *s)
{
	struct arena *a = arena_new_small();
	struct buf *b = buf_new(a, 16);
	pack_u64(b, (uint64_t)s->begin_wall);
	pack_u32(b, s->indexed);
	store_put(txn, &l->names, store_key32(&s->number), buf_str(b));
	arena_free(a);
}

static void
segment_load(
    struct ledger *l, struct store_txn *txn, uint32_t number, struct str saved)
{
	struct segment *s = &l->v[l->n++];
	struct str bytes;
	uint64_t begin, last;
	*s = (struct segment){.number = number};
	if (!unpack_u64(&saved, &begin) || !unpack_u32(&saved, &s->indexed)) {
		store_spoil(txn, "a segment without its time");
		return;
	}
	s->begin_wall = (int64_t)begin;
	segment_tables(txn, s);
	if (store_last(txn, &s->records, &last, &bytes))
		s->next = (uint32_t)last + 1;
}

static void
segments_load(struct ledger *l, struct store_txn *txn)
{
	struct store_cursor *cursor = store_cursor_new(txn, &l->names);
	uint32_t numbers[SEGMENTS_MAX];
	uint64_t number;
	struct str begin;
	size_t n = 0;
	bool is_there =
	    store_cursor_before(cursor, UINT32_MAX, &number, &begin);
	for (; is_there && n < SEGMENTS_MAX;
	     is_there = store_cursor_prev(cursor, &number, &begin))
		numbers[n++] = (uint32_t)number;
	store_cursor_free(cursor);
	while (n-- > 0)
		if (store_get(txn, &l->names, store_key32(&numbers[n]), &begin))
			segment_load(l, txn, numbers[n], begin);
}

struct ledger *
ledger_open(struct store_txn *txn, const struct record_key *key)
{
	struct ledger *l = calloc(1, sizeof(*l));
	if (l == NULL)
		log_fatal("out of memory");
	l->key = *key;
	l->names = store_table(txn, "segments", STORE_NUMBERS);
	segments_load(l, txn);
	if (store_state(txn) == STORE_OK)
		return l;
	free(l);
	return NULL;
}

void
ledger_free(struct ledger *ledger)
{
	free(ledger);
}

static struct segment *
newest(struct ledger *l)
{
	return l->n == 0 ? NULL : &l->v[l->n - 1];
}

/* ASCII lower case, cut as it is kept. */
struct folded {
	char bytes[LEDGER_PATH_BYTES];
	struct str text;
};

static void
fold(struct str path, struct folded *ret)
{
	path = ledger_path_cut(path);
	for (size_t i = 0; i < path.len; i++)
		ret->bytes[i] = char_lower(path.p[i]);
	ret->text = str_of(ret->bytes, path.len);
}

/* Message-ID and sender; only the sender, for an empty Message-ID. */
static uint64_t
entry_hash(const struct ledger *l, struct str sender, struct str id)
{
	struct folded folded;
	fold(sender, &folded);
	struct str parts[] = {folded.text, ledger_id_cut(id)};
	return record_hash(&l->key, parts, id.len == 0 ? 1 : 2) & ~NUMBER_MASK;
}

static int
u64_compare(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;
	return *x < *y ? -1 : *x > *y;
}

static void
pending_flush(struct ledger *l, struct store_txn *txn)
{
	struct segment *s = newest(l);
	if (s == NULL || l->npending == 0)
		return;
	qsort(l->pending, l->npending, sizeof(l->pending[0]), u64_compare);
	for (size_t i = 0; i < l->npending; i++)
		store_set_add(txn, &s->index, INDEX_KEY, l->pending[i]);
	l->npending = 0;
	s->indexed = s->next;
	segment_save(l, txn, s);
}

static void
pending_add(struct ledger *l, const struct ledger_entry *e, uint32_t number)
{
	l->pending[l->npending++] =
	    entry_hash(l, e->sender, STR_EMPTY) | number;
	if (e->message_id.len > 0)
		l->pending[l->npending++] =
		    entry_hash(l, e->sender, e->message_id) | number;
}

static bool
pending_is_full(const struct ledger *l)
{
	return l->npending + 2 > PENDING_MAX;
}

void
ledger_catch_up(struct ledger *l, struct store_txn *txn)
{
	struct segment *s = newest(l);
	if (s == NULL)
		return;
	struct arena *a = arena_new();
	for (uint32_t number = s->indexed; number < s->next; number++) {
		struct ledger_entry e;
		struct str bytes;
		if (pending_is_full(l) ||
		    !store_get(
			txn, &s->records, store_key32(&number), &bytes) ||
		    !entry_unpack(a, bytes, &e)) {
			store_spoil(txn, "records without an index");
			break;
		}
		pending_add(l, &e, number);
		arena_reset(a);
	}
	arena_free(a);
}

static uint64_t
segment_bytes(struct store_txn *txn, const struct segment *s)
{
	uint64_t pairs = store_table_entries(txn, &s->pairs);
	return store_table_bytes(txn, &s->records) +
	       (uint64_t)s->next * INDEX_BYTES_EACH + pairs * INDEX_BYTES_EACH;
}

static uint64_t
segment_bytes_max(const struct ledger *l, const struct ledger_limits *limits)
{
	uint64_t share = limits->max_bytes / SEGMENT_SHARE;
	uint64_t now = limits->file_bytes / SEGMENT_SHARE_NOW;
	if (now < SEGMENT_BYTES_MIN)
		now = SEGMENT_BYTES_MIN;
	return l->n < SEGMENTS_FEW && now < share ? now : share;
}

static bool
is_full(const struct ledger *l, struct store_txn *txn, const struct segment *s,
    const struct ledger_limits *limits, int64_t now)
{
	int64_t span = limits->days_s / SEGMENT_SHARE;
	if (span < SEGMENT_SECONDS_MIN)
		span = SEGMENT_SECONDS_MIN;
	return s->next > NUMBERS_END - (1U << 20) ||
	       now - s->begin_wall >= span ||
	       segment_bytes(txn, s) > segment_bytes_max(l, limits);
}

void
ledger_turn(struct ledger *l, struct store_txn *txn,
    const struct ledger_limits *limits, int64_t now_wall)
{
	struct segment *last = newest(l);
	if (last != NULL && !is_full(l, txn, last, limits, now_wall))
		return;
	if (l->n == SEGMENTS_MAX && !ledger_drop_oldest(l, txn))
		return;
	pending_flush(l, txn);
	struct segment *s = &l->v[l->n];
	uint32_t number = l->n == 0 ? 1 : l->v[l->n - 1].number + 1;
	*s = (struct segment){.number = number, .begin_wall = now_wall};
	segment_tables(txn, s);
	segment_save(l, txn, s);
	l->n++;
}

bool
ledger_is_over(const struct ledger *l, int64_t oldest_wall)
{
	/* what the second one begins with, the first one ends with */
	return l->n > 1 && l->v[1].begin_wall < oldest_wall;
}

bool
ledger_drop_oldest(struct ledger *l, struct store_txn *txn)
{
	if (l->n <= 1)
		return false;
	struct segment *s = &l->v[0];
	store_drop(txn, &s->records);
	store_drop(txn, &s->index);
	store_drop(txn, &s->pairs);
	store_delete(txn, &l->names, store_key32(&s->number));
	l->n--;
	memmove(&l->v[0], &l->v[1], l->n * sizeof(l->v[0]));
	return true;
}

bool
ledger_add(struct ledger *l, struct store_txn *txn, struct str bytes)
{
	struct segment *s = newest(l);
	struct ledger_entry e;
	struct arena *a = arena_new_small();
	bool is_fine = s != NULL && entry_unpack(a, bytes, &e);
	arena_free(a);
	if (!is_fine)
		return false;
	if (pending_is_full(l))
		pending_flush(l, txn);
	uint32_t number = s->next++;
	store_append(txn, &s->records, store_key32(&number), bytes);
	pending_add(l, &e, number);
	return true;
}

/* What is looked for, and how much of it. */
struct seek {
	struct ledger *ledger;
	struct store_txn *txn;
	struct str sender, id;
	int64_t since;
	size_t left; /* of HITS_MAX */
	bool (*take)(void *arg, struct str bytes);
	void *arg;
};

static bool
seek_wants(const struct seek *seek, struct str bytes)
{
	struct arena *a = arena_new_small();
	struct ledger_entry e;
	bool is_read = entry_unpack(a, bytes, &e);
	arena_free(a);
	if (!is_read) {
		store_spoil(seek->txn, "an entry that cannot be read");
		return false;
	}
	return e.time_wall >= seek->since && str_ieq(e.sender, seek->sender) &&
	       (seek->id.len == 0 || str_eq(e.message_id, seek->id));
}

/* False: enough. */
static bool
seek_number(struct seek *seek, const struct segment *s, uint32_t number)
{
	struct str bytes;
	if (!store_get(seek->txn, &s->records, store_key32(&number), &bytes)) {
		store_spoil(seek->txn, "an index to nothing");
		return false;
	}
	return !seek_wants(seek, bytes) || seek->take(seek->arg, bytes);
}

/* One place of an index; false: enough. */
static bool
seek_hit(struct seek *seek, const struct segment *s, uint64_t at)
{
	return seek->left-- > 1 &&
	       seek_number(seek, s, (uint32_t)(at & NUMBER_MASK));
}

/* What is not in a table yet. */
static bool
seek_pending(struct seek *seek, uint64_t hash)
{
	const struct ledger *l = seek->ledger;
	for (size_t i = l->npending; i > 0; i--)
		if ((l->pending[i - 1] & ~NUMBER_MASK) == hash &&
		    !seek_hit(seek, newest(seek->ledger), l->pending[i - 1]))
			return false;
	return store_state(seek->txn) == STORE_OK;
}

static bool
seek_segment(struct seek *seek, const struct segment *s, uint64_t hash)
{
	struct store_cursor *cursor = store_cursor_new(seek->txn, &s->index);
	uint64_t at;
	bool goes_on = true;
	/* past the last number there can be */
	bool is_there =
	    store_set_below(cursor, INDEX_KEY, hash | NUMBER_MASK, &at);
	while (goes_on && is_there && (at & ~NUMBER_MASK) == hash) {
		goes_on = seek_hit(seek, s, at);
		is_there = store_set_prev(cursor, &at);
	}
	store_cursor_free(cursor);
	return goes_on && store_state(seek->txn) == STORE_OK;
}

void
ledger_seek(struct ledger *l, struct store_txn *txn, struct str sender,
    struct str message_id, int64_t since_wall,
    bool (*take)(void *arg, struct str bytes), void *arg)
{
	struct seek seek = {l, txn, ledger_path_cut(sender),
	    ledger_id_cut(message_id), since_wall, HITS_MAX, take, arg};
	uint64_t hash = entry_hash(l, seek.sender, seek.id);
	if (!seek_pending(&seek, hash))
		return;
	for (size_t i = l->n; i > 0; i--)
		if (!seek_segment(&seek, &l->v[i - 1], hash))
			return;
}

/* The bucket of a pair, and its member without the time. */
static uint64_t
pair_hash(const struct ledger *l, struct str ours, struct str theirs)
{
	struct folded a, b;
	fold(ours, &a);
	fold(theirs, &b);
	struct str parts[] = {a.text, b.text, STR("pair")};
	return record_hash(&l->key, parts, COUNT_OF(parts));
}

/*
 * A bucket takes 16 bits of the hash, a member the 32 above its time.  Two
 * pairs that agree in all 48 are one in 10^8 for a million pairs.
 */
static bool
pair_find(struct store_txn *txn, const struct segment *s, uint64_t hash,
    uint64_t *ret)
{
	struct store_cursor *cursor = store_cursor_new(txn, &s->pairs);
	uint64_t from = hash & PAIR_HASH_MASK;
	bool is_there = store_set_from(cursor, hash & UINT16_MAX, from, ret) &&
			(*ret & PAIR_HASH_MASK) == from;
	store_cursor_free(cursor);
	return is_there;
}

void
ledger_add_wrote(struct ledger *l, struct store_txn *txn, struct str ours,
    struct str theirs, int64_t now_wall)
{
	struct segment *s = newest(l);
	uint64_t hash = pair_hash(l, ours, theirs), have;
	if (s == NULL)
		return;
	uint64_t bucket = hash & UINT16_MAX;
	uint64_t member = (hash & PAIR_HASH_MASK) | (uint32_t)now_wall;
	if (pair_find(txn, s, hash, &have)) {
		if (have == member)
			return;
		store_set_remove(txn, &s->pairs, bucket, have);
	}
	store_set_add(txn, &s->pairs, bucket, member);
}

int64_t
ledger_when_wrote(struct ledger *l, struct store_txn *txn, struct str ours,
    struct str theirs, int64_t since_wall)
{
	uint64_t hash = pair_hash(l, ours, theirs), found;
	for (size_t i = l->n; i > 0; i--)
		if (pair_find(txn, &l->v[i - 1], hash, &found)) {
			int64_t when = (int64_t)(found & UINT32_MAX);
			return when >= since_wall ? when : 0;
		}
	return 0;
}

/* ---- all of it, newest first */

/* The index of the newest segment at or before number `segment`, plus one. */
static size_t
segment_at(const struct ledger *l, const struct ledger_place *place)
{
	size_t i = l->n;
	while (place->is_set && i > 0 && l->v[i - 1].number > place->segment)
		i--;
	return i;
}

bool
ledger_older(struct ledger *l, struct store_txn *txn,
    struct ledger_place *place, struct str *ret)
{
	for (size_t i = segment_at(l, place); i > 0; i--) {
		const struct segment *s = &l->v[i - 1];
		bool is_same = place->is_set && s->number == place->segment;
		if (is_same && place->entry == 0)
			continue;
		uint64_t entry = is_same ? place->entry - 1 : UINT32_MAX;
		struct store_cursor *cursor =
		    store_cursor_new(txn, &s->records);
		bool is_there = store_cursor_before(cursor, entry, &entry, ret);
		store_cursor_free(cursor);
		place->segment = s->number;
		place->entry = is_there ? (uint32_t)entry : 0;
		place->is_set = true;
		if (is_there)
			return true;
	}
	return false;
}

uint64_t
ledger_count(struct ledger *l, struct store_txn *txn)
{
	uint64_t n = 0;
	for (size_t i = 0; i < l->n; i++)
		n += store_table_entries(txn, &l->v[i].records);
	return n;
}

int64_t
ledger_oldest(struct ledger *l, struct store_txn *txn)
{
	for (size_t i = 0; i < l->n; i++) {
		struct ledger_entry e;
		struct str bytes;
		uint64_t number;
		if (!store_first(txn, &l->v[i].records, &number, &bytes))
			continue;
		struct arena *a = arena_new_small();
		bool is_read = entry_unpack(a, bytes, &e);
		arena_free(a);
		return is_read ? e.time_wall : 0;
	}
	return 0;
}
