/* SPDX-License-Identifier: BSD-2-Clause */
/* story -- one message of the history in plain words. */
#include "cmd/history/story.h"

#include <math.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "cmd/doctor/doctor.h"
#include "cmd/held/held_output.h"
#include "cmd/history/reason.h"
#include "session/chronicle.h"

#define LINE_BYTES 8192

static const struct {
	const char *key, *title;
} parts[STORY_PARTS] = {
    [STORY_CAME] = {"came", "What came in"},
    [STORY_FOUND] = {"found", "What was found"},
    [STORY_DECIDED] = {"decided", "What was decided, and why"},
    [STORY_NOW] = {"now", "Where it is now"},
    [STORY_SINCE] = {"since", "What happened since"},
    [STORY_NEXT] = {"next", "What you can do"},
};

const char *
story_title(enum story_part part)
{
	return parts[part].title;
}

const char *
story_key(enum story_part part)
{
	return parts[part].key;
}

/* While it is told. */
struct teller {
	struct arena *a;
	const struct story_source *source;
	const struct history_entry *e;
	const struct class_config *class; /* as it is now */
	struct story *story;
	enum action action, would;
	enum mail_place place;
};

static struct str
text_of(const struct teller *t, enum history_text which)
{
	return t->e->text[which];
}

static bool
has_flag(const struct teller *t, enum history_flag flag)
{
	return (t->e->flags & flag) != 0;
}

static void
line(struct teller *t, enum story_part part, struct str text)
{
	strs_add(t->a, &t->story->part[part], text);
}

/* `fmt` and what goes into it are ours; see str_printf(). */
#define SAY(t, part, ...) line(t, part, str_printf((t)->a, __VA_ARGS__))

/* Pieces of a line, of any bytes: no printf stops at a NUL in them. */
static struct buf *
line_begin(struct teller *t, const char *head)
{
	struct buf *b = buf_new(t->a, LINE_BYTES);
	buf_put(b, str_from(head));
	return b;
}

static void
words(struct buf *b, const char *before, struct str text, const char *behind)
{
	if (text.len == 0)
		return;
	buf_put(b, str_from(before));
	buf_put(b, text);
	buf_put(b, str_from(behind));
}

static void
say_text(struct teller *t, enum story_part part, const char *before,
    struct str text, const char *behind)
{
	struct buf *b = line_begin(t, "");
	words(b, before, text, behind);
	if (b->len > 0)
		line(t, part, buf_str(b));
}

static struct str
time_text(struct teller *t, int64_t wall)
{
	char stamp[CLOCK_STAMP];
	clock_stamp(wall, stamp);
	return str_printf(t->a, "%s (%.*s ago)", stamp,
	    STR_ARG(held_age_text(t->a, t->source->now_wall - wall)));
}

/* ---- what came in */

static void
tell_sender(struct teller *t)
{
	static const char *const ways[CLASS_COUNT] = {
	    [CLASS_SUBMISSION] = "class submission: a user who logged in",
	    [CLASS_LOCAL] = "class local: made on this host",
	    [CLASS_RELAY] = "class relay: a trusted client that did not log in",
	    [CLASS_NOTICE] = "class notice: made by a program",
	    [CLASS_INBOUND] = "class inbound: from outside",
	};
	struct buf *b = line_begin(t, "from <");
	buf_put(b, text_of(t, HISTORY_SENDER));
	buf_put(b, STR(">"));
	words(b, ", logged in as ", text_of(t, HISTORY_LOGIN), "");
	buf_printf(b, " (%s)", ways[t->e->class]);
	line(t, STORY_CAME, buf_str(b));
	b = line_begin(t, "");
	words(b, "by client ", text_of(t, HISTORY_CLIENT), "");
	words(b, ", ", text_of(t, HISTORY_HOST), "");
	words(b, b->len > 0 ? ", which called itself " : "by ",
	    text_of(t, HISTORY_HELO), "");
	if (b->len > 0)
		line(t, STORY_CAME, buf_str(b));
}

