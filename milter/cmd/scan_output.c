/* SPDX-License-Identifier: BSD-2-Clause */
/* scan_output -- one scanned message as a line, an explanation, or JSON. */
#include "cmd/scan_output.h"

#include <math.h>

#include "base/arena.h"
#include "base/json.h"
#include "cmd/auth_output.h"
#include "mail/header.h"

#define RULES_BYTES 4096

static const char *const styles[UI_STYLE_COUNT] = {
    [UI_PLAIN] = "",
    [UI_BOLD] = "\033[1m",
    [UI_DIM] = "\033[2m",
    [UI_RED] = "\033[31m",
    [UI_GREEN] = "\033[32m",
    [UI_YELLOW] = "\033[33m",
    [UI_CYAN] = "\033[36m",
};

static const enum ui_style action_styles[ACTION_COUNT] = {
    [ACTION_ACCEPT] = UI_GREEN,
    [ACTION_TAG] = UI_YELLOW,
    [ACTION_DEFER] = UI_YELLOW,
    [ACTION_HOLD] = UI_RED,
    [ACTION_REJECT] = UI_RED,
    [ACTION_DISCARD] = UI_RED,
};

static void
put_styled(const struct scan_format *f, struct buf *out, enum ui_style style,
    struct str s)
{
	bool is_colored = f->ui.has_color && style != UI_PLAIN;
	if (is_colored)
		buf_put(out, str_from(styles[style]));
	ui_escape(&f->ui, out, s);
	if (is_colored)
		buf_put(out, STR("\033[0m"));
}

static void
put_hits(const struct scan_format *f, const struct rule_hits *hits,
    bool has_scores, struct buf *out)
{
	for (size_t i = 0; i < hits->n; i++) {
		const struct rule_hit *h = &hits->v[i];
		if (has_scores)
			buf_printf(out, "  %7.3f  ", h->score);
		else
			buf_printf(out, "      sub  ");
		put_styled(f, out, UI_BOLD, h->rule);
		if (h->count > 1)
			buf_printf(out, " x%u", h->count);
		if (h->describe.len > 0) {
			buf_printf(out, "  ");
			ui_escape(&f->ui, out, h->describe);
		}
		if (h->evidence.len > 0) {
			buf_printf(out, "\n           ");
			put_styled(f, out, UI_DIM, h->evidence);
		}
		buf_putc(out, '\n');
	}
}

/* "notice     dsn: multipart/report ...", and what is known of whom it answers.
 */
static void
put_notice(
    const struct scan_format *f, const struct notice *notice, struct buf *out)
{
	if (notice->form.kind != NOTICE_NONE) {
		buf_printf(out, "    %-10s %.*s: ", "notice",
		    STR_ARG(notice_kind_name(notice->form.kind)));
		ui_escape(&f->ui, out, notice->form.evidence);
		buf_putc(out, '\n');
	}
	if (!notice->is_answer)
		return;
	buf_printf(out, "    %-10s %.*s: ", "origin",
	    STR_ARG(notice_origin_name(notice->origin)));
	if (notice->never[0] != '\0')
		buf_printf(out, "%s; ", notice->never);
	ui_escape(&f->ui, out, notice->evidence);
	buf_putc(out, '\n');
}

static void
put_text(const struct scan_format *f, struct arena *a, struct str file,
    const struct envelope *envelope, const struct class_config *class,
    const struct scan *scan, const struct facts *facts,
    const struct notice *notice, struct buf *out)
{
	enum action action = scan->verdict.would;
	ui_escape(&f->ui, out, file);
	buf_printf(out, ": ");
	put_styled(f, out, action_styles[action], action_name(action));
	buf_printf(out, " score=%.4g/%.4g class=%.*s", scan->result.score,
	    class->hold, STR_ARG(mail_class_name(envelope->class)));
	if (!f->is_explained) {
		buf_printf(out, " rules=");
		ui_escape(&f->ui, out,
		    scan_rules_text(a, &scan->result, RULES_BYTES));
	}
	if (facts->has_flight)
		buf_printf(out, " preflight=%.*s",
		    STR_ARG(preflight_verdict_name(facts->flight.verdict)));
	if (notice->form.kind != NOTICE_NONE)
		buf_printf(out, " notice=%.*s",
		    STR_ARG(notice_kind_name(notice->form.kind)));
	buf_printf(out, " ms=%.1f\n", (double)scan->us / 1000);
	if (f->is_explained)
		put_hits(f, &scan->result.hits, true, out);
	if (f->is_explained)
		auth_explain(&f->ui, facts, out);
	if (f->is_explained)
		put_notice(f, notice, out);
	if (f->has_subs)
		put_hits(f, &scan->result.subs, false, out);
}

static json_t *
notice_json(const struct notice *notice)
{
	bool is_notice = notice->form.kind != NOTICE_NONE;
	return json_pack("{s:o,s:o,s:o,s:o,s:o}", "kind",
	    is_notice ? json_text(notice_kind_name(notice->form.kind))
		      : json_null(),
	    "evidence",
	    is_notice ? json_text(notice->form.evidence) : json_null(),
	    "origin",
	    notice->is_answer ? json_text(notice_origin_name(notice->origin))
			      : json_null(),
	    "origin_evidence",
	    notice->is_answer ? json_text(notice->evidence) : json_null(),
	    "never",
	    notice->never[0] != '\0' ? json_string(notice->never)
				     : json_null());
}

