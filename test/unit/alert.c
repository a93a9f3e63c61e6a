/* SPDX-License-Identifier: BSD-2-Clause */
/* alert -- grouping and pace by a clock of our own, shares, words, letters. */
#include "unit.h"

#include "hold/letter.h"
#include "mail/transfer.h"
#include "session/alert_group.h"
#include "session/alert_rate.h"
#include "session/alert_sink.h"
#include "session/alerts.h"

#define DELAY 1000
#define EVERY 60000
static const struct alert_pace pace = {DELAY, EVERY};

struct told {
	struct alert_item items[ALERT_ITEMS];
	size_t n;
	uint64_t count, more;
};

/* Tell it at `now`; it has to be due, and was not before. */
static struct told
tell_at(struct alert_group *g, int64_t now)
{
	struct told t;
	assert_int_equal(alert_group_due(g), now);
	t.n = alert_group_take(g, &pace, now, t.items, &t.count, &t.more);
	assert_int_equal(alert_group_due(g), INT64_MAX);
	return t;
}

static void
happen(struct alert_group *g, const char *key, int64_t now)
{
	alert_group_add(
	    g, &pace, str_from(key), STR("detail"), now, now / 1000);
}

static struct alert_group *
group_new(struct arena *a)
{
	return ARENA_NEW(a, struct alert_group);
}

static void
one_alert_tells_of_37(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct alert_group *g = group_new(a);
	assert_int_equal(alert_group_due(g), INT64_MAX);
	for (int i = 0; i < 30; i++)
		happen(g, "alice", 5000 + i);
	for (int i = 0; i < 7; i++)
		happen(g, "bob", 5100 + i);
	assert_true(alert_group_has(g, STR("bob")));
	struct told t = tell_at(g, 5000 + DELAY);
	assert_int_equal(t.count, 37);
	assert_int_equal(t.n, 2);
	assert_str(alert_text_str(&t.items[0].key), "alice");
	assert_int_equal(t.items[0].count, 30);
	assert_int_equal(t.items[1].count, 7);
	assert_false(alert_group_has(g, STR("bob")));
	arena_free(a);
}

static void
a_key_that_was_told_is_quiet(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct alert_group *g = group_new(a);
	happen(g, "alice", 0);
	(void)tell_at(g, DELAY);
	happen(g, "alice", 3000);
	happen(g, "alice", 4000);
	assert_int_equal(alert_group_due(g), DELAY + EVERY);
	/* somebody new is not, and takes along what waits */
	happen(g, "bob", 5000);
	struct told t = tell_at(g, 5000 + DELAY);
	assert_int_equal(t.n, 2);
	assert_int_equal(t.count, 3);
	/* and alice is quiet from then on */
	happen(g, "alice", 10000);
	assert_int_equal(alert_group_due(g), 5000 + DELAY + EVERY);
	arena_free(a);
}

/* New keys all the time: 1, 2, 4, ... seconds apart, up to EVERY. */
static void
a_storm_of_new_keys_is_told_ever_more_rarely(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct alert_group *g = group_new(a);
	char key[16];
	int alerts = 0;
	uint64_t told = 0;
	for (int64_t now = 0; now < 3600000; now += 500) {
		struct told t;
		(void)snprintf(key, sizeof(key), "%lld", (long long)now);
		happen(g, key, now);
		if (alert_group_due(g) > now)
			continue;
		t.n =
		    alert_group_take(g, &pace, now, t.items, &t.count, &t.more);
		assert_int_equal(t.n + t.more, t.count);
		told += t.count;
		alerts++;
	}
	/* an hour of it: seven while the gap doubles, then one a minute */
	assert_true(alerts >= 60 && alerts <= 68);
	assert_true(told > 7000);
	(void)tell_at(g, alert_group_due(g));
	/* after a long quiet time it is as at first */
	happen(g, "late", 9000000);
	(void)tell_at(g, 9000000 + DELAY);
	arena_free(a);
}

static void
shares_are_of_the_window(void **state)
{
	(void)state;
	struct alert_rate r = {0};
	struct alert_share s = alert_rate_add(&r, 0, 1000, 50, 100);
	assert_int_equal(s.whole, 0);
	assert_true(s.percent == 0);
	uint64_t part = 50, whole = 100;
	/* of a hundred a tick ten are of the kind, then half of them */
	for (int64_t now = 100; now <= 2000; now += 100)
		s = alert_rate_add(&r, now, 1000, part += 10, whole += 100);
	assert_int_equal(s.whole, 1000);
	assert_true(s.percent == 10);
	for (int64_t now = 2100; now <= 2500; now += 100)
		s = alert_rate_add(&r, now, 1000, part += 50, whole += 100);
	assert_true(s.percent == 30);
	for (int64_t now = 2600; now <= 4000; now += 100)
		s = alert_rate_add(&r, now, 1000, part, whole);
	assert_int_equal(s.whole, 0);
	/* calls that are closer or further apart than they should be */
	for (int64_t now = 4000; now <= 4100; now++)
		s = alert_rate_add(&r, now, 1000, part, ++whole);
	assert_true(s.whole >= 100);
	s = alert_rate_add(&r, 99999, 1000, part, whole + 7);
	assert_true(s.whole >= 7);
}

static void
a_full_queue_loses_and_counts(void **state)
{
	(void)state;
	struct alerts *al = alerts_new();
	struct alerts_stats stats;
	for (int i = 0; i < 300; i++)
		alerts_raise(al, ALERT_FIRST_HOLD, STR("alice"), STR_EMPTY);
	alerts_raise(al, ALERT_DNS_FAILING, STR_EMPTY, STR_EMPTY);
	alerts_stats(al, &stats);
	assert_int_equal(stats.lost[ALERT_FIRST_HOLD], 300 - 256);
	assert_int_equal(stats.lost[ALERT_DNS_FAILING], 1);
	assert_true(alerts_stop(al));
	alerts_free(al);
}

