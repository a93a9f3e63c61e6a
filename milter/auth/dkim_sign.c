/* SPDX-License-Identifier: BSD-2-Clause */
/* dkim_sign -- one signature: what is signed, its hash, and the field. */
#include "auth/dkim_sign.h"

#include <inttypes.h>

#include "base/arena.h"
#include "base/buf.h"

#define NAME "DKIM-Signature"
#define COLUMNS_MAX 76
#define TAB_COLUMNS 8
#define NAMES_MAX 4000 /* bytes of h=; libopendkim verifies up to 4095 */
#define VALUE_MAX ((size_t)64 << 10)

/* ---- the value, folded */

struct value {
	struct buf *text;
	size_t column;
};

static void
value_fold(struct value *v)
{
	buf_put(v->text, STR("\n\t"));
	v->column = TAB_COLUMNS;
}

/* `piece` on this line if there is room, with a blank if it begins a tag. */
static void
value_put(struct value *v, struct str piece, bool is_tag)
{
	if (v->column + is_tag + piece.len > COLUMNS_MAX)
		value_fold(v);
	else if (is_tag) {
		buf_putc(v->text, ' ');
		v->column++;
	}
	buf_put(v->text, piece);
	v->column += piece.len;
}

/* Base64 may be folded anywhere. */
static void
value_put_base64(struct value *v, struct str text)
{
	while (text.len > 0) {
		if (v->column >= COLUMNS_MAX)
			value_fold(v);
		struct str piece = str_sub(text, 0, COLUMNS_MAX - v->column);
		buf_put(v->text, piece);
		v->column += piece.len;
		text = str_skip(text, piece.len);
	}
}

/* dkim-quoted-printable (RFC 6376 section 2.11). */
static struct str
quoted(struct arena *a, struct str text)
{
	struct buf *b = buf_new(a, text.len * 3);
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.p[i];
		if (c <= ' ' || c >= 0x7f || c == ';' || c == '=')
			buf_printf(b, "=%02X", c);
		else
			buf_putc(b, (char)c);
	}
	return buf_str(b);
}

/* ---- which fields */

/* Names as h= lists them, and how often each one is there to be hashed. */
struct selection {
	struct str *names;
	size_t *present;
	size_t *listed;
	size_t n;
	size_t total; /* names in h= */
	size_t bytes; /* of them */
};

static size_t
fields_count(const struct dkim_mail *mail, struct str name)
{
	size_t n = 0;
	for (size_t i = 0; i < mail->n; i++)
		n += str_ieq(mail->v[i].name, name);
	return n;
}

/* No field of that name may be written otherwise by the MTA. */
static bool
is_sure(const struct dkim_mail *mail, struct str name)
{
	if (str_ieq(name, STR("From")))
		return true;
	for (size_t i = 0; i < mail->n; i++)
		if (mail->v[i].is_unsure && str_ieq(mail->v[i].name, name))
			return false;
	return true;
}

static void
select_name(struct selection *s, const struct dkim_mail *mail, struct str name,
    bool is_over)
{
	for (size_t i = 0; i < s->n; i++)
		if (str_ieq(s->names[i], name))
			return;
	size_t present = fields_count(mail, name);
	if (present + is_over == 0 || !is_sure(mail, name))
		return;
	s->names[s->n] = name;
	s->present[s->n] = present;
	s->listed[s->n] = present + is_over;
	s->total += present + is_over;
	s->bytes += (present + is_over) * (name.len + 1);
	s->n++;
}

static void
select_fields(struct arena *a, const struct dkim_mail *mail,
    const struct dkim_sign_options *options, struct selection *ret)
{
	size_t max = options->fields->n + options->oversign->n + 1;
	*ret = (struct selection){.names = ARENA_ARRAY(a, struct str, max),
	    .present = ARENA_ARRAY(a, size_t, max),
	    .listed = ARENA_ARRAY(a, size_t, max)};
	for (size_t i = 0; i < options->fields->n; i++) {
		struct str name = options->fields->v[i];
		select_name(
		    ret, mail, name, strs_ihas(options->oversign, name));
	}
	for (size_t i = 0; i < options->oversign->n; i++)
		select_name(ret, mail, options->oversign->v[i], true);
	/* Section 5.4. */
	select_name(ret, mail, STR("From"), false);
}

/* ---- hashes */

static void
hash_sink(void *arg, struct str bytes)
{
	dkim_hasher_add(arg, bytes);
}

static struct str
body_hash(struct arena *a, const struct dkim_mail *mail, enum dkim_canon how)
{
	struct dkim_hasher *hasher = dkim_hasher_begin();
	(void)dkim_canon_body(how, mail->body, hash_sink, hasher);
	struct dkim_hash hash;
	dkim_hasher_end(hasher, &hash);
	return dkim_base64(
	    a, str_of((const char *)hash.bytes, sizeof(hash.bytes)));
}

