/* SPDX-License-Identifier: BSD-2-Clause */
/* relay_ip -- addresses as SpamAssassin's regular expressions find them. */
#include "mail/relay_ip.h"

#include "mail/scan.h"

static bool
is_hex(char c)
{
	return char_hex(c) >= 0;
}

static bool
is_v6_char(char c)
{
	return is_hex(c) || c == ':';
}

/* Perl's \b between `at - 1` and `at`. */
static bool
is_boundary(struct str text, size_t at)
{
	bool before = at > 0 && char_is_word(text.p[at - 1]);
	bool behind = at < text.len && char_is_word(text.p[at]);
	return before != behind;
}

/* A number up to 255 without leading zeros: its end, or `at`. */
static size_t
octet_end(struct str text, size_t at)
{
	unsigned value = 0;
	size_t i = at;
	while (i < text.len && i < at + 3 && char_is_digit(text.p[i])) {
		unsigned next = value * 10 + (unsigned)(text.p[i] - '0');
		if (next > 255 || (i > at && value == 0))
			break;
		value = next;
		i++;
	}
	return i;
}

/* Four octets: their end, or `at`. */
static size_t
quad_end(struct str text, size_t at)
{
	size_t i = at;
	for (unsigned n = 0; n < 4; n++) {
		if (n > 0 && (i >= text.len || text.p[i++] != '.'))
			return at;
		size_t end = octet_end(text, i);
		if (end == i)
			return at;
		i = end;
	}
	return i;
}

/* Words of up to four hex digits on both sides of "::". */
struct words {
	unsigned left, right;
	bool has_gap;
	bool is_zero; /* all but the last */
	struct str last;
};

/*
 * `text` is hex digits and colons only.  `is_open`: it ends in a colon that
 * belongs to the word in front, for something else follows.
 */
static bool
words_read(struct str text, bool is_open, struct words *ret)
{
	*ret = (struct words){.is_zero = true, .last = STR_EMPTY};
	for (size_t i = 0; i < text.len;) {
		size_t from = i;
		while (i < text.len && text.p[i] != ':')
			i++;
		if (i > from) {
			if (i - from > 4)
				return false;
			for (size_t k = 0; k < ret->last.len; k++)
				ret->is_zero &= ret->last.p[k] == '0';
			ret->last = str_sub(text, from, i - from);
			*(ret->has_gap ? &ret->right : &ret->left) += 1;
		}
		if (i == text.len)
			return !is_open;
		bool is_gap = i + 1 < text.len && text.p[i + 1] == ':';
		if ((is_gap && ret->has_gap) || (!is_gap && i == from))
			return false;
		ret->has_gap |= is_gap;
		i += is_gap ? 2 : 1;
		if (i == text.len)
			return is_gap || is_open;
	}
	return false;
}

static size_t
v6_run_end(struct str text, size_t at)
{
	while (at < text.len && is_v6_char(text.p[at]))
		at++;
	return at;
}

/* Where the address behind "IPv6:" starts; STR_NONE: none can start here. */
static size_t
v6_start(struct str text, size_t at)
{
	if (str_istarts(str_skip(text, at), STR("IPv6:")))
		return at + 5;
	bool is_inside = at > 0 && is_v6_char(text.p[at - 1]);
	return is_inside ? STR_NONE : at;
}

/* The dotted part of "::ffff:192.0.2.1" starts here; STR_NONE: there is none.
 */
static size_t
dotted_start(struct str text, size_t from, size_t run_end)
{
	if (run_end >= text.len || text.p[run_end] != '.')
		return STR_NONE;
	size_t colon = str_rchr(str_sub(text, from, run_end - from), ':');
	return colon == STR_NONE ? STR_NONE : from + colon + 1;
}

/* Of the IPv4 address in an IPv6 one; STR_NONE. */
static size_t
mapped_end(struct str text, size_t from, struct words *ret)
{
	size_t run_end = v6_run_end(text, from);
	size_t dotted = dotted_start(text, from, run_end);
	if (dotted == STR_NONE)
		return STR_NONE;
	size_t end = quad_end(text, dotted);
	if (end == dotted || (end < text.len && is_v6_char(text.p[end])))
		return STR_NONE;
	if (!words_read(str_sub(text, from, dotted - from), true, ret))
		return STR_NONE;
	unsigned n = ret->left + ret->right;
	return (ret->has_gap ? n <= 5 : n == 6) ? end : STR_NONE;
}

static bool
is_v6(struct str run, struct words *ret)
{
	if (!words_read(run, false, ret))
		return false;
	unsigned n = ret->left + ret->right;
	return ret->has_gap ? n <= 7 : n == 8;
}

static size_t
v4_end(struct str text, size_t at)
{
	if (!is_boundary(text, at) || (at > 0 && text.p[at - 1] == ':'))
		return at;
	size_t end = quad_end(text, at);
	return end > at && is_boundary(text, end) ? end : at;
}

