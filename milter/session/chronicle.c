/* SPDX-License-Identifier: BSD-2-Clause */
/* chronicle -- what the history keeps of a message and its verdict. */
#include "session/chronicle.h"

#include "base/arena.h"
#include "base/clock.h"
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
		e->hits[e->nhits++] = (struct history_hit){
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

void
chronicle_tell_event(
    struct memory *memory, struct str id, struct str verb, struct str by)
{
	struct history_entry e = {
	    .time_wall = clock_wall(),
	    .class = CLASS_INBOUND,
	    .flags = HISTORY_IS_EVENT,
	};
	e.text[HISTORY_ACTION] = verb;
	e.text[HISTORY_ID] = id;
	e.text[HISTORY_BY] = by;
	history_record(memory, &e);
}
