/* SPDX-License-Identifier: BSD-2-Clause */
/* mass_log -- the log of `postern masscheck`, line by line and as a whole. */
#include "cmd/rulework/mass_log.h"

#include "base/arena.h"
#include "base/log.h"
#include "base/table.h"

enum value_type { VALUE_TEXT, VALUE_COUNT, VALUE_SCORE };

#define IN(word) (1U << (word))
#define IN_MAIL (IN(MASS_HAM) | IN(MASS_SPAM))
#define AT(field) offsetof(struct mass_record, field)

/* In the order in which they are written. */
static const struct key {
	const char *name;
	enum value_type type;
	size_t offset;
	unsigned words; /* the records that have it */
} keys[] = {
    {"rules", VALUE_TEXT, AT(rules), ~0U},
    {"version", VALUE_TEXT, AT(version), IN(MASS_START)},
    {"date", VALUE_TEXT, AT(date), IN(MASS_START)},
    {"subs", VALUE_TEXT, AT(subs), IN(MASS_START)},
    {"name", VALUE_TEXT, AT(name), IN(MASS_RULE) | IN(MASS_COST)},
    {"type", VALUE_TEXT, AT(type), IN(MASS_RULE)},
    {"class", VALUE_TEXT, AT(class), IN_MAIL},
    {"score", VALUE_SCORE, AT(score), IN_MAIL | IN(MASS_RULE)},
    {"flags", VALUE_TEXT, AT(flags), IN(MASS_RULE)},
    {"size", VALUE_COUNT, AT(size), IN_MAIL},
    {"us", VALUE_COUNT, AT(us), IN_MAIL},
    {"ns", VALUE_COUNT, AT(ns), IN(MASS_COST)},
    {"messages", VALUE_COUNT, AT(messages), IN(MASS_COST)},
    {"why", VALUE_TEXT, AT(why), IN(MASS_FAIL)},
    {"hits", VALUE_TEXT, AT(hits), IN_MAIL},
    {"file", VALUE_TEXT, AT(file), IN_MAIL | IN(MASS_FAIL)},
};

static const char *const words[MASS_WORDS] = {
    [MASS_START] = "start",
    [MASS_RULE] = "rule",
    [MASS_HAM] = "ham",
    [MASS_SPAM] = "spam",
    [MASS_FAIL] = "fail",
    [MASS_COST] = "cost",
};

struct mass_record
mass_record_new(enum mass_word word, struct str rules)
{
	struct mass_record record = {.word = word};
	for (size_t i = 0; i < COUNT_OF(keys); i++)
		if (keys[i].type == VALUE_TEXT)
			*(struct str *)((char *)&record + keys[i].offset) =
			    STR_EMPTY;
	record.rules = rules;
	return record;
}

static void
value_put(
    struct buf *b, const struct key *key, const struct mass_record *record)
{
	const void *at = (const char *)record + key->offset;
	switch (key->type) {
	case VALUE_TEXT:
		log_escape_word(b, *(const struct str *)at);
		break;
	case VALUE_COUNT:
		buf_printf(
		    b, "%llu", (unsigned long long)*(const uint64_t *)at);
		break;
	case VALUE_SCORE:
		buf_number(b, *(const double *)at);
		break;
	}
}

void
mass_record_put(struct buf *b, const struct mass_record *record)
{
	buf_put(b, str_from(words[record->word]));
	for (size_t i = 0; i < COUNT_OF(keys); i++) {
		if ((keys[i].words & IN(record->word)) == 0)
			continue;
		buf_printf(b, " %s=", keys[i].name);
		value_put(b, &keys[i], record);
	}
	buf_put(b, STR(" .\n"));
}

static bool
value_parse(struct arena *a, const struct key *key, struct str value,
    struct mass_record *record)
{
	void *at = (char *)record + key->offset;
	switch (key->type) {
	case VALUE_TEXT:
		return log_unescape(a, value, at);
	case VALUE_COUNT:
		return str_u64(value, UINT64_MAX, at);
	case VALUE_SCORE:
		return str_double(value, at);
	}
	return false;
}

static bool
word_parse(struct str text, enum mass_word *ret)
{
	for (unsigned i = 0; i < MASS_WORDS; i++) {
		if (str_eq(text, str_from(words[i]))) {
			*ret = (enum mass_word)i;
			return true;
		}
	}
	return false;
}

/* All keys of `word`, one bit each. */
static unsigned
keys_of(enum mass_word word)
{
	unsigned bits = 0;
	for (size_t i = 0; i < COUNT_OF(keys); i++)
		if ((keys[i].words & IN(word)) != 0)
			bits |= 1U << i;
	return bits;
}

