/* SPDX-License-Identifier: BSD-2-Clause */
/* spf_repair -- mistakes in SPF terms. */
#include "auth/spf_repair.h"

#include "base/ip.h"
#include "auth/spf_record.h"
#include "base/arena.h"

/* Dashes that editors make of "-". */
static const char *const dashes[] = {
    "\xe2\x80\x90", "\xe2\x80\x93", "\xe2\x80\x94", "\xe2\x88\x92"};

struct broken {
	struct str qualifier; /* empty, or one of + - ~ ? */
	struct str name;      /* before the first : or = */
	struct str value;     /* behind it; the whole word without one */
};

static struct broken
broken_cut(struct str term)
{
	struct broken b = {.qualifier = STR_EMPTY, .name = STR_EMPTY};
	if (term.len > 0 && str_chr(STR("+-~?"), term.p[0]) != STR_NONE) {
		b.qualifier = str_sub(term, 0, 1);
		term = str_skip(term, 1);
	}
	size_t end = 0;
	while (end < term.len && term.p[end] != ':' && term.p[end] != '=')
		end++;
	struct ip ip;
	struct str rest = term;
	bool is_bare = ip_parse(str_cut(&rest, '/'), &ip);
	b.value = term;
	if (end < term.len && !is_bare) {
		b.name = str_sub(term, 0, end);
		b.value = str_skip(term, end + 1);
	}
	return b;
}

/* "192.0.2.1", "192.0.2.1/024", "192.0.2.1:25" whatever word is before it:
 * ip4 or ip6, as the address is. */
static bool
as_network(struct arena *a, const struct broken *b, struct str *ret)
{
	struct ip ip;
	struct str length = b->value;
	struct str address = str_cut(&length, '/');
	struct str port = address;
	struct str without = str_cut(&port, ':');
	if (!ip_parse(address, &ip)) {
		if (!ip_parse(without, &ip))
			return false;
		address = without;
	}
	while (length.len > 1 && length.p[0] == '0')
		length = str_skip(length, 1);
	*ret = str_printf(a, "%.*s%s:%.*s%s%.*s", STR_ARG(b->qualifier),
	    ip.is_v6 ? "ip6" : "ip4", STR_ARG(address),
	    length.len > 0 ? "/" : "", STR_ARG(length));
	return true;
}

/* "redirect:a.example", "include=a.example". */
static bool
as_other_sign(struct arena *a, const struct broken *b, struct str *ret)
{
	bool is_modifier =
	    str_ieq(b->name, STR("redirect")) || str_ieq(b->name, STR("exp"));
	if (b->name.len == 0)
		return false;
	*ret = str_printf(a, "%.*s%.*s%c%.*s",
	    STR_ARG(is_modifier ? STR_EMPTY : b->qualifier), STR_ARG(b->name),
	    is_modifier ? '=' : ':', STR_ARG(b->value));
	return true;
}

/* A mechanism with a length that has a zero in front. */
static bool
as_plain_length(struct arena *a, const struct broken *b, struct str *ret)
{
	size_t slash = str_rchr(b->value, '/');
	if (slash == STR_NONE)
		return false;
	struct str length = str_skip(b->value, slash + 1);
	while (length.len > 1 && length.p[0] == '0')
		length = str_skip(length, 1);
	*ret = str_printf(a, "%.*s%.*s%s%.*s/%.*s", STR_ARG(b->qualifier),
	    STR_ARG(b->name), b->name.len > 0 ? ":" : "",
	    STR_ARG(str_sub(b->value, 0, slash)), STR_ARG(length));
	return true;
}

typedef bool repair(struct arena *a, const struct broken *b, struct str *ret);
static repair *const repairs[] = {as_network, as_other_sign, as_plain_length};

/* Without quotes around it, commas and the like behind it, or an editor's dash.
 */
static struct str
stripped(struct arena *a, struct str term)
{
	for (size_t i = 0; i < COUNT_OF(dashes); i++)
		if (str_starts(term, str_from(dashes[i])))
			term =
			    str_printf(a, "-%.*s", STR_ARG(str_skip(term, 3)));
	while (term.len > 0 && str_chr(STR("\"'"), term.p[0]) != STR_NONE)
		term = str_skip(term, 1);
	while (term.len > 0 &&
	       str_chr(STR("\"',;."), term.p[term.len - 1]) != STR_NONE)
		term.len--;
	return term;
}

static bool
is_term(struct str text)
{
	struct spf_term term;
	return spf_term_parse(text, &term) == NULL && term.word != SPF_OTHER;
}

bool
spf_term_repair(struct arena *a, struct str term, struct str *ret)
{
	struct str plain = stripped(a, term), text;
	if (is_term(plain)) {
		*ret = plain;
		return true;
	}
	struct broken b = broken_cut(plain);
	for (size_t i = 0; i < COUNT_OF(repairs); i++) {
		if (repairs[i](a, &b, &text) && is_term(text)) {
			*ret = text;
			return true;
		}
	}
	return false;
}
