/* SPDX-License-Identifier: BSD-2-Clause */
/* mail_output -- what commands show alike of a message. */
#include "cmd/mail_output.h"

#include "base/arena.h"
#include "base/clock.h"

/* No printf: an address may have a NUL in it. */
struct str
mail_path_text(struct arena *a, struct str path, size_t more)
{
	struct buf *b = buf_new(a, SIZE_MAX);
	buf_putc(b, '<');
	buf_put(b, path);
	buf_putc(b, '>');
	if (more > 0)
		buf_printf(b, " +%zu", more);
	return buf_str(b);
}

struct str
mail_rcpt_text(struct arena *a, const struct str *rcpt, size_t n, size_t all)
{
	return n == 0 ? STR_EMPTY
		      : mail_path_text(a, rcpt[0], all > 0 ? all - 1 : 0);
}

struct str
mail_time_text(struct arena *a, const struct ui *ui, int64_t wall)
{
	char stamp[CLOCK_STAMP];
	clock_stamp(wall, stamp);
	struct str s = str_from(stamp);
	if (ui->columns == 0)
		return str_dup(a, s);
	return str_printf(a, "%.*s %.*s", STR_ARG(str_sub(s, 5, 5)),
	    STR_ARG(str_sub(s, 11, 8)));
}

json_t *
mail_hits_json(const struct mail_hit *hits, size_t n)
{
	json_t *list = json_array();
	for (size_t i = 0; i < n; i++) {
		json_t *o = json_object();
		json_object_set_new(o, "rule", json_text(hits[i].rule));
		json_object_set_new(o, "score", json_real(hits[i].score));
		json_object_set_new(o, "count", json_integer(hits[i].count));
		json_object_set_new(o, "evidence", json_text(hits[i].evidence));
		json_array_append_new(list, o);
	}
	return list;
}
