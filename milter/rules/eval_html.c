/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * eval_html -- what SpamAssassin's HTMLEval asks of the parts that are HTML.
 * Each answer is "one of them is so".
 */
#include <math.h>

#include "base/arena.h"
#include "base/table.h"
#include "mail/html.h"
#include "rules/eval_rows.h"
#include "rules/perl.h"
#include "rules/regex.h"

#define EVIDENCE_MAX 200

/*
 * Some results are lists.  SpamAssassin compares the address of one with the
 * number of a rule; all that can be said of it is that it is high.
 */
#define ADDRESS 94000000000000.0

const struct html_facts *
eval_html_pages(struct eval_call *call)
{
	struct message *m = call->message;
	if (call->cache->html != NULL)
		return call->cache->html;
	struct html_facts *facts = ARENA_NEW(m->arena, struct html_facts);
	for (struct part *p = m->root; p != NULL; p = part_next(p)) {
		if (!part_is_leaf(p) || p->type.len == 0)
			continue;
		const struct html *html = part_html(m, p);
		if (html != NULL)
			ARENA_PUSH(m->arena, facts) =
			    (struct html_page){html, part_decoded(m, p).len};
	}
	call->cache->html = facts;
	return facts;
}

/* --- results by name --- */

enum counter {
	COUNTER_HTML,
	COUNTER_IMAGE_AREA,
	COUNTER_LENGTH,
	COUNTER_HTML_LENGTH,
	COUNTER_NON_SPACE_LEN,
	COUNTER_RATIO,
	COUNTER_MIN_SIZE,
	COUNTER_MAX_SIZE,
	COUNTER_CLOSED_EXTRA_RATIO,
	COUNTER_BAD_TAG_RATIO,
	COUNTER_NON_ELEMENT_RATIO,
	COUNTER_OBFUSCATION_RATIO,
	COUNTER_BACKHAIR_COUNT,
	COUNTER_FONT_LOW_CONTRAST,
	COUNTER_FONT_INVALID_COLOR,
	COUNTER_FONT_FACE_BAD,
	COUNTER_FORM_ACTION_MAILTO,
	COUNTER_EMBEDS,
	COUNTER_URI_TRUNCATED,
	COUNTER_URI,
	COUNTER_URI_DETAIL,
	COUNTER_INSIDE,
	COUNTER_ANCHOR,
	COUNTER_COMMENT,
	COUNTER_SCRIPT,
	COUNTER_TITLE,
	COUNTER_COUNT
};

static const char *const counter_names[COUNTER_COUNT] = {
    [COUNTER_HTML] = "html",
    [COUNTER_IMAGE_AREA] = "image_area",
    [COUNTER_LENGTH] = "length",
    [COUNTER_HTML_LENGTH] = "html_length",
    [COUNTER_NON_SPACE_LEN] = "non_space_len",
    [COUNTER_RATIO] = "ratio",
    [COUNTER_MIN_SIZE] = "min_size",
    [COUNTER_MAX_SIZE] = "max_size",
    [COUNTER_CLOSED_EXTRA_RATIO] = "closed_extra_ratio",
    [COUNTER_BAD_TAG_RATIO] = "bad_tag_ratio",
    [COUNTER_NON_ELEMENT_RATIO] = "non_element_ratio",
    [COUNTER_OBFUSCATION_RATIO] = "obfuscation_ratio",
    [COUNTER_BACKHAIR_COUNT] = "backhair_count",
    [COUNTER_FONT_LOW_CONTRAST] = "font_low_contrast",
    [COUNTER_FONT_INVALID_COLOR] = "font_invalid_color",
    [COUNTER_FONT_FACE_BAD] = "font_face_bad",
    [COUNTER_FORM_ACTION_MAILTO] = "form_action_mailto",
    [COUNTER_EMBEDS] = "embeds",
    [COUNTER_URI_TRUNCATED] = "uri_truncated",
    [COUNTER_URI] = "uri",
    [COUNTER_URI_DETAIL] = "uri_detail",
    [COUNTER_INSIDE] = "inside",
    [COUNTER_ANCHOR] = "anchor",
    [COUNTER_COMMENT] = "comment",
    [COUNTER_SCRIPT] = "script",
    [COUNTER_TITLE] = "title",
};