/* Of several fields of a name the last one comes first (section 5.4.2). */
static void
hash_name(struct dkim_hasher *hasher, const struct dkim_mail *mail,
    struct str name, enum dkim_canon how)
{
	for (size_t i = mail->n; i > 0; i--) {
		if (!str_ieq(mail->v[i - 1].name, name))
			continue;
		dkim_canon_field(how, &mail->v[i - 1], hash_sink, hasher);
		dkim_hasher_add(hasher, STR("\r\n"));
	}
}

static void
header_hash(struct arena *a, const struct dkim_mail *mail,
    const struct selection *s, enum dkim_canon how, struct str value,
    struct dkim_hash *ret)
{
	struct dkim_hasher *hasher = dkim_hasher_begin();
	for (size_t i = 0; i < s->n; i++)
		if (s->present[i] > 0)
			hash_name(hasher, mail, s->names[i], how);
	struct dkim_field own = {.name = STR(NAME),
	    .text = str_printf(a, NAME ": %.*s", STR_ARG(value))};
	dkim_canon_field(how, &own, hash_sink, hasher);
	dkim_hasher_end(hasher, ret);
}

/* ---- the field */

static const char *
canon_word(enum dkim_canon how)
{
	return how == DKIM_SIMPLE ? "simple" : "relaxed";
}

static void
put_tag(struct arena *a, struct value *v, const char *name, struct str text)
{
	value_put(v, str_printf(a, "%s=%.*s;", name, STR_ARG(text)), true);
}

static void
put_names(struct arena *a, struct value *v, const struct selection *s)
{
	size_t left = s->total;
	for (size_t i = 0; i < s->n; i++)
		for (size_t k = 0; k < s->listed[i]; k++) {
			bool is_first = left == s->total;
			left--;
			value_put(v,
			    str_printf(a, "%s%.*s%s", is_first ? "h=" : "",
				STR_ARG(s->names[i]), left == 0 ? ";" : ":"),
			    is_first);
		}
}

static void
put_tags(struct arena *a, struct value *v, const struct dkim_signer *signer,
    const struct dkim_sign_options *options)
{
	value_put(v, STR("v=1;"), false);
	put_tag(a, v, "a",
	    dkim_key_is_ed25519(signer->key) ? STR("ed25519-sha256")
					     : STR("rsa-sha256"));
	put_tag(a, v, "c",
	    str_printf(a, "%s/%s", canon_word(options->header),
		canon_word(options->body)));
	put_tag(a, v, "d", signer->domain);
	put_tag(a, v, "s", signer->selector);
	if (signer->identity.len > 0)
		put_tag(a, v, "i", quoted(a, signer->identity));
	put_tag(a, v, "t", str_printf(a, "%" PRId64, options->now_wall));
	if (options->valid_s > 0)
		put_tag(a, v, "x",
		    str_printf(
			a, "%" PRId64, options->now_wall + options->valid_s));
}

static bool
is_dns_ascii(struct str name)
{
	for (size_t i = 0; i < name.len; i++)
		if (!char_is_word(name.p[i]) && name.p[i] != '-' &&
		    name.p[i] != '.')
			return false;
	return name.len > 0;
}

static const char *
why_not(const struct dkim_signer *signer, const struct dkim_mail *mail,
    const struct selection *s)
{
	if (fields_count(mail, STR("From")) == 0)
		return "there is no From field";
	if (s->bytes > NAMES_MAX)
		return "there are too many fields to sign";
	if (!is_dns_ascii(signer->domain) || !is_dns_ascii(signer->selector))
		return "d= and s= must be ASCII";
	return NULL;
}

bool
dkim_sign_mail(struct arena *a, const struct dkim_signer *signer,
    const struct dkim_mail *mail, const struct dkim_sign_options *options,
    struct str *ret, const char **ret_why)
{
	struct selection s;
	select_fields(a, mail, options, &s);
	*ret_why = why_not(signer, mail, &s);
	if (*ret_why != NULL)
		return false;
	struct value v = {buf_new(a, VALUE_MAX), sizeof(NAME ": ") - 1};
	put_tags(a, &v, signer, options);
	put_names(a, &v, &s);
	put_tag(a, &v, "bh", body_hash(a, mail, options->body));
	value_put(&v, STR("b="), true);
	struct dkim_hash hash;
	header_hash(a, mail, &s, options->header, buf_str(v.text), &hash);
	struct str signature;
	if (!dkim_private_sign(
		a, dkim_key_private(signer->key), &hash, &signature)) {
		*ret_why = "libcrypto cannot sign";
		return false;
	}
	value_put_base64(&v, dkim_base64(a, signature));
	*ret = buf_str(v.text);
	return true;
}
