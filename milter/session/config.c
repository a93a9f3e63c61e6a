/* SPDX-License-Identifier: BSD-2-Clause */
/* config -- the options of postern.conf. */
#include "session/config.h"

#include "auth/dkim_sign.h"
#include "base/arena.h"
#include "hold/inject.h"
#include "session/config_form.h"

#define AT(field) offsetof(struct config, field)
#define IN_CLASS(field) offsetof(struct class_config, field)
#define DAY_MS 86400000.0
#define MIB (1024.0 * 1024)

static const char *const log_targets[] = {"stderr", "syslog", NULL};
static const char *const log_formats[] = {"text", "json", NULL};
static const char *const log_levels[] = {
    "error", "warning", "info", "debug", NULL};
static const char *const fallbacks[] = {"defer", "accept", "hold", NULL};
static const char *const hold_places[] = {"postern", "mta", NULL};
static const char *const history_names[] = {"plain", "hashed", NULL};
static const char *const over_budget[] = {"discard", "hold", NULL};
static const char *const canons[] = {"relaxed/relaxed", "relaxed/simple",
    "simple/relaxed", "simple/simple", NULL};
static const char *const alert_titles[] = {"first-hold", "hold-rate",
    "key-mismatch", "quarantine-full", "dns-failing", NULL};
static const char *const alert_ways[] = {"mail", "webhook", "command", NULL};
static const char *const class_titles[] = {
    "submission", "local", "relay", "notice", "inbound", NULL};

