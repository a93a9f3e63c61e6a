/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Does each eval function look at what its row says, and at nothing else?  One
 * thing after the other is replaced by memory that cannot be read, while all
 * others are there.  A function looks at it if it is caught there, or if its
 * answer becomes another.
 */
#include "unit.h"

#include <glob.h>
#include <limits.h>
#include <signal.h>
#include <sys/mman.h>

#include "auth/facts.h"
#include "base/file.h"
#include "mail/relay.h"
#include "mail/uri.h"
#include "notice/origin.h"
#include "rules/eval_rows.h"
#include "rules/regex.h"
#include "rules/rule.h"

#define NOW 1704067200 /* 2024-01-01 */
#define TRAP_BYTES ((size_t)1 << 20)

static char *trap; /* TRAP_BYTES that cannot be read */
static sigjmp_buf caught;

static const struct eval_row *const FROM_FACTS[] = {
    EVAL_AUTH, EVAL_AUTH_PEER, EVAL_NOTICE, NULL};

/* --- rules: each row with arguments that make it look --- */

static const char SETTINGS[] =
    "util_rb_tld com org net example\n"
    "trusted_networks 192.0.2.1\n"
    "welcomelist_from_rcvd *@hotmail.com mx.example\n"
    "def_welcomelist_from_rcvd *@hotmail.com mx.example\n"
    "blocklist_from x@block.example\n"
    "blocklist_to y@block.example\n"
    "welcomelist_to y@welcome.example\n"
    "more_spam_to y@more.example\n"
    "all_spam_to y@all.example\n"
    "enlist_addrlist (LIST) z@list.example\n"
    "freemail_domains gmail.com yahoo.com\n"
    "blocklist_subject sale\nwelcomelist_subject ticket\n"
    "welcomelist_bounce_relays mx.example\n"
    "enlist_uri_host (HOSTS) h.example\n"
    "blocklist_uri_host b.example\nwelcomelist_uri_host w.example\n"
    "welcomelist_from_spf *@a.example\n"
    "def_welcomelist_from_spf *@a.example\n"
    "welcomelist_from_dkim *@a.example\n"
    "def_welcomelist_from_dkim *@a.example\n"
    "adsp_override a.example all\n"
    "ok_locales en\n";

