/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * login_map -- which addresses a login may send from.  Immutable once loaded,
 * for any number of threads.
 *
 * A line is "user: address, address ...", with commas or blanks between them.
 *
 * user:     a login; /regex/ for all logins that match it; * for everybody.
 *           Case does not matter.  A login may have several lines, and has what
 *           all lines for it allow together.
 * address:  alice@example.com, and so alice+anything@example.com;
 *           @example.com, all addresses of that domain;
 *           @.example.com, all of the domains below it;
 *           /regex/, all that match it as a whole;
 *           *, any.
 *
 * Domains may have U-labels or A-labels.  Local parts are compared without
 * case, as mail systems do and RFC 5321 section 2.4 does not ask.  Regular
 * expressions (regex.h; \/ for a slash) match the whole of a login, or of an
 * address with its domain in A-labels, and do not know case; (?-i) tells them.
 */
#ifndef AUTH_LOGIN_MAP_H
#define AUTH_LOGIN_MAP_H

#include "base/diag.h"
#include "base/option.h"

struct arena;
struct login_map;

/*
 * `values` of `option`: lines, or files of lines (lines.h).  The map lives as
 * long as `a`.  NULL: at least one DIAG_ERROR with file:line was added.
 */
struct login_map *login_map_load(struct arena *a, const struct strs *values,
    const struct option_place *option, struct diags *diags);
/* Nothing was configured. */
bool login_map_is_empty(const struct login_map *map);

enum login_allows {
	LOGIN_YES,
	LOGIN_NO,
	LOGIN_UNKNOWN /* no line is for this login, nor for everybody */
};

/*
 * May `login` send from `address` ("Alice@Example.COM", without < >; any
 * bytes)?  A regular expression that costs too much does not match.  A few
 * look-ups however large the map is, and one match for each regular expression
 * that is for this login; `a` is for what that needs.
 */
enum login_allows login_map_allows(struct arena *a, const struct login_map *map,
    struct str login, struct str address);

/*
 * `domain`, a normal one (org.h), is that of an address in the map, or all its
 * addresses are: so it is ours.
 */
bool login_map_has_domain(const struct login_map *map, struct str domain);

#endif
