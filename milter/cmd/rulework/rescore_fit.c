/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rescore_fit -- scores by logistic regression.  A point of score is one unit
 * of log odds, and the threshold is where they are even, so it stays where it
 * is while scores move around it.
 */
#include "cmd/rulework/rescore_fit.h"

#include <math.h>

#include "base/arena.h"
#include "cmd/rulework/logistic.h"
#include "cmd/pool.h"

#define MILLI 1000
#define LEAST_SCORE 0.001
#define NO_FOLD UINT32_MAX

/* What all fits share.  Read only while they run. */
struct deal {
	const struct mass *mass;
	const struct rescore_options *options;
	uint32_t *fold; /* by message */
	struct fitted {
		double *scores;
		enum rescore_kept *kept;
		bool is_settled;
	} * fits; /* one without each fold, then one with all */
	struct arena *arena;
};

static double
round_score(double x)
{
	return round(x * MILLI) / MILLI;
}

/* --- dealing mail to folds ------------------------------------------------ */

/* Sebastiano Vigna's splitmix64: the same numbers everywhere. */
static uint64_t
random_next(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static int
compare_mails(const void *x, const void *y, void *arg)
{
	const struct mass *mass = arg;
	const struct mass_mail *a = &mass->mails.v[*(const uint32_t *)x];
	const struct mass_mail *b = &mass->mails.v[*(const uint32_t *)y];
	if (a->is_spam != b->is_spam)
		return a->is_spam ? 1 : -1;
	return str_cmp(a->file, b->file);
}

static void
shuffle(uint32_t *v, size_t n, uint64_t *state)
{
	for (size_t i = n; i > 1; i--) {
		size_t k = (size_t)(random_next(state) % i);
		uint32_t kept = v[i - 1];
		v[i - 1] = v[k];
		v[k] = kept;
	}
}

/* As much ham and as much spam to each; by names, not by the log's order. */
static void
folds_deal(struct deal *d)
{
	const struct mass *mass = d->mass;
	size_t n = mass->mails.n, ham = mass->count[0];
	uint32_t *order = ARENA_ARRAY(d->arena, uint32_t, n);
	uint64_t state = d->options->seed;
	for (size_t i = 0; i < n; i++)
		order[i] = (uint32_t)i;
	qsort_r(
	    order, n, sizeof(order[0]), compare_mails, (void *)(uintptr_t)mass);
	shuffle(order, ham, &state);
	shuffle(order + ham, n - ham, &state);
	d->fold = ARENA_ARRAY(d->arena, uint32_t, n);
	for (size_t i = 0; i < n; i++)
		d->fold[order[i]] =
		    (uint32_t)((i < ham ? i : i - ham) % d->options->folds);
}

/* --- one fit -------------------------------------------------------------- */

struct problem {
	struct arena *arena;
	const struct deal *deal;
	uint32_t left_out; /* fold; NO_FOLD: none */
	struct fitted *fitted;
	size_t *hits;      /* by rule, in the mail that is fitted to */
	uint32_t *columns; /* by rule: its column + 1; 0: it is fixed */
	double *offset, *importance;
	bool *is_spam;
};

static bool
is_trained(const struct problem *p, size_t mail)
{
	return p->deal->fold[mail] != p->left_out;
}

static void
hits_count(struct problem *p)
{
	const struct mass *mass = p->deal->mass;
	p->hits = ARENA_ARRAY(p->arena, size_t, mass->rules.n);
	for (size_t i = 0; i < mass->mails.n; i++) {
		const struct mass_mail *mail = &mass->mails.v[i];
		for (size_t k = 0; k < mail->nhits && is_trained(p, i); k++)
			p->hits[mass->hits.v[mail->first + k].rule]++;
	}
}

/* A name that a rule file can have. */
static bool
is_name(struct str name)
{
	for (size_t i = 0; i < name.len; i++)
		if (!char_is_word(name.p[i]))
			return false;
	return name.len > 0;
}

static enum rescore_kept
kept_of(const struct problem *p, size_t i)
{
	const struct mass_rule *rule = &p->deal->mass->rules.v[i];
	if (rule->is_sub || rule->score == 0 || rule->type.len == 0 ||
	    !is_name(rule->name))
		return KEPT_UNSCORED;
	if (rule->is_userconf)
		return KEPT_USERCONF;
	return p->hits[i] < p->deal->options->min_hits ? KEPT_RARE : KEPT_NOT;
}

/* Bounds of a score: its sign stays, and it moves only so far. */
static struct logistic_column
column_of(const struct problem *p, size_t i)
{
	double score = p->deal->mass->rules.v[i].score;
	double size = fabs(score), most = p->deal->options->max_change;
	double low = fmax(size - most, fmin(size, LEAST_SCORE));
	double high = size + most;
	return (struct logistic_column){
	    .prior = score,
	    .low = score > 0 ? low : -high,
	    .high = score > 0 ? high : -low,
	};
}

static size_t
columns_make(struct problem *p, struct logistic_column *columns)
{
	const struct mass *mass = p->deal->mass;
	struct logistic_cell **cells =
	    ARENA_ARRAY(p->arena, struct logistic_cell *, mass->rules.n);
	size_t n = 0;
	p->columns = ARENA_ARRAY(p->arena, uint32_t, mass->rules.n);
	for (size_t i = 0; i < mass->rules.n; i++) {
		p->fitted->kept[i] = kept_of(p, i);
		if (p->fitted->kept[i] != KEPT_NOT)
			continue;
		columns[n] = column_of(p, i);
		cells[n] =
		    ARENA_ARRAY(p->arena, struct logistic_cell, p->hits[i]);
		columns[n].cells = cells[n];
		p->columns[i] = (uint32_t)++n;
	}
	for (size_t i = 0; i < mass->mails.n; i++) {
		const struct mass_mail *mail = &mass->mails.v[i];
		for (size_t k = 0; k < mail->nhits && is_trained(p, i); k++) {
			const struct mass_hit *hit =
			    &mass->hits.v[mail->first + k];
			uint32_t c = p->columns[hit->rule];
			if (c > 0)
				cells[c - 1][columns[c - 1].n++] =
				    (struct logistic_cell){
					(uint32_t)i, hit->count};
		}
	}
	return n;
}

/* What is fixed of each message: rules that keep their scores, its side, and
 * how much it matters. */
static void
rows_make(struct problem *p)
{
	const struct mass *mass = p->deal->mass;
	const struct rescore_options *o = p->deal->options;
	size_t n = mass->mails.n;
	p->offset = ARENA_ARRAY(p->arena, double, n);
	p->importance = ARENA_ARRAY(p->arena, double, n);
	p->is_spam = ARENA_ARRAY(p->arena, bool, n);
	/* all ham together weighs ham_weight times as much as all spam */
	double ham =
	    o->ham_weight * (double)mass->count[1] / (double)mass->count[0];
	for (size_t i = 0; i < n; i++) {
		const struct mass_mail *mail = &mass->mails.v[i];
		p->is_spam[i] = mail->is_spam;
		p->importance[i] = !is_trained(p, i) ? 0
				   : mail->is_spam   ? 1
						     : ham;
		p->offset[i] = -o->threshold;
		for (size_t k = 0; k < mail->nhits; k++) {
			const struct mass_hit *hit =
			    &mass->hits.v[mail->first + k];
			if (p->columns[hit->rule] == 0)
				p->offset[i] +=
				    hit->count * mass->rules.v[hit->rule].score;
		}
	}
}

static void
scores_take(struct problem *p, const double *weights)
{
	const struct mass *mass = p->deal->mass;
	for (size_t i = 0; i < mass->rules.n; i++) {
		uint32_t c = p->columns[i];
		p->fitted->scores[i] = c == 0 ? mass->rules.v[i].score
					      : round_score(weights[c - 1]);
	}
}

/* Without fold `i`, or with all of them. */
static void
fit(void *arg, struct arena *a, size_t worker, size_t i)
{
	const struct deal *d = arg;
	struct problem p = {
	    .arena = a,
	    .deal = d,
	    .left_out = i < d->options->folds ? (uint32_t)i : NO_FOLD,
	    .fitted = &d->fits[i],
	};
	(void)worker;
	hits_count(&p);
	struct logistic_column *columns =
	    ARENA_ARRAY(a, struct logistic_column, d->mass->rules.n);
	size_t n = columns_make(&p, columns);
	rows_make(&p);
	double *weights = ARENA_ARRAY(a, double, n);
	struct logistic problem = {
	    .nrows = d->mass->mails.n,
	    .offset = p.offset,
	    .importance = p.importance,
	    .is_positive = p.is_spam,
	    .ncolumns = n,
	    .columns = columns,
	    .deviation = d->options->deviation,
	};
	p.fitted->is_settled = logistic_fit(a, &problem, weights).is_settled;
	scores_take(&p, weights);
}

/* --- what it is worth ----------------------------------------------------- */

/* NULL: the scores of the log. */
static double
score_of(
    const struct mass *mass, const struct mass_mail *mail, const double *scores)
{
	double sum = 0;
	for (size_t k = 0; k < mail->nhits; k++) {
		const struct mass_hit *hit = &mass->hits.v[mail->first + k];
		sum += hit->count * (scores == NULL
					    ? mass->rules.v[hit->rule].score
					    : scores[hit->rule]);
	}
	return round_score(sum);
}

static void
errors_count(const struct deal *d, struct rescore *ret)
{
	const struct mass *mass = d->mass;
	double threshold = d->options->threshold;
	for (size_t i = 0; i < mass->mails.n; i++) {
		const struct mass_mail *mail = &mass->mails.v[i];
		uint32_t fold = d->fold[i];
		double before = score_of(mass, mail, NULL);
		double after = score_of(mass, mail, d->fits[fold].scores);
		double fitted = score_of(mass, mail, ret->scores);
		struct rescore_errors *held[] = {
		    &ret->folds[fold], &ret->held_out};
		for (size_t k = 0; k < COUNT_OF(held); k++) {
			mass_errors_add(
			    &held[k]->before, mail->is_spam, before, threshold);
			mass_errors_add(
			    &held[k]->after, mail->is_spam, after, threshold);
		}
		mass_errors_add(
		    &ret->fitted.before, mail->is_spam, before, threshold);
		mass_errors_add(
		    &ret->fitted.after, mail->is_spam, fitted, threshold);
	}
}

static void
fits_run(struct deal *d)
{
	size_t n = (size_t)d->options->folds + 1;
	struct pool pool = {
	    .n = n,
	    .jobs = d->options->jobs,
	    .work = fit,
	    .arg = d,
	};
	d->fits = ARENA_ARRAY(d->arena, struct fitted, n);
	for (size_t i = 0; i < n; i++) {
		d->fits[i].scores =
		    ARENA_ARRAY(d->arena, double, d->mass->rules.n);
		d->fits[i].kept =
		    ARENA_ARRAY(d->arena, enum rescore_kept, d->mass->rules.n);
	}
	pool_run(&pool);
}

bool
rescore_fit(struct arena *a, const struct mass *mass,
    const struct rescore_options *options, struct rescore *ret)
{
	struct deal d = {.mass = mass, .options = options, .arena = a};
	if (mass->count[0] < options->folds || mass->count[1] < options->folds)
		return false;
	folds_deal(&d);
	fits_run(&d);
	const struct fitted *all = &d.fits[options->folds];
	*ret = (struct rescore){
	    .scores = all->scores,
	    .kept = all->kept,
	    .folds =
		ARENA_ARRAY(a, struct rescore_errors, (size_t)options->folds),
	    .is_settled = true,
	};
	for (size_t i = 0; i <= options->folds; i++)
		ret->is_settled = ret->is_settled && d.fits[i].is_settled;
	errors_count(&d, ret);
	return true;
}
