/* SPDX-License-Identifier: BSD-2-Clause */
/* chronicle -- what the history keeps of a message and its verdict. */
#include "session/chronicle.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "hold/held.h"
#include "session/pseudonym.h"

static const char *const places[PLACE_COUNT] = {
    [PLACE_MTA] = "mta",
    [PLACE_CLIENT] = "client",
    [PLACE_QUARANTINE] = "quarantine",
    [PLACE_DISCARDED] = "discarded",
    [PLACE_MTA_HOLD] = "mta-hold",
    [PLACE_NOWHERE] = "nowhere",
};

struct str
mail_place_name(enum mail_place place)
{
	return str_from(places[place]);
}

bool
mail_place_parse(struct str name, enum mail_place *ret)
{
	for (size_t i = 0; i < PLACE_COUNT; i++)
		if (str_eq(name, str_from(places[i]))) {
			*ret = (enum mail_place)i;
			return true;
		}
	return false;
}

/* "[192.0.2.7]": the MTA found none. */
static struct str
host_name(struct str name)
{
	return str_starts(name, STR("[")) ? STR_EMPTY : name;
}

static void
envelope_put(const struct envelope *envelope, struct history_entry *e)
{
	e->class = envelope->class;
	e->text[HISTORY_QUEUE_ID] = envelope->queue_id;
	e->text[HISTORY_SENDER] = envelope->from;
	e->text[HISTORY_LOGIN] = envelope->login;
	e->text[HISTORY_CLIENT] = envelope->client_addr;
	e->text[HISTORY_HOST] = host_name(envelope->client_name);
	e->text[HISTORY_HELO] = envelope->helo;
	e->nrcpt_all = (uint32_t)envelope->rcpt.n;
	for (size_t i = 0; i < envelope->rcpt.n && i < HISTORY_RCPT_MAX; i++)
		e->rcpt[e->nrcpt++] = envelope->rcpt.v[i];
}

static void
verdict_put(const struct report *report, struct history_entry *e)
{
	const struct verdict *verdict = report->verdict;
	e->threshold = verdict->threshold;
	e->text[HISTORY_ACTION] = action_name(verdict->action);
	if (verdict->would != verdict->action)
		e->text[HISTORY_WOULD] = action_name(verdict->would);
}

static void
hits_put(const struct scan *scan, struct history_entry *e)
{
	const struct rule_hits *hits = &scan->result.hits;
	e->flags |= HISTORY_IS_SCANNED;
	e->score = scan->result.score;
	e->us = scan->us > UINT32_MAX ? UINT32_MAX : (uint32_t)scan->us;
	e->nhits_all = (uint32_t)hits->n;
	for (size_t i = 0; i < hits->n && i < HISTORY_HITS_MAX; i++) {
		const struct rule_hit *hit = &hits->v[i];
		e->hits[e->nhits++] = (struct mail_hit){
		    hit->rule, hit->score, hit->count, hit->evidence};
	}
}

static void
notice_put(const struct notice *notice, struct history_entry *e)
{
	if (!notice->is_answer)
		return;
	e->text[HISTORY_AUTHOR] = notice->author;
	e->text[HISTORY_ADDRESSEE] = notice->addressee;
}

/* Names as pseudonyms; without what quotes the message, and so may name
 * somebody. */
static void
names_hide(struct arena *a, const struct mac_key *key, struct history_entry *e)
{
	static const enum history_text names[] = {HISTORY_SENDER, HISTORY_LOGIN,
	    HISTORY_MESSAGE_ID, HISTORY_AUTHOR, HISTORY_ADDRESSEE};
	static const enum history_text quotes[] = {
	    HISTORY_SUBJECT, HISTORY_BECAUSE, HISTORY_EVIDENCE};
	e->flags |= HISTORY_IS_HASHED;
	for (size_t i = 0; i < COUNT_OF(names); i++)
		e->text[names[i]] = pseudonym_of(a, key, e->text[names[i]]);
	for (size_t i = 0; i < COUNT_OF(quotes); i++)
		e->text[quotes[i]] = STR_EMPTY;
	for (size_t i = 0; i < e->nrcpt; i++)
		e->rcpt[i] = pseudonym_of(a, key, e->rcpt[i]);
	for (size_t i = 0; i < e->nhits; i++)
		e->hits[i].evidence = STR_EMPTY;
}

const struct mac_key *
chronicle_key(const struct config *config, struct release *release)
{
	return config->history_addresses == HISTORY_HASHED
		   ? release_key(release)
		   : NULL;
}

void
chronicle_tell(struct arena *a, struct memory *memory,
    const struct mac_key *key, const struct chronicle *c)
{
	const struct report *report = c->report;
	if (!history_is_kept(memory))
		return;
	struct history_entry e = {
	    .time_wall = clock_wall(),
	    .flags = (c->can_refuse ? HISTORY_CAN_REFUSE : 0U) |
		     (c->is_observed ? HISTORY_IS_OBSERVED : 0U) |
		     (c->is_released ? HISTORY_IS_RELEASED : 0U) |
		     (c->is_letter ? HISTORY_IS_LETTER : 0U),
	    .size_bytes = report->size_bytes,
	};
	envelope_put(report->envelope, &e);
	verdict_put(report, &e);
	report_history(a, report, &e);
	e.text[HISTORY_PLACE] = mail_place_name(c->place);
	e.text[HISTORY_REASON] = c->reason;
	e.text[HISTORY_MESSAGE_ID] = c->message_id;
	e.text[HISTORY_SUBJECT] = c->subject;
	if (report->scan != NULL)
		hits_put(report->scan, &e);
	if (report->notice != NULL)
		notice_put(report->notice, &e);
	if (key != NULL)
		names_hide(a, key, &e);
	history_record(memory, &e);
}

