/* SPDX-License-Identifier: BSD-2-Clause */
/* spf_record -- the grammar of RFC 7208 section 12. */
#include "auth/spf_record.h"

#include "auth/spf_macro.h"
#include "base/arena.h"

#define VERSION STR("v=spf1")

enum target_rule { TARGET_NONE, TARGET_MAY, TARGET_MUST, TARGET_ADDRESS };

struct mechanism {
	const char *name;
	enum spf_word word;
	enum target_rule target;
	bool has_cidr;
};

static const struct mechanism mechanisms[] = {
    {"all", SPF_ALL, TARGET_NONE, false},
    {"include", SPF_INCLUDE, TARGET_MUST, false},
    {"a", SPF_A, TARGET_MAY, true},
    {"mx", SPF_MX, TARGET_MAY, true},
    {"ptr", SPF_PTR, TARGET_MAY, false},
    {"exists", SPF_EXISTS, TARGET_MUST, false},
    {"ip4", SPF_IP4, TARGET_ADDRESS, true},
    {"ip6", SPF_IP6, TARGET_ADDRESS, true},
};

/*
 * toplabel = ( *alphanum ALPHA *alphanum ) /
 *            ( 1*alphanum "-" *( alphanum / "-" ) alphanum )
 */
static bool
is_toplabel(struct str s)
{
	bool is_number = true;
	for (size_t i = 0; i < s.len; i++) {
		if (!char_is_alnum(s.p[i]) && s.p[i] != '-')
			return false;
		is_number = is_number && char_is_digit(s.p[i]);
	}
	return s.len > 0 && !is_number && s.p[0] != '-' &&
	       s.p[s.len - 1] != '-';
}

/* The end of `s` behind its last macro-expand. */
static struct str
literal_end(struct str s)
{
	size_t from = 0;
	for (size_t i = 0; i < s.len;) {
		size_t end = spf_macro_end(s, i);
		i = end == STR_NONE ? i + 1 : end;
		from = end == STR_NONE ? from : end;
	}
	return str_skip(s, from);
}

/*
 * domain-spec = macro-string domain-end
 * domain-end  = ( "." toplabel [ "." ] ) / macro-expand
 */
static const char *
domain_spec_check(struct str s)
{
	if (s.len == 0)
		return "no domain";
	const char *why = spf_macro_check(s, SPF_IN_RECORD);
	if (why != NULL)
		return why;
	struct str end = literal_end(s);
	bool has_macro = end.len < s.len;
	struct ip ip;
	if (end.len == 0)
		return NULL;
	if (ip_parse(s, &ip))
		return "an address where a domain must be: ip4: or ip6:?";
	if (str_ends(end, STR(".")))
		end.len--;
	size_t dot = str_rchr(end, '.');
	if (dot == STR_NONE)
		return has_macro ? "a domain that ends behind its macro"
				 : "a domain without a dot";
	if (!is_toplabel(str_skip(end, dot + 1)))
		return "a domain with an impossible last label";
	return NULL;
}

/* "/" and decimals at the end of `*rest`, without leading zeros.  False:
 * there are none. */
static bool
cut_length(struct str *rest, struct str *ret_digits)
{
	size_t slash = str_rchr(*rest, '/');
	if (slash == STR_NONE)
		return false;
	struct str digits = str_skip(*rest, slash + 1);
	for (size_t i = 0; i < digits.len; i++)
		if (!char_is_digit(digits.p[i]))
			return false;
	*ret_digits = digits;
	*rest = str_sub(*rest, 0, slash);
	return true;
}

static const char *
length_parse(struct str digits, unsigned max, unsigned *ret)
{
	uint64_t n;
	if (digits.len == 0 || (digits.len > 1 && digits.p[0] == '0') ||
	    !str_u64(digits, max, &n))
		return max == 32 ? "a length that is not 0-32"
				 : "a length that is not 0-128";
	*ret = (unsigned)n;
	return NULL;
}

/* dual-cidr-length = [ ip4-cidr-length ] [ "/" ip6-cidr-length ] */
static const char *
dual_cidr_parse(struct str *rest, struct spf_term *term)
{
	struct str digits;
	if (!cut_length(rest, &digits))
		return NULL;
	if (str_ends(*rest, STR("/"))) {
		const char *why = length_parse(digits, 128, &term->bits6);
		if (why != NULL)
			return why;
		rest->len--;
		if (!cut_length(rest, &digits))
			return NULL;
	}
	return length_parse(digits, 32, &term->bits4);
}

/* ip4-network [ ip4-cidr-length ], ip6-network [ ip6-cidr-length ] */
static const char *
network_parse(struct str s, struct spf_term *term)
{
	bool is_v6 = term->word == SPF_IP6;
	struct str length = s;
	struct str address = str_cut(&length, '/');
	struct ip ip;
	bool is_found = ip_parse(address, &ip);
	/* A mapped address is written as IPv6 and never matches: RFC 7208
	 * section 5 takes such a client for IPv4. */
	bool is_mapped =
	    is_found && !ip.is_v6 && str_chr(address, ':') != STR_NONE;
	if (!is_found || (ip.is_v6 || is_mapped) != is_v6)
		return is_v6 ? "not an IPv6 address" : "not an IPv4 address";
	term->block.bits = is_v6 ? 128 : 32;
	if (address.len < s.len) {
		const char *why =
		    length_parse(length, term->block.bits, &term->block.bits);
		if (why != NULL)
			return why;
	}
	if (is_mapped) {
		memcpy(ip.b + 12, ip.b, 4);
		memset(ip.b, 0, 10);
		memset(ip.b + 10, 0xff, 2);
		ip.is_v6 = true;
	}
	term->block.ip = ip;
	return NULL;
}

