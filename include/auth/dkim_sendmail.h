/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dkim_sendmail -- a mail as Sendmail will write it.  It rewrites the fields
 * that hold addresses when it delivers, after the milters saw them: lists get
 * ", " and folds of its own, phrases with . ' @ [ or ] get quotes, < a > loses
 * its blanks.  A signature must be made for what leaves.  Measured with 8.17.1.
 */
#ifndef AUTH_DKIM_SENDMAIL_H
#define AUTH_DKIM_SENDMAIL_H

#include "auth/dkim_mail.h"

/*
 * Give `mail` the texts that Sendmail will write, byte for byte; the new ones
 * live in `a`.  What depends on its configuration, or on how it repairs what is
 * no list of addresses (RFC 5322 section 3.4), is marked `is_unsure`: names
 * without a domain, groups, source routes, lines past 990 bytes, Bcc.
 *
 * Not seen from here: masquerading and genericstable, which change From; a
 * domain that is a CNAME, without FEATURE(`nocanonify'); fields that are added
 * later to mail without them, so nobody should oversign Date or Message-ID.
 */
void dkim_mail_as_sendmail(struct arena *a, struct dkim_mail *mail);

#endif
