/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * setting -- lines of rule files that are no rules but tell eval functions and
 * views what to look for: lists of addresses, hosts, networks.  Each subject
 * has its lines in the order of the files, for a later line may take back an
 * earlier one; what they mean is the business of the file that reads them
 * (lists.h).
 */
#ifndef RULES_SETTING_H
#define RULES_SETTING_H

#include "base/diag.h"
#include "rules/lists.h"

struct arena;

enum setting_subject {
	SETTING_NETWORKS,    /* trusted_networks, ... */
	SETTING_FREEMAIL,    /* freemail_domains, ... */
	SETTING_FROMNAME,    /* fns_check, ... */
	SETTING_PHISHING,    /* phishing_openphish_feed, ... */
	SETTING_ADDRESSES,   /* welcomelist_from, enlist_addrlist, ... */
	SETTING_URI_HOSTS,   /* enlist_uri_host, ... */
	SETTING_SUBJECTS,    /* welcomelist_subject, blocklist_subject */
	SETTING_BOUNCE,      /* welcomelist_bounce_relays */
	SETTING_REDIRECTORS, /* redirector_pattern */
	SETTING_LOCALES,     /* ok_locales */
	SETTING_ADSP,        /* adsp_override */
	SETTING_SUBJECT_COUNT
};

struct setting_line {
	struct str name; /* lower case, with _ for -, of today: welcomelist_* */
	struct str value; /* trimmed */
	struct str file;
	unsigned line;
};

struct setting_list {
	struct setting_line *v;
	size_t n, cap;
};

/* All settings, by subject. */
struct settings {
	struct setting_list of[SETTING_SUBJECT_COUNT];
};

/*
 * Keep one line; `name` as key_fold() makes it, names of old (whitelist_from)
 * are kept under today's.  False: no subject has lines of that name.
 */
MUST_CHECK bool setting_add(struct arena *a, struct settings *settings,
    const struct setting_line *line);

/* Say what is wrong with a line, with its place. */
#define SETTING_ERROR(diags, setting, ...)                              \
	diag_add((diags), DIAG_ERROR, (setting)->file, (setting)->line, \
	    __VA_ARGS__)
#define SETTING_WARNING(diags, setting, ...)                              \
	diag_add((diags), DIAG_WARNING, (setting)->file, (setting)->line, \
	    __VA_ARGS__)

#endif
