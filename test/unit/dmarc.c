/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dmarc -- records, policies, organisations and alignment, in the way of RFC
 * 9989 and in that of RFC 7489.  Zones are lists of names in this file.
 */
#include "unit.h"

#include "auth/dmarc.h"
#include "auth/org.h"
#include "base/clock.h"

/* What a record says, in one line. */
static struct str
shown(struct arena *a, const char *text, size_t len)
{
	static const char psd[] = {'u', 'y', 'n'};
	struct dmarc_record r;
	switch (dmarc_record_parse(a, str_of(text, len), &r)) {
	case DMARC_PARSE_OTHER:
		return STR("other");
	case DMARC_PARSE_UNUSABLE:
		return STR("unusable");
	case DMARC_PARSE_OK:
		break;
	}
	struct buf *b = buf_new(a, 1000);
	struct str p = dmarc_policy_name(r.p);
	struct str sp = r.has_sp ? dmarc_policy_name(r.sp) : STR("-");
	struct str np = r.has_np ? dmarc_policy_name(r.np) : STR("-");
	buf_printf(b, "%s%.*s/%.*s/%.*s%s %c%c%c",
	    r.has_p ? "" : "no:", STR_ARG(p), STR_ARG(sp), STR_ARG(np),
	    r.is_np_broken ? "!" : "", r.is_strict_dkim ? 's' : 'r',
	    r.is_strict_spf ? 's' : 'r', psd[r.psd]);
	if (r.is_testing)
		buf_put(b, STR(" t"));
	if (r.percent != 100)
		buf_printf(b, " %u", r.percent);
	if (r.has_reports)
		buf_put(b, STR(" rua"));
	return buf_str(b);
}

static const struct {
	const char *label, *text, *want;
} records[] = {
    {"the shortest", "v=DMARC1;p=none", "none/-/- rru"},
    {"a usual one",
	"v=DMARC1; p=reject; rua=mailto:d@example.com; ruf=mailto:f@x.example;"
	" fo=1:d:s; ri=86400; rf=afrf",
	"reject/-/- rru rua"},
    {"all tags",
	"v=DMARC1; p=quarantine; sp=reject; np=none; adkim=s; aspf=s; psd=n;"
	" t=y; pct=50",
	"quarantine/reject/none ssn t 50"},
    {"blanks wherever they may be", "v =\tDMARC1 ;  p = reject ; adkim\t=\ts ;",
	"reject/-/- sru"},
    {"a blank in front", " v=DMARC1; p=reject", "reject/-/- rru"},
    {"upper case", "V=DMARC1; P=REJECT; ASPF=S; PSD=Y; T=Y",
	"reject/-/- rsy t"},
    {"any order behind v", "v=DMARC1; adkim=s; sp=none; p=reject",
	"reject/none/- sru"},
    {"unknown tags", "v=DMARC1; x=1; p=reject; dkim=s; =; ;;y",
	"reject/-/- rru"},
    {"psd=u", "v=DMARC1; p=none; psd=u", "none/-/- rru"},
    /* The version. */
    {"lower case", "v=dmarc1; p=none", "other"},
    {"longer", "v=DMARC10; p=none", "other"},
    {"not the first tag", "p=none; v=DMARC1", "other"},
    {"no separator", "v=DMARC1 p=none", "other"},
    {"something in front", ";v=DMARC1; p=none", "other"},
    {"SPF", "v=spf1 -all", "other"},
    {"nothing", "", "other"},
    {"a line end", "v=DMARC1\n; p=none", "other"},
    /* p: RFC 9989 takes its absence as none. */
    {"missing p", "v=DMARC1", "no:none/-/- rru"},
    {"missing p, with reports", "v=DMARC1; rua=mailto:a@b.example",
	"no:none/-/- rru rua"},
    {"missing p, sp is kept", "v=DMARC1; sp=reject", "no:none/reject/- rru"},
    {"invalid p", "v=DMARC1; p=rejected", "unusable"},
    {"empty p", "v=DMARC1; p=; sp=none", "unusable"},
    {"invalid p, with reports",
	"v=DMARC1; p=x; sp=reject; np=reject; rua=mailto:a@b.example",
	"no:none/-/- rru rua"},
    {"invalid sp", "v=DMARC1; p=reject; sp=x", "unusable"},
    {"invalid sp, with reports",
	"v=DMARC1; p=reject; sp=x; rua=mailto:a@b.example",
	"no:none/-/- rru rua"},
    {"invalid np", "v=DMARC1; p=reject; np=x", "reject/-/-! rru"},
    /* What is optional and wrong is as if it were not there. */
    {"invalid adkim, aspf", "v=DMARC1; p=none; adkim=strict; aspf=0",
	"none/-/- rru"},
    {"invalid psd, t", "v=DMARC1; p=none; psd=yes; t=1", "none/-/- rru"},
    {"pct=0", "v=DMARC1; p=none; pct=0", "none/-/- rru 0"},
    {"pct=101", "v=DMARC1; p=none; pct=101", "none/-/- rru"},
    {"pct=-1", "v=DMARC1; p=none; pct=-1", "none/-/- rru"},
    {"pct=0000", "v=DMARC1; p=none; pct=0000", "none/-/- rru"},
    {"pct=99999999999999999999", "v=DMARC1; p=none; pct=99999999999999999999",
	"none/-/- rru"},
    /* Twice: the first. */
    {"p twice", "v=DMARC1; p=none; p=reject", "none/-/- rru"},
    {"v twice", "v=DMARC1; v=DMARC2; p=reject", "reject/-/- rru"},
    /* rua: one valid URI will do. */
    {"https", "v=DMARC1; rua=https://r.example/x", "no:none/-/- rru rua"},
    {"a size", "v=DMARC1; rua=mailto:a@b.example!10m", "no:none/-/- rru rua"},
    {"the second is valid", "v=DMARC1; rua=x, mailto:a@b.example",
	"no:none/-/- rru rua"},
    {"no scheme", "v=DMARC1; rua=a@b.example", "no:none/-/- rru"},
    {"no address", "v=DMARC1; rua=mailto:", "no:none/-/- rru"},
    {"no local part", "v=DMARC1; rua=mailto:@b.example", "no:none/-/- rru"},
    {"no domain", "v=DMARC1; rua=mailto:a@", "no:none/-/- rru"},
    {"a scheme that is none", "v=DMARC1; rua=1x:y", "no:none/-/- rru"},
    {"a blank inside", "v=DMARC1; rua=mailto:a b@c.example", "no:none/-/- rru"},
    {"a percent that is none", "v=DMARC1; rua=mailto:a%4@b.example",
	"no:none/-/- rru"},
    {"bytes over 0x7f", "v=DMARC1; p=reject; rua=mailto:\xc3\xa4@b.example",
	"reject/-/- rru"},
};

