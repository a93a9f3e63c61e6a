/* SPDX-License-Identifier: BSD-2-Clause */
/* doctor_net -- whether the DNS answers, whether mail leaves from the addresses
 * that are configured, and whether its keys are published. */
#include <arpa/inet.h>
#include <sys/socket.h>

#include "auth/egress.h"
#include "auth/policy.h"
#include "auth/zone.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/ip.h"
#include "base/network.h"
#include "cmd/cmd.h"
#include "cmd/doctor/doctor.h"
#include "session/config.h"

#define LIST_BYTES 65536
#define PATIENCE_MS 10000
#define QUESTIONS 200
#define RANDOM_LETTERS 20
/* Of a hundred questions that posternd asked, so many may fail. */
#define FAILURES_PERCENT 10
#define ASKED_LEAST 100

/* A question of ours, with the time of a person. */
static void
ask(struct doctor *d, struct str name, enum dns_type type,
    struct dns_answer *ret)
{
	d->host.budget = (struct dns_budget){
	    .deadline_ms = clock_ms() + PATIENCE_MS,
	    .questions = QUESTIONS,
	};
	resolver_ask(
	    d->host.dns.resolver, d->arena, name, type, &d->host.budget, ret);
}

static bool
can_ask(const struct doctor *d)
{
	return d->host.dns.resolver != NULL &&
	       !resolver_is_off(d->host.dns.resolver);
}

/* False: the DNS or the policy is missing, which is said. */
static bool
can_judge(struct doctor *d)
{
	if (d->policy != NULL && can_ask(d))
		return true;
	finding_skip(d, can_ask(d) ? STR("the configuration cannot be used")
				   : STR("the DNS is not asked"));
	return false;
}

/* A question that was not answered tells nothing. */
static void
answer_skip(struct doctor *d, struct str name)
{
	finding_skip(d, str_printf(d->arena, "the DNS does not answer for %.*s",
			    STR_ARG(name)));
}

static struct str
dns_option(const struct doctor *d)
{
	struct buf *b = buf_new(d->arena, LIST_BYTES);
	for (size_t i = 0; i < d->config->dns.n; i++)
		buf_printf(b, "%s\"%.*s\"", i == 0 ? "dns = {" : ", ",
		    STR_ARG(d->config->dns.v[i]));
	buf_printf(b, "}");
	return buf_str(b);
}

/* Our own name need not be in the DNS: that it is not is an answer, too. */
static struct str
own_name(const struct doctor *d)
{
	struct str name = d->policy != NULL ? d->policy->helo : STR_EMPTY;
	if (name.len == 0)
		name = postfix_value(d, "myhostname");
	return name.len > 0 ? name : cmd_own_name(d->arena);
}

static void
check_resolver(struct doctor *d)
{
	struct dns_answer answer;
	if (d->host.dns.resolver == NULL) {
		config_finding(d, DOCTOR_TROUBLE, d->host.dns_why,
		    "posternd cannot ask the DNS.", STR("dns = {\"system\"}"));
		return;
	}
	if (!can_ask(d)) {
		config_finding(d, DOCTOR_NOTE, dns_option(d),
		    "Nobody is asked, so nothing is known of what receivers "
		    "will think.",
		    STR("dns = {\"system\"}"));
		return;
	}
	ask(d, own_name(d), DNS_A, &answer);
	if (answer.status != DNS_TEMP)
		return;
	config_finding(d, DOCTOR_TROUBLE,
	    str_printf(d->arena, "%.*s: %.*s: %s", STR_ARG(dns_option(d)),
		STR_ARG(own_name(d)), answer.why),
	    "The name servers do not answer: SPF, DKIM and DMARC are not "
	    "known, and each message waits for them.  Look at "
	    "/etc/resolv.conf, or name others.",
	    STR("dns = {\"127.0.0.1\"}"));
}

static struct str
name_of_nobody(struct arena *a)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz";
	struct buf *b = buf_new(a, RANDOM_LETTERS + 16);
	uint64_t seed = (uint64_t)clock_ns();
	for (size_t i = 0; i < RANDOM_LETTERS; i++) {
		seed = seed * 6364136223846793005U + 1442695040888963407U;
		buf_putc(b, letters[(seed >> 33) % 26]);
	}
	buf_printf(b, ".example");
	return buf_str(b);
}

