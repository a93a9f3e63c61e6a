/* SPDX-License-Identifier: BSD-2-Clause */
/* org -- names of domains, and whom they belong to by the public suffix list.
 */
#include "auth/org.h"

#include <libpsl.h>
#include <pthread.h>

#include "base/arena.h"
#include "mail/idn.h"

/* RFC 1035 section 2.3.4, without the root. */
#define LABEL_BYTES 63
#define DOMAIN_BYTES 253
/* More than any name has in UTF-8; what is longer is not worth converting. */
#define INPUT_BYTES 1024

/* The newer of the list that came with libpsl and that of the system; for the
 * life of the process.  Reading it needs no lock. */
static const psl_ctx_t *suffixes;
static pthread_once_t suffixes_once = PTHREAD_ONCE_INIT;

static void
suffixes_load(void)
{
	suffixes = psl_latest(NULL);
	if (suffixes == NULL)
		suffixes = psl_builtin();
}

/* Nothing that the conversion could cut at or drop. */
static bool
is_plain_text(struct str s, bool *ret_is_ascii)
{
	*ret_is_ascii = true;
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (c <= ' ' || c == 0x7f)
			return false;
		if (c >= 0x80)
			*ret_is_ascii = false;
	}
	return true;
}

static bool
is_domain(struct str s)
{
	if (s.len == 0 || s.len > DOMAIN_BYTES)
		return false;
	size_t label = 0;
	for (size_t i = 0; i < s.len; i++) {
		if (s.p[i] == '.') {
			if (label == 0)
				return false;
			label = 0;
			continue;
		}
		if ((!char_is_word(s.p[i]) && s.p[i] != '-') ||
		    ++label > LABEL_BYTES)
			return false;
	}
	return label > 0;
}

struct str
domain_normal(struct arena *a, struct str domain)
{
	bool is_ascii;
	if (domain.len > INPUT_BYTES || !is_plain_text(domain, &is_ascii))
		return STR_EMPTY;
	struct str name =
	    is_ascii ? str_lower(a, domain) : idn_to_ascii(a, domain);
	/* U+3002 as the final dot is one only after the conversion. */
	if (str_ends(name, STR(".")))
		name.len--;
	return is_domain(name) ? name : STR_EMPTY;
}

struct str
domain_registrable(struct arena *a, struct str domain)
{
	(void)pthread_once(&suffixes_once, suffixes_load);
	if (suffixes == NULL || !is_domain(domain))
		return domain;
	/* What comes back points into what was given. */
	const char *found = psl_registrable_domain(suffixes, str_c(a, domain));
	return found == NULL ? domain
			     : str_skip(domain, domain.len - strlen(found));
}

bool
domain_is_under(struct str domain, struct str parent)
{
	if (parent.len == 0 || !str_ends(domain, parent))
		return false;
	size_t rest = domain.len - parent.len;
	return rest == 0 || domain.p[rest - 1] == '.';
}