static void
reads_records(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(records); i++) {
		struct arena *a = arena_new();
		struct str got =
		    shown(a, records[i].text, strlen(records[i].text));
		if (!str_eq(got, str_from(records[i].want)))
			print_error("%s\n", records[i].label);
		assert_str(got, records[i].want);
		arena_free(a);
	}
}

static void
reads_any_bytes(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	static const char nul[] = "v=DMARC1; p=reject\0; sp=none";
	assert_str(shown(a, nul, sizeof(nul) - 1), "unusable");
	struct buf *b = buf_new(a, 65535);
	buf_put(b, STR("v=DMARC1;"));
	while (!b->is_cut)
		buf_put(b, STR("rua=x,;=p;"));
	int64_t start = cpu_ms();
	assert_str(shown(a, b->p, b->len), "no:none/-/- rru");
	assert_true(cpu_ms() - start < 500);
	arena_free(a);
}

/*
 * A zone is lines of a name and a TXT record.  A name that is not listed and
 * not above a listed one is NXDOMAIN; "?" is DNS_TEMP; a name alone is there
 * without a record.
 */
struct world {
	const char *zone;
	struct resolver *resolver;
	struct cache *cache;
	struct arena *a;
	struct dns_budget budget;
	struct buf *asked; /* "name name ", without _dmarc. */
};

static void
answer_with(struct arena *a, enum dns_type type, struct str text,
    struct dns_answer *ret)
{
	if (str_eq(text, STR("?"))) {
		ret->status = DNS_TEMP;
		ret->why = "SERVFAIL";
	} else if (type != DNS_TXT || text.len == 0) {
		ret->status = DNS_NODATA;
	} else {
		ret->status = DNS_OK;
		ret->ttl_s = 60;
		strs_add(a, &ret->records, text);
	}
}

static void
answer_from_zone(void *arg, struct arena *a, struct str name,
    enum dns_type type, struct dns_answer *ret)
{
	struct world *w = arg;
	struct str shown_name =
	    str_starts(name, STR("_dmarc.")) ? str_skip(name, 7) : name;
	buf_printf(w->asked, "%s%.*s ", type == DNS_A ? "A:" : "",
	    STR_ARG(shown_name));
	ret->status = DNS_NXDOMAIN;
	ret->ttl_s = 300;
	for (struct str rest = str_from(w->zone); rest.len > 0;) {
		struct str text = str_line(&rest);
		struct str here = str_cut(&text, ' ');
		if (str_eq(here, name))
			answer_with(a, type, text, ret);
		else if (domain_is_under(here, name) &&
			 ret->status == DNS_NXDOMAIN)
			ret->status = DNS_NODATA;
	}
}

