/* SPDX-License-Identifier: BSD-2-Clause */
/* dialog -- a milter connection as Postfix or Sendmail leads it. */
#include "dialog.h"

#include <errno.h>
#include <libmilter/mfapi.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"

#define PACKET_MAX ((size_t)1 << 24)
#define MACRO_STAGES (SMFIM_LAST + 1)
#define PROTOCOL_VERSION 6
#define HANG_UP_US 100000

/* A step of the session: its command, and the bits that leave out the step or
 * its reply. */
struct step {
	const char *name;
	char command;
	uint32_t no, nr;
	int macros; /* SMFIM_*, -1: none */
};

static const struct step steps[STAGE_COUNT] = {
    [STAGE_NEGOTIATE] = {"negotiate", SMFIC_OPTNEG, 0, 0, -1},
    [STAGE_CONNECT] = {"connect", SMFIC_CONNECT, SMFIP_NOCONNECT, SMFIP_NR_CONN,
	SMFIM_CONNECT},
    [STAGE_HELO] = {"helo", SMFIC_HELO, SMFIP_NOHELO, SMFIP_NR_HELO,
	SMFIM_HELO},
    [STAGE_MAIL] = {"mail", SMFIC_MAIL, SMFIP_NOMAIL, SMFIP_NR_MAIL,
	SMFIM_ENVFROM},
    [STAGE_RCPT] = {"rcpt", SMFIC_RCPT, SMFIP_NORCPT, SMFIP_NR_RCPT,
	SMFIM_ENVRCPT},
    [STAGE_DATA] = {"data", SMFIC_DATA, SMFIP_NODATA, SMFIP_NR_DATA,
	SMFIM_DATA},
    [STAGE_HEADER] = {"header", SMFIC_HEADER, SMFIP_NOHDRS, SMFIP_NR_HDR, -1},
    [STAGE_EOH] = {"eoh", SMFIC_EOH, SMFIP_NOEOH, SMFIP_NR_EOH, SMFIM_EOH},
    [STAGE_BODY] = {"body", SMFIC_BODY, SMFIP_NOBODY, SMFIP_NR_BODY, -1},
    [STAGE_EOM] = {"eom", SMFIC_BODYEOB, 0, 0, SMFIM_EOM},
};

enum macro {
	MACRO_J,
	MACRO_PEER,
	MACRO_V,
	MACRO_DAEMON_NAME,
	MACRO_DAEMON_ADDR,
	MACRO_CLIENT_ADDR,
	MACRO_CLIENT_NAME,
	MACRO_CLIENT_PORT,
	MACRO_CLIENT_PTR,
	MACRO_IF_NAME,
	MACRO_AUTH_TYPE,
	MACRO_AUTH_AUTHEN,
	MACRO_MAIL_ADDR,
	MACRO_MAIL_HOST,
	MACRO_MAIL_MAILER,
	MACRO_RCPT_ADDR,
	MACRO_RCPT_HOST,
	MACRO_RCPT_MAILER,
	MACRO_I,
	MACRO_MSG_ID,
	MACRO_COUNT
};

#define AT(stage) (1U << (stage))
#define FROM_MAIL_ON                                              \
	(AT(SMFIM_ENVFROM) | AT(SMFIM_ENVRCPT) | AT(SMFIM_DATA) | \
	    AT(SMFIM_EOH) | AT(SMFIM_EOM))

/* Which MTA sends what when the milter asks for nothing (default main.cf,
 * sendmail.cf). */