static const struct option_row rows[] = {
    /* daemon */
    {"socket", OPTION_TEXT, AT(socket),
	"unix:/var/spool/postfix/postern/postern.sock", 0, 0, NULL,
	"Where the MTA connects: unix:/path, inet:port@host or "
	"inet6:port@host."},
    {"socket-mode", OPTION_MODE, AT(socket_mode), "0660", 0, 0, NULL,
	"Permissions of a unix socket."},
    {"socket-group", OPTION_TEXT, AT(socket_group), "postfix", 0, 0, NULL,
	"Group of a unix socket; a group that does not exist is passed over."},
    {"control-socket", OPTION_TEXT, AT(control_socket),
	"/run/postern/control.sock", 0, 0, NULL,
	"Where postern(1) reaches posternd; empty: nowhere."},
    {"metrics-socket", OPTION_TEXT, AT(metrics_socket), "", 0, 0, NULL,
	"Where GET /metrics is answered: a path, or a loopback address and "
	"port; empty: nowhere."},
    {"metrics-mode", OPTION_MODE, AT(metrics_mode), "0660", 0, 0, NULL,
	"Permissions of metrics-socket, if that is a path."},
    {"pid-file", OPTION_TEXT, AT(pid_file), "/run/postern/posternd.pid", 0, 0,
	NULL, "Process id, written before serving; empty: none."},
    {"user", OPTION_TEXT, AT(user), "postern", 0, 0, NULL,
	"The user posternd becomes when it is started as root."},
    {"log", OPTION_CHOICE, AT(log_to), "syslog", 0, 0, log_targets,
	"Where log lines go."},
    {"log-format", OPTION_CHOICE, AT(log_format), "text", 0, 0, log_formats,
	"The form of the one line a message."},
    {"log-level", OPTION_CHOICE, AT(log_level), "info", 0, 0, log_levels,
	"The least level that is logged."},
    {"workers", OPTION_COUNT, AT(workers), "0", 0, 1024, NULL,
	"Messages scanned at once; 0: one for each processor."},
    {"drain-time", OPTION_DURATION, AT(drain_ms), "30s", 0, 600000, NULL,
	"How long SIGTERM waits for messages in flight."},
    /* who */
    {"trusted-networks", OPTION_LIST, AT(trusted_networks),
	"127.0.0.0/8, ::1/128", 0, 0, NULL,
	"Clients whose mail is class relay: servers of our own."},
    {"login-domain", OPTION_TEXT, AT(login_domain), "", 0, 0, NULL,
	"Domain that is cut from logins: alice and alice@it are one person."},
    {"observe", OPTION_BOOL, AT(observe), "no", 0, 0, NULL,
	"Decide and log everything, and change nothing."},
    /* rules */
    {"rules", OPTION_LIST, AT(rules), POSTERN_SYSCONFDIR "/rules", 0, 0, NULL,
	"Rule files, and directories whose *.cf are read in name order."},
    {"prefilter", OPTION_BOOL, AT(prefilter), "yes", 0, 0, NULL,
	"Make in the background what rules most texts out for most rules."},
    {"match-limit", OPTION_COUNT, AT(match_limit), "250000", 1000, 1e9, NULL,
	"PCRE2 match limit: steps one regex may take at one place."},
    {"depth-limit", OPTION_COUNT, AT(depth_limit), "10000", 100, 1e7, NULL,
	"PCRE2 backtracking depth limit (without JIT)."},
    {"heap-limit", OPTION_SIZE, AT(heap_limit), "20M", MIB, 1024 * MIB, NULL,
	"PCRE2 heap limit for one match."},
    {"scan-time", OPTION_DURATION, AT(scan_ms), "3s", 50, 8000, NULL,
	"Time budget of one message; what happens past it is on-timeout."},
    {"scan-limit", OPTION_SIZE, AT(scan_bytes), "16M", 65536, 1024 * MIB, NULL,
	"Bytes of a message that rules see; the rest is not looked at."},
    {"on-timeout", OPTION_CHOICE, AT(on_timeout), "accept", 0, 0, fallbacks,
	"A message whose time budget is used up and that did not reach a "
	"threshold."},
    {"on-error", OPTION_CHOICE, AT(on_error), "defer", 0, 0, fallbacks,
	"A message that could not be scanned or kept for an internal reason."},
    /* memory */
    {"state-dir", OPTION_TEXT, AT(state_dir), POSTERN_STATEDIR, 0, 0, NULL,
	"Keys, tokens and the ledger; owned by user, mode 0700."},
    {"spool-dir", OPTION_TEXT, AT(spool_dir), "", 0, 0, NULL,
	"Where messages larger than memory-limit wait; empty: "
	"state-dir/spool."},
    {"memory-limit", OPTION_SIZE, AT(memory_bytes), "256K", 4096, 64 * MIB,
	NULL, "A message larger than this goes to a file while it arrives."},
    {"header-limit", OPTION_SIZE, AT(header_bytes), "1M", 65536, 64 * MIB, NULL,
	"Bytes of header fields that are kept of one message."},
    {"part-limit", OPTION_COUNT, AT(parts), "1000", 10, 100000, NULL,
	"MIME parts that rules see."},
    {"depth-of-parts", OPTION_COUNT, AT(depth), "20", 2, 100, NULL,
	"Nesting of MIME parts that rules see."},
    {"link-limit", OPTION_COUNT, AT(uris), "10000", 10, 1000000, NULL,
	"Links of one message that rules see."},
    /* hold */
    {"hold-in", OPTION_CHOICE, AT(hold_in), "postern", 0, 0, hold_places,
	"Held mail lies in Postern's quarantine, or in the MTA's hold queue."},
    {"quarantine-dir", OPTION_TEXT, AT(quarantine_dir), "", 0, 0, NULL,
	"The quarantine, a Maildir; empty: state-dir/quarantine."},
    {"quarantine-size", OPTION_SIZE, AT(quarantine_bytes), "10G", MIB, 1e15,
	NULL, "Bytes the quarantine may hold; past it mail is deferred."},
    {"quarantine-age", OPTION_DURATION, AT(held_age_ms), "30d", 3600000,
	3650 * DAY_MS, NULL, "Held mail older than this is purged."},
    {"discarded-age", OPTION_DURATION, AT(discarded_age_ms), "14d", 3600000,
	3650 * DAY_MS, NULL, "Discarded notices older than this are purged."},
    {"release-via", OPTION_TEXT, AT(release_via), "/usr/sbin/sendmail", 0, 0,
	NULL, "How released mail goes out: a sendmail(1), or smtp:host:port."},
    {"release-time", OPTION_DURATION, AT(release_valid_ms), "3d", 60000,
	7 * DAY_MS, NULL, "How long a release is good for."},
    /* as the receiver sees it */
    {"egress-addresses", OPTION_LIST, AT(egress), "auto", 0, 0, NULL,
	"Addresses mail leaves from, as receivers see them; auto: the public "
	"ones of this host."},
    {"helo-name", OPTION_TEXT, AT(helo), "", 0, 0, NULL,
	"The name the MTA greets receivers with; empty: its own name."},
    {"local-domains", OPTION_LIST, AT(local_domains), "", 0, 0, NULL,
	"Domains of our own, .domain for all below it, or files of them."},
    {"login-map", OPTION_LIST, AT(login_map), "", 0, 0, NULL,
	"Who may write as whom: \"user: address, @domain, /regex/\", or files "
	"of such lines."},
    {"strict-domains", OPTION_LIST, AT(strict_domains),
	"gmail.com, googlemail.com", 0, 0, NULL,
	"Domains whose unaligned mail receivers refuse whatever the policy "
	"is."},
    {"authserv-id", OPTION_TEXT, AT(authserv_id), "", 0, 0, NULL,
	"Authentication-Results of this name are removed; empty: of the "
	"MTA's."},
    {"dns", OPTION_LIST, AT(dns), "system", 0, 0, NULL,
	"Who is asked: system (resolv.conf), recursion, addresses of servers, "
	"file:/path, or off."},
    {"dns-hosts", OPTION_TEXT, AT(dns_hosts), "", 0, 0, NULL,
	"A file like /etc/hosts that is looked at first; empty: none."},
    {"dns-time", OPTION_DURATION, AT(dns_ms), "3s", 50, 8000, NULL,
	"The longest one message waits for the DNS."},
    {"dns-query-time", OPTION_DURATION, AT(dns_query_ms), "2s", 50, 8000, NULL,
	"The longest wait for one answer."},
    {"dns-questions", OPTION_COUNT, AT(dns_questions), "200", 20, 10000, NULL,
	"Questions one message may ask."},
    {"dns-cache", OPTION_SIZE, AT(dns_cache_bytes), "32M", MIB, 4096 * MIB,
	NULL,
	"Bytes of answers that are kept, and as many of what was made of "
	"them."},
    {"dnssec", OPTION_BOOL, AT(has_dnssec), "no", 0, 0, NULL,
	"Validate answers; a bogus one is no answer."},
    {"dkim-key-table", OPTION_TEXT, AT(key_table), "", 0, 0, NULL,
	"Signing keys, OpenDKIM's KeyTable; empty: nothing is signed."},
    {"dkim-signing-table", OPTION_TEXT, AT(signing_table), "", 0, 0, NULL,
	"Which key signs for which author, OpenDKIM's SigningTable."},
    {"dkim-headers", OPTION_LIST, AT(sign_fields), DKIM_FIELDS_DEFAULT, 0, 0,
	NULL, "Header fields that are signed if they are there."},
    {"dkim-oversign", OPTION_LIST, AT(oversign_fields), DKIM_OVERSIGN_DEFAULT,
	0, 0, NULL,
	"Header fields that nobody can add without breaking the signature."},
    {"dkim-canonicalization", OPTION_CHOICE, AT(canonicalization),
	"relaxed/relaxed", 0, 0, canons,
	"How much header/body may change on the way."},
    {"dkim-expiry", OPTION_DURATION, AT(signature_valid_ms), "0s", 0,
	3650 * DAY_MS, NULL, "How long a signature is good for; 0: for ever."},
    {"dkim-key-bits", OPTION_COUNT, AT(key_bits), "1024", 1024, 16384, NULL,
	"RSA keys that are shorter are refused."},
    /* notices */
    {"notice-gate", OPTION_BOOL, AT(has_notice_gate), "yes", 0, 0, NULL,
	"Keep back automatic notices whose addressee was forged."},
    {"notice-over-budget", OPTION_CHOICE, AT(notice_over), "discard", 0, 0,
	over_budget, "A notice of unknown origin for which no budget is left."},
    {"notices-per-addressee", OPTION_COUNT, AT(notices_addressee), "1", 0,
	10000, NULL,
	"Notices of unknown origin to one addressee from one sender in 24 "
	"hours."},
    {"notices-per-domain", OPTION_COUNT, AT(notices_domain), "20", 0, 10000,
	NULL,
	"Notices of unknown origin to one domain of addressees in an hour."},
    {"notices-in-all", OPTION_COUNT, AT(notices_total), "200", 0, 10000, NULL,
	"Notices of unknown origin in all in an hour."},
    {"trust-own-results", OPTION_BOOL, AT(trusts_results), "no", 0, 0, NULL,
	"A verifier here removes forged Authentication-Results of our name, "
	"so those below the MTA's Received field count, too."},
    {"ledger-days", OPTION_COUNT, AT(ledger_days), "10", 1, 365, NULL,
	"How long messages are remembered, to know whom a notice answers."},
    {"ledger-size", OPTION_SIZE, AT(ledger_bytes), "2G", 8 * MIB, 1e12, NULL,
	"Bytes the ledger may take on disk; past it the oldest entries go."},
    /* history */
    {"history-days", OPTION_COUNT, AT(history_days), "30", 0, 3650, NULL,
	"How long postern history knows what was decided; 0: not at all."},
    {"history-size", OPTION_SIZE, AT(history_bytes), "1G", MIB, 1e12, NULL,
	"Bytes the history may take on disk; past it the oldest entries go."},
    {"history-addresses", OPTION_CHOICE, AT(history_addresses), "plain", 0, 0,
	history_names, "Whether the history names people, or hashes them."},
    /* alerts */
    {"alert-mail", OPTION_LIST, AT(alert_mail), "", 0, 0, NULL,
	"Addresses that alerts and the digest are mailed to."},
    {"alert-webhook", OPTION_TEXT, AT(alert_webhook), "", 0, 0, NULL,
	"Where alerts are posted as JSON: an http or https address; empty: "
	"nowhere."},
    {"alert-command", OPTION_TEXT, AT(alert_command), "", 0, 0, NULL,
	"A program that gets alerts as JSON on its standard input; empty: "
	"none."},
    {"alert-from", OPTION_TEXT, AT(alert_from), "", 0, 0, NULL,
	"The address alerts and the digest are from; empty: postern at this "
	"host."},
    {"alert-via", OPTION_TEXT, AT(alert_via), "smtp:127.0.0.1:25", 0, 0, NULL,
	"How they are handed to the MTA: smtp:host:port, or a sendmail(1)."},
    {"alert-delay", OPTION_DURATION, AT(alert_delay_ms), "1m", 0, 3600000, NULL,
	"How long an alert waits for more to tell in the same one."},
    {"alert-window", OPTION_DURATION, AT(alert_window_ms), "10m", 1000, DAY_MS,
	NULL, "The time that shares of held mail and failed questions are of."},
    {"alert-least", OPTION_COUNT, AT(alert_least), "20", 1, 1e9, NULL,
	"Messages or questions in that time below which there is no share."},
    {"alert-hold-percent", OPTION_COUNT, AT(alert_hold_percent), "20", 1, 100,
	NULL, "Share of messages held from which hold-rate is told."},
    {"alert-dns-percent", OPTION_COUNT, AT(alert_dns_percent), "50", 1, 100,
	NULL,
	"Share of questions not answered from which dns-failing is told."},
    {"alert-quarantine-percent", OPTION_COUNT, AT(alert_quarantine_percent),
	"90", 1, 100, NULL,
	"Share of quarantine-size from which quarantine-full is told."},
    /* words */
    {"reject-text", OPTION_TEXT, AT(reject_text),
	"This message looks like spam and was not sent. Ask your postmaster "
	"about {id}",
	0, 0, NULL,
	"Said to a client whose mail is rejected; {id} is the lookup id."},
    {"defer-text", OPTION_TEXT, AT(defer_text),
	"This message cannot be sent now, please try again later ({id})", 0, 0,
	NULL, "Said to a client whose mail is deferred."},
    {"add-headers", OPTION_BOOL, AT(add_headers), "no", 0, 0, NULL,
	"Write score and rules into mail that is accepted, too."},
    {0}};

