/* SPDX-License-Identifier: BSD-2-Clause */
/* author -- any From fields, one a line that does not begin with a blank. */
#include "fuzz.h"

#include "auth/author.h"
#include "auth/org.h"
#include "base/utf8.h"

#define FIELDS_MAX 8

static void
check(bool is_true)
{
	if (!is_true)
		abort();
}

static void
check_author(struct arena *a, const struct author *author)
{
	size_t at = str_rchr(author->address, '@');
	check(at != STR_NONE);
	struct str domain = str_skip(author->address, at + 1);
	if (author->domain.len == 0) {
		check(str_chr(author->address, '[') != STR_NONE);
		return;
	}
	check(str_eq(domain, author->domain));
	check(str_eq(domain_normal(a, domain), domain));
}

static void
check_authors(struct arena *a, const struct authors *authors)
{
	check(authors->n <= AUTHORS_MAX);
	check(authors->ndomains <= AUTHOR_DOMAINS_MAX);
	check(authors->ndomains <= authors->n);
	for (size_t i = 0; i < authors->n; i++)
		check_author(a, &authors->v[i]);
	bool is_odd = authors->is_malformed || authors->is_ambiguous;
	check(is_odd == (authors->why[0] != '\0'));
	check(!authors->is_cut || authors->is_ambiguous);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct dkim_field fields[FIELDS_MAX];
	struct dkim_mail mail = {.v = fields, .body = STR_EMPTY};
	struct str text = str_of((const char *)data, size);
	while (text.len > 0 && mail.n < FIELDS_MAX) {
		const char *from = text.p;
		struct str line = str_line(&text);
		size_t len = line.len;
		while (text.len > 0 && char_is_blank(text.p[0])) {
			line = str_line(&text);
			len = (size_t)(line.p - from) + line.len;
		}
		/* An ASan-visible copy of its own. */
		struct buf *b = buf_new(a, len + 5);
		buf_put(b, STR("From:"));
		buf_put(b, str_of(from, len));
		fields[mail.n++] =
		    (struct dkim_field){STR("From"), buf_str(b), false};
	}
	struct authors authors;
	authors_of(a, &mail, &authors);
	check(authors.nfields == mail.n);
	check_authors(a, &authors);
	arena_free(a);
	return 0;
}
