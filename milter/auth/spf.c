/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * spf -- RFC 7208 by libspf2, which nobody mends any more: CVE-2023-42118 is
 * open in Debian 12, and whoever chooses the sender chooses the record.  So it
 * sees no byte of a stranger.  It is given a record in words of our own, of at
 * most a dozen terms, in which the n-th term of this check is the name "n.t";
 * when it asks for that name, our hook asks the DNS for what the term really
 * names, and answers with addresses.  Left to libspf2 are the order of the
 * terms, what include and redirect mean, and which address lies in which
 * block.
 */
#include "auth/spf.h"

/* The headers of libspf2 want these before them. */
#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/types.h>

#include <spf2/spf.h>

#include "auth/org.h"
#include "auth/spf_lookup.h"
#include "auth/spf_macro.h"
#include "auth/spf_record.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"

#define EXPLANATION_MAX 1024
#define WHY_MAX 1000
#define TERM_SHOWN 100 /* bytes of a term of a stranger that people see */
#define LITERAL_MAX 2048

/* A record that is being evaluated. */
struct frame {
	struct str domain;
	struct spf_record record;
	const struct spf_term *last; /* that asked the DNS; NULL: none yet */
	struct frame *sub;           /* the record `last` led to */
	bool is_hit;                 /* `last` matches */
	const struct spf_term *end;  /* matches if none before it does */
};

/* What a name in a record for libspf2 stands for. */
struct step {
	struct frame *frame;
	const struct spf_term *term;
	struct strs mx;
};

struct check {
	struct arena *arena;
	struct spf_lookup lookup;
	struct spf_macro_values values;
	struct frame *top;
	struct str top_text;
	bool has_odd_local; /* beyond ASCII */
	bool uses_local_part, uses_helo;
	struct {
		struct step **v;
		size_t n;
		size_t cap;
	} steps;
};

static const char *const result_names[] = {
    [SPF_NONE] = "none",
    [SPF_NEUTRAL] = "neutral",
    [SPF_PASS] = "pass",
    [SPF_FAIL] = "fail",
    [SPF_SOFTFAIL] = "softfail",
    [SPF_TEMPERROR] = "temperror",
    [SPF_PERMERROR] = "permerror",
};

struct str
spf_result_name(enum spf_result result)
{
	return str_from(result_names[result]);
}

static enum spf_result
qualifier_result(char qualifier)
{
	switch (qualifier) {
	case '-':
		return SPF_FAIL;
	case '~':
		return SPF_SOFTFAIL;
	case '?':
		return SPF_NEUTRAL;
	default:
		return SPF_PASS;
	}
}

/* ---- words of strangers, for people */

/* Cut short: people do not read more of it. */
static struct str
shown(struct arena *a, struct str s)
{
	if (s.len <= TERM_SHOWN)
		return s;
	return str_printf(a, "%.*s...", TERM_SHOWN, s.p);
}

static void
put_term(struct buf *b, const struct spf_term *term)
{
	log_escape(b, str_sub(term->text, 0, TERM_SHOWN));
	if (term->text.len > TERM_SHOWN)
		buf_put(b, STR("..."));
}

/* ---- what a term names */

/* `text` of a record of `domain`, expanded. */
static void
values_for(struct check *c, struct str text, struct str domain)
{
	c->values.domain = domain;
	if (spf_macro_has(text, "p"))
		c->values.client_name = spf_lookup_name(&c->lookup, domain);
}

/* RFC 8616 section 4: a local part beyond ASCII is in no DNS name. */
static bool
is_unnamed(const struct check *c, const struct spf_term *term)
{
	return c->has_odd_local && spf_macro_has(term->target, "ls");
}

/* The name to ask for; empty: there is none. */
static struct str
target_of(struct check *c, const struct spf_term *term, struct str domain)
{
	if (term->target.len == 0)
		return domain;
	if (is_unnamed(c, term))
		return STR_EMPTY;
	values_for(c, term->target, domain);
	return spf_macro_domain(c->arena, term->target, &c->values);
}

/* ---- records of strangers, as libspf2 is told them */

