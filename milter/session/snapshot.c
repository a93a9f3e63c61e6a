/* SPDX-License-Identifier: BSD-2-Clause */
/* snapshot -- configuration, keys and rules as one counted thing. */
#include "session/snapshot.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdatomic.h>

#include "auth/facts.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/log.h"
#include "hold/inject.h"
#include "notice/origin.h"

/* The facts of a test line: words of the one room and the other. */
static const struct eval_facts *
facts_of_words(
    struct arena *a, const struct envelope *envelope, struct str text)
{
	struct eval_facts *facts = ARENA_NEW(a, struct eval_facts);
	struct notice *notice = ARENA_NEW(a, struct notice);
	struct buf *rest = buf_new(a, text.len + 1);
	*notice = (struct notice){
	    .form = {.kind = NOTICE_NONE, .evidence = STR_EMPTY},
	    .evidence = STR_EMPTY,
	    .never = "",
	};
	for (struct str word = str_word(&text); word.len > 0;
	     word = str_word(&text)) {
		if (notice_test_word(notice, word)) {
			facts->notice = notice;
			continue;
		}
		buf_put(rest, word);
		buf_putc(rest, ' ');
	}
	facts->auth = facts_of_test(a, envelope, buf_str(rest));
	return facts->auth == NULL ? NULL : facts;
}

static struct ruleset_options
rule_options(const struct config *config, bool is_offline)
{
	static const struct eval_row *const evals[] = {
	    EVAL_AUTH, EVAL_NOTICE, EVAL_AUTH_PEER, NULL};
	static const struct eval_row *const offline[] = {
	    EVAL_AUTH, EVAL_NOTICE, NULL};
	struct ruleset_options options = {
	    .evals = is_offline ? offline : evals,
	    .test_facts = facts_of_words,
	    .match_limit = (unsigned)config->match_limit,
	    .depth_limit = (unsigned)config->depth_limit,
	    .heap_limit_kib = (unsigned)(config->heap_limit / 1024),
	    .limits = MAIL_LIMITS_DEFAULT,
	};
	options.limits.header_bytes = config->header_bytes;
	options.limits.parts = config->parts;
	options.limits.depth = config->depth;
	options.limits.uris = config->uris;
	return options;
}

/* Servers of our own, which the class relay is for. */
static struct strs
own_networks(struct arena *a, const struct config *config)
{
	struct strs own = {0};
	const struct strs *lists[] = {
	    &config->trusted_networks, &config->class[CLASS_RELAY].networks};
	for (size_t i = 0; i < COUNT_OF(lists); i++)
		for (size_t k = 0; k < lists[i]->n; k++)
			strs_add(a, &own, lists[i]->v[k]);
	return own;
}

/* Said of the option; what is wrong in a file is said of that. */
static bool
rules_are_there(const struct config *config, struct diags *diags)
{
	struct option_place place = {.lines = &config->lines, .name = "rules"};
	size_t errors = diags_count(diags, DIAG_ERROR);
	for (size_t i = 0; i < config->rules.n; i++)
		if (access(str_c(diags->arena, config->rules.v[i]), F_OK) != 0)
			option_complain(diags, DIAG_ERROR, &place, i,
			    "%.*s: %s", STR_ARG(config->rules.v[i]),
			    strerror(errno));
	return diags_count(diags, DIAG_ERROR) == errors;
}

static bool
rules_load(struct snapshot *snapshot, const struct snapshot_source *source,
    bool wants_tests, struct diags *diags)
{
	bool is_offline =
	    source->is_offline || strs_has(&snapshot->config.dns, STR("off"));
	struct ruleset_options options =
	    rule_options(&snapshot->config, is_offline);
	struct strs own = own_networks(snapshot->arena, &snapshot->config);
	options.own_networks = &own;
	bool has_paths = source->rules.n > 0;
	const struct strs *paths =
	    has_paths ? &source->rules : &snapshot->config.rules;
	if (!has_paths && !rules_are_there(&snapshot->config, diags))
		return false;
	snapshot->rules = ruleset_load(paths, &options, diags);
	if (diags_count(diags, DIAG_ERROR) == 0 &&
	    ruleset_counts(snapshot->rules).active == 0)
		diag_add(diags, DIAG_WARNING, STR("rules"), 0,
		    "no rule is active: nothing will be found");
	if (wants_tests && diags_count(diags, DIAG_ERROR) == 0)
		(void)ruleset_test(snapshot->rules, diags);
	return diags_count(diags, DIAG_ERROR) == 0;
}

