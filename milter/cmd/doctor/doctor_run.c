/* SPDX-License-Identifier: BSD-2-Clause */
/* doctor_run -- all checks, one after the other. */
#include "base/arena.h"
#include "base/buf.h"
#include "cmd/doctor/doctor.h"

/* A file with thousands of the same sin is understood before. */
#define FINDINGS_MAX 1000

static const char *const level_names[DOCTOR_LEVELS] = {
    [DOCTOR_OK] = "ok",
    [DOCTOR_SKIPPED] = "skipped",
    [DOCTOR_NOTE] = "note",
    [DOCTOR_WARNING] = "warning",
    [DOCTOR_TROUBLE] = "trouble",
};

const char *
doctor_level_name(enum doctor_level level)
{
	return level_names[level];
}

/* Rows leave out what they have not. */
static struct str
filled(struct str s)
{
	return s.p == NULL ? STR_EMPTY : s;
}

void
finding_add(struct doctor *d, struct finding finding)
{
	finding.found = filled(finding.found);
	finding.file = filled(finding.file);
	finding.why = filled(finding.why);
	finding.cure = filled(finding.cure);
	finding.place = filled(finding.place);
	finding.check = d->check;
	if (d->findings.n < FINDINGS_MAX)
		ARENA_PUSH(d->arena, &d->findings) = finding;
}

void
finding_skip(struct doctor *d, struct str why)
{
	size_t n = d->findings.n;
	if (n == 0 || strcmp(d->findings.v[n - 1].check, d->check) != 0)
		finding_add(d, (struct finding){
				   .level = DOCTOR_SKIPPED,
				   .found = str_printf(d->arena,
				       "not checked: %.*s", STR_ARG(why)),
			       });
}

static bool
is_inside_word(char c)
{
	return char_is_word(c) || c == '-';
}

bool
text_has_word(struct str text, struct str word)
{
	size_t from = 0, at;
	while ((at = str_find(str_skip(text, from), word)) != STR_NONE) {
		struct str after = str_skip(text, from + at + word.len);
		bool begins =
		    from + at == 0 || !is_inside_word(text.p[from + at - 1]);
		bool ends = after.len == 0 || !is_inside_word(after.p[0]);
		if (begins && ends)
			return true;
		from += at + word.len;
	}
	return false;
}

bool
doctor_file(struct doctor *d, struct str path, struct str *ret)
{
	if (d->texts == NULL)
		d->texts = table_new(d->arena, false);
	struct str *text = table_get(d->texts, path);
	if (text == NULL) {
		text = ARENA_NEW(d->arena, struct str);
		if (!d->file_text(d->arena, path, DOCTOR_TEXT_MAX, text))
			*text = (struct str){NULL, 0};
		table_set(d->texts, path, text);
	}
	*ret = filled(*text);
	return text->p != NULL;
}

struct str
doctor_shell_word(struct arena *a, struct str s)
{
	struct buf *b = buf_new(a, 4 * s.len + 2);
	buf_putc(b, '\'');
	for (size_t i = 0; i < s.len; i++)
		if (s.p[i] == '\'')
			buf_put(b, STR("'\\''"));
		else
			buf_putc(b, s.p[i]);
	buf_putc(b, '\'');
	return buf_str(b);
}

static void
checks_run(struct doctor *d, const struct doctor_check *checks)
{
	for (; checks->name != NULL; checks++) {
		size_t before = d->findings.n;
		d->check = checks->name;
		checks->run(d);
		if (d->findings.n == before)
			finding_add(d, (struct finding){
					   .level = DOCTOR_OK,
					   .found = str_from(checks->fine),
				       });
	}
}

void
doctor_run(struct doctor *d)
{
	const struct {
		bool is_there;
		const struct doctor_check *checks;
	} rows[] = {
	    {d->postfix.is_there, POSTFIX_CHECKS},
	    {d->postfix.is_there, BACKSCATTER_CHECKS},
	    {d->sendmail.is_there, SENDMAIL_CHECKS},
	    {d->dovecot.is_there, DOVECOT_CHECKS},
	    {d->amavis.is_there, AMAVIS_CHECKS},
	    {d->host.is_there, HOST_CHECKS},
	    {d->host.is_there, NET_CHECKS},
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (rows[i].is_there)
			checks_run(d, rows[i].checks);
}
