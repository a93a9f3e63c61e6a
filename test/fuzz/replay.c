/* SPDX-License-Identifier: BSD-2-Clause */
/* replay -- feed files to a fuzz target without libFuzzer: exit 0 if it lives.
 */
#include "fuzz.h"

#include <ftw.h>

static unsigned nfiles;

static int
replay(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)ftw;
	FILE *in = type == FTW_F ? fopen(path, "rb") : NULL;
	if (in == NULL)
		return 0;
	struct arena *a = arena_new();
	struct buf *b = buf_new(a, (size_t)64 << 20);
	char chunk[65536];
	size_t n;
	while ((n = fread(chunk, 1, sizeof(chunk), in)) > 0)
		buf_put(b, str_of(chunk, n));
	(void)fclose(in);
	(void)LLVMFuzzerTestOneInput((const uint8_t *)b->p, b->len);
	arena_free(a);
	nfiles++;
	return 0;
}

int
main(int argc, char **argv)
{
	(void)LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
	for (int i = 1; i < argc; i++)
		if (nftw(argv[i], replay, 16, FTW_PHYS) != 0)
			return 2;
	printf("%u files\n", nfiles);
	return 0;
}
