/* SPDX-License-Identifier: BSD-2-Clause */
/* doctor_backscatter -- settings of Postfix by which strangers get notices:
 * mail is taken that cannot be delivered, or somebody is asked or told. */
#include "auth/policy.h"
#include "base/arena.h"
#include "base/buf.h"
#include "cmd/doctor/doctor.h"

#define LIST_BYTES 65536
#define SIGNERS 8
/* Rows of whole domains, and targets of one, that are looked at. */
#define WILDCARDS_MAX 1000
#define TARGETS_MAX 50

/* ---- restrictions */

/* What may refuse a recipient. */
static const char *const recipient_lists[] = {
    "smtpd_relay_restrictions", "smtpd_recipient_restrictions"};

static const char *const all_lists[] = {"smtpd_client_restrictions",
    "smtpd_helo_restrictions", "smtpd_sender_restrictions",
    "smtpd_relay_restrictions", "smtpd_recipient_restrictions",
    "smtpd_data_restrictions", "smtpd_end_of_data_restrictions",
    "smtpd_etrn_restrictions"};

/* ---- lookup tables */

/* The source of a table, "hash:/etc/postfix/virtual"; false: it has none. */
static bool
map_text(struct doctor *d, struct str map, struct str *ret)
{
	static const char *const types[] = {
	    "hash", "btree", "lmdb", "cdb", "dbm", "sdbm", "texthash"};
	struct str type = str_cut(&map, ':');
	if (str_eq(type, STR("proxy")))
		type = str_cut(&map, ':');
	for (size_t i = 0; i < COUNT_OF(types); i++)
		if (str_eq(type, str_from(types[i])))
			return doctor_file(d, map, ret);
	return false;
}

/* The next row of a table: its key, and the rest of its first line.  A line
 * that starts with a blank goes on with the row before. */
static bool
map_next(struct str *rest, struct str *ret_key, struct str *ret_value)
{
	while (rest->len > 0) {
		struct str line = str_line(rest);
		if (line.len == 0 || line.p[0] == '#' ||
		    char_is_space(line.p[0]))
			continue;
		*ret_key = str_word(&line);
		*ret_value = str_trim(line);
		return true;
	}
	return false;
}

/* `domain` is named by a list, or by a table in it. */
static bool
list_names(struct doctor *d, const char *name, struct str domain)
{
	struct str list = postfix_value(d, name), element, text, key, value;
	while (postfix_list_next(&list, &element)) {
		if (str_ieq(element, domain))
			return true;
		if (!map_text(d, element, &text))
			continue;
		while (map_next(&text, &key, &value))
			if (str_ieq(key, domain))
				return true;
	}
	return false;
}

static bool
delivers_here(struct doctor *d, struct str domain)
{
	return list_names(d, "mydestination", domain) ||
	       list_names(d, "virtual_mailbox_domains", domain) ||
	       list_names(d, "virtual_alias_domains", domain);
}

/* ---- recipients are known before mail for them is taken */

/* One of the tables asked for the recipient says so for some. */
static bool
access_tables_verify(struct doctor *d, struct str list)
{
	struct str element, text;
	bool is_next = false;
	while (postfix_list_next(&list, &element)) {
		if (is_next && map_text(d, element, &text) &&
		    text_has_word(text, STR("reject_unverified_recipient")))
			return true;
		is_next = str_ieq(element, STR("check_recipient_access"));
	}
	return false;
}

static bool
recipients_are_verified(struct doctor *d)
{
	for (size_t i = 0; i < COUNT_OF(recipient_lists); i++) {
		struct str list = postfix_value(d, recipient_lists[i]);
		if (postfix_list_has(
			list, STR("reject_unverified_recipient")) ||
		    access_tables_verify(d, list))
			return true;
	}
	return false;
}

/* The list with `word` where it has an effect: not behind a last "permit". */
static struct str
recipient_list_with(struct doctor *d, struct str word)
{
	struct str list = postfix_raw(d, "smtpd_recipient_restrictions");
	if (list.len == 0)
		list = STR("permit_mynetworks, permit_sasl_authenticated, "
			   "reject_unauth_destination");
	struct str rest = list, element, kept = list;
	while (postfix_list_next(&rest, &element))
		if (str_ieq(element, STR("permit")) && rest.len == 0)
			kept =
			    postfix_list_without(d->arena, list, STR("permit"));
	return str_printf(d->arena, "%.*s%s%.*s", STR_ARG(kept),
	    kept.len == 0 ? "" : ", ", STR_ARG(word));
}

