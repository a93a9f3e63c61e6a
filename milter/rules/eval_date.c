/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * eval_date -- how far the Date is from the times that the Received fields
 * tell.
 */
#include <math.h>

#include "base/arena.h"
#include "rules/eval_rows.h"
#include "rules/mail_date.h"
#include "rules/pattern.h"

#define HOUR_SECONDS 3600
#define YEAR_SECONDS 31556952 /* 365.2425 days */

struct times {
	int64_t *v;
	size_t n, cap;
};

struct date_facts {
	bool has_date;
	int64_t date;
	struct times received; /* newest first, without those of fetchmail */
	bool has_fetched;
	int64_t fetched; /* by fetchmail */
	int64_t shift;   /* of Date against the Received next to it */
};

/* Of Resent-Date, else of Date; a field that is no date is passed over. */
static void
read_date(struct eval_call *call, struct date_facts *ret)
{
	struct strs fields = {0};
	eval_get(call, STR("Resent-Date"), &fields);
	eval_get(call, STR("Date"), &fields);
	for (size_t i = 0; i < fields.n && !ret->has_date; i++)
		ret->has_date = mail_date_read(
		    call->message->arena, fields.v[i], &ret->date);
}

/* A digit, a colon, a digit: lines without a time are many. */
static bool
may_have_time(struct str line)
{
	for (size_t at = 0, n;
	     (n = str_chr(str_skip(line, at), ':')) != STR_NONE; at += n + 1) {
		size_t colon = at + n;
		if (colon > 0 && colon + 1 < line.len &&
		    char_is_digit(line.p[colon - 1]) &&
		    char_is_digit(line.p[colon + 1]))
			return true;
	}
	return false;
}

static bool
read_received(struct eval_call *call, struct str line, int64_t *ret)
{
	struct regex_span span;
	return may_have_time(line) &&
	       pattern_find(call, PATTERN_RECEIVED_DATE, line, 0, &span) &&
	       mail_date_read(call->message->arena,
		   str_sub(line, span.from, span.to - span.from), ret);
}

/* The lines of all Received fields that are not blank. */
static struct strs
received_lines(struct eval_call *call)
{
	struct strs lines = {0};
	struct str rest = eval_get_text(call, STR("Received"));
	while (rest.len > 0) {
		struct str line = str_line(&rest);
		if (str_trim(line).len > 0)
			strs_add(call->message->arena, &lines, line);
	}
	return lines;
}

/*
 * How many lines at the top are fetchmail's: its own, and one before it that a
 * program of the same host wrote.  The latter alone is an ordinary one.
 */
static size_t
count_fetched(struct eval_call *call, const struct strs *lines)
{
	size_t n =
	    lines->n > 0 &&
	    (pattern_matches(call, PATTERN_RECEIVED_LOCALHOST, lines->v[0]) ||
		pattern_matches(call, PATTERN_RECEIVED_QMAIL_UID, lines->v[0]));
	if (n < lines->n &&
	    pattern_matches(call, PATTERN_RECEIVED_FETCHMAIL, lines->v[n]))
		return n + 1;
	return 0;
}

static void
read_fetched(struct eval_call *call, struct str line, struct date_facts *ret)
{
	int64_t time;
	if (!read_received(call, line, &time) ||
	    (call->now != 0 && time > call->now))
		return;
	if (!ret->has_fetched || time > ret->fetched)
		ret->fetched = time;
	ret->has_fetched = true;
}

static void
read_all_received(struct eval_call *call, struct date_facts *ret)
{
	struct strs lines = received_lines(call);
	size_t fetched = count_fetched(call, &lines);
	int64_t time;
	for (size_t i = 0; i < lines.n; i++) {
		if (i < fetched)
			read_fetched(call, lines.v[i], ret);
		else if (read_received(call, lines.v[i], &time))
			ARENA_PUSH(call->message->arena, &ret->received) = time;
	}
}

static int64_t
absolute(int64_t n)
{
	return n < 0 ? -n : n;
}

/*
 * The smallest difference.  The oldest Received does not count if it has the
 * very time of the Date, unless it is the only one.
 */
static int64_t
shift_of(const struct date_facts *facts)
{
	size_t n = facts->received.n;
	if (!facts->has_date || n == 0)
		return 0;
	if (n > 1 && facts->received.v[n - 1] == facts->date)
		n--;
	int64_t best = facts->date - facts->received.v[0];
	for (size_t i = 1; i < n; i++) {
		int64_t shift = facts->date - facts->received.v[i];
		if (absolute(shift) < absolute(best))
			best = shift;
	}
	return best;
}

static const struct date_facts *
facts_of(struct eval_call *call)
{
	struct date_facts *facts = call->cache->dates;
	if (facts != NULL)
		return facts;
	facts = ARENA_NEW(call->message->arena, struct date_facts);
	read_date(call, facts);
	read_all_received(call, facts);
	facts->shift = shift_of(facts);
	call->cache->dates = facts;
	return facts;
}

static int
check_for_shifted_date(struct eval_call *call)
{
	double shift = (double)facts_of(call)->shift, min, max;
	return (!eval_bound(call, 0, &min) || shift >= HOUR_SECONDS * min) &&
	       (!eval_bound(call, 1, &max) || shift < HOUR_SECONDS * max);
}

static int
compare_newest_first(const void *x, const void *y)
{
	const int64_t *a = x;
	const int64_t *b = y;
	return (*a < *b) - (*a > *b);
}

/* The middle one of the times a message tells; 0: it tells none. */
static int64_t
received_at(const struct date_facts *facts)
{
	int64_t times[4];
	size_t n = 0;
	if (facts->has_date)
		times[n++] = facts->date;
	if (facts->received.n > 0)
		times[n++] = facts->received.v[0];
	if (facts->has_fetched)
		times[n++] = facts->fetched;
	if (facts->has_date && facts->received.n > 0)
		times[n++] = facts->date - facts->shift;
	if (n == 0)
		return 0;
	qsort(times, n, sizeof(times[0]), compare_newest_first);
	return times[(n - 1) / 2];
}

static int
received_within_months(struct eval_call *call)
{
	double age = (double)(call->now - received_at(facts_of(call)));
	double min, max;
	return call->now != 0 &&
	       (!eval_bound(call, 0, &min) ||
		   age >= YEAR_SECONDS * (min / 12)) &&
	       (!eval_bound(call, 1, &max) || age < YEAR_SECONDS * (max / 12));
}

const struct eval_row EVAL_DATE[] = {
    {"check_for_shifted_date", 2, 2, "s", NEED_HEADER,
	"the Date is from so many to so many hours later than the nearest "
	"Received",
	"HeaderEval", check_for_shifted_date},
    {"received_within_months", 0, 2, "s", NEED_HEADER,
	"the message is from so many to so many months old", "HeaderEval",
	received_within_months},
    {NULL, 0, 0, NULL, 0, NULL, NULL, NULL},
};
