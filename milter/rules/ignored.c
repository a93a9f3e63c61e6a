/* SPDX-License-Identifier: BSD-2-Clause */
/* ignored -- lines of SpamAssassin files that mean nothing here, and why. */
#include "rules/ignored.h"

#define BAYES "there is no Bayes filter"
#define LEARN "nothing is learned from mail"
#define REPORT "reports and headers are set in postern.conf"
#define NETWORK "no blocklist is asked"
#define STORE "there is no such database"
#define PLUGIN "that plugin is not built in"

/* A name that ends in * stands for all that start so. */
static const struct ignored {
	const char *name;
	const char *why;
} ignored[] = {
    {"add_header", REPORT},
    {"allow_user_rules", "rules belong to the server, not to users"},
    {"always_trust_envelope_sender", "the envelope comes from the MTA"},
    {"asn_*", NETWORK},
    {"auto_welcomelist_*", STORE},
    {"auto_whitelist_*", STORE},
    {"bayes_*", BAYES},
    {"clear_headers", REPORT},
    {"clear_report_template", REPORT},
    {"clear_unsafe_report_template", REPORT},
    {"clear_dns_servers", NETWORK},
    {"clear_uridnsbl_skip_domain", NETWORK},
    {"clear_url_shortener", PLUGIN},
    {"country_db_*", PLUGIN},
    {"dcc_*", NETWORK},
    {"dkim_*", PLUGIN},
    {"dns_*", NETWORK},
    {"envelope_sender_header", "the envelope comes from the MTA"},
    {"fns_ignore_dkim", "signatures are looked at when all else is done"},
    {"fold_headers", REPORT},
    {"geodb_*", PLUGIN},
    {"hashbl_*", NETWORK},
    {"inactive_languages", PLUGIN},
    {"lock_method", STORE},
    {"mbox_format_from_regex", "mailboxes are read by postern scan"},
    {"ok_languages", PLUGIN},
    {"olemacro_*", PLUGIN},
    {"pyzor_*", NETWORK},
    {"razor_*", NETWORK},
    {"rbl_*", NETWORK},
    {"remove_header", REPORT},
    {"report", REPORT},
    {"report_*", REPORT},
    {"required_hits", "thresholds are set in postern.conf"},
    {"required_score", "thresholds are set in postern.conf"},
    {"reuse", "it is for SpamAssassin's own mass-check"},
    {"rewrite_header", REPORT},
    {"skip_rbl_checks", NETWORK},
    {"spamcop_*", NETWORK},
    {"spf_*", PLUGIN},
    {"subjprefix", "the action of a verdict is set in postern.conf"},
    {"textcat_*", PLUGIN},
    {"time_limit", "the time budget is set in postern.conf"},
    {"txrep_*", STORE},
    {"unsafe_report", REPORT},
    {"uri_country_db_*", PLUGIN},
    {"uri_block_*", PLUGIN},
    {"uridnsbl_*", NETWORK},
    {"url_redirector*", NETWORK},
    {"url_shortener*", NETWORK},
    {"use_*", BAYES " and no network test"},
    {"user_*", STORE},
    {"util_rb_4tld", "it is newer than the rule language here"},
    {"version_tag", REPORT},
    {"learn_*", LEARN},
};

static const char *const network[] = {
    "askdns",
    "urifullnsrhsbl",
    "urifullnsrhssub",
    "urinsrhsbl",
    "urinsrhssub",
    "uridnsbl",
    "uridnssub",
    "urirhsbl",
    "urirhssub",
};

static bool
is_named(const char *pattern, struct str name)
{
	struct str p = str_from(pattern);
	if (!str_ends(p, STR("*")))
		return str_eq(p, name);
	return str_starts(name, str_sub(p, 0, p.len - 1));
}

const char *
ignored_why(struct str name)
{
	for (size_t i = 0; i < COUNT_OF(ignored); i++)
		if (is_named(ignored[i].name, name))
			return ignored[i].why;
	return NULL;
}

bool
ignored_is_network(struct str name)
{
	for (size_t i = 0; i < COUNT_OF(network); i++)
		if (str_eq(str_from(network[i]), name))
			return true;
	return false;
}
