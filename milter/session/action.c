/* SPDX-License-Identifier: BSD-2-Clause */
/* action -- a whole message to an answer for the MTA. */
#include "session/action.h"

#include <errno.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "hold/quarantine.h"
#include "hold/release.h"
#include "mail/header.h"
#include "session/report.h"
#include "session/spool.h"

/* RFC 5321 section 4.5.3.1.5: 512 octets a reply line, less code and CRLF. */
#define REPLY_BYTES 480
#define HEADER_RULES_BYTES 800

/* All that is known while one message is being answered. */
struct work {
	struct arena *arena;
	struct gate *gate;
	const struct config *config;
	const struct snapshot *snapshot;
	const struct incoming *in;
	struct str raw;
	struct scan scan;
	struct verdict verdict;
	bool is_scanned;
	bool is_released;
	bool is_lost; /* there is no whole message to keep */
	struct str id;
	struct str note;
	struct answer *answer;
};

/* `text` with {id} filled in, fit for one reply line. */
static struct str
reply_text(struct work *w, struct str text)
{
	struct buf *b = buf_new(w->arena, REPLY_BYTES);
	while (text.len > 0) {
		size_t at = str_find(text, STR("{id}"));
		struct str head = str_sub(text, 0, at);
		for (size_t i = 0; i < head.len; i++)
			buf_putc(b,
			    (unsigned char)head.p[i] < ' ' ? ' ' : head.p[i]);
		if (at == STR_NONE)
			break;
		buf_put(b, w->id);
		text = str_skip(text, at + 4);
	}
	return buf_str(b);
}

static void
add_header(struct answer *answer, const char *name, struct str value)
{
	answer->headers[answer->nheaders++] =
	    (struct answer_header){name, value};
}

static void
answer_accept(struct work *w)
{
	struct answer *answer = w->answer;
	answer->kind = ANSWER_ACCEPT;
	bool is_tagged = w->verdict.action == ACTION_TAG;
	answer->strips_headers =
	    w->is_released ||
	    (!w->config->observe && w->in->envelope.class != CLASS_INBOUND);
	if (!w->is_scanned || (!is_tagged && !w->config->add_headers) ||
	    w->config->observe)
		return;
	if (is_tagged)
		add_header(answer, "X-Postern-Flag", STR("YES"));
	add_header(answer, "X-Postern-Score",
	    str_printf(w->arena, "%.4g", w->scan.result.score));
	add_header(answer, "X-Postern-Rules",
	    scan_rules_text(w->arena, &w->scan.result, HEADER_RULES_BYTES));
}

static void
answer_refuse(struct work *w, enum answer_kind kind, struct str text)
{
	w->answer->kind = kind;
	w->answer->text = reply_text(w, text);
}

static void
answer_mta_hold(struct work *w)
{
	w->answer->kind = ANSWER_MTA_HOLD;
	w->answer->strips_headers = true;
	w->answer->text = str_printf(w->arena, "postern %.*s score %.4g %.*s",
	    STR_ARG(w->id), w->scan.result.score,
	    STR_ARG(scan_rules_text(w->arena, &w->scan.result, 200)));
}

/*
 * Nowhere to keep it: the client tries again, or, where a 4xx loops (pickup,
 * bounce), the MTA keeps it.
 */
static void
answer_not_kept(struct work *w)
{
	if (w->in->can_refuse || !w->in->mta_can_hold) {
		w->verdict.action = ACTION_DEFER;
		answer_refuse(w, ANSWER_TEMPFAIL, w->config->defer_text);
	} else {
		answer_mta_hold(w);
	}
}

static struct held_hit *
held_hits(struct work *w)
{
	size_t n = w->scan.result.hits.n;
	struct held_hit *hits = ARENA_ARRAY(w->arena, struct held_hit, n);
	for (size_t i = 0; i < n; i++) {
		const struct rule_hit *hit = &w->scan.result.hits.v[i];
		hits[i] = (struct held_hit){
		    hit->rule, hit->score, hit->count, hit->evidence};
	}
	return hits;
}

static struct str
subject_of(struct work *w)
{
	if (w->scan.message == NULL)
		return STR_EMPTY;
	struct header *subject =
	    header_last(&w->scan.message->root->headers, STR("Subject"));
	return subject == NULL ? STR_EMPTY
			       : header_value(w->scan.message, subject);
}

static bool
quarantine_keep(struct work *w, enum held_folder folder)
{
	struct held held = {
	    .id = w->id,
	    .folder = folder,
	    .time_wall = clock_wall(),
	    .reason = str_from(w->verdict.reason),
	    .envelope = w->in->envelope,
	    .score = w->scan.result.score,
	    .threshold = w->verdict.threshold,
	    .hits = held_hits(w),
	    .nhits = w->scan.result.hits.n,
	    .subject = subject_of(w),
	    .size_bytes = w->raw.len,
	};
	errno = 0;
	if (quarantine_store(gate_quarantine(w->gate), &held, w->raw) ==
	    QUARANTINE_OK)
		return true;
	const char *why = errno != 0 ? strerror(errno) : "size limit reached";
	log_error("%.*s: the quarantine cannot be written: %s",
	    STR_ARG(w->in->envelope.queue_id), why);
	w->note = str_printf(w->arena, "quarantine:%s", why);
	return false;
}