static struct dns_budget
full_budget(void)
{
	return (struct dns_budget){
	    .deadline_ms = clock_ms() + 60000, .questions = 100};
}

static struct world *
world_new(const char *zone)
{
	struct arena *a = arena_new();
	struct world *w = ARENA_NEW(a, struct world);
	*w = (struct world){.zone = zone,
	    .a = a,
	    .cache = cache_new(1000, 1 << 20),
	    .budget = full_budget(),
	    .asked = buf_new(a, 1 << 16)};
	w->resolver = resolver_new_source(answer_from_zone, w);
	return w;
}

static void
world_free(struct world *w)
{
	resolver_free(w->resolver);
	cache_free(w->cache);
	arena_free(w->a);
}

static const struct dmarc_domain *
discover(struct world *w, const char *domain)
{
	return dmarc_discover(
	    w->a, w->resolver, w->cache, str_from(domain), &w->budget);
}

/* "org record:policy>effective", "org none" or "temp". */
static void
show_variant(struct buf *b, const struct dmarc_variant *v)
{
	struct str policy = dmarc_policy_name(v->policy);
	struct str effective = dmarc_policy_name(v->effective);
	buf_printf(b, "%.*s ", STR_ARG(v->org));
	if (v->is_temp)
		buf_put(b, STR("temp"));
	else if (!v->has_record)
		buf_put(b, STR("none"));
	else
		buf_printf(b, "%.*s:%.*s%s%.*s", STR_ARG(v->record_domain),
		    STR_ARG(policy), v->policy == v->effective ? "=" : ">",
		    STR_ARG(effective));
}

struct find {
	const char *label, *domain, *tree, *suffix, *asked;
	const char *zone;
};