static const struct macro_row {
	const char *name;
	unsigned postfix, sendmail;
} macro_rows[MACRO_COUNT] = {
    [MACRO_J] = {"j", AT(SMFIM_CONNECT), AT(SMFIM_CONNECT)},
    [MACRO_PEER] = {"_", AT(SMFIM_CONNECT), AT(SMFIM_CONNECT)},
    [MACRO_V] = {"v", AT(SMFIM_CONNECT), 0},
    [MACRO_DAEMON_NAME] = {"{daemon_name}", AT(SMFIM_CONNECT),
	AT(SMFIM_CONNECT)},
    [MACRO_DAEMON_ADDR] = {"{daemon_addr}", AT(SMFIM_CONNECT), 0},
    [MACRO_CLIENT_ADDR] = {"{client_addr}", 0, 0},
    [MACRO_CLIENT_NAME] = {"{client_name}", 0, 0},
    [MACRO_CLIENT_PORT] = {"{client_port}", 0, 0},
    [MACRO_CLIENT_PTR] = {"{client_ptr}", 0, 0},
    [MACRO_IF_NAME] = {"{if_name}", 0, AT(SMFIM_CONNECT)},
    [MACRO_AUTH_TYPE] = {"{auth_type}", AT(SMFIM_ENVFROM), AT(SMFIM_ENVFROM)},
    [MACRO_AUTH_AUTHEN] = {"{auth_authen}", AT(SMFIM_ENVFROM),
	AT(SMFIM_ENVFROM)},
    [MACRO_MAIL_ADDR] = {"{mail_addr}", AT(SMFIM_ENVFROM), AT(SMFIM_ENVFROM)},
    [MACRO_MAIL_HOST] = {"{mail_host}", AT(SMFIM_ENVFROM), AT(SMFIM_ENVFROM)},
    [MACRO_MAIL_MAILER] = {"{mail_mailer}", AT(SMFIM_ENVFROM),
	AT(SMFIM_ENVFROM)},
    [MACRO_RCPT_ADDR] = {"{rcpt_addr}", AT(SMFIM_ENVRCPT), AT(SMFIM_ENVRCPT)},
    [MACRO_RCPT_HOST] = {"{rcpt_host}", AT(SMFIM_ENVRCPT), AT(SMFIM_ENVRCPT)},
    [MACRO_RCPT_MAILER] = {"{rcpt_mailer}", AT(SMFIM_ENVRCPT),
	AT(SMFIM_ENVRCPT)},
    [MACRO_I] = {"i", FROM_MAIL_ON, FROM_MAIL_ON},
    [MACRO_MSG_ID] = {"{msg_id}", 0, AT(SMFIM_EOM)},
};

static const struct {
	char command;
	enum reply reply;
} verdicts[] = {
    {SMFIR_ACCEPT, REPLY_ACCEPT},
    {SMFIR_REJECT, REPLY_REJECT},
    {SMFIR_TEMPFAIL, REPLY_TEMPFAIL},
    {SMFIR_DISCARD, REPLY_DISCARD},
    {SMFIR_SHUTDOWN, REPLY_TEMPFAIL},
    {SMFIR_CONN_FAIL, REPLY_TEMPFAIL},
};

/* Changes, and the action bit that must have been negotiated. */
static const struct edit_row {
	char command;
	const char *what;
	bool has_index;
	uint32_t action;
} edit_rows[] = {
    {SMFIR_ADDHEADER, "add", false, SMFIF_ADDHDRS},
    {SMFIR_INSHEADER, "insert", true, SMFIF_ADDHDRS},
    {SMFIR_CHGHEADER, "change", true, SMFIF_CHGHDRS},
    {SMFIR_ADDRCPT, "addrcpt", false, SMFIF_ADDRCPT},
    {SMFIR_ADDRCPT_PAR, "addrcpt", false, SMFIF_ADDRCPT_PAR},
    {SMFIR_DELRCPT, "delrcpt", false, SMFIF_DELRCPT},
    {SMFIR_CHGFROM, "chgfrom", false, SMFIF_CHGFROM},
    {SMFIR_REPLBODY, "body", false, SMFIF_CHGBODY},
};

static const char *const reply_names[REPLY_COUNT] = {
    [REPLY_CONTINUE] = "continue",
    [REPLY_ACCEPT] = "accept",
    [REPLY_REJECT] = "reject",
    [REPLY_TEMPFAIL] = "tempfail",
    [REPLY_DISCARD] = "discard",
    [REPLY_ABORTED] = "aborted",
    [REPLY_DISCONNECTED] = "disconnected",
    [REPLY_REFUSED] = "refused",
    [REPLY_CLOSED] = "closed",
    [REPLY_TIMEOUT] = "timeout",
    [REPLY_BAD] = "bad",
};

