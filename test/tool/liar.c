/* SPDX-License-Identifier: BSD-2-Clause */
/* liar -- a name server that answers as it is told.  One thread, one poll(). */
#include "liar.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/table.h"

#define TYPE_SOA 6
#define TYPE_CNAME 5
#define TYPE_OPT 41
#define CLASS_IN 1
#define MESSAGE_MAX 65535
#define UDP_MAX 1232
#define CONNECTIONS_MAX 64
#define LATER_MAX 4096
#define ALIASES_MAX 12

/* What happens to an answer. */
enum behaviour {
	BE_HONEST,
	BE_SLOW, /* the number: milliseconds after it was first asked */
	BE_DEAD,
	BE_RCODE, /* the number: of RFC 1035 section 4.1.1 */
	BE_WRONG_ID,
	BE_WRONG_QUESTION,
	BE_OTHER_NAME, /* records of a name that was not asked for */
	BE_TRUNCATE,   /* UDP says TC, TCP is honest */
	BE_TCP_DEAD,   /* UDP says TC, TCP is silent */
	BE_TCP_CUT,    /* UDP says TC, TCP closes within the message */
	BE_GARBAGE,    /* the header is right, what follows is not */
	BE_SHORT,      /* five bytes */
	BE_ECHO        /* the question, as a question */
};

static const struct {
	const char *word;
	enum behaviour is;
	unsigned number; /* if none is given */
} behaviours[] = {
    {"honest", BE_HONEST, 0},
    {"slow", BE_SLOW, 500},
    {"dead", BE_DEAD, 0},
    {"rcode", BE_RCODE, 2},
    {"wrong-id", BE_WRONG_ID, 0},
    {"wrong-question", BE_WRONG_QUESTION, 0},
    {"other-name", BE_OTHER_NAME, 0},
    {"truncate", BE_TRUNCATE, 0},
    {"tcp-dead", BE_TCP_DEAD, 0},
    {"tcp-cut", BE_TCP_CUT, 0},
    {"garbage", BE_GARBAGE, 0},
    {"short", BE_SHORT, 0},
    {"echo", BE_ECHO, 0},
};

const char liar_builtin[] = "good.test any\n"
			    "slow.test any\n"
			    "slow.test ! slow 500\n"
			    "late.test any\n"
			    "late.test ! slow 1500\n"
			    "dead.test ! dead\n"
			    "servfail.test ! rcode 2\n"
			    "refused.test ! rcode 5\n"
			    "formerr.test ! rcode 1\n"
			    "nxdomain.test ! rcode 3\n"
			    "wrong-id.test any\n"
			    "wrong-id.test ! wrong-id\n"
			    "wrong-question.test any\n"
			    "wrong-question.test ! wrong-question\n"
			    "other-name.test any\n"
			    "other-name.test ! other-name\n"
			    "truncate.test any\n"
			    "truncate.test ! truncate\n"
			    "tcp-dead.test any\n"
			    "tcp-dead.test ! tcp-dead\n"
			    "tcp-cut.test any\n"
			    "tcp-cut.test ! tcp-cut\n"
			    "garbage.test any\n"
			    "garbage.test ! garbage\n"
			    "short.test ! short\n"
			    "echo.test ! echo\n"
			    "big.test TXT @ 8192\n"
			    "many.test A @@ 200\n"
			    "crowd.test A @@ 300\n"
			    "loop.test CNAME a.loop.test\n"
			    "a.loop.test CNAME b.loop.test\n"
			    "b.loop.test CNAME a.loop.test\n"
			    "chain.test CNAME 1.chain.test\n"
			    "1.chain.test 30 CNAME 2.chain.test\n"
			    "2.chain.test CNAME 3.chain.test\n"
			    "3.chain.test TXT at the end\n"
			    "3.chain.test A 192.0.2.3\n"
			    "nowhere.test CNAME none.example\n"
			    /* the second string is longer than what is left */
			    "bad.test TXT \\# 0261620763\n"
			    "bad.test TXT one good record\n";

struct record {
	struct str name; /* lower case, no final dot */
	unsigned type;
	uint32_t ttl_s;
	struct str data;
};

struct told {
	struct str name;
	enum behaviour is;
	unsigned number;
};

