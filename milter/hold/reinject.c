/* SPDX-License-Identifier: BSD-2-Clause */
/* reinject -- let a kept message go. */
#include "hold/reinject.h"

#include <errno.h>
#include <poll.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"

#define LOOK_EVERY_MS 20

static const char *const status_names[] = {
    [REINJECT_OK] = "released",
    [REINJECT_PART] = "partly-released",
    [REINJECT_FAILED] = "failed",
    [REINJECT_UNKNOWN] = "unknown",
    [REINJECT_TAMPERED] = "tampered",
    [REINJECT_GONE] = "gone",
    [REINJECT_BUSY] = "busy",
};

struct str
reinject_status_name(enum reinject_status status)
{
	return str_from(status_names[status]);
}

static bool
is_release_field(struct str line)
{
	struct str name = str_cut(&line, ':');
	return str_ieq(str_trim(name), STR(RELEASE_HEADER));
}

/* Append the fields of `header` but those of our own name, folds included. */
static void
fields_put(struct buf *b, struct str header)
{
	bool is_dropped = false;
	while (header.len > 0) {
		struct str line = str_line(&header);
		if (line.len > 0 && line.p[line.len - 1] == '\r')
			line.len--;
		if (line.len == 0)
			return;
		if (!char_is_blank(line.p[0]))
			is_dropped = is_release_field(line);
		if (is_dropped)
			continue;
		buf_put(b, line);
		buf_putc(b, '\n');
	}
}

struct str
reinject_text(struct arena *a, struct str raw, struct str value)
{
	struct str body = release_body(raw);
	struct str header = str_sub(raw, 0, raw.len - body.len);
	size_t max = raw.len + value.len + sizeof(RELEASE_HEADER) + 8;
	struct buf *b = buf_new(a, max);
	buf_reserve(b, max);
	buf_put(b, STR(RELEASE_HEADER ": "));
	buf_put(b, value);
	buf_putc(b, '\n');
	fields_put(b, header);
	buf_putc(b, '\n');
	buf_put(b, body);
	return buf_str(b);
}

/* The recipients of one injection: a slice of `all` from `*next` on. */
static struct strs
batch_next(const struct strs *all, size_t *next)
{
	struct strs batch = {.v = all->v + *next};
	size_t bytes = 0;
	while (*next < all->n && batch.n < INJECT_RCPT_MAX) {
		bytes += all->v[*next].len;
		if (batch.n > 0 && bytes > INJECT_RCPT_BYTES)
			break;
		batch.n++;
		++*next;
	}
	return batch;
}

/* One message on its way out. */
struct outgoing {
	struct arena *a;
	const struct reinjection *how;
	const struct held *held;
	struct str raw;
	struct reinject_report *report;
	struct strs left; /* recipients who have not got it */
	struct {
		struct release_token *v;
		size_t n, cap;
	} tokens; /* of what the MTA has */
};

static bool
is_sent(enum inject_status status)
{
	return status == INJECT_OK || status == INJECT_PART;
}

static void
batch_count(struct outgoing *out, const struct strs *batch,
    enum inject_status status, const struct inject_result *result)
{
	for (size_t i = 0; i < result->refusals.n; i++)
		ARENA_PUSH(out->a, &out->report->mta.refusals) =
		    result->refusals.v[i];
	out->report->mta.reply = result->reply;
	if (is_sent(status)) {
		out->report->sent += batch->n - result->refusals.n;
		for (size_t i = 0; i < result->refusals.n; i++)
			strs_add(
			    out->a, &out->left, result->refusals.v[i].rcpt);
	} else {
		for (size_t i = 0; i < batch->n; i++)
			strs_add(out->a, &out->left, batch->v[i]);
	}
}

/* The token of a message that did not go out must not stay. */
static void
token_keep(struct outgoing *out, const struct release_token *token,
    enum inject_status status)
{
	if (is_sent(status))
		ARENA_PUSH(out->a, &out->tokens) = *token;
	else if (release_revoke(out->how->release, token))
		out->report->was_seen = false;
}

/* posternd meets the token in the MTA's next breath, if it is wired up. */
static bool
token_is_seen(const struct outgoing *out, const struct release_token *token)
{
	int64_t until = clock_ms() + out->how->wait_ms;
	while (release_is_open(out->how->release, token)) {
		if (clock_ms() >= until)
			return false;
		(void)poll(NULL, 0, LOOK_EVERY_MS);
	}
	return true;
}

/*
 * Over SMTP posternd has judged the message before the MTA took it: a token
 * that is open then will not be asked for, and must not travel on.
 */
static void
tokens_watch(struct outgoing *out)
{
	for (size_t i = 0; i < out->tokens.n; i++) {
		const struct release_token *token = &out->tokens.v[i];
		bool is_seen = inject_via_is_smtp(out->how->via)
				   ? !release_revoke(out->how->release, token)
				   : token_is_seen(out, token);
		out->report->was_seen = out->report->was_seen && is_seen;
	}
}

