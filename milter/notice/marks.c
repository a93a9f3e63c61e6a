/* SPDX-License-Identifier: BSD-2-Clause */
/* marks -- the tables of fields, names and types that machines use. */
#include "notice/marks.h"

#include <assert.h>
#include <pthread.h>

#include "base/arena.h"
#include "mail/header.h"
#include "mail/mime.h"

#define FIELD_SLOTS 512
#define FIELDS_MAX 250
#define FOLDED_MAX 400
#define PARTS_MAX 100
#define STATUS_BYTES 4096

static void
mark(struct notice_marks *marks, enum notice_mark which)
{
	marks->set |= MARK_BIT(which);
}

static bool
is_marked(const struct notice_marks *marks, enum notice_mark which)
{
	return (marks->set & MARK_BIT(which)) != 0;
}

/* --- names --------------------------------------------------------------- */

static const char *const mark_names[NOTICE_MARKS] = {
    [MARK_NULL] = "null sender",
    [MARK_SENDER] = "sent by a mailer-daemon",
    [MARK_DAEMON] = "From: mailer-daemon",
    [MARK_NOBODY] = "From: <>",
    [MARK_POSTMASTER] = "From: postmaster",
    [MARK_NAME] = "From: a mail system's name",
    [MARK_LISTMASTER] = "From: a list manager",
    [MARK_LISTROBOT] = "From: a list's robot",
    [MARK_REPLIED] = "Auto-Submitted: auto-replied",
    [MARK_GENERATED] = "Auto-Submitted: auto-generated",
    [MARK_AWAY] = "Auto-Submitted: vacation",
    [MARK_REJECTED] = "Auto-Submitted: rejected",
    [MARK_FAILURE] = "Auto-Submitted: failure",
    [MARK_RECIPIENTS] = "X-Failed-Recipients",
    [MARK_AUTOREPLY] = "a field of autoresponders",
    [MARK_SUPPRESS] = "X-Auto-Response-Suppress",
    [MARK_ADMIN] = "X-List-Administrivia",
    [MARK_SCANNER] = "X-MailScanner: generated",
    [MARK_SCRIPT] = "written by a script",
    [MARK_EXCHANGE] = "a report of Exchange",
    [MARK_REPORT] = "multipart/report",
    [MARK_DSN_TYPE] = "report-type=delivery-status",
    [MARK_MDN_TYPE] = "report-type=disposition-notification",
    [MARK_TLS_TYPE] = "report-type=tlsrpt",
    [MARK_STATUS] = "message/delivery-status",
    [MARK_DISPOSITION] = "message/disposition-notification",
    [MARK_FEEDBACK] = "message/feedback-report",
    [MARK_RETURNED] = "a returned message",
    [MARK_TNEF] = "application/ms-tnef",
    [MARK_AGGREGATE] = "a report file",
};

struct str
notice_mark_name(enum notice_mark which)
{
	return str_from(mark_names[which]);
}

/* --- From ---------------------------------------------------------------- */

