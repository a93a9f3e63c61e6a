/* SPDX-License-Identifier: BSD-2-Clause */
/* eval_text -- what a reader sees of the text, what is hidden from him, and
 * what it holds. */
#include "base/arena.h"
#include "base/table.h"
#include "mail/html.h"
#include "rules/eval_rows.h"
#include "rules/wallet.h"

/* Words that look like an address; more are not tried. */
#define WALLETS_TRIED 1000
#define WALLET_MIN 25 /* a shorter word is no address */

/* Letters and digits; a character beyond ASCII counts once, blanks and marks of
 * U+20xx not. */
static size_t
count_letters(struct str text)
{
	size_t n = 0;
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.p[i];
		bool is_mark =
		    c == 0xc2 || c == 0xcd ||
		    (c == 0xe2 && i + 1 < text.len &&
			((unsigned char)text.p[i + 1] & 0xfc) == 0x80);
		n += char_is_alnum(text.p[i]) || (c >= 0xc3 && !is_mark);
	}
	return n;
}

struct seen_text {
	size_t visible, hidden, pictures;
};

static void
see_html(const struct html *html, struct seen_text *seen)
{
	seen->visible += count_letters(html->visible_text);
	seen->hidden += count_letters(html->hidden_text);
	const struct html_tag_count *pictures =
	    html_tag_count(html, STR("img"));
	seen->pictures += pictures != NULL && pictures->opened > 0;
}

/* Of two versions of one text, a reader is shown the HTML. */
static bool
is_shadowed(struct message *m, const struct part *part)
{
	if (part->parent == NULL ||
	    !str_eq(part->parent->type, STR("multipart/alternative")))
		return false;
	for (struct part *p = part->next; p != NULL; p = p->next)
		if (part_is_leaf(p)
			? part_html(m, p) != NULL
			: p->child != NULL && part_html(m, p->child) != NULL)
			return true;
	return false;
}

static void
see_parts(struct message *m, struct seen_text *seen)
{
	for (struct part *p = m->root; p != NULL; p = part_next(p)) {
		if (!part_is_leaf(p))
			continue;
		const struct html *html = part_html(m, p);
		if (html != NULL)
			see_html(html, seen);
		else if (!is_shadowed(m, p))
			seen->visible += count_letters(part_rendered(m, p));
	}
}

/* Counted once a message. */
static const struct seen_text *
see(struct eval_call *call)
{
	struct message *m = call->message;
	if (call->cache->seen == NULL) {
		call->cache->seen = ARENA_NEW(m->arena, struct seen_text);
		see_parts(m, call->cache->seen);
	}
	return call->cache->seen;
}

int
eval_hidden_text(struct eval_call *call)
{
	const struct seen_text *seen = see(call);
	double percent = call->nargs > 1 ? eval_number(call, 1) : 0;
	if ((double)seen->hidden < eval_number(call, 0) ||
	    (double)seen->hidden * 100 <
		percent * (double)(seen->hidden + seen->visible))
		return 0;
	return eval_hit(
	    call, str_printf(call->message->arena, "%zu hidden, %zu visible",
		      seen->hidden, seen->visible));
}

int
eval_visible_text(struct eval_call *call)
{
	const struct seen_text *seen = see(call);
	return (double)seen->visible >= eval_number(call, 0) &&
	       (double)seen->visible <= eval_number(call, 1);
}

int
eval_image_only(struct eval_call *call)
{
	const struct seen_text *seen = see(call);
	if (seen->pictures == 0 || (double)seen->visible > eval_number(call, 0))
		return 0;
	return eval_hit(call, str_printf(call->message->arena,
				  "%zu letters and a picture", seen->visible));
}

static unsigned
coins_wanted(const struct eval_call *call)
{
	unsigned coins = 0;
	for (size_t i = 0; i < call->nargs; i++)
		coins |= wallet_coin_parse(call->args[i]);
	return coins;
}

/*
 * The next run of WALLET_MIN letters and digits or more; empty: none.  It has
 * one of each WALLET_MIN bytes, so only that is looked at until there is one.
 */
static struct str
next_token(struct str *rest)
{
	for (size_t at = WALLET_MIN - 1, from, to; at < rest->len;
	     at = to + WALLET_MIN) {
		for (from = at; from > 0 && char_is_alnum(rest->p[from]);)
			from--;
		from += !char_is_alnum(rest->p[from]);
		for (to = at; to < rest->len && char_is_alnum(rest->p[to]);)
			to++;
		if (to >= from + WALLET_MIN) {
			struct str token = str_sub(*rest, from, to - from);
			*rest = str_skip(*rest, to);
			return token;
		}
	}
	*rest = STR_EMPTY;
	return STR_EMPTY;
}

int
eval_wallet_address(struct eval_call *call)
{
	const struct strs *body = message_body(call->message);
	unsigned wanted = coins_wanted(call);
	size_t tried = 0;
	for (size_t i = 0; i < body->n; i++) {
		struct str rest = body->v[i];
		for (;;) {
			struct str token = next_token(&rest);
			if (token.len == 0)
				break;
			if (++tried > WALLETS_TRIED)
				return 0;
			if (wallet_coin_of(token) & wanted)
				return eval_hit(call, token);
		}
	}
	return 0;
}
