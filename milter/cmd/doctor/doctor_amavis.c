/* SPDX-License-Identifier: BSD-2-Clause */
/* doctor_amavis -- whether amavis, behind the queue, tells senders. */
#include "base/arena.h"
#include "cmd/doctor/doctor.h"

/* "$final_spam_destiny = D_BOUNCE;  # ..." */
void
amavis_parse(struct doctor *d, struct str text)
{
	struct amavis *amavis = &d->amavis;
	amavis->is_there = true;
	if (amavis->values == NULL)
		amavis->values = table_new(d->arena, false);
	while (text.len > 0) {
		struct str line = str_trim(str_line(&text));
		if (line.len == 0 || line.p[0] != '$')
			continue;
		struct str name = str_trim(str_skip(str_cut(&line, '='), 1));
		struct str *value = ARENA_NEW(d->arena, struct str);
		*value = str_trim(str_cut(&line, ';'));
		table_set(amavis->values, name, value);
	}
}

static struct str
amavis_value(const struct doctor *d, const char *name)
{
	const struct str *value = table_get(d->amavis.values, str_from(name));
	return value == NULL ? STR_EMPTY : *value;
}

static void
amavis_finding(struct doctor *d, const char *name, struct str value,
    const char *why, const char *cure)
{
	finding_add(
	    d, (struct finding){
		   .level = DOCTOR_TROUBLE,
		   .found =
		       str_printf(d->arena, "$%s = %.*s", name, STR_ARG(value)),
		   .file = d->amavis.file,
		   .why = str_from(why),
		   .cure = str_printf(d->arena, "$%s = %s;", name, cure),
		   .place = d->amavis.file,
	       });
}

static void
check_destiny(struct doctor *d)
{
	static const char *const names[] = {"final_virus_destiny",
	    "final_banned_destiny", "final_spam_destiny",
	    "final_bad_header_destiny"};
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		struct str value = amavis_value(d, names[i]);
		/* After the queue a rejection is a bounce of Postfix. */
		if (text_has_word(value, STR("D_BOUNCE")) ||
		    text_has_word(value, STR("D_REJECT")))
			amavis_finding(d, names[i], value,
			    "What the filter does not like was taken already, "
			    "and is sent back to whoever it says it is from.",
			    "D_DISCARD");
	}
}

static void
check_warnings(struct doctor *d)
{
	static const char *const names[] = {"warnvirussender", "warnspamsender",
	    "warnbannedsender", "warnbadhsender"};
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		struct str value = amavis_value(d, names[i]);
		if (value.len > 0 && !str_eq(value, STR("0")) &&
		    !str_eq(value, STR("undef")))
			amavis_finding(d, names[i], value,
			    "Whoever the message says it is from is told of "
			    "it.",
			    "undef");
	}
}

const struct doctor_check AMAVIS_CHECKS[] = {
    {"amavis-destiny", "amavis sends nothing back", check_destiny},
    {"amavis-warnings", "amavis tells no sender", check_warnings}, {0}};
