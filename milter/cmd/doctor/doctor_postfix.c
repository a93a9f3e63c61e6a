/* SPDX-License-Identifier: BSD-2-Clause */
/* doctor_postfix -- main.cf and master.cf as postconf(1) tells them, and
 * whether Postern sees what Postfix sends. */
#include "base/arena.h"
#include "base/buf.h"
#include "cmd/doctor/doctor.h"
#include "session/config.h"
#include "session/config_form.h"

#define LIST_BYTES 65536

/* ---- reading */

static struct table *
settings_parse(struct arena *a, struct str text)
{
	struct table *t = table_new(a, false);
	while (text.len > 0) {
		struct str line = str_line(&text);
		struct str name = str_trim(str_cut(&line, '='));
		struct str *value = ARENA_NEW(a, struct str);
		*value = str_trim(line);
		if (name.len > 0)
			table_set(t, name, value);
	}
	return t;
}

static struct str
table_text(const struct table *t, const char *name)
{
	const struct str *value =
	    t == NULL ? NULL : table_get(t, str_from(name));
	return value == NULL ? STR_EMPTY : *value;
}

/* "smtp inet n - y - - smtpd -o ..." */
static void
services_parse(struct doctor *d, struct str text)
{
	struct postfix *p = &d->postfix;
	bool is_old = str_eq(postfix_value(d, "compatibility_level"), STR("0"));
	while (text.len > 0) {
		struct str line = str_line(&text), field[8];
		for (size_t i = 0; i < COUNT_OF(field); i++)
			field[i] = str_word(&line);
		if (field[7].len == 0 || field[0].p[0] == '#')
			continue;
		ARENA_PUSH(d->arena, &p->services) = (struct postfix_service){
		    .name = field[0],
		    .type = field[1],
		    .program = field[7],
		    .is_chroot = str_eq(field[4], STR("y")) ||
				 (is_old && str_eq(field[4], STR("-"))),
		};
	}
}

/* "smtp/inet/smtpd_milters = value"; a service's name may have a slash. */
static void
overrides_parse(struct doctor *d, struct str text)
{
	while (text.len > 0) {
		struct str line = str_line(&text);
		struct str name = str_trim(str_cut(&line, '='));
		size_t slash = str_rchr(name, '/');
		if (slash == STR_NONE)
			continue;
		ARENA_PUSH(d->arena, &d->postfix.overrides) =
		    (struct postfix_override){
			.service = str_sub(name, 0, slash),
			.name = str_skip(name, slash + 1),
			.value = str_trim(line),
		    };
	}
}

void
postfix_parse(struct doctor *d, struct str raw, struct str values,
    struct str services, struct str overrides)
{
	d->postfix.is_there = true;
	d->postfix.raw = settings_parse(d->arena, raw);
	d->postfix.values = settings_parse(d->arena, values);
	services_parse(d, services);
	overrides_parse(d, overrides);
}

struct str
postfix_value(const struct doctor *d, const char *name)
{
	return table_text(d->postfix.values, name);
}

struct str
postfix_service_value(
    const struct doctor *d, const char *program, const char *name)
{
	for (size_t i = 0; i < d->postfix.overrides.n; i++) {
		const struct postfix_override *o = &d->postfix.overrides.v[i];
		if (str_eq(o->name, str_from(name)) &&
		    str_starts(
			o->service, str_printf(d->arena, "%s/", program)))
			return o->value;
	}
	return postfix_value(d, name);
}

struct str
postfix_raw(const struct doctor *d, const char *name)
{
	return table_text(d->postfix.raw, name);
}

struct str
postfix_main_cf(const struct doctor *d)
{
	return str_printf(d->arena, "%.*s/main.cf", STR_ARG(d->postfix.folder));
}

/* ---- lists */

static bool
is_separator(char c)
{
	return char_is_space(c) || c == ',';
}