static void
tell_recipients(struct teller *t)
{
	struct buf *b = line_begin(t, "to ");
	for (size_t i = 0; i < t->e->nrcpt; i++) {
		buf_put(b, i == 0 ? STR("<") : STR(", <"));
		buf_put(b, t->e->rcpt[i]);
		buf_putc(b, '>');
	}
	if (t->e->nrcpt_all > t->e->nrcpt)
		buf_printf(
		    b, " and %u more", t->e->nrcpt_all - (uint32_t)t->e->nrcpt);
	if (t->e->nrcpt_all == 0)
		buf_put(b, STR("nobody"));
	line(t, STORY_CAME, buf_str(b));
}

static void
tell_notice(struct teller *t)
{
	if (text_of(t, HISTORY_NOTICE).len == 0)
		return;
	struct buf *b = line_begin(t, "an automatic notice");
	words(b, " of kind ", text_of(t, HISTORY_NOTICE), "");
	words(b, " from <", text_of(t, HISTORY_AUTHOR), ">");
	words(b, ", which answers <", text_of(t, HISTORY_ADDRESSEE), ">");
	line(t, STORY_CAME, buf_str(b));
}

static void
tell_came(struct teller *t)
{
	SAY(t, STORY_CAME, "at %.*s", STR_ARG(time_text(t, t->e->time_wall)));
	tell_sender(t);
	tell_recipients(t);
	tell_notice(t);
	say_text(t, STORY_CAME, "subject: ", text_of(t, HISTORY_SUBJECT), "");
	say_text(t, STORY_CAME, "Message-ID: <", text_of(t, HISTORY_MESSAGE_ID),
	    ">");
	say_text(t, STORY_CAME, "queue id: ", text_of(t, HISTORY_QUEUE_ID), "");
	SAY(t, STORY_CAME, "size: %llu bytes",
	    (unsigned long long)t->e->size_bytes);
	if (has_flag(t, HISTORY_IS_HASHED))
		line(t, STORY_CAME,
		    STR("names are kept as hashes, and nothing that quotes the "
			"message (history-addresses)"));
}

/* ---- what was found */

static void
tell_preflight(struct teller *t)
{
	static const struct {
		const char *verdict, *words;
	} rows[] = {
	    {"pass", "receivers take it"},
	    {"pass_spf_only", "receivers take it by SPF alone: whoever "
			      "forwards it breaks that"},
	    {"fail_reject", "receivers refuse it: the author's domain says so"},
	    {"fail_quarantine", "receivers put it into a spam folder: the "
				"author's domain says so"},
	    {"fail_none", "DMARC fails, though the author's domain asks for "
			  "nothing"},
	    {"nodmarc", "the author's domain has no DMARC record"},
	    {"temp", "the DNS gave no answer in time"},
	    {"form", "the From field is not one that receivers can judge"},
	};
	struct str verdict = text_of(t, HISTORY_PREFLIGHT);
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (str_ieq(verdict, str_from(rows[i].verdict)))
			SAY(t, STORY_FOUND, "pre-flight %s: %s",
			    rows[i].verdict, rows[i].words);
	say_text(t, STORY_FOUND, "because ", text_of(t, HISTORY_BECAUSE), "");
}

static void
tell_auth(struct teller *t)
{
	bool is_inbound = t->e->class == CLASS_INBOUND;
	struct str sign = text_of(t, HISTORY_SIGN);
	struct buf *b = line_begin(t, "");
	words(b, "SPF ", text_of(t, HISTORY_SPF), "");
	words(
	    b, b->len > 0 ? ", DKIM " : "DKIM ", text_of(t, HISTORY_DKIM), "");
	words(b, b->len > 0 ? ", DMARC " : "DMARC ", text_of(t, HISTORY_DMARC),
	    "");
	if (b->len == 0) {
		line(t, STORY_FOUND,
		    STR("what receivers would think was not looked at"));
		return;
	}
	buf_put(b, is_inbound ? STR(" when it came in")
			      : STR(", as receivers will find"));
	line(t, STORY_FOUND, buf_str(b));
	tell_preflight(t);
	if (str_starts(sign, STR("no:")))
		say_text(t, STORY_FOUND,
		    "no DKIM signature of ours: ", str_skip(sign, 3), "");
	else
		say_text(t, STORY_FOUND, "our DKIM key: ", sign, "");
}

