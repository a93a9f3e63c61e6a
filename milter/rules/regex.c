/* SPDX-License-Identifier: BSD-2-Clause */
/* regex -- the only file that knows PCRE2. */
#define PCRE2_CODE_UNIT_WIDTH 0
#include "rules/regex.h"

#include <locale.h>
#include <pcre2.h>
#include <pthread.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/log.h"
#include "rules/dialect.h"
#include "rules/repeat.h"
#include "rules/wide_point.h"

/*
 * Steps from one start in the text: with machine code they take 1 to 3 ms.  No
 * stock or KAM rule needed more on 560 messages of all kinds.
 */
#define MATCH_LIMIT 250000
#define DEPTH_LIMIT 20000
#define HEAP_LIMIT_KIB (16 * 1024)
#define JIT_STACK_START ((size_t)32 * 1024)
#define JIT_STACK_MAX ((size_t)8 * 1024 * 1024)
/* No more than this wait, for a hostile text can fill one. */
#define STACKS_IDLE 8
/* Patterns over 64 k code units are compiled by the 32-bit library up to this.
 */
#define WIDE_CODE_BYTES ((size_t)8 * 1024 * 1024)
#define PATTERN_BYTES ((size_t)1024 * 1024)
/* How often the budget is asked: whichever comes first. */
#define POLL_CALLS 16
#define POLL_BYTES ((size_t)64 * 1024)
/* A subject longer than this is searched in windows, so that it can be left. */
#define WINDOW_FROM ((size_t)8 * 1024)
#define WINDOW_WORK ((size_t)32 * 1024 * 1024)
#define WINDOW_MIN ((size_t)128)
/*
 * Repeats that multiply take the square of the length or more from one start,
 * and machine code counts only part of it.  So few starts are tried at first,
 * then so many more that they take a fifth of the time taken so far; and
 * from each start the longer the text, the fewer steps.
 */
#define DEEP_FROM ((size_t)256)
#define DEEP_WINDOW ((size_t)64)
#define DEEP_GROWTH 5
#define DEEP_WORK ((size_t)1 << 28)
#define DEEP_STEPS ((size_t)1 << 31)
#define DEEP_STEPS_MIN 1000

#define UNICODE_OPTIONS                                          \
	(PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_UCP | \
	    PCRE2_NEVER_BACKSLASH_C | PCRE2_DUPNAMES | PCRE2_USE_OFFSET_LIMIT)
#define COMPILE_OPTIONS                                                \
	(PCRE2_NEVER_UTF | PCRE2_NEVER_UCP | PCRE2_NEVER_BACKSLASH_C | \
	    PCRE2_DUPNAMES | PCRE2_USE_OFFSET_LIMIT)

/* What machine code keeps its places in. */
struct stacks {
	pcre2_jit_stack_8 *narrow;
	pcre2_jit_stack_32 *wide; /* NULL: nothing has asked for it yet */
};

/*
 * Stacks that wait for the next message: to map them, touch their pages and
 * unmap them costs a message more than many of its regexes.  They are the
 * process's, for a message may outlive the rules it was tried with.
 */
static struct {
	pthread_mutex_t lock; /* guards the rest */
	struct stacks idle[STACKS_IDLE];
	size_t n;
} pool = {.lock = PTHREAD_MUTEX_INITIALIZER};

struct regex_env {
	struct arena *arena;
	struct regex_limits limits;
	uint8_t *tables;
	pcre2_compile_context_8 *compile;
	pcre2_general_context_32 *general_wide;
	pcre2_compile_context_32 *compile_wide;
};

/* A group with a name. */
struct capture {
	struct str name;
	uint32_t group;
};

struct regex {
	pcre2_code_8 *code; /* one of the two */
	pcre2_code_32 *wide;
	bool is_fast;
	struct {
		struct capture *v;
		size_t n, cap;
	} captures;
	uint32_t groups; /* whose spans are wanted, counting the whole match */
	bool is_unicode;
	bool is_deep;     /* repeats in it may multiply */
	bool is_anchored; /* it matches where the search starts, or nowhere */
	uint32_t least;   /* no match is shorter; characters if is_unicode */
};