/* NULL: nobody else than who we are. */
static const struct passwd *
user_to_be(const struct config *config)
{
	char name[64];
	(void)snprintf(name, sizeof(name), "%.*s", STR_ARG(config->user));
	return geteuid() == 0 ? getpwnam(name) : NULL;
}

/* The key files must be his to read who posternd will be. */
static void
tables_of(const struct config *config, const struct passwd *user,
    struct dkim_tables *ret)
{
	*ret = (struct dkim_tables){
	    .key_table = config->key_table,
	    .signing_table = config->signing_table,
	    .user = user == NULL ? geteuid() : user->pw_uid,
	    .group = user == NULL ? getegid() : user->pw_gid,
	    .min_bits = (unsigned)config->key_bits,
	    .lines = &config->lines,
	};
}

/*
 * Read as that user: what only root can reach could not be read again by a
 * reload.  Before there are threads.
 */
static bool
policy_load_as(const struct passwd *user, struct arena *a,
    const struct policy_options *options, struct policy *ret,
    struct diags *diags)
{
	gid_t groups[NGROUPS_MAX];
	int n = user == NULL ? 0 : getgroups(NGROUPS_MAX, groups);
	if (n < 0 ||
	    (user != NULL &&
		(initgroups(user->pw_name, user->pw_gid) != 0 ||
		    setegid(user->pw_gid) != 0 || seteuid(user->pw_uid) != 0)))
		log_fatal(
		    "cannot become %s: %s", user->pw_name, strerror(errno));
	bool is_good = policy_load(a, options, ret, diags);
	if (user != NULL && (seteuid(0) != 0 || setegid(0) != 0 ||
				setgroups((size_t)n, groups) != 0))
		log_fatal("cannot become root again: %s", strerror(errno));
	return is_good;
}

bool
config_policy_load(struct arena *a, const struct config *config,
    bool is_lenient, struct policy *ret, struct diags *diags)
{
	bool is_simple_header =
	    config->canonicalization >= CANON_SIMPLE_RELAXED;
	bool is_simple_body =
	    config->canonicalization == CANON_RELAXED_SIMPLE ||
	    config->canonicalization == CANON_SIMPLE;
	struct policy_options options = {
	    .lines = &config->lines,
	    .egress = &config->egress,
	    .helo = config->helo,
	    .local_domains = &config->local_domains,
	    .login_map = &config->login_map,
	    .strict_domains = &config->strict_domains,
	    .sign_fields = &config->sign_fields,
	    .oversign_fields = &config->oversign_fields,
	    .header_canon = is_simple_header ? DKIM_SIMPLE : DKIM_RELAXED,
	    .body_canon = is_simple_body ? DKIM_SIMPLE : DKIM_RELAXED,
	    .signature_valid_s = config->signature_valid_ms / 1000,
	    .is_lenient = is_lenient,
	};
	const struct passwd *user = user_to_be(config);
	tables_of(config, user, &options.tables);
	return policy_load_as(user, a, &options, ret, diags);
}

struct snapshot *
snapshot_load(
    const struct snapshot_source *source, bool wants_tests, struct diags *diags)
{
	struct snapshot *snapshot = calloc(1, sizeof(*snapshot));
	if (snapshot == NULL)
		log_fatal("out of memory");
	atomic_init(&snapshot->refs, 1);
	snapshot->arena = arena_new();
	if (config_read(snapshot->arena, source->config_path, &snapshot->config,
		diags) &&
	    config_policy_load(snapshot->arena, &snapshot->config,
		source->is_lenient, &snapshot->policy, diags) &&
	    rules_load(snapshot, source, wants_tests, diags))
		return snapshot;
	snapshot_put(snapshot);
	return NULL;
}

