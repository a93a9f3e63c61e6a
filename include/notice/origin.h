/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * origin -- did the addressee of a notice really write what it answers?  Weighs
 * what posternd remembers, the returned message asked again, and what our own
 * servers wrote into it.  Text that a stranger can choose never makes an
 * addressee genuine.
 */
#ifndef NOTICE_ORIGIN_H
#define NOTICE_ORIGIN_H

#include "auth/dns.h"
#include "auth/policy.h"
#include "notice/kind.h"
#include "notice/returned.h"
#include "notice/sender.h"
#include "state/memory.h"

enum notice_origin { ORIGIN_UNKNOWN, ORIGIN_GENUINE, ORIGIN_FORGED };
/* "unknown", "genuine", "forged" */
struct str notice_origin_name(enum notice_origin origin);

/* All that is known of a notice. */
struct notice {
	struct notice_form form;
	/* It goes back to the sender of another message, so its origin counts:
	 * an answer by its kind, or from the null sender. */
	bool is_answer;
	enum notice_origin origin;
	struct str evidence; /* of the origin, for people */
	/* The recipient that speaks most against it, as sender_plain() has it;
	 * empty: none. */
	struct str addressee;
	size_t nrcpt;
	/* Gone into a loop, or to an address that is never answered: no budget
	 * lets it out.  In words; "": neither. */
	const char *never;
	struct str author; /* who it says it is from; empty: nobody */
	/*
	 * GENUINE, but a stranger could make us repeat it, as an answer to the
	 * message `weak_id` (empty: to any): it has a budget of its own.
	 */
	bool is_weak;
	struct str weak_id;
	/* It came in from outside as `weak_id`, and is only passed on. */
	bool is_passing;
	/* Only its words, and what came just before, say that it is an answer:
	 * a person may have written it. */
	bool is_inferred;
	bool is_temp; /* UNKNOWN because the DNS or the memory gave no answer */
};

struct notice_query {
	const struct policy *policy;
	const struct envelope *envelope;
	const struct strs *trusted; /* networks of our own servers */
	struct str mta_name;        /* macro j */
	struct str authserv_id;     /* whose Authentication-Results are ours */
	/* Trust those of ours that stand right below the Received field with
	 * which the message came in, where a stranger's may be, too. */
	bool trusts_results;
	/* The MTA has made it itself, or nobody else could: no client of the
	 * network, the null sender. */
	bool is_of_mta;
	struct memory *memory; /* NULL: nothing is remembered */
	const struct dns *dns; /* NULL or off: nothing is asked */
	int64_t now_wall;      /* s since 1970 */
	int64_t ledger_s;      /* how far back the ledger goes */
};

/*
 * Judge `m`.  Waits for the DNS within `budget`, for the memory at most a
 * second.  Texts in `*ret` live in m->arena.
 */
void notice_find(struct message *m, const struct notice_query *query,
    struct dns_budget *budget, struct notice *ret);

/* The eval functions of this room, ended by a row without name; they are run
 * with struct notice, or NULL. */
struct eval_row;
extern const struct eval_row EVAL_NOTICE[];

/* One word of a `test` line's facts: "notice=dsn", "origin=forged".  False: it
 * is none of these. */
MUST_CHECK bool notice_test_word(struct notice *notice, struct str word);

#endif