static const struct option_row class_rows[] = {
    {"filter", OPTION_BOOL, IN_CLASS(is_filtered), "yes", 0, 0, NULL,
	"Scan mail of this class; class inbound never is."},
    {"sign", OPTION_BOOL, IN_CLASS(is_signed), "yes", 0, 0, NULL,
	"Sign mail of this class with DKIM if there is a key for its author."},
    {"tag", OPTION_SCORE, IN_CLASS(tag), "4", 0, 1e6, NULL,
	"Score from which X-Postern headers are added."},
    {"defer", OPTION_SCORE, IN_CLASS(defer), "off", 0, 1e6, NULL,
	"Score from which the client is asked to try again later."},
    {"hold", OPTION_SCORE, IN_CLASS(hold), "6", 0, 1e6, NULL,
	"Score from which the message is kept in the quarantine."},
    {"reject", OPTION_SCORE, IN_CLASS(reject), "off", 0, 1e6, NULL,
	"Score from which the client is told no."},
    {"daemon-names", OPTION_LIST, IN_CLASS(daemon_names), "", 0, 0, NULL,
	"Mail that came in by an MTA service of this name is of this class."},
    {"networks", OPTION_LIST, IN_CLASS(networks), "", 0, 0, NULL,
	"Mail of clients in these networks is of this class."},
    {"listen", OPTION_LIST, IN_CLASS(listen), "", 0, 0, NULL,
	"Mail that came in at these addresses of the MTA is of this class."},
    {0}};

