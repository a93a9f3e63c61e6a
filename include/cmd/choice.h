/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * choice -- options that choose messages: what they may say.  A slip of the pen
 * must not look like "there was none", so what can match nothing is refused.
 * Each function returns false after it has said so to standard error, with what
 * to write instead; a text that is NULL was not given, and is fine.
 */
#ifndef CMD_CHOICE_H
#define CMD_CHOICE_H

#include "base/str.h"
#include "mail/envelope.h"

/* Words that a field of the history can have. */
enum choice {
	CHOICE_ACTION, /* of a verdict */
	CHOICE_DONE,   /* the same, or what was done to a kept message */
	CHOICE_REASON,
	CHOICE_SPF,
	CHOICE_DKIM,
	CHOICE_DMARC,
	CHOICE_NOTICE, /* kinds */
	CHOICE_ORIGIN,
	CHOICES
};

/* One of the words, without case, or a pattern (* and ?) that one matches. */
MUST_CHECK bool choice_word(
    const char *option, enum choice choice, const char *text);
MUST_CHECK bool choice_class(
    const char *text, bool *ret_has, enum mail_class *ret);
/* --client: an address, a network such as 192.0.2.0/24, a name, a pattern. */
MUST_CHECK bool choice_client(const char *text);

struct choice_range {
	bool has_min, has_max;
	double min, max; /* inclusive */
};
/* --score-min and --score-max. */
MUST_CHECK bool choice_scores(
    const char *min, const char *max, struct choice_range *ret);
/* The same, if both were read already. */
MUST_CHECK bool choice_range_check(const struct choice_range *range);

/* --since and --until as of history_time_parse(): [since, until), s since 1970;
 * 0 is what was not given. */
MUST_CHECK bool choice_times(const char *since, const char *until,
    int64_t now_wall, int64_t *ret_since, int64_t *ret_until);

#endif
