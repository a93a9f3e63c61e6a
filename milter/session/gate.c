/* SPDX-License-Identifier: BSD-2-Clause */
/* gate -- what all connections share. */
#include "session/gate.h"

#include <errno.h>
#include <pthread.h>
#include <pwd.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "hold/quarantine.h"
#include "hold/release.h"
#include "session/alerts.h"
#include "session/metrics.h"

struct gate {
	pthread_mutex_t lock; /* guards `current` */
	struct snapshot *current;
	struct quarantine *quarantine;
	struct release *release;
	struct dns dns;
	struct memory *memory;
	sem_t slots;
	/* messages of the generation before and after gate_drain() */
	_Atomic unsigned in_flight[2];
	_Atomic unsigned generation;
	_Atomic unsigned answering;
	_Atomic bool is_closed;
	_Atomic int64_t snapshot_wall;
	struct metrics *metrics;
	struct alerts *alerts;
};

/* The line that makes the folder `path` ours, if that is what is wrong. */
static struct str
owner_cure(struct arena *a, struct str path)
{
	struct stat st;
	if (lstat(str_c(a, path), &st) != 0 || !S_ISDIR(st.st_mode) ||
	    (st.st_uid == geteuid() && (st.st_mode & (S_IWGRP | S_IWOTH)) == 0))
		return STR_EMPTY;
	const struct passwd *us = getpwuid(geteuid());
	struct str name =
	    us == NULL ? str_printf(a, "%u", geteuid()) : str_from(us->pw_name);
	return str_printf(a,
	    "; posternd runs as %.*s: chown -R %.*s %.*s && chmod 700 %.*s",
	    STR_ARG(name), STR_ARG(name), STR_ARG(path), STR_ARG(path));
}

static bool
stores_open(struct gate *gate, struct diags *diags)
{
	const struct config *config = &gate->current->config;
	struct str why = STR_EMPTY;
	struct option_place place = {
	    .lines = &config->lines, .name = "state-dir"};
	struct str folder = config->state_dir;
	bool is_open =
	    release_open(diags->arena, config->state_dir, &gate->release, &why);
	if (is_open) {
		place.name = "quarantine-dir";
		folder = config->quarantine_dir;
		is_open =
		    quarantine_open(config->quarantine_dir, &gate->quarantine,
			&why, diags->arena) == QUARANTINE_OK;
	}
	if (!is_open) {
		struct str cure = owner_cure(diags->arena, folder);
		option_complain(diags, DIAG_ERROR, &place, 0, "%.*s%.*s",
		    STR_ARG(why), STR_ARG(cure));
		return false;
	}
	quarantine_set_key(gate->quarantine, release_key(gate->release));
	quarantine_set_limit(gate->quarantine, config->quarantine_bytes);
	return true;
}

static bool
resolver_open(struct gate *gate, struct diags *diags)
{
	struct str why = STR_EMPTY;
	struct resolver_config config = config_resolver(&gate->current->config);
	if (dns_open(diags->arena, &config, &gate->dns, &why))
		return true;
	static struct str off = {"off", 3};
	if (config_dns_may_fail(&gate->current->config)) {
		log_warning(
		    "%.*s: the DNS is not asked, so SPF, DKIM and DMARC are "
		    "not judged",
		    STR_ARG(why));
		config.servers = (struct strs){&off, 1, 1};
		return dns_open(diags->arena, &config, &gate->dns, &why);
	}
	config_dns_complain(&gate->current->config, DIAG_ERROR, why, "", diags);
	return false;
}

struct gate *
gate_new(struct snapshot *snapshot, struct memory *memory, struct diags *diags)
{
	struct gate *gate = calloc(1, sizeof(*gate));
	if (gate == NULL)
		log_fatal("out of memory");
	(void)pthread_mutex_init(&gate->lock, NULL);
	gate->current = snapshot;
	gate->memory = memory;
	gate->metrics = metrics_new();
	gate->alerts = alerts_new();
	atomic_store(&gate->snapshot_wall, clock_wall());
	(void)sem_init(&gate->slots, 0, config_workers(&snapshot->config));
	if (stores_open(gate, diags) && resolver_open(gate, diags))
		return gate;
	gate_free(gate);
	return NULL;
}

