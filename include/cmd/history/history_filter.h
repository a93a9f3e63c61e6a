/* SPDX-License-Identifier: BSD-2-Clause */
/* history_filter -- which entries of the history an operator means. */
#ifndef CMD_HISTORY_FILTER_H
#define CMD_HISTORY_FILTER_H

#include "hold/mac.h"
#include "state/history.h"

/* A text to compare with: * is any bytes, ? is one, ASCII case ignored. */
struct history_pattern {
	struct str text;
	struct str hashed; /* the same of an entry with pseudonyms */
	bool is_glob, is_set;
};

/* An entry must pass every field that is set. */
struct history_filter {
	struct history_pattern text[HISTORY_TEXTS];
	struct history_pattern rcpt, rule;
	struct str id; /* queue, lookup or Message-ID; empty: not asked */
	struct str id_hashed;
	bool is_hex;        /* `id` may be a queue id of Postfix's short form */
	struct str network; /* of clients: "192.0.2.0/24"; empty */
	struct str lookup_ids; /* blank-separated; empty: not asked */
	bool has_class, has_score_min, has_score_max;
	enum mail_class class;
	double score_min, score_max;    /* inclusive */
	int64_t since_wall, until_wall; /* [since, until); 0: not asked */
};

/* `key` NULL: entries with pseudonyms are found by other fields only. */
struct history_pattern history_pattern_of(
    struct arena *a, const struct mac_key *key, const char *text);
/* What every id is asked for with, where one was given that is none. */
#define HISTORY_ID_WANTED \
	"a queue id, a lookup id, a quarantine id or a Message-ID"
/* False: it is empty, or "<>", which would mean every message. */
bool history_id_is_valid(const char *id);
/*
 * `id` is valid.  It is compared as a whole: a Message-ID without case; a queue
 * or lookup id with it, for in Postfix's long form, in Sendmail's and in ours
 * 4Xk and 4xk are two.  Postfix's short form is a number in hex, whose case
 * means nothing.
 */
void history_filter_id(struct arena *a, const struct mac_key *key,
    const char *id, struct history_filter *f);

bool history_filter_matches(
    const struct history_filter *filter, const struct history_entry *entry);

/*
 * "2h", "3d" ago, or a date of this host's time: "2026-11-30",
 * "2026-11-30 10:00", with a T and seconds and, if it ends in Z, UTC.
 */
MUST_CHECK bool history_time_parse(
    const char *text, int64_t now_wall, int64_t *ret_wall);

#endif