struct regex_scratch {
	pcre2_match_data_8 *data;
	uint32_t groups; /* there is room for in `data` */
	uint32_t wide_groups;
	pcre2_match_context_8 *context;
	struct stacks stacks;
	/* made when a wide regex is met */
	const struct regex_env *env;
	pcre2_match_data_32 *wide_data;
	pcre2_match_context_32 *wide_context;
	uint32_t *wide;
	size_t wide_cap;
	struct str wide_of; /* what `wide` holds; its p is NULL: nothing */
	uint32_t limit;     /* of steps, in `context` */
	/* the budget */
	bool (*is_expired)(void *);
	void *arg;
	unsigned calls;
	size_t bytes;
	bool has_expired;
};

static void *
or_die(void *p)
{
	if (p == NULL)
		log_fatal("out of memory (regular expressions)");
	return p;
}

/*
 * Perl's /i on bytes folds Latin-1 even under /aa, while its classes are ASCII:
 * C0-DE and E0-FE without D7 and F7, which are no letters.  In the layout of
 * pcre2_maketables() the first 256 bytes are lower case, the next 256 flip it.
 */
static void
tables_fold_latin1(uint8_t *tables)
{
	for (unsigned upper = 0xc0; upper <= 0xde; upper++) {
		unsigned lower = regex_other_case((unsigned char)upper);
		if (lower == upper)
			continue;
		tables[upper] = (uint8_t)lower;
		tables[256 + upper] = (uint8_t)lower;
		tables[256 + lower] = (uint8_t)upper;
	}
}

/* The tables of the C locale, whatever locale the program runs in. */
static uint8_t *
tables_new(struct arena *a)
{
	uint32_t size = 0;
	(void)pcre2_config_8(PCRE2_CONFIG_TABLES_LENGTH, &size);
	if (size < 512)
		log_fatal("this PCRE2 has no character tables");
	locale_t c = or_die(newlocale(LC_ALL_MASK, "C", (locale_t)0));
	locale_t saved = uselocale(c);
	const uint8_t *made = pcre2_maketables_8(NULL);
	(void)uselocale(saved);
	freelocale(c);
	if (made == NULL)
		log_fatal("out of memory (regular expressions)");
	uint8_t *tables = arena_alloc(a, size);
	memcpy(tables, made, size);
	pcre2_maketables_free_8(NULL, made);
	tables_fold_latin1(tables);
	return tables;
}

/* A huge repeat must not eat the machine: PCRE2 reports it as no memory. */
static void *
wide_malloc(size_t size, void *arg)
{
	(void)arg;
	return size > WIDE_CODE_BYTES ? NULL : malloc(size);
}

static void
wide_free(void *p, void *arg)
{
	(void)arg;
	free(p);
}

static void
stacks_free(struct stacks *stacks)
{
	pcre2_jit_stack_free_8(stacks->narrow);
	pcre2_jit_stack_free_32(stacks->wide);
}

static struct stacks
stacks_get(void)
{
	struct stacks stacks = {0};
	(void)pthread_mutex_lock(&pool.lock);
	if (pool.n > 0)
		stacks = pool.idle[--pool.n];
	(void)pthread_mutex_unlock(&pool.lock);
	if (stacks.narrow == NULL)
		stacks.narrow = or_die(pcre2_jit_stack_create_8(
		    JIT_STACK_START, JIT_STACK_MAX, NULL));
	return stacks;
}

static void
stacks_put(struct stacks *stacks)
{
	(void)pthread_mutex_lock(&pool.lock);
	bool has_room = pool.n < STACKS_IDLE;
	if (has_room)
		pool.idle[pool.n++] = *stacks;
	(void)pthread_mutex_unlock(&pool.lock);
	if (!has_room)
		stacks_free(stacks);
}

static void
env_release(void *arg)
{
	struct regex_env *env = arg;
	pcre2_compile_context_free_8(env->compile);
	pcre2_compile_context_free_32(env->compile_wide);
	pcre2_general_context_free_32(env->general_wide);
}

static unsigned
or_default(unsigned value, unsigned fallback)
{
	return value == 0 ? fallback : value;
}

