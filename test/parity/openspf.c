/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * openspf -- run SPF test suites in the format of openspf.org: YAML documents,
 * each with `tests` and the `zonedata` they are to see.  Prints what fails and
 * how many; exit 1: a test failed, 2: a file cannot be read.
 */
#include <yaml.h>

#include "auth/spf.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "zone.h"

#define CHECK_MS 20000
#define QUESTIONS_MAX 1000
/* What a suite expects where there is no explanation. */
#define EXPLANATION_DEFAULT STR("DEFAULT")

struct suite {
	const char *path;
	yaml_document_t document;
	struct arena *arena; /* of one document */
	struct zone *zone;
	struct resolver *resolver;
	struct str scenario;
	bool is_verbose;
	unsigned passed, failed;
};

static void suite_die(
    const struct suite *s, const yaml_mark_t *mark, const char *why) NORETURN;
static void
suite_die(const struct suite *s, const yaml_mark_t *mark, const char *why)
{
	(void)fprintf(
	    stderr, "openspf: %s:%zu: %s\n", s->path, mark->line + 1, why);
	exit(2);
}

static yaml_node_t *
node_at(struct suite *s, int id)
{
	return yaml_document_get_node(&s->document, id);
}

static yaml_node_t *
node_expect(const struct suite *s, yaml_node_t *node, yaml_node_type_t type,
    const char *why)
{
	if (node->type != type)
		suite_die(s, &node->start_mark, why);
	return node;
}

static struct str
scalar(const struct suite *s, yaml_node_t *node)
{
	(void)node_expect(s, node, YAML_SCALAR_NODE, "must be one value");
	return str_of(
	    (const char *)node->data.scalar.value, node->data.scalar.length);
}

/* NULL: `map` has no such key. */
static yaml_node_t *
map_get(struct suite *s, yaml_node_t *map, const char *key)
{
	yaml_node_pair_t *pair = map->data.mapping.pairs.start;
	for (; pair < map->data.mapping.pairs.top; pair++)
		if (str_eq(scalar(s, node_at(s, pair->key)), str_from(key)))
			return node_at(s, pair->value);
	return NULL;
}

static struct str
map_scalar(struct suite *s, yaml_node_t *map, const char *key)
{
	yaml_node_t *node = map_get(s, map, key);
	return node == NULL ? STR_EMPTY : scalar(s, node);
}

/* A value, or all of a list of them. */
static struct strs
scalars(struct suite *s, yaml_node_t *node)
{
	struct strs list = {0};
	if (node->type == YAML_SCALAR_NODE) {
		strs_add(s->arena, &list, scalar(s, node));
		return list;
	}
	(void)node_expect(
	    s, node, YAML_SEQUENCE_NODE, "must be a value or a list");
	yaml_node_item_t *item = node->data.sequence.items.start;
	for (; item < node->data.sequence.items.top; item++)
		strs_add(s->arena, &list, scalar(s, node_at(s, *item)));
	return list;
}

static struct str
joined(struct suite *s, const struct strs *list, const char *between)
{
	struct buf *b = buf_new(s->arena, 1 << 20);
	for (size_t i = 0; i < list->n; i++) {
		if (i > 0)
			buf_put(b, str_from(between));
		buf_put(b, list->v[i]);
	}
	return buf_str(b);
}

/* ---- zonedata */

/* Records of type SPF are TXT records too, unless the name has a TXT entry;
 * "TXT: NONE" is one, and no record. */
static bool
has_txt(struct suite *s, yaml_node_t *entries)
{
	yaml_node_item_t *item = entries->data.sequence.items.start;
	for (; item < entries->data.sequence.items.top; item++) {
		yaml_node_t *entry = node_at(s, *item);
		if (entry->type == YAML_MAPPING_NODE &&
		    map_get(s, entry, "TXT") != NULL)
			return true;
	}
	return false;
}

static void
add_text(struct suite *s, struct str name, yaml_node_t *value)
{
	struct strs parts = scalars(s, value);
	struct str text = joined(s, &parts, "");
	if (!str_eq(text, STR("NONE")))
		zone_add_txt(s->zone, name, text);
}

static void
add_record(struct suite *s, struct str name, struct str type,
    yaml_node_t *value, bool has_own_txt)
{
	bool is_spf = str_eq(type, STR("SPF"));
	if (value->type == YAML_SCALAR_NODE &&
	    str_eq(scalar(s, value), STR("TIMEOUT"))) {
		if (!is_spf)
			zone_add_timeout(s->zone, name, type);
		return;
	}
	if (is_spf || str_eq(type, STR("TXT"))) {
		if (!is_spf || !has_own_txt)
			add_text(s, name, value);
		return;
	}
	struct strs parts = scalars(s, value);
	if (!zone_add(s->zone, name, 300, type, joined(s, &parts, " ")))
		suite_die(s, &value->start_mark, "a record that is none");
}

static void
add_entry(
    struct suite *s, struct str name, yaml_node_t *entry, bool has_own_txt)
{
	if (entry->type == YAML_SCALAR_NODE) {
		if (!str_eq(scalar(s, entry), STR("TIMEOUT")))
			suite_die(s, &entry->start_mark,
			    "must be TIMEOUT or a record");
		zone_add_timeout(s->zone, name, STR_EMPTY);
		return;
	}
	(void)node_expect(
	    s, entry, YAML_MAPPING_NODE, "must be TIMEOUT or a record");
	yaml_node_pair_t *pair = entry->data.mapping.pairs.start;
	for (; pair < entry->data.mapping.pairs.top; pair++)
		add_record(s, name, scalar(s, node_at(s, pair->key)),
		    node_at(s, pair->value), has_own_txt);
}