/* Local parts of machines; *: the rest is free, in front or behind. */
static const struct {
	const char *local;
	enum notice_mark mark;
} locals[] = {
    {"mailer-daemon*", MARK_DAEMON},
    {"mailer_daemon*", MARK_DAEMON},
    {"mailerdaemon*", MARK_DAEMON},
    {"mail-daemon", MARK_DAEMON},
    {"maildaemon", MARK_DAEMON},
    {"mail.daemon", MARK_DAEMON},
    {"mail_daemon", MARK_DAEMON},
    {"mdaemon", MARK_DAEMON},
    {"mail-deamon", MARK_DAEMON},
    {"mailer-deamon", MARK_DAEMON},
    {"mail.delivery.system", MARK_DAEMON},
    {"mail-delivery-system", MARK_DAEMON},
    {"maildeliverysystem", MARK_DAEMON},
    {"mail-delivery-subsystem", MARK_DAEMON},
    {"double-bounce", MARK_DAEMON},
    {"bounce-notification", MARK_DAEMON},
    {"microsoftexchange329e71ec*", MARK_DAEMON},
    {"microsoftexchange*", MARK_POSTMASTER},
    {"postmaster*", MARK_POSTMASTER},
    {"post_master", MARK_POSTMASTER},
    {"post-master", MARK_POSTMASTER},
    {"*-postmaster", MARK_POSTMASTER},
    {"mailsystem", MARK_POSTMASTER},
    {"mail-system", MARK_POSTMASTER},
    {"mailadmin", MARK_POSTMASTER},
    {"mailmaster", MARK_POSTMASTER},
    {"ammgr", MARK_POSTMASTER},
    {"mmdf", MARK_POSTMASTER},
    {"uucp", MARK_POSTMASTER},
    {"amavis*", MARK_POSTMASTER},
    {"antivirus*", MARK_POSTMASTER},
    {"mailscanner*", MARK_POSTMASTER},
    {"mailsweeper*", MARK_POSTMASTER},
    {"mailmarshal*", MARK_POSTMASTER},
    {"mimedefang*", MARK_POSTMASTER},
    {"scanmail*", MARK_POSTMASTER},
    {"groupshield*", MARK_POSTMASTER},
    {"gwava*", MARK_POSTMASTER},
    {"antigen*", MARK_POSTMASTER},
    {"navmse*", MARK_POSTMASTER},
    {"interscan*", MARK_POSTMASTER},
    {"imss*", MARK_POSTMASTER},
    {"content-filter", MARK_POSTMASTER},
    {"contentfilter", MARK_POSTMASTER},
    {"virus*", MARK_POSTMASTER},
    {"quarantine*", MARK_POSTMASTER},
    {"spamfilter*", MARK_POSTMASTER},
    {"spam-filter*", MARK_POSTMASTER},
    {"majordomo*", MARK_LISTROBOT},
    {"listserv*", MARK_LISTROBOT},
    {"listar*", MARK_LISTROBOT},
    {"ecartis*", MARK_LISTROBOT},
    {"sympa", MARK_LISTROBOT},
    {"sympa-*", MARK_LISTROBOT},
    {"sympa*", MARK_LISTMASTER},
    {"listproc*", MARK_LISTROBOT},
    {"mailman*", MARK_LISTMASTER},
    {"listmaster*", MARK_LISTMASTER},
    {"lists-*", MARK_LISTMASTER},
    {"owner-*", MARK_LISTMASTER},
    {"*-owner", MARK_LISTMASTER},
    {"*-admin", MARK_LISTMASTER},
    {"*-request", MARK_LISTROBOT},
    {"*-bounces", MARK_LISTROBOT},
    {"*-bounces+*", MARK_LISTROBOT},
    {"*-help", MARK_LISTMASTER},
    {"*-confirm+*", MARK_LISTROBOT},
    {"*-confirm*", MARK_LISTMASTER},
    {"*-ctl", MARK_LISTMASTER},
    {"*-editor", MARK_LISTMASTER},
    {"*-subscribe*", MARK_LISTMASTER},
    {"*-sc.*", MARK_LISTROBOT},
    {"*+owner", MARK_LISTMASTER},
    {"*+help", MARK_LISTMASTER},
    {"*+subconf-*", MARK_LISTROBOT},
    {"*+unsubconf-*", MARK_LISTROBOT},
    {"*+confsub*", MARK_LISTROBOT},
    {"*+confunsub*", MARK_LISTROBOT},
    {"noreply*", MARK_ROBOT},
    {"no-reply*", MARK_ROBOT},
    {"no_reply*", MARK_ROBOT},
    {"donotreply*", MARK_ROBOT},
    {"do-not-reply*", MARK_ROBOT},
    {"auto*", MARK_ROBOT},
    {"support*", MARK_ROBOT},
    {"help*", MARK_ROBOT},
    {"service*", MARK_ROBOT},
    {"info*", MARK_ROBOT},
    {"contact*", MARK_ROBOT},
};

/* Names a mail system goes by; each begins the display name. */
static const char *const system_names[] = {"mail delivery system",
    "mail deliver system", "mail delivery subsystem", "mail delivery service",
    "mail delivery agent", "mailer daemon", "mailer-daemon", "mail daemon",
    "postmaster", "system administrator", "systemadministrator",
    "administrateur système", "administrador del sistema",
    "amministratore di sistema", "systeembeheerder", "mail system",
    "mail administrator", "microsoft outlook", "microsoft exchange",
    "message router submission agent", "mail sieve subsystem",
    "internet mail delivery", "e-mail delivery", "email delivery",
    "bounce notification", "interscan", "delivery subsystem",
    "messaging system", "mta at", "amavis", "virus", "antivirus", "mailscanner",
    "content-filter", "content filter", "mail filter", "groupshield",
    "barracuda", "antigen", "nav for", "delivery system", "scanmail",
    "norton antivirus", "symantec", "trend micro", "mcafee", "sophos", "clamav",
    "the post office"};

static bool
local_fits(struct str local, struct str pattern)
{
	if (str_starts(pattern, STR("*"))) {
		struct str tail = str_skip(pattern, 1);
		if (!str_ends(tail, STR("*")))
			return str_iends(local, tail);
		tail.len--;
		return str_ifind(local, tail) != STR_NONE;
	}
	if (!str_ends(pattern, STR("*")))
		return str_ieq(local, pattern);
	pattern.len--;
	return str_istarts(local, pattern);
}

/* An address without the tags of rewriters: the part behind "=" of
 * "prvs=4711=x" and SRS are left; nothing here needs them. */
static struct str
local_of(struct str address)
{
	return str_sub(address, 0, str_chr(address, '@'));
}

static void
mark_local(struct notice_marks *marks, struct str local)
{
	for (size_t i = 0; i < COUNT_OF(locals); i++)
		if (local_fits(local, str_from(locals[i].local))) {
			mark(marks, locals[i].mark);
			if (locals[i].mark == MARK_LISTROBOT)
				mark(marks, MARK_LISTMASTER);
			return;
		}
}

/* The address of a From value, leniently: what stands in the last < >, or the
 * first word.  The name is what stands around it. */
