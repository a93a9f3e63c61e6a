/* SPDX-License-Identifier: BSD-2-Clause */
/* eval_header -- how often a field is there (RFC 5322 section 3.6), and is the
 * Date a date. */
#include "base/arena.h"
#include "base/table.h"
#include "mail/header.h"
#include "rules/eval_rows.h"

int
eval_header_count(struct eval_call *call)
{
	const struct headers *headers = &call->message->root->headers;
	size_t n = 0;
	for (size_t i = 0; i < headers->n; i++)
		n += str_ieq(headers->v[i].name, call->args[0]);
	if ((double)n < eval_number(call, 1))
		return 0;
	return eval_hit(call, str_printf(call->message->arena, "%zu times %.*s",
				  n, STR_ARG(call->args[0])));
}

int
eval_check_header_count_range(struct eval_call *call)
{
	struct message *m = call->message;
	struct table *values = table_new(m->arena, false);
	for (size_t i = 0; i < m->root->headers.n; i++) {
		struct header *header = &m->root->headers.v[i];
		if (str_ieq(header->name, call->args[0]))
			table_set(values, header_value(m, header), header);
	}
	return (double)values->n >= eval_number(call, 1) &&
	       (double)values->n <= eval_number(call, 2);
}

/* --- RFC 5322 section 3.3, with the zones and comments of section 4.3 ----- */

struct date_reader {
	struct str rest;
	bool is_bad;
};

static void
skip_blanks(struct date_reader *r)
{
	r->rest = str_trim(r->rest);
	while (r->rest.len > 0 && r->rest.p[0] == '(') {
		size_t end = str_chr(r->rest, ')');
		r->rest = str_trim(
		    str_skip(r->rest, end == STR_NONE ? r->rest.len : end + 1));
	}
}

/* One of the three-letter names in `names`; its place, or -1. */
static int
take_name(struct date_reader *r, const char *names)
{
	skip_blanks(r);
	for (int i = 0; names[3 * i] != '\0'; i++)
		if (str_istarts(r->rest, str_of(names + 3 * i, 3))) {
			r->rest = str_skip(r->rest, 3);
			return i;
		}
	return -1;
}

/* `least` to `most` digits, at most `max`; sets is_bad. */
static unsigned
take_number(struct date_reader *r, size_t least, size_t most, unsigned min,
    unsigned max)
{
	skip_blanks(r);
	size_t n = 0;
	unsigned value = 0;
	while (n < most && n < r->rest.len && char_is_digit(r->rest.p[n]))
		value = value * 10 + (unsigned)(r->rest.p[n++] - '0');
	r->rest = str_skip(r->rest, n);
	if (n < least || value < min || value > max)
		r->is_bad = true;
	return value;
}

static bool
take_char(struct date_reader *r, char c)
{
	skip_blanks(r);
	if (r->rest.len == 0 || r->rest.p[0] != c)
		return false;
	r->rest = str_skip(r->rest, 1);
	return true;
}

/* "+0100", or letters ("GMT", "EST"); missing is bad. */
static void
take_zone(struct date_reader *r)
{
	if (take_char(r, '+') || take_char(r, '-')) {
		take_number(r, 4, 4, 0, 9959);
		return;
	}
	size_t n = 0;
	while (n < r->rest.len && char_is_alpha(r->rest.p[n]))
		n++;
	r->rest = str_skip(r->rest, n);
	if (n == 0 || n > 5)
		r->is_bad = true;
}

static bool
is_date(struct str text)
{
	static const uint8_t DAYS[12] = {
	    31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	struct date_reader r = {text, false};
	if (take_name(&r, "monTueWedThuFriSatSun") >= 0 && !take_char(&r, ','))
		return false;
	unsigned day = take_number(&r, 1, 2, 1, 31);
	int month = take_name(&r, "JanFebMarAprMayJunJulAugSepOctNovDec");
	if (month < 0 || day > DAYS[month])
		return false;
	take_number(&r, 2, 4, 0, 9999);
	take_number(&r, 2, 2, 0, 23);
	bool has_minutes = take_char(&r, ':');
	take_number(&r, 2, 2, 0, 59);
	if (take_char(&r, ':'))
		take_number(&r, 2, 2, 0, 60);
	take_zone(&r);
	skip_blanks(&r);
	return has_minutes && !r.is_bad && r.rest.len == 0;
}

int
eval_date_bad(struct eval_call *call)
{
	struct message *m = call->message;
	struct header *date = header_last(&m->root->headers, STR("Date"));
	if (date == NULL)
		return 0;
	struct str value = str_trim(header_value(m, date));
	return is_date(value) ? 0 : eval_hit(call, value);
}
