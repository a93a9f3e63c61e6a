/* SPDX-License-Identifier: BSD-2-Clause */
/* eval_msgid -- marks that programs leave in Message-ID and addresses. */
#include "base/arena.h"
#include "mail/uri_clean.h"
#include "rules/eval_rows.h"
#include "rules/mail_date.h"
#include "rules/pattern.h"

/*
 * Outlook makes the first half of a Message-ID of the time: units of 429.5
 * seconds, counted from a year of its own.
 */
#define OUTLOOK_SCALE 0.0023283064365387
#define OUTLOOK_ORIGIN 27111902.8329849
#define OUTLOOK_FUDGE 250
#define OUTLOOK_TIME_AT 5 /* "<0123abcdefgh" */
#define OUTLOOK_TIME_DIGITS 8

static int64_t
hex_number(struct str digits)
{
	int64_t n = 0;
	for (size_t i = 0; i < digits.len; i++)
		n = n * 16 + char_hex(digits.p[i]);
	return n;
}

/* Is the time of the Message-ID that of `text`? */
static bool
is_outlook_time(struct eval_call *call, struct str text, int64_t units)
{
	int64_t time = 0;
	if (!mail_date_read(call->message->arena, text, &time))
		time = 0;
	int64_t expected =
	    (int64_t)((double)time * OUTLOOK_SCALE + OUTLOOK_ORIGIN);
	int64_t difference = units - expected;
	return difference > -OUTLOOK_FUDGE && difference < OUTLOOK_FUDGE;
}

static int
check_outlook_message_id(struct eval_call *call)
{
	struct str id = eval_get_text(call, STR("MESSAGEID"));
	if (!pattern_matches(call, PATTERN_OUTLOOK_ID, id))
		return 0;
	int64_t units =
	    hex_number(str_sub(id, OUTLOOK_TIME_AT, OUTLOOK_TIME_DIGITS));
	if (is_outlook_time(call, eval_get_text(call, STR("Date")), units) ||
	    is_outlook_time(call, eval_get_text(call, STR("Received")), units))
		return 0;
	return eval_hit(call, id);
}

/* --- who rewrites it ------------------------------------------------------ */

/* ezmlm and MSN's groups take out Received fields, and others have none. */
static bool
has_lost_received(struct eval_call *call)
{
	struct str received = eval_get_text(call, STR("Received"));
	struct str list = eval_get_text(call, STR("Mailing-List"));
	struct str to = eval_get_text(call, STR("Delivered-To"));
	if (received.len == 0)
		return true;
	return (pattern_matches(call, PATTERN_EZMLM_LIST, list) &&
		   pattern_matches(call, PATTERN_EZMLM_DELIVERED, to) &&
		   pattern_matches(call, PATTERN_EZMLM_RECEIVED, received)) ||
	       pattern_matches(call, PATTERN_MSN_GROUPS, received);
}

static int
check_messageid_not_usable(struct eval_call *call)
{
	return pattern_matches(call, PATTERN_LIST_UNSUBSCRIBE,
		   eval_get_text(call, STR("List-Unsubscribe"))) ||
	       has_lost_received(call) ||
	       pattern_matches(call, PATTERN_REWRITES_ID,
		   eval_get_text(call, STR("Received")));
}

/* --- ratware -------------------------------------------------------------- */

/* `quoted` ends in "phrase" and maybe blanks. */
static bool
ends_in_quotes(struct str text)
{
	while (text.len > 0 && char_is_space(text.p[text.len - 1]))
		text.len--;
	if (!str_ends(text, STR("\"")))
		return false;
	size_t open = str_rchr(str_sub(text, 0, text.len - 1), '"');
	return open != STR_NONE && open + 2 < text.len;
}

/* Message-ID <28 CAPITALS.name@host> and From "..." <name@host>. */
static int
check_ratware_name_id(struct eval_call *call)
{
	struct str id = eval_get_text(call, STR("MESSAGEID"));
	struct str from = eval_get_text(call, STR("From"));
	struct regex_span span;
	if (!pattern_find(call, PATTERN_RATWARE_ID, id, 0, &span))
		return 0;
	size_t at = span.from + sizeof("<ABCDEFGHIJKLMNOPQRSTUVWXYZAB.") - 1;
	struct str wanted = str_printf(call->message->arena, "<%.*s",
	    STR_ARG(str_sub(id, at, span.to - at)));
	for (size_t i = 0; i < from.len; i++) {
		size_t next = str_find(str_skip(from, i), wanted);
		if (next == STR_NONE)
			return 0;
		i += next;
		if (ends_in_quotes(str_sub(from, 0, i)))
			return eval_hit(call, wanted);
	}
	return 0;
}

/* "domain?user@" begins at `i`, where a word begins or ends. */
static bool
is_tagged_at(struct str text, size_t i, struct str domain, struct str user)
{
	struct str rest = str_skip(text, i);
	bool was_word = i > 0 && char_is_word(text.p[i - 1]);
	if (!str_istarts(rest, domain) || was_word == char_is_word(domain.p[0]))
		return false;
	rest = str_skip(rest, domain.len);
	if (rest.len == 0 || rest.p[0] == '\n')
		return false;
	rest = str_skip(rest, 1);
	return str_istarts(rest, user) &&
	       str_starts(str_skip(rest, user.len), STR("@"));
}

/* The recipient "user@domain" hidden in the sender: "x-domain-user@..." */
static int
check_ratware_envelope_from(struct eval_call *call)
{
	struct message *m = call->message;
	struct str to = eval_get_text(call, STR("To:addr"));
	struct str from = eval_get_text(call, STR("EnvelopeFrom:addr"));
	size_t at = str_chr(to, '@');
	if (from.len == 0 || at == STR_NONE || at == 0 ||
	    pattern_matches(call, PATTERN_SRS, from))
		return 0;
	struct str domain = str_skip(to, at + 1);
	domain = tld_domain(m->arena, m->config->tlds, domain);
	if (domain.len == 0 || !uri_has_tld(m->config, domain))
		return 0;
	for (size_t i = 0; i < from.len; i++)
		if (is_tagged_at(from, i, domain, str_sub(to, 0, at)))
			return eval_hit(call, from);
	return 0;
}

#define HEADER(name, needs, help, function)                         \
	{                                                           \
		name, 0, 0, "", needs, help, "HeaderEval", function \
	}

const struct eval_row EVAL_MSGID[] = {
    HEADER("check_outlook_message_id", NEED_HEADER,
	"the Message-ID is one of Outlook's with a time that is neither that "
	"of Date nor of Received",
	check_outlook_message_id),
    HEADER("check_messageid_not_usable", NEED_HEADER,
	"a list or a mail server may have written the Message-ID",
	check_messageid_not_usable),
    HEADER("check_ratware_name_id", NEED_HEADER,
	"the Message-ID is 28 capitals and the address in From",
	check_ratware_name_id),
    HEADER("check_ratware_envelope_from", NEED_ENVELOPE | NEED_HEADER,
	"the envelope sender has the recipient's domain and name in it",
	check_ratware_envelope_from),
    {NULL, 0, 0, NULL, 0, NULL, NULL, NULL},
};
