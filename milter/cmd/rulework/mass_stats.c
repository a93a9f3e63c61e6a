/* SPDX-License-Identifier: BSD-2-Clause */
/* mass_stats -- what the log of masscheck says of rules and thresholds. */
#include "cmd/rulework/mass_stats.h"

#include <math.h>

#include "base/arena.h"

double
mass_rate(size_t hits, size_t messages)
{
	return messages == 0 ? 0 : (double)hits / (double)messages;
}

double
mass_rate_bound(size_t hits, size_t messages)
{
	const double z = 1.959964; /* 97.5 % of a normal distribution */
	double n = (double)messages, p = mass_rate(hits, messages);
	if (messages == 0)
		return 1;
	double middle = p + z * z / (2 * n);
	double half = z * sqrt(p * (1 - p) / n + z * z / (4 * n * n));
	return (middle + half) / (1 + z * z / n);
}

double
mass_spam_over_all(const struct mass *mass, const struct mass_rule *rule)
{
	double ham = mass_rate(rule->hits[0], mass->count[0]);
	double spam = mass_rate(rule->hits[1], mass->count[1]);
	return ham + spam == 0 ? 0 : spam / (ham + spam);
}

/* Entropy of a coin, in bits. */
static double
entropy(double p)
{
	if (p <= 0 || p >= 1)
		return 0;
	return -p * log2(p) - (1 - p) * log2(1 - p);
}

double
mass_information(const struct mass *mass, const struct mass_rule *rule)
{
	double ham = mass_rate(rule->hits[0], mass->count[0]);
	double spam = mass_rate(rule->hits[1], mass->count[1]);
	double bits =
	    entropy((ham + spam) / 2) - (entropy(ham) + entropy(spam)) / 2;
	bool is_nice = rule->score < 0 || rule->is_nice;
	bool is_against = is_nice ? spam > ham : ham > spam;
	if (bits < 0)
		bits = 0; /* the last digit */
	return is_against && !rule->is_sub ? -bits : bits;
}

static int
compare_ranked(const void *x, const void *y, void *arg)
{
	const struct mass *mass = arg;
	const struct mass_ranked *a = x, *b = y;
	if (a->information != b->information)
		return a->information > b->information ? -1 : 1;
	return str_cmp(
	    mass->rules.v[a->rule].name, mass->rules.v[b->rule].name);
}

struct mass_ranked *
mass_rank(struct arena *a, const struct mass *mass, size_t *ret_n)
{
	size_t n = 0;
	struct mass_ranked *v =
	    ARENA_ARRAY(a, struct mass_ranked, mass->rules.n);
	for (size_t i = 0; i < mass->rules.n; i++) {
		const struct mass_rule *rule = &mass->rules.v[i];
		if (rule->hits[0] + rule->hits[1] == 0)
			continue;
		v[n++] = (struct mass_ranked){
		    .rule = (uint32_t)i,
		    .information = mass_information(mass, rule),
		};
	}
	qsort_r(v, n, sizeof(v[0]), compare_ranked, (void *)(uintptr_t)mass);
	for (size_t i = 0; i < n; i++) {
		bool is_tied =
		    i > 0 && v[i].information == v[i - 1].information;
		v[i].rank = is_tied  ? v[i - 1].rank
			    : n == 1 ? 1
				     : 1 - (double)i / (double)(n - 1);
	}
	*ret_n = n;
	return v;
}

/* --- pairs ---------------------------------------------------------------- */

/* Which messages each rule hits: of[from[rule]] to of[from[rule + 1] - 1]. */
struct postings {
	size_t *from;
	uint32_t *of;
};

static struct postings
postings_new(struct arena *a, const struct mass *mass)
{
	struct postings p = {
	    .from = ARENA_ARRAY(a, size_t, mass->rules.n + 2),
	};
	for (size_t i = 0; i < mass->rules.n; i++)
		p.from[i + 2] = p.from[i + 1] + mass->rules.v[i].hits[0] +
				mass->rules.v[i].hits[1];
	p.of = ARENA_ARRAY(a, uint32_t, p.from[mass->rules.n + 1]);
	for (size_t i = 0; i < mass->mails.n; i++) {
		const struct mass_mail *mail = &mass->mails.v[i];
		for (size_t k = 0; k < mail->nhits; k++) {
			uint32_t rule = mass->hits.v[mail->first + k].rule;
			p.of[p.from[rule + 1]++] = (uint32_t)i;
		}
	}
	return p;
}

