/* SPDX-License-Identifier: BSD-2-Clause */
/* record -- entries as bytes. */
#include "state/record.h"

#include <arpa/inet.h>

#include "base/arena.h"
#include "base/ip.h"

#define FLAG_LOGIN 0x08
#define FLAG_AUTO 0x10
#define FLAG_AUTHOR 0x20
#define CLASS_BITS 0x07
#define CLIENT_TEXT 0x80 /* else 0, 4 or 16 bytes of an address */

void
pack_u8(struct buf *b, unsigned n)
{
	buf_putc(b, (char)(unsigned char)n);
}

void
pack_u32(struct buf *b, uint32_t n)
{
	buf_put(b, str_of((const char *)&n, sizeof(n)));
}

void
pack_u64(struct buf *b, uint64_t n)
{
	buf_put(b, str_of((const char *)&n, sizeof(n)));
}

void
pack_str(struct buf *b, struct str s)
{
	uint16_t len = s.len > UINT16_MAX ? UINT16_MAX : (uint16_t)s.len;
	buf_put(b, str_of((const char *)&len, sizeof(len)));
	buf_put(b, str_sub(s, 0, len));
}

static bool
unpack_bytes(struct str *rest, void *ret, size_t n)
{
	if (rest->len < n)
		return false;
	memcpy(ret, rest->p, n);
	*rest = str_skip(*rest, n);
	return true;
}

bool
unpack_u8(struct str *rest, unsigned *ret)
{
	unsigned char c;
	if (!unpack_bytes(rest, &c, 1))
		return false;
	*ret = c;
	return true;
}

bool
unpack_u32(struct str *rest, uint32_t *ret)
{
	return unpack_bytes(rest, ret, sizeof(*ret));
}

bool
unpack_u64(struct str *rest, uint64_t *ret)
{
	return unpack_bytes(rest, ret, sizeof(*ret));
}

static bool
unpack_view(struct str *rest, size_t len, struct str *ret)
{
	if (rest->len < len)
		return false;
	*ret = str_sub(*rest, 0, len);
	*rest = str_skip(*rest, len);
	return true;
}

bool
unpack_str(struct str *rest, struct str *ret)
{
	uint16_t len;
	return unpack_bytes(rest, &len, sizeof(len)) &&
	       unpack_view(rest, len, ret);
}

/* Short texts of the file: one byte of length. */
static void
pack_short(struct buf *b, struct str s, size_t max)
{
	s = str_sub(s, 0, max);
	pack_u8(b, (unsigned)s.len);
	buf_put(b, s);
}

static bool
unpack_short(struct str *rest, size_t max, struct str *ret)
{
	unsigned len;
	return unpack_u8(rest, &len) && len <= max &&
	       unpack_view(rest, len, ret);
}

/* ---- SipHash-2-4 (Aumasson and Bernstein, 2012) */

static uint64_t
rotated(uint64_t x, unsigned bits)
{
	return x << bits | x >> (64 - bits);
}

