/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * arrival -- what the ledger keeps of a message: who handed it over, and how
 * sure its sender is, seen from where it entered our network.
 */
#ifndef NOTICE_ARRIVAL_H
#define NOTICE_ARRIVAL_H

#include "notice/sender.h"
#include "state/memory.h"

struct arrival_query {
	const struct policy *policy;
	const struct dns *dns; /* NULL or off: nothing is asked */
	struct memory *memory; /* NULL: nothing is remembered */
	const struct envelope *envelope;
	const struct dkim_mail *mail;
	const struct facts *facts; /* of our own mail; NULL: class inbound */
	struct str mta_name;
	/* Networks of our own servers, and those whose mail is inbound: what
	 * they hand over entered further out. */
	const struct strs *trusted, *inbound;
	bool is_auto; /* a program says that it made it, or it is a notice */
	int64_t now_wall;
	int64_t ledger_s; /* how far back the ledger goes */
};

#define ARRIVAL_IDS_MAX 4

struct arrival {
	/* The Message-IDs that somebody may see in it (msgid.h). */
	struct str ids[ARRIVAL_IDS_MAX];
	size_t nids;
	struct str sender; /* as sender_plain() has it */
	struct str client_addr;
	struct sender_view view;
	bool is_auto;
};

/*
 * Judge.  Waits for the DNS within `budget`, if the mail came from outside.
 * Texts in `*ret` live in `a` and in what `query` points to.
 */
void arrival_judge(struct arena *a, const struct arrival_query *query,
    struct dns_budget *budget, struct arrival *ret);

/*
 * Tell the memory: an entry for the envelope sender, one for the author if that
 * is somebody else, for each Message-ID; and who wrote to whom if our own mail
 * is no notice.
 */
void arrival_record(struct memory *memory, const struct envelope *envelope,
    const struct arrival *arrival, int64_t now_wall);

#endif
