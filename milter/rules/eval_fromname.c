/* SPDX-License-Identifier: BSD-2-Clause */
/* eval_fromname -- is the name of the author another address?  SpamAssassin's
 * plugin FromNameSpoof. */
#include "base/arena.h"
#include "mail/uri.h"
#include "rules/address_list.h"
#include "rules/eval_rows.h"
#include "rules/list_make.h"
#include "rules/pattern.h"

#define EXTRA_CHARS 50
#define CHECK_OWNER 1

/* How much alike two addresses may be and still differ. */
enum fromname_check { DIFFER_IN_ADDRESS, DIFFER_IN_OWNER, DIFFER_IN_DOMAIN };

struct fromname {
	double extra_chars; /* that the name may have beside the address */
	enum fromname_check check;
	struct strs ignored; /* with one of these fields nothing is said */
};

struct fromname_facts {
	bool has_email; /* the name has an address */
	bool differs[3];
	bool is_replyto, is_to;
	struct str email;
};

/* --- settings ------------------------------------------------------------- */

static bool
check_read(struct str word, enum fromname_check *ret)
{
	if (word.len != 1 || word.p[0] < '0' || word.p[0] > '2')
		return false;
	*ret = (enum fromname_check)(word.p[0] - '0');
	return true;
}

static void
line_read(struct arena *a, struct fromname *f, const struct setting_line *line,
    struct diags *diags)
{
	struct str rest = line->value;
	bool is_good = rest.len > 0;
	if (str_eq(line->name, STR("fns_extrachars")))
		is_good = str_double(rest, &f->extra_chars);
	else if (str_eq(line->name, STR("fns_check")))
		is_good = check_read(rest, &f->check);
	else
		for (struct str word; (word = str_word(&rest)).len > 0;)
			strs_add(a, &f->ignored, word);
	if (!is_good)
		SETTING_ERROR(diags, line, "%.*s: %.*s is no value for it",
		    STR_ARG(line->name), STR_ARG(str_sub(line->value, 0, 100)));
}

const struct fromname *
fromname_new(struct ruleset *rules, struct diags *diags)
{
	const struct setting_list *lines =
	    &rules->settings.of[SETTING_FROMNAME];
	struct fromname *f = ARENA_NEW(rules->arena, struct fromname);
	f->extra_chars = EXTRA_CHARS;
	f->check = CHECK_OWNER;
	for (size_t i = 0; i < lines->n; i++)
		line_read(rules->arena, f, &lines->v[i], diags);
	return f;
}

/* --- the name and the address --------------------------------------------- */

static struct str
lower_text(struct eval_call *call, struct str what)
{
	return str_lower(call->message->arena, eval_get_text(call, what));
}

static bool
is_ignored(struct eval_call *call)
{
	const struct strs *fields = &call->lists->fromname->ignored;
	for (size_t i = 0; i < fields->n; i++)
		if (eval_get_text(call, fields->v[i]).len > 0)
			return true;
	return false;
}

static struct str
domain_of(struct eval_call *call, struct str email)
{
	struct arena *a = call->message->arena;
	return uri_domain(a, call->message->config,
	    str_printf(a, "mailto:%.*s", STR_ARG(email)));
}

/* All but a-z and 0-9. */
static size_t
odd_chars(struct str s)
{
	size_t n = 0;
	for (size_t i = 0; i < s.len; i++)
		n +=
		    !char_is_digit(s.p[i]) && !(s.p[i] >= 'a' && s.p[i] <= 'z');
	return n;
}

/* There is little in the name beside the address; what is odd counts twice. */
static bool
is_close(const struct eval_call *call, struct str name, struct str email)
{
	size_t beside = name.len - email.len;
	size_t odd = odd_chars(name) - odd_chars(email);
	return (double)(beside + odd) <= call->lists->fromname->extra_chars;
}

/* Whom an address belongs to: a list says so, or its domain's first label. */
static struct str
owner_of(struct eval_call *call, struct str email, struct str domain)
{
	struct arena *a = call->message->arena;
	size_t at = str_chr(email, '@');
	struct str bare = email;
	if (at != STR_NONE && at > 0)
		bare = str_printf(a, "%.*s%.*s",
		    STR_ARG(str_sub(email, 0, at + 1)), STR_ARG(domain));
	const struct str asked[] = {email, bare};
	for (size_t i = 0; i < COUNT_OF(asked); i++) {
		struct str owner =
		    address_lists_owner(a, call->lists->addresses, asked[i]);
		if (owner.len > 0)
			return owner;
	}
	size_t dot = str_chr(domain, '.');
	return dot == STR_NONE || dot == 0 ? domain : str_sub(domain, 0, dot);
}

