/* SPDX-License-Identifier: BSD-2-Clause */
/* mass_log -- any log of masscheck; what is a record is the same record when it
 * was written again. */
#include "fuzz.h"

#include "cmd/rulework/mass_log.h"

static void
check(bool is_true)
{
	if (!is_true)
		abort();
}

static void
check_record(struct arena *a, struct str line)
{
	struct mass_record record, back;
	if (!mass_record_parse(a, line, &record))
		return;
	struct buf *b = buf_new(a, 5 * line.len + 1000);
	mass_record_put(b, &record);
	check(!b->is_cut);
	struct str again = buf_str(b);
	check(mass_record_parse(a, str_sub(again, 0, again.len - 1), &back));
	check(back.word == record.word && back.score == record.score);
	check(str_eq(back.file, record.file) && str_eq(back.why, record.why));
	check(str_eq(back.hits, record.hits) && back.size == record.size);
}

static void
check_mass(const struct mass *mass)
{
	size_t hits[2] = {0}, found = 0;
	check(mass->mails.n == mass->count[0] + mass->count[1]);
	for (size_t i = 0; i < mass->rules.n; i++)
		for (size_t k = 0; k < 2; k++) {
			check(mass->rules.v[i].hits[k] <= mass->count[k]);
			hits[k] += mass->rules.v[i].hits[k];
		}
	for (size_t i = 0; i < mass->mails.n; i++) {
		const struct mass_mail *mail = &mass->mails.v[i];
		check(mail->first + mail->nhits <= mass->hits.n);
		for (size_t k = 0; k < mail->nhits; k++)
			check(
			    mass->hits.v[mail->first + k].rule < mass->rules.n);
		found += mail->nhits;
	}
	check(found == hits[0] + hits[1]);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct str text = str_dup(a, str_of((const char *)data, size));
	struct mass mass;
	if (mass_read(a, text, STR_EMPTY, &mass))
		check_mass(&mass);
	while (text.len > 0)
		check_record(a, str_line(&text));
	arena_free(a);
	return 0;
}
