/* SPDX-License-Identifier: BSD-2-Clause */
/* eval_recipient -- are the recipients of To and Cc a piece of a list? */
#include "base/arena.h"
#include "rules/eval_rows.h"

#define COMPARED_MAX 256
#define SORTED_MIN 7
#define SIMILAR_MIN 5
#define SIMILAR_BYTES 2

struct recipient_facts {
	bool is_sorted;
	double similarity;
};

/* Of To and Cc; of Bcc as well if they are few. */
static struct strs
all_of(struct eval_call *call)
{
	struct strs found = {0};
	eval_get(call, STR("ToCc:addr"), &found);
	if (found.n < SIMILAR_MIN)
		eval_get(call, STR("Bcc:addr"), &found);
	return found;
}

/* Without neighbours that are equal; an empty one ends the list. */
static struct strs
compared_of(struct eval_call *call)
{
	struct strs all = all_of(call), compared = {0};
	struct str previous = STR_EMPTY;
	for (size_t i = 0; i < all.n && compared.n < COMPARED_MAX; i++) {
		if (all.v[i].len == 0 || str_eq(all.v[i], STR("0")))
			break;
		if (str_ieq(all.v[i], previous))
			continue;
		strs_add(call->message->arena, &compared, all.v[i]);
		previous = all.v[i];
	}
	return compared;
}

static bool
is_sorted(const struct strs *list)
{
	if (list->n < SORTED_MIN)
		return false;
	for (size_t i = 1; i < list->n; i++)
		if (str_cmp(list->v[i - 1], list->v[i]) > 0)
			return false;
	return true;
}

static struct str
start_of(struct str s)
{
	return str_sub(s, 0, SIMILAR_BYTES);
}

static struct str
host_of(struct str address)
{
	size_t at = str_chr(address, '@');
	struct str host =
	    at == STR_NONE ? STR_EMPTY : str_skip(address, at + 1);
	return str_sub(host, 0, str_chr(host, '\n'));
}

/* The part of pairs with a common start, of names or of different hosts. */
static double
similarity_of(const struct strs *list)
{
	struct str hosts[COMPARED_MAX];
	size_t hits = 0, pairs = 0;
	if (list->n < SIMILAR_MIN)
		return 0;
	for (size_t i = 0; i < list->n; i++)
		hosts[i] = host_of(list->v[i]);
	for (size_t i = 0; i < list->n; i++)
		for (size_t k = i + 1; k < list->n; k++) {
			struct str x = hosts[i], y = hosts[k];
			hits +=
			    str_eq(start_of(list->v[i]), start_of(list->v[k]));
			hits +=
			    str_eq(start_of(x), start_of(y)) && !str_eq(x, y);
			pairs++;
		}
	return (double)hits / (double)pairs;
}

static const struct recipient_facts *
facts_of(struct eval_call *call)
{
	struct recipient_facts *facts = call->cache->recipients;
	if (facts != NULL)
		return facts;
	facts = ARENA_NEW(call->message->arena, struct recipient_facts);
	struct strs list = compared_of(call);
	facts->is_sorted = is_sorted(&list);
	facts->similarity = similarity_of(&list);
	call->cache->recipients = facts;
	return facts;
}

static int
sorted_recipients(struct eval_call *call)
{
	return facts_of(call)->is_sorted;
}

static int
similar_recipients(struct eval_call *call)
{
	double similarity = facts_of(call)->similarity, min, max;
	return (!eval_bound(call, 0, &min) || similarity >= min) &&
	       (!eval_bound(call, 1, &max) || similarity < max);
}

static int
check_for_missing_to_header(struct eval_call *call)
{
	return eval_get_text(call, STR("To")).len == 0 &&
	       eval_get_text(call, STR("Apparently-To")).len == 0;
}

const struct eval_row EVAL_RECIPIENT[] = {
    {"sorted_recipients", 0, 0, "", NEED_HEADER,
	"seven or more recipients stand in the order of the alphabet",
	"HeaderEval", sorted_recipients},
    {"similar_recipients", 2, 2, "s", NEED_HEADER,
	"that part of all pairs of recipients begin alike: from, to or undef",
	"HeaderEval", similar_recipients},
    {"check_for_missing_to_header", 0, 0, "", NEED_HEADER, "there is no To",
	"HeaderEval", check_for_missing_to_header},
    {NULL, 0, 0, NULL, 0, NULL, NULL, NULL},
};