static struct step *
step_new(struct check *c, struct frame *frame, const struct spf_term *term)
{
	struct step *step = ARENA_NEW(c->arena, struct step);
	step->frame = frame;
	step->term = term;
	ARENA_PUSH(c->arena, &c->steps) = step;
	return step;
}

/* "a/24", "mx//64": libspf2 does not know length 0, so answer_addresses() does
 * that. */
static void
put_length(const struct check *c, struct buf *b, const struct spf_term *term)
{
	bool is_v6 = c->lookup.client.is_v6;
	unsigned bits = is_v6 ? term->bits6 : term->bits4;
	if (bits > 0)
		buf_printf(b, "%s%u", is_v6 ? "//" : "/", bits);
}

/* How libspf2 is told of a term, and what is asked first for it. */
static const struct {
	const char *word;
	enum dns_type type;
} askings[] = {
    [SPF_INCLUDE] = {"include:", DNS_TXT},
    [SPF_A] = {"a:", DNS_A},
    [SPF_MX] = {"mx:", DNS_MX},
    [SPF_PTR] = {"exists:", DNS_PTR},
    [SPF_EXISTS] = {"exists:", DNS_A},
    [SPF_REDIRECT] = {"redirect=", DNS_TXT},
};

static void
put_asking(struct check *c, struct buf *b, struct frame *frame,
    const struct spf_term *term)
{
	buf_putc(b, ' ');
	if (term->word != SPF_REDIRECT)
		buf_putc(b, term->qualifier);
	buf_printf(b, "%s%zu.t", askings[term->word].word, c->steps.n);
	if (term->word == SPF_A || term->word == SPF_MX)
		put_length(c, b, term);
	(void)step_new(c, frame, term);
}

static void
put_ending(struct check *c, struct buf *b, const struct spf_term *term)
{
	if (term->word == SPF_ALL || term->block.bits == 0) {
		buf_printf(b, " %call", term->qualifier);
		return;
	}
	buf_printf(b, " %c%s:%.*s", term->qualifier,
	    term->word == SPF_IP6 ? "ip6" : "ip4",
	    STR_ARG(ip_block_text(c->arena, &term->block)));
}

/* Without a question: `term` matches. */
static bool
is_end(const struct check *c, const struct spf_term *term)
{
	return term->word == SPF_ALL ||
	       ((term->word == SPF_IP4 || term->word == SPF_IP6) &&
		   ip_is_within(&c->lookup.client, &term->block));
}

/* `term` can match, and has to be asked for. */
static bool
is_asking(const struct check *c, const struct spf_term *term)
{
	return spf_term_asks(term) && term->word != SPF_REDIRECT &&
	       !is_unnamed(c, term);
}

/*
 * The record of `frame` in our words.  libspf2 counts terms in 8 bits, so those
 * that cannot match are left out, as is all behind the first that must match
 * and behind the term that is over the limit.
 */
static struct str
literal_of(struct check *c, struct frame *frame)
{
	struct buf *b = buf_new(c->arena, LITERAL_MAX);
	unsigned asking = 0;
	buf_put(b, STR("v=spf1"));
	for (size_t i = 0; i < frame->record.n; i++) {
		const struct spf_term *term = &frame->record.v[i];
		if (is_end(c, term)) {
			frame->end = term;
			put_ending(c, b, term);
			return buf_str(b);
		}
		if (is_asking(c, term)) {
			put_asking(c, b, frame, term);
			if (++asking > SPF_TERMS_MAX)
				return buf_str(b);
		}
	}
	if (frame->record.redirect != NULL && frame->record.all == NULL)
		put_asking(c, b, frame, frame->record.redirect);
	return buf_str(b);
}

/* ---- loading a record */

static void
prefetch_term(
    struct check *c, const struct frame *frame, const struct spf_term *term)
{
	struct str name = term->target.len > 0 ? term->target : frame->domain;
	if (term->word == SPF_PTR)
		name = ip_reverse_name(c->arena, &c->lookup.client);
	else if (str_chr(name, '%') != STR_NONE)
		return;
	if (str_ends(name, STR(".")))
		name.len--;
	spf_lookup_prefetch(&c->lookup, name,
	    term->word == SPF_A ? spf_lookup_type(&c->lookup)
				: askings[term->word].type);
}