/* RFC 6761 section 6.5: nobody has a name below .example. */
static void
check_honest(struct doctor *d)
{
	struct dns_answer answer;
	if (!can_ask(d)) {
		finding_skip(d, STR("the DNS is not asked"));
		return;
	}
	struct str name = name_of_nobody(d->arena);
	ask(d, name, DNS_A, &answer);
	if (answer.status == DNS_TEMP)
		answer_skip(d, name);
	if (answer.status == DNS_OK)
		config_finding(d, DOCTOR_TROUBLE,
		    str_printf(d->arena,
			"%.*s: a name that nobody has is "
			"answered with an address",
			STR_ARG(dns_option(d))),
		    "These name servers make answers up: senders that do not "
		    "exist seem to, and rules that ask lists hit everybody.",
		    STR("dns = {\"recursion\"}"));
}

static void
check_failures(struct doctor *d)
{
	const json_t *dns = json_object_get(d->host.status, "dns");
	json_int_t asked = json_integer_value(json_object_get(dns, "asked")),
		   failed =
		       json_integer_value(json_object_get(dns, "timeouts")) +
		       json_integer_value(json_object_get(dns, "failures"));
	if (!host_has_status(d))
		return;
	if (asked > 0 && failed * 100 < asked * FAILURES_PERCENT)
		return;
	if (asked < ASKED_LEAST) {
		finding_skip(
		    d, str_printf(d->arena, "posternd has asked %lld questions",
			   asked));
		return;
	}
	finding_add(
	    d, (struct finding){
		   .level = DOCTOR_WARNING,
		   .found = str_printf(d->arena,
		       "%lld of %lld questions of posternd were not answered",
		       failed, asked),
		   .why = STR("Messages wait for answers that do not come, and "
			      "are judged without them."),
		   .cure = str_printf(d->arena, "dns = {\"127.0.0.1\"}"),
		   .place = str_from(cmd_config_path),
	       });
}

/* ---- where mail leaves from */

/* The address the kernel gives a connection to the world; nothing is sent.
 * False: there is no way. */
static bool
source_address(int family, struct arena *a, struct str *ret)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(25)};
	struct sockaddr_in6 v6 = {
	    .sin6_family = AF_INET6, .sin6_port = htons(25)};
	/* a.root-servers.net */
	(void)inet_pton(AF_INET, "198.41.0.4", &v4.sin_addr);
	(void)inet_pton(AF_INET6, "2001:503:ba3e::2:30", &v6.sin6_addr);
	bool is_v4 = family == AF_INET;
	const void *to = is_v4 ? (const void *)&v4 : (const void *)&v6;
	socklen_t len = is_v4 ? sizeof(v4) : sizeof(v6);
	struct sockaddr_storage from;
	socklen_t from_len = sizeof(from);
	char text[INET6_ADDRSTRLEN];
	int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	void *raw = &from;
	bool is_good = fd >= 0 && connect(fd, to, len) == 0 &&
		       getsockname(fd, raw, &from_len) == 0;
	if (fd >= 0)
		(void)close(fd);
	if (!is_good)
		return false;
	const struct sockaddr_in *got4 = raw;
	const struct sockaddr_in6 *got6 = raw;
	const void *address = is_v4 ? (const void *)&got4->sin_addr
				    : (const void *)&got6->sin6_addr;
	if (inet_ntop(family, address, text, sizeof(text)) == NULL)
		return false;
	*ret = str_dup(a, str_from(text));
	return true;
}

/* inet_interfaces with one address of this family binds smtp(8) to it, unless
 * it is loopback's (postconf(5), smtp_bind_address). */
static struct str
bound_interface(const struct doctor *d, bool is_v6)
{
	struct str list = postfix_value(d, "inet_interfaces"), element,
		   found = STR_EMPTY;
	while (postfix_list_next(&list, &element)) {
		struct ip ip;
		if (element.len > 1 && element.p[0] == '[')
			element = str_sub(element, 1, element.len - 2);
		if (!ip_parse(element, &ip) || ip.is_v6 != is_v6)
			continue;
		if (found.len > 0 || network_is_loopback(element))
			return STR_EMPTY;
		found = element;
	}
	return found;
}

/* Does the MTA use this family at all? */
static bool
speaks(const struct doctor *d, bool is_v6)
{
	struct str list = postfix_value(d, "inet_protocols");
	return !d->postfix.is_there || postfix_list_has(list, STR("all")) ||
	       postfix_list_has(list, is_v6 ? STR("ipv6") : STR("ipv4"));
}