struct dialog {
	const struct plan *plan;
	struct wire wire;
	uint32_t actions, protocol;
	bool has_asked[MACRO_STAGES];
	struct str asked[MACRO_STAGES];
	struct str client_addr, client_name;
	unsigned client_port;
	struct str values[MACRO_COUNT];
	struct buf *packet, *macros;
	bool is_over;           /* closed, or we hung up */
	struct outcome session; /* decided for all messages of the connection */
	/* this message */
	struct arena *a;
	const struct letter *letter;
	struct outcome *out;
	bool is_cut_short, is_skipped;
	enum stage last; /* walk up to here */
	uint64_t number;
};

const char *
stage_name(enum stage stage)
{
	return stage == STAGE_COUNT ? "none" : steps[stage].name;
}

bool
stage_parse(const char *name, enum stage *ret)
{
	for (size_t i = 0; i < STAGE_COUNT; i++)
		if (strcmp(name, steps[i].name) == 0) {
			*ret = (enum stage)i;
			return true;
		}
	return false;
}

const char *
reply_name(enum reply reply)
{
	return reply_names[reply];
}

bool
reply_is_fine(enum reply reply)
{
	return reply <= REPLY_DISCONNECTED;
}

static bool
decide(struct dialog *d, enum reply reply, enum stage stage, const char *text)
{
	d->out->reply = reply;
	d->out->stage = stage;
	if (text != NULL)
		d->out->text = str_from(text);
	return false;
}

static bool
lose(struct dialog *d, enum wire_status status, enum stage stage)
{
	switch (status) {
	case WIRE_OK:
	case WIRE_CLOSED:
		return decide(d, REPLY_CLOSED, stage, NULL);
	case WIRE_TIMEOUT:
		return decide(d, REPLY_TIMEOUT, stage, NULL);
	case WIRE_BAD:
		break;
	}
	return decide(
	    d, REPLY_BAD, stage, "a packet with an impossible length");
}

/* --- macros --- */

static struct str
macro_value(const struct dialog *d, struct str name)
{
	const struct strs *own = &d->plan->macros;
	for (size_t i = 0; i < own->n; i++) {
		struct str value = own->v[i];
		if (str_eq(str_cut(&value, '='), name))
			return value;
	}
	for (size_t i = 0; i < MACRO_COUNT; i++)
		if (str_eq(str_from(macro_rows[i].name), name))
			return d->values[i];
	return STR_EMPTY;
}

static void
put_macro(struct dialog *d, struct str name)
{
	struct str value = macro_value(d, name);
	if (value.len == 0)
		return;
	buf_put(d->macros, name);
	buf_putc(d->macros, '\0');
	buf_put(d->macros, value);
	buf_putc(d->macros, '\0');
}

static void
put_macros(struct dialog *d, int stage)
{
	if (d->has_asked[stage]) {
		struct str rest = d->asked[stage], name;
		while ((name = str_word(&rest)).len > 0)
			put_macro(d, name);
		return;
	}
	for (size_t i = 0; i < MACRO_COUNT; i++) {
		const struct macro_row *row = &macro_rows[i];
		unsigned at =
		    d->plan->is_sendmail ? row->sendmail : row->postfix;
		if ((at & AT(stage)) != 0)
			put_macro(d, str_from(row->name));
	}
}

/* --- answers --- */

static void
packet_start(struct dialog *d)
{
	d->packet->len = 0;
	d->packet->is_cut = false;
}

static void
packet_text(struct dialog *d, struct str text)
{
	buf_put(d->packet, text);
	buf_putc(d->packet, '\0');
}

/* MTAs read the text of a reply as a format: %% is %, and a lone % is an error.
 */
static bool
reply_text(struct arena *a, struct str text, struct str *ret)
{
	struct buf *b = buf_new(a, WIRE_IN_MAX);
	for (size_t i = 0; i < text.len; i++) {
		if (text.p[i] == '%' && (++i == text.len || text.p[i] != '%'))
			return false;
		buf_putc(b, text.p[i]);
	}
	*ret = buf_str(b);
	return true;
}

