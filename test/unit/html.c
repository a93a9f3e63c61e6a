/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * html -- tokenising, rendering, links and counters.  What is expected was said
 * by Mail::SpamAssassin::HTML 4.0.1 with HTML::Parser 3.81.
 */
#include "unit.h"

#include "base/clock.h"
#include "base/table.h"
#include "mail/html.h"
#include "mail/html_style.h"
#include "mail/uri_resolve.h"

static const struct mail_limits limits = {.body_part_bytes = 1 << 20,
    .uris = 1000,
    .uri_bytes = 8192,
    .base_bytes = 1 << 20};

static struct html *
render(struct arena *a, const char *source, bool is_unicode)
{
	struct effort effort = {0};
	return html_render(a, str_from(source),
	    is_unicode ? HTML_UNICODE : HTML_ASCII, &limits, &effort);
}

static const struct {
	const char *label, *source, *text;
} texts[] = {
    {"breaks and blanks", "<p>a  b\n c</p><br>d<div>e</div><li>f<td>g",
	"\n\na b c\n\n\nd\ne\n f g"},
    {"no blank at inline tags", "v<b>i</b>ag<font>ra</font>", "viagra"},
    {"style and script are not text", "a<style>b</style><script>c<b></script>d",
	"ad"},
    {"open script is empty", "a<script>b<p>c", "a"},
    {"open title ends before the next tag", "<title>a <b>x", "\n\na\n\nx"},
    {"textarea decodes, xmp does not",
	"<textarea>&lt;<b></textarea><xmp>&lt;</xmp>", "<<b>\n\n&lt;\n\n"},
    {"plaintext never ends", "<plaintext>a</plaintext>b", "\n\na</plaintext>b"},
    {"entities with and without semicolon", "&lt;&gt &ampfoo &foo; &#65;&#x42",
	"<> &foo &foo; AB"},
    {"no such numbers", "&#0;&#1114112;&#;", "&#0;&#1114112;&#;"},
    {"a pair of surrogates", "&#xd83d;&#xde00;", "\xf0\x9f\x98\x80"},
    {"no-break spaces", "a &nbsp; b&#160;c",
	"a b\xc2\xa0"
	"c"},
    {"a lone <", "a < b <3 c<", "a < b <3 c"},
    {"open tag at the end is a comment", "a<b href=\"x>y", "a"},
    {"comment ends at --, blanks, >", "a<!-- b > -- c -- >d", "ad"},
    {"open comment ends at >", "a<!-- b >c", "ac"},
    {"comments that are none", "a<!b>c<!>d</>e</ f>g<?h>i", "acdegi"},
    {"declaration", "<!DOCTYPE html PUBLIC '>' -- > -- >a", "a"},
    {"bad declaration", "<!doctype x -y>a", "a"},
    {"CDATA section", "<![CDATA[<b>&lt;]]>a<![if x]>b<![endif]>", "<b>&lt;ab"},
    {"ignored section", "a<![ignore[<p>b]]>c", "ac"},
    {"end tag with quotes", "a</b \">\">c", "ac"},
    {"slash of an empty tag", "a<br/>b<br />c<b/x>d",
	"a\nb\nc"
	"d"},
    {"curly quotes are quotes",
	"<a title=\xe2\x80\x9cx y\xe2\x80\x9d>a</a>\xe2\x80\x9c", "a\""},
    {"hidden text stays", "a<span style='display:none'> b </span> c", "a b  c"},
};

static void
renders_text_as_body_rules_expect(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		struct arena *a = arena_new();
		struct html *html = render(a, texts[i].source, true);
		if (!str_eq(html->text, str_from(texts[i].text)))
			print_error("%s\n", texts[i].label);
		assert_str(html->text, texts[i].text);
		arena_free(a);
	}
}

static void
tells_characters_from_bytes(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct html *html = render(a, "caf&eacute; &copy;", false);
	assert_false(html->is_unicode);
	assert_str(html->text, "caf\xc3\xa9 \xc2\xa9");
	assert_str(html_latin1(a, html->text), "caf\xe9 \xa9");
	assert_true(render(a, "caf&eacute; &euro;", false)->is_unicode);
	assert_true(render(a, "caf\xc3\xa9", true)->is_unicode);
	arena_free(a);
}

