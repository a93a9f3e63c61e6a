/* SPDX-License-Identifier: BSD-2-Clause */
/* setting -- which lines of rule files are kept, and under which subject. */
#include "rules/setting.h"

#include "base/arena.h"

/* A name that ends in * stands for all that start so. */
static const struct setting_row {
	const char *name;
	enum setting_subject subject;
} rows[] = {
    {"trusted_networks", SETTING_NETWORKS},
    {"clear_trusted_networks", SETTING_NETWORKS},
    {"internal_networks", SETTING_NETWORKS},
    {"clear_internal_networks", SETTING_NETWORKS},
    {"msa_networks", SETTING_NETWORKS},
    {"clear_msa_networks", SETTING_NETWORKS},
    {"originating_ip_headers", SETTING_NETWORKS},
    {"clear_originating_ip_headers", SETTING_NETWORKS},
    {"freemail_*", SETTING_FREEMAIL},
    {"phishing_openphish_feed", SETTING_PHISHING},
    {"phishing_phishtank_feed", SETTING_PHISHING},
    {"phishing_phishstats_feed", SETTING_PHISHING},
    {"phishing_phishstats_minscore", SETTING_PHISHING},
    {"phishing_uri_noparam", SETTING_PHISHING},
    {"welcomelist_from", SETTING_ADDRESSES},
    {"welcomelist_from_rcvd", SETTING_ADDRESSES},
    {"welcomelist_from_dkim", SETTING_ADDRESSES},
    {"welcomelist_from_spf", SETTING_ADDRESSES},
    {"welcomelist_auth", SETTING_ADDRESSES},
    {"welcomelist_allows_relays", SETTING_ADDRESSES},
    {"welcomelist_to", SETTING_ADDRESSES},
    {"def_welcomelist_*", SETTING_ADDRESSES},
    {"unwelcomelist_*", SETTING_ADDRESSES},
    {"blocklist_from", SETTING_ADDRESSES},
    {"blocklist_to", SETTING_ADDRESSES},
    {"unblocklist_*", SETTING_ADDRESSES},
    {"more_spam_to", SETTING_ADDRESSES},
    {"all_spam_to", SETTING_ADDRESSES},
    {"enlist_addrlist", SETTING_ADDRESSES},
    {"fns_add_addrlist", SETTING_ADDRESSES},
    {"fns_remove_addrlist", SETTING_ADDRESSES},
    {"fns_check", SETTING_FROMNAME},
    {"fns_extrachars", SETTING_FROMNAME},
    {"fns_ignore_headers", SETTING_FROMNAME},
    {"enlist_uri_host", SETTING_URI_HOSTS},
    {"delist_uri_host", SETTING_URI_HOSTS},
    {"welcomelist_uri_host", SETTING_URI_HOSTS},
    {"blocklist_uri_host", SETTING_URI_HOSTS},
    {"welcomelist_subject", SETTING_SUBJECTS},
    {"blocklist_subject", SETTING_SUBJECTS},
    {"welcomelist_bounce_relays", SETTING_BOUNCE},
    {"redirector_pattern", SETTING_REDIRECTORS},
    {"ok_locales", SETTING_LOCALES},
    {"adsp_override", SETTING_ADSP},
};

/* Words that rule files of today no longer use. */
static const struct {
	const char *old, *today;
} words[] = {{"whitelist", "welcomelist"}, {"blacklist", "blocklist"}};

/* "def_whitelist_from": "def_welcomelist_from". */
static struct str
name_of_today(struct arena *a, struct str name)
{
	for (size_t i = 0; i < COUNT_OF(words); i++) {
		struct str old = str_from(words[i].old);
		size_t at = str_find(name, old);
		if (at == STR_NONE)
			continue;
		return str_printf(a, "%.*s%s%.*s",
		    STR_ARG(str_sub(name, 0, at)), words[i].today,
		    STR_ARG(str_skip(name, at + old.len)));
	}
	return str_dup(a, name);
}

static bool
is_named(const char *pattern, struct str name)
{
	struct str p = str_from(pattern);
	if (!str_ends(p, STR("*")))
		return str_eq(p, name);
	return str_starts(name, str_sub(p, 0, p.len - 1));
}

bool
setting_add(
    struct arena *a, struct settings *settings, const struct setting_line *line)
{
	struct setting_line kept = *line;
	kept.name = name_of_today(a, line->name);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		if (!is_named(rows[i].name, kept.name))
			continue;
		ARENA_PUSH(a, &settings->of[rows[i].subject]) = kept;
		return true;
	}
	return false;
}
