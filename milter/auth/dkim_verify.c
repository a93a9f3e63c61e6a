/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dkim_verify -- the one file that names libopendkim.  It hashes and compares;
 * all that is text is read here first, and the library is given only what it
 * reads without harm:
 * - no signature field that we cannot read: it reads past the end of an i=
 *   that ends in "=", takes the last of two tags, and has asserts;
 * - no key record of a stranger, but one that we write;
 * - behind the last field one that no h= can name, without which it writes one
 *   pointer past its list when h= names all fields there are and one more.
 */
#include "auth/dkim_verify.h"

#include <opendkim/dkim.h>
#include <pthread.h>

#include "auth/dkim_canon.h"
#include "auth/dkim_crypto.h"
#include "auth/dkim_record.h"
#include "auth/dkim_tag.h"
#include "auth/org.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/log.h"

/* All bodies together: a quarter of a second. */
#define HASHED_BYTES_MAX ((size_t)64 << 20)
#define FIELDS_MAX 1000
#define HEADER_MAX ((size_t)1 << 20)     /* bytes, all fields */
#define SIGNATURE_MAX ((size_t)16 << 10) /* bytes of a field */
#define H_MAX 4000 /* bytes of h=; the library cuts it at 4095 */
#define H_NAMES_MAX 400
#define IDENTITY_MAX 256
#define TIME_MAX ((uint64_t)1000000000000000000)
#define DRIFT_S 300
#define RSA_BITS_MIN 1024 /* RFC 8301 section 3.2 */
#define KEY_TEXT_MAX 1024
#define BODY_CHUNK 16384

/* A blank inside: what h= lists has none. */
#define GUARD "postern guard: none"

/* One signature field on its way to a result. */
struct sig {
	struct dkim_signature *result;
	struct dkim_tags tags;
	bool is_read; /* the library may read it, too */
	bool is_live; /* its result is up to the library */
	bool has_length;
	uint64_t length;    /* l= */
	uint64_t made, end; /* t=, x= */
	enum dkim_canon body;
	const struct dkim_key_record *record;
	struct str key_text; /* for the library */
	DKIM_SIGINFO *info;  /* the library's; NULL: none */
};

struct check {
	struct arena *arena; /* of this call */
	const struct dkim_mail *mail;
	struct sig v[DKIM_SIGNATURES_MAX];
	size_t n;
	size_t fed[DKIM_SIGNATURES_MAX]; /* in the library's order */
	size_t nfed;
	bool has_unfed; /* a signature field that the library does not see */
};

struct str
dkim_result_name(enum dkim_result result)
{
	static const char *const names[] = {
	    [DKIM_NONE] = "none",
	    [DKIM_PASS] = "pass",
	    [DKIM_FAIL] = "fail",
	    [DKIM_POLICY] = "policy",
	    [DKIM_NEUTRAL] = "neutral",
	    [DKIM_TEMPERROR] = "temperror",
	    [DKIM_PERMERROR] = "permerror",
	};
	return str_from(names[result]);
}

static void
settle(struct sig *s, enum dkim_result result, const char *why)
{
	s->result->result = result;
	s->result->why = why;
	s->is_live = false;
}

/* ---- reading a signature field; each check says what is wrong, or NULL */

static const char *
check_required(const struct dkim_tags *tags)
{
	static const char *const required[] = {
	    "v", "a", "b", "bh", "d", "h", "s"};
	for (size_t i = 0; i < COUNT_OF(required); i++)
		if (dkim_tags_get(tags, required[i]).len == 0)
			return "one of v= a= b= bh= d= h= s= is missing";
	if (!str_eq(dkim_tags_get(tags, "v"), STR("1")))
		return "it is of another version of DKIM";
	if (dkim_tags_have(tags, "q") &&
	    !dkim_list_has(dkim_tags_get(tags, "q"), "dns/txt"))
		return "its key is not in the DNS (q=)";
	return NULL;
}

