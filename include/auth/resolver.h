/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * resolver -- questions to the DNS, each with a deadline.  One resolver serves
 * the process; any number of threads ask it.  No lock is held while one waits.
 * What was not answered is DNS_TEMP, never "no".  Parsing what TXT records say
 * is left to those who ask.
 */
#ifndef AUTH_RESOLVER_H
#define AUTH_RESOLVER_H

#include "base/str.h"

struct arena;
struct resolver;

/* RFC 1035 section 3.2.2, RFC 3596. */
enum dns_type {
	DNS_A = 1,
	DNS_PTR = 12,
	DNS_MX = 15,
	DNS_TXT = 16,
	DNS_AAAA = 28
};

enum dns_status {
	DNS_OK,       /* at least one record */
	DNS_NODATA,   /* the name is there, without a record of this type */
	DNS_NXDOMAIN, /* there is no such name */
	DNS_TEMP      /* not known: timeout, SERVFAIL, bogus, past a limit */
};

struct dns_answer {
	enum dns_status status;
	/*
	 * In the order of the answer.  A: 4 bytes, AAAA: 16 bytes, in network
	 * order; PTR: a name; MX: preference in 2 bytes, then a name; TXT: all
	 * strings of the record, one behind the other, any bytes.  Names are in
	 * lower case without the final dot; the root is empty.
	 */
	struct strs records;
	uint32_t ttl_s;  /* how long this is good for, also if it is a no */
	const char *why; /* DNS_TEMP: "timeout", "SERVFAIL", ...; else "" */
};

struct resolver_config {
	/*
	 * "system": the servers of /etc/resolv.conf; "recursion": ask the
	 * name servers of the world; "file:PATH": only what that file says,
	 * one record a line as in a zone file ("a.example. 300 IN TXT \"x\"");
	 * an address, with @PORT if it is not 53: that server, any number of
	 * them; "off": DNS_TEMP for everything.  Words stand alone.
	 */
	struct strs servers;
	struct str hosts; /* as /etc/hosts, looked at first; empty: none */
	int64_t query_ms; /* the longest wait for one answer */
	uint64_t cache_bytes;
	bool has_dnssec; /* validate; what is bogus is DNS_TEMP */
};

/*
 * NULL: `*ret_why` says what is wrong, naming the option or file:line.  Makes
 * threads, so call it when the process is what it will be (fork, user).
 */
struct resolver *resolver_new(
    struct arena *a, const struct resolver_config *config, struct str *ret_why);
void resolver_free(struct resolver *r);
/* "off" was configured: nothing will ever be answered. */
bool resolver_is_off(const struct resolver *r);

/*
 * A resolver whose answers `source` gives instead of the network: for suites,
 * unit tests and fuzzers.  `name` is in lower case without the final dot.
 * `*ret` comes zeroed (DNS_OK, no record, why ""); texts live in `a`.
 */
typedef void resolver_source(void *arg, struct arena *a, struct str name,
    enum dns_type type, struct dns_answer *ret);
struct resolver *resolver_new_source(resolver_source *source, void *arg);

/* What one message may cost; shared by all its questions, used by one thread
 * at a time. */
struct dns_budget {
	int64_t deadline_ms; /* clock_ms(): no question waits longer */
	unsigned questions;  /* left; at 0 the answer is DNS_TEMP "limit" */
	unsigned asked;      /* so far */
	bool has_temp;       /* one of the answers was DNS_TEMP */
};

/*
 * Ask and wait, at most until the budget's deadline or `query_ms`.  `name`:
 * any bytes; what is no domain name (RFC 1035 section 2.3.4: labels of 1-63
 * bytes, 253 in all) is DNS_NXDOMAIN without a question.  A final dot is fine.
 * CNAMEs are followed.  Texts in `*ret` live in `a`.
 */
void resolver_ask(struct resolver *r, struct arena *a, struct str name,
    enum dns_type type, struct dns_budget *budget, struct dns_answer *ret);

/*
 * Ask without waiting, so that the same question is answered sooner later.
 * Costs no budget; at most a bounded number is on its way.
 */
void resolver_prefetch(struct resolver *r, struct str name, enum dns_type type);

struct resolver_stats {
	uint64_t asked;              /* by resolver_ask() */
	uint64_t answered;           /* in time, whatever the answer */
	uint64_t timeouts, failures; /* DNS_TEMP: no answer, or a bad one */
	uint64_t waited_us;          /* all in all */
	unsigned waiting;            /* now */
};
void resolver_stats(const struct resolver *r, struct resolver_stats *ret);

#endif
