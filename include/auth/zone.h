/* SPDX-License-Identifier: BSD-2-Clause */
/* zone -- records to publish, as a zone file has them (RFC 1035 section 5). */
#ifndef AUTH_ZONE_H
#define AUTH_ZONE_H

#include "base/str.h"

struct arena;

/* "NAME. 3600 IN TXT "..."", in strings of at most 255 bytes; one line. */
struct str zone_txt(struct arena *a, struct str name, struct str text);

#endif