/* Mail for anybody in the domains of `name` is taken. */
static void
recipients_finding(
    struct doctor *d, const char *name, const char *missing, const char *why)
{
	struct str lines = str_printf(d->arena,
	    "smtpd_recipient_restrictions = %.*s\n"
	    "unverified_recipient_reject_code = 550",
	    STR_ARG(
		recipient_list_with(d, STR("reject_unverified_recipient"))));
	finding_add(d, (struct finding){
			   .level = DOCTOR_TROUBLE,
			   .found = str_printf(d->arena, "%s = %.*s, %s =",
			       name, STR_ARG(postfix_value(d, name)), missing),
			   .file = postfix_main_cf(d),
			   .why = str_from(why),
			   .cure = lines,
			   .place = postfix_main_cf(d),
		       });
}

static void
check_local_recipients(struct doctor *d)
{
	if (postfix_value(d, "mydestination").len == 0 ||
	    postfix_value(d, "local_recipient_maps").len > 0 ||
	    recipients_are_verified(d))
		return;
	if (str_eq(postfix_value(d, "local_transport"),
		STR("local:$myhostname")) ||
	    str_starts(postfix_value(d, "local_transport"), STR("local"))) {
		postfix_finding(d, DOCTOR_TROUBLE, "local_recipient_maps",
		    "Mail for users who do not exist is taken, and then "
		    "bounced to whoever it says it is from.",
		    STR("proxy:unix:passwd.byname $alias_maps"));
		return;
	}
	recipients_finding(d, "mydestination", "local_recipient_maps",
	    "Mail for users who do not exist is taken, and then bounced to "
	    "whoever it says it is from; Postfix can ask the server behind "
	    "it.");
}

/* A domain that is relayed and is not delivered here as well. */
static bool
relays_elsewhere(struct doctor *d)
{
	struct str list = postfix_value(d, "relay_domains"), element;
	while (postfix_list_next(&list, &element))
		if (!list_names(d, "mydestination", element))
			return true;
	return false;
}

static void
check_relay_recipients(struct doctor *d)
{
	if (relays_elsewhere(d) &&
	    postfix_value(d, "relay_recipient_maps").len == 0 &&
	    !recipients_are_verified(d))
		recipients_finding(d, "relay_domains", "relay_recipient_maps",
		    "Mail for anybody in these domains is taken; what the next "
		    "server then refuses is bounced to whoever it says it is "
		    "from.");
}

static void
check_virtual_mailboxes(struct doctor *d)
{
	if (postfix_value(d, "virtual_mailbox_domains").len > 0 &&
	    postfix_value(d, "virtual_mailbox_maps").len == 0 &&
	    !recipients_are_verified(d))
		recipients_finding(d, "virtual_mailbox_domains",
		    "virtual_mailbox_maps",
		    "Mail for anybody in these domains is taken; what the "
		    "delivery agent then refuses (LMTP 550) is bounced to "
		    "whoever it says it is from.");
}

/* "@here.example" to all of another domain, or to an address elsewhere. */
static bool
is_open_target(struct doctor *d, struct str targets)
{
	struct str target;
	for (size_t n = 0;
	     n < TARGETS_MAX && postfix_list_next(&targets, &target); n++) {
		size_t at = str_rchr(target, '@');
		if (at == 0 || (at != STR_NONE &&
				   !delivers_here(d, str_skip(target, at + 1))))
			return true;
	}
	return false;
}

static void
wildcard_finding(
    struct doctor *d, struct str map, struct str key, struct str value)
{
	(void)str_cut(&map, ':');
	finding_add(d,
	    (struct finding){
		.level = DOCTOR_TROUBLE,
		.found = str_printf(
		    d->arena, "%.*s %.*s", STR_ARG(key), STR_ARG(value)),
		.file = map,
		.why = STR("Every address of the domain is taken and sent on; "
			   "what is refused there is bounced to whoever it "
			   "says it is from.  One row for each user is as "
			   "good."),
		.cure = str_printf(d->arena,
		    "smtpd_recipient_restrictions = %.*s\n"
		    "unverified_recipient_reject_code = 550",
		    STR_ARG(recipient_list_with(
			d, STR("reject_unverified_recipient")))),
		.place = postfix_main_cf(d),
	    });
}

static void
check_wildcards(struct doctor *d)
{
	struct str maps = postfix_value(d, "virtual_alias_maps"), map, text,
		   key, value;
	size_t n = 0;
	if (recipients_are_verified(d))
		return;
	while (postfix_list_next(&maps, &map)) {
		if (!map_text(d, map, &text))
			continue;
		while (n < WILDCARDS_MAX && map_next(&text, &key, &value))
			if (key.p[0] == '@' && ++n > 0 &&
			    is_open_target(d, value))
				wildcard_finding(d, map, key, value);
	}
}

