/* SPDX-License-Identifier: BSD-2-Clause */
/* alerts -- the queue and the thread that gathers and tells. */
#include "session/alerts.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/eventfd.h>

#include "auth/dns.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/table.h"
#include "hold/quarantine.h"
#include "session/alert_group.h"
#include "session/alert_rate.h"
#include "session/alert_sink.h"
#include "session/gate.h"
#include "session/metrics.h"
#include "state/memory.h"

#define QUEUE 256
#define SEEN 1024
/* How long a sender has to be without a hold to be told of again. */
#define FIRST_S (24 * 3600)
#define TICK_MS 10000
#define STOP_MS 2000

/* What was raised. */
struct raised {
	enum alert_event event;
	int64_t wall;
	struct alert_text key, detail;
};

/* A condition that lasts: told when it begins, and again while it goes on. */
struct condition {
	struct alert_rate rate;
	bool is_on;
	int64_t raised_ms;
};

struct alerts {
	pthread_mutex_t lock; /* guards the queue and the two booleans */
	pthread_cond_t has_changed, has_flushed;
	struct raised queue[QUEUE];
	size_t first, n;
	bool is_stopping, is_flushing;
	_Atomic bool is_started;
	int cancel; /* eventfd: no sink is waited for any more */
	pthread_t thread;
	_Atomic uint64_t told[ALERT_EVENTS], lost[ALERT_EVENTS];
	_Atomic uint64_t failed;
	_Atomic int64_t telling_ms; /* since when a sink is at work; 0: none */
	/* the thread's own */
	struct gate *gate;
	struct alert_group groups[ALERT_EVENTS];
	struct condition conditions[ALERT_EVENTS];
	uint64_t lost_told[ALERT_EVENTS];
	struct {
		uint64_t hash;
		int64_t until_ms;
	} seen[SEEN];    /* senders that need not be asked for */
	int64_t tick_ms; /* the next look at conditions */
};

struct alerts *
alerts_new(void)
{
	struct alerts *al = calloc(1, sizeof(*al));
	pthread_condattr_t attr;
	if (al == NULL)
		log_fatal("out of memory");
	al->cancel = eventfd(0, EFD_CLOEXEC);
	if (al->cancel < 0)
		log_fatal("eventfd: %s", strerror(errno));
	(void)pthread_mutex_init(&al->lock, NULL);
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&al->has_changed, &attr);
	(void)pthread_cond_init(&al->has_flushed, &attr);
	(void)pthread_condattr_destroy(&attr);
	return al;
}

void
alerts_free(struct alerts *al)
{
	if (al == NULL)
		return;
	(void)close(al->cancel);
	(void)pthread_cond_destroy(&al->has_changed);
	(void)pthread_cond_destroy(&al->has_flushed);
	(void)pthread_mutex_destroy(&al->lock);
	free(al);
}

static void
text_set(struct alert_text *t, struct str s, size_t max)
{
	t->len = s.len < max ? s.len : max;
	memcpy(t->bytes, s.p, t->len);
}

void
alerts_raise(struct alerts *al, enum alert_event event, struct str key,
    struct str detail)
{
	(void)pthread_mutex_lock(&al->lock);
	if (al->n == QUEUE) {
		(void)atomic_fetch_add(&al->lost[event], 1);
	} else {
		struct raised *r = &al->queue[(al->first + al->n++) % QUEUE];
		r->event = event;
		r->wall = clock_wall();
		text_set(&r->key, key, ALERT_KEY_BYTES);
		text_set(&r->detail, detail, ALERT_DETAIL_BYTES);
		(void)pthread_cond_signal(&al->has_changed);
	}
	(void)pthread_mutex_unlock(&al->lock);
}

/* ---- what is taken from the queue */

static struct alert_pace
pace_of(const struct config *config, enum alert_event event)
{
	return (struct alert_pace){
	    config->alert_delay_ms, config->alert[event].every_ms};
}

static void
gather(struct alerts *al, const struct config *config, enum alert_event event,
    struct str key, struct str detail, int64_t wall)
{
	struct alert_pace pace = pace_of(config, event);
	if (config_alert_is_told(config, event))
		alert_group_add(
		    &al->groups[event], &pace, key, detail, clock_ms(), wall);
}

