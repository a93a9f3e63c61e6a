/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dkim_verify -- what becomes of good, broken and hostile signatures.  They are
 * made here, tag by tag, from keys made here.
 */
#include "unit.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <pthread.h>

#include "auth/dkim_canon.h"
#include "auth/dkim_verify.h"
#include "dkim_zone.h"

#define NOW 1700000000
#define THREADS 4

enum key { K_RSA, K_SHORT, K_TINY, K_ED, K_LONG, KEYS };

struct fixture {
	struct arena *a;
	EVP_PKEY *keys[KEYS];
	struct zone zone;
	struct resolver *resolver;
	struct cache *cache;
};

static int
set_up(void **state)
{
	static const size_t bits[] = {2048, 768, 512, 0};
	struct fixture *f = calloc(1, sizeof(*f));
	f->a = arena_new();
	for (size_t i = 0; i < COUNT_OF(bits); i++)
		f->keys[i] = key_new(bits[i]);
	f->resolver = resolver_new_source(zone_answer, &f->zone);
	f->cache = cache_new(100, 1 << 20);
	*state = f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;
	for (size_t i = 0; i < KEYS; i++)
		EVP_PKEY_free(f->keys[i]);
	cache_free(f->cache);
	resolver_free(f->resolver);
	arena_free(f->a);
	free(f);
	return 0;
}

/* ---- a signer that signs whatever it is told */

static void
put(void *arg, struct str bytes)
{
	buf_put(arg, bytes);
}

static struct str
digest_of(struct arena *a, const EVP_MD *md, struct str bytes)
{
	unsigned char *hash = arena_alloc(a, EVP_MAX_MD_SIZE);
	unsigned len;
	assert_int_equal(
	    EVP_Digest(bytes.p, bytes.len, hash, &len, md, NULL), 1);
	return str_of((const char *)hash, len);
}

static struct str
signature_of(struct arena *a, EVP_PKEY *key, const EVP_MD *md, struct str text)
{
	bool is_ed25519 = EVP_PKEY_is_a(key, "ED25519");
	if (is_ed25519)
		text = digest_of(a, md, text);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	size_t len = 2048;
	unsigned char *bytes = arena_alloc(a, len);
	assert_int_equal(
	    EVP_DigestSignInit(ctx, NULL, is_ed25519 ? NULL : md, NULL, key),
	    1);
	assert_int_equal(EVP_DigestSign(ctx, bytes, &len,
			     (const unsigned char *)text.p, text.len),
	    1);
	EVP_MD_CTX_free(ctx);
	return dkim_base64(a, str_of((const char *)bytes, len));
}

/*
 * A field with `tags`, then bh= of the first `length` bytes of the body, then
 * h=, which is "from" and "to", then b=.
 */
static struct str
sign(struct arena *a, EVP_PKEY *key, const char *tags, struct str raw,
    size_t length)
{
	struct str all = str_from(tags);
	const EVP_MD *md =
	    str_find(all, STR("sha1")) != STR_NONE ? EVP_sha1() : EVP_sha256();
	bool is_simple = str_find(all, STR("c=simple")) != STR_NONE;
	enum dkim_canon how = is_simple ? DKIM_SIMPLE : DKIM_RELAXED;
	struct dkim_mail mail;
	dkim_mail_cut(a, raw, SIZE_MAX, &mail);
	struct buf *body = buf_new(a, mail.body.len * 2 + 2);
	(void)dkim_canon_body(how, mail.body, put, body);
	struct str hash = digest_of(a, md, str_sub(buf_str(body), 0, length));
	struct str value = str_printf(a, "%s; bh=%.*s; h=from:to; b=", tags,
	    STR_ARG(dkim_base64(a, hash)));
	struct buf *text = buf_new(a, 1 << 16);
	for (size_t i = 0; i < 2; i++)
		for (size_t k = mail.n; k > 0; k--)
			if (str_ieq(mail.v[k - 1].name,
				i == 0 ? STR("from") : STR("to"))) {
				dkim_canon_field(
				    how, &mail.v[k - 1], put, text);
				buf_put(text, STR("\r\n"));
				break;
			}
	struct dkim_field own = {.name = STR("DKIM-Signature"),
	    .text = str_printf(a, "DKIM-Signature: %.*s", STR_ARG(value))};
	dkim_canon_field(how, &own, put, text);
	return str_printf(a, "DKIM-Signature: %.*s%.*s\n", STR_ARG(value),
	    STR_ARG(signature_of(a, key, md, buf_str(text))));
}

