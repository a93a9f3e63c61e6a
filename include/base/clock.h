/* SPDX-License-Identifier: BSD-2-Clause */
/* clock -- monotonic milliseconds for budgets, wall time for people. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include "base/base.h"

/* Milliseconds, never going back; the origin means nothing. */
int64_t clock_ms(void);
int64_t clock_us(void);
int64_t clock_ns(void);
/* The same as clock_ms(), late by a few ms: so quick that a budget may ask it
 * hundreds of times a message. */
int64_t clock_ticks_ms(void);
/* CPU time of this thread. */
int64_t clock_cpu_ns(void);
/* Seconds since 1970. */
int64_t clock_wall(void);
/* "2026-11-22T10:12:00Z" (UTC, RFC 3339); `ret` has CLOCK_STAMP bytes. */
#define CLOCK_STAMP 32
void clock_stamp(int64_t wall_s, char ret[CLOCK_STAMP]);

#endif