/* A reply that is not due yet. */
struct later {
	struct later *next;
	int64_t due_ms;
	int fd; /* a TCP connection; -1: by UDP */
	struct sockaddr_in to;
	size_t len;
	unsigned char bytes[];
};

struct connection {
	int fd;
	size_t len;
	unsigned char bytes[2 + 1024];
};

struct liar {
	struct arena *arena;
	struct {
		struct record *v;
		size_t n, cap;
	} records;
	struct {
		struct told *v;
		size_t n, cap;
	} told;
	int udp_fd, tcp_fd, stop_fd;
	unsigned port;
	struct connection connections[CONNECTIONS_MAX];
	struct later *later;
	size_t nlater;
	struct table *since; /* slow questions: when each was first asked */
	atomic_bool is_dead;
	atomic_uint asked, asked_tcp;
};

/* ---- the zone */

static struct str
name_of(struct liar *l, struct str word)
{
	if (str_ends(word, STR(".")))
		word.len--;
	return str_lower(l->arena, word);
}

static void
put_name(struct buf *b, struct str name)
{
	while (name.len > 0) {
		struct str label = str_cut(&name, '.');
		buf_putc(b, (char)label.len);
		buf_put(b, label);
	}
	buf_putc(b, '\0');
}

static void
put_u16(struct buf *b, unsigned n)
{
	buf_putc(b, (char)(n >> 8));
	buf_putc(b, (char)n);
}

static void
put_u32(struct buf *b, uint32_t n)
{
	put_u16(b, n >> 16);
	put_u16(b, n & 0xffff);
}

static bool
address_data(struct buf *b, int family, struct str text)
{
	char name[64];
	char bytes[16];
	(void)snprintf(name, sizeof(name), "%.*s", STR_ARG(text));
	if (inet_pton(family, name, bytes) != 1)
		return false;
	buf_put(b, str_of(bytes, family == AF_INET ? 4 : 16));
	return true;
}

static void
text_data(struct buf *b, struct str text)
{
	do {
		struct str piece = str_sub(text, 0, 255);
		buf_putc(b, (char)piece.len);
		buf_put(b, piece);
		text = str_skip(text, piece.len);
	} while (text.len > 0);
}

static bool
hex_data(struct buf *b, struct str hex)
{
	for (size_t i = 0; i + 1 < hex.len; i += 2) {
		int high = char_hex(hex.p[i]), low = char_hex(hex.p[i + 1]);
		if (high < 0 || low < 0)
			return false;
		buf_putc(b, (char)(high * 16 + low));
	}
	return true;
}

static bool
type_data(struct liar *l, struct buf *b, unsigned type, struct str rest)
{
	uint64_t n;
	struct str text = rest;
	switch (type) {
	case 1:
		return address_data(b, AF_INET, rest);
	case 28:
		return address_data(b, AF_INET6, rest);
	case 16:
		text_data(b, rest);
		return true;
	case 15:
		if (!str_u64(str_word(&text), 65535, &n))
			return false;
		put_u16(b, (unsigned)n);
		put_name(b, name_of(l, str_trim(text)));
		return true;
	default:
		put_name(b, name_of(l, rest));
		return true;
	}
}

static void
record_add(struct liar *l, const struct record *record, struct str data)
{
	struct record copy = *record;
	copy.data = str_dup(l->arena, data);
	ARENA_PUSH(l->arena, &l->records) = copy;
}

/* "@@ N": N addresses. */
static bool
many_add(struct liar *l, const struct record *record, struct str number)
{
	uint64_t n;
	if (record->type != 1 || !str_u64(number, 4096, &n))
		return false;
	for (uint64_t i = 0; i < n; i++) {
		char data[4] = {'\xc6', '\x33', (char)(i >> 8), (char)i};
		record_add(l, record, str_of(data, 4));
	}
	return true;
}

