/* SPDX-License-Identifier: BSD-2-Clause */
/* trace -- the Received field that Postfix or Sendmail is about to add. */
#include "mail/trace.h"

#include <time.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/ip.h"

#define TRACE_BYTES 16384

/* Macro v is "Postfix 3.7.11", or Sendmail's bare "8.17.1.9". */
static bool
is_sendmail(const struct handover *h)
{
	return h->mta.len > 0 && char_is_digit(h->mta.p[0]);
}

/* Without its version. */
static struct str
mail_name(struct str mta)
{
	size_t blank = str_rchr(mta, ' ');
	if (blank == STR_NONE)
		return mta.len > 0 ? mta : STR("Postfix");
	return str_sub(mta, 0, blank);
}

/* What would make another field of it is shown as a question mark. */
static void
put_harmless(struct buf *b, struct str text)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.p[i];
		bool is_good =
		    c > ' ' && c <= '~' && strchr("<>()\\\";@", c) == NULL;
		buf_putc(b, is_good ? c : '?');
	}
}

/* A value that the MTA gives us: no line of its own. */
static void
put_line(struct buf *b, struct str text)
{
	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)text.p[i] >= ' ')
			buf_putc(b, text.p[i]);
}

static bool
is_named(struct str name)
{
	return name.len > 0 && name.p[0] != '[';
}

/* "name [192.0.2.1]", "unknown [IPv6:2001:db8::1]" */
static void
put_client(struct buf *b, const struct envelope *e)
{
	struct ip ip;
	bool is_v6 = ip_parse(e->client_addr, &ip) && ip.is_v6;
	put_harmless(
	    b, is_named(e->client_name) ? e->client_name : STR("unknown"));
	buf_put(b, is_v6 ? STR(" [IPv6:") : STR(" ["));
	put_line(b, e->client_addr);
	buf_putc(b, ']');
}

/* RFC 3848.  Whether a client said EHLO no MTA tells, and nearly all do. */
static void
put_protocol(struct buf *b, const struct envelope *e)
{
	const struct handover *h = e->handover;
	if (h->with.len > 0) {
		put_line(b, h->with);
		return;
	}
	buf_put(b, STR("ESMTP"));
	if (h->tls_version.len > 0)
		buf_putc(b, 'S');
	if (e->login.len > 0)
		buf_putc(b, 'A');
}

/* RFC 5322 section 3.3; Postfix adds the zone's name. */
static void
put_date(struct buf *b, int64_t time, bool is_postfix)
{
	time_t t = (time_t)time;
	struct tm tm;
	if (localtime_r(&t, &tm) == NULL)
		return;
	char text[80];
	size_t len;
	if (is_postfix)
		len = strftime(
		    text, sizeof(text), "%a, %e %b %Y %H:%M:%S %z (%Z)", &tm);
	else if (tm.tm_gmtoff == 0)
		len = strftime(
		    text, sizeof(text), "%a, %-d %b %Y %H:%M:%S GMT", &tm);
	else
		len = strftime(
		    text, sizeof(text), "%a, %-d %b %Y %H:%M:%S %z", &tm);
	buf_put(b, str_of(text, len));
}

static void
put_id(struct buf *b, const struct envelope *e)
{
	if (e->queue_id.len == 0)
		return;
	buf_put(b, STR(" id "));
	put_line(b, e->queue_id);
}

/* The recipient, if it is the only one. */
static bool
put_rcpt(struct buf *b, const struct envelope *e)
{
	if (e->rcpt.n != 1)
		return false;
	buf_put(b, STR("\n\tfor <"));
	put_line(b, e->rcpt.v[0]);
	buf_putc(b, '>');
	return true;
}

/* By pickup or bounce: nobody else has handed it over. */
static void
put_postfix_own(struct buf *b, const struct envelope *e)
{
	const struct handover *h = e->handover;
	buf_put(b, STR(" by "));
	put_line(b, h->by);
	buf_put(b, STR(" ("));
	put_line(b, mail_name(h->mta));
	/* which user it was no milter hears */
	if (e->from.len > 0)
		buf_put(b, STR(", from userid 0"));
	buf_putc(b, ')');
	buf_put(b, STR("\n\tid "));
	put_line(b, e->queue_id);
}

static void
put_postfix(struct buf *b, const struct envelope *e)
{
	const struct handover *h = e->handover;
	bool has_helo = e->helo.len > 0;
	buf_put(b, STR(" from "));
	put_harmless(b, has_helo                   ? e->helo
			: is_named(e->client_name) ? e->client_name
						   : STR("unknown"));
	buf_put(b, STR(" ("));
	put_client(b, e);
	buf_put(b, STR(")\n\tby "));
	put_line(b, h->by);
	buf_put(b, STR(" ("));
	put_line(b, mail_name(h->mta));
	buf_put(b, STR(") with "));
	put_protocol(b, e);
	put_id(b, e);
	(void)put_rcpt(b, e);
}

static void
put_cipher(struct buf *b, const struct handover *h)
{
	const struct {
		const char *key;
		struct str value;
	} rows[] = {{"(version=", h->tls_version}, {" cipher=", h->cipher},
	    {" bits=", h->cipher_bits}, {" verify=", h->verify}};
	if (h->tls_version.len == 0)
		return;
	buf_put(b, STR("\n\t"));
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		buf_put(b, str_from(rows[i].key));
		put_line(b, rows[i].value);
	}
	buf_putc(b, ')');
}

/* "HReceived: ..." of Debian's sendmail.cf; macro _ is the client. */
static void
put_sendmail(struct buf *b, const struct envelope *e)
{
	const struct handover *h = e->handover;
	buf_put(b, e->helo.len > 0 ? STR(" from ") : STR(" (from "));
	if (e->helo.len > 0) {
		put_harmless(b, e->helo);
		buf_put(b, STR(" ("));
	}
	if (h->client.len > 0)
		put_line(b, h->client);
	else
		put_client(b, e);
	buf_put(b, STR(")\n\t"));
	if (e->login.len > 0) {
		buf_put(b, STR("(authenticated"));
		if (h->auth_ssf.len > 0)
			buf_put(b, STR(" bits="));
		put_line(b, h->auth_ssf);
		buf_put(b, STR(")\n\t"));
	}
	buf_put(b, STR("by "));
	put_line(b, h->by);
	buf_put(b, STR(" ("));
	put_line(b, h->mta);
	if (h->config.len > 0)
		buf_putc(b, '/');
	put_line(b, h->config);
	buf_put(b, STR(") with "));
	put_protocol(b, e);
	put_id(b, e);
	put_cipher(b, h);
	if (!put_rcpt(b, e))
		buf_put(b, STR(";\n\t"));
}

struct str
trace_field(struct arena *a, const struct envelope *envelope)
{
	const struct handover *h = envelope->handover;
	if (h == NULL || h->by.len == 0 ||
	    (envelope->client_addr.len == 0 && !h->is_internal))
		return STR_EMPTY;
	struct buf *b = buf_new(a, TRACE_BYTES);
	bool is_postfix = !is_sendmail(h);
	if (!is_postfix)
		put_sendmail(b, envelope);
	else if (h->is_internal)
		put_postfix_own(b, envelope);
	else
		put_postfix(b, envelope);
	if (is_postfix || envelope->rcpt.n == 1)
		buf_put(b, STR("; "));
	put_date(b, h->time, is_postfix);
	buf_putc(b, '\n');
	return buf_str(b);
}