/* "550 5.7.1 no" */
static bool
take_reply_code(
    struct dialog *d, enum stage stage, struct str data, enum reply *ret)
{
	uint64_t code;
	struct str text = str_cut(&data, '\0');
	if (!str_u64(str_sub(text, 0, 3), 599, &code) || code < 400 ||
	    !reply_text(d->a, str_skip(text, 4), &d->out->text))
		return decide(d, REPLY_BAD, stage, "a reply text no MTA takes");
	d->out->code = (unsigned)code;
	*ret = code < 500 ? REPLY_TEMPFAIL : REPLY_REJECT;
	return true;
}

static bool
take_edit(struct dialog *d, enum stage stage, const struct edit_row *row,
    struct str data)
{
	if (stage != STAGE_EOM)
		return decide(
		    d, REPLY_BAD, stage, "a change before end of message");
	if ((d->actions & row->action) == 0)
		return decide(d, REPLY_BAD, stage, "a change not negotiated");
	struct edit edit = {.what = row->what};
	if (row->has_index) {
		edit.index = wire_u32(data, 0);
		data = str_skip(data, 4);
	}
	data = str_dup(d->a, data);
	edit.name = str_cut(&data, '\0');
	edit.value = str_cut(&data, '\0');
	if (row->command == SMFIR_CHGHEADER && edit.value.len == 0)
		edit.what = "delete";
	else if (edit.value.len > 0 && (d->protocol & SMFIP_HDR_LEADSPC) == 0)
		edit.value = str_printf(d->a, " %.*s", STR_ARG(edit.value));
	if (row->command == SMFIR_REPLBODY)
		edit.name = STR_EMPTY;
	ARENA_PUSH(d->a, d->out) = edit;
	return true;
}

static bool
take_quarantine(struct dialog *d, enum stage stage, struct str data)
{
	if (stage != STAGE_EOM || (d->actions & SMFIF_QUARANTINE) == 0)
		return decide(d, REPLY_BAD, stage, "a quarantine out of place");
	d->out->is_quarantined = true;
	d->out->quarantine = str_dup(d->a, str_cut(&data, '\0'));
	return true;
}

/* What ends nothing; false: it was a mistake. */
static bool
take_aside(struct dialog *d, enum stage stage, char command, struct str data)
{
	if (command == SMFIR_QUARANTINE)
		return take_quarantine(d, stage, data);
	if (command == SMFIR_PROGRESS) {
		d->out->progress++;
		return true;
	}
	for (size_t i = 0; i < COUNT_OF(edit_rows); i++)
		if (edit_rows[i].command == command)
			return take_edit(d, stage, &edit_rows[i], data);
	return decide(d, REPLY_BAD, stage, "an unknown reply");
}

static enum reply
verdict_of(char command)
{
	for (size_t i = 0; i < COUNT_OF(verdicts); i++)
		if (verdicts[i].command == command)
			return verdicts[i].reply;
	return REPLY_CONTINUE;
}

/* A verdict at `stage`.  True: the message goes on all the same. */
static bool
settle(struct dialog *d, enum stage stage, enum reply reply)
{
	bool is_refusal = reply == REPLY_REJECT || reply == REPLY_TEMPFAIL;
	if (stage == STAGE_RCPT && is_refusal) {
		strs_add(d->a, &d->out->rejected,
		    str_printf(d->a, "%.*s %s %u %.*s",
			STR_ARG(d->values[MACRO_RCPT_ADDR]), reply_name(reply),
			d->out->code, STR_ARG(d->out->text)));
		return true;
	}
	return decide(d, reply, stage, NULL);
}