static bool
data_add(struct liar *l, const struct record *record, struct str rest)
{
	struct buf *b = buf_new(l->arena, MESSAGE_MAX);
	struct str after = rest;
	struct str first = str_word(&after);
	after = str_trim(after);
	uint64_t n;
	if (str_eq(first, STR("@@")))
		return many_add(l, record, after);
	if (str_eq(first, STR("\\#"))) {
		if (!hex_data(b, after))
			return false;
	} else if (str_eq(first, STR("@"))) {
		if (!str_u64(after, 60000, &n))
			return false;
		char *text = arena_alloc(l->arena, n);
		memset(text, 'x', n);
		text_data(b, str_of(text, n));
	} else if (!type_data(l, b, record->type, rest)) {
		return false;
	}
	record_add(l, record, buf_str(b));
	return true;
}

static bool
told_add(struct liar *l, struct str name, struct str rest)
{
	struct str word = str_word(&rest);
	struct str number = str_trim(rest);
	for (size_t i = 0; i < COUNT_OF(behaviours); i++) {
		uint64_t n = behaviours[i].number;
		if (!str_eq(word, str_from(behaviours[i].word)))
			continue;
		if (number.len > 0 && !str_u64(number, 1000000, &n))
			return false;
		ARENA_PUSH(l->arena, &l->told) =
		    (struct told){name, behaviours[i].is, (unsigned)n};
		return true;
	}
	return false;
}

/* The name and what is below it have some of each. */
static bool
any_add(struct liar *l, struct str name)
{
	static const struct {
		unsigned type;
		const char *data;
	} rows[] = {
	    {1, "192.0.2.1"}, {15, "10 mx.good.test"}, {16, "v=spf1 -all"}};
	struct str wild = str_printf(l->arena, "*.%.*s", STR_ARG(name));
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct record record = {name, rows[i].type, 300, STR_EMPTY};
		if (!data_add(l, &record, str_from(rows[i].data)))
			return false;
		record.name = wild;
		if (!data_add(l, &record, str_from(rows[i].data)))
			return false;
	}
	return true;
}

static unsigned
type_of(struct str word)
{
	static const struct {
		const char *word;
		unsigned type;
	} types[] = {{"A", 1}, {"CNAME", 5}, {"PTR", 12}, {"MX", 15},
	    {"TXT", 16}, {"AAAA", 28}};
	for (size_t i = 0; i < COUNT_OF(types); i++)
		if (str_ieq(word, str_from(types[i].word)))
			return types[i].type;
	return 0;
}

static bool
line_add(struct liar *l, struct str line)
{
	struct str name = name_of(l, str_word(&line));
	if (name.len == 0 || *name.p == '#' || *name.p == ';')
		return true;
	struct record record = {.name = name, .ttl_s = 300};
	uint64_t ttl;
	struct str word = str_word(&line);
	if (str_eq(word, STR("!")))
		return told_add(l, name, line);
	if (str_eq(word, STR("any")))
		return any_add(l, name);
	if (str_u64(word, UINT32_MAX, &ttl)) {
		record.ttl_s = (uint32_t)ttl;
		word = str_word(&line);
	}
	record.type = type_of(word);
	return record.type != 0 && data_add(l, &record, str_trim(line));
}

bool
liar_load(struct liar *l, struct str text, struct str *ret_line)
{
	while (text.len > 0) {
		struct str line = str_line(&text);
		if (!line_add(l, line)) {
			*ret_line = line;
			return false;
		}
	}
	return true;
}

/* ---- answers */

/* A question as it came. */
struct query {
	const unsigned char *bytes;
	struct str name; /* lower case */
	unsigned type;
	size_t end; /* of the question section */
	bool has_edns;
};

static bool
query_read(struct liar *l, struct arena *a, const unsigned char *bytes,
    size_t len, struct query *ret)
{
	(void)l;
	if (len < 12 || (bytes[2] & 0x80) != 0 || bytes[5] != 1)
		return false;
	struct buf *name = buf_new(a, 300);
	size_t at = 12;
	while (at < len && bytes[at] != 0) {
		size_t label = bytes[at++];
		if (label > 63 || label >= len - at)
			return false;
		if (name->len > 0)
			buf_putc(name, '.');
		for (size_t i = 0; i < label; i++)
			buf_putc(name, char_lower((char)bytes[at + i]));
		at += label;
	}
	if (len - at < 5)
		return false;
	ret->bytes = bytes;
	ret->name = buf_str(name);
	ret->type = (unsigned)(bytes[at + 1] << 8 | bytes[at + 2]);
	ret->end = at + 5;
	ret->has_edns = bytes[11] != 0;
	return true;
}

