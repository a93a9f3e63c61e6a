/* SPDX-License-Identifier: BSD-2-Clause */
/* doctor_dovecot -- what doveconf(1) tells: whether Dovecot answers strangers
 * after mail was taken. */
#include "base/arena.h"
#include "cmd/doctor/doctor.h"

#define DEPTH_MAX 16

/* ---- reading: "name = value", and "section {" ... "}" */

void
dovecot_parse(struct doctor *d, struct str text)
{
	struct str path[DEPTH_MAX + 1] = {STR_EMPTY};
	size_t depth = 0, skipped = 0;
	d->dovecot.is_there = true;
	while (text.len > 0) {
		struct str line = str_trim(str_line(&text));
		if (line.len == 0 || line.p[0] == '#')
			continue;
		if (str_eq(line, STR("}"))) {
			if (skipped > 0)
				skipped--;
			else if (depth > 0)
				depth--;
		} else if (line.p[line.len - 1] == '{') {
			struct str name =
			    str_trim(str_sub(line, 0, line.len - 1));
			if (depth == DEPTH_MAX) {
				skipped++;
				continue;
			}
			path[depth + 1] = str_printf(d->arena, "%.*s%s%.*s",
			    STR_ARG(path[depth]), depth == 0 ? "" : "/",
			    STR_ARG(name));
			depth++;
		} else {
			struct str name = str_trim(str_cut(&line, '='));
			ARENA_PUSH(d->arena, &d->dovecot.settings) =
			    (struct dovecot_setting){
				path[depth], name, str_trim(line)};
		}
	}
}

struct str
dovecot_value(const struct doctor *d, const char *section, const char *name)
{
	struct str value = STR_EMPTY;
	for (size_t i = 0; i < d->dovecot.settings.n; i++) {
		const struct dovecot_setting *s = &d->dovecot.settings.v[i];
		if (str_eq(s->section, str_from(section)) &&
		    str_eq(s->name, str_from(name)))
			value = s->value;
	}
	return value;
}

/* A plugin is on, for everything or for a protocol that delivers. */
static bool
has_plugin(const struct doctor *d, const char *plugin)
{
	for (size_t i = 0; i < d->dovecot.settings.n; i++) {
		const struct dovecot_setting *s = &d->dovecot.settings.v[i];
		bool delivers = s->section.len == 0 ||
				str_eq(s->section, STR("protocol lmtp")) ||
				str_eq(s->section, STR("protocol lda"));
		if (delivers && str_eq(s->name, STR("mail_plugins")) &&
		    text_has_word(s->value, str_from(plugin)))
			return true;
	}
	return false;
}

static bool
is_yes(struct str value)
{
	return str_ieq(value, STR("yes")) || str_ieq(value, STR("true")) ||
	       str_eq(value, STR("1"));
}

static void
dovecot_finding(struct doctor *d, enum doctor_level level, const char *name,
    struct str value, const char *why, const char *cure)
{
	finding_add(d, (struct finding){
			   .level = level,
			   .found = str_printf(
			       d->arena, "%s = %.*s", name, STR_ARG(value)),
			   .file = d->dovecot.file,
			   .why = str_from(why),
			   .cure = str_from(cure),
			   .place = d->dovecot.file,
		       });
}

/* ---- quota */

/* An inet port or a unix path that quota-status listens at. */
static bool
is_quota_listener(const struct doctor *d, struct str service)
{
	for (size_t i = 0; i < d->dovecot.settings.n; i++) {
		const struct dovecot_setting *s = &d->dovecot.settings.v[i];
		if (!str_starts(s->section, STR("service quota-status/")))
			continue;
		size_t colon = str_rchr(service, ':');
		if (str_eq(s->name, STR("port")) && colon != STR_NONE &&
		    str_eq(str_skip(service, colon + 1), s->value))
			return true;
		struct str section = str_skip(s->section, 21);
		if (!str_starts(section, STR("unix_listener ")))
			continue;
		struct str path = str_trim(str_skip(section, 14));
		size_t slash = str_rchr(path, '/');
		if (slash != STR_NONE)
			path = str_skip(path, slash + 1);
		if (path.len > 0 && str_ends(service, path))
			return true;
	}
	return false;
}