/* Read up to the answer of one step.  True: go on. */
static bool
take_answer(struct dialog *d, enum stage stage)
{
	for (;;) {
		char command;
		struct str data;
		enum wire_status status =
		    wire_receive(&d->wire, &command, &data);
		if (status != WIRE_OK)
			return lose(d, status, stage);
		enum reply reply = verdict_of(command);
		if (command == SMFIR_REPLYCODE &&
		    !take_reply_code(d, stage, data, &reply))
			return false;
		if (reply != REPLY_CONTINUE)
			return settle(d, stage, reply);
		if (command == SMFIR_CONTINUE)
			return stage == STAGE_EOM
				   ? decide(d, REPLY_ACCEPT, stage, NULL)
				   : true;
		if (command == SMFIR_SKIP && stage == STAGE_BODY) {
			d->is_skipped = true;
			return true;
		}
		if (!take_aside(d, stage, command, data))
			return false;
	}
}

/* --- steps --- */

static bool
stop_where_planned(struct dialog *d, enum stage stage)
{
	if (d->last == stage)
		return decide(d, REPLY_CONTINUE, stage, NULL);
	if (!d->is_cut_short)
		return true;
	if (d->plan->abort_after == stage)
		return decide(d, REPLY_ABORTED, stage, NULL);
	if (d->plan->disconnect_after == stage) {
		(void)!wire_flush(&d->wire);
		return decide(d, REPLY_DISCONNECTED, stage, NULL);
	}
	return true;
}

static enum wire_status
send_macros(struct dialog *d, const struct step *step)
{
	if (step->macros < 0)
		return WIRE_OK;
	d->macros->len = 0;
	buf_putc(d->macros, step->command);
	put_macros(d, step->macros);
	return d->macros->len == 1
		   ? WIRE_OK
		   : wire_send(&d->wire, SMFIC_MACRO, buf_str(d->macros));
}

/* One step and its answer.  True: go on. */
static bool
exchange(struct dialog *d, enum stage stage, struct str data)
{
	const struct step *step = &steps[stage];
	if (d->plan->on_meet != NULL && d->plan->meet == stage)
		d->plan->on_meet(d->plan->meet_arg);
	if ((d->protocol & step->no) == 0) {
		enum wire_status status = send_macros(d, step);
		if (status == WIRE_OK)
			status = wire_send(&d->wire, step->command, data);
		/* a milter that closed may have said why: read it */
		if (status == WIRE_TIMEOUT)
			return lose(d, status, stage);
		bool has_reply = (d->protocol & step->nr) == 0;
		if ((has_reply || status != WIRE_OK) && !take_answer(d, stage))
			return false;
	}
	return stop_where_planned(d, stage);
}

static void
take_symbols(struct dialog *d, struct arena *a, struct str data)
{
	while (data.len > 4) {
		uint32_t stage = wire_u32(data, 0);
		data = str_skip(data, 4);
		struct str names = str_cut(&data, '\0');
		if (stage >= MACRO_STAGES)
			continue;
		d->has_asked[stage] = true;
		d->asked[stage] = str_dup(a, names);
	}
}

static bool
negotiate(struct dialog *d, struct arena *a)
{
	char data[MILTER_OPTLEN];
	char command;
	struct str answer;
	wire_put_u32(data, PROTOCOL_VERSION);
	wire_put_u32(data + 4, d->plan->offer_actions);
	wire_put_u32(data + 8, d->plan->offer_protocol);
	enum wire_status status =
	    wire_send(&d->wire, SMFIC_OPTNEG, str_of(data, sizeof(data)));
	if (status == WIRE_OK)
		status = wire_receive(&d->wire, &command, &answer);
	if (status != WIRE_OK)
		return lose(d, status, STAGE_NEGOTIATE);
	if (command != SMFIC_OPTNEG || answer.len < MILTER_OPTLEN)
		return decide(d, REPLY_BAD, STAGE_NEGOTIATE, "no negotiation");
	d->actions = wire_u32(answer, 4);
	d->protocol = wire_u32(answer, 8);
	if ((d->protocol & ~d->plan->offer_protocol) != 0 ||
	    (d->actions & ~d->plan->offer_actions) != 0)
		return decide(d, REPLY_BAD, STAGE_NEGOTIATE,
		    "asks for what was not offered");
	take_symbols(d, a, str_skip(answer, MILTER_OPTLEN));
	return stop_where_planned(d, STAGE_NEGOTIATE);
}

