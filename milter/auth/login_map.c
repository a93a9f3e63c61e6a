/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * login_map -- which addresses a login may send from.
 *
 * All pairs of a user and an address are in one table, under the user's number
 * and the address: a question is a few look-ups, for a login with ten thousand
 * addresses as for one.
 */
#include "auth/login_map.h"

#include "auth/lines.h"
#include "auth/local_domains.h"
#include "auth/org.h"
#include "base/arena.h"
#include "base/table.h"
#include "rules/regex.h"

/* What is longer is no login and no address (RFC 5321 section 4.5.3.1). */
#define TEXT_BYTES 1024

struct regexes {
	struct regex **v;
	size_t n;
	size_t cap;
};

/* A login, a regular expression for logins, or everybody. */
struct user {
	unsigned number;
	const struct regex *pattern; /* NULL: a login, or everybody */
	bool has_all;                /* may use any address */
	struct regexes addresses;
};

struct users {
	struct user **v;
	size_t n;
	size_t cap;
};

struct login_map {
	struct arena *arena;
	struct regex_env *env;
	struct table *logins;   /* to struct user; also "*" */
	struct table *texts;    /* of regular expressions, to struct user */
	struct users patterns;  /* users that are regular expressions */
	struct user *everybody; /* NULL: no line for * */
	struct table *pairs;    /* pair_key() */
	struct local_domains *domains;
	unsigned nusers;
};

/* Where something is being read from. */
struct source {
	struct login_map *map;
	const struct line *line;
	struct diags *diags;
	bool is_ok;
};

static void
complain(struct source *s, const char *what, struct str text)
{
	diag_add(s->diags, DIAG_ERROR, s->line->file, s->line->number,
	    "%s: %.*s", what, STR_ARG(str_sub(text, 0, 256)));
	s->is_ok = false;
}

/*
 * "/regex/" at the start of `*rest`, which moves behind it; an escaped slash
 * does not end it.  False: it has no end.
 */
static bool
cut_pattern(struct str *rest, struct str *ret)
{
	for (size_t i = 1; i < rest->len; i++) {
		if (rest->p[i] == '\\') {
			i++;
		} else if (rest->p[i] == '/') {
			*ret = str_sub(*rest, 1, i - 1);
			*rest = str_skip(*rest, i + 1);
			return true;
		}
	}
	return false;
}

/* What stands alone as a pattern cannot break out of the anchors. */
static struct regex *
pattern_new(struct source *s, struct str pattern)
{
	struct login_map *map = s->map;
	struct str anchored =
	    str_concat(map->arena, STR("(?i)\\A(?:"), pattern, STR(")\\z"));
	struct regex *ret;
	struct str why;
	if (regex_new(map->env, pattern, &ret, &why) != REGEX_OK ||
	    regex_new(map->env, anchored, &ret, &why) != REGEX_OK) {
		complain(s, "not a regular expression", why);
		return NULL;
	}
	regex_speed_up(ret);
	return ret;
}

static struct user *
user_new(struct login_map *map)
{
	struct user *user = ARENA_NEW(map->arena, struct user);
	user->number = map->nusers++;
	return user;
}

static struct user *
user_of_login(struct source *s, struct str login)
{
	struct login_map *map = s->map;
	if (login.len == 0 || login.len > TEXT_BYTES) {
		complain(s, "no login in front of the colon", s->line->text);
		return NULL;
	}
	struct user *user = table_get(map->logins, login);
	if (user == NULL) {
		user = user_new(map);
		table_set(map->logins, str_dup(map->arena, login), user);
	}
	if (str_eq(login, STR("*")))
		map->everybody = user;
	return user;
}

static struct user *
user_of_pattern(struct source *s, struct str pattern)
{
	struct login_map *map = s->map;
	struct user *user = table_get(map->texts, pattern);
	if (user != NULL)
		return user;
	struct regex *regex = pattern_new(s, pattern);
	if (regex == NULL)
		return NULL;
	user = user_new(map);
	user->pattern = regex;
	table_set(map->texts, str_dup(map->arena, pattern), user);
	ARENA_PUSH(map->arena, &map->patterns) = user;
	return user;
}

