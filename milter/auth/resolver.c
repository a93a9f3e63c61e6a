/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * resolver -- questions to libunbound, which is named here only.  It resolves
 * in a thread of its own; one thread of ours takes its answers and hands each
 * to who waits for it.  Who waits no longer leaves the request behind: the
 * answer comes nevertheless, and is kept for the next one who asks.
 */
#include "auth/resolver.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unbound.h>

#include "auth/cache.h"
#include "auth/rdata.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"

#define CLASS_IN 1
#define RCODE_NXDOMAIN 3

/* Past these an answer is DNS_TEMP "limit". */
#define RECORDS_MAX 256
#define RECORD_BYTES_MAX 65536

/* On their way at once, waited for or not; libunbound has no such limit. */
#define REQUESTS_MAX 1024
#define PREFETCHES_MAX 256

#define TTL_MIN_S 1
#define TTL_MAX_S 3600
/*
 * For a no: at most, and if it came without SOA (RFC 2308 section 5).
 * libunbound 1.17 gives the latter the flags of the EDNS record as TTL, 0 or
 * 32768.
 */
#define TTL_NO_MAX_S 300
#define TTL_NO_S 60

/* How long a question that failed is not asked again. */
#define FAILURE_MS 5000
/* A failure that took so long is no server's answer: it was waited for. */
#define SLOW_MS 1000

/*
 * After so many waits in vain, over so long and without any answer between
 * them, the servers are taken for dead and nobody waits long for them.
 */
#define SILENCE_WAITS 20
#define SILENCE_MS 2000
#define BRIEF_MS 250

/* Types of private use (RFC 6895 section 3.1). */
#define PROBE_TYPE_FIRST 65280
#define PROBE_TYPES 255
#define PROBE_MS 1000

/* A chain in a file; libunbound has its own limit for the others. */
#define ALIASES_MAX 8

#define START_MS 10000
#define LINE_BYTES_MAX ((size_t)256 * 1024)
#define CACHE_BYTES_MIN ((uint64_t)1024 * 1024)
/* What a kept answer costs beside what it holds, and about all in all. */
#define KNOWN_COST 600
#define KNOWN_SIZE 1024

#define TRUST_ANCHOR "/usr/share/dns/root.key"

enum kind { KIND_OFF, KIND_SOURCE, KIND_FILE, KIND_NETWORK };

/* The type in two bytes and a normal name: what answers are kept under. */
#define TYPE_BYTES 2
struct question {
	size_t len;
	char key[TYPE_BYTES + NAME_MAX_BYTES];
};

/*
 * Who waits and libunbound's callback both hold it.  Under `lock` the first of
 * them to be done with it says so, and the second one frees it.
 */
struct request {
	struct request *prev, *next; /* in resolver.requests, under its lock */
	struct resolver *r;
	struct question question;
	bool is_prefetch;
	int64_t from_ms;
	pthread_mutex_t lock;
	pthread_cond_t is_done_now;
	bool is_done;      /* the answer is below */
	bool is_abandoned; /* nobody waits */
	int err;
	struct ub_result *result;
};

struct resolver {
	enum kind kind;
	bool has_forwarders;
	resolver_source *source;
	void *source_arg;
	int64_t query_ms;
	struct cache *known; /* NULL: nothing is kept */
	struct ub_ctx *ub;
	pthread_t taker;
	bool has_taker;
	int stop_fd;
	atomic_bool is_broken;

	pthread_mutex_t lock; /* of all up to the blank line */
	struct request *requests;
	unsigned nrequest, nprefetch;
	unsigned waits_in_vain; /* since the last answer */
	int64_t silent_since_ms;
	int64_t last_answer_ms;
	int64_t last_probe_ms;
	unsigned nprobe;

	_Atomic uint64_t asked, answered, timeouts, failures, waited_us;
	atomic_uint waiting;
};

/* An answer as it is kept. */
struct known {
	struct dns_answer answer;
	int64_t until_ms;
};

/* ---- answers */

static void
answer_temp(struct dns_answer *ret, const char *why)
{
	*ret = (struct dns_answer){
	    .status = DNS_TEMP, .ttl_s = TTL_MIN_S, .why = why};
}

static uint32_t
clamp_ttl(int64_t ttl_s)
{
	if (ttl_s < TTL_MIN_S)
		return TTL_MIN_S;
	return ttl_s > TTL_MAX_S ? TTL_MAX_S : (uint32_t)ttl_s;
}

static const char *
rcode_word(int rcode)
{
	static const char *const words[] = {
	    "", "FORMERR", "SERVFAIL", "", "NOTIMP", "REFUSED"};
	bool is_known = rcode > 0 && (size_t)rcode < COUNT_OF(words);
	return is_known && *words[rcode] != '\0' ? words[rcode] : "failure";
}

