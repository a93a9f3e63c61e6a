/* SPDX-License-Identifier: BSD-2-Clause */
/* smtp -- one message to an SMTP server. */
#include "hold/smtp.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"

#define LINE_MAX_BYTES \
	2048 /* a reply line has 512, RFC 5321 section 4.5.3.1.5 */
#define REPLY_LINES_MAX 100
#define REPLY_WORDS_MAX 1000
#define COMMAND_MAX 2048
#define QUIT_MS 2000

/* No code: the connection broke, or what came was not SMTP. */
#define CODE_NONE 0

struct smtp {
	struct arena *a;
	const struct smtp_options *options;
	int fd;
	char in[LINE_MAX_BYTES];
	size_t n;          /* bytes in `in` */
	struct buf *words; /* of the last reply, lines joined by a blank */
	bool has_size, has_8bitmime, has_smtputf8;
	uint64_t size_max; /* 0: none announced */
};

/* Wait until `fd` is ready for `events` or the time is over. */
static bool
ready(int fd, short events, int64_t until_ms)
{
	for (;;) {
		int64_t left = until_ms - clock_ms();
		struct pollfd p = {.fd = fd, .events = events};
		int n = poll(&p, 1, left < 0 ? 0 : (int)left);
		if (n > 0)
			return true;
		if (n == 0) {
			errno = ETIMEDOUT;
			return false;
		}
		if (errno != EINTR)
			return false;
	}
}

static int
connect_one(const struct addrinfo *ai, int timeout_ms)
{
	int error = 0;
	socklen_t len = sizeof(error);
	int fd = socket(ai->ai_family,
	    ai->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, ai->ai_protocol);
	if (fd < 0)
		return -1;
	if (connect(fd, ai->ai_addr, ai->ai_addrlen) == 0)
		return fd;
	if (errno != EINPROGRESS)
		error = errno;
	else if (!ready(fd, POLLOUT, clock_ms() + timeout_ms))
		error = errno;
	else if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
		error = errno;
	if (error == 0)
		return fd;
	(void)close(fd);
	errno = error;
	return -1;
}

static bool
smtp_connect(struct smtp *s, struct str *ret_why)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	struct addrinfo *list = NULL;
	int error = getaddrinfo(str_c(s->a, s->options->host),
	    str_c(s->a, s->options->port), &hints, &list);
	if (error != 0) {
		*ret_why = str_printf(s->a, "%.*s: %s",
		    STR_ARG(s->options->host), gai_strerror(error));
		return false;
	}
	for (struct addrinfo *ai = list; ai != NULL && s->fd < 0;
	     ai = ai->ai_next)
		s->fd = connect_one(ai, s->options->connect_ms);
	if (s->fd < 0)
		*ret_why = str_printf(s->a, "connect to %.*s:%.*s: %s",
		    STR_ARG(s->options->host), STR_ARG(s->options->port),
		    strerror(errno));
	freeaddrinfo(list);
	return s->fd >= 0;
}

static bool
smtp_write(struct smtp *s, struct str bytes)
{
	while (bytes.len > 0) {
		/* each step forward earns the full time again */
		if (!ready(s->fd, POLLOUT, clock_ms() + s->options->command_ms))
			return false;
		ssize_t n = send(s->fd, bytes.p, bytes.len, MSG_NOSIGNAL);
		if (n > 0)
			bytes = str_skip(bytes, (size_t)n);
		else if (n < 0 && errno != EINTR && errno != EAGAIN)
			return false;
	}
	return true;
}

/* The next line without its end, in `*ret` until the next call. */
static bool
line_read(struct smtp *s, int64_t until_ms, struct str *ret, size_t *used)
{
	for (;;) {
		struct str have = str_of(s->in, s->n);
		size_t end = str_chr(have, '\n');
		if (end != STR_NONE) {
			*ret = str_sub(have, 0, end);
			if (ret->len > 0 && ret->p[ret->len - 1] == '\r')
				ret->len--;
			*used = end + 1;
			return true;
		}
		if (s->n == sizeof(s->in)) {
			errno = EPROTO;
			return false;
		}
		if (!ready(s->fd, POLLIN, until_ms))
			return false;
		ssize_t n = recv(s->fd, s->in + s->n, sizeof(s->in) - s->n, 0);
		if (n == 0)
			errno = ECONNRESET;
		if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN))
			return false;
		s->n += n < 0 ? 0 : (size_t)n;
	}
}

/* "250-text": the code, or CODE_NONE; the text moves to `*line`. */
static int
code_of(struct str *line, bool *ret_is_last)
{
	int code = 0;
	for (size_t i = 0; i < 3; i++) {
		if (line->len <= i || !char_is_digit(line->p[i]))
			return CODE_NONE;
		code = code * 10 + (line->p[i] - '0');
	}
	*ret_is_last = line->len == 3 || line->p[3] == ' ';
	if (!*ret_is_last && line->p[3] != '-')
		return CODE_NONE;
	*line = str_skip(*line, 4);
	return code >= 200 && code < 600 ? code : CODE_NONE;
}

