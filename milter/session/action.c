/* SPDX-License-Identifier: BSD-2-Clause */
/* action -- a whole message to an answer for the MTA. */
#include "session/action.h"

#include <errno.h>
#include <stdatomic.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "hold/letter.h"
#include "hold/quarantine.h"
#include "hold/release.h"
#include "mail/header.h"
#include "session/alerts.h"
#include "session/answers.h"
#include "session/chronicle.h"
#include "session/metrics.h"
#include "session/receiver.h"
#include "session/report.h"
#include "session/spool.h"

/* RFC 5321 section 4.5.3.1.5: 512 octets a reply line, less code and CRLF. */
#define REPLY_BYTES 480
#define HEADER_RULES_BYTES 800
#define ALERT_RULES_BYTES 120
/* More header fields than any mail has. */
#define FIELDS_MAX 10000

/* All that is known while one message is being answered. */
struct action_work {
	struct arena *arena;
	struct gate *gate;
	const struct config *config;
	const struct snapshot *snapshot;
	const struct incoming *in;
	struct str raw;
	struct receiver_view view;
	struct message *message; /* as rules see it; NULL: not asked for */
	struct notice notice;
	struct arrival arrival;
	struct scan scan;
	struct verdict_input input; /* of `verdict` */
	struct verdict verdict;
	bool has_notice, has_arrival;
	bool is_decided; /* without a scan */
	bool is_scanned;
	bool is_released; /* it passes unread: an operator's doing, or ours */
	bool is_of_ours;  /* a letter to the admin: no alert about an alert */
	bool has_view;
	bool is_lost; /* there is no whole message to keep */
	bool is_full; /* the quarantine has as much as it may */
	bool is_kept; /* in `folder` */
	enum held_folder folder;
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
		w->verdict.action = ACTION_HOLD;
		answer_mta_hold(w);
	}
}

static struct mail_hit *
held_hits(struct action_work *w)
{
	size_t n = w->scan.result.hits.n;
	struct mail_hit *hits = ARENA_ARRAY(w->arena, struct mail_hit, n);
	for (size_t i = 0; i < n; i++) {
		const struct rule_hit *hit = &w->scan.result.hits.v[i];
		hits[i] = (struct mail_hit){
		    hit->rule, hit->score, hit->count, hit->evidence};
	}
	return hits;
}

static struct str
subject_of(struct action_work *w)
{
	if (w->message == NULL)
		return STR_EMPTY;
	struct header *subject =
	    header_last(&w->message->root->headers, STR("Subject"));
	return subject == NULL ? STR_EMPTY : header_readable(w->arena, subject);
}

/* "forged: ledger: ..." */
static struct str
reason_text(struct action_work *w)
{
	const char *reason = w->verdict.reason;
	if (!w->has_notice || w->input.permit == PERMIT_PASS)
		return str_from(reason);
	return str_printf(w->arena, "%s: %s%s%.*s", reason, w->notice.never,
	    w->notice.never[0] != '\0' ? "; " : "",
	    STR_ARG(w->notice.evidence));
}

static bool
quarantine_keep(struct action_work *w, enum held_folder folder)
{
	struct held held = {
	    .id = w->id,
	    .folder = folder,
	    .time_wall = clock_wall(),
	    .reason = reason_text(w),
	    .envelope = w->in->envelope,
	    .score = w->scan.result.score,
	    .threshold = w->verdict.threshold,
	    .hits = held_hits(w),
	    .nhits = w->scan.result.hits.n,
	    .subject = subject_of(w),
	    .size_bytes = w->raw.len,
	};
	errno = 0;
	w->folder = folder;
	w->is_kept = quarantine_store(gate_quarantine(w->gate), &held,
			 w->raw) == QUARANTINE_OK;
	if (w->is_kept)
		return true;
	w->is_full = errno == EDQUOT;
	const char *why = w->is_full   ? "quarantine-size is reached"
			  : errno != 0 ? strerror(errno)
				       : "size limit reached";
	log_error("%.*s: the quarantine cannot be written: %s",
	    STR_ARG(w->in->envelope.queue_id), why);
	w->note = str_printf(w->arena, "quarantine:%s", why);
	(void)atomic_fetch_add(&gate_metrics(w->gate)->quarantine_errors, 1);
	if (!w->is_of_ours)
		alerts_raise(gate_alerts(w->gate), ALERT_QUARANTINE_FULL,
		    STR_EMPTY, str_from(why));
	return false;
}

/* What is discarded is left to the MTA's hold queue, from which it may still
 * leave, only if there is no other place to keep it. */