/* False: more than an answer may have. */
static bool
records_read(struct arena *a, unsigned type, const struct ub_result *result,
    struct strs *ret)
{
	size_t bytes = 0;
	for (size_t i = 0; result->data != NULL && result->data[i] != NULL;
	     i++) {
		struct str rdata =
		    str_of(result->data[i], (size_t)result->len[i]);
		bytes += rdata.len;
		if (i == RECORDS_MAX || bytes > RECORD_BYTES_MAX)
			return false;
		struct str record;
		if (rdata_read(a, type, rdata, &record))
			strs_add(a, ret, record);
	}
	return true;
}

/* What libunbound says. */
static void
answer_read(struct arena *a, unsigned type, int err,
    const struct ub_result *result, struct dns_answer *ret)
{
	if (err != 0 || result == NULL) {
		answer_temp(ret, "failure");
		return;
	}
	if (result->bogus ||
	    (result->rcode != 0 && result->rcode != RCODE_NXDOMAIN)) {
		answer_temp(
		    ret, result->bogus ? "bogus" : rcode_word(result->rcode));
		return;
	}
	*ret = (struct dns_answer){.why = ""};
	if (!records_read(a, type, result, &ret->records)) {
		answer_temp(ret, "limit");
		return;
	}
	if (ret->records.n == 0)
		ret->status =
		    result->rcode == RCODE_NXDOMAIN ? DNS_NXDOMAIN : DNS_NODATA;
	bool has_soa = result->ttl > 0 && result->ttl <= TTL_NO_MAX_S;
	ret->ttl_s = ret->status == DNS_OK || has_soa ? clamp_ttl(result->ttl)
						      : TTL_NO_S;
}

/* ---- what is kept */

static struct str
question_key(const struct question *q)
{
	return str_of(q->key, q->len);
}

static struct str
question_name(const struct question *q)
{
	return str_of(q->key + TYPE_BYTES, q->len - TYPE_BYTES);
}

static unsigned
question_type(const struct question *q)
{
	return (
	    unsigned)((unsigned char)q->key[0] << 8 | (unsigned char)q->key[1]);
}

static void
question_set_type(struct question *q, unsigned type)
{
	q->key[0] = (char)(type >> 8);
	q->key[1] = (char)type;
}

/* False: `name` is none that could be asked for. */
static bool
question_set(struct question *q, struct str name, unsigned type)
{
	size_t len;
	if (!name_normal(name, q->key + TYPE_BYTES, &len))
		return false;
	question_set_type(q, type);
	q->len = TYPE_BYTES + len;
	return true;
}

static struct strs
records_dup(struct arena *a, const struct strs *records)
{
	struct strs copy = {
	    ARENA_ARRAY(a, struct str, records->n), records->n, records->n};
	for (size_t i = 0; i < records->n; i++)
		copy.v[i] = str_dup(a, records->v[i]);
	return copy;
}

static void
remember(struct resolver *r, const struct question *q,
    const struct dns_answer *answer)
{
	if (r->known == NULL)
		return;
	struct arena *owner = arena_new_small();
	struct known *known = ARENA_NEW(owner, struct known);
	known->answer = *answer;
	known->answer.records = records_dup(owner, &answer->records);
	known->until_ms = clock_ms() + (answer->status == DNS_TEMP
					       ? FAILURE_MS
					       : (int64_t)answer->ttl_s * 1000);
	(void)cache_put(r->known, NULL, question_key(q), owner, known,
	    arena_used(owner) + KNOWN_COST, known->until_ms);
}

static bool
recall(struct resolver *r, struct arena *a, const struct question *q,
    struct dns_answer *ret)
{
	if (r->known == NULL)
		return false;
	int64_t now_ms = clock_ms();
	const struct known *known =
	    cache_get(r->known, a, question_key(q), now_ms);
	if (known == NULL)
		return false;
	*ret = known->answer;
	/* others see the same bytes, but the list is the caller's own */
	ret->records.v = ARENA_ARRAY(a, struct str, ret->records.n);
	ret->records.cap = ret->records.n;
	for (size_t i = 0; i < ret->records.n; i++)
		ret->records.v[i] = known->answer.records.v[i];
	ret->ttl_s = clamp_ttl((known->until_ms - now_ms) / 1000);
	return true;
}

/* ---- are there servers at all? */

/* How long a question that is asked now is waited for. */
static int64_t
patience_ms(struct resolver *r, int64_t now_ms)
{
	(void)pthread_mutex_lock(&r->lock);
	bool is_silent = r->waits_in_vain >= SILENCE_WAITS &&
			 now_ms - r->silent_since_ms > SILENCE_MS;
	(void)pthread_mutex_unlock(&r->lock);
	return is_silent && r->query_ms > BRIEF_MS ? BRIEF_MS : r->query_ms;
}

/* A wait that began before the last answer says nothing of the servers. */
static void
note_wait_in_vain(struct resolver *r, int64_t from_ms)
{
	(void)pthread_mutex_lock(&r->lock);
	if (from_ms > r->last_answer_ms) {
		if (r->waits_in_vain++ == 0 || from_ms < r->silent_since_ms)
			r->silent_since_ms = from_ms;
	}
	(void)pthread_mutex_unlock(&r->lock);
}

