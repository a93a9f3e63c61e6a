/* SPDX-License-Identifier: BSD-2-Clause */
/* garbage -- packets no MTA sends. */
#include "garbage.h"

#include <libmilter/mfdef.h>

#include "base/arena.h"
#include "base/buf.h"

#define RANDOM_PACKETS 60
#define RANDOM_BYTES 1500
#define PAD_MAX ((size_t)4 << 20)

/* `after`: walk there as an MTA does; STAGE_COUNT: not even negotiate. */
struct attack {
	const char *name;
	enum stage after;
	struct str bytes;
	size_t pad; /* then so many times `pad_with` */
	char pad_with;
};

#define NEGOTIATION "\0\0\0\15O\0\0\0\6\0\0\1\377\0\37\377\377"

static const struct attack attacks[] = {
    {"nothing", STAGE_COUNT, STR_EMPTY, 0, 0},
    {"short-length", STAGE_COUNT, STR("\0\0"), 0, 0},
    {"length-0", STAGE_COUNT, STR("\0\0\0\0"), 0, 0},
    {"length-4G", STAGE_COUNT, STR("\377\377\377\377O"), 100, 'x'},
    {"length-2G", STAGE_COUNT, STR("\177\377\377\377O"), 100, 'x'},
    {"no-negotiation", STAGE_COUNT, STR("\0\0\0\6M<a@b>"), 0, 0},
    {"no-negotiation-mail", STAGE_COUNT, STR("\0\0\0\7M<a@b>\0"), 0, 0},
    {"no-negotiation-connect", STAGE_COUNT,
	STR("\0\0\0\6Chost\0\0\0\0\7M<a@b>\0"), 0, 0},
    {"negotiate-short", STAGE_COUNT, STR("\0\0\0\5O\0\0\0\6"), 0, 0},
    {"negotiate-version-0", STAGE_COUNT,
	STR("\0\0\0\15O\0\0\0\0\0\0\1\377\0\37\377\377"), 0, 0},
    {"negotiate-version-4G", STAGE_COUNT,
	STR("\0\0\0\15O\377\377\377\377\377\377\377\377\377\377\377\377"), 0,
	0},
    {"negotiate-nothing", STAGE_COUNT,
	STR("\0\0\0\15O\0\0\0\2\0\0\0\0\0\0\0\0"), 0, 0},
    {"negotiate-twice", STAGE_COUNT, STR(NEGOTIATION NEGOTIATION), 0, 0},
    {"smtp-client", STAGE_COUNT, STR("EHLO there\r\nMAIL FROM:<a@b>\r\n"), 0,
	0},
    {"connect-empty", STAGE_NEGOTIATE, STR("\0\0\0\1C"), 0, 0},
    {"connect-no-nul", STAGE_NEGOTIATE, STR("\0\0\0\5Chost"), 0, 0},
    {"connect-no-family", STAGE_NEGOTIATE, STR("\0\0\0\6Chost\0"), 0, 0},
    {"connect-odd-family", STAGE_NEGOTIATE, STR("\0\0\0\12Chost\0X\0\0\0"), 0,
	0},
    {"connect-no-port", STAGE_NEGOTIATE,
	STR("\0\0\0\7Chost\0"
	    "4"),
	0, 0},
    {"connect-no-address", STAGE_NEGOTIATE,
	STR("\0\0\0\11Chost\0"
	    "4\0\31"),
	0, 0},
    {"connect-bad-address", STAGE_NEGOTIATE,
	STR("\0\0\0\16Chost\0"
	    "4\0\31nono\0"),
	0, 0},
    {"connect-bad-v6", STAGE_NEGOTIATE,
	STR("\0\0\0\16Chost\0"
	    "6\0\31::g:\0"),
	0, 0},
    {"connect-unix", STAGE_NEGOTIATE, STR("\0\0\0\320Chost\0L\0\0"), 199, 'x'},
    {"mail-before-connect", STAGE_NEGOTIATE, STR("\0\0\0\7M<a@b>\0"), 0, 0},
    {"eom-first", STAGE_NEGOTIATE, STR("\0\0\0\1E"), 0, 0},
    {"macro-empty", STAGE_NEGOTIATE, STR("\0\0\0\1D"), 0, 0},
    {"macro-no-names", STAGE_NEGOTIATE, STR("\0\0\0\2DC"), 0, 0},
    {"macro-odd", STAGE_HELO, STR("\0\0\0\20DM{auth_authen}\0"), 0, 0},
    {"macro-no-nul", STAGE_HELO, STR("\0\0\0\10DMj\0abcd"), 0, 0},
    {"macro-bad-stage", STAGE_HELO, STR("\0\0\0\6D\377j\0x\0"), 0, 0},
    {"macro-long", STAGE_HELO, STR("\0\0\200\0DMj\0"), 32764, 'x'},
    {"helo-no-nul", STAGE_CONNECT, STR("\0\0\0\5Hhelo"), 0, 0},
    {"mail-empty", STAGE_HELO, STR("\0\0\0\1M"), 0, 0},
    {"mail-no-nul", STAGE_HELO, STR("\0\0\0\6M<a@b>"), 0, 0},
    {"mail-nuls", STAGE_HELO, STR("\0\0\200\0M"), 32767, 0},
    {"mail-long", STAGE_HELO, STR("\0\0\200\1M"), 32768, 'x'},
    {"mail-twice", STAGE_MAIL, STR("\0\0\0\7M<a@b>\0\0\0\0\7M<c@d>\0"), 0, 0},
    {"rcpt-before-mail", STAGE_HELO, STR("\0\0\0\7R<a@b>\0"), 0, 0},
    {"rcpt-nuls", STAGE_MAIL, STR("\0\0\200\0R"), 32767, 0},
    {"header-before-mail", STAGE_HELO, STR("\0\0\0\13LName\0text\0"), 0, 0},
    {"eoh-before-mail", STAGE_HELO, STR("\0\0\0\1N"), 0, 0},
    {"body-before-mail", STAGE_HELO, STR("\0\0\0\5Btext"), 0, 0},
    {"eom-before-mail", STAGE_HELO, STR("\0\0\0\1E"), 0, 0},
    {"eom-before-header", STAGE_RCPT, STR("\0\0\0\1E"), 0, 0},
    {"body-before-header", STAGE_RCPT, STR("\0\0\0\5Btext\0\0\0\1E"), 0, 0},
    {"header-empty", STAGE_DATA, STR("\0\0\0\1L\0\0\0\1N\0\0\0\1E"), 0, 0},
    {"header-no-nul", STAGE_DATA, STR("\0\0\0\5LName\0\0\0\1N\0\0\0\1E"), 0, 0},
    {"header-no-value", STAGE_DATA, STR("\0\0\0\6LName\0\0\0\0\1N\0\0\0\1E"), 0,
	0},
    {"header-no-name", STAGE_DATA, STR("\0\0\0\3L\0\0\0\0\0\1N\0\0\0\1E"), 0,
	0},
    {"header-controls", STAGE_DATA,
	STR("\0\0\0\16L\1:\r\n\0\r\n\r\n.\r\n\0\0\0\0\1N\0\0\0\1E"), 0, 0},
    {"header-many-nuls", STAGE_DATA, STR("\0\0\200\0L"), 32767, 0},
    {"header-long", STAGE_DATA, STR("\0\2\0\0LName\0"), 131066, 'x'},
    {"header-after-eoh", STAGE_EOH, STR("\0\0\0\13LName\0text\0\0\0\0\1E"), 0,
	0},
    {"header-after-body", STAGE_BODY, STR("\0\0\0\13LName\0text\0\0\0\0\1E"), 0,
	0},
    {"eoh-twice", STAGE_EOH, STR("\0\0\0\1N\0\0\0\1E"), 0, 0},
    {"eoh-with-data", STAGE_HEADER, STR("\0\0\0\5Ntext\0\0\0\1E"), 0, 0},
    {"body-empty", STAGE_EOH, STR("\0\0\0\1B\0\0\0\1E"), 0, 0},
    {"body-long", STAGE_EOH, STR("\0\1\0\1B"), 65536, 'x'},
    {"body-4M", STAGE_EOH, STR("\0\100\0\0B"), PAD_MAX - 1, 'x'},
    {"eom-with-body", STAGE_EOH, STR("\0\0\0\5Etext"), 0, 0},
    {"eom-twice", STAGE_BODY, STR("\0\0\0\1E\0\0\0\1E"), 0, 0},
    {"mail-in-body", STAGE_BODY, STR("\0\0\0\7M<a@b>\0"), 0, 0},
    {"connect-in-body", STAGE_BODY,
	STR("\0\0\0\23Chost\0"
	    "4\0\31"
	    "192.0.2.9\0\0\0\0\1E"),
	0, 0},
    {"negotiate-in-body", STAGE_BODY, STR(NEGOTIATION "\0\0\0\1E"), 0, 0},
    {"quit-in-body", STAGE_BODY, STR("\0\0\0\1Q"), 0, 0},
    {"new-connection-in-body", STAGE_BODY, STR("\0\0\0\1K"), 0, 0},
    {"mail-after-goodbye", STAGE_RCPT,
	STR("\0\0\0\1A\0\0\0\1K\0\0\0\7M<a@b>\0"), 0, 0},
    {"cut-in-body", STAGE_BODY, STR("\0\0\1\0Bcut"), 0, 0},
    {"abort-twice", STAGE_BODY, STR("\0\0\0\1A\0\0\0\1A"), 0, 0},
    {"unknown-command", STAGE_HELO, STR("\0\0\0\1z"), 0, 0},
    {"control-command", STAGE_HELO, STR("\0\0\0\1\1"), 0, 0},
    {"high-command", STAGE_HELO, STR("\0\0\0\2\377x"), 0, 0},
    {"unknown-smtp", STAGE_HELO, STR("\0\0\0\5UEXPN"), 0, 0},
    {"length-0-late", STAGE_BODY, STR("\0\0\0\0"), 0, 0},
    {"length-4G-late", STAGE_BODY, STR("\377\377\377\377B"), 70000, 'x'},
};

