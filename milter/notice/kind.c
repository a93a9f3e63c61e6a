/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kind -- weighs marks, Subject and words against a table of rulings, the
 * surest first.  Words alone never make a notice: a ruling wants a mark, a
 * typical Subject, or a form, and the text only confirms it.
 */
#include "notice/kind.h"

#include "base/arena.h"
#include "base/buf.h"
#include "mail/header.h"
#include "mail/uchar.h"
#include "notice/marks.h"

#define TEXT_MAX ((size_t)64 << 10)
/* A larger HTML part is not rendered for this. */
#define HTML_MAX ((size_t)256 << 10)
#define TEXT_PARTS_MAX 4
#define PARTS_MAX 100
#define EVIDENCE_MAX 200
#define SHOWN_MAX 70
/* Of words alone, where something else says that it is an answer. */
#define LIKELY_WEIGHT 2
/* A reply of a server counts as a phrase does. */
#define REPLY_WEIGHT 2

static const char *const kind_names[NOTICE_KINDS] = {"none", "dsn", "delay",
    "quota", "mailbox", "reject", "list", "filter", "virus", "vacation",
    "autoreply", "ticket", "challenge", "mdn", "arf", "dmarc"};

struct str
notice_kind_name(enum notice_kind kind)
{
	return str_from(kind_names[kind]);
}

bool
notice_kind_parse(struct str name, enum notice_kind *ret)
{
	for (int i = 0; i < NOTICE_KINDS; i++)
		if (str_ieq(name, str_from(kind_names[i]))) {
			*ret = (enum notice_kind)i;
			return true;
		}
	return false;
}

bool
notice_kind_is_delivery(enum notice_kind kind)
{
	return kind >= NOTICE_DSN && kind <= NOTICE_REJECT;
}

bool
notice_kind_is_answer(enum notice_kind kind)
{
	return kind != NOTICE_NONE && kind != NOTICE_ARF &&
	       kind != NOTICE_DMARC;
}

/* --- the text ------------------------------------------------------------ */

/* Lines behind which the returned message begins. */
static bool
is_returned_line(struct str line)
{
	static const char *const words[] = {"original message",
	    "copy of the message", "copy of your message", "unsent message",
	    "message follows", "returned message", "message header",
	    "message text follows", "original mail", "returned mail",
	    "end of message", "rejected message", "undelivered message"};
	static const char *const fields[] = {
	    "received: ", "received:from ", "return-path: <", "message-id: <"};
	line = str_trim(line);
	for (size_t i = 0; i < COUNT_OF(fields); i++)
		if (str_istarts(line, str_from(fields[i])))
			return true;
	if (line.len == 0 || line.len > 100 ||
	    memchr("-=_*|", line.p[0], 5) == NULL)
		return false;
	for (size_t i = 0; i < COUNT_OF(words); i++)
		if (str_ifind(line, str_from(words[i])) != STR_NONE)
			return true;
	return false;
}

/* TEXT_MAX bytes, of which `len` are written. */
struct folded {
	char *p;
	size_t len;
};

/* What the notice itself says: no quoted lines, no returned message. */
static void
fold_lines(struct str text, struct folded *to)
{
	bool has_said = false;
	while (text.len > 0 && to->len + 4 <= TEXT_MAX) {
		struct str line = str_line(&text);
		if (has_said && is_returned_line(line))
			return;
		struct str bare = str_trim(line);
		if (bare.len == 0 ||
		    (bare.p[0] == '>' && !str_starts(bare, STR(">>>"))))
			continue;
		has_said = true;
		notice_fold(line, to->p, TEXT_MAX, &to->len);
		notice_fold(STR(" "), to->p, TEXT_MAX, &to->len);
	}
}

static bool
is_told(struct message *m, struct part *part)
{
	if (!part_is_leaf(part) || !str_starts(part->type, STR("text/")))
		return false;
	struct str type =
	    headers_value(m->arena, &part->headers, STR("content-type"));
	if (str_istarts(type, STR("text/rfc822-header")))
		return false;
	return !str_eq(part->effective, STR("text/html")) ||
	       part->body.len <= HTML_MAX;
}