static struct str
from_cut(struct str value, struct str *ret_name)
{
	size_t open = str_rchr(value, '<');
	if (open == STR_NONE) {
		struct str rest = value, word = str_word(&rest);
		*ret_name = rest;
		return word;
	}
	struct str inside = str_skip(value, open + 1);
	*ret_name = str_sub(value, 0, open);
	return str_trim(str_sub(inside, 0, str_chr(inside, '>')));
}

/* Programs of lists that sign with nothing but their name. */
static const char *const robot_names[] = {"smartlist", "majordomo", "listserv",
    "ecartis", "ezmlm", "sympa", "mlmmj", "listar", "listproc", "petidomo",
    "minimalist", "mailing list manager", "mailing list processor"};

static void
mark_name(struct notice_marks *marks, struct str name)
{
	char folded[128];
	size_t len = 0;
	while (name.len > 0 && memchr("\"'( ", name.p[0], 4) != NULL)
		name = str_skip(name, 1);
	notice_fold(name, folded, sizeof(folded), &len);
	for (size_t i = 0; i < COUNT_OF(system_names); i++)
		if (str_starts(
			str_of(folded, len), str_from(system_names[i]))) {
			mark(marks, MARK_NAME);
			return;
		}
	struct str whole = str_trim(str_of(folded, len));
	for (size_t i = 0; i < COUNT_OF(robot_names); i++)
		if (str_eq(whole, str_from(robot_names[i]))) {
			mark(marks, MARK_NAME);
			mark(marks, MARK_LISTROBOT);
			return;
		}
}

static void
look_from(struct message *m, struct header *field, struct notice_marks *marks)
{
	marks->from = header_value(m, field);
	struct str name, address = from_cut(marks->from, &name);
	if (address.len == 0) {
		mark(marks, MARK_NOBODY);
		address = str_trim(name); /* "MAILER-DAEMON <>" */
	}
	mark_local(marks, local_of(address));
	mark_name(marks, name);
}

/* --- other fields -------------------------------------------------------- */

static void
look_subject(
    struct message *m, struct header *field, struct notice_marks *marks)
{
	marks->subject_value = header_value(m, field);
}

static const struct {
	const char *comment;
	enum notice_mark mark;
} comments[] = {
    {"vacation", MARK_AWAY},
    {"rejected", MARK_REJECTED},
    {"failure", MARK_FAILURE},
    {"warning-timeout", MARK_FAILURE},
    {"postmaster-notification", MARK_FAILURE},
    {"return-receipt", MARK_FAILURE},
};

/* Without comments in front of it. */
static struct str
skip_comments(struct str value)
{
	value = str_trim(value);
	while (str_starts(value, STR("("))) {
		(void)str_cut(&value, ')');
		value = str_trim(value);
	}
	return value;
}

/* RFC 3834 section 5; comments of Sendmail, Dovecot. */
static void
look_auto_submitted(
    struct message *m, struct header *field, struct notice_marks *marks)
{
	struct str value = skip_comments(header_value(m, field));
	if (value.len == 0 || str_istarts(value, STR("no")) ||
	    str_istarts(value, STR("auto-forwarded")))
		return;
	mark(marks, str_istarts(value, STR("auto-replied")) ? MARK_REPLIED
							    : MARK_GENERATED);
	for (size_t i = 0; i < COUNT_OF(comments); i++)
		if (str_ifind(value, str_from(comments[i].comment)) != STR_NONE)
			mark(marks, comments[i].mark);
}

static bool
is_daemon_path(struct str path)
{
	struct str local = local_of(path);
	return str_istarts(local, STR("mailer-daemon")) ||
	       str_istarts(local, STR("double-bounce"));
}

/* Used without an envelope only. */
static void
look_return_path(
    struct message *m, struct header *field, struct notice_marks *marks)
{
	if (m->envelope != NULL)
		return;
	struct str value = str_trim(field->raw);
	if (str_starts(value, STR("<")))
		value = str_sub(
		    str_skip(value, 1), 0, str_chr(str_skip(value, 1), '>'));
	if (value.len == 0)
		mark(marks, MARK_NULL);
	else if (is_daemon_path(value))
		mark(marks, MARK_SENDER);
}

/*
 * Fields that are enough of a mark by being there, or by a word in their
 * value.  A kind other than none: software that sends such notices has it.
 */
