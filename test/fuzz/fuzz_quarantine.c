/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files of the quarantine: any bytes are read or refused, what is read is
 * written again as it was, and any bytes as a message and its envelope come
 * back.
 */
#include "fuzz.h"

#include "hold/held.h"
#include "hold/release.h"
#include "hold/reinject.h"
#include "hold/smtp.h"

static const struct mac_key key = {{42}};

static void
must(bool is_true)
{
	if (!is_true)
		abort();
}

static void
must_be_same(const struct held *got, const struct held *want)
{
	const struct envelope *g = &got->envelope, *w = &want->envelope;
	must(str_eq(got->id, want->id) && got->folder == want->folder);
	must(got->time_wall == want->time_wall);
	must(str_eq(got->reason, want->reason));
	must(str_eq(got->subject, want->subject));
	must(got->score == want->score && got->threshold == want->threshold);
	must(g->class == w->class && str_eq(g->from, w->from));
	must(str_eq(g->login, w->login) && str_eq(g->helo, w->helo));
	must(str_eq(g->client_addr, w->client_addr));
	must(str_eq(g->client_name, w->client_name));
	must(str_eq(g->queue_id, w->queue_id));
	must(str_eq(g->daemon_name, w->daemon_name));
	must(g->rcpt.n == w->rcpt.n && got->nhits == want->nhits);
	for (size_t i = 0; i < w->rcpt.n; i++)
		must(str_eq(g->rcpt.v[i], w->rcpt.v[i]));
	for (size_t i = 0; i < want->nhits; i++) {
		must(str_eq(got->hits[i].rule, want->hits[i].rule));
		must(got->hits[i].score == want->hits[i].score);
		must(got->hits[i].count == want->hits[i].count);
		must(str_eq(got->hits[i].evidence, want->hits[i].evidence));
	}
}

/* Write, read, compare; `raw` must come back byte for byte. */
static void
round_trip(struct arena *a, const struct held *held, struct str raw)
{
	struct held_block block;
	struct str text;
	if (!held_block_write(a, held, raw, &key, &text))
		return;
	struct buf *file = buf_new(a, text.len + raw.len);
	buf_put(file, text);
	buf_put(file, raw);
	must(held_block_parse(a, buf_str(file), &block) == HELD_PARSE_OK);
	must(str_eq(str_skip(buf_str(file), block.bytes), raw));
	must(held_block_is_sealed(&block, buf_str(file), &key));
	must(block.held.size_bytes == raw.len);
	must_be_same(&block.held, held);
	/* any other byte in the block breaks the seal or the form */
	size_t at = raw.len % text.len;
	file->p[at] = (char)(file->p[at] ^ 1);
	if (held_block_parse(a, buf_str(file), &block) == HELD_PARSE_OK)
		must(!held_block_is_sealed(&block, buf_str(file), &key));
}

/* Fields cut out of the input. */
static void
made_up(struct arena *a, struct str s)
{
	struct held held = {.id = STR("Fuzz1"),
	    .score = (double)s.len / 7,
	    .threshold = -(double)s.len * 1e100,
	    .folder = s.len % FOLDER_COUNT,
	    .time_wall = (int64_t)s.len};
	struct envelope *e = &held.envelope;
	struct str raw = s;
	struct str *fields[] = {&held.reason, &held.subject, &e->from,
	    &e->login, &e->client_addr, &e->client_name, &e->helo, &e->queue_id,
	    &e->daemon_name};
	e->class = s.len % CLASS_COUNT;
	for (size_t i = 0; i < COUNT_OF(fields); i++)
		*fields[i] = str_cut(&s, '|');
	held.hits = ARENA_ARRAY(a, struct mail_hit, 8);
	while (s.len > 0 && held.nhits < 8) {
		struct str rule = str_cut(&s, '|');
		held.hits[held.nhits++] = (struct mail_hit){rule,
		    (double)rule.len / 3, (unsigned)rule.len, str_cut(&s, '|')};
		strs_add(a, &e->rcpt, rule);
	}
	round_trip(a, &held, raw);
}

static void
going_out(struct arena *a, struct str raw)
{
	struct str body = release_body(raw);
	must(str_ends(raw, body));
	struct str text = reinject_text(a, raw, STR("v1"));
	must(str_eq(release_body(text), body));
	struct str wire = smtp_stuff(a, text);
	must(str_ends(wire, STR("\r\n.\r\n")));
	must(str_find(str_sub(wire, 0, wire.len - 5), STR("\r\n.\r\n")) ==
	     STR_NONE);
	(void)inject_address_is_safe(raw);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str s = str_of((const char *)data, size);
	struct arena *a = arena_new();
	struct held_block block;
	if (held_block_parse(a, s, &block) == HELD_PARSE_OK) {
		(void)held_block_is_sealed(&block, s, &key);
		round_trip(a, &block.held, str_skip(s, block.bytes));
	}
	made_up(a, s);
	going_out(a, s);
	arena_free(a);
	return 0;
}
