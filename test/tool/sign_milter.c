/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sign_milter -- a milter that does nothing but sign, as it saw the mail or as
 * Sendmail will write it:
 *   sign_milter SOCKET DOMAIN SELECTOR KEYFILE SEENFILE [sendmail] [CANON]
 * What it saw of the last mail is left in SEENFILE.
 */
#include <libmilter/mfapi.h>
#include <stdio.h>

#include "auth/dkim_sendmail.h"
#include "auth/dkim_sign.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"

#define MESSAGE_MAX ((size_t)64 << 20)

struct session {
	struct arena *arena;
	struct buf *raw; /* the mail as the spool has it */
};

static struct dkim_keys *keys;
static struct strs fields, oversign;
static const char *seen_path;
static bool is_sendmail;
static enum dkim_canon canon = DKIM_RELAXED;

static sfsistat
negotiate(SMFICTX *ctx, unsigned long actions, unsigned long steps,
    unsigned long unused2, unsigned long unused3, unsigned long *ret_actions,
    unsigned long *ret_steps, unsigned long *ret2, unsigned long *ret3)
{
	(void)ctx;
	(void)actions;
	(void)unused2;
	(void)unused3;
	*ret_actions = SMFIF_ADDHDRS;
	*ret_steps = steps & SMFIP_HDR_LEADSPC;
	*ret2 = *ret3 = 0;
	return (steps & SMFIP_HDR_LEADSPC) != 0 ? SMFIS_CONTINUE : SMFIS_REJECT;
}

static void
session_free(SMFICTX *ctx)
{
	struct session *s = smfi_getpriv(ctx);
	if (s == NULL)
		return;
	arena_free(s->arena);
	free(s);
	(void)smfi_setpriv(ctx, NULL);
}

static sfsistat
on_mail(SMFICTX *ctx, char **args)
{
	(void)args;
	session_free(ctx);
	struct session *s = malloc(sizeof(*s));
	if (s == NULL)
		return SMFIS_TEMPFAIL;
	s->arena = arena_new();
	s->raw = buf_new(s->arena, MESSAGE_MAX);
	(void)smfi_setpriv(ctx, s);
	return SMFIS_CONTINUE;
}

static sfsistat
on_header(SMFICTX *ctx, char *name, char *value)
{
	struct session *s = smfi_getpriv(ctx);
	buf_put(s->raw, str_from(name));
	buf_putc(s->raw, ':');
	buf_put(s->raw, str_from(value));
	buf_putc(s->raw, '\n');
	return SMFIS_CONTINUE;
}

static sfsistat
on_header_end(SMFICTX *ctx)
{
	struct session *s = smfi_getpriv(ctx);
	buf_putc(s->raw, '\n');
	return SMFIS_CONTINUE;
}

static sfsistat
on_body(SMFICTX *ctx, unsigned char *p, size_t len)
{
	struct session *s = smfi_getpriv(ctx);
	for (size_t i = 0; i < len; i++)
		if (p[i] != '\r' || i + 1 == len || p[i + 1] != '\n')
			buf_putc(s->raw, (char)p[i]);
	return SMFIS_CONTINUE;
}

static void
keep(struct str raw)
{
	FILE *out = fopen(seen_path, "wb");
	if (out == NULL)
		return;
	(void)fwrite(raw.p, 1, raw.len, out);
	(void)fclose(out);
}

static bool
sign(struct arena *a, struct str raw, struct str *ret)
{
	struct dkim_mail mail;
	dkim_mail_cut(a, raw, SIZE_MAX, &mail);
	if (is_sendmail)
		dkim_mail_as_sendmail(a, &mail);
	struct dkim_sign_options options = {
	    canon, canon, &fields, &oversign, clock_wall(), 0};
	struct dkim_signer signer;
	const char *why;
	return dkim_signers_for(a, keys, STR("a@any.example"), &signer, 1) ==
		   1 &&
	       dkim_sign_mail(a, &signer, &mail, &options, ret, &why);
}

static sfsistat
on_end(SMFICTX *ctx)
{
	struct session *s = smfi_getpriv(ctx);
	keep(buf_str(s->raw));
	struct str value;
	static char name[] = "DKIM-Signature";
	if (sign(s->arena, buf_str(s->raw), &value))
		(void)smfi_insheader(ctx, 0, name,
		    str_c(s->arena,
			str_printf(s->arena, " %.*s", STR_ARG(value))));
	return SMFIS_ACCEPT;
}

static sfsistat
on_close(SMFICTX *ctx)
{
	session_free(ctx);
	return SMFIS_CONTINUE;
}

static void
names_add(struct arena *a, const char *text, struct strs *ret)
{
	for (struct str rest = str_from(text); rest.len > 0;)
		strs_add(a, ret, str_cut(&rest, ','));
}

static void
set_up(struct arena *a, int argc, char **argv)
{
	struct dkim_tables tables = {.key_table = STR("/argv"),
	    .signing_table = STR("/argv"),
	    .user = getuid(),
	    .group = getgid()};
	struct diags diags = {.arena = a};
	keys = dkim_keys_parse(&tables,
	    str_printf(a, "key %s:%s:%s\n", argv[2], argv[3], argv[4]),
	    STR("* key\n"), &diags);
	names_add(a, DKIM_FIELDS_DEFAULT, &fields);
	names_add(a, DKIM_OVERSIGN_DEFAULT, &oversign);
	seen_path = argv[5];
	for (int i = 6; i < argc; i++) {
		is_sendmail |= strcmp(argv[i], "sendmail") == 0;
		if (strcmp(argv[i], "simple") == 0)
			canon = DKIM_SIMPLE;
	}
}

int
main(int argc, char **argv)
{
	static char name[] = "sign";
	struct smfiDesc milter = {.xxfi_name = name,
	    .xxfi_version = SMFI_VERSION,
	    .xxfi_flags = SMFIF_ADDHDRS,
	    .xxfi_envfrom = on_mail,
	    .xxfi_header = on_header,
	    .xxfi_eoh = on_header_end,
	    .xxfi_body = on_body,
	    .xxfi_eom = on_end,
	    .xxfi_close = on_close,
	    .xxfi_negotiate = negotiate};
	if (argc < 6) {
		fprintf(stderr, "usage: sign_milter SOCKET DOMAIN SELECTOR "
				"KEYFILE SEENFILE [sendmail] [simple]\n");
		return 64;
	}
	struct arena *a = arena_new();
	set_up(a, argc, argv);
	if (keys == NULL || smfi_setconn(argv[1]) != MI_SUCCESS ||
	    smfi_register(milter) != MI_SUCCESS ||
	    smfi_opensocket(1) != MI_SUCCESS) {
		fprintf(stderr, "sign_milter: cannot start\n");
		return 1;
	}
	return smfi_main() == MI_SUCCESS ? 0 : 1;
}
