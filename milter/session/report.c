/* SPDX-License-Identifier: BSD-2-Clause */
/* report -- one log line a message. */
#include "session/report.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/log.h"
#include "state/history.h"

#define RULES_BYTES 1500
#define TROUBLE_BYTES 300
#define BECAUSE_BYTES 300
#define EVIDENCE_BYTES 400
/* What mail or a client chose must not push the rest off the line (log.c). */
#define ADDRESS_BYTES 400

struct value {
	enum { VALUE_NONE, VALUE_TEXT, VALUE_NUMBER } kind;
	struct str text;
	double number;
};

static struct value
text(struct str s)
{
	return (struct value){s.len > 0 ? VALUE_TEXT : VALUE_NONE, s, 0};
}

static struct value
number(double n)
{
	return (struct value){VALUE_NUMBER, STR_EMPTY, n};
}

static struct value
get_action(struct arena *a, const struct report *r)
{
	(void)a;
	return text(action_name(r->verdict->action));
}

static struct value
get_would(struct arena *a, const struct report *r)
{
	(void)a;
	return r->verdict->would == r->verdict->action
		   ? (struct value){.kind = VALUE_NONE}
		   : text(action_name(r->verdict->would));
}

static struct value
get_score(struct arena *a, const struct report *r)
{
	if (r->scan == NULL)
		return (struct value){.kind = VALUE_NONE};
	double score = r->scan->result.score;
	return text(
	    r->verdict->threshold > 0
		? str_printf(a, "%.4g/%.4g", score, r->verdict->threshold)
		: str_printf(a, "%.4g", score));
}

static struct value
get_rules(struct arena *a, const struct report *r)
{
	if (r->scan == NULL)
		return (struct value){.kind = VALUE_NONE};
	return text(scan_rules_text(a, &r->scan->result, RULES_BYTES));
}

static struct value
get_class(struct arena *a, const struct report *r)
{
	(void)a;
	return text(mail_class_name(r->envelope->class));
}

static struct value
get_login(struct arena *a, const struct report *r)
{
	(void)a;
	return text(str_sub(r->envelope->login, 0, ADDRESS_BYTES));
}

static struct value
get_client(struct arena *a, const struct report *r)
{
	(void)a;
	return text(r->envelope->client_addr);
}

static struct value
get_from(struct arena *a, const struct report *r)
{
	struct str from = str_sub(r->envelope->from, 0, ADDRESS_BYTES);
	bool is_cut = from.len < r->envelope->from.len;
	return text(
	    str_printf(a, "<%.*s%s>", STR_ARG(from), is_cut ? "..." : ""));
}

static struct value
get_nrcpt(struct arena *a, const struct report *r)
{
	(void)a;
	return number((double)r->envelope->rcpt.n);
}

static struct value
get_size(struct arena *a, const struct report *r)
{
	(void)a;
	return number((double)r->size_bytes);
}

static struct value
get_reason(struct arena *a, const struct report *r)
{
	(void)a;
	bool is_plain = strcmp(r->verdict->reason, "score") == 0;
	return text(is_plain ? STR_EMPTY : str_from(r->verdict->reason));
}

static struct value
get_note(struct arena *a, const struct report *r)
{
	(void)a;
	return text(r->note);
}

/* Which bounds left something of the message unseen, by option. */
static void
put_cuts(struct buf *b, const struct scan *scan)
{
	struct message_cuts cuts = {0};
	if (scan->message != NULL)
		cuts = message_cuts(scan->message);
	const struct {
		bool is_cut;
		const char *option;
	} bounds[] = {
	    {scan->is_cut, "scan-limit"},
	    {scan->result.is_out_of_time, "scan-time"},
	    {cuts.header, "header-limit"},
	    {cuts.parts, "part-limit"},
	    {cuts.depth, "depth-of-parts"},
	    {cuts.uris, "link-limit"},
	};
	for (size_t i = 0; i < COUNT_OF(bounds); i++)
		if (bounds[i].is_cut)
			buf_printf(
			    b, "%s%s", b->len > 0 ? "," : "", bounds[i].option);
}

/* Rules that could not be decided, and a message that was not seen whole. */
static struct value
get_trouble(struct arena *a, const struct report *r)
{
	static const char *const words[] = {
	    [TROUBLE_MATCH_LIMIT] = "match-limit",
	    [TROUBLE_JIT_STACK] = "jit-stack",
	    [TROUBLE_TIME_BUDGET] = "time",
	};
	if (r->scan == NULL)
		return (struct value){.kind = VALUE_NONE};
	struct buf *b = buf_new(a, TROUBLE_BYTES);
	put_cuts(b, r->scan);
	for (size_t i = 0; i < r->scan->result.troubles.n; i++) {
		const struct rule_trouble *t = &r->scan->result.troubles.v[i];
		buf_printf(b, "%s%.*s:%s", b->len > 0 ? "," : "",
		    STR_ARG(t->rule), words[t->kind]);
	}
	return text(buf_str(b));
}

