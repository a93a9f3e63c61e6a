/* SPDX-License-Identifier: BSD-2-Clause */
/* html -- any bytes are rendered, within the bounds that are promised. */
#include "fuzz.h"

#include "base/table.h"
#include "mail/html.h"

static void
check(bool is_true)
{
	if (!is_true)
		abort();
}

static void
check_links(const struct html_links *links, const struct mail_limits *limits)
{
	for (size_t i = 0; i < links->n; i++) {
		check(links->v[i].tag.len > 0);
		/* A base before it may be as long. */
		check(links->v[i].url.len <= 8 * limits->uri_bytes + 16);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct mail_limits limits = {.body_part_bytes = 1000,
	    .uris = 10,
	    .uri_bytes = 100,
	    .base_bytes = 1000};
	if (size == 0)
		return 0;
	struct arena *a = arena_new();
	struct str source = str_of((const char *)data + 1, size - 1);
	struct effort effort = {0};
	enum html_source kind = (enum html_source)(data[0] % 3);
	struct html *html = html_render(a, source, kind, &limits, &effort);
	/* Bytes become UTF-8. */
	check(html->text.len <= source.len * (kind == HTML_BYTES ? 4 : 1) + 64);
	check(html->visible_text.len <= limits.body_part_bytes);
	check(html->hidden_text.len <= limits.body_part_bytes);
	check(html->elements <= html->total_tags);
	check(html->tags_seen <= html->total_tags);
	check(html->non_space_length <= html->html_length);
	check(html->hrefs.n <= html->anchor.n);
	for (size_t i = 0; i < html->counts->n; i++) {
		const struct html_tag_count *count = html->counts->v[i].value;
		check(count->inside >= 0 && count->opened >= count->inside);
	}
	check_links(&html->links, &limits);
	check_links(&html->hrefs, &limits);
	(void)html_latin1(a, html->text);
	arena_free(a);
	return 0;
}
