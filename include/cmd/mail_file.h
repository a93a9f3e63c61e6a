/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mail_file -- a message of a file as posternd would have got it: with an
 * envelope, what receivers will think of it, and what kind of notice it is.
 * Reading the bytes is mailbox.h's.
 */
#ifndef CMD_MAIL_FILE_H
#define CMD_MAIL_FILE_H

#include "auth/facts.h"
#include "notice/origin.h"
#include "session/receiver.h"
#include "session/scan.h"

/* What the command line fixes of the envelope; the rest is taken from the
 * headers. */
struct mail_fixed {
	struct str class, from, login, client, helo; /* empty: not fixed */
	struct strs rcpt;
	bool has_from;
};
#define MAIL_FIXED_NONE                                                    \
	(struct mail_fixed)                                                \
	{                                                                  \
		.class = STR_EMPTY, .from = STR_EMPTY, .login = STR_EMPTY, \
		.client = STR_EMPTY, .helo = STR_EMPTY                     \
	}

/* What all mail of one command is looked at with. */
struct mail_desk {
	const struct snapshot *snapshot;
	const struct mail_fixed *fixed;
	const struct dns *dns; /* NULL: offline */
	struct str mta_name;   /* cmd_own_name() */
};

struct mail_file {
	struct message *message; /* its envelope is the one below */
	struct envelope envelope;
	struct receiver_view view;
	struct notice notice;
	uint64_t size_bytes;
};

/*
 * `raw` and `separated` are of mailbox_read().  `*ret` must stay where it is
 * while `message` is used, and so must `a`.
 */
void mail_file_look(const struct mail_desk *desk, struct arena *a,
    struct str raw, struct str separated, struct mail_file *ret);

/* The same with an envelope that is known; NULL: it is guessed. */
void mail_file_look_as(const struct mail_desk *desk, struct arena *a,
    struct str raw, struct str separated, const struct envelope *envelope,
    struct mail_file *ret);

/*
 * Run the rules and say what posternd would do without asking its budgets.
 * `costs`: see rule_run.
 */
void mail_file_scan(const struct mail_desk *desk, const struct mail_file *file,
    bool wants_subs, struct rule_costs *costs, struct scan *ret);

#endif
