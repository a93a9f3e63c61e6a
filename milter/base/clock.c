/* SPDX-License-Identifier: BSD-2-Clause */
/* clock -- monotonic milliseconds for budgets, wall time for people. */
#include "base/clock.h"

int64_t
clock_ns(void)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t
clock_us(void)
{
	return clock_ns() / 1000;
}

int64_t
clock_cpu_ns(void)
{
	struct timespec used;
	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
	return (int64_t)used.tv_sec * 1000000000 + used.tv_nsec;
}

int64_t
clock_ms(void)
{
	return clock_us() / 1000;
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