/* Questions are asked one behind the other: have the later ones answered while
 * one waits for the first. */
static void
prefetch(struct check *c, const struct frame *frame)
{
	for (size_t i = 0; i < frame->record.n; i++) {
		const struct spf_term *term = &frame->record.v[i];
		if (is_end(c, term))
			return;
		if (is_asking(c, term))
			prefetch_term(c, frame, term);
	}
	if (frame->record.redirect != NULL)
		prefetch_term(c, frame, frame->record.redirect);
}

/* A record that says %{l} is another one for another sender. */
static void
note_uses(struct check *c, struct str text)
{
	c->uses_local_part = c->uses_local_part || spf_macro_has(text, "ls");
	c->uses_helo = c->uses_helo || spf_macro_has(text, "h");
}

static void
note_record_uses(struct check *c, const struct spf_record *record)
{
	for (size_t i = 0; i < record->n; i++)
		if (record->v[i].word != SPF_OTHER)
			note_uses(c, record->v[i].target);
}

/* The one SPF record in `answer`.  More than one is a permerror (section 4.5).
 * False: there is none, or the check has failed. */
static bool
record_select(struct check *c, struct str domain,
    const struct dns_answer *answer, struct str *ret)
{
	size_t n = 0;
	for (size_t i = 0; i < answer->records.n; i++) {
		if (!spf_record_is(answer->records.v[i]))
			continue;
		*ret = answer->records.v[i];
		n++;
	}
	if (n > 1)
		spf_lookup_fail(&c->lookup, SPF_PERMERROR,
		    "%.*s has %zu SPF records, must be 1",
		    STR_ARG(shown(c->arena, domain)), n);
	return n == 1;
}

/* NULL: `domain` has no record, or the check has failed. */
static struct frame *
frame_load(struct check *c, struct str domain)
{
	struct dns_answer answer;
	struct str text = STR_EMPTY;
	struct spf_fault fault;
	if (!spf_lookup_record(&c->lookup, domain, &answer) ||
	    !record_select(c, domain, &answer, &text))
		return NULL;
	struct frame *frame = ARENA_NEW(c->arena, struct frame);
	frame->domain = domain;
	if (c->top == NULL)
		c->top_text = text;
	if (!spf_record_parse(c->arena, text, &frame->record, &fault)) {
		spf_lookup_fail(&c->lookup, SPF_PERMERROR,
		    "the record of %.*s is broken at \"%.*s\": %s",
		    STR_ARG(shown(c->arena, domain)),
		    STR_ARG(shown(c->arena, fault.term)), fault.why);
		return NULL;
	}
	note_record_uses(c, &frame->record);
	prefetch(c, frame);
	return frame;
}

/* ---- what libspf2 asks */

static SPF_dns_rr_t *
rr_new(SPF_dns_server_t *server, const char *name, ns_type type, int herrno)
{
	SPF_dns_rr_t *rr = SPF_dns_rr_new_init(server, name, type, 0, herrno);
	if (rr == NULL)
		log_fatal("out of memory");
	return rr;
}

static SPF_dns_rr_data_t *
rr_add(SPF_dns_rr_t *rr, size_t size)
{
	if (SPF_dns_rr_buf_realloc(rr, rr->num_rr, size) != SPF_E_SUCCESS)
		log_fatal("out of memory");
	rr->herrno = NETDB_SUCCESS;
	return rr->rr[rr->num_rr++];
}

static void
rr_add_ip(SPF_dns_rr_t *rr, const struct ip *ip)
{
	SPF_dns_rr_data_t *data = rr_add(rr, sizeof(*data));
	if (ip->is_v6)
		memcpy(&data->aaaa, ip->b, sizeof(data->aaaa));
	else
		memcpy(&data->a, ip->b, sizeof(data->a));
}

static void
rr_add_name(SPF_dns_rr_t *rr, struct str name)
{
	SPF_dns_rr_data_t *data = rr_add(rr, name.len + 1);
	memcpy(data->mx, name.p, name.len);
	data->mx[name.len] = '\0';
}