static const struct find finds[] = {
    {"the domain's own record", "example.com",
	"example.com example.com:reject=reject",
	"example.com example.com:reject=reject", "example.com com ",
	"_dmarc.example.com v=DMARC1; p=reject; sp=none\n"},
    {"that of the organisation, sp", "mail.example.com",
	"example.com example.com:none=none",
	"example.com example.com:none=none",
	"mail.example.com example.com com ",
	"_dmarc.example.com v=DMARC1; p=reject; sp=none\n"},
    {"that of the organisation, p", "mail.example.com",
	"example.com example.com:reject=reject",
	"example.com example.com:reject=reject",
	"mail.example.com example.com com ",
	"_dmarc.example.com v=DMARC1; p=reject\n"},
    {"its own record comes first", "mail.example.com",
	"example.com mail.example.com:none=none",
	"example.com mail.example.com:none=none",
	"mail.example.com example.com com ",
	"_dmarc.mail.example.com v=DMARC1; p=none; sp=reject\n"
	"_dmarc.example.com v=DMARC1; p=reject\n"},
    {"no record at all", "mail.example.com", "mail.example.com none",
	"example.com none", "mail.example.com example.com com ",
	"example.com\n"},
    /* RFC 9989 takes the highest, RFC 7489 that of the registrable domain. */
    {"a record in between", "a.mail.example.com",
	"mail.example.com mail.example.com:reject=reject", "example.com none",
	"a.mail.example.com mail.example.com example.com com ",
	"_dmarc.mail.example.com v=DMARC1; p=reject\n"},
    {"two above", "a.mail.example.com",
	"example.com example.com:quarantine=quarantine",
	"example.com example.com:quarantine=quarantine",
	"a.mail.example.com mail.example.com example.com com ",
	"_dmarc.mail.example.com v=DMARC1; p=reject\n"
	"_dmarc.example.com v=DMARC1; p=quarantine\n"},
    /* psd, RFC 9989 section 4.10.2 */
    {"psd=n ends the walk", "a.mail.example.com",
	"mail.example.com mail.example.com:reject=reject",
	"example.com example.com:none=none",
	"a.mail.example.com mail.example.com example.com ",
	"_dmarc.mail.example.com v=DMARC1; p=reject; psd=n\n"
	"_dmarc.example.com v=DMARC1; p=none\n"},
    {"psd=n where the walk begins", "example.com",
	"example.com example.com:reject=reject",
	"example.com example.com:reject=reject", "example.com ",
	"_dmarc.example.com v=DMARC1; p=reject; psd=n\n"},
    {"psd=y: the registry's policy", "a.mail.example.com",
	"example.com com:reject=reject", "example.com none",
	"a.mail.example.com mail.example.com example.com com ",
	"_dmarc.com v=DMARC1; p=none; sp=reject; psd=y\n"},
    {"psd=y: the organisation's comes first", "mail.example.com",
	"example.com example.com:none=none",
	"example.com example.com:none=none",
	"mail.example.com example.com com ",
	"_dmarc.com v=DMARC1; p=reject; psd=y\n"
	"_dmarc.example.com v=DMARC1; p=none\n"},
    {"psd=y: a record between it and the domain is not asked",
	"a.mail.example.com", "example.com com:reject=reject",
	"example.com none",
	"a.mail.example.com mail.example.com example.com com ",
	"_dmarc.com v=DMARC1; p=reject; psd=y\n"
	"_dmarc.mail.example.com v=DMARC1; p=none\n"},
    {"psd=y right above", "giant.bank.example",
	"giant.bank.example bank.example:reject=reject",
	"bank.example bank.example:reject=reject",
	"giant.bank.example bank.example ",
	"_dmarc.bank.example v=DMARC1; p=reject; psd=y\n"
	"_dmarc.example v=DMARC1; p=none\n"},
    {"psd=y where the walk begins", "bank.example",
	"bank.example bank.example:reject=reject",
	"bank.example bank.example:reject=reject", "bank.example ",
	"_dmarc.bank.example v=DMARC1; p=reject; psd=y\n"},
    {"a registry that says no psd", "mail.example.com", "com com:reject=reject",
	"example.com none", "mail.example.com example.com com ",
	"_dmarc.com v=DMARC1; p=reject\n"},
    {"an unusable record has its psd", "a.mail.example.com",
	"mail.example.com none", "example.com example.com:reject=reject",
	"a.mail.example.com mail.example.com example.com ",
	"_dmarc.mail.example.com v=DMARC1; p=x; psd=n\n"
	"_dmarc.example.com v=DMARC1; p=reject\n"},
    /* The walk's length, RFC 9989 section 4.10 */
    {"eight labels", "a.b.c.d.e.f.example.com",
	"example.com example.com:reject=reject",
	"example.com example.com:reject=reject",
	"a.b.c.d.e.f.example.com b.c.d.e.f.example.com c.d.e.f.example.com"
	" d.e.f.example.com e.f.example.com f.example.com example.com com ",
	"_dmarc.example.com v=DMARC1; p=reject\n"},
    {"twelve labels, the RFC's example", "a.b.c.d.e.f.g.h.i.j.mail.example.com",
	"example.com example.com:reject=reject",
	"example.com example.com:reject=reject",
	"a.b.c.d.e.f.g.h.i.j.mail.example.com g.h.i.j.mail.example.com"
	" h.i.j.mail.example.com i.j.mail.example.com j.mail.example.com"
	" mail.example.com example.com com ",
	"_dmarc.example.com v=DMARC1; p=reject\n"},
    {"a record that the walk jumps over", "mail.a.b.c.d.e.f.g.example.com",
	"example.com example.com:none=none",
	"example.com example.com:none=none",
	"mail.a.b.c.d.e.f.g.example.com c.d.e.f.g.example.com"
	" d.e.f.g.example.com e.f.g.example.com f.g.example.com"
	" g.example.com example.com com ",
	"_dmarc.b.c.d.e.f.g.example.com v=DMARC1; p=reject; psd=n\n"
	"_dmarc.example.com v=DMARC1; p=none\n"},
    {"psd=y at the seventh label of nine", "a.b.c.d.e.f.g.h.example",
	"b.c.d.e.f.g.h.example c.d.e.f.g.h.example:reject=reject",
	"h.example none",
	"a.b.c.d.e.f.g.h.example c.d.e.f.g.h.example h.example ",
	"_dmarc.c.d.e.f.g.h.example v=DMARC1; p=reject; psd=y\n"},
    /* np: only what does not exist; what is below shows that it does */
    {"np of a domain that is not there", "no.example.com",
	"example.com example.com:reject=reject",
	"example.com example.com:none=none",
	"no.example.com example.com com A:no.example.com ",
	"_dmarc.example.com v=DMARC1; p=none; np=reject\n"},
    {"np of one that is there", "mail.example.com",
	"example.com example.com:none=none",
	"example.com example.com:none=none",
	"mail.example.com example.com com A:mail.example.com ",
	"_dmarc.example.com v=DMARC1; p=none; np=reject\n"
	"mail.example.com\n"},
    {"np of one with names below it", "mail.example.com",
	"example.com example.com:none=none",
	"example.com example.com:none=none",
	"mail.example.com example.com com A:mail.example.com ",
	"_dmarc.example.com v=DMARC1; p=none; np=reject\n"
	"x.mail.example.com\n"},
    {"np of one with _dmarc", "mail.example.com",
	"example.com example.com:none=none",
	"example.com example.com:none=none",
	"mail.example.com example.com com ",
	"_dmarc.example.com v=DMARC1; p=none; np=reject\n"
	"_dmarc.mail.example.com\n"},
    {"np that says the same", "no.example.com",
	"example.com example.com:reject=reject",
	"example.com example.com:reject=reject",
	"no.example.com example.com com ",
	"_dmarc.example.com v=DMARC1; p=none; sp=reject; np=reject\n"},
    {"np not known", "no.example.com", "example.com temp",
	"example.com example.com:none=none",
	"no.example.com example.com com A:no.example.com ",
	"_dmarc.example.com v=DMARC1; p=none; np=reject\n"
	"no.example.com ?\n"},
    {"np of the registry", "no.example.com", "example.com com:reject=reject",
	"example.com none", "no.example.com example.com com A:no.example.com ",
	"_dmarc.com v=DMARC1; p=none; np=reject; psd=y\n"},
    {"np is not for the domain itself", "example.com",
	"example.com example.com:none=none",
	"example.com example.com:none=none", "example.com com ",
	"_dmarc.example.com v=DMARC1; p=none; np=reject\n"},
    /* t and pct: each has its own kind of receiver */
    {"t=y, reject", "example.com", "example.com example.com:reject>quarantine",
	"example.com example.com:reject=reject", "example.com com ",
	"_dmarc.example.com v=DMARC1; p=reject; t=y\n"},
    {"t=y, quarantine", "example.com",
	"example.com example.com:quarantine>none",
	"example.com example.com:quarantine=quarantine", "example.com com ",
	"_dmarc.example.com v=DMARC1; p=quarantine; t=y\n"},
    {"t=y, none", "example.com", "example.com example.com:none=none",
	"example.com example.com:none=none", "example.com com ",
	"_dmarc.example.com v=DMARC1; p=none; t=y\n"},
    {"pct=0", "example.com", "example.com example.com:reject=reject",
	"example.com example.com:reject>quarantine", "example.com com ",
	"_dmarc.example.com v=DMARC1; p=reject; pct=0\n"},
    {"pct=50 is full: it may hit us", "example.com",
	"example.com example.com:reject=reject",
	"example.com example.com:reject=reject", "example.com com ",
	"_dmarc.example.com v=DMARC1; p=reject; pct=50\n"},
    /* Records that are too many or no good. */
    {"two records are none: the walk goes on, RFC 7489 ends",
	"mail.example.com", "example.com example.com:reject=reject",
	"example.com none", "mail.example.com example.com com ",
	"_dmarc.mail.example.com v=DMARC1; p=none\n"
	"_dmarc.mail.example.com v=DMARC1; p=none\n"
	"_dmarc.example.com v=DMARC1; p=reject\n"},
    {"two records, one of another kind", "example.com",
	"example.com example.com:reject=reject",
	"example.com example.com:reject=reject", "example.com com ",
	"_dmarc.example.com v=spf1 -all\n"
	"_dmarc.example.com v=DMARC1; p=reject\n"},
    {"an unusable record is the one", "mail.example.com", "example.com none",
	"example.com none", "mail.example.com example.com com ",
	"_dmarc.mail.example.com v=DMARC1; p=x\n"
	"_dmarc.example.com v=DMARC1; p=reject\n"},
    {"missing p is none for RFC 9989 alone", "example.com",
	"example.com example.com:none=none", "example.com none",
	"example.com com ", "_dmarc.example.com v=DMARC1\n"},
    {"missing p, with reports", "example.com",
	"example.com example.com:none=none",
	"example.com example.com:none=none", "example.com com ",
	"_dmarc.example.com v=DMARC1; rua=mailto:a@b.example\n"},
    {"invalid np is wrong for RFC 9989 alone", "example.com",
	"example.com none", "example.com example.com:reject=reject",
	"example.com com ", "_dmarc.example.com v=DMARC1; p=reject; np=x\n"},
    {"invalid np, with reports", "mail.example.com",
	"example.com example.com:none=none",
	"example.com example.com:reject=reject",
	"mail.example.com example.com com ",
	"_dmarc.example.com v=DMARC1; p=none; sp=reject; np=x; "
	"rua=mailto:a@b.example\n"},
    /* Suffixes */
    {"a private suffix", "me.github.io", "github.io github.io:none=none",
	"me.github.io none", "me.github.io github.io io ",
	"_dmarc.github.io v=DMARC1; p=none\n"},
    {"the suffix itself", "github.io", "github.io github.io:reject=reject",
	"github.io github.io:reject=reject", "github.io io ",
	"_dmarc.github.io v=DMARC1; p=reject\n"},
    {"two-level suffix", "mail.example.co.uk",
	"example.co.uk example.co.uk:reject=reject",
	"example.co.uk example.co.uk:reject=reject",
	"mail.example.co.uk example.co.uk co.uk uk ",
	"_dmarc.example.co.uk v=DMARC1; p=reject\n"},
    {"A-labels", "a.xn--bcher-kva.example",
	"xn--bcher-kva.example xn--bcher-kva.example:reject=reject",
	"xn--bcher-kva.example xn--bcher-kva.example:reject=reject",
	"a.xn--bcher-kva.example xn--bcher-kva.example example ",
	"_dmarc.xn--bcher-kva.example v=DMARC1; p=reject\n"},
    {"one label is not asked for", "localhost", "localhost none",
	"localhost none", "", "_dmarc.localhost v=DMARC1; p=reject\n"},
    {"no domain", "", " none", " none", "", "x\n"},
    /* Not answered */
    {"the domain", "mail.example.com", " temp", "example.com temp",
	"mail.example.com ",
	"_dmarc.mail.example.com ?\n"
	"_dmarc.example.com v=DMARC1; p=reject\n"},
    {"the organisation", "mail.example.com", " temp", "example.com temp",
	"mail.example.com example.com ", "_dmarc.example.com ?\n"},
    {"a parent that RFC 7489 does not ask", "a.mail.example.com", " temp",
	"example.com example.com:reject=reject",
	"a.mail.example.com mail.example.com example.com ",
	"_dmarc.mail.example.com ?\n"
	"_dmarc.example.com v=DMARC1; p=reject\n"},
    {"the top: the policy is known, the organisation is not", "example.com",
	" example.com:reject=reject", "example.com example.com:reject=reject",
	"example.com com ",
	"_dmarc.example.com v=DMARC1; p=reject\n"
	"_dmarc.com ?\n"},
    {"the top: neither is", "mail.example.com", " temp",
	"example.com example.com:reject=reject",
	"mail.example.com example.com com ",
	"_dmarc.example.com v=DMARC1; p=reject\n"
	"_dmarc.com ?\n"},
};