/* ---- requests */

static void
request_free(struct request *req)
{
	ub_resolve_free(req->result);
	(void)pthread_cond_destroy(&req->is_done_now);
	(void)pthread_mutex_destroy(&req->lock);
	free(req);
}

static struct request *
request_new(struct resolver *r, const struct question *q, bool is_prefetch)
{
	struct request *req = calloc(1, sizeof(*req));
	if (req == NULL)
		log_fatal("out of memory");
	req->r = r;
	req->question = *q;
	req->is_prefetch = req->is_abandoned = is_prefetch;
	req->from_ms = clock_ms();
	(void)pthread_mutex_init(&req->lock, NULL);
	pthread_condattr_t monotonic;
	(void)pthread_condattr_init(&monotonic);
	(void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&req->is_done_now, &monotonic);
	(void)pthread_condattr_destroy(&monotonic);
	return req;
}

/* False: there are too many. */
static bool
request_link(struct request *req)
{
	struct resolver *r = req->r;
	(void)pthread_mutex_lock(&r->lock);
	bool fits = r->nrequest < REQUESTS_MAX &&
		    (!req->is_prefetch || r->nprefetch < PREFETCHES_MAX);
	if (fits) {
		r->nrequest++;
		r->nprefetch += req->is_prefetch;
		req->next = r->requests;
		if (req->next != NULL)
			req->next->prev = req;
		r->requests = req;
	}
	(void)pthread_mutex_unlock(&r->lock);
	return fits;
}

static void
request_unlink(struct request *req, bool is_answered)
{
	struct resolver *r = req->r;
	(void)pthread_mutex_lock(&r->lock);
	r->nrequest--;
	r->nprefetch -= req->is_prefetch;
	if (req->next != NULL)
		req->next->prev = req->prev;
	if (req->prev != NULL)
		req->prev->next = req->next;
	else
		r->requests = req->next;
	if (is_answered) {
		r->waits_in_vain = 0;
		r->last_answer_ms = clock_ms();
	}
	(void)pthread_mutex_unlock(&r->lock);
}

/* An answer that nobody waits for. */
static void
keep_late(struct request *req)
{
	struct arena *a = arena_new_small();
	struct dns_answer answer;
	answer_read(
	    a, question_type(&req->question), req->err, req->result, &answer);
	remember(req->r, &req->question, &answer);
	arena_free(a);
}

static bool
is_from_a_server(int err, const struct ub_result *result)
{
	return err == 0 && result != NULL && !result->bogus &&
	       (result->rcode == 0 || result->rcode == RCODE_NXDOMAIN);
}

static void take_answer(void *, int, struct ub_result *);

/* NULL: `*ret_why` says why not.  A prefetch is not to be touched any more. */
static struct request *
request_start(struct resolver *r, const struct question *q, bool is_prefetch,
    const char **ret_why)
{
	struct request *req = request_new(r, q, is_prefetch);
	if (!request_link(req)) {
		*ret_why = "limit";
		request_free(req);
		return NULL;
	}
	char name[NAME_TEXT_MAX] = ".";
	if (question_name(q).len > 0)
		name_escape(question_name(q), name);
	int err = atomic_load(&r->is_broken)
		      ? UB_PIPE
		      : ub_resolve_async(r->ub, name, (int)question_type(q),
			    CLASS_IN, req, take_answer, NULL);
	if (err == 0)
		return req;
	*ret_why = "failure";
	request_unlink(req, false);
	request_free(req);
	return NULL;
}

/*
 * Each timeout doubles the time that libunbound gives a server for the next
 * question, and when it has come to 12 seconds there are moments in which it
 * asks that server nothing.  A dead zone does that to the only forwarder, if
 * nobody asks for anything else.  So when something took long, ask the root for
 * what it has not got: any server that lives answers that.
 */
static void
probe(struct resolver *r)
{
	struct question q = {.len = TYPE_BYTES};
	const char *why;
	int64_t now_ms = clock_ms();
	(void)pthread_mutex_lock(&r->lock);
	bool is_due = r->has_forwarders &&
		      now_ms - r->last_answer_ms >= PROBE_MS &&
		      now_ms - r->last_probe_ms >= PROBE_MS;
	if (is_due) {
		r->last_probe_ms = now_ms;
		question_set_type(
		    &q, PROBE_TYPE_FIRST + r->nprobe++ % PROBE_TYPES);
	}
	(void)pthread_mutex_unlock(&r->lock);
	if (is_due)
		(void)request_start(r, &q, true, &why);
}

/* libunbound's callback, in our thread. */
static void
take_answer(void *arg, int err, struct ub_result *result)
{
	struct request *req = arg;
	struct resolver *r = req->r;
	bool is_answered = is_from_a_server(err, result);
	bool is_slow = clock_ms() - req->from_ms >= SLOW_MS;
	request_unlink(req, is_answered);
	(void)pthread_mutex_lock(&req->lock);
	req->err = err;
	req->result = result;
	req->is_done = true;
	bool is_abandoned = req->is_abandoned;
	(void)pthread_cond_signal(&req->is_done_now);
	(void)pthread_mutex_unlock(&req->lock);
	if (is_abandoned) {
		keep_late(req);
		request_free(req);
	}
	if (is_slow && !is_answered)
		probe(r);
}