static void
verify(struct fixture *f, struct arena *a, struct str raw,
    struct dkim_signatures *ret)
{
	struct dkim_mail mail;
	dkim_mail_cut(a, raw, 2000, &mail);
	struct dns_budget budget = zone_budget();
	dkim_verify_mail(a, f->resolver, f->cache, &mail, NOW, &budget, ret);
}

static const char plain_mail[] = "From: Alice <alice@example.com>\n"
				 "To: bob@example.net\n"
				 "Subject: hello\n"
				 "\n"
				 "Hello  Bob,\n"
				 "\n"
				 "see you.\n\n\n";

/* ---- one signature */

#define V "v=1; "
#define D "d=example.com; s=sel"
#define RELAXED "c=relaxed/relaxed; "
#define GOOD V "a=rsa-sha256; " RELAXED D
#define RECORD "v=DKIM1; k=rsa; p=%s"
#define ED_RECORD "v=DKIM1; k=ed25519; p=%s"

static const struct {
	const char *label;
	enum key key;
	const char *tags;
	const char *record;    /* NULL: none */
	const char *from, *to; /* replaced in the signed mail */
	size_t length;         /* of the body that is signed; 0: all */
	const char *want, *why;
} cases[] = {
    {"good", K_RSA, GOOD, RECORD, "", "", 0, "pass", ""},
    {"good, simple", K_RSA, V "a=rsa-sha256; c=simple/simple; " D, RECORD, "",
	"", 0, "pass", ""},
    {"good, Ed25519", K_ED, V "a=ed25519-sha256; " RELAXED D, ED_RECORD, "", "",
	0, "pass", ""},
    {"good, upper case", K_RSA,
	V "a=rsa-sha256; " RELAXED "d=EXAMPLE.com; s=SEL", RECORD, "", "", 0,
	"pass", ""},
    {"good, folded", K_RSA,
	V "a=rsa-sha256;\n\tc=relaxed/relaxed;\n d=exam\n ple.com; s = sel",
	RECORD, "", "", 0, "pass", ""},
    {"good, with unknown tags", K_RSA, GOOD "; zz=1; ab_c=x=y", RECORD, "", "",
	0, "pass", ""},
    {"an unsigned field changes", K_RSA, GOOD, RECORD, "hello", "hullo", 0,
	"pass", ""},
    {"relaxed blanks change", K_RSA, GOOD, RECORD, "Hello  Bob", "Hello Bob", 0,
	"pass", ""},
    {"the body changes", K_RSA, GOOD, RECORD, "see you", "see me", 0, "fail",
	"the body has changed after signing"},
    {"the header changes", K_RSA, GOOD, RECORD, "Alice", "Allice", 0, "fail",
	"the header has changed after signing"},
    {"both change", K_RSA, GOOD, RECORD, "ob", "oby", 0, "fail",
	"the header has changed after signing"},
    {"another From on top", K_RSA, GOOD, RECORD, "From:", "From: x\nFrom:", 0,
	"pass", ""},
    {"another From below", K_RSA, GOOD, RECORD, "Subject:", "From: x\nSubject:",
	0, "fail", "the header has changed after signing"},
    {"the signature changes", K_RSA, GOOD, RECORD, "d=example.com; s=sel",
	"d=example.com; s=sel; z=x", 0, "fail",
	"the header has changed after signing"},
    {"another key", K_SHORT, GOOD, "v=DKIM1; p=" /* of RSA */ "%o", "", "", 0,
	"fail", "the header has changed after signing"},
    {"SHA-1", K_RSA, V "a=rsa-sha1; " RELAXED D, RECORD, "", "", 0, "policy",
	"SHA-1 is not safe (RFC 8301)"},
    {"SHA-1, broken", K_RSA, V "a=rsa-sha1; " RELAXED D, RECORD, "see you",
	"see me", 0, "fail", "the body has changed after signing"},
    {"768 bits", K_SHORT, GOOD, RECORD, "", "", 0, "policy",
	"the key is too short (RFC 8301)"},
    {"512 bits", K_TINY, GOOD, RECORD, "", "", 0, "policy",
	"the key is too short (RFC 8301)"},
    {"l= covers all", K_RSA, GOOD "; l=24", RECORD, "", "", 24, "pass", ""},
    {"text behind l=", K_RSA, GOOD "; l=16", RECORD, "", "", 16, "policy",
	"there is text behind what l= covers"},
    {"text added behind l=", K_RSA, GOOD "; l=24", RECORD, "you.", "you. buy",
	24, "fail", "the body has changed after signing"},
    {"a line added behind l=", K_RSA, GOOD "; l=24", RECORD, "you.\n",
	"you.\nbuy\n", 24, "policy", "there is text behind what l= covers"},
    {"l= past the body", K_RSA, GOOD "; l=99", RECORD, "", "", 24, "fail",
	"the body is shorter than l= says"},
    {"l= of nothing", K_RSA, GOOD "; l=0", RECORD, "", "", SIZE_MAX, "policy",
	"there is text behind what l= covers"},
    {"l= is no number", K_RSA, GOOD "; l=-1", RECORD, "", "", 0, "neutral",
	"l= is no length"},
    {"expired", K_RSA, GOOD "; t=1699990000; x=1699999999", RECORD, "", "", 0,
	"fail", "it has expired (x=)"},
    {"from the future", K_RSA, GOOD "; t=1700009999", RECORD, "", "", 0, "fail",
	"it was made in the future (t=)"},
    {"a clock that is a minute fast", K_RSA, GOOD "; t=1700000060", RECORD, "",
	"", 0, "pass", ""},
    {"made in 1970", K_RSA, GOOD "; t=1", RECORD, "", "", 0, "neutral",
	"t= or x= is no time"},
    {"x= before t=", K_RSA, GOOD "; t=1699990000; x=1699980000", RECORD, "", "",
	0, "neutral", "it expires before it was made (x=)"},
    {"t= is no number", K_RSA, GOOD "; t=now", RECORD, "", "", 0, "neutral",
	"t= or x= is no time"},
    {"x= has no end", K_RSA, GOOD "; x=99999999999999999999999", RECORD, "", "",
	0, "neutral", "t= or x= is no time"},
    {"i= below d=", K_RSA, GOOD "; i=a@sub.example.com", RECORD, "", "", 0,
	"pass", ""},
    {"i= is d=", K_RSA, GOOD "; i=@EXAMPLE.com", RECORD, "", "", 0, "pass", ""},
    {"i= elsewhere", K_RSA, GOOD "; i=a@example.org", RECORD, "", "", 0,
	"neutral", "i= is not within d="},
    {"i= looks like d=", K_RSA, GOOD "; i=a@notexample.com", RECORD, "", "", 0,
	"neutral", "i= is not within d="},
    {"i= is a name", K_RSA, GOOD "; i=example.com", RECORD, "", "", 0,
	"neutral", "i= is no address"},
    {"i= ends in =", K_RSA, GOOD "; i=@example.com=", RECORD, "", "", 0,
	"neutral", "i= is no address"},
    {"i= ends in =4", K_RSA, GOOD "; i=@example.com=4", RECORD, "", "", 0,
	"neutral", "i= is no address"},
    {"t=s and d=", K_RSA, GOOD "; i=a@example.com", "v=DKIM1; t=s; p=%s", "",
	"", 0, "pass", ""},
    {"t=s and a subdomain", K_RSA, GOOD "; i=a@sub.example.com",
	"v=DKIM1; t=y:s; p=%s", "", "", 0, "policy",
	"the key is not for subdomains (t=s)"},
    {"no key", K_RSA, GOOD, NULL, "", "", 0, "permerror",
	"no key is published"},
    {"not a key", K_RSA, GOOD, "v=spf1 -all", "", "", 0, "permerror",
	"no key is published"},
    {"revoked", K_RSA, GOOD, "v=DKIM1; p=", "", "", 0, "permerror",
	"the key is revoked"},
    {"a broken key", K_RSA, GOOD, "v=DKIM1; p=MIGf", "", "", 0, "permerror",
	"the published key cannot be decoded"},
    {"k= of another type", K_RSA, GOOD,
	"v=DKIM1; k=ed25519; p=" /* 32 */
	"11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
	"", "", 0, "permerror", "the published key is of another type"},
    {"a= of another type", K_ED, V "a=ed25519-sha256; " RELAXED D,
	"v=DKIM1; k=rsa; p=%o", "", "", 0, "permerror",
	"the published key is of another type"},
    {"a key for SHA-1", K_RSA, GOOD, "v=DKIM1; h=sha1; p=%s", "", "", 0,
	"permerror", "the published key is not for SHA-256 (h=)"},
    {"a key for another service", K_RSA, GOOD, "v=DKIM1; s=tlsrpt; p=%s", "",
	"", 0, "permerror", "the published key is not for mail (s=)"},
    {"a key of tests", K_RSA, GOOD, "v=DKIM1; t=y; p=%s", "", "", 0, "pass",
	""},
    {"no answer", K_RSA, GOOD, "TEMP", "", "", 0, "temperror",
	"the key was not answered"},
    {"no v=", K_RSA, "a=rsa-sha256; " D, RECORD, "", "", 0, "neutral",
	"one of v= a= b= bh= d= h= s= is missing"},
    {"v=2", K_RSA, "v=2; a=rsa-sha256; " D, RECORD, "", "", 0, "neutral",
	"it is of another version of DKIM"},
    {"no d=", K_RSA, V "a=rsa-sha256; s=sel", RECORD, "", "", 0, "neutral",
	"one of v= a= b= bh= d= h= s= is missing"},
    {"a bad d=", K_RSA, V "a=rsa-sha256; d=exa(mple.com; s=sel", RECORD, "", "",
	0, "neutral", "d= or s= is no name in the DNS"},
    {"an unknown a=", K_RSA, V "a=rsa-sha512; " D, RECORD, "", "", 0, "neutral",
	"its algorithm is not known (a=)"},
    {"an unknown c=", K_RSA, V "a=rsa-sha256; c=lax; " D, RECORD, "", "", 0,
	"neutral", "its canonicalization is not known (c=)"},
    {"an unknown q=", K_RSA, GOOD "; q=finger", RECORD, "", "", 0, "neutral",
	"its key is not in the DNS (q=)"},
    {"q= as it should be", K_RSA, GOOD "; q=other:dns/txt", RECORD, "", "", 0,
	"pass", ""},
    {"a tag twice", K_RSA, GOOD "; d=example.com", RECORD, "", "", 0, "neutral",
	"a tag stands there twice"},
    {"a tag twice, in another case", K_RSA, GOOD "; bH=AAAA", RECORD, "", "", 0,
	"neutral", "a tag stands there twice"},
    {"From is not covered", K_RSA, GOOD, RECORD, "h=from:to", "h=to:to", 0,
	"neutral", "it does not cover the From field"},
    {"garbage", K_RSA, GOOD "; @", RECORD, "", "", 0, "neutral",
	"it is not a list of tags"},
    {"bytes of 8 bits", K_RSA, GOOD "; i=\xc3\xa9@example.com", RECORD, "", "",
	0, "neutral", "it has a byte that is not ASCII text"},
    {"b= of nothing", K_RSA, GOOD, RECORD, "; b=", "; b=A;zz=", 0, "neutral",
	"b= is not base64"},
};