static void
add_name(struct suite *s, struct str name, yaml_node_t *entries)
{
	(void)node_expect(
	    s, entries, YAML_SEQUENCE_NODE, "must be a list of records");
	bool has_own_txt = has_txt(s, entries);
	yaml_node_item_t *item = entries->data.sequence.items.start;
	for (; item < entries->data.sequence.items.top; item++)
		add_entry(s, name, node_at(s, *item), has_own_txt);
}

static void
zone_load(struct suite *s, yaml_node_t *zonedata)
{
	if (zonedata->type == YAML_SCALAR_NODE)
		return; /* null: none */
	yaml_node_pair_t *pair = zonedata->data.mapping.pairs.start;
	for (; pair < zonedata->data.mapping.pairs.top; pair++)
		add_name(s, scalar(s, node_at(s, pair->key)),
		    node_at(s, pair->value));
}

/* ---- tests */

static void
fail(struct suite *s, struct str test, const char *what, struct str got,
    struct str want, struct str why)
{
	s->failed++;
	struct buf *b = buf_new(s->arena, 1 << 20);
	log_escape(b, why);
	printf("FAILED %.*s: %.*s: %s is \"%.*s\", wanted \"%.*s\"; %.*s\n",
	    STR_ARG(s->scenario), STR_ARG(test), what, STR_ARG(got),
	    STR_ARG(want), STR_ARG(buf_str(b)));
}

static void
test_judge(struct suite *s, struct str name, yaml_node_t *test,
    const struct spf_answer *answer)
{
	yaml_node_t *result = map_get(s, test, "result");
	if (result == NULL)
		suite_die(s, &test->start_mark, "a test without result");
	struct strs wanted = scalars(s, result);
	struct str got = spf_result_name(answer->result);
	if (!strs_has(&wanted, got)) {
		fail(s, name, "the result", got, joined(s, &wanted, " or "),
		    answer->why);
		return;
	}
	yaml_node_t *explanation = map_get(s, test, "explanation");
	struct str text = answer->explanation.len == 0 ? EXPLANATION_DEFAULT
						       : answer->explanation;
	if (explanation != NULL && !str_eq(text, scalar(s, explanation))) {
		fail(s, name, "the explanation", text, scalar(s, explanation),
		    answer->why);
		return;
	}
	s->passed++;
	if (s->is_verbose)
		printf("%.*s: %.*s: %.*s; %.*s\n", STR_ARG(s->scenario),
		    STR_ARG(name), STR_ARG(got), STR_ARG(answer->why));
}

static void
test_run(struct suite *s, struct str name, yaml_node_t *test)
{
	(void)node_expect(s, test, YAML_MAPPING_NODE, "must be a test");
	struct spf_query query = {.address = map_scalar(s, test, "host"),
	    .helo = map_scalar(s, test, "helo"),
	    .sender = map_scalar(s, test, "mailfrom"),
	    .wants_explanation = true};
	struct dns_budget budget = {
	    .deadline_ms = clock_ms() + CHECK_MS, .questions = QUESTIONS_MAX};
	struct arena *a = arena_new();
	struct spf_answer answer;
	spf_check(a, s->resolver, &query, &budget, &answer);
	test_judge(s, name, test, &answer);
	arena_free(a);
}

static void
scenario_run(struct suite *s, yaml_node_t *root)
{
	(void)node_expect(s, root, YAML_MAPPING_NODE, "must be a scenario");
	yaml_node_t *tests = map_get(s, root, "tests");
	yaml_node_t *zonedata = map_get(s, root, "zonedata");
	if (zonedata == NULL)
		suite_die(s, &root->start_mark, "a scenario without zonedata");
	zone_load(s, zonedata);
	s->scenario = map_scalar(s, root, "description");
	if (tests == NULL)
		return; /* records alone */
	(void)node_expect(s, tests, YAML_MAPPING_NODE, "must be tests");
	yaml_node_pair_t *pair = tests->data.mapping.pairs.start;
	for (; pair < tests->data.mapping.pairs.top; pair++)
		test_run(s, scalar(s, node_at(s, pair->key)),
		    node_at(s, pair->value));
}

static void
document_run(struct suite *s)
{
	yaml_node_t *root = yaml_document_get_root_node(&s->document);
	s->arena = arena_new();
	s->zone = zone_new(s->arena);
	s->resolver = resolver_new_source(zone_source, s->zone);
	scenario_run(s, root);
	resolver_free(s->resolver);
	arena_free(s->arena);
}

static void
file_run(struct suite *s, FILE *in)
{
	yaml_parser_t parser;
	if (yaml_parser_initialize(&parser) == 0)
		log_fatal("out of memory");
	yaml_parser_set_input_file(&parser, in);
	for (bool is_end = false; !is_end;) {
		if (yaml_parser_load(&parser, &s->document) == 0)
			suite_die(s, &parser.problem_mark,
			    parser.problem == NULL ? "not YAML"
						   : parser.problem);
		is_end = yaml_document_get_root_node(&s->document) == NULL;
		if (!is_end)
			document_run(s);
		yaml_document_delete(&s->document);
	}
	yaml_parser_delete(&parser);
}

int
main(int argc, char **argv)
{
	struct suite s = {.is_verbose = argc > 1 && strcmp(argv[1], "-v") == 0};
	int first = s.is_verbose ? 2 : 1;
	if (argc <= first) {
		(void)fprintf(stderr, "usage: openspf [-v] FILE.yml...\n");
		return 2;
	}
	for (int i = first; i < argc; i++) {
		s.path = argv[i];
		FILE *in = fopen(s.path, "rb");
		if (in == NULL) {
			perror(s.path);
			return 2;
		}
		file_run(&s, in);
		(void)fclose(in);
	}
	printf("%u passed, %u failed\n", s.passed, s.failed);
	return s.failed > 0 ? 1 : 0;
}