struct regex_env *
regex_env_new(struct arena *a, const struct regex_limits *limits)
{
	struct regex_env *env = ARENA_NEW(a, struct regex_env);
	env->arena = a;
	env->limits.match = or_default(limits->match, MATCH_LIMIT);
	env->limits.depth = or_default(limits->depth, DEPTH_LIMIT);
	env->limits.heap_kib = or_default(limits->heap_kib, HEAP_LIMIT_KIB);
	env->tables = tables_new(a);
	arena_on_release(a, env_release, env);
	env->compile = or_die(pcre2_compile_context_create_8(NULL));
	pcre2_set_character_tables_8(env->compile, env->tables);
	pcre2_set_newline_8(env->compile, PCRE2_NEWLINE_LF);
	pcre2_set_bsr_8(env->compile, PCRE2_BSR_UNICODE);
	env->general_wide = or_die(
	    pcre2_general_context_create_32(wide_malloc, wide_free, NULL));
	env->compile_wide =
	    or_die(pcre2_compile_context_create_32(env->general_wide));
	pcre2_set_character_tables_32(env->compile_wide, env->tables);
	pcre2_set_newline_32(env->compile_wide, PCRE2_NEWLINE_LF);
	pcre2_set_bsr_32(env->compile_wide, PCRE2_BSR_UNICODE);
	return env;
}

struct str
regex_pattern(struct arena *a, struct str pattern)
{
	return dialect_read(a, wide_point_drop(a, pattern), NULL);
}

static struct str
error_text(struct arena *a, int error, size_t offset)
{
	char text[256] = "";
	(void)pcre2_get_error_message_8(
	    error, (PCRE2_UCHAR8 *)text, sizeof(text));
	return str_printf(a, "%s (at byte %zu)", text, offset);
}

/* Errors that say "Perl may take it", not "it is broken". */
static bool
is_limitation(int error)
{
	static const int limitation[] = {
	    PCRE2_ERROR_PATTERN_TOO_LARGE,
	    PCRE2_ERROR_LOOKBEHIND_NOT_FIXED_LENGTH,
	    PCRE2_ERROR_LOOKBEHIND_TOO_COMPLICATED,
	    PCRE2_ERROR_UNKNOWN_ESCAPE,
	    PCRE2_ERROR_UNSUPPORTED_ESCAPE_SEQUENCE,
	    PCRE2_ERROR_CODE_POINT_TOO_BIG,
	    PCRE2_ERROR_HEAP_FAILED,
	    PCRE2_ERROR_PATTERN_TOO_COMPLICATED,
	    PCRE2_ERROR_BACKSLASH_C_CALLER_DISABLED,
	    PCRE2_ERROR_UTF_IS_DISABLED,
	    PCRE2_ERROR_UCP_IS_DISABLED,
	    PCRE2_ERROR_PARENTHESES_NEST_TOO_DEEP,
	};
	for (size_t i = 0; i < COUNT_OF(limitation); i++)
		if (error == limitation[i])
			return true;
	return false;
}

static void
regex_release(void *arg)
{
	struct regex *re = arg;
	pcre2_code_free_8(re->code);
	pcre2_code_free_32(re->wide);
}

static void
widen(struct str s, uint32_t *ret)
{
	for (size_t i = 0; i < s.len; i++)
		ret[i] = (uint8_t)s.p[i];
}

static int
compile_wide(const struct regex_env *env, struct str pattern, struct regex *re)
{
	uint32_t *wide = or_die(malloc(pattern.len * sizeof(*wide) + 1));
	widen(pattern, wide);
	int error = 0;
	PCRE2_SIZE offset = 0;
	re->wide = pcre2_compile_32(wide, pattern.len, COMPILE_OPTIONS, &error,
	    &offset, env->compile_wide);
	free(wide);
	return re->wide == NULL ? error : 0;
}

/* Capitals, digits and single _ between them: a tag, as SpamAssassin has it. */
static bool
is_tag(struct str name)
{
	bool was_sign = true;
	for (size_t i = 0; i < name.len; i++) {
		char c = name.p[i];
		bool is_sign = c == '_';
		bool is_letter = c >= 'A' && c <= 'Z';
		if (!(is_letter || (i > 0 && (is_sign || char_is_digit(c)))) ||
		    (is_sign && was_sign))
			return false;
		was_sign = is_sign;
	}
	return !was_sign;
}

