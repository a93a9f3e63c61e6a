/* SPDX-License-Identifier: BSD-2-Clause */
/* preflight -- what a receiver will think of mail from a domain, check by
 * check, and the DNS records that are missing. */
#include <getopt.h>

#include "auth/facts.h"
#include "auth/org.h"
#include "auth/spf_advice.h"
#include "auth/zone.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/ip.h"
#include "cmd/auth_output.h"
#include "cmd/cmd.h"
#include "mail/address.h"
#include "session/snapshot.h"

#define CHECKS_MAX 256
#define QUESTIONS 500
/* A person waits longer than a mail server. */
#define PATIENCE_MS 10000

/* One row of the table. */
struct check {
	const char *kind;
	struct str what, result, details;
	enum ui_style style;
};

/* A record to publish. */
struct advice {
	struct str name, text, note;
};

struct report {
	struct arena *arena;
	struct config config;
	struct policy policy;
	struct dns dns;
	struct dns_budget budget;
	struct str author, sender; /* as given */
	struct str domain;         /* of the author, normal */
	struct str helo;
	bool is_json;
	struct preflight flight;
	struct {
		struct check *v;
		size_t n, cap;
	} checks;
	struct {
		struct advice *v;
		size_t n, cap;
	} advices;
};

static void
check_add(struct report *r, const char *kind, struct str what,
    struct str result, enum ui_style style, struct str details)
{
	if (r->checks.n < CHECKS_MAX)
		ARENA_PUSH(r->arena, &r->checks) =
		    (struct check){kind, what, result, details, style};
}

static void
advise(struct report *r, struct str name, struct str text, struct str note)
{
	ARENA_PUSH(r->arena, &r->advices) = (struct advice){name, text, note};
}

/* ---- the checks, in the order of the table */

static enum ui_style
spf_style(enum spf_result result)
{
	return result == SPF_PASS        ? UI_GREEN
	       : result == SPF_TEMPERROR ? UI_YELLOW
					 : UI_RED;
}

static void
check_spf(struct report *r)
{
	const struct preflight_spf *spf = &r->flight.spf;
	const char *kind = spf->is_helo ? "SPF of HELO" : "SPF";
	for (size_t i = 0; i < spf->n; i++) {
		const struct spf_answer *answer = &spf->v[i].answer;
		check_add(r, kind,
		    str_printf(r->arena, "%.*s from %.*s", STR_ARG(spf->domain),
			STR_ARG(spf->v[i].address)),
		    spf_result_name(answer->result), spf_style(answer->result),
		    answer->why);
	}
	if (spf->state == SPF_STATE_NO_EGRESS)
		check_add(r, kind, spf->domain, STR("unknown"), UI_YELLOW,
		    STR("no address is known that mail leaves from: set "
			"egress-addresses"));
	if (spf->state == SPF_STATE_UNQUALIFIED)
		check_add(r, kind, r->sender, STR("unknown"), UI_YELLOW,
		    STR("the MTA adds the sender's domain"));
	if (spf->state == SPF_STATE_NO_DOMAIN)
		check_add(r, kind, r->sender, STR("none"), UI_YELLOW,
		    STR("there is no domain to ask for"));
}

static void
advise_spf(struct report *r)
{
	const struct preflight_spf *spf = &r->flight.spf;
	if (spf->state != SPF_STATE_JUDGED || spf->result == SPF_PASS ||
	    spf->result == SPF_TEMPERROR)
		return;
	struct str record = STR_EMPTY, note = STR_EMPTY;
	enum spf_advice_status status = spf_advise(r->arena, r->dns.resolver,
	    spf->domain, &r->policy.egress, &r->budget, &record, &note);
	if (status == SPF_ADVICE_PUBLISH || status == SPF_ADVICE_FAILED)
		advise(r, spf->domain, record, note);
}