/*
 * Read a reply; `each`, if not NULL, gets the text of every line but the first.
 * CODE_NONE: no reply that RFC 5321 allows came in time.
 */
static int
reply_read(struct smtp *s, int timeout_ms,
    void (*each)(struct smtp *s, struct str text))
{
	int64_t until = clock_ms() + timeout_ms;
	int code = CODE_NONE;
	s->words = buf_new(s->a, REPLY_WORDS_MAX);
	for (int i = 0; i < REPLY_LINES_MAX; i++) {
		struct str line;
		size_t used;
		bool is_last = false;
		if (!line_read(s, until, &line, &used)) {
			buf_printf(s->words, "%s", strerror(errno));
			return CODE_NONE;
		}
		buf_put(s->words, i == 0 ? STR("") : STR(" "));
		buf_put(s->words, line);
		int this_code = code_of(&line, &is_last);
		if (this_code == CODE_NONE || (i > 0 && this_code != code))
			return CODE_NONE;
		code = this_code;
		if (i > 0 && each != NULL)
			each(s, line);
		memmove(s->in, s->in + used, s->n - used);
		s->n -= used;
		if (is_last)
			return code;
	}
	return CODE_NONE;
}

static int
command(struct smtp *s, struct str line,
    void (*each)(struct smtp *s, struct str text))
{
	s->words = buf_new(s->a, REPLY_WORDS_MAX);
	/* what came unasked would be taken for the answer */
	if (s->n > 0) {
		buf_put(s->words, STR("the server speaks out of turn"));
		return CODE_NONE;
	}
	if (!smtp_write(s, str_printf(s->a, "%.*s\r\n", STR_ARG(line)))) {
		buf_printf(s->words, "%s", strerror(errno));
		return CODE_NONE;
	}
	return reply_read(s, s->options->command_ms, each);
}

static enum inject_status
status_of(int code)
{
	return code / 100 == 2   ? INJECT_OK
	       : code / 100 == 5 ? INJECT_REFUSED
				 : INJECT_TEMP;
}

static void
capability(struct smtp *s, struct str text)
{
	struct str name = str_word(&text);
	if (str_ieq(name, STR("8BITMIME")))
		s->has_8bitmime = true;
	if (str_ieq(name, STR("SMTPUTF8")))
		s->has_smtputf8 = true;
	if (!str_ieq(name, STR("SIZE")))
		return;
	s->has_size = true;
	if (!str_u64(str_word(&text), UINT64_MAX, &s->size_max))
		s->size_max = 0;
}

static struct str
own_name(struct arena *a)
{
	char name[256];
	if (gethostname(name, sizeof(name)) != 0)
		return STR("localhost");
	name[sizeof(name) - 1] = '\0';
	for (const char *c = name; *c != '\0'; c++)
		if (!char_is_alnum(*c) && *c != '-' && *c != '.')
			return STR("localhost");
	return name[0] == '\0' ? STR("localhost") : str_dup(a, str_from(name));
}

static enum inject_status
greet(struct smtp *s)
{
	int code = reply_read(s, s->options->command_ms, NULL);
	if (code != 220)
		return code == CODE_NONE ? INJECT_TEMP : status_of(code);
	struct str name = own_name(s->a);
	code = command(
	    s, str_printf(s->a, "EHLO %.*s", STR_ARG(name)), capability);
	if (code / 100 == 5)
		code = command(
		    s, str_printf(s->a, "HELO %.*s", STR_ARG(name)), NULL);
	return code == 250                          ? INJECT_OK
	       : code / 100 == 2 || code / 100 == 3 ? INJECT_TEMP
						    : status_of(code);
}

static bool
is_ascii(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.p[i] >= 0x80)
			return false;
	return true;
}

static bool
needs_smtputf8(const struct injection *in)
{
	if (!is_ascii(in->from))
		return true;
	for (size_t i = 0; i < in->rcpt->n; i++)
		if (!is_ascii(in->rcpt->v[i]))
			return true;
	return false;
}

static enum inject_status
refuse(struct smtp *s, const char *why)
{
	s->words = buf_new(s->a, REPLY_WORDS_MAX);
	buf_put(s->words, str_from(why));
	return INJECT_REFUSED;
}

