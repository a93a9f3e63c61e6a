/* SPDX-License-Identifier: BSD-2-Clause */
/* results -- what a verifier of our own wrote into a message. */
#include "notice/results.h"

#include "base/arena.h"
#include "mail/address.h"

#define FIELD_BYTES 8192
#define TOKENS_MAX 512

/* A word, a quoted string, or one of the marks ; = . / that stand alone. */
struct token {
	struct str text; /* lower case */
	char mark;       /* 0: a word */
};

struct reader {
	struct arena *arena;
	struct token v[TOKENS_MAX];
	size_t n;
	size_t at;
};

/* Behind a comment, nested ones too.  False: it does not end. */
static bool
comment_skip(struct str *s)
{
	size_t depth = 0;
	do {
		char c = s->p[0];
		depth += c == '(';
		depth -= c == ')';
		*s = str_skip(*s, c == '\\' ? 2 : 1);
	} while (depth > 0 && s->len > 0);
	return depth == 0;
}

/* Text of a quoted string; `*s` begins with its quote.  False: no end. */
static bool
quoted_take(struct arena *a, struct str *s, struct str *ret)
{
	char *text = arena_alloc(a, s->len);
	size_t n = 0;
	for (size_t i = 1; i < s->len; i++) {
		if (s->p[i] == '"') {
			*ret = str_of(text, n);
			*s = str_skip(*s, i + 1);
			return true;
		}
		i += s->p[i] == '\\' && i + 1 < s->len;
		text[n++] = char_lower(s->p[i]);
	}
	return false;
}

/* What ends a word; @ + - _ : and the like are part of one. */
static bool
is_end(char c)
{
	static const struct str ends = {"();=\"/", 6};
	return char_is_space(c) || str_chr(ends, c) != STR_NONE;
}

static bool
token_take(struct reader *r, struct str *s)
{
	struct token *token = &r->v[r->n];
	char c = s->p[0];
	*token = (struct token){.text = STR_EMPTY};
	if (char_is_space(c)) {
		*s = str_skip(*s, 1);
		return true;
	}
	if (c == '(')
		return comment_skip(s);
	r->n++;
	if (c == '"')
		return quoted_take(r->arena, s, &token->text);
	if (is_end(c)) {
		token->mark = c;
		*s = str_skip(*s, 1);
		return c != ')';
	}
	size_t len = 0;
	while (len < s->len && !is_end(s->p[len]))
		len++;
	token->text = str_lower(r->arena, str_sub(*s, 0, len));
	*s = str_skip(*s, len);
	return true;
}

static bool
tokens_read(struct arena *a, struct str value, struct reader *r)
{
	r->arena = a;
	r->n = r->at = 0;
	if (value.len > FIELD_BYTES)
		return false;
	while (value.len > 0)
		if (r->n == TOKENS_MAX || !token_take(r, &value))
			return false;
	return true;
}

static const struct token *
token_at(const struct reader *r, size_t ahead)
{
	static const struct token end = {.text = {"", 0}, .mark = '\n'};
	return r->at + ahead < r->n ? &r->v[r->at + ahead] : &end;
}

/* The next token if it is a word; empty: it is none. */
static struct str
word_take(struct reader *r)
{
	const struct token *token = token_at(r, 0);
	if (token->mark != 0)
		return STR_EMPTY;
	r->at++;
	return token->text;
}

static bool
mark_take(struct reader *r, char mark)
{
	if (token_at(r, 0)->mark != mark)
		return false;
	r->at++;
	return true;
}

/* An address, or a domain: what stands behind the last @. */
static struct str
domain_part(struct str s)
{
	struct str domain = address_domain(s);
	return domain.len > 0 ? domain : s;
}

static const struct {
	const char *method, *property;
	bool is_domain; /* only the domain of it counts */
} properties[] = {
    {"spf", "smtp.mailfrom", false},
    {"spf", "smtp.mail", false},
    {"dkim", "header.d", false},
    {"dkim", "header.i", true},
    {"dmarc", "header.from", true},
};

/* Of what says it twice, nothing is believed. */
static bool
property_take(struct auth_result *result, struct str name, struct str value)
{
	for (size_t i = 0; i < COUNT_OF(properties); i++) {
		if (!str_eq(result->method, str_from(properties[i].method)) ||
		    !str_eq(name, str_from(properties[i].property)))
			continue;
		struct str identity =
		    properties[i].is_domain ? domain_part(value) : value;
		if (result->identity.len > 0 && !properties[i].is_domain &&
		    !str_eq(result->identity, identity))
			return false;
		if (result->identity.len == 0)
			result->identity = identity;
	}
	return true;
}

/* "spf=pass reason="x" smtp.mailfrom=a@b.example" up to the next ";". */
static bool
resinfo_take(struct reader *r, struct auth_results *ret)
{
	struct auth_result result = {.identity = STR_EMPTY};
	result.method = word_take(r);
	if (mark_take(r, '/'))
		(void)word_take(r);
	if (result.method.len == 0 || !mark_take(r, '='))
		return false;
	result.result = word_take(r);
	if (result.result.len == 0)
		return false;
	while (token_at(r, 0)->mark == 0) {
		struct str name = word_take(r);
		if (!mark_take(r, '='))
			return false;
		struct str value = word_take(r);
		while (mark_take(r, '/'))
			(void)word_take(r);
		if (!property_take(&result, name, value))
			return false;
	}
	if (ret->n == RESULTS_MAX)
		return false;
	ret->v[ret->n++] = result;
	return true;
}

bool
auth_results_parse(struct arena *a, struct str value, struct auth_results *ret)
{
	struct reader r;
	*ret = (struct auth_results){.authserv_id = STR_EMPTY};
	if (!tokens_read(a, value, &r))
		return false;
	ret->authserv_id = word_take(&r);
	(void)word_take(&r); /* version */
	if (ret->authserv_id.len == 0)
		return false;
	while (mark_take(&r, ';')) {
		if (r.at == r.n)
			break;
		if (token_at(&r, 0)->mark == 0 &&
		    str_eq(token_at(&r, 0)->text, STR("none")) &&
		    token_at(&r, 1)->mark != '=') {
			r.at++;
			continue;
		}
		if (!resinfo_take(&r, ret))
			return false;
	}
	return r.at == r.n;
}

/* "pass (comment) receiver=mx.example; identity=mailfrom;
 * envelope-from="a@b.example"; ..." with ; or blanks between the pairs. */
bool
received_spf_parse(struct arena *a, struct str value, struct auth_results *ret)
{
	struct reader r;
	struct str sender = STR_EMPTY;
	bool is_helo = false;
	*ret = (struct auth_results){.authserv_id = STR_EMPTY};
	if (!tokens_read(a, value, &r))
		return false;
	struct str result = word_take(&r);
	while (r.at < r.n) {
		if (mark_take(&r, ';'))
			continue;
		struct str name = word_take(&r);
		if (name.len == 0 || !mark_take(&r, '='))
			return false;
		struct str text = word_take(&r);
		if (str_eq(name, STR("receiver")))
			ret->authserv_id = text;
		else if (str_eq(name, STR("envelope-from")))
			sender = text;
		else if (str_eq(name, STR("identity")))
			is_helo = !str_eq(text, STR("mailfrom"));
	}
	size_t len = sender.len;
	if (len > 1 && sender.p[0] == '<' && sender.p[len - 1] == '>')
		sender = str_sub(sender, 1, len - 2);
	ret->v[ret->n++] = (struct auth_result){
	    STR("spf"), result, is_helo ? STR_EMPTY : sender};
	return result.len > 0;
}