/* Is `name` `zone` or below it? */
static bool
is_in(struct str name, struct str zone)
{
	return str_eq(name, zone) ||
	       (name.len > zone.len && str_ends(name, zone) &&
		   name.p[name.len - zone.len - 1] == '.');
}

static bool
record_is_of(const struct record *record, struct str name, bool is_wild)
{
	if (!is_wild)
		return str_eq(record->name, name);
	return str_starts(record->name, STR("*.")) &&
	       name.len > record->name.len - 1 &&
	       is_in(name, str_skip(record->name, 2));
}

/* The behaviour of the longest zone that holds the name. */
static struct told
told_of(const struct liar *l, struct str name)
{
	struct told best = {STR_EMPTY, BE_HONEST, 0};
	for (size_t i = 0; i < l->told.n; i++)
		if (is_in(name, l->told.v[i].name) &&
		    l->told.v[i].name.len >= best.name.len)
			best = l->told.v[i];
	return best;
}

static void
put_record(struct buf *b, struct str name, unsigned type, uint32_t ttl_s,
    struct str data)
{
	put_name(b, name);
	put_u16(b, type);
	put_u16(b, CLASS_IN);
	put_u32(b, ttl_s);
	put_u16(b, (unsigned)data.len);
	buf_put(b, data);
}

/* The records of a name, and what an alias among them leads to. */
struct found {
	unsigned count;
	bool has_name, has_alias;
	struct str alias;
};

static struct str
alias_target(struct arena *a, struct str data)
{
	struct buf *name = buf_new(a, 300);
	for (size_t at = 0; at < data.len && data.p[at] != '\0';) {
		size_t label = (unsigned char)data.p[at];
		if (name->len > 0)
			buf_putc(name, '.');
		buf_put(name, str_sub(data, at + 1, label));
		at += 1 + label;
	}
	return buf_str(name);
}

static struct found
put_records(struct liar *l, struct arena *a, struct buf *b, struct str asked,
    struct str owner, unsigned type, bool is_wild)
{
	struct found found = {.alias = STR_EMPTY};
	for (size_t i = 0; i < l->records.n; i++) {
		const struct record *record = &l->records.v[i];
		if (!record_is_of(record, asked, is_wild))
			continue;
		found.has_name = true;
		bool is_alias =
		    record->type == TYPE_CNAME && type != TYPE_CNAME;
		if (record->type != type && !is_alias)
			continue;
		put_record(b, owner, record->type, record->ttl_s, record->data);
		found.count++;
		if (is_alias) {
			found.has_alias = true;
			found.alias = alias_target(a, record->data);
		}
	}
	return found;
}

/* RFC 2308 section 3: how long a no is good for. */
static void
put_soa(struct arena *a, struct buf *b, struct str zone)
{
	struct buf *data = buf_new(a, 600);
	put_name(data, STR("ns.invalid"));
	put_name(data, STR("root.invalid"));
	for (unsigned i = 0; i < 5; i++)
		put_u32(data, i == 4 ? 20 : 1);
	put_record(b, zone, TYPE_SOA, 300, buf_str(data));
}

static struct str
zone_of(struct str name)
{
	size_t dot = str_rchr(name, '.');
	return dot == STR_NONE ? name : str_skip(name, dot + 1);
}

static void
header_set(struct buf *b, size_t at, unsigned n)
{
	b->p[at] = (char)(n >> 8);
	b->p[at + 1] = (char)n;
}

static void
put_header(struct buf *b, const struct query *q)
{
	buf_put(b, str_of((const char *)q->bytes, q->end));
	/* QR and RD as they were, RA: who asks wants a recursive server */
	b->p[2] = (char)(0x80 | (q->bytes[2] & 0x01));
	b->p[3] = (char)0x80;
	for (size_t i = 6; i < 12; i++)
		b->p[i] = '\0';
}

static void
put_opt(struct buf *b)
{
	buf_putc(b, '\0');
	put_u16(b, TYPE_OPT);
	put_u16(b, UDP_MAX);
	put_u32(b, 0);
	put_u16(b, 0);
}

