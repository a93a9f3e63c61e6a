/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dkim_tool -- sign or verify one message from standard input:
 *   dkim_tool sign DOMAIN SELECTOR KEYFILE [OPTION=VALUE]...
 *	header=simple, body=simple, identity=I, x=SECONDS, sendmail=yes
 *	writes the message with the signature in front
 *   dkim_tool verify RECORDS
 *	RECORDS: lines of "NAME TEXT"; writes one line a signature
 */
#include <stdio.h>

#include "auth/dkim_sign.h"
#include "auth/dkim_verify.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"

#define MESSAGE_MAX ((size_t)256 << 20)

static struct str
read_stream(struct arena *a, FILE *in)
{
	struct buf *b = buf_new(a, MESSAGE_MAX);
	char chunk[65536];
	size_t n;
	while ((n = fread(chunk, 1, sizeof(chunk), in)) > 0)
		buf_put(b, str_of(chunk, n));
	return buf_str(b);
}

static void
names_add(struct arena *a, const char *text, struct strs *ret)
{
	for (struct str rest = str_from(text); rest.len > 0;)
		strs_add(a, ret, str_cut(&rest, ','));
}

/* OPTION=VALUE; "" without it. */
static const char *
option(char **argv, const char *name)
{
	size_t len = strlen(name);
	for (; *argv != NULL; argv++)
		if (strncmp(*argv, name, len) == 0 && (*argv)[len] == '=')
			return *argv + len + 1;
	return "";
}

static enum dkim_canon
canon_of(const char *word)
{
	return strcmp(word, "simple") == 0 ? DKIM_SIMPLE : DKIM_RELAXED;
}

static struct dkim_keys *
keys_of(struct arena *a, char **argv)
{
	struct dkim_tables tables = {.key_table = STR("/argv"),
	    .signing_table = STR("/argv"),
	    .user = getuid(),
	    .group = getgid(),
	    .min_bits = 512};
	struct diags diags = {.arena = a};
	const char *identity = option(argv, "identity");
	struct dkim_keys *keys = dkim_keys_parse(&tables,
	    str_printf(a, "key %s:%s:%s\n", argv[0], argv[1], argv[2]),
	    str_printf(
		a, "* key%s%s\n", *identity == '\0' ? "" : ":", identity),
	    &diags);
	for (size_t i = 0; i < diags.n; i++)
		fprintf(stderr, "%.*s\n", STR_ARG(diags.v[i].text));
	return keys;
}

static int
sign(struct arena *a, char **argv)
{
	struct dkim_keys *keys = keys_of(a, argv);
	if (keys == NULL)
		return 2;
	struct str raw = read_stream(a, stdin);
	struct dkim_mail mail;
	dkim_mail_cut(a, raw, SIZE_MAX, &mail);
	struct strs fields = {0}, oversign = {0};
	names_add(a, DKIM_FIELDS_DEFAULT, &fields);
	names_add(a, DKIM_OVERSIGN_DEFAULT, &oversign);
	uint64_t valid_s = 0;
	(void)!str_u64(str_from(option(argv, "x")), INT32_MAX, &valid_s);
	struct dkim_sign_options options = {
	    .header = canon_of(option(argv, "header")),
	    .body = canon_of(option(argv, "body")),
	    .fields = &fields,
	    .oversign = &oversign,
	    .now_wall = clock_wall(),
	    .valid_s = (int64_t)valid_s};
	struct dkim_signer signer;
	struct str value;
	const char *why = "no key";
	bool is_fine =
	    dkim_signers_for(a, keys, STR("a@any.example"), &signer, 1) == 1 &&
	    dkim_sign_mail(a, &signer, &mail, &options, &value, &why);
	if (is_fine)
		printf("DKIM-Signature: %.*s\n", STR_ARG(value));
	else
		fprintf(stderr, "%s\n", why);
	fwrite(raw.p, 1, raw.len, stdout);
	dkim_keys_free(keys);
	return is_fine ? 0 : 1;
}

static void
answer(void *arg, struct arena *a, struct str name, enum dns_type type,
    struct dns_answer *ret)
{
	(void)type;
	struct str rest = *(const struct str *)arg;
	ret->ttl_s = 300;
	while (rest.len > 0) {
		struct str line = str_line(&rest);
		if (str_ieq(str_word(&line), name))
			strs_add(a, &ret->records, str_trim(line));
	}
	if (ret->records.n == 0)
		ret->status = DNS_NXDOMAIN;
}

static int
verify(struct arena *a, char **argv)
{
	FILE *in = fopen(argv[0], "rb");
	if (in == NULL)
		return 2;
	struct str records = read_stream(a, in);
	(void)fclose(in);
	struct resolver *r = resolver_new_source(answer, &records);
	struct cache *cache = cache_new(100, 100000);
	struct dns_budget budget = {
	    .deadline_ms = clock_ms() + 60000, .questions = 100};
	struct dkim_mail mail;
	dkim_mail_cut(a, read_stream(a, stdin), SIZE_MAX, &mail);
	struct dkim_signatures found;
	dkim_verify_mail(a, r, cache, &mail, clock_wall(), &budget, &found);
	bool is_fine = found.n > 0;
	for (size_t i = 0; i < found.n; i++) {
		const struct dkim_signature *s = &found.v[i];
		is_fine = is_fine && s->result == DKIM_PASS;
		printf("%.*s d=%.*s s=%.*s i=%.*s a=%.*s%s%s\n",
		    STR_ARG(dkim_result_name(s->result)), STR_ARG(s->domain),
		    STR_ARG(s->selector), STR_ARG(s->identity),
		    STR_ARG(s->algorithm), *s->why == '\0' ? "" : ": ", s->why);
	}
	cache_free(cache);
	resolver_free(r);
	return is_fine ? 0 : 1;
}

int
main(int argc, char **argv)
{
	struct arena *a = arena_new();
	int status = 64;
	if (argc >= 5 && strcmp(argv[1], "sign") == 0)
		status = sign(a, argv + 2);
	else if (argc == 3 && strcmp(argv[1], "verify") == 0)
		status = verify(a, argv + 2);
	else
		fprintf(stderr, "usage: dkim_tool sign DOMAIN SELECTOR KEYFILE "
				"[OPTION=VALUE]...\n"
				"       dkim_tool verify RECORDS\n");
	arena_free(a);
	return status;
}