/* A function with arguments; those that need none are asked so as well. */
static const struct {
	const char *name, *args;
} ASKED[] = {
    {"rcpt_count", "'2'"},
    {"rcpt_in", "'subject','address'"},
    {"rcpt_in", "'name','user'"},
    {"rcpt_in", "'greeting','user'"},
    {"rcpt_in", "'body','user'"},
    {"rcpt_in", "'link','address'"},
    {"display_name_address", "'domain'"},
    {"check_for_to_in_subject", "'address'"},
    {"check_for_to_in_subject", "'user'"},
    {"header_count", "'Subject','1'"},
    {"check_header_count_range", "'Received','1','9'"},
    {"link_text_host", "'foreign'"},
    {"hidden_text", "'1','2'"},
    {"visible_text", "'1','100'"},
    {"image_only", "'100'"},
    {"wallet_address", "'any'"},
    {"attachment_name", "'exe','double'"},
    {"attachment_magic", "'exe','macro'"},
    {"attachment_member", "'5','exe'"},
    {"attachment_page", "'redirect'"},
    {"check_from_in_list", "'LIST'"},
    {"check_replyto_in_list", "'LIST'"},
    {"check_to_in_list", "'LIST'"},
    {"check_illegal_chars", "'ALL','0.1','3'"},
    {"check_illegal_chars", "'Subject','0.1','3'"},
    {"check_illegal_chars", "'EnvelopeFrom','0.1','3'"},
    {"check_illegal_chars", "'X-Spam-Relays-Untrusted','0.1','3'"},
    {"check_for_shifted_date", "'1','2'"},
    {"received_within_months", "'1','2'"},
    {"check_freemail_from", "'/gm/'"},
    {"check_freemail_header", "'Reply-To'"},
    {"check_freemail_header", "'EnvelopeFrom'"},
    {"check_freemail_header", "'X-Spam-Relays-Untrusted'"},
    {"check_freemail_body", "'/gm/'"},
    {"check_freemail_replyto", "'replyto'"},
    {"check_freemail_replyto", "'reply'"},
    {"similar_recipients", "'0.1','undef'"},
    {"check_fromname_spoof", "'2'"},
    {"check_uri_host_listed", "'HOSTS'"},
    {"check_for_from_domain_in_received_headers", "'hotmail.com','true'"},
    {"html_tag_balance", "'b','> 0'"},
    {"html_image_only", "'0','9999'"},
    {"html_image_ratio", "'0','9'"},
    {"html_tag_exists", "'img'"},
    {"html_test", "'html'"},
    {"html_eval", "'length','> 1'"},
    {"html_text_match", "'title','x'"},
    {"html_text_match", "'uri','x'"},
    {"html_text_not_match", "'anchor','x'"},
    {"html_title_subject_ratio", "'0.1'"},
    {"html_range", "'length','1','inf'"},
    {"check_https_http_mismatch", "'1','9'"},
    {"check_for_mime", "'mime_attachment'"},
    {"check_for_mime", "'mime_missing_boundary'"},
    {"check_mime_multipart_ratio", "'0','9'"},
    {"check_msg_parse_flags", "'truncated_headers'"},
    {"check_msg_parse_flags", "'missing_mime_headers'"},
    {"check_msg_parse_flags", "'missing_head_body_separator'"},
    {"check_abundant_unicode_ratio", "'0.01'"},
    {"check_for_uppercase", "'50','100'"},
    {"check_base64_length", "'1','99'"},
    {"check_qp_ratio", "'0.01'"},
    {"multipart_alternative_difference", "'1','100'"},
    {"multipart_alternative_difference_count", "'0','0'"},
    {"check_blank_line_ratio", "'1','100','1'"},
    {"tvd_vertical_words", "'0','100'"},
    {"check_stock_info", "'1'"},
    {"check_body_length", "'100000'"},
    {"plaintext_body_length", "'1','99'"},
    {"plaintext_sig_length", "'1','99'"},
    {"plaintext_body_sig_ratio", "'0','9'"},
    {"image_count", "'all','1','9'"},
    {"pixel_coverage", "'gif','1','999'"},
    {"image_size_exact", "'gif','2','2'"},
    {"image_size_range", "'all','1','1'"},
    {"image_named", "'p.gif'"},
    {"image_name_regex", "'gif'"},
    {"image_to_text_ratio", "'all','0','9999'"},
    {"preflight", "'pass','fail_reject'"},
    {"spf_result", "'fail','pass'"},
    {"dkim_result", "'pass','none'"},
    {"dmarc_policy", "'reject'"},
    {"login_may_not", "'from'"},
    {"login_may_not", "'envelope'"},
    {"domain_no_mail", "'from'"},
    {"domain_no_mail", "'envelope'"},
    {"not_signed", "'no-key'"},
    {"check_dkim_signed", "'a.example'"},
    {"check_dkim_adsp", "'*'"},
    {"notice_kind", "'dsn'"},
    {"notice_origin", "'forged'"},
};

/* Of which types rules with that function may be; NULL: header. */
static const char *const *
types_of(const struct eval_row *row)
{
	static const char *const header[] = {"header", NULL};
	static const char *const text[] = {"body", "rawbody", NULL};
	static const char *const of_text[] = {"BodyEval", "HTMLEval",
	    "HTTPSMismatch", "ImageInfo", "MIMEEval", "URIEval"};
	for (size_t i = 0; i < COUNT_OF(of_text); i++)
		if (strcmp(row->source, of_text[i]) == 0)
			return text;
	return header;
}

static void
add_rules(struct buf *out, const struct eval_row *row, const char *args)
{
	static size_t n;
	for (const char *const *type = types_of(row); *type != NULL; type++)
		buf_printf(
		    out, "%s R%zu eval:%s(%s)\n", *type, n++, row->name, args);
}

static void
add_row(struct buf *out, const struct eval_row *row)
{
	bool is_asked = row->args_min == 0;
	if (is_asked)
		add_rules(out, row, "");
	for (size_t i = 0; i < COUNT_OF(ASKED); i++) {
		if (strcmp(ASKED[i].name, row->name) != 0)
			continue;
		is_asked = true;
		add_rules(out, row, ASKED[i].args);
	}
	if (!is_asked)
		fail_msg("%s() wants arguments of this test", row->name);
}