static const char *
check_algorithm(struct sig *s)
{
	static const char *const known[] = {
	    "rsa-sha256", "ed25519-sha256", "rsa-sha1"};
	struct str name = dkim_tags_get(&s->tags, "a");
	for (size_t i = 0; i < COUNT_OF(known); i++)
		if (str_ieq(name, str_from(known[i]))) {
			s->result->algorithm = str_from(known[i]);
			s->result->is_weak =
			    str_starts(s->result->algorithm, STR("ed25519"));
			return NULL;
		}
	return "its algorithm is not known (a=)";
}

static bool
canon_read(struct str word, enum dkim_canon *ret)
{
	if (str_ieq(word, STR("relaxed")))
		*ret = DKIM_RELAXED;
	else if (str_ieq(word, STR("simple")))
		*ret = DKIM_SIMPLE;
	else
		return false;
	return true;
}

static const char *
check_canon(struct sig *s)
{
	struct str rest = dkim_tags_get(&s->tags, "c");
	enum dkim_canon header;
	s->body = DKIM_SIMPLE;
	if (!dkim_tags_have(&s->tags, "c"))
		return NULL;
	bool has_body = str_chr(rest, '/') != STR_NONE;
	struct str first = str_cut(&rest, '/');
	if (!canon_read(first, &header) ||
	    (has_body && !canon_read(rest, &s->body)))
		return "its canonicalization is not known (c=)";
	return NULL;
}

static const char *
check_names(struct check *c, struct sig *s)
{
	struct str domain =
	    domain_normal(c->arena, dkim_tags_get(&s->tags, "d"));
	struct str selector =
	    domain_normal(c->arena, dkim_tags_get(&s->tags, "s"));
	if (domain.len == 0 || selector.len == 0 ||
	    str_ends(dkim_tags_get(&s->tags, "d"), STR(".")) ||
	    str_ends(dkim_tags_get(&s->tags, "s"), STR(".")))
		return "d= or s= is no name in the DNS";
	s->result->domain = domain;
	s->result->selector = selector;
	return NULL;
}

/* dkim-quoted-printable (section 2.11); false: it is none. */
static bool
unquoted(struct arena *a, struct str text, struct str *ret)
{
	char *p = arena_alloc(a, text.len);
	size_t len = 0;
	for (size_t i = 0; i < text.len; i++) {
		if (text.p[i] != '=') {
			p[len++] = text.p[i];
			continue;
		}
		int high = i + 1 < text.len ? char_hex(text.p[i + 1]) : -1;
		int low = i + 2 < text.len ? char_hex(text.p[i + 2]) : -1;
		if (high < 0 || low < 0)
			return false;
		p[len++] = (char)(high * 16 + low);
		i += 2;
	}
	*ret = str_of(p, len);
	return true;
}

static const char *
check_identity(struct check *c, struct sig *s)
{
	struct arena *a = c->arena;
	struct str domain = s->result->domain;
	if (!dkim_tags_have(&s->tags, "i")) {
		s->result->identity = str_printf(a, "@%.*s", STR_ARG(domain));
		return NULL;
	}
	struct str text;
	if (!unquoted(a, dkim_tags_get(&s->tags, "i"), &text) ||
	    text.len > IDENTITY_MAX || str_chr(text, '@') == STR_NONE)
		return "i= is no address";
	struct str within =
	    domain_normal(a, str_skip(text, str_rchr(text, '@') + 1));
	if (within.len == 0 || !domain_is_under(within, domain))
		return "i= is not within d=";
	s->result->identity = text;
	return NULL;
}

static const char *
check_header_list(const struct sig *s)
{
	struct str list = dkim_tags_get(&s->tags, "h");
	if (!dkim_list_has(list, "from"))
		return "it does not cover the From field";
	size_t names = 1;
	for (size_t i = 0; i < list.len; i++)
		names += list.p[i] == ':';
	if (list.len > H_MAX || names > H_NAMES_MAX)
		return "it covers too many fields";
	return NULL;
}

static const char *
check_length(struct sig *s)
{
	s->has_length = dkim_tags_have(&s->tags, "l");
	if (s->has_length &&
	    !str_u64(dkim_tags_get(&s->tags, "l"), TIME_MAX, &s->length))
		return "l= is no length";
	return NULL;
}

