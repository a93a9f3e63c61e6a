/* SPDX-License-Identifier: BSD-2-Clause */
/* rdata -- domain names and record data from the wire. */
#include "auth/rdata.h"

#include "base/arena.h"

/* Each length of a label stands for a dot, and the last one for the root. */
#define WIRE_MAX_BYTES (NAME_MAX_BYTES + 2)

bool
name_normal(struct str name, char ret[NAME_MAX_BYTES], size_t *ret_len)
{
	if (str_ends(name, STR(".")))
		name.len--;
	if (name.len == 0 || name.len > NAME_MAX_BYTES)
		return false;
	size_t label = 0;
	for (size_t i = 0; i < name.len; i++) {
		label = name.p[i] == '.' ? 0 : label + 1;
		bool is_empty = label == 0 && (i == 0 || ret[i - 1] == '.');
		if (is_empty || label > LABEL_MAX_BYTES)
			return false;
		ret[i] = char_lower(name.p[i]);
	}
	*ret_len = name.len;
	return label > 0;
}

static bool
is_plain(char c)
{
	return char_is_word(c) || c == '-' || c == '.';
}

void
name_escape(struct str name, char ret[NAME_TEXT_MAX])
{
	size_t len = 0;
	for (size_t i = 0; i < name.len && i < NAME_MAX_BYTES; i++) {
		unsigned byte = (unsigned char)name.p[i];
		if (is_plain(name.p[i])) {
			ret[len++] = name.p[i];
			continue;
		}
		ret[len++] = '\\';
		ret[len++] = (char)('0' + byte / 100);
		ret[len++] = (char)('0' + byte / 10 % 10);
		ret[len++] = (char)('0' + byte % 10);
	}
	ret[len] = '\0';
}

/* All of `wire` is one name, RFC 1035 section 3.1. */
static bool
name_read(struct arena *a, struct str wire, struct str *ret)
{
	if (wire.len == 0 || wire.len > WIRE_MAX_BYTES)
		return false;
	char *text = arena_alloc(a, wire.len);
	size_t len = 0, at = 0;
	for (;;) {
		size_t label = (unsigned char)wire.p[at++];
		if (label == 0)
			break;
		/* a byte for the length of the next one has to be left */
		if (label > LABEL_MAX_BYTES || label >= wire.len - at)
			return false;
		if (len > 0)
			text[len++] = '.';
		for (size_t end = at + label; at < end; at++) {
			if (wire.p[at] == '.')
				return false;
			text[len++] = char_lower(wire.p[at]);
		}
	}
	*ret = str_of(text, len);
	return at == wire.len;
}

static bool
a_read(struct arena *a, struct str rdata, struct str *ret)
{
	*ret = str_dup(a, rdata);
	return rdata.len == 4;
}

static bool
aaaa_read(struct arena *a, struct str rdata, struct str *ret)
{
	*ret = str_dup(a, rdata);
	return rdata.len == 16;
}

/* RFC 1035 section 3.3.9. */
static bool
mx_read(struct arena *a, struct str rdata, struct str *ret)
{
	struct str name;
	if (rdata.len < 2 || !name_read(a, str_skip(rdata, 2), &name))
		return false;
	char *p = arena_alloc(a, 2 + name.len);
	memcpy(p, rdata.p, 2);
	memcpy(p + 2, name.p, name.len);
	*ret = str_of(p, 2 + name.len);
	return true;
}

/* RFC 1035 section 3.3.14: one string or more, a length before each. */
static bool
txt_read(struct arena *a, struct str rdata, struct str *ret)
{
	if (rdata.len == 0)
		return false;
	char *text = arena_alloc(a, rdata.len);
	size_t len = 0;
	for (size_t at = 0; at < rdata.len;) {
		size_t n = (unsigned char)rdata.p[at++];
		if (n > rdata.len - at)
			return false;
		memcpy(text + len, rdata.p + at, n);
		len += n;
		at += n;
	}
	*ret = str_of(text, len);
	return true;
}

static const struct {
	unsigned type;
	bool (*read)(struct arena *, struct str, struct str *);
} forms[] = {
    {DNS_A, a_read},
    {DNS_CNAME, name_read},
    {DNS_PTR, name_read},
    {DNS_MX, mx_read},
    {DNS_TXT, txt_read},
    {DNS_AAAA, aaaa_read},
};

bool
rdata_read(struct arena *a, unsigned type, struct str rdata, struct str *ret)
{
	struct str data;
	for (size_t i = 0; i < COUNT_OF(forms); i++)
		if (forms[i].type == type) {
			if (!forms[i].read(a, rdata, &data))
				return false;
			*ret = data;
			return true;
		}
	return false;
}