static struct ruleset *
rules_new(struct arena *a, const char *feed)
{
	struct buf *text = buf_new(a, 100000);
	buf_put(text, str_from(SETTINGS));
	buf_printf(text, "phishing_openphish_feed %s\n", feed);
	for (size_t i = 0; EVAL_CONTENT[i] != NULL; i++)
		for (const struct eval_row *row = EVAL_CONTENT[i];
		     row->name != NULL; row++)
			add_row(text, row);
	for (size_t i = 0; FROM_FACTS[i] != NULL; i++)
		for (const struct eval_row *row = FROM_FACTS[i];
		     row->name != NULL; row++)
			add_row(text, row);
	struct ruleset_options options = {.evals = FROM_FACTS};
	struct diags diags = {.arena = a};
	struct ruleset *rules =
	    ruleset_load_text(STR("t.cf"), buf_str(text), &options, &diags);
	for (size_t i = 0; i < diags.n; i++)
		if (diags.v[i].level != DIAG_NOTE)
			fail_msg("%.*s", STR_ARG(diags.v[i].text));
	return rules;
}

/* --- one message, and what is known of it --- */

struct sample {
	const char *mail;
	const char *sender, *login; /* of the envelope */
	const char *auth;   /* see facts_of_test(); NULL: nothing is known */
	const char *notice; /* words of notice_test_word() */
};

/* Each makes some rows look further than the others do. */
static const struct sample OWN[] = {
    {"Received: from h (mx.example [198.51.100.7]) by mx.a.example with ESMTP"
     " id 1; Mon, 1 Jan 2024 00:00:00 +0000\n"
     "Message-ID: <1@a.example>\nDate: Mon, 1 Jan 2024 00:00:00 +0000\n"
     "From: \"erinmiller boss@c.example\" <alice@a.example>\n"
     "To: erinmiller@b.example, frank@b.example\nReply-To: x@gmail.com\n"
     "Subject: erinmiller@b.example, hello\nMIME-Version: 1.0\n"
     "Content-Type: multipart/alternative; boundary=b\n\n"
     "--b\nContent-Type: text/plain\n\nHello erinmiller, mail to y@gmail.com "
     "or http://h.example/x?erinmiller@b.example\n\nSymbol: ABCD\n-- \nme\n"
     "--b\nContent-Type: text/html\n\n<html><head><title>x</title></head>"
     "<b>Hello <a href=\"http://h.example/x\">https://www.d.example/</a> "
     "<img src=\"http://i.example/p.gif\" width=9 height=9>"
     "<iframe src=\"http://j.example/\"></iframe></html>\n--b--\n",
	"x@gmail.com", "alice@a.example", "spf=pass dkim=pass",
	"notice=dsn origin=forged"},
    {"Received: from h (h.example [198.51.100.7]) by mx.example id 1\n"
     "From: x@hotmail.com\nTo: y@c.example\nSubject: hello\n"
     "Content-Type: text/plain; charset=koi8-r\n\n"
     "\xd7\xd8\xd9\xda\xdb\xdc\xdd\xde\xdf\xc7\xc8\xc9\n",
	"x@a.example", NULL,
	"spf=fail from-route=none sender-route=none unsigned=no-key",
	"notice=none"},
    {"Received: from mail pickup service by p01.groups.msn.com with SMTP\n"
     "Message-Id: <list-x@groups.msn.com>\nFrom: x@hotmail.com\n"
     "To: <list@groups.msn.com>\nSubject: hello\n\nhello\n",
	"list-bounce@groups.msn.com", "alice@a.example",
	"login-from=no login-sender=no", "notice=none"},
    {"Received: from h (h.example [198.51.100.7]) by mx.example id 1\n"
     "From: \"c.example\" <x@yahoo.com>\nSubject: hello\n\nhello\n",
	"x@yahoo.com", NULL, "local=c.example", "notice=none"},
    {"From: x@a.example\nSubject: a picture\n"
     "Content-Type: multipart/alternative; boundary=b\n\n"
     "--b\nContent-Type: text/html\n\n<img src=\"cid:1\">\n--b--\n",
	"x@a.example", NULL, NULL, NULL},
};

struct samples {
	struct sample *v;
	size_t n, cap;
};