struct str
chronicle_event_name(size_t i)
{
	static const char *const verbs[] = {
	    "released", "released-part", "deleted", "purged"};
	return i < COUNT_OF(verbs) ? str_from(verbs[i]) : STR_EMPTY;
}

bool
chronicle_event_is_valid(struct str verb)
{
	for (size_t i = 0; chronicle_event_name(i).len > 0; i++)
		if (str_eq(verb, chronicle_event_name(i)))
			return true;
	return false;
}

static json_t *
rcpts_json(const struct strs *rcpt)
{
	json_t *list = json_array();
	for (size_t i = 0; i < rcpt->n && i < HISTORY_RCPT_MAX; i++)
		(void)json_array_append_new(
		    list, json_text(str_sub(rcpt->v[i], 0, LEDGER_PATH_BYTES)));
	return list;
}

/* The texts of an event, each where it goes in the history. */
static const struct event_text {
	const char *key;
	size_t offset;
	enum history_text which;
} event_texts[] = {
    {"verb", offsetof(struct chronicle_event, verb), HISTORY_ACTION},
    {"id", offsetof(struct chronicle_event, id), HISTORY_ID},
    {"by", offsetof(struct chronicle_event, by), HISTORY_BY},
    {"sender", offsetof(struct chronicle_event, sender), HISTORY_SENDER},
    {"login", offsetof(struct chronicle_event, login), HISTORY_LOGIN},
    {"subject", offsetof(struct chronicle_event, subject), HISTORY_SUBJECT},
};

static struct str
event_text(const struct chronicle_event *event, const struct event_text *row)
{
	const void *at = (const char *)event + row->offset;
	return *(const struct str *)at;
}

struct str
chronicle_event_text(struct arena *a, const struct chronicle_event *event)
{
	struct buf *b = buf_new(a, CHRONICLE_EVENT_MAX);
	json_t *o = json_object();
	for (size_t i = 0; i < COUNT_OF(event_texts); i++) {
		const struct event_text *row = &event_texts[i];
		struct str text = str_sub(
		    event_text(event, row), 0, history_text_max(row->which));
		(void)json_object_set_new(o, row->key, json_text(text));
	}
	(void)json_object_set_new(o, "rcpt", rcpts_json(&event->rcpt));
	(void)json_object_set_new(o, "nrcpt", json_integer(event->nrcpt));
	json_put(b, o, 0);
	json_decref(o);
	return buf_str(b);
}

static struct str
text_of(struct arena *a, const json_t *value)
{
	return !json_is_string(value)
		   ? STR_EMPTY
		   : str_dup(a, str_of(json_string_value(value),
				    json_string_length(value)));
}

static void
event_read(struct arena *a, const json_t *o, struct chronicle_event *ret)
{
	const json_t *rcpt = json_object_get(o, "rcpt");
	json_int_t nrcpt = json_integer_value(json_object_get(o, "nrcpt"));
	for (size_t i = 0; i < COUNT_OF(event_texts); i++) {
		void *at = (char *)ret + event_texts[i].offset;
		*(struct str *)at =
		    text_of(a, json_object_get(o, event_texts[i].key));
	}
	for (size_t i = 0; i < json_array_size(rcpt) && i < HISTORY_RCPT_MAX;
	     i++)
		strs_add(a, &ret->rcpt, text_of(a, json_array_get(rcpt, i)));
	ret->nrcpt = nrcpt < 0 || nrcpt > UINT32_MAX ? 0 : (uint32_t)nrcpt;
}

bool
chronicle_event_parse(
    struct arena *a, struct str text, struct chronicle_event *ret)
{
	json_error_t error;
	json_t *o = json_loadb(text.p, text.len, JSON_ALLOW_NUL, &error);
	*ret = (struct chronicle_event){0};
	event_read(a, o, ret);
	json_decref(o);
	return chronicle_event_is_valid(ret->verb) && held_id_is_valid(ret->id);
}

void
chronicle_tell_event(struct arena *a, struct memory *memory,
    const struct mac_key *key, const struct chronicle_event *event)
{
	struct history_entry e = {
	    .time_wall = clock_wall(),
	    .class = CLASS_INBOUND,
	    .flags = HISTORY_IS_EVENT,
	    .nrcpt_all = event->nrcpt,
	};
	for (size_t i = 0; i < COUNT_OF(event_texts); i++)
		e.text[event_texts[i].which] =
		    event_text(event, &event_texts[i]);
	for (size_t i = 0; i < event->rcpt.n && i < HISTORY_RCPT_MAX; i++)
		e.rcpt[e.nrcpt++] = event->rcpt.v[i];
	if (key != NULL)
		names_hide(a, key, &e);
	history_record(memory, &e);
}
