/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rdata -- domain names and record data: from the wire (RFC 1035) to what
 * resolver.h hands out.  No question is asked here.
 */
#ifndef AUTH_RDATA_H
#define AUTH_RDATA_H

#include "auth/resolver.h"

/* RFC 1035 section 2.3.4: 255 bytes on the wire are 253 in text. */
#define NAME_MAX_BYTES 253
#define LABEL_MAX_BYTES 63

/*
 * `name` in lower case without its final dot, and its length; any bytes may be
 * in a label.  False: it is no domain name, or the root.
 */
MUST_CHECK bool name_normal(
    struct str name, char ret[NAME_MAX_BYTES], size_t *ret_len);

/*
 * A normal `name` as zone files write it, NUL-terminated: what is no letter,
 * digit, - or _ is \DDD (RFC 1035 section 5.1).
 */
#define NAME_TEXT_MAX (4 * NAME_MAX_BYTES + 1)
void name_escape(struct str name, char ret[NAME_TEXT_MAX]);

/*
 * The data of one record, without compression, as struct dns_answer has it; in
 * `a`.  Also of type DNS_CNAME.  False: the
 * data is not of that form, or a label holds a dot, so that the name would be
 * taken for another.
 */
#define DNS_CNAME 5
MUST_CHECK bool rdata_read(
    struct arena *a, unsigned type, struct str rdata, struct str *ret);

#endif