/* Our own, and the files of test/mail, of which nothing else is known. */
static void
samples_read(struct arena *a, struct samples *ret)
{
	for (size_t i = 0; i < COUNT_OF(OWN); i++)
		ARENA_PUSH(a, ret) = OWN[i];
	const char *srcdir = getenv("srcdir");
	const char *pattern = str_c(a,
	    str_printf(a, "%s/test/mail/*.eml", srcdir == NULL ? "." : srcdir));
	glob_t files;
	assert_int_equal(glob(pattern, 0, NULL, &files), 0);
	for (size_t i = 0; i < files.gl_pathc; i++) {
		struct str text;
		assert_true(file_text(
		    a, str_from(files.gl_pathv[i]), (size_t)1 << 20, &text));
		ARENA_PUSH(a, ret) = (struct sample){
		    .mail = str_c(a, text), .sender = "a@b.example"};
	}
	globfree(&files);
}

struct scene {
	struct arena *a;
	struct message *m;
	struct envelope envelope;
	struct eval_facts facts;
	struct facts auth;
	struct notice notice;
	struct eval_cache cache;
};

#define FOR_EACH_PART(m, p) \
	for (struct part *p = (m)->root; p != NULL; p = part_next(p))

static void
facts_make(struct scene *s, const struct sample *sample)
{
	if (sample->auth == NULL)
		return;
	const struct facts *facts =
	    facts_of_test(s->a, &s->envelope, str_from(sample->auth));
	assert_non_null(facts);
	s->auth = *facts;
	struct dkim_mail mail;
	dkim_mail_cut(s->a, s->m->raw, 10, &mail);
	authors_of(s->a, &mail, &s->auth.authors);
	s->facts.auth = &s->auth;
	s->notice.form.evidence = s->notice.evidence = STR_EMPTY;
	struct str words = str_from(sample->notice);
	for (struct str w = str_word(&words); w.len > 0; w = str_word(&words))
		assert_true(notice_test_word(&s->notice, w));
	s->facts.notice = &s->notice;
}

static void
scene_make(struct arena *a, const struct ruleset *rules,
    const struct sample *sample, struct scene *s)
{
	*s = (struct scene){.a = a};
	s->envelope = (struct envelope){.class = CLASS_SUBMISSION,
	    .from = str_from(sample->sender),
	    .login = str_from(sample->login),
	    .client_addr = STR_EMPTY,
	    .client_name = STR_EMPTY,
	    .helo = STR_EMPTY,
	    .queue_id = STR_EMPTY,
	    .daemon_name = STR_EMPTY};
	strs_add(a, &s->envelope.rcpt, STR("erinmiller@b.example"));
	strs_add(a, &s->envelope.rcpt, STR("frank@b.example"));
	s->m = message_new(a, str_from(sample->mail),
	    ruleset_mail_config(rules), &s->envelope);
	facts_make(s, sample);
	(void)message_body(s->m);
	(void)message_rawbody(s->m);
	(void)message_uris(s->m);
	(void)message_wide_uris(s->m);
	(void)message_uri_list(s->m);
	(void)message_relays(s->m);
	FOR_EACH_PART(s->m, p)
	{
		(void)part_html(s->m, p);
		(void)part_decoded(s->m, p);
		(void)part_head(s->m, p);
	}
	struct eval_call call = {.message = s->m, .cache = &s->cache};
	(void)eval_html_pages(&call);
}

/* --- what can be made unreadable --- */

/* Bytes that are not there; as many as before, at least one. */
static void
hide(struct str *s)
{
	*s = str_of(trap, s->len > 0 ? s->len : 1);
}

static void
hide_list(struct strs *list)
{
	*list = (struct strs){
	    .v = (struct str *)(void *)trap, .n = list->n > 0 ? list->n : 1};
}

static void
hide_envelope(struct scene *s)
{
	s->m->envelope = (const void *)trap;
	s->auth.envelope = (const void *)trap;
}

static void
hide_header(struct scene *s)
{
	struct headers *headers = &s->m->root->headers;
	headers->v = (void *)trap;
	headers->n = headers->n > 0 ? headers->n : 1;
	memset(headers->keys, 0xff, sizeof(headers->keys));
	headers->has_no_end = !headers->has_no_end;
	hide(&s->m->header_block);
	s->auth.authors.v = (void *)trap;
	s->auth.authors.n = 1;
	for (size_t i = 0; i < AUTHOR_DOMAINS_MAX; i++)
		hide(&s->auth.authors.domains[i]);
	s->auth.authors.ndomains = 1;
}

static void
hide_relays(struct scene *s)
{
	s->m->relays = (void *)trap;
}