/* What SpamAssassin does not set is not a number. */
static double
if_any(size_t n, double value)
{
	return n > 0 ? value : (double)NAN;
}

static double
quotient(double n, double of)
{
	return n / of;
}

static void
count_tags(const struct html *h, double *ret)
{
	ret[COUNTER_CLOSED_EXTRA_RATIO] =
	    if_any(h->total_tags, quotient(h->closed_extra, h->total_tags));
	ret[COUNTER_BAD_TAG_RATIO] = if_any(h->elements,
	    quotient((double)h->total_tags - h->elements, h->total_tags));
	ret[COUNTER_NON_ELEMENT_RATIO] = if_any(h->elements_seen,
	    quotient((double)h->tags_seen - h->elements_seen, h->tags_seen));
	ret[COUNTER_OBFUSCATION_RATIO] =
	    if_any(h->total_tags > 0 ? h->obfuscation : 0,
		quotient(h->obfuscation, h->total_tags));
	ret[COUNTER_BACKHAIR_COUNT] = if_any(h->backhair, h->backhair);
}

static void
count_marks(const struct html *h, double *ret)
{
	ret[COUNTER_FONT_LOW_CONTRAST] = if_any(h->font_low_contrast, 1);
	ret[COUNTER_FONT_INVALID_COLOR] = if_any(h->font_invalid_color, 1);
	ret[COUNTER_FONT_FACE_BAD] = if_any(h->font_face_bad, 1);
	ret[COUNTER_FORM_ACTION_MAILTO] = if_any(h->form_action_mailto, 1);
	ret[COUNTER_EMBEDS] = if_any(h->embeds, 1);
	ret[COUNTER_URI_TRUNCATED] = if_any(h->uri_truncated, 1);
}

static void
count_sizes(const struct html_page *page, double *ret)
{
	const struct html *h = page->html;
	double source = (double)page->source_bytes;
	ret[COUNTER_HTML] = 1;
	ret[COUNTER_IMAGE_AREA] = (double)h->image_area;
	ret[COUNTER_LENGTH] = (double)h->length;
	ret[COUNTER_HTML_LENGTH] = (double)h->html_length;
	ret[COUNTER_NON_SPACE_LEN] = (double)h->non_space_length;
	ret[COUNTER_RATIO] = if_any(page->source_bytes,
	    quotient(source - (double)h->html_length, source));
	ret[COUNTER_MIN_SIZE] = h->min_size;
	ret[COUNTER_MAX_SIZE] = h->max_size;
}

static void
count_lists(const struct html *h, double *ret)
{
	ret[COUNTER_URI] = ret[COUNTER_INSIDE] = ADDRESS;
	ret[COUNTER_URI_DETAIL] = if_any(h->links.n + h->hrefs.n, ADDRESS);
	ret[COUNTER_ANCHOR] = if_any(h->anchor.n, ADDRESS);
	ret[COUNTER_COMMENT] = if_any(h->comment.n, ADDRESS);
	ret[COUNTER_SCRIPT] = if_any(h->script.n, ADDRESS);
	ret[COUNTER_TITLE] = if_any(h->title.n, ADDRESS);
}

/* COUNTER_COUNT: there is no such result. */
static enum counter
counter_find(struct str name)
{
	size_t i = 0;
	while (i < COUNTER_COUNT && !str_eq(name, str_from(counter_names[i])))
		i++;
	return (enum counter)i;
}

/* False: SpamAssassin has not set it for this part. */
static bool
counter_value(const struct html_page *page, enum counter counter, double *ret)
{
	double values[COUNTER_COUNT];
	if (counter == COUNTER_COUNT)
		return false;
	count_sizes(page, values);
	count_tags(page->html, values);
	count_marks(page->html, values);
	count_lists(page->html, values);
	*ret = values[counter];
	return !isnan(*ret);
}

static int
html_test(struct eval_call *call)
{
	const struct html_facts *pages = eval_html_pages(call);
	enum counter counter = counter_find(eval_arg(call, 0));
	double value;
	for (size_t i = 0; i < pages->n; i++)
		if (counter_value(&pages->v[i], counter, &value) && value != 0)
			return 1;
	return 0;
}