static const struct field_row {
	const char *name;
	const char *word;      /* in its value, any case; NULL: any value */
	enum notice_mark mark; /* NOTICE_MARKS: none */
	enum notice_kind kind;
	void (*look)(struct message *m, struct header *field,
	    struct notice_marks *marks);
} fields[] = {
    {"From", NULL, NOTICE_MARKS, NOTICE_NONE, look_from},
    {"Subject", NULL, NOTICE_MARKS, NOTICE_NONE, look_subject},
    {"Auto-Submitted", NULL, NOTICE_MARKS, NOTICE_NONE, look_auto_submitted},
    {"Return-Path", NULL, NOTICE_MARKS, NOTICE_NONE, look_return_path},
    {"In-Reply-To", NULL, MARK_ANSWER, NOTICE_NONE, NULL},
    {"References", NULL, MARK_ANSWER, NOTICE_NONE, NULL},
    {"List-Id", NULL, MARK_LIST, NOTICE_NONE, NULL},
    {"List-Post", NULL, MARK_LIST, NOTICE_NONE, NULL},
    {"List-Post", NULL, MARK_POST, NOTICE_NONE, NULL},
    {"Precedence", "list", MARK_POST, NOTICE_NONE, NULL},
    {"List-Unsubscribe", NULL, MARK_BULLETIN, NOTICE_NONE, NULL},
    {"Precedence", "auto", MARK_AUTOREPLY, NOTICE_NONE, NULL},
    {"Precedence", "bulk", MARK_BULK, NOTICE_NONE, NULL},
    {"Precedence", "junk", MARK_BULK, NOTICE_NONE, NULL},
    {"X-Precedence", "auto", MARK_AUTOREPLY, NOTICE_NONE, NULL},
    /* MTAs */
    {"X-Failed-Recipients", NULL, MARK_RECIPIENTS, NOTICE_DSN, NULL},
    {"X-MS-Embedded-Report", NULL, MARK_EXCHANGE, NOTICE_DSN, NULL},
    {"X-MS-Exchange-Message-Is-Ndr", NULL, MARK_EXCHANGE, NOTICE_DSN, NULL},
    {"X-Content-Identifier", "microsoftexchange", MARK_EXCHANGE, NOTICE_DSN,
	NULL},
    {"X-Microsoft-Antispam-Message-Info-Ndr", NULL, MARK_EXCHANGE, NOTICE_DSN,
	NULL},
    /* Autoresponders */
    {"X-Autogenerated", "reply", MARK_AUTOREPLY, NOTICE_NONE, NULL},
    {"X-FC-MachineGenerated", "true", MARK_AUTOREPLY, NOTICE_NONE, NULL},
    {"X-Loop", "vacation", MARK_AUTOREPLY, NOTICE_VACATION, NULL},
    {"X-Loop", "autoreply", MARK_AUTOREPLY, NOTICE_NONE, NULL},
    {"X-Auto-Response-Suppress", NULL, MARK_SUPPRESS, NOTICE_NONE, NULL},
    {"X-Apple-Action", "vacation", MARK_AUTOREPLY, NOTICE_VACATION, NULL},
    {"X-Vacation", NULL, MARK_AUTOREPLY, NOTICE_VACATION, NULL},
    {"X-Away", NULL, MARK_AUTOREPLY, NOTICE_VACATION, NULL},
    {"X-Pmx-Vacation", NULL, MARK_AUTOREPLY, NOTICE_VACATION, NULL},
    {"X-OOF", NULL, MARK_AUTOREPLY, NOTICE_VACATION, NULL},
    {"X-Mailer", "vacation", MARK_AUTOREPLY, NOTICE_VACATION, NULL},
    {"X-Mailer", "gnarwl", MARK_AUTOREPLY, NOTICE_VACATION, NULL},
    {"X-Mailer", "autorespon", MARK_AUTOREPLY, NOTICE_NONE, NULL},
    {"X-Mailer", "mailagent [version", MARK_AUTOREPLY, NOTICE_NONE, NULL},
    {"X-Mailer", "auto-respon", MARK_AUTOREPLY, NOTICE_NONE, NULL},
    {"X-Mailer", "autoreply", MARK_AUTOREPLY, NOTICE_NONE, NULL},
    {"X-Mailer", "out of office", MARK_AUTOREPLY, NOTICE_VACATION, NULL},
    {"X-MS-Exchange-Generated-Message-Source", "mailbox rules agent",
	MARK_SUPPRESS, NOTICE_NONE, NULL},
    {"X-MS-Exchange-Inbox-Rules-Loop", NULL, MARK_SUPPRESS, NOTICE_NONE, NULL},
    {"X-PHP-Originating-Script", NULL, MARK_SCRIPT, NOTICE_NONE, NULL},
    {"X-PHP-Script", NULL, MARK_SCRIPT, NOTICE_NONE, NULL},
    {"X-Mailer", "phpmailer", MARK_SCRIPT, NOTICE_NONE, NULL},
    {"X-Mailer", "php/", MARK_SCRIPT, NOTICE_NONE, NULL},
    /* List managers */
    {"X-List-Administrivia", "yes", MARK_ADMIN, NOTICE_LIST, NULL},
    {"X-MLServer", NULL, NOTICE_MARKS, NOTICE_LIST, NULL},
    {"Message-ID", "-mlmmj-", NOTICE_MARKS, NOTICE_LIST, NULL},
    {"X-Mailman-Version", NULL, NOTICE_MARKS, NOTICE_LIST, NULL},
    {"Mailing-List", "ezmlm", NOTICE_MARKS, NOTICE_LIST, NULL},
    {"Delivered-To", "responder for ", NOTICE_MARKS, NOTICE_LIST, NULL},
    /* Filters */
    {"X-Mailer", "mailscanner", NOTICE_MARKS, NOTICE_FILTER, NULL},
    {"X-Amavis-Notify", NULL, NOTICE_MARKS, NOTICE_FILTER, NULL},
    {"X-Mimedefang-Notify", NULL, NOTICE_MARKS, NOTICE_FILTER, NULL},
    {"X-Trendmicro-Notification", NULL, NOTICE_MARKS, NOTICE_FILTER, NULL},
    {"X-Symantec-Notification", NULL, NOTICE_MARKS, NOTICE_FILTER, NULL},
    /* Ticket systems; their answers by people have the same fields */
    {"X-RT-Loop-Prevention", NULL, NOTICE_MARKS, NOTICE_TICKET, NULL},
    {"RT-Ticket", NULL, NOTICE_MARKS, NOTICE_TICKET, NULL},
    {"X-OTRS-Loop", NULL, NOTICE_MARKS, NOTICE_TICKET, NULL},
    {"X-OTRS-AutoResponse", NULL, NOTICE_MARKS, NOTICE_TICKET, NULL},
    {"X-Powered-By", "otrs", NOTICE_MARKS, NOTICE_TICKET, NULL},
    {"X-Powered-By", "otobo", NOTICE_MARKS, NOTICE_TICKET, NULL},
    {"X-Powered-By", "znuny", NOTICE_MARKS, NOTICE_TICKET, NULL},
    {"X-Mailer", "otrs", NOTICE_MARKS, NOTICE_TICKET, NULL},
    {"X-Mailer", "otobo", NOTICE_MARKS, NOTICE_TICKET, NULL},
    {"X-Mailer", "znuny", NOTICE_MARKS, NOTICE_TICKET, NULL},
    {"X-Mailer", "zammad", NOTICE_MARKS, NOTICE_TICKET, NULL},
    {"X-Mailer", "zendesk", NOTICE_MARKS, NOTICE_TICKET, NULL},
    {"X-Mailer", "osticket", NOTICE_MARKS, NOTICE_TICKET, NULL},
    {"X-Mailer", "kayako", NOTICE_MARKS, NOTICE_TICKET, NULL},
    {"X-Mailer", "whmcs", NOTICE_MARKS, NOTICE_TICKET, NULL},
    {"X-Zammad-Ticket-Id", NULL, NOTICE_MARKS, NOTICE_TICKET, NULL},
    {"X-Zendesk-From-Account-Id", NULL, NOTICE_MARKS, NOTICE_TICKET, NULL},
    {"X-Freshdesk-Ticket-Id", NULL, NOTICE_MARKS, NOTICE_TICKET, NULL},
    {"X-FD-Ticket-Id", NULL, NOTICE_MARKS, NOTICE_TICKET, NULL},
    {"X-Ticket-Id", NULL, NOTICE_MARKS, NOTICE_TICKET, NULL},
    {"X-Osticket", NULL, NOTICE_MARKS, NOTICE_TICKET, NULL},
    {"X-Jira-Fingerprint", NULL, NOTICE_MARKS, NOTICE_TICKET, NULL},
    {"X-Gnats-Notify", NULL, NOTICE_MARKS, NOTICE_TICKET, NULL},
    {"X-Debian-PR-Message", "ack", MARK_AUTOREPLY, NOTICE_TICKET, NULL},

    /* Challenges */
    {"X-Boxtrapper", NULL, MARK_AUTOREPLY, NOTICE_CHALLENGE, NULL},
    {"X-Boxtrapper-Verification", NULL, MARK_AUTOREPLY, NOTICE_CHALLENGE, NULL},
    {"X-Spamarrest-Noauth", NULL, MARK_AUTOREPLY, NOTICE_CHALLENGE, NULL},
    {"X-Spamarrest-Speedcode", NULL, MARK_AUTOREPLY, NOTICE_CHALLENGE, NULL},
    {"X-AskVersion", NULL, MARK_AUTOREPLY, NOTICE_CHALLENGE, NULL},
    {"X-Delivery-Agent", "tmda", NOTICE_MARKS, NOTICE_CHALLENGE, NULL},
    {"X-TMDA-Confirm", NULL, MARK_AUTOREPLY, NOTICE_CHALLENGE, NULL},
    {"X-Choicemail-Registration-Request", NULL, MARK_AUTOREPLY,
	NOTICE_CHALLENGE, NULL},
    {"X-Mailer", "choicemail", NOTICE_MARKS, NOTICE_CHALLENGE, NULL},
    {"X-Boxbe", NULL, NOTICE_MARKS, NOTICE_CHALLENGE, NULL},
    {"X-Bluebottle-Request", NULL, NOTICE_MARKS, NOTICE_CHALLENGE, NULL},
    {"X-Qconfirm", NULL, MARK_AUTOREPLY, NOTICE_CHALLENGE, NULL},
    {"Reply-To", "-confirm-", NOTICE_MARKS, NOTICE_CHALLENGE, NULL},
    {"Reply-To", "-tmda-confirm", MARK_AUTOREPLY, NOTICE_CHALLENGE, NULL},
    /* Receipts */
    {"X-MSMail-Receipt", NULL, NOTICE_MARKS, NOTICE_MDN, NULL},
    /* Reports that were asked for */
    {"TLS-Report-Domain", NULL, NOTICE_MARKS, NOTICE_DMARC, NULL},
    {"TLS-Report-Submitter", NULL, NOTICE_MARKS, NOTICE_DMARC, NULL},
    {"X-HmXmrOriginalRecipient", NULL, NOTICE_MARKS, NOTICE_ARF, NULL},
};

