/* SPDX-License-Identifier: BSD-2-Clause */
/* address_list -- from lines of addresses to lists that are fast to ask. */
#include "rules/address_list.h"

#include "base/arena.h"
#include "base/ip.h"
#include "base/table.h"
#include "mail/relay.h"
#include "rules/glob.h"
#include "rules/list_make.h"

#define OWNER_PREFIX "FNS_"
#define LINE_WORDS 2 /* address and relay, address and signer */

/* One pattern as it was written, in lower case. */
struct entry {
	bool is_on; /* false: taken back */
	/* Relays, or domains that sign, of the lists that name some. */
	struct strs partners;
};

struct address_list {
	struct table *entries; /* struct entry by pattern */
	struct globs *globs;   /* struct entry * */
};

struct address_lists {
	struct arena *arena;
	struct table *by_name; /* struct address_list */
};

/* What a line of settings does; to which lists. */
static const struct setting_kind {
	const char *name;
	enum {
		ENLIST,
		DELIST,
		ENLIST_RELAYED,
		ENLIST_SIGNED,
		DELIST_SIGNED,
		ENLIST_NAMED,
		ENLIST_OWNER,
		DELIST_OWNER
	} what;
	const char *lists[2]; /* the first one: its own, if NULL */
} kinds[] = {
    {"welcomelist_from", ENLIST, {NULL}},
    {"welcomelist_to", ENLIST, {NULL}},
    {"welcomelist_allows_relays", ENLIST, {NULL}},
    {"welcomelist_auth", ENLIST, {NULL}},
    {"def_welcomelist_auth", ENLIST, {NULL}},
    {"welcomelist_from_spf", ENLIST, {NULL}},
    {"def_welcomelist_from_spf", ENLIST, {NULL}},
    {"blocklist_from", ENLIST, {NULL}},
    {"blocklist_to", ENLIST, {NULL}},
    {"more_spam_to", ENLIST, {NULL}},
    {"all_spam_to", ENLIST, {NULL}},
    {"welcomelist_from_rcvd", ENLIST_RELAYED, {NULL}},
    {"def_welcomelist_from_rcvd", ENLIST_RELAYED, {NULL}},
    {"enlist_addrlist", ENLIST_NAMED, {NULL}},
    {"fns_add_addrlist", ENLIST_OWNER, {NULL}},
    {"fns_remove_addrlist", DELIST_OWNER, {NULL}},
    {"unwelcomelist_from", DELIST, {"welcomelist_from"}},
    {"unblocklist_from", DELIST, {"blocklist_from"}},
    {"unwelcomelist_auth", DELIST,
	{"welcomelist_auth", "def_welcomelist_auth"}},
    {"unwelcomelist_from_spf", DELIST,
	{"welcomelist_from_spf", "def_welcomelist_from_spf"}},
    {"unwelcomelist_from_rcvd", DELIST,
	{"welcomelist_from_rcvd", "def_welcomelist_from_rcvd"}},
    {"welcomelist_from_dkim", ENLIST_SIGNED, {NULL}},
    {"def_welcomelist_from_dkim", ENLIST_SIGNED, {NULL}},
    {"unwelcomelist_from_dkim", DELIST_SIGNED,
	{"welcomelist_from_dkim", "def_welcomelist_from_dkim"}},
};

static struct address_list *
list_of(struct address_lists *lists, struct str name)
{
	struct address_list *list = table_get(lists->by_name, name);
	if (list == NULL) {
		list = ARENA_NEW(lists->arena, struct address_list);
		list->entries = table_new(lists->arena, false);
		list->globs = globs_new(lists->arena);
		table_set(lists->by_name, name, list);
	}
	return list;
}

/* The entry of a pattern, switched on; one that was taken back starts anew. */
static struct entry *
entry_on(
    struct address_lists *lists, struct address_list *list, struct str pattern)
{
	pattern = str_lower(lists->arena, pattern);
	struct entry *entry = table_get(list->entries, pattern);
	if (entry == NULL) {
		entry = ARENA_NEW(lists->arena, struct entry);
		table_set(list->entries, pattern, entry);
	}
	if (!entry->is_on)
		*entry = (struct entry){.is_on = true};
	return entry;
}

static void
enlist(struct address_lists *lists, struct str name, struct str words)
{
	struct address_list *list = list_of(lists, name);
	for (struct str word; (word = str_word(&words)).len > 0;)
		(void)entry_on(lists, list, word);
}