size_t
relay_ip_ends(struct str text, size_t at, size_t ret_ends[RELAY_IP_ENDS])
{
	if (at >= text.len)
		return 0;
	size_t n = 0;
	if (char_is_digit(text.p[at])) {
		size_t end = v4_end(text, at);
		if (end > at) {
			ret_ends[0] = end;
			return 1;
		}
	}
	size_t from = v6_start(text, at);
	if (from == STR_NONE || from >= text.len || !is_v6_char(text.p[from]))
		return 0;
	struct words words;
	size_t run_end = v6_run_end(text, from);
	size_t mapped = mapped_end(text, from, &words);
	if (mapped != STR_NONE)
		ret_ends[n++] = mapped;
	if (is_v6(str_sub(text, from, run_end - from), &words))
		ret_ends[n++] = run_end;
	return n;
}

static bool
is_loopback_word(struct str word)
{
	for (size_t i = 0; i + 1 < word.len; i++)
		if (word.p[i] != '0')
			return false;
	return word.len > 0 && word.p[word.len - 1] == '1';
}

/* "::1" in any spelling, and behind it none that would belong to it. */
static bool
is_v6_loopback(struct str run)
{
	struct words words;
	return is_v6(run, &words) && words.is_zero &&
	       (!words.has_gap || words.right > 0) &&
	       is_loopback_word(words.last);
}

/* "::ffff:127.0.0.1" */
static size_t
mapped_local_end(struct str text, size_t from)
{
	struct words words;
	size_t end = mapped_end(text, from, &words);
	struct str local = STR("127.0.0.1");
	if (end == STR_NONE || end - from < local.len || !words.is_zero ||
	    !str_ieq(words.last, STR("ffff")) ||
	    !str_eq(str_sub(text, end - local.len, local.len), local) ||
	    text.p[end - local.len - 1] != ':')
		return STR_NONE;
	return end;
}

size_t
relay_ip_local_ends(struct str text, size_t at, size_t ret_ends[RELAY_IP_ENDS])
{
	struct str rest = str_skip(text, at);
	size_t n = 0;
	if (str_istarts(rest, STR("localhost"))) {
		if (str_istarts(rest, STR("localhost.localdomain")))
			ret_ends[n++] = at + 21;
		ret_ends[n++] = at + 9;
		return n;
	}
	if (str_starts(rest, STR("127.0.0.1")) && v4_end(text, at) == at + 9) {
		ret_ends[0] = at + 9;
		return 1;
	}
	size_t from = v6_start(text, at);
	if (from == STR_NONE)
		return 0;
	size_t end = mapped_local_end(text, from);
	if (end != STR_NONE)
		ret_ends[n++] = end;
	size_t run_end = v6_run_end(text, from);
	if (is_v6_loopback(str_sub(text, from, run_end - from)))
		ret_ends[n++] = run_end;
	return n;
}

bool
relay_ip_is_v4(struct str text)
{
	return text.len > 0 && quad_end(text, 0) == text.len;
}

/* The number in front of a dot, which is cut off; UINT64_MAX: none. */
static uint64_t
cut_number(struct str *rest)
{
	uint64_t n = UINT64_MAX;
	size_t end = scan_digits(*rest, 0);
	struct str digits = str_sub(*rest, 0, end);
	if (end == 0 || end > 3 || (end > 1 && digits.p[0] == '0') ||
	    !str_u64(digits, 999, &n) || end == rest->len ||
	    rest->p[end] != '.')
		return UINT64_MAX;
	*rest = str_skip(*rest, end + 1);
	return n;
}

static bool
is_private_v4(struct str text)
{
	struct str rest = text;
	uint64_t first = cut_number(&rest);
	if (first == 10 || first == 127)
		return true;
	uint64_t second = cut_number(&rest);
	return (first == 169 && second == 254) ||
	       (first == 192 && second == 168) ||
	       (first == 172 && second >= 16 && second <= 31) ||
	       (first == 100 && second >= 64 && second <= 127);
}

static bool
is_link_local(struct str text)
{
	return text.len >= 5 && str_istarts(text, STR("fe")) &&
	       (char_hex(text.p[2]) & 12) == 8 && is_hex(text.p[3]) &&
	       text.p[4] == ':';
}

bool
relay_ip_is_private(struct str text)
{
	return is_private_v4(text) || is_link_local(text) ||
	       is_v6_loopback(str_sub(text, 0, v6_run_end(text, 0)));
}

bool
relay_ip_find(struct str text, struct str *ret)
{
	size_t ends[RELAY_IP_ENDS];
	for (size_t at = 0; at < text.len; at++)
		if (relay_ip_ends(text, at, ends) > 0) {
			*ret = str_sub(text, at, ends[0] - at);
			return true;
		}
	return false;
}

bool
relay_ip_find_word(struct str text, struct str *ret)
{
	size_t ends[RELAY_IP_ENDS];
	for (size_t at = 0; at < text.len; at++) {
		bool is_start =
		    is_boundary(text, at) && (at == 0 || text.p[at - 1] != '.');
		size_t n = is_start ? relay_ip_ends(text, at, ends) : 0;
		for (size_t i = 0; i < n; i++) {
			if (!is_boundary(text, ends[i]) ||
			    (ends[i] < text.len && text.p[ends[i]] == '.'))
				continue;
			*ret = str_sub(text, at, ends[i] - at);
			return true;
		}
	}
	return false;
}
