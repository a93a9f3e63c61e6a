/* SPDX-License-Identifier: BSD-2-Clause */
/* mail_file -- the envelope a file does not have, and what else is asked. */
#include "cmd/mail_file.h"

#include "base/arena.h"
#include "base/clock.h"
#include "mail/address.h"
#include "mail/header.h"
#include "session/answers.h"
#include "session/class.h"

static struct str
first_address(struct message *m, const char *name)
{
	struct header *h = header_first(&m->root->headers, str_from(name));
	struct strs found = {0};
	if (h != NULL)
		address_addrs(m->arena, h->raw, &found);
	return found.n > 0 ? found.v[0] : STR_EMPTY;
}

/* "from HELO (NAME [ADDR])" of the newest Received line (RFC 5321 section 4.4).
 */
static void
client_from_received(struct message *m, struct envelope *envelope)
{
	struct header *h = header_first(&m->root->headers, STR("Received"));
	if (h == NULL)
		return;
	struct str rest = h->raw, word = str_word(&rest);
	if (!str_ieq(word, STR("from")))
		return;
	struct str helo = str_word(&rest);
	size_t open = str_chr(rest, '['), close = str_chr(rest, ']');
	if (envelope->helo.len == 0)
		envelope->helo = helo;
	if (envelope->client_addr.len == 0 && open != STR_NONE &&
	    close != STR_NONE && close > open)
		envelope->client_addr =
		    str_sub(rest, open + 1, close - open - 1);
}

static struct str
sender_of(struct message *m)
{
	struct header *path =
	    header_first(&m->root->headers, STR("Return-Path"));
	if (path == NULL)
		return first_address(m, "From");
	struct str value = str_trim(path->raw);
	if (str_starts(value, STR("<")) && str_ends(value, STR(">")))
		value = str_sub(value, 1, value.len - 2);
	return value;
}

/* Said to be null; a message that names no sender at all is not a notice. */
static bool
is_null_sender(
    struct message *m, const struct mail_fixed *fixed, struct str sender)
{
	return sender.len == 0 &&
	       (fixed->has_from ||
		   header_first(&m->root->headers, STR("Return-Path")) != NULL);
}

static bool
is_auto_submitted(struct message *m)
{
	struct header *h =
	    header_last(&m->root->headers, STR("Auto-Submitted"));
	return h != NULL && class_is_auto_submitted(h->raw);
}

static void
rcpts_from_header(struct message *m, struct strs *ret)
{
	static const char *const names[] = {"To", "Cc", "Bcc"};
	for (size_t n = 0; n < COUNT_OF(names); n++)
		for (size_t i = 0; i < m->root->headers.n; i++) {
			struct header *h = &m->root->headers.v[i];
			if (str_ieq(h->name, str_from(names[n])))
				address_addrs(m->arena, h->raw, ret);
		}
}

/* --client: as if Postfix took the message from there now. */
static const struct handover *
handover_of(struct arena *a, const struct mail_desk *desk)
{
	if (desk->fixed->client.len == 0)
		return NULL;
	struct handover *h = ARENA_NEW(a, struct handover);
	h->by = desk->mta_name;
	h->mta = h->config = h->client = h->with = STR_EMPTY;
	h->tls_version = h->cipher = h->cipher_bits = STR_EMPTY;
	h->verify = h->auth_ssf = STR_EMPTY;
	h->time = clock_wall();
	return h;
}

/* The envelope a file does not have: as given, else as its headers tell. */
static struct envelope
envelope_of(const struct mail_desk *desk, struct message *m)
{
	const struct mail_fixed *fixed = desk->fixed;
	struct envelope e = {
	    .from = fixed->has_from ? fixed->from : sender_of(m),
	    .rcpt = fixed->rcpt,
	    .login = fixed->login,
	    .client_addr = fixed->client,
	    .client_name = STR_EMPTY,
	    .helo = fixed->helo,
	    .queue_id = STR_EMPTY,
	    .daemon_name = STR_EMPTY,
	    .is_guessed = !fixed->has_from,
	};
	if (!mail_class_parse(fixed->class, &e.class))
		e.class =
		    is_null_sender(m, fixed, e.from) || is_auto_submitted(m)
			? CLASS_NOTICE
			: CLASS_SUBMISSION;
	if (e.rcpt.n == 0)
		rcpts_from_header(m, &e.rcpt);
	if (e.login.len == 0 && e.class == CLASS_SUBMISSION)
		e.login = first_address(m, "From");
	e.login = class_login(
	    m->arena, &desk->snapshot->config, e.login, desk->mta_name);
	client_from_received(m, &e);
	return e;
}

