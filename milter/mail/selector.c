/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * selector -- which string a `header` rule runs on: names, modifiers, special
 * names.
 */
#include "mail/header.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/table.h"
#include "mail/address.h"
#include "mail/host_find.h"
#include "mail/relay.h"
#include "mail/relay_ip.h"
#include "mail/uri.h"

#define ALL_MAX_BYTES 65536
/* What costs besides bytes: to look at a name, to take a field, an address. */
#define NAME_EFFORT 4
#define FIELD_EFFORT 64

/* Names that are no header field. */
static const struct special_row {
	struct str name;
	enum header_special special;
	bool is_exact; /* case counts */
} SPECIALS[] = {
    {{"ALL", 3}, HEADER_ALL, true},
    {{"MESSAGEID", 9}, HEADER_MESSAGEID, true},
    {{"ToCc", 4}, HEADER_TOCC, false},
    {{"EnvelopeFrom", 12}, HEADER_ENVELOPE_FROM, false},
    {{"ALL-TRUSTED", 11}, HEADER_ALL_TRUSTED, true},
    {{"ALL-UNTRUSTED", 13}, HEADER_ALL_UNTRUSTED, true},
    {{"ALL-INTERNAL", 12}, HEADER_ALL_INTERNAL, true},
    {{"ALL-EXTERNAL", 12}, HEADER_ALL_EXTERNAL, true},
    {{"X-Spam-Relays-Trusted", 21}, HEADER_RELAYS_TRUSTED, false},
    {{"X-Spam-Relays-Untrusted", 23}, HEADER_RELAYS_UNTRUSTED, false},
    {{"X-Spam-Relays-Internal", 22}, HEADER_RELAYS_INTERNAL, false},
    {{"X-Spam-Relays-External", 22}, HEADER_RELAYS_EXTERNAL, false},
    {{"X-Postern-Rcpt", 14}, HEADER_ENVELOPE_TO, false},
    {{"X-Postern-Login", 15}, HEADER_LOGIN, false},
    {{"X-Postern-Class", 15}, HEADER_CLASS, false},
    {{"X-Postern-Client", 16}, HEADER_CLIENT, false},
    {{"X-Postern-Helo", 14}, HEADER_HELO, false},
};