/* Where a message of this family leaves from, and what says so. */
static bool
leaves_from(const struct doctor *d, bool is_v6, struct str *ret,
    const char **ret_setting)
{
	const char *setting =
	    is_v6 ? "smtp_bind_address6" : "smtp_bind_address";
	if (!speaks(d, is_v6))
		return false;
	*ret = postfix_service_value(d, "smtp", setting);
	*ret_setting = setting;
	if (ret->len > 0)
		return true;
	*ret = bound_interface(d, is_v6);
	*ret_setting = "inet_interfaces";
	if (ret->len > 0)
		return true;
	*ret_setting = "the way to the Internet";
	return source_address(is_v6 ? AF_INET6 : AF_INET, d->arena, ret);
}

/* "egress-addresses = {...}" with those of this family replaced by `address`.
 */
static struct str
egress_cure(const struct doctor *d, struct str address)
{
	struct buf *b = buf_new(d->arena, LIST_BYTES);
	struct ip ip, other;
	bool is_v6 = ip_parse(address, &ip) && ip.is_v6;
	buf_printf(b, "egress-addresses = {\"%.*s\"", STR_ARG(address));
	for (size_t i = 0; i < d->policy->egress.n; i++)
		if (ip_parse(d->policy->egress.v[i], &other) &&
		    other.is_v6 != is_v6)
			buf_printf(
			    b, ", \"%.*s\"", STR_ARG(d->policy->egress.v[i]));
	buf_printf(b, "}");
	return buf_str(b);
}

static bool
has_family(const struct strs *list, bool is_v6)
{
	struct ip ip;
	for (size_t i = 0; i < list->n; i++)
		if (ip_parse(list->v[i], &ip) && ip.is_v6 == is_v6)
			return true;
	return false;
}

static void
egress_compare(struct doctor *d, bool is_v6)
{
	const struct strs *egress = &d->policy->egress;
	const char *setting;
	struct str from;
	struct ip ip;
	if (!leaves_from(d, is_v6, &from, &setting) || !ip_parse(from, &ip) ||
	    network_has(egress, from))
		return;
	/* named by the admin, or there is a NAT in front */
	if (!address_is_public(from) && has_family(egress, is_v6))
		return;
	if (!address_is_public(from) && is_v6)
		return;
	config_finding(d, DOCTOR_WARNING,
	    str_printf(d->arena,
		"mail leaves from %.*s (%s), which is not one of "
		"egress-addresses",
		STR_ARG(from), setting),
	    address_is_public(from)
		? "SPF is judged for other addresses than receivers see."
		: "Receivers see another address, that of a NAT, which is not "
		  "known here: SPF is not judged.  Write it in place of this "
		  "one.",
	    egress_cure(d, from));
}

/* Somebody else's address is what receivers see. */
static bool
has_relayhost(const struct doctor *d)
{
	struct str host = postfix_value(d, "relayhost");
	if (host.len == 0)
		return false;
	if (host.p[0] == '[')
		host = str_sub(host, 1, str_chr(host, ']') - 1);
	return !network_is_loopback(host) && !str_ieq(host, STR("localhost"));
}

static bool
is_auto(const struct doctor *d)
{
	return d->config->egress.n == 1 &&
	       str_eq(d->config->egress.v[0], STR("auto"));
}

static void
check_egress(struct doctor *d)
{
	if (!can_judge(d))
		return;
	if (!has_relayhost(d)) {
		egress_compare(d, false);
		egress_compare(d, true);
		return;
	}
	if (is_auto(d))
		config_finding(d, DOCTOR_WARNING,
		    str_printf(d->arena,
			"egress-addresses = {\"auto\"} and "
			"relayhost = %.*s",
			STR_ARG(postfix_value(d, "relayhost"))),
		    "Mail leaves by another server, and receivers see the "
		    "addresses of that: write those, not this example.",
		    STR("egress-addresses = {\"192.0.2.25\"}"));
}

/* The name of `address` leads back to it. */
static bool
leads_back(struct doctor *d, struct str name, const struct ip *ip)
{
	struct dns_answer answer;
	ask(d, name, ip->is_v6 ? DNS_AAAA : DNS_A, &answer);
	return answer.status == DNS_TEMP ||
	       strs_has(&answer.records,
		   str_of((const char *)ip->b, ip_bits(ip) / 8));
}

