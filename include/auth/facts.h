/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * facts -- what is known of a message beyond its text, for the rules to ask and
 * the log to tell: who its author is and whether the login may be that, which
 * keys sign it, and what a receiver will think of it.
 */
#ifndef AUTH_FACTS_H
#define AUTH_FACTS_H

#include "auth/author.h"
#include "auth/login_map.h"
#include "auth/policy.h"
#include "auth/preflight.h"
#include "mail/envelope.h"
#include "rules/eval.h"

/* Why a message is not signed. */
enum unsigned_why {
	UNSIGNED_NOT,       /* it is signed */
	UNSIGNED_NO_TABLES, /* no key is configured at all */
	UNSIGNED_CLASS,     /* `sign = no` for its class, or inbound */
	UNSIGNED_NO_AUTHOR, /* no From, several, or not to be read */
	UNSIGNED_NO_KEY,    /* no key for its author */
	UNSIGNED_LOGIN      /* the login may not write as its author */
};
/* "", "no-tables", "class", ... as the log has it. */
const char *unsigned_why_name(enum unsigned_why why);

struct facts_query {
	const struct policy *policy;
	const struct envelope *envelope;
	struct str mta_name; /* for SPF of the null sender; macro j */
	const struct dkim_mail
	    *mail;       /* as it will leave, without our signature */
	size_t line_max; /* see struct preflight_query */
	bool may_sign;
	bool
	    is_released; /* an operator let it go: its login is not asked for */
	int64_t now_wall; /* s since 1970 */
};

struct facts {
	const struct policy *policy;
	const struct envelope *envelope;
	struct authors authors;
	enum login_allows login_from, login_sender;
	struct dkim_signer signers[SIGNERS_MAX];
	size_t nsigners;
	enum unsigned_why why_unsigned;
	bool has_flight; /* the DNS was asked */
	struct preflight flight;
	bool is_late; /* the deadline came first */
};

/*
 * Find out.  Waits for the DNS within `budget`; dns->resolver off or `dns`
 * NULL: asks nothing.  Texts in `*ret` live in `a` and in what `query` points
 * to.
 */
void facts_find(struct arena *a, const struct dns *dns,
    const struct facts_query *query, struct dns_budget *budget,
    struct facts *ret);

/* The address of the one author; empty: none, or several. */
struct str facts_author(const struct facts *facts);

/* The eval functions of this room, ended by a row without name; they are run
 * with struct facts, or NULL. */
extern const struct eval_row EVAL_AUTH[];
/*
 * The functions of SpamAssassin's plugins SPF, DKIM and DMARC.  A rule set
 * without them is one without those plugins: what `postern scan --offline`
 * wants, for its peer then has none of them either.
 */
extern const struct eval_row EVAL_AUTH_PEER[];

/*
 * Facts for the `test` line of a rule, see struct ruleset_options: words as
 * "preflight=fail_reject", "spf=fail", "dkim=pass", "policy=reject",
 * "login-from=no", "login-sender=no", "from-route=none", "sender-route=none",
 * "local=example.org", "unsigned=no-key".  NULL: one of them is none of these.
 */
const struct facts *facts_of_test(
    struct arena *a, const struct envelope *envelope, struct str text);

#endif