/* Bytes of the element that `s` starts with. */
static size_t
element_length(struct str s)
{
	size_t depth = 0, i = 0;
	for (; i < s.len; i++) {
		if (s.p[i] == '{')
			depth++;
		if (s.p[i] == '}' && depth > 0)
			depth--;
		if (depth == 0 && is_separator(s.p[i]))
			break;
	}
	return i;
}

bool
postfix_list_next(struct str *rest, struct str *ret)
{
	while (rest->len > 0 && is_separator(rest->p[0]))
		*rest = str_skip(*rest, 1);
	if (rest->len == 0)
		return false;
	*ret = str_sub(*rest, 0, element_length(*rest));
	*rest = str_skip(*rest, ret->len);
	return true;
}

bool
postfix_list_has(struct str list, struct str word)
{
	struct str element;
	while (postfix_list_next(&list, &element))
		if (str_ieq(element, word))
			return true;
	return false;
}

struct str
postfix_list_without(struct arena *a, struct str list, struct str word)
{
	struct buf *b = buf_new(a, LIST_BYTES);
	struct str rest = list, element;
	while (rest.len > 0) {
		const char *start = rest.p;
		if (!postfix_list_next(&rest, &element))
			break;
		if (!str_ieq(element, word)) {
			buf_put(b, str_of(start, (size_t)(rest.p - start)));
			continue;
		}
		buf_put(b, str_of(start, (size_t)(element.p - start)));
		while (rest.len > 0 && is_separator(rest.p[0]))
			rest = str_skip(rest, 1);
	}
	struct str kept = buf_str(b);
	while (kept.len > 0 && is_separator(kept.p[kept.len - 1]))
		kept.len--;
	return str_dup(a, kept);
}

static struct str
postfix_line(const struct doctor *d, const char *name, struct str value)
{
	return str_trim(
	    str_printf(d->arena, "%s = %.*s", name, STR_ARG(value)));
}

void
postfix_finding(struct doctor *d, enum doctor_level level, const char *name,
    const char *why, struct str value)
{
	struct finding finding = {
	    .level = level,
	    .found = postfix_line(d, name, postfix_raw(d, name)),
	    .file = postfix_main_cf(d),
	    .why = str_from(why),
	    .cure = postfix_line(d, name, value),
	    .place = postfix_main_cf(d),
	};
	finding_add(d, finding);
}

/* ---- our socket, as Postfix names it */

/* smtpd or cleanup, which speak to milters, do so from below the queue. */
static bool
is_chrooted(const struct doctor *d)
{
	for (size_t i = 0; i < d->postfix.services.n; i++) {
		const struct postfix_service *s = &d->postfix.services.v[i];
		if (s->is_chroot && (str_eq(s->program, STR("smtpd")) ||
					str_eq(s->program, STR("cleanup"))))
			return true;
	}
	return false;
}

/* `path` without the queue folder; empty: it is not below that. */
static struct str
below_queue(const struct doctor *d, struct str path)
{
	struct str queue = postfix_value(d, "queue_directory");
	if (queue.len == 0 || !str_starts(path, queue) ||
	    path.len <= queue.len + 1 || path.p[queue.len] != '/')
		return STR_EMPTY;
	return str_skip(path, queue.len + 1);
}

/* "inet:port@host" of libmilter as "host:port". */
static struct str
inet_spec(struct arena *a, struct str socket)
{
	(void)str_cut(&socket, ':');
	struct str port = str_cut(&socket, '@');
	bool is_any = socket.len == 0 || str_eq(socket, STR("0.0.0.0"));
	return str_printf(a, "inet:%.*s:%.*s",
	    STR_ARG(is_any ? STR("127.0.0.1") : socket), STR_ARG(port));
}

