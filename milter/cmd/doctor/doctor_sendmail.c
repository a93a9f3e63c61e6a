/* SPDX-License-Identifier: BSD-2-Clause */
/* doctor_sendmail -- sendmail.cf: whether Postern sees what Sendmail sends, and
 * what makes Sendmail send to strangers. */
#include "base/arena.h"
#include "cmd/doctor/doctor.h"
#include "session/config.h"
#include "session/config_form.h"

#define EXAMPLES "/usr/share/doc/postern/examples"
/* Nobody writes longer settings. */
#define SETTING_BYTES 4096

/* ---- reading */

/* A line that starts with a blank goes on with the one before. */
static void
line_add(struct doctor *d, struct str line)
{
	struct sendmail *s = &d->sendmail;
	if (line.len == 0 || line.p[0] == '#')
		return;
	if (char_is_blank(line.p[0]) && s->lines.n > 0) {
		struct str *before = &s->lines.v[s->lines.n - 1].text;
		/* Rules and headers are long; nobody asks for their rest. */
		if (strchr("ODKXM", s->lines.v[s->lines.n - 1].kind) != NULL &&
		    before->len + line.len < SETTING_BYTES)
			*before = str_printf(d->arena, "%.*s %.*s",
			    STR_ARG(*before), STR_ARG(str_trim(line)));
		return;
	}
	ARENA_PUSH(d->arena, &s->lines) =
	    (struct sendmail_line){line.p[0], str_trim(str_skip(line, 1))};
}

void
sendmail_parse(struct doctor *d, struct str text)
{
	d->sendmail.is_there = true;
	while (text.len > 0)
		line_add(d, str_line(&text));
}

/* The last one counts. */
struct str
sendmail_option(const struct doctor *d, const char *name)
{
	struct str value = STR_EMPTY;
	for (size_t i = 0; i < d->sendmail.lines.n; i++) {
		const struct sendmail_line *line = &d->sendmail.lines.v[i];
		struct str rest = line->text;
		if (line->kind == 'O' &&
		    str_ieq(str_trim(str_cut(&rest, '=')), str_from(name)))
			value = str_trim(rest);
	}
	return value;
}

/* The value of "S=" in "Xpostern, S=unix:/path, F=T". */
static struct str
field_value(struct str text, char field)
{
	while (text.len > 0) {
		struct str part = str_trim(str_cut(&text, ','));
		if (part.len > 1 && part.p[0] == field && part.p[1] == '=')
			return str_trim(str_skip(part, 2));
	}
	return STR_EMPTY;
}

static struct str
first_name(struct str text)
{
	return str_trim(str_cut(&text, ','));
}

static bool
is_in_list(struct str list, struct str name)
{
	while (list.len > 0)
		if (str_eq(str_trim(str_cut(&list, ',')), name))
			return true;
	return false;
}

/* The X line whose socket is ours; NULL: none. */
static const struct sendmail_line *
our_filter(const struct doctor *d)
{
	struct str ours = config_form_socket_path(d->config->socket);
	for (size_t i = 0; i < d->sendmail.lines.n; i++) {
		const struct sendmail_line *line = &d->sendmail.lines.v[i];
		if (line->kind != 'X')
			continue;
		struct str socket = field_value(line->text, 'S'), path = socket;
		(void)str_cut(&path, ':');
		if (str_ieq(socket, d->config->socket) ||
		    (ours.len > 0 && str_eq(path, ours)))
			return line;
	}
	return NULL;
}

/* ---- findings */

static void
cf_finding(struct doctor *d, enum doctor_level level, struct str found,
    const char *why, struct str cure)
{
	struct finding finding = {
	    .level = level,
	    .found = found,
	    .file = d->sendmail.file,
	    .why = str_from(why),
	    .cure = cure,
	};
	if (cure.len > 0)
		finding.place = STR("sendmail.mc, before the MAILER lines");
	finding_add(d, finding);
}

static struct str
filter_line(const struct doctor *d)
{
	return str_printf(d->arena,
	    "INPUT_MAIL_FILTER(`postern', `S=%.*s, F=T, "
	    "T=C:10s;S:30s;R:60s;E:5m')dnl",
	    STR_ARG(d->config->socket));
}

/* ---- what Postern sees */