static void
tally_of_text(struct message *m, const struct notice_marks *marks,
    struct notice_tally *ret)
{
	struct folded text = {arena_alloc(m->arena, TEXT_MAX), 0};
	size_t ntexts = 0, nparts = 0;
	for (struct part *part = m->root;
	     part != NULL && ntexts < TEXT_PARTS_MAX && nparts < PARTS_MAX;
	     part = notice_part_next(part), nparts++) {
		if (!is_told(m, part))
			continue;
		ntexts++;
		struct str told = part_rendered(m, part);
		/* Not in the charset it claims: its ASCII is still there. */
		if (told.len == 0)
			told = part_decoded(m, part);
		fold_lines(str_sub(told, 0, TEXT_MAX), &text);
	}
	if (marks->status != NULL)
		fold_lines(str_sub(part_decoded(m, marks->status), 0, TEXT_MAX),
		    &text);
	struct str said = str_of(text.p, text.len);
	notice_tally_text(said, ret);
	if (!notice_has_reply(said))
		return;
	ret->weight[NOTICE_DSN] += REPLY_WEIGHT;
	if (ret->said[NOTICE_DSN].p == NULL)
		ret->said[NOTICE_DSN] = STR("the reply of a server");
}

/* --- the rulings --------------------------------------------------------- */

#define M(name) MARK_BIT(MARK_##name)
#define NONE ((uint64_t)0)
/* Sent as only a mail system sends. */
#define SYSTEM (M(NULL) | M(SENDER) | M(DAEMON) | M(NOBODY) | M(RECIPIENTS))
/* Says that a program has written it, in answer to something. */
#define ANSWERS (M(REPLIED) | M(AUTOREPLY) | M(AWAY) | M(REJECTED))
#define MACHINE \
	(SYSTEM | ANSWERS | M(POSTMASTER) | M(NAME) | M(FAILURE) | M(EXCHANGE))
#define PEOPLE (M(RE) | M(FORWARDED))

/*
 * It applies if all of `all`, one of `any` (0: no matter) and none of `none`
 * is there, and the fields, the Subject and the text speak for the kind with
 * at least that weight.
 */
struct ruling {
	enum notice_kind kind;
	uint64_t all, any, none;
	uint8_t field, subject, text;
	bool yours; /* and the text speaks to the sender of a message */
};

