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
    const struct notice_ruling *over, const char *reason, int64_t now_wall)
{
	size_t full = n;
	if (budget_take(memory, rows, n, now_wall, &full) != MEMORY_OK)
		return (struct notice_ruling){PERMIT_HOLD, "no-budget-known"};
	if (full < n)
		return over[full];
	return (struct notice_ruling){PERMIT_PASS, reason};
}

/* Without the +tag, by which one mailbox has many names. */
static struct str
mailbox_of(struct arena *a, struct str address)
{
	struct str rest = address_local(address);
	struct str local = str_cut(&rest, '+');
	return str_printf(
	    a, "%.*s@%.*s", STR_ARG(local), STR_ARG(address_domain(address)));
}

static struct notice_ruling
rule_unknown(struct arena *a, const struct notice *notice,
    struct memory *memory, const struct notice_budgets *budgets,
    int64_t now_wall)
{
	/* what may be a person's, or may be known later, is not thrown away */
	enum notice_permit over =
	    notice->is_inferred || notice->is_temp ? PERMIT_HOLD : PERMIT_OVER;
	const struct notice_ruling rulings[] = {{over, "budget-addressee"},
	    {over, "budget-domain"}, {over, "budget-total"}};
	struct budget_row rows[] = {
	    {key_of(a, "addressee", mailbox_of(a, notice->addressee),
		 notice->author, STR_EMPTY),
		budgets->addressee, DAY_S},
	    {key_of(a, "domain", address_domain(notice->addressee), STR_EMPTY,
		 STR_EMPTY),
		budgets->domain, HOUR_S},
	    {STR("total"), budgets->total, HOUR_S},
	};
	if (notice->nrcpt > 1)
		return (struct notice_ruling){over, "several-recipients"};
	return take(memory, rows, COUNT_OF(rows), rulings, "unknown", now_wall);
}

/* Genuine, so what is too much of it is kept for somebody to see. */
static struct notice_ruling
rule_repeated(struct memory *memory, struct str key, unsigned limit,
    const char *reason, int64_t now_wall)
{
	static const struct notice_ruling over = {
	    PERMIT_HOLD, "budget-repeated"};
	struct budget_row row = {key, limit, DAY_S};
	return take(memory, &row, 1, &over, reason, now_wall);
}

static struct notice_ruling
rule_weak(struct arena *a, const struct notice *notice, struct memory *memory,
    int64_t now_wall)
{
	bool is_one = notice->weak_id.len > 0;
	if (notice->nrcpt > 1)
		return (struct notice_ruling){
		    PERMIT_HOLD, "several-recipients"};
	return rule_repeated(memory,
	    key_of(a, "weak", mailbox_of(a, notice->addressee), notice->author,
		notice->weak_id),
	    is_one ? NOTICE_WEAK_MESSAGE_LIMIT : NOTICE_WEAK_LIMIT, "genuine",
	    now_wall);
}

bool
notice_is_ruled(const struct notice *notice, struct notice_ruling *ret)
{
	enum notice_permit no =
	    notice->is_inferred ? PERMIT_HOLD : PERMIT_DISCARD;
	if (notice->is_passing)
		return false;
	if (notice->never[0] != '\0')
		*ret = (struct notice_ruling){no, "never"};
	else if (notice->origin == ORIGIN_FORGED)
		*ret = (struct notice_ruling){no, "forged"};
	else if (notice->origin == ORIGIN_GENUINE && !notice->is_weak)
		*ret = (struct notice_ruling){PERMIT_PASS, "genuine"};
	else
		return false;
	return true;
}

struct notice_ruling
notice_rule(struct arena *a, const struct notice *notice, struct memory *memory,
    const struct notice_budgets *budgets, int64_t now_wall)
{
	struct notice_ruling ruling;
	if (notice_is_ruled(notice, &ruling))
		return ruling;
	if (notice->is_passing)
		return rule_repeated(memory,
		    key_of(a, "passed", notice->weak_id, STR_EMPTY, STR_EMPTY),
		    NOTICE_WEAK_LIMIT, "passed-on", now_wall);
	return notice->origin == ORIGIN_GENUINE
		   ? rule_weak(a, notice, memory, now_wall)
		   : rule_unknown(a, notice, memory, budgets, now_wall);
}