static void
hide_body(struct scene *s)
{
	hide_list(&s->m->body);
}

static void
hide_rawbody(struct scene *s)
{
	hide_list(&s->m->rawbody);
}

static void
hide_source(struct scene *s)
{
	s->m->body_block = str_of(trap, SIZE_MAX / 4);
}

/* The tree ends in the trap; of its root, only the fields are there. */
static void
hide_parts(struct scene *s)
{
	struct part *root = s->m->root;
	root->child = root->next = (void *)trap;
	struct str *texts[] = {&root->type, &root->effective, &root->charset,
	    &root->name, &root->shown_name, &root->boundary, &root->body,
	    &root->decoded, &root->rendered, &root->head};
	for (size_t i = 0; i < COUNT_OF(texts); i++)
		hide(texts[i]);
	root->declared = (const void *)trap;
	s->m->oddities.has_no_part_header = !s->m->oddities.has_no_part_header;
}

static void
hide_html(struct scene *s)
{
	struct html_facts *pages = s->cache.html;
	ARENA_PUSH(s->a, pages) = (struct html_page){.html = NULL};
	for (size_t i = 0; i < pages->n; i++)
		pages->v[i].html = (const void *)trap;
	FOR_EACH_PART(s->m, p)
	if (p->html != NULL)
		p->html = (void *)trap;
}

static void
hide_links(struct scene *s)
{
	s->m->uri_list = (void *)trap;
	hide_list(&s->m->uris);
	hide_list(&s->m->wide_uris);
}

static void
hide_policy(struct scene *s)
{
	s->auth.policy = (const void *)trap;
	s->auth.login_from = s->auth.login_sender =
	    s->auth.login_from == LOGIN_NO ? LOGIN_UNKNOWN : LOGIN_NO;
	s->auth.nsigners = !s->auth.nsigners;
}

/* A copy of the facts that ends where the trap begins. */
static void
hide_dns(struct scene *s)
{
	char *copy = trap - offsetof(struct facts, flight);
	memcpy(copy, &s->auth, offsetof(struct facts, flight));
	if (s->facts.auth != NULL)
		s->facts.auth = (const void *)copy;
}

static void
hide_notice(struct scene *s)
{
	if (s->facts.notice != NULL)
		s->facts.notice = (const void *)trap;
}

static const struct {
	unsigned need;
	void (*hide)(struct scene *s);
} VIEWS[] = {
    {NEED_ENVELOPE, hide_envelope},
    {NEED_HEADER, hide_header},
    {NEED_RELAYS, hide_relays},
    {NEED_BODY, hide_body},
    {NEED_RAWBODY, hide_rawbody},
    {NEED_SOURCE, hide_source},
    {NEED_HTML, hide_html}, /* while there are parts to go through */
    {NEED_PARTS, hide_parts},
    {NEED_LINKS, hide_links},
    {NEED_POLICY, hide_policy},
    {NEED_DNS, hide_dns}, /* copies what is hidden before */
    {NEED_NOTICE, hide_notice},
};

/* --- asking --- */

static void
on_trap(int signal)
{
	(void)signal;
	siglongjmp(caught, 1);
}

/* What a function had for itself when it was caught is lost. */
const char *__lsan_default_suppressions(void);
const char *
__lsan_default_suppressions(void)
{
	return "leak:ask_in_trap\n";
}

/* INT_MIN: it was caught. */
static int
ask_in_trap(const struct rule *rule, struct eval_call *call)
{
	return sigsetjmp(caught, 1) != 0 ? INT_MIN : rule->eval->run(call);
}

/* With what `hidden` names out of sight. */
static int
answer(const struct ruleset *rules, const struct rule *rule,
    const struct sample *sample, unsigned hidden, bool *ret_changes)
{
	struct arena *a = arena_new();
	struct scene scene;
	scene_make(a, rules, sample, &scene);
	for (size_t i = 0; i < COUNT_OF(VIEWS); i++)
		if (hidden & VIEWS[i].need)
			VIEWS[i].hide(&scene);
	struct eval_call call = {
	    .row = rule->eval,
	    .message = scene.m,
	    .facts = sample->auth == NULL ? NULL : &scene.facts,
	    .now = NOW,
	    .lists = &rules->lists,
	    .cache = &scene.cache,
	    .args = rule->args.v,
	    .nargs = rule->args.n,
	    .numbers = rule->numbers,
	    .regexes = rule->regexes,
	    .is_rawbody = rule->turn == TURN_RAWBODY_EVAL,
	    .scratch = regex_scratch_new(a, rules->env, NULL, NULL),
	    .evidence = STR_EMPTY,
	};
	int ret = ask_in_trap(rule, &call);
	*ret_changes = scene.m->body_changes > 0;
	regex_scratch_done(call.scratch);
	arena_free(a);
	return ret;
}

