/* SPDX-License-Identifier: BSD-2-Clause */
/* eval_address_list -- are sender and recipients on the lists of the rule
 * files? */
#include "base/arena.h"
#include "base/table.h"
#include "mail/relay.h"
#include "mail/uri_clean.h"
#include "rules/address_list.h"
#include "rules/eval_rows.h"
#include "rules/lists.h"

#define RECEIVED_LOOKED_AT 3

struct address_facts {
	struct strs from, to;
	bool has_from, has_to;
};

static struct address_facts *
facts_of(struct eval_call *call)
{
	if (call->cache->addresses == NULL)
		call->cache->addresses =
		    ARENA_NEW(call->message->arena, struct address_facts);
	return call->cache->addresses;
}

/* "a@b..example": "a@b.example" */
static struct str
squeeze_dots(struct arena *a, struct str address)
{
	if (str_find(address, STR("..")) == STR_NONE)
		return address;
	char *p = arena_alloc(a, address.len);
	size_t n = 0;
	for (size_t i = 0; i < address.len; i++)
		if (address.p[i] != '.' || n == 0 || p[n - 1] != '.')
			p[n++] = address.p[i];
	return str_of(p, n);
}

/* Each once; a table, for a hostile field has thousands. */
static void
keep_once(struct arena *a, struct strs *list)
{
	struct table *seen = table_new(a, false);
	size_t n = 0;
	for (size_t i = 0; i < list->n; i++) {
		if (table_has(seen, list->v[i]))
			continue;
		table_set(seen, list->v[i], list);
		list->v[n++] = list->v[i];
	}
	list->n = n;
}

const struct strs *
eval_all_from(struct eval_call *call)
{
	static const char *const fields[] = {"From:addr",
	    "Envelope-Sender:addr", "Resent-Sender:addr",
	    "X-Envelope-From:addr", "EnvelopeFrom:addr"};
	struct arena *a = call->message->arena;
	struct address_facts *facts = facts_of(call);
	if (facts->has_from)
		return &facts->from;
	facts->has_from = true;
	eval_get(call, STR("Resent-From:first:addr"), &facts->from);
	if (facts->from.n == 0) {
		struct strs found = {0};
		for (size_t i = 0; i < COUNT_OF(fields); i++)
			eval_get(call, str_from(fields[i]), &found);
		for (size_t i = 0; i < found.n; i++)
			if (found.v[i].len > 0)
				strs_add(a, &facts->from,
				    squeeze_dots(a, found.v[i]));
	}
	keep_once(a, &facts->from);
	return &facts->from;
}

/*
 * What stands behind " for " up to a ; with or without < >: an address with a
 * real name for a host.  Empty: not that.
 */
static struct str
address_for(struct str run)
{
	for (size_t at = str_rchr(run, '@'); at != STR_NONE && at > 0;
	     at = str_rchr(str_sub(run, 0, at), '@')) {
		size_t end = at + 2;
		while (end < run.len && run.p[end] != ';' &&
		       !(run.p[end] == '>' && end + 1 < run.len &&
			   run.p[end + 1] == ';'))
			end++;
		if (end >= run.len)
			continue;
		struct str host = str_sub(run, at + 1, end - at - 1);
		return uri_is_fqdn(host) ? str_sub(run, 0, end) : STR_EMPTY;
	}
	return STR_EMPTY;
}

/* Is there "x@y;" in it at all, so that the first " for " is this one? */
static bool
has_address(struct str run)
{
	size_t at = str_chr(str_skip(run, 1), '@');
	if (at == STR_NONE)
		return false;
	return str_chr(str_skip(run, at + 3), ';') != STR_NONE;
}

/* The recipient that a Received field names ("for <a@b.example>; Mon, ..."). */
static struct str
received_for(struct str line)
{
	for (size_t at; (at = str_find(line, STR(" for "))) != STR_NONE;) {
		line = str_skip(line, at + 5);
		struct str run = line;
		size_t n = 0;
		while (n < run.len && !char_is_space(run.p[n]))
			n++;
		run.len = n;
		struct str inner =
		    str_starts(run, STR("<")) ? str_skip(run, 1) : run;
		if (has_address(inner))
			return address_for(inner);
		if (has_address(run))
			return address_for(run);
		/* The blank behind it may begin the next one. */
		line = str_of(line.p - 1, line.len + 1);
	}
	return STR_EMPTY;
}