static enum inject_status
mail(struct smtp *s, const struct injection *in, struct str wire)
{
	bool is_8bit = !is_ascii(in->text), is_utf8 = needs_smtputf8(in);
	uint64_t size = wire.len - 3; /* the final dot is no content */
	if (is_8bit && !s->has_8bitmime)
		return refuse(s, "the server does not offer 8BITMIME");
	if (is_utf8 && !s->has_smtputf8)
		return refuse(s, "the server does not offer SMTPUTF8");
	if (s->size_max > 0 && size > s->size_max)
		return refuse(s, "larger than the server takes (SIZE)");
	struct buf *b = buf_new(s->a, COMMAND_MAX);
	buf_printf(b, "MAIL FROM:<%.*s>", STR_ARG(in->from));
	if (s->has_size)
		buf_printf(b, " SIZE=%llu", (unsigned long long)size);
	if (is_8bit)
		buf_put(b, STR(" BODY=8BITMIME"));
	if (is_utf8)
		buf_put(b, STR(" SMTPUTF8"));
	if (b->is_cut)
		return refuse(s, "the sender address is too long");
	int code = command(s, buf_str(b), NULL);
	return code == 250       ? INJECT_OK
	       : code / 100 == 2 ? INJECT_TEMP
				 : status_of(code);
}

/* How many were taken; the rest are in `ret`.  -1: the connection broke. */
static ssize_t
recipients(struct smtp *s, const struct injection *in,
    struct inject_result *ret, bool *ret_is_temp)
{
	ssize_t taken = 0;
	for (size_t i = 0; i < in->rcpt->n; i++) {
		struct str rcpt = in->rcpt->v[i];
		struct buf *b = buf_new(s->a, COMMAND_MAX);
		buf_printf(b, "RCPT TO:<%.*s>", STR_ARG(rcpt));
		if (b->is_cut) {
			ARENA_PUSH(s->a, &ret->refusals) = (struct refusal){
			    rcpt, STR("the address is too long")};
			continue;
		}
		int code = command(s, buf_str(b), NULL);
		if (code == CODE_NONE || code == 421)
			return -1;
		if (code / 100 == 2) {
			taken++;
			continue;
		}
		*ret_is_temp = *ret_is_temp || code / 100 == 4;
		ARENA_PUSH(s->a, &ret->refusals) =
		    (struct refusal){rcpt, buf_str(s->words)};
	}
	return taken;
}

static enum inject_status
data(struct smtp *s, struct str wire)
{
	int code = command(s, STR("DATA"), NULL);
	if (code != 354)
		return code / 100 == 5 ? INJECT_REFUSED : INJECT_TEMP;
	if (!smtp_write(s, wire)) {
		/* without the final dot it cannot have been taken */
		buf_printf(s->words, " (%s)", strerror(errno));
		return INJECT_TEMP;
	}
	code = reply_read(s, s->options->command_ms * 2, NULL);
	return code == CODE_NONE ? INJECT_UNKNOWN
	       : code == 250     ? INJECT_OK
	       : code / 100 == 2 ? INJECT_UNKNOWN
				 : status_of(code);
}

static enum inject_status
transaction(
    struct smtp *s, const struct injection *in, struct inject_result *ret)
{
	struct str wire = smtp_stuff(s->a, in->text);
	bool is_temp = false;
	enum inject_status status = greet(s);
	if (status == INJECT_OK)
		status = mail(s, in, wire);
	if (status != INJECT_OK)
		return status;
	ssize_t taken = recipients(s, in, ret, &is_temp);
	if (taken < 0)
		return INJECT_TEMP;
	if (taken == 0)
		return is_temp ? INJECT_TEMP : INJECT_REFUSED;
	status = data(s, wire);
	return status == INJECT_OK && ret->refusals.n > 0 ? INJECT_PART
							  : status;
}

enum inject_status
smtp_send(struct arena *a, const struct smtp_options *options,
    const struct injection *in, struct inject_result *ret)
{
	struct smtp s = {.a = a, .options = options, .fd = -1};
	if (!smtp_connect(&s, &ret->reply))
		return INJECT_TEMP;
	enum inject_status status = transaction(&s, in, ret);
	ret->reply = buf_str(s.words);
	/* politeness: what it says to that changes nothing */
	if (s.n == 0 && smtp_write(&s, STR("QUIT\r\n")))
		(void)reply_read(&s, QUIT_MS, NULL);
	(void)close(s.fd);
	return status;
}

struct str
smtp_stuff(struct arena *a, struct str text)
{
	struct buf *b = buf_new(a, text.len * 3 + 5);
	buf_reserve(b, text.len + text.len / 16 + 1024);
	while (text.len > 0) {
		struct str line = str_line(&text);
		if (line.len > 0 && line.p[line.len - 1] == '\r')
			line.len--;
		if (line.len > 0 && line.p[0] == '.')
			buf_putc(b, '.');
		buf_put(b, line);
		buf_put(b, STR("\r\n"));
	}
	buf_put(b, STR(".\r\n"));
	return buf_str(b);
}