static void
sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = rotated(v[1], 13) ^ v[0];
	v[0] = rotated(v[0], 32);
	v[2] += v[3];
	v[3] = rotated(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotated(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotated(v[1], 17) ^ v[2];
	v[2] = rotated(v[2], 32);
}

static void
sip_word(uint64_t v[4], uint64_t word)
{
	v[3] ^= word;
	sip_round(v);
	sip_round(v);
	v[0] ^= word;
}

static uint64_t
sip_hash(const struct record_key *key, struct str s)
{
	uint64_t v[4] = {key->k[0] ^ 0x736f6d6570736575U,
	    key->k[1] ^ 0x646f72616e646f6dU, key->k[0] ^ 0x6c7967656e657261U,
	    key->k[1] ^ 0x7465646279746573U};
	uint64_t last = (uint64_t)s.len << 56, word;
	for (; s.len >= 8; s = str_skip(s, 8)) {
		memcpy(&word, s.p, 8);
		sip_word(v, word);
	}
	for (size_t i = 0; i < s.len; i++)
		last |= (uint64_t)(unsigned char)s.p[i] << (8 * i);
	sip_word(v, last);
	v[2] ^= 0xff;
	for (int i = 0; i < 4; i++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

uint64_t
record_hash(const struct record_key *key, const struct str *parts, size_t n)
{
	uint64_t h = n;
	for (size_t i = 0; i < n; i++) {
		struct record_key chained = {{key->k[0] ^ h, key->k[1]}};
		h = sip_hash(&chained, parts[i]);
	}
	return h;
}

/* ---- entries */

/*
 * Tells a record from bytes that somebody has written over it; no more is
 * needed, as nobody gains by forging one in a file of ours.
 */
uint16_t
record_check(struct str s)
{
	uint32_t sum = 0x811c9dc5U; /* FNV-1a */
	for (size_t i = 0; i < s.len; i++)
		sum = (sum ^ (unsigned char)s.p[i]) * 0x01000193U;
	return (uint16_t)(sum ^ sum >> 16);
}

/* Put the check before what was appended since `from`. */
static void
check_put(struct buf *b, size_t from)
{
	size_t body = from + RECORD_CHECK_BYTES;
	if (b->len < body)
		return;
	uint16_t check = record_check(str_of(b->p + body, b->len - body));
	memcpy(b->p + from, &check, sizeof(check));
}

static bool
check_take(struct str *rest)
{
	uint16_t check;
	return unpack_bytes(rest, &check, sizeof(check)) &&
	       check == record_check(*rest);
}

struct str
ledger_id_cut(struct str message_id)
{
	return str_sub(message_id, 0, LEDGER_ID_BYTES);
}

struct str
ledger_path_cut(struct str path)
{
	return str_sub(path, 0, LEDGER_PATH_BYTES);
}

/* As bytes, if that gives the same text again. */
static size_t
client_bytes(struct str text, unsigned char bytes[16])
{
	char copy[LEDGER_CLIENT_BYTES + 1], back[INET6_ADDRSTRLEN];
	if (text.len == 0 || text.len > LEDGER_CLIENT_BYTES)
		return 0;
	memcpy(copy, text.p, text.len);
	copy[text.len] = '\0';
	int family = str_chr(text, ':') == STR_NONE ? AF_INET : AF_INET6;
	if (inet_pton(family, copy, bytes) != 1 ||
	    inet_ntop(family, bytes, back, sizeof(back)) == NULL ||
	    strcmp(copy, back) != 0)
		return 0;
	return family == AF_INET ? 4 : 16;
}

static void
client_pack(struct buf *b, struct str text)
{
	unsigned char bytes[16];
	size_t n = client_bytes(text, bytes);
	text = str_sub(text, 0, LEDGER_CLIENT_BYTES);
	pack_u8(b, n > 0 || text.len == 0 ? (unsigned)n
					  : CLIENT_TEXT | (unsigned)text.len);
	buf_put(b, n > 0 ? str_of((const char *)bytes, n) : text);
}

static struct str
client_text(struct arena *a, struct str bytes)
{
	char text[INET6_ADDRSTRLEN];
	int family = bytes.len == 4 ? AF_INET : AF_INET6;
	if (bytes.len == 0 ||
	    inet_ntop(family, bytes.p, text, sizeof(text)) == NULL)
		return STR_EMPTY;
	return str_dup(a, str_from(text));
}

static bool
client_unpack(struct arena *a, struct str *rest, struct str *ret)
{
	unsigned head;
	struct str bytes;
	if (!unpack_u8(rest, &head))
		return false;
	bool is_text = (head & CLIENT_TEXT) != 0;
	size_t len = head & ~(unsigned)CLIENT_TEXT;
	bool is_fine = is_text ? len <= LEDGER_CLIENT_BYTES
			       : len == 0 || len == 4 || len == 16;
	if (!is_fine || !unpack_view(rest, len, &bytes))
		return false;
	*ret = is_text ? bytes : client_text(a, bytes);
	return true;
}

static uint32_t
time_u32(int64_t wall)
{
	return wall < 0 ? 0 : wall > UINT32_MAX ? UINT32_MAX : (uint32_t)wall;
}

void
entry_pack(struct buf *b, const struct ledger_entry *e)
{
	size_t from = b->len;
	size_t nrcpt = e->nrcpt > LEDGER_RCPT_MAX ? LEDGER_RCPT_MAX : e->nrcpt;
	buf_put(b, STR("\0\0"));
	pack_u32(b, time_u32(e->time_wall));
	pack_u8(b, ((unsigned)e->class & CLASS_BITS) |
		       (e->has_login ? FLAG_LOGIN : 0U) |
		       (e->is_auto ? FLAG_AUTO : 0U) |
		       (e->is_author ? FLAG_AUTHOR : 0U));
	pack_u8(b, (e->spf & 15U) << 4 | (e->dkim & 15U));
	pack_u8(b, (e->dmarc & 15U) << 4 | (e->standing & 15U));
	bool has_more = e->nrcpt_all > nrcpt;
	pack_u8(b, (unsigned)nrcpt << 1 | (has_more ? 1U : 0U));
	if (has_more)
		pack_u32(b, e->nrcpt_all);
	pack_short(b, e->message_id, LEDGER_ID_BYTES);
	pack_short(b, e->sender, LEDGER_PATH_BYTES);
	for (size_t i = 0; i < nrcpt; i++)
		pack_short(b, e->rcpt[i], LEDGER_PATH_BYTES);
	pack_short(b, e->queue_id, LEDGER_QUEUE_ID_BYTES);
	client_pack(b, e->client_addr);
	check_put(b, from);
}

static bool
results_unpack(struct str *rest, struct ledger_entry *e)
{
	uint32_t time;
	unsigned flags, spf_dkim, dmarc_standing, nrcpt;
	if (!unpack_u32(rest, &time) || !unpack_u8(rest, &flags) ||
	    !unpack_u8(rest, &spf_dkim) || !unpack_u8(rest, &dmarc_standing) ||
	    !unpack_u8(rest, &nrcpt))
		return false;
	e->time_wall = time;
	e->class = (enum mail_class)(flags & CLASS_BITS);
	e->has_login = (flags & FLAG_LOGIN) != 0;
	e->is_auto = (flags & FLAG_AUTO) != 0;
	e->is_author = (flags & FLAG_AUTHOR) != 0;
	e->spf = (uint8_t)(spf_dkim >> 4);
	e->dkim = (uint8_t)(spf_dkim & 15);
	e->dmarc = (uint8_t)(dmarc_standing >> 4);
	e->standing = (uint8_t)(dmarc_standing & 15);
	e->nrcpt = nrcpt >> 1;
	e->nrcpt_all = (uint32_t)e->nrcpt;
	return e->class < CLASS_COUNT && e->nrcpt <= LEDGER_RCPT_MAX &&
	       ((nrcpt & 1) == 0 || unpack_u32(rest, &e->nrcpt_all));
}

bool
entry_unpack(struct arena *a, struct str rest, struct ledger_entry *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (!check_take(&rest) || !results_unpack(&rest, ret) ||
	    !unpack_short(&rest, LEDGER_ID_BYTES, &ret->message_id) ||
	    !unpack_short(&rest, LEDGER_PATH_BYTES, &ret->sender))
		return false;
	for (size_t i = 0; i < ret->nrcpt; i++)
		if (!unpack_short(&rest, LEDGER_PATH_BYTES, &ret->rcpt[i]))
			return false;
	return unpack_short(&rest, LEDGER_QUEUE_ID_BYTES, &ret->queue_id) &&
	       client_unpack(a, &rest, &ret->client_addr) && rest.len == 0;
}
