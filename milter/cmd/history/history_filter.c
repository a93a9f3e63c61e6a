/* SPDX-License-Identifier: BSD-2-Clause */
/* history_filter -- which entries of the history an operator means. */
#include "cmd/history/history_filter.h"

#include <time.h>

#include "base/arena.h"
#include "base/network.h"
#include "hold/filter.h"
#include "session/pseudonym.h"

/* "<a@b>" is meant to be a@b. */
static struct str
bare(struct str s)
{
	bool is_framed = s.len > 1 && s.p[0] == '<' && s.p[s.len - 1] == '>';
	return is_framed ? str_sub(s, 1, s.len - 2) : s;
}

static bool
is_glob(struct str s)
{
	return str_chr(s, '*') != STR_NONE || str_chr(s, '?') != STR_NONE;
}

/* "*@domain" can be asked of pseudonyms, too; other patterns cannot. */
static struct str
hashed_of(struct arena *a, const struct mac_key *key, struct str s)
{
	if (key == NULL)
		return STR_EMPTY;
	if (!is_glob(s))
		return pseudonym_of(a, key, s);
	struct str domain = str_skip(s, 2);
	if (!str_starts(s, STR("*@")) || is_glob(domain))
		return STR_EMPTY;
	return str_printf(
	    a, "*@%.*s", STR_ARG(pseudonym_of_domain(a, key, domain)));
}

struct history_pattern
history_pattern_of(struct arena *a, const struct mac_key *key, const char *text)
{
	struct str s = bare(str_from(text));
	return (struct history_pattern){
	    .text = s,
	    .hashed = hashed_of(a, key, s),
	    .is_glob = is_glob(s),
	    .is_set = true,
	};
}

bool
history_id_is_valid(const char *id)
{
	return bare(str_from(id)).len > 0;
}

/* The long form has a z in it. */
static bool
is_hex(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (strchr("0123456789abcdef", char_lower(s.p[i])) == NULL)
			return false;
	return true;
}

void
history_filter_id(struct arena *a, const struct mac_key *key, const char *id,
    struct history_filter *f)
{
	f->id = bare(str_from(id));
	f->is_hex = is_hex(f->id);
	f->id_hashed = key == NULL ? STR_EMPTY : pseudonym_of(a, key, f->id);
}

static bool
pattern_matches(
    const struct history_pattern *p, struct str text, bool is_hashed)
{
	if (p->is_glob ? glob_matches(p->text, text) : str_ieq(p->text, text))
		return true;
	return is_hashed && p->hashed.len > 0 &&
	       (p->is_glob ? glob_matches(p->hashed, text)
			   : str_eq(p->hashed, text));
}

static bool
numbers_match(const struct history_filter *f, const struct history_entry *e)
{
	bool has_score = (e->flags & HISTORY_IS_SCANNED) != 0;
	if (f->since_wall != 0 && e->time_wall < f->since_wall)
		return false;
	if (f->until_wall != 0 && e->time_wall >= f->until_wall)
		return false;
	if (f->has_class &&
	    (e->class != f->class || (e->flags & HISTORY_IS_EVENT) != 0))
		return false;
	return (!f->has_score_min || (has_score && e->score >= f->score_min)) &&
	       (!f->has_score_max || (has_score && e->score <= f->score_max));
}

static bool
client_matches(const struct history_filter *f, const struct history_entry *e)
{
	const struct history_pattern *p = &f->text[HISTORY_CLIENT];
	struct str network = f->network;
	const struct strs networks = {&network, 1, 1};
	if (network.len > 0)
		return network_has(&networks, e->text[HISTORY_CLIENT]);
	return pattern_matches(p, e->text[HISTORY_CLIENT], false) ||
	       pattern_matches(p, e->text[HISTORY_HOST], false);
}