static bool
step_connect(struct dialog *d)
{
	bool is_v6 = str_chr(d->client_addr, ':') != STR_NONE;
	bool is_known = d->client_addr.len > 0;
	packet_start(d);
	packet_text(d, d->client_name);
	buf_putc(d->packet, !is_known ? SMFIA_UNKNOWN
			    : is_v6   ? SMFIA_INET6
				      : SMFIA_INET);
	if (is_known) {
		buf_putc(d->packet, (char)(d->client_port >> 8));
		buf_putc(d->packet, (char)(d->client_port & 0xff));
		if (is_v6)
			buf_put(d->packet, STR("IPv6:"));
		packet_text(d, d->client_addr);
	}
	return exchange(d, STAGE_CONNECT, buf_str(d->packet));
}

static bool
step_helo(struct dialog *d)
{
	packet_start(d);
	packet_text(d, str_from(d->plan->helo));
	return exchange(d, STAGE_HELO, buf_str(d->packet));
}

/* Postfix's own mail (port 0) comes without < > and ESMTP arguments. */
static bool
is_pickup(const struct dialog *d)
{
	return d->client_port == 0 && !d->plan->is_sendmail;
}

static void
packet_path(struct dialog *d, struct str address)
{
	packet_start(d);
	if (is_pickup(d)) {
		packet_text(d, address);
		return;
	}
	buf_putc(d->packet, '<');
	buf_put(d->packet, address);
	packet_text(d, STR(">"));
}

static struct str
domain_of(struct str address)
{
	size_t at = str_rchr(address, '@');
	return at == STR_NONE ? STR_EMPTY : str_skip(address, at + 1);
}

static bool
step_mail(struct dialog *d)
{
	struct str from = str_from(d->plan->from);
	struct str rest = str_from(d->plan->mail_args), word;
	d->values[MACRO_MAIL_ADDR] = from;
	if (!is_pickup(d)) {
		d->values[MACRO_MAIL_HOST] = domain_of(from);
		d->values[MACRO_MAIL_MAILER] = STR("smtp");
	}
	if (d->plan->is_sendmail || is_pickup(d))
		d->values[MACRO_I] = d->out->queue_id;
	packet_path(d, from);
	while ((word = str_word(&rest)).len > 0)
		packet_text(d, word);
	return exchange(d, STAGE_MAIL, buf_str(d->packet));
}

static bool
step_rcpt(struct dialog *d)
{
	const struct strs *rcpt = &d->plan->rcpt;
	for (size_t i = 0; i < rcpt->n; i++) {
		d->values[MACRO_RCPT_ADDR] = rcpt->v[i];
		d->values[MACRO_RCPT_HOST] = domain_of(rcpt->v[i]);
		d->values[MACRO_RCPT_MAILER] = STR("smtp");
		packet_path(d, rcpt->v[i]);
		if (!exchange(d, STAGE_RCPT, buf_str(d->packet)))
			return false;
		/* Postfix has no queue id before the first recipient */
		d->values[MACRO_I] = d->out->queue_id;
	}
	if (d->out->rejected.n < rcpt->n)
		return true;
	return decide(d, d->out->code < 500 ? REPLY_TEMPFAIL : REPLY_REJECT,
	    STAGE_RCPT, NULL);
}

static bool
step_data(struct dialog *d)
{
	return exchange(d, STAGE_DATA, STR_EMPTY);
}

static bool
step_fields(struct dialog *d)
{
	for (size_t i = 0; i < d->letter->n; i++) {
		const struct letter_field *field = &d->letter->v[i];
		struct str value = field->value;
		value = str_cut(&value, '\0');
		if ((d->protocol & SMFIP_HDR_LEADSPC) == 0 &&
		    str_starts(value, STR(" ")))
			value = str_skip(value, 1);
		packet_start(d);
		packet_text(d, field->name);
		packet_text(d, str_sub(value, 0, d->plan->field_bytes));
		if (d->plan->is_sendmail &&
		    str_ieq(field->name, STR("Message-ID")))
			d->values[MACRO_MSG_ID] = str_trim(field->value);
		if (!exchange(d, STAGE_HEADER, buf_str(d->packet)))
			return false;
	}
	return true;
}

