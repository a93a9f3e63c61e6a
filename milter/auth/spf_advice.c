/* SPDX-License-Identifier: BSD-2-Clause */
/* spf_advice -- what to publish. */
#include "auth/spf_advice.h"

#include <stdarg.h>

#include "auth/spf.h"
#include "auth/spf_lookup.h"
#include "auth/spf_repair.h"
#include "auth/spf_survey.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/log.h"
#include "base/table.h"

#define RECORD_MAX 65535
#define NOTE_MAX 8192
/* RFC 7208 section 3.4: what surely fits into one answer of 512 bytes. */
#define RECORD_SOFT 450
/* Terms to replace; redirects may lead round and round. */
#define ROUNDS_MAX 100
/* Terms of a broken record: nobody mends more. */
#define BROKEN_MAX 1000

struct advice {
	struct arena *arena;
	struct resolver *resolver; /* the real one */
	struct dns_budget *budget;
	struct str domain;
	struct ip *ips; /* that must pass */
	size_t nips;
	size_t nrecords;   /* at present */
	struct strs terms; /* of the record as it is being made */
	struct buf *note;
	struct str temp;
	struct table *surveys; /* by the text of a term */
	struct table *answers; /* by type and name; see overlay() */
	struct str draft;
};

static void note(struct advice *d, const char *fmt, ...) PRINTF_LIKE(2, 3);
static void
note(struct advice *d, const char *fmt, ...)
{
	char text[1000];
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (d->note->len > 0)
		buf_put(d->note, STR("; "));
	log_escape(d->note, str_from(text));
}

/* ---- a record that is not published yet */

static struct str
text_of(struct advice *d, const struct strs *terms)
{
	struct buf *b = buf_new(d->arena, RECORD_MAX);
	buf_put(b, STR("v=spf1"));
	for (size_t i = 0; i < terms->n; i++) {
		buf_putc(b, ' ');
		buf_put(b, terms->v[i]);
	}
	return buf_str(b);
}

/* A resolver_source: the world, with the draft at our domain. */
static void
overlay(void *arg, struct arena *a, struct str name, enum dns_type type,
    struct dns_answer *ret)
{
	struct advice *d = arg;
	if (type == DNS_TXT && str_eq(name, d->domain)) {
		strs_add(a, &ret->records, d->draft);
		return;
	}
	/* a name may have any byte */
	struct buf *b = buf_new(d->arena, name.len + 16);
	buf_printf(b, "%d ", (int)type);
	buf_put(b, name);
	struct str key = buf_str(b);
	struct dns_answer *answer = table_get(d->answers, key);
	if (answer == NULL) {
		answer = ARENA_NEW(d->arena, struct dns_answer);
		resolver_ask(d->resolver, d->arena, str_dup(d->arena, name),
		    type, d->budget, answer);
		table_set(d->answers, key, answer);
	}
	*ret = *answer;
}

static enum spf_result
draft_check(struct advice *d, const struct strs *terms, const struct ip *ip)
{
	struct arena *a = arena_new();
	struct resolver *r = resolver_new_source(overlay, d);
	struct dns_budget budget = {
	    .deadline_ms = d->budget->deadline_ms, .questions = 1000};
	struct spf_query query = {.address = ip_text(a, ip),
	    .helo = d->domain,
	    .sender = str_printf(a, "postmaster@%.*s", STR_ARG(d->domain))};
	struct spf_answer answer;
	d->draft = text_of(d, terms);
	spf_check(a, r, &query, &budget, &answer);
	if (answer.result == SPF_TEMPERROR && d->temp.len == 0)
		d->temp = str_dup(d->arena, answer.why);
	resolver_free(r);
	arena_free(a);
	return answer.result;
}

static bool
all_pass(struct advice *d, const struct strs *terms)
{
	for (size_t i = 0; i < d->nips; i++)
		if (draft_check(d, terms, &d->ips[i]) != SPF_PASS)
			return false;
	return true;
}

/* ---- the present record */

/* Words that are no terms, mended or left out. */
static void
add_word(struct advice *d, struct str word)
{
	struct spf_term term;
	struct str mended;
	const char *why = spf_term_parse(word, &term);
	if (why == NULL) {
		strs_add(d->arena, &d->terms, word);
	} else if (spf_term_repair(d->arena, word, &mended)) {
		strs_add(d->arena, &d->terms, mended);
		note(d, "\"%.*s\" is broken (%s) and taken for %.*s",
		    STR_ARG(word), why, STR_ARG(mended));
	} else {
		note(d, "\"%.*s\" is broken (%s) and left out", STR_ARG(word),
		    why);
	}
}

