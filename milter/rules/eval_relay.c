/* SPDX-License-Identifier: BSD-2-Clause */
/* eval_relay -- the way a message came, hop by hop: trust, greetings that lie,
 * names that do not fit. */
#include "base/arena.h"
#include "mail/relay.h"
#include "mail/relay_ip.h"
#include "mail/scan.h"
#include "mail/shape.h"
#include "rules/eval_rows.h"

/* The hops that are not trusted, newest first. */
static const struct relay *
untrusted(struct eval_call *call, size_t *ret_n)
{
	const struct relays *relays = message_relays(call->message);
	*ret_n = relays->n - relays->n_trusted;
	return relays->v + relays->n_trusted;
}

static int
check_all_trusted(struct eval_call *call)
{
	const struct relays *relays = message_relays(call->message);
	return relays->n > 0 && relays->n_trusted == relays->n &&
	       relays->unparseable == 0;
}

static int
check_no_relays(struct eval_call *call)
{
	const struct relays *relays = message_relays(call->message);
	return relays->n == 0 && relays->unparseable == 0;
}

static int
check_relays_unparseable(struct eval_call *call)
{
	return message_relays(call->message)->unparseable > 0;
}

/* Before a greeting ends, or the hop. */
static bool
ends_greeting(struct str text, size_t at)
{
	return at >= text.len || (unsigned char)text.p[at] <= ' ' ||
	       strchr(",;[()<>", text.p[at]) != NULL;
}

/*
 * The first greeting that is an address alone counts.  Private ones were meant
 * to be left out, but SpamAssassin 4.0.1 asks a capture that is empty.
 */
static int
check_for_numeric_helo(struct eval_call *call)
{
	static const struct str key = {"helo=", 5};
	struct str text = message_relays(call->message)->untrusted;
	size_t ends[RELAY_IP_ENDS];
	for (size_t at = 0, skipped; at < text.len; at += skipped) {
		size_t found = str_ifind(str_skip(text, at), key);
		if (found == STR_NONE)
			return 0;
		size_t from = at + found + key.len;
		skipped = found + key.len;
		bool is_key =
		    at + found == 0 || !char_is_word(text.p[at + found - 1]);
		if (!is_key || relay_ip_ends(text, from, ends) == 0 ||
		    !ends_greeting(text, ends[0]))
			continue;
		struct str ip = str_sub(text, from, ends[0] - from);
		if (relay_ip_is_v4(ip))
			return eval_hit(call, ip);
	}
	return 0;
}

/* SpamAssassin keeps the name alone. */
static int
check_for_illegal_ip(struct eval_call *call)
{
	(void)call;
	return 0;
}

static bool
is_public_v4(struct str text)
{
	return relay_ip_is_v4(text) && !relay_ip_is_private(text);
}

/* An address as greeting that is not in the /24 of the client's. */
static int
helo_ip_mismatch(struct eval_call *call)
{
	size_t n;
	const struct relay *r = untrusted(call, &n);
	for (size_t i = 0; i < n; i++) {
		struct str net =
		    str_sub(r[i].helo, 0, str_rchr(r[i].helo, '.') + 1);
		if (is_public_v4(r[i].helo) && is_public_v4(r[i].ip) &&
		    !str_starts(r[i].ip, net))
			return eval_hit(call, r[i].helo);
	}
	return 0;
}

static int
check_for_sender_no_reverse(struct eval_call *call)
{
	size_t n;
	const struct relay *r = untrusted(call, &n);
	return n > 0 && str_chr(r[n - 1].rdns, '.') != STR_NONE &&
	       !r[n - 1].is_ip_private;
}

/* `domain` at the end of `word`, as a word; its dots stand for any byte. */
static bool
ends_in_domain(struct str word, struct str domain)
{
	if (word.len < domain.len)
		return false;
	struct str tail = str_skip(word, word.len - domain.len);
	for (size_t i = 0; i < tail.len; i++)
		if (tail.p[i] != domain.p[i] && domain.p[i] != '.')
			return false;
	/* "rdns=" and "by=" stand in front of the word */
	bool before = word.len > domain.len &&
		      char_is_word(word.p[word.len - domain.len - 1]);
	return domain.len > 0 && before != char_is_word(tail.p[0]);
}

/* The name of a host and of the server it came to are both in `domain`. */
static bool
is_within_domain(struct str text, struct str domain)
{
	static const struct str name = {" rdns=", 6}, server = {"by=", 3};
	for (size_t at; (at = str_find(text, name)) != STR_NONE;) {
		text = str_skip(text, at + name.len);
		struct str word = str_sub(text, 0, scan_until(text, 0, " \n"));
		struct str hop = str_skip(text, word.len);
		hop = str_sub(hop, 0, str_chr(hop, ']'));
		if (!ends_in_domain(word, domain))
			continue;
		while ((at = str_find(hop, server)) != STR_NONE) {
			hop = str_skip(hop, at + server.len);
			size_t end = str_chr(hop, ' ');
			if (end != STR_NONE &&
			    ends_in_domain(str_sub(hop, 0, end), domain))
				return true;
		}
	}
	return false;
}