static const struct {
	const char *label, *source, *visible, *hidden;
} hidings[] = {
    {"nothing", "<p>a</p>", "\n\na\n\n", ""},
    {"display:none, and all inside",
	"a<div style='DISPLAY : none !important'>b<p>c</p></div>d",
	"a\n\n\n\n\n\nd", "b\n\nc\n\n"},
    {"visibility may be undone",
	"<div style='visibility:hidden'>a<span style='visibility:visible'>b",
	"\nb", "a"},
    {"tiny", "a<span style='font-size:1px'>b</span>c", "ac", "b"},
    {"not so tiny", "a<span style='font-size:9px'>b</span>", "ab", ""},
    {"white on white", "a<font color=white>b</font>", "a", "b"},
    {"nearly white on white", "a<font color='#fefdfe'>b</font>", "a", "b"},
    {"white on a black cell",
	"<table bgcolor=black><tr><td><font color=white>a", " a", ""},
    {"white on a picture", "<body background='x.png'><font color=white>a", "a",
	""},
    {"black on a black cell", "<table bgcolor=black><tr><td>a", " ", "a"},
    {"no height", "<div style='max-height:0;overflow:hidden'>a</div>b", "\n\nb",
	"a\n"},
    {"no opacity", "<p style='opacity:0'>a</p>", "\n\n\n\n", "a\n\n"},
    {"attribute", "<div hidden>a</div>", "\n\n", "a\n"},
};

static void
splits_hidden_from_visible(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(hidings); i++) {
		struct arena *a = arena_new();
		struct html *html = render(a, hidings[i].source, true);
		if (!str_eq(html->visible_text, str_from(hidings[i].visible)) ||
		    !str_eq(html->hidden_text, str_from(hidings[i].hidden)))
			print_error("%s\n", hidings[i].label);
		assert_str(html->visible_text, hidings[i].visible);
		assert_str(html->hidden_text, hidings[i].hidden);
		arena_free(a);
	}
}

static const struct {
	const char *source, *url, *tag;
} links[] = {
    {"<a href=http://x.example/>", "http://x.example/", "a"},
    {"<a HREF=' http://x.example/?a&amp;b&copy=1 '>",
	"http://x.example/?a&b\xc2\xa9=1", "a"},
    {"<a href>", "href", "a"},
    {"<a href=1 href=2>", "1", "a"},
    {"<a b/href=http://x.example/>", "http://x.example/", "a"},
    {"<area href=//www.x.example/y>", "http://www.x.example/y", "area"},
    {"<img src=cid:1@x>", "cid:1@x", "img"},
    {"<td background=/x>", "/x", "td"},
    {"<form action=mailto:a@x.example>", "mailto:a@x.example", "form"},
    {"<meta http-equiv=refresh content=\"0; URL = http://x.example/ ; y\">",
	"http://x.example/", "meta"},
};

static void
finds_links_in_attributes(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(links); i++) {
		struct arena *a = arena_new();
		struct html *html = render(a, links[i].source, true);
		assert_int_equal(html->links.n, 1);
		assert_str(html->links.v[0].url, links[i].url);
		assert_str(html->links.v[0].tag, links[i].tag);
		arena_free(a);
	}
}

static void
makes_links_absolute_only_with_a_base(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct html *html = render(a,
	    "<base href=http://h.example/d/index.html><a href=../x>t</a>",
	    true);
	assert_int_equal(html->links.n, 2);
	assert_str(html->links.v[1].url, "http://h.example/x");
	assert_str(html->links.v[1].anchor, "t");
	assert_str(html->hrefs.v[0].url, "../x");
	arena_free(a);
}

static const struct {
	const char *base, *reference, *want;
} references[] = {
    {"", "a/./b/../c", "a/c"},
    {"", "/../x", "/x"},
    {"", "//ftp2.h.example/x", "ftp://ftp2.h.example/x"},
    {"", "//h.example", "//h.example"},
    {"http://h/a/b?q#f", "", "http://h/a/b?q"},
    {"http://h/a/b?q", "?r", "http://h/a/b?r"},
    {"http://h/a/b", "c#f", "http://h/a/c#f"},
    {"http://h", "c", "http://h/c"},
    {"http://h/a", "http:c", "http://h/c"},
    {"http://h/a", "ftp://i/c", "ftp://i/c"},
    {"http://h/a/", "../../../c", "http://h/c"},
};

static void
resolves_references(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	for (size_t i = 0; i < COUNT_OF(references); i++)
		assert_str(uri_resolve(a, str_from(references[i].base),
			       str_from(references[i].reference)),
		    references[i].want);
	arena_free(a);
}

static void
keeps_the_texts_of_anchors_and_titles(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct html *html = render(a,
	    "<title>t&amp;1</title><!-- c --><script>s</script>"
	    "<a href=x>a<img src=y> b</a>z<a>c</a>",
	    false);
	assert_int_equal(html->title.n, 1);
	assert_str(html->title.v[0], "t&1");
	assert_str(html->comment.v[0], "<!-- c -->");
	assert_str(html->script.v[0], "s");
	assert_int_equal(html->anchor.n, 2);
	assert_str(html->anchor.v[0], "a<img>\n b");
	assert_str(html->anchor.v[1], "c");
	assert_str(html->hrefs.v[1].url, "");
	arena_free(a);
}

