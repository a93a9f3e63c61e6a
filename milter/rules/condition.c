/* SPDX-License-Identifier: BSD-2-Clause */
/* condition -- `if` and `ifplugin` lines: what of SpamAssassin is built in. */
#include "rules/condition.h"

#include "base/arena.h"
#include "base/table.h"
#include "rules/eval.h"
#include "rules/expr.h"

#define CONF STR("Mail::SpamAssassin::Conf")
#define PLUGIN STR("Mail::SpamAssassin::Plugin::")

/*
 * Plugins that are part of the language.  Those that only bring eval functions
 * are built in as soon as a row of theirs is (eval_row.source).
 */
static const char *const language[] = {
    "Check", "MIMEHeader", "ReplaceTags", "URIDetail"};

/* Built in, but not loaded by SpamAssassin as it is delivered. */
static const char *const on_demand[] = {
    "FromNameSpoof", "Phishing", "Shortcircuit", "Test"};

#define COMPAT_MAX 128

/* It was folded into the rules in 4.1: always there, loaded or not. */
#define FOLDED STR("RaciallyCharged")

/* What can() and has() are asked for in rule files and is built in. */
static const struct feature {
	const char *class; /* NULL: Mail::SpamAssassin::Conf; or a plugin */
	const char *name;
} features[] = {
    {NULL, "feature_bug6558_free"},
    {NULL, "feature_welcomelist_blocklist"},
    {NULL, "feature_blocklist_welcomelist"},
    {NULL, "feature_registryboundaries"},
    {NULL, "feature_uri_host_listed"},
    {NULL, "feature_originating_ip_headers"},
    {NULL, "feature_compile_regexp"},
    {NULL, "feature_capture_rules"},
    {NULL, "feature_meta_rules_matching"},
    {NULL, "feature_header_address_parser"},
    {NULL, "feature_header_first_last"},
    {NULL, "feature_header_match_many"},
    {NULL, "feature_local_tests_only"},
    {NULL, "has_tflags_nosubject"},
    {NULL, "perl_min_version_5010000"},
    {"MIMEHeader", "has_all_header"},
    {"MIMEHeader", "has_tflags_range"},
    {"MIMEHeader", "has_tflags_concat"},
    {"MIMEHeader", "has_tflags_multiple"},
    {"MIMEHeader", "has_capture_rules"},
    {"SPF", "has_check_for_spf_errors"},
    {"Test", "test_feature_xxxx_true"},
    {"URIDetail", "has_host_key"},
};

/* What has() knows and can() denies. */
static const struct feature switched_off[] = {
    {"Test", "test_feature_xxxx_false"},
};

/* Names with a fixed value. */
static const struct constant {
	const char *name;
	const char *value;
} constants[] = {
    {"version", CONDITION_VERSION},
    {"perl_version", "5.036000"},
    {"local_tests_only", "1"},
};

static bool
is_source(const struct eval_row *row, struct str plugin)
{
	return row->source != NULL && str_eq(str_from(row->source), plugin);
}

const struct eval_row *
eval_row_find(const struct eval_row *const *evals, struct str name)
{
	for (; *evals != NULL; evals++)
		for (const struct eval_row *row = *evals; row->name != NULL;
		     row++)
			if (str_eq(str_from(row->name), name))
				return row;
	return NULL;
}

/* `class` without the package prefix; empty: it is no plugin's. */
static struct str plugin_of(struct str class)
{
	if (!str_starts(class, PLUGIN))
		return STR_EMPTY;
	struct str name = str_skip(class, PLUGIN.len);
	if (str_eq(name, STR("Dmarc")))
		return STR("DMARC");
	if (str_eq(name, STR("WhiteListSubject")))
		return STR("WelcomeListSubject");
	return name;
}

static bool
is_listed(const char *const *names, size_t n, struct str name)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(name, str_from(names[i])))
			return true;
	return false;
}

static bool
is_built_in(const struct plugins *plugins, struct str name)
{
	if (is_listed(language, COUNT_OF(language), name))
		return true;
	for (const struct eval_row *const *evals = plugins->evals;
	     *evals != NULL; evals++)
		for (const struct eval_row *row = *evals; row->name != NULL;
		     row++)
			if (is_source(row, name))
				return true;
	return false;
}

/* `name`, which is built in, is there. */
static bool
is_loaded(const struct plugins *plugins, struct str name)
{
	if (plugins->loaded != NULL && table_has(plugins->loaded, name))
		return true;
	return !plugins->is_complete &&
	       !is_listed(on_demand, COUNT_OF(on_demand), name);
}

static bool
has_plugin(const struct plugins *plugins, struct str class)
{
	struct str name = plugin_of(class);
	return name.len > 0 &&
	       (str_eq(name, FOLDED) ||
		   (is_built_in(plugins, name) && is_loaded(plugins, name)));
}

