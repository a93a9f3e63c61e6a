/* SPDX-License-Identifier: BSD-2-Clause */
/* clock -- monotonic milliseconds for budgets, wall time for people. */
#include "base/clock.h"

#ifndef CLOCK_MONOTONIC_COARSE
#define CLOCK_MONOTONIC_COARSE CLOCK_MONOTONIC
#endif

static int64_t
read_ns(clockid_t clock)
{
	struct timespec now;
	(void)clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t
clock_ns(void)
{
	return read_ns(CLOCK_MONOTONIC);
}

int64_t
clock_us(void)
{
	return clock_ns() / 1000;
}

int64_t
clock_cpu_ns(void)
{
	return read_ns(CLOCK_THREAD_CPUTIME_ID);
}

int64_t
clock_ms(void)
{
	return clock_us() / 1000;
}

int64_t
clock_ticks_ms(void)
{
	return read_ns(CLOCK_MONOTONIC_COARSE) / 1000000;
}

int64_t
clock_wall(void)
{
	return (int64_t)time(NULL);
}

void
clock_stamp(int64_t wall_s, char ret[CLOCK_STAMP])
{
	time_t when = (time_t)wall_s;
	struct tm parts;
	if (gmtime_r(&when, &parts) == NULL ||
	    strftime(ret, CLOCK_STAMP, "%Y-%m-%dT%H:%M:%SZ", &parts) == 0)
		(void)snprintf(ret, CLOCK_STAMP, "-");
}
