/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mail_date -- dates word by word: the day is found, then the time, then the
 * zone; what was found is taken out before the next is looked for.
 */
#include "rules/mail_date.h"

#include "base/arena.h"

#define NUMBER_MAX 100000 /* a longer number is this one */
#define YEAR_MIN 1970
#define YEAR_MAX 2037
#define DAY_SECONDS 86400

static const char MONTHS[] = "janfebmaraprmayjunjulaugsepoctnovdec";

/* Minutes east of Greenwich. */
static const struct {
	const char *name;
	int minutes;
} ZONES[] = {
    {"UT", 0},
    {"UTC", 0},
    {"GMT", 0},
    {"WET", 0},
    {"NDT", -150},
    {"NST", -210},
    {"ADT", -180},
    {"AST", -240},
    {"EDT", -240},
    {"EST", -300},
    {"CDT", -300},
    {"CST", -360},
    {"MDT", -360},
    {"MST", -420},
    {"PDT", -420},
    {"PST", -480},
    {"AKDT", -480},
    {"AKST", -540},
    {"HADT", -540},
    {"HAST", -600},
    {"HST", -600},
    {"BRST", -120},
    {"BRT", -180},
    {"BST", 60},
    {"IST", 60},
    {"WEST", 60},
    {"CET", 60},
    {"MET", 60},
    {"MEZ", 60},
    {"CEST", 120},
    {"MEST", 120},
    {"MESZ", 120},
    {"EET", 120},
    {"EEST", 180},
    {"MSK", 180},
    {"IDT", 180},
    {"MSD", 240},
    {"HKT", 480},
    {"SGT", 480},
    {"PHT", 480},
    {"AWST", 480},
    {"JST", 540},
    {"KST", 540},
    {"ACST", 570},
    {"AEST", 600},
    {"ACDT", 630},
    {"AEDT", 660},
    {"NZST", 720},
    {"NZDT", 780},
};

struct date {
	unsigned year, month, day; /* month: 1-12 */
	unsigned hour, minute, second;
};

/* Commas count as blanks. */
static void
words_of(struct arena *a, struct str text, struct strs *ret)
{
	for (size_t i = 0; i < text.len;) {
		size_t from = i;
		while (i < text.len && !char_is_space(text.p[i]) &&
		       text.p[i] != ',')
			i++;
		if (i > from)
			strs_add(a, ret, str_sub(text, from, i - from));
		else
			i++;
	}
}

static void
words_drop(struct strs *words, size_t at, size_t n)
{
	memmove(&words->v[at], &words->v[at + n],
	    (words->n - at - n) * sizeof(words->v[0]));
	words->n -= n;
}

static bool
is_digits(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!char_is_digit(s.p[i]))
			return false;
	return s.len > 0;
}

static unsigned
number_of(struct str digits)
{
	unsigned n = 0;
	for (size_t i = 0; i < digits.len && n < NUMBER_MAX; i++)
		n = n * 10 + (unsigned)(digits.p[i] - '0');
	return n < NUMBER_MAX ? n : NUMBER_MAX;
}

/* 1-12; 0: no month. */
static unsigned
month_of(struct str word)
{
	for (unsigned i = 0; i < 12; i++)
		if (str_ieq(word, str_of(MONTHS + (size_t)3 * i, 3)))
			return i + 1;
	return 0;
}

/* "103" is 2003, "49" is 2049, "50" is 1950. */
static unsigned
year_of(struct str digits)
{
	unsigned year = number_of(digits);
	if (digits.len == 2 && year < 50)
		return year + 2000;
	return digits.len == 4 ? year : year + 1900;
}

static bool
is_clock(struct str word) /* "1:22:333" */
{
	struct str rest = word;
	struct str hour = str_cut(&rest, ':');
	struct str minute = str_cut(&rest, ':');
	return is_digits(hour) && is_digits(minute) && is_digits(rest);
}

/* "31 Dec 2003", with a year of `least` to `most` digits. */
static bool
take_day_first(struct strs *words, size_t least, size_t most, struct date *ret)
{
	for (size_t i = 0; i + 2 < words->n; i++) {
		const struct str *w = &words->v[i];
		if (!is_digits(w[0]) || month_of(w[1]) == 0 ||
		    !is_digits(w[2]) || w[2].len < least || w[2].len > most)
			continue;
		*ret = (struct date){.day = number_of(w[0]),
		    .month = month_of(w[1]),
		    .year = year_of(w[2])};
		words_drop(words, i, 3);
		return true;
	}
	return false;
}

/* "Dec 31 23:59:59 2003"; the time goes with the day, and is lost. */
static bool
take_month_first(struct strs *words, struct date *ret)
{
	for (size_t i = 0; i + 3 < words->n; i++) {
		const struct str *w = &words->v[i];
		if (month_of(w[0]) == 0 || !is_digits(w[1]) ||
		    !is_clock(w[2]) || !is_digits(w[3]) || w[3].len != 4)
			continue;
		*ret = (struct date){.day = number_of(w[1]),
		    .month = month_of(w[0]),
		    .year = year_of(w[3])};
		words_drop(words, i, 4);
		return true;
	}
	return false;
}

