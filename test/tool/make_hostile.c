/* SPDX-License-Identifier: BSD-2-Clause */
/* make_hostile -- write a hostile message, or say which kinds there are. */
#include "base/arena.h"
#include "hostile.h"

static int
usage(void)
{
	fprintf(stderr, "usage: make_hostile            list the kinds\n"
			"       make_hostile KIND BYTES\n");
	return 2;
}

int
main(int argc, char **argv)
{
	for (size_t i = 0; argc == 1 && i < hostile_nkinds; i++)
		puts(hostile_kinds[i].name);
	if (argc == 1)
		return 0;
	uint64_t size_bytes;
	const struct hostile *kind = hostile_named(str_from(argv[1]));
	if (argc != 3 || kind == NULL ||
	    !str_u64(str_from(argv[2]), (uint64_t)1 << 30, &size_bytes))
		return usage();
	struct arena *a = arena_new();
	struct str text = hostile_make(a, kind, (size_t)size_bytes);
	bool is_written = fwrite(text.p, 1, text.len, stdout) == text.len &&
			  fflush(stdout) == 0;
	arena_free(a);
	return is_written ? 0 : 1;
}