/* Is it done, at `until_ms` at the latest? */
static bool
request_wait(struct request *req, int64_t until_ms)
{
	struct timespec until = {.tv_sec = (time_t)(until_ms / 1000),
	    .tv_nsec = (long)(until_ms % 1000) * 1000000};
	int err = 0;
	(void)pthread_mutex_lock(&req->lock);
	while (!req->is_done && err == 0)
		err = pthread_cond_timedwait(
		    &req->is_done_now, &req->lock, &until);
	bool is_done = req->is_done;
	(void)pthread_mutex_unlock(&req->lock);
	return is_done;
}

/* Wait no longer.  False: it is done, just now; if not, it is the callback's.
 */
static bool
request_abandon(struct request *req)
{
	(void)pthread_mutex_lock(&req->lock);
	bool is_done = req->is_done;
	req->is_abandoned = !is_done;
	(void)pthread_mutex_unlock(&req->lock);
	return !is_done;
}

/* ---- asking */

/*
 * Wait for `req` and take its answer.  Why there is none is remembered before
 * the request is abandoned, so that an answer a moment later is what stays.
 */
static void
request_finish(struct request *req, struct arena *a, int64_t deadline_ms,
    struct dns_answer *ret)
{
	struct resolver *r = req->r;
	int64_t from_ms = req->from_ms;
	const struct question q = req->question;
	int64_t patient_ms = from_ms + patience_ms(r, from_ms);
	bool is_cut = deadline_ms < patient_ms;
	bool is_done = request_wait(req, is_cut ? deadline_ms : patient_ms);
	int64_t waited_ms = clock_ms() - from_ms;
	if (!is_done) {
		answer_temp(ret, "timeout");
		if (!is_cut || waited_ms >= SLOW_MS)
			remember(r, &q, ret);
		if (is_cut)
			answer_temp(ret, "deadline");
		is_done = !request_abandon(req);
	}
	if (is_done) {
		answer_read(a, question_type(&q), req->err, req->result, ret);
		remember(r, &q, ret);
		request_free(req);
	}
	if (ret->status == DNS_TEMP &&
	    waited_ms >= (is_done ? SLOW_MS : BRIEF_MS)) {
		note_wait_in_vain(r, from_ms);
		probe(r);
	}
}

static void
budget_waits(struct dns_budget *budget)
{
	if (budget->on_wait != NULL && !budget->has_waited)
		budget->on_wait(budget->arg);
	budget->has_waited = true;
}

static void
ask(struct resolver *r, struct arena *a, const struct question *q,
    struct dns_budget *budget, struct dns_answer *ret)
{
	if (recall(r, a, q, ret))
		return;
	const char *why;
	int64_t from_us = clock_us();
	struct request *req = request_start(r, q, false, &why);
	if (req == NULL) {
		answer_temp(ret, why);
		return;
	}
	atomic_fetch_add(&r->waiting, 1);
	budget_waits(budget);
	request_finish(req, a, budget->deadline_ms, ret);
	atomic_fetch_sub(&r->waiting, 1);
	atomic_fetch_add(&r->waited_us, (uint64_t)(clock_us() - from_us));
}

/* A static zone of libunbound does not follow aliases. */
static void
ask_file(struct resolver *r, struct arena *a, struct question *q,
    struct dns_budget *budget, struct dns_answer *ret)
{
	unsigned type = question_type(q);
	uint32_t ttl_s = TTL_MAX_S;
	for (unsigned i = 0; i <= ALIASES_MAX; i++) {
		ask(r, a, q, budget, ret);
		if (ttl_s < ret->ttl_s)
			ret->ttl_s = ttl_s;
		if (ret->status != DNS_NODATA)
			return;
		struct dns_answer alias;
		question_set_type(q, DNS_CNAME);
		ask(r, a, q, budget, &alias);
		if (alias.status != DNS_OK ||
		    !question_set(q, alias.records.v[0], type))
			return;
		if (alias.ttl_s < ttl_s)
			ttl_s = alias.ttl_s;
	}
	answer_temp(ret, "SERVFAIL");
}

struct dns_budget
dns_budget_part(const struct dns_budget *budget)
{
	struct dns_budget part = *budget;
	int64_t left_ms = budget->deadline_ms - clock_ms();
	part.questions -= part.questions / 2;
	if (left_ms > 0)
		part.deadline_ms -= left_ms / 2;
	part.asked = 0;
	return part;
}

void
dns_budget_join(struct dns_budget *budget, const struct dns_budget *part)
{
	budget->questions -= part->asked;
	budget->asked += part->asked;
	budget->has_temp = budget->has_temp || part->has_temp;
	budget->is_late = budget->is_late || part->is_late;
	budget->has_waited = budget->has_waited || part->has_waited;
}