static void
add_received_for(struct eval_call *call, struct strs *ret)
{
	struct arena *a = call->message->arena;
	struct strs received = {0};
	eval_get(call, STR("Received"), &received);
	for (size_t i = 0; i < received.n && i < RECEIVED_LOOKED_AT; i++) {
		struct str address = received_for(received.v[i]);
		if (address.len > 0)
			strs_add(a, ret, address);
	}
}

const struct strs *
eval_all_to(struct eval_call *call)
{
	static const char *const fields[] = {"To:addr", "Apparently-To:addr",
	    "Delivered-To:addr", "Envelope-Recipients:addr",
	    "Apparently-Resent-To:addr", "X-Envelope-To:addr",
	    "Envelope-To:addr", "X-Delivered-To:addr", "X-Original-To:addr",
	    "X-Rcpt-To:addr", "X-Real-To:addr", "Cc:addr"};
	struct address_facts *facts = facts_of(call);
	if (facts->has_to)
		return &facts->to;
	facts->has_to = true;
	eval_get(call, STR("Resent-To:first:addr"), &facts->to);
	eval_get(call, STR("Resent-Cc:first:addr"), &facts->to);
	if (facts->to.n == 0) {
		add_received_for(call, &facts->to);
		for (size_t i = 0; i < COUNT_OF(fields); i++)
			eval_get(call, str_from(fields[i]), &facts->to);
	}
	keep_once(call->message->arena, &facts->to);
	return &facts->to;
}

static const struct address_list *
list_named(struct eval_call *call, struct str name)
{
	return address_list_named(call->lists->addresses, name);
}

static int
one_is_listed(struct eval_call *call, const struct strs *addresses,
    const struct address_list *list)
{
	struct arena *a = call->message->arena;
	for (size_t i = 0; i < addresses->n; i++)
		if (address_list_has(a, list, addresses->v[i]))
			return eval_hit(call, addresses->v[i]);
	return 0;
}

static int
from_in(struct eval_call *call, struct str name)
{
	const struct address_list *list = list_named(call, name);
	return address_list_is_empty(list)
		   ? 0
		   : one_is_listed(call, eval_all_from(call), list);
}

static int
to_in(struct eval_call *call, struct str name)
{
	const struct address_list *list = list_named(call, name);
	return address_list_is_empty(list)
		   ? 0
		   : one_is_listed(call, eval_all_to(call), list);
}

static int
check_from_in_list(struct eval_call *call)
{
	return from_in(call, call->args[0]);
}

static int
check_from_in_blocklist(struct eval_call *call)
{
	return from_in(call, STR("blocklist_from"));
}

static int
check_replyto_in_list(struct eval_call *call)
{
	struct strs found = {0};
	eval_get(call, STR("Reply-To:addr"), &found);
	if (found.n > 1)
		found.n = 1;
	return one_is_listed(call, &found, list_named(call, call->args[0]));
}

static int
check_to_in_list(struct eval_call *call)
{
	return to_in(call, call->args[0]);
}

static int
check_to_in_blocklist(struct eval_call *call)
{
	return to_in(call, STR("blocklist_to"));
}

static int
check_to_in_welcomelist(struct eval_call *call)
{
	return to_in(call, STR("welcomelist_to"));
}

static int
check_to_in_more_spam(struct eval_call *call)
{
	return to_in(call, STR("more_spam_to"));
}

static int
check_to_in_all_spam(struct eval_call *call)
{
	return to_in(call, STR("all_spam_to"));
}

/* What the lists say of the senders, the best of them. */
static enum address_relayed
senders_relayed(struct eval_call *call, bool is_default)
{
	struct arena *a = call->message->arena;
	const struct address_lists *lists = call->lists->addresses;
	const struct address_list *any =
	    is_default ? NULL : list_named(call, STR("welcomelist_from"));
	const struct address_list *relayed =
	    list_named(call, is_default ? STR("def_welcomelist_from_rcvd")
					: STR("welcomelist_from_rcvd"));
	const struct strs *from = eval_all_from(call);
	enum address_relayed best = ADDRESS_NOT_LISTED;
	for (size_t i = 0; i < from->n; i++) {
		if (address_list_has(a, any, from->v[i]))
			return ADDRESS_RELAYED;
		enum address_relayed found = address_list_relayed(a, lists,
		    relayed, from->v[i], message_relays(call->message));
		if (found == ADDRESS_RELAYED)
			return found;
		if (found == ADDRESS_FORGED)
			best = found;
	}
	return best;
}