/* What is not known of an event's message is not empty. */
static bool
texts_match(const struct history_filter *f, const struct history_entry *e)
{
	bool is_hashed = (e->flags & HISTORY_IS_HASHED) != 0;
	bool is_event = (e->flags & HISTORY_IS_EVENT) != 0;
	for (size_t i = 0; i < HISTORY_TEXTS; i++) {
		const struct history_pattern *p = &f->text[i];
		if (!p->is_set)
			continue;
		if (i == HISTORY_CLIENT
			? !client_matches(f, e)
			: !pattern_matches(p, e->text[i], is_hashed))
			return false;
		bool is_null = i == HISTORY_SENDER && e->nrcpt_all > 0;
		if (is_event && e->text[i].len == 0 && !is_null)
			return false;
	}
	return true;
}

static bool
rcpt_matches(const struct history_filter *f, const struct history_entry *e)
{
	bool is_hashed = (e->flags & HISTORY_IS_HASHED) != 0;
	for (size_t i = 0; f->rcpt.is_set && i < e->nrcpt; i++)
		if (pattern_matches(&f->rcpt, e->rcpt[i], is_hashed))
			return true;
	return !f->rcpt.is_set;
}

static bool
rule_matches(const struct history_filter *f, const struct history_entry *e)
{
	for (size_t i = 0; f->rule.is_set && i < e->nhits; i++)
		if (pattern_matches(&f->rule, e->hits[i].rule, false))
			return true;
	return !f->rule.is_set;
}

static bool
queue_id_matches(const struct history_filter *f, struct str queue_id)
{
	return f->is_hex ? str_ieq(f->id, queue_id) : str_eq(f->id, queue_id);
}

static bool
id_matches(const struct history_filter *f, const struct history_entry *e)
{
	struct str message_id = e->text[HISTORY_MESSAGE_ID];
	struct str wanted =
	    (e->flags & HISTORY_IS_HASHED) != 0 ? f->id_hashed : f->id;
	return f->id.len == 0 ||
	       queue_id_matches(f, e->text[HISTORY_QUEUE_ID]) ||
	       str_eq(f->id, e->text[HISTORY_ID]) ||
	       (message_id.len > 0 && str_ieq(wanted, message_id));
}

static bool
lookup_matches(const struct history_filter *f, const struct history_entry *e)
{
	struct str id = e->text[HISTORY_ID], rest = f->lookup_ids;
	if (rest.len == 0)
		return true;
	while (id.len > 0 && rest.len > 0)
		if (str_eq(str_cut(&rest, ' '), id))
			return true;
	return false;
}

bool
history_filter_matches(
    const struct history_filter *f, const struct history_entry *e)
{
	return numbers_match(f, e) && id_matches(f, e) &&
	       lookup_matches(f, e) && texts_match(f, e) &&
	       rcpt_matches(f, e) && rule_matches(f, e);
}

/* ---- times */

static bool
date_parse(const char *text, int64_t *ret_wall)
{
	static const char *const forms[] = {"%Y-%m-%dT%H:%M:%S",
	    "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M",
	    "%Y-%m-%d"};
	for (size_t i = 0; i < COUNT_OF(forms); i++) {
		struct tm tm = {.tm_isdst = -1};
		const char *end = strptime(text, forms[i], &tm);
		if (end == NULL || (end[0] != '\0' && strcmp(end, "Z") != 0))
			continue;
		const struct tm meant = tm;
		time_t wall = end[0] == 'Z' ? timegm(&tm) : mktime(&tm);
		*ret_wall = (int64_t)wall;
		/* February 29 of most years would be March 1 */
		return wall > 0 && tm.tm_mday == meant.tm_mday &&
		       tm.tm_mon == meant.tm_mon;
	}
	return false;
}

bool
history_time_parse(const char *text, int64_t now_wall, int64_t *ret_wall)
{
	int64_t age_s;
	if (!age_parse(str_from(text), &age_s))
		return date_parse(text, ret_wall);
	*ret_wall = now_wall > age_s ? now_wall - age_s : 1;
	return true;
}