static const struct ruling rulings[] = {
    /* Reports by their form */
    {NOTICE_ARF, M(FEEDBACK), M(REPORT) | M(RETURNED), NONE, 0, 0, 0, false},
    {NOTICE_ARF, M(RETURNED), NONE, PEOPLE, 0, 3, 0, false},
    {NOTICE_ARF, M(RETURNED), M(ROBOT) | M(NULL), PEOPLE, 0, 2, 0, false},
    {NOTICE_DMARC, M(TLS_TYPE), NONE, NONE, 0, 0, 0, false},
    {NOTICE_DMARC, M(AGGREGATE), NONE, PEOPLE, 0, 2, 0, false},
    {NOTICE_DMARC, NONE, NONE, PEOPLE, 0, 4, 0, false},
    {NOTICE_DMARC, M(REPORT), NONE, PEOPLE, 0, 2, 0, false},
    {NOTICE_REJECT, M(DISPOSITION), M(REJECTED), NONE, 0, 0, 0, false},
    {NOTICE_REJECT, M(MDN_TYPE), M(REJECTED), NONE, 0, 0, 0, false},
    {NOTICE_REJECT, M(DISPOSITION), NONE, NONE, 0, 0, 3, false},
    {NOTICE_REJECT, M(DISPOSITION), NONE, NONE, 0, 2, 0, false},
    {NOTICE_VACATION, M(AWAY), NONE, NONE, 0, 0, 0, false},
    {NOTICE_MDN, M(DISPOSITION), NONE, M(FORWARDED), 0, 0, 0, false},
    {NOTICE_MDN, M(MDN_TYPE), NONE, PEOPLE, 0, 0, 0, false},

    {NOTICE_DSN, M(STATUS) | M(REPORT), NONE, NONE, 0, 0, 0, false},
    {NOTICE_DSN, M(STATUS), MACHINE, M(FORWARDED), 0, 0, 0, false},
    {NOTICE_DSN, M(STATUS), NONE, PEOPLE, 0, 1, 0, false},
    {NOTICE_DSN, M(STATUS), NONE, PEOPLE, 0, 0, 3, false},
    {NOTICE_DSN, M(DSN_TYPE), MACHINE, M(FORWARDED), 0, 0, 0, false},
    {NOTICE_DSN, M(DSN_TYPE), NONE, PEOPLE, 0, 2, 0, false},
    {NOTICE_DSN, M(DSN_TYPE), NONE, PEOPLE, 0, 0, 2, false},

    /* Programs that say which they are */
    {NOTICE_CHALLENGE, M(AUTOREPLY), NONE, NONE, 1, 0, 0, false},
    {NOTICE_CHALLENGE, NONE, NONE, NONE, 1, 1, 2, false},
    {NOTICE_CHALLENGE, NONE, NONE, M(FORWARDED), 1, 0, 4, false},
    {NOTICE_CHALLENGE, NONE, ANSWERS | M(NULL), NONE, 1, 0, 2, false},
    {NOTICE_CHALLENGE, NONE, ANSWERS | M(NULL), NONE, 0, 2, 2, false},
    {NOTICE_CHALLENGE, NONE, ANSWERS | M(NULL), NONE, 0, 0, 5, false},
    {NOTICE_CHALLENGE, M(ROBOT) | M(RE), NONE, M(FORWARDED), 0, 0, 5, true},
    {NOTICE_CHALLENGE, NONE, NONE, PEOPLE | M(LIST), 0, 3, 2, false},
    {NOTICE_LIST, M(ADMIN), NONE, NONE, 0, 0, 0, false},
    {NOTICE_REJECT, M(REJECTED), NONE, M(STATUS), 0, 2, 0, false},
    {NOTICE_REJECT, M(REJECTED), NONE, M(STATUS), 0, 0, 2, false},
    {NOTICE_REJECT, NONE, SYSTEM, PEOPLE, 0, 3, 0, false},
    {NOTICE_VACATION, NONE, ANSWERS, NONE, 1, 0, 0, false},

    /* Virus scanners and filters before bounces: theirs look alike */
    {NOTICE_VIRUS, NONE, MACHINE, PEOPLE | M(LIST) | M(BULLETIN), 0, 2, 2,
	false},
    {NOTICE_VIRUS, NONE, M(ROBOT) | M(GENERATED),
	PEOPLE | M(LIST) | M(BULLETIN), 0, 2, 2, true},
    {NOTICE_VIRUS, NONE, MACHINE & ~M(NULL), PEOPLE | M(LIST) | M(BULLETIN), 0,
	1, 4, false},
    {NOTICE_VIRUS, NONE, M(ROBOT) | M(GENERATED),
	PEOPLE | M(LIST) | M(BULLETIN), 0, 4, 5, false},
    {NOTICE_VIRUS, NONE, NONE, PEOPLE | M(LIST) | M(BULLETIN), 0, 4, 4, true},
    {NOTICE_VIRUS, NONE, NONE, PEOPLE | M(LIST) | M(BULLETIN), 0, 6, 4, false},
    {NOTICE_VIRUS, NONE, NONE, PEOPLE | M(LIST), 1, 2, 0, false},
    {NOTICE_VIRUS, M(LISTROBOT), ANSWERS | M(GENERATED), PEOPLE | M(POST), 0, 1,
	0, false},
    {NOTICE_VIRUS, NONE, MACHINE & ~M(NULL), PEOPLE | M(LIST) | M(BULLETIN), 0,
	3, 1, false},
    {NOTICE_VIRUS, M(SCANNER), NONE, PEOPLE | M(LIST), 0, 1, 0, false},
    {NOTICE_VIRUS, M(POSTMASTER) | M(NAME), NONE,
	PEOPLE | M(LIST) | M(BULLETIN), 0, 2, 2, false},
    {NOTICE_FILTER, M(SCANNER), NONE, PEOPLE | M(LIST), 0, 0, 0, false},
    {NOTICE_FILTER, NONE, MACHINE, PEOPLE | M(LIST) | M(RECIPIENTS), 0, 2, 2,
	false},
    {NOTICE_FILTER, NONE, M(ROBOT) | M(GENERATED),
	PEOPLE | M(LIST) | M(BULLETIN), 0, 2, 3, true},
    {NOTICE_FILTER, NONE, NONE, PEOPLE | M(LIST) | M(BULLETIN), 0, 2, 6, true},
    {NOTICE_FILTER, NONE, NONE, PEOPLE | M(LIST), 0, 3, 2, false},
    {NOTICE_FILTER, NONE, M(POSTMASTER) | M(NAME),
	PEOPLE | M(LIST) | M(BULLETIN), 0, 3, 0, false},
    {NOTICE_FILTER, NONE, NONE, PEOPLE | M(LIST), 1, 0, 3, false},

    /* List managers */
    {NOTICE_LIST, M(LISTMASTER), NONE, PEOPLE, 0, 2, 1, false},
    {NOTICE_LIST, M(LISTMASTER), NONE, PEOPLE | M(POST), 0, 0, 4, false},
    {NOTICE_LIST, M(LISTMASTER), NONE, PEOPLE | M(LIST) | M(POST), 1, 0, 0,
	false},
    {NOTICE_LIST, M(LISTMASTER) | M(BULK), NONE, PEOPLE | M(POST), 1, 0, 0,
	false},
    {NOTICE_LIST, M(LISTMASTER), ANSWERS | M(GENERATED) | M(BULK) | M(NULL),
	PEOPLE | M(POST), 0, 0, 2, false},
    {NOTICE_LIST, M(LISTROBOT), NONE, PEOPLE | M(POST), 0, 2, 0, false},
    {NOTICE_LIST, M(LISTROBOT), NONE, PEOPLE | M(POST), 0, 1, 2, false},
    {NOTICE_LIST, M(LISTROBOT) | M(BULK), NONE, PEOPLE | M(LIST) | M(POST), 0,
	1, 0, false},
    {NOTICE_LIST, M(LISTROBOT) | M(BULK) | M(ANSWER), NONE,
	M(FORWARDED) | M(LIST) | M(POST), 0, 0, 0, false},
    {NOTICE_LIST, NONE, MACHINE, PEOPLE | M(RECIPIENTS), 0, 2, 3, false},
    {NOTICE_LIST, NONE, MACHINE, PEOPLE | M(RECIPIENTS), 0, 0, 6, false},
    {NOTICE_LIST, NONE, NONE, PEOPLE, 0, 3, 3, false},
    {NOTICE_LIST, M(BULK), NONE, PEOPLE, 0, 2, 4, false},

    /* Bounces in words */
    {NOTICE_DSN, M(RECIPIENTS), SYSTEM & ~M(RECIPIENTS), NONE, 0, 0, 0, false},
    {NOTICE_DSN, M(RECIPIENTS), NONE, PEOPLE, 0, 0, 2, false},
    {NOTICE_DSN, M(FAILURE), MACHINE & ~M(FAILURE), M(FORWARDED), 0, 0, 0,
	false},
    {NOTICE_DSN, NONE, SYSTEM, M(FORWARDED), 0, 2, 1, false},
    {NOTICE_DSN, M(DAEMON), M(NULL) | M(SENDER), M(FORWARDED), 0, 1, 0, false},
    {NOTICE_DSN, M(RETURNED), MACHINE, PEOPLE, 0, 2, 0, false},
    {NOTICE_DSN, M(RETURNED), M(NULL) | M(DAEMON), PEOPLE, 0, 0, 2, false},
    {NOTICE_DSN, M(RETURNED) | M(NULL), M(DAEMON) | M(POSTMASTER), PEOPLE, 0, 0,
	0, false},
    {NOTICE_DSN, M(POSTMASTER), M(NULL) | M(SENDER), PEOPLE, 0, 2, 0, false},
    {NOTICE_DSN, M(NULL), NONE, PEOPLE | M(LIST) | M(BULLETIN), 0, 2, 0, false},
    {NOTICE_DSN, M(NULL), NONE, PEOPLE, 0, 2, 2, false},
    {NOTICE_DSN, NONE, M(DAEMON) | M(NOBODY) | M(NULL), M(FORWARDED), 0, 0, 3,
	false},
    {NOTICE_DSN, NONE, M(POSTMASTER) | M(NAME) | M(EXCHANGE), PEOPLE, 0, 2, 2,
	false},
    {NOTICE_DSN, M(DAEMON), NONE, PEOPLE, 0, 2, 0, false},
    {NOTICE_DSN, M(DAEMON), NONE, PEOPLE, 0, 1, 1, false},
    {NOTICE_DSN, M(DAEMON), M(NULL) | M(SENDER) | M(REPLIED) | M(RETURNED),
	PEOPLE, 0, 0, 0, false},
    {NOTICE_DSN, M(POSTMASTER), NONE, PEOPLE, 0, 3, 1, false},
    {NOTICE_DSN, M(EXCHANGE), NONE, PEOPLE, 0, 2, 0, false},
    {NOTICE_DSN, M(POSTMASTER) | M(NAME), NONE, PEOPLE | M(LIST), 0, 3, 0,
	false},

    {NOTICE_DSN, M(POSTMASTER) | M(RE), NONE, M(FORWARDED) | M(LIST), 0, 0, 7,
	false},
    {NOTICE_DSN, M(RETURNED) | M(ROBOT), NONE, PEOPLE | M(BULLETIN), 0, 0, 5,
	false},
    {NOTICE_DSN, M(RETURNED), NONE, PEOPLE, 0, 2, 2, false},
    {NOTICE_DSN, NONE, NONE, PEOPLE | M(LIST) | M(BULLETIN) | M(GENERATED), 0,
	2, 6, false},

    /* Mailboxes that are gone or full */
    {NOTICE_MAILBOX, NONE, ANSWERS | M(NULL), NONE, 0, 0, 3, false},
    {NOTICE_MAILBOX, NONE, ANSWERS | M(NULL), NONE, 0, 2, 0, false},
    {NOTICE_MAILBOX, NONE, MACHINE | M(SUPPRESS) | M(BULK), PEOPLE, 0, 2, 2,
	false},
    {NOTICE_QUOTA, NONE, MACHINE, PEOPLE, 0, 2, 2, false},
    {NOTICE_QUOTA, NONE, M(NULL) | M(SENDER) | M(DAEMON),
	PEOPLE | M(LIST) | M(BULLETIN), 0, 2, 0, false},

    /* Tickets */
    {NOTICE_TICKET, NONE, ANSWERS, NONE, 1, 0, 0, false},
    {NOTICE_TICKET, NONE, ANSWERS, NONE, 0, 1, 2, false},
    {NOTICE_TICKET, NONE, ANSWERS, NONE, 0, 0, 4, false},
    {NOTICE_TICKET, NONE, M(NULL) | M(GENERATED) | M(SUPPRESS), M(LIST), 1, 2,
	2, false},
    {NOTICE_TICKET, NONE, M(GENERATED) | M(SUPPRESS) | M(BULK) | M(NULL),
	M(LIST) | M(FORWARDED), 0, 2, 4, false},
    {NOTICE_TICKET, NONE, M(GENERATED) | M(SUPPRESS) | M(BULK) | M(NULL),
	M(LIST) | PEOPLE, 1, 0, 5, false},
    {NOTICE_TICKET, NONE, M(GENERATED) | M(SUPPRESS) | M(BULK),
	M(LIST) | PEOPLE, 0, 3, 2, true},
    {NOTICE_TICKET, NONE, M(GENERATED) | M(SUPPRESS) | M(BULK) | M(NULL),
	M(LIST) | M(BULLETIN) | PEOPLE, 0, 0, 5, true},
    {NOTICE_TICKET, NONE, M(GENERATED) | M(SUPPRESS) | M(BULK) | M(NULL),
	M(LIST) | M(BULLETIN) | PEOPLE, 0, 1, 4, true},
    {NOTICE_TICKET, NONE, NONE, PEOPLE | M(LIST), 1, 2, 3, false},

    /* Away */
    {NOTICE_VACATION, NONE, ANSWERS | M(NULL), NONE, 0, 2, 0, false},
    {NOTICE_VACATION, NONE, ANSWERS | M(NULL), NONE, 0, 0, 2, false},
    {NOTICE_VACATION, NONE, M(SUPPRESS) | M(GENERATED) | M(ANSWER), PEOPLE, 0,
	3, 0, false},
    {NOTICE_VACATION, NONE, M(SUPPRESS) | M(GENERATED) | M(BULK), PEOPLE, 0, 2,
	2, false},
    {NOTICE_VACATION, M(ANSWER), NONE, PEOPLE | M(LIST) | M(BULLETIN), 0, 1, 2,
	false},
    {NOTICE_VACATION, M(SELF), NONE, NONE, 0, 0, 2, false},
    {NOTICE_VACATION, NONE, NONE, PEOPLE | M(LIST) | M(BULLETIN), 0, 5, 0,
	false},
    {NOTICE_VACATION, NONE, NONE, PEOPLE, 0, 3, 2, false},

    {NOTICE_VACATION, M(BULK), NONE, PEOPLE | M(LIST) | M(BULLETIN), 0, 1, 2,
	false},

    /* Receipts in words */
    {NOTICE_MDN, M(TNEF), M(NULL), PEOPLE, 0, 2, 0, false},
    {NOTICE_MDN, NONE, NONE, PEOPLE, 0, 2, 2, false},

    /* A filter by its name, whatever the Subject */
    {NOTICE_FILTER, NONE, M(POSTMASTER) | M(NAME), PEOPLE | M(LIST), 0, 0, 5,
	true},

    /* A list's robot, in a language that the words do not have */
    {NOTICE_LIST, M(LISTROBOT), ANSWERS, PEOPLE | M(POST), 0, 0, 0, false},
    {NOTICE_LIST, M(LISTROBOT) | M(NAME), NONE,
	M(FORWARDED) | M(LIST) | M(POST), 0, 0, 0, false},
    {NOTICE_LIST, M(LISTROBOT), M(GENERATED), PEOPLE | M(POST), 0, 0, 1, false},

    /* A mail system that has no sender, in such a language */
    {NOTICE_DSN, M(NULL) | M(POSTMASTER), NONE,
	PEOPLE | M(LIST) | M(BULLETIN) | M(GENERATED), 0, 0, 0, false},

    /* Any other answer */
    {NOTICE_TICKET, NONE, ANSWERS, NONE, 0, 2, 0, false},
    {NOTICE_AUTOREPLY, M(REPLIED), NONE, NONE, 0, 0, 0, false},
    {NOTICE_AUTOREPLY, M(AUTOREPLY), NONE, NONE, 0, 0, 0, false},
    {NOTICE_AUTOREPLY, M(SELF), NONE, NONE, 0, 0, 2, false},
    {NOTICE_AUTOREPLY, NONE,
	M(NULL) | M(SUPPRESS) | M(GENERATED) | M(BULK) | M(SCRIPT) | M(ANSWER),
	PEOPLE | M(LIST) | M(BULLETIN), 0, 2, 2, true},
    {NOTICE_AUTOREPLY, M(NULL), NONE, PEOPLE | M(LIST) | M(BULLETIN), 0, 2, 0,
	false},
    {NOTICE_AUTOREPLY, M(BULK), NONE, PEOPLE | M(LIST) | M(BULLETIN), 0, 3, 0,
	false},
    {NOTICE_VACATION, M(BULK), NONE, PEOPLE | M(LIST) | M(BULLETIN), 0, 3, 0,
	false},
    {NOTICE_AUTOREPLY, NONE, NONE, PEOPLE | M(LIST) | M(BULLETIN), 0, 8, 0,
	false},
    {NOTICE_AUTOREPLY, NONE, NONE, PEOPLE | M(LIST) | M(BULLETIN), 0, 3, 2,
	false},
    {NOTICE_AUTOREPLY, NONE, NONE, PEOPLE | M(LIST) | M(BULLETIN), 0, 2, 4,
	true},
};