static enum spf_word
word_of(struct str text, struct spf_term *ret)
{
	if (spf_term_parse(text, ret) != NULL)
		ret->word = SPF_OTHER;
	return ret->word;
}

/* The terms that mean something: up to all. */
static size_t
nlive(const struct strs *terms)
{
	struct spf_term term;
	for (size_t i = 0; i < terms->n; i++)
		if (word_of(terms->v[i], &term) == SPF_ALL)
			return i + 1;
	return terms->n;
}

static bool
has_all(const struct strs *terms)
{
	struct spf_term term;
	size_t n = nlive(terms);
	return n > 0 && word_of(terms->v[n - 1], &term) == SPF_ALL;
}

/* The terms of `text`; blanks that are none in an SPF record were meant as
 * blanks. */
static void
add_broken(struct advice *d, struct str text)
{
	struct strs before = d->terms;
	struct str rest = str_skip(text, STR("v=spf1").len);
	d->terms = (struct strs){0};
	for (struct str word; (word = str_word(&rest)).len > 0;)
		if (d->terms.n < BROKEN_MAX)
			add_word(d, word);
	d->terms.n = nlive(&d->terms);
	for (size_t i = 0; i < d->terms.n; i++)
		strs_add(d->arena, &before, d->terms.v[i]);
	d->terms = before;
}

static void
add_fine(struct advice *d, struct str text)
{
	struct str rest = str_skip(text, STR("v=spf1").len);
	while (rest.len > 0) {
		struct str word = str_cut(&rest, ' ');
		if (word.len > 0)
			strs_add(d->arena, &d->terms, word);
	}
}

/* `text` may not be there again, or not beside what is in `terms`. */
static bool
is_too_often(const struct strs *terms, struct str text)
{
	struct spf_term term, other;
	enum spf_word word = word_of(text, &term);
	if (strs_ihas(terms, text))
		return true;
	if (word != SPF_ALL && word != SPF_REDIRECT && word != SPF_EXP)
		return false;
	for (size_t i = 0; i < terms->n; i++)
		if (word_of(terms->v[i], &other) == word)
			return true;
	return false;
}

/* A redirect of one of several records would be ignored beside the all of
 * another; as an include it still counts. */
static struct str
as_include(struct advice *d, struct str text)
{
	struct spf_term term;
	if (d->nrecords < 2 || word_of(text, &term) != SPF_REDIRECT)
		return text;
	return str_printf(d->arena, "include:%.*s", STR_ARG(term.target));
}

/* Several records became one, or one had something twice. */
static void
keep_one_of_each(struct advice *d)
{
	struct strs old = d->terms, kept = {0}, all = {0};
	struct spf_term term;
	for (size_t i = 0; i < old.n; i++) {
		struct str text = as_include(d, old.v[i]);
		bool is_all = word_of(text, &term) == SPF_ALL;
		if (is_too_often(is_all ? &all : &kept, text))
			note(d, "%.*s is there once too often",
			    STR_ARG(old.v[i]));
		else
			strs_add(d->arena, is_all ? &all : &kept, text);
	}
	for (size_t i = 0; i < all.n; i++)
		strs_add(d->arena, &kept, all.v[i]);
	d->terms = kept;
}

/* False: not answered. */
static bool
ask_present(struct advice *d, struct strs *ret)
{
	struct dns_answer answer;
	resolver_ask(
	    d->resolver, d->arena, d->domain, DNS_TXT, d->budget, &answer);
	if (answer.status == DNS_TEMP)
		d->temp = str_from(answer.why);
	for (size_t i = 0; i < answer.records.n; i++)
		if (spf_record_is(answer.records.v[i]))
			strs_add(d->arena, ret, answer.records.v[i]);
	return answer.status != DNS_TEMP;
}

static bool
is_fine_record(struct advice *d, struct str text)
{
	struct spf_record record;
	struct spf_fault fault;
	return spf_record_parse(d->arena, text, &record, &fault);
}