/* "key=value"; false: the value cannot be.  What is found is marked. */
static bool
pair_parse(struct arena *a, struct str pair, struct mass_record *record,
    unsigned *found)
{
	struct str value = pair;
	struct str name = str_cut(&value, '=');
	if (name.len == pair.len)
		return false;
	for (size_t i = 0; i < COUNT_OF(keys); i++) {
		if ((keys[i].words & IN(record->word)) == 0 ||
		    !str_eq(name, str_from(keys[i].name)))
			continue;
		*found |= 1U << i;
		return value_parse(a, &keys[i], value, record);
	}
	return true;
}

bool
mass_record_parse(struct arena *a, struct str line, struct mass_record *ret)
{
	struct mass_record record = mass_record_new(MASS_START, STR_EMPTY);
	unsigned found = 0;
	if (!str_ends(line, STR(" .")) ||
	    !word_parse(str_cut(&line, ' '), &record.word))
		return false;
	while (line.len > 1)
		if (!pair_parse(a, str_cut(&line, ' '), &record, &found))
			return false;
	if (found != keys_of(record.word))
		return false;
	*ret = record;
	return true;
}

bool
mass_hit_cut(struct str *hits, struct str *ret_name, unsigned *ret_count)
{
	struct str rest = *hits;
	struct str count = str_cut(&rest, ',');
	struct str name = str_cut(&count, '*');
	uint64_t n = 1;
	if (name.len == 0 ||
	    (count.len > 0 && (!str_u64(count, UINT32_MAX, &n) || n == 0)))
		return false;
	*hits = rest;
	*ret_name = name;
	*ret_count = (unsigned)n;
	return true;
}

struct str
mass_key(struct arena *a, struct str file)
{
	size_t slash = str_rchr(file, '/');
	size_t flags =
	    str_find(str_skip(file, slash == STR_NONE ? 0 : slash), STR(":2,"));
	if (flags != STR_NONE)
		file =
		    str_sub(file, 0, (slash == STR_NONE ? 0 : slash) + flags);
	if (slash == STR_NONE)
		return file;
	struct str folder = str_sub(file, 0, slash);
	if (!str_ends(folder, STR("/new")))
		return file;
	return str_printf(a, "%.*s/cur%.*s",
	    STR_ARG(str_sub(folder, 0, folder.len - 4)),
	    STR_ARG(str_skip(file, slash)));
}

/* "WORD rules=", also of a line that was cut short behind that. */
static bool
is_record_begun(struct str line)
{
	enum mass_word word;
	return word_parse(str_cut(&line, ' '), &word) &&
	       str_starts(line, STR("rules="));
}

bool
mass_is_log(struct str text)
{
	if (text.len == 0)
		return true;
	while (text.len > 0)
		if (is_record_begun(str_line(&text)))
			return true;
	return false;
}

/* --- a whole log ---------------------------------------------------------- */

struct reading {
	struct arena *a;
	struct table *by_name; /* place in mass->rules + 1 */
	struct mass *mass;
	size_t mails; /* whose hits were read */
};

static size_t
place_get(const struct table *t, struct str key)
{
	return (size_t)(uintptr_t)table_get(t, key);
}

static struct mass_rule *
rule_of(struct reading *r, struct str name)
{
	size_t place = place_get(r->by_name, name);
	if (place == 0) {
		ARENA_PUSH(r->a, &r->mass->rules) = (struct mass_rule){
		    .name = name,
		    .type = STR_EMPTY,
		    .is_sub = str_starts(name, STR("__")),
		};
		place = r->mass->rules.n;
		table_set(r->by_name, name, (void *)(uintptr_t)place);
	}
	return &r->mass->rules.v[place - 1];
}

static bool
has_word(struct str text, struct str word)
{
	for (struct str w = str_word(&text); w.len > 0; w = str_word(&text))
		if (str_eq(w, word))
			return true;
	return false;
}

static void
take_rule(struct reading *r, const struct mass_record *record)
{
	struct mass_rule *rule = rule_of(r, record->name);
	rule->type = record->type;
	rule->score = record->score;
	rule->is_nice = has_word(record->flags, STR("nice"));
	rule->is_userconf = has_word(record->flags, STR("userconf"));
}

static void
take_cost(struct reading *r, const struct mass_record *record)
{
	struct mass_rule *rule = rule_of(r, record->name);
	rule->ns += record->ns;
	rule->ns_messages += record->messages;
}

