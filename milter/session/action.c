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
#include "session/receiver.h"
#include "session/report.h"
#include "session/spool.h"

/* RFC 5321 section 4.5.3.1.5: 512 octets a reply line, less code and CRLF. */
#define REPLY_BYTES 480
#define HEADER_RULES_BYTES 800

/* All that is known while one message is being answered. */
struct action_work {
	struct arena *arena;
	struct gate *gate;
	const struct config *config;
	const struct snapshot *snapshot;
	const struct incoming *in;
	struct str raw;
	struct receiver_view view;
	struct scan scan;
	struct verdict verdict;
	bool is_decided; /* without a scan */
	bool is_scanned;
	bool is_released;
	bool has_view;
	bool is_lost; /* there is no whole message to keep */
	struct str id;
	struct str note;
	struct answer *answer;
};

/* `text` with {id} filled in, fit for one reply line. */
static struct str
reply_text(struct action_work *w, struct str text)
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
answer_sign(struct action_work *w)
{
	if (w->has_view && !w->config->observe)
		w->answer->nsignatures = receiver_sign(
		    w->arena, w->snapshot, &w->view, w->answer->signatures);
}

static void
answer_accept(struct action_work *w)
{
	struct answer *answer = w->answer;
	answer->kind = ANSWER_ACCEPT;
	bool is_tagged = w->verdict.action == ACTION_TAG;
	answer->strips_headers =
	    w->is_released ||
	    (!w->config->observe && w->in->envelope.class != CLASS_INBOUND);
	answer_sign(w);
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
answer_refuse(struct action_work *w, enum answer_kind kind, struct str text)
{
	w->answer->kind = kind;
	w->answer->text = reply_text(w, text);
}

static void
answer_mta_hold(struct action_work *w)
{
	w->answer->kind = ANSWER_MTA_HOLD;
	w->answer->strips_headers = true;
	answer_sign(w);
	w->answer->text = str_printf(w->arena, "postern %.*s score %.4g %.*s",
	    STR_ARG(w->id), w->scan.result.score,
	    STR_ARG(scan_rules_text(w->arena, &w->scan.result, 200)));
}

/*
 * Nowhere to keep it: the client tries again, or, where a 4xx loops (pickup,
 * bounce), the MTA keeps it.
 */
static void
answer_not_kept(struct action_work *w)
{
	if (w->in->can_refuse || !w->in->mta_can_hold) {
		w->verdict.action = ACTION_DEFER;
		answer_refuse(w, ANSWER_TEMPFAIL, w->config->defer_text);
	} else {
		answer_mta_hold(w);
	}
}

static struct held_hit *
held_hits(struct action_work *w)
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
subject_of(struct action_work *w)
{
	if (w->scan.message == NULL)
		return STR_EMPTY;
	struct header *subject =
	    header_last(&w->scan.message->root->headers, STR("Subject"));
	return subject == NULL ? STR_EMPTY
			       : header_value(w->scan.message, subject);
}

static bool
quarantine_keep(struct action_work *w, enum held_folder folder)
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
answer_hold(struct action_work *w, enum held_folder folder)
{
	if (w->config->hold_in == HOLD_IN_MTA && w->in->mta_can_hold)
		answer_mta_hold(w);
	else if (!w->is_lost && quarantine_keep(w, folder))
		w->answer->kind = ANSWER_DISCARD;
	else
		answer_not_kept(w);
}

static void
answer_by_verdict(struct action_work *w)
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
check_release(struct action_work *w)
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
scan(struct action_work *w)
{
	struct scan_job job = {
	    .raw = w->raw,
	    .envelope = w->in->envelope,
	    .can_refuse = w->in->can_refuse,
	    .facts = w->has_view ? &w->view.facts : NULL,
	};
	scan_run(w->arena, w->snapshot, &job, &w->scan);
	w->verdict = w->scan.verdict;
	w->is_scanned = w->scan.message != NULL;
}

/* The one place where what could not be done is decided, by on-error. */
static void
decide_error(struct action_work *w, const char *what)
{
	struct verdict_input input = {
	    .class = w->in->envelope.class,
	    .can_refuse = w->in->can_refuse,
	    .is_error = true,
	    .is_hostile = w->in->is_hostile,
	};
	w->verdict = verdict_of(w->config, &input);
	w->note = str_printf(w->arena, "%s", what);
	log_error(
	    "%.*s: not scanned: %s", STR_ARG(w->in->envelope.queue_id), what);
}

static void
look(struct action_work *w)
{
	if (w->in->envelope.class == CLASS_INBOUND && !w->is_released)
		return;
	struct receiver_query query = {
	    .raw = w->raw,
	    .envelope = &w->in->envelope,
	    .mta_name = w->in->mta_name,
	    .authserv_id = w->in->authserv_id,
	    .is_sendmail = w->in->is_sendmail,
	    .is_released = w->is_released,
	    .on_wait = w->in->on_wait,
	    .wait_arg = w->in->wait_arg,
	};
	const struct dns *dns = gate_dns(w->gate);
	receiver_look(w->arena, w->snapshot, dns, &query, &w->view);
	receiver_alarm(w->arena, dns, &w->view.facts);
	w->has_view = true;
}

static void
decide_lost(struct action_work *w, const char *what)
{
	decide_error(w, what);
	w->is_lost = w->is_decided = true;
}

struct action_work *
action_begin(struct arena *a, struct gate *gate,
    const struct snapshot *snapshot, const struct incoming *in)
{
	struct action_work *w = ARENA_NEW(a, struct action_work);
	*w = (struct action_work){
	    .arena = a,
	    .gate = gate,
	    .config = &snapshot->config,
	    .snapshot = snapshot,
	    .in = in,
	    .raw = STR_EMPTY,
	    .verdict = {.action = ACTION_ACCEPT, .reason = ""},
	    .id = quarantine_id(a),
	    .note = STR_EMPTY,
	};
	bool is_inbound = in->envelope.class == CLASS_INBOUND;
	if (is_inbound && in->release.len == 0) {
		w->is_decided = true;
		return w;
	}
	if (!spool_view(in->spool, &w->raw)) {
		decide_lost(w, strerror(errno));
		return w;
	}
	if (in->trouble != NULL) {
		decide_lost(w, in->trouble);
		return w;
	}
	check_release(w);
	w->is_decided = w->is_released;
	look(w);
	return w;
}

bool
action_wants_slot(const struct action_work *work)
{
	return !work->is_decided && work->in->envelope.class != CLASS_INBOUND;
}

static void
log_verdict(struct action_work *w)
{
	struct report report = {
	    .envelope = &w->in->envelope,
	    .scan = w->is_scanned ? &w->scan : NULL,
	    .facts = w->has_view ? &w->view.facts : NULL,
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
action_finish(struct action_work *w, bool is_busy, struct answer *ret)
{
	*ret = (struct answer){.text = STR_EMPTY};
	w->answer = ret;
	if (!w->is_decided && is_busy)
		decide_error(w, "busy");
	else if (!w->is_decided)
		scan(w);
	answer_by_verdict(w);
	log_verdict(w);
	gate_count(w->gate, w->in->envelope.class, w->verdict.action);
}
