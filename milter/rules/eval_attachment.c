/* SPDX-License-Identifier: BSD-2-Clause */
/* eval_attachment -- files that come with the message: names, bytes, and what a
 * page would do. */
#include "base/arena.h"
#include "mail/header.h"
#include "mail/html.h"
#include "rules/eval_rows.h"
#include "rules/filetype.h"

/* How far into a page is looked. */
#define PAGE_BYTES ((size_t)1024 * 1024)

static unsigned
kinds_wanted(const struct eval_call *call)
{
	unsigned kinds = 0;
	for (size_t i = 0; i < call->nargs; i++)
		kinds |= file_kind_parse(call->args[i]);
	return kinds;
}

/* Text that a mail program shows in the message is no file, unless it is named.
 */
static bool
is_file(const struct part *part)
{
	return part_is_leaf(part) &&
	       (part->name.len > 0 || !str_starts(part->type, STR("text/")));
}

/* The first file for which `judge` returns a kind that is wanted. */
static int
find_file(struct eval_call *call,
    unsigned (*judge)(struct message *m, struct part *part))
{
	struct message *m = call->message;
	unsigned wanted = kinds_wanted(call);
	for (struct part *p = m->root; p != NULL; p = part_next(p))
		if (is_file(p) && (judge(m, p) & wanted) != 0)
			return eval_hit(
			    call, p->name.len > 0 ? p->name : p->type);
	return 0;
}

static unsigned
judge_name(struct message *m, struct part *part)
{
	(void)m;
	return part->name.len == 0 ? 0 : file_kind_of_name(part->name);
}

static unsigned
judge_bytes(struct message *m, struct part *part)
{
	struct str head = part_head(m, part);
	return file_kind_of_bytes(
	    file_kind_needs_all(head) ? part_decoded(m, part) : head);
}

int
eval_attachment_name(struct eval_call *call)
{
	return find_file(call, judge_name);
}

int
eval_attachment_magic(struct eval_call *call)
{
	return find_file(call, judge_bytes);
}

struct member_search {
	unsigned wanted;
	size_t n;
	struct str found;
};

static bool
judge_member_name(void *arg, struct str name)
{
	struct member_search *search = arg;
	bool is_folder = str_ends(name, STR("/"));
	search->n += !is_folder;
	if (search->found.len == 0 && !is_folder &&
	    (file_kind_of_name(name) & search->wanted) != 0)
		search->found = name;
	return true;
}

/* Members of a program package or a document are no files to open. */
static bool
is_opened_archive(struct message *m, struct part *part)
{
	return is_file(part) && (judge_bytes(m, part) &
				    (FILE_ARCHIVE | FILE_EXE)) == FILE_ARCHIVE;
}

/* A big archive is somebody's project, whatever is in it. */
int
eval_attachment_member(struct eval_call *call)
{
	struct message *m = call->message;
	for (struct part *p = m->root; p != NULL; p = part_next(p)) {
		if (!is_opened_archive(m, p))
			continue;
		struct member_search search = {
		    kinds_wanted(call), 0, STR_EMPTY};
		zip_members(part_decoded(m, p), judge_member_name, &search);
		if (search.found.len > 0 &&
		    (double)search.n <= eval_number(call, 0))
			return eval_hit(call, search.found);
	}
	return 0;
}

/* Bytes that run or log in somewhere, under a name that promises something
 * else. */
int
eval_attachment_disguised(struct eval_call *call)
{
	struct message *m = call->message;
	const unsigned active = FILE_EXE | FILE_DISK | FILE_LINK | FILE_HTML;
	for (struct part *p = m->root; p != NULL; p = part_next(p)) {
		if (!is_file(p) || p->name.len == 0)
			continue;
		unsigned by_name = file_kind_of_name(p->name);
		unsigned by_bytes = judge_bytes(m, p);
		bool promises =
		    str_rchr(p->name, '.') != STR_NONE &&
		    (by_name & (FILE_PDF | FILE_IMAGE | FILE_ARCHIVE)) != 0;
		if (promises && (by_bytes & active & ~by_name) != 0)
			return eval_hit(call, p->name);
	}
	return 0;
}

/* Idioms of pages; case is folded. */
static const struct {
	const char *name;
	const char *idioms; /* \n between */
} DEEDS[] = {
    {"smuggle",
	"mssaveoropenblob\nmssaveblob\ncreateobjecturl\nnew blob(\n"
	"atob(\nunescape(\nstring.fromcharcode\ndocument.write(\neval("},
    {"password", "type=\"password\"\ntype='password'\ntype=password\n"
		 "type=\\\"password\nname=\"pass\ntype=&quot;password"},
    {"redirect",
	"http-equiv=\"refresh\nhttp-equiv='refresh\nhttp-equiv=refresh\n"
	"location.href\nlocation.replace\nwindow.location\nlocation ="},
};

static struct str
page_idiom(struct str page, struct str idioms)
{
	while (idioms.len > 0) {
		struct str idiom = str_line(&idioms);
		if (str_ifind(page, idiom) != STR_NONE)
			return idiom;
	}
	return STR_EMPTY;
}

static bool
is_wanted(const struct eval_call *call, struct str deed)
{
	for (size_t i = 0; i < call->nargs; i++)
		if (str_ieq(call->args[i], deed))
			return true;
	return false;
}

static bool
is_page(struct message *m, struct part *part)
{
	if (!is_file(part))
		return false;
	if (part->name.len > 0 && file_kind_of_name(part->name) & FILE_HTML)
		return true;
	return (judge_bytes(m, part) & FILE_HTML) != 0;
}

int
eval_attachment_page(struct eval_call *call)
{
	struct message *m = call->message;
	for (struct part *p = m->root; p != NULL; p = part_next(p)) {
		if (!is_page(m, p))
			continue;
		struct str page = str_sub(part_decoded(m, p), 0, PAGE_BYTES);
		for (size_t i = 0; i < COUNT_OF(DEEDS); i++) {
			if (!is_wanted(call, str_from(DEEDS[i].name)))
				continue;
			struct str idiom =
			    page_idiom(page, str_from(DEEDS[i].idioms));
			if (idiom.len > 0)
				return eval_hit(call, idiom);
		}
	}
	return 0;
}