/* Those that count most, first. */
static int
hit_compare(const void *x, const void *y)
{
	const struct mail_hit *const *a = x, *const *b = y;
	double m = fabs((*a)->score), n = fabs((*b)->score);
	return m > n ? -1 : m < n ? 1 : str_cmp((*a)->rule, (*b)->rule);
}

static void
tell_hit(struct teller *t, const struct mail_hit *hit)
{
	struct buf *b = buf_new(t->a, LINE_BYTES);
	buf_printf(b, "%8.4g ", hit->score);
	buf_put(b, hit->rule);
	if (hit->count > 1)
		buf_printf(b, " x%u", hit->count);
	words(b, "  ", hit->evidence, "");
	line(t, STORY_FOUND, buf_str(b));
}

static void
tell_hits(struct teller *t)
{
	const struct history_entry *e = t->e;
	const struct mail_hit *sorted[HISTORY_HITS_MAX];
	if (!has_flag(t, HISTORY_IS_SCANNED)) {
		line(t, STORY_FOUND, STR("no rules were run"));
		return;
	}
	SAY(t, STORY_FOUND, "score %.4g: %u rule%s hit, in %.1f ms", e->score,
	    e->nhits_all, e->nhits_all == 1 ? "" : "s", (double)e->us / 1000);
	for (size_t i = 0; i < e->nhits; i++)
		sorted[i] = &e->hits[i];
	qsort(sorted, e->nhits, sizeof(sorted[0]), hit_compare);
	for (size_t i = 0; i < e->nhits; i++)
		tell_hit(t, sorted[i]);
	if (e->nhits_all > e->nhits)
		SAY(t, STORY_FOUND, "and %zu more", e->nhits_all - e->nhits);
}

static void
tell_found(struct teller *t)
{
	tell_auth(t);
	if (text_of(t, HISTORY_ORIGIN).len > 0) {
		struct buf *b = line_begin(t, "origin of the notice: ");
		buf_put(b, text_of(t, HISTORY_ORIGIN));
		words(b, ": ", text_of(t, HISTORY_EVIDENCE), "");
		line(t, STORY_FOUND, buf_str(b));
	}
	tell_hits(t);
	say_text(t, STORY_FOUND,
	    "not decided, or not seen: ", text_of(t, HISTORY_TROUBLE), "");
}

/* ---- what was decided */

static const struct {
	const char *done, *name; /* of the option of a class; NULL: none */
	size_t threshold;
} actions[ACTION_COUNT] = {
    [ACTION_ACCEPT] = {"it passed", NULL, 0},
    [ACTION_TAG] = {"it passed, tagged with X-Postern headers", "tag",
	offsetof(struct class_config, tag)},
    [ACTION_DEFER] = {"the client was asked to try again later", "defer",
	offsetof(struct class_config, defer)},
    [ACTION_HOLD] = {"it was held", "hold",
	offsetof(struct class_config, hold)},
    [ACTION_REJECT] = {"it was rejected", "reject",
	offsetof(struct class_config, reject)},
    [ACTION_DISCARD] = {"it was discarded", NULL, 0},
};

static double
threshold_of(const struct teller *t, enum action action)
{
	const void *at = (const char *)t->class + actions[action].threshold;
	return actions[action].name == NULL ? 0 : *(const double *)at;
}

/*
 * Which option had the threshold.  Where the client could not be told no, what
 * would have been a refusal is a hold: the value tells.
 */
static enum action
rung_of(const struct teller *t)
{
	static const enum action rungs[] = {
	    ACTION_REJECT, ACTION_HOLD, ACTION_DEFER, ACTION_TAG};
	if (t->would == ACTION_HOLD && !has_flag(t, HISTORY_CAN_REFUSE))
		for (size_t i = 0; i < COUNT_OF(rungs); i++)
			if (threshold_of(t, rungs[i]) == t->e->threshold)
				return rungs[i];
	return t->would;
}