static void
answer_hold(struct work *w, enum held_folder folder)
{
	if (w->config->hold_in == HOLD_IN_MTA && w->in->mta_can_hold)
		answer_mta_hold(w);
	else if (!w->is_lost && quarantine_keep(w, folder))
		w->answer->kind = ANSWER_DISCARD;
	else
		answer_not_kept(w);
}

static void
answer_by_verdict(struct work *w)
{
	switch (w->verdict.action) {
	case ACTION_ACCEPT:
	case ACTION_TAG:
		answer_accept(w);
		break;
	case ACTION_DEFER:
		answer_refuse(w, ANSWER_TEMPFAIL, w->config->defer_text);
		break;
	case ACTION_REJECT:
		answer_refuse(w, ANSWER_REJECT, w->config->reject_text);
		break;
	case ACTION_HOLD:
		answer_hold(w, FOLDER_HELD);
		break;
	case ACTION_DISCARD:
		answer_hold(w, FOLDER_DISCARDED);
		break;
	case ACTION_COUNT:
		break;
	}
}

/* A message released from the quarantine passes, once. */
static void
check_release(struct work *w)
{
	if (w->in->release.len == 0)
		return;
	struct str id = STR_EMPTY;
	enum release_status status = release_check(gate_release(w->gate),
	    w->arena, w->in->release, release_body(w->raw), clock_wall(), &id);
	if (status == RELEASE_OK) {
		w->id = id;
		w->note = STR("released");
		w->is_released = true;
		return;
	}
	w->note = str_printf(
	    w->arena, "release-%.*s", STR_ARG(release_status_name(status)));
}

static void
scan(struct work *w)
{
	struct scan_job job = {
	    .raw = w->raw,
	    .envelope = w->in->envelope,
	    .can_refuse = w->in->can_refuse,
	};
	scan_run(w->arena, w->snapshot, &job, &w->scan);
	w->verdict = w->scan.verdict;
	w->is_scanned = w->scan.message != NULL;
}

/* The one place where what could not be done is decided, by on-error. */
static void
decide_error(struct work *w, const char *what)
{
	struct verdict_input input = {
	    .class = w->in->envelope.class,
	    .can_refuse = w->in->can_refuse,
	    .is_error = true,
	};
	w->verdict = verdict_of(w->config, &input);
	w->note = str_printf(w->arena, "%s", what);
	log_error(
	    "%.*s: not scanned: %s", STR_ARG(w->in->envelope.queue_id), what);
}

static void
decide(struct work *w, bool is_busy)
{
	w->verdict = (struct verdict){.action = ACTION_ACCEPT, .reason = ""};
	if (w->in->envelope.class == CLASS_INBOUND && w->in->release.len == 0)
		return;
	if (!spool_view(w->in->spool, &w->raw)) {
		const char *why = strerror(errno);
		decide_error(w, why);
		w->is_lost = true;
		return;
	}
	if (w->in->trouble != NULL) {
		decide_error(w, w->in->trouble);
		w->is_lost = true;
		return;
	}
	check_release(w);
	if (w->is_released)
		return;
	if (is_busy)
		decide_error(w, "busy");
	else
		scan(w);
}

static void
log_verdict(struct work *w)
{
	struct report report = {
	    .envelope = &w->in->envelope,
	    .scan = w->is_scanned ? &w->scan : NULL,
	    .verdict = &w->verdict,
	    .id = w->verdict.would >= ACTION_DEFER || w->is_released
		      ? w->id
		      : STR_EMPTY,
	    .note = w->note,
	    .size_bytes = spool_size(w->in->spool),
	};
	struct str line = w->config->log_format == LOG_FORMAT_JSON
			      ? report_json(w->arena, &report)
			      : report_text(w->arena, &report);
	log_info("%.*s", STR_ARG(line));
}

void
action_take(struct arena *a, struct gate *gate, const struct snapshot *snapshot,
    const struct incoming *in, bool is_busy, struct answer *ret)
{
	struct work w = {
	    .arena = a,
	    .gate = gate,
	    .config = &snapshot->config,
	    .snapshot = snapshot,
	    .in = in,
	    .raw = STR_EMPTY,
	    .id = quarantine_id(a),
	    .note = STR_EMPTY,
	    .answer = ret,
	};
	*ret = (struct answer){.text = STR_EMPTY};
	decide(&w, is_busy);
	answer_by_verdict(&w);
	log_verdict(&w);
	gate_count(gate, in->envelope.class, w.verdict.action);
}
