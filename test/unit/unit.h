/* SPDX-License-Identifier: BSD-2-Clause */
/* unit -- what cmocka wants included first, and checks on views. */
#ifndef TEST_UNIT_H
#define TEST_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"

/* `got` and the literal `want` are the same bytes; both are shown if not. */
#define assert_str(got_, want_) \
	unit_str((got_), str_from(want_), __FILE__, __LINE__)

static inline void
unit_str(struct str got, struct str want, const char *file, int line)
{
	if (str_eq(got, want))
		return;
	print_error("got  [%.*s]\nwant [%.*s]\n", STR_ARG(got), STR_ARG(want));
	_fail(file, line);
}

/* Time this process has worked: others on the host do not count. */
static inline int64_t
cpu_ms(void)
{
	return (int64_t)clock() * 1000 / CLOCKS_PER_SEC;
}

/* main() of a unit test: TAP on standard output. */
#define UNIT_MAIN(tests)                                          \
	int main(void)                                            \
	{                                                         \
		cmocka_set_message_output(CM_OUTPUT_TAP);         \
		return cmocka_run_group_tests(tests, NULL, NULL); \
	}

#endif
