/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * relay_line -- one Received field as SpamAssassin 4.0.1 reads it: the forms
 * that MTAs write, what is passed over, what cannot be read.
 */
#ifndef MAIL_RELAY_LINE_H
#define MAIL_RELAY_LINE_H

#include "mail/relay.h"

enum relay_line_status {
	RELAY_LINE_OK,
	RELAY_LINE_SKIPPED, /* known, and no handover between hosts */
	RELAY_LINE_FETCHED, /* skipped: taken from a mailbox over the network */
	RELAY_LINE_UNPARSEABLE
};

/*
 * Read `field`, the value of a Received field.  Texts of `*ret`, without
 * is_internal, is_msa, is_trusted and text, live in `a`.  `*ret_handed_on` is
 * always written: the envelope sender that a qmail-scanner tells of the next
 * field, empty if it tells none.
 */
MUST_CHECK enum relay_line_status relay_line_parse(struct arena *a,
    struct str field, struct relay *ret, struct str *ret_handed_on);

#endif