/* %s: the key that signed; %o: that of RSA. */
static struct str
record_of(struct fixture *f, const char *format, enum key key)
{
	struct buf *b = buf_new(f->a, 1 << 13);
	for (; *format != '\0'; format++) {
		if (*format != '%') {
			buf_putc(b, *format);
			continue;
		}
		format++;
		buf_put(
		    b, key_public(f->a, f->keys[*format == 's' ? key : K_RSA]));
	}
	return buf_str(b);
}

static struct str
replaced(struct arena *a, struct str text, const char *from, const char *to)
{
	size_t at = *from == '\0' ? STR_NONE : str_find(text, str_from(from));
	if (at == STR_NONE) {
		assert_true(*from == '\0');
		return text;
	}
	return str_printf(a, "%.*s%s%.*s", STR_ARG(str_sub(text, 0, at)), to,
	    STR_ARG(str_skip(text, at + strlen(from))));
}

static void
zone_set(struct fixture *f, const char *record, enum key key)
{
	f->zone.n = 0;
	if (record == NULL)
		return;
	zone_add(
	    &f->zone, "sel._domainkey.example.com", record_of(f, record, key));
	f->zone.v[0].is_temp = strcmp(record, "TEMP") == 0;
}

static void
each_signature_gets_its_result(void **state)
{
	struct fixture *f = *state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct arena *a = arena_new();
		cache_free(f->cache);
		f->cache = cache_new(10, 1 << 20);
		zone_set(f, cases[i].record, cases[i].key);
		size_t length = cases[i].length;
		struct str field = sign(a, f->keys[cases[i].key], cases[i].tags,
		    STR(plain_mail),
		    length == 0          ? SIZE_MAX
		    : length == SIZE_MAX ? 0
					 : length);
		struct str raw =
		    str_printf(a, "%.*s%s", STR_ARG(field), plain_mail);
		raw = replaced(a, raw, cases[i].from, cases[i].to);
		struct dkim_signatures found;
		verify(f, a, raw, &found);
		assert_int_equal(found.n, 1);
		struct str got = dkim_result_name(found.v[0].result);
		if (!str_eq(got, str_from(cases[i].want)) ||
		    strcmp(found.v[0].why, cases[i].why) != 0)
			fail_msg("%s: got %.*s (%s)", cases[i].label,
			    STR_ARG(got), found.v[0].why);
		arena_free(a);
	}
}