static void
answer_hold(struct action_work *w, enum held_folder folder)
{
	if (folder == FOLDER_HELD && w->config->hold_in == HOLD_IN_MTA &&
	    w->in->mta_can_hold)
		answer_mta_hold(w);
	else if (!w->is_lost && quarantine_keep(w, folder))
		w->answer->kind = ANSWER_DISCARD;
	else if (w->input.permit == PERMIT_DISCARD && w->is_full)
		w->answer->kind = ANSWER_DISCARD; /* RFC 5321 section 6.2 */
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
	w->is_of_ours = letter_is_id(id);
	if (status == RELEASE_OK) {
		w->id = id;
		w->note = w->is_of_ours ? STR("letter") : STR("released");
		w->is_released = true;
		return;
	}
	w->note = str_printf(
	    w->arena, "release-%.*s", STR_ARG(release_status_name(status)));
}

static void
scan(struct action_work *w)
{
	if (w->message == NULL)
		w->message = scan_message(
		    w->arena, w->snapshot, w->raw, &w->in->envelope);
	struct scan_job job = {
	    .message = w->message,
	    .size_bytes = w->raw.len,
	    .class = w->in->envelope.class,
	    .can_refuse = w->in->can_refuse,
	    .facts = w->has_view ? &w->view.facts : NULL,
	    .notice = w->has_notice ? &w->notice : NULL,
	};
	scan_run(w->snapshot, &job, &w->scan);
	w->input = w->scan.input;
	w->verdict = w->scan.verdict;
	w->is_scanned = w->scan.message != NULL;
}

/* The budgets are asked only if nothing else keeps the notice back. */
static void
rule_notice(struct action_work *w)
{
	if (!w->has_notice || !w->notice.is_answer ||
	    !w->config->has_notice_gate)
		return;
	struct notice_ruling ruling;
	if (!notice_is_ruled(&w->notice, &ruling)) {
		if (w->verdict.would > ACTION_TAG)
			return;
		ruling = answers_rule(
		    w->arena, w->config, gate_memory(w->gate), &w->notice);
	}
	w->input.permit = ruling.permit;
	w->input.permit_reason = ruling.reason;
	if (ruling.permit != PERMIT_PASS)
		w->verdict = verdict_of(w->config, &w->input);
}

/* The one place where what could not be done is decided, by on-error. */
static void
decide_error(struct action_work *w, const char *what)
{
	w->input = (struct verdict_input){
	    .class = w->in->envelope.class,
	    .can_refuse = w->in->can_refuse,
	    .is_error = true,
	    .is_hostile = w->in->is_hostile,
	};
	w->verdict = verdict_of(w->config, &w->input);
	w->note = str_printf(w->arena, "%s", what);
	log_error(
	    "%.*s: not scanned: %s", STR_ARG(w->in->envelope.queue_id), what);
}

static struct answers_query
answers_query_of(struct action_work *w)
{
	return (struct answers_query){
	    .envelope = &w->in->envelope,
	    .mta_name = w->in->mta_name,
	    .authserv_id = w->in->authserv_id,
	    .is_of_mta = w->in->is_of_mta,
	    .is_auto = w->in->is_auto_submitted ||
		       (w->has_notice && w->notice.form.kind != NOTICE_NONE),
	    .memory = gate_memory(w->gate),
	    .dns = gate_dns(w->gate),
	    .on_wait = w->in->on_wait,
	    .wait_arg = w->in->wait_arg,
	};
}

/* Mail that comes in is not judged, only remembered with what it looks like. */
static void
look_inbound(struct action_work *w)
{
	struct answers_query query = answers_query_of(w);
	struct dkim_mail mail;
	dkim_mail_cut(w->arena, w->raw, FIELDS_MAX, &mail);
	answers_arrival(
	    w->arena, w->snapshot, &query, &mail, NULL, &w->arrival);
	w->has_arrival = true;
}

static void
look_outbound(struct action_work *w)
{
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
	receiver_alarm(w->arena, dns, gate_alerts(w->gate), &w->view.facts);
	w->has_view = true;
}

static void
look_notice(struct action_work *w)
{
	if (w->is_released)
		return;
	struct message *head = scan_message(w->arena, w->snapshot,
	    str_sub(w->raw, 0, NOTICE_BYTES), &w->in->envelope);
	if (w->raw.len <= NOTICE_BYTES)
		w->message = head;
	struct answers_query query = answers_query_of(w);
	answers_look(w->snapshot, &query, head, &w->notice);
	w->has_notice = true;
}