/* "1:02" or "01:02:03" */
static bool
read_time(struct str word, struct date *ret)
{
	struct str rest = word;
	struct str hour = str_cut(&rest, ':');
	bool has_second = str_chr(rest, ':') != STR_NONE;
	struct str minute = str_cut(&rest, ':');
	if (!is_digits(hour) || hour.len > 2 || !is_digits(minute) ||
	    minute.len != 2 ||
	    (has_second && (!is_digits(rest) || rest.len != 2)))
		return false;
	ret->hour = number_of(hour);
	ret->minute = number_of(minute);
	ret->second = has_second ? number_of(rest) : 0;
	return true;
}

static void
take_time(struct strs *words, struct date *ret)
{
	for (size_t i = 0; i < words->n; i++)
		if (read_time(words->v[i], ret)) {
			words_drop(words, i, 1);
			return;
		}
}

static bool
is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

/* The first word of two to four capitals, also inside of another: "(EST)". */
static bool
find_zone_name(struct str word, struct str *ret)
{
	for (size_t i = 0; i < word.len; i++) {
		size_t end = i;
		while (end < word.len && char_is_word(word.p[end]))
			end++;
		size_t capitals = i;
		while (capitals < end && is_upper(word.p[capitals]))
			capitals++;
		if (capitals == end && end - i >= 2 && end - i <= 4) {
			struct str dst = str_sub(word, end, 5);
			bool is_dst = str_starts(dst, STR("-DST")) &&
				      (dst.len == 4 || !char_is_word(dst.p[4]));
			*ret = str_sub(word, i, end - i + (is_dst ? 4 : 0));
			return true;
		}
		if (end > i)
			i = end - 1;
	}
	return false;
}

static int
zone_by_name(const struct strs *words)
{
	struct str name;
	for (size_t i = 0; i < words->n; i++) {
		if (!find_zone_name(words->v[i], &name))
			continue;
		for (size_t k = 0; k < COUNT_OF(ZONES); k++)
			if (str_eq(name, str_from(ZONES[k].name)))
				return ZONES[k].minutes;
		return 0;
	}
	return 0;
}

/* Minutes east of Greenwich; an unknown zone is Greenwich. */
static int
zone_of(const struct strs *words)
{
	for (size_t i = 0; i < words->n; i++) {
		struct str word = words->v[i];
		if (word.len != 5 || (word.p[0] != '+' && word.p[0] != '-') ||
		    !is_digits(str_skip(word, 1)))
			continue;
		int minutes = (int)number_of(str_sub(word, 1, 2)) * 60 +
			      (int)number_of(str_sub(word, 3, 2));
		return word.p[0] == '-' ? -minutes : minutes;
	}
	return zone_by_name(words);
}

static bool
is_leap(unsigned year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static unsigned
month_days(unsigned year, unsigned month)
{
	static const uint8_t DAYS[] = {
	    31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	return DAYS[month - 1] + (month == 2 && is_leap(year) ? 1U : 0U);
}

static unsigned
at_most(unsigned n, unsigned max)
{
	return n < max ? n : max;
}

/* Make a date of what is a little off, as 31 June is 1 July. */
static void
date_fudge(struct date *d)
{
	d->second = at_most(d->second, 59);
	d->minute = at_most(d->minute, 59);
	d->hour = at_most(d->hour, 23);
	if (d->day > month_days(d->year, d->month)) {
		d->day = 1;
		if (++d->month > 12) {
			d->month = 1;
			d->year++;
		}
	}
	d->year = at_most(d->year, YEAR_MAX);
	if (d->year < YEAR_MIN)
		d->year = YEAR_MIN;
}

static int64_t
date_seconds(const struct date *d)
{
	int64_t days = d->day - 1;
	for (unsigned year = YEAR_MIN; year < d->year; year++)
		days += is_leap(year) ? 366 : 365;
	for (unsigned month = 1; month < d->month; month++)
		days += month_days(d->year, month);
	return days * DAY_SECONDS + d->hour * 3600 + d->minute * 60 + d->second;
}

bool
mail_date_read(struct arena *a, struct str text, int64_t *ret)
{
	struct strs words = {0};
	struct date date;
	words_of(a, text, &words);
	if (!take_day_first(&words, 4, 4, &date) &&
	    !take_month_first(&words, &date) &&
	    !take_day_first(&words, 2, 3, &date))
		return false;
	take_time(&words, &date);
	date_fudge(&date);
	if (date.day == 0 || date.day > month_days(date.year, date.month))
		return false;
	int64_t seconds = date_seconds(&date);
	int64_t offset = (int64_t)zone_of(&words) * 60;
	/* East of Greenwich nothing is before 1970. */
	*ret = offset > 0 && seconds < offset ? 0 : seconds - offset;
	return true;
}
