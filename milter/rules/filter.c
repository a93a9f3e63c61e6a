/* SPDX-License-Identifier: BSD-2-Clause */
/* filter -- the prefilters of a rule set: which rules go into which. */
#include <errno.h>

#include "base/arena.h"
#include "base/table.h"
#include "rules/capture.h"
#include "rules/demand.h"
#include "rules/factor.h"
#include "rules/heads.h"
#include "rules/hs_db.h"
#include "rules/literal_set.h"
#include "rules/look.h"
#include "rules/look_cache.h"
#include "rules/prefilter.h"
#include "rules/regex.h"
#include "rules/rule.h"
#include "rules/sample.h"
#include "rules/stretch.h"

/* Fewer regexes than this are tried sooner than a pass begins. */
#define REGEXES_MIN 4
/* A regex that takes longer for a byte is worth a look of its own... */
#define SLOW_NS 4
/* ... that must be so many times faster. */
#define LOOK_GAIN 2

/* FILTER_NONE: the rule has no regex that is tried on a view. */
static size_t
view_of(const struct rule *rule)
{
	return rule->regex != NULL && rule_is_live(rule) ? rule->view
							 : FILTER_NONE;
}

/* What is known of it, whatever a message fills in. */
static struct str
pattern_of(struct arena *a, const struct rule *rule)
{
	return rule->tag.len == 0 ? rule->pattern
				  : capture_gap(a, rule->pattern, rule->tag);
}

/* How many regexes look at each view. */
static size_t *
views_count(const struct ruleset *rules, struct arena *a, size_t n)
{
	size_t *counts = ARENA_ARRAY(a, size_t, n);
	for (size_t i = 0; i < rules->rules.n; i++) {
		size_t view = view_of(rules->rules.v[i]);
		if (view != FILTER_NONE)
			counts[view]++;
	}
	return counts;
}

static void
regex_try(const struct regex *regex, const struct starts *starts,
    struct regex_scratch *scratch, struct str text)
{
	struct places places;
	struct regex_span unused;
	size_t from = 0;
	regex_next_text(scratch);
	while (starts_next(starts, text, from, text.len, &places) &&
	       regex_match_within(regex, scratch, text, places.first,
		   places.last, false, &unused) == REGEX_NO)
		from = places.last + 1;
}

/*
 * How a regex does on the sample texts, if it is tried at `starts`: ns of CPU a
 * byte.
 */
static double
regex_cost(const struct regex *regex, const struct starts *starts,
    struct regex_scratch *scratch, int64_t (*cpu_ns)(void))
{
	size_t bytes = 0;
	int64_t start = cpu_ns();
	for (size_t i = 0; SAMPLE_TEXTS[i] != NULL; i++) {
		struct str text = str_from(SAMPLE_TEXTS[i]);
		regex_try(regex, starts, scratch, text);
		bytes += text.len;
	}
	return (double)(cpu_ns() - start) / (double)bytes;
}

static double
look_cost(const struct look *look, int64_t (*cpu_ns)(void))
{
	size_t bytes = 0;
	int64_t start = cpu_ns();
	for (size_t i = 0; SAMPLE_TEXTS[i] != NULL; i++) {
		struct str text = str_from(SAMPLE_TEXTS[i]);
		(void)look_may_match(look, text);
		bytes += text.len;
	}
	return (double)(cpu_ns() - start) / (double)bytes;
}

/* What looks are made with. */
struct looking {
	const struct ruleset *rules;
	const struct filter_options *options;
	struct arena *arena;
	struct arena *work; /* until all are made */
	struct hs_pool *pool;
	struct regex_scratch *scratch;
	struct look_cache *cache;
	struct filter_made *made;
	struct rule_looks *v; /* by rule id */
};

static struct look *
look_make(struct looking *l, const struct rule *rule, struct str pattern)
{
	int64_t (*cpu_ns)(void) = l->options->cpu_ns;
	const struct starts *starts = l->v[rule->id].starts;
	/* the first time is for the caches */
	(void)regex_cost(rule->regex, starts, l->scratch, cpu_ns);
	double cost = regex_cost(rule->regex, starts, l->scratch, cpu_ns);
	if (cost < SLOW_NS)
		return NULL;
	struct look *look = look_new(l->arena, l->pool, pattern);
	if (look == NULL)
		return NULL;
	(void)look_cost(look, cpu_ns);
	return look_cost(look, cpu_ns) * LOOK_GAIN < cost ? look : NULL;
}

/* NULL: the regex is quick enough by itself. */
static struct look *
look_for(struct looking *l, const struct rule *rule)
{
	struct str bytes = STR_EMPTY;
	struct str pattern = regex_pattern(l->work, rule->pattern);
	struct look *look = NULL;
	bool is_known = look_cache_get(l->cache, pattern, &bytes);
	if (bytes.len > 0)
		look = look_from_bytes(l->arena, l->pool, bytes);
	if (look == NULL && (!is_known || bytes.len > 0)) {
		look = look_make(l, rule, pattern);
		look_cache_put(l->cache, pattern,
		    look == NULL ? STR_EMPTY : look_bytes(l->work, look));
	}
	return look;
}