static void
compare(struct eval_call *call, struct fromname_facts *f, struct str from,
    struct str from_domain, struct str domain)
{
	struct str owner = owner_of(call, f->email, domain);
	struct str from_owner = owner_of(call, from, from_domain);
	const struct strs *to = eval_all_to(call);
	f->differs[DIFFER_IN_ADDRESS] = !str_eq(f->email, from);
	f->differs[DIFFER_IN_OWNER] = !str_eq(owner, from_owner);
	f->differs[DIFFER_IN_DOMAIN] = !str_eq(domain, from_domain);
	f->is_replyto =
	    str_eq(f->email, lower_text(call, STR("Reply-To:addr")));
	for (size_t i = 0; i < to->n && !f->is_to; i++)
		f->is_to = str_eq(f->email, to->v[i]);
}

static void
look(struct eval_call *call, struct fromname_facts *f)
{
	struct regex_span span;
	struct str from = lower_text(call, STR("From:addr"));
	struct str from_domain = domain_of(call, from);
	struct str name = lower_text(call, STR("From:name"));
	if (is_ignored(call) || from_domain.len == 0 ||
	    !pattern_find(call, PATTERN_NAME_ADDRESS, name, 0, &span))
		return;
	f->email = str_sub(name, span.from, span.to - span.from);
	struct str domain = domain_of(call, f->email);
	f->has_email = domain.len > 0;
	if (f->has_email && is_close(call, name, f->email))
		compare(call, f, from, from_domain, domain);
}

static const struct fromname_facts *
facts_of(struct eval_call *call)
{
	if (call->cache->fromname == NULL) {
		call->cache->fromname =
		    ARENA_NEW(call->message->arena, struct fromname_facts);
		look(call, call->cache->fromname);
	}
	return call->cache->fromname;
}

/* --- rows ----------------------------------------------------------------- */

static int
answer(struct eval_call *call, bool is_hit)
{
	return is_hit ? eval_hit(call, facts_of(call)->email) : 0;
}

static int
check_fromname_spoof(struct eval_call *call)
{
	const struct fromname_facts *f = facts_of(call);
	enum fromname_check check = call->lists->fromname->check;
	(void)check_read(eval_arg(call, 0), &check);
	return answer(call, f->differs[DIFFER_IN_ADDRESS] && f->differs[check]);
}

static int
check_fromname_different(struct eval_call *call)
{
	return answer(call, facts_of(call)->differs[DIFFER_IN_ADDRESS]);
}

static int
check_fromname_domain_differ(struct eval_call *call)
{
	return answer(call, facts_of(call)->differs[DIFFER_IN_DOMAIN]);
}

static int
check_fromname_owners_differ(struct eval_call *call)
{
	return answer(call, facts_of(call)->differs[DIFFER_IN_OWNER]);
}

static int
check_fromname_contains_email(struct eval_call *call)
{
	return answer(call, facts_of(call)->has_email);
}

static int
check_fromname_equals_to(struct eval_call *call)
{
	return answer(call, facts_of(call)->is_to);
}

static int
check_fromname_equals_replyto(struct eval_call *call)
{
	return answer(call, facts_of(call)->is_replyto);
}

#define FROMNAME(function, max, args, help)                                  \
	{                                                                    \
#function, 0, max, args, NEED_HEADER, help, "FromNameSpoof", \
		    function                                                 \
	}

const struct eval_row EVAL_FROMNAME[] = {
    FROMNAME(check_fromname_spoof, 1, "s",
	"the name of From is another address, as fns_check says, or the "
	"number"),
    FROMNAME(
	check_fromname_different, 0, "", "the name of From is another address"),
    FROMNAME(check_fromname_domain_differ, 0, "",
	"the name of From is an address of another domain"),
    FROMNAME(check_fromname_owners_differ, 0, "",
	"the name of From is an address of another owner"),
    FROMNAME(check_fromname_contains_email, 0, "",
	"the name of From has an address"),
    FROMNAME(check_fromname_equals_to, 0, "",
	"the name of From is the address of a recipient"),
    FROMNAME(check_fromname_equals_replyto, 0, "",
	"the name of From is the address of Reply-To"),
    {NULL, 0, 0, NULL, 0, NULL, NULL, NULL},
};