bool
plugins_load(struct plugins *plugins, struct arena *a, struct str class)
{
	struct str name = plugin_of(class);
	if (name.len == 0)
		return false;
	if (plugins->loaded == NULL)
		plugins->loaded = table_new(a, false);
	table_set(plugins->loaded, name, plugins);
	if (str_eq(name, STR("Check")))
		plugins->is_complete = true;
	return is_built_in(plugins, name);
}

/* Ours are named "postern" or by the document they follow. */
bool
plugins_have(const struct plugins *plugins, const struct eval_row *row)
{
	struct str source = str_from(row->source);
	return str_eq(source, STR("postern")) ||
	       str_chr(source, ' ') != STR_NONE || is_loaded(plugins, source);
}

bool
plugins_compat(struct plugins *plugins, struct arena *a, struct str name)
{
	for (size_t i = 0; i < name.len; i++)
		if (!char_is_alnum(name.p[i]) && name.p[i] != '_')
			return false;
	if (name.len == 0 || name.len > COMPAT_MAX)
		return false;
	if (plugins->compat == NULL)
		plugins->compat = table_new(a, false);
	table_set(plugins->compat, str_dup(a, name), plugins);
	return true;
}

static bool
is_feature(const struct feature *list, size_t n, bool is_conf,
    struct str plugin, struct str name)
{
	for (size_t i = 0; i < n; i++) {
		bool is_class = list[i].class == NULL
				    ? is_conf
				    : str_eq(plugin, str_from(list[i].class));
		if (is_class && str_eq(name, str_from(list[i].name)))
			return true;
	}
	return false;
}

static bool
is_compat(const struct plugins *plugins, struct str name)
{
	return plugins->compat != NULL && str_starts(name, STR("compat_")) &&
	       table_has(plugins->compat, str_skip(name, 7));
}

/*
 * Of a plugin that has check_x, has_check_x is true; check_x itself is there,
 * but is no feature.
 */
static bool
has_function(const struct plugins *plugins, struct str plugin, struct str name,
    bool is_can)
{
	bool is_asked = str_starts(name, STR("has_"));
	const struct eval_row *row =
	    eval_row_find(plugins->evals, is_asked ? str_skip(name, 4) : name);
	return row != NULL && is_source(row, plugin) && (is_asked || !is_can);
}

/* What can() says of Class::name, or has(). */
static bool
has_feature(const struct plugins *plugins, struct str class, struct str name,
    bool is_can)
{
	struct str plugin = plugin_of(class);
	bool is_conf = str_eq(class, CONF);
	if (!is_conf && !has_plugin(plugins, class))
		return false;
	if (is_feature(features, COUNT_OF(features), is_conf, plugin, name))
		return true;
	if (is_feature(
		switched_off, COUNT_OF(switched_off), is_conf, plugin, name))
		return !is_can;
	if (is_conf)
		return is_compat(plugins, name);
	return has_function(plugins, plugin, name, is_can);
}

static bool
emit_name(
    void *arg, struct expr_builder *b, struct str name, struct str *ret_why)
{
	(void)arg;
	for (size_t i = 0; i < COUNT_OF(constants); i++) {
		double value;
		if (!str_eq(name, str_from(constants[i].name)) ||
		    !str_double(str_from(constants[i].value), &value))
			continue;
		expr_emit_number(b, value);
		return true;
	}
	*ret_why = STR("known are version, perl_version, local_tests_only, "
		       "plugin(), can() and has()");
	return false;
}

static bool
emit_call(void *arg, struct expr_builder *b, struct str function,
    struct str argument, struct str *ret_why)
{
	const struct plugins *plugins = arg;
	if (str_eq(function, STR("plugin"))) {
		expr_emit_number(b, has_plugin(plugins, argument));
		return true;
	}
	size_t at = str_rchr(argument, ':');
	if (at == STR_NONE || at == 0 || argument.p[at - 1] != ':') {
		*ret_why = STR("can() and has() ask for Class::feature");
		return false;
	}
	expr_emit_number(
	    b, has_feature(plugins, str_sub(argument, 0, at - 1),
		   str_skip(argument, at + 1), str_eq(function, STR("can"))));
	return true;
}

bool
condition_read(struct arena *a, struct str text, const struct plugins *plugins,
    bool *ret_holds, struct str *ret_why)
{
	static const char *const functions[] = {"plugin", "can", "has", NULL};
	struct expr_names names = {
	    .name = emit_name,
	    .call = emit_call,
	    .functions = functions,
	    .arg = (void *)(uintptr_t)plugins,
	};
	const struct expr *e = expr_new(a, text, &names, ret_why);
	if (e == NULL)
		return false;
	*ret_holds = expr_value(e, NULL, NULL) != 0;
	return true;
}
