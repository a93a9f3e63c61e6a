/* SPDX-License-Identifier: BSD-2-Clause */
/* config_form -- what the texts of options have to look like. */
#include "session/config_form.h"

#include <netdb.h>
#include <sys/un.h>

#include "auth/dkim_keys.h"
#include "auth/resolver.h"
#include "base/listen.h"
#include "base/network.h"
#include "hold/inject.h"

/* Absolute: posternd goes to / when it is in the background. */
static bool
is_path(struct str s)
{
	return str_starts(s, STR("/")) && str_chr(s, '\0') == STR_NONE;
}

static bool
is_path_or_empty(struct str s)
{
	return s.len == 0 || is_path(s);
}

/* bind(2) takes no longer one. */
static bool
is_socket_path(struct str s)
{
	return is_path(s) && !str_ends(s, STR("/")) &&
	       s.len < sizeof((struct sockaddr_un){0}.sun_path);
}

static bool
is_control_socket(struct str s)
{
	return s.len == 0 || is_socket_path(s);
}

/* Counters are for this host only. */
static bool
is_metrics_socket(struct str s)
{
	return s.len == 0 || is_socket_path(s) || listen_loopback_is_valid(s);
}

/* A number, or a name of services(5), as libmilter takes them. */
static bool
is_port(struct str s)
{
	uint64_t port;
	char name[64];
	if (s.len > 0 && char_is_digit(s.p[0]))
		return str_u64(s, UINT16_MAX, &port) && port > 0;
	(void)snprintf(name, sizeof(name), "%.*s", STR_ARG(s));
	struct servent entry, *found = NULL;
	char texts[1024];
	return s.len > 0 && s.len < sizeof(name) &&
	       getservbyname_r(
		   name, "tcp", &entry, texts, sizeof(texts), &found) == 0 &&
	       found != NULL;
}

/* Without @host: all addresses. */
static bool
is_port_at_host(struct str s)
{
	size_t at = str_chr(s, '@');
	struct str host = at == STR_NONE ? STR_EMPTY : str_skip(s, at + 1);
	for (size_t i = 0; i < host.len; i++)
		if (!char_is_alnum(host.p[i]) &&
		    memchr(".:-_[]%", host.p[i], 7) == NULL)
			return false;
	return is_port(str_sub(s, 0, at)) && (at == STR_NONE || host.len > 0);
}

struct str
config_form_socket_path(struct str spec)
{
	struct str kind = str_cut(&spec, ':');
	bool is_unix = str_eq(kind, STR("unix")) || str_eq(kind, STR("local"));
	return is_unix ? spec : STR_EMPTY;
}

static bool
is_milter_socket(struct str s)
{
	struct str path = config_form_socket_path(s);
	struct str kind = str_cut(&s, ':');
	bool is_inet = str_eq(kind, STR("inet")) || str_eq(kind, STR("inet6"));
	return is_inet ? is_port_at_host(s) : is_socket_path(path);
}

/* What hands mail to the MTA. */
static bool
is_via(struct str s)
{
	struct str why;
	return inject_via_has_form(s, &why);
}

static bool
is_command(struct str s)
{
	return !inject_via_is_smtp(s) && is_via(s);
}

static bool
is_command_or_empty(struct str s)
{
	return s.len == 0 || is_command(s);
}

static bool
is_address_or_empty(struct str s)
{
	return s.len == 0 || inject_address_is_safe(s);
}

/* No byte that curl(1), or a word of a command, would take for another. */
static bool
is_webhook(struct str s)
{
	bool has_scheme =
	    str_istarts(s, STR("http://")) || str_istarts(s, STR("https://"));
	for (size_t i = 0; i < s.len; i++)
		if (s.p[i] <= ' ' || s.p[i] > '~' || s.p[i] == '"' ||
		    s.p[i] == '\\')
			return false;
	return has_scheme || s.len == 0;
}

static bool
is_alert_way(struct str s)
{
	return str_eq(s, STR("mail")) || str_eq(s, STR("webhook")) ||
	       str_eq(s, STR("command"));
}

/* RFC 5322 section 2.2: what the name of a header field is made of. */
static bool
is_field_name(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.p[i] <= ' ' || s.p[i] > '~' || s.p[i] == ':')
			return false;
	return s.len > 0;
}

/* One word of what is behind an @, or of a name without one. */
static bool
is_realm_or_empty(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.p[i] <= ' ' || s.p[i] == 0x7f ||
		    s.p[i] == '@')
			return false;
	return true;
}

static bool
is_not_empty(struct str s)
{
	return str_trim(s).len > 0;
}

#define PATH "an absolute path"
#define PATH_OR_EMPTY "an absolute path, or empty"
#define NETWORK "an address or network such as 192.0.2.0/24"
#define VIA "smtp:host:port or a command with an absolute path"
#define TABLE                                                             \
	"an absolute path, alone or behind file: or refile:; OpenDKIM's " \
	"other kinds of tables are not known here"

const struct option_form CONFIG_FORMS[] = {
    {NULL, "socket", is_milter_socket,
	"unix:/path (at most 107 bytes), inet:port@host or inet6:port@host",
	false},
    {NULL, "control-socket", is_control_socket,
	"an absolute path of at most 107 bytes, or empty", false},
    {NULL, "metrics-socket", is_metrics_socket,
	"an absolute path of at most 107 bytes, a loopback address and port "
	"such as 127.0.0.1:9797, or empty",
	false},
    {NULL, "pid-file", is_path_or_empty, PATH_OR_EMPTY, false},
    {NULL, "trusted-networks", network_is_valid, NETWORK, false},
    {NULL, "login-domain", is_realm_or_empty,
	"a domain such as example.org, without @, or empty", false},
    {NULL, "authserv-id", is_realm_or_empty, "one word, or empty", false},
    {NULL, "rules", is_not_empty, "the path of a file or folder", false},
    {NULL, "state-dir", is_path, PATH, false},
    {NULL, "spool-dir", is_path_or_empty, PATH_OR_EMPTY, false},
    {NULL, "quarantine-dir", is_path_or_empty, PATH_OR_EMPTY, false},
    {NULL, "release-via", is_via, VIA, false},
    {NULL, "dns", resolver_server_has_form, RESOLVER_SERVER_FORMS, false},
    {NULL, "dns-hosts", is_path_or_empty, PATH_OR_EMPTY, false},
    {NULL, "dkim-key-table", dkim_table_has_form, TABLE, false},
    {NULL, "dkim-signing-table", dkim_table_has_form, TABLE, false},
    {NULL, "dkim-headers", is_field_name, "the name of a header field", false},
    {NULL, "dkim-oversign", is_field_name, "the name of a header field", false},
    {NULL, "alert-mail", inject_address_is_safe, "an address", false},
    {NULL, "alert-webhook", is_webhook, "an http:// or https:// address", true},
    {NULL, "alert-command", is_command_or_empty,
	"the absolute path of a program, with words behind it if you like",
	false},
    {NULL, "alert-from", is_address_or_empty, "an address", false},
    {NULL, "alert-via", is_via, VIA, false},
    {"class", "daemon-names", is_not_empty, "a name", false},
    {"class", "networks", network_is_valid, NETWORK, false},
    {"class", "listen", network_is_valid, NETWORK, false},
    {"alert", "to", is_alert_way, "one of: mail, webhook, command", false},
    {0}};