/* The terms of all records there are.  `*ret_present` is the only one, if it
 * has no error. */
static void
read_present(
    struct advice *d, const struct strs *records, struct str *ret_present)
{
	d->nrecords = records->n;
	if (records->n == 1 && is_fine_record(d, records->v[0])) {
		*ret_present = records->v[0];
		add_fine(d, records->v[0]);
		return;
	}
	if (records->n > 1)
		note(d, "%zu records, which is an error, are made one",
		    records->n);
	for (size_t i = 0; i < records->n; i++)
		add_broken(d, records->v[i]);
	keep_one_of_each(d);
}

/* ---- lookups */

static const struct spf_survey *
survey_of(struct advice *d, struct str text)
{
	struct spf_survey *survey = table_get(d->surveys, text);
	struct spf_term term;
	if (survey != NULL)
		return survey;
	(void)word_of(text, &term);
	term.text = text;
	survey = ARENA_NEW(d->arena, struct spf_survey);
	if (term.word == SPF_OTHER)
		*survey =
		    (struct spf_survey){.fault = STR_EMPTY, .temp = STR_EMPTY};
	else
		spf_survey(
		    d->arena, d->resolver, d->budget, d->domain, &term, survey);
	if (survey->temp.len > 0 && d->temp.len == 0)
		d->temp = survey->temp;
	table_set(d->surveys, text, survey);
	return survey;
}

/* It is never evaluated: a redirect beside all. */
static bool
is_unused(struct advice *d, struct str text)
{
	struct spf_term term;
	return word_of(text, &term) == SPF_REDIRECT && has_all(&d->terms);
}

/* Of somebody whom nothing before the end matches. */
static unsigned
lookups(struct advice *d)
{
	unsigned n = 0;
	size_t nterms = nlive(&d->terms);
	for (size_t i = 0; i < nterms; i++)
		if (!is_unused(d, d->terms.v[i]))
			n += survey_of(d, d->terms.v[i])->lookups;
	return n;
}

static void
leave_out(struct advice *d, size_t i, struct str why)
{
	note(d, "%.*s is left out: %.*s", STR_ARG(d->terms.v[i]), STR_ARG(why));
	for (size_t j = i + 1; j < d->terms.n; j++)
		d->terms.v[j - 1] = d->terms.v[j];
	d->terms.n--;
}

/* What makes a permerror of the whole record for some. */
static void
leave_out_faults(struct advice *d)
{
	size_t n = nlive(&d->terms);
	for (size_t i = 0; i < n;) {
		struct str text = d->terms.v[i];
		const struct spf_survey *s = survey_of(d, text);
		if (s->fault.len > 0 && !is_unused(d, text)) {
			leave_out(d, i, s->fault);
			n--;
		} else {
			i++;
		}
	}
}

static void
leave_out_voids(struct advice *d)
{
	unsigned nvoids = 0;
	size_t n = nlive(&d->terms);
	for (size_t i = 0; i < n; i++)
		nvoids += survey_of(d, d->terms.v[i])->is_void ? 1 : 0;
	if (nvoids <= SPF_VOIDS_MAX)
		return;
	for (size_t i = n; i-- > 0;)
		if (survey_of(d, d->terms.v[i])->is_void)
			leave_out(d, i, STR("it finds nothing"));
}

/* The costliest term that can be replaced by addresses; STR_NONE: none. */
static size_t
costliest(struct advice *d)
{
	size_t found = STR_NONE;
	unsigned most = 0;
	size_t n = nlive(&d->terms);
	for (size_t i = 0; i < n; i++) {
		struct spf_term term;
		const struct spf_survey *s = survey_of(d, d->terms.v[i]);
		bool is_fit = !s->is_fluid &&
			      word_of(d->terms.v[i], &term) != SPF_REDIRECT;
		if (is_fit && s->lookups > most) {
			most = s->lookups;
			found = i;
		}
	}
	return found;
}

static struct str
block_term(struct arena *a, const struct ip_block *block, char qualifier)
{
	char q[2] = {qualifier == '+' ? '\0' : qualifier, '\0'};
	return str_printf(a, "%s%s:%.*s", q, block->ip.is_v6 ? "ip6" : "ip4",
	    STR_ARG(ip_block_text(a, block)));
}