/* `*ret` stays as it is without the tag. */
static bool
time_read(const struct dkim_tags *tags, const char *name, uint64_t *ret)
{
	return !dkim_tags_have(tags, name) ||
	       str_u64(dkim_tags_get(tags, name), TIME_MAX, ret);
}

/* t= and x= (section 3.5). */
static const char *
check_times(struct sig *s)
{
	s->made = DRIFT_S;
	s->end = TIME_MAX;
	if (!time_read(&s->tags, "t", &s->made) ||
	    !time_read(&s->tags, "x", &s->end) ||
	    /* The library takes a time before its drift for the future. */
	    s->made < DRIFT_S)
		return "t= or x= is no time";
	return s->end > s->made ? NULL : "it expires before it was made (x=)";
}

static const char *
check_text(struct check *c, struct sig *s, struct str value)
{
	if (value.len > SIGNATURE_MAX)
		return "it is too long";
	const char *why = dkim_tags_read(c->arena, value, &s->tags);
	if (why == NULL)
		why = check_required(&s->tags);
	if (why == NULL)
		why = check_names(c, s);
	if (why == NULL)
		why = check_algorithm(s);
	if (why == NULL)
		why = check_canon(s);
	if (why == NULL)
		why = check_identity(c, s);
	if (why == NULL)
		why = check_header_list(s);
	if (why == NULL)
		why = check_length(s);
	return why == NULL ? check_times(s) : why;
}

static void
sig_read(struct check *c, struct sig *s, const struct dkim_field *field,
    int64_t now_wall)
{
	struct str value = field->text;
	(void)str_cut(&value, ':');
	const char *why = check_text(c, s, value);
	if (why != NULL) {
		settle(s, DKIM_NEUTRAL, why);
		return;
	}
	s->is_read = s->is_live = true;
	uint64_t now = now_wall < 0 ? 0 : (uint64_t)now_wall;
	if (s->made > now + DRIFT_S)
		settle(s, DKIM_FAIL, "it was made in the future (t=)");
	else if (s->end < now)
		settle(s, DKIM_FAIL, "it has expired (x=)");
}

/* ---- the mail as a whole */

static bool
is_signature(const struct dkim_field *field)
{
	return str_ieq(field->name, STR("DKIM-Signature"));
}

/* Why no signature of this mail is checked; NULL: they are. */
static const char *
mail_is_odd(const struct dkim_mail *mail)
{
	size_t bytes = 0;
	for (size_t i = 0; i < mail->n; i++) {
		bytes += mail->v[i].text.len;
		if (memchr(mail->v[i].text.p, '\0', mail->v[i].text.len))
			return "a header field has a NUL byte";
	}
	return mail->n > FIELDS_MAX || bytes > HEADER_MAX
		   ? "the header is too large"
		   : NULL;
}

static void
signatures_read(struct check *c, int64_t now_wall, struct dkim_signatures *ret)
{
	const char *odd = mail_is_odd(c->mail);
	for (size_t i = 0; i < c->mail->n; i++) {
		if (!is_signature(&c->mail->v[i]))
			continue;
		if (c->n == DKIM_SIGNATURES_MAX) {
			ret->ignored++;
			continue;
		}
		struct sig *s = &c->v[c->n];
		s->result = &ret->v[c->n++];
		*s->result = (struct dkim_signature){.result = DKIM_NEUTRAL,
		    .domain = STR_EMPTY,
		    .selector = STR_EMPTY,
		    .identity = STR_EMPTY,
		    .algorithm = STR_EMPTY,
		    .why = ""};
		if (odd != NULL)
			settle(s, DKIM_NEUTRAL, odd);
		else
			sig_read(c, s, &c->mail->v[i], now_wall);
	}
	ret->n = c->n;
}

/* ---- keys */

static bool
is_key_of(const struct dkim_key_record *record, struct str algorithm)
{
	return str_starts(algorithm, record->type) &&
	       algorithm.p[record->type.len] == '-';
}

/* What the library's buffer takes; its defaults say the rest. */
static struct str
key_text(struct arena *a, const struct dkim_key_record *record)
{
	return str_printf(a, "k=%.*s;p=%.*s", STR_ARG(record->type),
	    STR_ARG(dkim_base64(a, record->key)));
}