/* Rows by a hash of their names; rows of one name are chained. */
static struct {
	uint8_t slot[FIELD_SLOTS]; /* index + 1; 0: none */
	uint8_t next[FIELDS_MAX];
} field_index;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static size_t
name_hash(struct str name)
{
	size_t hash = name.len * 131;
	hash += (size_t)char_lower(name.p[name.len - 1]) * 31;
	hash += (size_t)char_lower(name.p[name.len / 2]) * 7;
	hash += (size_t)char_lower(name.p[0]);
	return hash % FIELD_SLOTS;
}

static void
fields_init(void)
{
	assert(COUNT_OF(fields) <= FIELDS_MAX);
	for (size_t i = 0; i < COUNT_OF(fields); i++) {
		size_t slot = name_hash(str_from(fields[i].name));
		field_index.next[i] = field_index.slot[slot];
		field_index.slot[slot] = (uint8_t)(i + 1);
	}
}

static void
field_take(struct message *m, const struct field_row *row, struct header *field,
    struct notice_marks *marks)
{
	if (row->look != NULL) {
		row->look(m, field, marks);
		return;
	}
	if (row->word != NULL &&
	    str_ifind(field->raw, str_from(row->word)) == STR_NONE)
		return;
	if (row->mark != NOTICE_MARKS)
		mark(marks, row->mark);
	if (row->kind != NOTICE_NONE) {
		marks->fields.weight[row->kind]++;
		marks->fields.said[row->kind] = field->name;
	}
}