/* Note group `group`, whose name is the NUL-terminated `units`. */
static void
capture_add(struct arena *a, struct regex *re, struct str name, uint32_t group)
{
	if (!is_tag(name))
		return;
	ARENA_PUSH(a, &re->captures) = (struct capture){
	    .name = str_dup(a, name),
	    .group = group,
	};
	if (re->groups <= group)
		re->groups = group + 1;
}

static void
captures_read(struct arena *a, struct regex *re)
{
	uint32_t n = 0, size = 0;
	PCRE2_SPTR8 at = NULL;
	(void)pcre2_pattern_info_8(re->code, PCRE2_INFO_NAMECOUNT, &n);
	(void)pcre2_pattern_info_8(re->code, PCRE2_INFO_NAMEENTRYSIZE, &size);
	(void)pcre2_pattern_info_8(re->code, PCRE2_INFO_NAMETABLE, &at);
	for (uint32_t i = 0; i < n; i++, at += size)
		capture_add(a, re, str_from((const char *)at + 2),
		    (uint32_t)at[0] << 8 | at[1]);
}

static void
captures_read_wide(struct arena *a, struct regex *re)
{
	uint32_t n = 0, size = 0;
	PCRE2_SPTR32 at = NULL;
	(void)pcre2_pattern_info_32(re->wide, PCRE2_INFO_NAMECOUNT, &n);
	(void)pcre2_pattern_info_32(re->wide, PCRE2_INFO_NAMEENTRYSIZE, &size);
	(void)pcre2_pattern_info_32(re->wide, PCRE2_INFO_NAMETABLE, &at);
	for (uint32_t i = 0; i < n; i++, at += size) {
		struct buf *name = buf_new(a, size);
		for (uint32_t k = 1; k < size && at[k] != 0; k++)
			buf_putc(name, (char)at[k]);
		capture_add(a, re, buf_str(name), at[0]);
	}
}

/* Each byte as the character of its number. */
static struct str
latin1_to_utf8(struct arena *a, struct str s)
{
	struct buf *b = buf_new(a, s.len * 2);
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (c >= 0x80)
			buf_putc(b, (char)(0xc0 | c >> 6));
		buf_putc(b, (char)(c < 0x80 ? c : 0x80 | (c & 0x3f)));
	}
	return buf_str(b);
}

static bool
has_backreference(const struct regex *re)
{
	uint32_t most = 0;
	if (re->code != NULL)
		(void)pcre2_pattern_info_8(
		    re->code, PCRE2_INFO_BACKREFMAX, &most);
	else
		(void)pcre2_pattern_info_32(
		    re->wide, PCRE2_INFO_BACKREFMAX, &most);
	return most > 0;
}

static bool
is_anchored(const struct regex *re)
{
	uint32_t options = 0;
	if (re->code != NULL)
		(void)pcre2_pattern_info_8(
		    re->code, PCRE2_INFO_ALLOPTIONS, &options);
	return (options & PCRE2_ANCHORED) != 0;
}

static enum regex_status
compile(struct arena *a, const struct regex_env *env, struct str pattern,
    bool is_unicode, struct regex **ret, struct str *ret_why)
{
	if (pattern.len > PATTERN_BYTES) {
		*ret_why = STR("the regular expression is longer than 1 MiB");
		return REGEX_UNSUPPORTED;
	}
	struct str complaint;
	struct str read = dialect_read(a, pattern, &complaint);
	if (complaint.len > 0) {
		*ret_why = complaint;
		return REGEX_BROKEN;
	}
	pattern = is_unicode ? dialect_for_utf(a, latin1_to_utf8(a, read))
			     : regex_pattern(a, pattern);
	struct regex *re = ARENA_NEW(a, struct regex);
	re->groups = 1;
	re->is_unicode = is_unicode;
	arena_on_release(a, regex_release, re);
	int error = 0;
	PCRE2_SIZE offset = 0;
	re->code = pcre2_compile_8((PCRE2_SPTR8)pattern.p, pattern.len,
	    is_unicode ? UNICODE_OPTIONS : COMPILE_OPTIONS, &error, &offset,
	    env->compile);
	if (re->code == NULL && error == PCRE2_ERROR_PATTERN_TOO_LARGE &&
	    !is_unicode)
		error = compile_wide(env, pattern, re);
	if (re->code == NULL && re->wide == NULL) {
		*ret_why = error_text(a, error, offset);
		return is_limitation(error) ? REGEX_UNSUPPORTED : REGEX_BROKEN;
	}
	if (re->code != NULL)
		captures_read(a, re);
	else
		captures_read_wide(a, re);
	re->is_deep = repeat_count(pattern) > 1 || has_backreference(re);
	re->is_anchored = is_anchored(re);
	if (re->code != NULL)
		(void)pcre2_pattern_info_8(
		    re->code, PCRE2_INFO_MINLENGTH, &re->least);
	*ret = re;
	return REGEX_OK;
}