static void
finds_policies(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(finds); i++) {
		const struct find *f = &finds[i];
		struct world *w = world_new(f->zone);
		const struct dmarc_domain *d = discover(w, f->domain);
		struct buf *tree = buf_new(w->a, 500);
		struct buf *suffix = buf_new(w->a, 500);
		show_variant(tree, &d->tree);
		show_variant(suffix, &d->suffix);
		if (!str_eq(buf_str(tree), str_from(f->tree)) ||
		    !str_eq(buf_str(suffix), str_from(f->suffix)) ||
		    !str_eq(buf_str(w->asked), str_from(f->asked)))
			print_error("%s\n", f->label);
		assert_str(buf_str(tree), f->tree);
		assert_str(buf_str(suffix), f->suffix);
		assert_str(buf_str(w->asked), f->asked);
		assert_true(str_eq(d->domain, str_from(f->domain)));
		/* Once more, from the cache or by asking again. */
		d = discover(w, f->domain);
		tree->len = 0;
		show_variant(tree, &d->tree);
		assert_str(buf_str(tree), f->tree);
		world_free(w);
	}
}

static void
remembers_what_was_answered(void **state)
{
	(void)state;
	struct world *w = world_new("_dmarc.example.com v=DMARC1; p=reject\n"
				    "example.com\n");
	const struct dmarc_domain *d = discover(w, "mail.example.com");
	assert_int_equal(d->ttl_s, 60);
	assert_int_equal(w->budget.asked, 3);
	d = discover(w, "mail.example.com");
	assert_int_equal(w->budget.asked, 3);
	assert_int_equal(d->tree.effective, DMARC_REJECT);
	assert_str(d->tree.record.text, "v=DMARC1; p=reject");
	assert_string_equal(d->tree.why, "");
	world_free(w);
}

