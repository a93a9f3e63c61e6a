/* SPDX-License-Identifier: BSD-2-Clause */
/* spf_repair -- what somebody meant who wrote a term that is none: the mistakes
 * that are seen in records and have one clear meaning. */
#ifndef AUTH_SPF_REPAIR_H
#define AUTH_SPF_REPAIR_H

#include "base/str.h"

struct arena;

/*
 * `term` as it was meant: "ip:192.0.2.1" is ip4:192.0.2.1, "redirect:a.example"
 * is redirect=a.example.  Any bytes; `*ret` is a term by spf_term_parse().
 * False: what was meant is not clear.
 */
MUST_CHECK bool spf_term_repair(
    struct arena *a, struct str term, struct str *ret);

#endif
