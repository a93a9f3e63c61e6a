/* SPDX-License-Identifier: BSD-2-Clause */
/* metrics -- what posternd counts while it works. */
#include "session/metrics.h"

#include <stdatomic.h>

#include "base/clock.h"
#include "base/log.h"

/* Scored rules; stock SpamAssassin and KAM have 3,000. */
#define RULES_MAX 8192

struct metrics *
metrics_new(void)
{
	struct metrics *m = calloc(1, sizeof(*m));
	if (m == NULL)
		log_fatal("out of memory");
	m->start_wall = clock_wall();
	m->rules = tally_new(RULES_MAX);
	m->senders = heavy_new(METRICS_WINDOW_MS);
	return m;
}

void
metrics_free(struct metrics *m)
{
	if (m == NULL)
		return;
	tally_free(m->rules);
	heavy_free(m->senders);
	free(m);
}

static void
add(_Atomic uint64_t *count, uint64_t n)
{
	(void)atomic_fetch_add_explicit(count, n, memory_order_relaxed);
}

void
metrics_macro_missing(struct metrics *m, enum metrics_macro macro)
{
	add(&m->macros_missing[macro], 1);
}

const char *
metrics_macro_name(enum metrics_macro macro)
{
	static const char *const names[MACRO_COUNT] = {
	    [MACRO_QUEUE_ID] = "i",
	    [MACRO_HOST] = "j",
	    [MACRO_DAEMON] = "{daemon_name}",
	    [MACRO_VERSION] = "v",
	};
	return names[macro];
}

/* No printf: there may be a NUL in it. */
struct str
metrics_sender(const struct envelope *envelope, char room[HEAVY_KEY_BYTES])
{
	if (envelope->login.len > 0)
		return envelope->login;
	struct str from = str_sub(envelope->from, 0, HEAVY_KEY_BYTES - 2);
	room[0] = '<';
	memcpy(room + 1, from.p, from.len);
	room[from.len + 1] = '>';
	return str_of(room, from.len + 2);
}

static void
count_sender(struct metrics *m, const struct metrics_message *message)
{
	char room[HEAVY_KEY_BYTES];
	const struct envelope *envelope = message->envelope;
	size_t nrcpt = envelope->rcpt.n;
	const uint32_t counts[HEAVY_COUNTS] = {
	    [SENDER_MESSAGES] = 1,
	    [SENDER_STOPPED] = message->verdict->would > ACTION_TAG,
	    [SENDER_RCPTS] = nrcpt < UINT32_MAX ? (uint32_t)nrcpt : UINT32_MAX,
	};
	heavy_add(
	    m->senders, metrics_sender(envelope, room), counts, clock_ms());
}

void
metrics_count(struct metrics *m, const struct metrics_message *message)
{
	enum mail_class class = message->envelope->class;
	const struct verdict *verdict = message->verdict;
	add(&m->actions[class][verdict->action], 1);
	if (verdict->would != verdict->action)
		add(&m->would[class][verdict->would], 1);
	add(&m->recipients, message->envelope->rcpt.n);
	add(&m->bytes, message->size_bytes);
	if (message->is_released)
		add(&m->released, 1);
	if (message->is_letter)
		add(&m->letters, 1);
	histogram_add(&m->verdict, message->verdict_us);
	for (size_t i = 0; message->hits != NULL && i < message->hits->n; i++)
		tally_add(m->rules, message->hits->v[i].rule, 1);
	if (class != CLASS_INBOUND)
		count_sender(m, message);
}
