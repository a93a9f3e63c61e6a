/* SPDX-License-Identifier: BSD-2-Clause */
/* inject -- hand a message to the MTA of this host. */
#include "hold/inject.h"

#include <errno.h>
#include <sys/wait.h>
#include <sysexits.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/file.h"
#include "base/utf8.h"
#include "hold/child.h"
#include "hold/disk.h"
#include "hold/smtp.h"

#define COMMAND_MS (10 * 60 * 1000)
#define OUTPUT_MAX 1000
#define SMTP_PREFIX STR("smtp:")

/* What ends an address, or makes it a list, a group or a comment (RFC 5322). */
static bool
is_special(char c)
{
	return c == ' ' || memchr("()<>,;:", c, 7) != NULL;
}

bool
inject_address_is_safe(struct str address)
{
	bool is_quoted = false, is_literal = false;
	for (size_t i = 0; i < address.len; i++) {
		char c = address.p[i];
		if ((unsigned char)c < 0x20 || c == 0x7f)
			return false;
		if (c == '\\' && (is_quoted || is_literal)) {
			i++; /* a quoted pair */
			if (i == address.len ||
			    (unsigned char)address.p[i] < 0x20)
				return false;
		} else if (c == '"' && !is_literal) {
			is_quoted = !is_quoted;
		} else if (c == '[' && !is_quoted) {
			is_literal = true;
		} else if (c == ']' && !is_quoted) {
			is_literal = false;
		} else if (!is_quoted && !is_literal && is_special(c)) {
			return false;
		}
	}
	return !is_quoted && !is_literal && address.len > 0 &&
	       utf8_is_valid(address);
}

/*
 * sendmail(1) takes what begins so for an option, a program, a file or a list
 * of addresses.
 */
static bool
is_safe_argument(struct str address)
{
	struct str bare = address.len > 0 && address.p[0] == '"'
			      ? str_skip(address, 1)
			      : address;
	bool is_odd = bare.len == 0 ||
		      memchr("-|/\\: ", bare.p[0], 6) != NULL ||
		      str_istarts(bare, STR(":include:"));
	return !is_odd && inject_address_is_safe(address);
}

bool
inject_via_is_smtp(struct str via)
{
	return str_starts(via, SMTP_PREFIX);
}

/* "host:port", "[::1]:port" */
static bool
host_parse(struct str text, struct str *ret_host, struct str *ret_port)
{
	size_t colon = str_rchr(text, ':');
	uint64_t port;
	if (colon == STR_NONE)
		return false;
	struct str host = str_sub(text, 0, colon);
	*ret_port = str_skip(text, colon + 1);
	if (host.len > 2 && host.p[0] == '[' && host.p[host.len - 1] == ']')
		host = str_sub(host, 1, host.len - 2);
	else if (str_chr(host, ':') != STR_NONE)
		return false;
	*ret_host = host;
	return host.len > 0 && str_chr(host, '\0') == STR_NONE &&
	       str_u64(*ret_port, 65535, &port) && port > 0;
}

bool
inject_via_has_form(struct str via, struct str *ret_why)
{
	struct str host, port;
	if (inject_via_is_smtp(via)) {
		if (host_parse(str_skip(via, SMTP_PREFIX.len), &host, &port))
			return true;
		*ret_why = STR("must be smtp:host:port");
		return false;
	}
	struct str rest = via;
	if (str_starts(str_word(&rest), STR("/")) &&
	    str_chr(via, '\0') == STR_NONE)
		return true;
	*ret_why = STR("must be smtp:host:port or a command with an "
		       "absolute path");
	return false;
}

bool
inject_via_check(struct arena *a, struct str via, struct str *ret_why)
{
	if (!inject_via_has_form(via, ret_why))
		return false;
	char *path = str_c(a, str_word(&via));
	if (path[0] != '/' || access(path, X_OK) == 0)
		return true;
	*ret_why = str_printf(a, "%s: %s", path, strerror(errno));
	return false;
}

/* sendmail(1) reads lines as Unix has them. */
static struct str
unix_lines(struct arena *a, struct str text)
{
	struct buf *b = buf_new(a, text.len + 1);
	buf_reserve(b, text.len + 1);
	while (text.len > 0) {
		size_t end = str_chr(text, '\n');
		struct str line = str_sub(text, 0, end);
		if (end != STR_NONE && line.len > 0 &&
		    line.p[line.len - 1] == '\r')
			line.len--;
		buf_put(b, line);
		if (end == STR_NONE)
			break;
		buf_putc(b, '\n');
		text = str_skip(text, end + 1);
	}
	return buf_str(b);
}

static bool
is_7bit(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.p[i] >= 0x80)
			return false;
	return true;
}

struct args {
	char **v;
	size_t n, cap;
};

static void
arg_add(struct arena *a, struct args *args, struct str s)
{
	ARENA_PUSH(a, args) = str_c(a, s);
}