static void
check_dkim(struct report *r)
{
	for (size_t i = 0; i < r->flight.nours; i++) {
		const struct preflight_signer *ours = &r->flight.ours[i];
		struct str name = str_printf(r->arena, "%.*s._domainkey.%.*s",
		    STR_ARG(ours->signer.selector),
		    STR_ARG(ours->signer.domain));
		bool is_good = ours->match == DKIM_MATCHES;
		check_add(r, "DKIM", name, dkim_match_name(ours->match),
		    is_good                       ? UI_GREEN
		    : ours->match == DKIM_UNKNOWN ? UI_YELLOW
						  : UI_RED,
		    str_printf(r->arena, "%s, %.*s",
			dkim_key_is_ed25519(ours->signer.key)
			    ? "ed25519, which many receivers do not know"
			    : "rsa",
			STR_ARG(dkim_key_file(ours->signer.key))));
		if (!is_good && ours->match != DKIM_UNKNOWN)
			advise(r, name,
			    dkim_key_record_text(r->arena, ours->signer.key),
			    STR("the public half of the key that signs"));
	}
	if (r->flight.nours == 0)
		check_add(r, "DKIM", r->domain, STR("not signed"), UI_YELLOW,
		    r->policy.keys == NULL
			? STR("no dkim-key-table is configured")
			: STR("no key of dkim-signing-table is for it"));
}

static void
check_variant(
    struct report *r, const char *kind, const struct dmarc_variant *variant)
{
	if (variant->is_temp) {
		check_add(r, kind, r->domain, STR("temp"), UI_YELLOW,
		    STR("not answered"));
		return;
	}
	if (!variant->has_record) {
		check_add(r, kind,
		    str_printf(r->arena, "_dmarc.%.*s", STR_ARG(r->domain)),
		    STR("none"), UI_YELLOW, STR("no policy is published"));
		return;
	}
	check_add(r, kind,
	    str_printf(
		r->arena, "_dmarc.%.*s", STR_ARG(variant->record_domain)),
	    dmarc_policy_name(variant->effective), UI_PLAIN,
	    variant->record.text);
}

static void
check_dmarc(struct report *r)
{
	const struct preflight_author *author = &r->flight.authors[0];
	if (author->dmarc == NULL)
		return;
	check_variant(r, "DMARC (RFC 9989)", &author->dmarc->tree);
	check_variant(r, "DMARC (RFC 7489)", &author->dmarc->suffix);
	bool is_none = !author->dmarc->tree.is_temp &&
		       !author->dmarc->suffix.is_temp &&
		       !author->dmarc->tree.has_record &&
		       !author->dmarc->suffix.has_record;
	if (!is_none)
		return;
	struct str org = author->dmarc->suffix.org;
	advise(r, str_printf(r->arena, "_dmarc.%.*s", STR_ARG(org)),
	    str_printf(r->arena, "v=DMARC1; p=none; rua=mailto:postmaster@%.*s",
		STR_ARG(org)),
	    STR("asks receivers for reports and changes nothing yet; large "
		"receivers want one"));
}

static void
alignment_add(struct report *r, const char *kind, struct str domain,
    struct dmarc_alignments alignment)
{
	bool is_good = alignment.tree >= ALIGNED_RELAXED &&
		       alignment.suffix >= ALIGNED_RELAXED;
	check_add(r, "alignment",
	    str_printf(r->arena, "%s %.*s", kind, STR_ARG(domain)),
	    preflight_alignment_name(&r->flight.authors[0], alignment),
	    is_good ? UI_GREEN : UI_YELLOW, STR_EMPTY);
}

static void
check_alignment(struct report *r)
{
	const struct preflight_author *author = &r->flight.authors[0];
	if (r->flight.spf.domain.len > 0)
		alignment_add(
		    r, "SPF", r->flight.spf.domain, author->spf_alignment);
	for (size_t i = 0; i < r->flight.nours; i++)
		alignment_add(r, "DKIM", r->flight.ours[i].signer.domain,
		    author->alignment[r->flight.signatures.n + i]);
}