static int
html_eval(struct eval_call *call)
{
	const struct html_facts *pages = eval_html_pages(call);
	enum counter counter = counter_find(eval_arg(call, 0));
	double value;
	for (size_t i = 0; i < pages->n; i++)
		if (counter_value(&pages->v[i], counter, &value) &&
		    perl_holds(value, eval_arg(call, 1)))
			return 1;
	return 0;
}

static int
html_range(struct eval_call *call)
{
	const struct html_facts *pages = eval_html_pages(call);
	enum counter counter = counter_find(eval_arg(call, 0));
	double min = eval_number(call, 1);
	double max = eval_number(call, 2);
	bool is_open = call->nargs < 3 || str_eq(call->args[2], STR("inf"));
	double value;
	for (size_t i = 0; i < pages->n; i++)
		if (counter_value(&pages->v[i], counter, &value) &&
		    value > min && (is_open || value <= max))
			return 1;
	return 0;
}

/* --- tags --- */

static int
html_tag_exists(struct eval_call *call)
{
	const struct html_facts *pages = eval_html_pages(call);
	for (size_t i = 0; i < pages->n; i++)
		if (html_tag_count(pages->v[i].html, eval_arg(call, 0)) != NULL)
			return 1;
	return 0;
}

static bool
is_plain_tag(struct str tag)
{
	for (size_t i = 0; i < tag.len; i++)
		if (!char_is_alnum(tag.p[i]))
			return false;
	return tag.len > 0;
}

static int
html_tag_balance(struct eval_call *call)
{
	const struct html_facts *pages = eval_html_pages(call);
	struct str tag = eval_arg(call, 0);
	if (!is_plain_tag(tag))
		return 0;
	for (size_t i = 0; i < pages->n; i++) {
		const struct html_tag_count *count =
		    html_tag_count(pages->v[i].html, tag);
		if (count != NULL &&
		    perl_holds(count->inside, eval_arg(call, 1)))
			return 1;
	}
	return 0;
}

/* --- pictures --- */

static int
html_image_only(struct eval_call *call)
{
	const struct html_facts *pages = eval_html_pages(call);
	for (size_t i = 0; i < pages->n; i++) {
		const struct html *html = pages->v[i].html;
		double length = (double)html->length;
		if (html_tag_count(html, STR("img")) != NULL &&
		    length > eval_number(call, 0) &&
		    length <= eval_number(call, 1))
			return 1;
	}
	return 0;
}

static int
html_image_ratio(struct eval_call *call)
{
	const struct html_facts *pages = eval_html_pages(call);
	for (size_t i = 0; i < pages->n; i++) {
		const struct html *html = pages->v[i].html;
		if (html->image_area == 0)
			continue;
		double ratio =
		    (double)html->non_space_length / (double)html->image_area;
		if (ratio > eval_number(call, 0) &&
		    ratio <= eval_number(call, 1))
			return 1;
	}
	return 0;
}

/* --- texts --- */

/* Links as SpamAssassin has them for keys: before and after <base>, UTF-8. */
static void
add_urls(struct arena *a, const struct html_links *links, struct strs *ret)
{
	for (size_t i = 0; i < links->n; i++)
		strs_add(a, ret, html_link_utf8(a, &links->v[i]));
}

static struct strs
texts_of(struct eval_call *call, const struct html *html)
{
	const struct {
		const char *name;
		struct strs texts;
	} lists[] = {
	    {"anchor", html->anchor},
	    {"comment", html->comment},
	    {"script", html->script},
	    {"title", html->title},
	};
	struct strs texts = {0};
	struct str name = eval_arg(call, 0);
	for (size_t i = 0; i < COUNT_OF(lists); i++)
		if (str_eq(name, str_from(lists[i].name)))
			return lists[i].texts;
	if (str_eq(name, STR("uri"))) {
		add_urls(call->message->arena, &html->links, &texts);
		add_urls(call->message->arena, &html->hrefs, &texts);
	}
	return texts;
}

static bool
is_match(struct eval_call *call, struct str text)
{
	struct regex_span span;
	return regex_match(call->regexes[1], call->scratch, text, 0, false,
		   &span) == REGEX_YES;
}

/* A text that matches, or does not, as is `wanted`. */
static int
find_text(struct eval_call *call, bool wanted)
{
	const struct html_facts *pages = eval_html_pages(call);
	for (size_t i = 0; i < pages->n; i++) {
		struct strs texts = texts_of(call, pages->v[i].html);
		for (size_t k = 0; k < texts.n; k++)
			if (is_match(call, texts.v[k]) == wanted)
				return eval_hit(
				    call, str_sub(texts.v[k], 0, EVIDENCE_MAX));
	}
	return 0;
}