static int
check_for_from_domain_in_received_headers(struct eval_call *call)
{
	struct str from = eval_get_text(call, STR("From:addr"));
	struct str domain = call->args[0];
	bool is_from = false;
	for (size_t at = 0; at + domain.len <= from.len && !is_from; at++) {
		bool before = at > 0 && char_is_word(from.p[at - 1]);
		is_from = str_istarts(str_skip(from, at), domain) &&
			  domain.len > 0 && before != char_is_word(domain.p[0]);
	}
	if (!is_from)
		return 0;
	const struct relays *relays = message_relays(call->message);
	bool is_seen = is_within_domain(relays->trusted, domain) ||
		       is_within_domain(relays->untrusted, domain);
	return is_seen == str_eq(call->args[1], STR("true"));
}

static bool
is_big_domain(struct str helo)
{
	static const char *const domains[] = {"lycos.com", "lycos.co.uk",
	    "hotmail.com", "localhost.com", "excite.com", "caramail.com",
	    "cs.com", "aol.com", "msn.com", "yahoo.com", "drizzle.com"};
	for (size_t i = 0; i < COUNT_OF(domains); i++) {
		struct str domain = str_from(domains[i]);
		if (!str_iends(helo, domain))
			continue;
		if (helo.len == domain.len ||
		    helo.p[helo.len - domain.len - 1] == '.')
			return true;
	}
	return false;
}

/* The oldest public hop decides. */
static int
check_for_no_rdns_dotcom_helo(struct eval_call *call)
{
	size_t n;
	const struct relay *r = untrusted(call, &n);
	while (n > 0 && r[n - 1].is_ip_private)
		n--;
	if (n == 0 || !r[n - 1].has_no_rdns || !is_big_domain(r[n - 1].helo))
		return 0;
	return eval_hit(call, r[n - 1].helo);
}

static bool
has_letter(struct str text)
{
	for (size_t i = 0; i < text.len; i++)
		if (char_is_alpha(text.p[i]))
			return true;
	return false;
}

/* The last label is a country's that has no second level, or longer than two.
 */
static bool
is_wide_label(struct str label)
{
	static const char *const short_ones[] = {"ie", "fr", "de"};
	for (size_t i = 0; i < COUNT_OF(short_ones); i++)
		if (str_find(label, str_from(short_ones[i])) != STR_NONE)
			return true;
	return label.len >= 3;
}

/* The domain of a host, as guessed before there were lists of them. */
static struct str
domain_guess(struct str host)
{
	struct str text = host;
	while (str_ends(text, STR(".")))
		text.len--;
	size_t nlabels = 1;
	for (size_t i = 0; i < text.len; i++)
		nlabels += text.p[i] == '.';
	if (!has_letter(host) || nlabels < 2)
		return host;
	size_t at = str_rchr(text, '.');
	size_t nkept = is_wide_label(str_skip(text, at + 1)) ? 2 : 3;
	if (nkept == 3 && nlabels == 2)
		return host;
	while (--nkept > 0 && at != STR_NONE)
		at = str_rchr(str_sub(text, 0, at), '.');
	return at == STR_NONE ? text : str_skip(text, at + 1);
}

/* "ab.example": two bytes or more, then a label of letters and digits. */
static bool
is_dotted_name(struct str name)
{
	size_t dot = str_rchr(name, '.');
	if (dot == STR_NONE || dot < 2 || dot + 1 == name.len ||
	    !char_is_word(name.p[0]))
		return false;
	for (size_t i = 0; i < name.len; i++)
		if (!char_is_word(name.p[i]) && name.p[i] != '.' &&
		    (name.p[i] != '-' || i > dot))
			return false;
	return true;
}

static bool
is_local_name(struct str name)
{
	return str_eq(name, STR("localhost")) ||
	       str_eq(name, STR("localhost.localdomain"));
}

/* The first two numbers of four; empty: it is no such thing. */
static struct str
class_b(struct str text)
{
	struct shape_found f;
	return shape_starts(text, "%[x%n.%n%]x.%n.%n%$", &f)
		   ? shape_get(&f, 'x')
		   : STR_EMPTY;
}

/* Greeted with the address of a far away net. */
static bool
is_far_greeting(const struct relay *r)
{
	struct str helo = domain_guess(r->lc_helo);
	struct str said = class_b(helo), seen = class_b(r->ip);
	return said.len > 0 && seen.len > 0 && !str_eq(said, seen) &&
	       !relay_ip_is_private(helo);
}

struct mismatches {
	unsigned from, ip_helo;
};

