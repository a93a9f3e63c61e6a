/* SPDX-License-Identifier: BSD-2-Clause */
/* eval_sender -- do the names agree: login, envelope, From, Reply-To,
 * recipients? */
#include "base/arena.h"
#include "base/buf.h"
#include "mail/address.h"
#include "mail/header.h"
#include "mail/uri.h"
#include "rules/eval_rows.h"

/* Recipients looked for in texts: spam to many is known by their number. */
#define RCPT_LOOKED_FOR 16
/* A shorter local part is a word like any other. */
#define USER_MIN 4
/* How much of the text is a greeting. */
#define GREETING_BYTES 300

int
eval_rcpt_count(struct eval_call *call)
{
	const struct envelope *envelope = call->message->envelope;
	if (envelope == NULL || (double)envelope->rcpt.n < eval_number(call, 0))
		return 0;
	return eval_hit(call, str_printf(call->message->arena, "%zu recipients",
				  envelope->rcpt.n));
}

static int
other_domain(struct eval_call *call, struct str from, struct str other)
{
	struct str domain = address_domain(other);
	if (from.len == 0 || domain.len == 0 ||
	    eval_same_org(call, address_domain(from), domain))
		return 0;
	return eval_hit(call, str_printf(call->message->arena, "%.*s, %.*s",
				  STR_ARG(from), STR_ARG(other)));
}

/* A login without a realm says nothing of domains. */
int
eval_from_not_login(struct eval_call *call)
{
	const struct envelope *envelope = call->message->envelope;
	if (envelope == NULL)
		return 0;
	return other_domain(call, eval_from(call), envelope->login);
}

int
eval_from_not_envelope(struct eval_call *call)
{
	const struct envelope *envelope = call->message->envelope;
	if (envelope == NULL)
		return 0;
	return other_domain(call, eval_from(call), envelope->from);
}

/* Where answers may go: lists that got the mail, and the login's own place. */
static bool
is_expected_reply(struct eval_call *call, struct str reply)
{
	const struct envelope *envelope = call->message->envelope;
	struct strs rcpt = {0};
	eval_addresses(call, STR("To"), RCPT_LOOKED_FOR, &rcpt);
	eval_addresses(call, STR("Cc"), RCPT_LOOKED_FOR, &rcpt);
	return strs_ihas(&rcpt, reply) ||
	       (envelope != NULL && eval_same_org(call, address_domain(reply),
					address_domain(envelope->login)));
}

int
eval_replyto_elsewhere(struct eval_call *call)
{
	struct strs reply = {0};
	eval_addresses(call, STR("Reply-To"), 1, &reply);
	if (reply.n == 0 || is_expected_reply(call, reply.v[0]))
		return 0;
	return other_domain(call, eval_from(call), reply.v[0]);
}

static bool
is_host_char(char c)
{
	return char_is_alnum(c) || c == '.' || c == '-' ||
	       (unsigned char)c >= 0x80;
}

/* The run of host characters that starts at `*at`, which moves behind it. */
static struct str
host_run(struct str text, size_t *at)
{
	size_t from = *at;
	while (*at < text.len && is_host_char(text.p[*at]))
		++*at;
	struct str run = str_sub(text, from, *at - from);
	while (run.len > 0 && run.p[0] == '.')
		run = str_skip(run, 1);
	while (run.len > 0 && run.p[run.len - 1] == '.')
		run.len--;
	return run;
}

static bool
is_host(struct eval_call *call, struct str host)
{
	size_t dot = str_rchr(host, '.');
	return dot != STR_NONE && tld_set_has(call->message->config->tlds,
				      str_skip(host, dot + 1));
}

/* A host in `name`, behind an @ if `needs_at`, that is not `domain`'s. */
static struct str
foreign_host(
    struct eval_call *call, struct str name, struct str domain, bool needs_at)
{
	for (size_t at = 0; at < name.len; at++) {
		bool is_behind_at = at > 0 && name.p[at - 1] == '@';
		struct str host = host_run(name, &at);
		if ((is_behind_at || !needs_at) && is_host(call, host) &&
		    !eval_same_org(call, host, domain))
			return host;
	}
	return STR_EMPTY;
}