static void
does_not_remember_what_was_not(void **state)
{
	(void)state;
	struct world *w = world_new("_dmarc.example.com v=DMARC1; p=reject\n"
				    "_dmarc.com ?\n");
	discover(w, "example.com");
	assert_true(w->budget.has_temp);
	assert_int_equal(w->budget.asked, 2);
	w->zone = "_dmarc.example.com v=DMARC1; p=reject\n";
	assert_str(discover(w, "example.com")->tree.org, "example.com");
	assert_int_equal(w->budget.asked, 4);
	world_free(w);
}

static void
says_nothing_past_the_budget(void **state)
{
	(void)state;
	struct world *w = world_new("_dmarc.example.com v=DMARC1; p=reject\n");
	w->budget.questions = 1;
	const struct dmarc_domain *d = discover(w, "mail.example.com");
	assert_true(d->tree.is_temp && d->suffix.is_temp);
	w->budget.questions = 2;
	d = discover(w, "mail.example.com");
	assert_true(d->tree.is_temp && !d->suffix.is_temp);
	world_free(w);
}

static void
says_why_there_is_no_policy(void **state)
{
	(void)state;
	struct world *w =
	    world_new("_dmarc.two.example v=DMARC1; p=none\n"
		      "_dmarc.two.example v=DMARC1; p=none\n"
		      "_dmarc.bad.example v=DMARC1; p=x\n"
		      "_dmarc.old.example v=DMARC1\n"
		      "_dmarc.np.example v=DMARC1; p=none; np=x\n");
	assert_string_equal(
	    discover(w, "two.example")->tree.why, "more than one record");
	assert_string_equal(discover(w, "bad.example")->tree.why,
	    "the record has no valid p= and no rua=");
	assert_string_equal(discover(w, "old.example")->suffix.why,
	    "the record has no p= and no rua=");
	assert_string_equal(discover(w, "np.example")->tree.why,
	    "the record has no valid np= and no rua=");
	assert_string_equal(discover(w, "no.example")->tree.why, "no record");
	assert_string_equal(
	    discover(w, "host")->suffix.why, "not a name with a dot");
	world_free(w);
}