static void
check_route(struct report *r, const char *kind, struct str domain,
    enum mail_route route)
{
	static const struct {
		const char *result, *details;
		enum ui_style style;
	} rows[] = {
	    [ROUTE_UNKNOWN] = {"temp", "not answered", UI_YELLOW},
	    [ROUTE_MX] = {"mx", "takes mail", UI_GREEN},
	    [ROUTE_ADDRESS] = {"address", "takes mail, without an MX",
		UI_GREEN},
	    [ROUTE_NONE] = {"none", "takes no mail: receivers refuse it",
		UI_RED},
	};
	check_add(r, kind, domain, str_from(rows[route].result),
	    rows[route].style, str_from(rows[route].details));
}

/* The name leads back to the address. */
static bool
name_has_address(struct report *r, struct str name, const struct ip *ip)
{
	struct dns_answer answer;
	struct str bytes = str_of((const char *)ip->b, ip_bits(ip) / 8);
	resolver_ask(r->dns.resolver, r->arena, name,
	    ip->is_v6 ? DNS_AAAA : DNS_A, &r->budget, &answer);
	return answer.status == DNS_OK && strs_has(&answer.records, bytes);
}

/* Large receivers refuse addresses without a name that leads back to them. */
static void
check_reverse(struct report *r, struct str address)
{
	struct dns_answer answer;
	struct ip ip;
	if (!ip_parse(address, &ip))
		return;
	resolver_ask(r->dns.resolver, r->arena, ip_reverse_name(r->arena, &ip),
	    DNS_PTR, &r->budget, &answer);
	if (answer.status == DNS_TEMP) {
		check_add(r, "reverse DNS", address, STR("temp"), UI_YELLOW,
		    STR("not answered"));
		return;
	}
	for (size_t i = 0; i < answer.records.n; i++)
		if (name_has_address(r, answer.records.v[i], &ip)) {
			check_add(r, "reverse DNS", address, STR("pass"),
			    UI_GREEN, answer.records.v[i]);
			return;
		}
	check_add(r, "reverse DNS", address,
	    answer.records.n > 0 ? STR("fail") : STR("none"), UI_RED,
	    answer.records.n > 0
		? str_printf(r->arena, "%.*s does not lead back",
		      STR_ARG(answer.records.v[0]))
		: STR("no PTR: ask who gave you the address"));
}

static void
checks_make(struct report *r)
{
	check_spf(r);
	advise_spf(r);
	check_dkim(r);
	check_dmarc(r);
	check_alignment(r);
	if (r->flight.authors[0].dmarc != NULL)
		check_route(
		    r, "From domain", r->domain, r->flight.authors[0].route);
	if (r->flight.spf.state == SPF_STATE_JUDGED && r->sender.len > 0 &&
	    !str_eq(r->flight.spf.domain, r->domain))
		check_route(r, "sender domain", r->flight.spf.domain,
		    r->flight.sender_route);
	for (size_t i = 0; i < r->policy.egress.n; i++)
		check_reverse(r, r->policy.egress.v[i]);
}

/* Why receivers would not take it; NULL: they would. */
static const char *
refused_why(const struct report *r)
{
	const struct preflight *flight = &r->flight;
	if (flight->verdict == PREFLIGHT_FAIL_REJECT)
		return "the DMARC policy says so";
	if (flight->verdict == PREFLIGHT_FORM)
		return "of its header";
	if (flight->authors[0].route == ROUTE_NONE)
		return "the From domain takes no mail";
	if (flight->sender_route == ROUTE_NONE)
		return "the sender's domain takes no mail";
	if (flight->spf.n > 0 && flight->spf.result == SPF_FAIL &&
	    flight->verdict != PREFLIGHT_PASS)
		return "the sender's SPF record says so";
	return NULL;
}

/* ---- output */