static void
key_use(struct check *c, struct sig *s)
{
	const struct dkim_key_record *record = s->record;
	s->result->key_bits = record->bits;
	s->result->is_test = record->is_test;
	s->key_text = key_text(c->arena, record);
	if (!is_key_of(record, s->result->algorithm))
		settle(
		    s, DKIM_PERMERROR, "the published key is of another type");
	else if (!record->allows_sha256)
		settle(s, DKIM_PERMERROR,
		    "the published key is not for SHA-256 (h=)");
	else if (!record->allows_email)
		settle(s, DKIM_PERMERROR,
		    "the published key is not for mail (s=)");
	else if (s->key_text.len > KEY_TEXT_MAX)
		settle(s, DKIM_PERMERROR,
		    "the published key is longer than can be checked");
}

static void
key_get(struct check *c, struct sig *s, struct resolver *r, struct cache *cache,
    struct dns_budget *budget)
{
	s->record = dkim_key_record_get(
	    c->arena, r, cache, s->result->selector, s->result->domain, budget);
	switch (s->record->status) {
	case DKIM_KEY_OK:
		key_use(c, s);
		break;
	case DKIM_KEY_NONE:
	case DKIM_KEY_REVOKED:
	case DKIM_KEY_BROKEN:
		settle(s, DKIM_PERMERROR, s->record->why);
		break;
	case DKIM_KEY_TEMP:
		settle(s, DKIM_TEMPERROR, s->record->why);
		break;
	}
}

/* All names are asked for before the first answer is waited for. */
static void
keys_get(struct check *c, struct resolver *r, struct cache *cache,
    struct dns_budget *budget)
{
	bool is_first = true;
	for (size_t i = 0; i < c->n; i++) {
		const struct dkim_signature *s = c->v[i].result;
		if (!c->v[i].is_live)
			continue;
		if (!is_first)
			resolver_prefetch(r,
			    str_printf(c->arena, "%.*s._domainkey.%.*s",
				STR_ARG(s->selector), STR_ARG(s->domain)),
			    DNS_TXT);
		is_first = false;
	}
	for (size_t i = 0; i < c->n; i++)
		if (c->v[i].is_live)
			key_get(c, &c->v[i], r, cache, budget);
}

/* ---- the library */

static DKIM_LIB *library;

static struct sig *
sig_of(struct check *c, const DKIM_SIGINFO *info)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->v[i].info == info)
			return &c->v[i];
	return NULL;
}

static DKIM_CBSTAT
give_key(DKIM *dkim, DKIM_SIGINFO *info, u_char *buf, size_t size)
{
	const struct sig *s = sig_of(dkim_get_user_context(dkim), info);
	if (s == NULL || s->key_text.len >= size)
		return DKIM_CBSTAT_NOTFOUND;
	memcpy(buf, s->key_text.p, s->key_text.len);
	buf[s->key_text.len] = '\0';
	return DKIM_CBSTAT_CONTINUE;
}

/* Join its signatures with ours, which have the same order. */
static DKIM_CBSTAT
choose(DKIM *dkim, DKIM_SIGINFO **infos, int n)
{
	struct check *c = dkim_get_user_context(dkim);
	bool is_same = n >= 0 && (size_t)n == c->nfed;
	for (int i = 0; i < n; i++) {
		struct sig *s = is_same ? &c->v[c->fed[i]] : NULL;
		if (s != NULL && s->is_live)
			s->info = infos[i];
		else
			dkim_sig_ignore(infos[i]);
	}
	return DKIM_CBSTAT_CONTINUE;
}

static void
library_start(void)
{
	library = dkim_init(NULL, NULL);
	if (library == NULL)
		log_fatal("libopendkim does not start");
	/* A From that it cannot read is no reason to check nothing. */
	u_int flags = DKIM_LIBFLAGS_BADSIGHANDLES;
	u_int bits = 0; /* judged here */
	(void)dkim_options(
	    library, DKIM_OP_SETOPT, DKIM_OPTS_FLAGS, &flags, sizeof(flags));
	(void)dkim_options(
	    library, DKIM_OP_SETOPT, DKIM_OPTS_MINKEYBITS, &bits, sizeof(bits));
	(void)dkim_set_key_lookup(library, give_key);
	(void)dkim_set_prescreen(library, choose);
}

