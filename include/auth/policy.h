/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * policy -- what the admin says of our own mail: where it leaves from, which
 * domains are ours, who may write as whom, which keys sign.  Read with the
 * configuration, immutable, part of its snapshot.
 */
#ifndef AUTH_POLICY_H
#define AUTH_POLICY_H

#include "auth/dkim_keys.h"
#include "auth/dkim_sign.h"
#include "base/diag.h"
#include "base/option.h"

struct arena;
struct local_domains;
struct login_map;

/* The values of the options, see postern.conf(5). */
struct policy_options {
	const struct option_lines *lines; /* for errors; NULL: of no file */
	const struct strs *egress;
	struct str helo;
	const struct strs *local_domains, *login_map, *strict_domains;
	struct dkim_tables tables;
	const struct strs *sign_fields, *oversign_fields;
	enum dkim_canon header_canon, body_canon;
	int64_t signature_valid_s;
	/* A key file that this user may not read is a warning: postern(1) as
	 * somebody else. */
	bool is_lenient;
};

struct policy {
	struct strs egress; /* canonical addresses (base/network.h) */
	struct str helo;    /* empty: the MTA's own name */
	struct strs strict; /* normal domains */
	struct local_domains *locals;
	struct login_map *logins;
	struct dkim_keys *keys;        /* NULL: none */
	struct dkim_sign_options sign; /* without now_wall */
};

/*
 * Read files, addresses and domains into `*ret`, which lives as long as `a`.
 * False: at least one error was added to `diags`.
 */
MUST_CHECK bool policy_load(struct arena *a,
    const struct policy_options *options, struct policy *ret,
    struct diags *diags);
/*
 * `domain`, any bytes, is one of ours: it is in local-domains or the login map,
 * or we have a key that signs as it.
 */
bool policy_is_local(
    struct arena *a, const struct policy *policy, struct str domain);
/* Frees what is not the arena's: the keys. */
void policy_done(struct policy *policy);

#endif