/* Postfix asks quota-status before it takes mail. */
static bool
quota_is_asked(struct doctor *d)
{
	static const char *const lists[] = {"smtpd_recipient_restrictions",
	    "smtpd_relay_restrictions", "smtpd_data_restrictions",
	    "smtpd_end_of_data_restrictions"};
	for (size_t i = 0; i < COUNT_OF(lists); i++) {
		struct str list = postfix_value(d, lists[i]), element;
		bool is_next = false;
		while (postfix_list_next(&list, &element)) {
			if (is_next && is_quota_listener(d, element))
				return true;
			is_next = str_ieq(element, STR("check_policy_service"));
		}
	}
	return false;
}

static void
check_quota(struct doctor *d)
{
	if (!has_plugin(d, "quota") || !d->postfix.is_there)
		return;
	bool has_service = false;
	for (size_t i = 0; i < d->dovecot.settings.n; i++)
		has_service |= str_starts(d->dovecot.settings.v[i].section,
		    STR("service quota-status/"));
	if (!has_service) {
		dovecot_finding(d, DOCTOR_WARNING, "mail_plugins",
		    STR("... quota"),
		    "Mail for a full mailbox is taken, and then bounced to "
		    "whoever it says it is from; Dovecot can tell Postfix "
		    "before.",
		    "service quota-status {\n"
		    "  executable = quota-status -p postfix\n"
		    "  inet_listener {\n"
		    "    address = 127.0.0.1\n"
		    "    port = 12340\n"
		    "  }\n"
		    "  client_limit = 1\n"
		    "}\n"
		    "plugin {\n"
		    "  quota_status_success = DUNNO\n"
		    "  quota_status_nouser = DUNNO\n"
		    "  quota_status_overquota = \"552 5.2.2 Mailbox is full\"\n"
		    "}");
		return;
	}
	if (!quota_is_asked(d)) {
		struct str list =
		    postfix_raw(d, "smtpd_recipient_restrictions");
		postfix_finding(d, DOCTOR_WARNING,
		    "smtpd_recipient_restrictions",
		    "Dovecot's quota-status is there, but Postfix does not ask "
		    "it before it takes mail for a full mailbox.",
		    str_printf(d->arena,
			"check_policy_service inet:127.0.0.1:12340%s%.*s",
			list.len == 0 ? "" : ", ", STR_ARG(list)));
	}
}

/* ---- Sieve */

/* A command of that name, not only in "require". */
static bool
script_rejects(struct str text)
{
	while (text.len > 0) {
		struct str line = str_trim(str_line(&text));
		if (line.len == 0 || line.p[0] == '#' ||
		    str_istarts(line, STR("require")))
			continue;
		if (text_has_word(line, STR("reject")) ||
		    text_has_word(line, STR("ereject")))
			return true;
	}
	return false;
}

static void
script_judge(struct doctor *d, const char *setting, struct str path)
{
	struct str text;
	if (!doctor_file(d, path, &text) || !script_rejects(text))
		return;
	finding_add(
	    d, (struct finding){
		   .level = DOCTOR_WARNING,
		   .found = str_printf(
		       d->arena, "%s: the script rejects mail", setting),
		   .file = path,
		   .why = STR("Mail that was taken is sent back to whoever it "
			      "says it is from: use discard, or fileinto."),
		   .cure = STR("discard;"),
		   .place = path,
	       });
}

/* "file:/etc/dovecot/before.d;name=x": a script, or a folder of such. */
static void
scripts_judge(struct doctor *d, const char *setting, struct str value)
{
	struct strs paths = {0};
	if (str_starts(value, STR("file:")))
		value = str_skip(value, 5);
	value = str_cut(&value, ';');
	if (value.len == 0 || value.p[0] != '/')
		return;
	d->folder_paths(d->arena, value, &paths);
	if (paths.n == 0)
		strs_add(d->arena, &paths, value);
	for (size_t i = 0; i < paths.n; i++)
		if (paths.n == 1 || str_ends(paths.v[i], STR(".sieve")))
			script_judge(d, setting, paths.v[i]);
}