/* False: the list is broken, or names a rule twice. */
static bool
take_hits(struct reading *r, struct str hits, struct mass_mail *mail)
{
	mail->first = r->mass->hits.n;
	r->mails++;
	if (str_eq(hits, STR("-")))
		return true;
	while (hits.len > 0) {
		struct str name;
		unsigned count;
		if (!mass_hit_cut(&hits, &name, &count))
			return false;
		struct mass_rule *rule = rule_of(r, name);
		if (rule->seen == r->mails)
			return false;
		rule->seen = r->mails;
		ARENA_PUSH(r->a, &r->mass->hits) = (struct mass_hit){
		    .rule = (uint32_t)(rule - r->mass->rules.v),
		    .count = count,
		};
		mail->nhits++;
	}
	return true;
}

static bool
take_mail(struct reading *r, const struct mass_record *record)
{
	struct mass_mail mail = {
	    .file = record->file,
	    .class = record->class,
	    .is_spam = record->word == MASS_SPAM,
	    .is_failed = record->word == MASS_FAIL,
	    .score = record->score,
	    .size_bytes = record->size,
	    .us = record->us,
	};
	if (!mail.is_failed && !take_hits(r, record->hits, &mail))
		return false;
	struct str key = mass_key(r->a, mail.file);
	size_t place = place_get(r->mass->by_file, key);
	if (place == 0) {
		ARENA_PUSH(r->a, &r->mass->mails) = mail;
		table_set(
		    r->mass->by_file, key, (void *)(uintptr_t)r->mass->mails.n);
	} else {
		r->mass->mails.v[place - 1] = mail;
	}
	return true;
}

static bool
take(struct reading *r, const struct mass_record *record)
{
	switch (record->word) {
	case MASS_START:
		r->mass->version = record->version;
		r->mass->date = record->date;
		r->mass->has_subs = str_eq(record->subs, STR("yes"));
		return true;
	case MASS_RULE:
		take_rule(r, record);
		return true;
	case MASS_COST:
		take_cost(r, record);
		return true;
	case MASS_HAM:
	case MASS_SPAM:
	case MASS_FAIL:
		return take_mail(r, record);
	case MASS_WORDS:
		break;
	}
	return false;
}

/* The next whole line; false: there is none. */
static bool
line_next(struct str *rest, struct str *ret)
{
	if (str_chr(*rest, '\n') == STR_NONE)
		return false;
	*ret = str_line(rest);
	return true;
}

/* The hash that is meant; empty: there is none. */
static struct str
hash_find(struct arena *a, struct str text, struct str prefix)
{
	struct str hash = STR_EMPTY, line;
	struct mass_record record;
	while (line_next(&text, &line))
		if (str_starts(line, STR("start ")) &&
		    mass_record_parse(a, line, &record) &&
		    str_starts(record.rules, prefix))
			hash = record.rules;
	return hash;
}

/* Drop what failed, and count the rest. */
static void
mails_count(struct mass *mass)
{
	size_t n = 0;
	for (size_t i = 0; i < mass->mails.n; i++) {
		const struct mass_mail *mail = &mass->mails.v[i];
		if (mail->is_failed) {
			mass->failed++;
			continue;
		}
		mass->count[mail->is_spam]++;
		for (size_t k = 0; k < mail->nhits; k++) {
			uint32_t rule = mass->hits.v[mail->first + k].rule;
			mass->rules.v[rule].hits[mail->is_spam]++;
		}
		mass->mails.v[n++] = *mail;
	}
	mass->mails.n = n;
}

/* by_file, once places have changed. */
static void
mails_index(struct arena *a, struct mass *mass)
{
	mass->by_file = table_new(a, false);
	for (size_t i = 0; i < mass->mails.n; i++)
		table_set(mass->by_file, mass_key(a, mass->mails.v[i].file),
		    (void *)(uintptr_t)(i + 1));
}

bool
mass_read(struct arena *a, struct str text, struct str prefix, struct mass *ret)
{
	struct mass mass = {.hash = hash_find(a, text, prefix)};
	struct reading r = {.a = a, .mass = &mass};
	struct mass_record record;
	struct str line;
	if (mass.hash.len == 0)
		return false;
	r.by_name = table_new(a, false);
	mass.by_file = table_new(a, false);
	while (line_next(&text, &line)) {
		bool is_record = mass_record_parse(a, line, &record);
		if (is_record && !str_eq(record.rules, mass.hash))
			mass.others++;
		else if (!is_record || !take(&r, &record))
			mass.broken++;
	}
	mass.broken += text.len > 0;
	mails_count(&mass);
	mails_index(a, &mass);
	*ret = mass;
	return true;
}