static void
reverse_check(struct doctor *d, struct str address)
{
	struct dns_answer answer;
	struct ip ip;
	bool is_good = false;
	if (!ip_parse(address, &ip))
		return;
	struct str name = ip_reverse_name(d->arena, &ip);
	ask(d, name, DNS_PTR, &answer);
	for (size_t i = 0; i < answer.records.n; i++)
		is_good |= leads_back(d, answer.records.v[i], &ip);
	if (answer.status == DNS_TEMP)
		answer_skip(d, name);
	if (is_good || answer.status == DNS_TEMP)
		return;
	finding_add(d,
	    (struct finding){
		.level = DOCTOR_WARNING,
		.found =
		    answer.records.n == 0
			? str_printf(
			      d->arena, "%.*s has no name", STR_ARG(address))
			: str_printf(d->arena,
			      "%.*s is %.*s, which is not %.*s",
			      STR_ARG(address), STR_ARG(answer.records.v[0]),
			      STR_ARG(address)),
		.why = STR("Large receivers refuse mail from an address whose "
			   "name does not lead back to it.  Who gave you the "
			   "address sets its name."),
		.cure = str_printf(d->arena, "%.*s. 3600 IN PTR %.*s.",
		    STR_ARG(name), STR_ARG(own_name(d))),
		.place = STR("the DNS"),
	    });
}

static void
check_reverse(struct doctor *d)
{
	if (!can_judge(d))
		return;
	for (size_t i = 0; i < d->policy->egress.n; i++)
		reverse_check(d, d->policy->egress.v[i]);
	if (d->policy->egress.n == 0)
		finding_skip(d, STR("egress-addresses are not known"));
}

/* ---- keys */

static const char *const match_whys[] = {
    [DKIM_MISSING] = "Its record is not published, so mail is not signed with "
		     "it, or receivers do not take the signature.",
    [DKIM_REVOKED] = "Its record says that it is revoked.",
    [DKIM_DIFFERS] = "The record is that of another key, or cannot be used: "
		     "each signature is broken for receivers.",
};

static void
key_check(struct doctor *d, const struct dkim_key *key)
{
	struct dkim_signer signer = {
	    .key = key,
	    .domain = dkim_key_domain(key),
	    .selector = dkim_key_selector(key),
	    .identity = STR_EMPTY,
	};
	/* "%": as many domains as there are senders */
	if (str_eq(signer.domain, STR("%"))) {
		finding_skip(d, STR("a key signs for any domain"));
		return;
	}
	d->host.budget = (struct dns_budget){
	    .deadline_ms = clock_ms() + PATIENCE_MS,
	    .questions = QUESTIONS,
	};
	enum dkim_match match = dkim_key_match(d->arena, d->host.dns.resolver,
	    d->host.dns.cache, &signer, &d->host.budget);
	struct str name = str_printf(d->arena, "%.*s._domainkey.%.*s",
	    STR_ARG(signer.selector), STR_ARG(signer.domain));
	if (match == DKIM_UNKNOWN)
		answer_skip(d, name);
	if (match == DKIM_MATCHES || match == DKIM_UNKNOWN)
		return;
	finding_add(d, (struct finding){
			   .level = DOCTOR_TROUBLE,
			   .found = str_printf(d->arena, "%.*s: %.*s",
			       STR_ARG(name), STR_ARG(dkim_match_name(match))),
			   .file = dkim_key_file(key),
			   .why = str_from(match_whys[match]),
			   .cure = zone_txt(d->arena, name,
			       dkim_key_record_text(d->arena, key)),
			   .place = STR("the DNS"),
		       });
}

static void
check_keys(struct doctor *d)
{
	const struct dkim_key *key;
	if (!can_judge(d))
		return;
	if (d->policy->keys == NULL ||
	    dkim_keys_at(d->policy->keys, 0) == NULL) {
		finding_skip(d, STR("there are no keys (dkim-key-table)"));
		return;
	}
	for (size_t i = 0; (key = dkim_keys_at(d->policy->keys, i)) != NULL;
	     i++)
		key_check(d, key);
}

const struct doctor_check NET_CHECKS[] = {
    {"dns", "the name servers answer", check_resolver},
    {"dns-honest", "they make nothing up", check_honest},
    {"dns-failures", "posternd's questions are answered", check_failures},
    {"egress", "mail leaves from the addresses that are configured",
	check_egress},
    {"egress-names", "the names of these lead back to them", check_reverse},
    {"keys", "the keys that sign are published", check_keys}, {0}};