/*
 * The memory knows, across restarts: a budget of one a day.  While it is not
 * there, better a sender too often than none.
 */
static bool
is_first(struct alerts *al, struct str sender)
{
	struct arena *a = arena_new();
	uint64_t hash = table_hash(sender, false) | 1;
	int64_t now = clock_ms();
	size_t full = 0;
	bool is_first = false;
	if (al->seen[hash % SEEN].hash != hash ||
	    al->seen[hash % SEEN].until_ms <= now) {
		struct buf *key = buf_new(a, ALERT_KEY_BYTES + 32);
		buf_put(key, STR("alert first-hold "));
		buf_put(key, sender);
		struct budget_row row = {buf_str(key), 1, FIRST_S};
		is_first = budget_take(gate_memory(al->gate), &row, 1,
			       clock_wall(), &full) != MEMORY_OK ||
			   full == 1;
		al->seen[hash % SEEN].hash = hash;
		/* the memory is asked again from time to time */
		al->seen[hash % SEEN].until_ms = now + FIRST_S / 24 * 1000;
	}
	arena_free(a);
	return is_first;
}

static void
take_one(struct alerts *al, const struct config *config, const struct raised *r)
{
	struct str key = alert_text_str(&r->key);
	bool is_hold = r->event == ALERT_FIRST_HOLD;
	if (!config_alert_is_told(config, r->event))
		return;
	if (is_hold && !alert_group_has(&al->groups[r->event], key) &&
	    !is_first(al, key))
		return;
	gather(al, config, r->event, key, alert_text_str(&r->detail), r->wall);
}

/* ---- conditions */

static void
condition_set(struct alerts *al, const struct config *config,
    enum alert_event event, bool is_on, struct str detail)
{
	struct condition *c = &al->conditions[event];
	int64_t now = clock_ms();
	bool is_due = is_on && (!c->is_on || now - c->raised_ms >=
						 config->alert[event].every_ms);
	c->is_on = is_on;
	if (!is_due)
		return;
	c->raised_ms = now;
	gather(al, config, event, STR_EMPTY, detail, clock_wall());
}

static bool
share_is_over(const struct config *config, const struct alert_share *share,
    uint64_t percent)
{
	return share->whole >= config->alert_least &&
	       share->percent >= (double)percent;
}

static void
watch_holds(struct alerts *al, struct arena *a, const struct config *config)
{
	struct metrics *m = gate_metrics(al->gate);
	uint64_t part = 0, whole = 0;
	for (size_t c = 0; c < CLASS_COUNT; c++)
		for (size_t n = 0; c != CLASS_INBOUND && n < ACTION_COUNT;
		     n++) {
			whole += m->actions[c][n];
			part += n == ACTION_HOLD ? m->actions[c][n] : 0;
		}
	struct alert_share share =
	    alert_rate_add(&al->conditions[ALERT_HOLD_RATE].rate, clock_ms(),
		config->alert_window_ms, part, whole);
	condition_set(al, config, ALERT_HOLD_RATE,
	    share_is_over(config, &share, config->alert_hold_percent),
	    str_printf(a, "%llu of %llu messages were held, %.0f%%",
		(unsigned long long)share.part, (unsigned long long)share.whole,
		share.percent));
}

static void
watch_dns(struct alerts *al, struct arena *a, const struct config *config)
{
	struct resolver_stats dns;
	resolver_stats(gate_dns(al->gate)->resolver, &dns);
	struct alert_share share = alert_rate_add(
	    &al->conditions[ALERT_DNS_FAILING].rate, clock_ms(),
	    config->alert_window_ms, dns.timeouts + dns.failures, dns.asked);
	bool is_off = resolver_is_off(gate_dns(al->gate)->resolver);
	condition_set(al, config, ALERT_DNS_FAILING,
	    !is_off && share_is_over(config, &share, config->alert_dns_percent),
	    str_printf(a, "%llu of %llu questions were not answered, %.0f%%",
		(unsigned long long)share.part, (unsigned long long)share.whole,
		share.percent));
}