/* All that is known of the message. */
struct scene {
	struct notice_marks marks;
	struct notice_tally text;
	bool has_text; /* `text` was made */
};

static unsigned
less(unsigned a, unsigned b)
{
	return a > b ? a - b : 0;
}

/* A delivery report speaks of what has failed, of delay and of room. */
static unsigned
weight_of(const struct notice_tally *tally, enum notice_kind kind)
{
	const unsigned *weights = tally->weight;
	unsigned weight = weights[kind];
	if (kind == NOTICE_DSN)
		weight += weights[NOTICE_DELAY] + weights[NOTICE_QUOTA];
	return weight;
}

/* Read the text, once. */
static void
scene_tell(struct message *m, struct scene *scene)
{
	if (!scene->has_text)
		tally_of_text(m, &scene->marks, &scene->text);
	scene->has_text = true;
}

/*
 * Words of those who want a click speak against words that a notice says,
 * unless it comes as only programs send; a null sender anyone can claim.
 */
static unsigned
text_weight(const struct scene *scene, enum notice_kind kind)
{
	const unsigned *weights = scene->text.weight;
	unsigned weight = weight_of(&scene->text, kind);
	if (kind == NOTICE_AUTOREPLY)
		weight += weights[NOTICE_VACATION];
	uint64_t sure = (SYSTEM & ~M(NULL)) | ANSWERS | M(STATUS);
	if ((scene->marks.set & sure) != 0)
		return weight;
	/* An answer may quote the spam that it answers. */
	unsigned against =
	    weights[NOTICE_NONE] + scene->marks.subject.weight[NOTICE_NONE];
	return less(weight, kind == NOTICE_AUTOREPLY ? against : 2 * against);
}