static void
delist(struct address_lists *lists, struct str name, struct str words)
{
	struct address_list *list = list_of(lists, name);
	for (struct str word; (word = str_word(&words)).len > 0;) {
		struct entry *entry =
		    table_get(list->entries, str_lower(lists->arena, word));
		if (entry != NULL)
			entry->is_on = false;
	}
}

/* Words of `text`, at most LINE_WORDS + 1. */
static size_t
words_cut(struct str text, struct str ret[LINE_WORDS])
{
	size_t n = 0;
	for (struct str word;
	     n <= LINE_WORDS && (word = str_word(&text)).len > 0; n++)
		if (n < LINE_WORDS)
			ret[n] = word;
	return n;
}

static bool
enlist_relayed(struct address_lists *lists, const struct setting_line *line)
{
	struct str words[LINE_WORDS];
	if (words_cut(line->value, words) != LINE_WORDS)
		return false;
	struct address_list *list = list_of(lists, line->name);
	struct entry *entry = entry_on(lists, list, words[0]);
	strs_add(
	    lists->arena, &entry->partners, str_lower(lists->arena, words[1]));
	return true;
}

/* "address signer"; without a signer it is the domain of the address: empty. */
static bool
signed_read(struct arena *a, struct str text, struct str *ret_address,
    struct str *ret_signer)
{
	struct str words[LINE_WORDS] = {STR_EMPTY, STR_EMPTY};
	if (words_cut(text, words) > LINE_WORDS)
		return false;
	*ret_address = words[0];
	*ret_signer = str_lower(a, words[1]);
	return true;
}

static bool
enlist_signed(struct address_lists *lists, const struct setting_line *line)
{
	struct str address, signer;
	if (!signed_read(lists->arena, line->value, &address, &signer))
		return false;
	struct address_list *list = list_of(lists, line->name);
	struct entry *entry = entry_on(lists, list, address);
	if (!strs_has(&entry->partners, signer))
		strs_add(lists->arena, &entry->partners, signer);
	return true;
}

/* The entry is gone with its last signer. */
static void
signer_drop(struct entry *entry, struct str signer)
{
	size_t n = 0;
	for (size_t i = 0; i < entry->partners.n; i++)
		if (!str_eq(entry->partners.v[i], signer))
			entry->partners.v[n++] = entry->partners.v[i];
	entry->partners.n = n;
	entry->is_on = n > 0;
}

static bool
delist_signed(struct address_lists *lists, const struct setting_kind *kind,
    struct str value)
{
	struct str address, signer;
	if (!signed_read(lists->arena, value, &address, &signer))
		return false;
	address = str_lower(lists->arena, address);
	for (size_t i = 0; i < COUNT_OF(kind->lists); i++) {
		struct address_list *list =
		    list_of(lists, str_from(kind->lists[i]));
		struct entry *entry = table_get(list->entries, address);
		if (entry != NULL)
			signer_drop(entry, signer);
	}
	return true;
}

/* The list of an owner, by the name SpamAssassin's plugin gives it. */
static struct str
owner_list(struct arena *a, struct str owner)
{
	return str_printf(a, OWNER_PREFIX "%.*s", STR_ARG(str_lower(a, owner)));
}

/* NULL: it did what it says; otherwise how such a line is written. */
static const char *
line_apply(struct address_lists *lists, const struct setting_kind *kind,
    const struct setting_line *line)
{
	struct str value = line->value, name;
	if (value.len == 0)
		return "address ...";
	switch (kind->what) {
	case ENLIST:
		enlist(lists, line->name, value);
		return NULL;
	case DELIST:
		for (size_t i = 0; i < COUNT_OF(kind->lists); i++)
			if (kind->lists[i] != NULL)
				delist(lists, str_from(kind->lists[i]), value);
		return NULL;
	case ENLIST_RELAYED:
		return enlist_relayed(lists, line) ? NULL : "address relay";
	case ENLIST_NAMED:
		if (!setting_list_name(&value, &name))
			return "(NAME) address ...";
		enlist(lists, name, value);
		return NULL;
	case ENLIST_OWNER:
	case DELIST_OWNER:
		if (!setting_list_name(&value, &name))
			return "(OWNER) address ...";
		(kind->what == ENLIST_OWNER ? enlist : delist)(
		    lists, owner_list(lists->arena, name), value);
		return NULL;
	case ENLIST_SIGNED:
		return enlist_signed(lists, line) ? NULL : "address [domain]";
	case DELIST_SIGNED:
		return delist_signed(lists, kind, value) ? NULL
							 : "address [domain]";
	}
	return NULL;
}