static void
tell_threshold(struct teller *t)
{
	enum action rung = rung_of(t);
	const char *option = actions[rung].name;
	struct str class = mail_class_name(t->e->class);
	SAY(t, STORY_DECIDED,
	    "the score %.4g reached %.4g, the threshold \"%s\" of class %.*s "
	    "in postern.conf",
	    t->e->score, t->e->threshold, option == NULL ? "?" : option,
	    STR_ARG(class));
	if (rung != t->would)
		line(t, STORY_DECIDED,
		    STR("nobody could be told no here (the MTA itself handed "
			"it over), so it was to be held instead"));
	double now = threshold_of(t, rung);
	if (now != t->e->threshold)
		SAY(t, STORY_DECIDED, "that threshold is %.4g now%s", now,
		    now == 0 ? ", which is off" : "");
}

static void
tell_below(struct teller *t)
{
	static const enum action rungs[] = {
	    ACTION_TAG, ACTION_DEFER, ACTION_HOLD, ACTION_REJECT};
	struct str class = mail_class_name(t->e->class);
	double lowest = 0;
	const char *option = "";
	for (size_t i = 0; i < COUNT_OF(rungs); i++) {
		double threshold = threshold_of(t, rungs[i]);
		if (threshold > 0 && (lowest == 0 || threshold < lowest)) {
			lowest = threshold;
			option = actions[rungs[i]].name;
		}
	}
	if (t->e->class == CLASS_INBOUND)
		line(t, STORY_DECIDED,
		    STR("mail of class inbound is never filtered"));
	else if (!has_flag(t, HISTORY_IS_SCANNED))
		SAY(t, STORY_DECIDED,
		    "mail of class %.*s was not filtered: its option filter "
		    "was off",
		    STR_ARG(class));
	else if (lowest > t->e->score)
		SAY(t, STORY_DECIDED,
		    "the score %.4g is below every threshold of class %.*s: "
		    "the lowest is \"%s\", now %.4g",
		    t->e->score, STR_ARG(class), option, lowest);
	else
		SAY(t, STORY_DECIDED,
		    "the score %.4g was below every threshold of class %.*s at "
		    "that time",
		    t->e->score, STR_ARG(class));
}

static void
tell_reason(struct teller *t)
{
	struct str reason = text_of(t, HISTORY_REASON);
	if (has_flag(t, HISTORY_IS_LETTER)) {
		line(t, STORY_DECIDED,
		    STR("it is posternd's own letter to the admin, an alert or "
			"the digest: what tells of held mail is not filtered"));
		return;
	}
	if (has_flag(t, HISTORY_IS_RELEASED)) {
		say_text(t, STORY_DECIDED,
		    "an operator had let it go from the quarantine, so it was "
		    "not filtered again; why it was held: postern explain ",
		    text_of(t, HISTORY_ID), "");
		return;
	}
	const struct reason *known = reason_find(reason);
	if (known != NULL && known->words != NULL)
		line(t, STORY_DECIDED, str_from(known->words));
	if (t->e->threshold > 0)
		tell_threshold(t);
	else if (t->would <= ACTION_TAG)
		tell_below(t);
}

static void
tell_decided(struct teller *t)
{
	struct str note = text_of(t, HISTORY_NOTE);
	tell_reason(t);
	if (t->action != t->would && has_flag(t, HISTORY_IS_OBSERVED)) {
		SAY(t, STORY_DECIDED,
		    "observe = yes: nothing was changed, %s; the decision was "
		    "\"%.*s\"",
		    actions[t->action].done, STR_ARG(action_name(t->would)));
	} else if (t->action != t->would) {
		SAY(t, STORY_DECIDED, "\"%.*s\" was the decision, but %s",
		    STR_ARG(action_name(t->would)), actions[t->action].done);
	} else {
		SAY(t, STORY_DECIDED, "so %s (action %.*s)",
		    actions[t->action].done, STR_ARG(action_name(t->action)));
	}
	if (!has_flag(t, HISTORY_IS_RELEASED) &&
	    !has_flag(t, HISTORY_IS_LETTER))
		say_text(t, STORY_DECIDED, "note: ", note, "");
}