/* Offset behind the "auto" in `name`; STR_NONE: there is none. */
static size_t
behind_auto(struct str name)
{
	for (size_t i = 0; i + 4 < name.len; i++)
		if (char_lower(name.p[i]) == 'a' &&
		    char_lower(name.p[i + 1]) == 'u' &&
		    str_ieq(str_sub(name, i, 4), STR("auto")))
			return i + 4;
	return STR_NONE;
}

/* X-Autoreply, X-Autoresponder, X-VENDOR-Auto-Reply, ...: each program has its
 * own. */
static void
mark_answer_field(struct str name, struct notice_marks *marks)
{
	static const char *const stems[] = {
	    "repl", "-repl", "respon", "-respon", "_repl", "_respon"};
	if (!str_istarts(name, STR("x-")))
		return;
	size_t at = behind_auto(name);
	if (at == STR_NONE || str_iends(name, STR("-suppress")))
		return;
	for (size_t i = 0; i < COUNT_OF(stems); i++)
		if (str_istarts(str_skip(name, at), str_from(stems[i])))
			mark(marks, MARK_AUTOREPLY);
}

/*
 * X-MailScanner: generated; a site puts its name into the field's, and the
 * reports in other languages translate the value.
 */
static void
mark_scanner_field(const struct header *field, struct notice_marks *marks)
{
	static const char *const values[] = {
	    "gener", "gegener", "erzeugt", "vytvo", "wygener"};
	if (!str_istarts(field->name, STR("x-")) ||
	    !str_iends(field->name, STR("mailscanner")))
		return;
	struct str value = str_trim(field->raw);
	for (size_t i = 0; i < COUNT_OF(values); i++)
		if (str_istarts(value, str_from(values[i])))
			mark(marks, MARK_SCANNER);
}

static void
marks_of_fields(struct message *m, struct notice_marks *marks)
{
	for (size_t i = 0; i < m->root->headers.n; i++) {
		struct header *field = &m->root->headers.v[i];
		if (field->name.len == 0 || field->is_to_come)
			continue;
		mark_answer_field(field->name, marks);
		mark_scanner_field(field, marks);
		size_t k = field_index.slot[name_hash(field->name)];
		for (; k > 0; k = field_index.next[k - 1]) {
			const struct field_row *row = &fields[k - 1];
			if (str_ieq(field->name, str_from(row->name)))
				field_take(m, row, field, marks);
		}
	}
}

/* --- Subject ------------------------------------------------------------- */

