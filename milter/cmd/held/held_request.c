/* SPDX-License-Identifier: BSD-2-Clause */
/* held_request -- what `postern quarantine` was asked for. */
#include "cmd/held/held_request.h"

#include <getopt.h>

#include "base/log.h"
#include "cmd/choice.h"
#include "cmd/cmd.h"

#define LINES_DEFAULT 20
#define OPTION_FIRST 0x100 /* above every character */

enum flag_type {
	FLAG_SET,    /* bool */
	FLAG_TEXT,   /* const char * */
	FLAG_AGE,    /* int64_t s */
	FLAG_SIZE,   /* uint64_t bytes */
	FLAG_COUNT,  /* uint64_t */
	FLAG_SCORE,  /* double */
	FLAG_CLASS,  /* enum mail_class: see choice.h */
	FLAG_CHOICE, /* int */
	FLAG_STATE   /* enum held_state */
};

#define AT(field) offsetof(struct held_request, field)
#define NO_FIELD SIZE_MAX

static const char *const folder_words[] = {
    "", "held", "discarded", "all", NULL};
static const char *const color_words[] = {"auto", "always", "never", NULL};

static const struct flag_row {
	const char *name;
	const char *value; /* what it takes; NULL: nothing */
	enum flag_type type;
	size_t offset, has_offset; /* fields of struct held_request */
	unsigned verbs;
	bool is_filter;
	const char *const *words; /* FLAG_CHOICE */
	const char *help;
} flags[] = {
    {"sender", "ADDR", FLAG_TEXT, AT(filter.sender), NO_FIELD, VERBS_MANY, true,
	NULL, "envelope sender; <> is the null sender"},
    {"login", "NAME", FLAG_TEXT, AT(filter.login), NO_FIELD, VERBS_MANY, true,
	NULL, "login name"},
    {"rcpt", "ADDR", FLAG_TEXT, AT(filter.rcpt), NO_FIELD, VERBS_MANY, true,
	NULL, "one of the recipients"},
    {"client", "ADDR", FLAG_TEXT, AT(filter.client), NO_FIELD, VERBS_MANY, true,
	NULL, "address, network or name of the client"},
    {"rule", "NAME", FLAG_TEXT, AT(filter.rule), NO_FIELD, VERBS_MANY, true,
	NULL, "a rule that hit"},
    {"subject", "TEXT", FLAG_TEXT, AT(filter.subject), NO_FIELD, VERBS_MANY,
	true, NULL, "the whole subject; use * around a word"},
    {"class", "CLASS", FLAG_CLASS, AT(filter.class), AT(filter.has_class),
	VERBS_MANY, true, NULL, "submission, local, relay, notice, inbound"},
    {"older", "AGE", FLAG_AGE, AT(filter.older_s), NO_FIELD,
	VERBS_MANY & ~(unsigned)VERB_PURGE, true, NULL,
	"held for longer than 45s, 90m, 2h, 3d, 1w"},
    {"older", "AGE", FLAG_AGE, AT(purge_age_s), NO_FIELD, VERB_PURGE, false,
	NULL, "instead of quarantine-age and discarded-age"},
    {"newer", "AGE", FLAG_AGE, AT(filter.newer_s), NO_FIELD, VERBS_MANY, true,
	NULL, "held for less than that"},
    {"score-min", "N", FLAG_SCORE, AT(filter.score_min),
	AT(filter.has_score_min), VERBS_MANY, true, NULL, "score N or more"},
    {"score-max", "N", FLAG_SCORE, AT(filter.score_max),
	AT(filter.has_score_max), VERBS_MANY, true, NULL, "score N or less"},
    {"state", "STATE", FLAG_STATE, AT(filter.state), AT(filter.has_state),
	VERBS_MANY, true, NULL, "sound, unsealed, tampered, damaged, foreign"},
    {"folder", "FOLDER", FLAG_CHOICE, AT(folders), NO_FIELD, VERBS_MANY, false,
	folder_words, "held, discarded, all"},
    {"all", NULL, FLAG_SET, AT(is_all), NO_FIELD, VERB_RELEASE | VERB_DELETE,
	true, NULL, "everything in the folder"},
    {"max-size", "SIZE", FLAG_SIZE, AT(purge_bytes), AT(has_purge_bytes),
	VERB_PURGE, false, NULL, "instead of quarantine-size: 500M, 2G"},
    {"via", "HOW", FLAG_TEXT, AT(via), NO_FIELD, VERB_RELEASE, false, NULL,
	"instead of release-via"},
    {"keep", NULL, FLAG_SET, AT(keeps), NO_FIELD, VERB_RELEASE, false, NULL,
	"leave it in the quarantine too"},
    {"force", NULL, FLAG_SET, AT(is_forced), NO_FIELD, VERB_RELEASE | VERB_SHOW,
	false, NULL, "also what was tampered with; --raw to a terminal"},
    {"dry-run", NULL, FLAG_SET, AT(is_dry_run), NO_FIELD,
	VERB_RELEASE | VERB_DELETE | VERB_PURGE, false, NULL,
	"say what would be done"},
    {"raw", NULL, FLAG_SET, AT(is_raw), NO_FIELD, VERB_SHOW, false, NULL,
	"the message alone, byte for byte"},
    {"lines", "N", FLAG_COUNT, AT(lines), NO_FIELD, VERB_SHOW, false, NULL,
	"lines of the body that are shown; default 20"},
    {"long", NULL, FLAG_SET, AT(is_long), NO_FIELD, VERB_LIST, false, NULL,
	"more columns"},
    {"verify", NULL, FLAG_SET, AT(verifies), NO_FIELD, VERB_LIST, false, NULL,
	"check each message against its digest too"},
    {"json", NULL, FLAG_SET, AT(is_json), NO_FIELD, VERBS_ALL, false, NULL,
	"one object a line"},
    {"color", "WHEN", FLAG_CHOICE, AT(color), NO_FIELD, VERBS_ALL, false,
	color_words, "auto, always, never"},
};