/* What the budget has to say against a question; NULL: nothing. */
static const char *
budget_spend(struct dns_budget *budget)
{
	if (budget->questions == 0)
		return "limit";
	if (clock_ms() >= budget->deadline_ms)
		return "deadline";
	budget->questions--;
	budget->asked++;
	return NULL;
}

static void
answer_by_kind(struct resolver *r, struct arena *a, struct question *q,
    struct dns_budget *budget, struct dns_answer *ret)
{
	switch (r->kind) {
	case KIND_OFF:
		answer_temp(ret, "off");
		return;
	case KIND_SOURCE:
		*ret = (struct dns_answer){.why = ""};
		r->source(r->source_arg, a, question_name(q),
		    (enum dns_type)question_type(q), ret);
		if (ret->status == DNS_OK && ret->records.n == 0)
			ret->status = DNS_NODATA;
		ret->ttl_s = clamp_ttl(ret->ttl_s);
		return;
	case KIND_FILE:
		ask_file(r, a, q, budget, ret);
		return;
	case KIND_NETWORK:
		ask(r, a, q, budget, ret);
		return;
	}
}

static void
count_answer(struct resolver *r, const struct dns_answer *answer)
{
	atomic_fetch_add(&r->asked, 1);
	if (answer->status != DNS_TEMP)
		atomic_fetch_add(&r->answered, 1);
	else if (strcmp(answer->why, "timeout") == 0 ||
		 strcmp(answer->why, "deadline") == 0)
		atomic_fetch_add(&r->timeouts, 1);
	else
		atomic_fetch_add(&r->failures, 1);
}

void
resolver_ask(struct resolver *r, struct arena *a, struct str name,
    enum dns_type type, struct dns_budget *budget, struct dns_answer *ret)
{
	struct question q = {.len = 0};
	if (!question_set(&q, name, type)) {
		*ret = (struct dns_answer){
		    .status = DNS_NXDOMAIN, .ttl_s = TTL_MAX_S, .why = ""};
		return;
	}
	const char *why = NULL;
	/* what is known takes no time, and so none of the budget */
	bool is_known = r->kind == KIND_NETWORK && recall(r, a, &q, ret);
	if (!is_known)
		why = budget_spend(budget);
	if (why != NULL)
		answer_temp(ret, why);
	else if (!is_known)
		answer_by_kind(r, a, &q, budget, ret);
	if (ret->status == DNS_TEMP)
		budget->has_temp = true;
	if (ret->status == DNS_TEMP && strcmp(ret->why, "deadline") == 0)
		budget->is_late = true;
	count_answer(r, ret);
}

void
resolver_prefetch(struct resolver *r, struct str name, enum dns_type type)
{
	struct question q = {.len = 0};
	if (r->kind != KIND_NETWORK || !question_set(&q, name, type))
		return;
	struct arena *a = arena_new_small();
	struct dns_answer answer;
	const char *why;
	if (!recall(r, a, &q, &answer))
		(void)request_start(r, &q, true, &why);
	arena_free(a);
}

/* ---- making one */

/* What is made, and of what. */
struct maker {
	struct arena *a;
	const struct resolver_config *config;
	struct resolver *r;
	struct str file; /* of records; empty: none */
	bool is_recursive;
	struct str why;
};

static bool fail(struct maker *m, const char *fmt, ...) PRINTF_LIKE(2, 3);
static bool
fail(struct maker *m, const char *fmt, ...)
{
	char text[512];
	va_list args;
	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	m->why = str_dup(m->a, str_from(text));
	return false;
}

static bool
option_set(struct maker *m, const char *name, const char *value)
{
	int err = ub_ctx_set_option(m->r->ub, name, value);
	return err == 0 || fail(m, "libunbound does not take %s %s (%s)", name,
			       value, ub_strerror(err));
}

/* A line of the file, or an address of the hosts file. */
static bool
record_add(struct resolver *r, const char *line)
{
	return ub_ctx_data_add(r->ub, line) == 0;
}

/* "192.0.2.53", "2001:db8::53@5353" */
static bool
is_server(struct str server)
{
	struct str rest = server;
	struct str address = str_cut(&rest, '@');
	bool has_port = address.len < server.len;
	uint64_t port = 53;
	unsigned char bytes[16];
	char text[INET6_ADDRSTRLEN] = "";
	if (address.len >= sizeof(text) || str_chr(address, '\0') != STR_NONE)
		return false;
	memcpy(text, address.p, address.len);
	bool is_address = inet_pton(AF_INET, text, bytes) == 1 ||
			  inet_pton(AF_INET6, text, bytes) == 1;
	return is_address &&
	       (!has_port || (str_u64(rest, 65535, &port) && port > 0));
}

static bool
server_add(struct maker *m, struct str server)
{
	if (!is_server(server))
		return fail(m, "dns: \"%.*s\" is not " RESOLVER_SERVER_FORMS,
		    STR_ARG(server));
	int err = ub_ctx_set_fwd(m->r->ub, str_c(m->a, server));
	return err == 0 ||
	       fail(m, "dns: \"%.*s\": %s", STR_ARG(server), ub_strerror(err));
}

