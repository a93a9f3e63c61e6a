/* SPDX-License-Identifier: BSD-2-Clause */
/* reason -- the reasons of a verdict in words. */
#include "cmd/history/reason.h"

#define OVER "of unknown origin that were over a budget"

static const struct reason reasons[] = {
    {"score", NULL, NULL},
    {"timeout",
	"the time budget was used up (scan-time, dns-time): the option "
	"on-timeout decides then",
	NULL},
    {"error", "it could not be scanned: the option on-error decides then",
	NULL},
    {"header",
	"it came with more header fields under our own names than are "
	"removed, which no mail has",
	NULL},
    {"forged",
	"it answers a message whose sender was forged: who would get it wrote "
	"nothing (notice-gate)",
	"to forged senders"},
    {"never",
	"it answers a notice, or an address that is never answered "
	"(notice-gate)",
	"that answer notices, or addresses that are never answered"},
    {"budget-addressee",
	"its origin is not known, and notices-per-addressee is used up", OVER},
    {"budget-domain",
	"its origin is not known, and notices-per-domain is used up", OVER},
    {"budget-total", "its origin is not known, and notices-in-all is used up",
	OVER},
    {"several-recipients",
	"a notice to more than one recipient that is not surely genuine "
	"(notice-gate)",
	"of unknown origin to several recipients"},
    {"budget-repeated",
	"it is genuine, but came too often: a stranger could make us repeat "
	"it (notice-gate)",
	NULL},
    {"no-budget-known",
	"the ledger could not be asked, so no budget was known (notice-gate)",
	NULL},
    {"genuine", "it answers a message that its addressee has written", NULL},
    {"unknown",
	"nothing says who wrote what it answers, and a budget let it "
	"pass (notices-per-addressee, -domain, notices-in-all)",
	NULL},
    {"passed-on", "a notice from outside that is only passed on", NULL},
};

size_t
reason_count(void)
{
	return COUNT_OF(reasons);
}

const struct reason *
reason_at(size_t i)
{
	return &reasons[i];
}

const struct reason *
reason_find(struct str name)
{
	for (size_t i = 0; i < COUNT_OF(reasons); i++)
		if (str_eq(name, str_from(reasons[i].name)))
			return &reasons[i];
	return NULL;
}