static enum inject_status
batch_send(struct outgoing *out, const struct strs *batch)
{
	struct release_token token;
	struct inject_result result;
	int64_t expiry = clock_wall() + out->how->valid_s;
	if (!release_issue(out->how->release, out->a, out->held->id,
		release_body(out->raw), expiry, &token)) {
		result = (struct inject_result){
		    .reply = str_printf(
			out->a, "cannot make a release: %s", strerror(errno))};
		batch_count(out, batch, INJECT_TEMP, &result);
		return INJECT_TEMP;
	}
	struct injection in = {
	    .via = out->how->via,
	    .from = out->held->envelope.from,
	    .rcpt = batch,
	    .text = reinject_text(out->a, out->raw, token.value),
	};
	enum inject_status status = inject(out->a, &in, &result);
	token_keep(out, &token, status);
	batch_count(out, batch, status, &result);
	return status;
}

/* Batch by batch; what comes behind one that failed is not tried. */
static enum inject_status
send_all(struct outgoing *out)
{
	const struct strs *all = &out->held->envelope.rcpt;
	enum inject_status status = INJECT_OK;
	size_t next = 0;
	while (next < all->n) {
		struct strs batch = batch_next(all, &next);
		status = batch_send(out, &batch);
		if (status == INJECT_OK || status == INJECT_PART)
			continue;
		for (; next < all->n; next++)
			strs_add(out->a, &out->left, all->v[next]);
	}
	return status;
}

/* The file goes, or stays for those who have not got the message. */
static void
settle(struct outgoing *out, const struct held_entry *entry)
{
	struct quarantine *q = out->how->quarantine;
	if (out->how->keeps_file || out->report->sent == 0)
		return;
	enum quarantine_status status;
	if (out->left.n == 0) {
		status = quarantine_remove(q, entry);
	} else {
		struct held rest = *out->held;
		rest.envelope.rcpt = out->left;
		status = quarantine_replace(q, entry, &rest, out->raw);
	}
	out->report->is_left_over = status != QUARANTINE_OK;
}

static enum reinject_status
status_of(const struct outgoing *out, enum inject_status last)
{
	if (last == INJECT_UNKNOWN)
		return REINJECT_UNKNOWN;
	if (out->left.n == 0 && out->report->sent > 0)
		return REINJECT_OK;
	return out->report->sent > 0 ? REINJECT_PART : REINJECT_FAILED;
}

static enum reinject_status
status_of_quarantine(struct arena *a, enum quarantine_status status,
    struct reinject_report *report)
{
	switch (status) {
	case QUARANTINE_NOT_FOUND:
		return REINJECT_GONE;
	case QUARANTINE_BUSY:
		return REINJECT_BUSY;
	case QUARANTINE_BAD_FILE:
		report->mta.reply = STR("the file cannot be read");
		return REINJECT_FAILED;
	case QUARANTINE_OK:
	case QUARANTINE_AMBIGUOUS:
	case QUARANTINE_FULL:
	case QUARANTINE_IO:
		break;
	}
	report->mta.reply = str_dup(a, str_from(strerror(errno)));
	return REINJECT_FAILED;
}

static enum reinject_status
reinject_locked(struct arena *a, const struct reinjection *how,
    const struct held_entry *entry, struct reinject_report *ret)
{
	struct held_entry now;
	struct str raw;
	enum quarantine_status status =
	    quarantine_read(how->quarantine, a, entry, &now, &raw);
	if (status != QUARANTINE_OK)
		return status_of_quarantine(a, status, ret);
	bool is_whole = now.state == HELD_SOUND || now.state == HELD_UNSEALED;
	if (!is_whole && !how->is_forced)
		return REINJECT_TAMPERED;
	struct outgoing out = {
	    .a = a, .how = how, .held = &now.held, .raw = raw, .report = ret};
	if (now.held.envelope.rcpt.n == 0) {
		ret->mta.reply = STR("it has no recipients");
		return REINJECT_FAILED;
	}
	if (how->is_dry_run)
		return REINJECT_OK;
	enum inject_status last = send_all(&out);
	settle(&out, &now);
	tokens_watch(&out);
	return status_of(&out, last);
}

enum reinject_status
reinject(struct arena *a, const struct reinjection *how,
    const struct held_entry *entry, struct reinject_report *ret)
{
	int lock;
	*ret = (struct reinject_report){
	    .mta = {.reply = STR_EMPTY}, .was_seen = true};
	enum quarantine_status status =
	    quarantine_lock(how->quarantine, entry, &lock);
	if (status != QUARANTINE_OK)
		return status_of_quarantine(a, status, ret);
	enum reinject_status result = reinject_locked(a, how, entry, ret);
	quarantine_unlock(lock);
	return result;
}