/* The honest answer, or one with records of another name. */
static struct buf *
answer_make(
    struct liar *l, struct arena *a, const struct query *q, bool is_of_other)
{
	struct buf *b = buf_new(a, MESSAGE_MAX);
	put_header(b, q);
	struct str name = q->name;
	struct found found = {.has_name = true};
	unsigned count = 0;
	for (unsigned i = 0; i < ALIASES_MAX; i++) {
		struct str owner = is_of_other ? STR("other.example") : name;
		found = put_records(l, a, b, name, owner, q->type, false);
		if (!found.has_name)
			found =
			    put_records(l, a, b, name, owner, q->type, true);
		count += found.count;
		if (!found.has_alias)
			break;
		name = found.alias;
	}
	header_set(b, 6, count);
	if (found.count == 0) {
		header_set(b, 8, 1);
		put_soa(a, b, zone_of(name));
		if (!found.has_name)
			b->p[3] |= 3;
	}
	if (q->has_edns) {
		header_set(b, 10, 1);
		put_opt(b);
	}
	return b;
}

/* Only the header and the question, with these flags. */
static struct buf *
answer_bare(struct arena *a, const struct query *q, unsigned rcode, bool is_cut)
{
	struct buf *b = buf_new(a, MESSAGE_MAX);
	put_header(b, q);
	b->p[3] = (char)(b->p[3] | (char)rcode);
	if (is_cut)
		b->p[2] |= 2;
	return b;
}

/* NULL: say nothing.  Without TCP a long answer is cut. */
static struct buf *
answer_as_told(struct liar *l, struct arena *a, const struct query *q,
    const struct told *told, bool is_tcp)
{
	bool is_told_to_cut = told->is == BE_TRUNCATE ||
			      told->is == BE_TCP_DEAD || told->is == BE_TCP_CUT;
	if (told->is == BE_DEAD || (told->is == BE_TCP_DEAD && is_tcp))
		return NULL;
	if (told->is == BE_RCODE)
		return answer_bare(a, q, told->number, false);
	struct buf *b = answer_make(l, a, q, told->is == BE_OTHER_NAME);
	if (!is_tcp && (is_told_to_cut || b->len > UDP_MAX))
		return answer_bare(a, q, 0, true);
	switch (told->is) {
	case BE_WRONG_ID:
		b->p[1] ^= 1;
		break;
	case BE_WRONG_QUESTION:
		b->p[13] = b->p[13] == 'z' ? 'y' : 'z';
		break;
	case BE_GARBAGE:
		for (size_t i = 12; i < b->len; i++)
			b->p[i] = (char)(i * 151 + 7);
		break;
	case BE_SHORT:
		b->len = 5;
		break;
	case BE_ECHO:
		b->p[2] &= 0x7f;
		break;
	case BE_HONEST:
	case BE_SLOW:
	case BE_DEAD:
	case BE_RCODE:
	case BE_OTHER_NAME:
	case BE_TRUNCATE:
	case BE_TCP_DEAD:
	case BE_TCP_CUT:
		break;
	}
	return b;
}

/* ---- sockets */

static void
send_reply(struct liar *l, int fd, const struct sockaddr_in *to,
    const unsigned char *bytes, size_t len)
{
	if (fd < 0)
		(void)sendto(l->udp_fd, bytes, len, MSG_NOSIGNAL,
		    (const struct sockaddr *)to, sizeof(*to));
	else
		(void)send(fd, bytes, len, MSG_NOSIGNAL);
}

static void
later_add(struct liar *l, int64_t due_ms, int fd, const struct sockaddr_in *to,
    struct str reply)
{
	struct later *later =
	    l->nlater < LATER_MAX ? malloc(sizeof(*later) + reply.len) : NULL;
	if (later == NULL)
		return;
	later->due_ms = due_ms;
	later->fd = fd;
	later->to = *to;
	later->len = reply.len;
	memcpy(later->bytes, reply.p, reply.len);
	later->next = l->later;
	l->later = later;
	l->nlater++;
}

