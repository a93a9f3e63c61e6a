/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * liar -- a name server on 127.0.0.1, UDP and TCP, that answers as it is told:
 * late, wrongly, not at all.  It recurses for nobody: what is not in its zone
 * is NXDOMAIN.  A line of a zone is one of
 *
 *	NAME [TTL] TYPE DATA        a record
 *	NAME any                    an A, an MX and a TXT, also below NAME
 *	NAME ! BEHAVIOUR [NUMBER]   how NAME, and what is below it, is answered
 *
 * NAME may begin with "*.".  TYPE is A, AAAA, CNAME, MX, PTR or TXT; DATA is as
 * in zone files, but TXT takes the rest of the line, without quotes.  "\# HEX"
 * is data of any bytes (RFC 3597), "@ N" N bytes of text, "@@ N" N records.
 * Behaviours are in the table of liar.c; liar_builtin has a zone for each.
 */
#ifndef TEST_LIAR_H
#define TEST_LIAR_H

#include "base/str.h"

struct liar;

/* What slow.test, dead.test, servfail.test and their like do. */
extern const char liar_builtin[];

/* Listens on `port` of loopback, 0: any.  NULL: it cannot. */
struct liar *liar_new(unsigned port);
unsigned liar_port(const struct liar *l);
/* Add the lines of `text`; before it runs.  False: `*ret_line` is none. */
MUST_CHECK bool liar_load(
    struct liar *l, struct str text, struct str *ret_line);
/* Answer until liar_stop() is called in another thread. */
void liar_run(struct liar *l);
void liar_stop(struct liar *l);
void liar_free(struct liar *l);

/* From any thread: answer nothing at all, or as told again. */
void liar_set_dead(struct liar *l, bool is_dead);
/* Questions so far; over TCP. */
unsigned liar_asked(const struct liar *l);
unsigned liar_asked_tcp(const struct liar *l);

#endif