static const struct option_row alert_rows[] = {
    {"to", OPTION_LIST, offsetof(struct alert_config, to),
	"mail, webhook, command", 0, 0, NULL,
	"The ways this event is told, of those that are set up."},
    {"every", OPTION_DURATION, offsetof(struct alert_config, every_ms), "1h",
	1000, 30 * DAY_MS, NULL,
	"How long a sender or key that was told is not told of again."},
    {0}};

static const struct option_section sections[] = {
    {"class", class_titles, class_rows, AT(class), sizeof(struct class_config),
	"How mail of one class is treated."},
    {"alert", alert_titles, alert_rows, AT(alert), sizeof(struct alert_config),
	"How one event is told."},
    {0}};

const struct option_file CONFIG_FILE = {rows, sections, CONFIG_FORMS};

/* Tag, hold and reject, when on, must not be in reverse. */
static void
check_order(const struct class_config *class, const char *title,
    const struct option_lines *lines, struct diags *diags)
{
	struct option_place reject = {lines, title, "reject"};
	struct option_place tag = {lines, title, "tag"};
	if (class->hold != 0 && class->reject != 0 &&
	    class->reject < class->hold)
		option_complain(diags, DIAG_WARNING, &reject, 0,
		    "%g is below hold (%g) in class %s, so nothing will be "
		    "held",
		    class->reject, class->hold, title);
	if (class->hold != 0 && class->tag > class->hold)
		option_complain(diags, DIAG_WARNING, &tag, 0,
		    "%g is above hold (%g) in class %s, so nothing will be "
		    "tagged",
		    class->tag, class->hold, title);
}