static bool
use_system(struct maker *m, struct str rest)
{
	(void)rest;
	int err = ub_ctx_resolvconf(m->r->ub, NULL);
	return err == 0 ||
	       fail(m, "dns: system: /etc/resolv.conf: %s",
		   err == UB_READFILE ? strerror(errno) : ub_strerror(err));
}

static bool
use_recursion(struct maker *m, struct str rest)
{
	(void)rest;
	m->is_recursive = true;
	return true;
}

static bool
use_file(struct maker *m, struct str rest)
{
	if (rest.len == 0)
		return fail(m, "dns: file: a path is missing");
	m->file = rest;
	m->r->kind = KIND_FILE;
	return true;
}

static bool
use_nothing(struct maker *m, struct str rest)
{
	(void)rest;
	m->r->kind = KIND_OFF;
	return true;
}

static const struct {
	const char *word;
	bool has_rest;
	bool (*use)(struct maker *, struct str rest);
} ways[] = {
    {"system", false, use_system},
    {"recursion", false, use_recursion},
    {"file:", true, use_file},
    {"off", false, use_nothing},
};

bool
resolver_server_has_form(struct str server)
{
	for (size_t i = 0; i < COUNT_OF(ways); i++)
		if (ways[i].has_rest
			? str_starts(server, str_from(ways[i].word)) &&
			      str_starts(str_skip(server, strlen(ways[i].word)),
				  STR("/"))
			: str_eq(server, str_from(ways[i].word)))
			return true;
	return is_server(server);
}

static bool
server_use(struct maker *m, struct str server)
{
	for (size_t i = 0; i < COUNT_OF(ways); i++) {
		struct str word = str_from(ways[i].word);
		if (!(ways[i].has_rest ? str_starts(server, word)
				       : str_eq(server, word)))
			continue;
		if (m->config->servers.n > 1)
			return fail(
			    m, "dns: \"%.*s\" stands alone", STR_ARG(server));
		return ways[i].use(m, str_skip(server, word.len));
	}
	return server_add(m, server);
}

static bool
servers_use(struct maker *m)
{
	m->r->kind = KIND_NETWORK;
	if (m->config->servers.n == 0)
		return fail(m, "dns: none are given");
	for (size_t i = 0; i < m->config->servers.n; i++)
		if (!server_use(m, m->config->servers.v[i]))
			return false;
	m->r->has_forwarders = m->r->kind == KIND_NETWORK && !m->is_recursive;
	return true;
}

/*
 * With libunbound's own times a forwarder that did not answer for two or three
 * names, which is what a dead zone behind it looks like, is not asked for any
 * other name for a minute.  So it forgets at once how long servers took.
 * Beside that: the library's sizes are meant for one question at a time.
 */
static const struct {
	const char *name, *value;
} options[] = {
    {"infra-host-ttl:", "1"},
    {"outbound-msg-retry:", "2"},
    {"infra-cache-min-rtt:", "500"},
    {"outgoing-range:", "512"},
    {"num-queries-per-thread:", "1024"},
    {"outgoing-num-tcp:", "16"},
    {"edns-buffer-size:", "1232"},
    {"cache-max-ttl:", "3600"},
    {"cache-max-negative-ttl:", "300"}, /* TTL_NO_MAX_S */
    /* what we tell others about us: nothing */
    {"trust-anchor-signaling:", "no"},
};

/* Is there a way to the world?  No packet is sent. */
static bool
has_ip6_route(void)
{
	struct sockaddr_in6 root = {
	    .sin6_family = AF_INET6, .sin6_port = htons(53)};
	(void)inet_pton(AF_INET6, "2001:500:2::c", &root.sin6_addr);
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	bool has_route =
	    connect(fd, (struct sockaddr *)&root, sizeof(root)) == 0;
	(void)close(fd);
	return has_route;
}

static bool
size_set(struct maker *m, const char *name, uint64_t bytes)
{
	struct str value = str_printf(m->a, "%llu", (unsigned long long)bytes);
	return option_set(m, name, str_c(m->a, value));
}

/* Three quarters are libunbound's, one is ours. */
static bool
sizes_set(struct maker *m)
{
	uint64_t bytes = m->config->cache_bytes;
	if (bytes < CACHE_BYTES_MIN)
		bytes = CACHE_BYTES_MIN;
	if (m->r->kind == KIND_NETWORK)
		m->r->known = cache_new(
		    (size_t)bytes / 4 / KNOWN_SIZE, (size_t)bytes / 4);
	return size_set(m, "msg-cache-size:", bytes / 4) &&
	       size_set(m, "rrset-cache-size:", bytes / 2);
}