static void
handle_free(void *arg)
{
	(void)dkim_free(arg);
}

static DKIM *
handle_new(struct check *c)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	(void)pthread_once(&once, library_start);
	DKIM_STAT status;
	DKIM *dkim =
	    dkim_verify(library, (const u_char *)"postern", NULL, &status);
	if (dkim == NULL)
		log_fatal("out of memory (libopendkim)");
	arena_on_release(c->arena, handle_free, dkim);
	(void)dkim_set_user_context(dkim, c);
	return dkim;
}

/* With CRLF in folds. */
static struct str
wire_text(struct arena *a, struct str text)
{
	if (str_chr(text, '\n') == STR_NONE)
		return text;
	char *p = arena_alloc(a, text.len * 2);
	size_t len = 0;
	for (size_t i = 0; i < text.len; i++) {
		if (text.p[i] == '\n')
			p[len++] = '\r';
		p[len++] = text.p[i];
	}
	return str_of(p, len);
}

static void
give_field(struct check *c, DKIM *dkim, struct str text)
{
	text = wire_text(c->arena, text);
	(void)dkim_header(dkim, (u_char *)(uintptr_t)text.p, text.len);
}

static void
give_header(struct check *c, DKIM *dkim)
{
	size_t seen = 0;
	for (size_t i = 0; i < c->mail->n; i++) {
		if (is_signature(&c->mail->v[i])) {
			size_t at = seen++;
			if (at >= c->n || !c->v[at].is_read) {
				c->has_unfed = true;
				continue;
			}
			c->fed[c->nfed++] = at;
		}
		give_field(c, dkim, c->mail->v[i].text);
	}
	give_field(c, dkim, STR(GUARD));
}

struct chunk {
	DKIM *dkim;
	size_t n;
	u_char bytes[BODY_CHUNK];
};

static void
chunk_flush(struct chunk *chunk)
{
	if (chunk->n > 0)
		(void)dkim_body(chunk->dkim, chunk->bytes, chunk->n);
	chunk->n = 0;
}

static void
chunk_put(struct chunk *chunk, struct str s)
{
	while (s.len > 0) {
		if (chunk->n == BODY_CHUNK)
			chunk_flush(chunk);
		struct str piece = str_sub(s, 0, BODY_CHUNK - chunk->n);
		memcpy(chunk->bytes + chunk->n, piece.p, piece.len);
		chunk->n += piece.len;
		s = str_skip(s, piece.len);
	}
}

/* The library refuses a body whose last line does not end. */
static void
give_body(DKIM *dkim, struct str body)
{
	struct chunk chunk;
	chunk.dkim = dkim;
	chunk.n = 0;
	while (body.len > 0) {
		chunk_put(&chunk, str_line(&body));
		chunk_put(&chunk, STR("\r\n"));
	}
	chunk_flush(&chunk);
}

/* ---- what came out */

static void
no_sink(void *arg, struct str bytes)
{
	(void)arg;
	(void)bytes;
}

/* It verifies; is it good enough? */
static void
judge(struct check *c, struct sig *s)
{
	const struct dkim_signature *result = s->result;
	struct str identity = result->identity;
	struct str within = str_skip(identity, str_rchr(identity, '@') + 1);
	if (str_eq(result->algorithm, STR("rsa-sha1")))
		settle(s, DKIM_POLICY, "SHA-1 is not safe (RFC 8301)");
	else if (!result->is_weak && result->key_bits < RSA_BITS_MIN)
		settle(s, DKIM_POLICY, "the key is too short (RFC 8301)");
	else if (s->record->is_strict && !str_ieq(within, result->domain))
		settle(s, DKIM_POLICY, "the key is not for subdomains (t=s)");
	else if (s->has_length && dkim_canon_body(s->body, c->mail->body,
				      no_sink, NULL) > s->length)
		settle(s, DKIM_POLICY, "there is text behind what l= covers");
	else
		settle(s, DKIM_PASS, "");
}