static int
check_from_in_welcomelist(struct eval_call *call)
{
	return senders_relayed(call, false) == ADDRESS_RELAYED;
}

static int
check_from_in_default_welcomelist(struct eval_call *call)
{
	return senders_relayed(call, true) == ADDRESS_RELAYED;
}

static int
check_forged_in_welcomelist(struct eval_call *call)
{
	return senders_relayed(call, false) == ADDRESS_FORGED &&
	       senders_relayed(call, true) == ADDRESS_NOT_LISTED;
}

static int
check_forged_in_default_welcomelist(struct eval_call *call)
{
	return senders_relayed(call, true) == ADDRESS_FORGED &&
	       senders_relayed(call, false) == ADDRESS_NOT_LISTED;
}

#define LIST(name, needs, help, function)                          \
	{                                                          \
		name, 1, 1, "s", needs, help, "WLBLEval", function \
	}
#define WLBL(name, needs, help, function)                         \
	{                                                         \
		name, 0, 0, "", needs, help, "WLBLEval", function \
	}

const struct eval_row EVAL_ADDRESS_LIST[] = {
    LIST("check_from_in_list", NEED_ENVELOPE | NEED_HEADER,
	"the sender is on that list of addresses", check_from_in_list),
    LIST("check_replyto_in_list", NEED_HEADER,
	"answers go to an address of that list", check_replyto_in_list),
    LIST("check_to_in_list", NEED_HEADER,
	"a recipient is on that list of addresses", check_to_in_list),
    WLBL("check_from_in_blocklist", NEED_ENVELOPE | NEED_HEADER,
	"the sender is in blocklist_from", check_from_in_blocklist),
    WLBL("check_from_in_blacklist", NEED_ENVELOPE | NEED_HEADER,
	"the same by its old name", check_from_in_blocklist),
    WLBL("check_to_in_blocklist", NEED_HEADER, "a recipient is in blocklist_to",
	check_to_in_blocklist),
    WLBL("check_to_in_blacklist", NEED_HEADER, "the same by its old name",
	check_to_in_blocklist),
    WLBL("check_to_in_welcomelist", NEED_HEADER,
	"a recipient is in welcomelist_to", check_to_in_welcomelist),
    WLBL("check_to_in_whitelist", NEED_HEADER, "the same by its old name",
	check_to_in_welcomelist),
    WLBL("check_to_in_more_spam", NEED_HEADER, "a recipient is in more_spam_to",
	check_to_in_more_spam),
    WLBL("check_to_in_all_spam", NEED_HEADER, "a recipient is in all_spam_to",
	check_to_in_all_spam),
    WLBL("check_from_in_welcomelist", NEED_ENVELOPE | NEED_HEADER | NEED_RELAYS,
	"the sender is in welcomelist_from, or in welcomelist_from_rcvd and "
	"came by the relay named there",
	check_from_in_welcomelist),
    WLBL("check_from_in_whitelist", NEED_ENVELOPE | NEED_HEADER | NEED_RELAYS,
	"the same by its old name", check_from_in_welcomelist),
    WLBL("check_from_in_default_welcomelist",
	NEED_ENVELOPE | NEED_HEADER | NEED_RELAYS,
	"the sender is in def_welcomelist_from_rcvd and came by the relay "
	"named there",
	check_from_in_default_welcomelist),
    WLBL("check_from_in_default_whitelist",
	NEED_ENVELOPE | NEED_HEADER | NEED_RELAYS, "the same by its old name",
	check_from_in_default_welcomelist),
    WLBL("check_forged_in_welcomelist",
	NEED_ENVELOPE | NEED_HEADER | NEED_RELAYS,
	"the sender is in welcomelist_from_rcvd, but came by another relay",
	check_forged_in_welcomelist),
    WLBL("check_forged_in_whitelist", NEED_ENVELOPE | NEED_HEADER | NEED_RELAYS,
	"the same by its old name", check_forged_in_welcomelist),
    WLBL("check_forged_in_default_welcomelist",
	NEED_ENVELOPE | NEED_HEADER | NEED_RELAYS,
	"the sender is in def_welcomelist_from_rcvd, but came by another relay",
	check_forged_in_default_welcomelist),
    WLBL("check_forged_in_default_whitelist",
	NEED_ENVELOPE | NEED_HEADER | NEED_RELAYS, "the same by its old name",
	check_forged_in_default_welcomelist),
    {NULL, 0, 0, NULL, 0, NULL, NULL, NULL},
};