static const struct mechanism *
mechanism_find(struct str name)
{
	for (size_t i = 0; i < COUNT_OF(mechanisms); i++)
		if (str_ieq(name, str_from(mechanisms[i].name)))
			return &mechanisms[i];
	return NULL;
}

/* `rest` is what is behind the name: nothing, or from its ":" or "/" on. */
static const char *
arguments_parse(
    const struct mechanism *m, struct str rest, struct spf_term *term)
{
	bool has_colon = str_starts(rest, STR(":"));
	struct str target = str_skip(rest, has_colon ? 1 : 0);
	if (m->target == TARGET_NONE)
		return rest.len == 0 ? NULL : "\"all\" takes nothing";
	if (m->target == TARGET_ADDRESS)
		return has_colon ? network_parse(target, term) : "no address";
	if (m->has_cidr) {
		const char *why = dual_cidr_parse(&target, term);
		if (why != NULL)
			return why;
	}
	if (has_colon) {
		term->target = target;
		return domain_spec_check(target);
	}
	if (target.len > 0)
		return m->has_cidr ? "a length that is not one"
				   : "this takes no length";
	return m->target == TARGET_MUST ? "no domain" : NULL;
}

static const char *
directive_parse(struct str text, struct spf_term *term)
{
	if (text.len > 0 && strchr("+-~?", text.p[0]) != NULL &&
	    text.p[0] != '\0') {
		term->qualifier = text.p[0];
		text = str_skip(text, 1);
	}
	size_t n = 0;
	while (n < text.len && text.p[n] != ':' && text.p[n] != '/')
		n++;
	const struct mechanism *m = mechanism_find(str_sub(text, 0, n));
	if (m == NULL)
		return "an unknown mechanism";
	term->word = m->word;
	return arguments_parse(m, str_skip(text, n), term);
}

/* name = ALPHA *( ALPHA / DIGIT / "-" / "_" / "." ), and then "=".  0: `text`
 * is no modifier. */
static size_t
modifier_name(struct str text)
{
	if (text.len == 0 || !char_is_alpha(text.p[0]))
		return 0;
	size_t n = 1;
	while (n < text.len && (char_is_alnum(text.p[n]) || text.p[n] == '-' ||
				   text.p[n] == '_' || text.p[n] == '.'))
		n++;
	return n < text.len && text.p[n] == '=' ? n : 0;
}

static const char *
modifier_parse(struct str name, struct str value, struct spf_term *term)
{
	term->target = value;
	term->word = str_ieq(name, STR("redirect")) ? SPF_REDIRECT
		     : str_ieq(name, STR("exp"))    ? SPF_EXP
						    : SPF_OTHER;
	return term->word == SPF_OTHER ? spf_macro_check(value, SPF_IN_RECORD)
				       : domain_spec_check(value);
}

const char *
spf_term_parse(struct str text, struct spf_term *ret)
{
	struct spf_term term = {.qualifier = '+',
	    .text = text,
	    .target = STR_EMPTY,
	    .bits4 = 32,
	    .bits6 = 128};
	size_t n = modifier_name(text);
	const char *why = n > 0 ? modifier_parse(str_sub(text, 0, n),
				      str_skip(text, n + 1), &term)
				: directive_parse(text, &term);
	if (why == NULL)
		*ret = term;
	return why;
}

bool
spf_term_asks(const struct spf_term *term)
{
	switch (term->word) {
	case SPF_INCLUDE:
	case SPF_A:
	case SPF_MX:
	case SPF_PTR:
	case SPF_EXISTS:
	case SPF_REDIRECT:
		return true;
	case SPF_ALL:
	case SPF_IP4:
	case SPF_IP6:
	case SPF_EXP:
	case SPF_OTHER:
		break;
	}
	return false;
}

bool
spf_record_is(struct str text)
{
	return str_istarts(text, VERSION) &&
	       (text.len == VERSION.len || text.p[VERSION.len] == ' ');
}

/* Section 6: these MUST NOT appear more than once. */
static const char *
note_term(struct spf_record *record, size_t i)
{
	const struct spf_term *term = &record->v[i];
	const struct spf_term **place = term->word == SPF_ALL ? &record->all
					: term->word == SPF_REDIRECT
					    ? &record->redirect
					: term->word == SPF_EXP ? &record->exp
								: NULL;
	if (place == NULL || (*place != NULL && term->word == SPF_ALL))
		return NULL;
	if (*place != NULL)
		return "this modifier is there twice";
	*place = term;
	return NULL;
}

bool
spf_record_parse(struct arena *a, struct str text, struct spf_record *ret,
    struct spf_fault *ret_fault)
{
	struct spf_record record = {0};
	struct str rest = str_skip(text, VERSION.len);
	while (rest.len > 0) {
		struct spf_term term;
		struct str word = str_cut(&rest, ' ');
		if (word.len == 0)
			continue;
		const char *why = spf_term_parse(word, &term);
		if (why != NULL) {
			*ret_fault = (struct spf_fault){word, why};
			return false;
		}
		ARENA_PUSH(a, &record) = term;
	}
	for (size_t i = 0; i < record.n; i++) {
		const char *why = note_term(&record, i);
		if (why != NULL) {
			*ret_fault = (struct spf_fault){record.v[i].text, why};
			return false;
		}
	}
	*ret = record;
	return true;
}