/* Where no text is asked, the Subject alone must not speak of parcels. */
static unsigned
subject_weight(const struct ruling *r, const struct notice_marks *marks)
{
	unsigned weight = weight_of(&marks->subject, r->kind);
	return r->text > 0 ? weight
			   : less(weight, marks->subject.weight[NOTICE_NONE]);
}

static bool
applies_to_header(const struct ruling *r, const struct notice_marks *marks)
{
	return (marks->set & r->all) == r->all &&
	       (r->any == 0 || (marks->set & r->any) != 0) &&
	       (marks->set & r->none) == 0 &&
	       marks->fields.weight[r->kind] >= r->field &&
	       subject_weight(r, marks) >= r->subject;
}

static const struct ruling *
rule(struct message *m, struct scene *scene)
{
	for (size_t i = 0; i < COUNT_OF(rulings); i++) {
		const struct ruling *r = &rulings[i];
		if (!applies_to_header(r, &scene->marks))
			continue;
		if (r->text == 0)
			return r;
		scene_tell(m, scene);
		if (text_weight(scene, r->kind) >= r->text &&
		    (!r->yours || scene->text.weight[NOTICE_YOURS] > 0))
			return r;
	}
	return NULL;
}

/* --- delivery reports: failed, delayed, full ----------------------------- */

