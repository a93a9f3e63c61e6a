/* SPDX-License-Identifier: BSD-2-Clause */
/* cost -- run a command and write its CPU (ms) and its memory (KB) to a file.
 */
#include <inttypes.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "base/base.h"

static int64_t
ms_of(struct timeval t)
{
	return (int64_t)t.tv_sec * 1000 + t.tv_usec / 1000;
}

int
main(int argc, char **argv)
{
	if (argc < 3) {
		fprintf(stderr, "usage: cost FILE COMMAND [ARGUMENT...]\n");
		return 2;
	}
	pid_t pid = fork();
	if (pid == 0) {
		(void)execvp(argv[2], argv + 2);
		perror(argv[2]);
		_exit(127);
	}
	int status = 0;
	struct rusage usage;
	if (pid < 0 || wait4(pid, &status, 0, &usage) != pid) {
		perror("cost");
		return 2;
	}
	FILE *out = fopen(argv[1], "w");
	if (out == NULL) {
		perror(argv[1]);
		return 2;
	}
	fprintf(out, "%" PRId64 " %ld\n",
	    ms_of(usage.ru_utime) + ms_of(usage.ru_stime), usage.ru_maxrss);
	if (fclose(out) != 0)
		return 2;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}
