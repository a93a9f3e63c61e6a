/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * preflight -- what a receiver that enforces DMARC will think of a message that
 * leaves from our addresses: SPF for each of them, the signatures that are
 * there and those that we will add, alignment with the author's domain, and
 * policy. Failing is no verdict on the message: that is the rules' work.
 */
#ifndef AUTH_PREFLIGHT_H
#define AUTH_PREFLIGHT_H

#include "auth/author.h"
#include "auth/dkim_keys.h"
#include "auth/dkim_verify.h"
#include "auth/dmarc.h"
#include "auth/dns.h"
#include "auth/spf.h"

/* In the order of their weight: of several authors the last one counts. */
enum preflight_verdict {
	PREFLIGHT_NODMARC,       /* the author's domain has no policy */
	PREFLIGHT_PASS,          /* an aligned signature */
	PREFLIGHT_PASS_SPF_ONLY, /* SPF alone: breaks when it is forwarded */
	PREFLIGHT_FAIL_NONE,     /* nothing is aligned; the policy is none */
	PREFLIGHT_TEMP,          /* a question that decides is not answered */
	PREFLIGHT_FAIL_QUARANTINE,
	PREFLIGHT_FAIL_REJECT,
	PREFLIGHT_FORM /* no author, or header fields that receivers refuse */
};
#define PREFLIGHT_VERDICTS (PREFLIGHT_FORM + 1)
/* "nodmarc", "pass", "pass_spf_only", ... */
struct str preflight_verdict_name(enum preflight_verdict verdict);
MUST_CHECK bool preflight_verdict_parse(
    struct str name, enum preflight_verdict *ret);

/* The same as a DMARC result (RFC 8601 section 2.7.5): "pass", "fail", "none",
 * "temperror", "permerror". */
struct str preflight_dmarc_name(enum preflight_verdict verdict);

#define SIGNERS_MAX 4

enum preflight_spf_state {
	SPF_STATE_JUDGED,
	SPF_STATE_NO_EGRESS,   /* no address is known that mail leaves from */
	SPF_STATE_UNQUALIFIED, /* the MTA adds a domain that we do not know */
	SPF_STATE_NO_DOMAIN    /* there is none to ask for: SPF_NONE */
};

/* SPF of the envelope sender for each address that mail leaves from. */
struct preflight_spf {
	enum preflight_spf_state state;
	struct str domain; /* that is judged, or is most like it; empty: none */
	bool is_helo;      /* null sender: the MTA's own name was judged */
	enum spf_result result; /* the worst */
	struct spf_address {
		struct str address;
		struct spf_answer answer;
	} * v;
	size_t n;
};

/* Can mail be sent to a domain (RFC 5321 section 5.1, RFC 7505)? */
enum mail_route { ROUTE_UNKNOWN, ROUTE_MX, ROUTE_ADDRESS, ROUTE_NONE };

/* One author's domain. */
struct preflight_author {
	struct str domain;
	enum preflight_verdict verdict;
	const struct dmarc_domain *dmarc;
	struct dmarc_alignments spf_alignment;
	/* of preflight.signatures, then of preflight.ours */
	struct dmarc_alignments alignment[DKIM_SIGNATURES_MAX + SIGNERS_MAX];
	enum dmarc_policy policy; /* the stricter of both kinds of receiver */
	enum mail_route route;
	struct str evidence; /* in words */
};

/* In one word, see dmarc_alignment_of(). */
struct str preflight_alignment_name(
    const struct preflight_author *author, struct dmarc_alignments alignments);

/* A signature that we will add, if its key is the published one. */
struct preflight_signer {
	struct dkim_signer signer;
	enum dkim_match match;
};

struct preflight {
	enum preflight_verdict verdict;
	struct str evidence; /* domain, address and record that decide */
	struct preflight_spf spf;
	enum mail_route sender_route; /* of the envelope sender's domain */
	struct dkim_signatures signatures;
	enum dkim_result dkim; /* of all of them: the best */
	struct preflight_signer ours[SIGNERS_MAX];
	size_t nours;
	/* A line is so long that the MTA will break it, and all signatures. */
	bool breaks_lines;
	struct preflight_author authors[AUTHOR_DOMAINS_MAX];
	size_t nauthors;
	bool has_temp; /* a question was not answered */
	int64_t us;    /* wall time */
};

struct preflight_query {
	struct str sender; /* reverse path without < > */
	struct str helo;   /* the name our MTA greets with */
	const struct strs *egress;
	const struct strs *authors; /* normal domains (org.h) */
	const char *form; /* what is wrong with the header; NULL: nothing */
	const struct dkim_mail *mail; /* NULL: no message is at hand */
	size_t line_max; /* bytes of a line that the MTA leaves whole; 0: any */
	const struct dkim_signer *signers; /* that will sign */
	size_t nsigners;
	const struct strs *strict; /* domains whose policy is taken as reject */
	int64_t now_wall;          /* s since 1970 */
};

/*
 * Judge.  Waits for the DNS within `budget`.  What does not depend on the
 * message is kept in dns->cache, for the shortest TTL that is in it: the next
 * mail of the same domains asks nothing.  Texts in `*ret` live in `a`.
 */
void preflight_run(struct arena *a, const struct dns *dns,
    const struct preflight_query *query, struct dns_budget *budget,
    struct preflight *ret);

#endif