static json_t *
threshold(double score)
{
	return score > 0 ? json_real(score) : json_null();
}

static json_t *
thresholds(const struct class_config *class)
{
	return json_pack("{s:o,s:o,s:o,s:o}", "tag", threshold(class->tag),
	    "defer", threshold(class->defer), "hold", threshold(class->hold),
	    "reject", threshold(class->reject));
}

/* Without a fraction where there is none. */
static json_t *
number(double value)
{
	bool is_whole = fabs(value) < 1e15 && value == trunc(value);
	return is_whole ? json_integer((json_int_t)value) : json_real(value);
}

static json_t *
hits(const struct rule_hits *list, bool is_scored)
{
	json_t *array = json_array();
	for (size_t i = 0; i < list->n; i++) {
		const struct rule_hit *h = &list->v[i];
		json_t *hit = json_pack("{s:o,s:I,s:o}", "rule",
		    json_text(h->rule), "count", (json_int_t)h->count, "value",
		    number(h->value));
		if (is_scored) {
			(void)json_object_set_new(
			    hit, "score", json_real(h->score));
			(void)json_object_set_new(
			    hit, "evidence", json_text(h->evidence));
		}
		(void)json_array_append_new(array, hit);
	}
	return array;
}

/* Bytes as the code points of the same number, as the parity oracle prints
 * them. */
static json_t *
byte_string(struct arena *a, struct str s)
{
	struct buf *b = buf_new(a, s.len * 2);
	buf_reserve(b, s.len);
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (c >= 0x80)
			buf_putc(b, (char)(0xc0 | c >> 6));
		buf_putc(b, (char)(c >= 0x80 ? 0x80 | (c & 0x3f) : c));
	}
	return json_stringn_nocheck(b->len == 0 ? "" : b->p, b->len);
}

static json_t *
byte_strings(struct arena *a, const struct strs *list)
{
	json_t *array = json_array();
	for (size_t i = 0; i < list->n; i++)
		(void)json_array_append_new(array, byte_string(a, list->v[i]));
	return array;
}

/* What `uri` rules see: bytes and characters in one list. */
static json_t *
all_uris(struct arena *a, struct message *m)
{
	struct strs all = {0};
	const struct strs *lists[] = {message_uris(m), message_wide_uris(m)};
	for (size_t i = 0; i < COUNT_OF(lists); i++)
		for (size_t k = 0; k < lists[i]->n; k++)
			strs_add(a, &all, lists[i]->v[k]);
	strs_sort(&all);
	return byte_strings(a, &all);
}

/* {"Subject:raw": [" hello\n"]}; a selector that is none gives null. */
static json_t *
heads(struct arena *a, struct message *m, const struct strs *selectors)
{
	json_t *all = json_object();
	for (size_t i = 0; i < selectors->n; i++) {
		struct header_query query;
		struct strs found = {0};
		bool is_known = header_query_parse(selectors->v[i], &query);
		if (is_known)
			header_query_list(m, &query, &found);
		(void)json_object_set_new(all, str_c(a, selectors->v[i]),
		    is_known ? byte_strings(a, &found) : json_null());
	}
	return all;
}

static void
set_views(json_t *line, struct arena *a, struct message *m,
    const struct strs *selectors)
{
	if (m == NULL)
		return;
	(void)json_object_set_new(
	    line, "body", byte_strings(a, message_body_seen(m)));
	(void)json_object_set_new(
	    line, "rawbody", byte_strings(a, message_rawbody(m)));
	(void)json_object_set_new(line, "uri", all_uris(a, m));
	if (selectors->n > 0)
		(void)json_object_set_new(line, "head", heads(a, m, selectors));
}

static void
put_json(struct buf *out, json_t *line, size_t flags)
{
	json_put(out, line, flags);
	buf_putc(out, '\n');
	json_decref(line);
}

void
scan_output(const struct scan_format *format, struct arena *a, struct str file,
    const struct envelope *envelope, const struct class_config *class,
    struct scan *scan, const struct facts *facts, const struct notice *notice,
    struct buf *out)
{
	if (!format->is_json && !format->has_views) {
		put_text(
		    format, a, file, envelope, class, scan, facts, notice, out);
		return;
	}
	json_t *line = json_pack("{s:o,s:o,s:o,s:f,s:o,s:o,s:o,s:o,s:o,s:f}",
	    "file", json_text(file), "class",
	    json_text(mail_class_name(envelope->class)), "action",
	    json_text(action_name(scan->verdict.would)), "score",
	    scan->result.score, "thresholds", thresholds(class), "hits",
	    hits(&scan->result.hits, true), "subs",
	    hits(&scan->result.subs, false), "auth", auth_json(facts), "notice",
	    notice_json(notice), "ms", (double)scan->us / 1000);
	if (format->has_views)
		set_views(line, a, scan->message, &format->heads);
	put_json(out, line, format->has_views ? JSON_ENSURE_ASCII : 0);
}

void
scan_output_trouble(const struct scan_format *format, struct arena *a,
    struct str file, struct str why, struct buf *out)
{
	(void)a;
	if (!format->is_json) {
		ui_escape(&format->ui, out, file);
		buf_printf(out, ": cannot read: %.*s\n", STR_ARG(why));
		return;
	}
	put_json(out,
	    json_pack(
		"{s:o,s:o}", "file", json_text(file), "error", json_text(why)),
	    0);
}
