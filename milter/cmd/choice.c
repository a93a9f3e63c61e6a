/* SPDX-License-Identifier: BSD-2-Clause */
/* choice -- options that choose messages: what they may say. */
#include "cmd/choice.h"

#include "auth/dkim_verify.h"
#include "auth/spf.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/ip.h"
#include "base/network.h"
#include "cmd/cmd.h"
#include "cmd/history/history_filter.h"
#include "cmd/history/reason.h"
#include "hold/filter.h"
#include "notice/origin.h"
#include "session/chronicle.h"

#define LIST_BYTES 1024

/* ---- words; each function has an empty one behind the last */

static struct str
action_word(size_t i)
{
	return i < ACTION_COUNT ? action_name((enum action)i) : STR_EMPTY;
}

static struct str
done_word(size_t i)
{
	return i < ACTION_COUNT ? action_word(i)
				: chronicle_event_name(i - ACTION_COUNT);
}

static struct str
reason_word(size_t i)
{
	return i < reason_count() ? str_from(reason_at(i)->name) : STR_EMPTY;
}

/* What posternd says where it cannot tell. */
static struct str
spf_word(size_t i)
{
	return i <= SPF_PERMERROR       ? spf_result_name((enum spf_result)i)
	       : i == SPF_PERMERROR + 1 ? STR("unknown")
					: STR_EMPTY;
}

static struct str
dkim_word(size_t i)
{
	return i <= DKIM_PERMERROR ? dkim_result_name((enum dkim_result)i)
				   : STR_EMPTY;
}

static struct str
dmarc_word(size_t i)
{
	return i < SENDER_DMARCS ? sender_dmarc_name((enum sender_dmarc)i)
				 : STR_EMPTY;
}

static struct str
notice_word(size_t i)
{
	return i < NOTICE_KINDS ? notice_kind_name((enum notice_kind)i)
				: STR_EMPTY;
}

static struct str
origin_word(size_t i)
{
	static const enum notice_origin origins[] = {
	    ORIGIN_GENUINE, ORIGIN_FORGED, ORIGIN_UNKNOWN};
	return i < COUNT_OF(origins) ? notice_origin_name(origins[i])
				     : STR_EMPTY;
}

static struct str
class_word(size_t i)
{
	return i < CLASS_COUNT ? mail_class_name((enum mail_class)i)
			       : STR_EMPTY;
}

static struct str (*const word_of[CHOICES])(size_t i) = {
    [CHOICE_ACTION] = action_word,
    [CHOICE_DONE] = done_word,
    [CHOICE_REASON] = reason_word,
    [CHOICE_SPF] = spf_word,
    [CHOICE_DKIM] = dkim_word,
    [CHOICE_DMARC] = dmarc_word,
    [CHOICE_NOTICE] = notice_word,
    [CHOICE_ORIGIN] = origin_word,
};

/* "one of a, b or c" */
static bool
word_refuse(const char *option, struct str (*word)(size_t), const char *text)
{
	struct arena *a = arena_new();
	struct buf *b = buf_new(a, LIST_BYTES);
	for (size_t i = 0; word(i).len > 0; i++) {
		bool is_last = word(i + 1).len == 0;
		if (i > 0)
			buf_put(b, is_last ? STR(" or ") : STR(", "));
		buf_put(b, word(i));
	}
	(void)cmd_refuse(option, text, str_c(a, buf_str(b)));
	arena_free(a);
	return false;
}

bool
choice_word(const char *option, enum choice choice, const char *text)
{
	if (text == NULL)
		return true;
	for (size_t i = 0; word_of[choice](i).len > 0; i++)
		if (glob_matches(str_from(text), word_of[choice](i)))
			return true;
	return word_refuse(option, word_of[choice], text);
}

bool
choice_class(const char *text, bool *ret_has, enum mail_class *ret)
{
	*ret_has = text != NULL;
	if (text == NULL)
		return true;
	for (size_t i = 0; i < CLASS_COUNT; i++)
		if (str_ieq(str_from(text), class_word(i))) {
			*ret = (enum mail_class)i;
			return true;
		}
	return word_refuse("class", class_word, text);
}

/* ---- clients */

static bool
is_of(struct str s, const char *chars)
{
	for (size_t i = 0; i < s.len; i++)
		if (strchr(chars, s.p[i]) == NULL)
			return false;
	return s.len > 0;
}

/* No host is called so. */
static bool
looks_like_address(struct str s)
{
	return str_chr(s, '/') != STR_NONE || str_chr(s, ':') != STR_NONE ||
	       is_of(s, "0123456789.");
}

bool
choice_client(const char *text)
{
	struct str s = str_from(text);
	bool is_pattern =
	    str_chr(s, '*') != STR_NONE || str_chr(s, '?') != STR_NONE;
	if (text == NULL || is_pattern ||
	    (s.len > 0 && (network_is_valid(s) || !looks_like_address(s))))
		return true;
	return cmd_refuse("client", text,
	    "an address, a network such as 192.0.2.0/24 or 2001:db8::/32, "
	    "or a name");
}

/* ---- scores and times */

static bool
score_parse(const char *option, const char *text, bool *ret_has, double *ret)
{
	*ret_has = text != NULL;
	return text == NULL || str_double(str_from(text), ret) ||
	       cmd_refuse(option, text, "a number, such as 5.5");
}

bool
choice_range_check(const struct choice_range *range)
{
	if (!range->has_min || !range->has_max || range->min <= range->max)
		return true;
	cmd_error("--score-min %g is more than --score-max %g: no score is "
		  "between them",
	    range->min, range->max);
	return false;
}

bool
choice_scores(const char *min, const char *max, struct choice_range *ret)
{
	return score_parse("score-min", min, &ret->has_min, &ret->min) &&
	       score_parse("score-max", max, &ret->has_max, &ret->max) &&
	       choice_range_check(ret);
}

static bool
time_parse(const char *option, const char *text, int64_t now_wall, int64_t *ret)
{
	*ret = 0;
	return text == NULL || history_time_parse(text, now_wall, ret) ||
	       cmd_refuse(option, text,
		   "an age, such as 90m, 2h, 3d, or a date, such as "
		   "2026-11-30 or \"2026-11-30 10:00\"");
}

bool
choice_times(const char *since, const char *until, int64_t now_wall,
    int64_t *ret_since, int64_t *ret_until)
{
	if (!time_parse("since", since, now_wall, ret_since) ||
	    !time_parse("until", until, now_wall, ret_until))
		return false;
	if (since == NULL || until == NULL || *ret_since < *ret_until)
		return true;
	cmd_error("--since %s is not before --until %s: no time is between "
		  "them",
	    since, until);
	return false;
}