static bool
has_flight(const struct report *r)
{
	return r->facts != NULL && r->facts->has_flight;
}

/* "unknown": see enum preflight_spf_state. */
static struct value
get_spf(struct arena *a, const struct report *r)
{
	(void)a;
	if (r->arrival != NULL)
		return text(spf_result_name(r->arrival->view.spf));
	if (!has_flight(r))
		return (struct value){.kind = VALUE_NONE};
	const struct preflight_spf *spf = &r->facts->flight.spf;
	bool is_judged =
	    spf->state == SPF_STATE_JUDGED || spf->state == SPF_STATE_NO_DOMAIN;
	return text(is_judged ? spf_result_name(spf->result) : STR("unknown"));
}

static struct value
get_dkim(struct arena *a, const struct report *r)
{
	(void)a;
	if (r->arrival != NULL)
		return text(dkim_result_name(r->arrival->view.dkim));
	return has_flight(r) ? text(dkim_result_name(r->facts->flight.dkim))
			     : (struct value){.kind = VALUE_NONE};
}

static struct value
get_dmarc(struct arena *a, const struct report *r)
{
	(void)a;
	if (r->arrival != NULL)
		return text(sender_dmarc_name(r->arrival->view.dmarc));
	return has_flight(r)
		   ? text(preflight_dmarc_name(r->facts->flight.verdict))
		   : (struct value){.kind = VALUE_NONE};
}

static struct value
get_preflight(struct arena *a, const struct report *r)
{
	(void)a;
	return has_flight(r)
		   ? text(preflight_verdict_name(r->facts->flight.verdict))
		   : (struct value){.kind = VALUE_NONE};
}

/* Why a receiver would not take it, or may not. */
static struct value
get_because(struct arena *a, const struct report *r)
{
	(void)a;
	if (!has_flight(r) || r->facts->flight.verdict < PREFLIGHT_FAIL_NONE)
		return (struct value){.kind = VALUE_NONE};
	return text(str_sub(r->facts->flight.evidence, 0, BECAUSE_BYTES));
}

/* "DOMAIN:SELECTOR,...", a key that is not the published one with ":missing";
 * or "no:" and why it is not signed. */
static struct value
get_sign(struct arena *a, const struct report *r)
{
	const struct facts *f = r->facts;
	if (f == NULL || f->why_unsigned == UNSIGNED_NO_TABLES)
		return (struct value){.kind = VALUE_NONE};
	if (f->nsigners == 0)
		return text(
		    str_printf(a, "no:%s", unsigned_why_name(f->why_unsigned)));
	struct buf *b = buf_new(a, ADDRESS_BYTES);
	for (size_t i = 0; i < f->nsigners; i++) {
		const struct dkim_signer *s = &f->signers[i];
		buf_printf(b, "%s%.*s:%.*s", i == 0 ? "" : ",",
		    STR_ARG(s->domain), STR_ARG(s->selector));
		if (i < f->flight.nours &&
		    f->flight.ours[i].match != DKIM_MATCHES)
			buf_printf(b, ":%.*s",
			    STR_ARG(dkim_match_name(f->flight.ours[i].match)));
	}
	return text(buf_str(b));
}

static bool
has_notice(const struct report *r)
{
	return r->notice != NULL &&
	       (r->notice->form.kind != NOTICE_NONE || r->notice->is_answer);
}

/* "none": from the null sender, and of no kind that we know. */
static struct value
get_notice(struct arena *a, const struct report *r)
{
	(void)a;
	return has_notice(r) ? text(notice_kind_name(r->notice->form.kind))
			     : (struct value){.kind = VALUE_NONE};
}

static struct value
get_origin(struct arena *a, const struct report *r)
{
	(void)a;
	return has_notice(r) && r->notice->is_answer
		   ? text(notice_origin_name(r->notice->origin))
		   : (struct value){.kind = VALUE_NONE};
}

static struct value
get_to(struct arena *a, const struct report *r)
{
	if (!has_notice(r) || !r->notice->is_answer)
		return (struct value){.kind = VALUE_NONE};
	return text(str_printf(a, "<%.*s>",
	    STR_ARG(str_sub(r->notice->addressee, 0, ADDRESS_BYTES))));
}