static void
show_checks(const struct ui *ui, const struct report *r)
{
	static const struct ui_column columns[] = {
	    {.title = "CHECK"},
	    {.title = "OF"},
	    {.title = "RESULT"},
	    {.title = "DETAILS", .is_elastic = true},
	};
	struct ui_table *t = ui_table_new(ui, columns, COUNT_OF(columns));
	for (size_t i = 0; i < r->checks.n; i++) {
		const struct check *c = &r->checks.v[i];
		ui_table_cell(t, UI_PLAIN, str_from(c->kind));
		ui_table_cell(t, UI_PLAIN, c->what);
		ui_table_cell(t, c->style, c->result);
		ui_table_cell(t, UI_PLAIN, c->details);
	}
	ui_table_end(t);
}

static void
show(const struct report *r)
{
	struct ui ui;
	ui_init(&ui, stdout, UI_COLOR_AUTO);
	ui_printf(&ui, UI_BOLD, "mail from %.*s, envelope sender <%.*s>\n",
	    STR_ARG(r->author), STR_ARG(r->sender));
	ui_printf(&ui, UI_PLAIN, "\n");
	show_checks(&ui, r);
	ui_printf(&ui, UI_PLAIN, "\n");
	const char *refused = refused_why(r);
	struct str name = preflight_verdict_name(r->flight.verdict);
	ui_put(&ui,
	    refused != NULL                                ? UI_RED
	    : r->flight.verdict <= PREFLIGHT_PASS_SPF_ONLY ? UI_GREEN
							   : UI_YELLOW,
	    name);
	if (refused != NULL)
		ui_printf(&ui, UI_PLAIN,
		    "; receivers would refuse it, because %s", refused);
	ui_printf(&ui, UI_PLAIN, ": ");
	ui_put(&ui, UI_PLAIN, r->flight.evidence);
	ui_printf(&ui, UI_PLAIN, "\n");
	for (size_t i = 0; i < r->advices.n; i++) {
		const struct advice *advice = &r->advices.v[i];
		ui_printf(&ui, UI_PLAIN, "\n");
		if (i == 0)
			ui_printf(&ui, UI_BOLD, "to publish:\n");
		ui_put(&ui, UI_DIM,
		    str_printf(r->arena, "; %.*s", STR_ARG(advice->note)));
		ui_printf(&ui, UI_PLAIN, "\n");
		ui_put(&ui, UI_PLAIN,
		    zone_txt(r->arena, advice->name, advice->text));
		ui_printf(&ui, UI_PLAIN, "\n");
	}
}

static void
show_json(struct report *r)
{
	json_t *o = preflight_json(&r->flight);
	json_t *checks = json_array(), *publish = json_array();
	for (size_t i = 0; i < r->checks.n; i++) {
		const struct check *c = &r->checks.v[i];
		(void)json_array_append_new(checks,
		    json_pack("{s:s,s:o,s:o,s:o}", "check", c->kind, "of",
			json_text(c->what), "result", json_text(c->result),
			"details", json_text(c->details)));
	}
	for (size_t i = 0; i < r->advices.n; i++) {
		const struct advice *advice = &r->advices.v[i];
		(void)json_array_append_new(publish,
		    json_pack("{s:o,s:s,s:o,s:o,s:o}", "name",
			json_text(advice->name), "type", "TXT", "text",
			json_text(advice->text), "zone",
			json_text(
			    zone_txt(r->arena, advice->name, advice->text)),
			"note", json_text(advice->note)));
	}
	(void)json_object_set_new(o, "from", json_text(r->author));
	(void)json_object_set_new(o, "sender", json_text(r->sender));
	(void)json_object_set_new(o, "helo", json_text(r->helo));
	const char *refused = refused_why(r);
	(void)json_object_set_new(o, "refused", json_boolean(refused != NULL));
	(void)json_object_set_new(o, "refused_why",
	    refused == NULL ? json_null() : json_string(refused));
	(void)json_object_set_new(o, "checks", checks);
	(void)json_object_set_new(o, "publish", publish);
	json_line(stdout, o);
}

