/* SPDX-License-Identifier: BSD-2-Clause */
/* filter -- which kept messages an operator means. */
#include "hold/filter.h"

#include "base/network.h"

#define AGE_MAX_S (UINT64_C(1000) * 366 * 86400)

/* On a mismatch the last * takes one byte more; earlier ones never need to. */
bool
glob_matches(struct str pattern, struct str text)
{
	size_t p = 0, t = 0, star = STR_NONE, resume = 0;
	while (t < text.len) {
		if (p < pattern.len && pattern.p[p] == '*') {
			star = p++;
			resume = t;
		} else if (p < pattern.len &&
			   (pattern.p[p] == '?' || char_lower(pattern.p[p]) ==
						       char_lower(text.p[t]))) {
			p++;
			t++;
		} else if (star != STR_NONE) {
			p = star + 1;
			t = ++resume;
		} else {
			return false;
		}
	}
	while (p < pattern.len && pattern.p[p] == '*')
		p++;
	return p == pattern.len;
}

static bool
unit_parse(struct str text, const char *units, const uint64_t *factors,
    uint64_t max, uint64_t *ret)
{
	if (text.len == 0)
		return false;
	const char *unit = strchr(units, char_lower(text.p[text.len - 1]));
	uint64_t factor = 1;
	if (unit != NULL && *unit != '\0') {
		factor = factors[unit - units];
		text.len--;
	}
	uint64_t n;
	if (!str_u64(text, max / factor, &n))
		return false;
	*ret = n * factor;
	return true;
}

bool
age_parse(struct str text, int64_t *ret_s)
{
	static const uint64_t factors[] = {1, 60, 3600, 86400, 604800};
	uint64_t seconds;
	/* without a unit nobody knows what was meant */
	if (text.len == 0 || char_is_digit(text.p[text.len - 1]) ||
	    !unit_parse(text, "smhdw", factors, AGE_MAX_S, &seconds))
		return false;
	*ret_s = (int64_t)seconds;
	return true;
}

bool
size_parse(struct str text, uint64_t *ret_bytes)
{
	static const uint64_t factors[] = {
	    UINT64_C(1) << 10, UINT64_C(1) << 20, UINT64_C(1) << 30};
	return unit_parse(text, "kmg", factors, INT64_MAX, ret_bytes);
}

static bool
text_matches(const char *pattern, struct str text)
{
	return pattern == NULL || glob_matches(str_from(pattern), text);
}

static bool
sender_matches(const char *pattern, struct str from)
{
	if (pattern != NULL && strcmp(pattern, "<>") == 0)
		return from.len == 0;
	return text_matches(pattern, from);
}

static bool
client_matches(const char *pattern, const struct envelope *envelope)
{
	struct str network = str_from(pattern);
	const struct strs networks = {&network, 1, 1};
	if (pattern != NULL && network_is_valid(network))
		return network_has(&networks, envelope->client_addr);
	return text_matches(pattern, envelope->client_addr) ||
	       text_matches(pattern, envelope->client_name);
}

static bool
rcpt_matches(const char *pattern, const struct strs *rcpt)
{
	if (pattern == NULL)
		return true;
	for (size_t i = 0; i < rcpt->n; i++)
		if (glob_matches(str_from(pattern), rcpt->v[i]))
			return true;
	return false;
}

static bool
rule_matches(const char *pattern, const struct held *held)
{
	if (pattern == NULL)
		return true;
	for (size_t i = 0; i < held->nhits; i++)
		if (glob_matches(str_from(pattern), held->hits[i].rule))
			return true;
	return false;
}

static bool
numbers_match(
    const struct held_filter *f, const struct held *held, int64_t now_wall)
{
	int64_t age = now_wall - held->time_wall;
	return (f->older_s == 0 || age > f->older_s) &&
	       (f->newer_s == 0 || age < f->newer_s) &&
	       (!f->has_score_min || held->score >= f->score_min) &&
	       (!f->has_score_max || held->score <= f->score_max);
}

/* What a file without a block does not have, no question about it matches. */
static bool
is_about_block(const struct held_filter *f)
{
	return f->sender != NULL || f->rcpt != NULL || f->login != NULL ||
	       f->client != NULL || f->rule != NULL || f->subject != NULL ||
	       f->has_class || f->has_score_min || f->has_score_max;
}

bool
held_filter_matches(const struct held_filter *f, const struct held_entry *entry,
    int64_t now_wall)
{
	const struct held *held = &entry->held;
	const struct envelope *envelope = &held->envelope;
	if (!entry->has_block && is_about_block(f))
		return false;
	return (!f->has_folder || f->folder == held->folder) &&
	       (!f->has_class || f->class == envelope->class) &&
	       (!f->has_state || f->state == entry->state) &&
	       sender_matches(f->sender, envelope->from) &&
	       rcpt_matches(f->rcpt, &envelope->rcpt) &&
	       text_matches(f->login, envelope->login) &&
	       client_matches(f->client, envelope) &&
	       rule_matches(f->rule, held) &&
	       text_matches(f->subject, held->subject) &&
	       numbers_match(f, held, now_wall);
}