/* What speaks for its origin, or for a loop. */
static struct value
get_evidence(struct arena *a, const struct report *r)
{
	if (!has_notice(r) || !r->notice->is_answer)
		return (struct value){.kind = VALUE_NONE};
	const char *never = r->notice->never;
	return text(
	    str_printf(a, "%s%s%.*s", never, never[0] != '\0' ? "; " : "",
		STR_ARG(str_sub(r->notice->evidence, 0, EVIDENCE_BYTES))));
}

static struct value
get_ms(struct arena *a, const struct report *r)
{
	if (r->scan == NULL)
		return (struct value){.kind = VALUE_NONE};
	return text(str_printf(a, "%.1f", (double)r->scan->us / 1000));
}

static struct value
get_id(struct arena *a, const struct report *r)
{
	(void)a;
	return text(r->id);
}

/* The order of posternd(8), LOGGING; HISTORY_TEXTS: not in words of the
 * history.
 */
static const struct {
	const char *key;
	struct value (*get)(struct arena *a, const struct report *r);
	enum history_text text;
} keys[] = {
    {"action", get_action, HISTORY_TEXTS},
    {"would", get_would, HISTORY_TEXTS},
    {"score", get_score, HISTORY_TEXTS},
    {"rules", get_rules, HISTORY_TEXTS},
    {"class", get_class, HISTORY_TEXTS},
    {"login", get_login, HISTORY_TEXTS},
    {"client", get_client, HISTORY_TEXTS},
    {"from", get_from, HISTORY_TEXTS},
    {"nrcpt", get_nrcpt, HISTORY_TEXTS},
    {"size", get_size, HISTORY_TEXTS},
    {"spf", get_spf, HISTORY_SPF},
    {"dkim", get_dkim, HISTORY_DKIM},
    {"dmarc", get_dmarc, HISTORY_DMARC},
    {"preflight", get_preflight, HISTORY_PREFLIGHT},
    {"because", get_because, HISTORY_BECAUSE},
    {"sign", get_sign, HISTORY_SIGN},
    {"notice", get_notice, HISTORY_NOTICE},
    {"origin", get_origin, HISTORY_ORIGIN},
    {"to", get_to, HISTORY_TEXTS},
    {"evidence", get_evidence, HISTORY_EVIDENCE},
    {"reason", get_reason, HISTORY_TEXTS},
    {"trouble", get_trouble, HISTORY_TROUBLE},
    {"note", get_note, HISTORY_NOTE},
    {"ms", get_ms, HISTORY_TEXTS},
    {"id", get_id, HISTORY_ID},
};

void
report_history(
    struct arena *a, const struct report *report, struct history_entry *ret)
{
	for (size_t i = 0; i < COUNT_OF(keys); i++)
		if (keys[i].text != HISTORY_TEXTS)
			ret->text[keys[i].text] = keys[i].get(a, report).text;
}

/* A value is one word: blanks and controls are \xNN. */
static void
put_word(struct buf *b, struct str s)
{
	while (s.len > 0) {
		size_t blank = str_chr(s, ' ');
		log_escape(b, str_sub(s, 0, blank));
		if (blank == STR_NONE)
			break;
		buf_put(b, STR("\\x20"));
		s = str_skip(s, blank + 1);
	}
}

struct str
report_text(struct arena *a, const struct report *report)
{
	struct buf *b = buf_new(a, 8000);
	struct str queue_id = report->envelope->queue_id;
	put_word(b, queue_id.len > 0 ? queue_id : STR("NOQUEUE"));
	buf_putc(b, ':');
	for (size_t i = 0; i < COUNT_OF(keys); i++) {
		struct value value = keys[i].get(a, report);
		if (value.kind == VALUE_NONE)
			continue;
		buf_printf(b, " %s=", keys[i].key);
		if (value.kind == VALUE_NUMBER)
			buf_printf(b, "%.15g", value.number);
		else
			put_word(b, value.text);
	}
	return buf_str(b);
}

struct str
report_json(struct arena *a, const struct report *report)
{
	json_t *line = json_object();
	(void)json_object_set_new(
	    line, "queue_id", json_text(report->envelope->queue_id));
	for (size_t i = 0; i < COUNT_OF(keys); i++) {
		struct value value = keys[i].get(a, report);
		if (value.kind != VALUE_NONE)
			(void)json_object_set_new(line, keys[i].key,
			    value.kind == VALUE_NUMBER
				? json_integer((json_int_t)value.number)
				: json_text(value.text));
	}
	struct buf *b = buf_new(a, SIZE_MAX / 2);
	json_put(b, line, 0);
	json_decref(line);
	return buf_str(b);
}