struct str
config_user_why_not(struct arena *a, const struct config *config)
{
	const char *name = str_c(a, config->user);
	if (name[0] == '\0' || strcmp(name, "root") == 0)
		return STR("posternd does not run as root: name another user, "
			   "or say -R");
	if (getpwnam(name) != NULL)
		return STR_EMPTY;
	return str_printf(a,
	    "nobody is called %s; make that user with "
	    "adduser --system --group %s, or say -R",
	    name, name);
}

static void
check_user(const struct config *config, struct diags *diags)
{
	struct option_place place = {.lines = &config->lines, .name = "user"};
	struct str why = config_user_why_not(diags->arena, config);
	if (why.len > 0)
		option_complain(
		    diags, DIAG_ERROR, &place, 0, "%.*s", STR_ARG(why));
}

static void
check_group(const struct config *config, struct diags *diags)
{
	struct option_place place = {
	    .lines = &config->lines, .name = "socket-group"};
	const char *name = str_c(diags->arena, config->socket_group);
	if (name[0] != '\0' && !str_starts(config->socket, STR("inet")) &&
	    getgrnam(name) == NULL)
		option_complain(diags, DIAG_WARNING, &place, 0,
		    "no group is called %s, so the socket will keep posternd's",
		    name);
}

/* The option that `*why` begins with, and `*why` without it; else dns. */
static const char *
dns_option(struct str *why)
{
	static const char *const names[] = {"dns", "dns-hosts", "dnssec"};
	struct str rest = *why;
	struct str name = str_cut(&rest, ':');
	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (str_eq(name, str_from(names[i]))) {
			*why = str_trim(rest);
			return names[i];
		}
	return names[0];
}

void
config_dns_complain(const struct config *config, enum diag_level level,
    struct str why, const char *end, struct diags *diags)
{
	struct option_place place = {
	    .lines = &config->lines, .name = dns_option(&why)};
	option_complain(diags, level, &place, 0, "%.*s%s", STR_ARG(why), end);
}

static void
check_dns(const struct config *config, struct diags *diags)
{
	struct str why = STR_EMPTY;
	struct resolver_config resolver = config_resolver(config);
	bool may_fail = config_dns_may_fail(config);
	if (!resolver_check(diags->arena, &resolver, &why))
		config_dns_complain(config,
		    may_fail ? DIAG_WARNING : DIAG_ERROR, why,
		    may_fail ? ": the DNS is not asked" : "", diags);
}

/* Mail flows without it, so it is no error. */
static void
check_release(const struct config *config, struct diags *diags)
{
	struct option_place place = {
	    .lines = &config->lines, .name = "release-via"};
	struct str why = STR_EMPTY;
	if (!inject_via_check(diags->arena, config->release_via, &why))
		option_complain(diags, DIAG_WARNING, &place, 0,
		    "%.*s: held mail cannot be released this way",
		    STR_ARG(why));
}

bool
snapshot_start_check(const struct snapshot *snapshot,
    const struct snapshot_source *source, struct diags *diags)
{
	size_t errors = diags_count(diags, DIAG_ERROR);
	if (source->becomes_user)
		check_user(&snapshot->config, diags);
	check_group(&snapshot->config, diags);
	check_dns(&snapshot->config, diags);
	check_release(&snapshot->config, diags);
	return diags_count(diags, DIAG_ERROR) == errors;
}

struct snapshot *
snapshot_ref(struct snapshot *snapshot)
{
	(void)atomic_fetch_add(&snapshot->refs, 1);
	return snapshot;
}

void
snapshot_put(struct snapshot *snapshot)
{
	if (snapshot == NULL || atomic_fetch_sub(&snapshot->refs, 1) != 1)
		return;
	ruleset_free(snapshot->rules);
	policy_done(&snapshot->policy);
	arena_free(snapshot->arena);
	free(snapshot);
}
