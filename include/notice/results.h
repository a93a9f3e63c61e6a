/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * results -- what a verifier of our own wrote into a message: one
 * Authentication-Results field (RFC 8601) or Received-SPF field (RFC 7208
 * section 9.1).  Whether the field really is of our own, its place tells
 * (origin.h).
 */
#ifndef NOTICE_RESULTS_H
#define NOTICE_RESULTS_H

#include "base/str.h"

struct arena;

#define RESULTS_MAX 32

struct auth_result {
	struct str method; /* "spf", "dkim", "dmarc", ...: lower case */
	struct str result; /* "pass", "fail", ...: lower case */
	/*
	 * Whom it is about, lower case: smtp.mailfrom of spf (without it,
	 * smtp.helo is of no use here), header.d of dkim, or the domain of
	 * header.i, header.from of dmarc; empty: it does not say.
	 */
	struct str identity;
};

struct auth_results {
	struct str authserv_id;
	struct auth_result v[RESULTS_MAX];
	size_t n;
};

/*
 * Read the value of an Authentication-Results field, folds inside, any bytes.
 * False: it is not what section 2.2 allows, or there is more than RESULTS_MAX;
 * then nothing of it is to be believed.  Texts live in `a`.
 */
MUST_CHECK bool auth_results_parse(
    struct arena *a, struct str value, struct auth_results *ret);
/*
 * The same of a Received-SPF field: one result, authserv_id is receiver=.  The
 * identity is empty if it speaks of the HELO name.
 */
MUST_CHECK bool received_spf_parse(
    struct arena *a, struct str value, struct auth_results *ret);

#endif