/* The worst that a delivery-status part tells of any recipient. */
struct actions {
	bool is_failed, is_delayed;
};

static struct actions
actions_read(struct message *m, const struct notice_marks *marks)
{
	struct actions ret = {0};
	struct str text = STR_EMPTY;
	if (marks->status != NULL)
		text = str_sub(part_decoded(m, marks->status), 0, TEXT_MAX);
	while (text.len > 0) {
		struct str value = str_line(&text);
		struct str name = str_cut(&value, ':');
		if (!str_ieq(str_trim(name), STR("action")))
			continue;
		value = str_trim(value);
		ret.is_failed |= str_istarts(value, STR("fail"));
		ret.is_delayed |= str_istarts(value, STR("delay"));
	}
	return ret;
}

static enum notice_kind
delivery_kind(struct message *m, struct scene *scene)
{
	scene_tell(m, scene);
	if (scene->text.weight[NOTICE_QUOTA] >= 2)
		return NOTICE_QUOTA;
	struct actions actions = actions_read(m, &scene->marks);
	if (actions.is_failed)
		return NOTICE_DSN;
	unsigned said = scene->text.weight[NOTICE_DELAY] +
			scene->marks.subject.weight[NOTICE_DELAY];
	return actions.is_delayed || said >= 2 ? NOTICE_DELAY : NOTICE_DSN;
}

