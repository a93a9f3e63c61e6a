/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dkim_sign -- make a DKIM-Signature (RFC 6376 section 5).  Our own
 * canonicalisation and OpenSSL: libopendkim decodes the PEM key for every
 * message, with threads waiting for each other.
 */
#ifndef AUTH_DKIM_SIGN_H
#define AUTH_DKIM_SIGN_H

#include "auth/dkim_canon.h"
#include "auth/dkim_keys.h"
#include "auth/dkim_mail.h"

/*
 * What a reader sees or acts on (RFC 6376 section 5.4.1), and what decides how
 * the body is shown: without Content-Type a body can be made to show
 * another part of itself.
 */
#define DKIM_FIELDS_DEFAULT                                              \
	"From,Sender,Reply-To,To,Cc,Subject,Date,Message-ID,"            \
	"In-Reply-To,References,MIME-Version,Content-Type,"              \
	"Content-Transfer-Encoding,Resent-From,Resent-Sender,Resent-To," \
	"Resent-Cc,Resent-Date,Resent-Message-ID,List-Id,List-Help,"     \
	"List-Unsubscribe,List-Unsubscribe-Post,List-Subscribe,"         \
	"List-Post,List-Owner,List-Archive,Autocrypt"
/*
 * What nobody may add later: a reader would see the added one.  Not those that
 * MTAs and lists add to mail that has none: Sendmail adds Date and Message-ID,
 * and Resent fields beside others of them, behind the milters.
 */
#define DKIM_OVERSIGN_DEFAULT                                    \
	"From,Reply-To,To,Cc,Subject,MIME-Version,Content-Type," \
	"Content-Transfer-Encoding"

struct dkim_sign_options {
	enum dkim_canon header, body;
	const struct strs *fields;   /* names: to sign if they are there */
	const struct strs *oversign; /* signed once more than they are there */
	int64_t now_wall;            /* t=; s since 1970 */
	int64_t valid_s;             /* x= is t= plus this; 0: no x= */
};

/*
 * One signature of `signer` over `mail`: the value of the field, folded with
 * "\n\t", without name, colon or blank in front.  It is good for a field that
 * leaves as "DKIM-Signature: " and this.  Never l=.  From must be in the mail;
 * it is signed whether it is listed or not.  False: `*ret_why`, static.
 */
MUST_CHECK bool dkim_sign_mail(struct arena *a,
    const struct dkim_signer *signer, const struct dkim_mail *mail,
    const struct dkim_sign_options *options, struct str *ret,
    const char **ret_why);

#endif
