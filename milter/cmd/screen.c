/* SPDX-License-Identifier: BSD-2-Clause */
/* screen -- a page on the terminal, by ANSI X3.64 and xterm's other screen. */
#include "cmd/screen.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>

#include "base/clock.h"
#include "base/log.h"

#define ROWS_DEFAULT 24

static const int watched[] = {
    SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGWINCH};

struct screen {
	int signals;
	bool has_keys; /* standard input is a terminal */
	struct termios before;
	sigset_t mask_before;
};

static void
say(const char *sequence)
{
	(void)fputs(sequence, stdout);
	(void)fflush(stdout);
}

/* The other screen, no cursor; keys at once and unseen. */
static void
enter(struct screen *s)
{
	struct termios keys = s->before;
	keys.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	if (s->has_keys)
		(void)tcsetattr(STDIN_FILENO, TCSANOW, &keys);
	say("\033[?1049h\033[?25l");
}

static void
leave(struct screen *s)
{
	say("\033[?25h\033[?1049l");
	if (s->has_keys)
		(void)tcsetattr(STDIN_FILENO, TCSANOW, &s->before);
}

struct screen *
screen_open(void)
{
	struct screen *s = calloc(1, sizeof(*s));
	sigset_t set;
	if (s == NULL)
		log_fatal("out of memory");
	(void)sigemptyset(&set);
	for (size_t i = 0; i < COUNT_OF(watched); i++)
		(void)sigaddset(&set, watched[i]);
	(void)sigprocmask(SIG_BLOCK, &set, &s->mask_before);
	s->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (s->signals < 0)
		log_fatal("signals: %s", strerror(errno));
	s->has_keys = tcgetattr(STDIN_FILENO, &s->before) == 0;
	enter(s);
	return s;
}

void
screen_close(struct screen *s)
{
	leave(s);
	(void)close(s->signals);
	(void)sigprocmask(SIG_SETMASK, &s->mask_before, NULL);
	free(s);
}

static unsigned
rows(void)
{
	struct winsize size;
	bool is_known =
	    ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0;
	return is_known ? size.ws_row : ROWS_DEFAULT;
}

/* Over what is there, line by line: nothing flickers. */
void
screen_draw(struct screen *s, struct str page)
{
	(void)s;
	unsigned left = rows();
	(void)fputs("\033[H", stdout);
	while (page.len > 0 && left-- > 0) {
		struct str line = str_line(&page);
		(void)fwrite(line.p, 1, line.len, stdout);
		say(left > 0 && page.len > 0 ? "\033[K\r\n" : "\033[K");
	}
	say("\033[J");
}

/* Until the shell lets us go on. */
static void
stop(struct screen *s)
{
	leave(s);
	(void)raise(SIGSTOP);
	enter(s);
}

static enum screen_event
signal_take(struct screen *s)
{
	struct signalfd_siginfo info;
	if (read(s->signals, &info, sizeof(info)) != sizeof(info))
		return SCREEN_REDRAW;
	if (info.ssi_signo == SIGTSTP)
		stop(s);
	return info.ssi_signo == SIGWINCH || info.ssi_signo == SIGTSTP
		   ? SCREEN_REDRAW
		   : SCREEN_QUIT;
}

/* True: to the end.  Any other key is nothing, and so is a closed terminal's
 * end of file, which comes with SIGHUP. */
static bool
key_is_quit(struct screen *s)
{
	char key;
	ssize_t n = read(STDIN_FILENO, &key, 1);
	if (n <= 0)
		s->has_keys = n < 0 && errno == EINTR;
	return n == 1 && (key == 'q' || key == 'Q' || key == '\003');
}

enum screen_event
screen_wait(struct screen *s, int64_t until_ms)
{
	for (;;) {
		struct pollfd fds[] = {
		    {.fd = s->signals, .events = POLLIN},
		    {.fd = s->has_keys ? STDIN_FILENO : -1, .events = POLLIN},
		};
		int64_t left = until_ms - clock_ms();
		if (left <= 0)
			return SCREEN_TIME;
		if (poll(fds, COUNT_OF(fds), (int)left) <= 0)
			continue;
		if (fds[0].revents != 0)
			return signal_take(s);
		if (fds[1].revents != 0 && key_is_quit(s))
			return SCREEN_QUIT;
	}
}