/* How often each rule hits where `rule` does. */
static void
together_count(const struct mass *mass, const struct postings *p, size_t rule,
    uint32_t *ret)
{
	memset(ret, 0, mass->rules.n * sizeof(ret[0]));
	for (size_t i = p->from[rule]; i < p->from[rule + 1]; i++) {
		const struct mass_mail *mail = &mass->mails.v[p->of[i]];
		for (size_t k = 0; k < mail->nhits; k++)
			ret[mass->hits.v[mail->first + k].rule]++;
	}
}

static uint32_t
hits_of(const struct mass *mass, size_t rule)
{
	return mass->rules.v[rule].hits[0] + mass->rules.v[rule].hits[1];
}

/* Each pair once: with the rule that hits more, or comes first. */
static bool
is_first_of_pair(const struct mass *mass, size_t a, size_t b)
{
	uint32_t x = hits_of(mass, a), y = hits_of(mass, b);
	return x != y ? x > y : a < b;
}

static int
compare_pairs(const void *x, const void *y, void *arg)
{
	const struct mass *mass = arg;
	const struct mass_pair *p = x, *q = y;
	if (p->share != q->share)
		return p->share > q->share ? -1 : 1;
	if (p->both != q->both)
		return p->both > q->both ? -1 : 1;
	int order = str_cmp(mass->rules.v[p->a].name, mass->rules.v[q->a].name);
	return order != 0 ? order
			  : str_cmp(mass->rules.v[p->b].name,
				mass->rules.v[q->b].name);
}

void
mass_overlap(struct arena *a, const struct mass *mass, double share,
    uint32_t least, struct mass_pairs *ret)
{
	struct postings p = postings_new(a, mass);
	uint32_t *together = ARENA_ARRAY(a, uint32_t, mass->rules.n + 1);
	*ret = (struct mass_pairs){0};
	for (size_t i = 0; i < mass->rules.n; i++) {
		if (hits_of(mass, i) < least || hits_of(mass, i) == 0)
			continue;
		together_count(mass, &p, i, together);
		for (size_t k = 0; k < mass->rules.n; k++) {
			uint32_t both = together[k];
			if (k == i || both == 0 || both < least ||
			    !is_first_of_pair(mass, i, k))
				continue;
			uint32_t either =
			    hits_of(mass, i) + hits_of(mass, k) - both;
			double part = mass_rate(both, either);
			if (part >= share)
				ARENA_PUSH(a, ret) = (struct mass_pair){
				    .a = (uint32_t)i,
				    .b = (uint32_t)k,
				    .both = both,
				    .share = part,
				};
		}
	}
	if (ret->n > 0)
		qsort_r(ret->v, ret->n, sizeof(ret->v[0]), compare_pairs,
		    (void *)(uintptr_t)mass);
}

/* --- thresholds ----------------------------------------------------------- */

void
mass_errors_add(
    struct mass_errors *errors, bool is_spam, double score, double threshold)
{
	bool is_caught = score >= threshold;
	errors->ham += !is_spam;
	errors->spam += is_spam;
	errors->false_positives += !is_spam && is_caught;
	errors->false_negatives += is_spam && !is_caught;
}

struct mass_errors
mass_errors_at(const struct mass *mass, struct str class, double threshold)
{
	struct mass_errors errors = {0};
	for (size_t i = 0; i < mass->mails.n; i++) {
		const struct mass_mail *mail = &mass->mails.v[i];
		if (class.len > 0 && !str_eq(mail->class, class))
			continue;
		mass_errors_add(&errors, mail->is_spam, mail->score, threshold);
	}
	return errors;
}

double
mass_tcr(const struct mass_errors *errors, double lambda)
{
	double harm = lambda * (double)errors->false_positives +
		      (double)errors->false_negatives;
	return harm == 0 ? INFINITY : (double)errors->spam / harm;
}