/* libspf2 is about to do what this step says.  False: the check has failed. */
static bool
step_enter(struct check *c, struct step *step)
{
	struct frame *frame = step->frame;
	frame->last = step->term;
	frame->sub = NULL;
	frame->is_hit = false;
	return spf_lookup_count(&c->lookup);
}

/*
 * The addresses of `name`, for an a or mx term.  With length 0 any address will
 * do (section 5.3), so then the client's own stands for it.
 */
static void
answer_addresses(
    struct check *c, struct step *step, struct str name, SPF_dns_rr_t *rr)
{
	const struct ip *client = &c->lookup.client;
	const struct spf_term *term = step->term;
	unsigned bits = client->is_v6 ? term->bits6 : term->bits4;
	struct dns_answer answer;
	if (name.len == 0 || !spf_lookup_ask(&c->lookup, name,
				 spf_lookup_type(&c->lookup), &answer))
		return;
	for (size_t i = 0; i < answer.records.n; i++) {
		struct ip_block block = {.bits = bits};
		if (!ip_from_bytes(answer.records.v[i], &block.ip) ||
		    block.ip.is_v6 != client->is_v6)
			continue;
		if (ip_is_within(client, &block))
			step->frame->is_hit = true;
		rr_add_ip(rr, bits == 0 ? client : &block.ip);
	}
}

/* Section 4.6.4: more than 10 names are an error.  libspf2 gets to see "m.n.t"
 * for the m-th of them. */
static void
answer_mx(struct check *c, struct step *step, SPF_dns_rr_t *rr)
{
	struct str name = target_of(c, step->term, step->frame->domain);
	struct dns_answer answer;
	if (!spf_lookup_ask(&c->lookup, name, DNS_MX, &answer))
		return;
	if (answer.records.n > SPF_NAMES_MAX) {
		spf_lookup_fail(&c->lookup, SPF_PERMERROR,
		    "more than %d MX records: %.*s has %zu", SPF_NAMES_MAX,
		    STR_ARG(shown(c->arena, name)), answer.records.n);
		return;
	}
	for (size_t i = 0; i < answer.records.n; i++) {
		strs_add(c->arena, &step->mx, str_skip(answer.records.v[i], 2));
		rr_add_name(rr, str_printf(c->arena, "%zu.%s", i, rr->domain));
	}
}

static void
answer_exists(struct check *c, struct step *step, SPF_dns_rr_t *rr)
{
	struct str name = target_of(c, step->term, step->frame->domain);
	struct dns_answer answer;
	static const struct ip any = {.b = {127, 0, 0, 2}};
	bool is_found =
	    step->term->word == SPF_PTR
		? spf_lookup_has_name(&c->lookup, name)
		: spf_lookup_ask(&c->lookup, name, DNS_A, &answer) &&
		      answer.status == DNS_OK;
	if (!is_found)
		return;
	step->frame->is_hit = true;
	rr_add_ip(rr, &any);
}

static void
answer_term(struct check *c, struct step *step, SPF_dns_rr_t *rr)
{
	if (!step_enter(c, step))
		return;
	switch (step->term->word) {
	case SPF_A:
		answer_addresses(
		    c, step, target_of(c, step->term, step->frame->domain), rr);
		return;
	case SPF_MX:
		answer_mx(c, step, rr);
		return;
	case SPF_PTR:
	case SPF_EXISTS:
		answer_exists(c, step, rr);
		return;
	case SPF_ALL:
	case SPF_INCLUDE:
	case SPF_IP4:
	case SPF_IP6:
	case SPF_REDIRECT:
	case SPF_EXP:
	case SPF_OTHER:
		return;
	}
}

/* The step that "n.t" or "m.n.t" names; of the latter `*ret_mx` is the m-th
 * name of its MX, else empty with `*ret_is_mx` false. */