/* ---- where it is now */

static void
tell_kept(struct teller *t)
{
	const struct story_source *s = t->source;
	const struct held *kept = s->kept;
	int64_t age_s = kept->folder == FOLDER_HELD
			    ? s->config->held_age_ms / 1000
			    : s->config->discarded_age_ms / 1000;
	char stamp[CLOCK_STAMP];
	clock_stamp(kept->time_wall + age_s, stamp);
	SAY(t, STORY_NOW,
	    "in the quarantine, folder %.*s; it may be purged from %s (%s)",
	    STR_ARG(held_folder_name(kept->folder)), stamp,
	    kept->folder == FOLDER_HELD ? "quarantine-age" : "discarded-age");
	if (s->state == HELD_TAMPERED)
		line(t, STORY_NOW,
		    STR("but it was changed since it was stored (tampered), so "
			"it is not released without --force"));
	if (s->state == HELD_DAMAGED)
		line(t, STORY_NOW,
		    STR("but its file was changed or replaced (damaged), "
			"so it cannot be released"));
}

/* It is not there any more: the last that was done to it says why. */
static void
tell_gone(struct teller *t)
{
	const struct story_source *s = t->source;
	if (!s->is_kept_known) {
		line(t, STORY_NOW,
		    STR("in the quarantine, unless somebody has released or "
			"deleted it: it cannot be asked by you"));
		return;
	}
	for (size_t i = s->nlater; i > 0; i--) {
		const struct history_entry *e = s->later[i - 1];
		struct str verb = e->text[HISTORY_ACTION];
		bool is_release = (e->flags & HISTORY_IS_RELEASED) != 0 ||
				  str_starts(verb, STR("released"));
		if (is_release)
			line(t, STORY_NOW,
			    STR("released: the MTA has it, or has sent it"));
		else
			SAY(t, STORY_NOW, "gone: it was %.*s", STR_ARG(verb));
		return;
	}
	line(t, STORY_NOW,
	    STR("no longer in the quarantine: released, deleted or purged "
		"while posternd did not answer"));
}

static void
tell_now(struct teller *t)
{
	static const char *const rows[PLACE_COUNT] = {
	    [PLACE_MTA] = "with the MTA, which sends it or has sent it",
	    [PLACE_MTA_HOLD] = "in the MTA's own hold queue, unless somebody "
			       "has let it go there (hold-in)",
	    [PLACE_NOWHERE] = "nowhere: the quarantine was full, and a notice "
			      "to a forged sender is not worth the mail that "
			      "would be refused for it",
	};
	if (t->source->kept != NULL)
		tell_kept(t);
	else if (t->place == PLACE_QUARANTINE || t->place == PLACE_DISCARDED)
		tell_gone(t);
	else if (t->place == PLACE_CLIENT)
		line(t, STORY_NOW,
		    t->action == ACTION_DEFER
			? STR("with the client, which tries again")
			: STR("with the client, which was told so; nothing was "
			      "kept here"));
	else
		line(t, STORY_NOW, str_from(rows[t->place]));
}

/* ---- what happened since */

static void
tell_event(struct teller *t, const struct history_entry *e)
{
	char stamp[CLOCK_STAMP];
	clock_stamp(e->time_wall, stamp);
	struct buf *b = line_begin(t, stamp);
	if ((e->flags & HISTORY_IS_EVENT) != 0) {
		words(b, " ", e->text[HISTORY_ACTION], "");
		words(b, " by ", e->text[HISTORY_BY], "");
	} else {
		words(b, " it came back to posternd as ",
		    e->text[HISTORY_QUEUE_ID], "");
		words(b, ": ", e->text[HISTORY_ACTION], "");
		words(b, ", ", e->text[HISTORY_NOTE], "");
	}
	line(t, STORY_SINCE, buf_str(b));
}