void
gate_free(struct gate *gate)
{
	if (gate == NULL)
		return;
	quarantine_close(gate->quarantine);
	release_close(gate->release);
	dns_close(&gate->dns);
	metrics_free(gate->metrics);
	alerts_free(gate->alerts);
	snapshot_put(gate->current);
	(void)sem_destroy(&gate->slots);
	(void)pthread_mutex_destroy(&gate->lock);
	free(gate);
}

struct snapshot *
gate_snapshot(struct gate *gate)
{
	(void)pthread_mutex_lock(&gate->lock);
	struct snapshot *snapshot = snapshot_ref(gate->current);
	(void)pthread_mutex_unlock(&gate->lock);
	return snapshot;
}

void
gate_swap(struct gate *gate, struct snapshot *snapshot)
{
	(void)pthread_mutex_lock(&gate->lock);
	struct snapshot *old = gate->current;
	gate->current = snapshot;
	(void)pthread_mutex_unlock(&gate->lock);
	atomic_store(&gate->snapshot_wall, clock_wall());
	snapshot_put(old);
}

struct quarantine *
gate_quarantine(struct gate *gate)
{
	return gate->quarantine;
}

struct release *
gate_release(struct gate *gate)
{
	return gate->release;
}

const struct dns *
gate_dns(struct gate *gate)
{
	return &gate->dns;
}

struct memory *
gate_memory(struct gate *gate)
{
	return gate->memory;
}

bool
gate_slot_take(struct gate *gate, int64_t ms)
{
	struct timespec until;
	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += (time_t)(ms / 1000);
	until.tv_nsec += (long)(ms % 1000) * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_nsec -= 1000000000;
		until.tv_sec++;
	}
	int status;
	do
		status = sem_clockwait(&gate->slots, CLOCK_MONOTONIC, &until);
	while (status != 0 && errno == EINTR);
	return status == 0;
}

void
gate_slot_give(struct gate *gate)
{
	(void)sem_post(&gate->slots);
}

unsigned
gate_message_begin(struct gate *gate)
{
	unsigned generation = atomic_load(&gate->generation);
	(void)atomic_fetch_add(&gate->in_flight[generation], 1);
	return generation;
}

void
gate_message_end(struct gate *gate, unsigned generation)
{
	(void)atomic_fetch_sub(&gate->in_flight[generation], 1);
}

void
gate_drain(struct gate *gate)
{
	atomic_store(&gate->generation, 1);
}

static bool
wait_for_none(const _Atomic unsigned *count, int64_t ms)
{
	int64_t until = clock_ms() + ms;
	while (atomic_load(count) > 0) {
		if (clock_ms() >= until)
			return false;
		(void)usleep(10000);
	}
	return true;
}

bool
gate_drain_wait(struct gate *gate, int64_t ms)
{
	return wait_for_none(&gate->in_flight[0], ms);
}

/* Counted first, looked at then: gate_close() sees it or is seen. */
bool
gate_answer_begin(struct gate *gate)
{
	(void)atomic_fetch_add(&gate->answering, 1);
	if (!atomic_load(&gate->is_closed))
		return true;
	gate_answer_end(gate);
	return false;
}

void
gate_answer_end(struct gate *gate)
{
	(void)atomic_fetch_sub(&gate->answering, 1);
}

bool
gate_close(struct gate *gate, int64_t ms)
{
	atomic_store(&gate->is_closed, true);
	return wait_for_none(&gate->answering, ms);
}

unsigned
gate_in_flight(struct gate *gate)
{
	return atomic_load(&gate->in_flight[0]) +
	       atomic_load(&gate->in_flight[1]);
}

int64_t
gate_snapshot_wall(struct gate *gate)
{
	return atomic_load(&gate->snapshot_wall);
}

struct metrics *
gate_metrics(struct gate *gate)
{
	return gate->metrics;
}

struct alerts *
gate_alerts(struct gate *gate)
{
	return gate->alerts;
}
