/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * resolver -- questions to the DNS, each with a deadline.  One resolver serves
 * the process; any number of threads ask it.  No lock is held while one waits.
 * What was not answered is DNS_TEMP, never "no".  Parsing what TXT records say
 * is left to those who ask.
 *
 * What the network answered is kept for its TTL.  A question that failed is not
 * asked again for 5 seconds, so that a crowd does not wait for a dead name one
 * after another; an answer that came too late ends that.  After 20 waits in
 * vain, over more than 2 seconds and without any answer between them, no server
 * seems to be there: until one answers nobody waits longer than 250 ms.  To
 * tell dead servers from dead zones, forwarders are asked for a sign of life
 * while questions fail, once a second at most: a type of private use (RFC 6895)
 * of the root, which has none.
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
	 * lower case without the final dot; the root is empty.  A record that
	 * is not of that form is left out, as is a name with a dot in a label.
	 */
	struct strs records;
	/*
	 * How long this is good for, also if it is a no: 1-3600.  A no without
	 * SOA (RFC 2308) is good for 60.
	 */
	uint32_t ttl_s;
	/*
	 * DNS_TEMP: "timeout"; "deadline", the budget's; "limit", of questions,
	 * of those on their way (1024), or of an answer (256 records, 64 KB);
	 * "bogus" (RFC 4035); "off"; "failure", for a reason of our own; or
	 * what the server said: "SERVFAIL", "REFUSED", "FORMERR", "NOTIMP".
	 * libunbound says "SERVFAIL" for most of these.  Else "".
	 */
	const char *why;
};

struct resolver_config {
	/*
	 * "system": the servers of /etc/resolv.conf; "recursion": ask the
	 * name servers of the world; "file:PATH": only what that file says,
	 * one record a line as in a zone file ("a.example. 300 IN TXT \"x\"");
	 * an address, with @PORT if it is not 53: that server, any number of
	 * them; "off": DNS_TEMP for everything.  Words stand alone.
	 *
	 * In a file, names are absolute; lines that begin with ; or # are
	 * comments; $TTL, $ORIGIN, wildcards and ( ) do not work.
	 */
	struct strs servers;
	/*
	 * As /etc/hosts, for A and AAAA; looked at first.  Other records of a
	 * name in it come from the servers.  Empty: none.
	 */
	struct str hosts;
	int64_t query_ms;     /* the longest wait for one answer */
	uint64_t cache_bytes; /* at least 1 MB is taken */
	/*
	 * Validate; what is bogus is DNS_TEMP.  Servers have to pass signatures
	 * on.  The root's key is that of package dns-root-data.
	 */
	bool has_dnssec;
};

/* One of `servers` looks as it has to. */
bool resolver_server_has_form(struct str server);
#define RESOLVER_SERVER_FORMS                                             \
	"system, recursion, file:/path, off, or the address of a server " \
	"such as 192.0.2.53 or 192.0.2.53@5353"

/*
 * NULL: `*ret_why`, in `a`, says what is wrong, naming the option (dns,
 * dns-hosts, dnssec) or file:line.  Makes threads, here and nowhere else,
 * so call it when the process is what it will be (fork, user); they block all
 * signals.
 */
struct resolver *resolver_new(
    struct arena *a, const struct resolver_config *config, struct str *ret_why);
/* Could one be made?  Makes no threads and asks nobody; `*ret_why` as above. */
MUST_CHECK bool resolver_check(
    struct arena *a, const struct resolver_config *config, struct str *ret_why);
/* When nobody asks any more; what is on its way is given up. */
void resolver_free(struct resolver *r);
/* "off" was configured: nothing will ever be answered. */
bool resolver_is_off(const struct resolver *r);

/*
 * A resolver whose answers `source` gives instead of the network: for suites,
 * unit tests and fuzzers.  `name` is in lower case without the final dot.
 * `*ret` comes zeroed (DNS_OK, no record, why ""); texts live in `a`.  DNS_OK
 * without a record becomes DNS_NODATA.  It runs in the thread that asks, and
 * nothing is kept.
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
	bool is_late;        /* for want of time: "deadline" */
	/* Called before the first wait, so that others are served meanwhile;
	 * NULL: nobody cares. */
	void (*on_wait)(void *arg);
	void *arg;
	bool has_waited;
};

/*
 * Half of what is left of `budget`, for questions whose names a stranger chose;
 * joined with it again when they are asked.
 */
struct dns_budget dns_budget_part(const struct dns_budget *budget);
void dns_budget_join(struct dns_budget *budget, const struct dns_budget *part);

/*
 * Ask and wait, at most until the budget's deadline or `query_ms`.  `name`:
 * any bytes; what is no domain name (RFC 1035 section 2.3.4: labels of 1-63
 * bytes, 253 in all) is DNS_NXDOMAIN without a question.  A final dot is fine.
 * CNAMEs are followed.  What is known already costs none of the budget.  Texts
 * in `*ret` live in `a`.
 */
void resolver_ask(struct resolver *r, struct arena *a, struct str name,
    enum dns_type type, struct dns_budget *budget, struct dns_answer *ret);

/*
 * Ask without waiting, so that the same question is answered sooner later.
 * Costs no budget; at most 256 are on their way, more are dropped.
 */
void resolver_prefetch(struct resolver *r, struct str name, enum dns_type type);

struct resolver_stats {
	uint64_t asked;     /* by resolver_ask(); the sum of the next three */
	uint64_t answered;  /* in time, yes or no */
	uint64_t timeouts;  /* DNS_TEMP "timeout" and "deadline" */
	uint64_t failures;  /* any other DNS_TEMP */
	uint64_t waited_us; /* all in all */
	unsigned waiting;   /* now */
};
void resolver_stats(const struct resolver *r, struct resolver_stats *ret);

#endif
