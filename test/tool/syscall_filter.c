/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * syscall_filter NAME... -- PROGRAM WORD... -- run the program with these
 * system calls and no others: any other one kills the whole process, so that a
 * test sees what systemd's SystemCallFilter would refuse.  Names that this
 * machine has not are passed over, as systemd does.
 */
#include <errno.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int
fail(const char *what, int error)
{
	fprintf(stderr, "syscall_filter: %s: %s\n", what, strerror(error));
	return 125;
}

int
main(int argc, char **argv)
{
	int i = 1;
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	if (filter == NULL)
		return fail("seccomp_init", ENOMEM);
	for (; i < argc && strcmp(argv[i], "--") != 0; i++) {
		int number = seccomp_syscall_resolve_name(argv[i]);
		if (number < 0)
			continue;
		int error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 0);
		if (error != 0)
			return fail(argv[i], -error);
	}
	if (i + 1 >= argc) {
		fprintf(stderr,
		    "usage: syscall_filter NAME... -- PROGRAM WORD...\n");
		return 125;
	}
	int error = seccomp_load(filter);
	if (error != 0)
		return fail("seccomp_load", -error);
	(void)execvp(argv[i + 1], argv + i + 1);
	return fail(argv[i + 1], errno);
}