static void
line_read(struct address_lists *lists, const struct setting_line *line,
    struct diags *diags)
{
	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		if (!str_eq(line->name, str_from(kinds[i].name)))
			continue;
		const char *form = line_apply(lists, &kinds[i], line);
		if (form != NULL)
			SETTING_ERROR(diags, line, "write: %.*s %s",
			    STR_ARG(line->name), form);
		return;
	}
	SETTING_ERROR(
	    diags, line, "unknown directive %.*s", STR_ARG(line->name));
}

/* SpamAssassin's paranoia: these never match themselves, but an underscore. */
static struct str
glob_of(struct arena *a, struct str pattern)
{
	struct str glob = str_dup(a, pattern);
	char *p = arena_alloc(a, glob.len);
	for (size_t i = 0; i < glob.len; i++)
		p[i] = memchr("\\(", glob.p[i], 3) != NULL ? '_' : glob.p[i];
	return str_of(p, glob.len);
}

static void
list_compile(struct arena *a, struct address_list *list)
{
	const struct table *entries = list->entries;
	for (size_t i = 0; i < entries->n; i++) {
		struct entry *entry = entries->v[i].value;
		if (entry->is_on)
			globs_add(
			    list->globs, glob_of(a, entries->v[i].key), entry);
	}
}

const struct address_lists *
address_lists_new(
    struct arena *a, const struct setting_list *settings, struct diags *diags)
{
	struct address_lists *lists = ARENA_NEW(a, struct address_lists);
	lists->arena = a;
	lists->by_name = table_new(a, false);
	for (size_t i = 0; i < COUNT_OF(kinds); i++)
		if (kinds[i].what == ENLIST ||
		    kinds[i].what == ENLIST_RELAYED ||
		    kinds[i].what == ENLIST_SIGNED)
			(void)list_of(lists, str_from(kinds[i].name));
	for (size_t i = 0; i < settings->n; i++)
		line_read(lists, &settings->v[i], diags);
	for (size_t i = 0; i < lists->by_name->n; i++)
		list_compile(a, lists->by_name->v[i].value);
	return lists;
}

const struct address_list *
address_list_named(const struct address_lists *lists, struct str name)
{
	return table_get(lists->by_name, name);
}

struct str
address_lists_owner(
    struct arena *a, const struct address_lists *lists, struct str address)
{
	const struct table *all = lists->by_name;
	struct str prefix = STR(OWNER_PREFIX);
	for (size_t i = 0; i < all->n; i++)
		if (str_starts(all->v[i].key, prefix) &&
		    address_list_has(a, all->v[i].value, address))
			return str_skip(all->v[i].key, prefix.len);
	return STR_EMPTY;
}

bool
address_list_is_empty(const struct address_list *list)
{
	return list == NULL || list->entries->n == 0;
}

bool
address_list_has(
    struct arena *a, const struct address_list *list, struct str address)
{
	if (address_list_is_empty(list))
		return false;
	address = str_lower(a, address);
	const struct entry *entry = table_get(list->entries, address);
	return (entry != NULL && entry->is_on) ||
	       globs_match(list->globs, address);
}

/* --- where a listed address may come from ----------------------------------
 */

static bool
is_made_of(struct str s, const char *chars)
{
	for (size_t i = 0; i < s.len; i++)
		if (strchr(chars, s.p[i]) == NULL || s.p[i] == '\0')
			return false;
	return s.len > 0;
}

/* Four runs of digits. */
static bool
is_dotted_quad(struct str s)
{
	size_t runs = 0;
	bool is_quad = is_made_of(s, "0123456789.");
	for (struct str rest = s; is_quad && runs < 5; runs++) {
		is_quad = str_cut(&rest, '.').len > 0;
		if (rest.len == 0)
			return is_quad && runs == 3 && !str_ends(s, STR("."));
	}
	return false;
}

/* "10.1" and "10.1.": all addresses that start so. */
static bool
is_in_classful(struct str net, struct str ip)
{
	while (str_ends(net, STR(".")))
		net.len--;
	return str_starts(ip, net) && ip.len > net.len && ip.p[net.len] == '.';
}

static bool
is_in_block(struct str text, struct str address)
{
	struct ip_block block;
	struct ip ip;
	struct str length = text;
	struct str start = str_cut(&length, '/');
	uint64_t bits;
	if (!ip_parse(start, &block.ip) || !ip_parse(address, &ip))
		return false;
	block.bits = ip_bits(&block.ip);
	if (start.len < text.len) {
		if (!str_u64(length, block.bits, &bits))
			return false;
		block.bits = (unsigned)bits;
	}
	ip_block_mask(&block);
	return ip_is_within(&ip, &block);
}

