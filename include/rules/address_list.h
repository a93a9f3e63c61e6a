/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * address_list -- the lists of addresses that rule files keep: welcomelist_from
 * and its kin, and those that enlist_addrlist names.
 */
#ifndef RULES_ADDRESS_LIST_H
#define RULES_ADDRESS_LIST_H

#include "base/diag.h"
#include "rules/setting.h"

struct address_list;
struct address_lists;
struct relays;

/* From SETTING_ADDRESSES; broken lines go to `diags`. */
const struct address_lists *address_lists_new(
    struct arena *a, const struct setting_list *settings, struct diags *diags);

/*
 * A list by its own name or by that of its setting; NULL: there is none.  Those
 * of the settings are always there, even if they are empty.
 */
const struct address_list *address_list_named(
    const struct address_lists *lists, struct str name);
/* The owner of `address` by fns_add_addrlist, lower case; empty: none. */
struct str address_lists_owner(
    struct arena *a, const struct address_lists *lists, struct str address);
/* Nobody is in it; so nobody is if it is NULL. */
bool address_list_is_empty(const struct address_list *list);
/* `address` is on the list; case is folded.  NULL is an empty list. */
bool address_list_has(
    struct arena *a, const struct address_list *list, struct str address);

/*
 * Ask a list of welcomelist_from_dkim or def_welcomelist_from_dkim: does a
 * valid signature of the domain `signer` do for `address`?
 */
bool address_list_signed(struct arena *a, const struct address_list *list,
    struct str address, struct str signer);

enum address_relayed {
	ADDRESS_NOT_LISTED,
	ADDRESS_RELAYED, /* on the list, and by a relay it may come from */
	ADDRESS_FORGED   /* on the list, but from somewhere else */
};

/*
 * Ask a list of welcomelist_from_rcvd or def_welcomelist_from_rcvd about
 * `address`.  The relay is the first one that is not trusted; if all are,
 * any of them.
 */
enum address_relayed address_list_relayed(struct arena *a,
    const struct address_lists *lists, const struct address_list *list,
    struct str address, const struct relays *relays);

#endif
