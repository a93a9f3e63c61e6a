/* SPDX-License-Identifier: BSD-2-Clause */
/* workers -- a worker stays with its connection while no other one has none. */
#include "session/workers.h"

#include <pthread.h>
#include <sys/socket.h>

#include "session/read_ahead.h"

#include "unit.h"

/* Longer than any test takes: only a call or data end such a wait. */
#define LONG_MS 600000
/* Connections that are only names here. */
#define FIRST 1000
#define SECOND 1001

/* A worker that waits for a connection, in a thread of its own. */
struct stay {
	int ours, theirs;
	pthread_t thread;
	int got;
	short revents;
};

static void *
stay_main(void *arg)
{
	struct stay *stay = arg;
	struct pollfd one = {.fd = stay->ours, .events = POLLIN};
	stay->got = workers_wait(&one, LONG_MS);
	stay->revents = one.revents;
	return NULL;
}

static void
stay_open(struct stay *ret)
{
	int ends[2];
	workers_start(); /* so does the thread that starts them */
	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	*ret = (struct stay){.ours = ends[0], .theirs = ends[1]};
}

/* Back when the worker waits, or, for a call that finds nobody, before. */
static void
stay_begin(struct stay *ret, size_t nstaying)
{
	stay_open(ret);
	assert_int_equal(pthread_create(&ret->thread, NULL, stay_main, ret), 0);
	while (workers_staying() < nstaying)
		(void)usleep(1000);
}

static void
stay_end(struct stay *stay)
{
	assert_int_equal(pthread_join(stay->thread, NULL), 0);
	assert_int_equal(close(stay->ours), 0);
	assert_int_equal(close(stay->theirs), 0);
}

static void
say(const struct stay *stay)
{
	assert_int_equal(send(stay->theirs, "x", 1, 0), 1);
}

/* What one wait of this thread says, with nothing to read. */
static int
wait_here(int ms)
{
	struct stay stay;
	stay_open(&stay);
	struct pollfd one = {.fd = stay.ours, .events = POLLIN};
	int n = workers_wait(&one, ms);
	assert_int_equal(close(stay.ours), 0);
	assert_int_equal(close(stay.theirs), 0);
	return n;
}

static void
it_stays_until_there_is_something(void **state)
{
	(void)state;
	struct stay stay;
	stay_begin(&stay, 1);
	workers_hand(FIRST); /* somebody idle takes it */
	assert_int_equal(workers_staying(), 1);
	workers_begin(FIRST);
	say(&stay);
	stay_end(&stay);
	assert_int_equal(stay.got, 1);
	assert_int_equal(stay.revents, POLLIN);
	assert_int_equal(workers_staying(), 0);
	assert_int_equal(wait_here(1), 0);
}

static void
the_end_of_a_connection_is_something(void **state)
{
	(void)state;
	struct stay stay;
	stay_begin(&stay, 1);
	assert_int_equal(shutdown(stay.theirs, SHUT_RDWR), 0);
	stay_end(&stay);
	assert_int_equal(stay.got, 1);
	assert_true((stay.revents & POLLIN) != 0);
}

/* One of two that wait, for one connection; the other one for the next. */
static void
the_second_that_has_none_calls_one(void **state)
{
	(void)state;
	struct stay stays[2];
	stay_begin(&stays[0], 1);
	stay_begin(&stays[1], 2);
	workers_hand(FIRST);
	assert_int_equal(workers_staying(), 2);
	workers_hand(SECOND);
	workers_hand(SECOND); /* known */
	assert_int_equal(workers_staying(), 1);
	stay_end(&stays[1]);
	assert_int_equal(stays[1].got, 0);
	workers_hand(SECOND + 1);
	stay_end(&stays[0]);
	assert_int_equal(stays[0].got, 0);
	for (int fd = FIRST; fd <= SECOND + 1; fd++)
		workers_begin(fd);
}

static void
a_call_that_nobody_heard_is_owed(void **state)
{
	(void)state;
	workers_hand(FIRST);
	workers_hand(SECOND);
	assert_int_equal(wait_here(LONG_MS), 0);
	struct stay stay;
	stay_begin(&stay, 1); /* paid */
	say(&stay);
	stay_end(&stay);
	assert_int_equal(stay.got, 1);
	workers_begin(FIRST);
	workers_begin(SECOND);
	workers_begin(SECOND);
}

static void
nothing_is_owed_once_all_have_begun(void **state)
{
	(void)state;
	workers_hand(FIRST);
	workers_hand(SECOND);
	workers_begin(SECOND);
	workers_begin(FIRST);
	struct stay stay;
	stay_begin(&stay, 1);
	say(&stay);
	stay_end(&stay);
	assert_int_equal(stay.got, 1);
}

/* Called and spoken to at one time: it goes on, and leaves after that. */
static void
who_is_called_and_has_work_leaves_later(void **state)
{
	(void)state;
	for (int i = 0; i < 200; i++) {
		struct stay stay;
		stay_begin(&stay, 1);
		workers_hand(FIRST);
		say(&stay);
		workers_hand(SECOND);
		stay_end(&stay);
		assert_int_equal(stay.got, 1);
		assert_int_equal(wait_here(LONG_MS), 0);
		workers_begin(FIRST);
		workers_begin(SECOND);
	}
}

static void
too_many_wait_as_libmilter_does(void **state)
{
	(void)state;
	static struct stay stays[WORKERS_STAY_MAX];
	for (size_t i = 0; i < COUNT_OF(stays); i++)
		stay_begin(&stays[i], i + 1);
	assert_int_equal(wait_here(LONG_MS), 0);
	for (size_t i = 0; i < COUNT_OF(stays); i++) {
		say(&stays[i]);
		stay_end(&stays[i]);
		assert_int_equal(stays[i].got, 1);
	}
}

static void
odd_descriptors_are_let_be(void **state)
{
	(void)state;
	workers_hand(-1);
	workers_hand(READ_AHEAD_FDS);
	workers_begin(-1);
	workers_begin(READ_AHEAD_FDS);
	workers_begin(FIRST);
	struct stay stay;
	stay_begin(&stay, 1);
	workers_hand(FIRST);
	assert_int_equal(workers_staying(), 1);
	workers_begin(FIRST);
	say(&stay);
	stay_end(&stay);
	assert_int_equal(stay.got, 1);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(it_stays_until_there_is_something),
    cmocka_unit_test(the_end_of_a_connection_is_something),
    cmocka_unit_test(the_second_that_has_none_calls_one),
    cmocka_unit_test(a_call_that_nobody_heard_is_owed),
    cmocka_unit_test(nothing_is_owed_once_all_have_begun),
    cmocka_unit_test(who_is_called_and_has_work_leaves_later),
    cmocka_unit_test(too_many_wait_as_libmilter_does),
    cmocka_unit_test(odd_descriptors_are_let_be),
};

UNIT_MAIN(tests)
