/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dkim_sign -- make a DKIM-Signature (RFC 6376 section 5).  Our own
 * canonicalisation and OpenSSL: libopendkim decodes the PEM key for every
 * message, with threads waiting for each other.
 */
#ifndef AUTH_DKIM_SIGN_H
#define AUTH_DKIM_SIGN_H

#include "auth/dkim_keys.h"
#include "auth/dkim_mail.h"

enum dkim_canon { DKIM_SIMPLE, DKIM_RELAXED };

struct dkim_sign_options {
	enum dkim_canon header, body;
	const struct strs *fields;   /* to sign if they are there */
	const struct strs *oversign; /* signed once more than they are there */
	int64_t now_wall;            /* t=; s since 1970 */
	int64_t valid_s;             /* x= is t= plus this; 0: no x= */
};

/*
 * One signature of `signer` over `mail`: the value of the field, folded with
 * "\n\t", without name, colon or blank in front.  Never l=.  From must be in
 * the mail.  False: `*ret_why`.
 */
MUST_CHECK bool dkim_sign(struct arena *a, const struct dkim_signer *signer,
    const struct dkim_mail *mail, const struct dkim_sign_options *options,
    struct str *ret, const char **ret_why);

#endif
