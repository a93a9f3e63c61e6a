/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sender -- did a message come from whom its envelope, and its author field,
 * say?  For mail that comes in, for what notices return, and for mail of our
 * own that may bounce.
 */
#ifndef NOTICE_SENDER_H
#define NOTICE_SENDER_H

#include "auth/facts.h"

/* How sure it is; kept in the ledger as a number. */
enum sender_standing {
	STANDING_UNKNOWN, /* the domain says nothing, or was not answered */
	STANDING_PASS,    /* SPF pass */
	STANDING_DKIM,    /* a signature of the domain; SPF does not pass */
	/* SPF fail or softfail, or DMARC fail under a policy that is enforced,
	 * and no signature of the domain */
	STANDING_FAIL,
	/* From inside: a domain of ours, or a login that the map allows it. */
	STANDING_OURS,
	/* From inside: a login of which the map says nothing, and SPF does not
	 * forbid it. */
	STANDING_LOGIN
};
#define SENDER_STANDINGS (STANDING_LOGIN + 1)
/* "unknown", "pass", "dkim", "fail", "ours", "login" */
struct str sender_standing_name(enum sender_standing standing);

/* A DMARC result (RFC 8601 section 2.7.5) as a number of the ledger. */
enum sender_dmarc {
	SENDER_DMARC_NONE,
	SENDER_DMARC_PASS,
	SENDER_DMARC_FAIL,
	SENDER_DMARC_TEMPERROR,
	SENDER_DMARC_PERMERROR
};
#define SENDER_DMARCS (SENDER_DMARC_PERMERROR + 1)
struct str sender_dmarc_name(enum sender_dmarc dmarc);

struct sender_view {
	enum spf_result spf;
	enum dkim_result dkim;
	enum sender_dmarc dmarc;
	enum sender_standing standing;        /* of the envelope sender */
	enum sender_standing author_standing; /* of `author` */
	/* The address of the one author if it is not the envelope sender;
	 * empty: it is, or there is none, or several. */
	struct str author;
	/* "spf=fail (v.example: -all), dkim=none, dmarc=fail": for people */
	struct str evidence;
};

struct sender_query {
	const struct policy *policy;
	const struct dns *dns; /* NULL or off: nothing is asked */
	struct str address;    /* of the client */
	struct str helo;
	struct str sender;            /* reverse path without < > */
	const struct dkim_mail *mail; /* header, and body if `is_whole` */
	bool is_whole;                /* false: signatures cannot be verified */
	int64_t now_wall;
};

/*
 * Judge a message that came from a client outside.  Waits for the DNS within
 * `budget`.  Texts in `*ret` live in `a` and in what `query` points to.
 */
void sender_judge(struct arena *a, const struct sender_query *query,
    struct dns_budget *budget, struct sender_view *ret);

/*
 * The same of a message of our own, from what is known of it already.  `login`
 * has the envelope's: a login that may not use the sender proves nothing, and
 * one of which nothing is said does unless SPF forbids it.
 */
void sender_of_ours(struct arena *a, const struct facts *facts,
    struct str mta_name, struct sender_view *ret);

/*
 * The address that an MTA makes of `path`, a reverse or forward path without
 * < >, before it sends anything there: without a source route (RFC 5321
 * appendix C), quotes that are not needed, a final dot; with the routing of
 * %, ! and a second @ done where it would be done here.  Anything else as it
 * is.
 */
struct str sender_plain(struct arena *a, const struct policy *policy,
    struct str mta_name, struct str path);

/* `address` is of a domain of ours, or of the host `mta_name` itself. */
bool sender_is_local(struct arena *a, const struct policy *policy,
    struct str mta_name, struct str address);

#endif