/* What is put in front of a Subject by those who answer or pass on. */
static const struct {
	const char *prefix;
	enum notice_mark mark;
} prefixes[] = {
    {"re:", MARK_RE},
    {"re :", MARK_RE},
    {"aw:", MARK_RE},
    {"antw:", MARK_RE},
    {"antwort:", MARK_RE},
    {"sv:", MARK_RE},
    {"vs:", MARK_RE},
    {"rv:", MARK_FORWARDED},
    {"res:", MARK_RE},
    {"odp:", MARK_RE},
    {"ynt:", MARK_RE},
    {"r:", MARK_RE},
    {"回复:", MARK_RE},
    {"回覆:", MARK_RE},
    {"答复:", MARK_RE},
    {"fw:", MARK_FORWARDED},
    {"fwd:", MARK_FORWARDED},
    {"wg:", MARK_FORWARDED},
    {"tr:", MARK_FORWARDED},
    {"doorst:", MARK_FORWARDED},
    {"i:", MARK_FORWARDED},
    {"enc:", MARK_FORWARDED},
    {"vb:", MARK_FORWARDED},
    {"vl:", MARK_FORWARDED},
    {"pd:", MARK_FORWARDED},
    {"rif:", MARK_RE},
    {"odg:", MARK_RE},
    {"prosl:", MARK_FORWARDED},
    {"ats:", MARK_RE},
    {"vá:", MARK_RE},
    {"tov:", MARK_FORWARDED},
    {"ilt:", MARK_FORWARDED},
    {"bls:", MARK_RE},
    {"trs:", MARK_FORWARDED},
    {"απ:", MARK_RE},
    {"πρθ:", MARK_FORWARDED},
    {"ha:", MARK_RE},
    {"на:", MARK_RE},
    {"отв:", MARK_RE},
    {"пересл:", MARK_FORWARDED},
    {"转发:", MARK_FORWARDED},
    {"轉寄:", MARK_FORWARDED},
    {"返信:", MARK_RE},
    {"転送:", MARK_FORWARDED},
    {"회신:", MARK_RE},
    {"답장:", MARK_RE},
    {"전달:", MARK_FORWARDED},
};

/* "[list] " and "***SPAM*** " in front. */
static struct str
skip_tags(struct str text)
{
	for (;;) {
		text = str_trim(text);
		char close = text.len == 0 ? '\0' : text.p[0];
		size_t end = STR_NONE;
		if (close == '[')
			end = str_chr(text, ']');
		else if (str_starts(text, STR("***")))
			end = str_find(str_skip(text, 3), STR("***"));
		if (end == STR_NONE || end > 40)
			return text;
		text = str_skip(text, end + (close == '[' ? 1 : 6));
	}
}

/* Without what is in front of it; the marks say what that was. */
static struct str
skip_prefixes(struct str text, struct notice_marks *marks)
{
	for (size_t i = 0; i < COUNT_OF(prefixes); i++) {
		if (!str_starts(text, str_from(prefixes[i].prefix)))
			continue;
		mark(marks, prefixes[i].mark);
		text = skip_tags(str_skip(text, strlen(prefixes[i].prefix)));
		i = SIZE_MAX; /* from the first again */
	}
	return text;
}

/* "[Automatic reply] ...": what a Subject begins with may stand in brackets. */
static void
tally_inner(struct str tag, struct notice_tally *tally)
{
	bool is_told = false;
	for (size_t i = 0; i < NOTICE_KINDS; i++)
		is_told = is_told || tally->weight[i] > 0;
	while (tag.len > 0 && memchr("[(* ", tag.p[0], 4) != NULL)
		tag = str_skip(tag, 1);
	if (!is_told)
		notice_tally_subject(tag, tally);
}

static void
marks_of_subject(struct notice_marks *marks)
{
	char folded[FOLDED_MAX];
	size_t len = 0;
	notice_fold(marks->subject_value, folded, sizeof(folded), &len);
	struct str whole = str_trim(str_of(folded, len));
	/* "[MailServer Notification]" is a tag that speaks. */
	notice_tally_subject(whole, &marks->subject);
	struct str bare = skip_prefixes(skip_tags(whole), marks);
	bool is_answer =
	    is_marked(marks, MARK_RE) || is_marked(marks, MARK_FORWARDED);
	if (bare.p != whole.p && !is_answer) {
		marks->subject = (struct notice_tally){0};
		notice_tally_subject(bare, &marks->subject);
		struct str tag = str_of(whole.p, (size_t)(bare.p - whole.p));
		notice_tally_subject(tag, &marks->subject);
		tally_inner(tag, &marks->subject);
	}
	struct str name, address = from_cut(marks->from, &name);
	if (address.len > 3 && str_ieq(bare, address))
		mark(marks, MARK_SELF);
	/* "birds digest, vol 1": a list's robot sends posts as well. */
	if (str_find(whole, STR("digest")) != STR_NONE)
		mark(marks, MARK_POST);
}

/* --- parts --------------------------------------------------------------- */

/* Says something that a delivery-status part says (RFC 3464), or Exchange's
 * and others' broken ones. */
static bool
has_status_field(struct message *m, struct part *part)
{
	static const char *const names[] = {"reporting-mta", "final-recipient",
	    "original-recipient", "action", "status", "diagnostic-code",
	    "arrival-date", "remote-mta", "x-postfix-queue-id",
	    "original-envelope-id", "received-from-mta"};
	struct str text = str_sub(part_decoded(m, part), 0, STATUS_BYTES);
	while (text.len > 0) {
		struct str line = str_line(&text);
		struct str name =
		    str_trim(str_sub(line, 0, str_chr(line, ':')));
		for (size_t i = 0; i < COUNT_OF(names); i++)
			if (str_ieq(name, str_from(names[i])))
				return true;
	}
	return false;
}