/* The milter's answers until it closes, hangs up or falls silent. */
static void
listen_on(struct wire *w, struct buf *b)
{
	char command;
	struct str data;
	enum wire_status status;
	while ((status = wire_receive(w, &command, &data)) == WIRE_OK)
		buf_putc(b, command > ' ' && command < 0x7f ? command : '?');
	buf_put(b, status == WIRE_CLOSED ? STR(" closed") : STR(" silent"));
}

static void
report(const char *name, struct str seen)
{
	printf("garbage=%s answers=%.*s\n", name, STR_ARG(str_trim(seen)));
	(void)fflush(stdout);
}

static struct str
attack_bytes(struct arena *a, const struct attack *attack)
{
	struct buf *b = buf_new(a, PAD_MAX + 64);
	buf_put(b, attack->bytes);
	for (size_t i = 0; i < attack->pad; i++)
		buf_putc(b, attack->pad_with);
	return buf_str(b);
}

static void
strike(struct wire *w, struct str bytes, struct buf *seen)
{
	if (wire_send_raw(w, bytes) == WIRE_OK && wire_flush(w) == WIRE_OK)
		wire_half_close(w);
	listen_on(w, seen);
}

/* Without a dialog: a bare socket, negotiated or not. */
static void
attack_bare(const struct plan *plan, bool negotiates, struct str bytes,
    struct buf *seen)
{
	struct wire w;
	char command;
	struct str data;
	if (!wire_open(&w, plan->socket_name, plan->timeout_ms)) {
		buf_put(seen, STR("refused"));
		return;
	}
	bool is_open =
	    !negotiates || (wire_send_raw(&w, STR(NEGOTIATION)) == WIRE_OK &&
			       wire_receive(&w, &command, &data) == WIRE_OK);
	if (is_open)
		strike(&w, bytes, seen);
	wire_close(&w);
}