/* "[10.1.2.3]", "[10.1]", "[10.0.0.0/8]", "[10.0.0.0]/8" */
static bool
address_cut(struct arena *a, struct str text, struct str *ret)
{
	size_t close = str_rchr(text, ']');
	if (text.len == 0 || text.p[0] != '[' || close == STR_NONE)
		return false;
	struct str length = str_skip(text, close + 1);
	if (length.len > 0 &&
	    (length.p[0] != '/' || length.len < 2 || length.len > 4 ||
		!is_made_of(str_skip(length, 1), "0123456789")))
		return false;
	*ret = str_printf(a, "%.*s%.*s", STR_ARG(str_sub(text, 1, close - 1)),
	    STR_ARG(length));
	return true;
}

static bool
is_from(struct arena *a, struct str wanted, const struct relay *relay)
{
	struct str ip;
	if (address_cut(a, wanted, &ip)) {
		if (relay->ip.len == 0)
			return false;
		if (is_dotted_quad(ip))
			return str_eq(ip, relay->ip);
		return is_made_of(ip, "0123456789.")
			   ? is_in_classful(ip, relay->ip)
			   : is_in_block(ip, relay->ip);
	}
	struct str name = relay->lc_rdns;
	return str_iends(name, wanted) &&
	       (name.len == wanted.len ||
		   name.p[name.len - wanted.len - 1] == '.');
}

struct question {
	struct arena *arena;
	const struct relay *relays;
	size_t n;
	bool is_listed;
};

/* True: one of the entry's relays is one of ours. */
static bool
ask_entry(void *arg, void *value)
{
	struct question *q = arg;
	const struct entry *entry = value;
	for (size_t i = 0; i < entry->partners.n; i++) {
		q->is_listed = true;
		for (size_t k = 0; k < q->n; k++)
			if (is_from(
				q->arena, entry->partners.v[i], &q->relays[k]))
				return true;
	}
	return false;
}

enum address_relayed
address_list_relayed(struct arena *a, const struct address_lists *lists,
    const struct address_list *list, struct str address,
    const struct relays *relays)
{
	if (list == NULL || relays->n == 0)
		return ADDRESS_NOT_LISTED;
	bool has_untrusted = relays->n > relays->n_trusted;
	struct question q = {
	    .arena = a,
	    .relays = has_untrusted ? &relays->v[relays->n_trusted] : relays->v,
	    .n = has_untrusted ? 1 : relays->n,
	};
	address = str_lower(a, address);
	if (globs_find(list->globs, address, ask_entry, &q))
		return ADDRESS_RELAYED;
	if (!q.is_listed)
		return ADDRESS_NOT_LISTED;
	const struct address_list *any =
	    address_list_named(lists, STR("welcomelist_allows_relays"));
	return globs_match(any->globs, address) ? ADDRESS_NOT_LISTED
						: ADDRESS_FORGED;
}

/* --- who may sign for a listed address -------------------------------------
 */

struct signing_question {
	struct str domain; /* of the address */
	struct str signer;
};

/*
 * `wanted`: empty, the address's own domain; ".b.example" and "*.b.example",
 * those below b.example; of an address only the domain counts.
 */
static bool
is_signer(struct str wanted, const struct signing_question *q)
{
	size_t at = str_rchr(wanted, '@');
	if (at != STR_NONE)
		wanted = str_skip(wanted, at + 1);
	if (wanted.len == 0)
		return str_ieq(q->signer, q->domain);
	struct str base = wanted;
	if (str_starts(base, STR("*.")))
		base = str_skip(base, 1);
	return str_starts(base, STR(".")) ? str_iends(q->signer, base)
					  : str_ieq(q->signer, base);
}

static bool
ask_signer(void *arg, void *value)
{
	const struct signing_question *q = arg;
	const struct entry *entry = value;
	for (size_t i = 0; i < entry->partners.n; i++)
		if (is_signer(entry->partners.v[i], q))
			return true;
	return false;
}

bool
address_list_signed(struct arena *a, const struct address_list *list,
    struct str address, struct str signer)
{
	size_t at = str_rchr(address, '@');
	if (list == NULL || at == STR_NONE || signer.len == 0)
		return false;
	struct signing_question q = {str_skip(address, at + 1), signer};
	return globs_find(list->globs, str_lower(a, address), ask_signer, &q);
}
