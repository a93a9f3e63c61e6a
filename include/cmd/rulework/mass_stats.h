/* SPDX-License-Identifier: BSD-2-Clause */
/* mass_stats -- what the log of masscheck says of rules and thresholds. */
#ifndef CMD_MASS_STATS_H
#define CMD_MASS_STATS_H

#include "cmd/rulework/mass_log.h"

/* `hits` of `messages`, 0 to 1; 0 if there is no message. */
double mass_rate(size_t hits, size_t messages);
/*
 * What the true rate is at most, with 95 % confidence (Wilson's score
 * interval): no hit in 9 messages is not never.  1 if there is no message.
 */
double mass_rate_bound(size_t hits, size_t messages);
/*
 * S/O: the chance that a hit is spam if half of all mail were, 0 to 1.  A rule
 * that hit nothing has none, and 0 is returned.
 */
double mass_spam_over_all(
    const struct mass *mass, const struct mass_rule *rule);
/*
 * Bits, 0 to 1, that it tells of whether a message is spam to know whether the
 * rule hits, if half of all mail is spam; negative if it speaks against its own
 * sign (a score above 0 that hits more ham, below 0 more spam).
 */
double mass_information(const struct mass *mass, const struct mass_rule *rule);

/* A rule in order of its worth. */
struct mass_ranked {
	uint32_t rule; /* in mass->rules */
	double information;
	double rank; /* 1 the best, 0 the worst; the same for the same worth */
};
/* The rules that hit, the best first; in `a`, as many as `*ret_n`. */
struct mass_ranked *mass_rank(
    struct arena *a, const struct mass *mass, size_t *ret_n);

/* Two rules that hit together. */
struct mass_pair {
	uint32_t a, b; /* in mass->rules; `a` hits no less than `b` */
	uint32_t both; /* messages */
	double share;  /* of the messages that either hits: 0 to 1 */
};
struct mass_pairs {
	struct mass_pair *v;
	size_t n, cap;
};
/*
 * Pairs of which both hit at least `least` messages and `share` of those that
 * either hits; the closest first.
 */
void mass_overlap(struct arena *a, const struct mass *mass, double share,
    uint32_t least, struct mass_pairs *ret);

/* What a threshold does to a class of mail. */
struct mass_errors {
	size_t ham, spam;
	size_t false_positives; /* ham that reaches it */
	size_t false_negatives; /* spam that does not */
};
/* Count one message. */
void mass_errors_add(
    struct mass_errors *errors, bool is_spam, double score, double threshold);
/* `class`: of posternd; empty: all. */
struct mass_errors mass_errors_at(
    const struct mass *mass, struct str class, double threshold);
/*
 * Total cost ratio: how much less harm than without a filter, if a false
 * positive costs as much as `lambda` false negatives.  INFINITY: no error.
 */
double mass_tcr(const struct mass_errors *errors, double lambda);

#endif
