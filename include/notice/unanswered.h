/* SPDX-License-Identifier: BSD-2-Clause */
/* unanswered -- addresses that no program should answer. */
#ifndef NOTICE_UNANSWERED_H
#define NOTICE_UNANSWERED_H

#include "base/str.h"

/*
 * `address` is one that programs must not answer (RFC 3834 section 2, RFC 5230
 * section 4.6): the null address, owner-, -request, no-reply and the like.
 * `is_delivery`: a delivery report, which may go to those of list managers, who
 * want it.
 */
bool address_is_unanswered(struct str address, bool is_delivery);

#endif
