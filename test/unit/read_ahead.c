/* SPDX-License-Identifier: BSD-2-Clause */
/* read_ahead -- poll(2) and read(2) of a connection say what they always said.
 */
/* With this the compiler calls others in their place; libmilter's did not. */
#undef _FORTIFY_SOURCE

#include "session/read_ahead.h"

#include "unit.h"

#include <errno.h>
#include <sys/un.h>

/* Two ends: what comes from accept(2) is ours, the other one the MTA's. */
struct line {
	int ours, theirs;
};

static struct line
line_new(void)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	socklen_t len = sizeof(to);
	void *address = &to;
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct line line = {
	    .theirs = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
	/* a name of the kernel's choice */
	assert_int_equal(
	    bind(listener, address, (socklen_t)sizeof(sa_family_t)), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, address, &len), 0);
	assert_int_equal(connect(line.theirs, address, len), 0);
	line.ours = accept(listener, NULL, NULL);
	assert_true(line.ours >= 0);
	assert_true(read_ahead_is_on(line.ours));
	assert_false(read_ahead_is_on(line.theirs));
	assert_int_equal(close(listener), 0);
	return line;
}

static void
line_done(struct line line)
{
	assert_int_equal(close(line.ours), 0);
	assert_false(read_ahead_is_on(line.ours));
	if (line.theirs >= 0)
		assert_int_equal(close(line.theirs), 0);
}

static void
say(struct line line, const char *p, size_t n)
{
	assert_int_equal(send(line.theirs, p, n, 0), (ssize_t)n);
}

/* What poll(2) says of one descriptor within 0 ms; 0: nothing. */
static short
look(int fd, short events)
{
	struct pollfd one = {.fd = fd, .events = events, .revents = 0x7f};
	int n = poll(&one, 1, 0);
	assert_int_equal(n, one.revents != 0);
	return one.revents;
}

static void
bytes_come_as_they_were_sent(void **state)
{
	(void)state;
	static char sent[100000], got[sizeof(sent)];
	static const size_t takes[] = {5, 1, 300, 8191, 8192, 8193, 65535, 17};
	struct line line = line_new();
	for (size_t i = 0; i < sizeof(sent); i++)
		sent[i] = (char)(i * 7 + i / 251);
	say(line, sent, sizeof(sent));
	size_t have = 0;
	for (size_t i = 0; have < sizeof(sent); i++) {
		size_t want = takes[i % COUNT_OF(takes)];
		if (want > sizeof(sent) - have)
			want = sizeof(sent) - have;
		if (i % 3 != 0)
			assert_int_equal(
			    look(line.ours, POLLIN | POLLPRI), POLLIN);
		ssize_t n = read(line.ours, got + have, want);
		assert_true(n > 0 && (size_t)n <= want);
		have += (size_t)n;
	}
	assert_memory_equal(sent, got, sizeof(sent));
	assert_int_equal(look(line.ours, POLLIN), 0);
	line_done(line);
}

static void
what_is_read_already_is_ready(void **state)
{
	(void)state;
	struct line line = line_new(), other = line_new();
	char c[4];
	assert_int_equal(look(line.ours, POLLIN), 0);
	say(line, "abcd", 4);
	assert_int_equal(look(line.ours, POLLIN), POLLIN);
	assert_int_equal(read_ahead_pending(line.ours), 4);
	assert_int_equal(read(line.ours, c, 1), 1);
	assert_int_equal(look(line.ours, POLLOUT), POLLOUT);
	struct pollfd both[] = {{.fd = other.ours, .events = POLLIN},
	    {.fd = line.ours, .events = POLLIN},
	    {.fd = line.ours, .events = POLLIN | POLLOUT},
	    {.fd = -1, .events = POLLIN}};
	assert_int_equal(poll(both, COUNT_OF(both), -1), 2);
	assert_int_equal(both[0].revents, 0);
	assert_int_equal(both[1].revents, POLLIN);
	assert_int_equal(both[2].revents, POLLIN | POLLOUT);
	assert_int_equal(read(line.ours, c, sizeof(c)), 3);
	assert_memory_equal(c, "bcd", 3);
	assert_int_equal(poll(both, 2, 0), 0);
	say(other, "e", 1);
	assert_int_equal(poll(both, 2, -1), 1);
	assert_int_equal(both[0].revents, POLLIN);
	assert_int_equal(read(other.ours, c, sizeof(c)), 1);
	line_done(line);
	line_done(other);
}

static void
an_end_is_ready_and_comes_again(void **state)
{
	(void)state;
	struct line line = line_new();
	char c[4];
	say(line, "ab", 2);
	assert_int_equal(close(line.theirs), 0);
	line.theirs = -1;
	assert_int_equal(look(line.ours, POLLIN), POLLIN);
	assert_int_equal(read(line.ours, c, sizeof(c)), 2);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(look(line.ours, POLLIN), POLLIN);
		assert_int_equal(read(line.ours, c, sizeof(c)), 0);
	}
	line_done(line);
}

/* What we said was not read when they went: an error, once, then the end. */
static void
an_error_is_told_by_read(void **state)
{
	(void)state;
	struct line line = line_new();
	char c[4];
	assert_int_equal(send(line.ours, "x", 1, 0), 1);
	assert_int_equal(close(line.theirs), 0);
	line.theirs = -1;
	assert_int_equal(look(line.ours, POLLIN), POLLIN);
	errno = 0;
	assert_int_equal(read(line.ours, c, sizeof(c)), -1);
	assert_int_equal(errno, ECONNRESET);
	assert_int_equal(read(line.ours, c, sizeof(c)), 0);
	line_done(line);
}

static void
a_closed_connection_leaves_nothing(void **state)
{
	(void)state;
	struct line line = line_new();
	say(line, "stale", 5);
	assert_int_equal(look(line.ours, POLLIN), POLLIN);
	assert_int_equal(read_ahead_pending(line.ours), 5);
	int fd = line.ours;
	line_done(line);
	assert_int_equal(read_ahead_pending(fd), 0);
	errno = 0;
	assert_int_equal(close(fd), -1);
	assert_int_equal(errno, EBADF);
}

static void
other_descriptors_are_read_as_ever(void **state)
{
	(void)state;
	int ends[2];
	char c[4];
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], "abc", 3), 3);
	assert_int_equal(look(ends[0], POLLIN), POLLIN);
	assert_int_equal(read(ends[0], c, 2), 2);
	assert_int_equal(read_ahead_pending(ends[0]), 0);
	assert_int_equal(close(ends[1]), 0);
	assert_int_equal(look(ends[0], POLLIN), POLLIN | POLLHUP);
	assert_int_equal(close(ends[0]), 0);
	assert_int_equal(look(1 << 20, POLLIN), POLLNVAL);
	assert_int_equal(read(-1, c, 1), -1);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(bytes_come_as_they_were_sent),
    cmocka_unit_test(what_is_read_already_is_ready),
    cmocka_unit_test(an_end_is_ready_and_comes_again),
    cmocka_unit_test(an_error_is_told_by_read),
    cmocka_unit_test(a_closed_connection_leaves_nothing),
    cmocka_unit_test(other_descriptors_are_read_as_ever),
};

UNIT_MAIN(tests)