static struct step *
step_of(struct check *c, struct str name, bool *ret_is_mx, struct str *ret_mx)
{
	uint64_t mx, n;
	struct str rest = name;
	struct str first = str_cut(&rest, '.');
	*ret_is_mx = str_chr(rest, '.') != STR_NONE;
	*ret_mx = STR_EMPTY;
	struct str number = *ret_is_mx ? str_cut(&rest, '.') : first;
	if (!str_u64(number, UINT32_MAX, &n) || n >= c->steps.n)
		return NULL;
	struct step *step = c->steps.v[n];
	if (!*ret_is_mx)
		return step;
	if (!str_u64(first, SPF_NAMES_MAX, &mx) || mx >= step->mx.n)
		return NULL;
	*ret_mx = step->mx.v[mx];
	return step;
}

/* Never NULL: libspf2 ends the process then. */
static SPF_dns_rr_t *
on_lookup(SPF_dns_server_t *server, const char *name, ns_type type, int cache)
{
	struct check *c = server->hook;
	SPF_dns_rr_t *rr = rr_new(server, name, type, NO_DATA);
	bool is_mx;
	struct str mx;
	(void)cache;
	struct step *step = step_of(c, str_from(name), &is_mx, &mx);
	if (step != NULL && is_mx)
		answer_addresses(c, step, mx, rr);
	else if (step != NULL)
		answer_term(c, step, rr);
	/* It unwinds at once. */
	if (c->lookup.has_failed)
		rr->herrno = TRY_AGAIN;
	return rr;
}

static SPF_errcode_t
record_compile(struct check *c, SPF_server_t *server, SPF_response_t *response,
    struct frame *frame, SPF_record_t **ret)
{
	struct str text = literal_of(c, frame);
	return SPF_record_compile(server, response, ret, str_c(c->arena, text));
}

/* The record that an include or a redirect leads to; sections 5.2 and 6.1:
 * none is a permerror. */
static SPF_errcode_t
on_get_spf(SPF_server_t *server, SPF_request_t *request,
    SPF_response_t *response, SPF_record_t **ret)
{
	struct check *c = server->resolver->hook;
	bool is_mx;
	struct str mx;
	struct step *step = step_of(c, str_from(request->cur_dom), &is_mx, &mx);
	if (step == NULL || is_mx || !step_enter(c, step))
		return SPF_E_DNS_ERROR;
	struct str domain = target_of(c, step->term, step->frame->domain);
	struct frame *frame =
	    c->lookup.has_failed ? NULL : frame_load(c, domain);
	if (frame == NULL) {
		spf_lookup_fail(&c->lookup, SPF_PERMERROR,
		    "%.*s has no SPF record", STR_ARG(shown(c->arena, domain)));
		return SPF_E_DNS_ERROR;
	}
	step->frame->sub = frame;
	return record_compile(c, server, response, frame, ret);
}

/* ---- evaluating */

static enum spf_result
result_from(SPF_result_t result)
{
	switch (result) {
	case SPF_RESULT_NEUTRAL:
		return SPF_NEUTRAL;
	case SPF_RESULT_PASS:
		return SPF_PASS;
	case SPF_RESULT_FAIL:
		return SPF_FAIL;
	case SPF_RESULT_SOFTFAIL:
		return SPF_SOFTFAIL;
	case SPF_RESULT_NONE:
		return SPF_NONE;
	case SPF_RESULT_PERMERROR:
		return SPF_PERMERROR;
	case SPF_RESULT_TEMPERROR:
	case SPF_RESULT_INVALID:
		break;
	}
	return SPF_TEMPERROR;
}

static void
request_fill(SPF_request_t *request, const struct ip *client)
{
	struct in_addr v4;
	struct in6_addr v6;
	memcpy(&v4, client->b, sizeof(v4));
	memcpy(&v6, client->b, sizeof(v6));
	(void)(client->is_v6 ? SPF_request_set_ipv6(request, v6)
			     : SPF_request_set_ipv4(request, v4));
	if (SPF_request_set_helo_dom(request, "helo.t") != SPF_E_SUCCESS ||
	    SPF_request_set_env_from(request, "sender@sender.t") !=
		SPF_E_SUCCESS)
		log_fatal("out of memory");
	request->cur_dom = "top.t";
}

/*
 * SPF_request_query_mailfrom() would let clients on the loopback pass without a
 * look at the record, which RFC 7208 does not; so it is gone round.
 */