static void
check_filter(struct doctor *d)
{
	const struct sendmail_line *filter = our_filter(d);
	struct str used = sendmail_option(d, "InputMailFilters");
	if (filter != NULL && is_in_list(used, first_name(filter->text)))
		return;
	cf_finding(d, DOCTOR_TROUBLE,
	    str_printf(d->arena, "InputMailFilters=%.*s", STR_ARG(used)),
	    filter == NULL
		? "No milter has the socket of posternd: Postern sees nothing."
		: "The milter is there, but it is not in use.",
	    filter_line(d));
}

static void
check_filter_fields(struct doctor *d)
{
	const struct sendmail_line *filter = our_filter(d);
	if (filter == NULL)
		return;
	struct str found = str_printf(d->arena, "X%.*s", STR_ARG(filter->text));
	if (!str_eq(field_value(filter->text, 'F'), STR("T")) &&
	    !d->config->observe)
		cf_finding(d, DOCTOR_WARNING, found,
		    "While posternd does not run, mail leaves unseen or is "
		    "refused for good; with F=T it waits.",
		    filter_line(d));
	if (field_value(filter->text, 'T').len == 0)
		cf_finding(d, DOCTOR_WARNING, found,
		    "Without timeouts Sendmail waits no longer than 10 s.",
		    filter_line(d));
	if (config_form_socket_path(d->config->socket).len == 0)
		cf_finding(d, DOCTOR_WARNING, found,
		    "Over TCP each message takes a quarter of a second longer: "
		    "give posternd a unix socket.",
		    STR_EMPTY);
}

static bool
is_port(const struct sendmail_line *line)
{
	return line->kind == 'O' &&
	       str_istarts(line->text, STR("DaemonPortOptions"));
}

/* The value of a key that starts with `letter`: Sendmail looks no further. */
static struct str
port_value(const struct sendmail_line *line, char letter)
{
	struct str rest = line->text;
	(void)str_cut(&rest, '=');
	while (rest.len > 0) {
		struct str part = str_trim(str_cut(&rest, ','));
		if (part.len > 0 && char_lower(part.p[0]) == letter) {
			(void)str_cut(&part, '=');
			return str_trim(part);
		}
	}
	return STR_EMPTY;
}

/* A port may have filters of its own. */
static void
check_ports(struct doctor *d)
{
	const struct sendmail_line *filter = our_filter(d);
	for (size_t i = 0; filter != NULL && i < d->sendmail.lines.n; i++) {
		const struct sendmail_line *line = &d->sendmail.lines.v[i];
		struct str own = port_value(line, 'i');
		bool has_ours = !is_port(line) || own.len == 0;
		while (own.len > 0)
			has_ours |= str_eq(str_trim(str_cut(&own, ';')),
			    first_name(filter->text));
		if (!has_ours)
			cf_finding(d, DOCTOR_TROUBLE,
			    str_printf(d->arena, "O %.*s", STR_ARG(line->text)),
			    "Postern does not see what comes to this port.",
			    STR_EMPTY);
	}
}

/* The mailer `name` sends what did not come by SMTP to a port of our own. */
static bool
has_hop(const struct doctor *d, const char *name)
{
	for (size_t i = 0; i < d->sendmail.lines.n; i++) {
		const struct sendmail_line *line = &d->sendmail.lines.v[i];
		if (line->kind == 'M' &&
		    str_eq(first_name(line->text), str_from(name)))
			return str_find(line->text, STR("$?r$h$|")) != STR_NONE;
	}
	return true; /* no such mailer, nothing leaves by it */
}

/* Where such mailers lead to: the last port of "$?r25$|2526$."; empty: there
 * are none. */
static struct str
hop_port(const struct doctor *d)
{
	struct str port = STR_EMPTY;
	for (size_t i = 0; i < d->sendmail.lines.n; i++) {
		const struct sendmail_line *line = &d->sendmail.lines.v[i];
		if (line->kind != 'M' ||
		    str_find(line->text, STR("$?r$h$|")) == STR_NONE)
			continue;
		port = str_skip(line->text, str_rchr(line->text, '|') + 1);
		port = str_cut(&port, '$');
	}
	return port;
}