static void
knows_who_is_missing_only_if_it_matters(void **state)
{
	(void)state;
	struct world *w =
	    world_new("_dmarc.a.example v=DMARC1; p=none; np=reject\n"
		      "_dmarc.b.example v=DMARC1; p=none\n");
	assert_true(discover(w, "no.a.example")->is_missing);
	assert_false(discover(w, "no.b.example")->is_missing);
	world_free(w);
}

static const struct {
	const char *label, *author, *identity;
	bool is_dkim;
	const char *want, *tree, *suffix;
	const char *zone;
} alignments[] = {
    {"the same", "example.com", "example.com", true, "strict", "strict",
	"strict", "_dmarc.example.com v=DMARC1; p=reject; adkim=s\n"},
    {"the same, though nothing is answered", "example.com", "example.com", true,
	"strict", "strict", "strict", "_dmarc.example.com ?\n"},
    {"below the author", "example.com", "m.example.com", true, "relaxed",
	"relaxed", "relaxed", "_dmarc.example.com v=DMARC1; p=reject\n"},
    {"above the author", "news.example.com", "example.com", false, "relaxed",
	"relaxed", "relaxed", "_dmarc.example.com v=DMARC1; p=reject\n"},
    {"beside the author", "news.example.com", "foo.example.com", false,
	"relaxed", "relaxed", "relaxed",
	"_dmarc.example.com v=DMARC1; p=reject\n"},
    {"another's", "news.example.com", "foo.example.net", true, "no", "no", "no",
	"_dmarc.example.com v=DMARC1; p=reject\n"},
    {"one that only ends alike", "example.com", "badexample.com", true, "no",
	"no", "no", "_dmarc.example.com v=DMARC1; p=reject\n"},
    {"a public suffix", "example.com", "com", true, "no", "no", "no",
	"_dmarc.example.com v=DMARC1; p=reject\n"},
    {"a two-level suffix", "example.co.uk", "co.uk", true, "no", "no", "no",
	"_dmarc.example.co.uk v=DMARC1; p=reject\n"},
    {"adkim=s", "example.com", "m.example.com", true, "no", "no", "no",
	"_dmarc.example.com v=DMARC1; p=reject; adkim=s\n"},
    {"adkim=s is not for SPF", "example.com", "m.example.com", false, "relaxed",
	"relaxed", "relaxed",
	"_dmarc.example.com v=DMARC1; p=reject; adkim=s\n"},
    {"aspf=s", "example.com", "m.example.com", false, "no", "no", "no",
	"_dmarc.example.com v=DMARC1; p=reject; aspf=s\n"},
    {"the author's own record is strict, not the organisation's",
	"a.example.com", "b.example.com", true, "no", "no", "no",
	"_dmarc.a.example.com v=DMARC1; p=reject; adkim=s\n"
	"_dmarc.example.com v=DMARC1; p=reject\n"},
    {"private suffix: RFC 9989 does not know it", "a.github.io", "b.github.io",
	true, "depends", "relaxed", "no",
	"_dmarc.github.io v=DMARC1; p=none\n"
	"_dmarc.a.github.io v=DMARC1; p=reject\n"},
    {"private suffix: psd=y says it to RFC 9989", "a.github.io", "b.github.io",
	true, "no", "no", "no",
	"_dmarc.github.io v=DMARC1; p=none; psd=y\n"
	"_dmarc.a.github.io v=DMARC1; p=reject\n"},
    {"psd=n: an organisation of its own", "a.dep.example.com", "example.com",
	true, "depends", "no", "relaxed",
	"_dmarc.dep.example.com v=DMARC1; p=reject; psd=n\n"
	"_dmarc.example.com v=DMARC1; p=reject\n"},
    {"psd=n between the identity and the organisation", "example.com",
	"x.dep.example.com", true, "depends", "no", "relaxed",
	"_dmarc.dep.example.com v=DMARC1; p=reject; psd=n\n"
	"_dmarc.example.com v=DMARC1; p=reject\n"},
    {"psd=n: both inside", "a.dep.example.com", "b.dep.example.com", true,
	"relaxed", "relaxed", "relaxed",
	"_dmarc.dep.example.com v=DMARC1; p=reject; psd=n\n"
	"_dmarc.example.com v=DMARC1; p=reject\n"},
    {"no record: the list speaks", "a.example.com", "example.com", true,
	"relaxed", "no", "relaxed", "example.com\n"},
    {"only RFC 9989 has a record", "a.mail.example.com", "mail.example.com",
	true, "relaxed", "relaxed", "relaxed",
	"_dmarc.mail.example.com v=DMARC1; p=reject\n"},
    {"only RFC 9989 has a record, and says no", "a.mail.example.com",
	"b.example.com", true, "no", "no", "relaxed",
	"_dmarc.mail.example.com v=DMARC1; p=reject\n"},
    {"only RFC 7489 has a record", "a.mail.example.com", "example.com", true,
	"relaxed", "no", "relaxed",
	"_dmarc.mail.example.com v=DMARC1; p=x; psd=n\n"
	"_dmarc.example.com v=DMARC1; p=reject\n"},
    {"the author is not known", "a.example.com", "example.com", true, "temp",
	"temp", "temp", "_dmarc.a.example.com ?\n"},
    {"the author's organisation is not known", "example.com", "m.example.com",
	true, "temp", "temp", "relaxed",
	"_dmarc.example.com v=DMARC1; p=reject\n"
	"_dmarc.com ?\n"},
    {"the identity's organisation is not known", "example.com",
	"x.m.example.com", true, "temp", "temp", "relaxed",
	"_dmarc.example.com v=DMARC1; p=reject\n"
	"_dmarc.m.example.com ?\n"},
    {"not known, but strict", "example.com", "x.m.example.com", true, "no",
	"no", "no",
	"_dmarc.example.com v=DMARC1; p=reject; adkim=s\n"
	"_dmarc.com ?\n"},
    {"no identity", "example.com", "", true, "no", "no", "no",
	"_dmarc.example.com v=DMARC1; p=reject\n"},
};