/* Where no MTA in a chroot could find it, the packaged place. */
static struct str
our_spec(const struct doctor *d)
{
	struct str path = config_form_socket_path(d->config->socket),
		   below = below_queue(d, path);
	if (path.len == 0)
		return inet_spec(d->arena, d->config->socket);
	if (below.len > 0)
		return str_printf(d->arena, "unix:%.*s", STR_ARG(below));
	if (!is_chrooted(d))
		return str_printf(d->arena, "unix:%.*s", STR_ARG(path));
	return STR("unix:postern/postern.sock");
}

/* The address in an element; "{ inet:host:port, default_action=accept }". */
static struct str
milter_address(struct str element)
{
	struct str first = STR_EMPTY;
	if (element.len > 1 && element.p[0] == '{') {
		element = str_sub(element, 1, element.len - 2);
		(void)postfix_list_next(&element, &first);
		return first;
	}
	return element;
}

/* The same socket, however it is written. */
static bool
is_our_milter(const struct doctor *d, struct str element)
{
	struct str address = milter_address(element);
	struct str path = config_form_socket_path(d->config->socket);
	struct str queue = postfix_value(d, "queue_directory");
	if (path.len == 0)
		return str_ieq(address, our_spec(d));
	struct str scheme = str_cut(&address, ':');
	if (!str_ieq(scheme, STR("unix")) || address.len == 0)
		return false;
	bool is_below = address.p[0] != '/' || is_chrooted(d);
	if (is_below)
		address = str_printf(d->arena, "%.*s%s%.*s", STR_ARG(queue),
		    address.p[0] == '/' ? "" : "/", STR_ARG(address));
	return str_eq(address, path);
}

static bool
has_our_milter(const struct doctor *d, struct str list)
{
	struct str element;
	while (postfix_list_next(&list, &element))
		if (is_our_milter(d, element))
			return true;
	return false;
}

/* Ours first; others stay; one that only seems to be ours goes. */
static struct str
milters_cured(const struct doctor *d, struct str list)
{
	struct buf *b = buf_new(d->arena, LIST_BYTES);
	struct str element;
	buf_put(b, our_spec(d));
	while (postfix_list_next(&list, &element)) {
		bool is_stale = str_ifind(milter_address(element),
				    STR("postern")) != STR_NONE;
		if (!is_stale && !is_our_milter(d, element)) {
			buf_put(b, STR(", "));
			buf_put(b, element);
		}
	}
	return buf_str(b);
}

/* ---- what Postern sees */

static void
check_socket(struct doctor *d)
{
	struct str path = config_form_socket_path(d->config->socket);
	if (path.len == 0) {
		finding_skip(d, STR("it is a port"));
		return;
	}
	if (!is_chrooted(d) || below_queue(d, path).len > 0) {
		mta_socket_check(d, path);
		return;
	}
	finding_add(d,
	    (struct finding){
		.level = DOCTOR_TROUBLE,
		.found = str_printf(
		    d->arena, "socket = \"%.*s\"", STR_ARG(d->config->socket)),
		.file = STR("postern.conf"),
		.why = STR("smtpd or cleanup run in a chroot (master.cf), from "
			   "where they reach only what is below "
			   "queue_directory."),
		.cure = str_printf(d->arena,
		    "socket = \"unix:%.*s/postern/postern.sock\"",
		    STR_ARG(postfix_value(d, "queue_directory"))),
		.place = STR("postern.conf"),
	    });
}

static void
check_milters(struct doctor *d, const char *name, const char *why)
{
	if (!has_our_milter(d, postfix_value(d, name)))
		postfix_finding(d, DOCTOR_TROUBLE, name, why,
		    milters_cured(d, postfix_raw(d, name)));
}

static void
check_smtpd_milters(struct doctor *d)
{
	check_milters(d, "smtpd_milters",
	    "Postern does not see mail that comes by SMTP, and so neither what "
	    "leaves nor which messages notices answer.");
}