static bool
modifier_set(struct header_query *query, struct str modifier)
{
	const struct {
		const char *name;
		bool *flag;
	} rows[] = {
	    {"raw", &query->is_raw},
	    {"addr", &query->is_addr},
	    {"name", &query->is_name},
	    {"first", &query->is_first},
	    {"last", &query->is_last},
	    {"host", &query->is_host},
	    {"domain", &query->is_domain},
	    {"ip", &query->is_ip},
	    {"revip", &query->is_revip},
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (str_eq(modifier, str_from(rows[i].name))) {
			*rows[i].flag = true;
			return true;
		}
	return false;
}

/* Names that are made of other fields, if the message has no such field. */
#define SENDER_DOMAIN STR("X-SenderDomain")
#define AUTHOR_DOMAIN STR("X-AuthorDomain")

bool
header_query_parse(struct str text, struct header_query *ret)
{
	struct header_query query = {.special = HEADER_PLAIN};
	struct str rest = text;
	query.name = str_cut(&rest, ':');
	if (query.name.len == 0)
		return false;
	query.key = header_name_key(query.name);
	query.is_made = str_ieq(query.name, SENDER_DOMAIN) ||
			str_ieq(query.name, AUTHOR_DOMAIN);
	while (rest.len > 0)
		if (!modifier_set(&query, str_cut(&rest, ':')))
			return false;
	for (size_t i = 0; i < COUNT_OF(SPECIALS); i++) {
		struct str name = SPECIALS[i].name;
		if (name.len != query.name.len)
			continue;
		if (SPECIALS[i].is_exact ? str_eq(query.name, name)
					 : str_ieq(query.name, name))
			query.special = SPECIALS[i].special;
	}
	*ret = query;
	return true;
}

bool
header_query_is_one(const struct header_query *query)
{
	return query->is_addr || query->is_name || query->is_host ||
	       query->is_domain || query->is_ip || query->is_revip ||
	       query->special == HEADER_ENVELOPE_FROM;
}

static struct str
with_newline(struct arena *a, struct str text)
{
	char *p = arena_alloc(a, text.len + 1);
	memcpy(p, text.p, text.len);
	p[text.len] = '\n';
	return str_of(p, text.len + 1);
}

/* Line ends and the blanks behind them to one blank. */
static struct str
unfold_raw(struct arena *a, struct str raw)
{
	char *p = arena_alloc(a, raw.len);
	size_t len = 0;
	for (size_t i = 0; i < raw.len; i++) {
		p[len++] = raw.p[i];
		if (raw.p[i] != '\n' || i + 1 == raw.len ||
		    !char_is_space(raw.p[i + 1]))
			continue;
		if (i > 0 && raw.p[i - 1] == '\r')
			len--;
		p[len - 1] = ' ';
		while (i + 1 < raw.len && char_is_space(raw.p[i + 1]))
			i++;
	}
	return str_of(p, len);
}

enum form { FORM_RAW, FORM_RAW_UNFOLDED, FORM_DECODED };

/* Every field of that name, top to bottom. */
static void
add_fields(struct message *m, struct str name, enum form form, struct strs *ret)
{
	struct headers *headers = &m->root->headers;
	size_t i = headers_find(headers, name, 0);
	if (i == headers->n ||
	    effort_is_over(&m->effort, headers->n * NAME_EFFORT))
		return;
	for (; i < headers->n; i = headers_find(headers, name, i + 1)) {
		struct header *header = &headers->v[i];
		if (effort_is_over(&m->effort, header->raw.len + FIELD_EFFORT))
			return;
		strs_add(m->arena, ret,
		    form == FORM_DECODED ? header_line(m, header)
		    : form == FORM_RAW   ? header->raw
					 : unfold_raw(m->arena, header->raw));
	}
}

/* Without the last field and its folds. */
static struct str
without_last_field(struct str block)
{
	for (;;) {
		size_t end = str_rchr(block, '\n');
		if (end == STR_NONE)
			return STR_EMPTY;
		struct str last = str_skip(block, end + 1);
		block.len =
		    last.len > 0 && char_is_blank(last.p[0]) ? end : end + 1;
		if (block.len == end + 1)
			return block;
	}
}

/*
 * The header block as it is, but folds without a field in front of them and a
 * field without line end.  With \r\n the empty line belongs to it.
 */
static void
add_all_raw(struct message *m, struct strs *ret)
{
	struct str block = m->header_block;
	struct str rest = str_sub(
	    m->full, block.len, m->full.len - m->body_block.len - block.len);
	if (str_eq(rest, STR("\r\n")))
		block = str_sub(m->full, 0, block.len + rest.len);
	while (block.len > 0 && char_is_blank(block.p[0]))
		(void)str_line(&block);
	if (block.len > 0 && block.p[block.len - 1] != '\n')
		block = without_last_field(block);
	if (m->trace.len > 0)
		strs_add(m->arena, ret, m->trace);
	if (block.len > 0)
		strs_add(m->arena, ret, block);
}

/* The next line of `*rest` with its \n. */
static struct str
line_cut(struct str *rest)
{
	size_t at = str_chr(*rest, '\n');
	struct str line = str_sub(*rest, 0, at == STR_NONE ? at : at + 1);
	*rest = str_skip(*rest, line.len);
	return line;
}

/* The next line with its folds. */
static struct str
field_cut(struct str *rest)
{
	struct str field = line_cut(rest);
	while (rest->len > 0 && char_is_blank(rest->p[0]))
		field.len += line_cut(rest).len;
	return field;
}

/* Fields of one name: the first and, through `next`, the others. */
struct group {
	size_t first, last;
};

struct all {
	struct table *groups;
	size_t *next; /* of the same name; SIZE_MAX: none */
	bool *is_in;  /* by field; NULL: all are */
	size_t size;
};

static void
all_group(struct arena *a, const struct headers *headers, struct all *all)
{
	all->groups = table_new(a, true);
	all->next = ARENA_ARRAY(a, size_t, headers->n);
	all->is_in = ARENA_ARRAY(a, bool, headers->n);
	for (size_t i = 0; i < headers->n; i++) {
		all->next[i] = SIZE_MAX;
		struct group *group =
		    table_get(all->groups, headers->v[i].name);
		if (group == NULL) {
			group = ARENA_NEW(a, struct group);
			group->first = i;
			table_set(all->groups, headers->v[i].name, group);
		} else {
			all->next[group->last] = i;
		}
		group->last = i;
	}
}

/* What field `i` takes of ALL; false: there is no room for it. */
static bool
all_has_room(struct message *m, struct all *all, size_t i)
{
	struct header *header = &m->root->headers.v[i];
	all->size += header->name.len + header_value(m, header).len + 3;
	return all->size <= ALL_MAX_BYTES;
}

/* "Name: value\n" at `p`. */
static struct str
field_line(char *p, const struct header *header)
{
	struct str name = header->name, value = header->value;
	memcpy(p, name.p, name.len);
	memcpy(p + name.len, ": ", 2);
	memcpy(p + name.len + 2, value.p, value.len);
	p[name.len + value.len + 2] = '\n';
	return str_of(p, name.len + value.len + 3);
}

/* The fields of one name are in ALL. */
static bool
all_add_group(struct message *m, struct all *all, const struct group *group)
{
	for (size_t i = group->first; i != SIZE_MAX; i = all->next[i]) {
		if (!all_has_room(m, all, i))
			return false;
		all->is_in[i] = true;
	}
	return true;
}

/*
 * Past 64 KB the rest of ALL is left out, counting name by name in the order in
 * which they first come.
 */
static void
all_by_name(struct message *m, struct all *all)
{
	*all = (struct all){0};
	all_group(m->arena, &m->root->headers, all);
	for (size_t i = 0; i < all->groups->n; i++)
		if (!all_add_group(m, all, all->groups->v[i].value))
			break;
}

/* The lines of ALL in order, one behind the other in memory. */
static void
all_make(struct message *m)
{
	const struct headers *headers = &m->root->headers;
	struct all all = {0};
	size_t n = 0;
	while (n < headers->n && all_has_room(m, &all, n))
		n++;
	if (n < headers->n)
		all_by_name(m, &all);
	char *p =
	    arena_alloc(m->arena, all.is_in == NULL ? all.size : ALL_MAX_BYTES);
	for (size_t i = 0; i < headers->n; i++) {
		if (all.is_in != NULL && !all.is_in[i])
			continue;
		struct str line = field_line(p, &headers->v[i]);
		strs_add(m->arena, &m->all_lines, line);
		p += line.len;
	}
}

static void
add_all(struct message *m, struct strs *ret)
{
	const struct strs *lines = &m->all_lines;
	if (effort_is_over(&m->effort, m->root->headers.n * FIELD_EFFORT))
		return;
	if (lines->n == 0)
		all_make(m);
	for (size_t i = 0; i < lines->n; i++)
		strs_add(m->arena, ret, lines->v[i]);
}

static void
add_message_ids(struct message *m, enum form form, struct strs *ret)
{
	static const char *const names[] = {"X-Message-Id", "Resent-Message-Id",
	    "X-Original-Message-ID", "Message-Id"};
	struct strs all = {0};
	for (size_t i = 0; i < COUNT_OF(names); i++)
		add_fields(m, str_from(names[i]), form, &all);
	for (size_t i = 0; i < all.n; i++)
		if (all.v[i].len > 0)
			strs_add(m->arena, ret, all.v[i]);
}

/*
 * The header block field by field, as it is or decoded; without the hops that
 * somebody does not trust, or with them alone.  The field of the host where
 * trust ends counts as both.
 */
static void
add_range(struct message *m, const struct header_query *query, struct strs *ret)
{
	const struct relays *relays = message_relays(m);
	bool is_trust = query->special == HEADER_ALL_TRUSTED ||
			query->special == HEADER_ALL_UNTRUSTED;
	bool is_upper = query->special == HEADER_ALL_TRUSTED ||
			query->special == HEADER_ALL_INTERNAL;
	size_t border =
	    is_trust ? relays->fields_trusted : relays->fields_internal;
	struct strs all = {0};
	if (query->is_raw)
		add_all_raw(m, &all);
	else
		add_all(m, &all);
	size_t nreceived = 0;
	for (size_t i = 0; i < all.n; i++) {
		struct str rest = all.v[i];
		while (rest.len > 0) {
			struct str line =
			    query->is_raw ? field_cut(&rest) : line_cut(&rest);
			bool is_hop = str_istarts(line, STR("Received:"));
			nreceived += is_hop;
			bool is_border = is_hop && nreceived == border + 1;
			if (is_border || (nreceived <= border) == is_upper)
				strs_add(m->arena, ret, line);
			if (is_border && is_upper)
				return;
		}
	}
}

/* A trap for fetchmail: it takes the sender for that of the envelope. */
static bool
is_fetched(struct message *m)
{
	struct strs addresses = {0}, received = {0};
	const struct header *sender =
	    header_first(&m->root->headers, STR("X-Sender"));
	if (sender == NULL)
		return false;
	address_addrs(m->arena, sender->raw, &addresses);
	if (addresses.n == 0 || str_chr(addresses.v[0], '@') == STR_NONE)
		return false;
	add_fields(m, STR("Received"), FORM_DECODED, &received);
	for (size_t i = 0; i < received.n; i++)
		if (str_find(received.v[i], STR("(fetchmail")) != STR_NONE)
			return true;
	return false;
}

/* What the newest host that is not trusted was told, else the oldest one. */
static bool
sender_of_relays(struct message *m, struct str *ret)
{
	const struct relays *relays = message_relays(m);
	if (relays->n == 0)
		return false;
	const struct relay *relay = relays->n_trusted < relays->n
					? &relays->v[relays->n_trusted]
					: &relays->v[relays->n - 1];
	size_t at = str_chr(relay->envfrom, '@');
	*ret = relay->envfrom;
	return relay->has_envfrom &&
	       (relay->envfrom.len == 0 || (at != 0 && at != STR_NONE));
}

/*
 * Without an envelope: the sender in a Received field, or the first address of
 * a field that a delivery agent may have left, unless a Received stands above
 * it, for then it is of an earlier hop.
 */
static void
add_guessed_sender(struct message *m, struct strs *ret)
{
	static const char *const names[] = {
	    "X-Envelope-From", "Envelope-Sender", "Return-Path"};
	const struct headers *headers = &m->root->headers;
	const struct header *received = header_first(headers, STR("Received"));
	struct str sender;
	if (sender_of_relays(m, &sender)) {
		strs_add(m->arena, ret, sender);
		return;
	}
	if (is_fetched(m))
		return;
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		const struct header *field =
		    header_first(headers, str_from(names[i]));
		struct strs addresses = {0};
		if (field != NULL)
			address_addrs(m->arena, field->raw, &addresses);
		if (addresses.n == 0)
			continue;
		const struct header *last =
		    header_last(headers, str_from(names[i]));
		if (received == NULL || last < received)
			strs_add(m->arena, ret, addresses.v[0]);
		if (ret->n > 0 || i == 0)
			return;
	}
}