static bool
is_cancelled(const struct filter_options *options)
{
	return options->is_cancelled != NULL &&
	       options->is_cancelled(options->arg);
}

/* One that leaves everything, in `a`. */
static struct filter *
filter_empty(struct arena *a, const struct ruleset *rules)
{
	struct filter *filter = ARENA_NEW(a, struct filter);
	filter->arena = a;
	filter->n = rules->nviews;
	filter->view = ARENA_ARRAY(a, struct prefilter *, filter->n);
	filter->slots = ARENA_ARRAY(a, uint32_t, rules->rules.n);
	for (size_t i = 0; i < rules->rules.n; i++)
		filter->slots[i] = PREFILTER_NONE;
	return filter;
}

static struct prefilter_builder **
builders_new(struct arena *work, size_t n)
{
	struct prefilter_builder **builders =
	    ARENA_ARRAY(work, struct prefilter_builder *, n);
	for (size_t i = 0; i < n; i++)
		builders[i] = prefilter_builder_new(work);
	return builders;
}

static struct filter *
filter_new(const struct ruleset *rules, const struct filter_options *options,
    struct filter_made *made)
{
	struct arena *a = arena_new_lasting(), *work = arena_new();
	struct filter *filter = filter_empty(a, rules);
	struct hs_pool *pool = hs_pool_new(a);
	const size_t *counts = views_count(rules, work, filter->n);
	struct prefilter_builder **builders = builders_new(work, filter->n);
	for (size_t i = 0; i < rules->rules.n && !is_cancelled(options); i++) {
		const struct rule *rule = rules->rules.v[i];
		size_t view = view_of(rule);
		if (view != FILTER_NONE && counts[view] >= REGEXES_MIN)
			filter->slots[i] = prefilter_add(
			    builders[view], pattern_of(work, rule));
		made->regexes += view != FILTER_NONE;
		made->filtered += filter->slots[i] != PREFILTER_NONE;
	}
	for (size_t i = 0; i < filter->n && !is_cancelled(options); i++)
		filter->view[i] = prefilter_build(a, builders[i], pool, NULL);
	arena_free(work);
	return filter;
}

/* It matches so many of the sample texts that it can seldom be ruled out. */
static bool
matches_most(struct looking *l, const struct regex *regex)
{
	size_t n = 0, matched = 0;
	struct regex_span unused;
	for (; SAMPLE_TEXTS[n] != NULL; n++)
		matched +=
		    regex_match(regex, l->scratch, str_from(SAMPLE_TEXTS[n]), 0,
			false, &unused) == REGEX_YES;
	return 2 * matched > n;
}

/* Texts come as one long string or as few: it is not worth it. */
static bool
has_shapes(size_t view)
{
	return view == FILTER_BODY || view == FILTER_RAWBODY;
}

/*
 * `filter` knows nothing of the regex, it is tried at more than one place, it
 * does not match nearly everything, and nothing cheaper rules it out.
 */
static bool
wants_shape(
    struct looking *l, const struct filter *filter, const struct rule *rule)
{
	size_t view = view_of(rule);
	return view != FILTER_NONE && has_shapes(view) && rule->tag.len == 0 &&
	       filter->slots[rule->id] == PREFILTER_NONE &&
	       l->v[rule->id].stretch == NULL &&
	       !regex_is_anchored(rule->regex) && !matches_most(l, rule->regex);
}

/* The filter of shapes, for the regexes that want one. */
static struct filter *
shapes_new(struct looking *l, const struct filter *filter)
{
	const struct ruleset *rules = l->rules;
	struct filter *shapes = filter_empty(l->arena, rules);
	struct prefilter_builder **builders = builders_new(l->work, filter->n);
	for (size_t i = 0; i < rules->rules.n && !is_cancelled(l->options);
	     i++) {
		const struct rule *rule = rules->rules.v[i];
		struct str text;
		if (wants_shape(l, filter, rule) &&
		    look_pattern(l->work, regex_pattern(l->work, rule->pattern),
			&text)) {
			shapes->slots[i] =
			    prefilter_add_shape(builders[view_of(rule)], text);
			l->made->filtered++;
		}
	}
	for (size_t i = 0; i < filter->n && !is_cancelled(l->options); i++)
		shapes->view[i] =
		    prefilter_build(l->arena, builders[i], l->pool, l->cache);
	return shapes;
}

/* The regex of a rule that counts bytes may be tried on so much of mail. */
#define SINGLE_REST 0.02

static bool
matches_byte(struct looking *l, const struct regex *regex, unsigned c)
{
	struct regex_span span;
	char byte = (char)c;
	return regex_match(regex, l->scratch, str_of(&byte, 1), 0, false,
		   &span) == REGEX_YES &&
	       span.from == 0 && span.to == 1;
}

/*
 * The starts of a regex that counts bytes: most of its matches, if there are
 * any, are one byte, which is told without it.  NULL: it is another.
 */
