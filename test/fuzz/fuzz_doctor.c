/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * doctor -- settings of all programs, one after the other with a NUL between
 * them: postconf, postconf -x, postconf -M, postconf -Px, sendmail.cf,
 * doveconf -n, amavis, and what every other file has.
 */
#include "fuzz.h"

#include "base/arena.h"
#include "cmd/doctor/doctor.h"
#include "session/config.h"

static struct str any_file;

static bool
file_text(struct arena *a, struct str path, size_t max, struct str *ret)
{
	(void)a;
	(void)max;
	*ret = any_file;
	return path.len > 0 && path.len % 2 == 0;
}

static void
folder_paths(struct arena *a, struct str path, struct strs *ret)
{
	if (path.len % 3 == 0)
		strs_add(a, ret, str_printf(a, "%.*s/a.sieve", STR_ARG(path)));
}

static void
check(bool is_true)
{
	if (!is_true)
		abort();
}

static void
check_finding(const struct finding *f)
{
	check(f->level < DOCTOR_LEVELS && f->check != NULL);
	check(f->found.p != NULL && f->file.p != NULL && f->why.p != NULL);
	check(f->cure.p != NULL && f->place.p != NULL);
	check(f->level <= DOCTOR_SKIPPED || f->why.len > 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct str text = str_of((const char *)data, size), part[7];
	struct config config;
	struct diags diags = {.arena = a};
	check(config_read(a, NULL, &config, &diags));
	struct doctor d = {
	    .arena = a,
	    .config = &config,
	    .file_text = file_text,
	    .folder_paths = folder_paths,
	};
	for (size_t i = 0; i < COUNT_OF(part); i++)
		part[i] = str_cut(&text, '\0');
	any_file = text;
	d.postfix.folder = STR("/etc/postfix");
	d.sendmail.file = STR("/etc/mail/sendmail.cf");
	d.dovecot.file = d.amavis.file = STR("/etc/x");
	postfix_parse(&d, part[0], part[1], part[2], part[3]);
	sendmail_parse(&d, part[4]);
	dovecot_parse(&d, part[5]);
	amavis_parse(&d, part[6]);
	doctor_run(&d);
	for (size_t i = 0; i < d.findings.n; i++)
		check_finding(&d.findings.v[i]);
	arena_free(a);
	return 0;
}