/* ---- the command */

static bool
report_open(struct report *r)
{
	struct diags diags = {.arena = r->arena};
	struct str why = STR_EMPTY;
	cmd_config_load(r->arena, &r->config);
	bool is_good =
	    config_policy_load(r->arena, &r->config, false, &r->policy, &diags);
	cmd_diags_tell(&diags, DIAG_WARNING);
	if (!is_good)
		return false;
	struct resolver_config resolver = config_resolver(&r->config);
	if (!dns_open(r->arena, &resolver, &r->dns, &why)) {
		cmd_error("%.*s", STR_ARG(why));
		return false;
	}
	if (resolver_is_off(r->dns.resolver)) {
		fprintf(stderr, "postern: the option dns is off, so nothing "
				"can be asked\n");
		return false;
	}
	return true;
}

static void
judge(struct report *r)
{
	struct dkim_signer signers[SIGNERS_MAX];
	struct strs authors = {0}, *strict = &r->policy.strict;
	strs_add(r->arena, &authors, r->domain);
	r->helo =
	    r->policy.helo.len > 0 ? r->policy.helo : cmd_own_name(r->arena);
	struct preflight_query query = {
	    .sender = r->sender,
	    .helo = r->helo,
	    .egress = &r->policy.egress,
	    .authors = &authors,
	    .signers = signers,
	    .strict = strict,
	    .now_wall = clock_wall(),
	};
	if (r->policy.keys != NULL)
		query.nsigners = dkim_signers_for(
		    r->arena, r->policy.keys, r->author, signers, SIGNERS_MAX);
	r->budget = (struct dns_budget){
	    .deadline_ms = clock_ms() + PATIENCE_MS,
	    .questions = QUESTIONS,
	};
	preflight_run(r->arena, &r->dns, &query, &r->budget, &r->flight);
	checks_make(r);
}

/* "example.org" stands for its postmaster. */
static bool
names_take(struct report *r, struct str target, const char *from)
{
	struct str domain = address_domain(target);
	bool is_address = str_chr(target, '@') != STR_NONE;
	r->domain = domain_normal(r->arena, is_address ? domain : target);
	if (r->domain.len == 0) {
		cmd_error("\"%.*s\" is no domain and no "
			  "address",
		    STR_ARG(target));
		return false;
	}
	r->author = is_address ? target
			       : str_printf(r->arena, "postmaster@%.*s",
				     STR_ARG(r->domain));
	r->sender = r->author;
	if (from != NULL)
		r->sender =
		    strcmp(from, "<>") == 0 ? STR_EMPTY : str_from(from);
	return true;
}

static int
exit_code(const struct report *r)
{
	if (refused_why(r) != NULL)
		return CMD_FOUND;
	return r->flight.verdict == PREFLIGHT_TEMP ? CMD_TROUBLE : CMD_FINE;
}

int
cmd_preflight(int argc, char **argv)
{
	static const struct option options[] = {
	    {"from", required_argument, NULL, 'f'},
	    {"json", no_argument, NULL, 'j'}, {0}};
	struct report r = {.arena = arena_new()};
	const char *from = NULL;
	int c, code = CMD_TROUBLE;
	while ((c = cmd_option(argc, argv, "", options, NULL)) != -1)
		switch (c) {
		case 'f':
			from = optarg;
			break;
		case 'j':
			r.is_json = true;
			break;
		default:
			arena_free(r.arena);
			return cmd_usage(argv[0]);
		}
	if (optind != argc - 1) {
		arena_free(r.arena);
		return cmd_usage(argv[0]);
	}
	if (names_take(&r, str_from(argv[optind]), from) && report_open(&r)) {
		judge(&r);
		if (r.is_json)
			show_json(&r);
		else
			show(&r);
		code = exit_code(&r);
	}
	policy_done(&r.policy);
	dns_close(&r.dns);
	arena_free(r.arena);
	return code;
}