static void
watch_quarantine(
    struct alerts *al, struct arena *a, const struct config *config)
{
	struct quarantine_stats held;
	quarantine_stats(gate_quarantine(al->gate), &held);
	double used = 0;
	for (size_t i = 0; i < FOLDER_COUNT; i++)
		used += (double)held.bytes[i];
	double percent =
	    held.max_bytes == 0 ? 0 : 100 * used / (double)held.max_bytes;
	condition_set(al, config, ALERT_QUARANTINE_FULL,
	    percent >= (double)config->alert_quarantine_percent,
	    str_printf(a, "%.0f%% of its %.0f MB are used", percent,
		(double)held.max_bytes / 1048576));
}

/* Nobody looks at what is not told: a quarantine may be large. */
static const struct {
	enum alert_event event;
	void (*look)(
	    struct alerts *al, struct arena *a, const struct config *config);
} watches[] = {
    {ALERT_HOLD_RATE, watch_holds},
    {ALERT_DNS_FAILING, watch_dns},
    {ALERT_QUARANTINE_FULL, watch_quarantine},
};

static void
watch(struct alerts *al, struct arena *a, const struct config *config)
{
	int64_t tick = config->alert_window_ms / 10;
	if (clock_ms() < al->tick_ms)
		return;
	al->tick_ms = clock_ms() + (tick < TICK_MS ? tick : TICK_MS);
	for (size_t i = 0; i < COUNT_OF(watches); i++)
		if (config_alert_is_told(config, watches[i].event))
			watches[i].look(al, a, config);
}

/* ---- telling */

static void
tell(struct alerts *al, struct arena *a, const struct config *config,
    enum alert_event event)
{
	struct alert_item *items =
	    ARENA_ARRAY(a, struct alert_item, ALERT_ITEMS);
	struct alert_pace pace = pace_of(config, event);
	uint64_t lost = atomic_load(&al->lost[event]);
	struct alert alert = {
	    .event = event,
	    .host = config_host(a, config),
	    .now_wall = clock_wall(),
	    .items = items,
	    .lost = lost - al->lost_told[event],
	    .cancel = al->cancel,
	};
	alert.n = alert_group_take(&al->groups[event], &pace, clock_ms(), items,
	    &alert.count, &alert.more);
	al->lost_told[event] = lost;
	(void)atomic_fetch_add(&al->told[event], 1);
	atomic_store(&al->telling_ms, clock_ms());
	(void)atomic_fetch_add(
	    &al->failed, alert_send(a, config, gate_release(al->gate), &alert));
	atomic_store(&al->telling_ms, 0);
}

static bool
is_stopping(struct alerts *al)
{
	(void)pthread_mutex_lock(&al->lock);
	bool is_stopping = al->is_stopping;
	(void)pthread_mutex_unlock(&al->lock);
	return is_stopping;
}

/* Tell what is due, or all; returns when the next is. */
static int64_t
tell_due(struct alerts *al, struct arena *a, const struct config *config,
    bool is_flushing)
{
	int64_t next = INT64_MAX;
	for (size_t i = 0; i < ALERT_EVENTS && !is_stopping(al); i++) {
		int64_t due = alert_group_due(&al->groups[i]);
		if (due != INT64_MAX && (is_flushing || due <= clock_ms())) {
			tell(al, a, config, (enum alert_event)i);
			due = alert_group_due(&al->groups[i]);
		}
		if (due < next)
			next = due;
	}
	return next;
}

/* All of the queue, in `a`; called with the lock. */
static size_t
queue_take(struct alerts *al, struct arena *a, struct raised **ret)
{
	size_t n = al->n;
	*ret = ARENA_ARRAY(a, struct raised, n);
	for (size_t i = 0; i < n; i++)
		(*ret)[i] = al->queue[(al->first + i) % QUEUE];
	al->first = (al->first + n) % QUEUE;
	al->n = 0;
	return n;
}