static void
look(struct action_work *w)
{
	if (w->in->envelope.class == CLASS_INBOUND && !w->is_released) {
		look_inbound(w);
		return;
	}
	look_outbound(w);
	look_notice(w);
	struct answers_query query = answers_query_of(w);
	answers_arrival(w->arena, w->snapshot, &query, &w->view.mail,
	    &w->view.facts, &w->arrival);
	w->has_arrival = true;
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
	if (is_inbound && in->release.len == 0 && in->trouble != NULL) {
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
	w->is_decided = w->is_released || is_inbound;
	look(w);
	return w;
}

bool
action_wants_slot(const struct action_work *work)
{
	return !work->is_decided && work->in->envelope.class != CLASS_INBOUND;
}

/* What the MTA has taken from us, so that a notice about it is known. */
static void
remember_message(struct action_work *w)
{
	struct memory *memory = gate_memory(w->gate);
	enum answer_kind kind = w->answer->kind;
	bool has_mta = kind == ANSWER_ACCEPT || kind == ANSWER_MTA_HOLD;
	if (has_mta && w->has_arrival)
		arrival_record(
		    memory, &w->in->envelope, &w->arrival, clock_wall());
}

/* A notice that passes has one, too. */
static const char *
ruling_reason(const struct action_work *w)
{
	return w->input.permit_reason != NULL && w->verdict.would <= ACTION_TAG
		   ? w->input.permit_reason
		   : w->verdict.reason;
}

static struct report
report_of(struct action_work *w)
{
	return (struct report){
	    .envelope = &w->in->envelope,
	    .scan = w->is_scanned ? &w->scan : NULL,
	    .facts = w->has_view ? &w->view.facts : NULL,
	    .notice = w->has_notice ? &w->notice : NULL,
	    .arrival = w->has_arrival && !w->has_view ? &w->arrival : NULL,
	    .verdict = &w->verdict,
	    .id = w->verdict.would >= ACTION_DEFER || w->is_released
		      ? w->id
		      : STR_EMPTY,
	    .note = w->note,
	    .size_bytes = spool_size(w->in->spool),
	};
}

static void
log_verdict(struct action_work *w, const struct report *report)
{
	struct str line = w->config->log_format == LOG_FORMAT_JSON
			      ? report_json(w->arena, report)
			      : report_text(w->arena, report);
	log_info("%.*s", STR_ARG(line));
}

/* Who has mail held, and why. */
static void
alert_hold(struct action_work *w)
{
	char room[HEAVY_KEY_BYTES];
	if (w->verdict.action != ACTION_HOLD || w->is_of_ours ||
	    !config_alert_is_told(w->config, ALERT_FIRST_HOLD))
		return;
	struct str detail = str_printf(w->arena, "%.*s, score %.4g, %.*s",
	    STR_ARG(w->id), w->scan.result.score,
	    STR_ARG(
		scan_rules_text(w->arena, &w->scan.result, ALERT_RULES_BYTES)));
	alerts_raise(gate_alerts(w->gate), ALERT_FIRST_HOLD,
	    metrics_sender(&w->in->envelope, room), detail);
}

static void
count(struct action_work *w, int64_t decided_us)
{
	struct metrics_message message = {
	    .envelope = &w->in->envelope,
	    .verdict = &w->verdict,
	    .hits = w->is_scanned ? &w->scan.result.hits : NULL,
	    .size_bytes = spool_size(w->in->spool),
	    .is_released = w->is_released && !w->is_of_ours,
	    .is_letter = w->is_released && w->is_of_ours,
	    .verdict_us = decided_us - w->in->end_us,
	};
	metrics_count(gate_metrics(w->gate), &message);
}

static enum mail_place
place_of(const struct action_work *w)
{
	switch (w->answer->kind) {
	case ANSWER_ACCEPT:
		return PLACE_MTA;
	case ANSWER_TEMPFAIL:
	case ANSWER_REJECT:
		return PLACE_CLIENT;
	case ANSWER_MTA_HOLD:
		return PLACE_MTA_HOLD;
	case ANSWER_DISCARD:
		break;
	}
	if (!w->is_kept)
		return PLACE_NOWHERE;
	return w->folder == FOLDER_HELD ? PLACE_QUARANTINE : PLACE_DISCARDED;
}

static void
remember_verdict(struct action_work *w, const struct report *report)
{
	struct memory *memory = gate_memory(w->gate);
	const struct mac_key *key =
	    chronicle_key(w->config, gate_release(w->gate));
	if (!history_is_kept(memory))
		return;
	struct chronicle chronicle = {
	    .report = report,
	    .place = place_of(w),
	    .reason = str_from(ruling_reason(w)),
	    .message_id = w->has_arrival && w->arrival.nids > 0
			      ? w->arrival.ids[0]
			      : STR_EMPTY,
	    .subject = subject_of(w),
	    .can_refuse = w->in->can_refuse,
	    .is_observed = w->config->observe,
	    .is_released = w->is_released && !w->is_of_ours,
	    .is_letter = w->is_released && w->is_of_ours,
	};
	chronicle_tell(w->arena, memory, key, &chronicle);
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
	rule_notice(w);
	int64_t decided_us = clock_us();
	answer_by_verdict(w);
	alert_hold(w);
	remember_message(w);
	struct report report = report_of(w);
	remember_verdict(w, &report);
	log_verdict(w, &report);
	count(w, decided_us);
}
