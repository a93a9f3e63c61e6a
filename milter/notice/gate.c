/* SPDX-License-Identifier: BSD-2-Clause */
/* gate -- may a notice leave? */
#include "notice/gate.h"

#include "base/arena.h"
#include "base/buf.h"
#include "mail/address.h"

#define DAY_S (24 * 3600)
#define HOUR_S 3600
#define KEY_BYTES 1200

/* Parts one behind the other, with a byte between them that is in none. */
static struct str
key_of(struct arena *a, const char *kind, struct str first, struct str second,
    struct str third)
{
	struct buf *b = buf_new(a, KEY_BYTES);
	buf_printf(b, "%s\n", kind);
	buf_put(b, str_lower(a, str_sub(first, 0, 320)));
	buf_putc(b, '\n');
	buf_put(b, str_lower(a, str_sub(second, 0, 320)));
	buf_putc(b, '\n');
	buf_put(b, str_sub(third, 0, LEDGER_ID_BYTES));
	return buf_str(b);
}

static struct notice_ruling
take(struct memory *memory, const struct budget_row *rows, size_t n,
    const char *const *over, const char *reason, int64_t now_wall)
{
	size_t full = n;
	if (budget_take(memory, rows, n, now_wall, &full) != MEMORY_OK)
		return (struct notice_ruling){PERMIT_HOLD, "no-budget-known"};
	if (full < n)
		return (struct notice_ruling){PERMIT_OVER, over[full]};
	return (struct notice_ruling){PERMIT_PASS, reason};
}

static struct notice_ruling
rule_unknown(struct arena *a, const struct notice *notice,
    struct memory *memory, const struct notice_budgets *budgets,
    int64_t now_wall)
{
	static const char *const over[] = {
	    "budget-addressee", "budget-domain", "budget-total"};
	struct budget_row rows[] = {
	    {key_of(
		 a, "addressee", notice->addressee, notice->author, STR_EMPTY),
		budgets->addressee, DAY_S},
	    {key_of(a, "domain", address_domain(notice->addressee), STR_EMPTY,
		 STR_EMPTY),
		budgets->domain, HOUR_S},
	    {STR("total"), budgets->total, HOUR_S},
	};
	return take(memory, rows, COUNT_OF(rows), over, "unknown", now_wall);
}

static struct notice_ruling
rule_weak(struct arena *a, const struct notice *notice, struct memory *memory,
    int64_t now_wall)
{
	static const char *const over[] = {"budget-repeated"};
	struct budget_row row = {key_of(a, "weak", notice->addressee,
				     notice->author, notice->weak_id),
	    notice->weak_id.len > 0 ? NOTICE_WEAK_MESSAGE_LIMIT
				    : NOTICE_WEAK_LIMIT,
	    DAY_S};
	return take(memory, &row, 1, over, "genuine", now_wall);
}

struct notice_ruling
notice_rule(struct arena *a, const struct notice *notice, struct memory *memory,
    const struct notice_budgets *budgets, int64_t now_wall)
{
	if (notice->is_passing)
		return (struct notice_ruling){PERMIT_PASS, "passed-on"};
	if (notice->never[0] != '\0')
		return (struct notice_ruling){PERMIT_DISCARD, "never"};
	switch (notice->origin) {
	case ORIGIN_FORGED:
		return (struct notice_ruling){PERMIT_DISCARD, "forged"};
	case ORIGIN_GENUINE:
		if (!notice->is_weak)
			break;
		return rule_weak(a, notice, memory, now_wall);
	case ORIGIN_UNKNOWN:
		return rule_unknown(a, notice, memory, budgets, now_wall);
	}
	return (struct notice_ruling){PERMIT_PASS, "genuine"};
}