static void
tell_since(struct teller *t)
{
	for (size_t i = 0; i < t->source->nlater; i++)
		tell_event(t, t->source->later[i]);
}

/* ---- what can be done */

static void
tell_log(struct teller *t)
{
	say_text(t, STORY_NEXT, "where it went: grep ",
	    text_of(t, HISTORY_QUEUE_ID), " /var/log/mail.log");
	if (t->would > ACTION_TAG)
		line(t, STORY_NEXT,
		    STR("to have such mail stopped: observe = no in "
			"postern.conf, then postern reload"));
}

static void
tell_quarantine(struct teller *t)
{
	static const char *const rows[][2] = {{"look at it", "show"},
	    {"send it", "release"}, {"delete it for good", "delete"}};
	bool is_damaged = t->source->state == HELD_DAMAGED;
	for (size_t i = is_damaged ? COUNT_OF(rows) - 1 : 0; i < COUNT_OF(rows);
	     i++) {
		struct str left = str_printf(
		    t->a, "%s: postern quarantine %s ", rows[i][0], rows[i][1]);
		say_text(t, STORY_NEXT, str_c(t->a, left),
		    text_of(t, HISTORY_ID), "");
	}
}

/* The rule that counted most, if it is the score's doing. */
static void
tell_cure(struct teller *t)
{
	const struct mail_hit *top = NULL;
	for (size_t i = 0; i < t->e->nhits; i++)
		if (top == NULL || t->e->hits[i].score > top->score)
			top = &t->e->hits[i];
	if (t->e->threshold <= 0 || top == NULL)
		return;
	struct buf *b = line_begin(t, "if that was wrong: lower the score of ");
	buf_put(b, top->rule);
	buf_put(b, STR(" in local.cf, or raise the threshold; then postern "
		       "lint and postern reload"));
	line(t, STORY_NEXT, buf_str(b));
}

static void
tell_next(struct teller *t)
{
	struct str login = text_of(t, HISTORY_LOGIN);
	if (t->source->kept != NULL)
		tell_quarantine(t);
	if (t->place == PLACE_MTA)
		tell_log(t);
	if (t->place == PLACE_MTA_HOLD) {
		say_text(t, STORY_NEXT, "Postfix, send it: postsuper -H ",
		    text_of(t, HISTORY_QUEUE_ID), "");
		say_text(t, STORY_NEXT, "Postfix, delete it: postsuper -d ",
		    text_of(t, HISTORY_QUEUE_ID), "");
	}
	if (t->would > ACTION_TAG)
		tell_cure(t);
	if (t->would <= ACTION_TAG || has_flag(t, HISTORY_IS_HASHED))
		return;
	if (login.len > 0)
		say_text(t, STORY_NEXT,
		    "what else that user sent: postern history --login ",
		    doctor_shell_word(t->a, login), "");
}

/* ---- */

static enum action
action_of(struct str name, enum action otherwise)
{
	for (int i = 0; i < ACTION_COUNT; i++)
		if (str_eq(name, action_name((enum action)i)))
			return (enum action)i;
	return otherwise;
}

void
story_tell(
    struct arena *a, const struct story_source *source, struct story *ret)
{
	const struct history_entry *e = source->entry;
	*ret = (struct story){0};
	struct teller t = {
	    .a = a,
	    .source = source,
	    .e = e,
	    .class = &source->config->class[e->class],
	    .story = ret,
	    .action = action_of(e->text[HISTORY_ACTION], ACTION_ACCEPT),
	};
	t.would = action_of(e->text[HISTORY_WOULD], t.action);
	if (!mail_place_parse(e->text[HISTORY_PLACE], &t.place))
		t.place = PLACE_MTA;
	tell_came(&t);
	tell_found(&t);
	tell_decided(&t);
	tell_now(&t);
	tell_since(&t);
	tell_next(&t);
}