/* "receiver!domain!begin!end.xml.gz" (RFC 7489 section 7.2.1.1, RFC 8460). */
static bool
is_report_file(struct str name)
{
	static const char *const ends[] = {
	    ".xml", ".xml.gz", ".gz", ".zip", ".json", ".json.gz"};
	size_t nbangs = 0;
	for (size_t i = 0; i < name.len; i++)
		nbangs += name.p[i] == '!';
	for (size_t i = 0; nbangs >= 2 && i < COUNT_OF(ends); i++)
		if (str_iends(name, str_from(ends[i])))
			return true;
	return false;
}

static const struct {
	const char *type;
	enum notice_mark mark;
} types[] = {
    {"message/delivery-status", MARK_STATUS},
    {"message/global-delivery-status", MARK_STATUS},
    {"message/disposition-notification", MARK_DISPOSITION},
    {"message/global-disposition-notification", MARK_DISPOSITION},
    {"message/feedback-report", MARK_FEEDBACK},
    {"message/rfc822", MARK_RETURNED},
    {"message/global", MARK_RETURNED},
    {"message/global-headers", MARK_RETURNED},
    {"message/partial", MARK_RETURNED},
    {"application/ms-tnef", MARK_TNEF},
    {"application/tlsrpt+gzip", MARK_AGGREGATE},
    {"application/tlsrpt+json", MARK_AGGREGATE},
    {"application/tlsrpt", MARK_AGGREGATE},
    {"multipart/report", MARK_REPORT},
    {"multipart/digest", MARK_POST},
};

static struct str
declared_type(struct message *m, struct part *part)
{
	return headers_value(m->arena, &part->headers, STR("content-type"));
}

static void
mark_report_type(struct str value, struct notice_marks *marks)
{
	static const struct {
		const char *word;
		enum notice_mark mark;
	} reports[] = {
	    {"delivery-status", MARK_DSN_TYPE},
	    {"disposition-notification", MARK_MDN_TYPE},
	    {"tlsrpt", MARK_TLS_TYPE},
	    {"feedback-report", MARK_FEEDBACK},
	};
	for (size_t i = 0; i < COUNT_OF(reports); i++)
		if (str_ifind(value, str_from(reports[i].word)) != STR_NONE)
			mark(marks, reports[i].mark);
}

/* A report whose boundary is missing or wrong is one text. */
static void
mark_broken_report(
    struct message *m, struct part *part, struct notice_marks *marks)
{
	struct str type = declared_type(m, part);
	if (!str_istarts(type, STR("multipart/report")))
		return;
	mark_report_type(type, marks);
	mark(marks, MARK_REPORT);
}

static void
mark_part(struct message *m, struct part *part, struct notice_marks *marks)
{
	if (part == m->root && part_is_leaf(part))
		mark_broken_report(m, part, marks);
	/* All text/... is text/plain here; see mime_type. */
	if (str_eq(part->type, STR("text/plain")) &&
	    str_istarts(declared_type(m, part), STR("text/rfc822-header")))
		mark(marks, MARK_RETURNED);
	if (part->name.len > 0 && is_report_file(part->name))
		mark(marks, MARK_AGGREGATE);
	for (size_t i = 0; i < COUNT_OF(types); i++) {
		if (!str_eq(part->type, str_from(types[i].type)))
			continue;
		if (types[i].mark == MARK_REPORT)
			mark_report_type(declared_type(m, part), marks);
		if (types[i].mark == MARK_STATUS) {
			if (!has_status_field(m, part))
				return;
			if (marks->status == NULL)
				marks->status = part;
		}
		mark(marks, types[i].mark);
	}
}

struct part *
notice_part_next(struct part *part)
{
	if (!str_starts(part->type, STR("message/")) || part->child == NULL)
		return part_next(part);
	while (part != NULL && part->next == NULL)
		part = part->parent;
	return part == NULL ? NULL : part->next;
}

static void
marks_of_parts(struct message *m, struct notice_marks *marks)
{
	size_t n = 0;
	for (struct part *part = m->root; part != NULL && n < PARTS_MAX;
	     part = notice_part_next(part), n++)
		mark_part(m, part, marks);
}

static void
marks_of_envelope(const struct envelope *envelope, struct notice_marks *marks)
{
	if (envelope == NULL)
		return;
	if (envelope->from.len == 0)
		mark(marks, MARK_NULL);
	else if (is_daemon_path(envelope->from))
		mark(marks, MARK_SENDER);
}

void
notice_marks_of(struct message *m, struct notice_marks *ret)
{
	(void)pthread_once(&once, fields_init);
	*ret = (struct notice_marks){
	    .subject_value = STR_EMPTY, .from = STR_EMPTY};
	marks_of_envelope(m->envelope, ret);
	marks_of_fields(m, ret);
	marks_of_subject(ret);
	marks_of_parts(m, ret);
}
