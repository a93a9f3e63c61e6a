/* SPDX-License-Identifier: BSD-2-Clause */
/* config -- postern.conf as a struct: what each option means is its row in
 * config.c. */
#ifndef SESSION_CONFIG_H
#define SESSION_CONFIG_H

#include "auth/resolver.h"
#include "base/diag.h"
#include "base/option.h"
#include "mail/envelope.h"

enum config_history { HISTORY_PLAIN, HISTORY_HASHED };
enum config_hold_in { HOLD_IN_POSTERN, HOLD_IN_MTA };
/* What to do with a message that could not be decided. */
enum config_fallback { FALLBACK_DEFER, FALLBACK_ACCEPT, FALLBACK_HOLD };
/* Header and body of a signature. */
enum config_canon {
	CANON_RELAXED,
	CANON_RELAXED_SIMPLE,
	CANON_SIMPLE_RELAXED,
	CANON_SIMPLE
};
/* A notice of unknown origin past its budget. */
enum config_over_budget { OVER_BUDGET_DISCARD, OVER_BUDGET_HOLD };
enum config_log_format { LOG_FORMAT_TEXT, LOG_FORMAT_JSON };

/* Per class; a score of 0 means never. */
struct class_config {
	double tag, defer, hold, reject;
	bool is_filtered;         /* false: accepted unread */
	bool is_signed;           /* DKIM, if there is a key for it */
	struct strs daemon_names; /* {daemon_name} that pins the class */
	struct strs networks;     /* {client_addr} that pins the class, CIDR */
	struct strs listen;       /* {daemon_addr} that pins the class */
};

/* What the admin is told of; the section alert. */
enum alert_event {
	ALERT_FIRST_HOLD, /* of a sender that had none for a day */
	ALERT_HOLD_RATE,
	ALERT_KEY_MISMATCH, /* a DKIM key that is not the published one */
	ALERT_QUARANTINE_FULL,
	ALERT_DNS_FAILING,
	ALERT_EVENTS
};
enum alert_way { ALERT_BY_MAIL, ALERT_BY_WEBHOOK, ALERT_BY_COMMAND };

struct alert_config {
	struct strs to; /* names of ways */
	int64_t every_ms;
};

struct config {
	struct option_lines lines; /* for errors of options */
	/* daemon */
	struct str socket, socket_group;
	uint64_t socket_mode;
	struct str control_socket, pid_file, user;
	struct str metrics_socket;
	uint64_t metrics_mode;
	int log_to, log_format,
	    log_level;    /* enum log_target, config_log_format, log_level */
	uint64_t workers; /* scans at once; 0: one a processor */
	int64_t drain_ms;
	/* who */
	struct strs trusted_networks;
	struct str login_domain; /* the realm of a login without one */
	bool observe;
	bool prefilter;
	struct class_config class[CLASS_COUNT];
	/* rules */
	struct strs rules;
	uint64_t match_limit, depth_limit, heap_limit;
	int64_t scan_ms;
	uint64_t scan_bytes;
	int on_timeout, on_error;
	/* memory */
	struct str state_dir, spool_dir;
	uint64_t memory_bytes; /* larger messages go to a file */
	uint64_t header_bytes;
	uint64_t parts, depth, uris;
	/* hold */
	int hold_in;
	struct str quarantine_dir;
	uint64_t quarantine_bytes;
	int64_t held_age_ms, discarded_age_ms;
	struct str release_via;
	int64_t release_valid_ms;
	/* as the receiver sees it; auth/policy.h and auth/resolver.h */
	struct strs egress, local_domains, login_map, strict_domains;
	struct str helo, authserv_id;
	struct strs dns;
	struct str dns_hosts;
	int64_t dns_ms, dns_query_ms;
	uint64_t dns_questions, dns_cache_bytes;
	bool has_dnssec;
	struct str key_table, signing_table;
	struct strs sign_fields, oversign_fields;
	int canonicalization; /* enum config_canon */
	int64_t signature_valid_ms;
	uint64_t key_bits;
	/* notices */
	bool has_notice_gate, trusts_results;
	int notice_over; /* enum config_over_budget */
	uint64_t notices_addressee, notices_domain, notices_total;
	uint64_t ledger_days, ledger_bytes;
	uint64_t history_days, history_bytes;
	int history_addresses; /* enum config_history */
	/* alerts */
	struct strs alert_mail;
	struct str alert_webhook, alert_command, alert_from, alert_via;
	int64_t alert_delay_ms, alert_window_ms;
	uint64_t alert_least; /* messages or questions that make a share */
	uint64_t alert_hold_percent, alert_quarantine_percent,
	    alert_dns_percent;
	struct alert_config alert[ALERT_EVENTS];
	/* words */
	struct str reject_text, defer_text;
	bool add_headers;
};

extern const struct option_file CONFIG_FILE;

/*
 * Read `path` (NULL: the defaults) into `*ret`; texts live in `a`.  Checks what
 * rows cannot: thresholds in order, programs that are there.  False: errors are
 * in `diags` with file:line.
 */
MUST_CHECK bool config_read(
    struct arena *a, const char *path, struct config *ret, struct diags *diags);

/* The options of the resolver. */
struct resolver_config config_resolver(const struct config *config);
/* The default must not keep a host without a DNS from starting. */
bool config_dns_may_fail(const struct config *config);

/* How many messages are scanned at once: 1 or more. */
unsigned config_workers(const struct config *config);

/* "first-hold", "hold-rate", ... */
const char *alert_event_name(enum alert_event event);
/* "mail", "webhook", "command" */
const char *alert_way_name(enum alert_way way);
/* The event is told that way: it is wanted so, and there is an address. */
bool config_alert_goes(
    const struct config *config, enum alert_event event, enum alert_way way);
/* By any way. */
bool config_alert_is_told(const struct config *config, enum alert_event event);
/* The address that letters to the admin are from. */
struct str config_alert_from(struct arena *a, const struct config *config);
/* The name of this host: helo-name, else what the system says; letters,
 * digits, dots and hyphens. */
struct str config_host(struct arena *a, const struct config *config);

/* What posts to the webhook. */
#define CONFIG_CURL "/usr/bin/curl"
#define CONFIG_PATH_DEFAULT POSTERN_SYSCONFDIR "/postern.conf"

#endif