static bool
step_eoh(struct dialog *d)
{
	return exchange(d, STAGE_EOH, STR_EMPTY);
}

static bool
step_body(struct dialog *d)
{
	struct str rest = d->letter->body;
	while (rest.len > 0 && !d->is_skipped) {
		struct str chunk = str_sub(rest, 0, d->plan->chunk_bytes);
		rest = str_skip(rest, chunk.len);
		if (!exchange(d, STAGE_BODY, chunk))
			return false;
	}
	return true;
}

static bool
step_eom(struct dialog *d)
{
	const struct plan *plan = d->plan;
	if (plan->on_meet != NULL && plan->meet == STAGE_EOM)
		plan->on_meet(plan->meet_arg);
	enum wire_status status = send_macros(d, &steps[STAGE_EOM]);
	if (status == WIRE_OK)
		status = wire_send(&d->wire, SMFIC_BODYEOB, STR_EMPTY);
	if (status == WIRE_OK)
		status = wire_flush(&d->wire);
	if (status == WIRE_TIMEOUT)
		return lose(d, status, STAGE_EOM);
	/*
	 * Hang up without hearing the answer, but not at once: libmilter drops
	 * what it has not read yet.
	 */
	if (d->is_cut_short && plan->disconnect_after == STAGE_EOM) {
		(void)usleep(HANG_UP_US);
		return decide(d, REPLY_DISCONNECTED, STAGE_EOM, NULL);
	}
	if (plan->half_closes)
		wire_half_close(&d->wire);
	return take_answer(d, STAGE_EOM);
}

static bool (*const message_steps[])(struct dialog *) = {step_mail, step_rcpt,
    step_data, step_fields, step_eoh, step_body, step_eom};

/* --- sessions --- */

/* "192.0.2.7:25", "192.0.2.7", "[2001:db8::1]:25", "2001:db8::1", "unknown". */
static void
parse_client(struct dialog *d, struct arena *a)
{
	struct str text = str_from(d->plan->client);
	struct str address = text, port = STR("4711");
	size_t colon = str_rchr(text, ':');
	bool is_v6 = colon != str_chr(text, ':');
	if (str_starts(text, STR("["))) {
		address = str_skip(text, 1);
		port = address;
		address = str_cut(&port, ']');
		port = port.len > 0 ? str_skip(port, 1) : STR("4711");
	} else if (colon != STR_NONE && !is_v6) {
		port = text;
		address = str_cut(&port, ':');
	}
	uint64_t number = 0;
	if (str_u64(port, 65535, &number))
		d->client_port = (unsigned)number;
	if (str_eq(address, STR("unknown")))
		address = STR_EMPTY;
	d->client_addr = address;
	d->client_name =
	    d->plan->client_name != NULL ? str_from(d->plan->client_name)
	    : is_pickup(d)               ? STR("localhost")
	    : address.len == 0           ? STR("unknown")
			       : str_printf(a, "[%.*s]", STR_ARG(address));
}

static void
set_session_macros(struct dialog *d, struct arena *a)
{
	const struct plan *plan = d->plan;
	struct str *v = d->values;
	for (size_t i = 0; i < MACRO_COUNT; i++)
		v[i] = STR_EMPTY;
	v[MACRO_J] = STR("mail.test.example");
	v[MACRO_PEER] = d->client_name;
	v[MACRO_V] = STR("Postfix 3.7.11");
	v[MACRO_IF_NAME] = STR("localhost");
	v[MACRO_DAEMON_NAME] = str_from(plan->daemon_name);
	v[MACRO_DAEMON_ADDR] = str_from(plan->daemon_addr);
	v[MACRO_CLIENT_ADDR] = d->client_addr;
	v[MACRO_CLIENT_NAME] = d->client_name;
	v[MACRO_CLIENT_PTR] = d->client_name;
	v[MACRO_CLIENT_PORT] = str_printf(a, "%u", d->client_port);
	v[MACRO_AUTH_AUTHEN] = str_from(plan->login);
	v[MACRO_AUTH_TYPE] =
	    v[MACRO_AUTH_AUTHEN].len > 0 ? STR("PLAIN") : STR_EMPTY;
}

