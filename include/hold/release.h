/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * release -- how posternd knows a message that an operator has let go, so that
 * it is not filtered again: a header field, signed and good once.
 *
 *	X-Postern-Release: v1 ID NONCE EXPIRY MAC
 *
 * MAC is HMAC-SHA256 with the host's key over "postern release v1", ID, NONCE,
 * EXPIRY (s since 1970) and the message's binding.  Once: the file NONCE in
 * STATE/release is made before the message goes to the MTA and unlinked by the
 * first check; who unlinks it has the release.
 *
 * The binding is SHA-256 of the body without NUL, blanks, line ends and "!".
 * It has to be the same after Postfix and Sendmail had the message: they change
 * line ends, add or take the last one, add header fields (Date, Message-Id,
 * Received), rewrite addresses in header and envelope (canonical maps,
 * masquerading), and Sendmail breaks a line that is too long with "!", a line
 * end and a blank.  The envelope sender and the header are therefore not bound.
 * Who steals the field on its way can at most send the same body once.
 *
 * Making and sending such a message is reinject.h's.
 */
#ifndef HOLD_RELEASE_H
#define HOLD_RELEASE_H

#include "base/str.h"
#include "hold/mac.h"

struct arena;
struct release;

#define RELEASE_HEADER "X-Postern-Release"
/* The longest field value that is looked at. */
#define RELEASE_VALUE_MAX 512

enum release_status {
	RELEASE_OK,     /* let it pass; this was its one use */
	RELEASE_REPLAY, /* signed by us, but used or withdrawn before */
	RELEASE_EXPIRED,
	RELEASE_FORGED, /* not signed by us, or for another body */
	RELEASE_TEMP    /* signed, but its one use could not be taken: errno */
};
/* "valid", "replay", "expired", "forged", "temp" */
struct str release_status_name(enum release_status status);

/*
 * Open `state_dir`, which must be there; make STATE/release.key and the
 * directory STATE/release if they are not.  False: `*ret_error` in words.
 * May be used by any number of threads at once.
 */
MUST_CHECK bool release_open(struct arena *a, struct str state_dir,
    struct release **ret, struct str *ret_error);
/* The same without a key of its own: STATE/release.key must be there. */
MUST_CHECK bool release_open_existing(struct arena *a, struct str state_dir,
    struct release **ret, struct str *ret_error);
void release_close(struct release *r);
/* The host's key, for quarantine_set_key(). */
const struct mac_key *release_key(const struct release *r);

/*
 * Judge the field value `value` of a message with `body` (any line ends; behind
 * the empty line).  RELEASE_OK uses it up, so call it once a message, when it
 * is whole, with the topmost field of that name; the caller removes all of
 * them.
 * `*ret_id` is set unless RELEASE_FORGED: which kept message it was, in `a`.
 */
MUST_CHECK enum release_status release_check(struct release *r, struct arena *a,
    struct str value, struct str body, int64_t now_wall, struct str *ret_id);

/* A release that was handed out. */
struct release_token {
	struct str value; /* of the header field */
	struct str nonce;
};

/*
 * Make a token for the kept message `id` with `body`, good until
 * `expiry_wall`.  False: errno; nothing is left behind.
 */
MUST_CHECK bool release_issue(struct release *r, struct arena *a, struct str id,
    struct str body, int64_t expiry_wall, struct release_token *ret);
/* Nobody has used it yet. */
bool release_is_open(struct release *r, const struct release_token *token);
/* Take it back; false: it was used already. */
bool release_revoke(struct release *r, const struct release_token *token);
/* Remove tokens that have expired; returns how many. */
size_t release_tidy(struct release *r, int64_t now_wall);

/*
 * The body of a whole message: behind the first empty line, or from the first
 * line that is neither a header field nor its continuation.
 */
struct str release_body(struct str raw);

#endif