/* "user:" at the start of `*rest`. */
static struct user *
read_user(struct source *s, struct str *rest)
{
	if (!str_starts(*rest, STR("/"))) {
		if (str_chr(*rest, ':') == STR_NONE) {
			complain(s, "not \"user: address\"", *rest);
			return NULL;
		}
		return user_of_login(s, str_trim(str_cut(rest, ':')));
	}
	struct str pattern;
	bool has_end = cut_pattern(rest, &pattern);
	*rest = str_trim(*rest);
	if (!has_end || !str_starts(*rest, STR(":"))) {
		complain(s, "not \"/regex/: address\"", s->line->text);
		return NULL;
	}
	*rest = str_skip(*rest, 1);
	return user_of_pattern(s, pattern);
}

/* The user's number, then "local@domain", "@domain" or "@.domain". */
static struct str
pair_key(struct arena *a, const struct user *user, struct str local,
    const char *sign, struct str domain)
{
	struct str number =
	    str_of((const char *)&user->number, sizeof(user->number));
	return str_concat(
	    a, number, str_concat(a, local, str_from(sign), domain), STR_EMPTY);
}

/* Lower case, and without the quotes that RFC 5321 does not mean. */
static struct str
local_normal(struct arena *a, struct str local)
{
	local = str_lower(a, local);
	if (local.len < 2 || local.p[0] != '"' || local.p[local.len - 1] != '"')
		return local;
	char *p = arena_alloc(a, local.len);
	size_t len = 0;
	for (size_t i = 1; i + 1 < local.len; i++) {
		if (local.p[i] == '\\' && i + 2 < local.len)
			i++;
		p[len++] = local.p[i];
	}
	return str_of(p, len);
}

static void
read_address(struct source *s, struct user *user, struct str address)
{
	struct login_map *map = s->map;
	if (str_eq(address, STR("*"))) {
		user->has_all = true;
		return;
	}
	size_t at = str_rchr(address, '@');
	struct str local = str_sub(address, 0, at);
	struct str domain = str_skip(address, at == STR_NONE ? at : at + 1);
	bool is_parent = local.len == 0 && str_starts(domain, STR("."));
	struct str name =
	    domain_normal(map->arena, str_skip(domain, is_parent ? 1 : 0));
	if (at == STR_NONE || name.len == 0 || address.len > TEXT_BYTES ||
	    !local_domains_add(map->domains, domain)) {
		complain(s, "not an address, @domain, @.domain, /regex/ or *",
		    address);
		return;
	}
	table_set(map->pairs,
	    pair_key(map->arena, user, local_normal(map->arena, local),
		is_parent ? "@." : "@", name),
	    user);
}

static bool
is_separator(char c)
{
	return c == ',' || char_is_space(c);
}

static void
read_addresses(struct source *s, struct user *user, struct str rest)
{
	for (;;) {
		while (rest.len > 0 && is_separator(rest.p[0]))
			rest = str_skip(rest, 1);
		if (rest.len == 0)
			return;
		struct str pattern;
		if (rest.p[0] != '/') {
			size_t n = 0;
			while (n < rest.len && !is_separator(rest.p[n]))
				n++;
			read_address(s, user, str_sub(rest, 0, n));
			rest = str_skip(rest, n);
			continue;
		}
		struct regex *regex = NULL;
		if (!cut_pattern(&rest, &pattern))
			complain(s, "no / at the end", rest);
		else
			regex = pattern_new(s, pattern);
		if (regex == NULL)
			return;
		ARENA_PUSH(s->map->arena, &user->addresses) = regex;
	}
}

static bool
read_line(struct login_map *map, const struct line *line, struct diags *diags)
{
	struct source s = {map, line, diags, true};
	struct str rest = line->text;
	struct user *user = read_user(&s, &rest);
	if (user != NULL)
		read_addresses(&s, user, rest);
	return s.is_ok;
}

static struct login_map *
map_new(struct arena *a)
{
	struct login_map *map = ARENA_NEW(a, struct login_map);
	map->arena = a;
	map->env = regex_env_new(a, &(struct regex_limits){0});
	map->logins = table_new(a, true);
	map->texts = table_new(a, false);
	map->pairs = table_new(a, false);
	map->domains = local_domains_new(a);
	return map;
}

