/* SPDX-License-Identifier: BSD-2-Clause */
/* msgid -- the Message-IDs in a field. */
#include "mail/msgid.h"

static bool
has_space_or_control(struct str text)
{
	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)text.p[i] <= ' ' || text.p[i] == 0x7f)
			return true;
	return false;
}

static size_t
add(struct str id, struct str *ret, size_t n, size_t max)
{
	id = str_trim(id);
	if (id.len == 0 || n == max || has_space_or_control(id))
		return n;
	id = str_sub(id, 0, MSGID_BYTES);
	for (size_t i = 0; i < n; i++)
		if (str_eq(ret[i], id))
			return n;
	ret[n] = id;
	return n + 1;
}

/* The last <...> of `*text`, which ends before it then; false: none. */
static bool
cut_last(struct str *text, struct str *ret)
{
	size_t close = str_rchr(*text, '>');
	if (close == STR_NONE)
		return false;
	size_t open = str_rchr(str_sub(*text, 0, close), '<');
	if (open == STR_NONE)
		return false;
	*ret = str_sub(*text, open + 1, close - open - 1);
	*text = str_sub(*text, 0, open);
	return true;
}

size_t
msgids_of(struct str value, struct str *ret, size_t max)
{
	struct str id;
	size_t n = 0;
	if (str_chr(value, '<') == STR_NONE)
		return add(value, ret, 0, max);
	while (n < max && cut_last(&value, &id))
		n = add(id, ret, n, max);
	return n;
}
