/* SPDX-License-Identifier: BSD-2-Clause */
/* chronicle -- what an operator did goes to posternd and comes out the same. */
#include "unit.h"

#include "session/chronicle.h"

static struct chronicle_event
sample(struct arena *a)
{
	struct chronicle_event event = {
	    .verb = STR("released"),
	    .id = STR("0Vv3kPpQd81mZsTa"),
	    .by = STR("root"),
	    .sender = STR("alice@example.org"),
	    .login = STR("alice"),
	    .subject = STR("caf\xc3\xa9 \"quoted\" \033[2J"),
	    .nrcpt = 2,
	};
	strs_add(a, &event.rcpt, STR("bob@example.net"));
	strs_add(a, &event.rcpt, str_of("a\0b@example.net", 15));
	return event;
}

static void
an_event_is_one_safe_line(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct chronicle_event event = sample(a), read;
	struct str text = chronicle_event_text(a, &event);
	for (size_t i = 0; i < text.len; i++)
		assert_true((unsigned char)text.p[i] >= ' ');
	assert_true(chronicle_event_parse(a, text, &read));
	assert_str(read.verb, "released");
	assert_str(read.id, "0Vv3kPpQd81mZsTa");
	assert_str(read.by, "root");
	assert_str(read.sender, "alice@example.org");
	assert_str(read.login, "alice");
	assert_true(str_eq(read.subject, event.subject));
	assert_int_equal(read.nrcpt, 2);
	assert_int_equal(read.rcpt.n, 2);
	assert_str(read.rcpt.v[0], "bob@example.net");
	assert_true(str_eq(read.rcpt.v[1], event.rcpt.v[1]));
	arena_free(a);
}

/* However long its texts are, and whatever is in them. */
static void
an_event_always_has_room(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	static char bytes[100000];
	memset(bytes, '\1', sizeof(bytes));
	struct str much = str_of(bytes, sizeof(bytes));
	struct chronicle_event event = sample(a), read;
	event.by = event.sender = event.login = event.subject = much;
	event.rcpt.n = 0;
	for (int i = 0; i < 1000; i++)
		strs_add(a, &event.rcpt, much);
	event.nrcpt = 1000;
	struct str text = chronicle_event_text(a, &event);
	assert_true(text.len < CHRONICLE_EVENT_MAX);
	assert_true(chronicle_event_parse(a, text, &read));
	assert_int_equal(read.rcpt.n, HISTORY_RCPT_MAX);
	assert_int_equal(read.nrcpt, 1000);
	memset(bytes, '\xff', sizeof(bytes));
	text = chronicle_event_text(a, &event);
	assert_true(chronicle_event_parse(a, text, &read));
	arena_free(a);
}

static void
what_is_no_event_is_refused(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct chronicle_event read;
	static const char *const wrong[] = {"", "{", "[]", "1", "null", "{}",
	    "released 0Vv3 root", "{\"verb\":\"released\"}",
	    "{\"verb\":\"eaten\",\"id\":\"0Vv3\"}",
	    "{\"verb\":\"released\",\"id\":\"../x\"}",
	    "{\"verb\":[\"released\"],\"id\":\"0Vv3\"}",
	    "{\"verb\":\"released\",\"id\":\"0Vv3\"} x"};
	for (size_t i = 0; i < COUNT_OF(wrong); i++)
		if (chronicle_event_parse(a, str_from(wrong[i]), &read))
			fail_msg("%s", wrong[i]);
	/* what is not of its type is not there */
	assert_true(chronicle_event_parse(a,
	    STR("{\"verb\":\"purged\",\"id\":\"0Vv3\",\"sender\":7,"
		"\"rcpt\":{\"a\":1},\"nrcpt\":-5}"),
	    &read));
	assert_int_equal(read.sender.len, 0);
	assert_int_equal(read.rcpt.n, 0);
	assert_int_equal(read.nrcpt, 0);
	arena_free(a);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(an_event_is_one_safe_line),
    cmocka_unit_test(an_event_always_has_room),
    cmocka_unit_test(what_is_no_event_is_refused),
};
UNIT_MAIN(tests)