/* Where a hop says it came from should be where the one before it went to. */
static struct mismatches
mismatches_count(struct eval_call *call)
{
	struct mismatches found = {0};
	size_t n;
	const struct relay *r = untrusted(call, &n);
	struct str above = STR_EMPTY; /* the name that the newer hop told */
	for (size_t i = 0; i < n; i++) {
		struct str by = domain_guess(r[i].lc_by);
		struct str name = domain_guess(r[i].lc_rdns);
		bool is_known = is_dotted_name(by);
		if (is_known) {
			found.ip_helo += is_far_greeting(&r[i]);
			bool is_msn = str_eq(by, STR("msn.com")) &&
				      str_eq(above, STR("hotmail.com"));
			found.from += is_dotted_name(above) &&
				      !str_eq(by, above) && !is_msn;
		}
		bool is_own = is_known && is_local_name(name) &&
			      str_eq(r[i].ip, STR("127.0.0.1"));
		above = is_own ? STR_EMPTY : name;
	}
	return found;
}

static int
check_for_forged_received_trail(struct eval_call *call)
{
	return mismatches_count(call).from > 1;
}

static int
check_for_forged_received_ip_helo(struct eval_call *call)
{
	return mismatches_count(call).ip_helo > 0;
}

/* Behind the last @, if it has a dot inside; empty: none. */
static struct str
dotted_domain(struct str address)
{
	size_t at = str_rchr(address, '@');
	struct str domain =
	    str_skip(address, at == STR_NONE ? SIZE_MAX : at + 1);
	for (size_t i = 1; i + 1 < domain.len; i++)
		if (domain.p[i] == '.')
			return domain;
	return STR_EMPTY;
}

static int
check_mailfrom_matches_rcvd(struct eval_call *call)
{
	struct str sender = eval_get_text(call, STR("EnvelopeFrom:addr"));
	struct str domain = dotted_domain(sender);
	const struct relays *relays = message_relays(call->message);
	if (domain.len == 0)
		return 0;
	/* all that are trusted, or the newest that is not */
	size_t from = relays->n_trusted < relays->n ? relays->n_trusted : 0;
	size_t to = from > 0 || relays->n_trusted == 0 ? from + 1 : relays->n;
	for (size_t i = from; i < to && i < relays->n; i++)
		if (eval_same_org(call, domain, relays->v[i].lc_rdns))
			return eval_hit(call, relays->v[i].rdns);
	return 0;
}

const struct eval_row EVAL_RELAY[] = {
    {"check_all_trusted", 0, 0, "", NEED_RELAYS, "every hop is trusted",
	"RelayEval", check_all_trusted},
    {"check_no_relays", 0, 0, "", NEED_RELAYS, "there is no hop", "RelayEval",
	check_no_relays},
    {"check_relays_unparseable", 0, 0, "", NEED_RELAYS,
	"there is a Received field that cannot be read", "RelayEval",
	check_relays_unparseable},
    {"check_for_numeric_helo", 0, 0, "", NEED_RELAYS,
	"a client that is not trusted greeted with an IPv4 address",
	"RelayEval", check_for_numeric_helo},
    {"check_for_illegal_ip", 0, 0, "", NEED_NOTHING,
	"never: it is kept for old rules", "RelayEval", check_for_illegal_ip},
    {"helo_ip_mismatch", 0, 0, "", NEED_RELAYS,
	"a client greeted with an address of another net than its own",
	"RelayEval", helo_ip_mismatch},
    {"check_for_sender_no_reverse", 0, 0, "", NEED_RELAYS,
	"the first client has a public address and a name with a dot",
	"RelayEval", check_for_sender_no_reverse},
    {"check_for_from_domain_in_received_headers", 2, 2, "s",
	NEED_HEADER | NEED_RELAYS,
	"From is of that domain and a hop within it was seen ('true'), or was "
	"not ('false')",
	"RelayEval", check_for_from_domain_in_received_headers},
    {"check_for_no_rdns_dotcom_helo", 0, 0, "", NEED_RELAYS,
	"a client without a name greeted as a big provider", "RelayEval",
	check_for_no_rdns_dotcom_helo},
    {"check_for_forged_received_trail", 0, 0, "", NEED_RELAYS,
	"twice or more, a hop does not begin where the one before it ended",
	"RelayEval", check_for_forged_received_trail},
    {"check_for_forged_received_ip_helo", 0, 0, "", NEED_RELAYS,
	"a client greeted with an address far from its own", "RelayEval",
	check_for_forged_received_ip_helo},
    {"check_mailfrom_matches_rcvd", 0, 0, "", NEED_ENVELOPE | NEED_RELAYS,
	"the envelope sender is of the same domain as the client", "WLBLEval",
	check_mailfrom_matches_rcvd},
    {NULL, 0, 0, NULL, 0, NULL, NULL, NULL},
};