/* ---- words */

static struct alert_item
item_of(const char *key, size_t len, const char *detail)
{
	struct alert_item item = {.count = 3, .last_wall = 1000};
	memcpy(item.key.bytes, key, item.key.len = len);
	item.detail.len = strlen(detail);
	memcpy(item.detail.bytes, detail, item.detail.len);
	return item;
}

static void
alerts_are_safe_to_read(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct alert_item items[] = {
	    item_of("<a\0\r\nBcc: x\033[2J@b>", 18, "evil \xe2\x80\xae txt"),
	    item_of("\xff", 1, "")};
	struct alert alert = {.event = ALERT_FIRST_HOLD,
	    .host = STR("mail.example"),
	    .items = items,
	    .n = 2,
	    .count = 37,
	    .more = 31,
	    .lost = 5,
	    .cancel = -1};
	struct str title = alert_title(a, &alert);
	assert_true(str_starts(title, STR("2 or more senders had mail held")));
	assert_true(str_chr(title, '\n') == STR_NONE);
	assert_true(str_chr(title, '\033') == STR_NONE);
	struct str body = alert_body(a, &alert);
	assert_true(str_find(body, STR("evil \\u{202e} txt")) != STR_NONE);
	assert_true(str_find(body, STR("and 31 more")) != STR_NONE);
	for (size_t i = 0; i < body.len; i++)
		assert_true(body.p[i] == '\n' || body.p[i] >= ' ');
	json_t *o = alert_json(&alert);
	char *text = json_dumps(o, 0);
	json_t *again = json_loads(text, JSON_ALLOW_NUL, NULL);
	assert_non_null(again);
	assert_int_equal(json_array_size(json_object_get(again, "items")), 2);
	json_decref(again);
	json_decref(o);
	free(text);
	arena_free(a);
}

/* ---- letters */

static struct letter
letter_example(void)
{
	static struct str to[] = {{"root@a.example", 14}, {"b@c.example", 11}};
	return (struct letter){
	    .from = STR("postern@a.example"),
	    .host = STR("a.example"),
	    .to = {to, 2, 2},
	    .subject = STR("fine"),
	    .body = STR("body\n"),
	};
}

static void
letters_are_ascii_lines_of_76(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct letter letter = letter_example();
	letter.subject = STR("caf\xc3\xa9 caf\xc3\xa9 caf\xc3\xa9 caf\xc3\xa9 "
			     "caf\xc3\xa9 \033[2J\r\nBcc: eve");
	letter.body =
	    STR("From here\n.\nblank at the end \n=41 caf\xc3\xa9 "
		"0123456789012345678901234567890123456789012345678901234567"
		"89 caf\xc3\xa9 and so on and so on\n");
	struct str text = letter_text(a, &letter, 1795000000);
	struct str rest = text;
	assert_true(str_is_ascii(text));
	assert_true(str_find(text, STR("\nBcc")) == STR_NONE);
	while (rest.len > 0) {
		struct str line = str_line(&rest);
		assert_true(line.len <= 76);
		assert_false(str_starts(line, STR("From h")));
		assert_false(str_starts(line, STR(".")));
	}
	assert_true(str_find(text, STR("\nDate: ")) != STR_NONE);
	assert_true(str_find(text, STR("\nTo: <root@a.example>,\n "
				       "<b@c.example>\n")) != STR_NONE);
	assert_true(
	    str_find(text, STR("Auto-Submitted: auto-generated")) != STR_NONE);
	size_t body = str_find(text, STR("\n\n"));
	assert_str(transfer_quoted_printable(a, str_skip(text, body + 2)),
	    "From here\n.\nblank at the end \n=41 caf\xc3\xa9 "
	    "0123456789012345678901234567890123456789012345678901234567"
	    "89 caf\xc3\xa9 and so on and so on\n");
	arena_free(a);
}

static void
plain_subjects_stay_plain(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct letter letter = letter_example();
	struct str text = letter_text(a, &letter, 0);
	assert_true(str_find(text, STR("\nSubject: fine\n")) != STR_NONE);
	letter.subject = STR("=?utf-8?q?fake?=");
	text = letter_text(a, &letter, 0);
	assert_true(str_find(text, STR("\nSubject: =?UTF-8?B?")) != STR_NONE);
	assert_true(
	    str_find(text, STR("Date: Thu, 01 Jan 1970 00:00:00 +0000\n")) !=
	    STR_NONE);
	arena_free(a);
}

static void
ids_of_letters_are_told_from_those_of_held_mail(void **state)
{
	(void)state;
	assert_true(letter_is_id(STR("postern0123456789abcdef")));
	assert_false(letter_is_id(STR("postern012345678")));
	assert_false(letter_is_id(STR("0Vv3kPpQd81mZsTa")));
	assert_false(letter_is_id(STR_EMPTY));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(one_alert_tells_of_37),
    cmocka_unit_test(a_key_that_was_told_is_quiet),
    cmocka_unit_test(a_storm_of_new_keys_is_told_ever_more_rarely),
    cmocka_unit_test(shares_are_of_the_window),
    cmocka_unit_test(a_full_queue_loses_and_counts),
    cmocka_unit_test(alerts_are_safe_to_read),
    cmocka_unit_test(letters_are_ascii_lines_of_76),
    cmocka_unit_test(plain_subjects_stay_plain),
    cmocka_unit_test(ids_of_letters_are_told_from_those_of_held_mail),
};
UNIT_MAIN(tests)