enum regex_status
regex_new(struct regex_env *env, struct str pattern, struct regex **ret,
    struct str *ret_why)
{
	return compile(env->arena, env, pattern, false, ret, ret_why);
}

enum regex_status
regex_new_unicode(struct regex_env *env, struct str pattern, struct regex **ret,
    struct str *ret_why)
{
	return compile(env->arena, env, pattern, true, ret, ret_why);
}

enum regex_status
regex_new_in(struct arena *a, const struct regex_env *env, struct str pattern,
    bool is_unicode, struct regex **ret, struct str *ret_why)
{
	return compile(a, env, pattern, is_unicode, ret, ret_why);
}

bool
regex_is_anchored(const struct regex *re)
{
	return re->is_anchored;
}

/* 0: anything, 1: one byte, 2: the start of a line */
static uint32_t
first_kind(const struct regex *re)
{
	uint32_t kind = 0;
	if (re->code != NULL)
		(void)pcre2_pattern_info_8(
		    re->code, PCRE2_INFO_FIRSTCODETYPE, &kind);
	return kind;
}

bool
regex_is_placed(const struct regex *re)
{
	return first_kind(re) != 0 || regex_is_anchored(re);
}

bool
regex_is_at_lines(const struct regex *re)
{
	return first_kind(re) == 2;
}

void
regex_speed_up(struct regex *re)
{
	if (re->is_fast)
		return;
	int rc = re->code != NULL
		     ? pcre2_jit_compile_8(re->code, PCRE2_JIT_COMPLETE)
		     : pcre2_jit_compile_32(re->wide, PCRE2_JIT_COMPLETE);
	re->is_fast = rc == 0;
}

void
regex_scratch_done(struct regex_scratch *s)
{
	pcre2_match_data_free_8(s->data);
	pcre2_match_context_free_8(s->context);
	if (s->stacks.narrow != NULL)
		stacks_put(&s->stacks);
	pcre2_match_data_free_32(s->wide_data);
	pcre2_match_context_free_32(s->wide_context);
	free(s->wide);
	*s = (struct regex_scratch){0};
}

static void
scratch_release(void *arg)
{
	regex_scratch_done(arg);
}

struct regex_scratch *
regex_scratch_new(struct arena *a, const struct regex_env *env,
    bool (*is_expired)(void *), void *arg)
{
	struct regex_scratch *s = ARENA_NEW(a, struct regex_scratch);
	arena_on_release(a, scratch_release, s);
	s->env = env;
	s->is_expired = is_expired;
	s->arg = arg;
	s->groups = 1;
	s->data = or_die(pcre2_match_data_create_8(s->groups, NULL));
	s->context = or_die(pcre2_match_context_create_8(NULL));
	s->stacks = stacks_get();
	pcre2_jit_stack_assign_8(s->context, NULL, s->stacks.narrow);
	s->limit = env->limits.match;
	pcre2_set_match_limit_8(s->context, s->limit);
	pcre2_set_depth_limit_8(s->context, env->limits.depth);
	pcre2_set_heap_limit_8(s->context, env->limits.heap_kib);
	return s;
}

static void
scratch_widen(struct regex_scratch *s)
{
	if (s->wide_data != NULL)
		return;
	const struct regex_limits *limits = &s->env->limits;
	s->wide_groups = 1;
	s->wide_data = or_die(pcre2_match_data_create_32(s->wide_groups, NULL));
	s->wide_context = or_die(pcre2_match_context_create_32(NULL));
	if (s->stacks.wide == NULL)
		s->stacks.wide = or_die(pcre2_jit_stack_create_32(
		    JIT_STACK_START, JIT_STACK_MAX, NULL));
	pcre2_jit_stack_assign_32(s->wide_context, NULL, s->stacks.wide);
	pcre2_set_match_limit_32(s->wide_context, limits->match);
	pcre2_set_depth_limit_32(s->wide_context, limits->depth);
	pcre2_set_heap_limit_32(s->wide_context, limits->heap_kib);
}

