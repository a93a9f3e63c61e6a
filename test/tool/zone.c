/* SPDX-License-Identifier: BSD-2-Clause */
/* zone -- records that stand for the DNS in tests. */
#include "zone.h"

#include "base/ip.h"
#include "base/arena.h"
#include "base/table.h"

#define TTL_DEFAULT 300
#define CNAMES_MAX 8

enum { TYPE_CNAME = 5, TYPE_ANY = 255 };

struct entry {
	unsigned type;
	uint32_t ttl_s;
	bool is_timeout;
	struct str bytes;
};

struct node {
	struct entry *v;
	size_t n;
	size_t cap;
};

struct zone {
	struct arena *arena;
	struct table *nodes;
	unsigned asked;
};

static const struct {
	const char *name;
	unsigned type;
} types[] = {
    {"A", DNS_A},
    {"AAAA", DNS_AAAA},
    {"MX", DNS_MX},
    {"PTR", DNS_PTR},
    {"TXT", DNS_TXT},
    {"CNAME", TYPE_CNAME},
    {"TIMEOUT", TYPE_ANY},
};

static unsigned
type_of(struct str name)
{
	for (size_t i = 0; i < COUNT_OF(types); i++)
		if (str_eq(name, str_from(types[i].name)))
			return types[i].type;
	return 0;
}

static struct str
plain_name(struct arena *a, struct str name)
{
	if (str_ends(name, STR(".")))
		name.len--;
	return str_lower(a, name);
}

static struct node *
node_get(struct zone *z, struct str name)
{
	name = plain_name(z->arena, name);
	struct node *node = table_get(z->nodes, name);
	if (node == NULL) {
		node = ARENA_NEW(z->arena, struct node);
		table_set(z->nodes, name, node);
	}
	return node;
}

static bool
mx_bytes(struct arena *a, struct str value, struct str *ret)
{
	uint64_t preference;
	struct str name = value;
	if (!str_u64(str_cut(&name, ' '), UINT16_MAX, &preference))
		return false;
	name = plain_name(a, name);
	char *p = arena_alloc(a, name.len + 2);
	p[0] = (char)(preference >> 8);
	p[1] = (char)preference;
	memcpy(p + 2, name.p, name.len);
	*ret = str_of(p, name.len + 2);
	return true;
}

static bool
ip_bytes(struct arena *a, unsigned type, struct str value, struct str *ret)
{
	struct ip ip;
	if (!ip_parse(value, &ip) || ip.is_v6 != (type == DNS_AAAA))
		return false;
	*ret = str_dup(a, str_of((const char *)ip.b, ip.is_v6 ? 16 : 4));
	return true;
}

static bool
bytes_of(struct arena *a, unsigned type, struct str value, struct str *ret)
{
	switch (type) {
	case DNS_A:
	case DNS_AAAA:
		return ip_bytes(a, type, value, ret);
	case DNS_MX:
		return mx_bytes(a, value, ret);
	case DNS_PTR:
	case TYPE_CNAME:
		*ret = plain_name(a, value);
		return true;
	default:
		*ret = str_dup(a, value);
		return type != 0;
	}
}

struct zone *
zone_new(struct arena *a)
{
	struct zone *z = ARENA_NEW(a, struct zone);
	z->arena = a;
	z->nodes = table_new(a, false);
	return z;
}

bool
zone_add(struct zone *z, struct str name, uint32_t ttl_s, struct str type,
    struct str value)
{
	struct entry entry = {.type = type_of(type), .ttl_s = ttl_s};
	if (entry.type == TYPE_ANY) {
		zone_add_timeout(z, name, STR_EMPTY);
		return true;
	}
	if (!bytes_of(z->arena, entry.type, value, &entry.bytes))
		return false;
	ARENA_PUSH(z->arena, node_get(z, name)) = entry;
	return true;
}

void
zone_add_txt(struct zone *z, struct str name, struct str bytes)
{
	struct entry entry = {.type = DNS_TXT,
	    .ttl_s = TTL_DEFAULT,
	    .bytes = str_dup(z->arena, bytes)};
	ARENA_PUSH(z->arena, node_get(z, name)) = entry;
}

void
zone_add_timeout(struct zone *z, struct str name, struct str type)
{
	struct entry entry = {.type = type.len == 0 ? TYPE_ANY : type_of(type),
	    .is_timeout = true,
	    .bytes = STR_EMPTY};
	ARENA_PUSH(z->arena, node_get(z, name)) = entry;
}

static bool
line_parse(struct zone *z, struct str line)
{
	uint64_t ttl_s = TTL_DEFAULT;
	struct str name = str_cut(&line, ' ');
	struct str type = str_cut(&line, ' ');
	if (str_u64(type, UINT32_MAX, &ttl_s))
		type = str_cut(&line, ' ');
	return zone_add(z, name, (uint32_t)ttl_s, type, line);
}

size_t
zone_parse(struct zone *z, struct str text)
{
	size_t nbad = 0;
	while (text.len > 0) {
		struct str line = str_line(&text);
		if (line.len == 0 || line.p[0] == '#')
			continue;
		if (!line_parse(z, line))
			nbad++;
	}
	return nbad;
}

static void
add_record(struct arena *a, const struct entry *entry, struct dns_answer *ret)
{
	if (ret->records.n == 0 || entry->ttl_s < ret->ttl_s)
		ret->ttl_s = entry->ttl_s;
	strs_add(a, &ret->records, entry->bytes);
}

/* What `node` says; the alias it is, or NULL. */
static const struct entry *
answer_from(struct arena *a, const struct node *node, enum dns_type type,
    struct dns_answer *ret)
{
	bool is_timeout = false;
	for (size_t i = 0; i < node->n; i++) {
		const struct entry *entry = &node->v[i];
		if (entry->is_timeout)
			is_timeout = is_timeout || entry->type == TYPE_ANY ||
				     entry->type == type;
		else if (entry->type == TYPE_CNAME)
			return entry;
		else if (entry->type == type)
			add_record(a, entry, ret);
	}
	if (ret->records.n == 0)
		ret->status = is_timeout ? DNS_TEMP : DNS_NODATA;
	return NULL;
}

void
zone_source(void *arg, struct arena *a, struct str name, enum dns_type type,
    struct dns_answer *ret)
{
	struct zone *z = arg;
	z->asked++;
	ret->ttl_s = TTL_DEFAULT;
	for (int i = 0; i < CNAMES_MAX; i++) {
		const struct node *node = table_get(z->nodes, name);
		if (node == NULL) {
			ret->status = DNS_NXDOMAIN;
			return;
		}
		const struct entry *alias = answer_from(a, node, type, ret);
		if (alias == NULL) {
			ret->why = ret->status == DNS_TEMP ? "timeout" : "";
			return;
		}
		name = alias->bytes;
	}
	ret->status = DNS_TEMP;
	ret->why = "CNAME loop";
}

unsigned
zone_asked(const struct zone *z)
{
	return z->asked;
}