static enum spf_result
interpret(struct check *c, struct frame *top)
{
	SPF_dns_server_t dns = {.lookup = on_lookup,
	    .get_spf = on_get_spf,
	    .name = "postern",
	    .hook = c};
	SPF_server_t *server = SPF_server_new_dns(&dns, 0);
	SPF_request_t *request =
	    server == NULL ? NULL : SPF_request_new(server);
	SPF_response_t *response =
	    request == NULL ? NULL : SPF_response_new(request);
	if (response == NULL)
		log_fatal("out of memory");
	request_fill(request, &c->lookup.client);
	SPF_record_t *record = NULL;
	enum spf_result result = SPF_TEMPERROR;
	if (record_compile(c, server, response, top, &record) ==
	    SPF_E_SUCCESS) {
		response->spf_record_exp = record;
		(void)SPF_record_interpret(record, request, response, 0);
		result = result_from(SPF_response_result(response));
	}
	if (record != NULL)
		SPF_record_free(record);
	SPF_response_free(response);
	SPF_request_free(request);
	SPF_server_free(server);
	return result;
}

/* ---- what decided */

/* The result of `frame` by what its terms were answered; an earlier term than
 * the last that asked did not match, or there were no later one. */
static enum spf_result
outcome(const struct frame *frame, const struct spf_term **ret_term)
{
	const struct spf_term *last = frame->last, *ignored;
	*ret_term = last;
	if (last != NULL && frame->is_hit)
		return qualifier_result(last->qualifier);
	if (last != NULL && frame->sub != NULL) {
		enum spf_result sub = outcome(frame->sub, &ignored);
		if (last->word == SPF_REDIRECT)
			return sub;
		if (sub == SPF_PASS)
			return qualifier_result(last->qualifier);
	}
	*ret_term = frame->end;
	return frame->end == NULL ? SPF_NEUTRAL
				  : qualifier_result(frame->end->qualifier);
}

/* "include:a.example -> ip4:192.0.2.0/24" */
static void
put_path(struct buf *b, const struct frame *frame)
{
	for (;;) {
		const struct spf_term *term;
		(void)outcome(frame, &term);
		if (term == NULL) {
			buf_put(b, STR("nothing matches"));
			return;
		}
		put_term(b, term);
		if (term != frame->last || frame->sub == NULL)
			return;
		buf_put(b, STR(" -> "));
		frame = frame->sub;
	}
}

/* The terms on the way to where it failed. */
static void
put_failed_path(struct buf *b, const struct frame *frame)
{
	for (; frame != NULL && frame->last != NULL; frame = frame->sub) {
		put_term(b, frame->last);
		buf_put(b, frame->sub != NULL && frame->sub->last != NULL
			       ? STR(" -> ")
			       : STR(": "));
	}
}

static struct str
why_failed(struct check *c)
{
	struct buf *b = buf_new(c->arena, WHY_MAX);
	put_failed_path(b, c->top);
	log_escape(b, c->lookup.why);
	return buf_str(b);
}

/* ---- the explanation (section 6.2) */

/* The record whose exp= counts: not that of an include; that which a redirect
 * leads to. */
static const struct frame *
explaining_frame(const struct frame *frame)
{
	while (frame->last != NULL && frame->last->word == SPF_REDIRECT &&
	       frame->sub != NULL)
		frame = frame->sub;
	return frame;
}

static bool
is_ascii(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.p[i] < ' ' || s.p[i] > '~')
			return false;
	return true;
}

/* Empty: none, or it is broken, which is the same. */
static struct str
explanation(struct check *c)
{
	const struct frame *frame = explaining_frame(c->top);
	const struct spf_term *exp = frame->record.exp;
	struct dns_answer answer;
	if (exp == NULL)
		return STR_EMPTY;
	struct str name = target_of(c, exp, frame->domain);
	if (!spf_lookup_record(&c->lookup, name, &answer) ||
	    answer.records.n != 1)
		return STR_EMPTY;
	struct str text = answer.records.v[0], ret;
	if (spf_macro_check(text, SPF_IN_TEXT) != NULL)
		return STR_EMPTY;
	note_uses(c, text);
	values_for(c, text, frame->domain);
	if (!spf_macro_expand(
		c->arena, text, &c->values, EXPLANATION_MAX, &ret))
		return STR_EMPTY;
	return is_ascii(ret) ? ret : STR_EMPTY;
}

