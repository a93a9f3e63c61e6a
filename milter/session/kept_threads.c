/* SPDX-License-Identifier: BSD-2-Clause */
/* kept_threads -- threads of libmilter's workers are used again. */
#include "session/kept_threads.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <time.h>

typedef void *thread_main(void *arg);

struct task {
	thread_main *start; /* NULL: none */
	void *arg;
};

/* A thread that waits for its next task; lives on its stack. */
struct idle {
	struct task task;
	pthread_t thread;
	pthread_cond_t has_task;
	struct idle *next;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct idle *idles; /* the last one first: its stack is warm */

static _Thread_local bool is_starter;
static _Thread_local bool is_detached;

typedef int create_function(
    pthread_t *, const pthread_attr_t *, thread_main *, void *);
typedef int detach_function(pthread_t);

/* Sanitizers are to see threads start: theirs, if they are linked in. */
#if defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
create_function __interceptor_pthread_create;
#define CREATE_REALLY __interceptor_pthread_create
#endif
#if __has_feature(thread_sanitizer)
detach_function __interceptor_pthread_detach;
#define DETACH_REALLY __interceptor_pthread_detach
#endif
#endif

/* Looked for when it is called: a library may do so before main(). */
#ifndef CREATE_REALLY
static int
create_really(
    pthread_t *ret, const pthread_attr_t *attr, thread_main *start, void *arg)
{
	create_function *next;
	*(void **)&next = dlsym(RTLD_NEXT, "pthread_create");
	return next == NULL ? ENOSYS : next(ret, attr, start, arg);
}
#define CREATE_REALLY create_really
#endif

#ifndef DETACH_REALLY
static int
detach_really(pthread_t thread)
{
	detach_function *next;
	*(void **)&next = dlsym(RTLD_NEXT, "pthread_detach");
	return next == NULL ? ENOSYS : next(thread);
}
#define DETACH_REALLY detach_really
#endif

/* The next task of this thread; false: none for a long time. */
static bool
task_wait(struct task *ret)
{
	struct idle self = {.thread = pthread_self()};
	struct timespec until;
	pthread_condattr_t attr;
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&self.has_task, &attr);
	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += KEPT_THREAD_MS / 1000;
	int error = 0;
	(void)pthread_mutex_lock(&lock);
	self.next = idles;
	idles = &self;
	while (self.task.start == NULL && error != ETIMEDOUT)
		error = pthread_cond_timedwait(&self.has_task, &lock, &until);
	struct idle **at = &idles;
	while (self.task.start == NULL && *at != &self)
		at = &(*at)->next;
	if (self.task.start == NULL)
		*at = self.next;
	(void)pthread_mutex_unlock(&lock);
	(void)pthread_cond_destroy(&self.has_task);
	*ret = self.task;
	return self.task.start != NULL;
}

static void *
work(void *first)
{
	struct task task = *(struct task *)first;
	free(first);
	is_detached = DETACH_REALLY(pthread_self()) == 0;
	do
		(void)task.start(task.arg);
	while (task_wait(&task));
	return NULL;
}

static void *
work_once(void *arg)
{
	struct task task = *(struct task *)arg;
	free(arg);
	is_starter = true;
	return task.start(task.arg);
}

static bool
idle_use(struct task task, pthread_t *ret)
{
	(void)pthread_mutex_lock(&lock);
	struct idle *idle = idles;
	if (idle != NULL) {
		idles = idle->next;
		*ret = idle->thread;
		idle->task = task;
		(void)pthread_cond_signal(&idle->has_task);
	}
	(void)pthread_mutex_unlock(&lock);
	return idle != NULL;
}

void
kept_threads_here(void)
{
	is_starter = true;
}

size_t
kept_threads_idle(void)
{
	size_t n = 0;
	(void)pthread_mutex_lock(&lock);
	for (const struct idle *idle = idles; idle != NULL; idle = idle->next)
		n++;
	(void)pthread_mutex_unlock(&lock);
	return n;
}

int
pthread_create(
    pthread_t *ret, const pthread_attr_t *attr, thread_main *start, void *arg)
{
	struct task task = {.start = start, .arg = arg};
	if (!is_starter || attr != NULL)
		return CREATE_REALLY(ret, attr, start, arg);
	if (arg != NULL && idle_use(task, ret))
		return 0;
	struct task *first = malloc(sizeof(*first));
	if (first == NULL)
		return EAGAIN;
	*first = task;
	int error =
	    CREATE_REALLY(ret, NULL, arg != NULL ? work : work_once, first);
	if (error != 0)
		free(first);
	return error;
}

int
pthread_detach(pthread_t thread)
{
	if (is_detached && pthread_equal(thread, pthread_self()))
		return 0;
	return DETACH_REALLY(thread);
}
