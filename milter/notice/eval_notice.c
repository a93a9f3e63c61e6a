/* SPDX-License-Identifier: BSD-2-Clause */
/* eval_notice -- what rules may ask of a message as a notice. */
#include "notice/origin.h"

#include "rules/eval_rows.h"

/* As it was judged; without facts, by its form alone. */
static struct notice_form
form_of(struct eval_call *call)
{
	const struct eval_facts *facts = call->facts;
	return facts != NULL && facts->notice != NULL
		   ? facts->notice->form
		   : notice_form_of(call->message);
}

static bool
is_kind(struct str name, enum notice_kind kind)
{
	enum notice_kind wanted;
	if (!notice_kind_parse(name, &wanted))
		return false;
	return wanted == kind ||
	       (wanted == NOTICE_DSN && notice_kind_is_delivery(kind));
}

static int
eval_notice_kind(struct eval_call *call)
{
	struct notice_form form = form_of(call);
	bool is_hit = call->nargs == 0 && form.kind != NOTICE_NONE;
	for (size_t i = 0; i < call->nargs; i++)
		is_hit = is_hit || is_kind(call->args[i], form.kind);
	return is_hit ? eval_hit(call, form.evidence) : 0;
}

static int
eval_notice_origin(struct eval_call *call)
{
	const struct eval_facts *facts = call->facts;
	if (facts == NULL || facts->notice == NULL || !facts->notice->is_answer)
		return 0;
	struct str name = notice_origin_name(facts->notice->origin);
	for (size_t i = 0; i < call->nargs; i++)
		if (str_ieq(call->args[i], name))
			return eval_hit(call, facts->notice->evidence);
	return 0;
}

const struct eval_row EVAL_NOTICE[] = {
    {"notice_kind", 0, NOTICE_KINDS,
	"s none dsn delay quota mailbox reject list filter virus vacation "
	"autoreply ticket challenge mdn arf dmarc",
	NEED_ENVELOPE | NEED_HEADER | NEED_PARTS | NEED_NOTICE,
	"an automatic answer of one of these kinds, or of any; 'dsn' is every "
	"delivery report",
	"postern", eval_notice_kind},
    {"notice_origin", 1, 3, "s genuine forged unknown", NEED_NOTICE,
	"an automatic answer whose addressee is 'genuine', 'forged' or "
	"'unknown'",
	"postern", eval_notice_origin},
    {NULL, 0, 0, NULL, 0, NULL, NULL, NULL},
};

bool
notice_test_word(struct notice *notice, struct str word)
{
	static const enum notice_origin origins[] = {
	    ORIGIN_UNKNOWN, ORIGIN_GENUINE, ORIGIN_FORGED};
	struct str value = word;
	struct str name = str_cut(&value, '=');
	if (str_ieq(name, STR("notice"))) {
		if (!notice_kind_parse(value, &notice->form.kind))
			return false;
		notice->is_answer = notice_kind_is_answer(notice->form.kind);
		return true;
	}
	if (!str_ieq(name, STR("origin")))
		return false;
	for (size_t i = 0; i < COUNT_OF(origins); i++)
		if (str_ieq(value, notice_origin_name(origins[i]))) {
			notice->origin = origins[i];
			notice->is_answer = true;
			return true;
		}
	return false;
}