static void
check_non_smtpd_milters(struct doctor *d)
{
	check_milters(d, "non_smtpd_milters",
	    "Postern does not see mail of programs (sendmail(1)), nor "
	    "Postfix's own bounces, nor the vacation replies of Sieve.");
}

static void
check_bounce_class(struct doctor *d)
{
	struct str classes = postfix_value(d, "internal_mail_filter_classes");
	if (!postfix_list_has(classes, STR("bounce")))
		postfix_finding(d, DOCTOR_TROUBLE,
		    "internal_mail_filter_classes",
		    "Postfix sends its bounces past Postern.",
		    classes.len == 0 ? STR("bounce")
				     : str_printf(d->arena, "%.*s, bounce",
					   STR_ARG(classes)));
}

static void
check_default_action(struct doctor *d)
{
	static const struct {
		const char *action;
		enum doctor_level level;
		const char *why;
	} rows[] = {
	    {"tempfail", DOCTOR_OK, NULL},
	    {"quarantine", DOCTOR_OK, NULL},
	    {"accept", DOCTOR_WARNING,
		"While posternd does not run, everything leaves unseen: good "
		"only as long as Postern observes."},
	    {"reject", DOCTOR_TROUBLE,
		"While posternd does not run, mail is refused for good, and "
		"whoever sent it gets a bounce."},
	};
	struct str action = postfix_value(d, "milter_default_action");
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (str_ieq(action, str_from(rows[i].action))) {
			bool is_fine = rows[i].level == DOCTOR_OK ||
				       (d->config->observe &&
					   rows[i].level == DOCTOR_WARNING);
			if (!is_fine)
				postfix_finding(d, rows[i].level,
				    "milter_default_action", rows[i].why,
				    STR("tempfail"));
			return;
		}
	postfix_finding(d, DOCTOR_TROUBLE, "milter_default_action",
	    "Postfix does not know this action and defers all mail.",
	    STR("tempfail"));
}

static void
check_protocol(struct doctor *d)
{
	uint64_t version;
	if (str_u64(postfix_value(d, "milter_protocol"), 99, &version) &&
	    version < 6)
		postfix_finding(d, DOCTOR_WARNING, "milter_protocol",
		    "An old protocol hides part of each message from milters "
		    "and spoils DKIM signatures.",
		    STR("6"));
}

/* ---- services of master.cf that go their own way */

/* Back from a content filter: seen when it came the first time. */
static bool
is_reinjection(const struct doctor *d, struct str service)
{
	static const char *const hosts[] = {
	    "127.0.0.1:", "localhost:", "[::1]:"};
	bool is_local = false;
	for (size_t i = 0; i < COUNT_OF(hosts); i++)
		is_local |= str_starts(service, str_from(hosts[i]));
	if (!is_local)
		return false;
	bool is_filtered = postfix_value(d, "content_filter").len > 0;
	for (size_t i = 0; i < d->postfix.overrides.n; i++) {
		const struct postfix_override *o = &d->postfix.overrides.v[i];
		is_filtered |= o->value.len > 0 &&
			       (str_eq(o->name, STR("content_filter")) ||
				   str_eq(o->name, STR("smtpd_proxy_filter")));
	}
	return is_filtered;
}

/* postconf -P takes no blanks in a value; a comma is as good in a list. */
static struct str
without_blanks(struct arena *a, struct str list)
{
	struct buf *b = buf_new(a, LIST_BYTES);
	struct str element;
	while (postfix_list_next(&list, &element)) {
		if (b->len > 0)
			buf_putc(b, ',');
		buf_put(b, element);
	}
	return buf_str(b);
}