int
eval_display_name_address(struct eval_call *call)
{
	struct message *m = call->message;
	bool wants_domain =
	    call->nargs > 0 && str_ieq(call->args[0], STR("domain"));
	struct header *from = header_last(&m->root->headers, STR("From"));
	struct str address = eval_from(call);
	if (from == NULL || address.len == 0)
		return 0;
	struct strs names = {0};
	address_names(m->arena, from->raw, &names);
	for (size_t i = 0; i < names.n; i++) {
		struct str name = header_decode(m->arena, names.v[i]);
		struct str host = foreign_host(
		    call, name, address_domain(address), !wants_domain);
		if (host.len > 0)
			return eval_hit(call, name);
	}
	return 0;
}

/* `word` in `text`, not as a part of a longer one; case is folded. */
static bool
has_word(struct str text, struct str word)
{
	for (;;) {
		size_t at = str_ifind(text, word);
		if (at == STR_NONE)
			return false;
		bool begins = at == 0 || !char_is_alnum(text.p[at - 1]);
		struct str rest = str_skip(text, at + word.len);
		if (begins && (rest.len == 0 || !char_is_alnum(rest.p[0])))
			return true;
		text = rest;
	}
}

static bool
subject_has(struct eval_call *call, struct str word)
{
	struct message *m = call->message;
	return has_word(
	    headers_value(m->arena, &m->root->headers, STR("Subject")), word);
}

static bool
name_has(struct eval_call *call, struct str word)
{
	struct message *m = call->message;
	struct header *from = header_last(&m->root->headers, STR("From"));
	struct strs names = {0};
	if (from != NULL)
		address_names(m->arena, from->raw, &names);
	for (size_t i = 0; i < names.n; i++)
		if (has_word(header_decode(m->arena, names.v[i]), word))
			return true;
	return false;
}

/* The first element is the Subject. */
static bool
text_has(struct eval_call *call, struct str word, size_t max)
{
	const struct strs *body = message_body(call->message);
	for (size_t i = 1; i < body->n && max > 0; i++) {
		struct str text = str_sub(body->v[i], 0, max);
		if (has_word(text, word))
			return true;
		max -= text.len;
	}
	return false;
}

static bool
greeting_has(struct eval_call *call, struct str word)
{
	return text_has(call, word, GREETING_BYTES);
}

static bool
body_has(struct eval_call *call, struct str word)
{
	return text_has(call, word, SIZE_MAX);
}

