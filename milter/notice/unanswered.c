/* SPDX-License-Identifier: BSD-2-Clause */
/* unanswered -- addresses that no program should answer. */
#include "notice/unanswered.h"

#include "mail/address.h"

enum local_match { LOCAL_IS, LOCAL_STARTS, LOCAL_ENDS, LOCAL_HAS };

/* RFC 3834 section 2, RFC 5230 section 4.6, and what vacation(1) knows. */
static const struct {
	enum local_match match;
	const char *text;
	bool is_for_all; /* for delivery reports, too */
} unanswered[] = {
    {LOCAL_IS, "mailer-daemon", true},
    {LOCAL_IS, "mailer", false},
    {LOCAL_IS, "listserv", false},
    {LOCAL_IS, "majordomo", false},
    {LOCAL_IS, "sympa", false},
    {LOCAL_IS, "uucp", false},
    {LOCAL_STARTS, "owner-", false},
    {LOCAL_STARTS, "bounce-", false},
    {LOCAL_STARTS, "bounces-", false},
    {LOCAL_ENDS, "-owner", false},
    {LOCAL_ENDS, "-request", false},
    {LOCAL_ENDS, "-relay", false},
    {LOCAL_ENDS, "-bounce", false},
    {LOCAL_ENDS, "-bounces", false},
    {LOCAL_IS, "bounce", false},
    {LOCAL_IS, "bounces", false},
    {LOCAL_HAS, "noreply", false},
    {LOCAL_HAS, "no-reply", false},
    {LOCAL_HAS, "no_reply", false},
    {LOCAL_HAS, "no.reply", false},
    {LOCAL_HAS, "donotreply", false},
    {LOCAL_HAS, "do-not-reply", false},
    {LOCAL_HAS, "do_not_reply", false},
};

static bool
local_matches(struct str local, size_t i)
{
	struct str text = str_from(unanswered[i].text);
	switch (unanswered[i].match) {
	case LOCAL_IS:
		return str_ieq(local, text);
	case LOCAL_STARTS:
		return str_istarts(local, text);
	case LOCAL_ENDS:
		return str_iends(local, text);
	case LOCAL_HAS:
		return str_ifind(local, text) != STR_NONE;
	}
	return false;
}

/* "list-bounces+alice=example.org" is list-bounces. */
bool
address_is_unanswered(struct str address, bool is_delivery)
{
	struct str local = address_local(address);
	struct str head = str_cut(&local, '+');
	for (size_t i = 0; i < COUNT_OF(unanswered); i++)
		if ((unanswered[i].is_for_all || !is_delivery) &&
		    local_matches(head, i))
			return true;
	return address.len == 0;
}