static bool
dnssec_set(struct maker *m)
{
	if (!m->config->has_dnssec || m->r->kind != KIND_NETWORK)
		return option_set(m, "module-config:", "iterator");
	if (access(TRUST_ANCHOR, R_OK) != 0)
		return fail(m, "dnssec: %s: %s (package dns-root-data)",
		    TRUST_ANCHOR, strerror(errno));
	int err = ub_ctx_add_ta_file(m->r->ub, TRUST_ANCHOR);
	if (err != 0)
		return fail(m, "dnssec: %s", ub_strerror(err));
	return option_set(m, "module-config:", "validator iterator");
}

/* Whatever a file does not cover, nothing goes out. */
static bool
network_shut(struct maker *m)
{
	return m->r->kind != KIND_FILE || (option_set(m, "do-udp:", "no") &&
					      option_set(m, "do-tcp:", "no"));
}

/*
 * A server that somebody named may know of private addresses and of test.,
 * which nobody else has to be asked about (RFC 6303, RFC 6761).
 */
static bool
zones_set(struct maker *m)
{
	return !m->r->has_forwarders ||
	       (option_set(m, "unblock-lan-zones:", "yes") &&
		   option_set(m, "local-zone:", "test. transparent"));
}

static bool
options_set(struct maker *m)
{
	for (size_t i = 0; i < COUNT_OF(options); i++)
		if (!option_set(m, options[i].name, options[i].value))
			return false;
	bool has_ip6 = !m->is_recursive || has_ip6_route();
	return option_set(m, "do-ip6:", has_ip6 ? "yes" : "no") &&
	       sizes_set(m) && dnssec_set(m) && network_shut(m) && zones_set(m);
}

/* Each line of the file at `path`, without its end, to `take`. */
static bool
lines_read(struct maker *m, const char *option, struct str path,
    bool (*take)(struct maker *, char *line))
{
	FILE *file = fopen(str_c(m->a, path), "re");
	if (file == NULL)
		return fail(
		    m, "%s: %.*s: %s", option, STR_ARG(path), strerror(errno));
	char *line = NULL;
	size_t cap = 0;
	unsigned number = 0;
	bool is_good = true;
	ssize_t len;
	while (is_good && (len = getline(&line, &cap, file)) >= 0) {
		number++;
		if (len > 0 && line[len - 1] == '\n')
			line[--len] = '\0';
		if (strlen(line) != (size_t)len ||
		    (size_t)len > LINE_BYTES_MAX || !take(m, line))
			is_good =
			    fail(m, "%.*s:%u: no record as in a zone file",
				STR_ARG(path), number);
	}
	if (ferror(file))
		is_good = fail(
		    m, "%s: %.*s: %s", option, STR_ARG(path), strerror(errno));
	free(line);
	(void)fclose(file);
	return is_good;
}

static bool
record_take(struct maker *m, char *line)
{
	struct str text = str_trim(str_from(line));
	bool is_comment = text.len == 0 || *text.p == ';' || *text.p == '#';
	return is_comment || record_add(m->r, line);
}

/*
 * Like ub_ctx_hosts(), but a name that has an address here may have other
 * records elsewhere: the MX and TXT of our own domain, say.
 */
static bool
host_add(struct maker *m, struct str name, const char *address, bool is_ip6)
{
	char normal[NAME_MAX_BYTES], escaped[NAME_TEXT_MAX];
	size_t len;
	if (!name_normal(name, normal, &len))
		return true;
	struct str host = str_of(normal, len);
	if (str_eq(host, STR("localhost")) || str_ends(host, STR(".localhost")))
		return true; /* libunbound knows it (RFC 6761 section 6.3) */
	name_escape(host, escaped);
	if (m->r->kind == KIND_NETWORK &&
	    ub_ctx_zone_add(m->r->ub, escaped, "typetransparent") != 0)
		return false;
	struct str record = str_printf(m->a, "%s. %d IN %s %s", escaped,
	    TTL_MAX_S, is_ip6 ? "AAAA" : "A", address);
	return record_add(m->r, str_c(m->a, record));
}

/* A line without an address is passed over, as the C library does. */
static bool
host_take(struct maker *m, char *line)
{
	struct str rest = str_from(line);
	rest = str_cut(&rest, '#');
	const char *address = str_c(m->a, str_word(&rest));
	unsigned char bytes[16];
	bool is_ip6 = inet_pton(AF_INET6, address, bytes) == 1;
	if (!is_ip6 && inet_pton(AF_INET, address, bytes) != 1)
		return true;
	for (struct str name; (name = str_word(&rest)).len > 0;)
		if (!host_add(m, name, address, is_ip6))
			return false;
	return true;
}

/* What is answered here; from now on libunbound takes no options. */
static bool
records_load(struct maker *m)
{
	if (m->r->kind == KIND_FILE) {
		int err = ub_ctx_zone_add(m->r->ub, ".", "static");
		if (err != 0)
			return fail(m, "libunbound: %s", ub_strerror(err));
		if (!lines_read(m, "dns", m->file, record_take))
			return false;
	}
	return m->config->hosts.len == 0 ||
	       lines_read(m, "dns-hosts", m->config->hosts, host_take);
}