/*
 * A program may come and go: without it mail flows, and each alert that cannot
 * be told is logged.
 */
static void
check_via(struct arena *a, const struct config *config, const char *option,
    struct str via, struct diags *diags)
{
	struct option_place place = {.lines = &config->lines, .name = option};
	struct str why = STR_EMPTY;
	if (!inject_via_check(a, via, &why))
		option_complain(diags, DIAG_WARNING, &place, 0,
		    "%.*s: alerts cannot be told this way", STR_ARG(why));
}

static void
check_alerts(struct arena *a, const struct config *config, struct diags *diags)
{
	struct option_place webhook = {
	    .lines = &config->lines, .name = "alert-webhook"};
	if (config->alert_webhook.len > 0 && access(CONFIG_CURL, X_OK) != 0)
		option_complain(diags, DIAG_WARNING, &webhook, 0,
		    "it needs " CONFIG_CURL " (package curl)");
	if (config->alert_mail.n > 0)
		check_via(a, config, "alert-via", config->alert_via, diags);
	if (config->alert_command.len > 0)
		check_via(
		    a, config, "alert-command", config->alert_command, diags);
}

/* Options whose default depends on another one. */
static void
fill_derived(struct arena *a, struct config *config)
{
	if (config->spool_dir.len == 0)
		config->spool_dir =
		    str_printf(a, "%.*s/spool", STR_ARG(config->state_dir));
	if (config->quarantine_dir.len == 0)
		config->quarantine_dir = str_printf(
		    a, "%.*s/quarantine", STR_ARG(config->state_dir));
}