/* Base64 of `text` without its last, unsure characters. */
static struct str
base64_stem(struct arena *a, struct str text)
{
	static const char ALPHABET[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				       "abcdefghijklmnopqrstuvwxyz0123456789+/";
	struct buf *b = buf_new(a, text.len / 3 * 4 + 4);
	for (size_t i = 0; i + 3 <= text.len; i += 3) {
		unsigned bits = (unsigned)(uint8_t)text.p[i] << 16 |
				(unsigned)(uint8_t)text.p[i + 1] << 8 |
				(uint8_t)text.p[i + 2];
		for (int shift = 18; shift >= 0; shift -= 6)
			buf_putc(b, ALPHABET[bits >> shift & 63]);
	}
	return buf_str(b);
}

static struct str
percent_at(struct arena *a, struct str address)
{
	return str_printf(a, "%.*s%%40%.*s", STR_ARG(address_local(address)),
	    STR_ARG(address_domain(address)));
}

/* As it stands, with %40, or in base64, as kits for phishing hand it on. */
static bool
link_has(struct eval_call *call, struct str word)
{
	struct arena *a = call->message->arena;
	struct str escaped = percent_at(a, word);
	struct str coded = base64_stem(a, word);
	const struct uris *uris = message_uri_list(call->message);
	for (size_t i = 0; i < uris->n; i++) {
		struct str raw = uris->v[i].raw;
		if (str_istarts(raw, STR("mailto:")) ||
		    uri_host(a, raw).len == 0)
			continue;
		if (str_ifind(raw, word) != STR_NONE ||
		    str_ifind(raw, escaped) != STR_NONE ||
		    (coded.len >= 12 && str_find(raw, coded) != STR_NONE))
			return true;
	}
	return false;
}

static const struct {
	const char *name;
	bool (*has)(struct eval_call *call, struct str word);
} PLACES[] = {
    {"subject", subject_has},
    {"name", name_has},
    {"greeting", greeting_has},
    {"body", body_has},
    {"link", link_has},
};

int
eval_rcpt_in(struct eval_call *call)
{
	bool wants_user = str_ieq(call->args[1], STR("user"));
	struct strs rcpt = {0};
	eval_recipients(call, RCPT_LOOKED_FOR, &rcpt);
	for (size_t i = 0; i < COUNT_OF(PLACES); i++) {
		if (!str_ieq(call->args[0], str_from(PLACES[i].name)))
			continue;
		for (size_t j = 0; j < rcpt.n; j++) {
			struct str word =
			    wants_user ? address_local(rcpt.v[j]) : rcpt.v[j];
			if (word.len >= USER_MIN && PLACES[i].has(call, word))
				return eval_hit(call, word);
		}
	}
	return 0;
}

/* Is there a word's end between the bytes before and at `i`? */
static bool
is_boundary(struct str text, size_t i)
{
	bool before = i > 0 && char_is_word(text.p[i - 1]);
	bool behind = i < text.len && char_is_word(text.p[i]);
	return before != behind;
}

static bool
shows_address(struct str subject, struct str address)
{
	for (size_t i = 0; i < subject.len; i++) {
		size_t at = str_ifind(str_skip(subject, i), address);
		if (at == STR_NONE)
			return false;
		i += at;
		if (is_boundary(subject, i) &&
		    is_boundary(subject, i + address.len))
			return true;
	}
	return false;
}

static struct str
skip_spaces(struct str s)
{
	size_t n = 0;
	while (n < s.len && char_is_space(s.p[n]))
		n++;
	return str_skip(s, n);
}

static bool
is_greeting_mark(char c)
{
	return c != '\0' && strchr(",:;!?-", c) != NULL;
}

/* `text` is `user`, and one of `marks` if there are some; then the end. */
static bool
is_user(struct str text, struct str user, const char *marks)
{
	if (!str_istarts(text, user))
		return false;
	struct str rest = str_skip(text, user.len);
	if (marks != NULL) {
		if (rest.len == 0 || rest.p[0] == '\0' ||
		    strchr(marks, rest.p[0]) == NULL)
			return false;
		rest = str_skip(rest, 1);
	}
	return rest.len == 0 || str_eq(rest, STR("\n"));
}

/* "re: user" or "fw: hello user" */
static bool
replies_to_user(struct str subject, struct str user)
{
	if (!str_istarts(subject, STR("re:")) &&
	    !str_istarts(subject, STR("fw:")))
		return false;
	struct str rest = skip_spaces(str_skip(subject, 3));
	if (is_user(rest, user, NULL))
		return true;
	size_t n = 0;
	while (n < rest.len && char_is_word(rest.p[n]))
		n++;
	struct str behind = str_skip(rest, n);
	return n > 0 && behind.len > 0 && char_is_space(behind.p[0]) &&
	       is_user(skip_spaces(behind), user, NULL);
}

/* As SpamAssassin has it: "user, ..." in the case of the address, and so on. */
static bool
greets_user(struct str subject, struct str user)
{
	if (str_starts(subject, user)) {
		struct str rest = skip_spaces(str_skip(subject, user.len));
		if (rest.len > 0 && is_greeting_mark(rest.p[0]) &&
		    (rest.len == 1 || char_is_space(rest.p[1])))
			return true;
	}
	if (str_starts(subject, STR(",")) &&
	    is_user(skip_spaces(str_skip(subject, 1)), user, ",:;!?-"))
		return true;
	return is_user(subject, user, NULL) || replies_to_user(subject, user);
}

int
eval_check_for_to_in_subject(struct eval_call *call)
{
	struct str address = eval_get_text(call, STR("To:addr"));
	struct str subject = eval_get_text(call, STR("Subject"));
	if (address.len == 0)
		return 0;
	bool is_hit = false;
	if (str_eq(call->args[0], STR("address")))
		is_hit = shows_address(subject, address);
	else if (str_eq(call->args[0], STR("user")))
		is_hit = greets_user(
		    subject, str_sub(address, 0, str_chr(address, '@')));
	return is_hit ? eval_hit(call, subject) : 0;
}