static void
what_is_known_of_a_signature_is_told(void **state)
{
	struct fixture *f = *state;
	zone_set(f, "v=DKIM1; t=y; k=ed25519; p=%s", K_ED);
	struct str field = sign(f->a, f->keys[K_ED],
	    V "a=ed25519-sha256; c=relaxed/relaxed; d=Example.COM; s=Sel; "
	      "i=al=3Bice@News.example.com",
	    STR(plain_mail), SIZE_MAX);
	struct dkim_signatures found;
	verify(f, f->a, str_printf(f->a, "%.*s%s", STR_ARG(field), plain_mail),
	    &found);
	const struct dkim_signature *s = &found.v[0];
	assert_int_equal(s->result, DKIM_PASS);
	assert_str(s->domain, "example.com");
	assert_str(s->selector, "sel");
	assert_str(s->identity, "al;ice@News.example.com");
	assert_str(s->algorithm, "ed25519-sha256");
	assert_int_equal(s->key_bits, 256);
	assert_true(s->is_test && s->is_weak);
}

static void
unsigned_mail_has_no_signature(void **state)
{
	struct fixture *f = *state;
	static const char *const mails[] = {
	    "", "\n", "x", "From: a\n\nx", "X-DKIM-Signature: v=1\n\nx"};
	for (size_t i = 0; i < COUNT_OF(mails); i++) {
		struct dkim_signatures found;
		verify(f, f->a, str_from(mails[i]), &found);
		assert_int_equal(found.n + found.ignored, 0);
	}
}