static void
check_luser(struct doctor *d)
{
	if (postfix_value(d, "luser_relay").len > 0)
		postfix_finding(d, DOCTOR_WARNING, "luser_relay",
		    "Mail for users who do not exist is taken and sent on.",
		    STR_EMPTY);
}

static void
check_unlisted(struct doctor *d)
{
	bool is_off = str_ieq(
	    postfix_value(d, "smtpd_reject_unlisted_recipient"), STR("no"));
	for (size_t i = 0; is_off && i < COUNT_OF(recipient_lists); i++)
		if (postfix_list_has(postfix_value(d, recipient_lists[i]),
			STR("reject_unlisted_recipient")))
			is_off = false;
	if (is_off)
		postfix_finding(d, DOCTOR_TROUBLE,
		    "smtpd_reject_unlisted_recipient",
		    "Mail for users who do not exist is taken, and then "
		    "bounced to whoever it says it is from.",
		    STR("yes"));
}

static void
check_codes(struct doctor *d)
{
	static const char *const names[] = {
	    "unknown_local_recipient_reject_code",
	    "unknown_relay_recipient_reject_code",
	    "unknown_virtual_alias_reject_code",
	    "unknown_virtual_mailbox_reject_code"};
	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (str_starts(postfix_value(d, names[i]), STR("4")))
			postfix_finding(d, DOCTOR_WARNING, names[i],
			    "Senders try again for days and then bounce; a "
			    "backup MX keeps such mail and bounces it too.",
			    STR("550"));
	if (recipients_are_verified(d) &&
	    str_starts(
		postfix_value(d, "unverified_recipient_reject_code"), STR("4")))
		postfix_finding(d, DOCTOR_NOTE,
		    "unverified_recipient_reject_code",
		    "Senders try again for days to reach users who do not "
		    "exist.",
		    STR("550"));
}

static void
check_soft_bounce(struct doctor *d)
{
	if (str_ieq(postfix_value(d, "soft_bounce"), STR("yes")))
		postfix_finding(d, DOCTOR_WARNING, "soft_bounce",
		    "What should be refused is deferred instead, stays in the "
		    "queue, and is bounced days later.",
		    STR("no"));
}

/* Take `word` out of each list that has it. */
static void
check_word(struct doctor *d, const char *word, enum doctor_level level,
    const char *why)
{
	for (size_t i = 0; i < COUNT_OF(all_lists); i++) {
		struct str list = postfix_raw(d, all_lists[i]);
		if (postfix_list_has(list, str_from(word)))
			postfix_finding(d, level, all_lists[i], why,
			    postfix_list_without(
				d->arena, list, str_from(word)));
	}
}

static void
check_mx_backup(struct doctor *d)
{
	check_word(d, "permit_mx_backup", DOCTOR_TROUBLE,
	    "Mail for anybody is taken in any domain that names this host as "
	    "its MX; what the next server refuses is bounced.");
}

static void
check_callouts(struct doctor *d)
{
	check_word(d, "reject_unverified_sender", DOCTOR_TROUBLE,
	    "Each forged sender's server is asked whether the address exists: "
	    "Backscatterer lists hosts that do so.");
	for (size_t i = 0; i < d->postfix.overrides.n; i++) {
		const struct postfix_override *o = &d->postfix.overrides.v[i];
		if (postfix_list_has(o->value, STR("reject_unverified_sender")))
			override_finding(d, o,
			    "Each forged sender's server is asked whether the "
			    "address exists.",
			    postfix_list_without(d->arena, o->value,
				STR("reject_unverified_sender")));
	}
}

/* ---- notices that somebody asked for */

static void
check_delay_warning(struct doctor *d)
{
	struct str time = postfix_value(d, "delay_warning_time");
	if (time.len > 0 && time.p[0] != '0')
		postfix_finding(d, DOCTOR_WARNING, "delay_warning_time",
		    "Whoever a waiting message says it is from is told that it "
		    "waits.",
		    STR("0h"));
}

static void
check_receipts(struct doctor *d)
{
	struct str words = postfix_raw(d, "smtpd_discard_ehlo_keywords");
	if (!postfix_list_has(words, STR("dsn")) &&
	    postfix_value(d, "smtpd_discard_ehlo_keyword_address_maps").len ==
		0)
		postfix_finding(d, DOCTOR_NOTE, "smtpd_discard_ehlo_keywords",
		    "Anybody may ask for a receipt (NOTIFY=SUCCESS), which "
		    "then goes to whoever the message says it is from.",
		    words.len == 0
			? STR("silent-discard, dsn")
			: str_printf(d->arena, "%.*s, dsn", STR_ARG(words)));
}

