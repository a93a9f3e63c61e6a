/* SPDX-License-Identifier: BSD-2-Clause */
/* filter -- which kept messages an operator means: by sender, rule, age, score.
 */
#ifndef HOLD_FILTER_H
#define HOLD_FILTER_H

#include "hold/quarantine.h"

/*
 * A message must pass every field that is set.  Texts may hold * (any bytes)
 * and ? (one byte), match the whole and ignore ASCII case; NULL: not asked.
 */
struct held_filter {
	const char *sender; /* reverse path; "<>" or "": the null sender */
	const char *rcpt;   /* one of the forward paths */
	const char *login;
	const char *client; /* address, network such as 192.0.2.0/24, or name */
	const char *rule;   /* one of the rules that hit */
	const char *subject;
	bool has_class, has_folder, has_state;
	enum mail_class class;
	enum held_folder folder;
	enum held_state state;
	int64_t older_s, newer_s; /* age: more than, less than; 0: not asked */
	bool has_score_min, has_score_max;
	double score_min, score_max; /* inclusive */
};

bool held_filter_matches(const struct held_filter *filter,
    const struct held_entry *entry, int64_t now_wall);

/* `text` matches `pattern` with * and ?, ASCII case ignored: in time n * m. */
bool glob_matches(struct str pattern, struct str text);
/* "45s", "90m", "2h", "3d", "1w" in seconds. */
MUST_CHECK bool age_parse(struct str text, int64_t *ret_s);
/* "512", "64K", "10M", "2G" in bytes. */
MUST_CHECK bool size_parse(struct str text, uint64_t *ret_bytes);

#endif
