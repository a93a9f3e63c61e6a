/* SPDX-License-Identifier: BSD-2-Clause */
/* spf_macro -- the macros of RFC 7208 section 7: is a macro-string well formed,
 * and what does it expand to?  Asks nothing: who needs %{p} finds it first. */
#ifndef AUTH_SPF_MACRO_H
#define AUTH_SPF_MACRO_H

#include "base/ip.h"

enum spf_macro_place {
	SPF_IN_RECORD, /* visible ASCII; no c, r, t (section 7.2) */
	SPF_IN_TEXT    /* of an explanation: blanks too, and all letters */
};

/* NULL: `text`, any bytes, is a macro-string as it may stand in `place`.  Else
 * what is wrong with it, in words. */
const char *spf_macro_check(struct str text, enum spf_macro_place place);

/* Behind the macro-expand ("%{d2}", "%%") that starts at `at`; STR_NONE: there
 * is none. */
size_t spf_macro_end(struct str text, size_t at);

/* One of `letters`, lower case, is a macro-letter in `text`, checked. */
bool spf_macro_has(struct str text, const char *letters);

/* What the letters stand for; at most SPF_MACRO_VALUE bytes of each are used.
 */
#define SPF_MACRO_VALUE 512
struct spf_macro_values {
	struct str local_part;    /* l */
	struct str sender;        /* s */
	struct str sender_domain; /* o */
	struct str domain;        /* d */
	struct str helo;          /* h */
	struct str client_name;   /* p: validated, or "unknown" */
	struct str receiver;      /* r */
	struct ip client;         /* i, c, v */
	int64_t now_wall;         /* t */
};

/*
 * Expand `text`, checked, to at most `max` bytes.  False: it is longer.
 */
MUST_CHECK bool spf_macro_expand(struct arena *a, struct str text,
    const struct spf_macro_values *values, size_t max, struct str *ret);

/*
 * Expand a domain-spec to the name to ask for: without final dot and without
 * the labels on the left that make it longer than 253 bytes (section 7.3).  It
 * need not be a name that can be asked for.
 */
struct str spf_macro_domain(
    struct arena *a, struct str text, const struct spf_macro_values *values);

#endif