/* NULL: the help says what there is. */
static const char *const allowed[] = {
    [FLAG_AGE] = "an age above 0, such as 45s, 90m, 2h, 3d or 1w",
    [FLAG_SIZE] = "a size, such as 500M or 2G",
    [FLAG_COUNT] = "a number",
    [FLAG_SCORE] = "a number, such as 5.5",
    [FLAG_STATE] = NULL,
};

static bool
choice_parse(const char *text, const char *const *words, int *ret)
{
	for (int i = 0; words[i] != NULL; i++)
		if (words[i][0] != '\0' && strcmp(words[i], text) == 0) {
			*ret = i;
			return true;
		}
	return false;
}

static bool
state_parse(struct str text, enum held_state *ret)
{
	for (int i = HELD_SOUND; i <= HELD_FOREIGN; i++)
		if (str_eq(text, held_state_name((enum held_state)i))) {
			*ret = (enum held_state)i;
			return true;
		}
	return false;
}

/* Put `text` into the field of `row`; false: it is not what the row takes. */
static bool
flag_store(const struct flag_row *row, const char *text, struct held_request *r)
{
	void *field = (char *)r + row->offset;
	struct str value = str_from(text);
	switch (row->type) {
	case FLAG_CLASS:
		break;
	case FLAG_SET:
		*(bool *)field = true;
		return true;
	case FLAG_TEXT:
		*(const char **)field = text;
		return true;
	case FLAG_AGE:
		return age_parse(value, field) && *(int64_t *)field > 0;
	case FLAG_SIZE:
		return size_parse(value, field);
	case FLAG_COUNT:
		return str_u64(value, UINT32_MAX, field);
	case FLAG_SCORE:
		return str_double(value, field);
	case FLAG_CHOICE:
		return choice_parse(text, row->words, field);
	case FLAG_STATE:
		return state_parse(value, field);
	}
	return false;
}

static bool
flag_take(const struct flag_row *row, const char *text, struct held_request *r)
{
	bool is_given;
	if (row->type == FLAG_CLASS) {
		if (!choice_class(
			text, &is_given, (void *)((char *)r + row->offset)))
			return false;
	} else if (!flag_store(row, text, r)) {
		log_error("--%s %s: write %s", row->name, text,
		    allowed[row->type] == NULL ? row->help
					       : allowed[row->type]);
		return false;
	}
	if (row->has_offset != NO_FIELD)
		*(bool *)((char *)r + row->has_offset) = true;
	r->has_filter = r->has_filter || row->is_filter;
	return true;
}

/* The rows of this verb as getopt_long() wants them; and --help. */
static void
long_options(enum held_verb verb, struct option ret[COUNT_OF(flags) + 2])
{
	size_t n = 0;
	for (size_t i = 0; i < COUNT_OF(flags); i++)
		if ((flags[i].verbs & verb) != 0)
			ret[n++] = (struct option){flags[i].name,
			    flags[i].value == NULL ? no_argument
						   : required_argument,
			    NULL, OPTION_FIRST + (int)i};
	ret[n++] = (struct option){"help", no_argument, NULL, 'h'};
	ret[n] = (struct option){0};
}

static void
verb_help(const struct held_verb_text *v, FILE *out)
{
	fprintf(out, "usage: postern quarantine %s %s\n%s\n\n", v->name,
	    v->takes, v->help);
	for (size_t i = 0; i < COUNT_OF(flags); i++) {
		const struct flag_row *f = &flags[i];
		char left[40];
		if ((f->verbs & v->verb) == 0)
			continue;
		(void)snprintf(left, sizeof(left), "--%s %s", f->name,
		    f->value == NULL ? "" : f->value);
		fprintf(out, "  %-18s %s\n", left, f->help);
	}
}

/* What can match nothing is not meant. */
static bool
filter_check(const struct held_request *r)
{
	const struct held_filter *f = &r->filter;
	const struct choice_range scores = {
	    f->has_score_min, f->has_score_max, f->score_min, f->score_max};
	int64_t older_s = r->verb == VERB_PURGE ? r->purge_age_s : f->older_s;
	if (!choice_client(f->client) || !choice_range_check(&scores))
		return false;
	if (f->newer_s == 0 || older_s < f->newer_s)
		return true;
	log_error("--older and --newer: no message is older than the one and "
		  "newer than the other");
	return false;
}

bool
held_request_parse(const struct held_verb_text *v, int argc, char **argv,
    struct held_request *ret)
{
	struct option options[COUNT_OF(flags) + 2];
	int c;
	long_options(v->verb, options);
	*ret = (struct held_request){.verb = v->verb, .lines = LINES_DEFAULT};
	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (c == 'h') {
			verb_help(v, stdout);
			exit(cmd_end(CMD_FINE));
		}
		if (c == '?' ||
		    !flag_take(&flags[c - OPTION_FIRST], optarg, ret))
			return false;
	}
	ret->ids = argv + optind;
	ret->nids = (size_t)(argc - optind);
	for (size_t i = 0; i < ret->nids; i++)
		if (!held_id_is_valid(str_from(ret->ids[i]))) {
			log_error("\"%s\" is no quarantine id; `postern "
				  "quarantine list` has them",
			    ret->ids[i]);
			return false;
		}
	return filter_check(ret);
}