static struct starts *
single_starts(struct looking *l, const struct rule *rule, struct str pattern)
{
	struct byte_set single;
	const struct regex *regex = rule->regex;
	if (regex_capture_count(regex) > 0 ||
	    (regex_is_placed(regex) && !rule->flags.is_multiple))
		return NULL;
	struct starts *starts = factor_starts_single(l->work, pattern, &single);
	if (starts == NULL)
		return NULL;
	bool is_any = false;
	for (unsigned c = 0; c < 256; c++) {
		single.has[c] = single.has[c] && matches_byte(l, regex, c);
		is_any = is_any || single.has[c];
	}
	starts_set_single(l->work, starts, &single);
	return is_any && starts_share(starts, false) < SINGLE_REST
		   ? starts_copy(l->arena, starts)
		   : NULL;
}

/* NULL: it is tried everywhere. */
static struct starts *
starts_for(struct looking *l, const struct rule *rule)
{
	if (view_of(rule) == FILTER_NONE || rule->tag.len > 0)
		return NULL;
	struct str pattern = regex_pattern(l->work, rule->pattern);
	struct starts *single = single_starts(l, rule, pattern);
	if (single != NULL)
		return single;
	if (regex_is_at_lines(rule->regex))
		return factor_starts_of_lines(l->arena, pattern);
	return regex_is_placed(rule->regex)
		   ? NULL
		   : factor_starts_best(l->arena, pattern);
}

/* Where to try regexes that PCRE2 would try nearly everywhere. */
static void
starts_make(struct looking *l)
{
	const struct rules *list = &l->rules->rules;
	for (size_t i = 0; i < list->n && !is_cancelled(l->options); i++)
		l->v[i].starts = starts_for(l, list->v[i]);
}

/* NULL: nothing is worth to be sought. */
static struct stretch *
stretch_for(struct looking *l, const struct rule *rule)
{
	struct stretch *stretch =
	    factor_stretch_of(l->arena, regex_pattern(l->work, rule->pattern));
	return stretch != NULL && stretch_is_worth(stretch) ? stretch : NULL;
}

/* A look or a stretch may be of use. */
static bool
wants_look(const struct rule *rule)
{
	return view_of(rule) != FILTER_NONE && rule->tag.len == 0;
}

/* What the regexes must have that `filter` knows nothing of. */
static void
stretches_make(struct looking *l, const struct filter *filter)
{
	const struct rules *list = &l->rules->rules;
	for (size_t i = 0; i < list->n && !is_cancelled(l->options); i++)
		if (wants_look(list->v[i]) &&
		    filter->slots[i] == PREFILTER_NONE)
			l->v[i].stretch = stretch_for(l, list->v[i]);
}

/* The others, unless `shapes` has them. */
static void
looks_make(struct looking *l, const struct filter *shapes)
{
	const struct rules *list = &l->rules->rules;
	for (size_t i = 0; i < list->n && !is_cancelled(l->options); i++)
		if (wants_look(list->v[i]) && l->v[i].stretch == NULL &&
		    shapes->slots[i] == PREFILTER_NONE)
			l->v[i].look = look_for(l, list->v[i]);
}

static struct looks *
looks_new(const struct ruleset *rules, const struct filter *filter,
    const struct filter_options *options, struct filter_made *made)
{
	struct arena *a = arena_new_lasting(), *work = arena_new();
	struct looks *looks = ARENA_NEW(a, struct looks);
	struct looking l = {
	    .rules = rules,
	    .options = options,
	    .arena = a,
	    .work = work,
	    .pool = hs_pool_new(a),
	    .scratch = regex_scratch_new(work, rules->env, NULL, NULL),
	    .cache = look_cache_read(work, options->cache),
	    .made = made,
	};
	looks->arena = a;
	looks->v = l.v = ARENA_ARRAY(a, struct rule_looks, rules->rules.n);
	stretches_make(&l, filter);
	looks->shapes = shapes_new(&l, filter);
	starts_make(&l);
	looks_make(&l, looks->shapes);
	if (options->cache.len > 0 && !is_cancelled(options) &&
	    !look_cache_write(l.cache, options->cache))
		made->cache_errno = errno;
	size_t put;
	look_cache_counts(l.cache, &made->kept, &put);
	made->databases = made->kept + put;
	regex_scratch_done(l.scratch);
	arena_free(work);
	return looks;
}

bool
ruleset_filter(struct ruleset *rules, const struct filter_options *options,
    struct filter_made *ret)
{
	*ret = (struct filter_made){0};
	struct filter *filter = filter_new(rules, options, ret);
	if (is_cancelled(options)) {
		arena_free(filter->arena);
		return false;
	}
	atomic_store(&rules->filter, filter);
	struct looks *looks = looks_new(rules, filter, options, ret);
	if (is_cancelled(options)) {
		arena_free(looks->arena);
		return false;
	}
	atomic_store(&rules->looks, looks);
	atomic_store(&rules->demand, demand_new(rules));
	return true;
}

void
filter_free(struct ruleset *rules)
{
	struct filter *filter = rules->filter;
	struct looks *looks = rules->looks;
	struct demand *demand = rules->demand;
	if (demand != NULL)
		arena_free(demand->arena);
	if (filter != NULL)
		arena_free(filter->arena);
	if (looks != NULL)
		arena_free(looks->arena);
}