/* ---- after the queue */

static void
check_content_filter(struct doctor *d)
{
	struct str filter = postfix_raw(d, "content_filter");
	if (filter.len == 0 || d->amavis.is_there)
		return;
	finding_add(d,
	    (struct finding){
		.level = DOCTOR_NOTE,
		.found = str_printf(
		    d->arena, "content_filter = %.*s", STR_ARG(filter)),
		.file = postfix_main_cf(d),
		.why = STR("A filter behind the queue cannot refuse any more: "
			   "see that it discards or tags, and bounces "
			   "nothing."),
	    });
}

/* Programs that mail is handed to may answer it. */
static void
check_pipes(struct doctor *d)
{
	struct str maps = postfix_value(d, "alias_maps"), map, text, line;
	while (postfix_list_next(&maps, &map)) {
		if (!map_text(d, map, &text))
			continue;
		while (text.len > 0) {
			line = str_trim(str_line(&text));
			if (line.len == 0 || line.p[0] == '#' ||
			    str_chr(line, '|') == STR_NONE)
				continue;
			struct str file = map;
			(void)str_cut(&file, ':');
			finding_add(d,
			    (struct finding){
				.level = DOCTOR_NOTE,
				.found = line,
				.file = file,
				.why = STR("A program gets this mail and may "
					   "answer it; Postern sees what it "
					   "sends by sendmail(1) or SMTP."),
			    });
		}
	}
}

/* ---- who believes a bounce */

/* myorigin, or the line of the file that it names. */
static struct str
origin_domain(struct doctor *d)
{
	struct str origin = postfix_value(d, "myorigin"), text;
	if (origin.len > 0 && origin.p[0] == '/' &&
	    doctor_file(d, origin, &text))
		origin = str_word(&text);
	return str_lower(d->arena, origin);
}

static void
unsigned_finding(struct doctor *d, struct str address)
{
	finding_add(d,
	    (struct finding){
		.level = DOCTOR_WARNING,
		.found = str_printf(d->arena, "myorigin = %.*s",
		    STR_ARG(postfix_raw(d, "myorigin"))),
		.file = postfix_main_cf(d),
		.why = str_printf(d->arena,
		    "Bounces are from %.*s, for which dkim-signing-table has "
		    "no key: large receivers refuse them (5.7.26).  What is "
		    "missing is said by:",
		    STR_ARG(address)),
		.cure =
		    str_printf(d->arena, "postern preflight --from '<>' %.*s",
			STR_ARG(doctor_shell_word(d->arena, origin_domain(d)))),
	    });
}

static void
check_signature(struct doctor *d)
{
	struct dkim_signer signers[SIGNERS];
	struct str address = str_printf(
	    d->arena, "MAILER-DAEMON@%.*s", STR_ARG(origin_domain(d)));
	if (d->policy == NULL)
		return;
	if (d->policy->keys == NULL)
		finding_add(d,
		    (struct finding){
			.level = DOCTOR_NOTE,
			.found = STR("dkim-key-table is not set"),
			.file = STR("postern.conf"),
			.why = STR("Unless another milter signs bounces, large "
				   "receivers refuse them (5.7.26)."),
		    });
	else if (dkim_signers_for(
		     d->arena, d->policy->keys, address, signers, SIGNERS) == 0)
		unsigned_finding(d, address);
}

const struct doctor_check BACKSCATTER_CHECKS[] = {
    {"postfix-local-recipients", "local recipients are known",
	check_local_recipients},
    {"postfix-relay-recipients", "recipients that are relayed to are known",
	check_relay_recipients},
    {"postfix-virtual-mailboxes", "virtual mailboxes are known",
	check_virtual_mailboxes},
    {"postfix-wildcards", "no domain is sent on as a whole", check_wildcards},
    {"postfix-luser-relay", "unknown users are refused", check_luser},
    {"postfix-unlisted", "unlisted recipients are refused", check_unlisted},
    {"postfix-reject-codes", "unknown users are refused for good", check_codes},
    {"postfix-soft-bounce", "what is refused is refused for good",
	check_soft_bounce},
    {"postfix-mx-backup", "no domain is taken because of its MX",
	check_mx_backup},
    {"postfix-callouts", "no sender's server is asked", check_callouts},
    {"postfix-delay-warning", "nobody is told of delays", check_delay_warning},
    {"postfix-receipts", "strangers get no receipts", check_receipts},
    {"postfix-content-filter", "no filter works behind the queue",
	check_content_filter},
    {"postfix-programs", "no alias hands mail to a program", check_pipes},
    {"postfix-signature", "bounces are signed", check_signature}, {0}};