struct dialog *
dialog_new(struct arena *a, const struct plan *plan, struct outcome *ret)
{
	struct dialog *d = ARENA_NEW(a, struct dialog);
	d->plan = plan;
	d->a = a;
	d->out = ret;
	d->last = STAGE_COUNT;
	d->is_cut_short = plan->abort_after <= STAGE_HELO ||
			  plan->disconnect_after <= STAGE_HELO;
	*ret = (struct outcome){0};
	if (!wire_open(&d->wire, plan->socket_name, plan->timeout_ms)) {
		(void)decide(
		    d, REPLY_REFUSED, STAGE_NEGOTIATE, strerror(errno));
		return NULL;
	}
	d->wire.is_eager = plan->is_sendmail;
	d->wire.slow_ms = plan->slow_ms;
	d->packet = buf_new(a, PACKET_MAX);
	d->macros = buf_new(a, PACKET_MAX);
	parse_client(d, a);
	set_session_macros(d, a);
	bool goes_on = negotiate(d, a) && step_connect(d) && step_helo(d);
	d->session = *ret;
	if (goes_on || ret->reply < REPLY_ABORTED)
		return d;
	if (ret->reply == REPLY_ABORTED)
		(void)!wire_send(&d->wire, SMFIC_ABORT, STR_EMPTY);
	d->is_over = ret->reply != REPLY_ABORTED;
	dialog_free(d);
	return NULL;
}

void
dialog_free(struct dialog *d)
{
	if (d == NULL)
		return;
	if (!d->is_over) {
		(void)!wire_send(&d->wire, SMFIC_QUIT, STR_EMPTY);
		(void)!wire_flush(&d->wire);
	}
	wire_close(&d->wire);
}

static void
message_start(struct dialog *d, struct arena *a, const struct letter *letter,
    struct outcome *ret)
{
	*ret = d->session;
	d->a = a;
	d->letter = letter;
	d->out = ret;
	d->is_skipped = false;
	for (size_t i = MACRO_MAIL_ADDR; i < MACRO_COUNT; i++)
		d->values[i] = STR_EMPTY;
}

bool
dialog_message(struct dialog *d, struct arena *a, const struct letter *letter,
    uint64_t number, bool is_cut_short, struct outcome *ret)
{
	message_start(d, a, letter, ret);
	d->is_cut_short = is_cut_short;
	ret->queue_id = str_printf(
	    a, "%s%llX", d->plan->queue_id_prefix, (unsigned long long)number);
	int64_t start = clock_us();
	if (wire_has_input(&d->wire))
		(void)decide(
		    d, REPLY_BAD, STAGE_MAIL, "a reply nobody asked for");
	else if (d->session.reply == REPLY_CONTINUE)
		for (size_t i = 0; i < COUNT_OF(message_steps); i++)
			if (!message_steps[i](d))
				break;
	ret->us = clock_us() - start;
	if (ret->stage >= STAGE_MAIL && ret->stage < STAGE_EOM &&
	    ret->reply <= REPLY_ABORTED)
		(void)!wire_send(&d->wire, SMFIC_ABORT, STR_EMPTY);
	d->is_over = ret->reply > REPLY_ABORTED || ret->code == 421;
	return !d->is_over && !d->plan->half_closes;
}

struct wire *
dialog_walk(struct dialog *d, struct arena *a, const struct letter *letter,
    enum stage last, struct outcome *ret)
{
	message_start(d, a, letter, ret);
	d->is_cut_short = false;
	d->last = last;
	ret->queue_id = str_from(d->plan->queue_id_prefix);
	for (size_t i = 0; last > STAGE_HELO && i < COUNT_OF(message_steps);
	     i++)
		if (!message_steps[i](d))
			break;
	return &d->wire;
}