static void
check_scripts(struct doctor *d)
{
	static const char *const names[] = {
	    "sieve_before", "sieve_default", "sieve_after", "sieve_global"};
	for (size_t i = 0; i < d->dovecot.settings.n; i++) {
		const struct dovecot_setting *s = &d->dovecot.settings.v[i];
		for (size_t j = 0; j < COUNT_OF(names); j++)
			if (str_starts(s->section, STR("plugin")) &&
			    str_starts(s->name, str_from(names[j])))
				scripts_judge(d, names[j], s->value);
	}
}

static void
check_reject(struct doctor *d)
{
	struct str extensions = dovecot_value(d, "plugin", "sieve_extensions");
	bool is_relative = str_chr(extensions, '+') != STR_NONE ||
			   str_chr(extensions, '-') != STR_NONE;
	bool is_on = extensions.len == 0 || is_relative
			 ? str_find(extensions, STR("-reject")) == STR_NONE
			 : text_has_word(extensions, STR("reject"));
	if (has_plugin(d, "sieve") && is_on)
		dovecot_finding(d, DOCTOR_NOTE, "sieve_extensions", extensions,
		    "Users may have scripts that send mail back to whoever it "
		    "says it is from.",
		    "plugin {\n"
		    "  sieve_extensions = -reject\n"
		    "}");
}

static void
check_vacation(struct doctor *d)
{
	struct str period =
	    dovecot_value(d, "plugin", "sieve_vacation_min_period");
	if (period.len > 0 && period.p[0] == '0')
		dovecot_finding(d, DOCTOR_WARNING, "sieve_vacation_min_period",
		    period,
		    "A script may answer every message of the same sender.",
		    "plugin {\n"
		    "  sieve_vacation_min_period = 1d\n"
		    "}");
	static const struct {
		const char *name, *why, *cure;
	} rows[] = {
	    {"sieve_vacation_dont_check_recipient",
		"Vacation answers mail that is not addressed to the user: "
		"lists, and spam to many.",
		"plugin {\n"
		"  sieve_vacation_dont_check_recipient = no\n"
		"}"},
	    {"sieve_vacation_send_from_recipient",
		"Vacation replies have no null sender: other machines answer "
		"them, and Postern cannot tell them by it.",
		"plugin {\n"
		"  sieve_vacation_send_from_recipient = no\n"
		"}"},
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct str value = dovecot_value(d, "plugin", rows[i].name);
		if (is_yes(value))
			dovecot_finding(d, DOCTOR_WARNING, rows[i].name, value,
			    rows[i].why, rows[i].cure);
	}
}

/* ---- how Dovecot's notices leave */

static void
check_submission(struct doctor *d)
{
	static const char *const ours[] = {"127.0.0.1", "localhost", "[::1]"};
	struct str host = dovecot_value(d, "", "submission_host");
	if (host.len == 0)
		return;
	for (size_t i = 0; i < COUNT_OF(ours); i++)
		if (str_starts(host, str_from(ours[i])))
			return;
	dovecot_finding(d, DOCTOR_TROUBLE, "submission_host", host,
	    "Vacation replies and rejections leave by another host, past "
	    "Postern.",
	    "submission_host =");
}

const struct doctor_check DOVECOT_CHECKS[] = {
    {"dovecot-quota", "a full mailbox is known before mail is taken",
	check_quota},
    {"dovecot-scripts", "no script of the server rejects", check_scripts},
    {"dovecot-reject", "scripts cannot reject", check_reject},
    {"dovecot-vacation", "vacation replies are few", check_vacation},
    {"dovecot-submission", "Dovecot's notices pass this host",
	check_submission},
    {0}};
