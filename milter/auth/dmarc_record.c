/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dmarc_record -- one DMARC record (RFC 9989 section 4.7, RFC 7489 section
 * 6.3).  Tags are those of RFC 6376 section 3.2, but what is wrong in one of
 * them costs that tag and not the record.
 */
#include "auth/dmarc.h"

#include "base/arena.h"

struct reading {
	struct dmarc_record record;
	bool is_broken; /* a p or sp that no receiver knows */
};

static struct str
trim_blanks(struct str s)
{
	while (s.len > 0 && char_is_blank(s.p[0]))
		s = str_skip(s, 1);
	while (s.len > 0 && char_is_blank(s.p[s.len - 1]))
		s.len--;
	return s;
}

/* "name = value" */
struct tag {
	struct str name, value;
};

/* The next tag that is one; false: no more. */
static bool
tag_next(struct str *rest, struct tag *ret)
{
	while (rest->len > 0) {
		struct str value = str_cut(rest, ';');
		if (str_chr(value, '=') == STR_NONE)
			continue;
		ret->name = trim_blanks(str_cut(&value, '='));
		ret->value = trim_blanks(value);
		return true;
	}
	return false;
}

static bool
is_dmarc1(struct str first)
{
	struct tag tag;
	return tag_next(&first, &tag) && str_ieq(tag.name, STR("v")) &&
	       str_eq(tag.value, STR("DMARC1"));
}

struct str
dmarc_policy_name(enum dmarc_policy policy)
{
	static const struct str names[] = {
	    [DMARC_NONE] = {"none", 4},
	    [DMARC_QUARANTINE] = {"quarantine", 10},
	    [DMARC_REJECT] = {"reject", 6},
	};
	return names[policy];
}

/* Words of the grammar are literals of RFC 5234: case does not matter. */
static bool
policy_read(struct str value, enum dmarc_policy *ret)
{
	for (unsigned i = DMARC_NONE; i <= DMARC_REJECT; i++)
		if (str_ieq(value, dmarc_policy_name((enum dmarc_policy)i))) {
			*ret = (enum dmarc_policy)i;
			return true;
		}
	return false;
}

static bool
is_uri_char(char c)
{
	return char_is_alnum(c) ||
	       (c != '\0' && strchr("-._~:/?#[]@$&'()*+;=%", c) != NULL);
}

/*
 * RFC 3986 as far as a report can be sent there: a scheme, and something
 * behind it; an address for mailto.  "!10m" is RFC 7489's limit for reports.
 */
static bool
is_uri(struct str uri)
{
	uri = trim_blanks(str_sub(uri, 0, str_chr(uri, '!')));
	for (size_t i = 0; i < uri.len; i++)
		if (!is_uri_char(uri.p[i]) ||
		    (uri.p[i] == '%' &&
			(i + 2 >= uri.len || char_hex(uri.p[i + 1]) < 0 ||
			    char_hex(uri.p[i + 2]) < 0)))
			return false;
	struct str scheme = str_cut(&uri, ':');
	if (scheme.len == 0 || !char_is_alpha(scheme.p[0]) || uri.len == 0)
		return false;
	for (size_t i = 0; i < scheme.len; i++)
		if (!char_is_alnum(scheme.p[i]) &&
		    memchr("+-.", scheme.p[i], 3) == NULL)
			return false;
	size_t at = str_chr(uri, '@');
	return !str_ieq(scheme, STR("mailto")) ||
	       (at != STR_NONE && at > 0 && at + 1 < uri.len);
}

static void
read_p(struct reading *r, struct str value)
{
	r->record.has_p = policy_read(value, &r->record.p);
	r->is_broken |= !r->record.has_p;
}

static void
read_sp(struct reading *r, struct str value)
{
	r->record.has_sp = policy_read(value, &r->record.sp);
	r->is_broken |= !r->record.has_sp;
}

static void
read_np(struct reading *r, struct str value)
{
	r->record.has_np = policy_read(value, &r->record.np);
	r->record.is_np_broken = !r->record.has_np;
}

static void
read_adkim(struct reading *r, struct str value)
{
	r->record.is_strict_dkim = str_ieq(value, STR("s"));
}

static void
read_aspf(struct reading *r, struct str value)
{
	r->record.is_strict_spf = str_ieq(value, STR("s"));
}

static void
read_psd(struct reading *r, struct str value)
{
	r->record.psd = str_ieq(value, STR("y"))   ? PSD_YES
			: str_ieq(value, STR("n")) ? PSD_NO
						   : PSD_UNKNOWN;
}

static void
read_t(struct reading *r, struct str value)
{
	r->record.is_testing = str_ieq(value, STR("y"));
}

static void
read_pct(struct reading *r, struct str value)
{
	uint64_t percent;
	if (value.len <= 3 && str_u64(value, 100, &percent))
		r->record.percent = (unsigned)percent;
}

static void
read_rua(struct reading *r, struct str value)
{
	while (value.len > 0 && !r->record.has_reports)
		r->record.has_reports = is_uri(str_cut(&value, ','));
}

/* The other tags are about reports. */
static const struct row {
	const char *name;
	void (*read)(struct reading *, struct str);
} rows[] = {
    {"p", read_p},
    {"sp", read_sp},
    {"np", read_np},
    {"adkim", read_adkim},
    {"aspf", read_aspf},
    {"psd", read_psd},
    {"t", read_t},
    {"pct", read_pct},
    {"rua", read_rua},
};

/*
 * RFC 6376 section 3.2 gives up a list that has a tag twice.  RFC 9989 section
 * 4.7 and RFC 7489 section 6.3 do not: what is wrong behind v= is ignored.  So
 * the second one is, and the first one counts.
 */
static void
read_tags(struct reading *r, struct str rest)
{
	bool seen[COUNT_OF(rows)] = {false};
	struct tag tag;
	while (tag_next(&rest, &tag))
		for (size_t i = 0; i < COUNT_OF(rows); i++)
			if (!seen[i] &&
			    str_ieq(tag.name, str_from(rows[i].name))) {
				seen[i] = true;
				rows[i].read(r, tag.value);
			}
}

enum dmarc_parse_status
dmarc_record_parse(struct arena *a, struct str text, struct dmarc_record *ret)
{
	struct str rest = text;
	struct str first = str_cut(&rest, ';');
	if (!is_dmarc1(first))
		return DMARC_PARSE_OTHER;
	struct reading r = {.record = {.percent = 100}};
	read_tags(&r, rest);
	/* RFC 9989 section 4.10.1, RFC 7489 section 6.6.3 step 6. */
	if (r.is_broken) {
		r.record.p = DMARC_NONE;
		r.record.has_p = r.record.has_sp = r.record.has_np = false;
		r.record.is_np_broken = false;
	}
	r.record.text = str_dup(a, text);
	*ret = r.record;
	return r.is_broken && !r.record.has_reports ? DMARC_PARSE_UNUSABLE
						    : DMARC_PARSE_OK;
}
