/* SPDX-License-Identifier: BSD-2-Clause */
/* local_domains -- which domains are ours.  Immutable once loaded. */
#ifndef AUTH_LOCAL_DOMAINS_H
#define AUTH_LOCAL_DOMAINS_H

#include "base/diag.h"
#include "base/option.h"

struct arena;
struct local_domains;

/* None yet; lives as long as `a`. */
struct local_domains *local_domains_new(struct arena *a);

/*
 * Add "example.com", or ".example.com": every domain below that, but not
 * itself.  Any case, U-labels or A-labels.  False: it is no domain.
 */
MUST_CHECK bool local_domains_add(struct local_domains *set, struct str domain);

/*
 * Add `values` of `option` and the files they name (lines.h): the first word
 * of each line is a domain as above, the rest is not read, so the tables that
 * Postfix has for virtual_mailbox_domains and the like can be given as they
 * are.  False: at least one DIAG_ERROR with file:line was added.
 */
MUST_CHECK bool local_domains_load(struct local_domains *set,
    const struct strs *values, const struct option_place *option,
    struct diags *diags);

/* `domain` is a normal one (org.h).  One look-up for each of its labels. */
bool local_domains_has(const struct local_domains *set, struct str domain);
bool local_domains_is_empty(const struct local_domains *set);

#endif