static void
flatten(struct advice *d, size_t at)
{
	struct strs old = d->terms;
	struct spf_term term;
	const struct spf_survey *s = survey_of(d, old.v[at]);
	(void)word_of(old.v[at], &term);
	d->terms = (struct strs){0};
	for (size_t i = 0; i < old.n; i++) {
		if (i != at) {
			strs_add(d->arena, &d->terms, old.v[i]);
			continue;
		}
		for (size_t j = 0; j < s->blocks.n; j++)
			strs_add(d->arena, &d->terms,
			    block_term(
				d->arena, &s->blocks.v[j], term.qualifier));
	}
	note(d,
	    "%.*s (%u lookups) is replaced by its addresses of today, %zu: "
	    "look again when they change",
	    STR_ARG(old.v[at]), s->lookups, s->blocks.n);
}

/* `term` of the record of `domain` as it would be in that of another. */
static struct str
moved_term(struct arena *a, const struct spf_term *term, struct str domain)
{
	bool has_own_domain = term->target.len == 0 && spf_term_asks(term);
	if (!has_own_domain)
		return term->text;
	size_t end = str_chr(term->text, '/');
	if (end == STR_NONE)
		end = term->text.len;
	return str_printf(a, "%.*s:%.*s%.*s",
	    STR_ARG(str_sub(term->text, 0, end)), STR_ARG(domain),
	    STR_ARG(str_skip(term->text, end)));
}

/* Put the terms of the record that a redirect leads to in its place.  False:
 * there is none, or it has macros, which would mean something else then. */
static bool
inline_redirect(struct advice *d)
{
	struct spf_term term = {.word = SPF_OTHER};
	struct spf_record record;
	struct spf_survey survey = {0};
	size_t at = 0;
	while (
	    at < d->terms.n && word_of(d->terms.v[at], &term) != SPF_REDIRECT)
		at++;
	if (at == d->terms.n || has_all(&d->terms) ||
	    !spf_survey_record(d->arena, d->resolver, d->budget, term.target,
		&record, &survey))
		return false;
	for (size_t i = 0; i < record.n; i++)
		if (str_chr(record.v[i].text, '%') != STR_NONE)
			return false;
	note(d, "%.*s is replaced by the terms of that record",
	    STR_ARG(d->terms.v[at]));
	for (size_t i = at + 1; i < d->terms.n; i++)
		d->terms.v[i - 1] = d->terms.v[i];
	d->terms.n--;
	for (size_t i = 0; i < record.n; i++)
		strs_add(d->arena, &d->terms,
		    moved_term(d->arena, &record.v[i], term.target));
	return true;
}

static void
flatten_until_it_fits(struct advice *d)
{
	unsigned n = lookups(d);
	if (n > SPF_TERMS_MAX)
		note(d, "%u lookups are more than the %d allowed", n,
		    SPF_TERMS_MAX);
	for (int i = 0; i < ROUNDS_MAX && lookups(d) > SPF_TERMS_MAX; i++) {
		size_t at = costliest(d);
		if (at != STR_NONE)
			flatten(d, at);
		else if (!inline_redirect(d))
			return;
	}
}

/* ---- our addresses */

static struct strs
missing(struct advice *d)
{
	struct strs list = {0};
	for (size_t i = 0; i < d->nips; i++) {
		struct ip_block block = {d->ips[i], ip_bits(&d->ips[i])};
		if (draft_check(d, &d->terms, &d->ips[i]) != SPF_PASS)
			strs_add(
			    d->arena, &list, block_term(d->arena, &block, '+'));
	}
	return list;
}

static struct strs
inserted(struct advice *d, const struct strs *new, size_t at)
{
	struct strs list = {0};
	for (size_t i = 0; i <= d->terms.n; i++) {
		for (size_t j = 0; i == at && j < new->n; j++)
			strs_add(d->arena, &list, new->v[j]);
		if (i < d->terms.n)
			strs_add(d->arena, &list, d->terms.v[i]);
	}
	return list;
}

/* The first all or redirect; the first term that may decide otherwise. */
static size_t
place_for(const struct strs *terms, bool is_before_others)
{
	size_t i = 0;
	for (; i < terms->n; i++) {
		struct spf_term term;
		enum spf_word word = word_of(terms->v[i], &term);
		if (word == SPF_ALL || word == SPF_REDIRECT ||
		    (is_before_others && term.qualifier != '+'))
			break;
	}
	return i;
}