/* --- answers: away, gone, or just an answer ------------------------------ */

static enum notice_kind
answer_kind(struct message *m, struct scene *scene, enum notice_kind kind)
{
	scene_tell(m, scene);
	const unsigned *said = scene->text.weight;
	if (said[NOTICE_MAILBOX] >= 3 &&
	    said[NOTICE_MAILBOX] > said[NOTICE_VACATION])
		return NOTICE_MAILBOX;
	if (said[NOTICE_VACATION] >= 2)
		return NOTICE_VACATION;
	if (scene->marks.fields.weight[NOTICE_TICKET] > 0)
		return NOTICE_TICKET;
	return scene->marks.subject.weight[NOTICE_VACATION] > 0
		   ? NOTICE_VACATION
		   : kind;
}

/* --- evidence ------------------------------------------------------------ */

static void
say(struct buf *out, const char *what, struct str text)
{
	struct str shown = str_sub(text, 0, SHOWN_MAX);
	while (shown.len > 0 && shown.len < text.len &&
	       ((unsigned char)text.p[shown.len] & 0xc0) == 0x80)
		shown.len--;
	if (shown.len == 0 ||
	    out->len + strlen(what) + shown.len + 4 > out->max)
		return;
	if (out->len > 0)
		buf_put(out, STR("; "));
	buf_put(out, str_from(what));
	buf_put(out, shown);
}

