/* SPDX-License-Identifier: BSD-2-Clause */
/* zone -- records that stand for the DNS in tests, served to a resolver by
 * resolver_new_source(). */
#ifndef TEST_ZONE_H
#define TEST_ZONE_H

#include "auth/resolver.h"

struct zone;

/* Empty; lives as long as `a`. */
struct zone *zone_new(struct arena *a);

/*
 * Add one record.  `type`: A, AAAA, MX ("10 mx.example"), PTR, TXT, CNAME, or
 * TIMEOUT: what is not there is not answered.  False: it cannot be read.
 */
MUST_CHECK bool zone_add(struct zone *z, struct str name, uint32_t ttl_s,
    struct str type, struct str value);
/* Any bytes as a TXT record; no value at all for one type. */
void zone_add_txt(struct zone *z, struct str name, struct str bytes);
void zone_add_timeout(struct zone *z, struct str name, struct str type);

/*
 * Lines as "name TYPE value" or "name TTL TYPE value"; # comments and empty
 * lines are fine.  What cannot be read is left out; returns how many lines
 * those were.
 */
size_t zone_parse(struct zone *z, struct str text);

/* A resolver_source; `arg` is the zone.  CNAMEs are followed. */
void zone_source(void *arg, struct arena *a, struct str name,
    enum dns_type type, struct dns_answer *ret);
/* Questions so far. */
unsigned zone_asked(const struct zone *z);

#endif