static void
aligns(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(alignments); i++) {
		struct world *w = world_new(alignments[i].zone);
		const struct dmarc_domain *author =
		    discover(w, alignments[i].author);
		struct str identity = str_from(alignments[i].identity);
		bool is_dkim = alignments[i].is_dkim;
		struct dmarc_alignments each;
		dmarc_align(w->a, w->resolver, w->cache, author, identity,
		    is_dkim, &w->budget, &each);
		struct str got =
		    dmarc_alignment_name(dmarc_alignment_of(author, each));
		if (!str_eq(got, str_from(alignments[i].want)))
			print_error("%s\n", alignments[i].label);
		assert_str(got, alignments[i].want);
		assert_str(dmarc_alignment_name(each.tree), alignments[i].tree);
		assert_str(
		    dmarc_alignment_name(each.suffix), alignments[i].suffix);
		world_free(w);
	}
}

static void
asks_nothing_about_strangers(void **state)
{
	(void)state;
	struct world *w = world_new("_dmarc.example.com v=DMARC1; p=reject\n");
	const struct dmarc_domain *author = discover(w, "example.com");
	unsigned asked = w->budget.asked;
	struct dmarc_alignments each;
	dmarc_align(w->a, w->resolver, w->cache, author, STR("esp.example.net"),
	    true, &w->budget, &each);
	assert_int_equal(dmarc_alignment_of(author, each), ALIGNED_NOT);
	dmarc_align(w->a, w->resolver, w->cache, author, STR("example.com"),
	    true, &w->budget, &each);
	assert_int_equal(dmarc_alignment_of(author, each), ALIGNED_EXACT);
	assert_int_equal(w->budget.asked, asked);
	world_free(w);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(reads_records),
    cmocka_unit_test(reads_any_bytes),
    cmocka_unit_test(finds_policies),
    cmocka_unit_test(remembers_what_was_answered),
    cmocka_unit_test(does_not_remember_what_was_not),
    cmocka_unit_test(says_nothing_past_the_budget),
    cmocka_unit_test(says_why_there_is_no_policy),
    cmocka_unit_test(knows_who_is_missing_only_if_it_matters),
    cmocka_unit_test(aligns),
    cmocka_unit_test(asks_nothing_about_strangers),
};
UNIT_MAIN(tests)