/* Send what is due; how long until the next one, -1: there is none. */
static int
later_send(struct liar *l)
{
	int64_t now_ms = clock_ms(), wait_ms = -1;
	for (struct later **at = &l->later; *at != NULL;) {
		struct later *later = *at;
		int64_t left_ms = later->due_ms - now_ms;
		if (left_ms > 0) {
			if (wait_ms < 0 || left_ms < wait_ms)
				wait_ms = left_ms;
			at = &later->next;
			continue;
		}
		send_reply(l, later->fd, &later->to, later->bytes, later->len);
		*at = later->next;
		free(later);
		l->nlater--;
	}
	return (int)wait_ms;
}

/* The connection is gone: what it still waits for is as well. */
static void
connection_close(struct liar *l, struct connection *c)
{
	for (struct later **at = &l->later; *at != NULL;) {
		struct later *later = *at;
		if (later->fd != c->fd) {
			at = &later->next;
			continue;
		}
		*at = later->next;
		free(later);
		l->nlater--;
	}
	(void)close(c->fd);
	c->fd = -1;
	c->len = 0;
}

/*
 * A slow server is one that asks others: who asks it again while it does so
 * gets the answer no later than the first one.
 */
static int64_t
due_ms(struct liar *l, const struct query *q, const struct told *told)
{
	int64_t now_ms = clock_ms();
	if (told->is != BE_SLOW)
		return now_ms;
	struct str key =
	    str_printf(l->arena, "%u %.*s", q->type, STR_ARG(q->name));
	int64_t *since_ms = table_get(l->since, key);
	if (since_ms == NULL) {
		since_ms = ARENA_NEW(l->arena, int64_t);
		*since_ms = now_ms;
		table_set(l->since, key, since_ms);
	}
	return *since_ms + told->number;
}

/* False: the connection has to be closed. */
static bool
answer(struct liar *l, int fd, const struct sockaddr_in *to,
    const unsigned char *bytes, size_t len)
{
	struct arena *a = arena_new();
	struct query q;
	bool is_good = true, is_tcp = fd >= 0;
	atomic_fetch_add(&l->asked, 1);
	atomic_fetch_add(&l->asked_tcp, is_tcp);
	if (!atomic_load(&l->is_dead) && query_read(l, a, bytes, len, &q)) {
		struct told told = told_of(l, q.name);
		struct buf *b = answer_as_told(l, a, &q, &told, is_tcp);
		if (b != NULL) {
			struct buf *wire = buf_new(a, MESSAGE_MAX + 2);
			if (is_tcp)
				put_u16(wire, (unsigned)b->len);
			buf_put(wire, buf_str(b));
			bool is_cut = is_tcp && told.is == BE_TCP_CUT;
			struct str reply = str_sub(buf_str(wire), 0,
			    is_cut ? wire->len / 2 : wire->len);
			later_add(l, due_ms(l, &q, &told), fd, to, reply);
			(void)later_send(l);
			is_good = !is_cut;
		}
	}
	arena_free(a);
	return is_good;
}

static void
udp_read(struct liar *l)
{
	unsigned char bytes[1024];
	struct sockaddr_in from;
	for (;;) {
		socklen_t size = sizeof(from);
		ssize_t n = recvfrom(l->udp_fd, bytes, sizeof(bytes), 0,
		    (struct sockaddr *)&from, &size);
		if (n < 0)
			return;
		(void)answer(l, -1, &from, bytes, (size_t)n);
	}
}

static void
tcp_accept(struct liar *l)
{
	int fd = accept4(l->tcp_fd, NULL, NULL, SOCK_CLOEXEC);
	if (fd < 0)
		return;
	for (size_t i = 0; i < CONNECTIONS_MAX; i++)
		if (l->connections[i].fd < 0) {
			l->connections[i] = (struct connection){.fd = fd};
			return;
		}
	(void)close(fd);
}

static void
tcp_read(struct liar *l, struct connection *c)
{
	static const struct sockaddr_in nobody;
	ssize_t n =
	    recv(c->fd, c->bytes + c->len, sizeof(c->bytes) - c->len, 0);
	if (n <= 0) {
		connection_close(l, c);
		return;
	}
	c->len += (size_t)n;
	while (c->len >= 2) {
		size_t len = (size_t)(c->bytes[0] << 8 | c->bytes[1]);
		if (len > sizeof(c->bytes) - 2) {
			connection_close(l, c);
			return;
		}
		if (c->len < 2 + len)
			return;
		if (!answer(l, c->fd, &nobody, c->bytes + 2, len)) {
			connection_close(l, c);
			return;
		}
		c->len -= 2 + len;
		memmove(c->bytes, c->bytes + 2 + len, c->len);
	}
}