void
override_finding(struct doctor *d, const struct postfix_override *o,
    const char *why, struct str value)
{
	struct str setting = str_printf(d->arena, "%.*s/%.*s%s%.*s",
	    STR_ARG(o->service), STR_ARG(o->name), value.len == 0 ? "" : "=",
	    STR_ARG(without_blanks(d->arena, value)));
	finding_add(d,
	    (struct finding){
		.level = DOCTOR_TROUBLE,
		.found = str_printf(d->arena, "%.*s: -o %.*s=%.*s",
		    STR_ARG(o->service), STR_ARG(o->name), STR_ARG(o->value)),
		.file = str_printf(
		    d->arena, "%.*s/master.cf", STR_ARG(d->postfix.folder)),
		.why = str_from(why),
		.cure = str_printf(d->arena, "postconf -c %.*s %s %.*s",
		    STR_ARG(doctor_shell_word(d->arena, d->postfix.folder)),
		    value.len == 0 ? "-PX" : "-P",
		    STR_ARG(doctor_shell_word(d->arena, setting))),
	    });
}

static void
override_milters(struct doctor *d, const struct postfix_override *o)
{
	if (!has_our_milter(d, o->value))
		override_finding(d, o,
		    "What comes to this service is not seen by Postern.",
		    STR_EMPTY);
}

static void
override_no_milters(struct doctor *d, const struct postfix_override *o)
{
	if (!postfix_list_has(o->value, STR("no_milters")))
		return;
	override_finding(d, o,
	    "What comes to this service is shown to no milter.",
	    postfix_list_without(d->arena, o->value, STR("no_milters")));
}

static void
override_classes(struct doctor *d, const struct postfix_override *o)
{
	if (!postfix_list_has(o->value, STR("bounce")))
		override_finding(d, o,
		    "Bounces of this service are not seen by Postern.",
		    STR_EMPTY);
}

static void
check_overrides(struct doctor *d)
{
	static const struct {
		const char *name;
		void (*judge)(
		    struct doctor *d, const struct postfix_override *o);
	} rows[] = {
	    {"smtpd_milters", override_milters},
	    {"non_smtpd_milters", override_milters},
	    {"receive_override_options", override_no_milters},
	    {"internal_mail_filter_classes", override_classes},
	};
	for (size_t i = 0; i < d->postfix.overrides.n; i++) {
		const struct postfix_override *o = &d->postfix.overrides.v[i];
		for (size_t j = 0; j < COUNT_OF(rows); j++)
			if (str_eq(o->name, str_from(rows[j].name)) &&
			    !is_reinjection(d, o->service))
				rows[j].judge(d, o);
	}
}

static void
check_receive_options(struct doctor *d)
{
	struct str options = postfix_raw(d, "receive_override_options");
	if (postfix_list_has(options, STR("no_milters")))
		postfix_finding(d, DOCTOR_TROUBLE, "receive_override_options",
		    "No mail at all is shown to milters.",
		    postfix_list_without(d->arena, options, STR("no_milters")));
}

static void
check_milter_maps(struct doctor *d)
{
	if (postfix_value(d, "smtpd_milter_maps").len > 0)
		postfix_finding(d, DOCTOR_NOTE, "smtpd_milter_maps",
		    "For clients in these tables other milters are asked, or "
		    "none: see that Postern's socket is in each row.",
		    STR_EMPTY);
}

const struct doctor_check POSTFIX_CHECKS[] = {
    {"postfix-socket", "Postfix can reach the socket of posternd",
	check_socket},
    {"postfix-smtpd-milters", "mail of SMTP clients passes Postern",
	check_smtpd_milters},
    {"postfix-non-smtpd-milters", "mail of programs passes Postern",
	check_non_smtpd_milters},
    {"postfix-bounces", "bounces of Postfix pass Postern", check_bounce_class},
    {"postfix-default-action",
	"mail has the right fate while posternd does not run",
	check_default_action},
    {"postfix-milter-protocol", "the milter protocol is a current one",
	check_protocol},
    {"postfix-services", "no service of master.cf goes past Postern",
	check_overrides},
    {"postfix-no-milters", "milters are not switched off",
	check_receive_options},
    {"postfix-milter-maps", "all clients have the same milters",
	check_milter_maps},
    {0}};