/* ---- the check */

/* Section 2.4: without a sender it is postmaster at HELO; section 4.3: without
 * a local part it is postmaster. */
static void
identity_fill(struct check *c, const struct spf_query *query)
{
	struct str sender = query->sender;
	size_t at = str_rchr(sender, '@');
	struct str domain = sender.len == 0  ? query->helo
			    : at == STR_NONE ? sender
					     : str_skip(sender, at + 1);
	struct str local = sender.len == 0 || at == STR_NONE || at == 0
			       ? STR("postmaster")
			       : str_sub(sender, 0, at);
	domain = domain_normal(c->arena, domain);
	c->has_odd_local = !is_ascii(local);
	c->values.local_part = local;
	c->values.sender_domain = domain;
	c->values.sender =
	    str_printf(c->arena, "%.*s@%.*s", STR_ARG(local), STR_ARG(domain));
	c->values.helo = query->helo;
	c->values.receiver = STR("unknown");
	c->values.client = c->lookup.client;
	c->values.now_wall = clock_wall();
}

static void
answer_none(struct spf_answer *ret, const char *why)
{
	ret->result = SPF_NONE;
	ret->why = str_from(why);
}

static void
answer_failed(struct check *c, struct spf_answer *ret)
{
	ret->result = c->lookup.failure;
	ret->why = why_failed(c);
}

static void
answer_result(struct check *c, const struct spf_query *query,
    enum spf_result result, struct spf_answer *ret)
{
	const struct spf_term *term;
	enum spf_result expected = outcome(c->top, &term);
	struct buf *b = buf_new(c->arena, WHY_MAX);
	put_path(b, c->top);
	ret->result = result;
	if (result != expected) {
		/* Never seen; if it ever is, nobody knows who is right. */
		ret->result = SPF_TEMPERROR;
		buf_printf(b, ": libspf2 finds %s, that is %s",
		    result_names[result], result_names[expected]);
	}
	ret->why = buf_str(b);
	c->lookup.is_over = true;
	if (query->wants_explanation && ret->result == SPF_FAIL)
		ret->explanation = explanation(c);
}

static void
check_host(
    struct check *c, const struct spf_query *query, struct spf_answer *ret)
{
	c->top = frame_load(c, ret->domain);
	ret->record = c->top_text;
	if (c->top == NULL && !c->lookup.has_failed) {
		answer_none(ret, "there is no SPF record");
		return;
	}
	if (c->top == NULL) {
		answer_failed(c, ret);
		return;
	}
	enum spf_result result = interpret(c, c->top);
	if (c->lookup.has_failed)
		answer_failed(c, ret);
	else
		answer_result(c, query, result, ret);
}

void
spf_check(struct arena *a, struct resolver *r, const struct spf_query *query,
    struct dns_budget *budget, struct spf_answer *ret)
{
	struct check c = {.arena = a,
	    .top_text = STR_EMPTY,
	    .lookup = {.arena = a, .resolver = r, .budget = budget}};
	*ret = (struct spf_answer){.domain = STR_EMPTY,
	    .record = STR_EMPTY,
	    .why = STR_EMPTY,
	    .explanation = STR_EMPTY};
	if (!ip_parse(query->address, &c.lookup.client)) {
		ret->result = SPF_PERMERROR;
		ret->why = STR("the client's address is none");
		return;
	}
	identity_fill(&c, query);
	ret->domain = c.values.sender_domain;
	if (str_chr(ret->domain, '.') == STR_NONE)
		answer_none(ret, "the sender has no full domain name");
	else
		check_host(&c, query, ret);
	ret->terms = c.lookup.terms;
	ret->voids = c.lookup.voids;
	ret->ttl_s = c.lookup.ttl_s;
	ret->uses_local_part = c.uses_local_part;
	ret->uses_helo = c.uses_helo;
}
