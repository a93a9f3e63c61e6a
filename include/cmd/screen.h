/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * screen -- a page on the terminal that is drawn again and again, and keys.
 * However the program ends, the terminal is as it was.
 */
#ifndef CMD_SCREEN_H
#define CMD_SCREEN_H

#include "base/str.h"

struct screen;

/* Take over the terminal of standard output; one a process. */
struct screen *screen_open(void);
void screen_close(struct screen *screen);

/* Show `page`, lines that ui.h has made fit; as many as there is room for. */
void screen_draw(struct screen *screen, struct str page);

enum screen_event {
	SCREEN_TIME,   /* the time is over */
	SCREEN_REDRAW, /* another size, or back from a stop */
	SCREEN_QUIT    /* q, Ctrl-C, or a signal to end */
};
/* Wait at most until `until_ms`, clock_ms(), for something to do. */
enum screen_event screen_wait(struct screen *screen, int64_t until_ms);

#endif
