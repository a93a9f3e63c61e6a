/* SPDX-License-Identifier: BSD-2-Clause */
/* class -- who hands the message over, and so which thresholds and answers it
 * gets. */
#ifndef SESSION_CLASS_H
#define SESSION_CLASS_H

#include "session/config.h"

struct arena;

/* What the MTA says of one message, as its macros and callbacks have it. */
struct origin {
	struct str login;       /* {auth_authen} as it came */
	struct str author;      /* {auth_author}: MAIL FROM AUTH= */
	struct str client_addr; /* empty: not a network client */
	/* 0: Postfix's pickup(8) and bounce(8), from loopback; and who comes
	 * by a proxy that does not tell it (XCLIENT), from elsewhere */
	unsigned client_port;
	struct str daemon_name; /* {daemon_name} */
	struct str daemon_addr; /* {daemon_addr} */
	struct str host_name;   /* j: the MTA's own name */
	bool is_null_sender;
	bool is_auto_submitted; /* Auto-Submitted other than "no" (RFC 3834
				   section 5) */
};

/*
 * A pin (daemon-names, listen, networks) decides first, then the login, then
 * where the client is.  What is not inbound and comes from the null sender or
 * from a program is a notice.
 */
enum mail_class class_of(
    const struct config *config, const struct origin *origin);

/* The same without notice: who hands it over, whatever it is. */
enum mail_class class_channel(
    const struct config *config, const struct origin *origin);

/*
 * One person, one identity: `login` in lower case, without the domain if that
 * is login-domain or the MTA's own name.  "user%domain" is "user@domain".
 */
struct str class_login(struct arena *a, const struct config *config,
    struct str login, struct str host_name);

/* By pickup(8) or bounce(8), not by SMTP. */
bool class_is_mta_itself(const struct origin *origin);

/*
 * The MTA can pass a refusal on to a client.  False for pickup(8) and
 * bounce(8), and for what Sendmail's submission program or another program of
 * this host has to say of mail it could not send: a 4xx or 5xx there loops or
 * loses mail, so only accept, hold and discard are left.
 */
bool class_can_refuse(const struct origin *origin);

/*
 * The MTA, or another MTA of ours, has made it itself: the null sender, no
 * login, from inside.  A program that gives itself out as that is not told
 * apart.
 */
bool class_is_of_mta(const struct config *config, const struct origin *origin);

/*
 * The value of an Auto-Submitted field says that a program has made the
 * message: any keyword but "no" (RFC 3834 section 5).
 */
bool class_is_auto_submitted(struct str value);

#endif