static char **
command_args(
    struct arena *a, const struct injection *in, const struct strs *rcpt)
{
	struct args args = {0};
	struct str rest = in->via, word;
	while ((word = str_word(&rest)).len > 0)
		arg_add(a, &args, word);
	arg_add(a, &args, STR("-i"));
	if (!is_7bit(in->text))
		arg_add(a, &args, STR("-B8BITMIME"));
	arg_add(a, &args, STR("-f"));
	arg_add(a, &args, in->from.len == 0 ? STR("<>") : in->from);
	arg_add(a, &args, STR("--"));
	for (size_t i = 0; i < rcpt->n; i++)
		arg_add(a, &args, rcpt->v[i]);
	ARENA_PUSH(a, &args) = NULL;
	return args.v;
}

static struct str
output_of(struct arena *a, int out)
{
	struct buf *b = buf_new(a, OUTPUT_MAX);
	if (lseek(out, 0, SEEK_SET) != 0 || !file_read(out, OUTPUT_MAX, b))
		return STR_EMPTY;
	return str_trim(buf_str(b));
}

static enum inject_status
command_status(struct arena *a, int status, struct str *reply)
{
	if (!WIFEXITED(status)) {
		*reply = str_printf(a, "killed by signal %d: %.*s",
		    WTERMSIG(status), STR_ARG(*reply));
		return INJECT_UNKNOWN;
	}
	int code = WEXITSTATUS(status);
	if (code == EX_OK)
		return INJECT_OK;
	*reply = str_printf(a, "exit status %d: %.*s", code, STR_ARG(*reply));
	return code == EX_TEMPFAIL || code == EX_OSERR ? INJECT_TEMP
						       : INJECT_REFUSED;
}

static enum inject_status
command_run(struct arena *a, const struct injection *in,
    const struct strs *rcpt, struct inject_result *ret)
{
	int input = child_file(unix_lines(a, in->text));
	int output = child_file(STR_EMPTY);
	struct child child = {
	    .argv = command_args(a, in, rcpt),
	    .in = input,
	    .out = output,
	    .extra = -1,
	    .cancel = -1,
	    .timeout_ms = COMMAND_MS,
	};
	int code = 0;
	enum inject_status status = INJECT_TEMP;
	enum child_status how =
	    input < 0 || output < 0 ? CHILD_FAILED : child_run(&child, &code);
	if (how == CHILD_FAILED) {
		ret->reply =
		    str_printf(a, "%s: %s", child.argv[0], strerror(errno));
	} else {
		ret->reply = output_of(a, output);
		status = command_status(a, code, &ret->reply);
		if (how == CHILD_LATE)
			ret->reply = STR("timed out");
	}
	disk_close(input);
	disk_close(output);
	return status;
}

static void
refuse(struct arena *a, struct inject_result *ret, struct str rcpt)
{
	ARENA_PUSH(a, &ret->refusals) = (struct refusal){
	    rcpt, STR("not an address that can be given to the MTA safely")};
}

/* Leave out what must not be said to an MTA. */
static struct strs
safe_rcpts(struct arena *a, const struct injection *in,
    bool (*is_safe)(struct str), struct inject_result *ret)
{
	struct strs safe = {0};
	for (size_t i = 0; i < in->rcpt->n; i++)
		if (is_safe(in->rcpt->v[i]))
			strs_add(a, &safe, in->rcpt->v[i]);
		else
			refuse(a, ret, in->rcpt->v[i]);
	return safe;
}

static enum inject_status
smtp_run(struct arena *a, const struct injection *in, const struct strs *rcpt,
    struct inject_result *ret)
{
	struct smtp_options options = {
	    .connect_ms = SMTP_CONNECT_MS, .command_ms = SMTP_COMMAND_MS};
	struct injection safe = *in;
	safe.rcpt = rcpt;
	if (!host_parse(str_skip(in->via, SMTP_PREFIX.len), &options.host,
		&options.port))
		return INJECT_INVALID;
	return smtp_send(a, &options, &safe, ret);
}

enum inject_status
inject(struct arena *a, const struct injection *in, struct inject_result *ret)
{
	bool is_smtp = inject_via_is_smtp(in->via);
	bool (*is_safe)(struct str) =
	    is_smtp ? inject_address_is_safe : is_safe_argument;
	*ret = (struct inject_result){.reply = STR_EMPTY};
	if (!inject_via_check(a, in->via, &ret->reply))
		return INJECT_INVALID;
	if (in->from.len > 0 && !is_safe(in->from)) {
		ret->reply = STR("the sender is not an address that can be "
				 "given to the MTA safely");
		return INJECT_INVALID;
	}
	struct strs rcpt = safe_rcpts(a, in, is_safe, ret);
	if (rcpt.n == 0) {
		ret->reply = STR("no recipient is left");
		return INJECT_REFUSED;
	}
	enum inject_status status = is_smtp ? smtp_run(a, in, &rcpt, ret)
					    : command_run(a, in, &rcpt, ret);
	return status == INJECT_OK && ret->refusals.n > 0 ? INJECT_PART
							  : status;
}