static bool
hop_is_served(const struct doctor *d)
{
	struct str port = hop_port(d);
	for (size_t i = 0; i < d->sendmail.lines.n; i++) {
		const struct sendmail_line *line = &d->sendmail.lines.v[i];
		if (is_port(line) && str_eq(port_value(line, 'p'), port))
			return true;
	}
	return port.len == 0;
}

static void
check_hop(struct doctor *d)
{
	static const char *const mailers[] = {
	    "smtp", "esmtp", "smtp8", "dsmtp", "relay"};
	for (size_t i = 0; i < COUNT_OF(mailers); i++)
		if (!has_hop(d, mailers[i])) {
			cf_finding(d, DOCTOR_TROUBLE,
			    str_printf(d->arena, "mailer %s", mailers[i]),
			    "Sendmail shows its own bounces and delay warnings "
			    "to no milter, unless they leave by way of a "
			    "second port.",
			    STR("include(`" EXAMPLES
				"/sendmail-notices.mc.snippet')dnl"));
			return;
		}
	if (!hop_is_served(d))
		cf_finding(d, DOCTOR_TROUBLE, STR("DaemonPortOptions"),
		    "Nobody listens at the port that the mailers send "
		    "Sendmail's own notices to.",
		    STR("include(`" EXAMPLES
			"/sendmail-notices.mc.snippet')dnl"));
}

/* Mail of programs goes to the daemon of this host. */
static void
check_msp(struct doctor *d)
{
	struct str folder = d->sendmail.file, text;
	size_t slash = str_rchr(folder, '/');
	if (slash == STR_NONE)
		return;
	struct str path = str_printf(
	    d->arena, "%.*s/submit.cf", STR_ARG(str_sub(folder, 0, slash)));
	if (!doctor_file(d, path, &text))
		return;
	while (text.len > 0) {
		struct str line = str_trim(str_line(&text));
		if (!str_starts(line, STR("D{MTAHost}")))
			continue;
		struct str host = str_trim(str_skip(line, 10));
		bool is_here = str_eq(host, STR("[127.0.0.1]")) ||
			       str_eq(host, STR("[IPv6:::1]")) ||
			       str_eq(host, STR("[IPv6:0:0:0:0:0:0:0:1]")) ||
			       str_ieq(host, STR("localhost")) ||
			       str_ieq(host, STR("[localhost]"));
		if (!is_here)
			finding_add(d,
			    (struct finding){
				.level = DOCTOR_TROUBLE,
				.found = line,
				.file = path,
				.why = STR("Mail of programs goes to another "
					   "host, past Postern."),
				.cure = STR("FEATURE(`msp', `[127.0.0.1]')dnl"),
				.place = STR("submit.mc"),
			    });
	}
}

/* ---- what sends to strangers */

static void
check_luser(struct doctor *d)
{
	for (size_t i = 0; i < d->sendmail.lines.n; i++) {
		const struct sendmail_line *line = &d->sendmail.lines.v[i];
		if (line->kind == 'D' && line->text.len > 1 &&
		    line->text.p[0] == 'L')
			cf_finding(d, DOCTOR_WARNING,
			    str_printf(d->arena, "D%.*s", STR_ARG(line->text)),
			    "Mail for users who do not exist is taken and sent "
			    "on.",
			    STR("undefine(`LUSER_RELAY')dnl"));
	}
}

/* The file of "Kname hash -o /path"; empty: there is none. */
static struct str
map_path(const struct doctor *d, const char *name)
{
	for (size_t i = 0; i < d->sendmail.lines.n; i++) {
		struct str text = d->sendmail.lines.v[i].text;
		if (d->sendmail.lines.v[i].kind != 'K' ||
		    !str_eq(str_word(&text), str_from(name)))
			continue;
		struct str word = str_word(&text), path = STR_EMPTY;
		while ((word = str_word(&text)).len > 0)
			path = word;
		return path.len > 0 && path.p[0] == '/' ? path : STR_EMPTY;
	}
	return STR_EMPTY;
}