static const struct {
	DKIM_SIGERROR error;
	enum dkim_result result;
	const char *why;
} errors[] = {
    {DKIM_SIGERROR_TOOLARGE_L, DKIM_FAIL, "the body is shorter than l= says"},
    {DKIM_SIGERROR_BADSIG, DKIM_FAIL, "the header has changed after signing"},
    {DKIM_SIGERROR_EXPIRED, DKIM_FAIL, "it has expired (x=)"},
    {DKIM_SIGERROR_FUTURE, DKIM_FAIL, "it was made in the future (t=)"},
    {DKIM_SIGERROR_KEYDECODE, DKIM_PERMERROR,
	"the published key cannot be decoded"},
    {DKIM_SIGERROR_CORRUPT_B, DKIM_NEUTRAL, "b= is not base64"},
};

static void
settle_error(struct sig *s, DKIM_SIGERROR error)
{
	for (size_t i = 0; i < COUNT_OF(errors); i++)
		if (errors[i].error == error) {
			settle(s, errors[i].result, errors[i].why);
			return;
		}
	settle(s, DKIM_NEUTRAL, "it cannot be checked");
}

static void
settle_live(struct check *c, struct sig *s)
{
	if (s->info == NULL) {
		settle(s, DKIM_NEUTRAL, "it cannot be checked");
		return;
	}
	DKIM_SIGERROR error = dkim_sig_geterror(s->info);
	int body = dkim_sig_getbh(s->info);
	bool is_header_fine =
	    (dkim_sig_getflags(s->info) & DKIM_SIGFLAG_PASSED) != 0;
	if (is_header_fine && body == DKIM_SIGBH_MATCH &&
	    error == DKIM_SIGERROR_OK)
		judge(c, s);
	else if (is_header_fine && body == DKIM_SIGBH_MISMATCH)
		settle(s, DKIM_FAIL, "the body has changed after signing");
	else if (error == DKIM_SIGERROR_BADSIG && c->has_unfed &&
		 dkim_list_has(dkim_tags_get(&s->tags, "h"), "dkim-signature"))
		settle(s, DKIM_NEUTRAL,
		    "it covers a signature that cannot be read");
	else
		settle_error(s, error);
}

static void
library_run(struct check *c)
{
	DKIM *dkim = handle_new(c);
	give_header(c, dkim);
	if (dkim_eoh(dkim) == DKIM_STAT_OK) {
		give_body(dkim, c->mail->body);
		(void)dkim_eom(dkim, NULL);
	}
	for (size_t i = 0; i < c->n; i++)
		if (c->v[i].is_live)
			settle_live(c, &c->v[i]);
}

/* A large body is hashed for few signatures: the first ones. */
static void
work_bound(struct check *c)
{
	size_t left = HASHED_BYTES_MAX;
	bool is_first = true;
	for (size_t i = 0; i < c->n; i++) {
		if (!c->v[i].is_live)
			continue;
		if (!is_first && c->mail->body.len > left)
			settle(&c->v[i], DKIM_PERMERROR,
			    "the mail is too large for so many signatures");
		left -= c->mail->body.len < left ? c->mail->body.len : left;
		is_first = false;
	}
}

static bool
has_live(const struct check *c)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->v[i].is_live)
			return true;
	return false;
}

/* Texts of the result outlive the call. */
static void
texts_keep(struct arena *a, struct dkim_signatures *ret)
{
	for (size_t i = 0; i < ret->n; i++) {
		struct dkim_signature *s = &ret->v[i];
		s->domain = str_dup(a, s->domain);
		s->selector = str_dup(a, s->selector);
		s->identity = str_dup(a, s->identity);
	}
}

void
dkim_verify_mail(struct arena *a, struct resolver *r, struct cache *cache,
    const struct dkim_mail *mail, int64_t now_wall, struct dns_budget *budget,
    struct dkim_signatures *ret)
{
	struct check c = {.arena = arena_new(), .mail = mail};
	*ret = (struct dkim_signatures){.n = 0};
	signatures_read(&c, now_wall, ret);
	keys_get(&c, r, cache, budget);
	work_bound(&c);
	if (has_live(&c))
		library_run(&c);
	texts_keep(a, ret);
	arena_free(c.arena);
}