static int
html_text_match(struct eval_call *call)
{
	return find_text(call, true);
}

static int
html_text_not_match(struct eval_call *call)
{
	return find_text(call, false);
}

static size_t
count_chars(struct str text)
{
	size_t n = 0;
	for (size_t i = 0; i < text.len; i++)
		n += ((unsigned char)text.p[i] & 0xc0) != 0x80;
	return n;
}

/* Characters of a title by bytes of the Subject, its line ends among them. */
static int
html_title_subject_ratio(struct eval_call *call)
{
	const struct html_facts *pages = eval_html_pages(call);
	struct str subject = eval_get_text(call, STR("Subject"));
	if (subject.len == 0)
		return 0;
	for (size_t i = 0; i < pages->n; i++) {
		const struct strs *titles = &pages->v[i].html->title;
		double max = 0;
		for (size_t k = 0; k < titles->n; k++) {
			double ratio = (double)count_chars(titles->v[k]) /
				       (double)subject.len;
			if (ratio > max && !str_eq(titles->v[k], STR("0")))
				max = ratio;
		}
		if (max > eval_number(call, 0))
			return 1;
	}
	return 0;
}

/* --- others --- */

static int
check_iframe_src(struct eval_call *call)
{
	const struct html_facts *pages = eval_html_pages(call);
	for (size_t i = 0; i < pages->n; i++) {
		const struct html_links *links = &pages->v[i].html->links;
		for (size_t k = 0; k < links->n; k++)
			if (str_eq(links->v[k].tag, STR("iframe")))
				return eval_hit(call,
				    str_sub(links->v[k].url, 0, EVIDENCE_MAX));
	}
	return 0;
}

/*
 * SpamAssassin 4.0.1 collects the charsets of <meta>, but never hands them over
 * to this function, so that it has nothing to look at.
 */
static int
html_charset_faraway(struct eval_call *call)
{
	(void)call;
	return 0;
}

const struct eval_row EVAL_HTML[] = {
    {"html_tag_balance", 1, 2, "s", NEED_HTML,
	"so many tags of that name are open at the end: '> 0'", "HTMLEval",
	html_tag_balance},
    {"html_image_only", 0, 2, "s", NEED_HTML,
	"there is a picture, and the source has more than N and at most M "
	"characters",
	"HTMLEval", html_image_only},
    {"html_image_ratio", 0, 2, "s", NEED_HTML,
	"characters shown by pixels of pictures: more than N, at most M",
	"HTMLEval", html_image_ratio},
    {"html_charset_faraway", 0, 0, "", NEED_NOTHING,
	"as in SpamAssassin 4.0.1, which has nothing to look at: never",
	"HTMLEval", html_charset_faraway},
    {"html_tag_exists", 1, 1, "s", NEED_HTML, "there is a tag of that name",
	"HTMLEval", html_tag_exists},
    {"html_test", 1, 1, "s", NEED_HTML, "that result is true", "HTMLEval",
	html_test},
    {"html_eval", 1, 2, "s", NEED_HTML, "that result compares so: '< 512'",
	"HTMLEval", html_eval},
    {"html_text_match", 2, 2, "su", NEED_HTML,
	"one of the texts ('anchor', 'comment', 'script', 'title', 'uri') "
	"matches",
	"HTMLEval", html_text_match},
    {"html_title_subject_ratio", 0, 1, "s", NEED_HEADER | NEED_HTML,
	"a title is more than N times as long as the Subject", "HTMLEval",
	html_title_subject_ratio},
    {"html_text_not_match", 2, 2, "su", NEED_HTML,
	"one of the texts does not match", "HTMLEval", html_text_not_match},
    {"html_range", 1, 3, "s", NEED_HTML,
	"that result is more than N and, unless M is 'inf', at most M",
	"HTMLEval", html_range},
    {"check_iframe_src", 0, 0, "", NEED_HTML, "an <iframe> has a source",
	"HTMLEval", check_iframe_src},
    {NULL, 0, 0, NULL, 0, NULL, NULL, NULL},
};