static struct str
client_text(struct arena *a, const struct envelope *envelope)
{
	struct buf *text = buf_new(
	    a, envelope->client_addr.len + envelope->client_name.len + 1);
	buf_put(text, envelope->client_addr);
	if (envelope->client_name.len > 0)
		buf_putc(text, ' ');
	buf_put(text, envelope->client_name);
	return buf_str(text);
}

static void
add_relays(struct message *m, enum header_special special, struct strs *ret)
{
	const struct relays *relays = message_relays(m);
	const struct {
		enum header_special special;
		struct str text;
	} rows[] = {
	    {HEADER_RELAYS_TRUSTED, relays->trusted},
	    {HEADER_RELAYS_UNTRUSTED, relays->untrusted},
	    {HEADER_RELAYS_INTERNAL, relays->internal},
	    {HEADER_RELAYS_EXTERNAL, relays->external},
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (rows[i].special == special)
			strs_add(m->arena, ret, rows[i].text);
}

static void
add_unless_empty(struct message *m, struct str text, struct strs *ret)
{
	if (text.len > 0)
		strs_add(m->arena, ret, with_newline(m->arena, text));
}

/* What only the envelope says; nothing if it is not known. */
static void
add_envelope(struct message *m, enum header_special special, struct strs *ret)
{
	const struct envelope *envelope = m->envelope;
	if (special == HEADER_ENVELOPE_FROM &&
	    (envelope == NULL || envelope->is_guessed))
		add_guessed_sender(m, ret);
	if (envelope == NULL)
		return;
	switch (special) {
	case HEADER_ENVELOPE_FROM: /* the null sender is empty, not absent */
		if (!envelope->is_guessed)
			strs_add(m->arena, ret, envelope->from);
		break;
	case HEADER_ENVELOPE_TO:
		for (size_t i = 0; i < envelope->rcpt.n; i++)
			add_unless_empty(m, envelope->rcpt.v[i], ret);
		break;
	case HEADER_LOGIN:
		add_unless_empty(m, envelope->login, ret);
		break;
	case HEADER_CLASS:
		add_unless_empty(m, mail_class_name(envelope->class), ret);
		break;
	case HEADER_CLIENT:
		add_unless_empty(m, client_text(m->arena, envelope), ret);
		break;
	case HEADER_HELO:
		add_unless_empty(m, envelope->helo, ret);
		break;
	case HEADER_PLAIN:
	case HEADER_ALL:
	case HEADER_TOCC:
	case HEADER_MESSAGEID:
	case HEADER_ALL_TRUSTED:
	case HEADER_ALL_UNTRUSTED:
	case HEADER_ALL_INTERNAL:
	case HEADER_ALL_EXTERNAL:
	case HEADER_RELAYS_TRUSTED:
	case HEADER_RELAYS_UNTRUSTED:
	case HEADER_RELAYS_INTERNAL:
	case HEADER_RELAYS_EXTERNAL:
		break;
	}
}

/* Behind the last @ with something behind it; empty: none. */
static struct str
host_of(struct str address)
{
	for (size_t at; (at = str_rchr(address, '@')) != STR_NONE;
	     address.len = at) {
		struct str host = str_skip(address, at + 1);
		struct str word = str_word(&(struct str){host.p, host.len});
		if (word.len > 0 && word.p == host.p)
			return word;
	}
	return STR_EMPTY;
}

/* The domains of the authors, or of the envelope's sender. */
static void
add_domain(struct message *m, struct str name, struct strs *ret)
{
	struct arena *a = m->arena;
	struct strs fields = {0}, addresses = {0}, hosts = {0};
	bool is_sender = str_ieq(name, SENDER_DOMAIN);
	struct table *seen = table_new(a, false);
	if (is_sender)
		add_envelope(m, HEADER_ENVELOPE_FROM, &fields);
	else
		add_fields(m, STR("From"), FORM_RAW, &fields);
	for (size_t i = 0; i < fields.n; i++)
		address_addrs(a, fields.v[i], &addresses);
	for (size_t i = 0; i < addresses.n; i++) {
		struct str host = host_of(addresses.v[i]);
		if (host.len == 0 || table_has(seen, host))
			continue;
		table_set(seen, host, seen);
		strs_add(a, &hosts, host);
	}
	if (hosts.n == 0)
		return;
	struct buf *text = buf_new(a, SIZE_MAX);
	for (size_t i = 0; i < hosts.n && !(is_sender && i > 0); i++) {
		if (i > 0)
			buf_putc(text, ' ');
		buf_put(text, str_lower(a, hosts.v[i]));
	}
	strs_add(a, ret, buf_str(text));
}

/* The fields that are meant, before :first, :addr and :name. */
static void
add_selected(
    struct message *m, const struct header_query *query, struct strs *ret)
{
	bool is_parsed = query->is_addr || query->is_name;
	enum form form = query->is_raw ? FORM_RAW_UNFOLDED : FORM_DECODED;
	switch (query->special) {
	case HEADER_PLAIN:
		add_fields(m, query->name,
		    query->is_raw || is_parsed ? FORM_RAW : FORM_DECODED, ret);
		if (ret->n == 0 && query->is_made)
			add_domain(m, query->name, ret);
		break;
	case HEADER_ALL:
		if (query->is_raw)
			add_all_raw(m, ret);
		else
			add_all(m, ret);
		break;
	case HEADER_TOCC:
		add_fields(m, STR("To"), form, ret);
		add_fields(m, STR("Cc"), form, ret);
		break;
	case HEADER_MESSAGEID:
		add_message_ids(m, form, ret);
		break;
	case HEADER_ALL_TRUSTED:
	case HEADER_ALL_UNTRUSTED:
	case HEADER_ALL_INTERNAL:
	case HEADER_ALL_EXTERNAL:
		add_range(m, query, ret);
		break;
	case HEADER_RELAYS_TRUSTED:
	case HEADER_RELAYS_UNTRUSTED:
	case HEADER_RELAYS_INTERNAL:
	case HEADER_RELAYS_EXTERNAL:
		add_relays(m, query->special, ret);
		break;
	case HEADER_ENVELOPE_FROM:
	case HEADER_ENVELOPE_TO:
	case HEADER_LOGIN:
	case HEADER_CLASS:
	case HEADER_CLIENT:
	case HEADER_HELO:
		add_envelope(m, query->special, ret);
		break;
	}
}

/* Blanks collapsed, trimmed, one pair of ' taken off. */
static struct str
tidy_name(struct arena *a, struct str name)
{
	struct str text = str_trim(name);
	if (text.len == 0)
		return name;
	char *p = arena_alloc(a, text.len);
	size_t len = 0;
	for (size_t i = 0; i < text.len; i++) {
		bool is_space = char_is_space(text.p[i]);
		if (!is_space || !char_is_space(text.p[i - 1]))
			p[len++] = is_space ? ' ' : text.p[i];
	}
	if (len >= 2 && p[0] == '\'' && p[len - 1] == '\'')
		return str_of(p + 1, len - 2);
	return str_of(p, len);
}

/* The addresses of one field, with their names. */
struct addressed {
	struct strs addrs, names;
};

/* Many rules ask for the same ones. */
static const struct addressed *
addressed_in(struct message *m, struct str field)
{
	if (m->addressed == NULL)
		m->addressed = table_new(m->arena, false);
	void **known = table_at(m->addressed, field);
	if (*known == NULL) {
		struct addressed *fresh = ARENA_NEW(m->arena, struct addressed);
		address_read(m->arena, field, &fresh->addrs, &fresh->names);
		*known = fresh;
	}
	return *known;
}

/* Addresses or names in the fields of `from`. */
static void
add_parsed(struct message *m, const struct header_query *query,
    const struct strs *from, struct strs *ret)
{
	struct arena *a = m->arena;
	struct strs names = {0};
	for (size_t i = 0; i < from->n; i++) {
		if (effort_is_over(&m->effort, from->v[i].len + FIELD_EFFORT))
			return;
		const struct addressed *in = addressed_in(m, from->v[i]);
		if (query->is_addr)
			strs_add_all(a, ret, &in->addrs);
		else
			strs_add_all(a, &names, &in->names);
	}
	for (size_t i = 0; i < names.n; i++)
		strs_add(a, ret,
		    query->is_raw ? names.v[i]
				  : tidy_name(a, header_decode(a, names.v[i])));
}

/* What `host` is registered under; all of it if nobody knows. */
static struct str
domain_of(struct message *m, struct str host)
{
	struct str domain = tld_domain(m->arena, m->config->tlds, host);
	if (domain.len > 0)
		return domain;
	while (str_starts(host, STR(".")))
		host = str_skip(host, 1);
	while (str_ends(host, STR(".")))
		host.len--;
	return str_lower(m->arena, host);
}

/* Of addresses, or anywhere in the text of fields. */
static void
add_hosts(struct message *m, const struct header_query *query,
    const struct strs *texts, struct strs *ret)
{
	for (size_t i = 0; i < texts->n; i++) {
		if (effort_is_over(&m->effort, texts->v[i].len + FIELD_EFFORT))
			return;
		struct str host = query->is_addr ? host_of(texts->v[i])
						 : host_find(m->arena,
						       m->config, texts->v[i]);
		if (host.len > 0)
			strs_add(m->arena, ret,
			    query->is_domain ? domain_of(m, host) : host);
	}
}

static void
add_ips(struct message *m, bool is_reversed, const struct strs *texts,
    struct strs *ret)
{
	struct str ip;
	for (size_t i = 0; i < texts->n; i++) {
		if (effort_is_over(&m->effort, texts->v[i].len + FIELD_EFFORT))
			return;
		if (!relay_ip_find_word(texts->v[i], &ip))
			continue;
		if (is_reversed)
			ip = ip_reversed(m->arena, ip);
		if (ip.len > 0)
			strs_add(m->arena, ret, ip);
	}
}

/* The hosts, domains or addresses in `found`; it stays if none is wanted. */
static void
reduce(struct message *m, const struct header_query *query, struct strs *found)
{
	struct strs parts = {0};
	if (query->is_host || query->is_domain)
		add_hosts(m, query, found, &parts);
	else if (query->is_ip || query->is_revip)
		add_ips(m, query->is_revip, found, &parts);
	else
		return;
	*found = parts;
}

/* They stand one behind the other in memory. */
static bool
is_joined(const struct strs *list)
{
	for (size_t i = 1; i < list->n; i++)
		if (list->v[i].p != list->v[i - 1].p + list->v[i - 1].len)
			return false;
	return true;
}

static struct str
join(struct arena *a, const struct strs *list)
{
	struct str first = list->v[0];
	bool has_ends = first.len > 0 && first.p[first.len - 1] == '\n';
	size_t len = 0;
	for (size_t i = 0; i < list->n; i++)
		len += list->v[i].len;
	if (list->n == 1 || (has_ends && is_joined(list)))
		return str_of(first.p, len);
	size_t size = len + list->n;
	struct buf *out = buf_new(a, size);
	buf_reserve(out, size);
	for (size_t i = 0; i < list->n; i++) {
		if (i > 0 && !has_ends)
			buf_putc(out, '\n');
		buf_put(out, list->v[i]);
	}
	return buf_str(out);
}

void
header_query_list(
    struct message *m, const struct header_query *query, struct strs *ret)
{
	struct strs found = {0}, parsed = {0};
	add_selected(m, query, &found);
	bool is_all = query->special >= HEADER_ALL_TRUSTED &&
		      query->special <= HEADER_ALL_EXTERNAL;
	is_all = is_all || query->special == HEADER_ALL;
	if (!is_all && found.n > 1) {
		if (query->is_first)
			found.n = 1;
		else if (query->is_last)
			found = (struct strs){&found.v[found.n - 1], 1, 1};
	}
	if (!is_all && (query->is_addr || query->is_name)) {
		add_parsed(m, query, &found, &parsed);
		found = parsed;
	}
	if (!is_all)
		reduce(m, query, &found);
	if (ret->n == 0)
		*ret = (struct strs){found.v, found.n, found.n};
	else
		for (size_t i = 0; i < found.n; i++)
			strs_add(m->arena, ret, found.v[i]);
}

bool
header_query_run(
    struct message *m, const struct header_query *query, struct str *ret)
{
	struct strs found = {0};
	if (query->special == HEADER_PLAIN && !query->is_made &&
	    !headers_may_have(&m->root->headers, query->key))
		return false;
	header_query_list(m, query, &found);
	if (found.n == 0)
		return false;
	*ret = join(m->arena, &found);
	return true;
}