static struct str
evidence_of(struct message *m, const struct ruling *r,
    const struct scene *scene, enum notice_kind kind)
{
	struct buf *out = buf_new(m->arena, EVIDENCE_MAX);
	const struct notice_marks *marks = &scene->marks;
	if (r->field > 0)
		say(out, "", marks->fields.said[r->kind]);
	uint64_t shown = marks->set & (r->all | r->any);
	for (int i = 0; i < NOTICE_MARKS; i++)
		if ((shown & MARK_BIT(i)) != 0)
			say(out, "", notice_mark_name((enum notice_mark)i));
	if (r->subject > 0)
		say(out, "Subject: ", marks->subject_value);
	if (r->text > 0 && scene->text.weight[r->kind] > 0)
		say(out, "text: ", scene->text.said[r->kind]);
	if (kind != r->kind && scene->text.weight[kind] > 0)
		say(out, "text: ", scene->text.said[kind]);
	return buf_str(out);
}

static enum notice_kind
refined(struct message *m, struct scene *scene, enum notice_kind kind)
{
	if (kind == NOTICE_DSN)
		return delivery_kind(m, scene);
	if (kind == NOTICE_VACATION || kind == NOTICE_AUTOREPLY)
		return answer_kind(m, scene, kind);
	return kind;
}

struct notice_form
notice_form_of(struct message *m)
{
	struct scene scene = {0};
	notice_marks_of(m, &scene.marks);
	uint64_t set = scene.marks.set;
	const struct ruling *r = rule(m, &scene);
	struct notice_form ret = {
	    .kind = NOTICE_NONE,
	    .evidence = STR_EMPTY,
	    .is_automatic = (set & (SYSTEM | ANSWERS)) != 0,
	    .has_report =
		(set & (M(FEEDBACK) | M(TLS_TYPE) | M(AGGREGATE))) != 0,
	    .is_script = (set & M(SCRIPT)) != 0,
	};
	if (r == NULL)
		return ret;
	ret.kind = refined(m, &scene, r->kind);
	ret.evidence = evidence_of(m, r, &scene, ret.kind);
	return ret;
}

enum notice_kind
notice_kind_likely(struct message *m)
{
	static const enum notice_kind kinds[] = {NOTICE_TICKET, NOTICE_VACATION,
	    NOTICE_AUTOREPLY, NOTICE_MAILBOX, NOTICE_LIST, NOTICE_FILTER,
	    NOTICE_VIRUS, NOTICE_CHALLENGE};
	struct scene scene = {0};
	enum notice_kind ret = NOTICE_NONE;
	unsigned most = LIKELY_WEIGHT - 1;
	notice_marks_of(m, &scene.marks);
	tally_of_text(m, &scene.marks, &scene.text);
	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		unsigned weight = scene.text.weight[kinds[i]] +
				  scene.marks.subject.weight[kinds[i]];
		if (weight <= most)
			continue;
		most = weight;
		ret = kinds[i];
	}
	return ret;
}