static void *
take_answers(void *arg)
{
	struct resolver *r = arg;
	struct pollfd fds[] = {
	    {.fd = ub_fd(r->ub), .events = POLLIN},
	    {.fd = r->stop_fd, .events = POLLIN},
	};
	for (;;) {
		if (poll(fds, COUNT_OF(fds), -1) < 0 && errno != EINTR)
			break;
		if (fds[1].revents != 0)
			return NULL;
		if (fds[0].revents != 0 && ub_process(r->ub) != 0)
			break;
	}
	atomic_store(&r->is_broken, true);
	log_error("dns: libunbound does not work any more");
	return NULL;
}

/* RFC 6761 section 6.4: no packet is sent for this name. */
static bool
first_question(struct maker *m)
{
	struct question q = {.len = 0};
	struct dns_answer answer;
	(void)question_set(&q, STR("invalid"), DNS_A);
	struct dns_budget budget = {.deadline_ms = clock_ms() + START_MS};
	ask(m->r, m->a, &q, &budget, &answer);
	return answer.status != DNS_TEMP ||
	       fail(m, "libunbound does not start (%s)", answer.why);
}

/* libunbound makes its thread at the first question. */
static bool
threads_start(struct maker *m)
{
	struct resolver *r = m->r;
	r->stop_fd = eventfd(0, EFD_CLOEXEC);
	if (r->stop_fd < 0)
		return fail(m, "dns: eventfd: %s", strerror(errno));
	sigset_t all, old;
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &old);
	int err = pthread_create(&r->taker, NULL, take_answers, r);
	r->has_taker = err == 0;
	bool is_good = r->has_taker
			   ? first_question(m)
			   : fail(m, "dns: a thread: %s", strerror(err));
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	return is_good;
}

static struct resolver *
resolver_alloc(void)
{
	struct resolver *r = calloc(1, sizeof(*r));
	if (r == NULL)
		log_fatal("out of memory");
	r->stop_fd = -1;
	(void)pthread_mutex_init(&r->lock, NULL);
	return r;
}

static bool
context_new(struct maker *m)
{
	m->r->ub = ub_ctx_create();
	if (m->r->ub == NULL)
		return fail(m, "libunbound: %s", strerror(errno));
	(void)ub_ctx_debugout(m->r->ub, NULL); /* it would go to stderr */
	(void)ub_ctx_async(m->r->ub, true);
	return true;
}

/* All but its threads. */
static bool
prepare(struct maker *m)
{
	return context_new(m) && servers_use(m) &&
	       (m->r->kind == KIND_OFF || (options_set(m) && records_load(m)));
}

bool
resolver_check(
    struct arena *a, const struct resolver_config *config, struct str *ret_why)
{
	struct maker m = {
	    .a = a, .config = config, .r = resolver_alloc(), .file = STR_EMPTY};
	bool is_good = prepare(&m);
	if (!is_good)
		*ret_why = m.why;
	resolver_free(m.r);
	return is_good;
}

struct resolver *
resolver_new(
    struct arena *a, const struct resolver_config *config, struct str *ret_why)
{
	struct resolver *r = resolver_alloc();
	struct maker m = {.a = a, .config = config, .r = r, .file = STR_EMPTY};
	r->query_ms = START_MS; /* of the first question */
	bool is_good =
	    prepare(&m) && (r->kind == KIND_OFF || threads_start(&m));
	r->query_ms = config->query_ms;
	if (is_good)
		return r;
	*ret_why = m.why;
	resolver_free(r);
	return NULL;
}

struct resolver *
resolver_new_source(resolver_source *source, void *arg)
{
	struct resolver *r = resolver_alloc();
	r->kind = KIND_SOURCE;
	r->source = source;
	r->source_arg = arg;
	return r;
}

/* After this no callback runs, so what is left of the requests is ours. */
static void
threads_stop(struct resolver *r)
{
	uint64_t one = 1;
	if (r->has_taker) {
		(void)!write(r->stop_fd, &one, sizeof(one));
		(void)pthread_join(r->taker, NULL);
	}
	if (r->ub != NULL)
		ub_ctx_delete(r->ub);
	if (r->stop_fd >= 0)
		(void)close(r->stop_fd);
}

void
resolver_free(struct resolver *r)
{
	if (r == NULL)
		return;
	threads_stop(r);
	while (r->requests != NULL) {
		struct request *req = r->requests;
		r->requests = req->next;
		request_free(req);
	}
	cache_free(r->known);
	(void)pthread_mutex_destroy(&r->lock);
	free(r);
}

bool
resolver_is_off(const struct resolver *r)
{
	return r->kind == KIND_OFF;
}

void
resolver_stats(const struct resolver *r, struct resolver_stats *ret)
{
	*ret = (struct resolver_stats){
	    .asked = atomic_load(&r->asked),
	    .answered = atomic_load(&r->answered),
	    .timeouts = atomic_load(&r->timeouts),
	    .failures = atomic_load(&r->failures),
	    .waited_us = atomic_load(&r->waited_us),
	    .waiting = atomic_load(&r->waiting),
	};
}