/*
 * RFC 8463 Appendix A, with its keys: Ed25519 and RSA of 1024 bits over the
 * same mail.
 */
static const char rfc8463[] =
    "DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;\n"
    " d=football.example.com; i=@football.example.com;\n"
    " q=dns/txt; s=brisbane; t=1528637909; h=from : to :\n"
    " subject : date : message-id : from : subject : date;\n"
    " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\n"
    " b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus\n"
    " Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==\n"
    "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;\n"
    " d=football.example.com; i=@football.example.com;\n"
    " q=dns/txt; s=test; t=1528637909; h=from : to : subject :\n"
    " date : message-id : from : subject : date;\n"
    " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\n"
    " b=F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3\n"
    " DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2Jz\n"
    " dA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8=\n"
    "From: Joe SixPack <joe@football.example.com>\n"
    "To: Suzie Q <suzie@shopping.example.net>\n"
    "Subject: Is dinner ready?\n"
    "Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\n"
    "Message-ID: <20030712040037.46341.5F8J@football.example.com>\n"
    "\n"
    "Hi.\n"
    "\n"
    "We lost the game.  Are you hungry yet?\n"
    "\n"
    "Joe.\n";

static void
the_mail_of_rfc_8463_verifies(void **state)
{
	struct fixture *f = *state;
	zone_add(&f->zone, "brisbane._domainkey.football.example.com",
	    STR("v=DKIM1; k=ed25519; "
		"p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="));
	zone_add(&f->zone, "test._domainkey.football.example.com",
	    STR("v=DKIM1; k=rsa; "
		"p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6"
		"NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3Fu"
		"tACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZy"
		"VYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB"));
	struct dkim_signatures found;
	verify(f, f->a, STR(rfc8463), &found);
	assert_int_equal(found.n, 2);
	for (size_t i = 0; i < 2; i++) {
		assert_string_equal(found.v[i].why, "");
		assert_int_equal(found.v[i].result, DKIM_PASS);
	}
	assert_true(found.v[0].is_weak && !found.v[1].is_weak);
	assert_int_equal(found.v[1].key_bits, 1024);
}

