/* SPDX-License-Identifier: BSD-2-Clause */
/* rules_open -- configuration, rules and prefilter of a command. */
#include "cmd/rules_open.h"

#include "auth/dns.h"
#include "base/arena.h"
#include "cmd/cmd.h"

/* For fewer messages it is not worth it. */
#define PREFILTER_MESSAGES 300

static const char *const prefilter_words[] = {
    [PREFILTER_AUTO] = "auto",
    [PREFILTER_WAIT] = "wait",
    [PREFILTER_NO] = "no",
};

bool
prefilter_parse(struct str word, enum prefilter_when *ret)
{
	for (unsigned i = 0; i < COUNT_OF(prefilter_words); i++) {
		if (str_eq(word, str_from(prefilter_words[i]))) {
			*ret = (enum prefilter_when)i;
			return true;
		}
	}
	return false;
}

struct snapshot *
rules_open(struct snapshot_source *source)
{
	if (source->config_path == NULL)
		source->config_path = cmd_config_path;
	/* rules by hand need no installed configuration */
	bool is_default = strcmp(source->config_path, CONFIG_PATH_DEFAULT) == 0;
	if (is_default && source->rules.n > 0 &&
	    access(source->config_path, F_OK) != 0)
		source->config_path = NULL;
	/* nothing is asked that no configuration allows */
	source->is_offline = source->is_offline || source->config_path == NULL;
	source->is_lenient = true;
	struct arena *a = arena_new();
	struct diags diags = {.arena = a};
	struct snapshot *snapshot = snapshot_load(source, false, &diags);
	cmd_diags_tell(&diags, DIAG_ERROR);
	size_t warnings = diags_count(&diags, DIAG_WARNING);
	if (warnings > 0)
		cmd_error("%zu warning%s about configuration and rules; "
			  "`postern lint` shows %s",
		    warnings, warnings == 1 ? "" : "s",
		    warnings == 1 ? "it" : "them");
	arena_free(a);
	return snapshot;
}

bool
rules_dns(struct arena *a, const struct snapshot_source *source,
    const struct snapshot *snapshot, struct dns **ret)
{
	*ret = NULL;
	if (source->is_offline)
		return true;
	struct dns *dns = ARENA_NEW(a, struct dns);
	struct resolver_config config = config_resolver(&snapshot->config);
	struct str why = STR_EMPTY;
	if (!dns_open(a, &config, dns, &why)) {
		cmd_error("%.*s", STR_ARG(why));
		return false;
	}
	*ret = dns;
	return true;
}

struct filterer *
rules_filter(struct snapshot *snapshot, bool is_awaited)
{
	struct filterer *filterer = filterer_start();
	filterer_take(filterer, snapshot, STR_EMPTY);
	if (!is_awaited)
		return filterer;
	if (snapshot->config.prefilter && isatty(fileno(stderr)) == 1)
		(void)fputs(
		    "postern: making the prefilter; it takes some seconds\n",
		    stderr);
	filterer_wait(filterer);
	return filterer;
}

struct filterer *
rules_filter_for(
    struct snapshot *snapshot, enum prefilter_when when, size_t messages)
{
	if (when == PREFILTER_NO ||
	    (when == PREFILTER_AUTO && messages < PREFILTER_MESSAGES))
		return NULL;
	return rules_filter(snapshot, when == PREFILTER_WAIT);
}
