/* SPDX-License-Identifier: BSD-2-Clause */
/* eval_uri_host -- does a link lead to a host of a list of the rule files? */
#include "base/arena.h"
#include "base/table.h"
#include "mail/uri.h"
#include "rules/eval_rows.h"
#include "rules/list_make.h"

/* Labels of a host that are looked at, from its end. */
#define LABELS_MAX 11

/* What a list says of a host and of all names below it. */
enum verdict { HOST_UNKNOWN, HOST_LISTED, HOST_EXCEPTED };

struct uri_host_lists {
	struct arena *arena;
	struct table *by_name; /* struct table: host -> verdict */
};

static struct table *
list_of(struct uri_host_lists *lists, struct str name)
{
	struct table *list = table_get(lists->by_name, name);
	if (list == NULL) {
		list = table_new(lists->arena, false);
		table_set(lists->by_name, name, list);
	}
	return list;
}

static void
list_set(struct uri_host_lists *lists, struct table *list, struct str hosts,
    bool is_delisted)
{
	for (struct str word; (word = str_word(&hosts)).len > 0;) {
		bool is_excepted = word.p[0] == '!';
		struct str host =
		    str_lower(lists->arena, str_skip(word, is_excepted));
		enum verdict verdict = is_delisted   ? HOST_UNKNOWN
				       : is_excepted ? HOST_EXCEPTED
						     : HOST_LISTED;
		table_set(list, host, (void *)(uintptr_t)verdict);
	}
}

static bool
delist(struct uri_host_lists *lists, struct str value)
{
	struct str name;
	if (setting_list_name(&value, &name)) {
		list_set(lists, list_of(lists, name), value, true);
		return true;
	}
	for (size_t i = 0; i < lists->by_name->n; i++)
		list_set(lists, lists->by_name->v[i].value, value, true);
	return true;
}

static bool
enlist(struct uri_host_lists *lists, struct str value)
{
	struct str name;
	if (!setting_list_name(&value, &name))
		return false;
	list_set(lists, list_of(lists, name), value, false);
	return true;
}

static bool
line_apply(struct uri_host_lists *lists, const struct setting_line *line)
{
	if (line->value.len == 0)
		return false;
	if (str_eq(line->name, STR("enlist_uri_host")))
		return enlist(lists, line->value);
	if (str_eq(line->name, STR("delist_uri_host")))
		return delist(lists, line->value);
	bool is_block = str_eq(line->name, STR("blocklist_uri_host"));
	struct str name = is_block ? STR("BLOCK") : STR("WELCOME");
	list_set(lists, list_of(lists, name), line->value, false);
	return true;
}

const struct uri_host_lists *
uri_host_lists_new(struct ruleset *rules, struct diags *diags)
{
	const struct setting_list *lines =
	    &rules->settings.of[SETTING_URI_HOSTS];
	struct uri_host_lists *lists =
	    ARENA_NEW(rules->arena, struct uri_host_lists);
	lists->arena = rules->arena;
	lists->by_name = table_new(rules->arena, false);
	for (size_t i = 0; i < lines->n; i++)
		if (!line_apply(lists, &lines->v[i]))
			SETTING_ERROR(diags, &lines->v[i],
			    "write: %.*s %shost ...", STR_ARG(lines->v[i].name),
			    str_eq(lines->v[i].name, STR("enlist_uri_host"))
				? "(NAME) "
				: "");
	return lists;
}

/* Four runs of digits: an address, which has no names above it. */
static bool
is_address(struct str host)
{
	size_t dots = 0;
	for (size_t i = 0; i < host.len; i++) {
		if (host.p[i] == '.')
			dots++;
		else if (!char_is_digit(host.p[i]))
			return false;
	}
	return dots == 3;
}

/* The host itself, or the nearest name above it, decides. */
static enum verdict
list_verdict(const struct table *list, struct str host)
{
	struct str names[LABELS_MAX];
	size_t n = 0;
	if (is_address(host))
		return (enum verdict)(uintptr_t)table_get(list, host);
	for (struct str rest = host;;) {
		names[n++ % LABELS_MAX] = rest;
		size_t dot = str_chr(rest, '.');
		if (dot == STR_NONE)
			break;
		rest = str_skip(rest, dot + 1);
	}
	for (size_t i = n > LABELS_MAX ? n - LABELS_MAX : 0; i < n; i++) {
		enum verdict verdict = (enum verdict)(uintptr_t)table_get(
		    list, names[i % LABELS_MAX]);
		if (verdict != HOST_UNKNOWN)
			return verdict;
	}
	return HOST_UNKNOWN;
}

static void
add_host(struct message *m, struct table *hosts, struct str uri)
{
	struct str host = uri_named_host(m->arena, m->config, uri);
	if (host.len > 0)
		table_set(hosts, host, hosts);
}

/* The hosts of all links but mailto:, and of signatures, each once. */
static const struct table *
hosts_of(struct eval_call *call)
{
	struct message *m = call->message;
	if (call->cache->uri_hosts != NULL)
		return call->cache->uri_hosts;
	struct table *hosts = table_new(m->arena, false);
	const struct uris *uris = message_uri_list(m);
	for (size_t i = 0; i < uris->n; i++) {
		const struct uri *uri = &uris->v[i];
		if (str_istarts(uri->raw, STR("mailto:")))
			continue;
		if (uri->is_signer)
			add_host(m, hosts, uri->raw);
		for (size_t k = 0; k < uri->cleaned.n; k++)
			add_host(m, hosts, uri->cleaned.v[k]);
	}
	call->cache->uri_hosts = hosts;
	return hosts;
}

static int
host_listed(struct eval_call *call, struct str name)
{
	const struct table *list =
	    table_get(call->lists->uri_hosts->by_name, name);
	if (list == NULL)
		return 0;
	const struct table *hosts = hosts_of(call);
	for (size_t i = 0; i < hosts->n; i++)
		if (list_verdict(list, hosts->v[i].key) == HOST_LISTED)
			return eval_hit(call, hosts->v[i].key);
	return 0;
}

static int
check_uri_host_listed(struct eval_call *call)
{
	return host_listed(call, call->args[0]);
}

static int
check_uri_host_in_blocklist(struct eval_call *call)
{
	return host_listed(call, STR("BLOCK"));
}

static int
check_uri_host_in_welcomelist(struct eval_call *call)
{
	return host_listed(call, STR("WELCOME"));
}

const struct eval_row EVAL_URI_HOST[] = {
    {"check_uri_host_listed", 1, 1, "s", NEED_LINKS,
	"a link leads to a host of that list of enlist_uri_host", "WLBLEval",
	check_uri_host_listed},
    {"check_uri_host_in_blocklist", 0, 0, "", NEED_LINKS,
	"a link leads to a host of blocklist_uri_host", "WLBLEval",
	check_uri_host_in_blocklist},
    {"check_uri_host_in_blacklist", 0, 0, "", NEED_LINKS,
	"the same by its old name", "WLBLEval", check_uri_host_in_blocklist},
    {"check_uri_host_in_welcomelist", 0, 0, "", NEED_LINKS,
	"a link leads to a host of welcomelist_uri_host", "WLBLEval",
	check_uri_host_in_welcomelist},
    {"check_uri_host_in_whitelist", 0, 0, "", NEED_LINKS,
	"the same by its old name", "WLBLEval", check_uri_host_in_welcomelist},
    {NULL, 0, 0, NULL, 0, NULL, NULL, NULL},
};