/* What the rule looks at in the sample, among `asked`. */
static unsigned
looks_of(const struct ruleset *rules, const struct rule *rule,
    const struct sample *sample, unsigned asked)
{
	bool changes, ignored;
	int plain = answer(rules, rule, sample, 0, &changes);
	assert_int_not_equal(plain, INT_MIN);
	unsigned looks = changes ? CHANGES_BODY : 0;
	/* Most look at nothing else, which takes one question to know. */
	unsigned others = ~rule->eval->needs;
	if (answer(rules, rule, sample, others, &ignored) != plain)
		asked |= others;
	for (size_t i = 0; i < COUNT_OF(VIEWS); i++)
		if ((asked & VIEWS[i].need) != 0 &&
		    answer(rules, rule, sample, VIEWS[i].need, &ignored) !=
			plain)
			looks |= VIEWS[i].need;
	return looks;
}

static unsigned
looks_of_row(const struct ruleset *rules, const struct samples *samples,
    const struct eval_row *row)
{
	unsigned looks = 0;
	for (size_t i = 0; i < rules->rules.n; i++) {
		const struct rule *rule = rules->rules.v[i];
		for (size_t k = 0; k < samples->n && rule->eval == row; k++)
			looks |= looks_of(
			    rules, rule, &samples->v[k], row->needs & ~looks);
	}
	return looks == 0 ? NEED_NOTHING : looks;
}

static const char *
names_of(struct arena *a, unsigned needs)
{
	struct buf *b = buf_new(a, 1000);
	for (size_t i = 0; i < EVAL_NEEDS; i++)
		if (needs >> i & 1)
			buf_printf(b, " %.*s", STR_ARG(eval_need_name(i)));
	return str_c(a, buf_str(b));
}

/* How many rows of the table are wrong. */
static unsigned
table_check(struct arena *a, const struct ruleset *rules,
    const struct samples *samples, const struct eval_row *table)
{
	unsigned wrong = 0;
	for (const struct eval_row *row = table; row->name != NULL; row++) {
		unsigned looks = looks_of_row(rules, samples, row);
		if (looks == row->needs)
			continue;
		wrong++;
		print_error("%s() names%s; it looks at%s\n", row->name,
		    names_of(a, row->needs), names_of(a, looks));
	}
	return wrong;
}

/* In a test, for cmocka has handlers of its own around each. */
static void
trap_set(void)
{
	struct sigaction action = {.sa_handler = on_trap};
	char *pages = mmap(NULL, 2 * TRAP_BYTES, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(pages != MAP_FAILED);
	trap = pages + TRAP_BYTES;
	assert_int_equal(mprotect(trap, TRAP_BYTES, PROT_NONE), 0);
	assert_int_equal(sigaction(SIGSEGV, &action, NULL), 0);
	assert_int_equal(sigaction(SIGBUS, &action, NULL), 0);
}

static void
rows_name_what_they_look_at_and_nothing_else(void **state)
{
	(void)state;
	trap_set();
	char feed[] = "/tmp/postern-feed.XXXXXX";
	int fd = mkstemp(feed);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "http://h.example/x\n", 19), 19);
	assert_int_equal(close(fd), 0);
	struct arena *a = arena_new();
	struct ruleset *rules = rules_new(a, feed);
	struct samples samples = {0};
	samples_read(a, &samples);
	unsigned wrong = 0;
	for (size_t i = 0; EVAL_CONTENT[i] != NULL; i++)
		wrong += table_check(a, rules, &samples, EVAL_CONTENT[i]);
	for (size_t i = 0; FROM_FACTS[i] != NULL; i++)
		wrong += table_check(a, rules, &samples, FROM_FACTS[i]);
	assert_int_equal(wrong, 0);
	ruleset_free(rules);
	arena_free(a);
	(void)unlink(feed);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(rows_name_what_they_look_at_and_nothing_else),
};
UNIT_MAIN(tests)
