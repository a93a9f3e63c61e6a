/* SPDX-License-Identifier: BSD-2-Clause */
/* eval_phishing -- is a link on a list of phishing sites that was fetched as a
 * file?  SpamAssassin's plugin Phishing. */
#include <errno.h>
#include <string.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/table.h"
#include "mail/uri.h"
#include "rules/eval_rows.h"
#include "rules/list_make.h"

#define FEED_BYTES ((size_t)256 << 20)
#define MIN_SCORE 6
/* Without its parameters, "https://a.example/go" is a way to anywhere. */
#define GENERIC_SLASHES 3

/* One feed: a link a line, or lines of fields below a line of titles. */
static const struct feed {
	const char *setting;
	const char *name;
	bool has_fields;
	unsigned link; /* which field, from 0 */
	bool has_score;
	unsigned score;
} feeds[] = {
    {"phishing_openphish_feed", "OpenPhish", false, 0, false, 0},
    {"phishing_phishtank_feed", "PhishTank", true, 1, false, 0},
    {"phishing_phishstats_feed", "PhishStats", true, 2, true, 1},
};

struct phishing {
	struct table *links; /* of struct feed */
	bool has_no_parameters;
	double min_score; /* a link with more is kept */
	const struct setting_line *files[COUNT_OF(feeds)];
};

/* --- feeds ---------------------------------------------------------------- */

static struct str
without_parameters(const struct phishing *p, struct str link)
{
	return p->has_no_parameters ? str_sub(link, 0, str_chr(link, '?'))
				    : link;
}

static struct str
without_quotes(struct arena *a, struct str field)
{
	char *bytes = arena_alloc(a, field.len);
	size_t n = 0;
	for (size_t i = 0; i < field.len; i++)
		if (field.p[i] != '"')
			bytes[n++] = field.p[i];
	return str_of(bytes, n);
}

static struct str
field_of(struct arena *a, struct str line, unsigned wanted)
{
	struct str field = STR_EMPTY;
	for (unsigned i = 0; i <= wanted; i++)
		field = str_cut(&line, ',');
	return without_quotes(a, field);
}

/* The link of a line; empty: it has none that counts. */
static struct str
link_of(struct arena *a, const struct phishing *p, const struct feed *feed,
    struct str line)
{
	if (!feed->has_fields)
		return line;
	double score = 0;
	if (feed->has_score &&
	    (!str_double(field_of(a, line, feed->score), &score) ||
		score <= p->min_score))
		return STR_EMPTY;
	return field_of(a, line, feed->link);
}

static void
feed_read(struct ruleset *rules, struct phishing *p, const struct feed *feed,
    struct str text)
{
	struct arena *scratch = arena_new();
	if (feed->has_fields)
		(void)str_cut(&text, '\n');
	while (text.len > 0) {
		struct str line = str_trim(str_cut(&text, '\n'));
		if (line.len == 0 || line.p[0] == '#')
			continue;
		struct str link = link_of(scratch, p, feed, line);
		if (uri_domain(scratch, &rules->mail, link).len == 0)
			continue;
		link = without_parameters(p, link);
		if (!table_has(p->links, link))
			table_set(p->links, str_dup(rules->arena, link),
			    (void *)(uintptr_t)feed);
	}
	arena_free(scratch);
}

static void
feed_open(struct ruleset *rules, struct phishing *p, size_t which,
    struct diags *diags)
{
	const struct setting_line *line = p->files[which];
	struct arena *scratch = arena_new();
	struct str text;
	if (file_text(scratch, line->value, FEED_BYTES, &text)) {
		ruleset_digest_add(rules, text);
		feed_read(rules, p, &feeds[which], text);
	} else {
		diag_add(diags, DIAG_WARNING, line->file, line->line,
		    "%.*s: %s: it has no links", STR_ARG(line->value),
		    file_trouble(errno));
	}
	arena_free(scratch);
}

static void
line_read(
    struct phishing *p, const struct setting_line *line, struct diags *diags)
{
	bool is_good = line->value.len > 0;
	if (str_eq(line->name, STR("phishing_uri_noparam"))) {
		p->has_no_parameters = str_eq(line->value, STR("1"));
		is_good = p->has_no_parameters || str_eq(line->value, STR("0"));
	} else if (str_eq(line->name, STR("phishing_phishstats_minscore"))) {
		is_good = str_double(line->value, &p->min_score);
	} else {
		for (size_t i = 0; i < COUNT_OF(feeds); i++)
			if (str_eq(line->name, str_from(feeds[i].setting)))
				p->files[i] = line;
	}
	if (!is_good)
		SETTING_ERROR(diags, line, "%.*s: %.*s is no value for it",
		    STR_ARG(line->name), STR_ARG(str_sub(line->value, 0, 100)));
}

const struct phishing *
phishing_new(struct ruleset *rules, struct diags *diags)
{
	const struct setting_list *lines =
	    &rules->settings.of[SETTING_PHISHING];
	struct phishing *p = ARENA_NEW(rules->arena, struct phishing);
	p->links = table_new(rules->arena, false);
	p->min_score = MIN_SCORE;
	for (size_t i = 0; i < lines->n; i++)
		line_read(p, &lines->v[i], diags);
	for (size_t i = 0; i < COUNT_OF(feeds); i++)
		if (p->files[i] != NULL && p->files[i]->value.len > 0)
			feed_open(rules, p, i, diags);
	return p;
}

/* --- links of a message --------------------------------------------------- */

static size_t
slashes(struct str s)
{
	size_t n = 0;
	for (size_t i = 0; i < s.len; i++)
		n += s.p[i] == '/';
	return n;
}

static bool
has_host(struct eval_call *call, const struct uri *uri)
{
	for (size_t i = 0; i < uri->cleaned.n; i++)
		if (uri_named_host(call->message->arena, call->message->config,
			uri->cleaned.v[i])
			.len > 0)
			return true;
	return false;
}

/* A reader may follow it. */
static bool
is_followed(const struct uri *uri)
{
	return !str_istarts(uri->raw, STR("mailto:")) &&
	       (uri->is_parsed || strs_ihas(&uri->tags, STR("a")));
}

static const struct feed *
feed_with(const struct phishing *p, const struct uri *uri, struct str *ret)
{
	for (size_t i = 0; i < uri->cleaned.n; i++) {
		struct str link = without_parameters(p, uri->cleaned.v[i]);
		if (p->has_no_parameters && slashes(link) <= GENERIC_SLASHES)
			continue;
		const struct feed *feed = table_get(p->links, link);
		if (feed == NULL)
			continue;
		*ret = link;
		return feed;
	}
	return NULL;
}

static int
check_phishing(struct eval_call *call)
{
	const struct phishing *p = call->lists->phishing;
	if (p->links->n == 0)
		return 0;
	const struct uris *uris = message_uri_list(call->message);
	for (size_t i = 0; i < uris->n; i++) {
		struct str link;
		const struct feed *feed = NULL;
		if (is_followed(&uris->v[i]) && has_host(call, &uris->v[i]))
			feed = feed_with(p, &uris->v[i], &link);
		if (feed != NULL)
			return eval_hit(
			    call, str_printf(call->message->arena, "%s: %.*s",
				      feed->name, STR_ARG(link)));
	}
	return 0;
}

const struct eval_row EVAL_PHISHING[] = {
    {"check_phishing", 0, 0, "", NEED_LINKS,
	"a link is on a list of phishing sites: phishing_openphish_feed and "
	"its kin",
	"Phishing", check_phishing},
    {NULL, 0, 0, NULL, 0, NULL, NULL, NULL},
};