/* ---- several, and hostile ones */

static void
one_bad_signature_does_not_stop_the_others(void **state)
{
	struct fixture *f = *state;
	struct arena *a = f->a;
	zone_set(f, RECORD, K_RSA);
	zone_add(&f->zone, "temp._domainkey.example.com", STR_EMPTY);
	f->zone.v[1].is_temp = true;
	struct str good =
	    sign(a, f->keys[K_RSA], GOOD, STR(plain_mail), SIZE_MAX);
	struct str temp = sign(a, f->keys[K_RSA],
	    V "a=rsa-sha256; " RELAXED "d=example.com; s=temp", STR(plain_mail),
	    SIZE_MAX);
	struct dkim_signatures found;
	verify(f, a,
	    str_printf(a,
		"DKIM-Signature: @@@\n%.*s"
		"DKIM-Signature:\n%.*s"
		"DKIM-Signature : v=1; a=rsa-sha256; d=none.example; s=x; "
		"h=from; bh=x; b=x\n%s",
		STR_ARG(temp), STR_ARG(good), plain_mail),
	    &found);
	static const char *const want[] = {
	    "neutral", "temperror", "neutral", "pass", "permerror"};
	assert_int_equal(found.n, COUNT_OF(want));
	for (size_t i = 0; i < COUNT_OF(want); i++)
		assert_str(dkim_result_name(found.v[i].result), want[i]);
}