static void
insert_missing(struct advice *d)
{
	struct strs new = missing(d);
	if (new.n == 0)
		return;
	size_t places[] = {
	    place_for(&d->terms, false), place_for(&d->terms, true), 0};
	struct strs draft = {0};
	for (size_t i = 0; i < COUNT_OF(places); i++) {
		draft = inserted(d, &new, places[i]);
		if (all_pass(d, &draft))
			break;
	}
	struct buf *b = buf_new(d->arena, 600);
	for (size_t i = 0; i < new.n; i++)
		buf_printf(b, "%s%.*s", i > 0 ? " " : "", STR_ARG(new.v[i]));
	note(d, "added: %.*s", STR_ARG(buf_str(b)));
	d->terms = draft;
}

/* ---- the whole */

/*
 * Without a record nobody has thought about who else sends for the domain, and
 * -all would have their mail refused.
 */
static void
begin_new(struct advice *d)
{
	strs_add(d->arena, &d->terms, STR("~all"));
	note(d, "a new record; ~all, because other hosts may send "
		"for the domain: make it -all when you know that none does");
}

static void
note_record(struct advice *d, struct str record)
{
	struct spf_term term;
	size_t n = nlive(&d->terms);
	if (has_all(&d->terms) &&
	    word_of(d->terms.v[n - 1], &term) == SPF_ALL &&
	    term.qualifier == '+')
		note(d, "%.*s lets anybody pass", STR_ARG(d->terms.v[n - 1]));
	if (record.len > RECORD_SOFT)
		note(d,
		    "%zu bytes are more than %d, which surely fit into one "
		    "answer",
		    record.len, RECORD_SOFT);
}

static void
read_addresses(struct advice *d, const struct strs *addresses)
{
	d->ips = ARENA_ARRAY(d->arena, struct ip, addresses->n);
	for (size_t i = 0; i < addresses->n; i++) {
		if (ip_parse(addresses->v[i], &d->ips[d->nips]))
			d->nips++;
		else
			note(d, "%.*s is no address", STR_ARG(addresses->v[i]));
	}
}

static bool
works(struct advice *d)
{
	return lookups(d) <= SPF_TERMS_MAX && all_pass(d, &d->terms);
}

/* Change what there is, or make something, until it works. */
static void
mend(struct advice *d)
{
	leave_out_faults(d);
	leave_out_voids(d);
	if (d->terms.n == 0)
		begin_new(d);
	flatten_until_it_fits(d);
	insert_missing(d);
}

static enum spf_advice_status
conclude(struct advice *d, struct str present, struct str was,
    struct str *ret_record)
{
	bool is_good = works(d);
	if (d->temp.len > 0) {
		note(d, "the DNS did not answer: %.*s", STR_ARG(d->temp));
		*ret_record = STR_EMPTY;
		return SPF_ADVICE_TEMP;
	}
	struct str text = text_of(d, &d->terms);
	note_record(d, text);
	if (!is_good) {
		note(d, "this still does not do: it needs %u lookups",
		    lookups(d));
		*ret_record = text;
		return SPF_ADVICE_FAILED;
	}
	bool is_same = was.len > 0 && str_eq(was, text);
	*ret_record = is_same ? present : text;
	return is_same ? SPF_ADVICE_KEEP : SPF_ADVICE_PUBLISH;
}

enum spf_advice_status
spf_advise(struct arena *a, struct resolver *r, struct str domain,
    const struct strs *addresses, struct dns_budget *budget,
    struct str *ret_record, struct str *ret_note)
{
	struct advice d = {.arena = a,
	    .resolver = r,
	    .budget = budget,
	    .domain = domain,
	    .note = buf_new(a, NOTE_MAX),
	    .temp = STR_EMPTY,
	    .surveys = table_new(a, false),
	    .answers = table_new(a, false)};
	struct str present = STR_EMPTY, was = STR_EMPTY;
	struct strs records = {0};
	read_addresses(&d, addresses);
	if (ask_present(&d, &records)) {
		read_present(&d, &records, &present);
		if (present.len > 0)
			was = text_of(&d, &d.terms);
		mend(&d);
	}
	enum spf_advice_status status = conclude(&d, present, was, ret_record);
	*ret_note = buf_str(d.note);
	return status;
}