/* Room for the spans of the groups that `re` has names for. */
static void
scratch_make_room(struct regex_scratch *s, const struct regex *re)
{
	if (re->code != NULL && s->groups < re->groups) {
		pcre2_match_data_free_8(s->data);
		s->groups = re->groups;
		s->data = or_die(pcre2_match_data_create_8(s->groups, NULL));
	} else if (re->code == NULL && s->wide_groups < re->groups) {
		pcre2_match_data_free_32(s->wide_data);
		s->wide_groups = re->groups;
		s->wide_data =
		    or_die(pcre2_match_data_create_32(s->wide_groups, NULL));
	}
}

static int
match_narrow(const struct regex *re, struct regex_scratch *s,
    struct str subject, size_t from, size_t until, uint32_t options)
{
	(void)pcre2_set_offset_limit_8(s->context, until);
	PCRE2_SPTR8 text = (PCRE2_SPTR8)subject.p;
	return re->is_fast ? pcre2_jit_match_8(re->code, text, subject.len,
				 from, options, s->data, s->context)
			   : pcre2_match_8(re->code, text, subject.len, from,
				 options, s->data, s->context);
}

/* `subject` is in s->wide already. */
static int
match_wide(const struct regex *re, struct regex_scratch *s, struct str subject,
    size_t from, size_t until, uint32_t options)
{
	(void)pcre2_set_offset_limit_32(s->wide_context, until);
	return pcre2_match_32(re->wide, s->wide, subject.len, from, options,
	    s->wide_data, s->wide_context);
}

/* Made once for the many looks at one text. */
static void
load_wide(struct regex_scratch *s, struct str subject)
{
	if (s->wide != NULL && s->wide_of.p == subject.p &&
	    s->wide_of.len == subject.len)
		return;
	scratch_widen(s);
	if (subject.len >= s->wide_cap) {
		free(s->wide);
		s->wide_cap = subject.len + 1024;
		s->wide = or_die(calloc(s->wide_cap, sizeof(*s->wide)));
	}
	widen(subject, s->wide);
	s->wide_of = subject;
}

void
regex_next_text(struct regex_scratch *s)
{
	s->wide_of = (struct str){NULL, 0};
}

static bool
budget_is_used(struct regex_scratch *s, size_t bytes)
{
	if (s->has_expired || s->is_expired == NULL)
		return s->has_expired;
	s->bytes += bytes;
	if (++s->calls < POLL_CALLS && s->bytes < POLL_BYTES)
		return false;
	s->calls = 0;
	s->bytes = 0;
	s->has_expired = s->is_expired(s->arg);
	return s->has_expired;
}

static enum regex_result
result_of(int rc)
{
	if (rc >= 0)
		return REGEX_YES;
	if (rc == PCRE2_ERROR_NOMATCH)
		return REGEX_NO;
	return rc == PCRE2_ERROR_JIT_STACKLIMIT ? REGEX_STACK : REGEX_LIMIT;
}

/* Start positions tried at once: few in a long text, each may read all of it.
 */
static size_t
window_of(size_t length)
{
	if (length <= WINDOW_FROM)
		return length;
	size_t window = WINDOW_WORK / length;
	return window < WINDOW_MIN ? WINDOW_MIN : window;
}

/* The first window of a regex whose repeats multiply. */
static size_t
deep_window_of(size_t length)
{
	size_t window = DEEP_WORK / length / length;
	return window > DEEP_WINDOW ? DEEP_WINDOW : window == 0 ? 1 : window;
}

/* The starts to try next when `tried` have been. */
static size_t
window_next(const struct regex *re, size_t length, size_t tried)
{
	size_t window = window_of(length);
	if (!re->is_deep || length <= DEEP_FROM)
		return window;
	size_t deep = deep_window_of(length);
	if (deep < tried / DEEP_GROWTH)
		deep = tried / DEEP_GROWTH;
	return deep < window ? deep : window;
}

