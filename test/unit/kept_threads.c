/* SPDX-License-Identifier: BSD-2-Clause */
/* kept_threads -- who is started takes the place of who has ended. */
#include "session/kept_threads.h"

#include <pthread.h>
#include <semaphore.h>
#include <sys/syscall.h>

#include "unit.h"

#define THREADS 8

/* What a worker of libmilter does: detach itself, work, return. */
struct visit {
	sem_t may_end, has_begun;
	long id;
	int detached;
};

static void *
visit_main(void *arg)
{
	struct visit *visit = arg;
	visit->id = syscall(SYS_gettid);
	visit->detached = pthread_detach(pthread_self());
	(void)sem_post(&visit->has_begun);
	while (sem_wait(&visit->may_end) != 0)
		continue;
	return NULL;
}

static void
visit_begin(struct visit *ret)
{
	pthread_t thread;
	(void)sem_init(&ret->may_end, 0, 0);
	(void)sem_init(&ret->has_begun, 0, 0);
	assert_int_equal(pthread_create(&thread, NULL, visit_main, ret), 0);
	while (sem_wait(&ret->has_begun) != 0)
		continue;
	assert_int_equal(ret->detached, 0);
}

static void
visits_are_apart(const struct visit *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < i; j++)
			assert_true(v[i].id != v[j].id);
}

static bool
was_there(const struct visit *v, size_t n, long id)
{
	for (size_t i = 0; i < n; i++)
		if (v[i].id == id)
			return true;
	return false;
}

static void
a_thread_that_has_ended_comes_again(void **state)
{
	(void)state;
	static struct visit first[THREADS], later[THREADS];
	kept_threads_here();
	for (size_t i = 0; i < THREADS; i++)
		visit_begin(&first[i]);
	visits_are_apart(first, THREADS);
	for (size_t i = 0; i < THREADS; i++)
		(void)sem_post(&first[i].may_end);
	while (kept_threads_idle() < THREADS)
		(void)usleep(1000);
	for (size_t i = 0; i < THREADS; i++) {
		visit_begin(&later[i]);
		assert_true(was_there(first, THREADS, later[i].id));
	}
	visits_are_apart(later, THREADS);
	assert_int_equal(kept_threads_idle(), 0);
	for (size_t i = 0; i < THREADS; i++)
		(void)sem_post(&later[i].may_end);
	while (kept_threads_idle() < THREADS)
		(void)usleep(1000);
}

static void *
same(void *arg)
{
	return arg;
}

/* In every other way pthread_create(3) does what it always does. */
static void
others_are_joined_as_ever(void **state)
{
	(void)state;
	pthread_t thread;
	pthread_attr_t attr;
	void *got = state;
	assert_int_equal(pthread_create(&thread, NULL, same, NULL), 0);
	assert_int_equal(pthread_join(thread, &got), 0);
	assert_null(got);
	assert_int_equal(pthread_attr_init(&attr), 0);
	assert_int_equal(pthread_create(&thread, &attr, same, &got), 0);
	assert_int_equal(pthread_join(thread, &got), 0);
	assert_ptr_equal(got, &got);
	assert_int_equal(pthread_attr_destroy(&attr), 0);
}

static void *
start_from_here(void *arg)
{
	pthread_t thread;
	void *got = NULL;
	struct visit visit;
	assert_int_equal(pthread_create(&thread, NULL, same, &visit), 0);
	assert_int_equal(pthread_join(thread, &got), 0);
	assert_ptr_equal(got, &visit);
	return arg;
}

static void
who_has_not_asked_gets_threads_to_join(void **state)
{
	(void)state;
	pthread_t thread;
	pthread_attr_t attr;
	void *got = NULL;
	assert_int_equal(pthread_attr_init(&attr), 0);
	assert_int_equal(
	    pthread_create(&thread, &attr, start_from_here, &got), 0);
	assert_int_equal(pthread_join(thread, &got), 0);
	assert_ptr_equal(got, &got);
	assert_int_equal(pthread_attr_destroy(&attr), 0);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_thread_that_has_ended_comes_again),
    cmocka_unit_test(others_are_joined_as_ever),
    cmocka_unit_test(who_has_not_asked_gets_threads_to_join),
};

UNIT_MAIN(tests)