static void
attack_in_dialog(struct arena *a, const struct plan *plan, enum stage after,
    struct str bytes, struct buf *seen)
{
	struct outcome outcome;
	struct letter letter;
	letter_make(a, &(struct letter_shape){.body_bytes = 1000}, &letter);
	struct dialog *d = dialog_new(a, plan, &outcome);
	if (d == NULL) {
		buf_put(seen, STR("refused"));
		return;
	}
	strike(dialog_walk(d, a, &letter, after, &outcome), bytes, seen);
	dialog_free(d);
}

static void
attack_one(const struct plan *plan, const struct attack *attack)
{
	struct arena *a = arena_new();
	struct buf *seen = buf_new(a, 4096);
	struct str bytes = attack_bytes(a, attack);
	if (attack->after == STAGE_COUNT || attack->after == STAGE_NEGOTIATE)
		attack_bare(
		    plan, attack->after == STAGE_NEGOTIATE, bytes, seen);
	else
		attack_in_dialog(a, plan, attack->after, bytes, seen);
	report(attack->name, buf_str(seen));
	arena_free(a);
}

/* xorshift64*: the same seed is the same attack. */
static uint64_t
next_random(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 0x2545f4914f6cdd1dULL;
}

static void
random_packet(struct buf *b, uint64_t *state)
{
	static const char commands[] = "ABCDEHKLMNORTUABDLLLBRM";
	static const char bytes[] = "\0\0\0a<>@.:;= \t\r\n%\\\"()\377\200{}4";
	char head[4];
	size_t len = next_random(state) % RANDOM_BYTES;
	if (next_random(state) % 4 != 0)
		len %= 32;
	wire_put_u32(head, (uint32_t)len + 1);
	buf_put(b, str_of(head, sizeof(head)));
	buf_putc(b, commands[next_random(state) % (sizeof(commands) - 1)]);
	for (size_t i = 0; i < len; i++)
		buf_putc(b, bytes[next_random(state) % (sizeof(bytes) - 1)]);
}

static void
attack_randomly(const struct plan *plan, uint64_t seed, unsigned rounds)
{
	uint64_t state = seed * 2 + 1;
	for (unsigned i = 0; i < rounds; i++) {
		struct arena *a = arena_new();
		struct buf *bytes = buf_new(a, PAD_MAX);
		struct buf *seen = buf_new(a, 4096);
		for (size_t n = 0; n < RANDOM_PACKETS; n++)
			random_packet(bytes, &state);
		static const enum stage places[] = {
		    STAGE_HELO, STAGE_MAIL, STAGE_DATA, STAGE_BODY};
		enum stage after = places[next_random(&state) % 4];
		attack_in_dialog(a, plan, after, buf_str(bytes), seen);
		report("random", buf_str(seen));
		arena_free(a);
	}
}

bool
garbage_run(
    const struct plan *plan, const char *name, uint64_t seed, unsigned rounds)
{
	bool is_found = false;
	if (strcmp(name, "random") == 0) {
		attack_randomly(plan, seed, rounds);
		return true;
	}
	for (size_t i = 0; i < COUNT_OF(attacks); i++)
		if (strcmp(name, "all") == 0 ||
		    strcmp(name, attacks[i].name) == 0) {
			attack_one(plan, &attacks[i]);
			is_found = true;
		}
	return is_found;
}