/* What `window` starts count for the budget: each may read all of the text. */
static size_t
window_bytes(const struct regex *re, size_t length, size_t window)
{
	if (re->is_deep && length > DEEP_FROM)
		return POLL_BYTES;
	return window + window * (length / 1024);
}

static void
limit_steps(const struct regex *re, struct regex_scratch *s, size_t length)
{
	uint32_t limit = s->env->limits.match;
	size_t most = length <= WINDOW_FROM ? limit : DEEP_STEPS / length;
	if (most < DEEP_STEPS_MIN)
		most = DEEP_STEPS_MIN;
	if (re->is_deep && most < limit)
		limit = (uint32_t)most;
	if (re->code == NULL) {
		pcre2_set_match_limit_32(s->wide_context, limit);
	} else if (s->limit != limit) {
		s->limit = limit;
		pcre2_set_match_limit_8(s->context, limit);
	}
}

static void
span_of(const struct regex *re, struct regex_scratch *s, struct regex_span *ret)
{
	const PCRE2_SIZE *pair =
	    re->code != NULL ? pcre2_get_ovector_pointer_8(s->data)
			     : pcre2_get_ovector_pointer_32(s->wide_data);
	*ret = (struct regex_span){pair[0], pair[1]};
}

enum regex_result
regex_match_within(const struct regex *re, struct regex_scratch *s,
    struct str subject, size_t from, size_t until, bool is_again,
    struct regex_span *ret)
{
	if (re->code == NULL)
		load_wide(s, subject);
	if (re->is_anchored)
		until = from;
	if (until > subject.len)
		until = subject.len;
	if (from > subject.len || subject.len - from < re->least)
		return REGEX_NO;
	scratch_make_room(s, re);
	limit_steps(re, s, subject.len);
	uint32_t options = is_again ? PCRE2_NOTEMPTY_ATSTART : 0;
	size_t begin = from;
	while (from <= until) {
		size_t left = until - from;
		size_t window = window_next(re, subject.len, from - begin);
		bool is_last = window >= left;
		if (is_last)
			window = left;
		if (budget_is_used(s, window_bytes(re, subject.len, window)))
			return REGEX_EXPIRED;
		size_t last = from + window;
		int rc = re->code != NULL
			     ? match_narrow(re, s, subject, from, last, options)
			     : match_wide(re, s, subject, from, last, options);
		enum regex_result result = result_of(rc);
		if (result == REGEX_YES)
			span_of(re, s, ret);
		if (result != REGEX_NO || is_last)
			return result;
		from = last + 1;
		while (re->is_unicode && from < subject.len &&
		       ((unsigned char)subject.p[from] & 0xc0) == 0x80)
			from++;
		options = 0;
	}
	return REGEX_NO;
}

enum regex_result
regex_match(const struct regex *re, struct regex_scratch *s, struct str subject,
    size_t from, bool is_again, struct regex_span *ret)
{
	regex_next_text(s);
	return regex_match_within(
	    re, s, subject, from, subject.len, is_again, ret);
}

size_t
regex_capture_count(const struct regex *re)
{
	return re->captures.n;
}

struct str
regex_capture_name(const struct regex *re, size_t i)
{
	return re->captures.v[i].name;
}

void
regex_want_group(struct regex *re, unsigned n)
{
	if (re->groups <= n)
		re->groups = n + 1;
}

struct str
regex_group(const struct regex *re, const struct regex_scratch *s,
    struct str subject, unsigned n)
{
	const PCRE2_SIZE *pair =
	    re->code != NULL ? pcre2_get_ovector_pointer_8(s->data)
			     : pcre2_get_ovector_pointer_32(s->wide_data);
	pair += 2 * (size_t)n;
	if (pair[0] == PCRE2_UNSET || pair[1] <= pair[0] ||
	    pair[1] > subject.len)
		return STR_EMPTY;
	return str_sub(subject, pair[0], pair[1] - pair[0]);
}

struct str
regex_capture(const struct regex *re, const struct regex_scratch *s,
    struct str subject, size_t i)
{
	return regex_group(re, s, subject, re->captures.v[i].group);
}
