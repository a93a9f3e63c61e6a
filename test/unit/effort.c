/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * effort -- mail that is made to cost, and a clock that stops it.  The clock
 * counts how often it is asked, so nothing here depends on the machine.
 */
#include "unit.h"

#include "../tool/hostile.h"
#include "mail/header.h"
#include "mail/html.h"
#include "mail/relay.h"
#include "mail/uri.h"
#include "rules/ruleset.h"

#define MAIL_BYTES ((size_t)400 * 1024)

struct counting_clock {
	unsigned asked;
	unsigned expires_at; /* the answer to this question is yes; 0: never */
};

static bool
is_expired(void *arg)
{
	struct counting_clock *clock = arg;
	clock->asked++;
	return clock->expires_at > 0 && clock->asked >= clock->expires_at;
}

/* --- rules --- */

/* One that asks for each view, and hits nothing. */
static const char rules_text[] = "util_rb_tld com example\n"
				 "body B /zzqq/\n"
				 "rawbody R /zzqq/\n"
				 "full F /zzqq/\n"
				 "uri U /zzqq/\n"
				 "uri_detail D raw =~ /zzqq/\n"
				 "mimeheader M Content-Type =~ /zzqq/\n"
				 "header A ALL =~ /zzqq/\n"
				 "header X X-Spam-Relays-Untrusted =~ /zzqq/\n"
				 "header S Subject =~ /zzqq/\n"
				 "header T ToCc:addr =~ /zzqq/\n"
				 "header N From:name =~ /zzqq/\n"
				 "header L From:addr:domain =~ /zzqq/\n"
				 "body E eval:html_image_ratio('0.1', '0.2')\n"
				 "body C (?:a+)+zzqq/\n";

static struct ruleset *
rules_load(struct arena *a)
{
	struct diags diags = {.arena = a};
	struct ruleset_options options = {0};
	struct ruleset *rules = ruleset_load_text(
	    STR("t.cf"), str_from(rules_text), &options, &diags);
	assert_non_null(rules);
	return rules;
}

/* --- views --- */

static size_t
nparts(struct message *m)
{
	return m->nparts;
}

static size_t
body_bytes(struct message *m)
{
	size_t n = 0;
	for (size_t i = 0; i < message_body(m)->n; i++)
		n += message_body(m)->v[i].len;
	return n;
}

static size_t
rawbody_bytes(struct message *m)
{
	size_t n = 0;
	for (size_t i = 0; i < message_rawbody(m)->n; i++)
		n += message_rawbody(m)->v[i].len;
	return n;
}

static size_t
nlinks(struct message *m)
{
	return message_uri_list(m)->n;
}

static size_t
ntags(struct message *m)
{
	const struct html *html = part_html(m, m->root);
	return html == NULL ? 0 : (size_t)html->total_tags;
}

static size_t
nrelays(struct message *m)
{
	return message_relays(m)->n;
}

static size_t
selected_bytes(struct message *m, const char *selector)
{
	struct header_query query;
	struct str value = STR_EMPTY;
	assert_true(header_query_parse(str_from(selector), &query));
	return header_query_run(m, &query, &value) ? value.len : 0;
}

static size_t
addresses_bytes(struct message *m)
{
	return selected_bytes(m, "To:addr");
}

static size_t
subject_bytes(struct message *m)
{
	return selected_bytes(m, "Subject");
}

/* A view, mail that makes it long, and how long it is. */
static const struct {
	const char *kind;
	size_t (*size)(struct message *m);
} views[] = {
    {"parts-long-words", nparts},
    {"parts-html", body_bytes},
    {"parts-long-words", body_bytes},
    {"parts-base64", rawbody_bytes},
    {"parts-long-links", nlinks},
    {"links", nlinks},
    {"long-links-nested", nlinks},
    {"html-names", ntags},
    {"html-tables", ntags},
    {"html-attributes", ntags},
    {"html-title-open", ntags},
    {"fields-received", nrelays},
    {"fields-to", addresses_bytes},
    {"long-to-addresses", addresses_bytes},
    {"fields-subject", subject_bytes},
};

/* How long the view is if the clock expires at question `expires_at`. */
static size_t
size_until(const struct ruleset *rules, size_t view, unsigned expires_at,
    bool *ret_is_over)
{
	struct arena *a = arena_new();
	struct counting_clock clock = {.expires_at = expires_at};
	struct effort effort = {.is_expired = is_expired, .arg = &clock};
	const struct hostile *kind = hostile_named(str_from(views[view].kind));
	assert_non_null(kind);
	struct message *m =
	    message_new_within(a, hostile_make(a, kind, MAIL_BYTES),
		ruleset_mail_config(rules), NULL, effort);
	size_t size = views[view].size(m);
	*ret_is_over = m->effort.is_over;
	arena_free(a);
	return size;
}

static void
each_view_is_cut_short_when_time_is_over(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct ruleset *rules = rules_load(a);
	for (size_t i = 0; i < COUNT_OF(views); i++) {
		bool is_over;
		size_t whole = size_until(rules, i, 0, &is_over);
		assert_false(is_over);
		size_t cut = size_until(rules, i, 1, &is_over);
		if (!is_over || (cut >= whole && whole > 1))
			fail_msg("%s: %zu of %zu", views[i].kind, cut, whole);
	}
	ruleset_free(rules);
	arena_free(a);
}

/* --- all of it --- */

static void
run_kind(const struct ruleset *rules, const struct hostile *kind,
    unsigned expires_at)
{
	struct arena *a = arena_new();
	struct counting_clock clock = {.expires_at = expires_at};
	struct effort effort = {.is_expired = is_expired, .arg = &clock};
	struct rule_run run = {.is_expired = is_expired, .arg = &clock};
	struct rule_result result;
	struct message *m =
	    message_new_within(a, hostile_make(a, kind, MAIL_BYTES),
		ruleset_mail_config(rules), NULL, effort);
	ruleset_run(rules, m, &run, &result);
	if (result.is_out_of_time != (clock.asked >= expires_at))
		fail_msg("%s: asked %u times, out of time: %d", kind->name,
		    clock.asked, result.is_out_of_time);
	/* Views, matches and the rules between them ask for themselves. */
	if (clock.asked > expires_at + 2)
		fail_msg("%s: asked %u times of %u", kind->name, clock.asked,
		    expires_at);
	arena_free(a);
}

static void
hostile_mail_ends_when_its_time_is_over(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct ruleset *rules = rules_load(a);
	for (size_t i = 0; i < hostile_nkinds; i++) {
		run_kind(rules, &hostile_kinds[i], 1);
		run_kind(rules, &hostile_kinds[i], 8);
	}
	ruleset_free(rules);
	arena_free(a);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(each_view_is_cut_short_when_time_is_over),
    cmocka_unit_test(hostile_mail_ends_when_its_time_is_over),
};

UNIT_MAIN(tests)