/* One round; returns when the next one is. */
static int64_t
work(struct alerts *al, struct arena *a, const struct raised *raised, size_t n,
    bool is_flushing)
{
	struct snapshot *snapshot = gate_snapshot(al->gate);
	const struct config *config = &snapshot->config;
	for (size_t i = 0; i < n; i++)
		take_one(al, config, &raised[i]);
	watch(al, a, config);
	int64_t next = tell_due(al, a, config, is_flushing);
	snapshot_put(snapshot);
	return next < al->tick_ms ? next : al->tick_ms;
}

/* A time of the monotonic clock. */
static struct timespec
monotonic(int64_t ms)
{
	return (struct timespec){.tv_sec = (time_t)(ms / 1000),
	    .tv_nsec = (long)(ms % 1000) * 1000000};
}

static void
wait_until(struct alerts *al, int64_t until_ms)
{
	struct timespec until = monotonic(until_ms);
	int status = 0;
	while (al->n == 0 && !al->is_stopping && !al->is_flushing &&
	       status != ETIMEDOUT)
		status =
		    pthread_cond_timedwait(&al->has_changed, &al->lock, &until);
}

static void *
thread(void *arg)
{
	struct alerts *al = arg;
	int64_t next_ms = clock_ms();
	(void)pthread_mutex_lock(&al->lock);
	for (;;) {
		struct arena *a = arena_new();
		struct raised *raised;
		wait_until(al, next_ms);
		bool is_flushing = al->is_flushing, ends = al->is_stopping;
		size_t n = queue_take(al, a, &raised);
		(void)pthread_mutex_unlock(&al->lock);
		if (!ends)
			next_ms = work(al, a, raised, n, is_flushing);
		arena_free(a);
		if (ends || is_stopping(al))
			return NULL;
		(void)pthread_mutex_lock(&al->lock);
		if (is_flushing) {
			al->is_flushing = false;
			(void)pthread_cond_broadcast(&al->has_flushed);
		}
	}
}

void
alerts_start(struct alerts *al, struct gate *gate)
{
	al->gate = gate;
	int error = pthread_create(&al->thread, NULL, thread, al);
	if (error != 0)
		log_fatal("no thread for alerts: %s", strerror(error));
	al->is_started = true;
}

/* pthread_timedjoin_np() knows no other clock. */
static struct timespec
realtime_after(int64_t ms)
{
	struct timespec t;
	(void)clock_gettime(CLOCK_REALTIME, &t);
	t.tv_sec += (time_t)(ms / 1000);
	t.tv_nsec += (long)(ms % 1000) * 1000000;
	if (t.tv_nsec >= 1000000000) {
		t.tv_nsec -= 1000000000;
		t.tv_sec++;
	}
	return t;
}

bool
alerts_flush(struct alerts *al, int64_t ms)
{
	int64_t telling = atomic_load(&al->telling_ms);
	struct timespec until =
	    monotonic((telling != 0 ? telling : clock_ms()) + ms);
	int status = 0;
	if (!al->is_started)
		return true;
	(void)pthread_mutex_lock(&al->lock);
	al->is_flushing = true;
	(void)pthread_cond_signal(&al->has_changed);
	while (al->is_flushing && status != ETIMEDOUT)
		status =
		    pthread_cond_timedwait(&al->has_flushed, &al->lock, &until);
	bool is_told = !al->is_flushing;
	(void)pthread_mutex_unlock(&al->lock);
	return is_told;
}

bool
alerts_stop(struct alerts *al)
{
	struct timespec until = realtime_after(STOP_MS);
	if (!al->is_started)
		return true;
	(void)pthread_mutex_lock(&al->lock);
	al->is_stopping = true;
	(void)eventfd_write(al->cancel, 1);
	(void)pthread_cond_signal(&al->has_changed);
	(void)pthread_mutex_unlock(&al->lock);
	return pthread_timedjoin_np(al->thread, NULL, &until) == 0;
}

void
alerts_stats(const struct alerts *al, struct alerts_stats *ret)
{
	for (size_t i = 0; i < ALERT_EVENTS; i++) {
		ret->told[i] = atomic_load(&al->told[i]);
		ret->lost[i] = atomic_load(&al->lost[i]);
	}
	ret->failed = atomic_load(&al->failed);
}