static int
inside(const struct html *html, const char *tag)
{
	return html_tag_count(html, str_from(tag))->inside;
}

static void
counts_tags_as_evals_ask(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct html *html = render(a,
	    "<!doctype html><html><o:p>v<x>ia</x></b>gra<p>a<p>b</html>",
	    false);
	assert_int_equal(inside(html, "p"), 2);
	assert_null(html_tag_count(html, STR("img")));
	assert_int_equal(inside(html, "html"), 0);
	assert_true(html_tag_count(html, STR("html")) != NULL);
	assert_int_equal(html->total_tags, 9);
	assert_int_equal(html->elements, 7);
	assert_int_equal(html->closed_extra, 1);
	assert_int_equal(html->obfuscation, 2);
	assert_int_equal(html->backhair, 2);
	assert_int_equal(html->length, 58);
	assert_int_equal(html->html_length, 12);
	assert_int_equal(html->non_space_length, 8);
	arena_free(a);
}

static void
notes_sizes_colours_and_images(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct html *html = render(a,
	    "<font size=+4 face='!'>a</font><font size=-3 color=x>b</font>"
	    "<font color=#fff>c</font><img width=10 height=50%>"
	    "<embed><form action='MAILTO:x'>",
	    false);
	assert_int_equal(html->max_size, 7);
	assert_int_equal(html->min_size, 0);
	assert_int_equal(html->font_face_bad, 1);
	assert_int_equal(html->font_invalid_color, 1);
	assert_int_equal(html->font_low_contrast, 1);
	assert_int_equal(html->image_area, 3000);
	assert_int_equal(html->embeds, 1);
	assert_int_equal(html->form_action_mailto, 1);
	arena_free(a);
}

static const struct {
	const char *text;
	html_color color;
} colors[] = {
    {" Navy ", 0x000080},
    {"#abc", 0xaabbcc},
    {"#abcd", 0xaabbcc},
    {"#a", 0xaa0000},
    {"#1234567", 0x123456},
    {"#", COLOR_NONE},
    {"abcdef", COLOR_INVALID},
    {"rgb(1, 2,3 )", 0x010203},
    {"rgb(100%,50%,0%)", 0xff7f00},
    {"rgb(300,1,1)", 0x12c010},
    {"no-colour", COLOR_INVALID},
};

static void
reads_colours(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(colors); i++)
		assert_int_equal(html_color_parse(str_from(colors[i].text)),
		    colors[i].color);
}

static const char *const floods[] = {"<div>", "<div></span>", "<a href",
    "<title>", "<!-- ", "<![CDATA[", "<![ignore[", "<", "]", "&", "&#xd83d;",
    "<a b='", "</a '", "<!doctype '>", "<td><font>", "<base href=http://x/>",
    "<p style='background:rgb(((\">", "<q1><q2><q3>", "<a href=x>y</a>",
    "<!doctype -- ' -- \">", "\xc3\x82\xc2\xa0"};

/* A quadratic pass over half a megabyte would take minutes. */
static void
takes_linear_time_for_any_flood(void **state)
{
	(void)state;
	int64_t start = clock_ms();
	for (size_t i = 0; i < COUNT_OF(floods); i++) {
		struct arena *a = arena_new();
		struct buf *b = buf_new(a, 1 << 19);
		while (!b->is_cut)
			buf_put(b, str_from(floods[i]));
		struct effort effort = {0};
		(void)html_render(
		    a, buf_str(b), HTML_UNICODE, &limits, &effort);
		arena_free(a);
	}
	assert_true(clock_ms() - start < 60000);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(renders_text_as_body_rules_expect),
    cmocka_unit_test(tells_characters_from_bytes),
    cmocka_unit_test(splits_hidden_from_visible),
    cmocka_unit_test(finds_links_in_attributes),
    cmocka_unit_test(makes_links_absolute_only_with_a_base),
    cmocka_unit_test(resolves_references),
    cmocka_unit_test(keeps_the_texts_of_anchors_and_titles),
    cmocka_unit_test(counts_tags_as_evals_ask),
    cmocka_unit_test(notes_sizes_colours_and_images),
    cmocka_unit_test(reads_colours),
    cmocka_unit_test(takes_linear_time_for_any_flood),
};
UNIT_MAIN(tests)