/* As the spool of posternd has it: lines end in \n. */
static struct str
lines_of(struct arena *a, struct str raw)
{
	if (str_find(raw, STR("\r\n")) == STR_NONE)
		return raw;
	char *p = arena_alloc(a, raw.len);
	size_t n = 0;
	for (size_t i = 0; i < raw.len; i++)
		if (raw.p[i] != '\r' || i + 1 == raw.len ||
		    raw.p[i + 1] != '\n')
			p[n++] = raw.p[i];
	return str_of(p, n);
}

static void
look(const struct mail_desk *desk, struct arena *a, struct str raw,
    const struct envelope *envelope, struct receiver_view *ret)
{
	struct str authserv_id = desk->snapshot->config.authserv_id;
	struct receiver_query query = {
	    .raw = lines_of(a, raw),
	    .envelope = envelope,
	    .mta_name = desk->mta_name,
	    .authserv_id = authserv_id.len > 0 ? authserv_id : desk->mta_name,
	};
	receiver_look(a, desk->snapshot, desk->dns, &query, ret);
}

/* Without a memory: what a file tells, asked again. */
static void
look_notice(const struct mail_desk *desk, struct message *m,
    const struct envelope *envelope, struct notice *ret)
{
	struct str authserv_id = desk->snapshot->config.authserv_id;
	struct answers_query query = {
	    .envelope = envelope,
	    .mta_name = desk->mta_name,
	    .authserv_id = authserv_id.len > 0 ? authserv_id : desk->mta_name,
	    .is_of_mta = envelope->from.len == 0 && envelope->login.len == 0,
	    .dns = desk->dns,
	};
	answers_look(desk->snapshot, &query, m, ret);
}

/* What posternd would do without asking its budgets. */
static void
rule_notice(const struct mail_desk *desk, const struct notice *notice,
    struct scan *scan)
{
	const struct config *config = &desk->snapshot->config;
	struct notice_ruling ruling;
	if (!notice->is_answer || !config->has_notice_gate ||
	    !notice_is_ruled(notice, &ruling))
		return;
	scan->input.permit = ruling.permit;
	scan->input.permit_reason = ruling.reason;
	scan->verdict = verdict_of(config, &scan->input);
}

static struct envelope
envelope_guess(const struct mail_desk *desk, struct arena *a, struct str raw)
{
	struct envelope e =
	    envelope_of(desk, scan_message(a, desk->snapshot, raw, NULL));
	e.handover = handover_of(a, desk);
	return e;
}

void
mail_file_look(const struct mail_desk *desk, struct arena *a, struct str raw,
    struct str separated, struct mail_file *ret)
{
	mail_file_look_as(desk, a, raw, separated, NULL, ret);
}

void
mail_file_look_as(const struct mail_desk *desk, struct arena *a, struct str raw,
    struct str separated, const struct envelope *envelope,
    struct mail_file *ret)
{
	ret->size_bytes = raw.len;
	ret->envelope =
	    envelope != NULL ? *envelope : envelope_guess(desk, a, raw);
	ret->message =
	    scan_message(a, desk->snapshot, separated, &ret->envelope);
	look(desk, a, raw, &ret->envelope, &ret->view);
	struct message *asked =
	    raw.len <= NOTICE_BYTES
		? ret->message
		: scan_message(a, desk->snapshot, str_sub(raw, 0, NOTICE_BYTES),
		      &ret->envelope);
	look_notice(desk, asked, &ret->envelope, &ret->notice);
}

void
mail_file_scan(const struct mail_desk *desk, const struct mail_file *file,
    bool wants_subs, struct rule_costs *costs, struct scan *ret)
{
	enum mail_class class = file->envelope.class;
	struct scan_job job = {
	    .message = file->message,
	    .size_bytes = file->size_bytes,
	    .class = class,
	    .can_refuse = class != CLASS_LOCAL,
	    .wants_subs = wants_subs,
	    .costs = costs,
	    .facts = &file->view.facts,
	    .notice = &file->notice,
	};
	scan_run(desk->snapshot, &job, ret);
	rule_notice(desk, &file->notice, ret);
}