static void
the_eleventh_signature_is_not_looked_at(void **state)
{
	struct fixture *f = *state;
	struct arena *a = f->a;
	zone_set(f, RECORD, K_RSA);
	struct buf *raw = buf_new(a, 1 << 16);
	struct str good =
	    sign(a, f->keys[K_RSA], GOOD, STR(plain_mail), SIZE_MAX);
	for (int i = 0; i < 12; i++)
		buf_put(raw, good);
	buf_put(raw, STR(plain_mail));
	struct dkim_signatures found;
	verify(f, a, buf_str(raw), &found);
	assert_int_equal(found.n, DKIM_SIGNATURES_MAX);
	assert_int_equal(found.ignored, 2);
	for (size_t i = 0; i < found.n; i++)
		assert_int_equal(found.v[i].result, DKIM_PASS);
}

/* With From, To and itself it names every field there is, and one more: the
 * library writes behind its list then, unless there is another field. */
static void
a_list_of_all_fields_and_one_more_does_no_harm(void **state)
{
	struct fixture *f = *state;
	struct arena *a = f->a;
	zone_set(f, RECORD, K_RSA);
	static const char mail[] = "From: a@example.com\nTo: b\n\nx\n";
	struct str field = sign(a, f->keys[K_RSA], GOOD, STR(mail), SIZE_MAX);
	field = replaced(a, field, "h=from:to",
	    "h=from:to:dkim-signature:to:from:dkim-signature:x");
	struct dkim_signatures found;
	verify(f, a, str_printf(a, "%.*s%s", STR_ARG(field), mail), &found);
	assert_int_equal(found.v[0].result, DKIM_FAIL);
}

/* A public key of that size; nobody could sign with it. */
static EVP_PKEY *
key_fake(unsigned bits)
{
	unsigned char n[1024], e[] = {1, 0, 1};
	memset(n, 0xff, sizeof(n));
	assert_true(bits / 8 <= sizeof(n));
	OSSL_PARAM params[] = {
	    OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_N, n, bits / 8),
	    OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_E, e, sizeof(e)),
	    OSSL_PARAM_construct_end()};
	EVP_PKEY *key = NULL;
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	assert_int_equal(EVP_PKEY_fromdata_init(ctx), 1);
	assert_int_equal(
	    EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params), 1);
	EVP_PKEY_CTX_free(ctx);
	return key;
}

static void
a_key_that_is_too_long_is_told(void **state)
{
	struct fixture *f = *state;
	f->keys[K_LONG] = key_fake(8192);
	zone_set(f, RECORD, K_LONG);
	struct str field =
	    sign(f->a, f->keys[K_RSA], GOOD, STR(plain_mail), SIZE_MAX);
	struct dkim_signatures found;
	verify(f, f->a, str_printf(f->a, "%.*s%s", STR_ARG(field), plain_mail),
	    &found);
	assert_int_equal(found.v[0].result, DKIM_PERMERROR);
	assert_string_equal(
	    found.v[0].why, "the published key is longer than can be checked");
	assert_int_equal(found.v[0].key_bits, 8192);
}

static void
a_header_that_is_out_of_bounds_is_not_checked(void **state)
{
	struct fixture *f = *state;
	struct arena *a = f->a;
	zone_set(f, RECORD, K_RSA);
	struct str good =
	    sign(a, f->keys[K_RSA], GOOD, STR(plain_mail), SIZE_MAX);
	struct buf *many = buf_new(a, 1 << 20), *big = buf_new(a, 4 << 20);
	buf_put(many, good);
	buf_put(big, good);
	for (int i = 0; i < 1100; i++)
		buf_put(many, STR("X: y\n"));
	buf_put(big, STR("X: "));
	while (big->len < (size_t)2 << 20)
		buf_put(big, STR("0123456789abcdef"));
	buf_putc(big, '\n');
	buf_put(many, STR(plain_mail));
	buf_put(big, STR(plain_mail));
	struct dkim_signatures found;
	verify(f, a, buf_str(many), &found);
	assert_string_equal(found.v[0].why, "the header is too large");
	verify(f, a, buf_str(big), &found);
	assert_string_equal(found.v[0].why, "the header is too large");
	struct buf *nul = buf_new(a, 1 << 16);
	buf_put(nul, good);
	buf_put(nul, STR("X: \0\n"));
	buf_put(nul, STR(plain_mail));
	verify(f, a, buf_str(nul), &found);
	assert_string_equal(found.v[0].why, "a header field has a NUL byte");
	assert_int_equal(found.v[0].result, DKIM_NEUTRAL);
}