static void
wildcard_finding(
    struct doctor *d, struct str file, struct str key, struct str value)
{
	finding_add(d,
	    (struct finding){
		.level = DOCTOR_TROUBLE,
		.found = str_printf(
		    d->arena, "%.*s %.*s", STR_ARG(key), STR_ARG(value)),
		.file = file,
		.why = STR("Every address of the domain is taken and sent on; "
			   "what is refused there is bounced to whoever it "
			   "says it is from.  Write a line for each user in "
			   "front of this one."),
		.cure = str_printf(d->arena,
		    "%.*s error:5.1.1:550 User unknown", STR_ARG(key)),
		.place = file,
	    });
}

static void
check_virtusers(struct doctor *d)
{
	struct str file = map_path(d, "virtuser"), text;
	if (file.len == 0 || !doctor_file(d, file, &text))
		return;
	while (text.len > 0) {
		struct str line = str_line(&text);
		if (line.len == 0 || line.p[0] != '@')
			continue;
		struct str key = str_word(&line), value = str_trim(line);
		if (!str_istarts(value, STR("error:")) &&
		    str_chr(value, '@') != STR_NONE)
			wildcard_finding(d, file, key, value);
	}
}

static void
check_mailertable(struct doctor *d)
{
	struct str file = map_path(d, "mailertable"), text;
	if (file.len == 0 || !doctor_file(d, file, &text))
		return;
	while (text.len > 0) {
		struct str line = str_trim(str_line(&text));
		struct str rest = line, key = str_word(&rest);
		struct str value = str_trim(rest);
		if (key.len == 0 || key.p[0] == '#' ||
		    str_istarts(value, STR("error:")) ||
		    str_istarts(value, STR("local:")))
			continue;
		finding_add(d,
		    (struct finding){
			.level = DOCTOR_NOTE,
			.found = line,
			.file = file,
			.why =
			    STR("If this domain is in relay-domains, mail "
				"for anybody in it is taken.  Name its users "
				"in /etc/mail/access instead, as here."),
			.cure = str_printf(
			    d->arena, "To:user@%.*s RELAY", STR_ARG(key)),
			.place = STR("/etc/mail/access"),
		    });
	}
}

static void
check_delay_warning(struct doctor *d)
{
	struct str time = sendmail_option(d, "Timeout.queuewarn");
	if (time.len == 0)
		time = sendmail_option(d, "Timeout.queuewarn.normal");
	if (time.len == 0 || time.p[0] == '0')
		return;
	cf_finding(d,
	    has_hop(d, "esmtp") && has_hop(d, "relay") ? DOCTOR_NOTE
						       : DOCTOR_WARNING,
	    str_printf(d->arena, "O Timeout.queuewarn=%.*s", STR_ARG(time)),
	    "Whoever a waiting message says it is from is told that it waits.",
	    STR("define(`confTO_QUEUEWARN', `0')dnl"));
}

static void
check_receipts(struct doctor *d)
{
	struct str flags = sendmail_option(d, "PrivacyOptions");
	if (str_ifind(flags, STR("noreceipts")) != STR_NONE ||
	    str_ifind(flags, STR("goaway")) != STR_NONE)
		return;
	cf_finding(d, DOCTOR_NOTE,
	    str_printf(d->arena, "O PrivacyOptions=%.*s", STR_ARG(flags)),
	    "Anybody may ask for a receipt (NOTIFY=SUCCESS), which then goes "
	    "to whoever the message says it is from.",
	    str_printf(d->arena,
		"define(`confPRIVACY_FLAGS', `%.*s%snoreceipts')dnl",
		STR_ARG(flags), flags.len == 0 ? "" : ","));
}

const struct doctor_check SENDMAIL_CHECKS[] = {
    {"sendmail-milter", "mail passes Postern", check_filter},
    {"sendmail-milter-flags",
	"mail has the right fate while posternd does not run",
	check_filter_fields},
    {"sendmail-ports", "no port goes past Postern", check_ports},
    {"sendmail-bounces", "bounces of Sendmail pass Postern", check_hop},
    {"sendmail-programs", "mail of programs passes Postern", check_msp},
    {"sendmail-luser-relay", "unknown users are refused", check_luser},
    {"sendmail-wildcards", "no domain is sent on as a whole", check_virtusers},
    {"sendmail-mailertable", "no domain is relayed", check_mailertable},
    {"sendmail-delay-warning", "nobody is told of delays", check_delay_warning},
    {"sendmail-receipts", "strangers get no receipts", check_receipts}, {0}};
