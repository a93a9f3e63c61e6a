/* SPDX-License-Identifier: BSD-2-Clause */
/* dns_liar -- the name server of liar.h as a program, for scenarios. */
#include "liar.h"

#include "base/arena.h"
#include "base/buf.h"

static const char usage[] =
    "usage: dns_liar PORT [ZONEFILE...]\n"
    "Answers on 127.0.0.1 as test/tool/liar.h says, until it is killed.\n"
    "Port 0 is any; it says which one.  Built in:\n\n";

static bool
zone_load(struct liar *l, const char *path)
{
	struct arena *a = arena_new();
	FILE *file = fopen(path, "re");
	struct buf *text = buf_new(a, 16 << 20);
	struct str line;
	char piece[8192];
	bool is_good = file != NULL;
	for (size_t n;
	     is_good && (n = fread(piece, 1, sizeof(piece), file)) > 0;)
		buf_put(text, str_of(piece, n));
	if (!is_good)
		perror(path);
	else if (!liar_load(l, buf_str(text), &line)) {
		fprintf(stderr, "dns_liar: %s: what is \"%.*s\"?\n", path,
		    STR_ARG(line));
		is_good = false;
	}
	if (file != NULL)
		(void)fclose(file);
	arena_free(a);
	return is_good;
}

int
main(int argc, char **argv)
{
	uint64_t port;
	struct str line;
	if (argc < 2 || !str_u64(str_from(argv[1]), 65535, &port)) {
		fprintf(stderr, "%s%s", usage, liar_builtin);
		return 2;
	}
	struct liar *l = liar_new((unsigned)port);
	if (l == NULL) {
		perror("dns_liar: cannot listen");
		return 1;
	}
	if (!liar_load(l, str_from(liar_builtin), &line))
		return 1;
	for (int i = 2; i < argc; i++)
		if (!zone_load(l, argv[i]))
			return 1;
	printf("port=%u\n", liar_port(l));
	(void)fflush(stdout);
	liar_run(l);
	liar_free(l);
	return 0;
}