static void
a_body_without_a_line_end_and_a_large_one_verify(void **state)
{
	struct fixture *f = *state;
	zone_set(f, RECORD, K_RSA);
	static const char *const tags[] = {
	    GOOD, V "a=rsa-sha256; c=simple/simple; " D};
	struct arena *a = f->a;
	struct buf *large = buf_new(a, 3 << 20);
	buf_put(large, STR("From: a\nTo: b\n\n"));
	for (unsigned i = 0; !large->is_cut; i++)
		buf_printf(
		    large, "%u \t %u%s", i, i * 7, i % 3 == 0 ? "\n\n\n" : " ");
	const struct str mails[] = {buf_str(large),
	    STR("From: a\nTo: b\n\nno end"), STR("From: a\nTo: b\n\n"),
	    STR("From: a\nTo: b\n\n\n\n"), STR("From: a\nTo: b"),
	    STR("From: a\nTo: b\n\n \t")};
	for (size_t i = 0; i < COUNT_OF(mails) * 2; i++) {
		struct str field = sign(
		    a, f->keys[K_RSA], tags[i % 2], mails[i / 2], SIZE_MAX);
		struct buf *raw = buf_new(a, 4 << 20);
		buf_put(raw, field);
		buf_put(raw, mails[i / 2]);
		struct dkim_signatures found;
		verify(f, a, buf_str(raw), &found);
		assert_string_equal(found.v[0].why, "");
	}
}

/* ---- threads */

struct work {
	struct fixture *f;
	struct str raw;
	unsigned wrong;
};

static void *
verify_often(void *arg)
{
	struct work *w = arg;
	for (int i = 0; i < 50; i++) {
		struct arena *a = arena_new();
		struct dkim_signatures found;
		verify(w->f, a, w->raw, &found);
		w->wrong += found.n != 2 || found.v[0].result != DKIM_PASS ||
			    found.v[1].result != DKIM_NEUTRAL;
		arena_free(a);
	}
	return NULL;
}

static void
threads_get_the_same_result(void **state)
{
	struct fixture *f = *state;
	zone_set(f, RECORD, K_RSA);
	struct str field =
	    sign(f->a, f->keys[K_RSA], GOOD, STR(plain_mail), SIZE_MAX);
	struct work work[THREADS];
	pthread_t v[THREADS];
	for (size_t i = 0; i < THREADS; i++) {
		work[i] = (struct work){f,
		    str_printf(f->a, "%.*sDKIM-Signature: x\n%s",
			STR_ARG(field), plain_mail),
		    0};
		assert_int_equal(
		    pthread_create(&v[i], NULL, verify_often, &work[i]), 0);
	}
	for (size_t i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(v[i], NULL), 0);
		assert_int_equal(work[i].wrong, 0);
	}
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
static const struct CMUnitTest tests[] = {
    CASE(each_signature_gets_its_result),
    CASE(what_is_known_of_a_signature_is_told),
    CASE(unsigned_mail_has_no_signature),
    CASE(the_mail_of_rfc_8463_verifies),
    CASE(one_bad_signature_does_not_stop_the_others),
    CASE(the_eleventh_signature_is_not_looked_at),
    CASE(a_list_of_all_fields_and_one_more_does_no_harm),
    CASE(a_key_that_is_too_long_is_told),
    CASE(a_header_that_is_out_of_bounds_is_not_checked),
    CASE(a_body_without_a_line_end_and_a_large_one_verify),
    CASE(threads_get_the_same_result),
};
UNIT_MAIN(tests)