struct login_map *
login_map_load(struct arena *a, const struct strs *values,
    const struct option_place *option, struct diags *diags)
{
	struct arena *scratch = arena_new();
	struct lines lines = {0};
	bool is_ok = lines_read(scratch, values, option, &lines, diags);
	struct login_map *map = map_new(a);
	for (size_t i = 0; i < lines.n; i++)
		is_ok &= read_line(map, &lines.v[i], diags);
	arena_free(scratch);
	return is_ok ? map : NULL;
}

bool
login_map_is_empty(const struct login_map *map)
{
	return map->nusers == 0;
}

bool
login_map_has_domain(const struct login_map *map, struct str domain)
{
	return local_domains_has(map->domains, domain);
}

/* One question. */
struct query {
	struct arena *a;
	const struct login_map *map;
	struct regex_scratch *scratch; /* made when it is needed */
	struct str local;              /* normal */
	struct str untagged;           /* without +anything */
	struct str domain;             /* normal; empty: none */
	struct str address;            /* for regular expressions */
};

static bool
matches(struct query *q, const struct regex *regex, struct str subject)
{
	if (q->scratch == NULL)
		q->scratch = regex_scratch_new(q->a, q->map->env, NULL, NULL);
	struct regex_span span;
	return regex_match(regex, q->scratch, subject, 0, false, &span) ==
	       REGEX_YES;
}

static bool
has_pair(const struct query *q, const struct user *user, struct str local,
    const char *sign, struct str domain)
{
	return table_has(
	    q->map->pairs, pair_key(q->a, user, local, sign, domain));
}

static bool
user_has_domain(const struct query *q, const struct user *user)
{
	if (has_pair(q, user, STR_EMPTY, "@", q->domain))
		return true;
	for (struct str rest = q->domain; rest.len > 0;) {
		(void)str_cut(&rest, '.');
		if (has_pair(q, user, STR_EMPTY, "@.", rest))
			return true;
	}
	return false;
}

static bool
user_has(struct query *q, const struct user *user)
{
	if (user->has_all)
		return true;
	if (q->domain.len > 0 && q->local.len > 0 &&
	    (has_pair(q, user, q->local, "@", q->domain) ||
		has_pair(q, user, q->untagged, "@", q->domain) ||
		user_has_domain(q, user)))
		return true;
	for (size_t i = 0; i < user->addresses.n; i++)
		if (matches(q, user->addresses.v[i], q->address))
			return true;
	return false;
}

static struct query
query_of(struct arena *a, const struct login_map *map, struct str address)
{
	if (address.len > TEXT_BYTES)
		address = STR_EMPTY;
	size_t at = str_rchr(address, '@');
	struct str local = str_sub(address, 0, at);
	struct query q = {.a = a, .map = map, .address = address};
	q.local = local_normal(a, local);
	q.domain =
	    domain_normal(a, str_skip(address, at == STR_NONE ? at : at + 1));
	q.untagged = str_sub(q.local, 0, str_chr(q.local, '+'));
	if (q.domain.len > 0)
		q.address = str_concat(a, local, STR("@"), q.domain);
	return q;
}

enum login_allows
login_map_allows(struct arena *a, const struct login_map *map, struct str login,
    struct str address)
{
	struct query q = query_of(a, map, address);
	const struct user *user = table_get(map->logins, login);
	bool is_known = user != NULL || map->everybody != NULL;
	if ((user != NULL && user_has(&q, user)) ||
	    (map->everybody != NULL && user_has(&q, map->everybody)))
		return LOGIN_YES;
	for (size_t i = 0; login.len <= TEXT_BYTES && i < map->patterns.n;
	     i++) {
		user = map->patterns.v[i];
		if (!matches(&q, user->pattern, login))
			continue;
		is_known = true;
		if (user_has(&q, user))
			return LOGIN_YES;
	}
	return is_known ? LOGIN_NO : LOGIN_UNKNOWN;
}