bool
config_read(
    struct arena *a, const char *path, struct config *ret, struct diags *diags)
{
	size_t errors = diags_count(diags, DIAG_ERROR);
	ret->lines = (struct option_lines){.file = STR("defaults")};
	if (path == NULL)
		option_defaults(a, &CONFIG_FILE, ret);
	else if (!option_read(a, &CONFIG_FILE, path, ret, &ret->lines, diags))
		return false;
	for (size_t i = 0; i < CLASS_COUNT; i++)
		check_order(
		    &ret->class[i], class_titles[i], &ret -> lines, diags);
	check_alerts(a, ret, diags);
	fill_derived(a, ret);
	return diags_count(diags, DIAG_ERROR) == errors;
}

const char *
alert_event_name(enum alert_event event)
{
	return alert_titles[event];
}

const char *
alert_way_name(enum alert_way way)
{
	return alert_ways[way];
}

bool
config_alert_goes(
    const struct config *config, enum alert_event event, enum alert_way way)
{
	const bool is_set_up[] = {
	    [ALERT_BY_MAIL] = config->alert_mail.n > 0,
	    [ALERT_BY_WEBHOOK] = config->alert_webhook.len > 0,
	    [ALERT_BY_COMMAND] = config->alert_command.len > 0,
	};
	return is_set_up[way] &&
	       strs_has(&config->alert[event].to, str_from(alert_ways[way]));
}

bool
config_alert_is_told(const struct config *config, enum alert_event event)
{
	return config_alert_goes(config, event, ALERT_BY_MAIL) ||
	       config_alert_goes(config, event, ALERT_BY_WEBHOOK) ||
	       config_alert_goes(config, event, ALERT_BY_COMMAND);
}

struct str
config_host(struct arena *a, const struct config *config)
{
	char name[256] = "";
	(void)gethostname(name, sizeof(name) - 1);
	struct str host = config->helo.len > 0 ? config->helo : str_from(name);
	for (size_t i = 0; i < host.len; i++)
		if (!char_is_alnum(host.p[i]) && host.p[i] != '.' &&
		    host.p[i] != '-')
			return STR("localhost");
	return host.len == 0 ? STR("localhost") : str_dup(a, host);
}

struct str
config_alert_from(struct arena *a, const struct config *config)
{
	return config->alert_from.len > 0
		   ? config->alert_from
		   : str_printf(
			 a, "postern@%.*s", STR_ARG(config_host(a, config)));
}

struct resolver_config
config_resolver(const struct config *config)
{
	return (struct resolver_config){
	    .servers = config->dns,
	    .hosts = config->dns_hosts,
	    .query_ms = config->dns_query_ms,
	    .cache_bytes = config->dns_cache_bytes,
	    .has_dnssec = config->has_dnssec,
	};
}

bool
config_dns_may_fail(const struct config *config)
{
	return config->dns.n == 1 && str_eq(config->dns.v[0], STR("system"));
}

unsigned
config_workers(const struct config *config)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	if (config->workers > 0)
		return (unsigned)config->workers;
	return cpus > 0 ? (unsigned)cpus : 1;
}