void
liar_run(struct liar *l)
{
	for (;;) {
		struct pollfd fds[3 + CONNECTIONS_MAX] = {
		    {.fd = l->stop_fd, .events = POLLIN},
		    {.fd = l->udp_fd, .events = POLLIN},
		    {.fd = l->tcp_fd, .events = POLLIN},
		};
		for (size_t i = 0; i < CONNECTIONS_MAX; i++)
			fds[3 + i] = (struct pollfd){
			    .fd = l->connections[i].fd, .events = POLLIN};
		int wait_ms = later_send(l);
		if (poll(fds, COUNT_OF(fds), wait_ms) < 0 && errno != EINTR)
			return;
		if (fds[0].revents != 0)
			return;
		if (fds[1].revents != 0)
			udp_read(l);
		for (size_t i = 0; i < CONNECTIONS_MAX; i++)
			if (l->connections[i].fd >= 0 &&
			    fds[3 + i].revents != 0)
				tcp_read(l, &l->connections[i]);
		if (fds[2].revents != 0)
			tcp_accept(l);
	}
}

/* UDP and TCP on one port; false: not on this one. */
static bool
listen_on(struct liar *l, unsigned port)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
	    .sin_port = htons((uint16_t)port),
	    .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
	socklen_t size = sizeof(at);
	int yes = 1;
	l->udp_fd =
	    socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	l->tcp_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int room = 4 * 1024 * 1024; /* a crowd asks at once */
	(void)setsockopt(l->udp_fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	(void)setsockopt(
	    l->tcp_fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	bool is_good =
	    l->udp_fd >= 0 && l->tcp_fd >= 0 &&
	    bind(l->udp_fd, (struct sockaddr *)&at, sizeof(at)) == 0 &&
	    getsockname(l->udp_fd, (struct sockaddr *)&at, &size) == 0 &&
	    bind(l->tcp_fd, (struct sockaddr *)&at, sizeof(at)) == 0 &&
	    listen(l->tcp_fd, 64) == 0;
	l->port = ntohs(at.sin_port);
	if (!is_good) {
		(void)close(l->udp_fd);
		(void)close(l->tcp_fd);
	}
	return is_good;
}

struct liar *
liar_new(unsigned port)
{
	struct arena *a = arena_new();
	struct liar *l = ARENA_NEW(a, struct liar);
	l->arena = a;
	l->since = table_new(a, false);
	for (size_t i = 0; i < CONNECTIONS_MAX; i++)
		l->connections[i].fd = -1;
	/* a port that is free for UDP may not be for TCP */
	for (unsigned tries = port == 0 ? 20 : 1; tries > 0; tries--)
		if (listen_on(l, port)) {
			l->stop_fd = eventfd(0, EFD_CLOEXEC);
			return l;
		}
	arena_free(a);
	return NULL;
}

unsigned
liar_port(const struct liar *l)
{
	return l->port;
}

void
liar_stop(struct liar *l)
{
	uint64_t one = 1;
	(void)!write(l->stop_fd, &one, sizeof(one));
}

void
liar_free(struct liar *l)
{
	if (l == NULL)
		return;
	for (size_t i = 0; i < CONNECTIONS_MAX; i++)
		if (l->connections[i].fd >= 0)
			(void)close(l->connections[i].fd);
	while (l->later != NULL) {
		struct later *next = l->later->next;
		free(l->later);
		l->later = next;
	}
	(void)close(l->udp_fd);
	(void)close(l->tcp_fd);
	(void)close(l->stop_fd);
	arena_free(l->arena);
}

void
liar_set_dead(struct liar *l, bool is_dead)
{
	atomic_store(&l->is_dead, is_dead);
}

unsigned
liar_asked(const struct liar *l)
{
	return atomic_load(&l->asked);
}

unsigned
liar_asked_tcp(const struct liar *l)
{
	return atomic_load(&l->asked_tcp);
}
